//! The shape of records seen in a sample: which JSON types stand at which path, how often, and where first; and the
//! declared type that takes them all.

use serde_json::Value;

use super::infer::{Conflict, SeenType};
use super::{Accept, DataType, Field, origin};

/// Deeper values are JSON text.
const MAX_DEPTH: usize = 16;
/// An object with more keys is a map from data to data, not a record: JSON text.
const MAX_KEYS: usize = 1000;
const MAX_EXACT_FLOAT: u64 = 1 << 53;

/// JSON types as a schema tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Int,
    /// An integer that no int64 holds.
    BigInt,
    Float,
    Bool,
    String,
    List,
    Object,
}

#[derive(Debug, Clone)]
struct Seen {
    kind: Kind,
    object: usize,
    line: u64,
    n: u64,
}

/// What the strings at one path hold; the widest that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Texts {
    #[default]
    Integers,
    Numbers,
    Words,
}

impl Texts {
    fn of(text: &str) -> Self {
        match serde_json::from_str::<serde_json::Number>(text) {
            Ok(number) if number.as_i64().is_some() => Self::Integers,
            Ok(_) => Self::Numbers,
            Err(_) => Self::Words,
        }
    }
}

/// What was seen at one path.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    seen: Vec<Seen>,
    members: Vec<(String, Shape)>,
    items: Option<Box<Shape>>,
    has_long_ints: bool,
    texts: Texts,
    is_too_deep: bool,
}

impl Shape {
    /// Adds one record.
    pub(super) fn add(&mut self, record: &Value, object: usize, line: u64) {
        self.add_at(record, object, line, 0);
    }

    fn add_at(&mut self, value: &Value, object: usize, line: u64, depth: usize) {
        let kind = match value {
            Value::Null => return,
            Value::Bool(_) => Kind::Bool,
            Value::Number(number) => {
                if let Some(int) = number.as_i64() {
                    self.has_long_ints |= int.unsigned_abs() > MAX_EXACT_FLOAT;
                    Kind::Int
                } else if number.is_u64() {
                    Kind::BigInt
                } else {
                    Kind::Float
                }
            }
            Value::String(text) => {
                self.texts = self.texts.max(Texts::of(text));
                Kind::String
            }
            Value::Array(_) => Kind::List,
            Value::Object(_) => Kind::Object,
        };
        self.count(&Seen {
            kind,
            object,
            line,
            n: 1,
        });
        if depth >= MAX_DEPTH {
            self.is_too_deep |= matches!(kind, Kind::List | Kind::Object);
            return;
        }
        match value {
            Value::Array(items) => {
                let shape = self.items.get_or_insert_default();
                for item in items {
                    shape.add_at(item, object, line, depth + 1);
                }
            }
            Value::Object(members) => {
                for (i, (name, value)) in members.iter().enumerate() {
                    self.member(i, name).add_at(value, object, line, depth + 1);
                }
            }
            _ => {}
        }
    }

    /// The shape of the member `name`, which is expected at place `i`.
    fn member(&mut self, i: usize, name: &str) -> &mut Self {
        let is_at = |(known, _): &(String, Self)| known == name;
        let found = match self.members.get(i) {
            Some(member) if is_at(member) => Some(i),
            _ => self.members.iter().position(is_at),
        };
        let at = found.unwrap_or_else(|| {
            // Beyond the cap all keys share one place: the object will be JSON text anyway.
            if self.members.len() <= MAX_KEYS {
                self.members.push((name.to_owned(), Self::default()));
            }
            self.members.len() - 1
        });
        #[expect(
            clippy::indexing_slicing,
            reason = "found above, or the place of the last member"
        )]
        &mut self.members[at].1
    }

    fn count(&mut self, seen: &Seen) {
        match self.seen.iter_mut().find(|known| known.kind == seen.kind) {
            Some(known) => known.n += seen.n,
            None => self.seen.push(seen.clone()),
        }
    }

    /// Adds what another object's records showed, later in order.
    pub(super) fn merge(&mut self, later: Self) {
        for seen in &later.seen {
            self.count(seen);
        }
        self.has_long_ints |= later.has_long_ints;
        self.texts = self.texts.max(later.texts);
        self.is_too_deep |= later.is_too_deep;
        if let Some(items) = later.items {
            self.items.get_or_insert_default().merge(*items);
        }
        for (i, (name, shape)) in later.members.into_iter().enumerate() {
            self.member(i, &name).merge(shape);
        }
    }

    /// Records seen.
    pub(super) fn n_records(&self) -> u64 {
        self.seen
            .iter()
            .filter(|seen| seen.kind == Kind::Object)
            .map(|seen| seen.n)
            .sum()
    }

    /// The fields that take every record seen, and where records disagree. `names` are the objects' locations.
    pub(super) fn fields(&self, names: &[String]) -> (Vec<Field>, Vec<Conflict>) {
        let mut conflicts = Vec::new();
        let mut fields = Vec::new();
        for (name, shape) in &self.members {
            if name.is_empty() || origin::is_hidden(name) {
                continue;
            }
            let mut accept = Vec::new();
            let dtype = shape.dtype(name, names, &mut accept, &mut conflicts);
            fields.push(Field {
                accept,
                ..Field::new(name.clone(), dtype)
            });
        }
        (fields, conflicts)
    }

    fn has(&self, kind: Kind) -> bool {
        self.seen.iter().any(|seen| seen.kind == kind)
    }

    fn dtype(
        &self,
        path: &str,
        names: &[String],
        accept: &mut Vec<Accept>,
        conflicts: &mut Vec<Conflict>,
    ) -> DataType {
        // The parts first, so that their conflicts are told even where the whole becomes text.
        let mut inner_accept = Vec::new();
        let items = self
            .items
            .as_ref()
            .map(|items| items.dtype(&format!("{path}[]"), names, &mut inner_accept, conflicts));
        let mut members = Vec::new();
        if self.members.len() <= MAX_KEYS {
            for (name, shape) in &self.members {
                let dtype = shape.dtype(&format!("{path}.{name}"), names, &mut inner_accept, conflicts);
                members.push((name.clone(), dtype));
            }
        }
        let is_only_numbers = self
            .seen
            .iter()
            .all(|seen| matches!(seen.kind, Kind::Int | Kind::Float));
        if self.seen.len() > 1 && !is_only_numbers {
            conflicts.push(Conflict {
                name: path.to_owned(),
                dtypes: self.seen.iter().map(|seen| seen.describe(names)).collect(),
            });
        }
        let mut also = |word: Accept| {
            if !accept.contains(&word) {
                accept.push(word);
            }
        };
        let (has_list, has_object) = (self.has(Kind::List), self.has(Kind::Object));
        if has_list || has_object {
            if self.seen.len() > 1 || self.is_too_deep {
                return DataType::Json;
            }
            let dtype = match items {
                Some(items) if has_list => DataType::List(Box::new(items)),
                _ if has_object && !members.is_empty() => DataType::Struct(members),
                _ => return DataType::Json,
            };
            inner_accept.into_iter().for_each(&mut also);
            return dtype;
        }
        let has_number = self.has(Kind::Int) || self.has(Kind::Float) || self.has(Kind::BigInt);
        // Numbers that are quoted somewhere stay numbers; a quoted one alone is text, which an id may well be.
        let is_quoted_number = self.has(Kind::String) && has_number && self.texts != Texts::Words;
        if is_quoted_number && !self.has(Kind::BigInt) && !self.has(Kind::Bool) {
            also(Accept::NumericString);
            if self.texts == Texts::Integers && !self.has(Kind::Float) {
                return DataType::Int64;
            }
            if self.has_long_ints {
                also(Accept::Number);
            }
            return DataType::Float64;
        }
        let is_text =
            self.has(Kind::String) || self.has(Kind::BigInt) || (has_number && self.has(Kind::Bool));
        if is_text {
            if has_number {
                also(Accept::Number);
            }
            if self.has(Kind::Bool) {
                also(Accept::Bool);
            }
            return DataType::String;
        }
        if self.has(Kind::Float) {
            if self.has_long_ints {
                also(Accept::Number);
            }
            return DataType::Float64;
        }
        if self.has(Kind::Int) {
            return DataType::Int64;
        }
        if self.has(Kind::Bool) {
            return DataType::Bool;
        }
        // Only nulls: text is what most later values can be made into.
        DataType::String
    }
}

impl Seen {
    fn describe(&self, names: &[String]) -> SeenType {
        let dtype = match self.kind {
            Kind::Int => "int64",
            Kind::BigInt => "uint64",
            Kind::Float => "float64",
            Kind::Bool => "bool",
            Kind::String => "string",
            Kind::List => "list",
            Kind::Object => "struct",
        };
        SeenType {
            dtype: dtype.to_owned(),
            object: names.get(self.object).cloned().unwrap_or_default(),
            line: self.line,
            n: self.n,
            n_files: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::Shape;

    /// Fields as `name: type accept`, then conflicts as `path = type at object:line xN`.
    fn check(records: &[&str], expected: &str) {
        let mut shape = Shape::default();
        for (i, record) in records.iter().enumerate() {
            let mut one = Shape::default();
            one.add(&serde_json::from_str(record).unwrap(), i, 1);
            shape.merge(one);
        }
        let names: Vec<String> = (0..records.len()).map(|i| format!("o{i}")).collect();
        let (fields, conflicts) = shape.fields(&names);
        let mut text = String::new();
        for field in fields {
            let accept: Vec<&str> = field.accept.iter().map(|accept| accept.word()).collect();
            let accept = if accept.is_empty() {
                String::new()
            } else {
                format!(" {accept:?}")
            };
            writeln!(text, "{}: {}{accept}", field.name, field.dtype).unwrap();
        }
        for conflict in conflicts {
            let seen: Vec<String> = conflict
                .dtypes
                .iter()
                .map(|seen| format!("{} at {} x{}", seen.dtype, seen.object, seen.n))
                .collect();
            writeln!(text, "{} = {}", conflict.name, seen.join(", ")).unwrap();
        }
        assert_eq!(text.trim_end(), expected, "{records:?}");
    }

    #[test]
    fn types_are_merged_into_the_one_that_takes_all() {
        check(&[r#"{"a":1}"#, r#"{"a":2.5}"#], "a: float64");
        check(
            &[r#"{"a":9007199254740993}"#, r#"{"a":2.5}"#],
            "a: float64 [\"number\"]",
        );
        check(
            &[r#"{"a":1}"#, r#"{"a":"x"}"#, r#"{"a":2}"#],
            "a: string [\"number\"]\na = int64 at o0 x2, string at o1 x1",
        );
        check(
            &[r#"{"a":true}"#, r#"{"a":1.5}"#],
            "a: string [\"number\", \"bool\"]\na = bool at o0 x1, float64 at o1 x1",
        );
        check(&[r#"{"a":18446744073709551615}"#], "a: string [\"number\"]");
        check(
            &[r#"{"a":{"b":1}}"#, r#"{"a":"x"}"#],
            "a: json\na = struct at o0 x1, string at o1 x1",
        );
        check(
            &[r#"{"a":[1]}"#, r#"{"a":{}}"#],
            "a: json\na = list at o0 x1, struct at o1 x1",
        );
        check(&[r#"{"a":"2020-01-01T00:00:00Z"}"#], "a: string");
    }

    #[test]
    fn what_holds_no_values_has_a_type_that_can_hold_some() {
        check(
            &[r#"{"a":null,"b":[],"c":{},"d":[null]}"#],
            "a: string\nb: list<string>\nc: json\nd: list<string>",
        );
        check(&[r#"{"a":null}"#, r#"{"a":7}"#], "a: int64");
    }

    #[test]
    fn nested_conflicts_are_told_by_path_and_accepted_by_the_field() {
        check(
            &[
                r#"{"x":{"zip":1,"t":[{"k":true}]}}"#,
                r#"{"late":1,"x":{"zip":"a","t":[{"k":"no"}]}}"#,
            ],
            "x: struct<zip: string, t: list<struct<k: string>>> [\"number\", \"bool\"]\nlate: int64\n\
             x.zip = int64 at o0 x1, string at o1 x1\nx.t[].k = bool at o0 x1, string at o1 x1",
        );
    }

    #[test]
    fn maps_and_bottomless_values_become_text() {
        let map: Vec<String> = (0..1500).map(|i| format!("\"k{i}\":{i}")).collect();
        check(&[&format!("{{\"m\":{{{}}}}}", map.join(","))], "m: json");
        let deep = format!("{{\"d\":{}1{}}}", "[".repeat(40), "]".repeat(40));
        let mut shape = Shape::default();
        shape.add(&serde_json::from_str(&deep).unwrap(), 0, 1);
        let dtype = shape.fields(&[]).0[0].dtype.to_string();
        assert!(dtype.contains("json") && dtype.len() < 200, "{dtype}");
    }
}
