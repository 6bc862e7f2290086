//! Keys that differ only by normalization: case, spaces around or between words, the form of their Unicode.
//!
//! Such keys are one thing to people and several to a join, which then loses rows.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

use super::partitions::HashedKeys;
use super::types::KeyVariants;
use super::value::KeyValue;

/// Keys that are looked at, the largest ones.
pub(super) const MAX_KEYS: usize = 100_000;
/// Groups that are told, and spellings of each.
const MAX_GROUPS: usize = 20;
const MAX_SPELLINGS: usize = 5;

/// Groups of keys that become one when normalized, those with the most rows first.
pub(super) fn variants(keys: &HashedKeys) -> Vec<KeyVariants> {
    let has_text = |values: &[KeyValue<'_>]| values.iter().any(|value| matches!(value, KeyValue::Text(_)));
    let mut groups: HashMap<String, Vec<usize>> = HashMap::new();
    let counted = keys.counts().keys();
    for (i, key) in counted.iter().enumerate().take(MAX_KEYS) {
        let values = keys.counts().values(key);
        if has_text(&values) {
            groups.entry(normal(&values)).or_default().push(i);
        }
    }
    let rows = |i: &usize| counted.get(*i).map_or(0, |key| key.n_rows);
    let mut groups: Vec<(String, Vec<usize>, u64)> = groups
        .into_iter()
        .filter(|(_, members)| members.len() > 1)
        .map(|(normal, members)| {
            let n_rows = members.iter().map(rows).sum();
            (normal, members, n_rows)
        })
        .collect();
    groups.sort_unstable_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
    groups.truncate(MAX_GROUPS);
    groups
        .into_iter()
        .map(|(normal, members, n_rows)| KeyVariants {
            normal,
            // Keys are sorted by rows already.
            spellings: members
                .iter()
                .take(MAX_SPELLINGS)
                .filter_map(|i| counted.get(*i))
                .map(|key| (keys.label(key), key.n_rows))
                .collect(),
            n_rows,
        })
        .collect()
}

/// Trimmed, lower case, one space between words, NFKC; values that are no text as they are.
fn normal(values: &[KeyValue<'_>]) -> String {
    let parts: Vec<String> = values
        .iter()
        .map(|value| match value {
            KeyValue::Text(text) => normal_text(text),
            // No text of a key has this form, so that null and the word are kept apart.
            other => format!("\u{0}{other:?}"),
        })
        .collect();
    parts.join("\u{1}").replace('\u{0}', "").replace('\u{1}', " · ")
}

fn normal_text(text: &str) -> String {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_ascii() {
        return words(text).to_lowercase();
    }
    let composed: String = text.nfkc().collect::<String>().to_lowercase().nfkc().collect();
    words(&composed)
}

#[cfg(test)]
mod tests {
    use super::super::CountBudget;
    use super::super::testing::{hashed, keys};
    use super::variants;
    use polars::prelude::df;

    #[test]
    fn spellings_of_one_thing_are_found_with_their_rows() {
        let keys = keys(&[
            ("Berlin", 5),
            ("berlin ", 2),
            ("BERLIN", 1),
            ("e\u{301}", 3),
            ("é", 1),
            ("New  York", 1),
            ("new york", 1),
            ("Rome", 9),
        ]);
        let found = variants(&keys);
        let names: Vec<(&str, u64, usize)> = found
            .iter()
            .map(|group| (group.normal.as_str(), group.n_rows, group.spellings.len()))
            .collect();
        assert_eq!(names, [("berlin", 8, 3), ("é", 4, 2), ("new york", 2, 2)]);
        assert_eq!(
            found[0].spellings,
            [
                ("Berlin".to_owned(), 5),
                ("\"berlin \"".to_owned(), 2),
                ("BERLIN".to_owned(), 1)
            ]
        );
    }

    #[test]
    fn numbers_nulls_and_words_are_never_one() {
        let df = df!("k" => [Some("Null"), None, Some("a")], "n" => [1_i64, 1, 1]).unwrap();
        assert!(variants(&hashed(&df, &["k"], CountBudget::default())).is_empty());
        assert!(variants(&hashed(&df, &["n"], CountBudget::default())).is_empty());
        assert!(variants(&hashed(&df, &["k", "n"], CountBudget::default())).is_empty());
    }
}
