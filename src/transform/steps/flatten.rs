//! Makes columns of all structs, down to their innermost fields.
//!
//! A field's column is named by the way to it: `location_geo_lat`, with `separator` between the names. The fields take the
//! place of their struct. `depth` says how many levels are opened; all of them when it is not given.
//!
//! ```yaml
//! - flatten: {}
//! - flatten: {columns: [location], separator: '.', depth: 1}
//! ```
//!
//! A null struct gives null fields. A struct without fields stays.
//!
//! Limits: lists stay as they are, also lists of structs; use `explode` first. Two columns that would get one name do not
//! check; choose another separator.

use polars::prelude::{DataType, Expr, LazyFrame, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::select::hidden_columns;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, column_type, exactly, few, wrong_type};
use crate::transform::{CheckError, Inputs};

/// Parameters of `flatten`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Flatten {
    /// Structs to open; all of them when empty.
    #[schemars(extend("x-input" = "columns"))]
    pub columns: Vec<String>,
    /// Text between the names of struct and field.
    pub separator: String,
    /// Levels to open; all when it is not given.
    #[schemars(range(min = 1))]
    pub depth: Option<usize>,
}

impl Default for Flatten {
    fn default() -> Self {
        Self {
            columns: Vec::new(),
            separator: "_".to_owned(),
            depth: None,
        }
    }
}

/// A column of the output: the way to it through structs, and its type.
struct Leaf<'a> {
    path: Vec<&'a str>,
    dtype: &'a DataType,
}

impl Flatten {
    fn leaves<'a>(&self, schema: &'a Schema) -> Vec<Leaf<'a>> {
        let mut leaves = Vec::new();
        for (name, dtype) in schema.iter() {
            let is_opened =
                self.columns.is_empty() || self.columns.iter().any(|column| name == column.as_str());
            let depth = if is_opened {
                self.depth.unwrap_or(usize::MAX)
            } else {
                0
            };
            let path = vec![name.as_str()];
            push_leaves(Leaf { path, dtype }, depth, &mut leaves);
        }
        leaves
    }

    fn name(&self, leaf: &Leaf<'_>) -> String {
        leaf.path.join(&self.separator)
    }
}

fn push_leaves<'a>(leaf: Leaf<'a>, depth: usize, leaves: &mut Vec<Leaf<'a>>) {
    match leaf.dtype {
        DataType::Struct(fields) if depth > 0 && !fields.is_empty() => {
            for field in fields {
                let mut path = leaf.path.clone();
                path.push(field.name().as_str());
                let dtype = field.dtype();
                push_leaves(Leaf { path, dtype }, depth - 1, leaves);
            }
        }
        _ => leaves.push(leaf),
    }
}

impl Params for Flatten {
    const GROUP: &'static str = "nested";
    const REQUIRED: &'static [&'static str] = &[];
}

impl Behaviour for Flatten {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        for column in &self.columns {
            let dtype = column_type(schema, "columns", column)?;
            if !matches!(dtype, DataType::Struct(_)) {
                return Err(wrong_type("columns", column, dtype, "a struct"));
            }
        }
        if self.depth == Some(0) {
            return Err(CheckError::new("depth", "`depth` is 0").hint("write 1 for one level"));
        }
        let mut output = Schema::default();
        for leaf in self.leaves(schema) {
            let name = self.name(&leaf);
            check_new_name("separator", &name)?;
            if output.insert(name.as_str().into(), leaf.dtype.clone()).is_some() {
                let message = format!("two columns would be named `{name}`");
                return Err(CheckError::new("separator", message)
                    .hint("write another `separator`, or rename one of them first"));
            }
        }
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let mut columns: Vec<Expr> = self
            .leaves(schema)
            .iter()
            .filter_map(|leaf| {
                let (first, fields) = leaf.path.split_first()?;
                let value = fields.iter().fold(exactly(*first), |value, field| {
                    value.struct_().field_by_name(field)
                });
                Some(value.alias(self.name(leaf)))
            })
            .collect();
        columns.push(hidden_columns());
        Ok(lf.select(columns))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        script.line("df = df.select(");
        for leaf in self.leaves(schema) {
            let Some((first, fields)) = leaf.path.split_first() else {
                continue;
            };
            let value = fields.iter().fold(python::col(first), |value, field| {
                format!("{value}.struct.field({})", python::quoted(field))
            });
            let name = python::quoted(&self.name(&leaf));
            script.line(format!("    {value}.alias({name}),"));
        }
        script.line(")");
        Ok(())
    }

    fn summary(&self) -> String {
        let columns = if self.columns.is_empty() {
            "all structs".to_owned()
        } else {
            few(self.columns.iter().map(String::as_str))
        };
        match self.depth {
            Some(depth) => format!("{columns}, {}", crate::base::units::plural(depth as u64, "level")),
            None => columns,
        }
    }

    fn subject(&self) -> String {
        few(self.columns.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, IntoColumn, IntoSeries, NamedFrom, Series, StructChunked, df};

    use super::super::testing::{check_error, run};

    fn input() -> DataFrame {
        let lat = [Series::new("lat".into(), [Some(47.0), None])];
        let geo = StructChunked::from_series("geo".into(), 2, lat.iter())
            .unwrap()
            .into_series();
        let fields = [Series::new("city".into(), ["Graz", "Linz"]), geo];
        let loc = StructChunked::from_series("loc".into(), 2, fields.iter()).unwrap();
        let mut df = df!("id" => [1i64, 2]).unwrap();
        df.with_column(loc.into_column()).unwrap();
        df.with_column(Series::new("z".into(), [true, false]).into_column())
            .unwrap();
        df
    }

    #[test]
    fn fields_at_any_depth_become_columns_in_their_struct_s_place() {
        assert_eq!(
            run("flatten: {}", &input()),
            df!(
                "id" => [1i64, 2],
                "loc_city" => ["Graz", "Linz"],
                "loc_geo_lat" => [Some(47.0), None],
                "z" => [true, false]
            )
            .unwrap()
        );
        let output = run("flatten: {columns: [loc], separator: ., depth: 1}", &input());
        assert_eq!(output.get_column_names(), ["id", "loc.city", "loc.geo", "z"]);
        assert_eq!(run("flatten: {}", &input().clear()).height(), 0);
    }

    #[test]
    fn names_that_clash_do_not_check() {
        let mut input = input();
        input
            .with_column(Series::new("loc_city".into(), [1i64, 2]).into_column())
            .unwrap();
        assert_eq!(
            check_error("flatten: {}", &input),
            "two columns would be named `loc_city`: write another `separator`, or rename one of them first"
        );
        assert!(check_error("flatten: {columns: [id]}", &input).ends_with("not a struct"));
        assert!(check_error("flatten: {depth: 0}", &input).starts_with("`depth` is 0"));
    }
}
