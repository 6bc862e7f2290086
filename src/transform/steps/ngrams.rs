//! Makes runs of neighbouring words of a list of words, with Spark ML's results (`NGram`).
//!
//! `n: 2` makes `[senior data, data engineer]` of `[senior, data, engineer]`. The words of a run are joined by a space.
//!
//! ```yaml
//! - ngrams: {column: words, into: bigrams, n: 2}
//! ```
//!
//! Fewer than `n` words give an empty list; null gives null. A null word counts as the text `null`, as in Spark.
//!
//! Limits: the list grows with `n`; a text of m words has m - n + 1 runs of n words each.

use polars::prelude::{Field, LazyFrame, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::token_lists::{check_tokens, map_tokens, tokens_type};
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, exactly};
use crate::transform::{CheckError, Inputs};

/// Parameters of `ngrams`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ngrams {
    /// Column of word lists.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write, a list of text.
    pub into: String,
    /// Words in a run.
    #[schemars(range(min = 1))]
    pub n: usize,
}

impl Default for Ngrams {
    fn default() -> Self {
        Self {
            column: String::new(),
            into: String::new(),
            n: 2,
        }
    }
}

impl Params for Ngrams {
    const GROUP: &'static str = "text";
    const REQUIRED: &'static [&'static str] = &["column", "into"];
}

impl Behaviour for Ngrams {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        check_tokens(schema, "column", &self.column)?;
        check_new_name("into", &self.into)?;
        if self.n == 0 {
            return Err(CheckError::new("n", "`n` is 0").hint("write 2 for pairs of words"));
        }
        let mut output = schema.clone();
        output.with_column(self.into.as_str().into(), tokens_type());
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let n = self.n.max(1);
        let runs = exactly(self.column.as_str()).map(
            move |lists| {
                let mut run = String::new();
                map_tokens(&lists, |words, made| {
                    for window in words.windows(n) {
                        run.clear();
                        for (i, word) in window.iter().enumerate() {
                            if i > 0 {
                                run.push(' ');
                            }
                            run.push_str(word.unwrap_or("null"));
                        }
                        made.push_value(run.as_str());
                    }
                })
            },
            |_, field| Ok(Field::new(field.name().clone(), tokens_type())),
        );
        Ok(lf.with_column(runs.alias(self.into.as_str())))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        script.define("ngrams", include_str!("python/ngrams.py"));
        let call = format!("ngrams(x, {})", self.n);
        script.with_columns([(
            self.into.as_str(),
            python::each(&self.column, &call, &tokens_type()),
        )]);
        Ok(())
    }

    fn summary(&self) -> String {
        format!("{} → {}: {} words", self.column, self.into, self.n)
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_error, run, word_lists, words_of};

    #[test]
    fn neighbours_are_joined_by_a_space() {
        let input = word_lists(
            "w",
            &[
                Some(&[Some("a"), Some("b"), Some("c")]),
                Some(&[Some("a")]),
                Some(&[]),
                None,
            ],
        );
        for (n, expected) in [
            (1, ["a|b|c", "a", "", "null"]),
            (2, ["a b|b c", "", "", "null"]),
            (3, ["a b c", "", "", "null"]),
            (4, ["", "", "", "null"]),
        ] {
            let output = run(&format!("ngrams: {{column: w, into: g, n: {n}}}"), &input);
            assert_eq!(words_of(&output, "g"), expected, "{n}");
        }
    }

    #[test]
    fn a_null_word_is_the_text_null_as_in_spark() {
        let input = word_lists("w", &[Some(&[Some("a"), None])]);
        assert_eq!(
            words_of(&run("ngrams: {column: w, into: w}", &input), "w"),
            ["a null"]
        );
    }

    #[test]
    fn only_lists_of_words_have_runs() {
        let input = polars::prelude::df!("t" => ["a"]).unwrap();
        assert_eq!(
            check_error("ngrams: {column: t, into: g}", &input),
            "column `t` is string, not list<string>: use `tokenize` first"
        );
        let input = word_lists("w", &[]);
        assert!(check_error("ngrams: {column: w, into: g, n: 0}", &input).starts_with("`n` is 0"));
        assert_eq!(run("ngrams: {column: w, into: g}", &input).height(), 0);
    }
}
