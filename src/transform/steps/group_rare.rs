//! Puts rare values together under one name.
//!
//! A column of cities has a few that matter and thousands that occur once. Grouped, the rare ones give a model something to
//! learn from, and `one_hot` or `string_index` after this step stay small.
//!
//! ```yaml
//! - group_rare: {column: city, min_share: 0.01}
//! - group_rare: {column: skill, into: skill_group, min_count: 50, other: rare}
//! ```
//!
//! A value stays when at least `min_share` of the rows that had a value carried it, or at least `min_count` of them; give
//! one of the two. All others, and values that come up later, become `other`. Null stays null.
//!
//! The step is fitted: it learns once which values stay, keeps them in the recipe and applies them row by row. With
//! `refit: true` it learns in every run from all rows of a partition.
//!
//! Limits: text only; at most `max_values` values stay, because they are written into the recipe. A value that is itself
//! called like `other` is not told apart from the rare ones.

use std::collections::BTreeSet;

use polars::prelude::{Column, DataFrame, DataType, IntoColumn, PolarsResult, Schema, StringChunked};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::learn::{Learns, PYTHON_BY_FREQUENCY, by_frequency, check_share, keeps_fitted};
use super::{Params, Step};
use crate::base::units;
use crate::transform::python::{self, Python};
use crate::transform::step::{check_new_name, column_type, target, wrong_type};
use crate::transform::{CheckError, Fitted};

/// Parameters of `group_rare`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GroupRare {
    /// Column of text.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write; the column itself when it is not given.
    pub into: Option<String>,
    /// Share of the values from which one stays.
    #[schemars(range(min = 0, max = 1))]
    pub min_share: Option<f64>,
    /// Number of rows from which a value stays.
    #[schemars(range(min = 1))]
    pub min_count: Option<u64>,
    /// What rare values become.
    pub other: String,
    /// How many values may stay.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_values: u32,
    /// Learn in every run from all rows of the partition.
    pub refit: bool,
    /// What was learned: the values that stay.
    pub fitted: Option<Fitted<BTreeSet<String>>>,
}

impl Default for GroupRare {
    fn default() -> Self {
        Self {
            column: String::new(),
            into: None,
            min_share: None,
            min_count: None,
            other: "other".to_owned(),
            max_values: 10_000,
            refit: false,
            fitted: None,
        }
    }
}

impl GroupRare {
    fn target(&self) -> &str {
        target(self.into.as_deref(), &self.column)
    }

    #[allow(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
    fn is_frequent(&self, count: u64, total: u64) -> bool {
        match (self.min_share, self.min_count) {
            (Some(share), _) => count as f64 >= share * total as f64,
            (None, least) => count >= least.unwrap_or(1),
        }
    }
}

impl Params for GroupRare {
    const GROUP: &'static str = "categories";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Learns for GroupRare {
    type Values = BTreeSet<String>;

    keeps_fitted!(GroupRare);

    fn is_refit(&self) -> bool {
        self.refit
    }

    fn learned_of(&self) -> String {
        match (self.min_share, self.min_count) {
            (Some(share), _) => format!("{}, share {share}", self.column),
            (None, count) => format!("{}, count {}", self.column, count.unwrap_or(1)),
        }
    }

    fn check_params(&self, schema: &Schema) -> Result<(), CheckError> {
        let dtype = column_type(schema, "column", &self.column)?;
        if dtype != &DataType::String {
            return Err(wrong_type("column", &self.column, dtype, "string").hint("use `cast` first"));
        }
        check_new_name("into", self.target())?;
        match (self.min_share, self.min_count) {
            (Some(share), None) => check_share("min_share", share),
            (None, Some(1..)) => Ok(()),
            (None, Some(0)) => {
                Err(CheckError::new("min_count", "`min_count` is 0").hint("write a number of at least 1"))
            }
            (None, None) => Err(
                CheckError::new("min_share", "neither `min_share` nor `min_count` is given")
                    .hint("write the share or the number of rows from which a value stays"),
            ),
            (Some(_), Some(_)) => Err(CheckError::new(
                "min_count",
                "`min_share` and `min_count` are both given",
            )
            .hint("remove one of the two")),
        }
    }

    fn learn(&self, df: &DataFrame) -> Result<Option<Self::Values>, CheckError> {
        let counts = by_frequency(df, &self.column)?;
        let total = counts.iter().map(|(_, n)| n).sum();
        let is_empty = counts.is_empty();
        let values: BTreeSet<String> = counts
            .into_iter()
            .filter(|(_, n)| self.is_frequent(*n, total))
            .map(|(value, _)| value)
            .collect();
        if values.len() > self.max_values as usize {
            return Err(CheckError::new(
                "max_values",
                format!(
                    "{} of column `{}` are frequent enough to stay, more than {}",
                    units::plural(values.len() as u64, "value"),
                    self.column,
                    units::count(u64::from(self.max_values))
                ),
            )
            .hint("raise `min_share` or `min_count`, or `max_values`"));
        }
        Ok((!is_empty).then_some(values))
    }

    fn written(&self, _: &Schema, _: &Self::Values) -> Result<Vec<(String, DataType)>, CheckError> {
        Ok(vec![(self.target().to_owned(), DataType::String)])
    }

    fn encode(&self, df: &DataFrame, values: &Self::Values) -> PolarsResult<Vec<Column>> {
        let other = self.other.as_str();
        let grouped: StringChunked = df
            .column(&self.column)?
            .str()?
            .iter()
            .map(|text| text.map(|text| if values.contains(text) { text } else { other }))
            .collect();
        Ok(vec![grouped.with_name(self.target().into()).into_column()])
    }

    fn code(&self, _: &Schema, values: Option<&Self::Values>, script: &mut Python) -> Result<(), String> {
        let values = if let Some(values) = values {
            python::list(values.iter().map(String::as_str))
        } else {
            script.define("by_frequency", PYTHON_BY_FREQUENCY);
            script.line(format!(
                "counts = dict(by_frequency(df[{}]))",
                python::quoted(&self.column)
            ));
            let least = match (self.min_share, self.min_count) {
                (Some(share), _) => format!("{} * float(sum(counts.values()))", python::float(share)),
                (None, count) => count.unwrap_or(1).to_string(),
            };
            format!("[value for value, n in counts.items() if n >= {least}]")
        };
        let value = python::col(&self.column);
        let code = format!(
            "pl.when({value}.is_null() | {value}.is_in({values})).then({value}).otherwise(pl.lit({}))",
            python::quoted(&self.other)
        );
        script.with_columns([(self.target(), code)]);
        Ok(())
    }

    fn summary(&self) -> String {
        match self.fitted.as_ref().filter(|_| !self.refit) {
            Some(fitted) => {
                let values = units::plural(fitted.values.len() as u64, "value");
                format!("{}: {values} and `{}`", self.column, self.other)
            }
            None => format!("{}: rare ones → `{}`", self.column, self.other),
        }
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, fit_error, fitted, run};

    fn sample() -> DataFrame {
        df!("t" => [Some("a"), Some("a"), Some("a"), Some("b"), Some("b"), None, Some("c"), Some("d"), Some("d")])
            .unwrap()
    }

    fn grouped(step: &str) -> Vec<Option<String>> {
        let input = df!("t" => [Some("a"), Some("b"), Some("c"), Some("never"), None]).unwrap();
        let output = run(step, &input);
        let texts = output.column("t").unwrap().str().unwrap();
        texts.iter().map(|text| text.map(str::to_owned)).collect()
    }

    #[test]
    fn values_stay_from_a_share_or_a_count_on() {
        let of = |values: [&str; 4]| {
            values
                .map(|text| Some(text.to_owned()))
                .into_iter()
                .chain([None])
                .collect::<Vec<_>>()
        };
        // Of eight values a quarter is two: a share that is just reached is enough.
        let step = fitted("group_rare: {column: t, min_share: 0.25}", &sample());
        assert_eq!(grouped(&step), of(["a", "b", "other", "other"]));
        let step = fitted("group_rare: {column: t, min_count: 3, other: ''}", &sample());
        assert_eq!(grouped(&step), of(["a", "", "", ""]));
        let step = fitted("group_rare: {column: t, min_count: 1}", &sample());
        assert_eq!(grouped(&step), of(["a", "b", "c", "other"]));
    }

    #[test]
    fn all_values_may_be_rare() {
        let step = fitted("group_rare: {column: t, min_count: 100}", &sample());
        assert_eq!(grouped(&step)[0].as_deref(), Some("other"));
    }

    #[test]
    fn refit_looks_at_the_partition() {
        let input = df!("t" => ["x", "x", "y"]).unwrap();
        let output = run("group_rare: {column: t, min_share: 0.5, refit: true}", &input);
        assert_eq!(output, df!("t" => ["x", "x", "other"]).unwrap());
        let empty = run(
            "group_rare: {column: t, min_share: 0.5, refit: true}",
            &input.clear(),
        );
        assert_eq!(empty.height(), 0);
    }

    #[test]
    fn exactly_one_bound_is_given_and_the_values_that_stay_are_bounded() {
        let input = sample();
        assert!(check_error("group_rare: {column: t}", &input).starts_with("neither `min_share` nor"));
        assert!(
            check_error("group_rare: {column: t, min_share: 0.1, min_count: 2}", &input)
                .contains("both given")
        );
        assert!(check_error("group_rare: {column: t, min_share: 10}", &input).contains("from 0 to 1"));
        assert!(check_error("group_rare: {column: t, min_count: 0}", &input).contains("at least 1"));
        assert!(check_error("group_rare: {column: t, min_count: 2}", &input).starts_with("not fitted yet"));
        assert_eq!(
            fit_error("group_rare: {column: t, min_count: 1, max_values: 3}", &input),
            "4 values of column `t` are frequent enough to stay, more than 3: raise `min_share` or `min_count`, or `max_values`"
        );
        let numbers = df!("t" => [1]).unwrap();
        assert!(check_error("group_rare: {column: t, min_count: 1}", &numbers).contains("not string"));
    }
}
