//! That a line is one row or one reject by itself alone, whatever stands in it and around it.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::DecodeOptions;
use super::properties::any_json;
use super::tests::{Decoded, decode_with, schema};
use crate::dataset::{Codec, Reject};

const FIELDS: &str = "fields: [{name: x, type: int64, required: true}, {name: t, type: string}, {name: f, type: float64}, \
                      {name: n, type: 'struct<a: list<list<int64>>, b: struct<c: bool, d: json>>'}]";
const BOM: &[u8] = b"\xef\xbb\xbf";

/// What became of one line.
#[derive(Debug, Clone, PartialEq)]
enum Outcome {
    Row(String),
    Reject(Box<Reject>),
}

fn record(x: i64) -> String {
    let c = x % 2 == 0;
    format!(
        r#"{{"x": {x}, "t": "é\n{x}", "f": {x}.5, "n": {{"a": [[1], [], [{x}, null]], "b": {{"c": {c}, "d": [{x}]}}}}}}"#
    )
}

/// What is done to a valid record.
#[derive(Debug, Clone)]
enum Change {
    None,
    Blank(&'static str),
    /// A member more, in the record or deep inside.
    Member(&'static str, &'static str),
    /// Another value in the place of this one.
    Value(&'static str, String),
    Insert(Index, Vec<u8>),
    Truncate(Index),
    Nest(usize, bool),
    Pad(usize),
}

fn any_change() -> impl Strategy<Value = Change> {
    let deep = select(vec!["{\"x\"", "{\"a\"", "{\"c\""]);
    let member = select(vec![
        "\"x\": 1, ",
        "\"\\u0078\": 1, ",
        "\"c\": true, ",
        "\"a\": [], ",
        "\"new\": {\"y\": 1, \"y\": 2}, ",
        "\"t\": \"\\ud800\", ",
        "\"new\": \"\\udc00\\ud800\", ",
        "\"new\": 1e999, ",
        "\"f\": 1e400, ",
        "\"new\": NaN, ",
        "\"new\": -, ",
    ]);
    let place = select(vec![".5", "[[1], [], ", "\"é", "true", "{\"c\"", "null"]);
    let value = prop_oneof![
        any_json().prop_map(|json| json.to_string()),
        (1_usize..400).prop_map(|n| "9".repeat(n))
    ];
    let inserted = select(vec![
        BOM.to_vec(),
        vec![0],
        vec![0xff],
        b"\xed\xa0\x80".to_vec(),
        b"\r".to_vec(),
        b"\"".to_vec(),
        b"\\".to_vec(),
        b"}".to_vec(),
        b"[".to_vec(),
        b"\x0b".to_vec(),
        b",".to_vec(),
        b"\\u12".to_vec(),
        b"\x1f\x8b".to_vec(),
    ]);
    prop_oneof![
        4 => Just(Change::None),
        1 => select(vec!["", " ", "\t\r", "\u{c}"]).prop_map(Change::Blank),
        2 => (deep, member).prop_map(|(at, member)| Change::Member(at, member)),
        2 => (place, value).prop_map(|(at, value)| Change::Value(at, value)),
        3 => (any::<Index>(), inserted).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        2 => any::<Index>().prop_map(Change::Truncate),
        1 => (1_usize..300, any::<bool>()).prop_map(|(depth, closed)| Change::Nest(depth, closed)),
        1 => prop_oneof![1_usize..3000, 65_000_usize..140_000].prop_map(Change::Pad),
    ]
}

fn changed(record: &str, change: &Change) -> Vec<u8> {
    let mut line = record.as_bytes().to_vec();
    match change {
        Change::None => {}
        Change::Blank(blank) => return blank.as_bytes().to_vec(),
        Change::Member(at, member) => {
            return record
                .replacen(at, &at.replacen('{', &format!("{{{member}"), 1), 1)
                .into_bytes();
        }
        Change::Value(at, value) => return record.replacen(at, value, 1).into_bytes(),
        Change::Insert(at, bytes) => {
            let at = at.index(line.len() + 1);
            line.splice(at..at, bytes.iter().copied());
        }
        Change::Truncate(at) => line.truncate(at.index(line.len() + 1)),
        Change::Nest(depth, closed) => {
            let close = if *closed {
                "]".repeat(*depth)
            } else {
                String::new()
            };
            return record
                .replacen('{', &format!("{{\"deep\": {}1{close}, ", "[".repeat(*depth)), 1)
                .into_bytes();
        }
        Change::Pad(n) => return record.replacen('é', &"é".repeat(*n), 1).into_bytes(),
    }
    line
}

/// Outcomes by line, without their places.
fn outcomes(decoded: &Decoded) -> BTreeMap<u64, Vec<Outcome>> {
    let mut outcomes: BTreeMap<u64, Vec<Outcome>> = BTreeMap::new();
    for ((line, _), row) in decoded.origins().into_iter().zip(decoded.rows()) {
        outcomes.entry(line).or_default().push(Outcome::Row(row));
    }
    for reject in decoded.rejects() {
        let placeless = Reject {
            line: 0,
            byte_offset: 0,
            ..reject.clone()
        };
        outcomes
            .entry(reject.line)
            .or_default()
            .push(Outcome::Reject(Box::new(placeless)));
    }
    outcomes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_line_is_one_row_or_one_reject_as_if_it_stood_alone(
        changes in vec((any_change(), select(vec!["\n", "\r\n"])), 1..12), ends_whole in any::<bool>(), has_bom in any::<bool>(),
        is_lenient in any::<bool>(), batch_bytes in 1_usize..4000, max_line_bytes in select(vec![300_usize, 2000, 70_000, 1 << 20]),
    ) {
        let policy = if is_lenient { "'null'" } else { "quarantine" };
        let schema = schema(&format!("on_mismatch: {policy}\n{FIELDS}"));
        let decode = |bytes: &[u8]| {
            let options = DecodeOptions { max_line_bytes, batch_bytes, ..DecodeOptions::default() };
            outcomes(&decode_with(schema.clone(), options, Codec::None, bytes))
        };
        let mut input = if has_bom { BOM.to_vec() } else { Vec::new() };
        let mut expected = BTreeMap::new();
        for (at, (change, end)) in changes.iter().enumerate() {
            let record = record(i64::try_from(at).unwrap());
            let mut line = changed(&record, change);
            if at + 1 < changes.len() || ends_whole {
                line.extend(end.bytes());
            }
            input.extend(&line);
            // A mark at an object's start is no part of the line; a second one is.
            let alone = match at {
                0 if has_bom => decode(&[BOM, &line].concat()),
                0 => decode(&line),
                _ => decode(&[b"\n", line.as_slice()].concat()),
            };
            let text = if at == 0 && !has_bom { line.strip_prefix(BOM).unwrap_or(&line) } else { &line };
            let is_blank = text.iter().all(u8::is_ascii_whitespace);
            let outcomes: Vec<Outcome> = alone.into_values().flatten().collect();
            prop_assert_eq!(outcomes.len(), usize::from(!is_blank), "{:?}: {:?}", change, outcomes);
            if matches!(change, Change::None) {
                prop_assert!(matches!(outcomes[0], Outcome::Row(_)), "{:?}", outcomes);
            }
            if !is_blank {
                expected.insert(at as u64 + 1, outcomes);
            }
        }
        prop_assert_eq!(decode(&input), expected);
    }
}
