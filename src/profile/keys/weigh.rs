//! What a row weighs in Spark's shuffle: the size of its `UnsafeRow`, before compression.
//!
//! Source: Spark `UnsafeRow.java`: one bit a field in words of 8 bytes, 8 bytes a field, and the bytes of text and of nested
//! values after them, in words of 8. Nested values are taken at the size of their canonical bytes, which is close.

use polars::prelude::{Column, DataFrame, DataType, PolarsResult};

use crate::dataset::{origin, row_bytes};

const WORD: u64 = 8;
const BITS_OF_WORD: u64 = 64;

/// Bytes of each row of `df`, visible columns only.
///
/// # Errors
/// As `row_bytes::for_each_row`.
pub(super) fn row_weights(df: &DataFrame) -> PolarsResult<Vec<u64>> {
    let visible: Vec<&Column> = df
        .columns()
        .iter()
        .filter(|column| !origin::is_hidden(column.name()))
        .collect();
    let n_fields = visible.len() as u64;
    let fixed = n_fields.div_ceil(BITS_OF_WORD) * WORD + n_fields * WORD;
    let mut weights = vec![fixed; df.height()];
    for column in visible {
        match column.dtype() {
            DataType::String => {
                let texts = column.as_materialized_series();
                add(
                    &mut weights,
                    texts.str()?.iter().map(|text| text.map_or(0, str::len)),
                );
            }
            DataType::Binary => {
                let texts = column.as_materialized_series();
                add(
                    &mut weights,
                    texts.binary()?.iter().map(|bytes| bytes.map_or(0, <[u8]>::len)),
                );
            }
            DataType::List(_) | DataType::Struct(_) if row_bytes::is_encodable(column.dtype()) => {
                let mut sizes = Vec::with_capacity(df.height());
                row_bytes::for_each_row(std::slice::from_ref(column), |bytes| sizes.push(bytes.len()))?;
                add(&mut weights, sizes.into_iter());
            }
            _ => {}
        }
    }
    Ok(weights)
}

fn add(weights: &mut [u64], sizes: impl Iterator<Item = usize>) {
    for (weight, size) in weights.iter_mut().zip(sizes) {
        *weight += (size as u64).div_ceil(WORD) * WORD;
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::row_weights;

    #[test]
    fn a_row_weighs_its_fields_in_words_and_its_text() {
        let df = df!("n" => [1_i64, 2, 3], "t" => [Some("eleven byte"), Some(""), None], "__skewer_line" => [1_u64, 2, 3])
            .unwrap();
        assert_eq!(row_weights(&df).unwrap(), [8 + 16 + 16, 24, 24]);
        assert!(row_weights(&df.clear()).unwrap().is_empty());
    }
}
