//! Which key is behind a stage: the shuffles it reads, found in the physical plan by the metrics that the stage updated.

use serde::Serialize;

use super::application::{Application, Stage};
use super::plan::Exchange;

/// One shuffle that a stage reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    #[serde(flatten)]
    pub exchange: Exchange,
    /// What the stages before wrote to it; none where the log does not tell.
    pub n_bytes: Option<u64>,
    /// Tasks that wrote it: a partition is at most that many blocks.
    pub n_writers: Option<u64>,
}

/// What the rows of a stage were shuffled by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageKey {
    /// Columns or expressions of the larger side.
    pub columns: Vec<String>,
    /// Larger first.
    pub sides: Vec<Side>,
}

impl StageKey {
    /// The shuffles that `stage` reads; none when it reads no shuffle or the log has no plan.
    pub fn of(application: &Application, stage: &Stage) -> Option<Self> {
        let execution = application.executions.get(&stage.execution?)?;
        let is_read = |exchange: &&Exchange| {
            let is_named = exchange.plan_id.is_some_and(|id| stage.plan_ids.contains(&id));
            let is_counted = exchange
                .reads
                .iter()
                .any(|id| stage.accumulators.binary_search(id).is_ok());
            is_named || is_counted
        };
        let mut sides: Vec<Side> = execution
            .exchanges
            .iter()
            .filter(is_read)
            .map(|exchange| side(application, exchange))
            .collect();
        sides.sort_by_key(|side| std::cmp::Reverse(side.n_bytes));
        let columns = sides.first()?.exchange.keys.clone();
        Some(Self { columns, sides })
    }

    /// The larger side: what is hot is there.
    pub fn hot_side(&self) -> Option<&Side> {
        self.sides.first()
    }

    pub fn is_hash(&self) -> bool {
        self.hot_side()
            .is_some_and(|side| side.exchange.partitioning == "hash")
    }

    /// Whether adaptive execution merged or split partitions, so that a task's number is not its partition's.
    pub fn is_rearranged(&self) -> bool {
        self.sides
            .iter()
            .any(|side| side.exchange.adaptive_read.is_some())
    }

    /// `SortMergeJoin Inner`.
    pub fn consumer(&self) -> Option<String> {
        let exchange = &self.hot_side()?.exchange;
        let consumer = exchange.consumer.as_ref()?;
        Some(match &exchange.join_type {
            Some(join_type) => format!("{consumer} {join_type}"),
            None => consumer.clone(),
        })
    }

    pub fn is_join(&self) -> bool {
        self.hot_side()
            .and_then(|side| side.exchange.consumer.as_deref())
            .is_some_and(|consumer| consumer.contains("Join"))
    }

    /// `k`, or `a, b`.
    pub fn text(&self) -> String {
        self.columns.join(", ")
    }
}

fn side(application: &Application, exchange: &Exchange) -> Side {
    let is_writer = |stage: &&Stage| {
        exchange
            .writes
            .iter()
            .any(|id| stage.accumulators.binary_search(id).is_ok())
    };
    let (mut n_bytes, mut n_writers) = (None, None);
    for stage in application.stages.values().filter(is_writer) {
        let written = stage.tasks.iter().filter(|task| task.is_success());
        for task in written {
            *n_bytes.get_or_insert(0) += task.n_bytes_shuffle_written;
            *n_writers.get_or_insert(0) += 1;
        }
    }
    Side {
        exchange: exchange.clone(),
        n_bytes,
        n_writers,
    }
}
