//! One attempt of one task, packed: a large log has hundreds of thousands.

use serde::Serialize;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskEnding {
    #[default]
    Success,
    /// An exception, a lost executor, or blocks that could not be fetched.
    Failed,
    /// Stopped by Spark, also because another attempt was faster.
    Killed,
}

/// One attempt of one task. Times in milliseconds, sizes in bytes; what the log does not say is zero.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Task {
    pub id: u64,
    pub index: u32,
    /// Number of the partition, which differs from the index when a stage computes only some.
    pub partition: u32,
    pub attempt: u32,
    /// Index into [`super::Application::executors`].
    pub executor: u32,
    pub ending: TaskEnding,
    pub is_speculative: bool,
    /// Since the epoch.
    pub launched_ms: i64,
    pub duration_ms: u32,
    /// Time in the task's own code: what skew is measured on.
    pub run_ms: u32,
    pub cpu_ms: u32,
    pub gc_ms: u32,
    pub fetch_wait_ms: u32,
    /// Waiting to be launched and reported: duration without run, (de)serialization and getting the result.
    pub scheduler_delay_ms: u32,
    pub n_bytes_in: u64,
    pub n_bytes_out: u64,
    pub n_bytes_shuffle_read: u64,
    pub n_bytes_shuffle_written: u64,
    pub n_records_in: u64,
    pub n_records_shuffle_read: u64,
    pub n_records_out: u64,
    pub n_bytes_spilled: u64,
}

impl Task {
    pub fn is_success(&self) -> bool {
        self.ending == TaskEnding::Success
    }

    pub fn finished_ms(&self) -> i64 {
        self.launched_ms.saturating_add(i64::from(self.duration_ms))
    }

    /// What the task was given to work on.
    pub fn load_bytes(&self) -> u64 {
        self.n_bytes_in.saturating_add(self.n_bytes_shuffle_read)
    }

    pub fn load_records(&self) -> u64 {
        self.n_records_in.saturating_add(self.n_records_shuffle_read)
    }
}
