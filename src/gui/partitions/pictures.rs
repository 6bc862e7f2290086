//! The pictures of a dataset, each made when it is first shown and kept as long as its figures.

use std::sync::OnceLock;

use crate::chart::{BarOrder, Measure, Picture, lorenz_picture, partition_picture, sizes_picture};
use crate::gui::listed::ListedDataset;

/// Empty until something is shown.
#[derive(Debug, Clone, Default)]
pub struct Pictures {
    /// Of bytes, files and rows, each in both orders.
    bars: [[OnceLock<Picture>; 2]; 3],
    sizes: OnceLock<Picture>,
    lorenz: OnceLock<Picture>,
}

impl ListedDataset {
    /// One bar per partition. Rows are to be there before it is first asked for.
    pub fn bars_picture(&self, measure: Measure, order: BarOrder) -> &Picture {
        let [bytes, files, rows] = &self.pictures.bars;
        let [by_partition, by_size] = match measure {
            Measure::Bytes => bytes,
            Measure::Files => files,
            Measure::Rows => rows,
        };
        let kept = match order {
            BarOrder::Partition => by_partition,
            BarOrder::Size => by_size,
        };
        kept.get_or_init(|| {
            let unit = self.unit().trim_end_matches('s');
            let note = match (&self.rows, measure) {
                (Some(rows), Measure::Rows) => rows.accuracy.to_string(),
                _ => self.picture_note(),
            };
            partition_picture(&self.bars, measure, order, unit, &note)
        })
    }

    pub fn sizes_picture(&self) -> &Picture {
        self.pictures
            .sizes
            .get_or_init(|| sizes_picture(&self.sizes, &self.picture_note()))
    }

    pub fn lorenz_picture(&self) -> &Picture {
        self.pictures
            .lorenz
            .get_or_init(|| lorenz_picture(&self.lorenz, self.unit(), &self.picture_note()))
    }
}

#[cfg(test)]
mod tests {
    use crate::chart::tests::two_weeks;
    use crate::chart::{BarOrder, Measure};
    use crate::gui::listed::ListedDataset;
    use crate::profile::CostModel;

    #[test]
    fn each_measure_and_order_has_its_own_picture_which_is_made_once() {
        let dataset = ListedDataset::new(&two_weeks(), &CostModel::default());
        let picture = |measure, order| dataset.bars_picture(measure, order);
        let bytes = picture(Measure::Bytes, BarOrder::Partition);
        assert_eq!(bytes.title, "Bytes per day");
        assert!(std::ptr::eq(bytes, picture(Measure::Bytes, BarOrder::Partition)));
        assert_eq!(
            picture(Measure::Files, BarOrder::Partition).title,
            "Files per day"
        );
        let by_size = picture(Measure::Files, BarOrder::Size);
        assert_eq!(by_size.layers[0].marks[0].name(), "2020-01-11");
        assert_eq!(dataset.lorenz_picture().layers[1].marks.len(), 14);
        assert_eq!(dataset.sizes_picture().title, "Files by size");
    }
}
