//! Files by size, in tiers that tell tiny files from good ones.

use crate::storage::DatasetKeys;

/// How well files of a size read.
///
/// Source: tiers of Delta's and Iceberg's target sizes; 3 MB from `DataFlint`'s small files alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeClass {
    Empty,
    /// Under 3 MB: opening costs more than reading.
    Tiny,
    /// Under 32 MB.
    Small,
    /// Under 128 MB.
    Fair,
    /// Up to 1 GB.
    Good,
    /// Over 1 GB: shared by several tasks only where it can be split.
    Huge,
}

impl SizeClass {
    /// What the size means, in words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Empty => "nothing to read, but a request",
            Self::Tiny => "opening costs more than reading",
            Self::Small => "small: compaction would save requests",
            Self::Fair => "fair",
            Self::Good => "reads well",
            Self::Huge => "one task unless it can be split",
        }
    }
}

/// One column of the histogram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SizeTier {
    /// `3–30 KB`.
    pub label: &'static str,
    pub n_files: u64,
    pub class: SizeClass,
}

impl SizeTier {
    /// Whether opening such a file costs more than reading it.
    pub fn is_tiny(&self) -> bool {
        matches!(self.class, SizeClass::Empty | SizeClass::Tiny)
    }
}

/// Every tier from empty to large, those without files included, so that columns keep their places.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SizeHistogram {
    pub tiers: Vec<SizeTier>,
    pub n_files: u64,
    /// Whether there are compressed files over 1 GB: one task reads each of them.
    pub has_unsplittable: bool,
}

impl SizeHistogram {
    pub fn new(dataset: &DatasetKeys) -> Self {
        let tiers: Vec<SizeTier> = dataset
            .sizes
            .tiers()
            .map(|(label, n_files)| SizeTier {
                label,
                n_files,
                class: class_of(label),
            })
            .collect();
        Self {
            n_files: tiers.iter().map(|tier| tier.n_files).sum(),
            has_unsplittable: dataset.partitions.values().any(|stats| stats.n_unsplittable > 0),
            tiers,
        }
    }
}

fn class_of(label: &str) -> SizeClass {
    match label {
        "0" => SizeClass::Empty,
        "3–32 MB" => SizeClass::Small,
        "32–128 MB" => SizeClass::Fair,
        "128 MB–1 GB" => SizeClass::Good,
        ">1 GB" => SizeClass::Huge,
        _ => SizeClass::Tiny,
    }
}

#[cfg(test)]
mod tests {
    use super::SizeHistogram;
    use crate::chart::tests::{dataset, day, two_weeks};
    use crate::storage::TINY_BYTES;

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
        let mixed = SizeHistogram::new(&dataset([
            (day(1, 1), 1, TINY_BYTES - 1),
            (day(1, 2), 1, TINY_BYTES),
        ]));
        let tiny: Vec<bool> = mixed
            .tiers
            .iter()
            .filter(|tier| tier.n_files > 0)
            .map(super::SizeTier::is_tiny)
            .collect();
        assert_eq!(tiny, [true, false]);
        let classes: Vec<super::SizeClass> = mixed.tiers.iter().map(|tier| tier.class).collect();
        assert!(classes.is_sorted_by_key(|class| *class as u8), "{classes:?}");
        assert_eq!(classes.len(), 9);
    }
}
