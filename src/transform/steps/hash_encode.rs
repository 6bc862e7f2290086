//! Gives a value one of `buckets` numbers by its hash, the same in every run and on every machine.
//!
//! It needs no vocabulary, so it fits columns of very many values and values that come up later, at the price that two
//! values may share a number.
//!
//! ```yaml
//! - hash_encode: {column: company_id, into: company_bucket, buckets: 1000}
//! ```
//!
//! The result is int32 from 0 to `buckets` - 1: `MurmurHash3` (x86, 32 bits) of the text's UTF-8 bytes with `seed`, as a
//! signed number modulo `buckets`, never negative. That is the place that `hashing_tf` gives the same word. Whole numbers and
//! booleans count as their text. Null gives null. Another `seed` gives another distribution.
//!
//! Limits: text, whole numbers and booleans only. It is no encryption: who has a list of the values finds them again.

use polars::prelude::{Column, DataType, Field, Int32Chunked, IntoColumn, LazyFrame, PolarsResult, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::learn::{check_categories, text_code};
use crate::base::murmur3::murmur3_x86_32;
use crate::transform::python::Python;
use crate::transform::step::{Behaviour, check_new_name, exactly};
use crate::transform::{CheckError, Inputs};

/// Parameters of `hash_encode`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HashEncode {
    /// Column of categories.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write, the number of the bucket.
    pub into: String,
    /// How many numbers there are.
    #[schemars(range(min = 2, max = 2_147_483_647))]
    pub buckets: u32,
    /// Start of the hash.
    pub seed: u32,
}

impl Default for HashEncode {
    fn default() -> Self {
        Self {
            column: String::new(),
            into: String::new(),
            buckets: 1_000,
            seed: super::hashing_tf::SEED,
        }
    }
}

fn encode(texts: &Column, buckets: i32, seed: u32) -> PolarsResult<Column> {
    let encoded: Int32Chunked = texts
        .str()?
        .iter()
        .map(|text| {
            let hash = murmur3_x86_32(text?.as_bytes(), seed);
            Some(hash.cast_signed().rem_euclid(buckets))
        })
        .collect();
    Ok(encoded.with_name(texts.name().clone()).into_column())
}

impl Params for HashEncode {
    const GROUP: &'static str = "categories";
    const REQUIRED: &'static [&'static str] = &["column", "into"];
}

impl Behaviour for HashEncode {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        check_categories(schema, "column", &self.column)?;
        check_new_name("into", &self.into)?;
        if i32::try_from(self.buckets).map_or(true, |n| n < 2) {
            return Err(
                CheckError::new("buckets", format!("`buckets` is {}", self.buckets))
                    .hint("write a number from 2 to 2147483647"),
            );
        }
        let mut output = schema.clone();
        output.with_column(self.into.as_str().into(), DataType::Int32);
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let buckets = i32::try_from(self.buckets).unwrap_or(i32::MAX).max(1);
        let seed = self.seed;
        let encoded = exactly(self.column.as_str()).cast(DataType::String).map(
            move |texts| encode(&texts, buckets, seed),
            |_, field| Ok(Field::new(field.name().clone(), DataType::Int32)),
        );
        Ok(lf.with_column(encoded.alias(self.into.as_str())))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        script.define("murmur3", include_str!("python/murmur3.py"));
        let code = format!(
            "{}.map_elements(lambda text: murmur3(text.encode(), {}) % {}, return_dtype=pl.Int32)",
            text_code(&self.column),
            self.seed,
            self.buckets
        );
        script.with_columns([(self.into.as_str(), code)]);
        Ok(())
    }

    fn summary(&self) -> String {
        let buckets = crate::base::units::plural(u64::from(self.buckets), "bucket");
        format!("{} → {}: {buckets}", self.column, self.into)
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::hashing_tf::place;
    use super::super::testing::{check_error, run};

    fn buckets(df: &DataFrame) -> Vec<Option<i32>> {
        df.column("h").unwrap().i32().unwrap().iter().collect()
    }

    #[test]
    fn a_value_has_the_place_that_hashing_tf_gives_it() {
        let input = df!("t" => [Some("b"), Some("é"), Some(""), None]).unwrap();
        let output = run("hash_encode: {column: t, into: h}", &input);
        let expected = ["b", "é", ""].map(|word| Some(place(Some(word), 1000)));
        assert_eq!(buckets(&output)[..3], expected);
        assert_eq!(buckets(&output)[1..], [Some(903), Some(372), None]);
    }

    #[test]
    fn a_seed_changes_the_numbers_and_whole_numbers_count_as_text() {
        let input = df!("t" => ["1", "2", "3", "4"], "n" => [1_i64, 2, 3, 4]).unwrap();
        let of = |step: &str| buckets(&run(step, &input));
        let text = of("hash_encode: {column: t, into: h, buckets: 97}");
        assert_eq!(of("hash_encode: {column: n, into: h, buckets: 97}"), text);
        assert_ne!(
            of("hash_encode: {column: t, into: h, buckets: 97, seed: 1}"),
            text
        );
        assert!(text.iter().flatten().all(|n| (0..97).contains(n)));
    }

    #[test]
    fn one_bucket_or_fractions_do_not_check() {
        let input = df!("t" => ["a"], "x" => [0.5]).unwrap();
        assert!(
            check_error("hash_encode: {column: t, into: h, buckets: 1}", &input)
                .starts_with("`buckets` is 1")
        );
        assert!(check_error("hash_encode: {column: x, into: h}", &input).contains("not text"));
    }
}
