//! The profile of every column of what a scan reads.

use polars::error::PolarsResult;

use super::{Collect, Noticed, Scan, ScanBatch, ScanError, Scanned};
use crate::base::{Cancel, Progress};
use crate::profile::columns::{ColumnProfile, ColumnProfiler, Level};

impl Collect for ColumnProfiler {
    fn add(&mut self, batch: &ScanBatch<'_>) -> PolarsResult<()> {
        Self::add(self, batch.df)
    }

    fn notice(&mut self, _partition: usize, noticed: &Noticed) {
        self.add_noticed(&noticed.missing, &noticed.drift);
    }

    fn merge(&mut self, other: Self) {
        Self::merge(self, other);
    }
}

impl Scan {
    /// A profiler of the columns that this pass gives.
    pub fn profiler(&self, level: Level) -> ColumnProfiler {
        ColumnProfiler::with_decimals(&self.output(), level, self.source.decimals())
    }

    /// Profiles every column, nested ones by their path.
    ///
    /// # Errors
    /// As [`Scan::fold`].
    pub async fn profile_columns(
        &self,
        level: Level,
        cancel: &Cancel,
        progress: &Progress,
    ) -> Result<Scanned<Vec<ColumnProfile>>, ScanError> {
        let scanned = self.fold(cancel, progress, || self.profiler(level)).await?;
        let is_raw = self.plan.is_none();
        Ok(scanned.map(|profiler| profiler.finish(is_raw)))
    }
}
