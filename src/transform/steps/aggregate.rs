//! Makes one row of each group of rows that agree in the named columns.
//!
//! The new row has the columns of `by` and one column for each entry of `columns`: its name, a function, and the column
//! that the function looks at. Without `by` all rows are one group. Groups come in the order of their first rows.
//!
//! ```yaml
//! - aggregate:
//!     by: [campaign_id]
//!     columns:
//!       - {into: n_impressions, fn: count}
//!       - {into: cost, fn: sum, column: price}
//!       - {into: slow, fn: quantile, column: latency_ms, share: 0.95}
//! ```
//!
//! The functions are `count`, `sum`, `mean`, `min`, `max`, `median`, `std`, `var`, `n_unique`, `first`, `last`, `list` and
//! `quantile`. They leave nulls out, except `first`, `last` and `list`; of no value at all `count`, `n_unique` and `sum` give
//! 0, the others null. `first` and `last` go by the order of raw keys and lines, or of a `sort` before. A sum of whole
//! numbers is int64 (uint64 of unsigned ones), a sum of fractions float64, added up in the order of rows.
//!
//! In `by` null is a value like others, and so is `NaN`. Rows that went into a group are counted as merged; the row that
//! comes out has the origin of the group's first, which is what quarantine names if a later step rejects it.
//!
//! Limits: it groups the rows of one partition, never those of two. Partitions larger than the memory go through files by
//! key; without `by` all rows have to fit into the memory, and so have the rows of one group. Sums of whole numbers wrap
//! around when they leave their range.

use polars::prelude::{DataType, Expr, LazyFrame, Schema, by_name, lit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::aggregates::{AggregateFn, Reducer};
use crate::dataset::origin;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, RowEffect, Scope, check_new_name, column_type, exactly, few};
use crate::transform::{CheckError, Inputs};

/// Parameters of `aggregate`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Aggregate {
    /// Columns whose values tell the groups; none for one group of all rows.
    #[schemars(extend("x-input" = "columns"))]
    pub by: Vec<String>,
    /// What each group's row says besides.
    pub columns: Vec<AggregateColumn>,
}

/// One column of a group's row.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AggregateColumn {
    /// Column to write.
    pub into: String,
    /// What is made of the group's values.
    #[serde(rename = "fn")]
    pub function: AggregateFn,
    /// Column with the values; `count` takes the rows without it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// For `quantile`: the share of values below it, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

impl AggregateColumn {
    fn reducer(&self, schema: &Schema) -> Result<Reducer, CheckError> {
        let values = if self.column.is_empty() {
            None
        } else {
            Some(column_type(schema, "columns", &self.column)?)
        };
        Reducer::new(self.function, "columns", &self.column, values, self.share)
    }

    fn value(&self) -> Option<Expr> {
        (!self.column.is_empty()).then(|| exactly(self.column.as_str()))
    }
}

/// Groups of `lf` by the columns `by`, each with what `columns` collects, its name and the expression that finishes it.
/// The hidden columns are those of a group's first row.
pub(super) fn grouped(
    lf: LazyFrame,
    by: &[String],
    columns: impl IntoIterator<Item = (String, Expr, Reducer)>,
) -> LazyFrame {
    const ALL: &str = "__skewer_all";
    let hidden = || {
        by_name(
            [origin::OBJECT, origin::LINE, origin::OFFSET, origin::ROW],
            false,
            false,
        )
        .as_expr()
    };
    let mut collected = vec![hidden().first()];
    let mut output: Vec<Expr> = by.iter().map(|name| exactly(name.as_str())).collect();
    for (at, (into, value, reducer)) in columns.into_iter().enumerate() {
        let name = format!("__skewer_value_{at}");
        collected.push(value.alias(name.as_str()));
        output.push(reducer.finish(exactly(name)).alias(into));
    }
    output.push(hidden());
    let grouped = if by.is_empty() {
        lf.with_column(lit(0_i32).alias(ALL))
            .group_by_stable([exactly(ALL)])
    } else {
        let keys: Vec<Expr> = by.iter().map(|name| exactly(name.as_str())).collect();
        lf.group_by_stable(keys)
    };
    grouped.agg(collected).select(output)
}

/// The schema of groups: `by` as they are, then columns with names that no other has.
pub(super) fn grouped_schema(
    schema: &Schema,
    by: &[String],
    param: &'static str,
    columns: impl IntoIterator<Item = (String, DataType)>,
) -> Result<Schema, CheckError> {
    let mut output = Schema::default();
    for column in by {
        let dtype = column_type(schema, "by", column)?;
        if output.insert(column.into(), dtype.clone()).is_some() {
            return Err(CheckError::new("by", format!("column `{column}` stands twice")));
        }
    }
    for (name, dtype) in columns {
        check_new_name(param, &name)?;
        if output.insert(name.as_str().into(), dtype).is_some() {
            let message = format!("two columns would be named `{name}`");
            return Err(CheckError::new(param, message).hint("choose another name"));
        }
    }
    Ok(output)
}

/// Writes the groups for Python: each column's name and expression.
pub(super) fn grouped_python(by: &[String], columns: &[(String, String)], script: &mut Python) {
    let columns: Vec<String> = columns
        .iter()
        .map(|(name, value)| format!("    ({value}).alias({}),\n", python::quoted(name)))
        .collect();
    let columns = columns.concat();
    if by.is_empty() {
        // A constant key, because a frame without rows has no group.
        let all = "pl.repeat(0, pl.len()).alias(\"_all\")";
        script.line(format!("df = df.group_by({all}).agg(\n{columns}).drop(\"_all\")"));
    } else {
        let by = python::list(by.iter().map(String::as_str));
        script.line(format!(
            "df = df.group_by({by}, maintain_order=True).agg(\n{columns})"
        ));
    }
}

impl Params for Aggregate {
    const GROUP: &'static str = "rows";
    const REQUIRED: &'static [&'static str] = &["columns"];
}

impl Behaviour for Aggregate {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        if self.by.is_empty() && self.columns.is_empty() {
            return Err(CheckError::new("columns", "`columns` is empty")
                .hint("add one, such as `{into: n, fn: count}`"));
        }
        let mut columns = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            columns.push((column.into.clone(), column.reducer(schema)?.dtype()));
        }
        grouped_schema(schema, &self.by, "columns", columns)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let columns = self.columns.iter().map(|column| {
            let reducer = column.reducer(schema)?;
            let collected = reducer.collect(column.value());
            Ok((column.into.clone(), collected, reducer))
        });
        let columns = columns.collect::<Result<Vec<_>, CheckError>>()?;
        Ok(grouped(lf, &self.by, columns))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let columns = self.columns.iter().map(|column| {
            let reducer = column.reducer(schema).map_err(|error| error.to_string())?;
            let value = (!column.column.is_empty()).then(|| python::col(&column.column));
            Ok((column.into.clone(), reducer.python(value.as_deref())))
        });
        let columns = columns.collect::<Result<Vec<_>, String>>()?;
        grouped_python(&self.by, &columns, script);
        Ok(())
    }

    fn summary(&self) -> String {
        let what: Vec<String> = self
            .columns
            .iter()
            .map(|column| format!("{}({})", column.function.name(), column.column))
            .collect();
        let what = few(what.iter().map(String::as_str));
        match (self.by.is_empty(), what.is_empty()) {
            (true, _) => format!("{what} of all rows"),
            (false, true) => format!("by {}", self.subject()),
            (false, false) => format!("{what} by {}", self.subject()),
        }
    }

    fn subject(&self) -> String {
        few(self.by.iter().map(String::as_str))
    }

    fn scope(&self) -> Scope {
        Scope::Partition
    }

    fn row_effect(&self) -> RowEffect {
        RowEffect::Merges
    }

    fn keys(&self) -> Option<&[String]> {
        (!self.by.is_empty()).then_some(&self.by)
    }

    fn reads(&self) -> Option<Vec<&str>> {
        let values = self.columns.iter().map(|column| &column.column);
        Some(self.by.iter().chain(values).map(String::as_str).collect())
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, DataType, df};

    use super::super::testing::{check_error, floats, ints, outcome, run};

    fn input() -> DataFrame {
        df!(
            "k" => [Some("b"), Some("a"), None, Some("b"), None, Some("b")],
            "n" => [Some(1i32), Some(2), None, Some(4), Some(5), Some(4)],
            "x" => [Some(0.5), None, Some(1.5), Some(f64::NAN), Some(2.5), Some(-1.0)],
            "s" => [Some("u"), Some("v"), None, Some("w"), Some("w"), None],
        )
        .unwrap()
    }

    fn of(function: &str, column: &str) -> DataFrame {
        let yaml =
            format!("aggregate: {{by: [k], columns: [{{into: r, fn: {function}, column: {column}}}]}}");
        run(&yaml, &input())
    }

    #[test]
    fn groups_come_in_the_order_of_their_first_rows_with_its_origin() {
        let outcome = outcome(
            "aggregate: {by: [k], columns: [{into: n_rows, fn: count}]}",
            &input(),
        );
        let expected = df!("k" => [Some("b"), Some("a"), None], "n_rows" => [3i64, 1, 2]).unwrap();
        assert_eq!(crate::dataset::origin::strip(&outcome.df), expected);
        let lines = outcome.df.column("__skewer_line").unwrap().u64().unwrap();
        assert_eq!(lines.iter().flatten().collect::<Vec<_>>(), [1, 2, 3]);
        let counts = &outcome.counts[0];
        assert_eq!((counts.rows_in, counts.rows_out, counts.rows_merged), (6, 3, 3));
    }

    #[test]
    fn every_function_gives_what_it_says_of_whole_numbers() {
        for (function, expected) in [
            ("count", [Some(3i64), Some(1), Some(1)]),
            ("sum", [Some(9), Some(2), Some(5)]),
            ("n_unique", [Some(2), Some(1), Some(1)]),
        ] {
            assert_eq!(ints(&of(function, "n"), "r"), expected, "{function}");
        }
        for (function, expected) in [
            ("min", [Some(1), Some(2), Some(5)]),
            ("max", [Some(4), Some(2), Some(5)]),
            ("first", [Some(1), Some(2), None]),
            ("last", [Some(4), Some(2), Some(5)]),
        ] {
            let output = of(function, "n");
            let values: Vec<Option<i32>> = output.column("r").unwrap().i32().unwrap().iter().collect();
            assert_eq!(values, expected, "{function}");
        }
        for (function, expected) in [
            ("mean", [Some(3.0), Some(2.0), Some(5.0)]),
            ("median", [Some(4.0), Some(2.0), Some(5.0)]),
            ("var", [Some(3.0), None, None]),
            ("std", [Some(3.0_f64.sqrt()), None, None]),
            ("quantile, share: 0.25", [Some(2.5), Some(2.0), Some(5.0)]),
        ] {
            let (name, more) = function.split_once(',').unwrap_or((function, ""));
            let yaml = format!(
                "aggregate: {{by: [k], columns: [{{into: r, fn: {name}, column: n{}{more}}}]}}",
                if more.is_empty() { "" } else { "," }
            );
            assert_eq!(floats(&run(&yaml, &input()), "r"), expected, "{function}");
        }
    }

    #[test]
    fn nan_is_a_number_that_spoils_sums_and_loses_comparisons() {
        let sums = floats(&of("sum", "x"), "r");
        assert!(sums[0].unwrap().is_nan());
        assert_eq!(&sums[1..], [Some(0.0), Some(4.0)]);
        assert_eq!(floats(&of("min", "x"), "r"), [Some(-1.0), None, Some(1.5)]);
        assert_eq!(floats(&of("max", "x"), "r"), [Some(0.5), None, Some(2.5)]);
        assert_eq!(ints(&of("count", "x"), "r"), [Some(3), Some(0), Some(2)]);
    }

    #[test]
    fn text_has_a_first_a_smallest_and_a_list() {
        let list = of("list", "s");
        let lists = list.column("r").unwrap().list().unwrap().clone();
        let words: Vec<Vec<Option<String>>> = (0..3)
            .map(|row| {
                let words = lists.get_as_series(row).unwrap();
                words
                    .str()
                    .unwrap()
                    .iter()
                    .map(|word| word.map(str::to_owned))
                    .collect()
            })
            .collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            words,
            [
                vec![text("u"), text("w"), None],
                vec![text("v")],
                vec![None, text("w")]
            ]
        );
        let min = of("min", "s");
        assert_eq!(min.column("r").unwrap().str().unwrap().get(0), Some("u"));
    }

    #[test]
    fn without_by_all_rows_are_one_and_none_are_none() {
        let yaml = "aggregate: {columns: [{into: n, fn: count}, {into: t, fn: sum, column: n}]}";
        assert_eq!(run(yaml, &input()), df!("n" => [6i64], "t" => [16i64]).unwrap());
        assert_eq!(run(yaml, &input().clear()).height(), 0);
        assert_eq!(
            run("aggregate: {by: [k, n]}", &input().clear()).get_column_names(),
            ["k", "n"]
        );
    }

    #[test]
    fn booleans_count_as_one_and_zero() {
        let input = df!("b" => [Some(true), Some(false), None, Some(true)]).unwrap();
        let yaml = "aggregate: {columns: [{into: n, fn: sum, column: b}, {into: m, fn: mean, column: b}]}";
        let output = run(yaml, &input);
        assert_eq!(ints(&output, "n"), [Some(2)]);
        assert!((floats(&output, "m")[0].unwrap() - 2.0 / 3.0).abs() < 1e-15);
        assert_eq!(output.schema().get("n"), Some(&DataType::Int64));
    }

    #[test]
    fn a_sum_does_not_depend_on_how_rows_are_chunked_or_sorted() {
        let values: Vec<f64> = (0..10_000)
            .map(|n| f64::from(n).sin() * 1e10_f64.powi(n % 3))
            .collect();
        let keys: Vec<i64> = vec![1; values.len()];
        let whole = df!("k" => keys, "x" => values).unwrap();
        let yaml =
            "aggregate: {by: [k], columns: [{into: s, fn: sum, column: x}, {into: v, fn: var, column: x}]}";
        let expected = run(yaml, &whole);
        let mut chunked = whole.slice(0, 17);
        for start in (17..10_000).step_by(331) {
            chunked.vstack_mut(&whole.slice(start, 331)).unwrap();
        }
        assert_eq!(run(yaml, &chunked), expected);
        let sorted = run("sort: {columns: [k]}", &whole);
        assert_eq!(run(yaml, &sorted), expected);
    }

    #[test]
    fn what_does_not_fit_says_which_column_and_what_to_do() {
        for (yaml, expected) in [
            ("aggregate: {}", "`columns` is empty"),
            (
                "aggregate: {by: [kk]}",
                "column `kk` not found: did you mean `k`?",
            ),
            ("aggregate: {by: [k, k]}", "column `k` stands twice"),
            (
                "aggregate: {by: [k], columns: [{into: k, fn: count}]}",
                "two columns would be named `k`",
            ),
            (
                "aggregate: {by: [k], columns: [{into: '', fn: count}]}",
                "a column has no name",
            ),
            (
                "aggregate: {columns: [{into: r, fn: sum, column: s}]}",
                "column `s` is string, not a number: use `cast` first",
            ),
            (
                "aggregate: {columns: [{into: r, fn: sum}]}",
                "`sum` has no column: choose a column",
            ),
            (
                "aggregate: {columns: [{into: r, fn: quantile, column: n}]}",
                "`quantile` has no share from 0 to 1: write one",
            ),
            (
                "aggregate: {columns: [{into: r, fn: max, column: n, share: 0.5}]}",
                "`max` takes no `share`",
            ),
        ] {
            let error = check_error(yaml, &input());
            assert!(error.starts_with(expected), "{yaml}: {error}");
        }
    }
}
