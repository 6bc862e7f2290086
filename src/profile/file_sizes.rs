//! When files are too small: the one rule that findings, figures, charts and remedies follow.
//!
//! A rule is a ratio and enough items. One small file costs nothing worth a word, and neither do a few hundred: they are tiny
//! where a partition is a crowd of them, or where a pass over all partitions asks for thousands.

use super::Severity;
use crate::storage::{DatasetKeys, PartitionStats, TINY_BYTES};

/// A partition of more files than this, which average under [`TINY_BYTES`] or of which most are smaller, costs more requests
/// than bytes.
///
/// Source: `DataFlint`, small files alert.
pub const CROWD: u64 = 100;
/// Small files of partitions that are no crowds: a pass over fewer than these waits for seconds at most. So many keys S3
/// gives in one answer to a listing.
pub const MANY: u64 = 1000;
/// Requests too many that make it bad.
const BAD_EXCESS: u64 = 10_000;
/// Size of the files that compaction makes.
///
/// Source: Delta auto-compaction, Spark's `maxPartitionBytes`.
pub const TARGET_FILE_BYTES: u64 = 128_000_000;

/// Whether the average file of a partition is tiny. One without files has none.
fn is_small(stats: &PartitionStats) -> bool {
    stats
        .average_file_bytes()
        .is_some_and(|average| average < TINY_BYTES)
}

/// Whether a partition is a crowd of tiny files. A few large files among them raise the average and spare no request, so more
/// than half of the files decide too.
pub fn has_tiny_files(stats: &PartitionStats) -> bool {
    let is_mostly_tiny = stats.n_tiny > CROWD && stats.n_tiny * 2 > stats.n_files;
    stats.n_files > CROWD && (is_small(stats) || is_mostly_tiny)
}

/// Files that compaction makes of so many bytes.
fn wanted_files(n_bytes: u64) -> u64 {
    ((n_bytes + TARGET_FILE_BYTES / 2) / TARGET_FILE_BYTES).max(1)
}

/// Files beyond those that compaction would leave in the partition.
pub fn excess_files(stats: &PartitionStats) -> u64 {
    stats.n_files.saturating_sub(wanted_files(stats.n_bytes))
}

/// The partitions whose files are too small.
#[derive(Debug, Clone, Default)]
pub struct TinyFiles<'a> {
    /// Those that are crowds of tiny files, the largest first.
    pub crowds: Vec<&'a PartitionStats>,
    /// Those of few tiny files each, in order; empty where all together hold no more than [`MANY`].
    pub scattered: Vec<&'a PartitionStats>,
}

impl<'a> TinyFiles<'a> {
    pub fn of(dataset: &'a DatasetKeys) -> Self {
        let (mut crowds, mut scattered): (Vec<_>, Vec<_>) = dataset
            .partitions
            .values()
            .filter(|stats| is_small(stats) || has_tiny_files(stats))
            .partition(|stats| has_tiny_files(stats));
        crowds.sort_by(|a, b| b.n_files.cmp(&a.n_files).then(a.partition.cmp(&b.partition)));
        if scattered.iter().map(|stats| stats.n_files).sum::<u64>() <= MANY {
            scattered.clear();
        }
        Self { crowds, scattered }
    }

    pub fn partitions(&self) -> impl Iterator<Item = &'a PartitionStats> {
        self.crowds.iter().chain(&self.scattered).copied()
    }

    /// Requests that a pass would be spared if the scattered files were packed without regard to their partitions.
    pub fn scattered_excess(&self) -> u64 {
        let sum = |of: fn(&PartitionStats) -> u64| self.scattered.iter().map(|stats| of(stats)).sum::<u64>();
        let n_files = sum(|stats| stats.n_files);
        n_files.saturating_sub(wanted_files(sum(|stats| stats.n_bytes)))
    }

    /// How bad the worst of them is; none where no files are too small.
    pub fn worst(&self) -> Option<Severity> {
        let crowds = self.crowds.iter().map(|stats| excess_files(stats));
        let scattered = (!self.scattered.is_empty()).then(|| self.scattered_excess());
        crowds.chain(scattered).map(Self::severity).max()
    }

    /// How bad so many requests too many are.
    pub fn severity(n_excess: u64) -> Severity {
        if n_excess >= BAD_EXCESS {
            Severity::Bad
        } else {
            Severity::Warn
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MANY, TinyFiles, has_tiny_files};
    use crate::storage::testing::{day, days_from};
    use crate::storage::{DatasetKeys, PartitionStats};

    /// Days as (files, bytes).
    fn lake(days: impl IntoIterator<Item = (u64, u64)>) -> DatasetKeys {
        days_from(day(1, 1).date().unwrap(), days)
    }

    #[test]
    fn a_crowd_is_tiny_alone_and_few_files_a_day_only_where_a_pass_asks_for_many() {
        let check = |days: Vec<(u64, u64)>| {
            let dataset = lake(days);
            let tiny = TinyFiles::of(&dataset);
            (tiny.crowds.len(), tiny.scattered.len())
        };
        assert_eq!(check(vec![(100, 1000), (101, 1000), (101, 303_000_000)]), (1, 0));
        // The thousand and first file.
        assert_eq!(check(vec![(100, 1000); 10]), (0, 0));
        assert_eq!(check([vec![(100, 1000); 10], vec![(1, 10)]].concat()), (0, 11));
        // A crowd is told by itself and does not make the others many; large files are none of it.
        assert_eq!(check(vec![(5000, 1000), (50, 1000), (50, 900_000_000)]), (1, 0));
        assert_eq!(check(vec![(0, 0), (0, 0)]), (0, 0));
    }

    #[test]
    fn one_file_a_day_is_spared_by_wider_partitions_only() {
        let dataset = lake(vec![(1, 4000); 1100]);
        let tiny = TinyFiles::of(&dataset);
        assert!(tiny.partitions().all(|stats| super::excess_files(stats) == 0));
        assert_eq!(
            (tiny.scattered.len() as u64, tiny.scattered_excess()),
            (1100, 1099)
        );
        assert!(tiny.scattered.len() as u64 > MANY && !tiny.partitions().any(has_tiny_files));
    }
    #[test]
    fn a_large_file_among_thousands_of_tiny_ones_does_not_hide_them() {
        let partition = |n_tiny| PartitionStats {
            n_files: 5001,
            n_bytes: 20_000_000_000,
            n_tiny,
            ..PartitionStats::default()
        };
        assert_eq!(
            [5000, 2501, 2500, 0].map(|n| has_tiny_files(&partition(n))),
            [true, true, false, false]
        );
    }
}
