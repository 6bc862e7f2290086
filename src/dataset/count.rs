//! How many rows an object holds: Parquet says so in its footer, JSON Lines are counted in the first bytes.

use super::decode::count_lines;
use super::head::format_of;
use super::parquet::footer;
use super::{Format, PageError};
use crate::storage::{Object, Store};

/// Bytes of a JSON Lines object that are read: one request, and rows enough for their average size.
pub const COUNTED_BYTES: u64 = 256 << 10;

/// Rows of an object, or of its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedRows {
    pub n_rows: u64,
    /// Stored bytes that hold them.
    pub n_bytes: u64,
    /// Whether those are all rows of the object.
    pub is_whole: bool,
}

/// Rows of `object`: exact from a Parquet footer and for small JSON Lines objects, else those that begin in the first
/// 256 KiB as stored.
///
/// # Errors
/// [`PageError::Storage`], and [`PageError::CorruptParquet`] or [`PageError::UnknownFormat`] for an object of no use.
pub async fn count_rows(store: &Store, object: &Object) -> Result<CountedRows, PageError> {
    if object.size == 0 {
        return Ok(CountedRows {
            n_rows: 0,
            n_bytes: 0,
            is_whole: true,
        });
    }
    let kind = format_of(store, object).await?;
    if kind.format == Format::Parquet {
        let footer = footer(store, object).await?;
        return Ok(CountedRows {
            n_rows: footer.n_rows,
            n_bytes: object.size,
            is_whole: true,
        });
    }
    let head = store
        .get_range(&object.key, 0, COUNTED_BYTES.min(object.size))
        .await?;
    let is_whole = object.size <= COUNTED_BYTES;
    let n_rows = count_lines(kind.codec, &head, is_whole);
    Ok(CountedRows {
        n_rows,
        n_bytes: head.len() as u64,
        is_whole,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{COUNTED_BYTES, count_rows};
    use crate::storage::{Connection, Location, Store};

    #[tokio::test]
    async fn small_files_are_counted_and_large_ones_by_their_head() {
        let folder = tempfile::tempdir().unwrap();
        let lines = "{\"a\": 1}\n\n{\"a\": 2}\n{\"a\": 3}";
        let gzip = |text: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        };
        let mut long = Vec::new();
        for i in 0_u64..60_000 {
            let noise = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            writeln!(long, "{{\"a\": \"{noise:016x}\"}}").unwrap();
        }
        for (name, content) in [
            ("small.jsonl", lines.as_bytes().to_vec()),
            ("small.jsonl.gz", gzip(lines.as_bytes())),
            ("small.jsonl.zst", zstd::encode_all(lines.as_bytes(), 1).unwrap()),
            ("empty.jsonl", Vec::new()),
            ("long.jsonl", long.clone()),
            ("long.jsonl.gz", gzip(&long)),
        ] {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let root = Location::Local(folder.path().to_owned());
        let store = Store::open(&root, &Connection::default()).await.unwrap();
        let count = async |name: &str| {
            let object = store.head(name).await.unwrap().unwrap();
            (count_rows(&store, &object).await.unwrap(), object.size)
        };
        for name in ["small.jsonl", "small.jsonl.gz", "small.jsonl.zst"] {
            let (found, size) = count(name).await;
            assert_eq!(
                (found.n_rows, found.n_bytes, found.is_whole),
                (3, size, true),
                "{name}"
            );
        }
        assert_eq!(count("empty.jsonl").await.0.n_rows, 0);
        for name in ["long.jsonl", "long.jsonl.gz"] {
            let (found, size) = count(name).await;
            assert_eq!((found.n_bytes, found.is_whole), (COUNTED_BYTES, false), "{name}");
            let estimate = found.n_rows as f64 * size as f64 / found.n_bytes as f64;
            assert!((estimate / 60_000.0 - 1.0).abs() < 0.05, "{name}: {estimate}");
        }
    }
}
