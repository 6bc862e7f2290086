//! One line on its way into columns: its tokens, its text, its place, and the faults it can have.

use serde::de::IgnoredAny;
use simd_json::{Buffers, Node, StaticNode, Tape};

use super::number;
use super::raw::{RawCursor, end_of_token};
use super::{Drift, Mismatch};
use crate::dataset::{OnMissing, OnUnknown, Reason, Stage};

/// Deeper records are rejected, so that no record can exhaust the stack.
pub(super) const MAX_DEPTH: usize = 128;
const SHOWN_CHARS: usize = 60;

/// Why a record is rejected. Boxed, so that the good case stays small.
#[derive(Debug)]
pub(super) struct Fault(pub(super) Box<Details>);

#[derive(Debug)]
pub(super) struct Details {
    pub(super) stage: Stage,
    pub(super) reason: Reason,
    pub(super) field: Option<String>,
    pub(super) expected: Option<String>,
    pub(super) got: Option<String>,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(stage: Stage, reason: Reason, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            stage,
            reason,
            field: None,
            expected: None,
            got: None,
            message: message.into(),
        }))
    }

    pub(super) fn at(mut self, path: impl Into<String>) -> Self {
        self.0.field = Some(path.into());
        self
    }

    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.0.expected = Some(expected.into());
        self
    }

    pub(super) fn got(mut self, got: impl Into<String>) -> Self {
        self.0.got = Some(got.into());
        self
    }
}

/// A parsed line.
pub(super) struct Record<'a> {
    pub(super) tape: &'a [Node<'a>],
    /// The line as it was read.
    pub(super) line: &'a [u8],
    /// Numbers of the tape are placeholders; only the text tells them.
    pub(super) has_big_numbers: bool,
    pub(super) cursor: RawCursor,
    pub(super) depth: usize,
    pub(super) drift: &'a mut Drift,
    pub(super) object: &'a str,
    pub(super) line_number: u64,
    /// 1-based, of all that the decoder has read.
    pub(super) number: u64,
    pub(super) on_missing: OnMissing,
    pub(super) on_unknown: OnUnknown,
}

impl<'a> Record<'a> {
    pub(super) fn node(&self, at: usize) -> Node<'a> {
        self.tape
            .get(at)
            .copied()
            .unwrap_or(Node::Static(StaticNode::Null))
    }

    /// The node after the value at `at`.
    pub(super) fn after(&self, at: usize) -> usize {
        match self.node(at) {
            Node::Object { count, .. } | Node::Array { count, .. } => at + 1 + count,
            Node::String(_) | Node::Static(_) => at + 1,
        }
    }

    /// The exact text of the value at `at`.
    pub(super) fn text(&mut self, at: usize) -> &'a str {
        self.cursor.text(self.line, at)
    }

    /// What the value at `at` is, for people: `number 1.5`, `string "abc"`.
    pub(super) fn describe(&mut self, at: usize) -> String {
        let word = match self.node(at) {
            Node::String(_) => "string",
            Node::Object { .. } => "object",
            Node::Array { .. } => "array",
            Node::Static(StaticNode::Bool(_)) => "bool",
            Node::Static(StaticNode::Null) => return "null".to_owned(),
            Node::Static(_) => "number",
        };
        let text = self.text(at);
        match text.char_indices().nth(SHOWN_CHARS) {
            Some((end, _)) => format!("{word} {}…", text.get(..end).unwrap_or_default()),
            None => format!("{word} {text}"),
        }
    }

    pub(super) fn descend(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::new(
                Stage::Parse,
                Reason::InvalidJson,
                format!("it is nested deeper than {MAX_DEPTH} levels"),
            ));
        }
        Ok(())
    }

    pub(super) fn ascend(&mut self) {
        self.depth -= 1;
    }

    /// Holds a value that no column reads to the same rules: no doubled keys, no bottomless nesting.
    pub(super) fn check_value(&mut self, at: usize, path: &str) -> Result<(), Fault> {
        match self.node(at) {
            Node::Array { len, .. } => {
                self.descend()?;
                let mut item = at + 1;
                for _ in 0..len {
                    self.check_value(item, path)?;
                    item = self.after(item);
                }
                self.ascend();
            }
            Node::Object { len, .. } => {
                self.descend()?;
                let mut keys = Vec::with_capacity(len);
                let mut key_at = at + 1;
                for _ in 0..len {
                    if let Node::String(key) = self.node(key_at) {
                        keys.push(key);
                    }
                    self.check_value(key_at + 1, path)?;
                    key_at = self.after(key_at + 1);
                }
                check_doubled(&mut keys, path)?;
                self.ascend();
            }
            Node::String(_) | Node::Static(_) => {}
        }
        Ok(())
    }

    pub(super) fn count_unknown(&mut self, prefix: &str, key: &str) {
        self.drift
            .count_unknown(prefix, key, self.object, self.line_number);
    }

    pub(super) fn count_mismatch(&mut self, path: &str, expected: &str, at: usize) {
        if let Some(seen) = self.drift.mismatched.get_mut(path) {
            seen.n += 1;
            return;
        }
        let got = self.describe(at);
        self.drift.mismatched.insert(
            path.to_owned(),
            Mismatch {
                n: 1,
                expected: expected.to_owned(),
                first_got: got,
                first_object: self.object.to_owned(),
                first_line: self.line_number,
            },
        );
    }
}

/// Fails when `keys` of one object hold a name twice.
pub(super) fn check_doubled(keys: &mut [&str], path: &str) -> Result<(), Fault> {
    if keys.len() < 2 {
        return Ok(());
    }
    keys.sort_unstable();
    let doubled = keys.windows(2).find_map(|pair| match pair {
        [a, b] if a == b => Some(*a),
        _ => None,
    });
    match doubled {
        Some(key) => {
            let joint = if path.is_empty() || path.ends_with('.') {
                ""
            } else {
                "."
            };
            Err(doubled_key(&format!("{path}{joint}{key}")))
        }
        None => Ok(()),
    }
}

pub(super) fn doubled_key(path: &str) -> Fault {
    Fault::new(
        Stage::Parse,
        Reason::DuplicateKey,
        format!("key `{path}` stands twice in one object"),
    )
    .at(path)
}

/// Buffers of the parser, kept from line to line.
#[derive(Default)]
pub(super) struct Scratch {
    work: Vec<u8>,
    second: Vec<u8>,
    buffers: Buffers,
}

/// Parses `line`, reusing the memory of `tape`. The answer says too whether numbers had to be replaced by placeholders,
/// because they are valid but beyond what the parser can hold.
pub(super) fn parse<'w>(
    line: &[u8],
    scratch: &'w mut Scratch,
    tape: Tape<'static>,
) -> Result<(Tape<'w>, bool), Fault> {
    let Scratch {
        work,
        second,
        buffers,
    } = scratch;
    work.clear();
    work.extend_from_slice(line);
    let mut tape = tape.reset();
    let Err(error) = simd_json::fill_tape(work.as_mut_slice(), buffers, &mut tape) else {
        check_surrogates(line)?;
        return Ok((tape, false));
    };
    if std::str::from_utf8(line).is_ok() {
        second.clear();
        second.extend_from_slice(line);
        if replace_big_numbers(line, second) {
            let mut tape = tape.reset();
            if simd_json::fill_tape(second.as_mut_slice(), buffers, &mut tape).is_ok() {
                check_surrogates(line)?;
                return Ok((tape, true));
            }
        }
    }
    Err(parse_fault(line, &error))
}

/// The parser takes half a surrogate pair for a character; no text may hold one.
fn check_surrogates(line: &[u8]) -> Result<(), Fault> {
    if !line.contains(&b'\\') {
        return Ok(());
    }
    let text = std::str::from_utf8(line).unwrap_or_default();
    let mut paired = None;
    for (at, _) in text.match_indices("\\u") {
        let backslashes = line
            .iter()
            .take(at)
            .rev()
            .take_while(|byte| **byte == b'\\')
            .count();
        let unit = |at: usize| {
            text.get(at + 2..at + 6)
                .and_then(|digits| u16::from_str_radix(digits, 16).ok())
        };
        if backslashes % 2 == 1 || paired == Some(at) {
            continue;
        }
        let is_lone = match unit(at) {
            Some(0xd800..=0xdbff) => {
                paired = Some(at + 6);
                let next = text.get(at + 6..).is_some_and(|rest| rest.starts_with("\\u"));
                !next || !matches!(unit(at + 6), Some(0xdc00..=0xdfff))
            }
            Some(0xdc00..=0xdfff) => true,
            _ => false,
        };
        if is_lone {
            let message = format!(
                "byte {} of the line starts half a surrogate pair, which is no character",
                at + 1
            );
            return Err(Fault::new(Stage::Parse, Reason::InvalidJson, message));
        }
    }
    Ok(())
}

fn parse_fault(line: &[u8], error: &simd_json::Error) -> Fault {
    if let Err(error) = std::str::from_utf8(line) {
        let message = format!("byte {} of the line is not UTF-8", error.valid_up_to() + 1);
        return Fault::new(Stage::Decode, Reason::InvalidUtf8, message);
    }
    let mut cursor = 0;
    while let Some(byte) = line.get(cursor) {
        if byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'+') {
            let end = end_of_token(line, cursor).max(cursor + 1);
            let word = line.get(cursor..end).unwrap_or_default();
            if matches!(
                word,
                b"NaN" | b"Infinity" | b"-Infinity" | b"+Infinity" | b"-NaN" | b"inf" | b"nan"
            ) {
                let word = String::from_utf8_lossy(word);
                let message = format!("`{word}` is no JSON value");
                return Fault::new(Stage::Parse, Reason::InvalidJson, message);
            }
            cursor = end;
        } else {
            cursor = end_of_token(line, cursor).max(cursor + 1);
        }
    }
    let message = format!("not valid JSON: {}", what_is_wrong(line, error));
    Fault::new(Stage::Parse, Reason::InvalidJson, message)
}

/// What is wrong and where, in the words of serde's parser: ours tells little more than that something is.
fn what_is_wrong(line: &[u8], error: &simd_json::Error) -> String {
    match serde_json::from_slice::<IgnoredAny>(line) {
        Err(told) if told.is_eof() => "it ends too early".to_owned(),
        Err(told) => {
            let text = told.to_string();
            let words = text.split(" at line ").next().unwrap_or_default();
            format!("{words} near byte {} of the line", told.column())
        }
        Ok(_) => match error.index() {
            0 => "its structure is broken".to_owned(),
            index => format!("its structure is broken near byte {} of the line", index + 1),
        },
    }
}

/// Writes `0` over each number in `work` that is valid JSON, and says whether there was one.
fn replace_big_numbers(line: &[u8], work: &mut [u8]) -> bool {
    let mut has_replaced = false;
    let mut pos = 0;
    while let Some(byte) = line.get(pos) {
        let end = end_of_token(line, pos).max(pos + 1);
        if matches!(byte, b'-' | b'0'..=b'9')
            && let Some(Ok(text)) = line.get(pos..end).map(std::str::from_utf8)
            && number::is_number(text)
            && let Some((first, rest)) = work.get_mut(pos..end).and_then(<[u8]>::split_first_mut)
        {
            *first = b'0';
            rest.fill(b' ');
            has_replaced = true;
        }
        pos = end;
    }
    has_replaced
}
