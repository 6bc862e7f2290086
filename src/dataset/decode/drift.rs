//! How the data differ from the declared schema, counted by path of the key in bounded memory.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// More names than these are counted together under [`OTHER_KEYS`].
const MAX_NAMES: usize = 1000;
const MAX_NAME_CHARS: usize = 200;

/// Stands for all names beyond the first thousand.
pub const OTHER_KEYS: &str = "(other keys)";

/// A key that the schema does not declare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnknownKey {
    pub n: u64,
    pub first_object: String,
    pub first_line: u64,
}

/// Values of another type that became null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mismatch {
    pub n: u64,
    pub expected: String,
    /// The first such value, such as `string "n/a"`.
    pub first_got: String,
    pub first_object: String,
    pub first_line: u64,
}

/// How the data differ from the contract, by path of the key. Mergeable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    pub unknown: BTreeMap<String, UnknownKey>,
    #[serde(default)]
    pub mismatched: BTreeMap<String, Mismatch>,
}

impl Drift {
    pub fn is_empty(&self) -> bool {
        self.unknown.is_empty() && self.mismatched.is_empty()
    }

    /// Adds what `later` saw; places already known stay the first ones.
    pub fn merge(&mut self, later: &Self) {
        for (path, seen) in &later.unknown {
            self.add_unknown(path, seen.n, &seen.first_object, seen.first_line);
        }
        for (path, seen) in &later.mismatched {
            self.mismatched
                .entry(path.clone())
                .and_modify(|known| known.n += seen.n)
                .or_insert_with(|| seen.clone());
        }
    }

    /// As [`Drift::merge`], for parts that come in any order: the first place is the least by object and line.
    pub fn merge_unordered(&mut self, other: &Self) {
        self.merge(other);
        for (path, seen) in &other.unknown {
            if let Some(known) = self.unknown.get_mut(path)
                && (&seen.first_object, seen.first_line) < (&known.first_object, known.first_line)
            {
                known.first_object.clone_from(&seen.first_object);
                known.first_line = seen.first_line;
            }
        }
        for (path, seen) in &other.mismatched {
            if let Some(known) = self.mismatched.get_mut(path)
                && (&seen.first_object, seen.first_line) < (&known.first_object, known.first_line)
            {
                *known = Mismatch {
                    n: known.n,
                    ..seen.clone()
                };
            }
        }
    }

    pub(super) fn count_unknown(&mut self, prefix: &str, key: &str, object: &str, line: u64) {
        if prefix.is_empty()
            && let Some(known) = self.unknown.get_mut(key)
        {
            known.n += 1;
            return;
        }
        let path = format!("{prefix}{key}");
        match path.char_indices().nth(MAX_NAME_CHARS) {
            Some((end, _)) => {
                let path = format!("{}…", path.get(..end).unwrap_or_default());
                self.add_unknown(&path, 1, object, line);
            }
            None => self.add_unknown(&path, 1, object, line),
        }
    }

    fn add_unknown(&mut self, path: &str, n: u64, object: &str, line: u64) {
        if let Some(known) = self.unknown.get_mut(path) {
            known.n += n;
            return;
        }
        let path = if self.unknown.len() < MAX_NAMES {
            path
        } else {
            OTHER_KEYS
        };
        self.unknown
            .entry(path.to_owned())
            .and_modify(|known| known.n += n)
            .or_insert_with(|| UnknownKey {
                n,
                first_object: object.to_owned(),
                first_line: line,
            });
    }
}

#[cfg(test)]
mod tests {
    use super::{Drift, OTHER_KEYS};

    #[test]
    fn names_beyond_the_cap_are_counted_together() {
        let mut drift = Drift::default();
        for i in 0..1500 {
            drift.count_unknown("a.", &format!("k{i}"), "o", i + 1);
        }
        drift.count_unknown("a.", "k7", "o", 9000);
        assert_eq!(drift.unknown.len(), 1001);
        assert_eq!(drift.unknown[OTHER_KEYS].n, 500);
        assert_eq!(drift.unknown[OTHER_KEYS].first_line, 1001);
        assert_eq!(
            (drift.unknown["a.k7"].n, drift.unknown["a.k7"].first_line),
            (2, 8)
        );
    }

    #[test]
    fn merging_keeps_the_first_place_and_adds_counts() {
        let (mut a, mut b) = (Drift::default(), Drift::default());
        a.count_unknown("", "x", "a", 3);
        b.count_unknown("", "x", "b", 1);
        b.count_unknown("", "y", "b", 2);
        let mut backwards = b.clone();
        a.merge(&b);
        assert_eq!((a.unknown["x"].n, a.unknown["x"].first_object.as_str()), (2, "a"));
        assert_eq!(a.unknown["y"].n, 1);
        let mut first = Drift::default();
        first.count_unknown("", "x", "a", 3);
        backwards.merge_unordered(&first);
        assert_eq!(backwards, a);
    }
}
