//! How the keys of records change from partition to partition: key × partition, with presence, nulls and types.
//!
//! Takes what was counted in each partition ([`KeyTree`]) and reads nothing itself. A key that a sample does not show may
//! still be there, so that it counts as gone only where its absence is no chance.

mod changes;
mod tree;

use std::collections::HashMap;

use serde::Serialize;

pub use changes::{ChangeKind, SchemaChange};
pub use tree::{KeyTree, PathCounts};

use crate::base::Accuracy;
use crate::dataset::FailedFile;
use crate::storage::Partition;

/// Files that are named of those that could not be read.
const MAX_FAILED: usize = 100;

/// What was read of one partition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MapPartition {
    pub partition: Partition,
    pub n_records: u64,
    /// Lines that are no JSON objects.
    pub n_unreadable: u64,
    pub n_files_read: u64,
    /// Files that could not be read.
    pub n_files_failed: u64,
    /// The first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_files: Vec<FailedFile>,
    pub n_files: u64,
    /// Of the records.
    pub accuracy: Accuracy,
}

/// A type and how often it was seen, null not counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TypeCount {
    pub dtype: String,
    pub n: u64,
}

/// One key in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapCell {
    /// Records, or objects that this key could stand in.
    pub n_of: u64,
    /// How often the key is there, also with null.
    pub n_present: u64,
    pub n_null: u64,
    /// Places in [`SchemaMap::types`] with counts, the most frequent first.
    pub types: Vec<(u16, u64)>,
}

impl MapCell {
    /// Share of the records, or of the objects above it, that have the key, 0..=1. None where there are none.
    pub fn share(&self) -> Option<f64> {
        // A key that a record has twice counts twice.
        (self.n_of > 0).then(|| (self.n_present as f64 / self.n_of as f64).min(1.0))
    }

    /// The type of most values; none where all are null.
    pub fn main_type(&self) -> Option<u16> {
        self.types.first().map(|(at, _)| *at)
    }
}

/// One key over all partitions.
#[derive(Debug, Clone, PartialEq)]
pub struct MapKey {
    /// `location.country`, `items[].price`.
    pub path: String,
    /// Members above it.
    pub depth: usize,
    /// One for every partition; none where no record has the key.
    pub cells: Vec<Option<MapCell>>,
    /// Places of partitions.
    pub first_seen: usize,
    pub last_seen: usize,
    /// Partitions with the key.
    pub n_partitions: usize,
    /// Over all partitions, as in a cell.
    pub types: Vec<(u16, u64)>,
    /// Whether types disagree. Integers among floats are no conflict.
    pub is_conflict: bool,
}

impl MapKey {
    /// The last part of the path, for a line below those above it.
    pub fn name(&self) -> &str {
        last_part(&self.path)
    }

    pub fn cell(&self, partition: usize) -> Option<&MapCell> {
        self.cells.get(partition)?.as_ref()
    }
}

/// The last part of a path; of the items of a list, their brackets.
///
/// ```
/// use skewer::profile::schema_map::last_part;
/// assert_eq!(["id", "place.zip", "a.items[]", "items[].price"].map(last_part), ["id", "zip", "[]", "price"]);
/// ```
pub fn last_part(path: &str) -> &str {
    let name = path.rsplit('.').next().unwrap_or(path);
    if name.ends_with("[]") { "[]" } else { name }
}

/// Keys × partitions. Keys in the order in which they were first seen, each before its members.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SchemaMap {
    pub partitions: Vec<MapPartition>,
    pub keys: Vec<MapKey>,
    /// Names of types that cells point at.
    pub types: Vec<String>,
    /// What changes between partitions, worst first.
    pub changes: Vec<SchemaChange>,
    pub accuracy: Accuracy,
    /// Whether there were more keys than are told apart.
    pub is_cut: bool,
}

impl SchemaMap {
    /// Puts the counts of partitions, in their order, side by side. `is_complete` is whether these are all that was asked
    /// for.
    pub fn new(read: &[(MapPartition, KeyTree)], is_complete: bool) -> Self {
        let mut all = KeyTree::default();
        for (_, tree) in read {
            all.merge(tree.clone());
        }
        let mut map = Self {
            partitions: read.iter().map(|(partition, _)| partition.clone()).collect(),
            is_cut: all.is_cut(),
            accuracy: accuracy(read, is_complete),
            ..Self::default()
        };
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut type_places: HashMap<String, u16> = HashMap::new();
        all.each_path(&mut |counts| {
            let types = counted(counts, &mut map.types, &mut type_places);
            places.insert(counts.path.to_owned(), map.keys.len());
            map.keys.push(MapKey {
                path: counts.path.to_owned(),
                depth: counts.depth,
                cells: vec![None; read.len()],
                first_seen: usize::MAX,
                last_seen: 0,
                n_partitions: 0,
                is_conflict: is_conflict(&types, &map.types),
                types,
            });
        });
        for (at, (_, tree)) in read.iter().enumerate() {
            tree.each_path(&mut |counts| {
                if counts.n_present == 0 {
                    return;
                }
                let cell = MapCell {
                    n_of: counts.n_of,
                    n_present: counts.n_present,
                    n_null: counts.n_null,
                    types: counted(counts, &mut map.types, &mut type_places),
                };
                let key = places.get(counts.path).and_then(|place| map.keys.get_mut(*place));
                let Some(key) = key else { return };
                key.first_seen = key.first_seen.min(at);
                key.last_seen = key.last_seen.max(at);
                key.n_partitions += 1;
                if let Some(place) = key.cells.get_mut(at) {
                    *place = Some(cell);
                }
            });
        }
        // A list that was always empty has a path for its items, which nothing ever stood at.
        map.keys.retain(|key| key.n_partitions > 0);
        map.changes = changes::changes(&map);
        map
    }

    pub fn type_name(&self, at: u16) -> &str {
        self.types.get(usize::from(at)).map_or("", String::as_str)
    }

    /// `int64`, `int64 98%, string 2%`, or `null` where nothing else was seen.
    pub fn types_text(&self, types: &[(u16, u64)]) -> String {
        let sum: u64 = types.iter().map(|(_, n)| n).sum();
        match types {
            [] => "null".to_owned(),
            [(only, _)] => self.type_name(*only).to_owned(),
            several => {
                let said = several.iter().map(|(at, n)| {
                    let share = *n as f64 / sum.max(1) as f64;
                    format!("{} {}", self.type_name(*at), crate::base::units::percent(share))
                });
                said.collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// `2020-01-09`, or a place beyond the partitions as nothing.
    pub fn partition_name(&self, at: usize) -> String {
        let partition = self.partitions.get(at);
        partition.map_or_else(String::new, |read| read.partition.to_string())
    }

    /// Files that could not be read, and the first of them.
    pub fn failed_files(&self) -> (u64, Vec<FailedFile>) {
        let n = self.partitions.iter().map(|read| read.n_files_failed).sum();
        let named = self.partitions.iter().flat_map(|read| &read.failed_files);
        (n, named.take(MAX_FAILED).cloned().collect())
    }

    pub fn n_records(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.n_records).sum()
    }
}

/// The types of a path as places in the list of names, most frequent first.
fn counted(
    counts: PathCounts<'_>,
    names: &mut Vec<String>,
    places: &mut HashMap<String, u16>,
) -> Vec<(u16, u64)> {
    let mut types: Vec<(u16, u64)> = Vec::with_capacity(counts.types.len());
    for (name, n) in counts.types {
        let at = if let Some(at) = places.get(name.as_ref()) {
            *at
        } else {
            let at = u16::try_from(names.len()).unwrap_or(u16::MAX);
            names.push(name.to_string());
            places.insert(name.to_string(), at);
            at
        };
        types.push((at, *n));
    }
    types.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    types
}

/// Whether several types are more than integers among floats.
fn is_conflict(types: &[(u16, u64)], names: &[String]) -> bool {
    let name = |at: u16| names.get(usize::from(at)).map_or("", String::as_str);
    types.len() > 1
        && !types
            .iter()
            .all(|(at, _)| matches!(name(*at), "int64" | "float64"))
}

fn accuracy(read: &[(MapPartition, KeyTree)], is_complete: bool) -> Accuracy {
    let n = read.iter().map(|(partition, _)| partition.n_records).sum();
    let is_exact = read.iter().all(|(partition, _)| partition.accuracy.is_exact());
    match (is_complete, is_exact) {
        (false, _) => Accuracy::Partial { n },
        (true, true) => Accuracy::Exact,
        (true, false) => Accuracy::Sample { n, of: None },
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use chrono::NaiveDate;

    use super::{KeyTree, MapPartition, SchemaMap};
    use crate::base::Accuracy;
    use crate::storage::Partition;

    /// A map of days from the first of January 2020 on, each of so many equal records of these texts.
    pub fn map(days: &[&[(&str, u64)]]) -> SchemaMap {
        let read: Vec<(MapPartition, KeyTree)> = days
            .iter()
            .enumerate()
            .map(|(at, records)| {
                let mut tree = KeyTree::default();
                for (record, n) in *records {
                    for _ in 0..*n {
                        tree.add_record(record.as_bytes());
                    }
                }
                let date = NaiveDate::from_ymd_opt(2020, 1, u32::try_from(at).unwrap() + 1).unwrap();
                let partition = MapPartition {
                    partition: Partition::Day(date),
                    n_records: tree.n_records(),
                    n_unreadable: tree.n_unreadable(),
                    n_files_read: 1,
                    n_files_failed: 0,
                    failed_files: Vec::new(),
                    n_files: 1,
                    accuracy: Accuracy::Exact,
                };
                (partition, tree)
            })
            .collect();
        SchemaMap::new(&read, true)
    }

    #[test]
    fn keys_have_a_cell_for_every_partition_that_has_them() {
        let map = map(&[
            &[(r#"{"id": 1, "x": {"a": 1}}"#, 10)],
            &[(r#"{"id": 1}"#, 5), (r#"{"id": "b", "late": null}"#, 5)],
            &[(r#"{"id": 2, "x": {"a": 1.5}}"#, 10)],
        ]);
        let paths: Vec<&str> = map.keys.iter().map(|key| key.path.as_str()).collect();
        assert_eq!(paths, ["id", "x", "x.a", "late"]);
        let id = &map.keys[0];
        assert_eq!((id.first_seen, id.last_seen, id.n_partitions), (0, 2, 3));
        assert!(id.is_conflict);
        assert_eq!(
            map.types_text(&id.cells[1].as_ref().unwrap().types),
            "int64 50%, string 50%"
        );
        let member = &map.keys[2];
        assert!(!member.is_conflict, "integers among floats are none");
        assert_eq!((member.depth, member.cell(1)), (1, None));
        let late = map.keys[3].cell(1).unwrap();
        assert_eq!(
            (late.share(), late.n_null, late.main_type()),
            (Some(0.5), 5, None)
        );
        assert_eq!((map.accuracy, map.n_records()), (Accuracy::Exact, 30));
    }

    #[test]
    fn hundreds_of_keys_over_a_year_are_put_together() {
        let record: Vec<String> = (0..300).map(|n| format!("\"k{n}\": {n}")).collect();
        let record = format!("{{{}}}", record.join(","));
        let days: Vec<[(&str, u64); 1]> = (0..31).map(|_| [(record.as_str(), 2)]).collect();
        let days: Vec<&[(&str, u64)]> = days.iter().map(<[_; 1]>::as_slice).collect();
        let map = map(&days);
        assert_eq!(map.keys.len(), 300);
        assert!(map.keys.iter().all(|key| key.n_partitions == 31));
        assert!(map.changes.is_empty(), "{:?}", map.changes);
    }

    #[test]
    fn nothing_read_is_an_empty_map() {
        let empty = SchemaMap::new(&[], true);
        assert!(empty.keys.is_empty() && empty.changes.is_empty());
        assert_eq!(empty.partition_name(3), "");
    }
}
