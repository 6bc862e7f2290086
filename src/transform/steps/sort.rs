//! Sorts the rows by columns.
//!
//! Smallest values come first; columns that are also in `descending` have their largest first. Nulls come last either
//! way, `NaN` is larger than every number, text goes by its code points. Rows that agree in all columns stay in the order
//! they had.
//!
//! ```yaml
//! - sort: {columns: [country, salary], descending: [salary]}
//! ```
//!
//! Use it before `limit` or `dedupe` to say which rows come first, or at the end: sorted by what readers filter on, Parquet
//! skips more.
//!
//! Limits: it sorts each partition for itself, by plain values. A job sorts a partition that is too large for the memory
//! through files.

use polars::prelude::{LazyFrame, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::order::Order;
use crate::transform::python::Python;
use crate::transform::step::{Behaviour, Scope, few};
use crate::transform::{CheckError, Inputs, SortKey};

/// Parameters of `sort`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sort {
    /// Columns to sort by, the most important first.
    #[schemars(extend("x-input" = "columns"))]
    pub columns: Vec<String>,
    /// Those of them whose largest values come first.
    #[schemars(extend("x-input" = "columns"))]
    pub descending: Vec<String>,
}

impl Sort {
    fn order(&self) -> Order<'_> {
        Order {
            param: "columns",
            columns: &self.columns,
            descending: &self.descending,
        }
    }
}

impl Params for Sort {
    const GROUP: &'static str = "rows";
    const REQUIRED: &'static [&'static str] = &["columns"];
}

impl Behaviour for Sort {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        if self.columns.is_empty() {
            return Err(CheckError::new("columns", "`columns` is empty").hint("choose columns to sort by"));
        }
        self.order().check(schema)?;
        Ok(schema.clone())
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let order = self.order();
        Ok(lf.sort_by_exprs(order.exprs(schema), order.options()))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        script.line(format!("df = df.sort({})", self.order().python()));
        Ok(())
    }

    fn summary(&self) -> String {
        self.order().summary()
    }

    fn subject(&self) -> String {
        few(self.columns.iter().map(String::as_str))
    }

    fn scope(&self) -> Scope {
        Scope::Partition
    }

    fn sort_keys(&self) -> Vec<SortKey> {
        self.order().keys()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, ints, outcome, run};

    fn input() -> DataFrame {
        df!(
            "k" => [Some("b"), Some("a"), None, Some("b"), Some("a")],
            "x" => [Some(1.0), None, Some(0.0), Some(f64::NAN), Some(-0.0)],
            "n" => [1i64, 2, 3, 4, 5],
        )
        .unwrap()
    }

    #[test]
    fn nulls_come_last_in_both_directions_and_nan_is_the_largest() {
        for (options, expected) in [
            ("columns: [x]", [3i64, 5, 1, 4, 2]),
            ("columns: [x], descending: [x]", [4, 1, 3, 5, 2]),
            ("columns: [k]", [2, 5, 1, 4, 3]),
            ("columns: [k, x], descending: [x]", [5, 2, 4, 1, 3]),
            ("columns: [k, x], descending: [k]", [1, 4, 5, 2, 3]),
        ] {
            let output = run(&format!("sort: {{{options}}}"), &input());
            assert_eq!(ints(&output, "n"), expected.map(Some), "{options}");
        }
    }

    #[test]
    fn rows_take_their_origin_with_them() {
        let outcome = outcome("sort: {columns: [n], descending: [n]}", &input());
        let lines = outcome.df.column("__skewer_line").unwrap().u64().unwrap();
        assert_eq!(lines.iter().flatten().collect::<Vec<_>>(), [5, 4, 3, 2, 1]);
        assert_eq!((outcome.counts[0].rows_in, outcome.counts[0].rows_out), (5, 5));
    }

    #[test]
    fn what_cannot_be_sorted_by_does_not_check() {
        assert!(check_error("sort: {}", &input()).starts_with("`columns` is empty"));
        assert_eq!(
            check_error("sort: {columns: [k], descending: [n]}", &input()),
            "column `n` is not in `columns`: name it in `columns` as well"
        );
        assert_eq!(
            check_error("sort: {columns: [k, k]}", &input()),
            "column `k` stands twice"
        );
        let lists = run("tokenize: {column: k, into: w}", &input());
        let error = check_error("sort: {columns: [w]}", &lists);
        assert!(
            error.contains("not a plain value: sort by one of its values"),
            "{error}"
        );
    }
}
