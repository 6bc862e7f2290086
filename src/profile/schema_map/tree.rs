//! Which keys some records have, by path, and with which types: counts of one partition, mergeable.
//!
//! Read straight from the text of a record: no schema, no values kept. Memory is by path, not by record.

use std::borrow::Cow;
use std::fmt;

use polars::prelude::{DataType, Schema};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::dataset::dtype_name;

/// Deeper values are counted as what they are, without what is in them.
const MAX_DEPTH: usize = 16;
/// Keys of one object that are told apart. With more it is a map from data to data.
const MAX_KEYS: usize = 1000;
/// Paths of one tree.
const MAX_PATHS: usize = 20_000;

const STRUCT: &str = "struct";
const LIST: &str = "list";

/// What stands at one path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Node {
    /// Types with how often each was seen; a handful.
    types: Vec<(Cow<'static, str>, u64)>,
    n_null: u64,
    members: Vec<(String, Node)>,
    items: Option<Box<Node>>,
}

/// The keys of records, as a tree of paths with counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyTree {
    root: Node,
    n_records: u64,
    n_unreadable: u64,
    bounds: Bounds,
}

/// How far a tree may grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Bounds {
    n_paths: usize,
    is_cut: bool,
}

/// What one path has in the records of a tree.
#[derive(Debug, Clone, Copy)]
pub struct PathCounts<'a> {
    /// `location.country`, `tags[]`, `items[].price`.
    pub path: &'a str,
    /// Members above it.
    pub depth: usize,
    /// Records, or objects that this key could stand in; for items of lists, the items themselves.
    pub n_of: u64,
    /// How often the key is there, also with null.
    pub n_present: u64,
    pub n_null: u64,
    /// Without null.
    pub types: &'a [(Cow<'static, str>, u64)],
}

impl KeyTree {
    /// Adds one line. Returns whether it is a record; other lines are counted as unreadable.
    pub fn add_record(&mut self, line: &[u8]) -> bool {
        // First as a whole, so that a line that breaks off leaves no counts behind.
        let is_record = line.trim_ascii_start().first() == Some(&b'{')
            && serde_json::from_slice::<IgnoredAny>(line).is_ok();
        if !is_record {
            self.n_unreadable += 1;
            return false;
        }
        self.n_records += 1;
        let mut json = serde_json::Deserializer::from_slice(line);
        let at = At {
            node: &mut self.root,
            bounds: &mut self.bounds,
            depth: 0,
        };
        // Numbers beyond every type are the one thing that the first look lets pass; what was counted before stays.
        at.deserialize(&mut json).is_ok()
    }

    /// Adds the columns of a Parquet file with `n_rows` rows. Nulls are not told apart: a footer names types only.
    pub fn add_schema(&mut self, schema: &Schema, n_rows: u64) {
        self.n_records += n_rows;
        self.root.count(STRUCT, n_rows);
        for (name, dtype) in schema.iter() {
            if let Some(node) = self.root.member(name, &mut self.bounds) {
                node.add_dtype(dtype, n_rows, 1, &mut self.bounds);
            }
        }
    }

    /// Adds what another tree counted.
    pub fn merge(&mut self, other: Self) {
        self.n_records += other.n_records;
        self.n_unreadable += other.n_unreadable;
        self.bounds.is_cut |= other.bounds.is_cut;
        self.root.merge(other.root, &mut self.bounds);
    }

    pub fn n_records(&self) -> u64 {
        self.n_records
    }

    /// Paths that are told apart.
    pub fn n_paths(&self) -> usize {
        self.bounds.n_paths
    }

    /// Lines that are no JSON objects.
    pub fn n_unreadable(&self) -> u64 {
        self.n_unreadable
    }

    /// Whether there were more paths than are told apart.
    pub fn is_cut(&self) -> bool {
        self.bounds.is_cut
    }

    /// Shows every path to `see`, what holds it before what it holds, in the order in which keys were first seen.
    pub fn each_path(&self, see: &mut dyn FnMut(PathCounts<'_>)) {
        let mut path = String::new();
        self.root.each_member(&mut path, 0, self.n_records, see);
    }
}

impl Node {
    fn count(&mut self, name: &'static str, n: u64) {
        self.count_name(Cow::Borrowed(name), n);
    }

    fn count_name(&mut self, name: Cow<'static, str>, n: u64) {
        match self.types.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += n,
            None => self.types.push((name, n)),
        }
    }

    fn n_of(&self, name: &str) -> u64 {
        let found = self.types.iter().find(|(known, _)| known == name);
        found.map_or(0, |(_, n)| *n)
    }

    fn n_present(&self) -> u64 {
        self.n_null + self.types.iter().map(|(_, n)| n).sum::<u64>()
    }

    /// The place of the member `name`, which is expected at `guess`; none when it is new and there are too many.
    fn place(&mut self, name: &str, guess: usize, bounds: &mut Bounds) -> Option<usize> {
        let is_at = |(known, _): &(String, Self)| known == name;
        if self.members.get(guess).is_some_and(is_at) {
            return Some(guess);
        }
        if let Some(at) = self.members.iter().position(is_at) {
            return Some(at);
        }
        if self.members.len() >= MAX_KEYS || bounds.n_paths >= MAX_PATHS {
            bounds.is_cut = true;
            return None;
        }
        bounds.n_paths += 1;
        self.members.push((name.to_owned(), Self::default()));
        Some(self.members.len() - 1)
    }

    fn member(&mut self, name: &str, bounds: &mut Bounds) -> Option<&mut Self> {
        let at = self.place(name, 0, bounds)?;
        self.members.get_mut(at).map(|(_, node)| node)
    }

    fn add_dtype(&mut self, dtype: &DataType, n: u64, depth: usize, bounds: &mut Bounds) {
        match dtype {
            DataType::List(inner) => {
                self.count(LIST, n);
                if depth < MAX_DEPTH {
                    let items = self.items.get_or_insert_default();
                    items.add_dtype(inner, n, depth + 1, bounds);
                }
            }
            DataType::Struct(fields) => {
                self.count(STRUCT, n);
                for field in fields.iter().filter(|_| depth < MAX_DEPTH) {
                    if let Some(node) = self.member(&field.name, bounds) {
                        node.add_dtype(&field.dtype, n, depth + 1, bounds);
                    }
                }
            }
            dtype => self.count_name(Cow::Owned(dtype_name(dtype)), n),
        }
    }

    fn merge(&mut self, other: Self, bounds: &mut Bounds) {
        for (name, n) in other.types {
            self.count_name(name, n);
        }
        self.n_null += other.n_null;
        if let Some(items) = other.items {
            self.items.get_or_insert_default().merge(*items, bounds);
        }
        for (guess, (name, node)) in other.members.into_iter().enumerate() {
            let at = self.place(&name, guess, bounds);
            if let Some((_, mine)) = at.and_then(|at| self.members.get_mut(at)) {
                mine.merge(node, bounds);
            }
        }
    }

    fn each_member(&self, path: &mut String, depth: usize, n_of: u64, see: &mut dyn FnMut(PathCounts<'_>)) {
        let length = path.len();
        for (name, node) in &self.members {
            if length > 0 {
                path.push('.');
            }
            path.push_str(name);
            node.tell(path, depth, n_of, see);
            path.truncate(length);
        }
    }

    fn tell(&self, path: &mut String, depth: usize, n_of: u64, see: &mut dyn FnMut(PathCounts<'_>)) {
        see(PathCounts {
            path,
            depth,
            n_of,
            n_present: self.n_present(),
            n_null: self.n_null,
            types: &self.types,
        });
        if let Some(items) = &self.items {
            let length = path.len();
            path.push_str("[]");
            items.tell(path, depth + 1, items.n_present(), see);
            path.truncate(length);
        }
        self.each_member(path, depth + 1, self.n_of(STRUCT), see);
    }
}

/// A place in the tree that takes the value that is read next.
struct At<'a> {
    node: &'a mut Node,
    bounds: &'a mut Bounds,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.node.n_null += 1;
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.node.count("bool", 1);
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.node.count("int64", 1);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        // The reader gives every number without a sign as unsigned.
        let name = if i64::try_from(value).is_ok() {
            "int64"
        } else {
            "uint64"
        };
        self.node.count(name, 1);
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.node.count("float64", 1);
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.node.count("string", 1);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.node.count(LIST, 1);
        if self.depth >= MAX_DEPTH {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        loop {
            let at = At {
                node: self.node.items.get_or_insert_default(),
                bounds: &mut *self.bounds,
                depth: self.depth + 1,
            };
            if items.next_element_seed(at)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.node.count(STRUCT, 1);
        if self.depth >= MAX_DEPTH {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        // Records of one writer have their keys in one order.
        let mut guess = 0;
        loop {
            let key = Key {
                node: &mut *self.node,
                bounds: &mut *self.bounds,
                guess,
            };
            let Some(place) = members.next_key_seed(key)? else {
                return Ok(());
            };
            let member = place.and_then(|at| self.node.members.get_mut(at));
            let Some((_, node)) = member else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            guess = place.unwrap_or(guess) + 1;
            members.next_value_seed(At {
                node,
                bounds: &mut *self.bounds,
                depth: self.depth + 1,
            })?;
        }
    }
}

/// Finds the place of the key that is read next, without a copy of it.
struct Key<'a> {
    node: &'a mut Node,
    bounds: &'a mut Bounds,
    guess: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.node.place(name, self.guess, self.bounds))
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, Field, Schema};
    use proptest::prelude::*;

    use super::KeyTree;

    fn tree(records: &[&str]) -> KeyTree {
        let mut tree = KeyTree::default();
        for record in records {
            tree.add_record(record.as_bytes());
        }
        tree
    }

    /// `path present/of types` for every path.
    fn said(tree: &KeyTree) -> Vec<String> {
        let mut lines = Vec::new();
        tree.each_path(&mut |counts| {
            let types: Vec<String> = counts
                .types
                .iter()
                .map(|(name, n)| format!("{name} {n}"))
                .collect();
            let null = if counts.n_null > 0 {
                format!(" null {}", counts.n_null)
            } else {
                String::new()
            };
            lines.push(format!(
                "{} {}/{} {}{null}",
                counts.path,
                counts.n_present,
                counts.n_of,
                types.join(", ")
            ));
        });
        lines
    }

    #[test]
    fn keys_are_counted_by_path_against_what_could_hold_them() {
        let tree = tree(&[
            r#"{"id": 1, "place": {"zip": "a"}, "tags": ["x", null]}"#,
            r#"{"id": 2.5, "place": {"zip": 7, "city": null}, "items": [{"price": 1}, {}]}"#,
            r#"{"id": null, "place": null}"#,
        ]);
        assert_eq!(
            said(&tree),
            [
                "id 3/3 int64 1, float64 1 null 1",
                "place 3/3 struct 2 null 1",
                "place.zip 2/2 string 1, int64 1",
                "place.city 1/2  null 1",
                "tags 1/3 list 1",
                "tags[] 2/2 string 1 null 1",
                "items 1/3 list 1",
                "items[] 2/2 struct 2",
                "items[].price 1/2 int64 1",
            ]
        );
    }

    #[test]
    fn a_line_that_is_no_record_leaves_nothing_behind() {
        let mut tree = tree(&[r#"{"a": 1, "b": "#, "[1]", "", r#"{"a": 1}"#]);
        assert_eq!((tree.n_records(), tree.n_unreadable()), (1, 3));
        assert_eq!(said(&tree), ["a 1/1 int64 1"]);
        assert!(!tree.add_record(b"null"));
    }

    #[test]
    fn an_object_used_as_a_map_ends_at_a_bound_and_says_so() {
        let mut tree = KeyTree::default();
        for n in 0..3000 {
            tree.add_record(format!("{{\"m\": {{\"k{n}\": 1}}}}").as_bytes());
        }
        assert!(tree.is_cut());
        let mut n_paths = 0;
        tree.each_path(&mut |_| n_paths += 1);
        assert_eq!(n_paths, super::MAX_KEYS + 1);
        assert_eq!(tree.n_records(), 3000);
        let deep = format!("{{\"d\":{}1{}}}", "[".repeat(90), "]".repeat(90));
        assert!(tree.add_record(deep.as_bytes()));
    }

    #[test]
    fn a_parquet_schema_counts_its_rows_for_every_path() {
        let place = DataType::Struct(vec![Field::new("zip".into(), DataType::Int32)]);
        let schema = Schema::from_iter([
            Field::new("id".into(), DataType::Int64),
            Field::new("place".into(), place),
        ]);
        let mut tree = KeyTree::default();
        tree.add_schema(&schema, 10);
        assert_eq!(
            said(&tree),
            [
                "id 10/10 int64 10",
                "place 10/10 struct 10",
                "place.zip 10/10 int32 10"
            ]
        );
    }

    proptest! {
        #[test]
        fn merging_trees_equals_counting_all_records(
            records in proptest::collection::vec(
                prop_oneof![
                    Just(r#"{"a": 1}"#),
                    Just(r#"{"b": {"c": [1, "x"]}, "a": null}"#),
                    Just(r#"{"b": 3.5}"#),
                    Just("broken"),
                ],
                0..20,
            ),
            cut in 0_usize..20,
        ) {
            let (first, second) = records.split_at(cut.min(records.len()));
            let mut merged = tree(first);
            merged.merge(tree(second));
            prop_assert_eq!(said(&merged), said(&tree(&records)));
            prop_assert_eq!(merged.n_records(), tree(&records).n_records());
        }
    }
}
