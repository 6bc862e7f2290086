//! The objects of a day, and the work units they are read in.

use std::ops::Range;

use chrono::NaiveDate;

use super::RunError;
use super::objects::{Listed, Objects};
use crate::base::Cancel;
use crate::job::Source;
use crate::storage::{Object, StorageError, Store};

/// Objects read together, or one large object read piece by piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// Indices of the day's objects.
    pub objects: Range<usize>,
    /// What its objects take while they wait to be decoded.
    pub held_bytes: u64,
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
) -> Result<Objects, RunError> {
    let prefix = source.prefix(day);
    let is_single = source.is_single_object(day);
    let folder = format!("{}/", prefix.trim_end_matches('/'));
    let mut objects = Objects::default();
    let mut on_page = |page: Vec<Object>| {
        let ours = page.iter().filter(|object| {
            if is_single {
                object.key == prefix
            } else {
                object
                    .key
                    .strip_prefix(&folder)
                    .is_some_and(|key| source.takes(key))
            }
        });
        objects.extend(ours.map(Listed::from));
    };
    let listed = if is_single { &prefix } else { &folder };
    match store.list_unordered(listed, cancel, &mut on_page).await {
        Ok(()) | Err(StorageError::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    objects.sort();
    Ok(objects)
}

/// What an object takes beside its content while it waits to be decoded, and while its crash would have to be told: a
/// unit of tiny objects is bounded by it.
const OBJECT_BYTES: u64 = 2 << 10;

/// Cuts objects in their order into units that hold about `target_bytes`; a larger object is a unit of its own, and one
/// of more than `whole_bytes` is streamed.
pub(super) fn units(objects: &Objects, target_bytes: u64, whole_bytes: u64) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for (i, object) in objects.iter().enumerate() {
        let is_streamed = object.size > whole_bytes;
        let held_bytes = object.size + OBJECT_BYTES;
        match units.last_mut() {
            Some(unit)
                if !is_streamed && !unit.is_streamed && unit.held_bytes + held_bytes <= target_bytes =>
            {
                unit.objects.end = i + 1;
                unit.held_bytes += held_bytes;
            }
            _ => units.push(Unit {
                objects: i..i + 1,
                held_bytes,
                is_streamed,
            }),
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::{OBJECT_BYTES, units};
    use crate::run::objects::Objects;

    #[test]
    fn small_objects_go_together_in_order_and_large_ones_alone() {
        let mib = 1 << 20;
        let sizes = [4, 5, 2, 31, 0, 9, 1, 30].map(|size| size * mib);
        let names = (0..).map(|i: usize| format!("{i}.jsonl"));
        let cut: Vec<_> = units(&Objects::of_sizes(names.zip(sizes)), 10 * mib, 30 * mib)
            .into_iter()
            .map(|unit| (unit.objects, unit.held_bytes, unit.is_streamed))
            .collect();
        let one = OBJECT_BYTES;
        assert_eq!(
            cut,
            [
                (0..2, 9 * mib + 2 * one, false),
                (2..3, 2 * mib + one, false),
                (3..4, 31 * mib + one, true),
                (4..6, 9 * mib + 2 * one, false),
                (6..7, mib + one, false),
                (7..8, 30 * mib + one, false)
            ]
        );
    }

    #[test]
    fn a_unit_of_tiny_objects_is_bounded_by_their_number() {
        let tiny = Objects::of_sizes((0..20_000).map(|i| (format!("{i:05}.jsonl"), 10)));
        let target = 8 << 20;
        let most = usize::try_from(target / OBJECT_BYTES).unwrap();
        let cut = units(&tiny, target, target);
        assert!(cut.iter().all(|unit| unit.objects.len() <= most), "{cut:?}");
        assert_eq!(
            cut.iter().map(|unit| unit.objects.len()).sum::<usize>(),
            tiny.len()
        );
    }
}
