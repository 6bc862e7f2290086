//! Makes a column of each field of a struct.
//!
//! The fields take the place of the struct; with `keep: true` it stays before them. `prefix: true` puts the struct's name
//! and an underscore before each field (`location_city`), `prefix: loc_` puts that text.
//!
//! ```yaml
//! - unnest: {column: location, prefix: true}
//! ```
//!
//! A null struct gives null fields.
//!
//! Limits: one level a step. A field whose name another column has does not check; give a prefix.

use polars::prelude::{DataType, LazyFrame, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::select::hidden_columns;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, column_type, exactly, wrong_type};
use crate::transform::{CheckError, Inputs};

/// Parameters of `unnest`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Unnest {
    /// Column of structs.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Text before each field's name; `true` takes the column's name and an underscore.
    pub prefix: Prefix,
    /// Keep the struct as well.
    pub keep: bool,
}

/// What stands before the names of fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "`prefix` is `true`, `false` or text")]
pub enum Prefix {
    ColumnName(bool),
    Text(String),
}

impl Default for Prefix {
    fn default() -> Self {
        Self::ColumnName(false)
    }
}

impl Unnest {
    fn name_of(&self, field: &str) -> String {
        match &self.prefix {
            Prefix::ColumnName(false) => field.to_owned(),
            Prefix::ColumnName(true) => format!("{}_{field}", self.column),
            Prefix::Text(prefix) => format!("{prefix}{field}"),
        }
    }
}

impl Params for Unnest {
    const GROUP: &'static str = "nested";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Behaviour for Unnest {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let dtype = column_type(schema, "column", &self.column)?;
        let DataType::Struct(fields) = dtype else {
            return Err(wrong_type("column", &self.column, dtype, "a struct"));
        };
        let mut output = Schema::default();
        for (name, dtype) in schema.iter() {
            let is_struct = *name == self.column.as_str();
            let own = (!is_struct || self.keep).then(|| (name.to_string(), dtype));
            let fields = fields
                .iter()
                .filter(|_| is_struct)
                .map(|field| (self.name_of(&field.name), &field.dtype));
            for (name, dtype) in own.into_iter().chain(fields) {
                check_new_name("prefix", &name)?;
                if output.insert(name.as_str().into(), dtype.clone()).is_some() {
                    let message = format!("two columns would be named `{name}`");
                    return Err(CheckError::new("prefix", message).hint("set `prefix: true`"));
                }
            }
        }
        if output.is_empty() {
            return Err(CheckError::new("column", "no column remains").hint("set `keep: true`"));
        }
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let mut columns = Vec::new();
        for (name, dtype) in schema.iter() {
            let is_struct = *name == self.column.as_str();
            if !is_struct || self.keep {
                columns.push(exactly(name.clone()));
            }
            if let (true, DataType::Struct(fields)) = (is_struct, dtype) {
                columns.extend(fields.iter().map(|field| {
                    exactly(name.clone())
                        .struct_()
                        .field_by_name(&field.name)
                        .alias(self.name_of(&field.name))
                }));
            }
        }
        columns.push(hidden_columns());
        Ok(lf.select(columns))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        script.line("df = df.select(");
        for (name, dtype) in schema.iter() {
            let value = python::col(name);
            let is_struct = *name == self.column.as_str();
            if !is_struct || self.keep {
                script.line(format!("    {value},"));
            }
            if let (true, DataType::Struct(fields)) = (is_struct, dtype) {
                for field in fields {
                    let (from, to) = (
                        python::quoted(field.name()),
                        python::quoted(&self.name_of(field.name())),
                    );
                    script.line(format!("    {value}.struct.field({from}).alias({to}),"));
                }
            }
        }
        script.line(")");
        Ok(())
    }

    fn summary(&self) -> String {
        match &self.prefix {
            Prefix::ColumnName(false) => self.column.clone(),
            _ => format!("{} → {}", self.column, self.name_of("*")),
        }
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series, StructChunked, df};

    use super::super::testing::{check_error, run};

    fn input() -> DataFrame {
        let fields = [
            Series::new("city".into(), ["Graz", "Linz"]),
            Series::new("id".into(), [7i64, 8]),
        ];
        let location = StructChunked::from_series("loc".into(), 2, fields.iter()).unwrap();
        let mut df = df!("id" => [1i64, 2]).unwrap();
        df.with_column(location.into_column()).unwrap();
        df.with_column(Series::new("z".into(), [true, false]).into_column())
            .unwrap();
        df
    }

    #[test]
    fn fields_take_the_place_of_the_struct() {
        let output = run("unnest: {column: loc, prefix: true}", &input());
        assert_eq!(
            output,
            df!("id" => [1i64, 2], "loc_city" => ["Graz", "Linz"], "loc_id" => [7i64, 8], "z" => [true, false])
                .unwrap()
        );
        let output = run("unnest: {column: loc, prefix: l., keep: true}", &input());
        assert_eq!(output.get_column_names(), ["id", "loc", "l.city", "l.id", "z"]);
    }

    #[test]
    fn names_that_clash_ask_for_a_prefix() {
        assert_eq!(
            check_error("unnest: {column: loc}", &input()),
            "two columns would be named `id`: set `prefix: true`"
        );
        assert!(check_error("unnest: {column: id}", &input()).ends_with("not a struct"));
    }
}
