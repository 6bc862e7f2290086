//! Replaces what a regular expression matches in a text.
//!
//! The syntax is that of Rust's `regex`. In `with`, `$1` or `$name` stands for what a group matched, `${1}` where letters
//! or digits follow, and `$$` for a dollar sign. With `literal: true` both are taken as they stand.
//!
//! ```yaml
//! - replace_text: {column: title, pattern: '\s*\((?:m/w/d|f/m/d)\)', with: ''}
//! - replace_text: {column: phone, into: digits, pattern: '[^0-9]+', with: ''}
//! - replace_text: {column: name, pattern: '^(\w+), (\w+)$', with: '$2 $1'}
//! ```
//!
//! Every match is replaced, or the first alone with `first: true`. Null stays null.
//!
//! Limits: look-around and back-references in a pattern are refused, because no search in linear time exists with them.
//! `\w`, `\d` and `\s` mean Unicode; `(?i)` at the beginning ignores case.

use polars::prelude::{DataType, LazyFrame, Schema};
use regex::{NoExpand, Regex};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::each_text::{check_text, each_text};
use crate::transform::pattern;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, shortened, target};
use crate::transform::{CheckError, Inputs};

/// Parameters of `replace_text`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReplaceText {
    /// Column of text.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write; the column itself when it is not given.
    pub into: Option<String>,
    /// Regular expression, or the text to look for with `literal`.
    pub pattern: String,
    /// What takes the place of a match; `$1` is what the first group matched.
    pub with: String,
    /// Take `pattern` and `with` as plain text.
    pub literal: bool,
    /// Replace the first match only.
    pub first: bool,
}

impl ReplaceText {
    fn target(&self) -> &str {
        target(self.into.as_deref(), &self.column)
    }

    fn regex(&self) -> Result<Regex, CheckError> {
        if self.pattern.is_empty() {
            return Err(CheckError::new("pattern", "`pattern` is empty").hint("write what to look for"));
        }
        if self.literal {
            return pattern::compile("pattern", &regex::escape(&self.pattern));
        }
        let regex = pattern::compile("pattern", &self.pattern)?;
        pattern::check_replacement("with", &regex, &self.with)?;
        Ok(regex)
    }
}

impl Params for ReplaceText {
    const GROUP: &'static str = "text";
    const REQUIRED: &'static [&'static str] = &["column", "pattern"];
}

impl Behaviour for ReplaceText {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        check_text(schema, "column", &self.column)?;
        check_new_name("into", self.target())?;
        self.regex()?;
        let mut output = schema.clone();
        output.with_column(self.target().into(), DataType::String);
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let (regex, with) = (self.regex()?, self.with.clone());
        let limit = usize::from(self.first);
        let is_literal = self.literal;
        let replaced = each_text(&self.column, move |text| {
            Some(if is_literal {
                regex.replacen(text, limit, NoExpand(&with))
            } else {
                regex.replacen(text, limit, with.as_str())
            })
        });
        Ok(lf.with_column(replaced.alias(self.target())))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let function = if self.first { "replace" } else { "replace_all" };
        let replaced = format!(
            "{}.str.{function}({}, {}, literal={})",
            python::col(&self.column),
            python::quoted(&self.pattern),
            python::quoted(&self.with),
            python::literal(&self.literal.into()),
        );
        script.with_columns([(self.target(), replaced)]);
        Ok(())
    }

    fn summary(&self) -> String {
        let (pattern, with) = (shortened(&self.pattern, 30), shortened(&self.with, 30));
        format!("{}: `{pattern}` → `{with}`", self.column)
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::super::testing::{check_error, run};

    fn check(options: &str, text: &str, expected: &str) {
        let input = df!("t" => [Some(text), None]).unwrap();
        let output = run(&format!("replace_text: {{column: t, {options}}}"), &input);
        assert_eq!(output, df!("t" => [Some(expected), None]).unwrap(), "{options}");
    }

    #[test]
    fn matches_are_replaced_and_groups_named() {
        check(r"pattern: '\d+', with: '#'", "a1b22", "a#b#");
        check(r"pattern: '\d+', with: '#', first: true", "a1b22", "a#b22");
        check(
            r"pattern: '(\w+) (\w+)', with: '$2, $1'",
            "Ada Lovelace",
            "Lovelace, Ada",
        );
        check(r"pattern: '(?<y>\d{4})', with: '${y}s$$'", "in 1980", "in 1980s$");
        check(r"pattern: '(?i)ä'", "Äbä", "b");
        check(r"pattern: 'x*', with: '-'", "ab", "-a-b-");
    }

    #[test]
    fn a_literal_is_taken_as_it_stands() {
        check("pattern: 'a.', with: '$0', literal: true", "a.ab", "$0ab");
        check("pattern: '(', with: '', literal: true, first: true", "((", "(");
    }

    #[test]
    fn a_pattern_that_cannot_be_linear_does_not_check() {
        let input = df!("t" => ["a"], "n" => [1i64]).unwrap();
        for (options, message) in [
            (
                "column: t, pattern: 'a(?!b)'",
                "look-around cannot be matched in linear time",
            ),
            (
                r"column: t, pattern: '(a)\1'",
                "a back-reference cannot be matched in linear time",
            ),
            (
                "column: t, pattern: 'a', with: '$1'",
                "the pattern has no group `1`",
            ),
            ("column: t", "`pattern` is empty"),
            ("column: n, pattern: 'a'", "column `n` is int64, not string"),
        ] {
            let error = check_error(&format!("replace_text: {{{options}}}"), &input);
            assert!(error.contains(message), "{error}");
        }
    }
}
