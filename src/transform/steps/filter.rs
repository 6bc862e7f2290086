//! Keeps the rows for which an SQL expression is true.
//!
//! Null is not true: a row whose expression is null is left out, so `country <> 'ZA'` also leaves out rows without a
//! country. Write `country IS DISTINCT FROM 'ZA'` to keep them.
//!
//! ```yaml
//! - filter: {where: "title IS NOT NULL AND location.country IN ('DE', 'AT')"}
//! ```
//!
//! Limits: the expression must be boolean and sees one row at a time; aggregates, window functions and subqueries are
//! refused.

use polars::prelude::{DataType, LazyFrame, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use crate::transform::expr::Codes;
use crate::transform::python::Python;
use crate::transform::step::{Behaviour, RowEffect, shortened, type_name};
use crate::transform::{CheckError, Inputs, expr};

/// Parameters of `filter`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// SQL expression that is true for the rows to keep.
    #[serde(rename = "where")]
    #[schemars(extend("x-input" = "expression"))]
    pub condition: String,
}

impl Params for Filter {
    const GROUP: &'static str = "rows";
    const REQUIRED: &'static [&'static str] = &["where"];
}

impl Behaviour for Filter {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let dtype = expr::check(&self.condition, "where", schema)?;
        if !matches!(dtype, DataType::Boolean | DataType::Null) {
            return Err(CheckError::new(
                "where",
                format!("the expression is {}, not bool", type_name(&dtype)),
            )
            .hint("compare it with a value"));
        }
        Ok(schema.clone())
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let (condition, _) = expr::compile(&self.condition, "where", schema)?;
        Ok(lf.filter(condition.cast(DataType::Boolean)))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let mut codes = Codes::new(schema, script);
        let condition = codes.expr(&self.condition)?;
        let (script, drop) = codes.finish();
        script.line(format!("df = df.filter({condition}.cast(pl.Boolean))"));
        script.line(drop.unwrap_or_default());
        Ok(())
    }

    fn summary(&self) -> String {
        shortened(&self.condition, 60)
    }

    fn subject(&self) -> String {
        self.condition.clone()
    }

    fn row_effect(&self) -> RowEffect {
        RowEffect::Filters
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::super::testing::{check_error, outcome, run};

    #[test]
    fn null_is_not_true() {
        let input = df!("n" => [Some(1i64), None, Some(5)]).unwrap();
        assert_eq!(
            run("filter: {where: n > 2}", &input),
            df!("n" => [Some(5i64)]).unwrap()
        );
        assert_eq!(
            run("filter: {where: n <> 1}", &input),
            df!("n" => [Some(5i64)]).unwrap()
        );
        assert_eq!(
            run("filter: {where: n IS DISTINCT FROM 1}", &input),
            df!("n" => [None, Some(5i64)]).unwrap()
        );
    }

    #[test]
    fn rows_left_out_are_counted() {
        let input = df!("n" => [1i64, 2, 3]).unwrap();
        let counts = outcome("filter: {where: n = 2}", &input).counts;
        assert_eq!(
            (counts[0].rows_in, counts[0].rows_out, counts[0].rows_filtered),
            (3, 1, 2)
        );
    }

    #[test]
    fn an_expression_that_is_not_boolean_does_not_check() {
        let input = df!("n" => [1i64]).unwrap();
        assert_eq!(
            check_error("filter: {where: n + 1}", &input),
            format!(
                "the expression is {}, not bool: compare it with a value",
                crate::dataset::dtype_name(&polars::prelude::DataType::Int64)
            )
        );
    }

    #[test]
    fn a_constant_keeps_all_rows_or_none() {
        let input = df!("n" => [1i64, 2]).unwrap();
        assert_eq!(run("filter: {where: 'true'}", &input).height(), 2);
        assert_eq!(run("filter: {where: 1 = 2}", &input).height(), 0);
    }
}
