//! The first JSON Lines records of an object as they are written, for those who look at keys and types before there is
//! a schema.
//!
//! Leaves to [`super::decode`] what records mean by a schema.

use std::ops::ControlFlow;

use super::decode::each_line;
use super::head::{self, Extent};
use super::{Format, PageError};
use crate::base::Cancel;
use crate::storage::{Object, Store};

/// What was made of an object's first records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded<T> {
    pub value: T,
    /// Lines that `see` took for records.
    pub n_records: usize,
    /// Whether these are all the object's lines.
    pub is_whole: bool,
    /// Why the object could not be read to its end.
    pub broken: Option<String>,
}

/// Shows the lines of a JSONL object with their numbers to `see`, until it took `limit` of them for records. Objects
/// beyond 64 MiB are read so far. None for Parquet, which has no lines.
///
/// A longer head is read from its start again, with a new `T`. A cancel ends it within a line: what was seen until then
/// is no whole object.
///
/// # Errors
/// [`PageError`] when the object cannot be read, is of no known format, or `cancel` was cancelled before a line was seen.
pub async fn fold_records<T, F>(
    store: &Store,
    object: &Object,
    limit: usize,
    cancel: &Cancel,
    see: F,
) -> Result<Option<Folded<T>>, PageError>
where
    T: Default + Send + 'static,
    F: Fn(&mut T, u64, &[u8]) -> bool + Send + 'static,
{
    let format = head::format_of(store, object).await?;
    if format.format != Format::Jsonl {
        return Ok(None);
    }
    let stop = cancel.clone();
    let answer = head::grow(store, object, cancel, move |head, extent| {
        let is_whole = extent == Extent::Whole;
        let mut value = T::default();
        let mut n_records = 0;
        let mut has_more = false;
        let broken = each_line(format.codec, head, is_whole, &mut |line, bytes| {
            has_more = n_records == limit || stop.is_cancelled();
            if has_more {
                return false;
            }
            n_records += usize::from(see(&mut value, line, bytes));
            true
        });
        if !has_more && n_records < limit && extent == Extent::Head && broken.is_none() {
            return Ok(ControlFlow::Continue(()));
        }
        Ok(ControlFlow::Break(Folded {
            value,
            n_records,
            is_whole: is_whole && !has_more && broken.is_none(),
            broken,
        }))
    })
    .await?;
    Ok(answer)
}
