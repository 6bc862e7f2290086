//! Keeps a share of the keys: all rows of some keys, and none of the others.
//!
//! Whether a row stays depends on its values in `columns` and on `seed` alone, so all rows of a user stay or go together,
//! in every partition, run and preview, and two datasets sampled by the same key fit together. Another seed chooses other
//! keys. A key that a share of 0.1 keeps is kept by every larger share too.
//!
//! ```yaml
//! - sample: {columns: [user_id], share: 0.1, seed: 7}
//! ```
//!
//! The XXH3 hash (64 bits) of the seed and the values' canonical bytes, which `row_hash` documents, as a fraction of its
//! range, is compared with `share`. So whole numbers of every width are one key, and null is a value. Rows left out are
//! counted as filtered.
//!
//! Limits: the share is one of keys, not of rows: where one key has most of the rows, so has the sample, or not.

use polars::prelude::{
    BooleanChunked, Column, DataType, Expr, Field, IntoColumn, LazyFrame, PolarsResult, Schema,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::Params;
use super::row_bytes::{define_python, for_each_row, is_encodable};
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, RowEffect, column_type, exactly, few, wrong_type};
use crate::transform::{CheckError, Inputs};

/// Parameters of `sample`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sample {
    /// Columns whose values are the key.
    #[schemars(extend("x-input" = "columns"))]
    pub columns: Vec<String>,
    /// Share of the keys to keep, above 0 and up to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: f64,
    /// Which keys they are.
    pub seed: u64,
}

impl Default for Sample {
    fn default() -> Self {
        Self {
            columns: Vec::new(),
            share: 0.1,
            seed: 0,
        }
    }
}

/// Whether each row's key is one of the share.
fn is_kept(columns: &[Column], share: f64, seed: u64) -> PolarsResult<Column> {
    let mut bytes = seed.to_le_bytes().to_vec();
    let mut is_kept = Vec::with_capacity(columns.first().map_or(0, Column::len));
    for_each_row(columns, |key| {
        bytes.truncate(size_of::<u64>());
        bytes.extend_from_slice(key);
        // The upper 53 bits are a fraction that float64 holds exactly.
        is_kept.push(((xxh3_64(&bytes) >> 11) as f64) < share * (1_u64 << 53) as f64);
    })?;
    Ok(is_kept.into_iter().collect::<BooleanChunked>().into_column())
}

impl Params for Sample {
    const GROUP: &'static str = "rows";
    const REQUIRED: &'static [&'static str] = &["columns", "share"];
}

impl Behaviour for Sample {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        if self.columns.is_empty() {
            return Err(CheckError::new("columns", "`columns` is empty").hint("choose the columns of a key"));
        }
        for column in &self.columns {
            let dtype = column_type(schema, "columns", column)?;
            if !is_encodable(dtype) {
                return Err(wrong_type("columns", column, dtype, "a type that can be hashed")
                    .hint("use `cast` first"));
            }
        }
        if !(self.share > 0.0 && self.share <= 1.0) {
            let message = format!("share {} is not above 0 and up to 1", self.share);
            return Err(CheckError::new("share", message).hint("0.1 keeps a tenth of the keys"));
        }
        Ok(schema.clone())
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let columns: Vec<Expr> = self
            .columns
            .iter()
            .map(|column| exactly(column.as_str()))
            .collect();
        let Some((first, others)) = columns.split_first() else {
            return Ok(lf);
        };
        let (share, seed) = (self.share, self.seed);
        let is_kept: Expr = first.clone().map_many(
            move |columns| is_kept(columns, share, seed),
            others,
            |_, _| Ok(Field::new("is_kept".into(), DataType::Boolean)),
        );
        Ok(lf.filter(is_kept))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        define_python(script);
        script.define("xxh3_64", include_str!("python/xxh3.py"));
        script.define("sample_share", include_str!("python/sample_share.py"));
        let columns = python::list(self.columns.iter().map(String::as_str));
        let (seed, share) = (self.seed, self.share);
        script.line(format!(
            "df = df.filter(pl.Series([sample_share({seed}, key) < {share:?} for key in df.select({columns}).rows()], \
             dtype=pl.Boolean))"
        ));
        Ok(())
    }

    fn summary(&self) -> String {
        format!("{} % of {}", self.share * 100.0, self.subject())
    }

    fn subject(&self) -> String {
        few(self.columns.iter().map(String::as_str))
    }

    fn row_effect(&self) -> RowEffect {
        RowEffect::Filters
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, DataType, TimeUnit, df};

    use super::super::testing::{check_error, ints, outcome, run};

    fn input() -> DataFrame {
        let users: Vec<i64> = (0..20_000).map(|n| n % 10_000).collect();
        let names: Vec<String> = users.iter().map(|user| format!("user-{user}")).collect();
        df!("user" => users, "name" => names).unwrap()
    }

    #[test]
    fn about_the_share_stays_and_all_rows_of_a_key_together() {
        for column in ["user", "name"] {
            let yaml = format!("sample: {{columns: [{column}], share: 0.1}}");
            let output = run(&yaml, &input());
            let users = ints(&output, "user");
            assert!((1800..2200).contains(&users.len()), "{column}: {}", users.len());
            let (first, second) = users.split_at(users.len() / 2);
            assert_eq!(first, second, "{column}");
            let counts = &outcome(&yaml, &input()).counts[0];
            assert_eq!(counts.rows_filtered, 20_000 - counts.rows_out);
        }
    }

    #[test]
    fn the_keys_are_the_same_in_every_version_and_batch() {
        let few = input().head(Some(100));
        let chosen = ints(&run("sample: {columns: [user], share: 0.05}", &few), "user");
        assert_eq!(chosen, GOLDEN.map(Some));
        let all = run("sample: {columns: [user], share: 0.05}", &input());
        assert_eq!(ints(&all.head(Some(chosen.len())), "user"), chosen);
    }

    /// A changed value here changes the samples of every job.
    const GOLDEN: [i64; 2] = [33, 87];

    #[test]
    fn a_larger_share_keeps_what_a_smaller_one_does_and_another_seed_others() {
        let sample = |share: f64, seed: u64| {
            let yaml = format!("sample: {{columns: [user], share: {share}, seed: {seed}}}");
            ints(&run(&yaml, &input()), "user")
        };
        let (small, large, other) = (sample(0.1, 0), sample(0.3, 0), sample(0.1, 1));
        assert!(small.iter().all(|user| large.contains(user)));
        let n_common = small.iter().filter(|user| other.contains(user)).count();
        assert!(n_common < small.len() / 3, "{n_common} of {}", small.len());
        assert_eq!(sample(1.0, 0).len(), 20_000);
    }

    #[test]
    fn one_value_in_any_type_of_its_kind_is_one_key() {
        let wide = df!("k" => [1i64, 2, 3, 4, 5, 6, 7, 8]).unwrap();
        let expected = run("sample: {columns: [k], share: 0.5}", &wide).height();
        assert!(0 < expected && expected < 8);
        for dtype in [DataType::Int8, DataType::UInt32, DataType::Int32] {
            let narrow = wide.column("k").unwrap().cast(&dtype).unwrap();
            let output = run("sample: {columns: [k], share: 0.5}", &narrow.into_frame());
            assert_eq!(output.height(), expected, "{dtype}");
        }
        let zeros = df!("k" => [0.0, -0.0, f64::NAN, -f64::NAN]).unwrap();
        for seed in 0..8 {
            let output = run(
                &format!("sample: {{columns: [k], share: 0.5, seed: {seed}}}"),
                &zeros,
            );
            assert_eq!(output.height() % 2, 0);
        }
        let milliseconds = wide
            .column("k")
            .unwrap()
            .cast(&DataType::Datetime(TimeUnit::Milliseconds, None));
        let micros = milliseconds
            .as_ref()
            .unwrap()
            .cast(&DataType::Datetime(TimeUnit::Microseconds, None));
        let yaml = "sample: {columns: [k], share: 0.5}";
        assert_eq!(
            run(yaml, &milliseconds.unwrap().into_frame()).height(),
            run(yaml, &micros.unwrap().into_frame()).height()
        );
    }

    #[test]
    fn what_does_not_fit_says_so() {
        for (yaml, expected) in [
            ("sample: {}", "`columns` is empty"),
            (
                "sample: {columns: [usr]}",
                "column `usr` not found: did you mean `user`?",
            ),
            (
                "sample: {columns: [user], share: 0}",
                "share 0 is not above 0 and up to 1",
            ),
            (
                "sample: {columns: [user], share: 1.5}",
                "share 1.5 is not above 0 and up to 1",
            ),
        ] {
            let error = check_error(yaml, &input());
            assert!(error.starts_with(expected), "{yaml}: {error}");
        }
    }
}
