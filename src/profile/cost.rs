//! What a layout costs one pass over the data, in seconds and requests, with the assumptions beside it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::units;
use crate::storage::PartitionStats;

/// Assumptions behind every cost. The person who reads a finding may change them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CostModel {
    /// Tasks that run at the same time.
    pub slots: u32,
    /// Throughput of one slot.
    pub bytes_per_second: f64,
    pub seconds_per_request: f64,
    /// What it takes to start and end a task.
    pub seconds_per_task: f64,
}

impl Default for CostModel {
    fn default() -> Self {
        Self {
            slots: 16,
            bytes_per_second: 50e6,
            seconds_per_request: 0.03,
            seconds_per_task: 0.02,
        }
    }
}

impl CostModel {
    /// Seconds that one slot needs for `n_bytes` in `n_files`, one request a file.
    ///
    /// ```
    /// let costs = skewer::profile::CostModel::default();
    /// assert_eq!(costs.seconds(100_000_000, 10), 2.3);
    /// ```
    pub fn seconds(&self, n_bytes: u64, n_files: u64) -> f64 {
        n_bytes as f64 / self.bytes_per_second + self.request_seconds(n_files)
    }

    /// The nearest assumptions that a figure can be computed from: a slot at least, that moves a byte a second at least.
    #[must_use]
    pub fn checked(self) -> Self {
        let at_least = |value: f64, least: f64, default: f64| {
            if value.is_finite() {
                value.max(least)
            } else {
                default
            }
        };
        let default = Self::default();
        Self {
            slots: self.slots.max(1),
            bytes_per_second: at_least(self.bytes_per_second, 1.0, default.bytes_per_second),
            seconds_per_request: at_least(self.seconds_per_request, 0.0, default.seconds_per_request),
            seconds_per_task: at_least(self.seconds_per_task, 0.0, default.seconds_per_task),
        }
    }

    /// Seconds that all slots together need for work of `seconds`.
    pub fn shared(&self, seconds: f64) -> f64 {
        seconds / f64::from(self.slots.max(1))
    }

    /// Seconds that one slot waits for `n_requests`.
    pub fn request_seconds(&self, n_requests: u64) -> f64 {
        n_requests as f64 * self.seconds_per_request
    }
}

/// `16 slots, 50 MB/s a slot, 30 ms a request`
impl fmt::Display for CostModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a throughput of at least one byte"
        )]
        let bytes = self.bytes_per_second.round() as u64;
        let slots = units::plural(u64::from(self.slots), "slot");
        let request = units::seconds(self.seconds_per_request);
        write!(
            f,
            "{slots}, {}/s a slot, {request} a request",
            units::bytes(bytes)
        )
    }
}

/// Size of the pieces that work is cut into by bytes.
///
/// Source: Spark's `maxPartitionBytes`.
const PIECE_BYTES: f64 = 128e6;

/// What a split by bytes makes of one partition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pieces {
    /// A whole number, at least one.
    pub n: f64,
    pub longest_seconds: f64,
}

impl Pieces {
    /// Pieces of at most 128 MB, but for the largest compressed file, which one task reads whole.
    pub fn of(stats: &PartitionStats, costs: &CostModel) -> Self {
        let alone = stats.max_compressed_bytes.min(stats.n_bytes);
        if alone as f64 <= PIECE_BYTES {
            return Self::of_plain(stats, costs);
        }
        let rest = stats.n_bytes - alone;
        let n_rest = (rest as f64 / PIECE_BYTES).ceil();
        let rest_seconds = costs.seconds(rest, stats.n_files.saturating_sub(1)) / n_rest.max(1.0);
        Self {
            n: n_rest + 1.0,
            longest_seconds: costs.seconds(alone, 1).max(rest_seconds),
        }
    }

    /// As if every file could be split.
    pub fn of_plain(stats: &PartitionStats, costs: &CostModel) -> Self {
        let n = (stats.n_bytes as f64 / PIECE_BYTES).ceil().max(1.0);
        Self {
            n,
            longest_seconds: costs.seconds(stats.n_bytes, stats.n_files) / n,
        }
    }
}

/// How long one pass takes when each partition is a task, and when tasks are cut by bytes. Estimates by the cost model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SplitForecast {
    pub by_partition_seconds: f64,
    pub by_bytes_seconds: f64,
    /// Tasks that the split by bytes has.
    pub n_tasks: u64,
}

impl SplitForecast {
    /// Longest tasks first, each to the slot that is free first.
    ///
    /// Source: Graham, "Bounds on multiprocessing timing anomalies", 1969.
    pub fn new<'a>(partitions: impl Iterator<Item = &'a PartitionStats>, costs: &CostModel) -> Self {
        let mut whole: Vec<f64> = Vec::new();
        let (mut longest_piece, mut total, mut n_tasks) = (0.0_f64, 0.0, 0.0);
        for stats in partitions.filter(|stats| stats.n_files > 0) {
            let seconds = costs.seconds(stats.n_bytes, stats.n_files);
            let pieces = Pieces::of(stats, costs);
            longest_piece = longest_piece.max(pieces.longest_seconds);
            n_tasks += pieces.n;
            total += seconds;
            whole.push(seconds);
        }
        whole.sort_unstable_by(|a, b| b.total_cmp(a));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of pieces of 128 MB"
        )]
        Self {
            by_partition_seconds: wall(&whole, costs.slots),
            // Pieces are small beside the sum, or the longest of them is what is waited for.
            by_bytes_seconds: costs.shared(total).max(longest_piece),
            n_tasks: n_tasks as u64,
        }
    }
}

/// When the last of `tasks` ends.
fn wall(tasks: &[f64], slots: u32) -> f64 {
    let mut free: BinaryHeap<Reverse<Moment>> = (0..slots.max(1)).map(|_| Reverse(Moment(0.0))).collect();
    let mut end = 0.0_f64;
    for seconds in tasks {
        let Reverse(Moment(start)) = free.pop().unwrap_or(Reverse(Moment(0.0)));
        end = end.max(start + seconds);
        free.push(Reverse(Moment(start + seconds)));
    }
    end
}

#[derive(Debug, Clone, Copy)]
struct Moment(f64);

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Moment {}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Moment {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{CostModel, SplitForecast, wall};
    use crate::storage::PartitionStats;

    #[test]
    fn assumptions_are_said_in_words_and_nonsense_is_mended() {
        let text = CostModel::default().to_string();
        assert_eq!(text, "16 slots, 50 MB/s a slot, 30 ms a request");
        let nonsense = CostModel {
            slots: 0,
            bytes_per_second: f64::NAN,
            seconds_per_request: -1.0,
            ..CostModel::default()
        };
        let mended = nonsense.checked();
        assert_eq!((mended.slots, mended.seconds_per_request), (1, 0.0));
        assert!(mended.seconds(100, 1).is_finite());
    }

    #[test]
    fn the_longest_task_or_the_sum_is_waited_for() {
        assert!((wall(&[5.0, 3.0, 3.0, 1.0], 2) - 6.0).abs() < 1e-9);
        assert!((wall(&[9.0, 1.0], 16) - 9.0).abs() < 1e-9);
        assert!(wall(&[], 4).abs() < 1e-9);
    }

    #[test]
    fn a_hot_partition_cut_by_bytes_takes_the_time_of_its_share() {
        let stats = |n_bytes| PartitionStats {
            n_bytes,
            n_files: 10,
            ..PartitionStats::default()
        };
        let mut partitions = vec![stats(100_000_000); 15];
        partitions.push(stats(12_800_000_000));
        let split = SplitForecast::new(partitions.iter(), &CostModel::default());
        assert!((split.by_partition_seconds - 256.3).abs() < 1e-6, "{split:?}");
        assert!(
            (split.by_bytes_seconds - (286.0 + 4.8) / 16.0).abs() < 1e-6,
            "{split:?}"
        );
        assert_eq!(split.n_tasks, 115);
    }
    #[test]
    fn a_compressed_file_is_one_task_however_long_it_takes() {
        let usual = PartitionStats {
            n_bytes: 10_000_000,
            n_files: 1,
            ..PartitionStats::default()
        };
        let compressed = PartitionStats {
            n_bytes: 3_000_000_000,
            n_files: 1,
            max_compressed_bytes: 3_000_000_000,
            ..PartitionStats::default()
        };
        let mut partitions = vec![usual; 13];
        partitions.push(compressed);
        let split = SplitForecast::new(partitions.iter(), &CostModel::default());
        assert!((split.by_bytes_seconds - 60.03).abs() < 1e-6, "{split:?}");
        assert!(
            (split.by_bytes_seconds - split.by_partition_seconds).abs() < 1e-6,
            "{split:?}"
        );
        assert_eq!(split.n_tasks, 14);
    }
}
