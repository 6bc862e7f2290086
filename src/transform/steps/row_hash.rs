//! Hashes columns of a row to a number that is the same in every version, process and batch (XXH3).
//!
//! Use it to compare rows between runs or tables, to sample by key, or to spread rows evenly. It is XXH3 with 64 bits and
//! seed 0 over the canonical bytes of the values, in the order of `columns` (all columns when there are none).
//!
//! ```yaml
//! - row_hash: {columns: [title, company, salary], into: content_hash}
//! - row_hash: {into: row_hash, form: hex}
//! ```
//!
//! The canonical bytes of a value are a tag and its content: `00` null; `01` bool, then `00` or `01`; `02` a whole number
//! of any width, 8 bytes (`03` above 2^63 - 1); `04` float32 or float64, the 8 bytes of the float64 (`-0.0` as `0.0`, one
//! `NaN`); `05` text, its length in bytes, its UTF-8; `06` date, days since 1970; `07` timestamp, microseconds since 1970
//! (UTC); `08` duration, microseconds; `09` list, its length, its values; `0a` struct, the number of its fields, their
//! values; `0b` bytes, their number, the bytes. Numbers and lengths take 8 bytes, the lowest first. So null differs from
//! empty, `1` from `1.0`, and int32 equals int64; names of columns and fields do not count, their order does.
//!
//! `form: int64` (the default) takes the 64 bits as a number with a sign, `hex` writes them as 16 lower-case digits.
//!
//! Limits: no protection against somebody who looks for two rows of one hash, and among 5 billion rows two are likely to
//! share one; `surrogate_id` has 128 bits. With all columns the hash changes when a column is added.

use polars::prelude::{
    Column, DataType, Field, Int64Chunked, IntoColumn, LazyFrame, PolarsResult, Schema, StringChunked,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::Params;
use super::row_bytes::{define_python, for_each_row, is_encodable};
use super::select::{few_or_all, named_or_all};
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, column_type, exactly, wrong_type};
use crate::transform::{CheckError, Inputs};

/// Parameters of `row_hash`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RowHash {
    /// Columns to hash, in this order; all of them when empty.
    #[schemars(extend("x-input" = "columns"))]
    pub columns: Vec<String>,
    /// Column to write.
    pub into: String,
    /// How the hash is written.
    pub form: HashForm,
}

/// How a hash is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HashForm {
    /// A number of 64 bits with a sign.
    #[default]
    Int64,
    /// 16 lower-case hexadecimal digits.
    Hex,
}

impl HashForm {
    fn dtype(self) -> DataType {
        match self {
            Self::Int64 => DataType::Int64,
            Self::Hex => DataType::String,
        }
    }
}

fn hash(columns: &[Column], form: HashForm) -> PolarsResult<Column> {
    let mut hashes = Vec::with_capacity(columns.first().map_or(0, Column::len));
    for_each_row(columns, |bytes| hashes.push(xxh3_64(bytes)))?;
    Ok(match form {
        HashForm::Int64 => hashes
            .into_iter()
            .map(|hash| Some(hash.cast_signed()))
            .collect::<Int64Chunked>()
            .into_column(),
        HashForm::Hex => hashes
            .into_iter()
            .map(|hash| Some(format!("{hash:016x}")))
            .collect::<StringChunked>()
            .into_column(),
    })
}

/// Refuses columns that are missing or have values without canonical bytes.
pub(super) fn check_columns<'a>(
    schema: &Schema,
    columns: impl IntoIterator<Item = &'a str>,
) -> Result<(), CheckError> {
    for column in columns {
        let dtype = column_type(schema, "columns", column)?;
        if !is_encodable(dtype) {
            return Err(
                wrong_type("columns", column, dtype, "a type that can be hashed").hint("use `cast` first")
            );
        }
    }
    Ok(())
}

impl Params for RowHash {
    const GROUP: &'static str = "columns";
    const REQUIRED: &'static [&'static str] = &["into"];
}

impl Behaviour for RowHash {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        check_columns(schema, named_or_all(&self.columns, schema))?;
        check_new_name("into", &self.into)?;
        let mut output = schema.clone();
        output.with_column(self.into.as_str().into(), self.form.dtype());
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let mut columns = named_or_all(&self.columns, schema).into_iter().map(exactly);
        let Some(first) = columns.next() else {
            return Ok(lf);
        };
        let form = self.form;
        let hashes = first.map_many(
            move |columns| hash(columns, form),
            &columns.collect::<Vec<_>>(),
            move |_, _| Ok(Field::new("hash".into(), form.dtype())),
        );
        Ok(lf.with_column(hashes.alias(self.into.as_str())))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        define_python(script);
        script.define("xxh3_64", include_str!("python/xxh3.py"));
        let names = python::list(named_or_all(&self.columns, schema));
        let hash = "xxh3_64(b\"\".join(map(row_bytes, row)))";
        let written = match self.form {
            HashForm::Int64 => format!("int.from_bytes({hash}.to_bytes(8, \"big\"), \"big\", signed=True)"),
            HashForm::Hex => format!("f\"{{{hash}:016x}}\"").replace("b\"\"", "bytes()"),
        };
        let dtype = python::dtype(&self.form.dtype());
        script.with_columns([(
            self.into.as_str(),
            format!("pl.Series([{written} for row in df.select({names}).rows()], dtype={dtype})"),
        )]);
        Ok(())
    }

    fn summary(&self) -> String {
        format!("{} → {}", few_or_all(&self.columns), self.into)
    }

    fn subject(&self) -> String {
        self.into.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};
    use xxhash_rust::xxh3::xxh3_64;

    use super::super::testing::{check_error, run};

    fn hashes(yaml: &str, input: &DataFrame) -> Vec<i64> {
        let output = run(yaml, input);
        output
            .column("h")
            .unwrap()
            .i64()
            .unwrap()
            .iter()
            .flatten()
            .collect()
    }

    /// These values are frozen: recipes and tables out there depend on them.
    #[test]
    fn the_hash_of_a_row_never_changes() {
        let input = df!("a" => [Some("x"), None, Some("")], "n" => [1i64, 2, 3]).unwrap();
        let bytes = |parts: &[&[u8]]| xxh3_64(&parts.concat()).cast_signed();
        let one = |n: u8| [2, n, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(
            hashes("row_hash: {columns: [a, n], into: h}", &input),
            [
                bytes(&[&[5, 1, 0, 0, 0, 0, 0, 0, 0], b"x", &one(1)]),
                bytes(&[&[0], &one(2)]),
                bytes(&[&[5, 0, 0, 0, 0, 0, 0, 0, 0], &one(3)]),
            ]
        );
        let hex = run("row_hash: {into: h, form: hex}", &df!("a" => [""]).unwrap());
        assert_eq!(hex.column("h").unwrap().get(0).unwrap().str_value(), FROZEN);
    }

    const FROZEN: &str = "aa269631f2ca76e1";

    #[test]
    fn rows_hash_alike_in_any_batch_and_any_width() {
        let long = df!("n" => [1i64, 2, 3]).unwrap();
        let all = hashes("row_hash: {columns: [n], into: h}", &long);
        assert_eq!(
            hashes("row_hash: {columns: [n], into: h}", &long.slice(2, 1)),
            all[2..]
        );
        let short = df!("n" => [1i8, 2, 3]).unwrap();
        assert_eq!(hashes("row_hash: {columns: [n], into: h}", &short), all);
        let swapped = df!("a" => ["x"], "b" => ["y"]).unwrap();
        assert_ne!(
            hashes("row_hash: {columns: [a, b], into: h}", &swapped),
            hashes("row_hash: {columns: [b, a], into: h}", &swapped)
        );
        assert!(hashes("row_hash: {into: h}", &long.clear()).is_empty());
    }

    #[test]
    fn a_column_that_is_missing_does_not_check() {
        let input = df!("price" => [1i64]).unwrap();
        assert_eq!(
            check_error("row_hash: {columns: [prise], into: h}", &input),
            "column `prise` not found: did you mean `price`?"
        );
        assert_eq!(
            check_error("row_hash: {}", &input),
            "a column has no name: write a name"
        );
    }
}
