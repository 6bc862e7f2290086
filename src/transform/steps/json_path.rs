//! Takes a value out of JSON text by its path: `$.location.geo[0]['lat']`.
//!
//! A path starts at `$`; `.name` or `['any name']` goes to a field, `[0]` to an element from the start, `[*]` to all
//! elements. A path with `[*]` gives a list of all it finds, in order, otherwise the result is one value.
//!
//! ```yaml
//! - json_path: {column: raw, path: $.company.name, into: company}
//! - json_path: {column: raw, path: '$.skills[*].level', into: levels, type: int64, on_error: null}
//! ```
//!
//! `type` is `string`, `int64`, `float64`, `bool`, or `json` for any value as its text. A path that leads nowhere gives
//! null (an empty list with `[*]`), and so does JSON's null. Text that is no JSON, or a value of another type, rejects
//! the record, or gives null with `on_error: null`.
//!
//! Limits: none of the filters, slices, negative indexes and `..` of `JSONPath`. Of equal names in an object the last
//! counts. Values nested deeper than 127 levels are no JSON here. Numbers beyond 2^64 are read as float64.

use polars::prelude::{
    AnyValue, Column, DataType, Field, IntoColumn, IntoSeries, LazyFrame, PolarsResult, Schema, Series,
    StringChunked, StructChunked,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::each_text::check_text;
use super::json_value::{JsonType, define_python, read};
use super::made_fields::with_fields;
use super::reject::{allow_null, choice_or_null};
use super::{OnError, Params};
use crate::dataset::origin;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, exactly};
use crate::transform::{CheckError, Inputs};

/// Parameters of `json_path`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JsonPath {
    /// Column of JSON text.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Path from the whole value, `$`, to the wanted one.
    pub path: String,
    /// Column to write.
    pub into: String,
    /// Type of the value, or of each value with `[*]`.
    #[serde(rename = "type")]
    pub dtype: JsonType,
    /// What becomes of text that is no JSON, and of a value of another type.
    #[serde(deserialize_with = "choice_or_null")]
    #[schemars(transform = allow_null)]
    pub on_error: OnError,
}

/// One part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Field(String),
    Index(usize),
    All,
}

/// Reads a path, or says at which 1-based character it cannot be read, and why.
fn parse(path: &str) -> Result<Vec<Part>, (usize, &'static str)> {
    let mut chars = path.chars().enumerate().peekable();
    if chars.next().map(|(_, c)| c) != Some('$') {
        return Err((1, "a path starts with `$`"));
    }
    let mut parts = Vec::new();
    while let Some((at, c)) = chars.next() {
        let at = at + 1;
        match c {
            '.' => {
                let mut name = String::new();
                while let Some((_, c)) = chars.next_if(|(_, c)| !matches!(c, '.' | '[')) {
                    name.push(c);
                }
                match name.as_str() {
                    "" => return Err((at, "a name is missing after `.`; `..` is not supported")),
                    "*" => {
                        return Err((
                            at,
                            "`.*` is not supported; write `[*]` for all elements of a list",
                        ));
                    }
                    _ => parts.push(Part::Field(name)),
                }
            }
            '[' => {
                let mut inside = String::new();
                let quote = chars.next_if(|(_, c)| matches!(c, '\'' | '"')).map(|(_, c)| c);
                let end = quote.unwrap_or(']');
                loop {
                    match chars.next() {
                        Some((_, c)) if c == end => break,
                        Some((_, c)) => inside.push(c),
                        None => return Err((at, "`[` is not closed")),
                    }
                }
                if quote.is_some() && chars.next().map(|(_, c)| c) != Some(']') {
                    return Err((at, "`]` is missing after a name in quotes"));
                }
                parts.push(match (quote, inside.as_str(), inside.parse()) {
                    (Some(_), _, _) => Part::Field(inside),
                    (None, "*", _) => Part::All,
                    (None, _, Ok(index)) => Part::Index(index),
                    _ => return Err((at, "`[...]` holds a number, `*`, or a name in quotes")),
                });
            }
            _ => return Err((at, "`.` or `[` is expected")),
        }
    }
    Ok(parts)
}

/// Adds everything that `parts` lead to from `value`.
fn find<'a>(value: &'a Value, parts: &[Part], found: &mut Vec<&'a Value>) {
    let Some((part, rest)) = parts.split_first() else {
        found.push(value);
        return;
    };
    match (part, value) {
        (Part::Field(name), Value::Object(fields)) => {
            if let Some(value) = fields.get(name) {
                find(value, rest, found);
            }
        }
        (Part::Index(index), Value::Array(items)) => {
            if let Some(value) = items.get(*index) {
                find(value, rest, found);
            }
        }
        (Part::All, Value::Array(items)) => {
            for value in items {
                find(value, rest, found);
            }
        }
        _ => {}
    }
}

impl JsonPath {
    fn parts(&self) -> Result<Vec<Part>, CheckError> {
        parse(&self.path).map_err(|(position, reason)| {
            CheckError::new("path", format!("`{}` is no path", self.path))
                .hint(reason)
                .at(Some(position))
        })
    }

    fn result_type(&self, parts: &[Part]) -> DataType {
        if parts.contains(&Part::All) {
            DataType::List(Box::new(self.dtype.dtype()))
        } else {
            self.dtype.dtype()
        }
    }

    fn value(&self, text: &str, parts: &[Part]) -> Result<AnyValue<'static>, String> {
        let json = read(text)?;
        let mut found = Vec::new();
        find(&json, parts, &mut found);
        let values = found
            .into_iter()
            .map(|value| self.dtype.take(value))
            .collect::<Result<Vec<_>, String>>()?;
        if parts.contains(&Part::All) {
            let items = Series::from_any_values_and_dtype("".into(), &values, &self.dtype.dtype(), true)
                .map_err(|error| error.to_string())?;
            return Ok(AnyValue::List(items));
        }
        Ok(values.into_iter().next().unwrap_or(AnyValue::Null))
    }

    /// A struct of the values and of the reasons why there are none.
    fn read(&self, texts: &Column, parts: &[Part]) -> PolarsResult<Column> {
        let texts = texts.str()?;
        let mut values = Vec::with_capacity(texts.len());
        let mut reasons: Vec<Option<String>> = Vec::with_capacity(texts.len());
        for text in texts.iter() {
            match text.map(|text| self.value(text, parts)) {
                None => {
                    values.push(AnyValue::Null);
                    reasons.push(None);
                }
                Some(Ok(value)) => {
                    values.push(value);
                    reasons.push(None);
                }
                Some(Err(reason)) => {
                    values.push(AnyValue::Null);
                    reasons.push(Some(reason));
                }
            }
        }
        let reasons: StringChunked = reasons.into_iter().collect();
        let fields = [
            Series::from_any_values_and_dtype("value".into(), &values, &self.result_type(parts), true)?,
            reasons.with_name("reason".into()).into_series(),
        ];
        let made = StructChunked::from_series(texts.name().clone(), texts.len(), fields.iter())?;
        Ok(made.into_column())
    }
}

impl Params for JsonPath {
    const GROUP: &'static str = "nested";
    const REQUIRED: &'static [&'static str] = &["column", "path", "into"];
}

impl Behaviour for JsonPath {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        check_text(schema, "column", &self.column)?;
        check_new_name("into", &self.into)?;
        let parts = self.parts()?;
        let mut output = schema.clone();
        output.with_column(self.into.as_str().into(), self.result_type(&parts));
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let parts = self.parts()?;
        let dtype = DataType::Struct(vec![
            Field::new("value".into(), self.result_type(&parts)),
            Field::new("reason".into(), DataType::String),
        ]);
        let params = self.clone();
        let made = exactly(self.column.as_str()).map(
            move |texts| params.read(&texts, &parts),
            move |_, field| Ok(Field::new(field.name().clone(), dtype.clone())),
        );
        let mut fields = vec![("value", self.into.as_str())];
        if self.may_reject() {
            fields.push(("reason", origin::REJECT));
        }
        Ok(with_fields(lf, made, fields))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        define_python(script);
        let parts = self.parts().map_err(|error| error.to_string())?;
        let path: Vec<String> = parts
            .iter()
            .map(|part| match part {
                Part::Field(name) => python::quoted(name),
                Part::Index(index) => index.to_string(),
                Part::All => "None".to_owned(),
            })
            .collect();
        let column = python::quoted(&self.column);
        let many = python::literal(&parts.contains(&Part::All).into());
        script.line(format!(
            "read = [json_path(x, [{}], \"{}\", {many}) for x in df[{column}].to_list()]",
            path.join(", "),
            self.dtype.name(),
        ));
        let dtype = python::dtype(&self.result_type(&parts));
        script.with_columns([(
            self.into.as_str(),
            format!("pl.Series([value for _, value in read], dtype={dtype})"),
        )]);
        if self.may_reject() {
            script.line("df = df.filter(pl.Series([is_good for is_good, _ in read], dtype=pl.Boolean))");
        }
        Ok(())
    }

    fn summary(&self) -> String {
        format!(
            "{} {} → {}: {}",
            self.column,
            self.path,
            self.into,
            self.dtype.name()
        )
    }

    fn subject(&self) -> String {
        self.into.clone()
    }

    fn column(&self) -> Option<&str> {
        Some(&self.column)
    }

    fn may_reject(&self) -> bool {
        self.on_error == OnError::Reject
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{AnyValue, DataFrame, df};

    use super::super::testing::{check_error, outcome, run};
    use super::{Part, parse};

    #[test]
    fn a_path_is_read_or_refused_at_its_character() {
        let field = |name: &str| Part::Field(name.to_owned());
        assert_eq!(
            parse("$.a.b[0]['c.d'][*][\"e\"]"),
            Ok(vec![
                field("a"),
                field("b"),
                Part::Index(0),
                field("c.d"),
                Part::All,
                field("e")
            ])
        );
        assert_eq!(parse("$"), Ok(vec![]));
        for (path, at) in [
            ("a", 1),
            ("", 1),
            ("$..a", 2),
            ("$a", 2),
            ("$.a[-1]", 4),
            ("$[", 2),
            ("$['a", 2),
            ("$.*", 2),
            ("$['a'x]", 2),
        ] {
            assert_eq!(parse(path).unwrap_err().0, at, "{path}");
        }
    }

    fn input() -> DataFrame {
        df!("j" => [
            Some(r#"{"a": {"b": [1, 2.5, "x"]}, "n": 7, "s": "é\n", "t": true, "l": [{"v": 1}, {}, {"v": null}]}"#),
            Some(r#"{"a": null, "n": 8}"#),
            None,
        ])
        .unwrap()
    }

    fn values(options: &str) -> Vec<String> {
        let output = run(&format!("json_path: {{column: j, into: v, {options}}}"), &input());
        let column = output.column("v").unwrap();
        (0..output.height())
            .map(|row| match column.get(row).unwrap() {
                AnyValue::List(items) => {
                    let items: Vec<String> = items.iter().map(|item| item.str_value().into_owned()).collect();
                    format!("[{}]", items.join(","))
                }
                value => value.str_value().into_owned(),
            })
            .collect()
    }

    #[test]
    fn values_are_found_and_typed() {
        assert_eq!(values("path: $.n, type: int64"), ["7", "8", "null"]);
        assert_eq!(values("path: '$.a.b[1]', type: float64"), ["2.5", "null", "null"]);
        assert_eq!(values("path: \"$['s']\""), ["é\n", "null", "null"]);
        assert_eq!(values("path: $.t, type: bool"), ["true", "null", "null"]);
        assert_eq!(
            values("path: '$.l[*].v', type: int64"),
            ["[1,null]", "[]", "null"]
        );
        assert_eq!(
            values("path: $.a, type: json"),
            [r#"{"b":[1,2.5,"x"]}"#, "null", "null"]
        );
        assert_eq!(values("path: '$.a.b[9]'"), ["null", "null", "null"]);
    }

    #[test]
    fn what_is_no_json_or_of_another_type_is_rejected_or_null() {
        let input = df!("j" => ["{\"n\": 1}", "{", "{\"n\": 1.0}", "NaN", ""]).unwrap();
        let strict = outcome("json_path: {column: j, path: $.n, into: n, type: int64}", &input);
        let reasons: Vec<&str> = strict
            .rejects
            .iter()
            .map(|reject| reject.message.as_str())
            .collect();
        assert_eq!(strict.df.height(), 1);
        assert!(reasons[0].starts_with("`{` is no JSON: EOF"), "{reasons:?}");
        assert_eq!(reasons[1], "`1.0` is no int64");
        assert_eq!(reasons.len(), 4);
        let lenient = run(
            "json_path: {column: j, path: $.n, into: n, type: int64, on_error: null}",
            &input,
        );
        assert_eq!(lenient.column("n").unwrap().null_count(), 4);
        assert_eq!(
            run("json_path: {column: j, path: '$[*]', into: n}", &input.clear()).height(),
            0
        );
    }

    #[test]
    fn a_broken_path_does_not_check() {
        assert_eq!(
            check_error("json_path: {column: j, path: '$.a[b]', into: v}", &input()),
            "`$.a[b]` is no path: `[...]` holds a number, `*`, or a name in quotes"
        );
        let input = df!("n" => [1i64]).unwrap();
        assert!(check_error("json_path: {column: n, path: $, into: v}", &input).contains("not string"));
    }
}
