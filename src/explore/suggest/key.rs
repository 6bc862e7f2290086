//! Columns that look like keys and are not quite: a few rows repeat a value.

use polars::prelude::DataType;
use serde_json::json;

use super::{Look, Seen, SuggestionCode, percent};
use crate::base::units;
use crate::transform::Step;

/// Share of values of their own from which a column looks like a key.
const MIN_DISTINCT: f64 = 0.98;
/// Words in names of keys.
const KEY_WORDS: &[&str] = &["id", "ids", "key", "uuid", "guid", "hash", "sku", "url", "code"];
/// Longer values are text.
const MAX_BYTES: usize = 200;

pub(super) fn look(look: &Look<'_>) -> Option<Seen> {
    let dtype = look.column.dtype();
    if !(dtype == &DataType::String || dtype.is_integer()) || !is_named_like_a_key(look.name) {
        return None;
    }
    let values = look.column.drop_nulls();
    if let Ok(texts) = values.str()
        && texts.iter().flatten().any(|text| text.len() > MAX_BYTES)
    {
        return None;
    }
    let n_distinct = values.n_unique().ok()?;
    let n_repeats = look.n_values.checked_sub(n_distinct)?;
    let share = n_distinct as f64 / look.n_values.max(1) as f64;
    if n_repeats == 0 || share < MIN_DISTINCT {
        return None;
    }
    Some(Seen {
        code: SuggestionCode::NearlyUnique,
        reason: format!(
            "{} distinct among {} ({}): a key but for {}",
            units::count(n_distinct as u64),
            units::plural(look.n_values as u64, "value"),
            percent(share),
            units::plural(n_repeats as u64, "row"),
        ),
        share,
        step: Step::from_params("dedupe", json!({"columns": [look.name]})),
    })
}

fn is_named_like_a_key(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| KEY_WORDS.contains(&word))
        || name.ends_with("Id")
        || name.ends_with("ID")
}
