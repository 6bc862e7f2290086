//! Brings text into one form: HTML, Unicode, case, spaces.
//!
//! The parts run in this order, each only when it is asked for: `strip_html` (tags become a space, the contents of
//! `script` and `style` are dropped, entities such as `&amp;` are decoded), `unicode: nfkc` (full-width letters,
//! ligatures and composed accents become their plain form), `case`, `collapse_spaces` (any run of white space becomes one
//! space), `trim`.
//!
//! ```yaml
//! - normalize_text: {column: description, strip_html: true, unicode: nfkc, collapse_spaces: true, trim: true}
//! - normalize_text: {column: title, into: title_key, case: lower, trim: true}
//! ```
//!
//! Null stays null. `case: title` makes the first letter of each word large and the others small.
//!
//! Limits: case is Unicode's; the step `case` knows a language's own rules (Turkish i). HTML is scanned, not parsed: a `<` that starts
//! no tag stays, and rare named entities stay as they are.

use std::borrow::Cow;

use polars::prelude::{DataType, LazyFrame, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::case::{CaseLanguage, CaseRules, LetterCase, python_case};
use super::each_text::{check_text, each_text};
use super::{Params, html};
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, target};
use crate::transform::{CheckError, Inputs};

/// Parameters of `normalize_text`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NormalizeText {
    /// Column of text.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write; the column itself when it is not given.
    pub into: Option<String>,
    /// Take white space away at both ends.
    pub trim: bool,
    /// Case of letters.
    pub case: Case,
    /// Take HTML tags away and decode entities.
    pub strip_html: bool,
    /// Unicode form.
    pub unicode: UnicodeForm,
    /// Make one space of each run of white space.
    pub collapse_spaces: bool,
}

/// Case of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Case {
    #[default]
    Keep,
    Lower,
    Upper,
    Title,
}

/// Unicode form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnicodeForm {
    #[default]
    Keep,
    Nfkc,
}

impl Case {
    fn letter_case(self) -> Option<LetterCase> {
        match self {
            Self::Keep => None,
            Self::Lower => Some(LetterCase::Lower),
            Self::Upper => Some(LetterCase::Upper),
            Self::Title => Some(LetterCase::Title),
        }
    }
}

impl NormalizeText {
    fn target(&self) -> &str {
        target(self.into.as_deref(), &self.column)
    }

    /// The rules of the case that letters get, or none when they keep theirs.
    fn case_rules(&self) -> Result<Option<CaseRules>, CheckError> {
        let to = self.case.letter_case();
        to.map(|to| CaseRules::new(to, CaseLanguage::Any)).transpose()
    }

    fn normalize(&self, text: &str, case: Option<&CaseRules>) -> String {
        let mut text = if self.strip_html {
            html::strip(text)
        } else {
            text.to_owned()
        };
        if self.unicode == UnicodeForm::Nfkc && !text.is_ascii() {
            text = text.nfkc().collect();
        }
        if let Some(case) = case {
            text = case.change(&text);
        }
        if self.collapse_spaces {
            text = collapse_spaces(&text);
        }
        if self.trim && text.trim().len() < text.len() {
            return text.trim().to_owned();
        }
        text
    }
}

fn collapse_spaces(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_whitespace() {
            collapsed.push(c);
        } else if !collapsed.ends_with(' ') {
            collapsed.push(' ');
        }
    }
    collapsed
}

impl Params for NormalizeText {
    const GROUP: &'static str = "text";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Behaviour for NormalizeText {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        check_text(schema, "column", &self.column)?;
        check_new_name("into", self.target())?;
        let mut output = schema.clone();
        output.with_column(self.target().into(), DataType::String);
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let (params, case) = (self.clone(), self.case_rules()?);
        let normalized = each_text(&self.column, move |text| {
            Some(Cow::Owned(params.normalize(text, case.as_ref())))
        });
        Ok(lf.with_column(normalized.alias(self.target())))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let mut value = python::col(&self.column);
        if self.strip_html {
            script.import("re");
            script.define("strip_html", include_str!("python/strip_html.py"));
            let stripped = python::each(&self.column, "strip_html(x)", &DataType::String);
            script.with_columns([(self.target(), stripped)]);
            value = python::col(self.target());
        }
        if self.unicode == UnicodeForm::Nfkc {
            value.push_str(".str.normalize(\"NFKC\")");
        }
        if let Some(to) = self.case.letter_case() {
            value = python_case(&value, to, CaseLanguage::Any);
        }
        if self.collapse_spaces {
            value.push_str(".str.replace_all(r\"\\s+\", \" \")");
        }
        if self.trim {
            value.push_str(".str.strip_chars()");
        }
        script.with_columns([(self.target(), value)]);
        Ok(())
    }

    fn summary(&self) -> String {
        let case = match self.case {
            Case::Keep => None,
            Case::Lower => Some("lower"),
            Case::Upper => Some("upper"),
            Case::Title => Some("title case"),
        };
        let parts: Vec<&str> = [
            self.strip_html.then_some("no HTML"),
            (self.unicode == UnicodeForm::Nfkc).then_some("NFKC"),
            case,
            self.collapse_spaces.then_some("collapse spaces"),
            self.trim.then_some("trim"),
        ]
        .into_iter()
        .flatten()
        .collect();
        let what = match parts.as_slice() {
            [] => String::new(),
            parts => format!(": {}", parts.join(", ")),
        };
        match &self.into {
            Some(into) => format!("{} → {into}{what}", self.column),
            None => format!("{}{what}", self.column),
        }
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::super::testing::{check_error, run};

    #[test]
    fn each_part_does_its_own_and_no_more() {
        for (options, text, expected) in [
            ("trim: true", "  a  b\u{a0}", "a  b"),
            ("collapse_spaces: true", " a\t\n b ", " a b "),
            ("case: lower", "ÄB ΑΣ", "äb ας"),
            ("case: upper", "straße", "STRASSE"),
            (
                "case: title",
                "senior ENGINEER's o'neil",
                "Senior Engineer's O'neil",
            ),
            ("unicode: nfkc", "ﬁｎ①\u{a0}e\u{301}", "fin1 é"),
            ("unicode: keep", "ﬁ", "ﬁ"),
            (
                "strip_html: true, collapse_spaces: true, trim: true",
                "<p>R&amp;D <b>Lead</b></p>\n<ul>",
                "R&D Lead",
            ),
            (
                "strip_html: true, unicode: nfkc, collapse_spaces: true, trim: true",
                "&nbsp;a&nbsp; b",
                "a b",
            ),
        ] {
            let input = df!("t" => [Some(text), None]).unwrap();
            let output = run(&format!("normalize_text: {{column: t, {options}}}"), &input);
            assert_eq!(output, df!("t" => [Some(expected), None]).unwrap(), "{options}");
        }
    }

    #[test]
    fn only_text_can_be_normalized() {
        let input = df!("n" => [1i64]).unwrap();
        let error = check_error("normalize_text: {column: n, trim: true}", &input);
        assert!(
            error.starts_with("column `n` is ") && error.ends_with("not string: use `cast` first"),
            "{error}"
        );
    }
}
