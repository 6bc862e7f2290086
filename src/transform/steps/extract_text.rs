//! Takes what a regular expression matches out of a text.
//!
//! With `into` one column is written: what group `group` matched first (a number or a name; without it the first group,
//! or the whole match when the pattern has none). Without `into` every named group `(?<name>...)` becomes a column.
//!
//! ```yaml
//! - extract_text: {column: url, into: host, pattern: '^https?://([^/]+)'}
//! - extract_text: {column: location, pattern: '(?<zip>\d{5}) (?<city>.+)', prefix: loc_}
//! ```
//!
//! Text without a match, and a group that took no part in it, gives null, and so does null.
//!
//! Limits: the first match only. Look-around and back-references are refused, because no search in linear time exists with
//! them. The syntax is that of Rust's `regex`; `\w`, `\d` and `\s` mean Unicode.

use polars::prelude::{
    Column, DataType, Field, IntoColumn, IntoSeries, LazyFrame, PolarsResult, Schema, StringChunked,
    StructChunked,
};
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::each_text::check_text;
use super::made_fields::with_fields;
use crate::base::nearest;
use crate::transform::pattern;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, exactly, few, shortened};
use crate::transform::{CheckError, Inputs};

/// Parameters of `extract_text`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExtractText {
    /// Column of text.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Regular expression with groups.
    pub pattern: String,
    /// Column to write for one group; every named group becomes a column when it is not given.
    pub into: Option<String>,
    /// Number or name of the group for `into`; 0 is the whole match.
    pub group: Option<String>,
    /// Text before the names of groups, when they become columns.
    pub prefix: String,
}

impl ExtractText {
    fn regex(&self) -> Result<Regex, CheckError> {
        if self.pattern.is_empty() {
            return Err(CheckError::new("pattern", "`pattern` is empty").hint("write what to look for"));
        }
        pattern::compile("pattern", &self.pattern)
    }

    /// The columns to write, each with the number of its group.
    fn columns(&self, regex: &Regex) -> Result<Vec<(String, usize)>, CheckError> {
        let names: Vec<(&str, usize)> = regex
            .capture_names()
            .enumerate()
            .filter_map(|(number, name)| Some((name?, number)))
            .collect();
        let Some(into) = &self.into else {
            if self.group.is_some() {
                return Err(
                    CheckError::new("into", "`group` is given without `into`").hint("write a column name")
                );
            }
            if names.is_empty() {
                return Err(CheckError::new("pattern", "the pattern has no named group")
                    .hint("name groups like `(?<name>...)`, or write `into`"));
            }
            return Ok(names
                .into_iter()
                .map(|(name, number)| (format!("{}{name}", self.prefix), number))
                .collect());
        };
        let n_groups = regex.captures_len();
        let group = match self.group.as_deref() {
            None => Some(usize::from(n_groups > 1)),
            Some(group) => match group.parse::<usize>() {
                Ok(number) => Some(number).filter(|number| *number < n_groups),
                Err(_) => names
                    .iter()
                    .find(|(name, _)| *name == group)
                    .map(|(_, number)| *number),
            },
        };
        if let Some(group) = group {
            return Ok(vec![(into.clone(), group)]);
        }
        let group = self.group.as_deref().unwrap_or_default();
        let error = CheckError::new("group", format!("the pattern has no group `{group}`"));
        Err(match nearest(group, names.iter().map(|(name, _)| *name)) {
            Some(name) => error.hint(format!("did you mean `{name}`?")),
            None => error.hint(format!("its groups go from 0 to {}", n_groups - 1)),
        })
    }
}

/// A struct of what each group matched first.
fn extract(texts: &Column, regex: &Regex, columns: &[(String, usize)]) -> PolarsResult<Column> {
    let texts = texts.str()?;
    let mut groups: Vec<Vec<Option<&str>>> = vec![Vec::with_capacity(texts.len()); columns.len()];
    let mut places = regex.capture_locations();
    for text in texts.iter() {
        let found = text.filter(|text| regex.captures_read(&mut places, text).is_some());
        for ((_, number), group) in columns.iter().zip(&mut groups) {
            group.push(found.and_then(|text| {
                let (start, end) = places.get(*number)?;
                text.get(start..end)
            }));
        }
    }
    let fields: Vec<_> = columns
        .iter()
        .zip(groups)
        .map(|((name, _), group)| {
            let group: StringChunked = group.into_iter().collect();
            group.with_name(name.as_str().into()).into_series()
        })
        .collect();
    let made = StructChunked::from_series(texts.name().clone(), texts.len(), fields.iter())?;
    Ok(made.into_column())
}

impl Params for ExtractText {
    const GROUP: &'static str = "text";
    const REQUIRED: &'static [&'static str] = &["column", "pattern"];
}

impl Behaviour for ExtractText {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        check_text(schema, "column", &self.column)?;
        let mut output = schema.clone();
        for (name, _) in self.columns(&self.regex()?)? {
            check_new_name("into", &name)?;
            output.with_column(name.as_str().into(), DataType::String);
        }
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let regex = self.regex()?;
        let columns = self.columns(&regex)?;
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, _)| Field::new(name.as_str().into(), DataType::String))
            .collect();
        let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        let groups = exactly(self.column.as_str()).map(
            move |texts| extract(&texts, &regex, &columns),
            move |_, field| Ok(Field::new(field.name().clone(), DataType::Struct(fields.clone()))),
        );
        let names = names.iter().map(String::as_str);
        Ok(with_fields(lf, groups, names.clone().zip(names)))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let regex = self.regex().map_err(|error| error.to_string())?;
        let columns = self.columns(&regex).map_err(|error| error.to_string())?;
        let value = python::col(&self.column);
        let pattern = python::quoted(&self.pattern);
        script.with_columns(
            columns
                .iter()
                .map(|(name, number)| (name.as_str(), format!("{value}.str.extract({pattern}, {number})"))),
        );
        Ok(())
    }

    fn summary(&self) -> String {
        let pattern = shortened(&self.pattern, 30);
        let columns = self
            .regex()
            .and_then(|regex| self.columns(&regex))
            .unwrap_or_default();
        let names = few(columns.iter().map(|(name, _)| name.as_str()));
        format!("{} → {names}: `{pattern}`", self.column)
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, run};

    fn input() -> DataFrame {
        df!("t" => [Some("8010 Graz"), Some("Graz"), Some("x 1 y 2"), None]).unwrap()
    }

    #[test]
    fn one_group_or_the_whole_match_becomes_a_column() {
        for (options, expected) in [
            (r"pattern: '\d+'", [Some("8010"), None, Some("1"), None]),
            (r"pattern: '(\d+) (\w+)'", [Some("8010"), None, Some("1"), None]),
            (
                r"pattern: '(\d+) (\w+)', group: 2",
                [Some("Graz"), None, Some("y"), None],
            ),
            (
                r"pattern: '(\d+) (\w+)', group: '0'",
                [Some("8010 Graz"), None, Some("1 y"), None],
            ),
            (
                r"pattern: '(\d+ )?(?<city>[A-Z]\w+)', group: city",
                [Some("Graz"), Some("Graz"), None, None],
            ),
            (r"pattern: '(\d+ )?[A-Z]'", [Some("8010 "), None, None, None]),
        ] {
            let output = run(
                &format!("extract_text: {{column: t, into: g, {options}}}"),
                &input(),
            );
            let expected = df!("g" => expected).unwrap();
            assert_eq!(
                output.column("g").unwrap(),
                expected.column("g").unwrap(),
                "{options}"
            );
        }
    }

    #[test]
    fn named_groups_become_columns_of_their_names() {
        let yaml = r"extract_text: {column: t, pattern: '(?<zip>\d+) (?<city>\w+)( .*)?', prefix: p_}";
        let output = run(yaml, &input());
        assert_eq!(output.get_column_names(), ["t", "p_zip", "p_city"]);
        assert_eq!(
            output.column("p_city").unwrap().str().unwrap().get(0),
            Some("Graz")
        );
        assert_eq!(output.column("p_city").unwrap().null_count(), 2);
        assert_eq!(run(yaml, &input().clear()).height(), 0);
    }

    #[test]
    fn groups_that_there_are_not_do_not_check() {
        for (options, message) in [
            (
                "pattern: '(a)'",
                "the pattern has no named group: name groups like `(?<name>...)`, or write `into`",
            ),
            (
                "pattern: '(a)', into: g, group: 2",
                "the pattern has no group `2`: its groups go from 0 to 1",
            ),
            (
                "pattern: '(?<city>a)', into: g, group: citi",
                "the pattern has no group `citi`: did you mean `city`?",
            ),
            (
                "pattern: '(?<city>a)', group: city",
                "`group` is given without `into`: write a column name",
            ),
        ] {
            assert_eq!(
                check_error(&format!("extract_text: {{column: t, {options}}}"), &input()),
                message
            );
        }
        let error = check_error("extract_text: {column: t, into: g, pattern: '(?<=a)b'}", &input());
        assert!(
            error.contains("look-around cannot be matched in linear time"),
            "{error}"
        );
    }
}
