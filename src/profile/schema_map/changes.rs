//! What changes in the schema between partitions, in words: keys that appear, vanish or pause, and types that change.

use serde::Serialize;

use super::{MapCell, MapKey, SchemaMap};
use crate::base::units;
use crate::profile::Severity;
use crate::storage::Partition;

/// What kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// From one partition on most values have another type.
    TypeChanges,
    /// Values of several types stand in the same partition.
    MixedTypes,
    /// The key is there up to one partition, and then no more.
    Vanishes,
    /// The key is there from one partition on.
    Appears,
    /// The key is not there in some partitions between others that have it.
    Pauses,
}

/// One change of one key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SchemaChange {
    pub path: String,
    pub kind: ChangeKind,
    pub severity: Severity,
    /// Where it happens: the first partition of the new state.
    pub partition: Partition,
    pub message: String,
}

/// A key is taken for absent when the chance to see none of it by accident is below this.
const MAX_CHANCE: f64 = 0.01;

/// All changes, worst first, then in the order of keys. What changes with the object above it is told once.
pub(super) fn changes(map: &SchemaMap) -> Vec<SchemaChange> {
    let mut found: Vec<SchemaChange> = Vec::new();
    // Keys come before their members, so that what holds a key is the last one that is less deep.
    let mut above: Vec<&MapKey> = Vec::new();
    for key in &map.keys {
        above.truncate(key.depth);
        let look = Look {
            map,
            key,
            above: above.last().copied(),
        };
        above.push(key);
        found.extend(look.presence());
        found.extend(look.types());
    }
    found.sort_by_key(|change| (std::cmp::Reverse(change.severity), change.kind));
    found
}

struct Look<'a> {
    map: &'a SchemaMap,
    key: &'a MapKey,
    /// What holds the key; none at the top.
    above: Option<&'a MapKey>,
}

impl Look<'_> {
    /// Records, or objects above it, that could have the key in a partition.
    fn n_of(&self, at: usize) -> u64 {
        if let Some(cell) = self.key.cell(at) {
            return cell.n_of;
        }
        let Some(above) = self.above else {
            return self.map.partitions.get(at).map_or(0, |read| read.n_records);
        };
        let cell = above.cell(at);
        cell.map_or(0, |cell| {
            let is_struct = |(name, _): &&(u16, u64)| self.map.type_name(*name) == "struct";
            cell.types.iter().find(is_struct).map_or(0, |(_, n)| *n)
        })
    }

    /// The share of records with the key, where it is.
    fn usual_share(&self) -> f64 {
        let cells = self.key.cells.iter().flatten();
        let (n, of) = cells.fold((0, 0), |(n, of), cell| (n + cell.n_present, of + cell.n_of));
        if of == 0 {
            0.0
        } else {
            (n as f64 / of as f64).min(1.0)
        }
    }

    /// Whether none in so many records is no accident, for a key that is otherwise in its usual share of them.
    fn is_absence_real(&self, n: u64) -> bool {
        let share = self.usual_share();
        n > 0 && (share >= 1.0 || (1.0 - share).ln() * (n as f64) < MAX_CHANCE.ln())
    }

    fn n_between(&self, partitions: std::ops::Range<usize>) -> u64 {
        partitions.map(|at| self.n_of(at)).sum()
    }

    fn change(
        &self,
        kind: ChangeKind,
        severity: Severity,
        at: usize,
        message: String,
    ) -> Option<SchemaChange> {
        Some(SchemaChange {
            path: self.key.path.clone(),
            kind,
            severity,
            partition: self.map.partitions.get(at)?.partition.clone(),
            message,
        })
    }

    fn presence(&self) -> Vec<SchemaChange> {
        let n_partitions = self.map.partitions.len();
        let (first, last) = (self.key.first_seen, self.key.last_seen);
        let path = &self.key.path;
        let mut found = Vec::new();
        let before = self.n_between(0..first);
        if self.is_absence_real(before) {
            let name = self.map.partition_name(first);
            let message = format!(
                "`{path}` appears on {name}: in none of {} before, in {} since",
                units::plural(before, "record"),
                units::percent(self.usual_share()),
            );
            found.extend(self.change(ChangeKind::Appears, Severity::Note, first, message));
        }
        let after = self.n_between(last + 1..n_partitions);
        if self.is_absence_real(after) {
            let name = self.map.partition_name(last);
            let message = format!(
                "`{path}` was last seen on {name}: in none of {} since, in {} before",
                units::plural(after, "record"),
                units::percent(self.usual_share()),
            );
            found.extend(self.change(ChangeKind::Vanishes, Severity::Warn, last + 1, message));
        }
        let gaps: Vec<usize> = (first..last)
            .filter(|at| self.key.cell(*at).is_none() && self.is_absence_real(self.n_of(*at)))
            .collect();
        if let Some(gap) = gaps.first() {
            let more = match gaps.len() {
                1 => String::new(),
                n => format!(" and {} more", units::plural(n as u64 - 1, "partition")),
            };
            let message = format!(
                "`{path}` is not there on {}{more}, but before and after",
                self.map.partition_name(*gap)
            );
            found.extend(self.change(ChangeKind::Pauses, Severity::Warn, *gap, message));
        }
        found
    }

    fn types(&self) -> Vec<SchemaChange> {
        let path = &self.key.path;
        let mut found = Vec::new();
        let mut before: Option<(usize, u16)> = None;
        let mut n_changes = 0_u64;
        for (at, cell) in self.key.cells.iter().enumerate() {
            let Some(main) = cell.as_ref().and_then(MapCell::main_type) else {
                continue;
            };
            if let Some((last, known)) = before.replace((at, main))
                && known != main
                && self.is_worth_telling(known, main)
            {
                n_changes += 1;
                if n_changes == 1 {
                    let message = format!(
                        "`{path}` is {} up to {} and {} from {} on",
                        self.map.type_name(known),
                        self.map.partition_name(last),
                        self.map.type_name(main),
                        self.map.partition_name(at)
                    );
                    found.extend(self.change(ChangeKind::TypeChanges, Severity::Bad, at, message));
                }
            }
        }
        if let Some(change) = found.first_mut().filter(|_| n_changes > 1) {
            change.message = format!("{}, and changes {} more", change.message, times(n_changes - 1));
        }
        let mixed = |cell: &&MapCell| super::is_conflict(&cell.types, &self.map.types);
        let n_mixed = self.key.cells.iter().flatten().filter(mixed).count();
        if n_mixed > 0
            && let Some(at) = self
                .key
                .cells
                .iter()
                .position(|cell| cell.as_ref().is_some_and(|cell| mixed(&cell)))
        {
            let types = self.key.cell(at).map(|cell| self.map.types_text(&cell.types));
            let message = format!(
                "`{path}` has several types in {}, first on {}: {}",
                units::plural(n_mixed as u64, "partition"),
                self.map.partition_name(at),
                types.unwrap_or_default(),
            );
            found.extend(self.change(ChangeKind::MixedTypes, Severity::Warn, at, message));
        }
        found
    }

    /// Integers among floats are no change of meaning.
    fn is_worth_telling(&self, a: u16, b: u16) -> bool {
        let is_number = |at| matches!(self.map.type_name(at), "int64" | "float64");
        !(is_number(a) && is_number(b))
    }
}

fn times(n: u64) -> String {
    if n == 1 {
        "once".to_owned()
    } else {
        format!("{} times", units::count(n))
    }
}

#[cfg(test)]
mod tests {
    use crate::profile::schema_map::tests::map;

    fn check(days: &[&[(&str, u64)]], expected: &[&str]) {
        let map = map(days);
        let said: Vec<&str> = map.changes.iter().map(|change| change.message.as_str()).collect();
        assert_eq!(said, expected);
    }

    const BASE: &str = r#"{"id": 1}"#;

    #[test]
    fn keys_that_come_and_go_are_told_with_what_was_read() {
        let with = r#"{"id": 1, "x": 1}"#;
        check(
            &[&[(BASE, 100)], &[(with, 50)], &[(with, 50)]],
            &["`x` appears on 2020-01-02: in none of 100 records before, in 100% since"],
        );
        check(
            &[&[(with, 50)], &[(with, 50)], &[(BASE, 100)]],
            &["`x` was last seen on 2020-01-02: in none of 100 records since, in 100% before"],
        );
        check(
            &[&[(with, 50)], &[(BASE, 100)], &[(with, 100)]],
            &["`x` is not there on 2020-01-02, but before and after"],
        );
    }

    #[test]
    fn a_rare_key_that_a_few_records_do_not_show_is_no_change() {
        let rare: &[(&str, u64)] = &[(BASE, 99), (r#"{"id": 1, "x": 1}"#, 1)];
        check(&[&[(BASE, 100)], rare, rare, &[(BASE, 100)]], &[]);
    }

    #[test]
    fn an_object_that_is_gone_is_told_once() {
        check(
            &[&[(r#"{"id": 1, "x": {"a": 1, "b": 2}}"#, 50)], &[(BASE, 50)]],
            &["`x` was last seen on 2020-01-01: in none of 50 records since, in 100% before"],
        );
    }

    #[test]
    fn a_type_that_changes_is_worse_than_one_that_is_mixed() {
        let text = r#"{"id": "a"}"#;
        check(
            &[&[(BASE, 50)], &[(BASE, 30), (text, 20)], &[(text, 50)]],
            &[
                "`id` is int64 up to 2020-01-02 and string from 2020-01-03 on",
                "`id` has several types in 1 partition, first on 2020-01-02: int64 60%, string 40%",
            ],
        );
        check(&[&[(BASE, 50)], &[(r#"{"id": 1.5}"#, 50)]], &[]);
    }
}
