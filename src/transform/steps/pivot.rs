//! Turns values of a column into columns: one row a group, one column for each listed value.
//!
//! Rows that agree in `by` become one. For each entry of `values` there is a column with what `fn` makes of `column` in those
//! rows of the group whose value of `on` is that entry. Groups come in the order of their first rows; the columns are named
//! like the values, after `prefix`.
//!
//! ```yaml
//! - pivot: {by: [user_id], on: event, values: [view, click], fn: count, prefix: n_}
//! ```
//!
//! The values have to be listed, because a recipe is checked without reading data and its columns are frozen in a job; rows
//! with other values, or null, fill no column but still make a row of their group. The functions are those of `aggregate`;
//! where a group has no row with a value, `count`, `n_unique` and `sum` give 0, `list` an empty list and the others null.
//!
//! Limits: at most 1,000 values. It looks at the rows of one partition, and the rows of one group have to fit into the
//! memory. Rows that went into a group are counted as merged.

use polars::prelude::{DataType, Expr, LazyFrame, Schema, lit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::aggregate::{grouped, grouped_python, grouped_schema};
use super::aggregates::{AggregateFn, Reducer};
use super::fill_null::FillValue;
use crate::base::units::plural;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, RowEffect, Scope, column_type, exactly, few, type_name, wrong_type};
use crate::transform::{CheckError, Inputs};

/// More columns than this come from a list that nobody wrote.
const MAX_VALUES: usize = 1000;

/// Parameters of `pivot`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pivot {
    /// Columns whose values tell the groups; none for one group of all rows.
    #[schemars(extend("x-input" = "columns"))]
    pub by: Vec<String>,
    /// Column whose values become columns.
    #[schemars(extend("x-input" = "column"))]
    pub on: String,
    /// The values that become columns, in their order.
    #[schemars(length(min = 1))]
    pub values: Vec<FillValue>,
    /// Column with the values to put there; `count` takes the rows without it.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// What is made of several values in one place.
    #[serde(rename = "fn")]
    pub function: AggregateFn,
    /// Text before each value in the names of columns.
    pub prefix: String,
}

impl Pivot {
    fn reducer(&self, schema: &Schema) -> Result<Reducer, CheckError> {
        let values = if self.column.is_empty() {
            None
        } else {
            Some(column_type(schema, "column", &self.column)?)
        };
        Reducer::new(self.function, "fn", &self.column, values, None)
    }

    fn name(&self, value: &FillValue) -> String {
        match value {
            FillValue::Text(text) => format!("{}{text}", self.prefix),
            other => format!("{}{other}", self.prefix),
        }
    }

    /// What `function` looks at: values of `column`, or rows by something they all have.
    fn value(&self) -> Expr {
        if self.column.is_empty() {
            exactly(self.on.as_str())
        } else {
            exactly(self.column.as_str())
        }
    }
}

impl Params for Pivot {
    const GROUP: &'static str = "rows";
    const REQUIRED: &'static [&'static str] = &["on", "values"];
}

impl Behaviour for Pivot {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let on = column_type(schema, "on", &self.on)?;
        if on.is_nested() || on.is_float() {
            return Err(
                wrong_type("on", &self.on, on, "text, a whole number, a date or a boolean")
                    .hint("use `bucketize` or `derive` first"),
            );
        }
        if self.values.is_empty() {
            return Err(
                CheckError::new("values", "`values` is empty").hint("list the values that become columns")
            );
        }
        if self.values.len() > MAX_VALUES {
            let message = format!("{} are too many columns", self.values.len());
            return Err(CheckError::new("values", message).hint(format!("list at most {MAX_VALUES}")));
        }
        if let Some(value) = self.values.iter().find(|value| value.scalar(on).is_none()) {
            let message = format!(
                "`{value}` is no value of column `{}`, which is {}",
                self.on,
                type_name(on)
            );
            return Err(CheckError::new("values", message).hint("write values of that type"));
        }
        let dtype = self.reducer(schema)?.dtype();
        let columns = self.values.iter().map(|value| (self.name(value), dtype.clone()));
        grouped_schema(schema, &self.by, "values", columns)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let on = column_type(schema, "on", &self.on)?;
        let reducer = self.reducer(schema)?;
        let columns = self.values.iter().filter_map(|value| {
            let wanted = lit(value.scalar(on)?).cast(on.clone());
            let values = self.value().filter(exactly(self.on.as_str()).eq(wanted));
            Some((self.name(value), reducer.collect(Some(values)), reducer.clone()))
        });
        Ok(grouped(lf, &self.by, columns))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let on = schema.get(&self.on).unwrap_or(&DataType::Null);
        let reducer = self.reducer(schema).map_err(|error| error.to_string())?;
        let column = if self.column.is_empty() {
            &self.on
        } else {
            &self.column
        };
        let columns = self.values.iter().map(|value| {
            let wanted = value
                .python(on)
                .ok_or("a value is of another type than its column")?;
            let values = format!(
                "{}.filter({} == {wanted})",
                python::col(column),
                python::col(&self.on)
            );
            Ok((self.name(value), reducer.python(Some(&values))))
        });
        let columns = columns.collect::<Result<Vec<_>, String>>()?;
        grouped_python(&self.by, &columns, script);
        Ok(())
    }

    fn summary(&self) -> String {
        let by = few(self.by.iter().map(String::as_str));
        let into = plural(self.values.len() as u64, "column");
        format!("{} → {into} by {by}", self.on)
    }

    fn subject(&self) -> String {
        self.on.clone()
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
        let looked_at = [&self.on, &self.column];
        Some(self.by.iter().chain(looked_at).map(String::as_str).collect())
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, outcome, run};

    fn input() -> DataFrame {
        df!(
            "user" => ["u2", "u1", "u2", "u2", "u3"],
            "event" => [Some("view"), Some("click"), Some("click"), Some("view"), None],
            "n" => [Some(1i64), Some(2), Some(3), Some(4), Some(5)],
            "x" => [0.5, 1.5, 2.5, 3.5, 4.5],
        )
        .unwrap()
    }

    #[test]
    fn each_listed_value_is_a_column_and_others_fill_none() {
        assert_eq!(
            run(
                "pivot: {by: [user], on: event, values: [view, click], prefix: n_}",
                &input()
            ),
            df!("user" => ["u2", "u1", "u3"], "n_view" => [2i64, 0, 0], "n_click" => [1i64, 1, 0]).unwrap()
        );
        assert_eq!(
            run(
                "pivot: {by: [user], on: event, values: [view, buy], column: n, fn: last}",
                &input()
            ),
            df!("user" => ["u2", "u1", "u3"], "view" => [Some(4i64), None, None], "buy" => [None::<i64>; 3])
                .unwrap()
        );
        let counts = &outcome("pivot: {by: [user], on: event, values: [view]}", &input()).counts[0];
        assert_eq!((counts.rows_in, counts.rows_out, counts.rows_merged), (5, 3, 2));
    }

    #[test]
    fn sums_of_fractions_and_whole_number_keys_work_and_so_do_no_rows() {
        let yaml = "pivot: {on: n, values: [1, 4, 9], column: x, fn: sum, prefix: x}";
        let expected = df!("x1" => [0.5], "x4" => [3.5], "x9" => [0.0]).unwrap();
        assert_eq!(run(yaml, &input()), expected);
        assert_eq!(run(yaml, &input().clear()), expected.clear());
    }

    #[test]
    fn what_does_not_fit_says_so() {
        for (yaml, expected) in [
            ("pivot: {on: event}", "`values` is empty"),
            (
                "pivot: {on: evnt, values: [a]}",
                "column `evnt` not found: did you mean `event`?",
            ),
            (
                "pivot: {on: n, values: [a]}",
                "`'a'` is no value of column `n`, which is int64",
            ),
            ("pivot: {on: x, values: [1.5]}", "column `x` is float64, not text"),
            (
                "pivot: {by: [user], on: event, values: [user]}",
                "two columns would be named `user`",
            ),
            (
                "pivot: {on: event, values: [a, a]}",
                "two columns would be named `a`",
            ),
            (
                "pivot: {on: event, values: [a], column: user, fn: sum}",
                "column `user` is string, not a number",
            ),
        ] {
            let error = check_error(yaml, &input());
            assert!(error.starts_with(expected), "{yaml}: {error}");
        }
        let many: Vec<String> = (0..1001).map(|n| n.to_string()).collect();
        let error = check_error(
            &format!("pivot: {{on: n, values: [{}]}}", many.join(", ")),
            &input(),
        );
        assert_eq!(error, "1001 are too many columns: list at most 1000");
    }
}
