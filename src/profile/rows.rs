//! Rows of each partition: counted where every file told its own, else estimated from the files that were read, with the
//! error.

use std::collections::BTreeMap;

use serde::Serialize;

use super::formulas;
use crate::base::Accuracy;
use crate::storage::Partition;

/// What one file told of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRows {
    /// Stored bytes that were read, or that the answer stands for.
    pub read_bytes: u64,
    /// Rows in them.
    pub n_rows: u64,
    /// Whether those are all rows of the file.
    pub is_whole: bool,
}

/// The files of a partition, and those that were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionFiles {
    pub partition: Partition,
    pub n_files: u64,
    pub n_bytes: u64,
    pub read: Vec<FileRows>,
}

/// Rows of a partition or of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct RowCount {
    pub n_rows: u64,
    /// Half the width of the interval of about 95%; none where it is exact or cannot be told.
    pub error: Option<u64>,
    pub accuracy: Accuracy,
    pub n_files_read: u64,
    pub n_files: u64,
}

/// Rows of a dataset by partition.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RowCounts {
    pub partitions: BTreeMap<Partition, RowCount>,
    /// Files that could not be read; they count as not read.
    pub n_unreadable: u64,
    /// A cancel came before all files were read that should be.
    pub is_partial: bool,
}

impl RowCounts {
    /// Rows of `partitions` together. Errors of partitions are independent, so their squares add up.
    pub fn sum<'a>(&self, partitions: impl Iterator<Item = &'a Partition>) -> RowCount {
        let mut sum = RowCount::default();
        let mut variance = Some(0.0);
        for partition in partitions {
            let Some(count) = self.partitions.get(partition) else {
                sum.accuracy = Accuracy::Estimate;
                variance = None;
                continue;
            };
            sum.n_rows += count.n_rows;
            sum.n_files += count.n_files;
            sum.n_files_read += count.n_files_read;
            if !count.accuracy.is_exact() {
                sum.accuracy = match (sum.accuracy, count.accuracy) {
                    (Accuracy::Partial { n }, Accuracy::Partial { n: more }) => {
                        Accuracy::Partial { n: n + more }
                    }
                    (_, of_this) => of_this,
                };
                let of_one = count.error.map(|error| (error as f64).powi(2));
                variance = variance.zip(of_one).map(|(sum, more)| sum + more);
            }
        }
        if !sum.accuracy.is_exact() {
            sum.error = variance.map(|variance| formulas::rounded(variance.sqrt()));
        }
        sum
    }

    /// What is known after a cancel: estimates of partitions that were not read as far as they should be are partial.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.is_partial = true;
        for count in self
            .partitions
            .values_mut()
            .filter(|count| !count.accuracy.is_exact())
        {
            count.accuracy = Accuracy::Partial {
                n: count.n_files_read,
            };
        }
        self
    }

    pub fn total(&self) -> RowCount {
        self.sum(self.partitions.keys())
    }
}

/// Errors this many standard errors wide hold about 95% of the time, where the spread was learned from few files.
const WIDTH: f64 = 2.0;
const WIDTH_OF_FEW: f64 = 3.0;
/// Fewer degrees of freedom are few.
const FEW: f64 = 10.0;

/// Rows of every partition. Files that were not read whole are estimated by the rows to a stored byte of those that were
/// read in their partition (of all partitions, where none was), so compressed files are compared with compressed ones.
///
/// Accuracy: exact where every file was read whole. Else the ratio estimator's standard error, with the spread of files
/// inside partitions, or between partitions where each gave one file. Source: Cochran, "Sampling Techniques", 1977, ch. 6.
pub fn estimate_rows(partitions: &[PartitionFiles], n_unreadable: u64) -> RowCounts {
    let all_read = || partitions.iter().flat_map(|files| &files.read);
    let pooled = rate(all_read());
    let spread = spread(partitions, pooled);
    let count = |files: &PartitionFiles| {
        let n_read = files.read.len() as u64;
        let whole_read = || files.read.iter().filter(|file| file.is_whole);
        let known_rows: u64 = whole_read().map(|file| file.n_rows).sum();
        let known_bytes: u64 = whole_read().map(|file| file.read_bytes).sum();
        let is_exact = whole_read().count() as u64 == files.n_files || files.n_bytes == 0;
        let mut count = RowCount {
            n_rows: known_rows,
            n_files_read: n_read,
            n_files: files.n_files,
            ..RowCount::default()
        };
        if is_exact {
            return count;
        }
        count.accuracy = Accuracy::Estimate;
        let rest = files.n_bytes.saturating_sub(known_bytes) as f64;
        let Some(rate) = rate(files.read.iter()).or(pooled) else {
            return count;
        };
        let estimated = rate * rest;
        count.n_rows += formulas::rounded(estimated);
        // Without a file of its own, a partition is as uncertain as one file is.
        let standard_error = spread.map(|(relative, _)| estimated * relative / (n_read.max(1) as f64).sqrt());
        let width = if spread.is_some_and(|(_, freedom)| freedom < FEW) {
            WIDTH_OF_FEW
        } else {
            WIDTH
        };
        count.error = standard_error.map(|error| formulas::rounded(width * error));
        count
    };
    RowCounts {
        partitions: partitions
            .iter()
            .map(|files| (files.partition.clone(), count(files)))
            .collect(),
        n_unreadable,
        is_partial: false,
    }
}

/// Rows to a stored byte.
fn rate<'a>(files: impl Iterator<Item = &'a FileRows>) -> Option<f64> {
    let (mut n_rows, mut n_bytes) = (0.0, 0.0);
    for file in files {
        n_rows += file.n_rows as f64;
        n_bytes += file.read_bytes as f64;
    }
    (n_bytes > 0.0).then(|| n_rows / n_bytes)
}

/// The relative standard deviation of files' rates around their partition's, and its degrees of freedom; around the pooled
/// rate where no partition gave two files. None for one file alone.
fn spread(partitions: &[PartitionFiles], pooled: Option<f64>) -> Option<(f64, f64)> {
    let (mut squares, mut freedom) = (0.0, 0.0);
    for files in partitions {
        let rates: Vec<f64> = files
            .read
            .iter()
            .filter_map(|file| rate(std::iter::once(file)))
            .collect();
        if let (Some(own), 2..) = (rate(files.read.iter()), rates.len())
            && own > 0.0
        {
            squares += rates.iter().map(|rate| (rate / own - 1.0).powi(2)).sum::<f64>();
            freedom += rates.len() as f64 - 1.0;
        }
    }
    if freedom < 1.0 {
        let pooled = pooled.filter(|pooled| *pooled > 0.0)?;
        let rates: Vec<f64> = partitions
            .iter()
            .filter_map(|files| rate(files.read.iter()))
            .collect();
        squares = rates.iter().map(|rate| (rate / pooled - 1.0).powi(2)).sum();
        freedom = rates.len() as f64 - 1.0;
    }
    (freedom >= 1.0).then(|| ((squares / freedom).sqrt(), freedom))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::*;

    use super::{FileRows, PartitionFiles, RowCounts, estimate_rows};
    use crate::base::Accuracy;
    use crate::storage::Partition;

    fn files(day: u32, n_files: u64, n_bytes: u64, read: &[(u64, u64, bool)]) -> PartitionFiles {
        PartitionFiles {
            partition: Partition::Day(NaiveDate::from_ymd_opt(2020, 1, day).unwrap()),
            n_files,
            n_bytes,
            read: read
                .iter()
                .map(|(read_bytes, n_rows, is_whole)| FileRows {
                    read_bytes: *read_bytes,
                    n_rows: *n_rows,
                    is_whole: *is_whole,
                })
                .collect(),
        }
    }

    fn rows(counts: &RowCounts) -> Vec<(u64, Option<u64>, bool)> {
        let counts = counts.partitions.values();
        counts
            .map(|count| (count.n_rows, count.error, count.accuracy.is_exact()))
            .collect()
    }

    #[test]
    fn whole_files_are_exact_and_the_rest_is_estimated_by_bytes() {
        let found = estimate_rows(
            &[
                files(1, 2, 300, &[(100, 10, true), (200, 20, true)]),
                files(2, 10, 1000, &[(100, 9, true), (100, 11, true)]),
                files(3, 5, 0, &[]),
            ],
            0,
        );
        let [first, second, empty] = rows(&found)[..] else {
            panic!()
        };
        assert_eq!((first, empty), ((30, None, true), (0, None, true)));
        // 20 counted, and 800 bytes at a tenth of a row each.
        assert_eq!((second.0, second.2), (100, false));
        assert!(second.1.unwrap() > 0 && second.1.unwrap() < 100, "{second:?}");
        let total = found.total();
        assert_eq!(
            (total.n_rows, total.accuracy, total.n_files_read),
            (130, Accuracy::Estimate, 4)
        );
        assert_eq!(total.error, second.1);
    }

    #[test]
    fn a_partition_without_a_file_of_its_own_takes_the_rate_of_the_others() {
        let found = estimate_rows(
            &[
                files(1, 3, 900, &[(100, 10, false)]),
                files(2, 3, 900, &[(100, 30, false)]),
                files(3, 3, 500, &[]),
            ],
            0,
        );
        let [first, second, third] = rows(&found)[..] else {
            panic!()
        };
        assert_eq!((first.0, second.0, third.0), (90, 270, 100));
        assert!(third.1.unwrap() > 100, "one file of each tells little: {third:?}");
    }

    #[test]
    fn one_file_alone_gives_an_estimate_whose_error_is_unknown() {
        let found = estimate_rows(&[files(1, 3, 900, &[(100, 10, false)])], 0);
        assert_eq!(rows(&found), [(90, None, false)]);
        let nothing = estimate_rows(&[files(1, 3, 900, &[])], 3);
        assert_eq!(rows(&nothing), [(0, None, false)]);
        assert_eq!(estimate_rows(&[], 0).total().n_rows, 0);
    }

    #[test]
    fn the_interval_holds_the_truth_about_as_often_as_it_says() {
        // Files of 1,000 bytes with 50 to 149 rows; four of forty are read in each of twenty partitions.
        let scatter = |n: u64| {
            let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 33
        };
        let rows_of =
            |day: u64, file: u64| 50 + scatter((day * 40 + file).wrapping_mul(0x9e37_79b9_7f4a_7c15)) % 100;
        let read = |day: u64| -> Vec<(u64, u64, bool)> {
            (0..4)
                .map(|i| (1000, rows_of(day, i * 10 + day % 10), true))
                .collect()
        };
        let partitions: Vec<_> = (1..=20_u32)
            .map(|day| files(day, 40, 40_000, &read(u64::from(day))))
            .collect();
        let found = estimate_rows(&partitions, 0);
        let holds = found.partitions.values().zip(1_u64..).filter(|(count, day)| {
            let truth: u64 = (0..40).map(|file| rows_of(*day, file)).sum();
            count.n_rows.abs_diff(truth) <= count.error.unwrap()
        });
        let n_hold = holds.count();
        assert!(n_hold >= 17, "{n_hold} of 20");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_reading_gives_numbers_and_no_more_rows_than_the_densest_file_would(
            read in proptest::collection::vec((0_u64..5000, 0_u64..500, any::<bool>()), 0..8),
            n_bytes in 0_u64..1_000_000,
        ) {
            let found = estimate_rows(&[files(1, 20, n_bytes, &read)], 0);
            let total = found.total();
            let densest = read.iter().map(|(bytes, rows, _)| *rows as f64 / (*bytes).max(1) as f64).fold(0.0, f64::max);
            let counted: u64 = read.iter().map(|(_, rows, _)| rows).sum();
            // A file that was empty of bytes but not of rows cannot be; it is counted all the same.
            prop_assert!(total.n_rows as f64 <= counted as f64 + (densest + 500.0) * n_bytes as f64 + 1.0);
        }
    }
}
