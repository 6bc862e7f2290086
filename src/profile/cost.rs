//! What a layout costs one pass over the data, in seconds and requests, with the assumptions beside it.

use serde::Serialize;

/// Assumptions behind every cost. The person who reads a finding may change them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
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

    /// Seconds that one slot waits for `n_requests`.
    pub fn request_seconds(&self, n_requests: u64) -> f64 {
        n_requests as f64 * self.seconds_per_request
    }
}
