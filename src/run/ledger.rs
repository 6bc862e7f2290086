//! Which raw objects a day's table was made of, and which rows of which part came from each.
//!
//! One ledger is one Parquet file beside the commit that names it, a whole snapshot: the next run compares a listing
//! with it and reads only what is new, and a changed object's rows are found without reading any data. A ledger of a
//! million objects is held in about 110 bytes an object.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, LargeStringArray, LargeStringBuilder, RecordBatch, UInt64Array, UInt64Builder,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::RunError;
use super::objects::{Listed, Objects};
use super::slots::Slots;
use crate::storage::Location;

/// Rows of one object in one part. An object whose rows lie in several parts has one entry for each; one without rows
/// has one entry without a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// Relative to the source's root.
    pub key: &'a str,
    pub etag: Option<&'a str>,
    pub size: u64,
    /// [`READ`] and the number of the commit for what a run read of the object; the line of a record that was replayed
    /// from quarantine, or with [`REST`] the line from which on the rest of the object was.
    pub line: u64,
    /// None where steps mixed the rows of the day, or there are none.
    pub slot: Option<u64>,
    pub first_row: u64,
    pub n_rows: u64,
}

/// Set in the line of what a run read: the rest is the number of its commit.
pub(super) const READ: u64 = 1 << 62;
/// Set in the line of an object that a replay could read from that line to its end.
pub(super) const REST: u64 = 1 << 63;

/// Entries sorted by key, line, slot and first row.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    keys: LargeStringArray,
    etags: LargeStringArray,
    sizes: UInt64Array,
    lines: UInt64Array,
    slots: UInt64Array,
    first_rows: UInt64Array,
    n_rows: UInt64Array,
}

/// Collects entries in any order; nearly sorted ones cost least.
#[derive(Debug, Default)]
pub(super) struct LedgerBuilder {
    keys: LargeStringBuilder,
    etags: LargeStringBuilder,
    sizes: UInt64Builder,
    lines: UInt64Builder,
    slots: UInt64Builder,
    first_rows: UInt64Builder,
    n_rows: UInt64Builder,
    n: usize,
    is_sorted: bool,
    last: Option<(String, u64, Option<u64>, u64)>,
}

/// How many entries a builder will get, with how much text: more than it says make it grow.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Room {
    pub n_entries: usize,
    pub key_bytes: usize,
    pub etag_bytes: usize,
}

impl LedgerBuilder {
    /// Takes the room for all at once: a builder that grows holds a part of its entries twice.
    pub fn with_room(room: Room) -> Self {
        let n = room.n_entries;
        Self {
            keys: LargeStringBuilder::with_capacity(n, room.key_bytes),
            etags: LargeStringBuilder::with_capacity(n, room.etag_bytes),
            sizes: UInt64Builder::with_capacity(n),
            lines: UInt64Builder::with_capacity(n),
            slots: UInt64Builder::with_capacity(n),
            first_rows: UInt64Builder::with_capacity(n),
            n_rows: UInt64Builder::with_capacity(n),
            ..Self::default()
        }
    }

    pub fn push(&mut self, entry: Entry<'_>) {
        let order = (entry.key, entry.line, entry.slot, entry.first_row);
        match &mut self.last {
            None => {
                self.is_sorted = true;
                self.last = Some((entry.key.to_owned(), entry.line, entry.slot, entry.first_row));
            }
            Some((key, line, slot, first_row)) => {
                self.is_sorted &= (key.as_str(), *line, *slot, *first_row) <= order;
                key.clear();
                key.push_str(entry.key);
                (*line, *slot, *first_row) = (entry.line, entry.slot, entry.first_row);
            }
        }
        self.keys.append_value(entry.key);
        self.etags.append_option(entry.etag);
        self.sizes.append_value(entry.size);
        self.lines.append_value(entry.line);
        self.slots.append_option(entry.slot);
        self.first_rows.append_value(entry.first_row);
        self.n_rows.append_value(entry.n_rows);
        self.n += 1;
    }

    pub fn finish(mut self) -> Ledger {
        let ledger = Ledger {
            keys: self.keys.finish(),
            etags: self.etags.finish(),
            sizes: self.sizes.finish(),
            lines: self.lines.finish(),
            slots: self.slots.finish(),
            first_rows: self.first_rows.finish(),
            n_rows: self.n_rows.finish(),
        };
        if self.is_sorted || self.n == 0 {
            return ledger;
        }
        let mut order: Vec<usize> = (0..ledger.len()).collect();
        // The standard sort takes runs that are sorted already as they are.
        order.sort_by(|a, b| compare(&ledger.entry(*a), &ledger.entry(*b)));
        let mut sorted = LedgerBuilder::default();
        for index in order {
            sorted.push(ledger.entry(index));
        }
        sorted.finish()
    }
}

fn compare(a: &Entry<'_>, b: &Entry<'_>) -> Ordering {
    (a.key, a.line, a.slot, a.first_row).cmp(&(b.key, b.line, b.slot, b.first_row))
}

impl Ledger {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// The entry at `index`, which is below [`Self::len`].
    pub fn entry(&self, index: usize) -> Entry<'_> {
        Entry {
            key: self.keys.value(index),
            etag: self.etags.is_valid(index).then(|| self.etags.value(index)),
            size: self.sizes.value(index),
            line: self.lines.value(index),
            slot: self.slots.is_valid(index).then(|| self.slots.value(index)),
            first_row: self.first_rows.value(index),
            n_rows: self.n_rows.value(index),
        }
    }

    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.len()).map(|index| self.entry(index))
    }

    /// Entries of one object.
    pub fn of_key(&self, key: &str) -> Range<usize> {
        let start = self.first_where(|index| self.keys.value(index) >= key);
        let end = self.first_where(|index| self.keys.value(index) > key);
        start..end
    }

    /// The first index for which `is_past` holds; it holds for all after.
    fn first_where(&self, is_past: impl Fn(usize) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if is_past(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// As Parquet.
    pub fn encode(&self, at: &Location) -> Result<Vec<u8>, RunError> {
        let error = |message: String| RunError::Record {
            location: at.to_string(),
            message,
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.keys.clone()),
            Arc::new(self.etags.clone()),
            Arc::new(self.sizes.clone()),
            Arc::new(self.lines.clone()),
            Arc::new(self.slots.clone()),
            Arc::new(self.first_rows.clone()),
            Arc::new(self.n_rows.clone()),
        ];
        let batch = RecordBatch::try_new(schema(), columns).map_err(|source| error(source.to_string()))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(format!("skewer version {}", env!("CARGO_PKG_VERSION")))
            .build();
        let mut content = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut content, schema(), Some(properties))
            .map_err(|source| error(source.to_string()))?;
        writer.write(&batch).map_err(|source| error(source.to_string()))?;
        writer.close().map_err(|source| error(source.to_string()))?;
        Ok(content)
    }

    /// Reads what [`Self::encode`] wrote.
    pub fn decode(content: Bytes, at: &Location) -> Result<Self, RunError> {
        let error = |message: String| RunError::Record {
            location: at.to_string(),
            message,
        };
        // As one batch, which the reader cuts to the number of rows: put together from several it would be held twice.
        let reader = ParquetRecordBatchReaderBuilder::try_new(content)
            .and_then(|builder| builder.with_batch_size(usize::MAX).build())
            .map_err(|source| error(source.to_string()))?;
        let batches: Vec<RecordBatch> = reader
            .collect::<Result<_, _>>()
            .map_err(|source| error(source.to_string()))?;
        let batch = concat_batches(&schema(), &batches).map_err(|source| error(source.to_string()))?;
        if batch.schema().fields() != schema().fields() {
            return Err(error("another version wrote it".to_owned()));
        }
        let strings = |index: usize| -> LargeStringArray { batch.column(index).as_string::<i64>().clone() };
        let numbers =
            |index: usize| -> UInt64Array { batch.column(index).as_primitive::<UInt64Type>().clone() };
        Ok(Self {
            keys: strings(0),
            etags: strings(1),
            sizes: numbers(2),
            lines: numbers(3),
            slots: numbers(4),
            first_rows: numbers(5),
            n_rows: numbers(6),
        })
    }
}

fn schema() -> SchemaRef {
    let number = |name: &str, is_nullable| Field::new(name, DataType::UInt64, is_nullable);
    Arc::new(Schema::new(vec![
        Field::new("key", DataType::LargeUtf8, false),
        Field::new("etag", DataType::LargeUtf8, true),
        number("size", false),
        number("line", false),
        number("slot", true),
        number("first_row", false),
        number("n_rows", false),
    ]))
}

/// A listing beside what the table was made of.
#[derive(Debug, Default)]
pub(super) struct Diff {
    /// Indices of objects that the ledger does not have.
    pub new: Vec<usize>,
    /// Indices of objects whose content is another than the one that was read.
    pub changed: Vec<usize>,
    /// Objects of the ledger that are no longer there; their rows stay.
    pub n_vanished: u64,
}

/// Compares `objects` (sorted by key) with `ledger`, in one pass over both.
pub(super) fn diff(objects: &Objects, ledger: &Ledger) -> Diff {
    let mut diff = Diff::default();
    let mut at = 0;
    // Entries of one object follow one another: `next` skips to the next object's.
    let next = |mut at: usize| {
        let key = ledger.entry(at).key;
        while at < ledger.len() && ledger.entry(at).key == key {
            at += 1;
        }
        at
    };
    for (index, object) in objects.iter().enumerate() {
        while at < ledger.len() && ledger.entry(at).key < object.key {
            diff.n_vanished += 1;
            at = next(at);
        }
        if at < ledger.len() && ledger.entry(at).key == object.key {
            if !is_same(object, &ledger.entry(at)) {
                diff.changed.push(index);
            }
            at = next(at);
        } else {
            diff.new.push(index);
        }
    }
    while at < ledger.len() {
        diff.n_vanished += 1;
        at = next(at);
    }
    diff
}

/// Servers without etags are taken at their word about sizes.
pub(super) fn is_same(object: Listed<'_>, entry: &Entry<'_>) -> bool {
    object.size == entry.size && object.etag == entry.etag
}

/// How rows in their order are cut into parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub slots: Slots,
    pub rows_per_part: u64,
}

impl Cut {
    /// Where `n_rows` rows from the row `first` on lie: slot, first row in it, number of rows.
    pub fn places(self, first: u64, n_rows: u64) -> impl Iterator<Item = (u64, u64, u64)> {
        let mut at = first;
        let end = first + n_rows;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let first_row = at % self.rows_per_part;
            let n = (self.rows_per_part - first_row).min(end - at);
            let place = (self.slots.nth(at / self.rows_per_part), first_row, n);
            at += n;
            Some(place)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Cut, Entry, Ledger, LedgerBuilder, diff};
    use crate::run::objects::{Listed, Objects};
    use crate::run::slots::Slots;
    use crate::storage::Location;

    fn entry(key: &str, line: u64, slot: Option<u64>, first_row: u64) -> Entry<'_> {
        Entry {
            key,
            etag: Some("e1"),
            size: 10,
            line,
            slot,
            first_row,
            n_rows: 3,
        }
    }

    fn ledger(entries: &[Entry<'_>]) -> Ledger {
        let mut builder = LedgerBuilder::default();
        for entry in entries {
            builder.push(*entry);
        }
        builder.finish()
    }

    #[test]
    fn entries_come_back_sorted_from_parquet() {
        let entries = [
            entry("b", 0, None, 0),
            entry("a", 7, Some(2), 5),
            Entry {
                etag: None,
                ..entry("a", 0, Some(1), 0)
            },
        ];
        let at: Location = "/x/ledger.parquet".parse().unwrap();
        let written = ledger(&entries).encode(&at).unwrap();
        let read = Ledger::decode(written.into(), &at).unwrap();
        let [b, a7, a0] = entries;
        assert_eq!(read.entries().collect::<Vec<_>>(), [a0, a7, b]);
        assert_eq!(read.of_key("a"), 0..2);
        assert_eq!(read.of_key("aa"), 2..2);
        let error = Ledger::decode(vec![1, 2, 3].into(), &at).unwrap_err().to_string();
        assert!(error.contains("ledger.parquet"), "{error}");
    }

    #[test]
    fn a_listing_is_split_into_new_changed_same_and_vanished() {
        let known = ledger(&[
            entry("b", 0, Some(0), 0),
            entry("b", 4, Some(1), 0),
            entry("c", 0, Some(0), 3),
            entry("d", 0, None, 0),
            entry("f", 0, Some(0), 6),
        ]);
        let objects = [
            ("a", 1, Some("e1")),
            ("b", 10, Some("e1")),
            ("c", 10, Some("e2")),
            ("e", 1, None),
            ("f", 11, Some("e1")),
        ];
        let listing: Objects = objects
            .map(|(key, size, etag)| Listed { key, etag, size })
            .into_iter()
            .collect();
        let found = diff(&listing, &known);
        let keys = |indices: &[usize]| {
            indices
                .iter()
                .map(|i| listing.get(*i).unwrap().key)
                .collect::<Vec<_>>()
        };
        assert_eq!(keys(&found.new), ["a", "e"]);
        assert_eq!(keys(&found.changed), ["c", "f"]);
        assert_eq!(found.n_vanished, 1);
        assert_eq!(diff(&Objects::default(), &known).n_vanished, 4);
        assert_eq!(diff(&listing, &ledger(&[])).new.len(), 5);
    }

    proptest! {
        #[test]
        fn every_row_has_one_place(first in 0_u64..50, n in 0_u64..50, per_part in 1_u64..20) {
            let cut = Cut { slots: Slots::from(3), rows_per_part: per_part };
            let rows: Vec<u64> = cut
                .places(first, n)
                .flat_map(|(slot, row, n)| (0..n).map(move |i| (slot - 3) * per_part + row + i))
                .collect();
            prop_assert_eq!(rows, (first..first + n).collect::<Vec<_>>());
        }
    }
}
