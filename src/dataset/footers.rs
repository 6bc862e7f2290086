//! What the footers of a Parquet dataset say together: its columns, and where files disagree on their types.

use futures::stream::StreamExt as _;
use polars::prelude::Schema;

use super::arrow_bridge::DecimalDigits;
use super::infer::{Conflict, SeenType};
use super::mixed::all_together;
use super::{FailedFile, PageError, dtype_name, parquet, unified};
use crate::base::{Accuracy, Cancel};
use crate::storage::{Object, Store};

/// Footers that are read, spread over the files.
const MAX_FOOTERS: usize = 64;
const CONCURRENT_READS: usize = 16;

/// What some footers say.
#[derive(Debug, Clone)]
pub struct Footers {
    /// With types that take the values of all files.
    pub columns: Schema,
    /// Of columns whose types differ, those of the first file that need no value changed.
    pub first: Schema,
    /// Paths of decimals, which are texts in the schemas.
    pub decimals: Vec<String>,
    /// The same with their digits.
    pub decimal_digits: Vec<DecimalDigits>,
    /// Columns with several types.
    pub conflicts: Vec<Conflict>,
    /// Files without a readable footer.
    pub failed: Vec<FailedFile>,
    /// A sample where there are more files than footers are read.
    pub accuracy: Accuracy,
}

/// Reads the footers of `objects`; of more than 64, of some that are spread over all.
///
/// # Errors
/// [`PageError`] when no footer can be read, when the storage fails, or on a cancel.
pub async fn footers(store: &Store, objects: &[Object], cancel: &Cancel) -> Result<Footers, PageError> {
    let stride = objects.len().div_ceil(MAX_FOOTERS).max(1);
    let reads = objects.iter().step_by(stride).map(|object| async move {
        cancel.check().map_err(|_| PageError::Cancelled)?;
        match parquet::footer(store, object).await {
            Err(error) if error.failed_file().is_none() => Err(error),
            read => Ok((store.location(&object.key).to_string(), read)),
        }
    });
    let mut reads = futures::stream::iter(reads.collect::<Vec<_>>()).buffered(CONCURRENT_READS);
    let mut read: Vec<(String, parquet::Footer)> = Vec::new();
    let (mut failed, mut first_error) = (Vec::new(), None);
    while let Some(outcome) = reads.next().await {
        match outcome? {
            (location, Ok(footer)) => read.push((location, footer)),
            (_, Err(error)) => {
                failed.extend(error.failed_file());
                first_error = first_error.or(Some(error));
            }
        }
    }
    if let Some(error) = first_error.filter(|_| read.is_empty()) {
        return Err(error);
    }
    let mut decimals: Vec<String> = read
        .iter()
        .flat_map(|(_, footer)| footer.decimals.iter().cloned())
        .collect();
    decimals.sort_unstable();
    decimals.dedup();
    let digits = read.iter().flat_map(|(_, footer)| footer.decimal_digits.iter());
    let mut decimal_digits: Vec<DecimalDigits> = digits.cloned().collect();
    decimal_digits.sort_unstable();
    decimal_digits.dedup();
    let schemas = || read.iter().map(|(_, footer)| &footer.schema);
    let columns = all_together(schemas());
    let (n_read, n) = ((read.len() + failed.len()) as u64, objects.len() as u64);
    let accuracy = if n_read == n && failed.is_empty() {
        Accuracy::Exact
    } else {
        Accuracy::Sample {
            n: read.len() as u64,
            of: Some(n),
        }
    };
    Ok(Footers {
        first: unified(schemas()),
        decimals,
        decimal_digits,
        conflicts: conflicts(&columns, &read),
        columns,
        failed,
        accuracy,
    })
}

/// Columns with several types, each with the files and rows that have it.
fn conflicts(columns: &Schema, read: &[(String, parquet::Footer)]) -> Vec<Conflict> {
    let several = columns.iter_names().filter_map(|name| {
        let mut dtypes: Vec<SeenType> = Vec::new();
        for (location, footer) in read {
            let Some(dtype) = footer.schema.get(name) else {
                continue;
            };
            let is_decimal = footer.decimals.iter().any(|path| path == name.as_str());
            let dtype = if is_decimal {
                "decimal".to_owned()
            } else {
                dtype_name(dtype)
            };
            match dtypes.iter_mut().find(|seen| seen.dtype == dtype) {
                Some(seen) => {
                    seen.n += footer.n_rows;
                    seen.n_files = seen.n_files.map(|n| n + 1);
                }
                None => dtypes.push(SeenType {
                    dtype,
                    object: location.clone(),
                    line: 1,
                    n: footer.n_rows,
                    n_files: Some(1),
                }),
            }
        }
        (dtypes.len() > 1).then(|| Conflict {
            name: name.to_string(),
            dtypes,
        })
    });
    several.collect()
}
