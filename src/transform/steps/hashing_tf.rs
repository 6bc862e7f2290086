//! Counts words into a sparse vector by their hash, with Spark ML's results.
//!
//! Each word is hashed to one of `num_features` places (`MurmurHash3` of its UTF-8 bytes, seed 42, as Spark ML's `HashingTF`
//! does since 3.0); the vector holds how often each place was hit, or 1 with `binary`. No vocabulary has to be learned,
//! at the price that two words may share a place.
//!
//! ```yaml
//! - hashing_tf: {column: words, into: tf, num_features: 262144}
//! ```
//!
//! The result is a struct of two lists of one length: `indices` (int32, ascending) and `values` (float64). That is the
//! sparse form of a vector of `num_features` numbers. Null gives null; an empty list gives empty lists.
//!
//! Limits: the input is a list of text. A null word counts like Spark's null, at the place of 42.

use std::collections::BTreeMap;

use polars::prelude::{
    Column, DataType, Field, Float64Type, Int32Type, IntoColumn, IntoSeries, LazyFrame, ListBuilderTrait,
    ListPrimitiveChunkedBuilder, PolarsResult, Schema, StructChunked,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::token_lists::check_tokens;
use crate::base::murmur3::murmur3_x86_32;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, exactly};
use crate::transform::{CheckError, Inputs};

/// Spark ML's seed.
pub(super) const SEED: u32 = 42;

/// Parameters of `hashing_tf`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HashingTf {
    /// Column of word lists.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write, a sparse vector.
    pub into: String,
    /// Length of the vector.
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub num_features: u32,
    /// Write 1 for every word that occurs, however often.
    pub binary: bool,
}

impl Default for HashingTf {
    fn default() -> Self {
        Self {
            column: String::new(),
            into: String::new(),
            num_features: 262_144,
            binary: false,
        }
    }
}

/// The place of a word: its hash as a signed number, modulo the vector's length, never negative.
pub(super) fn place(word: Option<&str>, num_features: i32) -> i32 {
    let hash = word.map_or(SEED, |word| murmur3_x86_32(word.as_bytes(), SEED));
    hash.cast_signed().rem_euclid(num_features)
}

fn hash_words(lists: &Column, num_features: i32, is_binary: bool) -> PolarsResult<Column> {
    let lists = lists.list()?;
    let n = lists.len();
    let mut indices =
        ListPrimitiveChunkedBuilder::<Int32Type>::new("indices".into(), n, n * 8, DataType::Int32);
    let mut values =
        ListPrimitiveChunkedBuilder::<Float64Type>::new("values".into(), n, n * 8, DataType::Float64);
    let mut counts: BTreeMap<i32, f64> = BTreeMap::new();
    for words in lists.amortized_iter() {
        counts.clear();
        if let Some(words) = words {
            for word in words.as_ref().str()?.iter() {
                *counts.entry(place(word, num_features)).or_default() += 1.0;
            }
        }
        if is_binary {
            for count in counts.values_mut() {
                *count = 1.0;
            }
        }
        indices.append_slice(&counts.keys().copied().collect::<Vec<_>>());
        values.append_slice(&counts.values().copied().collect::<Vec<_>>());
    }
    let fields = [indices.finish().into_series(), values.finish().into_series()];
    let vectors = StructChunked::from_series(lists.name().clone(), n, fields.iter())?;
    Ok(vectors
        .with_outer_validity(lists.rechunk_validity())
        .into_column())
}

fn vector_type() -> DataType {
    DataType::Struct(vec![
        Field::new("indices".into(), DataType::List(Box::new(DataType::Int32))),
        Field::new("values".into(), DataType::List(Box::new(DataType::Float64))),
    ])
}

impl Params for HashingTf {
    const GROUP: &'static str = "text";
    const REQUIRED: &'static [&'static str] = &["column", "into"];
}

impl Behaviour for HashingTf {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        check_tokens(schema, "column", &self.column)?;
        check_new_name("into", &self.into)?;
        if i32::try_from(self.num_features).map_or(true, |n| n == 0) {
            return Err(
                CheckError::new("num_features", format!("`num_features` is {}", self.num_features))
                    .hint("write a number from 1 to 2147483647"),
            );
        }
        let mut output = schema.clone();
        output.with_column(self.into.as_str().into(), vector_type());
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let num_features = i32::try_from(self.num_features).unwrap_or(i32::MAX).max(1);
        let is_binary = self.binary;
        let vectors = exactly(self.column.as_str()).map(
            move |lists| hash_words(&lists, num_features, is_binary),
            |_, field| Ok(Field::new(field.name().clone(), vector_type())),
        );
        Ok(lf.with_column(vectors.alias(self.into.as_str())))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        script.define("murmur3", include_str!("python/murmur3.py"));
        script.define("hashing_tf", include_str!("python/hashing_tf.py"));
        let is_binary = python::literal(&self.binary.into());
        let call = format!("hashing_tf(x, {}, {is_binary})", self.num_features);
        script.with_columns([(
            self.into.as_str(),
            python::each(&self.column, &call, &vector_type()),
        )]);
        Ok(())
    }

    fn summary(&self) -> String {
        let features = crate::base::units::count(u64::from(self.num_features));
        format!("{} → {}: {features} features", self.column, self.into)
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{AnyValue, DataFrame, IntoLazy, col, df, lit};

    use super::super::testing::{check_error, run};
    use super::place;

    #[test]
    fn negative_hashes_still_have_a_place() {
        // The hash of `é` is 1,023,967,903 and that of `ab` negative as a signed number.
        assert_eq!(place(Some("é"), 1000), 903);
        assert_eq!(place(Some(""), 1000), 372);
        assert_eq!(place(None, 1000), 42);
        for word in ["a", "ab", "spark", "天地"] {
            assert!((0..7).contains(&place(Some(word), 7)), "{word}");
        }
    }

    /// The worked example of PySpark's documentation: 10 features, and `indexOf("b")` is 5.
    #[test]
    fn words_have_spark_s_places() {
        assert_eq!(place(Some("b"), 10), 5);
        let mut places = ["a", "b", "c"].map(|word| place(Some(word), 10));
        places.sort_unstable();
        assert_eq!(places, [5, 7, 8]);
    }

    fn vector(df: &DataFrame, row: usize) -> Option<(Vec<i32>, Vec<f64>)> {
        if df.column("v").unwrap().get(row).unwrap() == AnyValue::Null {
            return None;
        }
        let fields = df.column("v").unwrap().struct_().unwrap().fields_as_series();
        let indices = fields[0].list().unwrap().get_as_series(row).unwrap();
        let values = fields[1].list().unwrap().get_as_series(row).unwrap();
        Some((
            indices.i32().unwrap().iter().flatten().collect(),
            values.f64().unwrap().iter().flatten().collect(),
        ))
    }

    #[test]
    fn words_are_counted_in_the_order_of_their_places() {
        let input = df!("t" => [Some("b a b é"), None, Some(" ")]).unwrap();
        let words = run("tokenize: {column: t, into: w}", &input);
        let output = run("hashing_tf: {column: w, into: v, num_features: 1000}", &words);
        let mut expected: Vec<(i32, f64)> = [("a", 1.0), ("b", 2.0), ("é", 1.0)]
            .map(|(word, n)| (place(Some(word), 1000), n))
            .to_vec();
        expected.sort_by_key(|(place, _)| *place);
        assert_eq!(
            vector(&output, 0),
            Some(expected.iter().copied().unzip()),
            "{expected:?}"
        );
        assert_eq!(vector(&output, 1), None);
        assert_eq!(vector(&output, 2), Some((vec![], vec![])));
        let output = run(
            "hashing_tf: {column: w, into: v, num_features: 1000, binary: true}",
            &words,
        );
        assert_eq!(vector(&output, 0).unwrap().1, [1.0, 1.0, 1.0]);
    }

    #[test]
    fn the_input_is_a_list_of_text_and_the_length_positive() {
        let input = df!("t" => ["a"]).unwrap();
        assert!(check_error("hashing_tf: {column: t, into: v}", &input).ends_with("use `tokenize` first"));
        let lists = input
            .lazy()
            .with_column(lit("a").implode(true).alias("w"))
            .with_column(col("t"));
        let schema = lists.clone().collect_schema().unwrap();
        let lists = DataFrame::empty_with_schema(&schema);
        assert!(
            check_error("hashing_tf: {column: w, into: v, num_features: 0}", &lists)
                .starts_with("`num_features` is 0")
        );
    }
}
