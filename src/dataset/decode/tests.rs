//! The decoder from bytes to rows, as its users see it.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::sync::Arc;

use polars::prelude::{AnyValue, DataFrame};

use super::{Batch, DecodeOptions, Decoder, Drift, ObjectRef};
use crate::base::envelope;
use crate::dataset::{Codec, Reason, Reject, Schema, origin};

const OBJECT: ObjectRef<'static> = ObjectRef {
    index: 7,
    name: "s3://lake/a.jsonl",
    first_line: 1,
    first_offset: 0,
};

pub(super) struct Decoded {
    pub(super) batches: Vec<Batch>,
    pub(super) drift: Drift,
}

impl Decoded {
    /// Each row as its values in JSON-like words, without hidden columns.
    pub(super) fn rows(&self) -> Vec<String> {
        self.batches.iter().flat_map(|batch| rows(&batch.df)).collect()
    }

    pub(super) fn rejects(&self) -> Vec<&Reject> {
        self.batches.iter().flat_map(|batch| &batch.rejects).collect()
    }

    pub(super) fn origins(&self) -> Vec<(u64, u64)> {
        let column = |name| {
            self.batches
                .iter()
                .flat_map(|batch| batch.df.column(name).unwrap().u64().unwrap().into_no_null_iter())
                .collect::<Vec<u64>>()
        };
        column(origin::LINE)
            .into_iter()
            .zip(column(origin::OFFSET))
            .collect()
    }

    pub(super) fn n_records(&self) -> u64 {
        self.batches.iter().map(|batch| batch.n_records).sum()
    }
}

fn rows(df: &DataFrame) -> Vec<String> {
    let df = origin::strip(df);
    (0..df.height())
        .map(|row| {
            let values: Vec<String> = df
                .columns()
                .iter()
                .map(|column| show(&column.get(row).unwrap()))
                .collect();
            values.join(" | ")
        })
        .collect()
}

fn show(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::List(items) => {
            let items: Vec<String> = items.iter().map(|item| show(&item)).collect();
            format!("[{}]", items.join(", "))
        }
        AnyValue::String(text) => format!("{text:?}"),
        AnyValue::StringOwned(text) => format!("{text:?}"),
        AnyValue::Struct(..) => {
            let members: Vec<String> = value._iter_struct_av().map(|member| show(&member)).collect();
            format!("{{{}}}", members.join(", "))
        }
        AnyValue::StructOwned(owned) => {
            let members: Vec<String> = owned.0.iter().map(show).collect();
            format!("{{{}}}", members.join(", "))
        }
        AnyValue::Float64(value) => format!("{value:?}"),
        other => other.to_string(),
    }
}

pub(super) fn schema(fields: &str) -> Schema {
    envelope::from_yaml(fields).unwrap()
}

pub(super) fn decode_with(schema: Schema, options: DecodeOptions, codec: Codec, input: impl Read) -> Decoded {
    let mut decoder = Decoder::new(Arc::new(schema), options).unwrap();
    let mut batches = Vec::new();
    decoder
        .read(OBJECT, codec, input, &mut |batch| {
            batches.push(batch);
            true
        })
        .unwrap();
    batches.extend(decoder.finish());
    Decoded {
        batches,
        drift: decoder.drift().clone(),
    }
}

pub(super) fn decode(fields: &str, input: impl AsRef<[u8]>) -> Decoded {
    decode_with(
        schema(fields),
        DecodeOptions::default(),
        Codec::None,
        input.as_ref(),
    )
}

/// One field `x`, one line with its value: the row, or the reason and message of the reject.
fn check(field: &str, value: &str, expected: &str) {
    let decoded = decode(
        &format!("fields: [{{name: x, {field}}}]"),
        format!("{{\"x\": {value}}}\n"),
    );
    let got = match decoded.rejects().as_slice() {
        [] => decoded.rows().join("\n"),
        [reject] => {
            assert_eq!(decoded.n_records(), 1);
            assert!(decoded.rows().is_empty(), "a row and a reject");
            format!("{:?}", reject.reason)
        }
        _ => panic!("several rejects of one line"),
    };
    assert_eq!(got, expected, "{field} from {value}");
}

#[test]
fn only_lossless_widening_is_done_unasked() {
    for (field, value, expected) in [
        ("type: int64", "7", "7"),
        ("type: int64", "1.0", "1"),
        ("type: int64", "1e3", "1000"),
        ("type: int64", "9007199254740993.0", "9007199254740993"),
        ("type: int64", "-9223372036854775808", "-9223372036854775808"),
        ("type: int64", "9223372036854775808", "NumberOutOfRange"),
        (
            "type: int64",
            "123456789012345678901234567890",
            "NumberOutOfRange",
        ),
        ("type: int64", "1e400", "NumberOutOfRange"),
        ("type: int64", "1.5", "TypeMismatch"),
        ("type: int64", "\"7\"", "TypeMismatch"),
        ("type: int64", "true", "TypeMismatch"),
        ("type: int64", "null", "null"),
        ("type: int64, accept: [numeric_string]", "\" 7 \"", "7"),
        (
            "type: int64, accept: [numeric_string]",
            "\"seven\"",
            "TypeMismatch",
        ),
        ("type: float64", "1.5", "1.5"),
        ("type: float64", "9007199254740992", "9007199254740992.0"),
        ("type: float64", "9007199254740993", "TypeMismatch"),
        ("type: float64", "18446744073709551615", "TypeMismatch"),
        (
            "type: float64, accept: [number]",
            "18446744073709551615",
            "1.8446744073709552e19",
        ),
        ("type: float64", "1e400", "NumberOutOfRange"),
        ("type: float64, accept: [numeric_string]", "\"1.50\"", "1.5"),
        ("type: bool", "true", "true"),
        ("type: bool", "1", "TypeMismatch"),
        ("type: bool, accept: [string]", "\"false\"", "false"),
        ("type: string", "\"a\\u00e9\\n\"", "\"aé\\n\""),
        ("type: string", "1", "TypeMismatch"),
        ("type: string, accept: [number]", "1.50", "\"1.50\""),
        ("type: string, accept: [number]", "-0e+1", "\"-0e+1\""),
        (
            "type: string, accept: [number]",
            "123456789012345678901234567890",
            "\"123456789012345678901234567890\"",
        ),
        ("type: string, accept: [bool]", "true", "\"true\""),
        (
            "type: string, accept: [json]",
            "{\"a\" : [1.50]}",
            "\"{\\\"a\\\" : [1.50]}\"",
        ),
        ("type: string, accept: [number]", "{}", "TypeMismatch"),
        ("type: json", "{\"a\" : [1.50]}", "\"{\\\"a\\\" : [1.50]}\""),
        ("type: json", "\"text\"", "\"\\\"text\\\"\""),
        ("type: date", "\"2020-01-02\"", "2020-01-02"),
        ("type: date", "\"2020-01-02T00:00:00Z\"", "TypeMismatch"),
        ("type: date, parse: '%d/%m/%Y'", "\"02/01/2020\"", "2020-01-02"),
        (
            "type: timestamp",
            "\"2020-01-02T01:00:00.1234567+01:00\"",
            "2020-01-02 00:00:00.123456 UTC",
        ),
        ("type: timestamp", "\"yesterday\"", "TypeMismatch"),
        (
            "type: timestamp, parse: '%s', accept: [number]",
            "1577923200",
            "2020-01-02 00:00:00 UTC",
        ),
        ("type: list<int64>", "[1, null, 2.0]", "[1, null, 2]"),
        ("type: list<int64>", "[]", "[]"),
        ("type: list<int64>", "[1, \"x\"]", "TypeMismatch"),
        ("type: list<int64>", "1", "TypeMismatch"),
        (
            "type: 'struct<a: int64, b: list<string>>'",
            "{\"b\": [\"x\"]}",
            "{null, [\"x\"]}",
        ),
        ("type: 'struct<a: int64>'", "null", "null"),
        (
            "type: 'struct<a: string>', accept: [number]",
            "{\"a\": 1.0}",
            "{\"1.0\"}",
        ),
        ("type: int64, required: true", "null", "MissingField"),
    ] {
        check(field, value, expected);
    }
}

#[test]
fn a_record_that_is_no_good_json_object_is_rejected_with_its_place() {
    let cases: [(&[u8], Reason); 14] = [
        (b"[1]", Reason::NotAnObject),
        (b"7", Reason::NotAnObject),
        (b"null", Reason::NotAnObject),
        (b"{\"x\": 1", Reason::InvalidJson),
        (b"{\"x\": 1}}", Reason::InvalidJson),
        (b"{\"x\": 01}", Reason::InvalidJson),
        (b"{\"x\": NaN}", Reason::InvalidJson),
        (b"{\"x\": \"\\ud800\"}", Reason::InvalidJson),
        (b"{\"x\": \"\xff\"}", Reason::InvalidUtf8),
        (b"{\"x\": 1, \"x\": 2}", Reason::DuplicateKey),
        (b"{\"u\": 1, \"x\": 1, \"\\u0075\": 2}", Reason::DuplicateKey),
        (b"{\"u\": {\"v\": [{\"w\": 1, \"w\": 2}]}}", Reason::DuplicateKey),
        (
            b"{\"x\": 12345678901234567890123, \"y\": 01}",
            Reason::InvalidJson,
        ),
        (b"{\"x\": \"\x01\"}", Reason::InvalidJson),
    ];
    for (line, reason) in cases {
        let mut input = b"{\"x\": 1}\n\n".to_vec();
        input.extend_from_slice(line);
        input.extend_from_slice(b"\n{\"x\": 2}\n");
        let decoded = decode("fields: [{name: x, type: int64}]", &input);
        let text = String::from_utf8_lossy(line);
        let [reject] = decoded.rejects()[..] else {
            panic!("{text}: {:?}", decoded.rejects())
        };
        assert_eq!(reject.reason, reason, "{text}: {}", reject.message);
        assert_eq!((reject.line, reject.byte_offset), (3, 10));
        assert_eq!(reject.byte_len, line.len() as u64);
        assert_eq!((&*reject.raw, &*reject.object), (&*text, OBJECT.name));
        assert_eq!(reject.is_raw_partial, reason == Reason::InvalidUtf8);
        assert_eq!(decoded.rows(), ["1", "2"]);
        assert_eq!(decoded.n_records(), 3);
    }
}

#[test]
fn what_is_no_json_is_told_in_words_with_its_byte() {
    for (line, words) in [
        (
            "{\"x\" 1}",
            "not valid JSON: expected `:` near byte 6 of the line",
        ),
        (
            "{\"x\": 1}}",
            "not valid JSON: trailing characters near byte 9 of the line",
        ),
        ("{\"x\": 1", "not valid JSON: it ends too early"),
    ] {
        let decoded = decode("fields: [{name: x, type: int64}]", line);
        assert_eq!(decoded.rejects()[0].message, words);
    }
}

#[test]
fn a_record_too_deep_is_rejected_wherever_it_is_deep() {
    for field in ["json", "list<json>", "int64"] {
        for key in ["x", "other"] {
            let deep = format!("{{\"{key}\": {}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
            let decoded = decode(&format!("fields: [{{name: x, type: {field}}}]"), deep);
            let [reject] = decoded.rejects()[..] else {
                panic!("{field}")
            };
            assert_ne!(reject.message, "");
        }
    }
    check(
        "type: json",
        &format!("{}{}", "[".repeat(100), "]".repeat(100)),
        &format!("{:?}", format!("{}{}", "[".repeat(100), "]".repeat(100))),
    );
}

#[test]
fn line_ends_blank_lines_and_a_byte_order_mark_are_no_part_of_records() {
    let input = b"\xef\xbb\xbf{\"x\": 1}\r\n\r\n \t\n{\"x\": 2}\n{\"x\": 3}";
    let decoded = decode("fields: [{name: x, type: int64}]", input);
    assert_eq!(decoded.rows(), ["1", "2", "3"]);
    assert_eq!(decoded.origins(), [(1, 3), (4, 18), (5, 27)]);
    assert_eq!(decoded.n_records(), 3);
    assert_eq!(decoded.batches[0].n_bytes, input.len() as u64);
    assert!(decode("fields: []", "").batches.is_empty());
    assert!(decode("fields: []", "\n \r\n").batches.is_empty());
}

#[test]
fn a_line_over_the_limit_is_one_reject_and_is_not_held() {
    let options = DecodeOptions {
        max_line_bytes: 100_000,
        ..DecodeOptions::default()
    };
    let huge = std::io::repeat(b'x').take(30_000_000);
    let input = (&b"{\"x\": 1}\n"[..]).chain(huge).chain(&b"\n{\"x\": 2}\n"[..]);
    let fields = "fields: [{name: x, type: int64}]";
    let decoded = decode_with(schema(fields), options.clone(), Codec::None, input);
    let [reject] = decoded.rejects()[..] else {
        panic!("one reject")
    };
    assert_eq!(reject.reason, Reason::LineTooLong);
    assert_eq!((reject.raw.len(), reject.is_raw_partial), (64 << 10, true));
    assert_eq!(decoded.rows(), ["1", "2"]);
    assert_eq!(decoded.origins()[1], (3, 9 + 30_000_001));

    for (n, n_rejects) in [(100_000, 0), (100_001, 1), (100_002, 1), (100_003, 1)] {
        for end in ["", "\n", "\r\n"] {
            let line = format!("{{\"x\": 1{}}}{end}", " ".repeat(n - 8));
            let decoded = decode_with(schema(fields), options.clone(), Codec::None, line.as_bytes());
            assert_eq!(decoded.rejects().len(), n_rejects, "{n} {end:?}");
        }
    }
}

#[test]
fn missing_unknown_and_mismatched_keys_follow_the_policies() {
    let input = "{\"a\": 1, \"s\": {\"b\": 2, \"z\": 0}, \"y\": [1]}\n{\"y\": 2}\n{\"a\": \"x\", \"s\": {\"b\": []}}\n";
    let fields = "fields: [{name: a, type: int64}, {name: s, type: 'struct<b: int64>'}]";
    let decoded = decode(fields, input);
    assert_eq!(decoded.rows(), ["1 | {2}", "null | null"]);
    let unknown: Vec<_> = decoded
        .drift
        .unknown
        .iter()
        .map(|(path, key)| (&**path, key.n, key.first_line))
        .collect();
    assert_eq!(unknown, [("s.z", 1, 1), ("y", 2, 1)]);
    assert_eq!(decoded.rejects()[0].field.as_deref(), Some("a"));
    assert_eq!(
        decoded.rejects()[0].message,
        "field `a` is string \"x\", declared is int64"
    );

    let decoded = decode(&format!("on_unknown: quarantine\n{fields}"), input);
    let fields_at: Vec<_> = decoded
        .rejects()
        .iter()
        .map(|reject| reject.field.clone().unwrap())
        .collect();
    assert_eq!(fields_at, ["s.z", "y", "a"]);

    let decoded = decode(&format!("on_missing: quarantine\n{fields}"), input);
    let reasons: Vec<_> = decoded.rejects().iter().map(|reject| reject.reason).collect();
    assert_eq!(reasons, [Reason::MissingField, Reason::TypeMismatch]);

    let decoded = decode(&format!("on_mismatch: \"null\"\n{fields}"), input);
    assert_eq!(decoded.rows(), ["1 | {2}", "null | null", "null | {null}"]);
    let seen = &decoded.drift.mismatched["s.b"];
    assert_eq!((seen.n, seen.first_line, &*seen.first_got), (1, 3, "array []"));
    assert_eq!(decoded.drift.mismatched["a"].first_got, "string \"x\"");
}

#[test]
fn a_reject_inside_nested_columns_leaves_the_rows_around_it_whole() {
    let fields = "fields: [{name: l, type: 'list<struct<a: int64, b: list<string>>>'}, {name: s, type: 'struct<c: int64, d: struct<e: int64>>'}, {name: z, type: int64}]";
    let good = |n: u64| {
        format!(
            "{{\"l\": [{{\"a\": {n}, \"b\": [\"x{n}\"]}}], \"s\": {{\"c\": {n}, \"d\": {{\"e\": {n}}}}}, \"z\": {n}}}\n"
        )
    };
    let row = |n: u64| format!("[{{{n}, [\"x{n}\"]}}] | {{{n}, {{{n}}}}} | {n}");
    let bad = [
        "{\"l\": [{\"a\": 5, \"b\": [\"q\"]}, {\"a\": 6, \"b\": [\"r\", 7]}]}\n",
        "{\"l\": [{\"b\": [\"q\"], \"a\": \"x\"}]}\n",
        "{\"s\": {\"d\": {\"e\": \"x\"}}}\n",
        "{\"s\": {\"c\": 1, \"d\": {\"e\": 1, \"e\": 1}}}\n",
        "{\"z\": 1, \"z\": 1}\n",
        "{\"z\": 1, \"l\": 7}\n",
    ];
    let mut input = good(0);
    for (n, bad) in (1..).zip(bad) {
        input.push_str(bad);
        input.push_str(&good(n));
    }
    let decoded = decode(fields, &input);
    assert_eq!(decoded.rejects().len(), bad.len());
    assert_eq!(decoded.rows(), (0..=6).map(row).collect::<Vec<_>>());
}

pub(super) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).unwrap()
}

pub(super) fn lines(n: u64) -> String {
    let mut text = String::new();
    for i in 0..n {
        let noise = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        writeln!(text, "{{\"x\": {i}, \"pad\": \"{noise:x}\"}}").unwrap();
    }
    text
}

#[test]
fn members_and_frames_of_compressed_files_are_one_stream() {
    let text = lines(3000);
    let (a, b) = text.as_bytes().split_at(text.len() / 2);
    let schema = || schema("fields: [{name: x, type: int64}]");
    let padded = [gzip(text.as_bytes()), vec![0; 1000]].concat();
    for (codec, stored) in [
        (Codec::Gzip, [gzip(a), gzip(b)].concat()),
        (Codec::Zstd, [zstd(a), zstd(b)].concat()),
        (Codec::Gzip, padded),
        (Codec::Gzip, text.clone().into_bytes()),
        (Codec::Zstd, text.clone().into_bytes()),
        (Codec::None, gzip(text.as_bytes())),
    ] {
        let decoded = decode_with(schema(), DecodeOptions::default(), codec, stored.as_slice());
        assert_eq!(decoded.rejects().len(), 0, "{codec:?}");
        assert_eq!(decoded.n_records(), 3000);
    }
    for codec in [Codec::None, Codec::Gzip, Codec::Zstd] {
        let decoded = decode_with(schema(), DecodeOptions::default(), codec, std::io::empty());
        assert!(
            decoded.batches.is_empty(),
            "an empty file has no records and no faults"
        );
    }
}

#[test]
fn a_broken_compressed_file_gives_its_complete_lines_and_one_reject() {
    let text = lines(20_000);
    let schema = || schema("fields: [{name: x, type: int64}]");
    for (codec, stored) in [
        (Codec::Gzip, gzip(text.as_bytes())),
        (Codec::Zstd, zstd(text.as_bytes())),
    ] {
        let cut = &stored[..stored.len() * 2 / 3];
        let decoded = decode_with(schema(), DecodeOptions::default(), codec, cut);
        let [reject] = decoded.rejects()[..] else {
            panic!("{codec:?}")
        };
        assert_eq!(reject.reason, Reason::Truncated);
        let rows = decoded.rows();
        assert!(rows.len() > 5_000, "{codec:?}: {}", rows.len());
        assert_eq!(reject.line, rows.len() as u64 + 1);
        assert!(text.contains(&reject.raw));
        assert_eq!(decoded.n_records(), rows.len() as u64 + 1);

        let mut corrupt = stored.clone();
        let middle = corrupt.len() * 2 / 3;
        for byte in &mut corrupt[middle..middle + 64] {
            *byte = !*byte;
        }
        let decoded = decode_with(schema(), DecodeOptions::default(), codec, corrupt.as_slice());
        let last = decoded.rejects().into_iter().next_back().unwrap().clone();
        assert_eq!(last.reason, Reason::CorruptCodec, "{codec:?}: {}", last.message);
        assert!(decoded.n_records() > 1000);
    }
}

#[test]
fn an_input_that_fails_is_no_fault_of_the_data() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::new(
                std::io::ErrorKind::ConnectionReset,
                "connection lost",
            ))
        }
    }
    let text = lines(1000);
    for (codec, stored) in [
        (Codec::None, text.clone().into_bytes()),
        (Codec::Gzip, gzip(text.as_bytes())),
        (Codec::Zstd, zstd(text.as_bytes())),
    ] {
        let mut decoder = Decoder::new(Arc::new(schema("fields: []")), DecodeOptions::default()).unwrap();
        let half = &stored[..stored.len() / 2];
        let error = decoder
            .read(OBJECT, codec, half.chain(Fails), &mut |_| true)
            .unwrap_err();
        assert_eq!(error.to_string(), "s3://lake/a.jsonl: connection lost");
        assert!(decoder.finish().is_none_or(|batch| batch.rejects.is_empty()));
    }
}

#[test]
fn batches_are_bounded_and_hold_every_row() {
    let text = lines(10_000);
    let options = DecodeOptions {
        batch_bytes: 64 << 10,
        ..DecodeOptions::default()
    };
    let fields = "fields: [{name: x, type: int64}]";
    let decoded = decode_with(schema(fields), options, Codec::None, text.as_bytes());
    assert!(decoded.batches.len() > 3);
    assert!(decoded.batches.iter().all(|batch| batch.n_bytes < 70_000));
    assert_eq!(
        decoded.batches.iter().map(|batch| batch.n_bytes).sum::<u64>(),
        text.len() as u64
    );
    assert_eq!(
        decoded.rows(),
        (0..10_000).map(|i| i.to_string()).collect::<Vec<_>>()
    );
}

#[test]
fn small_objects_share_a_batch_and_rows_know_theirs() {
    let fields = "fields: [{name: x, type: int64}]";
    let mut decoder = Decoder::new(Arc::new(schema(fields)), DecodeOptions::default()).unwrap();
    for index in 0..3 {
        let object = ObjectRef { index, ..OBJECT };
        decoder
            .read(object, Codec::None, "{\"x\": 1}".as_bytes(), &mut |_| true)
            .unwrap();
    }
    let batch = decoder.finish().unwrap();
    let objects: Vec<u32> = batch
        .df
        .column(origin::OBJECT)
        .unwrap()
        .u32()
        .unwrap()
        .into_no_null_iter()
        .collect();
    assert_eq!(objects, [0, 1, 2]);
}

#[test]
fn decoding_stops_when_the_sink_has_enough() {
    let text = lines(10_000);
    let fields = "fields: [{name: x, type: int64}]";
    let options = DecodeOptions {
        batch_bytes: 64 << 10,
        ..DecodeOptions::default()
    };
    let mut decoder = Decoder::new(Arc::new(schema(fields)), options).unwrap();
    let mut n_batches = 0;
    decoder
        .read(OBJECT, Codec::None, text.as_bytes(), &mut |_| {
            n_batches += 1;
            n_batches < 2
        })
        .unwrap();
    assert_eq!(n_batches, 2);
}

#[test]
fn a_part_of_an_object_keeps_its_place_in_it() {
    let mut decoder = Decoder::new(Arc::new(schema("fields: []")), DecodeOptions::default()).unwrap();
    let part = ObjectRef {
        first_line: 100,
        first_offset: 5000,
        ..OBJECT
    };
    decoder
        .read(part, Codec::None, "{}\nx".as_bytes(), &mut |_| true)
        .unwrap();
    let batch = decoder.finish().unwrap();
    assert_eq!((batch.rejects[0].line, batch.rejects[0].byte_offset), (101, 5003));
}
