//! Which format and codec a file has, by its name and, where the name says nothing, by its first bytes.

use serde::{Deserialize, Serialize};

/// The record format inside a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    #[default]
    Jsonl,
    Parquet,
}

/// The compression around a JSONL file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    #[default]
    None,
    Gzip,
    Zstd,
}

/// Format and codec of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileFormat {
    pub format: Format,
    pub codec: Codec,
}

impl FileFormat {
    /// By the key's endings: `.jsonl`, `.ndjson`, `.json`, each also with `.gz` or `.zst`; `.parquet`. None for others.
    pub fn of_key(key: &str) -> Option<Self> {
        let name = key.rsplit('/').next().unwrap_or(key).to_ascii_lowercase();
        let (name, codec) = if let Some(name) = name.strip_suffix(".gz") {
            (name, Codec::Gzip)
        } else if let Some(name) = name.strip_suffix(".zst").or_else(|| name.strip_suffix(".zstd")) {
            (name, Codec::Zstd)
        } else {
            (name.as_str(), Codec::None)
        };
        let extension = name.rsplit_once('.').map(|(_, extension)| extension)?;
        match (extension, codec) {
            ("jsonl" | "ndjson" | "json", codec) => Some(Self {
                format: Format::Jsonl,
                codec,
            }),
            ("parquet", Codec::None) => Some(Self {
                format: Format::Parquet,
                codec,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Codec, FileFormat, Format};

    #[test]
    fn endings_name_format_and_codec() {
        let of = |key| FileFormat::of_key(key).map(|f| (f.format, f.codec));
        assert_eq!(of("2020/01/01/a.jsonl"), Some((Format::Jsonl, Codec::None)));
        assert_eq!(of("a.JSONL.GZ"), Some((Format::Jsonl, Codec::Gzip)));
        assert_eq!(of("a.ndjson.zst"), Some((Format::Jsonl, Codec::Zstd)));
        assert_eq!(of("d=1/part-00000.parquet"), Some((Format::Parquet, Codec::None)));
        assert_eq!(of("_SUCCESS"), None);
        assert_eq!(of("a.csv"), None);
    }
}
