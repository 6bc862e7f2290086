//! Keys of bytes with their rows: each exactly until a budget of memory is used, sketches from then on.

use super::count::CountBudget;
use super::sketch::Sketches;
use super::table::KeyTable;
use crate::base::Cancel;

/// Counts of one stream of keys.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    budget: CountBudget,
    mode: Mode,
}

#[derive(Debug, Clone)]
pub(super) enum Mode {
    Exact(KeyTable),
    Sketch(Box<Sketches>),
}

impl Tally {
    pub fn new(budget: CountBudget) -> Self {
        Self {
            budget,
            mode: Mode::Exact(KeyTable::default()),
        }
    }

    pub fn mode(&self) -> &Mode {
        &self.mode
    }

    /// Adds rows of a key, which is told by its hash too.
    pub fn add(&mut self, hash: u64, key: &[u8], n_rows: u64, n_bytes: u64) {
        match &mut self.mode {
            Mode::Exact(table) => {
                table.add(hash, key, n_rows, n_bytes);
            }
            Mode::Sketch(sketches) => sketches.add(hash, key, n_rows, n_bytes),
        }
    }

    /// As [`Self::add`]; returns how many rows the key has at least.
    pub fn add_counting(&mut self, hash: u64, key: &[u8], n_rows: u64, n_bytes: u64) -> u64 {
        match &mut self.mode {
            Mode::Exact(table) => table.add(hash, key, n_rows, n_bytes).unwrap_or(0),
            Mode::Sketch(sketches) => {
                sketches.add(hash, key, n_rows, n_bytes);
                sketches.rows_of(key)
            }
        }
    }

    /// Adds what another one has counted; once `cancel` comes, exact counts of more than `n_keys` keys are given up on both
    /// sides, which takes a few looks at each.
    pub fn merge_until(&mut self, other: Self, cancel: &Cancel, n_keys: usize) {
        match (&mut self.mode, other.mode) {
            (Mode::Sketch(mine), Mode::Exact(table)) => mine.add_counted(table.iter()),
            (Mode::Exact(mine), Mode::Exact(table)) => {
                let n_added = add_until(mine, &table, cancel);
                if n_added < table.len() {
                    self.condense(n_keys);
                    self.add_rest(&table, n_added);
                }
            }
            (Mode::Sketch(mine), Mode::Sketch(theirs)) => mine.merge(&theirs),
            (mode @ Mode::Exact(_), Mode::Sketch(theirs)) => {
                let exact = std::mem::replace(mode, Mode::Sketch(theirs));
                if let (Mode::Sketch(mine), Mode::Exact(table)) = (mode, exact) {
                    mine.add_counted(table.iter());
                }
            }
        }
        self.keep_to_budget();
    }

    /// Adds the keys of a table from the one on at `start`.
    fn add_rest(&mut self, table: &KeyTable, start: usize) {
        match &mut self.mode {
            Mode::Sketch(mine) => mine.add_counted(table.iter().skip(start)),
            Mode::Exact(mine) => {
                for key in table.iter().skip(start) {
                    mine.add(key.hash, key.key, key.n_rows, key.n_bytes);
                }
            }
        }
    }

    /// Gives up exact counts of more than `n_keys` keys, and keeps no more of a sample, so that what follows takes no
    /// longer than for so many.
    pub fn condense(&mut self, n_keys: usize) {
        match &mut self.mode {
            Mode::Exact(table) if table.len() > n_keys => {
                self.budget.sample_keys = self.budget.sample_keys.min(n_keys);
                self.sketch(true);
            }
            Mode::Exact(_) => {}
            Mode::Sketch(sketches) => sketches.shrink_sample(n_keys),
        }
    }

    /// Memory that is held, in bytes.
    pub fn memory_bytes(&self) -> usize {
        match &self.mode {
            Mode::Exact(table) => table.memory_bytes(),
            Mode::Sketch(sketches) => sketches.memory_bytes(),
        }
    }

    /// Replaces exact counts by sketches when they have outgrown the budget.
    pub fn keep_to_budget(&mut self) {
        let Mode::Exact(table) = &self.mode else {
            return;
        };
        // Room for the next growth, and for the sketches while both are held.
        if table.memory_bytes() <= self.budget.n_bytes / 8 * 5 && !table.is_full() {
            return;
        }
        self.sketch(false);
    }

    /// In brief, with less looks at each key, when somebody waits.
    fn sketch(&mut self, is_brief: bool) {
        let Mode::Exact(table) = &self.mode else {
            return;
        };
        let sketches = Sketches::new(self.budget.n_bytes / 4, table.mean_len(), self.budget.sample_keys);
        let Some(mut sketches) = sketches else {
            return;
        };
        if is_brief {
            sketches = sketches.in_brief();
        }
        sketches.add_counted(table.iter());
        self.mode = Mode::Sketch(Box::new(sketches));
    }
}

/// Keys that are added before somebody looks whether to go on.
pub(super) const KEYS_A_LOOK: usize = 8192;

/// Adds the keys of a table to another until a cancel comes. Returns how many were added.
pub(super) fn add_until(mine: &mut KeyTable, table: &KeyTable, cancel: &Cancel) -> usize {
    let mut n_added = 0;
    for key in table.iter() {
        if n_added % KEYS_A_LOOK == 0 && cancel.is_cancelled() {
            break;
        }
        mine.add(key.hash, key.key, key.n_rows, key.n_bytes);
        n_added += 1;
    }
    n_added
}
