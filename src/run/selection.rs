//! The records that a replay is about: everything else that their files hold is left aside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use polars::prelude::{BooleanChunked, NewChunkedArray};

use super::RunError;
use crate::dataset::decode::Batch;
use crate::dataset::{Reject, origin};

/// Lines of objects, by the object's index, and the objects' indices by their full location.
#[derive(Debug, Default)]
pub(super) struct Selection {
    lines: BTreeMap<u32, Lines>,
    indices: BTreeMap<String, u32>,
    /// Where reading an object ended before all its lines were reached.
    stopped: Mutex<BTreeMap<u32, u64>>,
}

/// Which lines of an object count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Lines {
    pub single: BTreeSet<u64>,
    /// All lines from this one on: the file could not be read further.
    pub rest_from: Option<u64>,
}

impl Lines {
    pub fn has(&self, line: u64) -> bool {
        self.single.contains(&line) || self.rest_from.is_some_and(|from| line >= from)
    }
}

impl Selection {
    pub fn new(lines: BTreeMap<u32, Lines>, indices: BTreeMap<String, u32>) -> Self {
        Self {
            lines,
            indices,
            stopped: Mutex::default(),
        }
    }

    /// The first line of an object that could not be reached; none when it was read to its end, or a reject of this
    /// replay stands for the rest.
    pub fn stopped(&self, object: u32) -> Option<u64> {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.get(&object).copied()
    }

    /// Whether a reject counts. One of the whole file counts where it stands for a rest that was asked for; before that
    /// place it says that what was asked for could not be reached, and stays in quarantine as it is.
    pub fn takes(&self, reject: &Reject) -> bool {
        let Some((object, lines)) = self
            .indices
            .get(&reject.object)
            .and_then(|object| Some((*object, self.lines.get(object)?)))
        else {
            return false;
        };
        if !reject.reason.is_of_file() {
            return lines.has(reject.line);
        }
        let stands_for_rest = lines.rest_from.is_some_and(|from| reject.line >= from);
        if !stands_for_rest {
            let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
            let at = stopped.entry(object).or_insert(reject.line);
            *at = reject.line.min(*at);
        }
        stands_for_rest
    }

    /// Whether a reject is one of those that were asked for, at the same place: it is in quarantine already.
    pub fn names(&self, reject: &Reject) -> bool {
        let lines = self
            .indices
            .get(&reject.object)
            .and_then(|object| self.lines.get(object));
        lines.is_some_and(|lines| {
            if reject.reason.is_of_file() {
                lines.rest_from == Some(reject.line)
            } else {
                lines.single.contains(&reject.line)
            }
        })
    }

    fn has(&self, object: u32, line: u64) -> bool {
        self.lines.get(&object).is_some_and(|lines| lines.has(line))
    }

    /// The rows and rejects of `batch` that count.
    pub fn keep(&self, batch: Batch) -> Result<Batch, RunError> {
        let wrong = |error: polars::prelude::PolarsError| RunError::Step {
            message: error.to_string(),
        };
        let mask: BooleanChunked = {
            let objects = batch.df.column(origin::OBJECT).and_then(|c| c.u32().cloned());
            let lines = batch.df.column(origin::LINE).and_then(|c| c.u64().cloned());
            let (objects, lines) = (objects.map_err(wrong)?, lines.map_err(wrong)?);
            let pairs = objects.iter().zip(lines.iter());
            let is_kept: Vec<bool> = pairs
                .map(|(object, line)| self.has(object.unwrap_or(u32::MAX), line.unwrap_or(0)))
                .collect();
            BooleanChunked::from_slice("".into(), &is_kept)
        };
        let df = batch.df.filter(&mask).map_err(wrong)?;
        let mut rejects = batch.rejects;
        rejects.retain(|reject| self.takes(reject));
        Ok(Batch {
            n_records: df.height() as u64 + rejects.len() as u64,
            df,
            rejects,
            n_bytes: batch.n_bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use polars::prelude::{Column, DataFrame};

    use super::{Lines, Selection};
    use crate::dataset::decode::Batch;
    use crate::dataset::{Reason, Reject, Stage, origin};

    #[test]
    fn only_the_named_lines_and_what_follows_a_cut_are_kept() {
        let df = DataFrame::new_infer_height(vec![
            Column::new("id".into(), [1_i64, 2, 3, 4, 5]),
            Column::new(origin::OBJECT.into(), [0_u32, 0, 1, 1, 2]),
            Column::new(origin::LINE.into(), [1_u64, 2, 1, 9, 1]),
            Column::new(origin::OFFSET.into(), [0_u64; 5]),
        ])
        .unwrap();
        let batch = Batch {
            df,
            rejects: Vec::new(),
            n_records: 5,
            n_bytes: 50,
        };
        let single = Lines {
            single: BTreeSet::from([2]),
            rest_from: None,
        };
        let rest = Lines {
            single: BTreeSet::new(),
            rest_from: Some(5),
        };
        let selection = Selection::new(BTreeMap::from([(0, single), (1, rest)]), BTreeMap::new());
        let kept = selection.keep(batch).unwrap();
        let ids: Vec<_> = kept
            .df
            .column("id")
            .unwrap()
            .i64()
            .unwrap()
            .iter()
            .flatten()
            .collect();
        assert_eq!(ids, [2, 4]);
        assert_eq!(kept.n_records, 2);
    }

    #[test]
    fn a_file_that_ends_before_what_was_asked_for_leaves_it_in_quarantine() {
        let lines = |rest_from| Lines {
            single: BTreeSet::from([5]),
            rest_from,
        };
        let selection = Selection::new(
            BTreeMap::from([(0, lines(None)), (1, lines(Some(8)))]),
            BTreeMap::from([("a".to_owned(), 0), ("b".to_owned(), 1)]),
        );
        let reject = |object: &str, line, reason| Reject {
            object: object.to_owned(),
            line,
            byte_offset: 0,
            byte_len: 0,
            stage: Stage::Decode,
            reason,
            field: None,
            expected: None,
            got: None,
            step: None,
            message: String::new(),
            raw: String::new(),
            is_raw_partial: true,
        };
        assert!(selection.takes(&reject("a", 5, Reason::InvalidJson)));
        assert!(!selection.takes(&reject("a", 6, Reason::InvalidJson)));
        assert!(!selection.takes(&reject("a", 5, Reason::Deadline)));
        assert!(selection.takes(&reject("b", 9, Reason::Deadline)));
        assert_eq!((selection.stopped(0), selection.stopped(1)), (Some(5), None));
        assert!(!selection.takes(&reject("b", 3, Reason::Deadline)));
        assert_eq!(selection.stopped(1), Some(3));
    }
}
