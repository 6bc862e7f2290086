//! Leaves frequent words that say little out of a list, with Spark ML's results.
//!
//! It is Spark's `StopWordsRemover`. The words of a language are those of Spark's `loadDefaultStopWords`; `words` adds
//! further ones, and `languages: []` leaves only these. Words are compared in lower case, or as they are with
//! `case_sensitive: true`.
//!
//! ```yaml
//! - stop_words: {column: words, languages: [english, german], words: [gmbh, inc]}
//! ```
//!
//! The result replaces the column unless `into` is given. Null gives null; null words stay.
//!
//! Limits: the words come from Spark's files for Danish, Dutch, English, Finnish, French, German, Hungarian, Italian,
//! Norwegian, Portuguese, Russian, Spanish, Swedish and Turkish. Lower case is Unicode's, without a language's own rules.

use std::collections::{BTreeSet, HashSet};

use polars::prelude::{Field, LazyFrame, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::token_lists::{check_tokens, map_tokens, tokens_type};
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, exactly, few, target};
use crate::transform::{CheckError, Inputs};

/// Parameters of `stop_words`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StopWords {
    /// Column of word lists.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write; the column itself when it is not given.
    pub into: Option<String>,
    /// Languages whose stop words are left out.
    pub languages: Vec<StopWordsLanguage>,
    /// Further words to leave out.
    pub words: Vec<String>,
    /// Compare words as they are.
    pub case_sensitive: bool,
}

impl Default for StopWords {
    fn default() -> Self {
        Self {
            column: String::new(),
            into: None,
            languages: vec![StopWordsLanguage::English],
            words: Vec::new(),
            case_sensitive: false,
        }
    }
}

macro_rules! languages {
    ($($name:ident => $file:literal),+ $(,)?) => {
        /// A language with a list of stop words.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "lowercase")]
        pub enum StopWordsLanguage {
            $($name),+
        }

        impl StopWordsLanguage {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$name),+];

            /// The words, one in a line.
            fn words(self) -> impl Iterator<Item = &'static str> {
                let text = match self {
                    $(Self::$name => include_str!(concat!("../../../assets/stop_words/", $file, ".txt"))),+
                };
                text.lines()
            }

            fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $file),+
                }
            }
        }
    };
}

languages! {
    Danish => "danish",
    Dutch => "dutch",
    English => "english",
    Finnish => "finnish",
    French => "french",
    German => "german",
    Hungarian => "hungarian",
    Italian => "italian",
    Norwegian => "norwegian",
    Portuguese => "portuguese",
    Russian => "russian",
    Spanish => "spanish",
    Swedish => "swedish",
    Turkish => "turkish",
}

impl StopWords {
    fn target(&self) -> &str {
        target(self.into.as_deref(), &self.column)
    }

    /// All words to leave out, in lower case unless case counts.
    fn all_words(&self) -> BTreeSet<String> {
        let listed = self.languages.iter().flat_map(|language| language.words());
        let mut words: BTreeSet<String> = listed.map(|word| self.folded(word)).collect();
        words.extend(self.words.iter().map(|word| self.folded(word)));
        words
    }

    fn folded(&self, word: &str) -> String {
        if self.case_sensitive {
            word.to_owned()
        } else {
            word.to_lowercase()
        }
    }
}

impl Params for StopWords {
    const GROUP: &'static str = "text";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Behaviour for StopWords {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        check_tokens(schema, "column", &self.column)?;
        check_new_name("into", self.target())?;
        if self.all_words().is_empty() {
            return Err(CheckError::new("languages", "there are no words to leave out")
                .hint("choose a language or write `words`"));
        }
        let mut output = schema.clone();
        output.with_column(self.target().into(), tokens_type());
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let left_out: HashSet<String> = self.all_words().into_iter().collect();
        let params = self.clone();
        let kept = exactly(self.column.as_str()).map(
            move |lists| {
                map_tokens(&lists, |words, made| {
                    for word in words {
                        let is_kept = word.is_none_or(|word| {
                            let is_folded = params.case_sensitive
                                || word
                                    .bytes()
                                    .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
                            !(if is_folded {
                                left_out.contains(word)
                            } else {
                                left_out.contains(&params.folded(word))
                            })
                        });
                        if is_kept {
                            made.push(*word);
                        }
                    }
                })
            },
            |_, field| Ok(Field::new(field.name().clone(), tokens_type())),
        );
        Ok(lf.with_column(kept.alias(self.target())))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let words = self.all_words();
        let words = python::list(words.iter().map(String::as_str));
        let folded = if self.case_sensitive {
            ""
        } else {
            ".str.to_lowercase()"
        };
        let kept = format!(
            "{}.list.eval(pl.element().filter(~pl.element(){folded}.is_in({words}).fill_null(False)))",
            python::col(&self.column)
        );
        script.with_columns([(self.target(), kept)]);
        Ok(())
    }

    fn summary(&self) -> String {
        let mut parts: Vec<&str> = self.languages.iter().map(|language| language.name()).collect();
        parts.extend(self.words.iter().map(String::as_str));
        format!("{}: {}", self.column, few(parts))
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_error, run, word_lists, words_of};
    use super::StopWordsLanguage;

    fn check(options: &str, words: &[Option<&str>], expected: &str) {
        let input = word_lists("w", &[Some(words), None]);
        let output = run(&format!("stop_words: {{column: w{options}}}"), &input);
        assert_eq!(words_of(&output, "w"), [expected, "null"], "{options}");
    }

    #[test]
    fn words_are_compared_in_lower_case_unless_case_counts() {
        let words = [Some("The"), Some("the"), Some("Data"), None, Some("")];
        check("", &words, "Data|null|");
        check(", case_sensitive: true", &words, "The|Data|null|");
        check(", words: [DATA]", &words, "null|");
        check(", words: [DATA], case_sensitive: true", &words, "The|Data|null|");
    }

    #[test]
    fn languages_add_up_and_can_be_left_out() {
        let words = [Some("der"), Some("the"), Some("ÜBER"), Some("и")];
        check(", languages: [english, german]", &words, "и");
        check(", languages: [russian]", &words, "der|the|ÜBER");
        check(", languages: [], words: [der]", &words, "the|ÜBER|и");
    }

    /// Numbers of words that `loadDefaultStopWords` of Spark 4.3 gives.
    #[test]
    fn the_lists_are_whole() {
        for language in StopWordsLanguage::ALL {
            assert!(language.words().count() > 50, "{language:?}");
            assert!(
                language
                    .words()
                    .all(|word| !word.is_empty() && word.trim() == word),
                "{language:?}"
            );
        }
        assert_eq!(StopWordsLanguage::English.words().count(), 181);
    }

    #[test]
    fn there_have_to_be_words() {
        let input = word_lists("w", &[]);
        assert_eq!(
            check_error("stop_words: {column: w, languages: []}", &input),
            "there are no words to leave out: choose a language or write `words`"
        );
        let input = polars::prelude::df!("t" => ["a"]).unwrap();
        assert!(check_error("stop_words: {column: t}", &input).ends_with("use `tokenize` first"));
    }
}
