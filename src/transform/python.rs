//! A recipe as a script for polars in Python: the pieces that steps write their code with.
//!
//! Code works on `df`, a `polars.DataFrame` with the visible columns in the schema's order, and leaves the step's rows and
//! columns in `df`. What each step writes stands in its own file.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{DataType, TimeUnit};
use serde_json::Value;

/// A script that grows step by step.
#[derive(Debug, Clone, Default)]
pub struct Python {
    imports: BTreeSet<&'static str>,
    functions: BTreeMap<&'static str, &'static str>,
    lines: Vec<String>,
}

impl Python {
    /// Adds a statement, or several lines.
    pub fn line(&mut self, code: impl AsRef<str>) {
        self.lines.extend(code.as_ref().lines().map(str::to_owned));
    }

    /// Sets columns: `df = df.with_columns(...)`, each from its name and an expression.
    pub fn with_columns<'a>(&mut self, columns: impl IntoIterator<Item = (&'a str, String)>) {
        let mut text = String::from("df = df.with_columns(\n");
        for (name, expr) in columns {
            push(&mut text, format_args!("    ({expr}).alias({}),\n", quoted(name)));
        }
        text.push(')');
        self.line(text);
    }

    /// Imports a module of the standard library once: `re`, `math`.
    pub fn import(&mut self, module: &'static str) {
        self.imports.insert(module);
    }

    /// Defines a function once, before all steps. `source` is its whole text.
    pub fn define(&mut self, name: &'static str, source: &'static str) {
        self.functions.insert(name, source);
    }

    /// Everything that was written.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for module in &self.imports {
            push(&mut text, format_args!("import {module}\n"));
        }
        text.push_str("\nimport polars as pl\n");
        for function in self.functions.values() {
            push(&mut text, format_args!("\n\n{}\n", function.trim()));
        }
        text.push('\n');
        for line in &self.lines {
            push(&mut text, format_args!("{line}\n"));
        }
        text
    }
}

fn push(text: &mut String, args: std::fmt::Arguments<'_>) {
    text.push_str(&args.to_string());
}

/// A string literal of Python.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => push(&mut quoted, format_args!("\\U{:08x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A list of string literals: `["a", "b"]`.
pub fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(quoted).collect();
    format!("[{}]", texts.join(", "))
}

/// `pl.col("name")`. polars in Python takes `*` and `^...$` for patterns, as its own language.
pub fn col(name: &str) -> String {
    format!("pl.col({})", quoted(name))
}

/// A value as Python writes it.
pub fn literal(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(literal).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{}: {}", quoted(name), literal(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// A number as Python writes it, also where it is not finite.
pub fn float(value: f64) -> String {
    if value.is_nan() {
        "float(\"nan\")".to_owned()
    } else if value.is_infinite() {
        format!("float(\"{}inf\")", if value > 0.0 { "" } else { "-" })
    } else {
        format!("{value:?}")
    }
}

/// A type as polars in Python names it: `pl.List(pl.String)`.
pub fn dtype(dtype: &DataType) -> String {
    match dtype {
        DataType::Datetime(unit, zone) => {
            let unit = match unit {
                TimeUnit::Nanoseconds => "ns",
                TimeUnit::Microseconds => "us",
                TimeUnit::Milliseconds => "ms",
            };
            let zone = zone
                .as_ref()
                .map_or_else(|| "None".to_owned(), |zone| quoted(zone.as_str()));
            format!("pl.Datetime(\"{unit}\", {zone})")
        }
        DataType::List(inner) => format!("pl.List({})", self::dtype(inner)),
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("{}: {}", quoted(field.name()), self::dtype(field.dtype())))
                .collect();
            format!("pl.Struct({{{}}})", fields.join(", "))
        }
        DataType::Boolean => "pl.Boolean".to_owned(),
        DataType::Int8 => "pl.Int8".to_owned(),
        DataType::Int16 => "pl.Int16".to_owned(),
        DataType::Int32 => "pl.Int32".to_owned(),
        DataType::Int64 => "pl.Int64".to_owned(),
        DataType::UInt8 => "pl.UInt8".to_owned(),
        DataType::UInt16 => "pl.UInt16".to_owned(),
        DataType::UInt32 => "pl.UInt32".to_owned(),
        DataType::UInt64 => "pl.UInt64".to_owned(),
        DataType::Float32 => "pl.Float32".to_owned(),
        DataType::Float64 => "pl.Float64".to_owned(),
        DataType::Date => "pl.Date".to_owned(),
        DataType::Duration(_) => "pl.Duration(\"us\")".to_owned(),
        DataType::Binary => "pl.Binary".to_owned(),
        DataType::Null => "pl.Null".to_owned(),
        _ => "pl.String".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, TimeUnit, TimeZone};
    use serde_json::json;

    use super::{Python, dtype, float, literal, quoted};

    #[test]
    fn values_are_written_as_python_writes_them() {
        assert_eq!(quoted("a\"b\\\n\u{1}"), r#""a\"b\\\n\U00000001""#);
        assert_eq!(
            literal(&json!({"a": [1, 2.5, null, true]})),
            r#"{"a": [1, 2.5, None, True]}"#
        );
        assert_eq!(
            (float(1e300), float(f64::NEG_INFINITY)),
            ("1e300".to_owned(), "float(\"-inf\")".to_owned())
        );
        let stamps = DataType::List(Box::new(DataType::Datetime(
            TimeUnit::Microseconds,
            Some(TimeZone::UTC),
        )));
        assert_eq!(dtype(&stamps), r#"pl.List(pl.Datetime("us", "UTC"))"#);
    }

    #[test]
    fn imports_and_functions_stand_once_before_the_steps() {
        let mut script = Python::default();
        for _ in 0..2 {
            script.import("re");
            script.define("f", "def f(x):\n    return x");
            script.with_columns([("a", "pl.lit(1)".to_owned())]);
        }
        let text = script.text();
        assert_eq!(text.matches("import re\n").count(), 1);
        assert_eq!(text.matches("def f(x):").count(), 1);
        assert_eq!(text.matches("(pl.lit(1)).alias(\"a\"),").count(), 2);
        assert!(text.find("def f") < text.find("df = df"));
    }
}
