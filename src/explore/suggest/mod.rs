//! Steps that the sampled rows ask for, each with its reason in figures. Nothing here is applied by itself.
//!
//! A suggestion was tried: its step checks on the columns at hand, and where it reads text as something else, the share is
//! that of the values that this very step could read.

mod key;
mod numbers;
mod text;

use polars::prelude::{Column, DataFrame, DataType, Schema};
use serde::Serialize;
use serde_json::Value;

use crate::base::{Accuracy, Cancel, Cancelled, units};
use crate::dataset::origin;
use crate::transform::{Inputs, Plan, Step};

/// Rows looked at: enough for a share of a tenth of a percent.
const MAX_ROWS: usize = 10_000;
/// Values below which nothing is claimed.
const MIN_VALUES: usize = 10;
/// Share of values that has to read as another type.
const MIN_READABLE: f64 = 0.95;
/// Share of nulls from which a column hardly says anything.
const MOSTLY_NULL: f64 = 0.95;

/// What was seen in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SuggestionCode {
    /// Text that reads as a timestamp.
    TimestampInText,
    /// Text that reads as a number.
    NumberInText,
    /// Text that is a JSON object or list.
    JsonInText,
    /// A number of seconds, milliseconds, microseconds or nanoseconds since 1970.
    UnixEpoch,
    /// Tags or entities in text.
    HtmlInText,
    /// Categories that differ only in case or white space.
    MixedSpelling,
    /// Text of many words.
    LongText,
    /// Almost every row has a value of its own.
    NearlyUnique,
    /// Hardly any value at all.
    MostlyNull,
    /// One value in every row.
    Constant,
}

/// A step that a column asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    pub column: String,
    pub code: SuggestionCode,
    /// One line with figures: `99.8% of 10,000 values read as ISO 8601 timestamps`.
    pub reason: String,
    /// Of the values that it is about, 0..=1.
    pub share: f64,
    pub step: Step,
    /// How far the share can be trusted for all data.
    pub accuracy: Accuracy,
}

/// What the visible columns of `df` ask for, in the order of the columns. `accuracy` says what part of the data `df` is.
///
/// # Errors
/// [`Cancelled`].
pub fn suggest(df: &DataFrame, accuracy: Accuracy, cancel: &Cancel) -> Result<Vec<Suggestion>, Cancelled> {
    let df = origin::strip(&df.head(Some(MAX_ROWS)));
    let accuracy = match accuracy {
        Accuracy::Exact if df.height() == MAX_ROWS => Accuracy::Sample {
            n: df.height() as u64,
            of: None,
        },
        Accuracy::Sample { of, .. } => Accuracy::Sample {
            n: df.height() as u64,
            of,
        },
        other => other,
    };
    let schema = df.schema().as_ref().clone();
    let mut found = Vec::new();
    for column in df.columns() {
        cancel.check()?;
        let look = Look {
            schema: &schema,
            column,
            name: column.name().as_str(),
            n_values: column.len() - column.null_count(),
        };
        let seen = look.all(cancel)?;
        found.extend(
            seen.into_iter()
                .filter_map(|seen| look.suggestion(seen, accuracy)),
        );
    }
    Ok(found)
}

/// One thing seen in a column, before its step is checked.
struct Seen {
    code: SuggestionCode,
    reason: String,
    share: f64,
    step: Result<Step, String>,
}

/// One column of the rows looked at.
struct Look<'a> {
    schema: &'a Schema,
    column: &'a Column,
    name: &'a str,
    n_values: usize,
}

impl Look<'_> {
    fn all(&self, cancel: &Cancel) -> Result<Vec<Seen>, Cancelled> {
        let n_rows = self.column.len();
        if n_rows < MIN_VALUES {
            return Ok(Vec::new());
        }
        // What is left of a column that is to be dropped needs no other step.
        let share_null = self.column.null_count() as f64 / n_rows as f64;
        if share_null >= MOSTLY_NULL {
            return Ok(vec![self.mostly_null(share_null)]);
        }
        if let Some(seen) = self.constant() {
            return Ok(vec![seen]);
        }
        if self.n_values < MIN_VALUES {
            return Ok(Vec::new());
        }
        let mut found = match self.column.dtype() {
            DataType::String => text::look(self, cancel)?,
            dtype if dtype.is_integer() => numbers::look(self).into_iter().collect(),
            _ => Vec::new(),
        };
        found.extend(key::look(self));
        Ok(found)
    }

    fn mostly_null(&self, share: f64) -> Seen {
        Seen {
            code: SuggestionCode::MostlyNull,
            reason: format!(
                "{} of {} are null",
                percent(share),
                units::plural(self.column.len() as u64, "row")
            ),
            share,
            step: self.drop(),
        }
    }

    fn constant(&self) -> Option<Seen> {
        if self.column.null_count() > 0 || self.column.n_unique().ok()? != 1 {
            return None;
        }
        let value = self.column.get(0).ok()?;
        let value = shortened(&value.str_value(), 40);
        Some(Seen {
            code: SuggestionCode::Constant,
            reason: format!(
                "`{value}` in each of {}",
                units::plural(self.column.len() as u64, "row")
            ),
            share: 1.0,
            step: self.drop(),
        })
    }

    fn drop(&self) -> Result<Step, String> {
        Step::from_params("drop", serde_json::json!({"columns": [self.name]}))
    }

    /// The suggestion, if its step checks here: dropping the only column does not, for one.
    fn suggestion(&self, seen: Seen, accuracy: Accuracy) -> Option<Suggestion> {
        let step = seen.step.ok()?;
        step.check(self.schema, &Inputs::default()).ok()?;
        Some(Suggestion {
            column: self.name.to_owned(),
            code: seen.code,
            reason: seen.reason,
            share: seen.share,
            step,
            accuracy,
        })
    }

    /// The first values that are not null, as a frame of this column alone.
    fn values(&self, n: usize) -> Option<DataFrame> {
        let values = self.column.drop_nulls().slice(0, n);
        let n = values.len();
        DataFrame::new(n, vec![values]).ok()
    }

    /// How many of `values` the step `name` with `params` can compute; it has to make nulls of the others.
    fn n_computed(&self, name: &str, params: Value, values: &DataFrame) -> Option<usize> {
        let step = Step::from_params(name, params).ok()?;
        let plan = Plan::of_step(1, &step, values.schema(), &Inputs::default()).ok()?;
        let outcome = plan.execute(values.clone()).ok()?;
        let column = outcome.df.column(self.name).ok()?;
        Some(column.len() - column.null_count())
    }

    /// A name for a new column that is not taken.
    fn free_name(&self, ending: &str) -> String {
        let mut name = format!("{}_{ending}", self.name);
        while self.schema.contains(&name) {
            name.push('_');
        }
        name
    }
}

/// `99.8%`; never 100% for less than all, nor 0% for more than none.
fn percent(share: f64) -> String {
    let text = format!("{:.1}%", share * 100.0);
    match text.as_str() {
        "100.0%" if share < 1.0 => "over 99.9%".to_owned(),
        "0.0%" if share > 0.0 => "under 0.1%".to_owned(),
        _ => text.replace(".0%", "%"),
    }
}

/// The beginning of a value on one line.
fn shortened(text: &str, max_chars: usize) -> String {
    let mut short: String = text
        .chars()
        .take(max_chars)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests;
