//! Codecs by round trip, cut short, and damaged.

use std::io::Read;

use proptest::prelude::*;

use super::decoder;

/// As lz4-java's `LZ4BlockOutputStream` writes: blocks, every third one stored as it is, and the end mark.
pub fn lz4(text: &[u8], block: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut put = |token: u8, packed: &[u8], n: usize| {
        out.extend_from_slice(b"LZ4Block");
        out.push(token);
        out.extend_from_slice(&i32::try_from(packed.len()).unwrap().to_le_bytes());
        out.extend_from_slice(&i32::try_from(n).unwrap().to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(packed);
    };
    for (n, chunk) in text.chunks(block).enumerate() {
        if n % 3 == 2 {
            put(0x15, chunk, chunk.len());
        } else {
            put(0x25, &lz4_flex::block::compress(chunk), chunk.len());
        }
    }
    put(0x15, &[], 0);
    out
}

/// As snappy-java's `SnappyOutputStream` writes.
pub fn snappy(text: &[u8], block: usize) -> Vec<u8> {
    let mut out = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
    for chunk in text.chunks(block) {
        let packed = snap::raw::Encoder::new().compress_vec(chunk).unwrap();
        out.extend_from_slice(&i32::try_from(packed.len()).unwrap().to_be_bytes());
        out.extend_from_slice(&packed);
    }
    out
}

fn unpack(stored: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut reader = decoder("log", stored).map_err(std::io::Error::other)?;
    // What came before an error stays.
    let end = reader.read_to_end(&mut text);
    end.map(|_| text)
}

#[test]
fn streams_that_were_joined_are_one_text() {
    let text = b"one line\nanother line\n".repeat(50);
    for pack in [lz4, snappy] {
        let joined = [pack(&text, 100), pack(&text, 64)].concat();
        assert_eq!(unpack(&joined).unwrap(), text.repeat(2));
    }
}

#[test]
fn what_is_cut_or_damaged_is_an_error_after_the_whole_blocks() {
    let text = b"one line\n".repeat(1000);
    for pack in [lz4, snappy] {
        let packed = pack(&text, 3000);
        let cut = &packed[..packed.len() * 2 / 3];
        let mut reader = decoder("log", cut).unwrap();
        let mut seen = Vec::new();
        let error = reader.read_to_end(&mut seen).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
        assert!(!seen.is_empty() && text.starts_with(&seen));
    }
    let mut damaged = lz4(&text, 3000);
    damaged[9..13].copy_from_slice(&i32::MAX.to_le_bytes());
    assert!(unpack(&damaged).unwrap_err().to_string().contains("lz4 block of"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_codec_gives_back_what_was_packed(
        text in proptest::collection::vec(any::<u8>(), 0..5000),
        block in 1_usize..3000,
    ) {
        // Bytes that look like a codec's own beginning would be taken for it.
        let text = [b"{".as_slice(), &text].concat();
        prop_assert_eq!(&unpack(&lz4(&text, block)).unwrap(), &text);
        prop_assert_eq!(&unpack(&snappy(&text, block)).unwrap(), &text);
        prop_assert_eq!(&unpack(&zstd::encode_all(text.as_slice(), 1).unwrap()).unwrap(), &text);
        prop_assert_eq!(&unpack(&text).unwrap(), &text);
    }
}
