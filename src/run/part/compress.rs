//! Compresses pages, with memory that is used again.

use parquet::basic::Compression;
use parquet::errors::{ParquetError, Result};

pub(super) enum Compressor {
    None,
    Snappy(Box<snap::raw::Encoder>, Vec<u8>),
    Zstd(Box<zstd::bulk::Compressor<'static>>),
}

impl Compressor {
    pub(super) fn new(compression: Compression) -> Result<Self> {
        match compression {
            Compression::UNCOMPRESSED => Ok(Self::None),
            Compression::SNAPPY => Ok(Self::Snappy(Box::new(snap::raw::Encoder::new()), Vec::new())),
            Compression::ZSTD(level) => {
                let compressor = zstd::bulk::Compressor::new(level.compression_level())?;
                Ok(Self::Zstd(Box::new(compressor)))
            }
            other => Err(ParquetError::NYI(format!("compression {other}"))),
        }
    }

    pub(super) fn compress(&mut self, page: &[u8]) -> Result<Vec<u8>> {
        match self {
            Self::None => Ok(page.to_vec()),
            Self::Snappy(encoder, buffer) => {
                let max = snap::raw::max_compress_len(page.len());
                if buffer.len() < max {
                    buffer.resize(max, 0);
                }
                let n = encoder
                    .compress(page, buffer)
                    .map_err(|error| ParquetError::External(Box::new(error)))?;
                Ok(buffer.get(..n).unwrap_or_default().to_vec())
            }
            Self::Zstd(compressor) => Ok(compressor.compress(page)?),
        }
    }
}
