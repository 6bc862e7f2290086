//! The text of a record that a step rejected, read again from the bytes at hand.

use std::io::{self, BufRead, BufReader, Read};

use bytes::Bytes;

/// As much of a record as quarantine keeps.
const MAX_RAW_BYTES: u64 = 64 << 10;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A line's text, its length in bytes without its end, and whether the text is not all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct RawLine {
    pub text: String,
    pub n_bytes: u64,
    pub is_partial: bool,
}

/// The lines that start at `offsets` (sorted, in the decompressed object). Missing where the object ends or breaks.
pub(super) fn read(content: &Bytes, offsets: &[u64]) -> Vec<Option<RawLine>> {
    let input = content.as_ref();
    if input.starts_with(&GZIP_MAGIC) {
        return from_stream(flate2::read::MultiGzDecoder::new(input), offsets);
    }
    if input.starts_with(&ZSTD_MAGIC) {
        return match zstd::stream::read::Decoder::new(input) {
            Ok(stream) => from_stream(stream, offsets),
            Err(_) => vec![None; offsets.len()],
        };
    }
    from_stream(input, offsets)
}

fn from_stream(stream: impl Read, offsets: &[u64]) -> Vec<Option<RawLine>> {
    let mut reader = BufReader::new(stream);
    let mut at = 0;
    let mut previous: Option<(u64, Option<RawLine>)> = None;
    offsets
        .iter()
        .map(|offset| {
            // Rows made of one record share its line.
            if let Some((known, line)) = &previous
                && known == offset
            {
                return line.clone();
            }
            let line = line_at(&mut reader, &mut at, *offset).ok().flatten();
            previous = Some((*offset, line.clone()));
            line
        })
        .collect()
}

fn line_at(reader: &mut impl BufRead, at: &mut u64, offset: u64) -> io::Result<Option<RawLine>> {
    let Some(to_skip) = offset.checked_sub(*at) else {
        return Ok(None);
    };
    *at += io::copy(&mut reader.by_ref().take(to_skip), &mut io::sink())?;
    let mut line = Vec::new();
    let n_read = reader.by_ref().take(MAX_RAW_BYTES).read_until(b'\n', &mut line)?;
    if *at != offset || n_read == 0 {
        return Ok(None);
    }
    *at += n_read as u64;
    let is_whole = line.ends_with(b"\n") || (n_read as u64) < MAX_RAW_BYTES;
    if line.ends_with(b"\n") {
        line.pop();
    }
    if is_whole && line.ends_with(b"\r") {
        line.pop();
    }
    let text = String::from_utf8_lossy(&line);
    Ok(Some(RawLine {
        n_bytes: line.len() as u64,
        is_partial: !is_whole || matches!(text, std::borrow::Cow::Owned(_)),
        text: text.into_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use bytes::Bytes;

    use super::read;

    #[test]
    fn lines_are_found_again_by_offset_whatever_the_codec() {
        let text = b"{\"a\":1}\r\n{\"a\":2}\n{\"a\":3}";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text).unwrap();
        let contents = [
            Bytes::from_static(text),
            Bytes::from(gzip.finish().unwrap()),
            Bytes::from(zstd::encode_all(&text[..], 1).unwrap()),
        ];
        for content in contents {
            let lines = read(&content, &[0, 9, 9, 17, 99]);
            let texts: Vec<Option<&str>> = lines
                .iter()
                .map(|l| l.as_ref().map(|l| l.text.as_str()))
                .collect();
            assert_eq!(
                texts,
                [
                    Some("{\"a\":1}"),
                    Some("{\"a\":2}"),
                    Some("{\"a\":2}"),
                    Some("{\"a\":3}"),
                    None
                ]
            );
        }
    }
}
