//! The objects of a day, and the work units they are read in.

use std::ops::Range;

use chrono::NaiveDate;

use super::RunError;
use crate::base::Cancel;
use crate::job::Source;
use crate::storage::{Object, StorageError, Store};

/// Objects read together, or one large object read piece by piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// Indices of the day's objects.
    pub objects: Range<usize>,
    pub n_bytes: u64,
    /// Too large to hold: streamed, and decoded by one thread from start to end, so that its line numbers are exact.
    pub is_streamed: bool,
}

/// Lists the day's objects in key order, without control files and what the job does not match.
///
/// # Errors
/// [`RunError::Storage`]; a day whose folder is not there has no objects.
pub(super) async fn list(
    source: &Source,
    store: &Store,
    day: NaiveDate,
    cancel: &Cancel,
) -> Result<Vec<Object>, RunError> {
    let prefix = source.prefix(day);
    let is_single = source.is_single_object(day);
    let folder = format!("{}/", prefix.trim_end_matches('/'));
    let mut objects = Vec::new();
    let mut on_page = |page: Vec<Object>| {
        objects.extend(page.into_iter().filter(|object| {
            if is_single {
                object.key == prefix
            } else {
                object
                    .key
                    .strip_prefix(&folder)
                    .is_some_and(|key| source.takes(key))
            }
        }));
    };
    let listed = if is_single { &prefix } else { &folder };
    match store.list_unordered(listed, cancel, &mut on_page).await {
        Ok(()) | Err(StorageError::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    objects.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    objects.shrink_to_fit();
    Ok(objects)
}

/// Cuts objects in their order into units of about `target_bytes`; a larger object is a unit of its own.
pub(super) fn units(objects: &[Object], target_bytes: u64) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for (i, object) in objects.iter().enumerate() {
        let is_streamed = object.size > target_bytes;
        match units.last_mut() {
            Some(unit) if !is_streamed && !unit.is_streamed && unit.n_bytes + object.size <= target_bytes => {
                unit.objects.end = i + 1;
                unit.n_bytes += object.size;
            }
            _ => units.push(Unit {
                objects: i..i + 1,
                n_bytes: object.size,
                is_streamed,
            }),
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::units;
    use crate::storage::Object;

    #[test]
    fn small_objects_go_together_in_order_and_large_ones_alone() {
        let objects: Vec<Object> = [4, 5, 2, 30, 0, 10, 1]
            .into_iter()
            .enumerate()
            .map(|(i, size)| Object {
                key: format!("{i}.jsonl"),
                size,
                modified: DateTime::UNIX_EPOCH,
                etag: None,
            })
            .collect();
        let cut: Vec<_> = units(&objects, 10)
            .into_iter()
            .map(|unit| (unit.objects, unit.n_bytes, unit.is_streamed))
            .collect();
        assert_eq!(
            cut,
            [
                (0..2, 9, false),
                (2..3, 2, false),
                (3..4, 30, true),
                (4..6, 10, false),
                (6..7, 1, false)
            ]
        );
    }
}
