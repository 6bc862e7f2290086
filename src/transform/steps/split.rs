//! Cuts a text into pieces, as a list or as columns.
//!
//! The cuts are where `separator` stands, or where the regular expression `pattern` matches. With `into` the pieces become
//! a list; with `columns` the first piece becomes the first column and so on, the last column takes all that is left, and
//! a piece that there is not is null.
//!
//! ```yaml
//! - split: {column: tags, into: tag_list, separator: ',', trim: true}
//! - split: {column: name, columns: [first_name, last_name], separator: ' '}
//! - split: {column: path, into: parts, pattern: '[/\\]+'}
//! ```
//!
//! Null gives null. Text without a cut is one piece, also empty text. `trim` takes white space from both ends of each
//! piece; `drop_empty` leaves empty pieces out, after trimming.
//!
//! Limits: a pattern has no look-around and no back-references (Rust's syntax, linear time). For words use `tokenize`,
//! which follows Spark ML.

use polars::prelude::{
    Column, DataType, Field, IntoColumn, IntoSeries, LazyFrame, PolarsResult, Schema, StringChunked,
    StructChunked,
};
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::made_fields::with_fields;
use super::token_lists::{TokenLists, tokens_type};
use crate::transform::pattern;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, column_type, exactly, few, shortened, wrong_type};
use crate::transform::{CheckError, Inputs};

/// Parameters of `split`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Split {
    /// Column of text.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write, a list of text.
    pub into: Option<String>,
    /// Columns to write, one for each piece, instead of a list.
    pub columns: Vec<String>,
    /// Text between two pieces.
    pub separator: Option<String>,
    /// Regular expression for what lies between two pieces, instead of a separator.
    pub pattern: Option<String>,
    /// Take white space away at both ends of each piece.
    pub trim: bool,
    /// Leave empty pieces out.
    pub drop_empty: bool,
}

impl Split {
    /// What lies between two pieces.
    fn cut(&self) -> Result<Regex, CheckError> {
        match (&self.separator, &self.pattern) {
            (Some(_), Some(_)) => Err(
                CheckError::new("pattern", "`separator` and `pattern` are both given")
                    .hint("keep one of them"),
            ),
            (None, None) => Err(CheckError::new("separator", "`separator` is empty")
                .hint("write the text between two pieces, or a `pattern`")),
            (Some(text), None) if text.is_empty() => {
                Err(CheckError::new("separator", "`separator` is empty")
                    .hint("write the text between two pieces"))
            }
            (Some(text), None) => pattern::compile("separator", &regex::escape(text)),
            (None, Some(text)) => {
                let regex = pattern::compile("pattern", text)?;
                if regex.is_match("") {
                    return Err(CheckError::new("pattern", format!("`{text}` matches empty text"))
                        .hint("use `+` in place of `*`"));
                }
                Ok(regex)
            }
        }
    }

    /// Calls `each` with the pieces of `text`, at most `n_pieces` of them; the last is what remains.
    fn pieces<'a>(&self, cut: &Regex, text: &'a str, n_pieces: usize, mut each: impl FnMut(&'a str)) {
        let mut cuts = cut.find_iter(text);
        let mut start = 0;
        let mut n_taken = 0;
        loop {
            let found = if n_taken + 1 < n_pieces { cuts.next() } else { None };
            let end = found.map_or(text.len(), |found| found.start());
            let piece = text.get(start..end).unwrap_or_default();
            let piece = if self.trim { piece.trim() } else { piece };
            if !(self.drop_empty && piece.is_empty()) {
                each(piece);
                n_taken += 1;
            }
            match found {
                Some(found) => start = found.end(),
                None => return,
            }
        }
    }

    fn list(&self, texts: &Column, cut: &Regex) -> PolarsResult<Column> {
        let texts = texts.str()?;
        let mut lists = TokenLists::with_capacity(texts.len(), texts.len() * 2);
        for text in texts.iter() {
            if let Some(text) = text {
                self.pieces(cut, text, usize::MAX, |piece| lists.words.push_value(piece));
            }
            lists.end_row(text.is_some());
        }
        lists.finish(texts.name().clone())
    }

    fn fields(&self, texts: &Column, cut: &Regex) -> PolarsResult<Column> {
        let texts = texts.str()?;
        let mut columns: Vec<Vec<Option<&str>>> = vec![Vec::with_capacity(texts.len()); self.columns.len()];
        for text in texts.iter() {
            let mut pieces = Vec::new();
            if let Some(text) = text {
                self.pieces(cut, text, self.columns.len(), |piece| pieces.push(piece));
            }
            for (i, column) in columns.iter_mut().enumerate() {
                column.push(pieces.get(i).copied());
            }
        }
        let fields: Vec<_> = columns
            .into_iter()
            .zip(&self.columns)
            .map(|(texts, name)| {
                let texts: StringChunked = texts.into_iter().collect();
                texts.with_name(name.as_str().into()).into_series()
            })
            .collect();
        let pieces = StructChunked::from_series(texts.name().clone(), texts.len(), fields.iter())?;
        Ok(pieces.into_column())
    }
}

impl Params for Split {
    const GROUP: &'static str = "columns";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Behaviour for Split {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let dtype = column_type(schema, "column", &self.column)?;
        if dtype != &DataType::String {
            return Err(wrong_type("column", &self.column, dtype, "string").hint("use `cast` first"));
        }
        self.cut()?;
        let mut output = schema.clone();
        match (&self.into, self.columns.as_slice()) {
            (Some(into), []) => {
                check_new_name("into", into)?;
                output.with_column(into.as_str().into(), tokens_type());
            }
            (None, []) => {
                return Err(CheckError::new("into", "there is no column to write")
                    .hint("write `into` for a list, or `columns` for the pieces"));
            }
            (Some(_), _) => {
                return Err(
                    CheckError::new("into", "`into` and `columns` are both given").hint("keep one of them")
                );
            }
            (None, columns) => {
                for (i, name) in columns.iter().enumerate() {
                    check_new_name("columns", name)?;
                    if columns.iter().take(i).any(|before| before == name) {
                        return Err(CheckError::new(
                            "columns",
                            format!("column `{name}` stands twice"),
                        ));
                    }
                    output.with_column(name.as_str().into(), DataType::String);
                }
            }
        }
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, _: &Schema) -> Result<LazyFrame, CheckError> {
        let (params, cut) = (self.clone(), self.cut()?);
        let value = exactly(self.column.as_str());
        if let Some(into) = &self.into {
            let lists = value.map(
                move |texts| params.list(&texts, &cut),
                |_, field| Ok(Field::new(field.name().clone(), tokens_type())),
            );
            return Ok(lf.with_column(lists.alias(into.as_str())));
        }
        let fields: Vec<Field> = self
            .columns
            .iter()
            .map(|name| Field::new(name.as_str().into(), DataType::String))
            .collect();
        let pieces = value.map(
            move |texts| params.fields(&texts, &cut),
            move |_, field| Ok(Field::new(field.name().clone(), DataType::Struct(fields.clone()))),
        );
        let names = self.columns.iter().map(String::as_str);
        Ok(with_fields(lf, pieces, names.clone().zip(names)))
    }

    fn python(&self, _: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let regex = self.cut().map_err(|error| error.to_string())?;
        let value = python::col(&self.column);
        let cut = match &self.separator {
            Some(separator) => format!("{}, literal=True", python::quoted(separator)),
            None => format!("{}, literal=False", python::quoted(regex.as_str())),
        };
        if let Some(into) = &self.into {
            let mut pieces = format!("{value}.str.split({cut})");
            if self.trim {
                pieces.push_str(".list.eval(pl.element().str.strip_chars())");
            }
            if self.drop_empty {
                pieces.push_str(".list.eval(pl.element().filter(pl.element() != \"\"))");
            }
            script.with_columns([(into.as_str(), pieces)]);
            return Ok(());
        }
        script.define("split_fields", include_str!("python/split_fields.py"));
        let all_cuts = format!("{value}.str.extract_all({})", python::quoted(regex.as_str()));
        script.line(format!(
            "pieces = df.select(pieces={value}.str.split({cut}), cuts={all_cuts}).rows()\n\
             pieces = [split_fields(*row, {}, {}, {}) for row in pieces]",
            self.columns.len(),
            python::literal(&self.trim.into()),
            python::literal(&self.drop_empty.into()),
        ));
        let columns = self.columns.iter().enumerate().map(|(i, name)| {
            let piece = format!("pl.Series([fields[{i}] for fields in pieces], dtype=pl.String)");
            (name.as_str(), piece)
        });
        script.with_columns(columns);
        Ok(())
    }

    fn summary(&self) -> String {
        let cut = self.pattern.as_ref().or(self.separator.as_ref());
        let cut = shortened(cut.map_or("", String::as_str), 20);
        let names = match &self.into {
            Some(into) => into.clone(),
            None => few(self.columns.iter().map(String::as_str)),
        };
        format!("{} → {names} at `{cut}`", self.column)
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, run};

    fn texts(df: &DataFrame, column: &str) -> Vec<Option<String>> {
        let column = df.column(column).unwrap();
        (0..df.height())
            .map(|row| match column.get(row).unwrap() {
                polars::prelude::AnyValue::Null => None,
                polars::prelude::AnyValue::List(items) => Some(
                    items
                        .str()
                        .unwrap()
                        .iter()
                        .flatten()
                        .collect::<Vec<_>>()
                        .join("|"),
                ),
                other => Some(other.str_value().into_owned()),
            })
            .collect()
    }

    fn check(options: &str, text: &str, expected: &str) {
        let input = df!("t" => [Some(text), None]).unwrap();
        let output = run(&format!("split: {{column: t, into: w, {options}}}"), &input);
        assert_eq!(
            texts(&output, "w"),
            [Some(expected.to_owned()), None],
            "{options} {text:?}"
        );
    }

    #[test]
    fn pieces_lie_between_the_cuts() {
        check("separator: ','", "a,b,,c,", "a|b||c|");
        check("separator: ', '", "a, b,c", "a|b,c");
        check("separator: '.'", "a.b", "a|b");
        check("separator: ','", "", "");
        check("separator: ',', trim: true, drop_empty: true", " a , ,b,", "a|b");
        check("pattern: '[;,]\\s*'", "a; b,c", "a|b|c");
        check("pattern: '(?i)x+'", "aXxbx", "a|b|");
    }

    #[test]
    fn the_last_column_takes_what_is_left() {
        let input = df!("t" => [Some("a b c"), Some("a"), Some(""), None]).unwrap();
        let output = run("split: {column: t, columns: [t, rest], separator: ' '}", &input);
        assert_eq!(output.get_column_names(), ["t", "rest"]);
        let expected =
            df!("t" => [Some("a"), Some("a"), Some(""), None], "rest" => [Some("b c"), None, None, None]);
        assert_eq!(output, expected.unwrap());
        let input = df!("t" => ["a|b|c"]).unwrap();
        let output = run("split: {column: t, columns: [x, y], pattern: '\\b\\|'}", &input);
        assert_eq!(
            texts(&output, "y"),
            [Some("b|c".to_owned())],
            "what stands before a cut counts"
        );
        let input = df!("t" => [" a  b c "]).unwrap();
        let output = run(
            "split: {column: t, columns: [x, y], separator: ' ', trim: true, drop_empty: true}",
            &input,
        );
        assert_eq!(texts(&output, "x"), [Some("a".to_owned())]);
        assert_eq!(texts(&output, "y"), [Some("b c".to_owned())]);
    }

    #[test]
    fn what_cannot_be_cut_does_not_check() {
        let input = df!("t" => ["a"], "n" => [1i64]).unwrap();
        for (options, message) in [
            (
                "column: t, into: w",
                "`separator` is empty: write the text between two pieces, or a `pattern`",
            ),
            (
                "column: t, into: w, pattern: 'x*'",
                "`x*` matches empty text: use `+` in place of `*`",
            ),
            (
                "column: n, into: w, separator: x",
                "column `n` is int64, not string: use `cast` first",
            ),
            (
                "column: t, separator: x",
                "there is no column to write: write `into` for a list, or `columns` for the pieces",
            ),
            (
                "column: t, columns: [a, a], separator: x",
                "column `a` stands twice",
            ),
            (
                "column: t, into: w, separator: x, pattern: x",
                "`separator` and `pattern` are both given: keep one of them",
            ),
        ] {
            assert_eq!(check_error(&format!("split: {{{options}}}"), &input), message);
        }
        let error = check_error("split: {column: t, into: w, pattern: '(?=a)'}", &input);
        assert!(
            error.contains("look-around cannot be matched in linear time"),
            "{error}"
        );
    }
}
