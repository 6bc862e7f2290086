//! Files that would cost too much: bombs, endless lines, slow ones.

use std::sync::Arc;
use std::time::Duration;

use super::codec::Plain;
use super::lines::{LineOptions, Lines, Next};
use super::meter::{Limits, Meter};
use super::tests::{decode_with, schema};
use super::{DecodeOptions, Decoder, ObjectRef};
use crate::dataset::{Codec, Reason, Stage};

const FIELDS: &str = "fields: [{name: x, type: int64}]";

/// Three records, then 70 MiB of blank lines of 1 MiB.
fn bomb() -> Vec<u8> {
    let mut blank = vec![b' '; 1 << 20];
    *blank.last_mut().unwrap() = b'\n';
    let mut text = b"{\"x\": 1}\n{\"x\": 2}\n{\"x\": 3}\n".to_vec();
    text.extend(blank.repeat(70));
    zstd::encode_all(text.as_slice(), 1).unwrap()
}

#[test]
fn a_bomb_gives_its_records_before_the_limit_and_one_reject() {
    let bomb = bomb();
    let decode = |max_expansion| {
        let options = DecodeOptions {
            max_expansion,
            ..DecodeOptions::default()
        };
        decode_with(schema(FIELDS), options, Codec::Zstd, bomb.as_slice())
    };
    let decoded = decode(Some(200));
    assert_eq!((decoded.origins().len(), decoded.n_records()), (3, 4));
    let rejects = decoded.rejects();
    assert_eq!(rejects.len(), 1);
    assert_eq!(
        (rejects[0].stage, rejects[0].reason),
        (Stage::Read, Reason::ExpansionTooLarge)
    );
    assert!(rejects[0].message.contains("max_expansion = 200"), "{rejects:?}");
    let n_blank = rejects[0].line - 4;
    assert!((63..=65).contains(&n_blank), "{n_blank}");
    assert_eq!(decode(None).rejects().len(), 0);
    assert_eq!(decode(Some(1 << 40)).rejects().len(), 0);
}

#[test]
fn a_file_without_time_is_one_reject_and_the_next_file_has_time_of_its_own() {
    let options = |timeout| DecodeOptions {
        timeout,
        ..DecodeOptions::default()
    };
    let text = "{\"x\": 1}\n{\"x\": 2}\n";
    let late = decode_with(
        schema(FIELDS),
        options(Some(Duration::ZERO)),
        Codec::None,
        text.as_bytes(),
    );
    assert_eq!((late.origins().len(), late.n_records()), (0, 1));
    assert_eq!(
        (late.rejects()[0].reason, late.rejects()[0].line),
        (Reason::Deadline, 1)
    );
    let mut decoder = Decoder::new(Arc::new(schema(FIELDS)), options(Some(Duration::from_hours(1)))).unwrap();
    for index in 0..2 {
        let object = ObjectRef {
            index,
            name: "a.jsonl",
            first_line: 1,
            first_offset: 0,
        };
        decoder
            .read(object, Codec::None, text.as_bytes(), &mut |_| true)
            .unwrap();
    }
    let batch = decoder.finish().unwrap();
    assert_eq!((batch.df.height(), batch.rejects.len()), (4, 0));
}

#[test]
fn an_endless_compressed_line_is_passed_over_in_little_memory() {
    let mut text = vec![b'a'; 20 << 20];
    text.extend(b"\n{}\n");
    let stored = zstd::encode_all(text.as_slice(), 1).unwrap();
    let options = LineOptions {
        codec: Codec::Zstd,
        first_line: 1,
        first_offset: 0,
        max_line_bytes: 1 << 20,
        is_head: false,
        limits: Limits::default(),
    };
    let mut lines = Lines::open(&options, stored.as_slice()).unwrap();
    match lines.next().unwrap() {
        Next::TooLong { len, head, .. } => assert_eq!((len, head.len()), (20 << 20, 64 << 10)),
        _ => panic!("the line is too long"),
    }
    assert!(lines.capacity() < 4 << 20, "{}", lines.capacity());
    assert!(matches!(lines.next().unwrap(), Next::Line { bytes: b"{}", .. }));
}

#[test]
fn the_input_s_own_error_is_told_and_no_limit() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("connection lost"))
        }
    }
    let meter = Meter::start(Limits {
        timeout: Some(Duration::ZERO),
        max_expansion: Some(1),
    });
    assert!(Plain::open(Codec::Gzip, true, Broken, meter.clone()).is_err());
    assert_eq!(meter.input_error().unwrap().to_string(), "connection lost");
    assert!(meter.exceeded().is_none());
}

#[test]
fn nesting_as_deep_as_a_line_allows_is_one_reject_and_no_overflow() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let depth = (1 << 20) / (open.len() + close.len()) - 10;
        let line = format!("{{\"y\": {}1{}}}\n", open.repeat(depth), close.repeat(depth));
        let input = format!("{line}{{\"x\": 1}}\n");
        for fields in [FIELDS, "fields: [{name: x, type: int64}, {name: y, type: json}]"] {
            let decoded = decode_with(
                schema(fields),
                DecodeOptions::default(),
                Codec::None,
                input.as_bytes(),
            );
            assert_eq!(decoded.rejects().len(), 1, "{fields}");
            assert_eq!(decoded.rejects()[0].reason, Reason::InvalidJson);
            assert_eq!(decoded.origins().len(), 1);
        }
    }
}
