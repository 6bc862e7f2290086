//! What could stand at the cursor of a half-typed expression: columns with their types, nested fields, functions, words.
//!
//! The text need not parse, because it is being typed: only the tokens up to the cursor are looked at. Positions are in
//! characters, as editors count them.

use std::ops::Range;

use polars::prelude::{DataType, Schema};
use sqlparser::ast::Expr as SqlExpr;
use sqlparser::keywords::{ALL_KEYWORDS, ALL_KEYWORDS_INDEX, RESERVED_FOR_COLUMN_ALIAS};

use super::functions::functions;
use crate::base::fuzzy;
use crate::transform::step::type_name;

/// More entries than anybody reads; a dataset may have thousands of columns.
const MAX_ENTRIES: usize = 200;

/// What an entry is, for its picture and its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CompletionKind {
    Column,
    /// A field inside a struct.
    Field,
    Function,
    Keyword,
    /// A type, after `AS` or `::`.
    Type,
}

/// One thing that could stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    pub kind: CompletionKind,
    /// As a list shows it.
    pub label: String,
    /// The type of a column or field, the example of a function, what a word is for.
    pub detail: String,
    /// What replaces [`Completions::replaces`].
    pub insert: String,
    /// Characters from the end of what is inserted to where the cursor belongs, such as between two brackets.
    pub cursor_back: usize,
}

/// What could stand at the cursor, likeliest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completions {
    /// Characters of the text that an entry takes the place of.
    pub replaces: Range<usize>,
    /// A name was begun, so that a list may appear unasked.
    pub is_begun: bool,
    pub entries: Vec<Completion>,
}

/// What could stand at `cursor`, a position between characters of `text`.
///
/// ```
/// use polars::prelude::{DataType, Schema};
/// use skewer::transform::expr::complete;
///
/// let schema = Schema::from_iter([("title".into(), DataType::String), ("salary".into(), DataType::Int64)]);
/// let found = complete("lower(ti", 8, &schema);
/// assert_eq!(found.entries[0].insert, "title");
/// assert_eq!(found.replaces, 6..8);
/// ```
pub fn complete(text: &str, cursor: usize, schema: &Schema) -> Completions {
    let chars: Vec<char> = text.chars().collect();
    let cursor = cursor.min(chars.len());
    let next = chars.get(cursor).copied();
    let tokens = tokens(chars.get(..cursor).unwrap_or_default());
    let nothing = Completions {
        replaces: cursor..cursor,
        ..Completions::default()
    };
    let (begun, before) = match tokens.split_last() {
        Some((last, before)) if last.end == cursor && last.is_begun() => (Some(last), before),
        _ => (None, tokens.as_slice()),
    };
    let typed = begun.map(|token| token.text.as_str()).unwrap_or_default();
    let start = begun.map_or(cursor, |token| token.start);
    let found = match begun.map(|token| &token.kind) {
        Some(Kind::Comment | Kind::Number) => return nothing,
        Some(Kind::Text { .. }) => match path_before(before, &Kind::Bracket) {
            Some(path) => fields(schema, &path, |name| format!("'{}'", name.replace('\'', "''"))),
            None => return nothing,
        },
        quoted => match path_before(before, &Kind::Dot) {
            Some(path) => fields(schema, &path, sql_name),
            None if matches!(quoted, Some(Kind::Quoted { .. })) => columns(schema),
            None if is_type_wanted(before) => types(),
            None => {
                let mut all = columns(schema);
                all.extend(functions_and_words(next));
                all
            }
        },
    };
    // What closes a quoted name is there already when quotes are typed in pairs.
    let closing = begun.and_then(Token::quote).filter(|quote| next == Some(*quote));
    let is_inside_word = next.is_some_and(is_word) && closing.is_none();
    Completions {
        replaces: start..cursor + usize::from(closing.is_some()),
        is_begun: (begun.is_some() || path_before(before, &Kind::Dot).is_some()) && !is_inside_word,
        entries: ranked(typed, found),
    }
}

/// A column's name as an expression writes it: in quotes unless it would be read as this name without them.
pub fn sql_name(column: &str) -> String {
    let is_plain = !starts_clause(column)
        && column.chars().all(is_word)
        && super::parse(column, "name").is_ok_and(
            |tree| matches!(tree, SqlExpr::Identifier(name) if name.value == column && name.quote_style.is_none()),
        );
    if is_plain {
        column.to_owned()
    } else {
        format!("\"{}\"", column.replace('"', "\"\""))
    }
}

/// Whether polars takes the word for the start of a clause, such as `ORDER`, also where the parser takes it for a name.
fn starts_clause(word: &str) -> bool {
    let at = ALL_KEYWORDS.binary_search(&word.to_uppercase().as_str());
    let keyword = at.ok().and_then(|at| ALL_KEYWORDS_INDEX.get(at));
    keyword.is_some_and(|keyword| RESERVED_FOR_COLUMN_ALIAS.contains(keyword))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Word,
    Number,
    /// `"a name"`
    Quoted {
        is_closed: bool,
    },
    /// `'a text'`
    Text {
        is_closed: bool,
    },
    Comment,
    Dot,
    Bracket,
    ClosingBracket,
    Other,
}

#[derive(Debug, Clone)]
struct Token {
    kind: Kind,
    /// Of words and quoted texts, without the quotes.
    text: String,
    start: usize,
    end: usize,
}

impl Token {
    /// Whether more of this token could follow at its end.
    fn is_begun(&self) -> bool {
        matches!(
            self.kind,
            Kind::Word
                | Kind::Number
                | Kind::Comment
                | Kind::Quoted { is_closed: false }
                | Kind::Text { is_closed: false }
        )
    }

    fn quote(&self) -> Option<char> {
        match self.kind {
            Kind::Quoted { .. } => Some('"'),
            Kind::Text { .. } => Some('\''),
            _ => None,
        }
    }

    fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Quoted { is_closed: true })
    }
}

fn tokens(chars: &[char]) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    let char_at = |at: usize| chars.get(at).copied();
    while let Some(c) = char_at(at) {
        let start = at;
        let mut text = String::new();
        let mut take_while = |at: &mut usize, is_part: &dyn Fn(char) -> bool| {
            while let Some(c) = char_at(*at).filter(|c| is_part(*c)) {
                text.push(c);
                *at += 1;
            }
        };
        let kind = match c {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '"' | '\'' => {
                let is_closed = quoted(chars, &mut at, c, &mut text);
                if c == '"' {
                    Kind::Quoted { is_closed }
                } else {
                    Kind::Text { is_closed }
                }
            }
            '-' if char_at(at + 1) == Some('-') => {
                take_while(&mut at, &|c| c != '\n');
                // A line that has ended holds the cursor no more.
                Kind::Comment
            }
            c if c.is_ascii_digit() => {
                take_while(&mut at, &|c| is_word(c) || c == '.');
                Kind::Number
            }
            c if is_word(c) => {
                take_while(&mut at, &is_word);
                Kind::Word
            }
            _ => {
                at += 1;
                match c {
                    '.' => Kind::Dot,
                    '[' => Kind::Bracket,
                    ']' => Kind::ClosingBracket,
                    c => {
                        text.push(c);
                        Kind::Other
                    }
                }
            }
        };
        found.push(Token {
            kind,
            text,
            start,
            end: at,
        });
    }
    found
}

/// Reads a quoted text, in which a doubled quote stands for one. Whether its end was there.
fn quoted(chars: &[char], at: &mut usize, quote: char, text: &mut String) -> bool {
    *at += 1;
    while let Some(c) = chars.get(*at) {
        *at += 1;
        if *c != quote {
            text.push(*c);
        } else if chars.get(*at) == Some(&quote) {
            text.push(quote);
            *at += 1;
        } else {
            return true;
        }
    }
    false
}

/// The names of `a.b` in front of a dot, or of `a` in front of a bracket, at the end of `tokens`.
fn path_before<'a>(tokens: &'a [Token], sign: &Kind) -> Option<Vec<&'a str>> {
    let (last, mut rest) = tokens.split_last()?;
    if last.kind != *sign {
        return None;
    }
    let mut path = Vec::new();
    loop {
        match rest {
            [before @ .., open, name, close]
                if close.kind == Kind::ClosingBracket
                    && open.kind == Kind::Bracket
                    && name.kind == (Kind::Text { is_closed: true }) =>
            {
                path.push(name.text.as_str());
                rest = before;
            }
            [before @ .., name] if name.is_name() => {
                path.push(name.text.as_str());
                match before {
                    [before @ .., dot] if dot.kind == Kind::Dot => rest = before,
                    _ => break,
                }
            }
            _ => return None,
        }
    }
    path.reverse();
    Some(path)
}

fn is_type_wanted(tokens: &[Token]) -> bool {
    let is_colon = |token: &Token| token.kind == Kind::Other && token.text == ":";
    match tokens {
        [.., word] if word.kind == Kind::Word && word.text.eq_ignore_ascii_case("as") => true,
        [.., first, second] => is_colon(first) && is_colon(second),
        _ => false,
    }
}

fn columns(schema: &Schema) -> Vec<Completion> {
    schema
        .iter()
        .map(|(name, dtype)| Completion {
            kind: CompletionKind::Column,
            label: name.to_string(),
            detail: type_name(dtype),
            insert: sql_name(name),
            cursor_back: 0,
        })
        .collect()
}

/// The fields of the struct at the end of `path`; none when there is no struct.
fn fields(schema: &Schema, path: &[&str], written: impl Fn(&str) -> String) -> Vec<Completion> {
    let mut dtype = path.first().and_then(|column| schema.get(column));
    for name in path.iter().skip(1) {
        dtype = match dtype {
            Some(DataType::Struct(inner)) => inner
                .iter()
                .find(|field| field.name == *name)
                .map(|field| &field.dtype),
            _ => None,
        };
    }
    let Some(DataType::Struct(inner)) = dtype else {
        return Vec::new();
    };
    inner
        .iter()
        .map(|field| Completion {
            kind: CompletionKind::Field,
            label: field.name.to_string(),
            detail: type_name(&field.dtype),
            insert: written(&field.name),
            cursor_back: 0,
        })
        .collect()
}

fn functions_and_words(next: Option<char>) -> Vec<Completion> {
    let has_brackets = next == Some('(');
    let functions = functions().iter().map(|function| {
        let takes_nothing = function.example.ends_with("()");
        Completion {
            kind: CompletionKind::Function,
            label: function.name.to_owned(),
            detail: function.example.to_owned(),
            insert: if has_brackets {
                function.name.to_owned()
            } else {
                format!("{}()", function.name)
            },
            cursor_back: usize::from(!has_brackets && !takes_nothing),
        }
    });
    let words = WORDS
        .iter()
        .map(|(label, detail, insert, cursor_back)| Completion {
            kind: CompletionKind::Keyword,
            label: (*label).to_owned(),
            detail: (*detail).to_owned(),
            insert: (*insert).to_owned(),
            cursor_back: *cursor_back,
        });
    functions.chain(words).collect()
}

fn types() -> Vec<Completion> {
    TYPES
        .iter()
        .map(|(name, meaning)| Completion {
            kind: CompletionKind::Type,
            label: (*name).to_owned(),
            detail: (*meaning).to_owned(),
            insert: (*name).to_owned(),
            cursor_back: 0,
        })
        .collect()
}

/// Label, what it is for, what is inserted, and how far the cursor goes back.
const WORDS: &[(&str, &str, &str, usize)] = &[
    ("AND", "both", "AND ", 0),
    ("OR", "either", "OR ", 0),
    ("NOT", "the contrary", "NOT ", 0),
    ("IS NULL", "no value", "IS NULL", 0),
    ("IS NOT NULL", "some value", "IS NOT NULL", 0),
    ("IN", "one of", "IN ()", 1),
    ("BETWEEN", "from .. to, both included", "BETWEEN  AND ", 5),
    ("LIKE", "% any text, _ any character", "LIKE ''", 1),
    ("CASE", "the first that holds", "CASE WHEN  THEN  ELSE  END", 16),
    ("CAST", "another type, or a reject", "CAST( AS )", 5),
    ("TRY_CAST", "another type, or null", "TRY_CAST( AS )", 5),
    ("TRUE", "", "TRUE", 0),
    ("FALSE", "", "FALSE", 0),
    ("NULL", "no value", "NULL", 0),
];

const TYPES: &[(&str, &str)] = &[
    ("BIGINT", "int64"),
    ("INTEGER", "int32"),
    ("SMALLINT", "int16"),
    ("DOUBLE", "float64"),
    ("REAL", "float32"),
    ("VARCHAR", "text"),
    ("BOOLEAN", "true or false"),
    ("DATE", "a day, from ISO 8601"),
    ("TIMESTAMP", "a time in UTC, from ISO 8601"),
];

/// The entries that fit what is typed, likeliest first; none when what is typed is already the only one.
fn ranked(typed: &str, entries: Vec<Completion>) -> Vec<Completion> {
    if typed.is_empty() {
        return entries.into_iter().take(MAX_ENTRIES).collect();
    }
    let mut found: Vec<(i32, Completion)> = entries
        .into_iter()
        .filter(|entry| !(entry.kind == CompletionKind::Keyword && entry.label.eq_ignore_ascii_case(typed)))
        .filter_map(|entry| Some((likeliness(typed, &entry)?, entry)))
        .collect();
    // Stable, so that equal fits keep the order of the columns.
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    let entries: Vec<Completion> = found
        .into_iter()
        .map(|(_, entry)| entry)
        .take(MAX_ENTRIES)
        .collect();
    match entries.as_slice() {
        [only] if only.label == typed && only.kind != CompletionKind::Function => Vec::new(),
        _ => entries,
    }
}

/// How well an entry fits. Scattered letters are enough for a column of the data, but every second function has some.
fn likeliness(typed: &str, entry: &Completion) -> Option<i32> {
    let (least, bonus) = match entry.kind {
        CompletionKind::Column | CompletionKind::Field if typed.chars().count() > 1 => (i32::MIN, 300),
        CompletionKind::Column | CompletionKind::Field => (700, 300),
        CompletionKind::Function | CompletionKind::Type => (700, 100),
        CompletionKind::Keyword => (850, 0),
    };
    let score = fuzzy::score(typed, &entry.label)?;
    (score >= least).then_some(score + bonus)
}

#[cfg(test)]
mod tests;
