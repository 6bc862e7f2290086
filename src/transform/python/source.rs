//! Where a script finds rows and how it reads them, as the data that its reader takes: the declared fields, the form of
//! each time, the keys that count.

use std::path::Path;

use chrono::format::{Fixed, Item, Numeric, StrftimeItems};
use globset::GlobBuilder;
use polars::prelude::Schema;
use serde_json::{Map, Value, json};

use super::{dtype, literal, quoted};
use crate::dataset::decode::DecodeOptions;
use crate::dataset::{self, Accept, DataType, Format, InputSource, InputSpec, InputSpecError};

/// Rows that a script reads.
#[derive(Debug, Clone, PartialEq)]
pub struct RowSource {
    /// Files, folders or `s3://` prefixes. By day they hold `{day}` or `{day:%Y/%m/%d}`, as job specs write it.
    pub paths: Vec<String>,
    pub by_day: bool,
    /// Which keys below a path are data, as a glob; none goes by their endings.
    pub pattern: Option<String>,
    pub format: RowFormat,
    /// How S3 is reached, as specs write it: profile, region, endpoint, `path_style`, `anonymous`. Never a secret; boto3
    /// finds credentials where the AWS tools do.
    pub connection: Value,
}

/// How rows lie in files.
#[derive(Debug, Clone, PartialEq)]
pub enum RowFormat {
    Jsonl {
        schema: dataset::Schema,
        /// A longer line is rejected.
        max_line_bytes: usize,
    },
    /// Visible columns.
    Parquet(Schema),
}

impl RowSource {
    /// The rows of a second dataset, as `spec` declares it; a relative place is relative to `base`.
    ///
    /// # Errors
    /// [`InputSpecError`] for a spec that nobody could read by.
    pub fn of_input(spec: &InputSpec, base: &Path) -> Result<Self, InputSpecError> {
        let source = InputSource::new(spec, base)?;
        let mut path = source.root.to_string();
        if source.is_by_day() {
            let brace = spec.uri.find('{').unwrap_or_default();
            let folders = spec.uri.get(..brace).and_then(|fixed| fixed.rfind('/'));
            let day = spec.uri.get(folders.map_or(0, |at| at + 1)..).unwrap_or_default();
            path = format!("{}/{day}", path.trim_end_matches('/'));
        }
        let pattern = spec.pattern.as_deref().or(match spec.format {
            Format::Jsonl => Some("**/*.{jsonl,ndjson,json}{,.gz,.zst}"),
            Format::Parquet => None,
        });
        Ok(Self {
            paths: vec![path],
            by_day: source.is_by_day(),
            pattern: pattern.map(str::to_owned),
            format: match spec.format {
                Format::Jsonl => RowFormat::Jsonl {
                    schema: spec.schema.clone(),
                    max_line_bytes: DecodeOptions::default().max_line_bytes,
                },
                Format::Parquet => RowFormat::Parquet(spec.schema.to_polars()),
            },
            connection: serde_json::to_value(&spec.connection).unwrap_or_default(),
        })
    }

    /// The dictionary that the script's reader takes, over several lines, and what it cannot read.
    pub(super) fn written(&self, indent: &str) -> (String, Option<String>) {
        let mut cannot = None;
        let mut entries = vec![
            ("paths", literal(&json!(self.paths))),
            ("by_day", literal(&json!(self.by_day))),
        ];
        if let Some(pattern) = &self.pattern {
            entries.push(("match", format!("{}.encode()", quoted(&regex_of(pattern)))));
        }
        if self
            .connection
            .as_object()
            .is_some_and(|options| !options.is_empty())
        {
            entries.push(("connection", literal(&self.connection)));
        }
        let columns = match &self.format {
            RowFormat::Jsonl {
                schema,
                max_line_bytes,
            } => {
                entries.push(("format", quoted("jsonl")));
                entries.push(("max_line_bytes", max_line_bytes.to_string()));
                for (key, policy) in [
                    ("on_missing", json!(schema.on_missing)),
                    ("on_unknown", json!(schema.on_unknown)),
                    ("on_mismatch", json!(schema.on_mismatch)),
                ] {
                    entries.push((key, literal(&policy)));
                }
                let keeps_text = schema.fields.iter().any(keeps_text);
                entries.push(("keeps_text", literal(&json!(keeps_text))));
                let fields = schema.fields.iter().map(|field| match field_json(field) {
                    Ok(field) => literal(&field),
                    Err(reason) => {
                        cannot.get_or_insert(reason);
                        literal(&json!({"name": field.name, "type": kind(&field.dtype)}))
                    }
                });
                let fields: Vec<String> = fields.collect();
                entries.push(("fields", block(&fields, ("[", "]"), &format!("{indent}    "))));
                schema.to_polars()
            }
            RowFormat::Parquet(schema) => {
                entries.push(("format", quoted("parquet")));
                schema.clone()
            }
        };
        let columns: Vec<String> = columns
            .iter()
            .map(|(name, of)| format!("{}: {}", quoted(name), dtype(of)))
            .collect();
        entries.push(("schema", block(&columns, ("{", "}"), &format!("{indent}    "))));
        if let Some(reason) = &cannot {
            entries.push(("cannot", quoted(reason)));
        }
        let entries: Vec<String> = entries
            .into_iter()
            .map(|(key, value)| format!("{}: {value}", quoted(key)))
            .collect();
        (block(&entries, ("{", "}"), indent), cannot)
    }

    pub(super) fn has_forms(&self) -> bool {
        match &self.format {
            RowFormat::Jsonl { schema, .. } => schema.fields.iter().any(|field| field.parse.is_some()),
            RowFormat::Parquet(_) => false,
        }
    }
}

/// Entries one a line between brackets.
fn block(entries: &[String], (open, close): (&str, &str), indent: &str) -> String {
    let mut text = format!("{open}\n");
    for entry in entries {
        text.extend([indent, "    ", entry, ",\n"]);
    }
    text.push_str(indent);
    text.push_str(close);
    text
}

/// A glob as a regular expression that Python reads too, for the bytes of a key. One that is no glob takes nothing.
fn regex_of(glob: &str) -> String {
    let glob = GlobBuilder::new(glob)
        .literal_separator(true)
        .empty_alternates(true)
        .build();
    glob.map_or_else(
        |_| "(?!)".to_owned(),
        |glob| glob.regex().trim_start_matches("(?-u)").to_owned(),
    )
}

/// Whether values of the field are kept as the text they have in the line.
fn keeps_text(field: &dataset::Field) -> bool {
    fn has(dtype: &DataType, takes_json: bool) -> bool {
        match dtype {
            DataType::Json => true,
            DataType::String => takes_json,
            DataType::List(item) => has(item, takes_json),
            DataType::Struct(members) => members.iter().any(|(_, dtype)| has(dtype, takes_json)),
            _ => false,
        }
    }
    has(&field.dtype, field.accept.contains(&Accept::Json))
}

fn field_json(field: &dataset::Field) -> Result<Value, String> {
    let mut entry = Map::new();
    entry.insert("name".to_owned(), json!(field.name));
    entry.insert("type".to_owned(), kind(&field.dtype));
    if field.required {
        entry.insert("required".to_owned(), json!(true));
    }
    if !field.accept.is_empty() {
        entry.insert("accept".to_owned(), json!(field.accept));
    }
    if let Some(parse) = &field.parse {
        let form = form(parse).map_err(|code| {
            format!(
                "field `{}` is read by `{parse}`, whose {code} this script cannot read: run the job with skewer, or \
                 read the field as string and parse it",
                field.name
            )
        })?;
        entry.insert("parse".to_owned(), form);
    }
    Ok(Value::Object(entry))
}

/// A type as the reader takes it: its word, or what it holds.
fn kind(dtype: &DataType) -> Value {
    match dtype {
        DataType::Timestamp => json!("timestamp"),
        DataType::List(item) => json!({"list": kind(item)}),
        DataType::Struct(members) => {
            let members: Map<String, Value> = members
                .iter()
                .map(|(name, dtype)| (name.clone(), kind(dtype)))
                .collect();
            json!({"struct": members})
        }
        other => json!(other.to_string()),
    }
}

/// The items of a strftime form with what the reader needs to know of each.
///
/// # Errors
/// The item that it cannot read.
fn form(parse: &str) -> Result<Value, String> {
    let items = StrftimeItems::new(parse).map(|item| {
        Ok(match &item {
            Item::Literal(text) => json!(["literal", text]),
            Item::Space(text) => json!(["space", text]),
            Item::Numeric(number, _) => {
                let (name, width, is_signed) = match number {
                    Numeric::Year => ("year", 4, true),
                    Numeric::YearMod100 => ("short_year", 2, false),
                    Numeric::Month => ("month", 2, false),
                    Numeric::Day => ("day", 2, false),
                    Numeric::Ordinal => ("ordinal", 3, false),
                    Numeric::Hour => ("hour", 2, false),
                    Numeric::Hour12 => ("hour12", 2, false),
                    Numeric::Minute => ("minute", 2, false),
                    Numeric::Second => ("second", 2, false),
                    Numeric::Nanosecond => ("nanosecond", 9, false),
                    Numeric::Timestamp => ("timestamp", 18, false),
                    other => return Err(format!("item {other:?}")),
                };
                json!(["number", [name, width, is_signed]])
            }
            Item::Fixed(fixed) => match fixed {
                Fixed::ShortMonthName => json!(["month", false]),
                Fixed::LongMonthName => json!(["month", true]),
                Fixed::ShortWeekdayName => json!(["weekday", false]),
                Fixed::LongWeekdayName => json!(["weekday", true]),
                Fixed::LowerAmPm | Fixed::UpperAmPm => json!(["half", null]),
                Fixed::Nanosecond => json!(["fraction", null]),
                Fixed::TimezoneOffset | Fixed::TimezoneOffsetColon => json!(["offset", false]),
                other => return Err(format!("item {other:?}")),
            },
            other => return Err(format!("item {other:?}")),
        })
    });
    let items: Result<Vec<Value>, String> = items.collect();
    items.map(Value::Array)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use std::path::Path;

    use super::{RowSource, form, regex_of};
    use crate::base::envelope::from_yaml;

    #[test]
    fn a_glob_is_a_regular_expression_without_flags_of_rust() {
        assert_eq!(regex_of("*.json"), r"^[^/]*\.json$");
        assert!(!regex_of("**/*.{jsonl,json}{,.gz}").contains("(?-u)"));
    }

    #[test]
    fn an_input_is_read_where_its_spec_says_also_by_day() {
        let spec = "uri: ../clicks/{day:%Y/%m/%d}/\nschema: {fields: [{name: id, type: int64}]}";
        let source = RowSource::of_input(&from_yaml(spec).unwrap(), Path::new("/lake/jobs")).unwrap();
        assert_eq!(source.paths, ["/lake/clicks/{day:%Y/%m/%d}/"]);
        assert!(source.by_day);
        let (text, cannot) = source.written("");
        assert!(text.contains("\"by_day\": True") && cannot.is_none(), "{text}");
    }

    #[test]
    fn a_form_is_written_item_by_item_and_an_unknown_one_is_named() {
        assert_eq!(
            form("%d/%m %.f%z").unwrap(),
            json!([
                ["number", ["day", 2, false]],
                ["literal", "/"],
                ["number", ["month", 2, false]],
                ["space", " "],
                ["fraction", null],
                ["offset", false]
            ])
        );
        assert!(form("%G-%V").unwrap_err().contains("IsoYear"));
    }
}
