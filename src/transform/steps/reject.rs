//! How a step sets rows aside that it cannot compute: a message in a hidden column, written for those rows only.

use polars::prelude::{
    BooleanChunked, Column, DataType, Expr, Field, IntoColumn, PolarsResult, StringChunked,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dataset::origin;
use crate::transform::step::shortened;

/// What becomes of a row whose value a step cannot compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The record is rejected and quarantined.
    #[default]
    Reject,
    /// The value becomes null.
    Null,
}

/// The hidden column that says ``` `abc` is no int64 ``` for rows where `failed` is true, and is null elsewhere.
pub(super) fn reject_where(failed: Expr, value: Expr, what: String) -> Expr {
    failed
        .map_many(
            move |columns| messages(columns, &what),
            &[value],
            |_, _| Ok(Field::new(origin::REJECT.into(), DataType::String)),
        )
        .alias(origin::REJECT)
}

fn messages(columns: &mut [Column], what: &str) -> PolarsResult<Column> {
    let [failed, value] = columns else {
        polars::prelude::polars_bail!(ComputeError: "a reject message needs two columns");
    };
    let failed: &BooleanChunked = failed.bool()?;
    let messages: StringChunked = failed
        .iter()
        .enumerate()
        .map(|(row, failed)| {
            (failed == Some(true)).then(|| {
                let value = value.get(row).map(|value| value.str_value().into_owned());
                format!("`{}` is no {what}", shortened(&value.unwrap_or_default(), 80))
            })
        })
        .collect();
    Ok(messages.with_name(origin::REJECT.into()).into_column())
}
