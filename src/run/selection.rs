//! The records that a replay is about: everything else that their files hold is left aside.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{BooleanChunked, NewChunkedArray};

use super::RunError;
use crate::dataset::decode::Batch;
use crate::dataset::origin;

/// Lines of objects, by the object's index and its full location.
#[derive(Debug, Default)]
pub(super) struct Selection {
    lines: BTreeMap<u32, Lines>,
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
    pub fn new(lines: BTreeMap<u32, Lines>) -> Self {
        Self { lines }
    }

    fn has(&self, object: u32, line: u64) -> bool {
        self.lines.get(&object).is_some_and(|lines| lines.has(line))
    }

    /// The rows and rejects of `batch` that count. `name` gives the full location of an object by its index.
    pub fn keep(&self, batch: Batch, name: impl Fn(u32) -> String) -> Result<Batch, RunError> {
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
        rejects.retain(|reject| {
            let selected = self
                .lines
                .iter()
                .find(|(object, _)| name(**object) == reject.object);
            selected.is_some_and(|(_, lines)| lines.has(reject.line))
        });
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
    use crate::dataset::origin;

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
        let names = ["a", "b", "c"];
        let selection = Selection::new(BTreeMap::from([(0, single), (1, rest)]));
        let kept = selection
            .keep(batch, |index| names[index as usize].to_owned())
            .unwrap();
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
}
