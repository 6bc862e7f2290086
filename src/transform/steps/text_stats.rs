//! Counts what a text is made of: characters, words, lines, digits, capitals, punctuation.
//!
//! Each of `stats` becomes a column, named by `prefix` (the column's name and an underscore when it is not given) and the
//! statistic; with `into` they become the fields of one struct.
//!
//! ```yaml
//! - text_stats: {column: description, stats: [chars, words, upper_share]}
//! - text_stats: {column: title, into: title_stats}
//! ```
//!
//! | statistic | counts |
//! |---|---|
//! | `chars`, `bytes` | Unicode characters, bytes of UTF-8 |
//! | `words` | runs of characters that are no white space |
//! | `lines` | lines, that is line feeds and one more; 0 for empty text |
//! | `letters`, `upper`, `digits`, `spaces` | characters that Unicode calls alphabetic, uppercase, decimal digits (Nd), white space |
//! | `punctuation` | characters of Unicode's categories P (`.`, `!`, `-`, `@`, but not `+` or `$`) |
//! | `upper_share`, `digit_share`, `punctuation_share` | of the letters, of the characters, of the characters; null where there are none |
//!
//! Counts are int64, shares float64 from 0 to 1. Null gives null.
//!
//! Limits: a character is a code point, so an accent written apart counts on its own. Words of scripts without spaces are
//! not told apart.

use std::sync::LazyLock;

use polars::prelude::{
    Column, DataType, Field, Float64Chunked, Int64Chunked, IntoColumn, IntoSeries, LazyFrame, PolarsResult,
    Schema, Series, StructChunked,
};
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::each_text::check_text;
use super::made_fields::with_fields;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, exactly, few};
use crate::transform::{CheckError, Inputs};

/// Parameters of `text_stats`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TextStats {
    /// Column of text.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// What to count.
    #[schemars(length(min = 1))]
    pub stats: Vec<TextStat>,
    /// Column to write, a struct; each statistic becomes a column of its own when it is not given.
    pub into: Option<String>,
    /// Text before the names of the columns; the column's name and an underscore when it is not given.
    pub prefix: Option<String>,
}

impl Default for TextStats {
    fn default() -> Self {
        Self {
            column: String::new(),
            stats: vec![
                TextStat::Chars,
                TextStat::Words,
                TextStat::Lines,
                TextStat::UpperShare,
                TextStat::DigitShare,
                TextStat::PunctuationShare,
            ],
            into: None,
            prefix: None,
        }
    }
}

/// What can be counted in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TextStat {
    Chars,
    Bytes,
    Words,
    Lines,
    Letters,
    Upper,
    Digits,
    Spaces,
    Punctuation,
    UpperShare,
    DigitShare,
    PunctuationShare,
}

impl TextStat {
    fn name(self) -> &'static str {
        match self {
            Self::Chars => "chars",
            Self::Bytes => "bytes",
            Self::Words => "words",
            Self::Lines => "lines",
            Self::Letters => "letters",
            Self::Upper => "upper",
            Self::Digits => "digits",
            Self::Spaces => "spaces",
            Self::Punctuation => "punctuation",
            Self::UpperShare => "upper_share",
            Self::DigitShare => "digit_share",
            Self::PunctuationShare => "punctuation_share",
        }
    }

    fn dtype(self) -> DataType {
        match self.share() {
            Some(_) => DataType::Float64,
            None => DataType::Int64,
        }
    }

    /// What a share divides by what.
    fn share(self) -> Option<(Self, Self)> {
        match self {
            Self::UpperShare => Some((Self::Upper, Self::Letters)),
            Self::DigitShare => Some((Self::Digits, Self::Chars)),
            Self::PunctuationShare => Some((Self::Punctuation, Self::Chars)),
            _ => None,
        }
    }

    fn of(self, counts: &Counts) -> i64 {
        match self {
            Self::Chars => counts.chars,
            Self::Bytes => counts.bytes,
            Self::Words => counts.words,
            Self::Lines => counts.lines,
            Self::Letters => counts.letters,
            Self::Upper | Self::UpperShare => counts.upper,
            Self::Digits | Self::DigitShare => counts.digits,
            Self::Spaces => counts.spaces,
            Self::Punctuation | Self::PunctuationShare => counts.punctuation,
        }
    }

    /// The statistic of the text that `value` names, in polars for Python.
    fn python(self, value: &str) -> String {
        let matches = |pattern: &str| format!("{value}.str.count_matches(r\"{pattern}\").cast(pl.Int64)");
        if let Some((part, whole)) = self.share() {
            let (part, whole) = (part.python(value), whole.python(value));
            return format!("pl.when({whole} > 0).then({part} / {whole})");
        }
        match self {
            Self::Chars => format!("{value}.str.len_chars().cast(pl.Int64)"),
            Self::Bytes => format!("{value}.str.len_bytes().cast(pl.Int64)"),
            Self::Words => matches(r"\S+"),
            Self::Lines => format!("{} + ({value} != \"\").cast(pl.Int64)", matches(r"\n")),
            Self::Letters => matches(r"\p{Alphabetic}"),
            Self::Upper | Self::UpperShare => matches(r"\p{Uppercase}"),
            Self::Digits | Self::DigitShare => matches(r"\p{Nd}"),
            Self::Spaces => matches(r"\s"),
            Self::Punctuation | Self::PunctuationShare => matches(r"\p{P}"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Counts {
    chars: i64,
    bytes: i64,
    words: i64,
    lines: i64,
    letters: i64,
    upper: i64,
    digits: i64,
    spaces: i64,
    punctuation: i64,
}

/// Classes that the standard library does not know, looked up for the few characters outside ASCII.
struct Classes {
    digit: Regex,
    punctuation: Regex,
}

impl Classes {
    fn get() -> Option<&'static Self> {
        static CLASSES: LazyLock<Option<Classes>> = LazyLock::new(|| {
            Some(Classes {
                digit: Regex::new(r"\p{Nd}").ok()?,
                punctuation: Regex::new(r"\p{P}").ok()?,
            })
        });
        CLASSES.as_ref()
    }

    fn is(regex: fn(&Self) -> &Regex, c: char) -> bool {
        let mut utf8 = [0; 4];
        Self::get().is_some_and(|classes| regex(classes).is_match(c.encode_utf8(&mut utf8)))
    }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || (c.is_numeric() && !c.is_ascii() && Classes::is(|classes| &classes.digit, c))
}

fn is_punctuation(c: char) -> bool {
    if c.is_ascii() {
        // Unicode calls these ASCII characters symbols.
        return c.is_ascii_punctuation() && !matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~');
    }
    !c.is_alphanumeric() && Classes::is(|classes| &classes.punctuation, c)
}

fn count(text: &str) -> Counts {
    let mut counts = Counts {
        bytes: i64::try_from(text.len()).unwrap_or(i64::MAX),
        lines: i64::from(!text.is_empty()),
        ..Counts::default()
    };
    let mut is_inside_word = false;
    for c in text.chars() {
        let is_space = c.is_whitespace();
        counts.chars += 1;
        counts.words += i64::from(!is_space && !is_inside_word);
        is_inside_word = !is_space;
        counts.lines += i64::from(c == '\n');
        counts.letters += i64::from(c.is_alphabetic());
        counts.upper += i64::from(c.is_uppercase());
        counts.digits += i64::from(is_digit(c));
        counts.spaces += i64::from(is_space);
        counts.punctuation += i64::from(is_punctuation(c));
    }
    counts
}

/// A struct of the statistics of each text.
fn text_stats(texts: &Column, stats: &[TextStat]) -> PolarsResult<Column> {
    let texts = texts.str()?;
    let counts: Vec<Option<Counts>> = texts.iter().map(|text| text.map(count)).collect();
    let fields: Vec<Series> = stats
        .iter()
        .map(|stat| {
            let name = stat.name().into();
            match stat.share() {
                None => {
                    let values: Int64Chunked = counts
                        .iter()
                        .map(|counts| Some(stat.of(counts.as_ref()?)))
                        .collect();
                    values.with_name(name).into_series()
                }
                Some((part, whole)) => {
                    let share = |counts: &Counts| {
                        let whole = whole.of(counts);
                        (whole > 0).then(|| part.of(counts) as f64 / whole as f64)
                    };
                    let values: Float64Chunked =
                        counts.iter().map(|counts| share(counts.as_ref()?)).collect();
                    values.with_name(name).into_series()
                }
            }
        })
        .collect();
    let made = StructChunked::from_series(texts.name().clone(), texts.len(), fields.iter())?;
    Ok(made.with_outer_validity(texts.rechunk_validity()).into_column())
}

impl TextStats {
    fn struct_type(&self) -> DataType {
        let fields = self
            .stats
            .iter()
            .map(|stat| Field::new(stat.name().into(), stat.dtype()));
        DataType::Struct(fields.collect())
    }

    fn column_name(&self, stat: TextStat) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}{}", stat.name()),
            None => format!("{}_{}", self.column, stat.name()),
        }
    }
}

impl Params for TextStats {
    const GROUP: &'static str = "text";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Behaviour for TextStats {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        check_text(schema, "column", &self.column)?;
        if self.stats.is_empty() {
            return Err(
                CheckError::new("stats", "`stats` is empty").hint("choose what to count, such as `chars`")
            );
        }
        for (i, stat) in self.stats.iter().enumerate() {
            if self.stats.iter().take(i).any(|before| before == stat) {
                return Err(CheckError::new(
                    "stats",
                    format!("`{}` stands twice", stat.name()),
                ));
            }
        }
        let mut output = schema.clone();
        if let Some(into) = &self.into {
            if self.prefix.is_some() {
                return Err(
                    CheckError::new("prefix", "`into` and `prefix` are both given").hint("keep one of them")
                );
            }
            check_new_name("into", into)?;
            output.with_column(into.as_str().into(), self.struct_type());
            return Ok(output);
        }
        for stat in &self.stats {
            let name = self.column_name(*stat);
            check_new_name("prefix", &name)?;
            output.with_column(name.as_str().into(), stat.dtype());
        }
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let (stats, dtype) = (self.stats.clone(), self.struct_type());
        let made = exactly(self.column.as_str()).map(
            move |texts| text_stats(&texts, &stats),
            move |_, field| Ok(Field::new(field.name().clone(), dtype.clone())),
        );
        if let Some(into) = &self.into {
            return Ok(lf.with_column(made.alias(into.as_str())));
        }
        let names: Vec<String> = self.stats.iter().map(|stat| self.column_name(*stat)).collect();
        let stats = self.stats.iter().map(|stat| stat.name());
        Ok(with_fields(lf, made, stats.zip(names.iter().map(String::as_str))))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let value = python::col(&self.column);
        if let Some(into) = &self.into {
            let fields: Vec<String> = self
                .stats
                .iter()
                .map(|stat| format!("({}).alias(\"{}\")", stat.python(&value), stat.name()))
                .collect();
            let made = format!(
                "pl.when({value}.is_not_null()).then(pl.struct([{}]))",
                fields.join(", ")
            );
            script.with_columns([(into.as_str(), made)]);
            return Ok(());
        }
        let columns: Vec<(String, String)> = self
            .stats
            .iter()
            .map(|stat| (self.column_name(*stat), stat.python(&value)))
            .collect();
        script.with_columns(columns.iter().map(|(name, stat)| (name.as_str(), stat.clone())));
        Ok(())
    }

    fn summary(&self) -> String {
        format!(
            "{}: {}",
            self.column,
            few(self.stats.iter().map(|stat| stat.name()))
        )
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;
    use regex::Regex;

    use super::super::testing::{check_error, run};
    use super::{Counts, count, is_digit, is_punctuation};

    #[test]
    fn every_kind_of_character_is_counted() {
        let expected = Counts {
            chars: 18,
            bytes: 21,
            words: 5,
            lines: 2,
            letters: 8,
            upper: 3,
            digits: 2,
            spaces: 4,
            punctuation: 2,
        };
        assert_eq!(count("ÄB, c++ -\nÖxyzé 42"), expected);
        assert_eq!(count(""), Counts::default());
        assert_eq!(count(" ").words, 0);
    }

    #[test]
    fn classes_are_unicode_s() {
        let digit = Regex::new(r"^\p{Nd}$").unwrap();
        let punctuation = Regex::new(r"^\p{P}$").unwrap();
        for c in ('\0'..='\u{3100}').chain('\u{a000}'..='\u{11fff}') {
            assert_eq!(is_digit(c), digit.is_match(&c.to_string()), "{c:?}");
            assert_eq!(is_punctuation(c), punctuation.is_match(&c.to_string()), "{c:?}");
        }
    }

    #[test]
    fn statistics_are_columns_or_a_struct_and_shares_of_nothing_are_null() {
        let input = df!("t" => [Some("Ab 1"), Some(""), None]).unwrap();
        let output = run(
            "text_stats: {column: t, stats: [chars, upper_share, digit_share]}",
            &input,
        );
        let expected = df!(
            "t" => [Some("Ab 1"), Some(""), None],
            "t_chars" => [Some(4i64), Some(0), None],
            "t_upper_share" => [Some(0.5), None, None],
            "t_digit_share" => [Some(0.25), None, None],
        );
        assert_eq!(output, expected.unwrap());
        let output = run("text_stats: {column: t, stats: [words], into: s}", &input);
        assert_eq!(output.column("s").unwrap().null_count(), 1);
        assert_eq!(run("text_stats: {column: t, prefix: ''}", &input).width(), 7);
    }

    #[test]
    fn only_text_has_statistics_and_each_stands_once() {
        let input = df!("t" => ["a"], "n" => [1i64]).unwrap();
        assert!(check_error("text_stats: {column: n}", &input).contains("not string"));
        assert_eq!(
            check_error("text_stats: {column: t, stats: [chars, chars]}", &input),
            "`chars` stands twice"
        );
        assert!(check_error("text_stats: {column: t, stats: []}", &input).starts_with("`stats` is empty"));
    }
}
