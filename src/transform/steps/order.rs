//! In which order rows come that are sorted by columns: nulls last, `NaN` above all numbers, equals as they came.

use polars::prelude::{DataFrame, DataType, Expr, IdxSize, PolarsResult, Schema, SortMultipleOptions, lit};

use super::row_groups::numbered;
use crate::transform::step::{CheckError, column_type, exactly, wrong_type};
use crate::transform::{SortKey, python};

/// Columns to sort by, and which of them go from the largest value to the smallest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<'a> {
    /// The parameter that holds the columns.
    pub(super) param: &'static str,
    pub(super) columns: &'a [String],
    pub(super) descending: &'a [String],
}

impl Order<'_> {
    /// Whether rows of `schema` have this order.
    pub(super) fn check(&self, schema: &Schema) -> Result<(), CheckError> {
        for (at, column) in self.columns.iter().enumerate() {
            let dtype = column_type(schema, self.param, column)?;
            if dtype.is_nested() {
                return Err(wrong_type(self.param, column, dtype, "a plain value")
                    .hint("sort by one of its values, which `derive` can take out"));
            }
            if self.columns.iter().take(at).any(|known| known == column) {
                let message = format!("column `{column}` stands twice");
                return Err(CheckError::new(self.param, message));
            }
        }
        match self.descending.iter().find(|name| !self.columns.contains(name)) {
            Some(name) => {
                let message = format!("column `{name}` is not in `{}`", self.param);
                Err(CheckError::new("descending", message)
                    .hint(format!("name it in `{}` as well", self.param)))
            }
            None => Ok(()),
        }
    }

    pub(super) fn keys(&self) -> Vec<SortKey> {
        let key = |column: &String| SortKey {
            column: column.clone(),
            is_descending: self.descending.contains(column),
        };
        self.columns.iter().map(key).collect()
    }

    /// What to sort by; -0.0 is 0.0.
    pub(super) fn exprs(&self, schema: &Schema) -> Vec<Expr> {
        let expr = |column: &String| {
            let value = exactly(column.as_str());
            match schema.get(column) {
                Some(DataType::Float32) => value + lit(0.0_f32),
                Some(DataType::Float64) => value + lit(0.0_f64),
                _ => value,
            }
        };
        self.columns.iter().map(expr).collect()
    }

    pub(super) fn options(&self) -> SortMultipleOptions {
        SortMultipleOptions {
            descending: self
                .columns
                .iter()
                .map(|column| self.descending.contains(column))
                .collect(),
            nulls_last: vec![true; self.columns.len()],
            maintain_order: true,
            ..SortMultipleOptions::default()
        }
    }

    /// The rows of `df` in this order.
    pub(super) fn rows(&self, df: &DataFrame) -> PolarsResult<Vec<IdxSize>> {
        const PLACE: &str = "__skewer_place";
        if self.columns.is_empty() {
            return Ok((0..).take(df.height()).collect());
        }
        let by = df.select(self.columns.iter().map(String::as_str))?;
        let by = numbered(by, PLACE)?;
        let sorted = by.sort(self.columns.iter().map(String::as_str), self.options())?;
        let places = sorted.column(PLACE)?.idx()?;
        Ok(places.iter().flatten().collect())
    }

    /// Arguments of `DataFrame.sort` in Python.
    pub(super) fn python(&self) -> String {
        let descending: Vec<&str> = self
            .columns
            .iter()
            .map(|column| {
                if self.descending.contains(column) {
                    "True"
                } else {
                    "False"
                }
            })
            .collect();
        format!(
            "{}, descending=[{}], nulls_last=True, maintain_order=True",
            python::list(self.columns.iter().map(String::as_str)),
            descending.join(", ")
        )
    }

    /// `country, salary ↓`.
    pub(super) fn summary(&self) -> String {
        let names: Vec<String> = self
            .columns
            .iter()
            .map(|column| {
                if self.descending.contains(column) {
                    format!("{column} ↓")
                } else {
                    column.clone()
                }
            })
            .collect();
        crate::transform::step::few(names.iter().map(String::as_str))
    }
}
