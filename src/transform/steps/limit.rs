//! Keeps the first rows of a partition, or of each group in it.
//!
//! Without columns in `by` the first `n` rows stay, in the order of raw keys and lines or as a `sort` before left them. With
//! columns the first `n` of every group of rows that agree in them stay, so `sort` and `limit` together give the top rows of
//! each group. The order of rows stays.
//!
//! ```yaml
//! - limit: {n: 3, by: [user_id]}
//! ```
//!
//! Nulls are equal to each other here. Rows left out are counted as filtered.
//!
//! Limits: `n` counts per partition, never over the whole run; a preview takes its sample for one partition. What stays of
//! a partition, or of one group, has to fit into the memory. For a share of all rows use `sample`.

use polars::prelude::{BooleanChunked, DataFrame, IdxSize, LazyFrame, PolarsResult, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::row_groups::{RowGroups, on_frame};
use crate::base::units::plural;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, RowEffect, Scope, column_type, few};
use crate::transform::{CheckError, Inputs};

/// Parameters of `limit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limit {
    /// Number of rows to keep.
    pub n: u64,
    /// Columns whose values tell the groups; none for one group of all rows.
    #[schemars(extend("x-input" = "columns"))]
    pub by: Vec<String>,
}

impl Default for Limit {
    fn default() -> Self {
        Self {
            n: 1000,
            by: Vec::new(),
        }
    }
}

/// The first `n` rows of each group, in their order.
fn first_of_each(df: &DataFrame, by: &[String], n: usize) -> PolarsResult<DataFrame> {
    let groups = RowGroups::of(df, by)?;
    let mut is_kept = vec![false; df.height()];
    for row in groups.iter().flat_map(|group| group.iter().take(n)) {
        if let Some(is_kept) = is_kept.get_mut(*row as usize) {
            *is_kept = true;
        }
    }
    df.filter(&is_kept.into_iter().collect::<BooleanChunked>())
}

impl Params for Limit {
    const GROUP: &'static str = "rows";
    const REQUIRED: &'static [&'static str] = &["n"];
}

impl Behaviour for Limit {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        for column in &self.by {
            column_type(schema, "by", column)?;
        }
        Ok(schema.clone())
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        if self.by.is_empty() {
            return Ok(lf.limit(IdxSize::try_from(self.n).unwrap_or(IdxSize::MAX)));
        }
        let (by, n) = (self.by.clone(), usize::try_from(self.n).unwrap_or(usize::MAX));
        Ok(on_frame(
            lf,
            "limit",
            |_| {},
            move |df| first_of_each(&df, &by, n),
        ))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let n = self.n;
        script.line(if self.by.is_empty() {
            format!("df = df.head({n})")
        } else {
            let by = python::list(self.by.iter().map(String::as_str));
            format!("df = df.filter(pl.int_range(pl.len()).over({by}) < {n})")
        });
        Ok(())
    }

    fn summary(&self) -> String {
        let first = format!("first {}", plural(self.n, "row"));
        if self.by.is_empty() {
            first
        } else {
            format!("{first} of each {}", self.subject())
        }
    }

    fn subject(&self) -> String {
        few(self.by.iter().map(String::as_str))
    }

    fn scope(&self) -> Scope {
        Scope::Partition
    }

    fn row_effect(&self) -> RowEffect {
        RowEffect::Filters
    }

    fn keys(&self) -> Option<&[String]> {
        (!self.by.is_empty()).then_some(&self.by)
    }

    /// The first of the first rows are the first.
    fn reduces_in_parts(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, ints, outcome, run};

    fn input() -> DataFrame {
        df!(
            "k" => [Some("b"), Some("a"), None, Some("b"), None, Some("b"), None],
            "n" => [1i64, 2, 3, 4, 5, 6, 7],
        )
        .unwrap()
    }

    #[test]
    fn the_first_rows_stay_of_all_or_of_each_group() {
        for (options, expected) in [
            ("n: 3", vec![1i64, 2, 3]),
            ("n: 100", vec![1, 2, 3, 4, 5, 6, 7]),
            ("n: 0", vec![]),
            ("n: 2, by: [k]", vec![1, 2, 3, 4, 5]),
            ("n: 1, by: [k]", vec![1, 2, 3]),
            ("n: 0, by: [k]", vec![]),
        ] {
            let yaml = format!("limit: {{{options}}}");
            let expected: Vec<_> = expected.into_iter().map(Some).collect();
            assert_eq!(ints(&run(&yaml, &input()), "n"), expected, "{options}");
            let counts = &outcome(&yaml, &input()).counts[0];
            assert_eq!(counts.rows_filtered, 7 - expected.len() as u64, "{options}");
            assert_eq!(run(&yaml, &input().clear()).height(), 0, "{options}");
        }
    }

    #[test]
    fn a_column_that_is_missing_does_not_check() {
        assert_eq!(
            check_error("limit: {n: 1, by: [kk]}", &input()),
            "column `kk` not found: did you mean `k`?"
        );
    }
}
