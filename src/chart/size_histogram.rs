//! Files by size, in tiers that tell tiny files from good ones.

use crate::profile::{Severity, TinyFiles};
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
    /// Those of them in partitions that the findings call tiny.
    pub n_in_tiny: u64,
    pub class: SizeClass,
}

impl SizeTier {
    /// Whether its files are tiny and most of them lie where the findings say that this costs: elsewhere a small file is no
    /// harm.
    pub fn is_tiny(&self) -> bool {
        self.class == SizeClass::Tiny && 2 * self.n_in_tiny > self.n_files
    }

    /// What its size means here, in words.
    pub fn meaning(&self) -> &'static str {
        match self.class {
            SizeClass::Tiny if !self.is_tiny() => "small, but too few to cost much",
            class => class.meaning(),
        }
    }
}

/// Every tier from empty to large, those without files included, so that columns keep their places.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SizeHistogram {
    pub tiers: Vec<SizeTier>,
    pub n_files: u64,
    /// How bad the findings call the tiny ones; none where they name none.
    pub tiny: Option<Severity>,
    /// Whether there are compressed files over 1 GB: one task reads each of them.
    pub has_unsplittable: bool,
}

impl SizeHistogram {
    pub fn new(dataset: &DatasetKeys) -> Self {
        let tiny = TinyFiles::of(dataset);
        let mut in_tiny = crate::storage::SizeHistogram::default();
        for stats in tiny.partitions() {
            in_tiny.merge(&stats.sizes);
        }
        let tiers: Vec<SizeTier> = dataset
            .sizes
            .tiers()
            .zip(in_tiny.tiers())
            .map(|((label, n_files), (_, n_in_tiny))| SizeTier {
                label,
                n_files,
                n_in_tiny,
                class: class_of(label),
            })
            .collect();
        Self {
            tiny: tiny.worst(),
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
    use crate::profile::Severity;
    use crate::storage::TINY_BYTES;

    #[test]
    fn files_are_counted_by_tier_and_are_tiny_where_the_findings_say_so() {
        let chart = SizeHistogram::new(&two_weeks());
        let filled: Vec<(&str, u64, bool)> = chart
            .tiers
            .iter()
            .filter(|tier| tier.n_files > 0)
            .map(|tier| (tier.label, tier.n_files, tier.is_tiny()))
            .collect();
        // The crowd of the 11th; a dozen files on each of the other days cost nothing worth a word.
        let expected = [
            ("<3 KB", 412, true),
            ("30–300 KB", 11 * 12, false),
            ("0.3–3 MB", 14, false),
        ];
        assert_eq!(filled, expected);
        assert_eq!(
            (chart.n_files, chart.tiny),
            (412 + 132 + 14, Some(Severity::Warn))
        );
        let calm = SizeHistogram::new(&dataset([(day(1, 1), 50, 50_000), (day(1, 2), 50, 60_000)]));
        assert!(calm.tiny.is_none() && !calm.tiers.iter().any(super::SizeTier::is_tiny));
        let mixed = SizeHistogram::new(&dataset([
            (day(1, 1), 200, 200 * (TINY_BYTES - 1)),
            (day(1, 2), 200, 200 * TINY_BYTES),
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
