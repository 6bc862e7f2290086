//! The keys of an object and the columns they go to: a record's fields, and those of the structs inside.

use std::collections::{BTreeMap, HashMap};

use polars::error::PolarsResult;
use polars_arrow::array::Array;
use simd_json::{Node, StaticNode};

use super::columns::Column;
use super::record::{Fault, Record, check_doubled, doubled_key};
use crate::dataset::{OnMissing, OnUnknown, Reason, Stage};

pub(super) struct Members {
    /// What stands before a key in its path: nothing, or `location.`.
    prefix: String,
    all: Vec<Member>,
    by_name: HashMap<Box<str>, usize>,
    /// Which object is being read; a member knows the last one that had it.
    object: u64,
}

struct Member {
    name: Box<str>,
    is_required: bool,
    column: Column,
    seen_in: u64,
    /// Objects that lack the key, in good records.
    n_missing: u64,
    /// The last record with such an object, and how many it has: they are taken back when the record is rejected.
    missed_in: (u64, u64),
}

impl Members {
    /// `columns` are names, whether they are required, and builders.
    pub(super) fn new(prefix: String, columns: Vec<(&str, bool, Column)>) -> Self {
        let by_name = columns
            .iter()
            .enumerate()
            .map(|(i, (name, _, _))| (Box::from(*name), i))
            .collect();
        let all = columns
            .into_iter()
            .map(|(name, is_required, column)| Member {
                name: name.into(),
                is_required,
                column,
                seen_in: 0,
                n_missing: 0,
                missed_in: (0, 0),
            })
            .collect();
        Self {
            prefix,
            all,
            by_name,
            object: 0,
        }
    }

    /// Adds one entry to each column from the object at `at`, or fails with the columns uneven.
    pub(super) fn append(&mut self, record: &mut Record<'_>, at: usize, len: usize) -> Result<(), Fault> {
        record.descend()?;
        self.object += 1;
        let object = self.object;
        let mut n_seen = 0;
        let mut expected = 0;
        let mut strangers: Vec<&str> = Vec::new();
        let mut key_at = at + 1;
        for _ in 0..len {
            let Node::String(key) = record.node(key_at) else {
                break;
            };
            let value = key_at + 1;
            if let Some(member) = self.find(key, &mut expected) {
                if member.seen_in == object {
                    return Err(doubled_key(&member.column.path));
                }
                member.seen_in = object;
                n_seen += 1;
                member.append(record, value)?;
            } else {
                self.stranger(record, key, value)?;
                strangers.push(key);
            }
            key_at = record.after(value);
        }
        check_doubled(&mut strangers, &self.prefix)?;
        if n_seen < self.all.len() {
            for member in &mut self.all {
                if member.seen_in != object {
                    member.miss(record.on_missing, record.number)?;
                }
            }
        }
        record.ascend();
        Ok(())
    }

    /// The member named `key`: keys mostly come in the declared order, so that one is looked at first.
    fn find(&mut self, key: &str, expected: &mut usize) -> Option<&mut Member> {
        let is_next = self.all.get(*expected).is_some_and(|member| *member.name == *key);
        if !is_next {
            *expected = *self.by_name.get(key)?;
        }
        let member = self.all.get_mut(*expected);
        *expected += 1;
        member
    }

    fn stranger(&self, record: &mut Record<'_>, key: &str, value: usize) -> Result<(), Fault> {
        record.check_value(value, &self.prefix)?;
        if record.on_unknown == OnUnknown::Quarantine {
            let path = format!("{}{key}", self.prefix);
            let message = format!("key `{path}` is not declared");
            let got = record.describe(value);
            return Err(Fault::new(Stage::Schema, Reason::UnknownField, message)
                .at(path)
                .got(got));
        }
        record.count_unknown(&self.prefix, key);
        Ok(())
    }

    pub(super) fn push_null(&mut self) {
        for member in &mut self.all {
            member.column.push_null();
        }
    }

    /// Brings every column to `n` entries after a record failed half way.
    pub(super) fn settle(&mut self, n: usize) {
        for member in &mut self.all {
            member.column.settle(n);
        }
    }

    /// Takes back what was counted as missing in a record that is rejected.
    pub(super) fn forget_missing(&mut self, record: u64) {
        for member in &mut self.all {
            if member.missed_in.0 == record {
                member.n_missing -= std::mem::take(&mut member.missed_in).1;
            }
            if let Some(inside) = member.column.members() {
                inside.forget_missing(record);
            }
        }
    }

    /// Adds how many objects lacked each key, by its path; the counts start anew.
    pub(super) fn take_missing(&mut self, missing: &mut BTreeMap<String, u64>) {
        for member in &mut self.all {
            let n = std::mem::take(&mut member.n_missing);
            if n > 0 {
                *missing.entry(member.column.path.clone()).or_default() += n;
            }
            if let Some(inside) = member.column.members() {
                inside.take_missing(missing);
            }
        }
    }

    pub(super) fn row_bytes(&self) -> usize {
        self.all.iter().map(|member| member.column.row_bytes()).sum()
    }

    /// Names and finished arrays; the columns start anew.
    pub(super) fn take(&mut self) -> PolarsResult<Vec<(&str, Box<dyn Array>)>> {
        self.all
            .iter_mut()
            .map(|member| Ok((&*member.name, member.column.take()?)))
            .collect()
    }
}

impl Member {
    fn append(&mut self, record: &mut Record<'_>, value: usize) -> Result<(), Fault> {
        if self.is_required && record.node(value) == Node::Static(StaticNode::Null) {
            return Err(self.missing("null"));
        }
        self.column.append(record, value)
    }

    fn miss(&mut self, on_missing: OnMissing, record: u64) -> Result<(), Fault> {
        if self.is_required || on_missing == OnMissing::Quarantine {
            return Err(self.missing("missing"));
        }
        self.n_missing += 1;
        if self.missed_in.0 == record {
            self.missed_in.1 += 1;
        } else {
            self.missed_in = (record, 1);
        }
        self.column.push_null();
        Ok(())
    }

    fn missing(&self, how: &str) -> Fault {
        let path = &self.column.path;
        let why = if self.is_required { " and required" } else { "" };
        let message = format!("field `{path}` is {how}{why}");
        Fault::new(Stage::Schema, Reason::MissingField, message)
            .at(path)
            .expected(self.column.dtype.to_string())
            .got(how)
    }
}
