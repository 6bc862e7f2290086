//! `skewer schema --map`: keys by partition, with presence and types, and what changes between partitions.

use serde::Serialize;

use super::output::{self, Output};
use super::{CliError, data, signal};
use crate::base::{Accuracy, Progress, units};
use crate::dataset::FailedFile;
use crate::explore::{self, MapChoice};
use crate::profile::schema_map::{MapCell, MapKey, MapPartition, SchemaChange, SchemaMap, TypeCount};
use crate::storage::Connection;

/// Characters that draw the partitions of a key.
const STRIP: usize = 60;
/// Changes that are printed; all are in the JSON.
const N_CHANGES: usize = 40;

#[derive(Debug, Clone, Copy, clap::Args)]
pub struct ExtentArgs {
    /// Files read of each partition, spread over it
    #[arg(long, value_name = "N", requires = "map", default_value_t = 4)]
    files: usize,
    /// Records read of each file, from the first on
    #[arg(long, value_name = "N", requires = "map", default_value_t = 250)]
    records: usize,
    /// Reads all records of all files
    #[arg(long, requires = "map", conflicts_with_all = ["files", "records"])]
    all: bool,
}

impl From<ExtentArgs> for MapChoice {
    fn from(args: ExtentArgs) -> Self {
        let of = |n: usize| (!args.all).then_some(n.max(1));
        Self {
            files: of(args.files),
            records: of(args.records),
        }
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    location: String,
    accuracy: Accuracy,
    /// Of the listing: after a cancel, partitions may be missing.
    listing: Accuracy,
    /// What was read of each partition, in words.
    sample: String,
    partitions: &'a [MapPartition],
    keys: Vec<KeyRow<'a>>,
    changes: &'a [SchemaChange],
    is_cut: bool,
    n_files_failed: u64,
    /// The first of them.
    failed_files: &'a [FailedFile],
}

#[derive(Serialize)]
struct KeyRow<'a> {
    path: &'a str,
    n_partitions: usize,
    first_seen: String,
    last_seen: String,
    types: Vec<TypeCount>,
    is_conflict: bool,
    /// Partitions with the key; it is absent from the others.
    cells: Vec<CellRow>,
}

#[derive(Serialize)]
struct CellRow {
    partition: String,
    share: Option<f64>,
    n_present: u64,
    n_of: u64,
    n_null: u64,
    types: Vec<TypeCount>,
}

/// A map, and how much of the location it is of.
struct Read {
    location: String,
    map: SchemaMap,
    listing: Accuracy,
    /// Says that the listing was cut.
    cut: Option<String>,
    code: Option<u8>,
}

pub fn schema_map(
    location: &str,
    connection: &Connection,
    extent: ExtentArgs,
    is_json: bool,
    output: &mut Output,
) -> Result<u8, CliError> {
    let choice = MapChoice::from(extent);
    let read = signal::block_on(|cancel, signalled| async move {
        // What was listed before a cancel is an answer, if one without keys.
        let listed = data::list_some(location, connection, &cancel).await?;
        let dataset = listed.dataset(None)?;
        let progress = Progress::new();
        let map = explore::schema_map(&listed.store, dataset, choice, None, &progress, &cancel).await?;
        Ok::<_, CliError>(Read {
            location: listed.location.join(&dataset.prefix).to_string(),
            map,
            listing: listed.accuracy(),
            cut: listed.partial_text(),
            code: signalled.code(),
        })
    })??;
    let map = &read.map;
    let (n_failed, failed) = map.failed_files();
    if is_json {
        output.json(&Answer {
            location: read.location,
            accuracy: map.accuracy,
            listing: read.listing,
            sample: choice.to_string(),
            partitions: &map.partitions,
            keys: map.keys.iter().map(|key| key_row(map, key)).collect(),
            changes: &map.changes,
            is_cut: map.is_cut,
            n_files_failed: n_failed,
            failed_files: &failed,
        })?;
    } else {
        if let Some(text) = read.cut {
            output.line(&text)?;
        }
        print(map, choice, output)?;
        output.failed_files(&failed, n_failed)?;
    }
    // What was read before a signal is a result; the code says that it is not all.
    Ok(read
        .code
        .unwrap_or_else(|| output::code_of(n_failed, map.n_records() > 0)))
}

fn key_row<'a>(map: &'a SchemaMap, key: &'a MapKey) -> KeyRow<'a> {
    let types = |types: &[(u16, u64)]| {
        let named = types.iter().map(|(at, n)| TypeCount {
            dtype: map.type_name(*at).to_owned(),
            n: *n,
        });
        named.collect()
    };
    let cells = key.cells.iter().enumerate().filter_map(|(at, cell)| {
        let cell = cell.as_ref()?;
        Some(CellRow {
            partition: map.partition_name(at),
            share: cell.share(),
            n_present: cell.n_present,
            n_of: cell.n_of,
            n_null: cell.n_null,
            types: types(&cell.types),
        })
    });
    KeyRow {
        path: &key.path,
        n_partitions: key.n_partitions,
        first_seen: map.partition_name(key.first_seen),
        last_seen: map.partition_name(key.last_seen),
        types: types(&key.types),
        is_conflict: key.is_conflict,
        cells: cells.collect(),
    }
}

fn print(map: &SchemaMap, choice: MapChoice, output: &mut Output) -> Result<(), CliError> {
    if map.keys.is_empty() {
        let text = match map.accuracy {
            Accuracy::Partial { .. } => "partial: cancelled before a record was read",
            _ => "no record could be read; `skewer preview` shows why",
        };
        return output.line(text);
    }
    let n_partitions = map.partitions.len();
    let rows: Vec<Vec<String>> = map
        .keys
        .iter()
        .map(|key| {
            let of: u64 = key.cells.iter().flatten().map(|cell| cell.n_of).sum();
            let n: u64 = key.cells.iter().flatten().map(|cell| cell.n_present).sum();
            let share = if of == 0 { 0.0 } else { n as f64 / of as f64 };
            vec![
                format!("{}{}", "  ".repeat(key.depth), key.name()),
                map.types_text(&key.types),
                units::percent(share.min(1.0)),
                map.partition_name(key.first_seen),
                map.partition_name(key.last_seen),
                strip(key, n_partitions),
            ]
        })
        .collect();
    let heading = [
        "key",
        "type",
        "present",
        "first seen",
        "last seen",
        "by partition",
    ];
    output.table(&heading, &[2], &rows)?;
    output.line(&format!(
        "{} in {} ({}; {})",
        units::plural(map.keys.len() as u64, "key"),
        units::plural(n_partitions as u64, "partition"),
        map.accuracy,
        choice
    ))?;
    output.line("by partition: █ in all records, ▓ most, ▒ some, ░ few, · none, ! several types")?;
    if map.is_cut {
        output.line("note: there are more keys than are told apart: an object is used as a map")?;
    }
    for change in map.changes.iter().take(N_CHANGES) {
        output.line(&format!("[{}] {}", change.severity.word(), change.message))?;
    }
    let n_more = map.changes.len().saturating_sub(N_CHANGES) as u64;
    if n_more > 0 {
        output.line(&format!(
            "and {} more: --json has all",
            units::plural(n_more, "change")
        ))?;
    }
    Ok(())
}

/// One character a partition, or for several of them together.
fn strip(key: &MapKey, n_partitions: usize) -> String {
    let n = n_partitions.min(STRIP);
    let cells = (0..n).map(|at| {
        let (from, to) = (at * n_partitions / n, (at + 1) * n_partitions / n);
        let here: Vec<Option<&MapCell>> = (from..to).map(|at| key.cell(at)).collect();
        mark(&here)
    });
    cells.collect()
}

fn mark(cells: &[Option<&MapCell>]) -> char {
    let is_mixed = |cell: &&MapCell| cell.types.len() > 1;
    if cells.iter().flatten().any(is_mixed) {
        return '!';
    }
    let shares = cells
        .iter()
        .map(|cell| cell.and_then(MapCell::share).unwrap_or(0.0));
    let share = shares.sum::<f64>() / cells.len().max(1) as f64;
    match share {
        share if share >= 0.9995 => '█',
        share if share >= 0.5 => '▓',
        share if share >= 0.1 => '▒',
        share if share > 0.0 => '░',
        _ => '·',
    }
}

#[cfg(test)]
mod tests {
    use super::mark;
    use crate::profile::schema_map::MapCell;

    #[test]
    fn a_strip_tells_how_much_of_the_partitions_has_a_key() {
        let cell = |n_present| MapCell {
            n_of: 100,
            n_present,
            n_null: 0,
            types: vec![(0, n_present)],
        };
        let mixed = MapCell {
            types: vec![(0, 1), (1, 1)],
            ..cell(2)
        };
        assert_eq!(mark(&[None, None]), '·');
        assert_eq!(mark(&[Some(&cell(100))]), '█');
        assert_eq!(mark(&[Some(&cell(100)), None]), '▓');
        assert_eq!(mark(&[Some(&cell(3))]), '░');
        assert_eq!(mark(&[Some(&cell(100)), Some(&mixed)]), '!');
    }
}
