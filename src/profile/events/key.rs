//! Which key is behind a stage: the shuffles it reads, found in the physical plan by the metrics that the stage updated.

use serde::Serialize;

use super::application::{Application, Stage};
use super::interruptible::for_each_until;
use super::plan::Exchange;
use crate::base::{Cancel, Cancelled};

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
    ///
    /// # Errors
    /// [`Cancelled`].
    pub fn of(application: &Application, stage: &Stage, cancel: &Cancel) -> Result<Option<Self>, Cancelled> {
        let execution = stage.execution.and_then(|id| application.executions.get(&id));
        let Some(execution) = execution else {
            return Ok(None);
        };
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
            .map(|exchange| side(application, exchange, cancel))
            .collect::<Result<_, _>>()?;
        sides.sort_by_key(|side| std::cmp::Reverse(side.n_bytes));
        Ok(sides
            .first()
            .map(|side| side.exchange.keys.clone())
            .map(|columns| Self { columns, sides }))
    }

    /// The larger side: what is hot is there.
    pub fn hot_side(&self) -> Option<&Side> {
        self.sides.first()
    }

    pub fn is_hash(&self) -> bool {
        self.hot_side()
            .is_some_and(|side| side.exchange.partitioning == "hash")
    }

    /// Whether rows are placed by ranges of the key, as for a sort.
    pub fn is_range(&self) -> bool {
        self.hot_side()
            .is_some_and(|side| side.exchange.partitioning == "range")
    }

    /// Whether all rows go to one partition.
    pub fn is_single(&self) -> bool {
        self.hot_side()
            .is_some_and(|side| side.exchange.partitioning == "single")
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

    /// Whether both sides of a join were shuffled: such a join is what adaptive execution can split, and what a broadcast
    /// can replace.
    pub fn is_join(&self) -> bool {
        self.hot_side()
            .and_then(|side| side.exchange.consumer.as_deref())
            .is_some_and(|consumer| ["SortMergeJoin", "ShuffledHashJoin"].contains(&consumer))
    }

    /// Whether adaptive execution has cut large partitions into several tasks already.
    pub fn is_split(&self) -> bool {
        self.sides.iter().any(|side| {
            let how = side.exchange.adaptive_read.as_deref();
            how.is_some_and(|how| how.contains("skewed"))
        })
    }

    /// How many partitions adaptive execution has merged into the tasks, where it did no more; none where the log does not tell.
    pub fn n_merged(&self) -> Option<u64> {
        let side = self.hot_side()?;
        let how = side.exchange.adaptive_read.as_deref()?;
        (how.contains("coalesced") && !self.is_split()).then_some(side.exchange.n_partitions?)
    }

    /// Whether a partition of so many bytes must hold rows of the larger side: the others do not hold so many together.
    pub fn is_side_sure(&self, n_bytes: u64) -> bool {
        let others = self.sides.iter().skip(1).map(|side| side.n_bytes);
        others.sum::<Option<u64>>().is_some_and(|others| n_bytes > others)
    }

    /// The partition that rows fall on whose keys are all null, where tasks are partitions: Spark's hash leaves its seed, 42,
    /// as it is. None also for a join that drops such rows before the shuffle. Source: section 5.
    pub fn null_partition(&self) -> Option<u64> {
        let exchange = &self.hot_side()?.exchange;
        let n = exchange.n_partitions.filter(|n| *n > 0)?;
        let keeps_null = match exchange.join_type.as_deref() {
            None | Some("FullOuter") => true,
            Some("Inner" | "Cross" | "LeftSemi") => false,
            Some("RightOuter") => exchange.is_left == Some(false),
            Some(_) => exchange.is_left == Some(true),
        };
        (keeps_null && self.is_hash() && !self.is_rearranged()).then_some(42 % n)
    }

    /// `k`, or `a, b`.
    pub fn text(&self) -> String {
        self.columns.join(", ")
    }
}

fn side(application: &Application, exchange: &Exchange, cancel: &Cancel) -> Result<Side, Cancelled> {
    let is_writer = |stage: &&Stage| {
        exchange
            .writes
            .iter()
            .any(|id| stage.accumulators.binary_search(id).is_ok())
    };
    let (mut n_bytes, mut n_writers) = (None, None);
    for stage in application.stages.values().filter(is_writer) {
        let written = stage.tasks.iter().filter(|task| task.is_success());
        for_each_until(written, cancel, |task| {
            *n_bytes.get_or_insert(0) += task.n_bytes_shuffle_written;
            *n_writers.get_or_insert(0) += 1;
        })?;
    }
    Ok(Side {
        exchange: exchange.clone(),
        n_bytes,
        n_writers,
    })
}
