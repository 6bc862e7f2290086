//! What a day needs: nothing, the rows of its new objects, some of its parts again, or all of it.
//!
//! Decides from the listing, the last commit and its ledger; reads no data.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::RunError;
use super::commit::{Commit, CommitKind, DayPart, DayState};
use super::ledger::{Cut, Entry, Ledger, LedgerBuilder, Room, diff};
use super::objects::Objects;
use super::part::SINGLE_NAME;
use super::segments::Segments;
use crate::base::units;
use crate::job::{Job, SinkLayout};

/// What becomes of a day.
#[derive(Debug)]
pub(super) enum Decision {
    /// Its table is as its source is.
    UpToDate {
        message: String,
    },
    /// There is nothing to read.
    NoData,
    Work(Work),
}

/// What is to be read and written, and what stays.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub kind: CommitKind,
    /// Objects to read, sorted by key.
    pub objects: Objects,
    /// Published rows that go into new parts, before those of `objects`.
    pub copies: Vec<Copy>,
    pub kept: Vec<DayPart>,
    /// Parts that the commit removes.
    pub deletes: Vec<String>,
    /// Keys of objects whose former rows go.
    pub replaced: BTreeSet<String>,
    pub n_new: u64,
    pub n_changed: u64,
    pub n_vanished: u64,
    /// Whether nothing of the former ledger stays.
    pub is_whole: bool,
    /// Why the day is made again, where its own files do not tell.
    pub message: Option<String>,
}

/// Rows of a published part that stay, by their numbers in it, sorted and apart.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Copy {
    pub part: DayPart,
    pub rows: Vec<Range<u64>>,
}

impl Copy {
    /// Every row of a part.
    pub fn whole(part: DayPart) -> Self {
        let rows = std::iter::once(0..part.rows).filter(|rows| rows.end > 0);
        Self {
            rows: rows.collect(),
            part,
        }
    }
}

/// Decides what `objects` (the day's listing) ask for, and the files of its inputs.
///
/// # Errors
/// [`RunError::Layout`] for a day of one object that is to become parts, [`RunError::Shrunk`] when a day would have to be
/// made again of fewer objects than it was made of.
pub(super) fn decide(
    job: &Job,
    state: &DayState,
    ledger: Option<&Ledger>,
    objects: Objects,
    inputs_sha256: &str,
    is_replaced: bool,
) -> Result<Decision, RunError> {
    let Some(last) = state.last.as_ref().filter(|last| !last.is_nothing()) else {
        if objects.is_empty() {
            return Ok(Decision::NoData);
        }
        let n_new = objects.len() as u64;
        return Ok(Decision::Work(Work {
            kind: CommitKind::Append,
            objects,
            n_new,
            is_whole: true,
            ..Work::default()
        }));
    };
    let parts = last.day_parts();
    if job.sink.layout == SinkLayout::Parts
        && let Some(part) = parts.iter().find(|part| part.path.ends_with(SINGLE_NAME))
    {
        return Err(RunError::Layout {
            location: job.sink.root.join(&part.path).to_string(),
        });
    }
    if is_replaced {
        return Ok(if objects.is_empty() {
            Decision::NoData
        } else {
            Decision::Work(whole(job, &parts, objects))
        });
    }
    let Some(ledger) = ledger else {
        return Ok(up_to_date(last, "committed", "; --replace computes it again"));
    };
    let found = diff(&objects, ledger);
    let gone = gone(found.n_vanished);
    let has_same_logic = last.logic_sha256 == job.logic_sha256;
    // With other steps the inputs are others anyway.
    let has_other_inputs = has_same_logic && last.inputs_sha256 != inputs_sha256;
    if found.new.is_empty() && found.changed.is_empty() {
        if has_other_inputs && found.n_vanished == 0 {
            return Ok(Decision::Work(with_new_inputs(job, &parts, objects)));
        }
        let other = if has_other_inputs {
            "; the files of its inputs changed too, so its rows are no longer what they would be"
        } else if has_same_logic {
            ""
        } else {
            "; it was made by other steps or another schema than this spec has, --replace computes it again"
        };
        return Ok(up_to_date(last, "nothing new since", &format!("{gone}{other}")));
    }
    let (n_new, n_changed) = (found.new.len() as u64, found.changed.len() as u64);
    let is_mixed = job.plan.scope() == crate::transform::Scope::Partition;
    if is_mixed || !has_same_logic || has_other_inputs {
        if found.n_vanished > 0 {
            return Err(RunError::Shrunk {
                n_vanished: found.n_vanished,
            });
        }
        let mut work = whole(job, &parts, objects);
        (work.n_new, work.n_changed) = (n_new, n_changed);
        return Ok(Decision::Work(work));
    }
    let replaced: BTreeSet<String> = found
        .changed
        .iter()
        .filter_map(|index| Some(objects.get(*index)?.key.to_owned()))
        .collect();
    let is_single = job.sink.layout == SinkLayout::Single;
    let touched: BTreeSet<u64> = if is_single {
        parts.iter().map(|part| part.slot).collect()
    } else {
        replaced
            .iter()
            .flat_map(|key| ledger.of_key(key))
            .filter_map(|index| ledger.entry(index).slot)
            .collect()
    };
    let (rewritten, kept): (Vec<DayPart>, Vec<DayPart>) =
        parts.into_iter().partition(|part| touched.contains(&part.slot));
    let mut wanted = found.new;
    wanted.extend(found.changed);
    wanted.sort_unstable();
    let objects = wanted.iter().filter_map(|index| objects.get(*index)).collect();
    Ok(Decision::Work(Work {
        kind: if rewritten.is_empty() {
            CommitKind::Append
        } else {
            CommitKind::Rewrite
        },
        objects,
        copies: copies(&rewritten, ledger, &replaced),
        deletes: deletes(job, &rewritten),
        kept,
        replaced,
        n_new,
        n_changed,
        n_vanished: found.n_vanished,
        is_whole: false,
        message: None,
    }))
}

/// What an up-to-date day says of raw files that are no longer there.
fn gone(n_vanished: u64) -> String {
    if n_vanished == 0 {
        return String::new();
    }
    format!(
        "; {} that it was made of gone, the rows stay",
        units::plural(n_vanished, "raw file")
    )
}

fn up_to_date(last: &Commit, verb: &str, rest: &str) -> Decision {
    let by = if verb == "committed" { "by run" } else { "run" };
    Decision::UpToDate {
        message: format!("{verb} {by} {}{rest}", last.run_id),
    }
}

/// All of the day again, because its second datasets are others.
fn with_new_inputs(job: &Job, parts: &[DayPart], objects: Objects) -> Work {
    let mut work = whole(job, parts, objects);
    work.n_new = 0;
    work.message = Some("the files of its inputs changed, so the day was made again".to_owned());
    work
}

/// All of the day again.
fn whole(job: &Job, parts: &[DayPart], objects: Objects) -> Work {
    Work {
        kind: CommitKind::Rewrite,
        n_new: objects.len() as u64,
        objects,
        deletes: deletes(job, parts),
        is_whole: true,
        ..Work::default()
    }
}

/// The same rows in fewer parts: every part that is not full goes into new ones. None when that would not be fewer.
pub(super) fn compaction(job: &Job, last: &Commit) -> Option<Work> {
    let full = job.sink.rows_per_file.get() as u64;
    if job.sink.layout == SinkLayout::Single {
        return None;
    }
    let (small, kept): (Vec<DayPart>, Vec<DayPart>) =
        last.day_parts().into_iter().partition(|part| part.rows < full);
    let rows: u64 = small.iter().map(|part| part.rows).sum();
    if rows.div_ceil(full) >= small.len() as u64 {
        return None;
    }
    let copies = small
        .iter()
        .map(|part| Copy {
            part: part.clone(),
            rows: std::iter::once(0..part.rows)
                .filter(|rows| rows.end > 0)
                .collect(),
        })
        .collect();
    Some(Work {
        kind: CommitKind::Compact,
        copies,
        deletes: deletes(job, &small),
        kept,
        ..Work::default()
    })
}

/// A part whose name is used again is replaced, not removed.
fn deletes(job: &Job, parts: &[DayPart]) -> Vec<String> {
    let is_single = job.sink.layout == SinkLayout::Single;
    parts
        .iter()
        .filter(|part| !(is_single && part.path.ends_with(SINGLE_NAME)))
        .map(|part| part.path.clone())
        .collect()
}

/// The rows of `parts` that stay when those of `replaced` go.
fn copies(parts: &[DayPart], ledger: &Ledger, replaced: &BTreeSet<String>) -> Vec<Copy> {
    let mut rows: BTreeMap<u64, Vec<Range<u64>>> = parts.iter().map(|part| (part.slot, Vec::new())).collect();
    if !parts.is_empty() {
        for entry in ledger.entries() {
            if let Some(rows) = entry.slot.and_then(|slot| rows.get_mut(&slot))
                && entry.n_rows > 0
                && !replaced.contains(entry.key)
            {
                rows.push(entry.first_row..entry.first_row + entry.n_rows);
            }
        }
    }
    parts
        .iter()
        .map(|part| {
            let mut ranges = rows.remove(&part.slot).unwrap_or_default();
            ranges.sort_unstable_by_key(|range| range.start);
            let mut joined: Vec<Range<u64>> = Vec::new();
            for range in ranges {
                match joined.last_mut() {
                    Some(last) if last.end == range.start => last.end = range.end,
                    _ => joined.push(range),
                }
            }
            Copy {
                part: part.clone(),
                rows: joined,
            }
        })
        .collect()
}

/// What new parts are made of: the entries of copied rows at their new places, then those of the objects read, for which
/// `line_of` (by the object's index) says what of them was read: see [`Entry::line`].
pub(super) fn made_ledger(
    copies: &[Copy],
    replaced: &BTreeSet<String>,
    old: Option<&Ledger>,
    objects: &Objects,
    segments: &Segments,
    cut: Cut,
    line_of: &dyn Fn(usize) -> u64,
) -> Ledger {
    let mut builder = LedgerBuilder::with_room(room(objects, segments, cut));
    // Per slot: its ranges with the row of the output that each starts at.
    let mut moved: BTreeMap<u64, Vec<(Range<u64>, u64)>> = BTreeMap::new();
    let mut at = 0;
    for copy in copies {
        let ranges = moved.entry(copy.part.slot).or_default();
        for rows in &copy.rows {
            ranges.push((rows.clone(), at));
            at += rows.end - rows.start;
        }
    }
    for entry in old.into_iter().flat_map(Ledger::entries) {
        let Some(ranges) = entry.slot.and_then(|slot| moved.get(&slot)) else {
            continue;
        };
        if replaced.contains(entry.key) {
            continue;
        }
        let index = ranges.partition_point(|(rows, _)| rows.end <= entry.first_row);
        if let Some((rows, start)) = ranges.get(index) {
            let first = start + (entry.first_row - rows.start);
            for (slot, first_row, n_rows) in cut.places(first, entry.n_rows) {
                builder.push(Entry {
                    slot: Some(slot),
                    first_row,
                    n_rows,
                    ..entry
                });
            }
        }
    }
    let mut segments = segments.iter().peekable();
    for (index, object) in objects.iter().enumerate() {
        let entry = Entry {
            key: object.key,
            etag: object.etag,
            size: object.size,
            line: line_of(index),
            slot: None,
            first_row: 0,
            n_rows: 0,
        };
        let mut has_rows = false;
        while let Some(segment) = segments.next_if(|segment| segment.object as usize == index) {
            has_rows = true;
            for (slot, first_row, n_rows) in cut.places(segment.first_row, segment.n_rows) {
                builder.push(Entry {
                    slot: Some(slot),
                    first_row,
                    n_rows,
                    ..entry
                });
            }
        }
        if !has_rows {
            builder.push(entry);
        }
    }
    builder.finish()
}

/// The room for the entries of objects that are read.
fn room(objects: &Objects, segments: &Segments, cut: Cut) -> Room {
    // An object whose rows go over the end of a part has an entry more.
    let n_ends = segments.n_rows() / cut.rows_per_part.max(1);
    let n_entries = objects.len().max(segments.len());
    let key_bytes: usize = objects.iter().map(|object| object.key.len()).sum();
    Room {
        n_entries: n_entries + usize::try_from(n_ends).unwrap_or(0),
        key_bytes,
        etag_bytes: objects.text_bytes() - key_bytes,
    }
}

/// The day's ledger after a commit: what stays of `old`, and what was `made`.
pub(super) fn next_ledger(
    kept: &[DayPart],
    replaced: &BTreeSet<String>,
    old: Option<&Ledger>,
    made: &[Ledger],
) -> Ledger {
    if let (None, [all]) = (old, made) {
        return all.clone();
    }
    let slots: BTreeSet<u64> = kept.iter().map(|part| part.slot).collect();
    let mut builder = LedgerBuilder::default();
    let stays = |entry: &Entry<'_>| {
        !replaced.contains(entry.key) && entry.slot.is_none_or(|slot| slots.contains(&slot))
    };
    for entry in old.into_iter().flat_map(Ledger::entries).filter(stays) {
        builder.push(entry);
    }
    for entry in made.iter().flat_map(Ledger::entries) {
        builder.push(entry);
    }
    builder.finish()
}

/// Every row of every part has its object in the ledger, and nothing else has.
///
/// # Errors
/// [`RunError::Books`] with the part.
pub(super) fn check_ledger(parts: &[DayPart], ledger: &Ledger) -> Result<(), RunError> {
    let mut rows: BTreeMap<u64, u64> = BTreeMap::new();
    for entry in ledger.entries() {
        if let Some(slot) = entry.slot {
            *rows.entry(slot).or_default() += entry.n_rows;
        }
    }
    for part in parts {
        let known = rows.remove(&part.slot).unwrap_or(0);
        if known != part.rows {
            return Err(RunError::Books {
                books: format!("{} has {} rows, its objects gave {known}", part.path, part.rows),
            });
        }
    }
    match rows.into_iter().find(|(_, n)| *n > 0) {
        None => Ok(()),
        Some((slot, n)) => Err(RunError::Books {
            books: format!("{n} rows belong to part {slot}, which the day does not have"),
        }),
    }
}
