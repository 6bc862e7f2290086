//! One value into one column, by the type rules: lossless widening only, everything else needs `accept`.

use simd_json::{Node, StaticNode};

use super::columns::{Column, Data, Takes, push_end};
use super::number::{self, Exact};
use super::record::{Fault, Record};
use super::time;
use crate::dataset::{DataType, Reason, Stage};

/// Integers up to here are the same number as float64.
const MAX_EXACT_FLOAT: u64 = 1 << 53;

/// A number as the decoder sees it.
enum Number {
    Int(i64),
    /// A float, or an integer whose text must tell.
    Other,
    Float(f64),
}

/// Why a value does not fit.
enum Misfit {
    Type,
    Range,
}

impl Column {
    /// Adds one entry from the value at `at`, or fails with nothing added here (though maybe inside).
    pub(super) fn append(&mut self, record: &mut Record<'_>, at: usize) -> Result<(), Fault> {
        let node = record.node(at);
        if node == Node::Static(StaticNode::Null) {
            self.push_null();
            return Ok(());
        }
        let takes = self.takes;
        let fitted = match &mut self.data {
            Data::Skipped(n) => {
                record.check_value(at, &self.path)?;
                *n += 1;
                Ok(())
            }
            Data::Text(values) => {
                let is_json = self.dtype == DataType::Json;
                match text(record, at, takes, is_json, &self.path)? {
                    Some(text) => {
                        values.push(Some(text));
                        Ok(())
                    }
                    None => Err(Misfit::Type),
                }
            }
            Data::Bool(values, valid) => match node {
                Node::Static(StaticNode::Bool(value)) => Ok(value),
                Node::String("true") if takes.string => Ok(true),
                Node::String("false") if takes.string => Ok(false),
                _ => Err(Misfit::Type),
            }
            .map(|value| {
                values.push(value);
                valid.push(true);
            }),
            Data::Int64(values, valid) => int64(record, at, takes.numeric_string).map(|value| {
                values.push(value);
                valid.push(true);
            }),
            Data::Float64(values, valid) => {
                float64(record, at, takes.numeric_string, takes.number).map(|value| {
                    values.push(value);
                    valid.push(true);
                })
            }
            Data::Date(values, valid) => {
                let days = time_text(record, at, takes.number).and_then(|text| match &self.form {
                    Some(form) => form.days(text),
                    None => time::iso_days(text),
                });
                days.ok_or(Misfit::Type).map(|days| {
                    values.push(days);
                    valid.push(true);
                })
            }
            Data::Timestamp(values, valid) => {
                let micros = time_text(record, at, takes.number).and_then(|text| match &self.form {
                    Some(form) => form.micros(text),
                    None => time::iso_micros(text),
                });
                micros.ok_or(Misfit::Type).map(|micros| {
                    values.push(micros);
                    valid.push(true);
                })
            }
            Data::List(ends, valid, items) => match node {
                Node::Array { len, .. } => {
                    record.descend()?;
                    let mut item = at + 1;
                    for _ in 0..len {
                        items.append(record, item)?;
                        item = record.after(item);
                    }
                    record.ascend();
                    push_end(ends, items.len());
                    valid.push(true);
                    Ok(())
                }
                _ => Err(Misfit::Type),
            },
            Data::Struct(valid, members) => match node {
                Node::Object { len, .. } => {
                    members.append(record, at, len)?;
                    valid.push(true);
                    Ok(())
                }
                _ => Err(Misfit::Type),
            },
        };
        match fitted {
            Ok(()) => Ok(()),
            Err(_) if self.is_lenient => {
                record.check_value(at, &self.path)?;
                record.count_mismatch(&self.path, &self.dtype.to_string(), at);
                self.push_null();
                Ok(())
            }
            Err(misfit) => Err(self.fault(record, at, &misfit)),
        }
    }

    fn fault(&self, record: &mut Record<'_>, at: usize, misfit: &Misfit) -> Fault {
        let got = record.describe(at);
        let path = &self.path;
        let dtype = self.dtype.to_string();
        let (stage, reason, message) = match misfit {
            Misfit::Type => (
                Stage::Schema,
                Reason::TypeMismatch,
                format!("field `{path}` is {got}, declared is {dtype}"),
            ),
            Misfit::Range => (
                Stage::Parse,
                Reason::NumberOutOfRange,
                format!("field `{path}` is {got}, which is out of the range of {dtype}"),
            ),
        };
        Fault::new(stage, reason, message)
            .at(path)
            .expected(dtype)
            .got(got)
    }
}

/// What a text column keeps of a value; none where it does not take it.
fn text<'a>(
    record: &mut Record<'a>,
    at: usize,
    takes: Takes,
    is_json: bool,
    path: &str,
) -> Result<Option<&'a str>, Fault> {
    let is_taken = is_json
        || match record.node(at) {
            Node::String(text) => return Ok(Some(text)),
            Node::Static(StaticNode::Bool(_)) => takes.bool || takes.json,
            Node::Static(_) => takes.number || takes.json,
            Node::Object { .. } | Node::Array { .. } => takes.json,
        };
    if !is_taken {
        return Ok(None);
    }
    record.check_value(at, path)?;
    Ok(Some(record.text(at)))
}

fn is_number(node: Node<'_>) -> bool {
    matches!(
        node,
        Node::Static(StaticNode::I64(_) | StaticNode::U64(_) | StaticNode::F64(_))
    )
}

fn number(record: &Record<'_>, at: usize) -> Option<Number> {
    let node = record.node(at);
    if record.has_big_numbers && is_number(node) {
        return Some(Number::Other);
    }
    match node {
        Node::Static(StaticNode::I64(value)) => Some(Number::Int(value)),
        Node::Static(StaticNode::F64(value)) => Some(Number::Float(value)),
        // The parser has every integer without a minus sign as unsigned.
        Node::Static(StaticNode::U64(value)) => Some(i64::try_from(value).map_or(Number::Other, Number::Int)),
        _ => None,
    }
}

fn int64(record: &mut Record<'_>, at: usize, takes_text: bool) -> Result<i64, Misfit> {
    let text = match (number(record, at), record.node(at)) {
        (Some(Number::Int(value)), _) => return Ok(value),
        (Some(Number::Other | Number::Float(_)), _) => record.text(at),
        (None, Node::String(text)) if takes_text => text.trim(),
        _ => return Err(Misfit::Type),
    };
    match number::exact_i64(text) {
        Exact::Int(value) => Ok(value),
        Exact::OutOfRange => Err(Misfit::Range),
        Exact::Fraction | Exact::NotANumber => Err(Misfit::Type),
    }
}

fn float64(record: &mut Record<'_>, at: usize, takes_text: bool, takes_rounded: bool) -> Result<f64, Misfit> {
    let text = match (number(record, at), record.node(at)) {
        (Some(Number::Float(value)), _) => return Ok(value),
        #[expect(
            clippy::cast_precision_loss,
            reason = "up to 2^53 nothing is lost; beyond only where accepted"
        )]
        (Some(Number::Int(value)), _) => {
            let is_exact = value.unsigned_abs() <= MAX_EXACT_FLOAT;
            return if is_exact || takes_rounded {
                Ok(value as f64)
            } else {
                Err(Misfit::Type)
            };
        }
        (Some(Number::Other), _) => record.text(at),
        (None, Node::String(text)) if takes_text => text.trim(),
        _ => return Err(Misfit::Type),
    };
    if !number::is_number(text) {
        return Err(Misfit::Type);
    }
    let is_integer = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let is_exact =
        matches!(number::exact_i64(text), Exact::Int(value) if value.unsigned_abs() <= MAX_EXACT_FLOAT);
    if is_integer && !is_exact && !takes_rounded {
        return Err(Misfit::Type);
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(Misfit::Range),
        Err(_) => Err(Misfit::Type),
    }
}

/// The text that a date or timestamp is read from.
fn time_text<'a>(record: &mut Record<'a>, at: usize, takes_number: bool) -> Option<&'a str> {
    match record.node(at) {
        Node::String(text) => Some(text),
        node if takes_number && is_number(node) => Some(record.text(at)),
        _ => None,
    }
}
