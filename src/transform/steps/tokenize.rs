//! Splits text into a list of words, with Spark ML's results.
//!
//! Without `pattern` it is Spark's `Tokenizer`: lower case, then a cut at every single ASCII white space character. Two
//! spaces in a row give an empty word, a leading space too; empty words at the end are dropped, and empty text gives one
//! empty word. `collapse_spaces` and `trim` of `normalize_text` avoid them.
//!
//! With `pattern` it is Spark's `RegexTokenizer` (`gaps` on, `minTokenLength` 1): the pattern matches what lies between
//! words, and empty words are dropped.
//!
//! ```yaml
//! - tokenize: {column: title, into: words}
//! - tokenize: {column: title, into: words, pattern: '[^\w#+]+'}
//! ```
//!
//! Null gives null.
//!
//! Limits: in a pattern `\s`, `\d`, `\w` and their opposites mean ASCII, as in Spark; look-around and back references are
//! not supported, and `\b` follows Unicode. Lower case is Unicode's, without a language's own rules.

use polars::prelude::{Column, Field, LazyFrame, PolarsResult, Schema, StringChunked};
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::each_text::check_text;
use super::token_lists::{TokenLists, tokens_type};
use super::white_space::{Splitter, n_words_at_most, push_lower};
use crate::transform::pattern;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, exactly};
use crate::transform::{CheckError, Inputs};

/// Parameters of `tokenize`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tokenize {
    /// Column of text.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write, a list of text.
    pub into: String,
    /// Turn the text into lower case first.
    pub lower: bool,
    /// Regular expression for what lies between words; single ASCII white space when it is not given.
    pub pattern: Option<String>,
}

impl Default for Tokenize {
    fn default() -> Self {
        Self {
            column: String::new(),
            into: String::new(),
            lower: true,
            pattern: None,
        }
    }
}

impl Tokenize {
    fn regex(&self) -> Result<Option<Regex>, CheckError> {
        let Some(pattern) = &self.pattern else {
            return Ok(None);
        };
        // What is wrong is told of the pattern as it was written, where that is wrong already.
        pattern::compile("pattern", pattern)?;
        pattern::compile("pattern", &ascii_classes(pattern)).map(Some)
    }
}

/// `pattern` with classes that mean ASCII in Java spelled out, because here they would mean Unicode.
fn ascii_classes(pattern: &str) -> String {
    let mut spelled = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            spelled.push(c);
            continue;
        }
        let escaped = chars.next();
        match escaped {
            Some('s') => spelled.push_str(r"[ \t\n\x0B\f\r]"),
            Some('S') => spelled.push_str(r"[^ \t\n\x0B\f\r]"),
            Some('d') => spelled.push_str("[0-9]"),
            Some('D') => spelled.push_str("[^0-9]"),
            Some('w') => spelled.push_str("[a-zA-Z_0-9]"),
            Some('W') => spelled.push_str("[^a-zA-Z_0-9]"),
            Some(other) => spelled.extend(['\\', other]),
            None => spelled.push('\\'),
        }
    }
    spelled
}

/// A list of words for each text, built without a string of its own for any of them.
fn tokenize(texts: &Column, is_lower: bool, gaps: Option<&Regex>) -> PolarsResult<Column> {
    let texts = texts.str()?;
    let mut lists = TokenLists::with_capacity(texts.len(), expected_words(texts));
    let mut lowered = String::new();
    let mut splitter = Splitter::default();
    for text in texts.iter() {
        match (text, gaps) {
            (None, _) => {}
            (Some(text), None) => splitter.split(text, is_lower, &mut lists.words),
            (Some(text), Some(gaps)) => {
                let text = if is_lower {
                    lowered.clear();
                    push_lower(text, &mut lowered);
                    &lowered
                } else {
                    text
                };
                gaps.split(text)
                    .filter(|word| !word.is_empty())
                    .for_each(|word| lists.words.push_value_ignore_validity(word));
            }
        }
        lists.end_row(text.is_some());
    }
    lists.finish(texts.name().clone())
}

/// About how many words there are, by the first texts: room that grows is copied each time.
fn expected_words(texts: &StringChunked) -> usize {
    let sample = texts.len().min(64);
    let n_words: usize = texts
        .iter()
        .take(sample)
        .map(|text| text.map_or(0, n_words_at_most))
        .sum();
    let expected = n_words * texts.len() / sample.max(1);
    expected + expected / 8
}

impl Params for Tokenize {
    const GROUP: &'static str = "text";
    const REQUIRED: &'static [&'static str] = &["column", "into"];
}

impl Behaviour for Tokenize {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        check_text(schema, "column", &self.column)?;
        check_new_name("into", &self.into)?;
        self.regex()?;
        let mut output = schema.clone();
        output.with_column(self.into.as_str().into(), tokens_type());
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let is_lower = self.lower;
        let gaps = self.regex()?;
        let words = exactly(self.column.as_str()).map(
            move |texts| tokenize(&texts, is_lower, gaps.as_ref()),
            |_, field| Ok(Field::new(field.name().clone(), tokens_type())),
        );
        Ok(lf.with_column(words.alias(self.into.as_str())))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let text = format!(
            "{}{}",
            python::col(&self.column),
            if self.lower { ".str.to_lowercase()" } else { "" }
        );
        if let Some(pattern) = &self.pattern {
            let pattern = python::quoted(&ascii_classes(pattern));
            let words = format!(
                "{text}.str.split({pattern}, literal=False).list.eval(pl.element().filter(pl.element() != \"\"))"
            );
            script.with_columns([(self.into.as_str(), words)]);
            return Ok(());
        }
        script.import("re");
        script.define("split_words", include_str!("python/split_words.py"));
        let dtype = python::dtype(&tokens_type());
        let words = format!(
            "pl.Series([split_words(x) for x in df.select({text}).to_series().to_list()], dtype={dtype})"
        );
        script.with_columns([(self.into.as_str(), words)]);
        Ok(())
    }

    fn summary(&self) -> String {
        format!("{} → {}", self.column, self.into)
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, run};

    fn words(output: &DataFrame) -> Vec<Option<Vec<String>>> {
        let lists = output.column("w").unwrap().list().unwrap().clone();
        (0..lists.len())
            .map(|row| {
                lists.get_as_series(row).map(|words| {
                    words
                        .str()
                        .unwrap()
                        .iter()
                        .map(|word| word.unwrap().to_owned())
                        .collect()
                })
            })
            .collect()
    }

    fn check(options: &str, text: &str, expected: &[&str]) {
        let input = df!("t" => [text]).unwrap();
        let output = run(&format!("tokenize: {{column: t, into: w{options}}}"), &input);
        let expected = expected.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(words(&output), [Some(expected)], "{text:?} {options}");
    }

    #[test]
    fn without_a_pattern_it_splits_as_java_does() {
        check("", "Senior Data Engineer", &["senior", "data", "engineer"]);
        check("", " a  b ", &["", "a", "", "b"]);
        check("", "", &[""]);
        check("", " ", &[]);
        check("", "a\tb\nc\u{b}d\u{c}e\rf", &["a", "b", "c", "d", "e", "f"]);
        check("", "a\u{a0}b\u{3000}c", &["a\u{a0}b\u{3000}c"]);
        check(", lower: false", "Ab C", &["Ab", "C"]);
        check("", "ΟΔΟΣ ÄB", &["οδος", "äb"]);
    }

    #[test]
    fn with_a_pattern_empty_words_are_dropped() {
        check(r", pattern: '\W+'", "C++ & Rust, Go!", &["c", "rust", "go"]);
        check(r", pattern: '\s+'", "  a  b ", &["a", "b"]);
        check(r", pattern: ','", ",a,,b,", &["a", "b"]);
        check(r", pattern: ','", "", &[]);
        check(r", pattern: '[\W_]+'", "größe_1", &["gr", "e", "1"]);
        check(r", pattern: '\s'", "a\u{a0}b c", &["a\u{a0}b", "c"]);
    }

    #[test]
    fn null_gives_null() {
        let input = df!("t" => [None, Some("a")]).unwrap();
        let output = run("tokenize: {column: t, into: w}", &input);
        assert_eq!(words(&output), [None, Some(vec!["a".to_owned()])]);
    }

    #[test]
    fn a_broken_pattern_says_why() {
        let input = df!("t" => ["a"]).unwrap();
        let error = check_error("tokenize: {column: t, into: w, pattern: '(a'}", &input);
        assert_eq!(error, "`(a` is no regular expression: unclosed group");
        assert_eq!(
            check_error("tokenize: {column: t}", &input),
            "a column has no name: write a name"
        );
    }
}
