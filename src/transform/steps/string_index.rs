//! Numbers values by how often they occur, the most frequent first: Spark ML's `StringIndexer`.
//!
//! ```yaml
//! - string_index: {column: city, into: city_index}
//! - string_index: {column: city, into: city_index, handle_invalid: keep}
//! ```
//!
//! The step is fitted: it learns the values and their order once, keeps them in the recipe and applies them row by row.
//! The most frequent value is 0; equally frequent ones follow in the order of Java's text, as Spark's `frequencyDesc` has
//! it. The result is int32, where Spark writes the same numbers as float64. Whole numbers and booleans count as their text.
//!
//! A value that was not learned follows `handle_invalid`, and so does null, as in Spark: `reject` (`error`) rejects the
//! record, `null` gives null (where `skip` would leave the row out), `keep` gives the number after the last.
//!
//! With `refit: true` it learns in every run from all rows of a partition: then a value may have different numbers on two
//! days.
//!
//! Limits: at most `max_values` different values, because they are written into the recipe; text, whole numbers and
//! booleans only.

use std::collections::HashMap;

use polars::prelude::{Column, DataFrame, DataType, Int32Chunked, IntoColumn, PolarsResult, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::learn::{
    Learns, OnUnknown, PYTHON_BY_FREQUENCY, as_text, check_categories, keeps_fitted, text_code,
    unknown_values, vocabulary,
};
use super::reject::{allow_null, choice_or_null};
use super::{Params, Step};
use crate::base::units;
use crate::transform::python::{self, Python};
use crate::transform::step::check_new_name;
use crate::transform::{CheckError, Fitted};

/// Parameters of `string_index`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StringIndex {
    /// Column of categories.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write, the number of the value.
    pub into: String,
    /// What becomes of null and of a value that was not learned.
    #[serde(deserialize_with = "choice_or_null")]
    #[schemars(transform = allow_null)]
    pub handle_invalid: OnUnknown,
    /// How many different values may be learned.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_values: u32,
    /// Learn in every run from all rows of the partition.
    pub refit: bool,
    /// What was learned: the values in the order of their numbers.
    pub fitted: Option<Fitted<Vec<String>>>,
}

impl Default for StringIndex {
    fn default() -> Self {
        Self {
            column: String::new(),
            into: String::new(),
            handle_invalid: OnUnknown::default(),
            max_values: 10_000,
            refit: false,
            fitted: None,
        }
    }
}

/// The number of each value.
pub(super) fn indices(values: &[String]) -> HashMap<&str, i32> {
    values.iter().map(String::as_str).zip(0..).collect()
}

impl Params for StringIndex {
    const GROUP: &'static str = "categories";
    const REQUIRED: &'static [&'static str] = &["column", "into"];
}

impl Learns for StringIndex {
    type Values = Vec<String>;

    keeps_fitted!(StringIndex);

    fn is_refit(&self) -> bool {
        self.refit
    }

    fn learned_of(&self) -> String {
        self.column.clone()
    }

    fn check_params(&self, schema: &Schema) -> Result<(), CheckError> {
        check_categories(schema, "column", &self.column)?;
        check_new_name("into", &self.into)
    }

    fn learn(&self, df: &DataFrame) -> Result<Option<Vec<String>>, CheckError> {
        vocabulary(df, &self.column, self.max_values)
    }

    fn written(&self, _: &Schema, values: &Vec<String>) -> Result<Vec<(String, DataType)>, CheckError> {
        check_distinct(values)?;
        Ok(vec![(self.into.clone(), DataType::Int32)])
    }

    fn encode(&self, df: &DataFrame, values: &Vec<String>) -> PolarsResult<Vec<Column>> {
        let texts = as_text(df.column(&self.column)?)?;
        let texts = texts.str()?;
        let indices = indices(values);
        let unknown = match self.handle_invalid {
            OnUnknown::Keep => i32::try_from(values.len()).ok(),
            OnUnknown::Reject | OnUnknown::Null => None,
        };
        let numbers: Int32Chunked = texts
            .iter()
            .map(|text| text.and_then(|text| indices.get(text).copied()).or(unknown))
            .collect();
        let mut columns = vec![numbers.with_name(self.into.as_str().into()).into_column()];
        if self.handle_invalid == OnUnknown::Reject {
            columns.push(unknown_values(texts, &self.column, |text| {
                indices.contains_key(text)
            }));
        }
        Ok(columns)
    }

    fn code(&self, _: &Schema, values: Option<&Vec<String>>, script: &mut Python) -> Result<(), String> {
        let learned = values_code(&self.column, values, script);
        script.line(format!("values = {learned}"));
        let text = text_code(&self.column);
        if self.handle_invalid == OnUnknown::Reject {
            script.line(format!("df = df.filter({text}.is_in(values).fill_null(False))"));
        }
        let unknown = match self.handle_invalid {
            OnUnknown::Keep => "len(values)",
            OnUnknown::Reject | OnUnknown::Null => "None",
        };
        let code = format!(
            "{text}.replace_strict(values, list(range(len(values))), default={unknown}, return_dtype=pl.Int32)"
        );
        script.with_columns([(self.into.as_str(), code)]);
        Ok(())
    }

    fn summary(&self) -> String {
        let learned = self.fitted.as_ref().filter(|_| !self.refit);
        match learned {
            Some(fitted) => {
                let values = units::plural(fitted.values.len() as u64, "value");
                format!("{} → {}: {values}", self.column, self.into)
            }
            None => format!("{} → {}", self.column, self.into),
        }
    }

    fn subject(&self) -> String {
        self.column.clone()
    }

    fn rejected_column(&self) -> Option<&str> {
        (self.handle_invalid == OnUnknown::Reject).then_some(self.column.as_str())
    }
}

/// Code for the list of learned values, by frequency.
pub(super) fn values_code(column: &str, values: Option<&Vec<String>>, script: &mut Python) -> String {
    if let Some(values) = values {
        return python::list(values.iter().map(String::as_str));
    }
    script.define("by_frequency", PYTHON_BY_FREQUENCY);
    format!(
        "[value for value, count in by_frequency(df[{}])]",
        python::quoted(column)
    )
}

/// Refuses values that a person wrote twice.
pub(super) fn check_distinct(values: &[String]) -> Result<(), CheckError> {
    let indices = indices(values);
    // A doubled value has the number of its last place.
    match values
        .iter()
        .zip(0..)
        .find(|(value, place)| indices.get(value.as_str()) != Some(place))
    {
        Some((value, _)) => Err(
            CheckError::new("fitted", format!("value `{value}` stands there twice"))
                .hint("remove one of the two"),
        ),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{NASTY, check_error, fit_error, fitted, outcome, run};

    fn indices(df: &DataFrame) -> Vec<Option<i32>> {
        df.column("i").unwrap().i32().unwrap().iter().collect()
    }

    #[test]
    fn the_most_frequent_value_is_zero_and_ties_are_in_the_order_of_text() {
        let sample =
            df!("t" => [Some("b"), Some("a"), Some("c"), Some("c"), None, Some(""), Some("ä")]).unwrap();
        let step = fitted("string_index: {column: t, into: i}", &sample);
        let input = df!("t" => ["c", "", "a", "b", "ä"]).unwrap();
        assert_eq!(indices(&run(&step, &input)), [0, 1, 2, 3, 4].map(Some));
    }

    #[test]
    fn what_was_not_learned_is_rejected_null_or_one_more() {
        let sample = df!("t" => ["a", "b", "b"]).unwrap();
        let input = df!("t" => [Some("a"), Some("z"), None]).unwrap();
        let strict = outcome(&fitted("string_index: {column: t, into: i}", &sample), &input);
        assert_eq!(strict.df.height(), 1);
        let messages: Vec<&str> = strict
            .rejects
            .iter()
            .map(|reject| reject.message.as_str())
            .collect();
        assert_eq!(
            messages,
            ["`z` is no known value of `t`", "null is no known value of `t`"]
        );
        for (handle, expected) in [("null", None), ("keep", Some(2))] {
            let step = format!("string_index: {{column: t, into: i, handle_invalid: {handle}}}");
            let output = run(&fitted(&step, &sample), &input);
            assert_eq!(indices(&output), [Some(1), expected, expected], "{handle}");
        }
    }

    #[test]
    fn whole_numbers_and_booleans_count_as_text() {
        let sample = df!("n" => [7_i64, 7, -1], "b" => [true, false, false]).unwrap();
        let step = fitted("string_index: {column: n, into: i}", &sample);
        assert_eq!(indices(&run(&step, &sample)), [Some(0), Some(0), Some(1)]);
        let step = fitted("string_index: {column: b, into: i}", &sample);
        assert_eq!(indices(&run(&step, &sample)), [Some(1), Some(0), Some(0)]);
    }

    #[test]
    fn every_text_survives_in_the_recipe() {
        let sample = df!("t" => NASTY).unwrap();
        let step = fitted("string_index: {column: t, into: i}", &sample);
        let output = run(&step, &sample);
        let mut found: Vec<i32> = indices(&output).into_iter().flatten().collect();
        found.sort_unstable();
        let n = i32::try_from(NASTY.len()).unwrap();
        assert_eq!(found, (0..n).collect::<Vec<i32>>(), "{step}");
    }

    #[test]
    fn refit_learns_the_values_of_the_partition() {
        let input = df!("t" => [Some("x"), Some("y"), Some("y"), None]).unwrap();
        let step = "string_index: {column: t, into: i, handle_invalid: keep, refit: true}";
        assert_eq!(indices(&run(step, &input)), [Some(1), Some(0), Some(0), Some(2)]);
        assert_eq!(indices(&run(step, &input.clear())), []);
    }

    #[test]
    fn too_many_values_and_columns_without_categories_are_refused() {
        let input = df!("t" => ["a", "b", "c"], "x" => [0.5, 1.0, 2.0]).unwrap();
        assert_eq!(
            fit_error("string_index: {column: t, into: i, max_values: 2}", &input),
            "column `t` has 3 different values, more than 2: use `group_rare` or `hash_encode` first, or raise \
             `max_values`"
        );
        assert!(
            check_error("string_index: {column: x, into: i}", &input).contains("use `bucketize` or `cast`")
        );
        assert!(check_error("string_index: {column: t}", &input).contains("no name"));
        let nulls = df!("t" => [None::<&str>]).unwrap();
        assert!(fit_error("string_index: {column: t, into: i}", &nulls).starts_with("nothing to learn"));
        let step = fitted("string_index: {column: t, into: i}", &input);
        let doubled = step.replacen("- b", "- a", 1);
        assert_eq!(
            check_error(&doubled, &input),
            "value `a` stands there twice: remove one of the two"
        );
    }
}
