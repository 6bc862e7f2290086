//! Replaces a value by how often it occurs, as a share or a count.
//!
//! Models that cannot take text often do well with its frequency, which needs no target and thus leaks none.
//!
//! ```yaml
//! - frequency_encode: {column: city, into: city_share}
//! - frequency_encode: {column: city, into: city_count, to: count, unknown: null}
//! ```
//!
//! The step is fitted: it learns the counts once, keeps them in the recipe and applies them row by row. A share is of the
//! rows that had a value, as float64; a count is int64. Null gives null. A value that was not learned gives 0, or null with
//! `unknown: null`. With `refit: true` it learns in every run from all rows of a partition.
//!
//! Limits: at most `max_values` different values, because they are written into the recipe; two values of one frequency
//! look the same; text, whole numbers and booleans only.

use std::collections::BTreeMap;

use polars::prelude::{
    Column, DataFrame, DataType, Float64Chunked, Int64Chunked, IntoColumn, PolarsResult, Schema,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::learn::{
    Learns, PYTHON_BY_FREQUENCY, as_text, by_frequency, check_categories, check_vocabulary, keeps_fitted,
    text_code,
};
use super::reject::{allow_null, choice_or_null};
use super::{Params, Step};
use crate::transform::python::{self, Python};
use crate::transform::step::{check_new_name, target};
use crate::transform::{CheckError, Fitted};

/// Parameters of `frequency_encode`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FrequencyEncode {
    /// Column of categories.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write; the column itself when it is not given.
    pub into: Option<String>,
    /// What is written of a value.
    pub to: Frequency,
    /// What becomes of a value that was not learned.
    #[serde(deserialize_with = "choice_or_null")]
    #[schemars(transform = allow_null)]
    pub unknown: OnUnseen,
    /// How many different values may be learned.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_values: u32,
    /// Learn in every run from all rows of the partition.
    pub refit: bool,
    /// What was learned: how often each value occurred.
    pub fitted: Option<Fitted<BTreeMap<String, u64>>>,
}

/// What is written of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    /// Its share of the rows that had a value.
    #[default]
    Share,
    /// How often it occurred.
    Count,
}

/// What becomes of a value that was not learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnUnseen {
    /// It never occurred: 0.
    #[default]
    Zero,
    /// The result is null.
    Null,
}

impl Default for FrequencyEncode {
    fn default() -> Self {
        Self {
            column: String::new(),
            into: None,
            to: Frequency::default(),
            unknown: OnUnseen::default(),
            max_values: 10_000,
            refit: false,
            fitted: None,
        }
    }
}

impl FrequencyEncode {
    fn target(&self) -> &str {
        target(self.into.as_deref(), &self.column)
    }

    /// How often `text` occurred; none where the result is null.
    fn count(&self, text: Option<&str>, counts: &BTreeMap<String, u64>) -> Option<u64> {
        let count = counts.get(text?).copied();
        count.or((self.unknown == OnUnseen::Zero).then_some(0))
    }
}

impl Params for FrequencyEncode {
    const GROUP: &'static str = "categories";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Learns for FrequencyEncode {
    type Values = BTreeMap<String, u64>;

    keeps_fitted!(FrequencyEncode);

    fn is_refit(&self) -> bool {
        self.refit
    }

    fn learned_of(&self) -> String {
        self.column.clone()
    }

    fn check_params(&self, schema: &Schema) -> Result<(), CheckError> {
        check_categories(schema, "column", &self.column)?;
        check_new_name("into", self.target())
    }

    fn learn(&self, df: &DataFrame) -> Result<Option<Self::Values>, CheckError> {
        let counts = by_frequency(df, &self.column)?;
        check_vocabulary(&self.column, counts.len(), self.max_values)?;
        Ok((!counts.is_empty()).then(|| counts.into_iter().collect()))
    }

    fn written(&self, _: &Schema, _: &Self::Values) -> Result<Vec<(String, DataType)>, CheckError> {
        let dtype = match self.to {
            Frequency::Share => DataType::Float64,
            Frequency::Count => DataType::Int64,
        };
        Ok(vec![(self.target().to_owned(), dtype)])
    }

    #[allow(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
    fn encode(&self, df: &DataFrame, counts: &Self::Values) -> PolarsResult<Vec<Column>> {
        let texts = as_text(df.column(&self.column)?)?;
        let found = texts.str()?.iter().map(|text| self.count(text, counts));
        let column = match self.to {
            Frequency::Share => {
                let total = counts.values().sum::<u64>().max(1) as f64;
                let shares: Float64Chunked = found.map(|n| n.map(|n| n as f64 / total)).collect();
                shares.into_column()
            }
            Frequency::Count => {
                let counts: Int64Chunked = found.map(|n| n.and_then(|n| i64::try_from(n).ok())).collect();
                counts.into_column()
            }
        };
        Ok(vec![column.with_name(self.target().into())])
    }

    fn code(&self, _: &Schema, counts: Option<&Self::Values>, script: &mut Python) -> Result<(), String> {
        let counts = if let Some(counts) = counts {
            let counts: Vec<String> = counts
                .iter()
                .map(|(value, n)| format!("{}: {n}", python::quoted(value)))
                .collect();
            format!("{{{}}}", counts.join(", "))
        } else {
            script.define("by_frequency", PYTHON_BY_FREQUENCY);
            format!("dict(by_frequency(df[{}]))", python::quoted(&self.column))
        };
        script.line(format!("counts = {counts}"));
        let text = text_code(&self.column);
        let unknown = match self.unknown {
            OnUnseen::Zero => "0",
            OnUnseen::Null => "None",
        };
        let count = format!(
            "pl.when({text}.is_not_null()).then({text}.replace_strict(list(counts), list(counts.values()), \
             default={unknown}, return_dtype=pl.Int64))"
        );
        let code = match self.to {
            Frequency::Share => format!("({count}) / float(max(sum(counts.values()), 1))"),
            Frequency::Count => count,
        };
        script.with_columns([(self.target(), code)]);
        Ok(())
    }

    fn summary(&self) -> String {
        let to = match self.to {
            Frequency::Share => "share",
            Frequency::Count => "count",
        };
        match &self.into {
            Some(into) => format!("{} → {into}: {to}", self.column),
            None => format!("{} → {to}", self.column),
        }
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{NASTY, check_error, fit_error, fitted, run};

    fn sample() -> DataFrame {
        df!("t" => [Some("a"), Some("b"), Some("a"), None, Some("")]).unwrap()
    }

    #[test]
    fn a_value_becomes_its_share_of_the_rows_that_had_one() {
        let step = fitted("frequency_encode: {column: t, into: s}", &sample());
        let input = df!("t" => [Some("a"), Some(""), Some("z"), None]).unwrap();
        let output = run(&step, &input);
        let shares: Vec<Option<f64>> = output.column("s").unwrap().f64().unwrap().iter().collect();
        assert_eq!(shares, [Some(0.5), Some(0.25), Some(0.0), None]);
    }

    #[test]
    fn or_its_count_and_a_stranger_may_be_null() {
        let step = fitted(
            "frequency_encode: {column: t, to: count, unknown: null}",
            &sample(),
        );
        let output = run(&step, &df!("t" => [Some("a"), Some("z"), None]).unwrap());
        assert!(
            output.equals_missing(&df!("t" => [Some(2_i64), None, None]).unwrap()),
            "{output}"
        );
    }

    #[test]
    fn every_text_survives_as_a_key_of_the_recipe() {
        let sample = df!("t" => NASTY).unwrap();
        let output = run(
            &fitted("frequency_encode: {column: t, to: count}", &sample),
            &sample,
        );
        assert_eq!(output, df!("t" => vec![1_i64; NASTY.len()]).unwrap());
    }

    #[test]
    fn refit_counts_in_the_partition() {
        let step = "frequency_encode: {column: t, to: count, refit: true}";
        let output = run(step, &df!("t" => [7_i64, 7, 8]).unwrap());
        assert_eq!(output, df!("t" => [2_i64, 2, 1]).unwrap());
        let nothing = run(step, &df!("t" => [None::<i64>]).unwrap());
        assert_eq!(nothing.column("t").unwrap().null_count(), 1);
    }

    #[test]
    fn it_has_to_be_fitted_and_its_vocabulary_is_bounded() {
        assert!(check_error("frequency_encode: {column: t}", &sample()).starts_with("not fitted yet"));
        assert!(fit_error("frequency_encode: {column: t, max_values: 2}", &sample()).contains("more than 2"));
        assert!(
            fit_error("frequency_encode: {column: t}", &sample().clear()).starts_with("nothing to learn")
        );
    }
}
