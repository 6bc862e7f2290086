//! The Lorenz curve: which share of the partitions, the smallest first, holds which share of the bytes.

use crate::profile::formulas;
use crate::storage::{DatasetKeys, Partition};

/// Points from (0, 0) to (1, 1); none without bytes. The diagonal is an even dataset, the Gini coefficient twice the area
/// between.
///
/// Source: Lorenz, "Methods of measuring the concentration of wealth", 1905.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lorenz {
    /// Share of partitions, share of bytes.
    pub points: Vec<(f64, f64)>,
    /// The partition that each point but the first adds, with its bytes.
    pub partitions: Vec<(Partition, u64)>,
    /// As many even partitions would be as concentrated: 1 / Σp².
    pub effective_partitions: Option<f64>,
}

impl Lorenz {
    pub fn new(dataset: &DatasetKeys) -> Self {
        let mut partitions: Vec<(Partition, u64)> = dataset
            .partitions
            .values()
            .map(|stats| (stats.partition.clone(), stats.n_bytes))
            .collect();
        partitions.sort_by_key(|(_, n_bytes)| *n_bytes);
        let loads: Vec<u64> = partitions.iter().map(|(_, n_bytes)| *n_bytes).collect();
        let total: f64 = loads.iter().map(|load| *load as f64).sum();
        if total <= 0.0 {
            return Self::default();
        }
        let effective_partitions = formulas::effective_partitions(&loads);
        let n = loads.len() as f64;
        let (mut sum, mut i) = (0.0, 0.0);
        let mut points = vec![(0.0, 0.0)];
        for load in loads {
            sum += load as f64;
            i += 1.0;
            points.push((i / n, sum / total));
        }
        Self {
            points,
            partitions,
            effective_partitions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lorenz;
    use crate::chart::tests::{dataset, day, two_weeks};
    use crate::profile::{CostModel, partition_skew};

    #[test]
    fn twice_the_area_above_the_curve_is_the_gini_coefficient() {
        let lake = two_weeks();
        let points = Lorenz::new(&lake).points;
        let below: f64 = points
            .windows(2)
            .map(|pair| (pair[1].0 - pair[0].0) * f64::midpoint(pair[1].1, pair[0].1))
            .sum();
        let gini = partition_skew(&lake, &CostModel::default()).metrics.gini.unwrap();
        assert!((1.0 - 2.0 * below - gini).abs() < 1e-9, "{below} {gini}");
        assert_eq!((points[0], points[13]), ((0.0, 0.0), (1.0, 1.0)));
        let partitions = Lorenz::new(&lake).partitions;
        assert_eq!((partitions.len(), &partitions[12]), (13, &(day(1, 9), 5_300_000)));
    }

    #[test]
    fn nothing_has_no_curve() {
        assert_eq!(Lorenz::new(&dataset([])), Lorenz::default());
        assert_eq!(Lorenz::new(&dataset([(day(1, 1), 2, 0)])), Lorenz::default());
    }
}
