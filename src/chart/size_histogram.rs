//! Files by size, in tiers that tell tiny files from good ones.

use super::Axis;
use crate::storage::{self, DatasetKeys, TINY_BYTES};

/// One column of the histogram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SizeTier {
    /// `3–30 KB`.
    pub label: &'static str,
    pub n_files: u64,
    /// Whether opening such a file costs more than reading it.
    pub is_tiny: bool,
}

/// Every tier from empty to large, those without files included, so that columns keep their places.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SizeHistogram {
    pub tiers: Vec<SizeTier>,
    pub n_files: u64,
    pub axis: Axis,
}

impl SizeHistogram {
    pub fn new(dataset: &DatasetKeys) -> Self {
        let mut largest_tiny = storage::SizeHistogram::default();
        largest_tiny.add(TINY_BYTES - 1);
        let n_tiny_tiers = largest_tiny
            .tiers()
            .position(|(_, n_files)| n_files > 0)
            .map_or(0, |tier| tier + 1);
        let tiers: Vec<SizeTier> = dataset
            .sizes
            .tiers()
            .enumerate()
            .map(|(i, (label, n_files))| SizeTier {
                label,
                n_files,
                is_tiny: i < n_tiny_tiers,
            })
            .collect();
        Self {
            n_files: tiers.iter().map(|tier| tier.n_files).sum(),
            axis: Axis::count(tiers.iter().map(|tier| tier.n_files).max().unwrap_or(0)),
            tiers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SizeHistogram;
    use crate::chart::tests::{dataset, day, two_weeks};

    #[test]
    fn files_are_counted_by_tier_and_tiers_below_three_megabytes_are_tiny() {
        let chart = SizeHistogram::new(&two_weeks());
        let filled: Vec<(&str, u64)> = chart
            .tiers
            .iter()
            .filter(|tier| tier.n_files > 0)
            .map(|tier| (tier.label, tier.n_files))
            .collect();
        assert_eq!(filled, [("<3 KB", 412), ("30–300 KB", 11 * 12), ("0.3–3 MB", 14)]);
        assert_eq!(chart.n_files, 412 + 132 + 14);
        assert!(chart.axis.max >= 412.0);
        let mixed = SizeHistogram::new(&dataset([(day(1, 1), 1, 2_999_999), (day(1, 2), 1, 3_000_000)]));
        let tiny: Vec<bool> = mixed
            .tiers
            .iter()
            .filter(|tier| tier.n_files > 0)
            .map(|tier| tier.is_tiny)
            .collect();
        assert_eq!(tiny, [true, false]);
    }
}
