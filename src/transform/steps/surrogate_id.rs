//! Gives each row an identifier made from its key columns, the same in every run.
//!
//! Use it for one short key in place of several columns. It depends on the values of `columns` and on `namespace` alone,
//! never on a row's place, its file or the batch, so the preview, a run and a run again give the same identifier.
//!
//! ```yaml
//! - surrogate_id: {columns: [source, external_id], into: job_id, namespace: jobs}
//! ```
//!
//! It is SHA-256 over the canonical bytes (as in `row_hash`) of the namespace and the values. `form: uuid` writes 128 bits
//! of it as a UUID of version 8 (RFC 9562), `int64` its first 63 bits as a number, for systems that want one. A row with a null among its key columns has no identity: it is rejected, or gets null with
//! `on_null: null`.
//!
//! Limits: rows that agree in the key columns get the same identifier; `dedupe` finds them. Two of 4 billion keys share
//! an int64 with a chance of 60 %, a UUID practically never. Who knows the key can compute the identifier: it hides nothing.

use polars::prelude::{
    Column, DataType, Expr, Field, Int64Chunked, IntoColumn, LazyFrame, NULL, PolarsResult, Schema,
    StringChunked, any_horizontal, lit, when,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::reject::{allow_null, choice_or_null};
use super::row_bytes::{define_python, for_each_row};
use super::row_hash::check_columns;
use super::{OnError, Params};
use crate::dataset::origin;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, exactly, few};
use crate::transform::{CheckError, Inputs};

/// Parameters of `surrogate_id`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SurrogateId {
    /// Columns that identify a row, in this order.
    #[schemars(extend("x-input" = "columns"), length(min = 1))]
    pub columns: Vec<String>,
    /// Column to write.
    pub into: String,
    /// Text that tells identifiers of this kind from others with the same keys.
    pub namespace: String,
    /// How the identifier is written.
    pub form: IdForm,
    /// What becomes of a row with a null among its key columns.
    #[serde(deserialize_with = "choice_or_null")]
    #[schemars(transform = allow_null)]
    pub on_null: OnError,
}

/// How an identifier is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdForm {
    /// Text such as `1f0c3a52-9d4e-8b7a-a1c2-5e6f708192a3`.
    #[default]
    Uuid,
    /// A number from 0 to 2^63 - 1.
    Int64,
}

impl IdForm {
    fn dtype(self) -> DataType {
        match self {
            Self::Uuid => DataType::String,
            Self::Int64 => DataType::Int64,
        }
    }
}

/// The namespace as the canonical bytes of a text.
fn namespace_bytes(namespace: &str) -> Vec<u8> {
    let mut bytes = vec![5];
    bytes.extend((namespace.len() as u64).to_le_bytes());
    bytes.extend(namespace.as_bytes());
    bytes
}

fn uuid(digest: u128) -> String {
    let version = (digest & !(0xf << 76)) | (0x8 << 76);
    let variant = (version & !(0x3 << 62)) | (0x2 << 62);
    let hex = format!("{variant:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}

fn identify(columns: &[Column], namespace: &str, form: IdForm) -> PolarsResult<Column> {
    let seeded = Sha256::new().chain_update(namespace_bytes(namespace));
    let mut digests: Vec<u128> = Vec::with_capacity(columns.first().map_or(0, Column::len));
    for_each_row(columns, |bytes| {
        let digest: [u8; 32] = seeded.clone().chain_update(bytes).finalize().into();
        digests.push(
            digest
                .first_chunk::<16>()
                .map_or(0, |first| u128::from_be_bytes(*first)),
        );
    })?;
    let is_null = |row: usize| {
        columns
            .iter()
            .any(|column| column.get(row).is_ok_and(|value| value.is_null()))
    };
    let ids = digests
        .into_iter()
        .enumerate()
        .map(|(row, digest)| (!is_null(row)).then_some(digest));
    Ok(match form {
        IdForm::Uuid => ids
            .map(|digest| digest.map(uuid))
            .collect::<StringChunked>()
            .into_column(),
        IdForm::Int64 => ids
            .map(|digest| digest.and_then(|digest| i64::try_from(digest >> 65).ok()))
            .collect::<Int64Chunked>()
            .into_column(),
    })
}

impl Params for SurrogateId {
    const GROUP: &'static str = "columns";
    const REQUIRED: &'static [&'static str] = &["columns", "into"];
}

impl Behaviour for SurrogateId {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        if self.columns.is_empty() {
            return Err(CheckError::new("columns", "`columns` is empty")
                .hint("choose the columns that identify a row"));
        }
        check_columns(schema, self.columns.iter().map(String::as_str))?;
        check_new_name("into", &self.into)?;
        let mut output = schema.clone();
        output.with_column(self.into.as_str().into(), self.form.dtype());
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let keys: Vec<Expr> = self.columns.iter().map(|name| exactly(name.as_str())).collect();
        let Some((first, others)) = keys.split_first() else {
            return Ok(lf);
        };
        let (namespace, form) = (self.namespace.clone(), self.form);
        let ids = first.clone().map_many(
            move |columns| identify(columns, &namespace, form),
            others,
            move |_, _| Ok(Field::new("id".into(), form.dtype())),
        );
        let mut columns = vec![ids.alias(self.into.as_str())];
        if self.may_reject() {
            let is_null = any_horizontal(keys.iter().map(|key| key.clone().is_null()).collect::<Vec<_>>())
                .map_err(|error| CheckError::new("columns", error.to_string()))?;
            let message = format!(
                "a key column is null: {}",
                few(self.columns.iter().map(String::as_str))
            );
            let reason = when(is_null)
                .then(lit(message))
                .otherwise(lit(NULL).cast(DataType::String));
            columns.push(reason.alias(origin::REJECT));
        }
        Ok(lf.with_columns(columns))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        define_python(script);
        script.import("hashlib");
        script.import("uuid");
        let names = python::list(self.columns.iter().map(String::as_str));
        let namespace = python::quoted(&self.namespace);
        let digest = format!("hashlib.sha256(b\"\".join(map(row_bytes, ({namespace}, *row)))).digest()");
        // `uuid.UUID` sets version 8 and its variant only from Python 3.14 on, so the bits are set by hand.
        let id = match self.form {
            IdForm::Uuid => format!(
                "str(uuid.UUID(int=int.from_bytes({digest}[:16], \"big\") & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0x2 << 62))"
            ),
            IdForm::Int64 => format!("int.from_bytes({digest}[:8], \"big\") >> 1"),
        };
        if self.may_reject() {
            script.line(format!(
                "df = df.filter(~pl.any_horizontal(pl.col({names}).is_null()))"
            ));
        }
        let dtype = python::dtype(&self.form.dtype());
        script.with_columns([(
            self.into.as_str(),
            format!("pl.Series([None if None in row else {id} for row in df.select({names}).rows()], dtype={dtype})"),
        )]);
        Ok(())
    }

    fn summary(&self) -> String {
        format!("{} → {}", few(self.columns.iter().map(String::as_str)), self.into)
    }

    fn subject(&self) -> String {
        self.into.clone()
    }

    fn may_reject(&self) -> bool {
        self.on_null == OnError::Reject
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, outcome, run};
    use super::uuid;

    fn input() -> DataFrame {
        df!("s" => [Some("a"), Some("a"), None], "n" => [1i64, 2, 3]).unwrap()
    }

    fn ids(options: &str, input: &DataFrame) -> Vec<Option<String>> {
        let output = run(
            &format!("surrogate_id: {{columns: [s, n], into: id{options}}}"),
            input,
        );
        let ids = output.column("id").unwrap().clone();
        (0..output.height())
            .map(|row| match ids.get(row).unwrap() {
                polars::prelude::AnyValue::Null => None,
                id => Some(id.str_value().into_owned()),
            })
            .collect()
    }

    #[test]
    fn a_uuid_has_its_version_and_variant() {
        assert_eq!(uuid(0), "00000000-0000-8000-8000-000000000000");
        assert_eq!(uuid(u128::MAX), "ffffffff-ffff-8fff-bfff-ffffffffffff");
    }

    #[test]
    fn the_identifier_depends_on_keys_and_namespace_alone() {
        let all = ids("", &input());
        assert_eq!(all.len(), 2);
        assert_ne!(all[0], all[1]);
        assert_eq!(ids("", &input().slice(1, 1)), all[1..]);
        assert_ne!(ids(", namespace: jobs", &input()), all);
        let numbers = ids(", form: int64", &input());
        assert!(numbers.iter().flatten().all(|id| id.parse::<i64>().unwrap() >= 0));
    }

    #[test]
    fn a_row_with_a_null_in_its_key_is_rejected_or_has_none() {
        let strict = outcome("surrogate_id: {columns: [s, n], into: id}", &input());
        assert_eq!((strict.df.height(), strict.rejects.len()), (2, 1));
        assert_eq!(
            (strict.rejects[0].line, strict.rejects[0].message.as_str()),
            (3, "a key column is null: s, n")
        );
        let lenient = ids(", on_null: null", &input());
        assert_eq!((lenient.len(), &lenient[2]), (3, &None));
    }

    #[test]
    fn key_columns_have_to_be_named() {
        assert!(check_error("surrogate_id: {into: id}", &input()).starts_with("`columns` is empty"));
        assert!(check_error("surrogate_id: {columns: [x], into: id}", &input()).contains("not found"));
    }
}
