//! Changes the case of letters by a language's own rules.
//!
//! Without a language the rules are Unicode's. Turkish and Azeri have two letters i, with a dot and without, in both
//! cases: `I` becomes `ı` and `i` becomes `İ`. Lithuanian keeps the dot of an i below another accent. Dutch titles begin
//! with both letters of `ij`: `IJssel`.
//!
//! ```yaml
//! - case: {column: city, to: lower, language: turkish}
//! - case: {column: name, to: title}
//! ```
//!
//! `title` makes the first letter of each word large and the others small; an apostrophe does not end a word
//! (`O'neil`). The German `ß` becomes `SS` in capitals (`Ss` at the beginning of a word), and small letters do not bring
//! it back; a capital `ẞ` becomes `ß`. A Greek `Σ` at the end of a word becomes `ς`. Null stays null.
//!
//! Limits: the length of a text may change. Greek capitals keep their accents. Titles of particular words (`of`, `von`)
//! are like those of others.

use std::borrow::Cow;

use polars::prelude::{DataType, LazyFrame, Schema};
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::each_text::{check_text, each_text};
use crate::transform::pattern;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, target};
use crate::transform::{CheckError, Inputs};

/// Parameters of `case`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Case {
    /// Column of text.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write; the column itself when it is not given.
    pub into: Option<String>,
    /// Case that letters get.
    pub to: LetterCase,
    /// Language whose rules hold.
    pub language: CaseLanguage,
}

/// Case that letters get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LetterCase {
    #[default]
    Lower,
    Upper,
    Title,
}

/// A language with rules of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseLanguage {
    /// None: Unicode's rules.
    #[default]
    Any,
    Azeri,
    Dutch,
    Lithuanian,
    Turkish,
}

/// Marks below a letter or beside it, which may stand between it and a mark above.
const OTHER_MARKS: &str = r"[\x{315}-\x{31a}\x{31b}\x{31c}-\x{33c}\x{345}\x{347}-\x{349}\x{34d}-\x{34e}]*";
/// Marks above a letter (combining class 230).
const MARK_ABOVE: &str =
    r"[\x{300}-\x{314}\x{33d}-\x{344}\x{346}\x{34a}-\x{34c}\x{350}-\x{352}\x{357}\x{35b}]";

/// What is replaced before small letters are made, so that Unicode's rules do the rest. Source: `SpecialCasing.txt`.
fn before_lower(language: CaseLanguage) -> Vec<(String, &'static str)> {
    match language {
        CaseLanguage::Any | CaseLanguage::Dutch => Vec::new(),
        CaseLanguage::Azeri | CaseLanguage::Turkish => vec![
            (format!("I({OTHER_MARKS})\u{307}"), "i${1}"),
            ("İ".to_owned(), "i"),
            ("I".to_owned(), "ı"),
        ],
        CaseLanguage::Lithuanian => vec![
            ("Ì".to_owned(), "i\u{307}\u{300}"),
            ("Í".to_owned(), "i\u{307}\u{301}"),
            ("Ĩ".to_owned(), "i\u{307}\u{303}"),
            (format!("I({OTHER_MARKS}{MARK_ABOVE})"), "i\u{307}${1}"),
            (format!("J({OTHER_MARKS}{MARK_ABOVE})"), "j\u{307}${1}"),
            (format!("Į({OTHER_MARKS}{MARK_ABOVE})"), "į\u{307}${1}"),
        ],
    }
}

/// What is replaced before capitals are made.
fn before_upper(language: CaseLanguage) -> Vec<(String, &'static str)> {
    match language {
        CaseLanguage::Any | CaseLanguage::Dutch => Vec::new(),
        CaseLanguage::Azeri | CaseLanguage::Turkish => vec![("i".to_owned(), "İ")],
        CaseLanguage::Lithuanian => vec![(format!("([ijįĳ]{OTHER_MARKS})\u{307}"), "${1}")],
    }
}

/// A word, or what lies between two.
const PIECE: &str = r"[\p{Alphabetic}\p{N}][\p{Alphabetic}\p{N}\p{M}'’]*|[^\p{Alphabetic}\p{N}]+";

/// Letters of a language in another case.
#[derive(Debug, Clone)]
pub(super) struct CaseRules {
    to: LetterCase,
    language: CaseLanguage,
    before_lower: Vec<(Regex, &'static str)>,
    before_upper: Vec<(Regex, &'static str)>,
    piece: Regex,
}

impl CaseRules {
    pub(super) fn new(to: LetterCase, language: CaseLanguage) -> Result<Self, CheckError> {
        let compiled = |rules: Vec<(String, &'static str)>| {
            rules
                .into_iter()
                .map(|(from, to)| Ok((pattern::compile("language", &from)?, to)))
                .collect::<Result<Vec<_>, CheckError>>()
        };
        Ok(Self {
            to,
            language,
            before_lower: compiled(before_lower(language))?,
            before_upper: compiled(before_upper(language))?,
            piece: pattern::compile("language", PIECE)?,
        })
    }

    pub(super) fn change(&self, text: &str) -> String {
        match self.to {
            LetterCase::Lower => replaced(text, &self.before_lower).to_lowercase(),
            LetterCase::Upper => replaced(text, &self.before_upper).to_uppercase(),
            LetterCase::Title => {
                self.piece
                    .find_iter(text)
                    .fold(String::with_capacity(text.len()), |mut titled, piece| {
                        self.push_title(piece.as_str(), &mut titled);
                        titled
                    })
            }
        }
    }

    /// Appends a word with its first letter large. `Σ` at its end depends on what stands before, so the small letters are
    /// made of the whole word.
    fn push_title(&self, word: &str, titled: &mut String) {
        let n_first = match self.language {
            CaseLanguage::Dutch if is_ij(word) => 2,
            _ => 1,
        };
        let first: String = word.chars().take(n_first).collect();
        let large = replaced(&first, &self.before_upper).to_uppercase();
        if n_first == 2 {
            titled.push_str(&large);
        } else {
            titled.extend(large.chars().take(1));
            titled.push_str(&large.chars().skip(1).collect::<String>().to_lowercase());
        }
        let n_small = replaced(&first, &self.before_lower)
            .to_lowercase()
            .chars()
            .count();
        let small = replaced(word, &self.before_lower).to_lowercase();
        titled.extend(small.chars().skip(n_small));
    }
}

fn is_ij(word: &str) -> bool {
    word.get(..2)
        .is_some_and(|start| start.eq_ignore_ascii_case("ij"))
}

fn replaced<'a>(text: &'a str, rules: &[(Regex, &'static str)]) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for (from, to) in rules {
        if let Cow::Owned(changed) = from.replace_all(&text, *to) {
            text = Cow::Owned(changed);
        }
    }
    text
}

/// The text that `value` names in another case, in polars for Python.
pub(super) fn python_case(value: &str, to: LetterCase, language: CaseLanguage) -> String {
    let replaced = |value: &str, rules: &[(String, &str)]| {
        let steps = rules.iter().map(|(from, to)| {
            format!(
                ".str.replace_all({}, {})",
                python::quoted(from),
                python::quoted(to)
            )
        });
        format!("{value}{}", steps.collect::<String>())
    };
    let lower = |value: &str| format!("{}.str.to_lowercase()", replaced(value, &before_lower(language)));
    let upper = |value: &str| format!("{}.str.to_uppercase()", replaced(value, &before_upper(language)));
    match to {
        LetterCase::Lower => lower(value),
        LetterCase::Upper => upper(value),
        LetterCase::Title => {
            let word = "pl.element()";
            let first = format!("{word}.str.slice(0, 1)");
            let large = upper(&first);
            let rest = format!("{}.str.slice({}.str.len_chars())", lower(word), lower(&first));
            let title = format!("{large}.str.slice(0, 1) + {large}.str.slice(1).str.to_lowercase() + {rest}");
            let title = if language == CaseLanguage::Dutch {
                let is_ij = format!("{word}.str.contains(\"^[iI][jJ]\")");
                format!(
                    "pl.when({is_ij}).then(pl.lit(\"IJ\") + {word}.str.slice(2).str.to_lowercase()).otherwise({title})"
                )
            } else {
                title
            };
            let pieces = format!("{value}.str.extract_all({})", python::quoted(PIECE));
            format!("{pieces}.list.eval({title}).list.join(\"\")")
        }
    }
}

impl Case {
    fn target(&self) -> &str {
        target(self.into.as_deref(), &self.column)
    }
}

impl Params for Case {
    const GROUP: &'static str = "text";
    const REQUIRED: &'static [&'static str] = &["column", "to"];
}

impl Behaviour for Case {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        check_text(schema, "column", &self.column)?;
        check_new_name("into", self.target())?;
        let mut output = schema.clone();
        output.with_column(self.target().into(), DataType::String);
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let rules = CaseRules::new(self.to, self.language)?;
        let changed = each_text(&self.column, move |text| Some(Cow::Owned(rules.change(text))));
        Ok(lf.with_column(changed.alias(self.target())))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let changed = python_case(&python::col(&self.column), self.to, self.language);
        script.with_columns([(self.target(), changed)]);
        Ok(())
    }

    fn summary(&self) -> String {
        let to = match self.to {
            LetterCase::Lower => "lower",
            LetterCase::Upper => "upper",
            LetterCase::Title => "title",
        };
        match self.language {
            CaseLanguage::Any => format!("{}: {to}", self.column),
            language => format!(
                "{}: {to}, {}",
                self.column,
                format!("{language:?}").to_lowercase()
            ),
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

    fn check(options: &str, text: &str, expected: &str) {
        let input = df!("t" => [Some(text), None]).unwrap();
        let output = run(&format!("case: {{column: t, to: {options}}}"), &input);
        assert_eq!(
            output,
            df!("t" => [Some(expected), None]).unwrap(),
            "{options} {text:?}"
        );
    }

    #[test]
    fn without_a_language_the_rules_are_unicode_s() {
        check("lower", "ISTANBUL ÄẞΟΔΟΣ", "istanbul äßοδος");
        check("upper", "straße ﬁx ıi", "STRASSE FIX II");
        check(
            "title",
            "SENIOR engineer's o'neil-MAIER 3d",
            "Senior Engineer's O'neil-Maier 3d",
        );
        check("title", "ΟΔΟΣ ßa", "Οδος Ssa");
        check("title", "  a_b\n", "  A_B\n");
        check("title", "e\u{301}COLE", "E\u{301}cole");
        check("title", "", "");
    }

    #[test]
    fn turkish_and_azeri_tell_the_two_letters_i_apart() {
        for language in ["turkish", "azeri"] {
            check(
                &format!("lower, language: {language}"),
                "DİYARBAKIR I\u{307}Ş",
                "diyarbakır iş",
            );
            check(
                &format!("upper, language: {language}"),
                "diyarbakır ı",
                "DİYARBAKIR I",
            );
            check(
                &format!("title, language: {language}"),
                "izmir ISPARTA",
                "İzmir Isparta",
            );
        }
    }

    /// Examples of `SpecialCasing.txt`.
    #[test]
    fn lithuanian_keeps_the_dot_below_an_accent() {
        let lower = "lower, language: lithuanian";
        check(
            lower,
            "Ì Í Ĩ I J",
            "i\u{307}\u{300} i\u{307}\u{301} i\u{307}\u{303} i j",
        );
        check(
            lower,
            "I\u{301} J\u{303} Į\u{301}",
            "i\u{307}\u{301} j\u{307}\u{303} į\u{307}\u{301}",
        );
        check(
            "upper, language: lithuanian",
            "i\u{307}\u{301} j\u{307} a\u{307}",
            "I\u{301} J A\u{307}",
        );
    }

    #[test]
    fn dutch_titles_begin_with_both_letters_of_ij() {
        check(
            "title, language: dutch",
            "ijssel IJMUIDEN ij fijn",
            "IJssel IJmuiden IJ Fijn",
        );
        check("title", "ijssel", "Ijssel");
    }

    #[test]
    fn only_text_has_a_case() {
        let input = df!("n" => [1i64]).unwrap();
        assert!(check_error("case: {column: n, to: lower}", &input).contains("not string"));
    }
}
