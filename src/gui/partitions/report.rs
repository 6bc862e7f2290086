//! What the tab derives in the background from a listing: figures of a range of dates or with other assumptions, two ranges
//! beside each other, and rows.

use std::sync::Arc;

use super::PartitionsPanel;
use crate::chart::{Picture, range_picture};
use crate::explore::{RowPlan, count_partitions};
use crate::gui::listed::{Listed, ListedDataset};
use crate::profile::{CostModel, RangeComparison, RowCounts, compare_ranges};
use crate::session::{Document, Source};
use crate::storage::{DateRange, Store};
use crate::task::{Executor, Slot, TaskHandle};

/// What the tab asks for, that needs no change of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartitionsCommand {
    CountRows,
    CancelRows,
}

/// What a report was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportKey {
    listing: u64,
    dataset: String,
    costs: CostModel,
    range: Option<DateRange>,
    against: Option<DateRange>,
    rows: u64,
}

/// Figures of a part of a dataset.
#[derive(Debug)]
pub struct Report {
    pub dataset: ListedDataset,
    /// Whether it is of some dates only.
    pub is_narrowed: bool,
    pub comparison: Option<Compared>,
}

/// Two ranges beside each other.
#[derive(Debug)]
pub struct Compared {
    pub figures: RangeComparison,
    pub picture: Picture,
}

/// What rows were counted of. `generation` changes when somebody asks again.
#[derive(Debug, Clone, PartialEq)]
pub struct RowsKey {
    source: Source,
    dataset: String,
    generation: u64,
}

#[derive(Debug, Default)]
pub struct PartitionsSlots {
    pub report: Slot<ReportKey, Arc<Report>>,
    pub rows: Slot<RowsKey, RowCounts>,
    /// Counts what came of rows, as a part of the report's key.
    n_rows_seen: u64,
}

impl PartitionsSlots {
    pub fn poll(&mut self) {
        self.report.poll();
        if self.rows.poll() {
            self.n_rows_seen += 1;
        }
    }

    /// The report of this dataset, also while a newer one is made.
    pub fn report_of(&self, dataset: &ListedDataset) -> Option<&Report> {
        // Without a key nothing but the listing is asked for.
        self.report.key()?;
        let report = self.report.value()?;
        (report.dataset.keys.prefix == dataset.keys.prefix).then_some(report)
    }

    /// Rows of this dataset, as far as they were counted.
    fn rows_of(&self, prefix: &str) -> Option<&RowCounts> {
        let key = self.rows.key().filter(|key| key.dataset == prefix)?;
        self.rows
            .value()
            .filter(|_| !self.rows.is_stale() && key.dataset == prefix)
    }

    /// Starts counting the rows of the open dataset.
    pub fn count_rows(
        &mut self,
        tasks: &Executor,
        source: &Source,
        listed: &Arc<Listed>,
        prefix: &str,
        generation: u64,
    ) {
        let key = RowsKey {
            source: source.clone(),
            dataset: prefix.to_owned(),
            generation,
        };
        let listed = Arc::clone(listed);
        self.rows
            .restart(key, |key| start_rows(tasks, key.clone(), listed));
    }

    /// Starts the report whose key changed. The listing's own figures need none.
    pub fn request(
        &mut self,
        tasks: &Executor,
        document: &Document,
        panel: &PartitionsPanel,
        source: &Source,
        listed: &Arc<Listed>,
    ) {
        let Some(dataset) = listed.dataset(&document.dataset) else {
            self.report.clear();
            return;
        };
        let prefix = dataset.keys.prefix.clone();
        if self
            .rows
            .key()
            .is_some_and(|key| key.source != *source || key.dataset != prefix)
        {
            self.rows.clear();
        }
        let rows = self.rows_of(&prefix).cloned();
        let (range, against) = panel.ranges_of(&prefix);
        let is_plain = document.costs == CostModel::default() && range.is_none() && against.is_none();
        if is_plain && rows.is_none() {
            if self.report.key().is_some() {
                self.report.clear();
            }
            return;
        }
        let key = ReportKey {
            listing: listed.stamp,
            dataset: prefix,
            costs: document.costs,
            range,
            against,
            rows: if rows.is_some() { self.n_rows_seen } else { 0 },
        };
        let listed = Arc::clone(listed);
        self.report
            .request(key, |key| start_report(tasks, key.clone(), listed, rows));
    }
}

fn start_report(
    tasks: &Executor,
    key: ReportKey,
    listed: Arc<Listed>,
    rows: Option<RowCounts>,
) -> TaskHandle<Arc<Report>> {
    tasks.spawn("Figures of the partitions", move |_| async move {
        tokio::task::spawn_blocking(move || report(&key, &listed, rows.as_ref()))
            .await
            .map_err(|error| format!("internal error: {error}"))?
            .ok_or_else(|| "the dataset is no longer listed".to_owned())
    })
}

fn report(key: &ReportKey, listed: &Listed, rows: Option<&RowCounts>) -> Option<Arc<Report>> {
    let keys = &listed.dataset(&key.dataset)?.keys;
    let within = key.range.map(|range| keys.within(range));
    let mut dataset = ListedDataset::new(within.as_ref().unwrap_or(keys), &key.costs);
    if let Some(rows) = rows {
        dataset.bars.set_rows(rows);
        dataset.rows = Some(rows.sum(dataset.keys.partitions.keys()));
    }
    let comparison = key.against.map(|against| {
        let figures = compare_ranges(keys, key.range, against, rows, &key.costs);
        Compared {
            picture: range_picture(&figures, "exact, from the listing"),
            figures,
        }
    });
    Some(Arc::new(Report {
        dataset,
        is_narrowed: key.range.is_some(),
        comparison,
    }))
}

fn start_rows(tasks: &Executor, key: RowsKey, listed: Arc<Listed>) -> TaskHandle<RowCounts> {
    tasks.spawn("Rows of the partitions", move |context| async move {
        let store = Store::open(&key.source.location, &key.source.connection)
            .await
            .map_err(|error| error.to_string())?;
        let (Some(inventory), Some(dataset)) = (&listed.inventory, listed.dataset(&key.dataset)) else {
            return Err("the listing has not ended".to_owned());
        };
        let plan = RowPlan::new(&dataset.keys);
        let (cancel, progress) = (&context.cancel, &context.progress);
        let mut on_partial = |rows| context.send_partial(rows);
        count_partitions(
            &store,
            inventory,
            &dataset.keys,
            plan,
            cancel,
            progress,
            &mut on_partial,
        )
        .await
        .map_err(|error| error.to_string())
    })
}
