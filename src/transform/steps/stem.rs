//! Cuts words down to their stems by a language's rules (Snowball).
//!
//! `engineers` and `engineering` become `engin`. Use it so that forms of one word count as one. A list of words gives a
//! list of stems; a text is cut at every run of characters that are no letters or digits, and what lies between stays.
//!
//! ```yaml
//! - stem: {column: words, language: english}
//! ```
//!
//! Words are turned into lower case first, as Snowball's rules want them. Null gives null, and null words stay.
//!
//! Limits: a stem is a key to compare by, not a word to show. The rules know nothing of meaning (`university` and
//! `universe` share a stem). Spark ML has no stemmer; polars for Python has none either.

use std::borrow::Cow;

use polars::prelude::{DataType, Field, LazyFrame, Schema};
use rust_stemmers::{Algorithm, Stemmer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::each_text::each_text;
use super::token_lists::{map_tokens, tokens_type};
use crate::transform::CheckError;
use crate::transform::python::Python;
use crate::transform::step::{Behaviour, check_new_name, column_type, exactly, target, wrong_type};

/// Parameters of `stem`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stem {
    /// Column of word lists or of text.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write; the column itself when it is not given.
    pub into: Option<String>,
    /// Language of the words.
    pub language: StemLanguage,
}

/// A language with rules for stems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StemLanguage {
    Arabic,
    Danish,
    Dutch,
    #[default]
    English,
    Finnish,
    French,
    German,
    Greek,
    Hungarian,
    Italian,
    Norwegian,
    Portuguese,
    Romanian,
    Russian,
    Spanish,
    Swedish,
    Tamil,
    Turkish,
}

impl StemLanguage {
    fn algorithm(self) -> Algorithm {
        match self {
            Self::Arabic => Algorithm::Arabic,
            Self::Danish => Algorithm::Danish,
            Self::Dutch => Algorithm::Dutch,
            Self::English => Algorithm::English,
            Self::Finnish => Algorithm::Finnish,
            Self::French => Algorithm::French,
            Self::German => Algorithm::German,
            Self::Greek => Algorithm::Greek,
            Self::Hungarian => Algorithm::Hungarian,
            Self::Italian => Algorithm::Italian,
            Self::Norwegian => Algorithm::Norwegian,
            Self::Portuguese => Algorithm::Portuguese,
            Self::Romanian => Algorithm::Romanian,
            Self::Russian => Algorithm::Russian,
            Self::Spanish => Algorithm::Spanish,
            Self::Swedish => Algorithm::Swedish,
            Self::Tamil => Algorithm::Tamil,
            Self::Turkish => Algorithm::Turkish,
        }
    }
}

impl Stem {
    fn target(&self) -> &str {
        target(self.into.as_deref(), &self.column)
    }
}

/// A word in lower case without its ending.
fn stem_word(stemmer: &Stemmer, word: &str) -> String {
    stemmer.stem(&word.to_lowercase()).into_owned()
}

/// `text` with each of its words cut down.
fn stem_text(stemmer: &Stemmer, text: &str) -> String {
    let mut stems = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        stems.push_str(&stem_word(stemmer, word));
        let end = after.find(char::is_alphanumeric).unwrap_or(after.len());
        let (between, after) = after.split_at_checked(end).unwrap_or((after, ""));
        stems.push_str(between);
        rest = after;
    }
    stems
}

impl Params for Stem {
    const GROUP: &'static str = "text";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Behaviour for Stem {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let dtype = column_type(schema, "column", &self.column)?;
        if dtype != &DataType::String && dtype != &tokens_type() {
            return Err(
                wrong_type("column", &self.column, dtype, "text or a list of words").hint("use `cast` first"),
            );
        }
        check_new_name("into", self.target())?;
        let mut output = schema.clone();
        output.with_column(self.target().into(), dtype.clone());
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let stemmer = Stemmer::create(self.language.algorithm());
        let stems = if column_type(schema, "column", &self.column)? == &DataType::String {
            each_text(&self.column, move |text| {
                Some(Cow::Owned(stem_text(&stemmer, text)))
            })
        } else {
            exactly(self.column.as_str()).map(
                move |lists| {
                    map_tokens(&lists, |words, made| {
                        for word in words {
                            made.push(word.map(|word| stem_word(&stemmer, word)));
                        }
                    })
                },
                |_, field| Ok(Field::new(field.name().clone(), tokens_type())),
            )
        };
        Ok(lf.with_column(stems.alias(self.target())))
    }

    fn python(&self, _: &Schema, _: &crate::transform::Inputs, _: &mut Python) -> Result<(), String> {
        Err("neither polars nor the standard library of Python has Snowball's stemmers".to_owned())
    }

    fn summary(&self) -> String {
        format!(
            "{}: {}",
            self.column,
            format!("{:?}", self.language).to_lowercase()
        )
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::super::testing::{check_error, run, word_lists, words_of};

    #[test]
    fn forms_of_a_word_share_a_stem() {
        let words = [Some("Engineers"), Some("engineering"), None, Some("")];
        let input = word_lists("w", &[Some(&words), Some(&[]), None]);
        let output = run("stem: {column: w}", &input);
        assert_eq!(words_of(&output, "w"), ["engin|engin|null|", "", "null"]);
        let input = word_lists("w", &[Some(&[Some("Häuser"), Some("Hauses")])]);
        let output = run("stem: {column: w, into: s, language: german}", &input);
        assert_eq!(words_of(&output, "s"), ["haus|haus"]);
    }

    #[test]
    fn in_a_text_what_lies_between_words_stays() {
        let input = df!("t" => [Some("Senior Engineers, (2 jobs)!"), Some(""), Some("..."), None]).unwrap();
        let output = run("stem: {column: t, into: s}", &input);
        let expected = df!("s" => [Some("senior engin, (2 job)!"), Some(""), Some("..."), None]).unwrap();
        assert_eq!(output.column("s").unwrap(), expected.column("s").unwrap());
    }

    #[test]
    fn numbers_have_no_stem() {
        let input = df!("n" => [1i64]).unwrap();
        assert_eq!(
            check_error("stem: {column: n}", &input),
            "column `n` is int64, not text or a list of words: use `cast` first"
        );
    }
}
