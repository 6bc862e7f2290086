//! That the pieces in which bytes arrive, and the batches in which rows leave, change nothing.

use std::io::{self, Read, Write as _};

use flate2::write::GzEncoder;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::tests::{Decoded, decode_with, gzip, lines, schema, zstd};
use super::{DecodeOptions, Drift};
use crate::dataset::{Codec, Reason, Reject};

const FIELDS: &str = "{on_unknown: collect, on_mismatch: 'null', fields: [{name: x, type: int64}, {name: s, type: string, \
                      required: true}, {name: l, type: 'list<struct<a: float64>>'}]}";
const CODECS: [Codec; 3] = [Codec::None, Codec::Gzip, Codec::Zstd];

/// Hands out pieces of the given sizes, over and over; a size of 0 is an interrupted call.
struct Pieces<'a> {
    rest: &'a [u8],
    sizes: &'a [usize],
    at: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.at % self.sizes.len()];
        self.at += 1;
        if size == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let n = size.min(buf.len()).min(self.rest.len());
        let (piece, rest) = self.rest.split_at(n);
        buf[..n].copy_from_slice(piece);
        self.rest = rest;
        Ok(n)
    }
}

/// All that a user of the decoder sees, apart from where batches end.
type Seen = (Vec<String>, Vec<(u64, u64)>, Vec<Reject>, Drift, u64);

fn seen(decoded: &Decoded) -> Seen {
    let rejects = decoded.rejects().into_iter().cloned().collect();
    let (rows, origins) = (decoded.rows(), decoded.origins());
    (rows, origins, rejects, decoded.drift.clone(), decoded.n_records())
}

fn in_pieces(options: DecodeOptions, codec: Codec, stored: &[u8], sizes: &[usize]) -> Decoded {
    let pieces = Pieces {
        rest: stored,
        sizes,
        at: 0,
    };
    decode_with(schema(FIELDS), options, codec, pieces)
}

/// Rows, rejects of all kinds, and lines that are blank.
fn any_line() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => (any::<i64>(), ".{0,20}", vec(any::<f32>().prop_filter("finite", |x| x.is_finite()), 0..3)).prop_map(|(x, s, l)| {
            let items: Vec<_> = l.iter().map(|a| serde_json::json!({"a": a})).collect();
            serde_json::json!({"x": x, "s": s, "l": items}).to_string()
        }),
        3 => select(vec![
            r#"{"x": "seven", "s": "", "new": 1}"#, r#"{"s": "a", "l": [{"a": 1, "a": 2}]}"#, r#"{"x": 1}"#, r#"{"x": 1, "s""#,
            "[1]", r#"{"s": "\ud800"}"#, r#"{"s": "é", "x": 1e400}"#, "", " \t",
        ]).prop_map(str::to_owned),
        1 => (0_usize..2000).prop_map(|n| format!("{{\"s\": \"{}\"}}", "long ".repeat(n))),
    ]
}

/// `parts` as stored: plain, or compressed as one stream or as one for each part.
fn store(how: usize, parts: &[&[u8]]) -> Vec<u8> {
    match how {
        0 => parts.concat(),
        1 => gzip(&parts.concat()),
        2 => parts.iter().flat_map(|part| gzip(part)).collect(),
        3 => zstd(&parts.concat()),
        _ => parts.iter().flat_map(|part| zstd(part)).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn moved_borders_of_pieces_and_batches_change_nothing(
        records in vec((any_line(), select(vec!["\n", "\r\n"])), 0..14), ends_whole in any::<bool>(),
        cuts in vec(any::<Index>(), 2), how in 0_usize..5, codec in select(CODECS.to_vec()),
        damage in proptest::option::of((any::<Index>(), 1_u8..)), truncated in proptest::option::weighted(0.2, any::<Index>()),
        sizes in prop_oneof![Just(vec![1]), vec(0_usize..400, 0..9).prop_map(|mut sizes| { sizes.push(1); sizes })],
        batch_bytes in 1_usize..3000, max_line_bytes in 30_usize..9000,
    ) {
        let mut text: String = records.iter().flat_map(|(line, end)| [line.as_str(), *end]).collect();
        if !ends_whole {
            text.truncate(text.trim_end().len());
        }
        let text = text.as_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.sort_unstable();
        let mut stored = store(how, &[&text[..cuts[0]], &text[cuts[0]..cuts[1]], &text[cuts[1]..]]);
        if let Some(at) = truncated {
            stored.truncate(at.index(stored.len() + 1));
        }
        if let Some((at, bits)) = damage && how > 0 && !stored.is_empty() {
            let at = at.index(stored.len());
            stored[at] ^= bits;
        }
        let options = |batch_bytes| DecodeOptions { max_line_bytes, batch_bytes, ..DecodeOptions::default() };
        let whole = decode_with(schema(FIELDS), options(16 << 20), codec, stored.as_slice());
        let parts = in_pieces(options(batch_bytes), codec, &stored, &sizes);
        prop_assert_eq!(seen(&whole), seen(&parts));
    }

    #[test]
    fn any_bytes_behind_any_magic_are_rows_and_rejects(
        magic in select(vec![&b""[..], b"\x1f\x8b", b"\x1f\x8b\x08\0\0\0\0\0\0\xff", b"\x28\xb5\x2f\xfd", b"\x28\xb5\x2f\xfd\x04\x00",
            b"\x50\x2a\x4d\x18", b"\xef\xbb\xbf", b"{", b"\n"]),
        bytes in prop_oneof![vec(any::<u8>(), 0..300), vec(select(b"{}[]\":,\\ \n\r1e-+.xsl\0tu".to_vec()), 0..300)],
        records in vec(any_line(), 0..4), codec in select(CODECS.to_vec()), how in 0_usize..5,
        max_line_bytes in 1_usize..400, sizes in vec(1_usize..50, 1..9),
    ) {
        // As they are, behind good records, and inside good compression.
        let good = store(how, &[records.join("\n").as_bytes(), b"\n"]);
        let inside = store(how, &[records.join("\n").as_bytes(), magic, &bytes]);
        for stored in [[magic, &bytes].concat(), [&good, magic, &bytes].concat(), inside] {
            let options = DecodeOptions { max_line_bytes, batch_bytes: 700, ..DecodeOptions::default() };
            let decoded = in_pieces(options, codec, &stored, &sizes);
            for batch in &decoded.batches {
                prop_assert_eq!(batch.df.height() as u64 + batch.rejects.len() as u64, batch.n_records);
            }
            let rejects = decoded.rejects();
            let of_file = rejects.iter().position(|reject| reject.reason.is_of_file());
            prop_assert!(of_file.is_none_or(|at| at + 1 == rejects.len()), "nothing follows the place where a file breaks");
            let mut places: Vec<u64> = decoded.origins().iter().map(|(line, _)| *line).collect();
            places.extend(rejects.iter().map(|reject| reject.line));
            places.sort_unstable();
            places.dedup();
            prop_assert_eq!(places.len() as u64, decoded.n_records(), "each line once");
        }
    }
}

#[test]
fn a_broken_file_gives_every_line_before_the_fault_however_it_arrives() {
    let n = 5000;
    let text = lines(n).replace("pad", "s");
    let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.flush().unwrap();
    let mut zstd = zstd::Encoder::new(Vec::new(), 1).unwrap();
    zstd.write_all(text.as_bytes()).unwrap();
    zstd.flush().unwrap();
    for (codec, start) in [(Codec::Gzip, gzip.get_ref()), (Codec::Zstd, zstd.get_ref())] {
        // A block of a kind that neither format has.
        let stored = [start, &[0x07; 3][..]].concat();
        for size in [usize::MAX, 1, 1000, 65_536] {
            let decoded = in_pieces(DecodeOptions::default(), codec, &stored, &[size]);
            let [reject] = decoded.rejects()[..] else {
                panic!("{codec:?} in pieces of {size}")
            };
            assert_eq!(
                (reject.reason, reject.line),
                (Reason::CorruptCodec, n + 1),
                "{codec:?} in pieces of {size}"
            );
            assert_eq!(decoded.origins().len() as u64, n, "{codec:?} in pieces of {size}");
        }
    }
}
