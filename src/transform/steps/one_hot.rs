//! Writes 1 for the value a row has and 0 for all others, in a column each or in a list of numbers.
//!
//! ```yaml
//! - one_hot: {column: seniority, into: is}
//! - one_hot: {column: city, into: city_vector, to: list, handle_invalid: zeros}
//! ```
//!
//! `to: columns` writes an int32 column for each value, named `<into>_<value>`: `is_junior`, `is_senior`. `to: list` writes
//! one list of float64, as many as there are values. Both have the order of `string_index`: the most frequent value first,
//! equally frequent ones in the order of Java's text. `drop_last` leaves the last place out, as Spark ML's
//! `OneHotEncoder` does by default, so that the places do not always add up to 1. The column itself stays.
//!
//! The step is fitted: it learns the values once, keeps them in the recipe and applies them row by row. It has no `refit`,
//! because places that mean something else every day are of no use. A value that was not learned follows `handle_invalid`,
//! and so does null: `reject` rejects the record, `null` gives null, `zeros` gives 0 everywhere, `keep` gives 1 in one more
//! place, named `<into>_unknown`.
//!
//! Limits: at most `max_values` different values; text, whole numbers and booleans only. For more values take
//! `group_rare` before it, or `hash_encode`.

use std::collections::HashMap;

use polars::prelude::{
    Column, DataFrame, DataType, Float64Type, Int32Chunked, IntoColumn, IntoSeries, ListBuilderTrait,
    ListPrimitiveChunkedBuilder, PlSmallStr, PolarsResult, Schema,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::learn::{Learns, as_text, check_categories, keeps_fitted, text_code, unknown_values, vocabulary};
use super::reject::{allow_null, choice_or_null};
use super::string_index::{check_distinct, indices};
use super::{Params, Step};
use crate::base::units;
use crate::transform::python::{self, Python};
use crate::transform::step::check_new_name;
use crate::transform::{CheckError, Fitted};

/// Parameters of `one_hot`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OneHot {
    /// Column of categories.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write, or what the columns' names start with.
    pub into: String,
    /// Whether each value has a column, or all are one list.
    pub to: Shape,
    /// What becomes of null and of a value that was not learned.
    #[serde(deserialize_with = "choice_or_null")]
    #[schemars(transform = allow_null)]
    pub handle_invalid: OnStranger,
    /// Leave the last place out.
    pub drop_last: bool,
    /// How many different values may be learned.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_values: u32,
    /// What was learned: the values in the order of their places.
    pub fitted: Option<Fitted<Vec<String>>>,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A column of 0 and 1 for each value.
    #[default]
    Columns,
    /// One list of numbers.
    List,
}

/// What becomes of a value that was not learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnStranger {
    /// The record is rejected and quarantined.
    #[default]
    Reject,
    /// The result is null.
    Null,
    /// Every place is 0.
    Zeros,
    /// One more place, after the last.
    Keep,
}

impl Default for OneHot {
    fn default() -> Self {
        Self {
            column: String::new(),
            into: String::new(),
            to: Shape::default(),
            handle_invalid: OnStranger::default(),
            drop_last: false,
            max_values: 100,
            fitted: None,
        }
    }
}

/// The place of a row's 1.
#[derive(Clone, Copy)]
enum Place {
    At(usize),
    Nowhere,
    Unknown,
}

impl OneHot {
    fn keeps_unknown(&self) -> bool {
        self.handle_invalid == OnStranger::Keep
    }

    fn n_places(&self, values: &[String]) -> usize {
        values.len() + usize::from(self.keeps_unknown()) - usize::from(self.drop_last && !values.is_empty())
    }

    /// Names of the columns, for as many places as there are.
    fn names(&self, values: &[String]) -> Vec<String> {
        let unknown = self.keeps_unknown().then_some("unknown");
        values
            .iter()
            .map(String::as_str)
            .chain(unknown)
            .take(self.n_places(values))
            .map(|value| format!("{}_{value}", self.into))
            .collect()
    }

    fn place(&self, text: Option<&str>, indices: &HashMap<&str, i32>) -> Place {
        let known = text.and_then(|text| indices.get(text));
        match (
            known.and_then(|place| usize::try_from(*place).ok()),
            self.handle_invalid,
        ) {
            (Some(place), _) => Place::At(place),
            (None, OnStranger::Keep) => Place::At(indices.len()),
            (None, OnStranger::Zeros) => Place::Nowhere,
            (None, OnStranger::Reject | OnStranger::Null) => Place::Unknown,
        }
    }
}

fn lists(places: &[Place], n_places: usize, name: PlSmallStr) -> Column {
    let n = places.len();
    let mut lists = ListPrimitiveChunkedBuilder::<Float64Type>::new(name, n, n * n_places, DataType::Float64);
    let mut vector = vec![0.0; n_places];
    for place in places {
        match place {
            Place::Unknown => lists.append_null(),
            Place::Nowhere => lists.append_slice(&vector),
            Place::At(place) => {
                let mut set = |value| {
                    if let Some(slot) = vector.get_mut(*place) {
                        *slot = value;
                    }
                };
                set(1.0);
                lists.append_slice(&vector);
                if let Some(slot) = vector.get_mut(*place) {
                    *slot = 0.0;
                }
            }
        }
    }
    lists.finish().into_series().into_column()
}

fn column(places: &[Place], here: usize, name: PlSmallStr) -> Column {
    let numbers: Int32Chunked = places
        .iter()
        .map(|place| match place {
            Place::Unknown => None,
            Place::Nowhere => Some(0),
            Place::At(place) => Some(i32::from(*place == here)),
        })
        .collect();
    numbers.with_name(name).into_column()
}

impl Params for OneHot {
    const GROUP: &'static str = "categories";
    const REQUIRED: &'static [&'static str] = &["column", "into"];
}

impl Learns for OneHot {
    type Values = Vec<String>;

    keeps_fitted!(OneHot);

    fn is_refit(&self) -> bool {
        false
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

    fn written(&self, schema: &Schema, values: &Vec<String>) -> Result<Vec<(String, DataType)>, CheckError> {
        check_distinct(values)?;
        if self.to == Shape::List {
            return Ok(vec![(
                self.into.clone(),
                DataType::List(Box::new(DataType::Float64)),
            )]);
        }
        let names = self.names(values);
        for (index, name) in names.iter().enumerate() {
            check_new_name("into", name)?;
            let is_doubled = names.iter().take(index).any(|other| other == name);
            if is_doubled || schema.contains(name) {
                return Err(
                    CheckError::new("into", format!("there is a column `{name}` already"))
                        .hint("write another beginning of the names"),
                );
            }
        }
        Ok(names.into_iter().map(|name| (name, DataType::Int32)).collect())
    }

    fn encode(&self, df: &DataFrame, values: &Vec<String>) -> PolarsResult<Vec<Column>> {
        let texts = as_text(df.column(&self.column)?)?;
        let texts = texts.str()?;
        let indices = indices(values);
        let places: Vec<Place> = texts.iter().map(|text| self.place(text, &indices)).collect();
        let mut columns = match self.to {
            Shape::List => vec![lists(&places, self.n_places(values), self.into.as_str().into())],
            Shape::Columns => self
                .names(values)
                .into_iter()
                .enumerate()
                .map(|(here, name)| column(&places, here, name.into()))
                .collect(),
        };
        if self.handle_invalid == OnStranger::Reject {
            columns.push(unknown_values(texts, &self.column, |text| {
                indices.contains_key(text)
            }));
        }
        Ok(columns)
    }

    fn code(&self, _: &Schema, values: Option<&Vec<String>>, script: &mut Python) -> Result<(), String> {
        let Some(values) = values else {
            return Err("it is not fitted yet".to_owned());
        };
        let text = text_code(&self.column);
        let known = python::list(values.iter().map(String::as_str));
        if self.handle_invalid == OnStranger::Reject {
            script.line(format!("df = df.filter({text}.is_in({known}).fill_null(False))"));
        }
        let unknown = match self.handle_invalid {
            OnStranger::Keep => values.len().to_string(),
            OnStranger::Zeros => "-1".to_owned(),
            OnStranger::Reject | OnStranger::Null => "None".to_owned(),
        };
        let place = format!(
            "{text}.replace_strict({known}, list(range({})), default={unknown}, return_dtype=pl.Int32)",
            values.len()
        );
        match self.to {
            Shape::Columns => {
                let names = self.names(values);
                script.line(format!("place = df.select({place}).to_series()"));
                let columns = names.iter().enumerate();
                script.with_columns(columns.map(|(here, name)| {
                    (name.as_str(), format!("(pl.lit(place) == {here}).cast(pl.Int32)"))
                }));
            }
            Shape::List => {
                script.define("one_hot", PYTHON);
                let n_places = self.n_places(values);
                script.with_columns([(self.into.as_str(), format!("one_hot({place}, {n_places})"))]);
            }
        }
        Ok(())
    }

    fn summary(&self) -> String {
        match &self.fitted {
            Some(fitted) => {
                let places = units::plural(self.n_places(&fitted.values) as u64, "place");
                format!("{} → {}: {places}", self.column, self.into)
            }
            None => format!("{} → {}", self.column, self.into),
        }
    }

    fn subject(&self) -> String {
        self.column.clone()
    }

    fn rejected_column(&self) -> Option<&str> {
        (self.handle_invalid == OnStranger::Reject).then_some(self.column.as_str())
    }
}

const PYTHON: &str = include_str!("python/one_hot.py");

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, fit_error, fitted, outcome, run};

    fn sample() -> DataFrame {
        df!("t" => ["b", "a", "a", "a", "b", "c"]).unwrap()
    }

    fn input() -> DataFrame {
        df!("t" => [Some("c"), Some("a"), Some("z"), None]).unwrap()
    }

    fn places(df: &DataFrame, name: &str) -> Vec<Option<i32>> {
        df.column(name).unwrap().i32().unwrap().iter().collect()
    }

    fn vectors(df: &DataFrame) -> Vec<Option<Vec<f64>>> {
        let lists = df.column("v").unwrap().list().unwrap().clone();
        (0..lists.len())
            .map(|row| {
                Some(
                    lists
                        .get_as_series(row)?
                        .f64()
                        .unwrap()
                        .iter()
                        .flatten()
                        .collect(),
                )
            })
            .collect()
    }

    #[test]
    fn each_value_has_a_column_in_the_order_of_frequency() {
        let step = fitted("one_hot: {column: t, into: is, handle_invalid: zeros}", &sample());
        let output = run(&step, &input());
        assert_eq!(output.get_column_names(), ["t", "is_a", "is_b", "is_c"]);
        assert_eq!(places(&output, "is_a"), [Some(0), Some(1), Some(0), Some(0)]);
        assert_eq!(places(&output, "is_c"), [Some(1), Some(0), Some(0), Some(0)]);
    }

    #[test]
    fn unknown_values_may_have_a_place_none_or_no_result() {
        let one = |handle: &str| {
            fitted(
                &format!("one_hot: {{column: t, into: is, handle_invalid: {handle}}}"),
                &sample(),
            )
        };
        let output = run(&one("keep"), &input());
        assert_eq!(
            places(&output, "is_unknown"),
            [Some(0), Some(0), Some(1), Some(1)]
        );
        let output = run(&one("null"), &input());
        assert_eq!(places(&output, "is_b"), [Some(0), Some(0), None, None]);
        let strict = outcome(&one("reject"), &input());
        assert_eq!((strict.df.height(), strict.rejects.len()), (2, 2));
        assert_eq!(strict.rejects[0].message, "`z` is no known value of `t`");
    }

    #[test]
    fn a_list_has_the_same_places_and_may_lack_the_last() {
        let list = |more: &str| {
            fitted(
                &format!("one_hot: {{column: t, into: v, to: list{more}}}"),
                &sample(),
            )
        };
        let output = run(&list(", handle_invalid: keep"), &input());
        let unknown = Some(vec![0.0, 0.0, 0.0, 1.0]);
        assert_eq!(
            vectors(&output),
            [
                Some(vec![0.0, 0.0, 1.0, 0.0]),
                Some(vec![1.0, 0.0, 0.0, 0.0]),
                unknown.clone(),
                unknown
            ]
        );
        let output = run(&list(", handle_invalid: null, drop_last: true"), &input());
        assert_eq!(
            vectors(&output),
            [Some(vec![0.0, 0.0]), Some(vec![1.0, 0.0]), None, None]
        );
        let output = run(&list(", handle_invalid: zeros"), &input().clear());
        assert_eq!(vectors(&output), []);
    }

    #[test]
    fn columns_that_are_there_already_and_too_many_values_are_refused() {
        let taken = df!("t" => ["a", "b"], "is_b" => [1, 2]).unwrap();
        assert_eq!(
            fit_error("one_hot: {column: t, into: is}", &taken),
            "there is a column `is_b` already: write another beginning of the names"
        );
        let reserved = df!("t" => ["unknown"]).unwrap();
        assert!(
            fit_error("one_hot: {column: t, into: is, handle_invalid: keep}", &reserved)
                .contains("is_unknown")
        );
        assert!(
            fit_error("one_hot: {column: t, into: is, max_values: 2}", &sample()).contains("more than 2")
        );
        assert!(check_error("one_hot: {column: t, into: is}", &sample()).starts_with("not fitted yet"));
    }
}
