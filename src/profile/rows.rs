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

/// The files of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionFiles {
    pub partition: Partition,
    pub groups: Vec<FileGroup>,
}

/// Files of one kind in a partition, and those that were read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileGroup {
    /// Files with one ending (`jsonl.gz`) have about as many rows to a byte; empty where endings were not told apart.
    pub ending: &'static str,
    pub n_files: u64,
    pub n_bytes: u64,
    /// Sum of the squares of the files' sizes: how unequal they are.
    pub squared_bytes: u128,
    pub read: Vec<FileRows>,
}

impl FileGroup {
    /// Files of these sizes, none of which was read.
    pub fn of_sizes(ending: &'static str, sizes: impl Iterator<Item = u64>) -> Self {
        let mut group = Self {
            ending,
            ..Self::default()
        };
        for size in sizes {
            group.n_files += 1;
            group.n_bytes += size;
            group.squared_bytes += u128::from(size).pow(2);
        }
        group
    }
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
    /// The first of them, each with its place and the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
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

/// Student's t for 95% of both sides, by degrees of freedom from 1 on.
///
/// Source: Student, "The probable error of a mean", 1908; values as tabled.
const T_95: [f64; 20] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086,
];

/// How many standard errors hold 95%, where the spread was learned with so many degrees of freedom, at least one.
fn width(freedom: usize) -> f64 {
    let tabled = freedom.checked_sub(1).and_then(|at| T_95.get(at)).copied();
    // Off by less than 0.01 from 21 on.
    tabled.unwrap_or(1.96 + 2.5 / freedom.max(1) as f64)
}

/// Rows of every partition. Files that were not read whole are estimated by the rows to a stored byte of those with the same
/// ending that were read in their partition; of all partitions, where none was.
///
/// Accuracy: exact where every file was read whole. Else half the 95% interval of the rows of the files that were not read
/// whole: the error of the rate, and the spread of those files themselves, each with the number of equally large files that
/// weigh as much as they do (Kish's effective size). The spread is that of files inside partitions, or between partitions
/// where each gave one file.
///
/// Source: Cochran, "Sampling Techniques", 1977, ch. 6 and 11; Kish, "Survey Sampling", 1965.
pub fn estimate_rows(partitions: &[PartitionFiles], n_unreadable: u64) -> RowCounts {
    let kinds = Kinds::of(partitions);
    RowCounts {
        partitions: partitions
            .iter()
            .map(|files| (files.partition.clone(), kinds.count(files)))
            .collect(),
        n_unreadable,
        unreadable: Vec::new(),
        is_partial: false,
    }
}

/// How far rates of one kind of files are from each other.
#[derive(Debug, Clone, Copy, Default)]
struct Scatter {
    /// Sum of the squares of relative differences.
    squares: f64,
    freedom: usize,
}

impl Scatter {
    fn add(&mut self, rates: &[f64], around: Option<f64>) {
        if let (Some(around), 2..) = (around.filter(|rate| *rate > 0.0), rates.len()) {
            self.squares += rates
                .iter()
                .map(|rate| (rate / around - 1.0).powi(2))
                .sum::<f64>();
            self.freedom += rates.len() - 1;
        }
    }
}

/// What files of one ending tell of each other.
#[derive(Debug, Clone, Copy, Default)]
struct Kind {
    /// Rows to a stored byte of all that were read.
    pooled: Option<f64>,
    /// Of files around the rate of their partition.
    within: Scatter,
    /// Of partitions around the pooled rate.
    between: Scatter,
}

impl Kind {
    fn of<'a>(groups: impl Iterator<Item = &'a FileGroup> + Clone) -> Self {
        let mut kind = Self {
            pooled: rate(groups.clone().flat_map(|group| &group.read)),
            ..Self::default()
        };
        let mut own_rates = Vec::new();
        for group in groups {
            let own = rate(group.read.iter());
            own_rates.extend(own);
            let rates: Vec<f64> = group
                .read
                .iter()
                .filter_map(|file| rate(std::iter::once(file)))
                .collect();
            kind.within.add(&rates, own);
        }
        kind.between.add(&own_rates, kind.pooled);
        kind
    }
}

/// Kinds by their ending, and all files as one kind.
struct Kinds {
    by_ending: BTreeMap<&'static str, Kind>,
    all: Kind,
}

impl Kinds {
    fn of(partitions: &[PartitionFiles]) -> Self {
        let groups = || partitions.iter().flat_map(|files| &files.groups);
        let endings: std::collections::BTreeSet<&'static str> = groups().map(|group| group.ending).collect();
        let kind = |ending| {
            (
                ending,
                Kind::of(groups().filter(move |group| group.ending == ending)),
            )
        };
        Self {
            by_ending: endings.into_iter().map(kind).collect(),
            all: Kind::of(groups()),
        }
    }

    fn count(&self, files: &PartitionFiles) -> RowCount {
        let mut count = RowCount::default();
        let mut square = Some(0.0);
        for group in &files.groups {
            count.n_files += group.n_files;
            count.n_files_read += group.read.len() as u64;
            count.n_rows += whole(group).map(|file| file.n_rows).sum::<u64>();
            if whole(group).count() as u64 == group.n_files || group.n_bytes == 0 {
                continue;
            }
            count.accuracy = Accuracy::Estimate;
            let (n_rows, error) = self.rest(group);
            count.n_rows += formulas::rounded(n_rows);
            square = square.zip(error).map(|(sum, error)| sum + error * error);
        }
        if !count.accuracy.is_exact() {
            count.error = square.map(|square| formulas::rounded(square.sqrt()));
        }
        count
    }

    /// Rows of the files of a group that were not read whole, and how far that may be off, where it is known.
    fn rest(&self, group: &FileGroup) -> (f64, Option<f64>) {
        let kind = self.by_ending.get(group.ending).unwrap_or(&self.all);
        let own = rate(group.read.iter());
        let Some(rate) = own.or(kind.pooled).or(self.all.pooled) else {
            return (0.0, None);
        };
        let n_bytes = group
            .n_bytes
            .saturating_sub(whole(group).map(|file| file.read_bytes).sum());
        let squared = whole(group).map(|file| u128::from(file.read_bytes).pow(2)).sum();
        let estimated = rate * n_bytes as f64;
        let scatters = match own {
            Some(_) => [kind.within, kind.between, self.all.within, self.all.between],
            // Without a file of its own, a partition is as uncertain as partitions are.
            None => [kind.between, kind.within, self.all.between, self.all.within],
        };
        let error = scatters
            .iter()
            .find(|scatter| scatter.freedom > 0)
            .map(|scatter| {
                let variance = scatter.squares / scatter.freedom as f64;
                let read = group.read.iter().map(|file| u128::from(file.read_bytes));
                let n_read = effective(read.clone().sum(), read.map(|bytes| bytes.pow(2)).sum());
                let n_rest = effective(u128::from(n_bytes), group.squared_bytes.saturating_sub(squared));
                width(scatter.freedom) * estimated * (variance * (1.0 / n_read + 1.0 / n_rest)).sqrt()
            });
        (estimated, error)
    }
}

fn whole(group: &FileGroup) -> impl Iterator<Item = &FileRows> {
    group.read.iter().filter(|file| file.is_whole)
}

/// How many equally large files weigh as much as those of which the sizes and their squares add up to these; one at least.
fn effective(n_bytes: u128, squared_bytes: u128) -> f64 {
    if squared_bytes == 0 {
        return 1.0;
    }
    ((n_bytes as f64).powi(2) / squared_bytes as f64).max(1.0)
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

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::*;

    use super::{FileGroup, FileRows, PartitionFiles, RowCounts, estimate_rows};
    use crate::base::Accuracy;
    use crate::storage::Partition;

    fn read(read_bytes: u64, n_rows: u64, is_whole: bool) -> FileRows {
        FileRows {
            read_bytes,
            n_rows,
            is_whole,
        }
    }

    /// A partition of files of equal size.
    fn files(day: u32, n_files: u64, n_bytes: u64, known: &[(u64, u64, bool)]) -> PartitionFiles {
        let known = known.iter();
        PartitionFiles {
            partition: Partition::Day(NaiveDate::from_ymd_opt(2020, 1, day).unwrap()),
            groups: vec![FileGroup {
                n_files,
                n_bytes,
                squared_bytes: u128::from(n_bytes).pow(2) / u128::from(n_files),
                read: known
                    .map(|(bytes, rows, whole)| read(*bytes, *rows, *whole))
                    .collect(),
                ending: "jsonl",
            }],
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

    /// Evenly spread numbers from one counter.
    fn scatter(n: u64) -> u64 {
        let n = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 33
    }

    /// A partition of `n_files` files of uneven size, whose rows are 60 to 139 bytes for each file alone and a tenth of
    /// that where they are compressed. Four of each ending are read. With the true number of rows.
    fn uneven(seed: u64, n_files: u64, endings: &[&'static str]) -> (PartitionFiles, u64) {
        let mut truth = 0;
        let groups = endings.iter().enumerate().map(|(at, ending)| {
            let of_file = |file: u64| {
                let n = scatter(seed * 10_000 + file * 10 + at as u64);
                let n_rows = 20 + n % 7 * (n / 7 % 60);
                let row_bytes = 60 + n / 1000 % 80;
                (
                    n_rows,
                    n_rows * row_bytes / if *ending == "jsonl.gz" { 10 } else { 1 },
                )
            };
            let all: Vec<(u64, u64)> = (0..n_files).map(of_file).collect();
            truth += all.iter().map(|(rows, _)| rows).sum::<u64>();
            let step = usize::try_from(n_files.div_ceil(4)).unwrap();
            FileGroup {
                read: all
                    .iter()
                    .step_by(step)
                    .map(|(rows, bytes)| read(*bytes, *rows, true))
                    .collect(),
                ..FileGroup::of_sizes(ending, all.iter().map(|(_, bytes)| *bytes))
            }
        });
        let groups = groups.collect();
        (
            PartitionFiles {
                partition: Partition::Day(NaiveDate::from_ymd_opt(2020, 1, 1).unwrap()),
                groups,
            },
            truth,
        )
    }

    #[test]
    fn the_interval_holds_the_truth_as_often_as_it_says() {
        for (name, n_files, n_days, endings) in [
            ("few files", 6, 3, &["jsonl"][..]),
            ("many files", 40, 3, &["jsonl"]),
            ("one day", 12, 1, &["jsonl"]),
            ("two codecs", 12, 3, &["jsonl", "jsonl.gz"]),
        ] {
            let (mut n_hold, mut n) = (0, 0);
            for seed in 0..300_u64 {
                let days: Vec<_> = (0..n_days)
                    .map(|day| uneven(seed * 10 + day, n_files, endings))
                    .collect();
                let dated = days.iter().zip(1..).map(|((files, _), day)| PartitionFiles {
                    partition: Partition::Day(NaiveDate::from_ymd_opt(2020, 1, day).unwrap()),
                    ..files.clone()
                });
                let found = estimate_rows(&dated.collect::<Vec<_>>(), 0);
                for (count, (_, truth)) in found.partitions.values().zip(&days) {
                    n += 1;
                    n_hold += u32::from(count.n_rows.abs_diff(*truth) <= count.error.unwrap());
                }
                let total = found.total();
                n += 1;
                let truth: u64 = days.iter().map(|(_, truth)| truth).sum();
                n_hold += u32::from(total.n_rows.abs_diff(truth) <= total.error.unwrap());
            }
            assert!(n_hold * 100 >= n * 95, "{name}: {n_hold} of {n}");
        }
    }

    #[test]
    fn compressed_files_are_told_apart_from_plain_ones() {
        // A byte of the packed holds ten times the rows, and all files of one kind are alike.
        let group = |ending, rows| FileGroup {
            read: vec![read(100, rows, true), read(100, rows, true)],
            ..FileGroup::of_sizes(ending, [100; 10].into_iter())
        };
        let mixed = PartitionFiles {
            partition: Partition::Whole,
            groups: vec![group("jsonl", 10), group("jsonl.gz", 100)],
        };
        assert_eq!(rows(&estimate_rows(&[mixed], 0)), [(1100, Some(0), false)]);
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
