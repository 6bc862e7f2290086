//! What earlier explorations left to be used again: rows after each prefix of steps, within a number of bytes.
//!
//! A prefix is a page, its second datasets and the steps that were applied, one by one. What is known of it (its ledger,
//! its rejects) is small and stays; its rows go when there are too many bytes, those unused for longest first.

use std::collections::BTreeMap;
use std::sync::Arc;

use polars::prelude::{Column, DataFrame, Schema};

use super::compare::is_identical;
use super::ledger::Facts;
use super::pairing::Pairing;
use crate::transform::{Inputs, Plan, Step, StepError, StepReject};

/// Number of a prefix.
pub(super) type PrefixId = usize;

/// Prefixes known at once. Beyond, everything is forgotten: it takes thousands of edits to get there.
const MAX_PREFIXES: usize = 4096;
/// Checks kept.
const MAX_CHECKED: usize = 1024;

/// What a prefix adds to the one before it.
#[derive(Debug)]
enum Link {
    Page { stamp: u64, inputs: Inputs },
    Step { parent: PrefixId, step: Box<Step> },
}

#[derive(Debug)]
struct Prefix {
    link: Link,
    known: Option<Known>,
}

/// What is known of the last step of a prefix.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) facts: Facts,
    pub(super) rejects: Arc<[StepReject]>,
}

/// Rows after a prefix, with their hidden columns.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) df: DataFrame,
    /// To the rows before its last step.
    pub(super) pairing: Arc<Pairing>,
}

#[derive(Debug)]
struct Held {
    rows: Rows,
    n_bytes: usize,
    used: u64,
}

/// A step that was checked in its place.
#[derive(Debug)]
struct Checked {
    number: usize,
    step: Step,
    input: Schema,
    inputs: Inputs,
    result: Result<Arc<Plan>, StepError>,
    used: u64,
}

/// A step that learned from the rows after a prefix.
#[derive(Debug)]
struct Fit {
    prefix: PrefixId,
    before: Step,
    after: Step,
    is_used: bool,
}

#[derive(Debug)]
pub(super) struct Cache {
    limit_bytes: usize,
    prefixes: Vec<Prefix>,
    held: BTreeMap<PrefixId, Held>,
    n_bytes: usize,
    checked: Vec<Checked>,
    fits: Vec<Fit>,
    clock: u64,
}

impl Cache {
    pub(super) fn new(limit_bytes: usize) -> Self {
        Self {
            limit_bytes,
            prefixes: Vec::new(),
            held: BTreeMap::new(),
            n_bytes: 0,
            checked: Vec::new(),
            fits: Vec::new(),
            clock: 0,
        }
    }

    /// Bytes of rows held.
    pub(super) fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    /// The prefix of no steps. Called first in each exploration.
    pub(super) fn start(&mut self, stamp: u64, inputs: &Inputs) -> PrefixId {
        if self.prefixes.len() > MAX_PREFIXES {
            *self = Self::new(self.limit_bytes);
        }
        let found = self.prefixes.iter().position(|prefix| match &prefix.link {
            Link::Page {
                stamp: known,
                inputs: read,
            } => *known == stamp && is_same(read, inputs),
            Link::Step { .. } => false,
        });
        found.unwrap_or_else(|| {
            self.add(Link::Page {
                stamp,
                inputs: inputs.clone(),
            })
        })
    }

    /// The prefix `parent` with one more step.
    pub(super) fn then(&mut self, parent: PrefixId, step: &Step) -> PrefixId {
        let found = self.prefixes.iter().position(|prefix| match &prefix.link {
            Link::Step {
                parent: known,
                step: applied,
            } => *known == parent && **applied == *step,
            Link::Page { .. } => false,
        });
        found.unwrap_or_else(|| {
            self.add(Link::Step {
                parent,
                step: Box::new(step.clone()),
            })
        })
    }

    fn add(&mut self, link: Link) -> PrefixId {
        self.prefixes.push(Prefix { link, known: None });
        self.prefixes.len() - 1
    }

    pub(super) fn known(&self, id: PrefixId) -> Option<&Known> {
        self.prefixes.get(id)?.known.as_ref()
    }

    pub(super) fn has_rows(&self, id: PrefixId) -> bool {
        self.held.contains_key(&id)
    }

    /// The rows after a prefix, if they are still here.
    pub(super) fn rows(&mut self, id: PrefixId) -> Option<Rows> {
        self.clock += 1;
        let held = self.held.get_mut(&id)?;
        held.used = self.clock;
        Some(held.rows.clone())
    }

    /// Keeps what a step gave; `before` are the rows before it, whose columns it may share.
    pub(super) fn keep(&mut self, id: PrefixId, known: Known, rows: Rows, before: &DataFrame) {
        if let Some(prefix) = self.prefixes.get_mut(id) {
            prefix.known = Some(known);
        }
        self.clock += 1;
        let n_bytes = own_bytes(&rows.df, before) + rows.pairing.n_bytes();
        let held = Held {
            rows,
            n_bytes,
            used: self.clock,
        };
        self.n_bytes += n_bytes;
        if let Some(old) = self.held.insert(id, held) {
            self.n_bytes -= old.n_bytes;
        }
        self.evict();
    }

    /// Notes a shorter time of the last step of a prefix.
    pub(super) fn keep_shorter_time(&mut self, id: PrefixId, nanos: u64) {
        if let Some(known) = self.prefixes.get_mut(id).and_then(|prefix| prefix.known.as_mut()) {
            known.facts.counts.nanos = known.facts.counts.nanos.min(nanos);
        }
    }

    fn evict(&mut self) {
        while self.n_bytes > self.limit_bytes {
            let oldest = self.held.iter().min_by_key(|(_, held)| held.used);
            let Some(id) = oldest.map(|(id, _)| *id) else {
                return;
            };
            if let Some(held) = self.held.remove(&id) {
                self.n_bytes -= held.n_bytes;
            }
        }
    }

    /// The plan of one step on rows of `input`, checked once.
    pub(super) fn plan(
        &mut self,
        number: usize,
        step: &Step,
        input: &Schema,
        inputs: &Inputs,
    ) -> Result<Arc<Plan>, StepError> {
        self.clock += 1;
        let found = self.checked.iter_mut().find(|checked| {
            checked.number == number
                && checked.step == *step
                && checked.input == *input
                && is_same(&checked.inputs, inputs)
        });
        if let Some(checked) = found {
            checked.used = self.clock;
            return checked.result.clone();
        }
        let result = Plan::of_step(number, step, input, inputs).map(Arc::new);
        if self.checked.len() >= MAX_CHECKED {
            let mut used: Vec<u64> = self.checked.iter().map(|checked| checked.used).collect();
            used.sort_unstable();
            let median = used.get(used.len() / 2).copied().unwrap_or(0);
            self.checked.retain(|checked| checked.used > median);
        }
        self.checked.push(Checked {
            number,
            step: step.clone(),
            input: input.clone(),
            inputs: inputs.clone(),
            result: result.clone(),
            used: self.clock,
        });
        result
    }

    /// What `step` learned from the rows after `prefix`, if it did for the exploration before this one.
    pub(super) fn fitted(&mut self, prefix: PrefixId, step: &Step) -> Option<Step> {
        let known = |fit: &&mut Fit| fit.prefix == prefix && fit.before == *step;
        let fit = self.fits.iter_mut().find(known)?;
        fit.is_used = true;
        Some(fit.after.clone())
    }

    /// Keeps what `before` learned.
    pub(super) fn keep_fit(&mut self, prefix: PrefixId, before: Step, after: Step) {
        self.fits
            .retain(|fit| fit.prefix != prefix || fit.before != before);
        self.fits.push(Fit {
            prefix,
            before,
            after,
            is_used: true,
        });
    }

    /// Forgets what steps learned that were not in the exploration that ends here: a step that is asked to learn later is
    /// meant to learn anew.
    pub(super) fn forget_unused_fits(&mut self) {
        self.fits.retain(|fit| fit.is_used);
        for fit in &mut self.fits {
            fit.is_used = false;
        }
    }
}

/// Whether both name the same columns and the same rows in memory.
fn is_same(a: &Inputs, b: &Inputs) -> bool {
    a.names().eq(b.names())
        && a.names().all(|name| match (a.get(name), b.get(name)) {
            (Some(a), Some(b)) => {
                let is_same_rows = match (&a.rows, &b.rows) {
                    (Some(a), Some(b)) => Arc::ptr_eq(a, b),
                    (None, None) => true,
                    _ => false,
                };
                is_same_rows && a.schema == b.schema && a.problem == b.problem
            }
            _ => false,
        })
}

/// Bytes of the columns that `df` does not share with `before`.
fn own_bytes(df: &DataFrame, before: &DataFrame) -> usize {
    let is_shared =
        |column: &Column| matches!(before.column(column.name()), Ok(old) if is_identical(old, column));
    df.columns()
        .iter()
        .filter(|column| !is_shared(column))
        .map(|column| match column {
            Column::Series(series) => series.estimated_size(),
            // A repeated value takes no memory to speak of.
            Column::Scalar(_) => size_of::<Column>(),
        })
        .sum()
}
