//! What several subcommands do first: open a location, list it, and choose the dataset and partition that are meant.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::NaiveDate;

use super::CliError;
use super::preview::Steps;
use crate::base::{Accuracy, Cancel, nearest, units};
use crate::explore::open_inputs;
use crate::explore::scan::{Scan, ScanSource};
use crate::storage::{
    Connection, DatasetKeys, DateRange, DateRangeError, Inventory, Location, Object, StorageError, Store,
};

/// An opened location and everything below it.
pub struct Listed {
    pub store: Store,
    pub location: Location,
    pub inventory: Inventory,
    /// A cancel cut the listing: only what comes first in it is known.
    pub is_partial: bool,
}

/// Lists everything below `text`.
///
/// # Errors
/// [`CliError`] for a location that cannot be read, also on a cancel.
pub async fn list(text: &str, connection: &Connection, cancel: &Cancel) -> Result<Listed, CliError> {
    let listed = list_some(text, connection, cancel).await?;
    if listed.is_partial {
        return Err(StorageError::Cancelled.into());
    }
    Ok(listed)
}

/// As [`list`], for whoever has a use for part of a listing: a cancel gives what was listed before it.
///
/// # Errors
/// As [`list`]; on a cancel where nothing was listed yet.
pub async fn list_some(text: &str, connection: &Connection, cancel: &Cancel) -> Result<Listed, CliError> {
    let mut listed = open(text, connection, cancel).await?;
    listed.add_all(cancel).await?;
    Ok(listed)
}

/// As [`list_some`], and holds times of change against the present, and looks for duplicates where etags tell of them.
///
/// # Errors
/// As [`list`].
pub async fn list_closely(text: &str, connection: &Connection, cancel: &Cancel) -> Result<Listed, CliError> {
    let mut listed = open(text, connection, cancel).await?;
    let has_content_etags = listed.store.is_s3();
    listed.inventory = listed.inventory.listed_at(chrono::Utc::now(), has_content_etags);
    listed.add_all(cancel).await?;
    let finished = listed.inventory.finish(&listed.store, cancel).await;
    listed.keep_what_is_there(finished)?;
    Ok(listed)
}

async fn open(text: &str, connection: &Connection, cancel: &Cancel) -> Result<Listed, CliError> {
    let location = Location::resolve(text, Path::new(""))?;
    // Credentials and the first request may wait for a server that never answers.
    let store = cancel.until(Store::open(&location, connection)).await;
    Ok(Listed {
        store: store.map_err(StorageError::from)??,
        inventory: Inventory::new(&location),
        location,
        is_partial: false,
    })
}

/// The day of the rows that are shown: of the partition that is named, or of the first one.
pub fn day(dataset: &DatasetKeys, partition: Option<&str>) -> Option<NaiveDate> {
    let mut partitions = dataset.partitions.values().map(|stats| &stats.partition);
    let shown = match partition {
        Some(name) => partitions.find(|partition| partition.to_string() == name),
        None => partitions.next(),
    };
    shown?.date()
}

impl Listed {
    async fn add_all(&mut self, cancel: &Cancel) -> Result<(), CliError> {
        let inventory = &mut self.inventory;
        let listed = self
            .store
            .list("", cancel, &mut |page| inventory.add(&page))
            .await;
        self.keep_what_is_there(listed)
    }

    /// Takes a cancel for the end of the listing where there is something to tell.
    fn keep_what_is_there(&mut self, listed: Result<(), StorageError>) -> Result<(), CliError> {
        match listed {
            Err(StorageError::Cancelled) if self.inventory.n_files() > 0 => {
                self.is_partial = true;
                Ok(())
            }
            other => Ok(other?),
        }
    }

    /// How much of the location the figures are of.
    pub fn accuracy(&self) -> Accuracy {
        if self.is_partial {
            Accuracy::Partial {
                n: self.inventory.n_files(),
            }
        } else {
            Accuracy::Exact
        }
    }

    /// Says what a cut listing is, on a line that stands before its figures.
    pub fn partial_text(&self) -> Option<String> {
        self.is_partial.then(|| {
            format!(
                "partial: cancelled after {} were listed; figures and findings are of these",
                units::plural(self.inventory.n_files(), "file")
            )
        })
    }

    /// The one dataset that `name` means; without a name, the only one, or the one most like raw data.
    ///
    /// # Errors
    /// [`CliError::Usage`] naming the datasets there are.
    pub fn dataset(&self, name: Option<&str>) -> Result<&DatasetKeys, CliError> {
        let all: Vec<&DatasetKeys> = self.inventory.datasets().collect();
        let names: Vec<&str> = all.iter().map(|dataset| dataset.prefix.as_str()).collect();
        match (name, all.as_slice()) {
            (None, [only]) => Ok(only),
            (None, []) => Err(CliError::Usage {
                message: format!(
                    "{}: no data files here (.jsonl, .ndjson, .json, also .gz or .zst, and .parquet)",
                    self.location
                ),
            }),
            (None, _) => {
                let below: Vec<String> = names
                    .iter()
                    .filter(|name| !name.is_empty())
                    .map(|name| self.location.join(name).to_string())
                    .collect();
                // Files directly in the location have no shorter name than the location itself.
                let direct = if below.len() < names.len() {
                    ", or one of the files directly in it"
                } else {
                    ""
                };
                Err(CliError::Usage {
                    message: format!(
                        "{}: holds several datasets: give one of {}{direct}",
                        self.location,
                        below.join(", ")
                    ),
                })
            }
            (Some(name), _) => all
                .iter()
                .find(|d| d.prefix.trim_end_matches('/') == name)
                .copied()
                .ok_or_else(|| {
                    let hint = nearest(name, names.iter().copied()).map(|n| format!(": did you mean `{n}`?"));
                    CliError::Usage {
                        message: format!("no dataset `{name}`{}", hint.unwrap_or_default()),
                    }
                }),
        }
    }

    /// The number of the partition that each object belongs to, counted as they come.
    pub fn partition_numbers(&self, objects: &[Object]) -> Vec<usize> {
        let mut numbers = BTreeMap::new();
        objects
            .iter()
            .map(|object| {
                let n = numbers.len();
                let partition = self
                    .inventory
                    .place_of(&object.key)
                    .map(|(_, partition)| partition);
                *numbers.entry(partition).or_insert(n)
            })
            .collect()
    }

    /// Data objects of the dataset, of one partition when it is named, in key order.
    ///
    /// # Errors
    /// [`CliError`] when the partition does not exist or listing fails.
    pub async fn objects(
        &self,
        dataset: &DatasetKeys,
        partition: Option<&str>,
        cancel: &Cancel,
    ) -> Result<Vec<Object>, CliError> {
        let Some(wanted) = partition else {
            let mut objects = Vec::new();
            let is_of = |object: &Object| {
                self.inventory
                    .place_of(&object.key)
                    .is_some_and(|(place, _)| place.prefix == dataset.prefix)
            };
            let mut keep = |page: Vec<Object>| objects.extend(page.into_iter().filter(is_of));
            self.store.list(&dataset.prefix, cancel, &mut keep).await?;
            return Ok(objects);
        };
        let Some(stats) = dataset
            .partitions
            .values()
            .find(|stats| stats.partition.to_string() == wanted)
        else {
            // One of several keys may be a date: a day then has several partitions.
            let has_day = |day| dataset.partitions.keys().any(|partition| partition.date() == day);
            let is_range = |range: DateRange| range.first != range.last || has_day(range.first);
            if wanted.contains("..") || wanted.parse().is_ok_and(is_range) {
                return self.objects_of_days(dataset, wanted, cancel).await;
            }
            let known: Vec<String> = dataset.partitions.keys().map(ToString::to_string).collect();
            let hint =
                nearest(wanted, known.iter().map(String::as_str)).map(|n| format!(": did you mean `{n}`?"));
            return Err(CliError::Usage {
                message: format!("no partition `{wanted}`{}", hint.unwrap_or_default()),
            });
        };
        Ok(self
            .inventory
            .objects(&self.store, dataset, &stats.partition, cancel)
            .await?)
    }

    /// A pass over the rows of one partition, of a range of days, or of all, after the steps of the recipe in
    /// `recipe_file`.
    ///
    /// # Errors
    /// As [`Self::objects`]; steps that do not check, or need more than one row.
    pub async fn scan(
        &self,
        dataset: &DatasetKeys,
        partition: Option<&str>,
        steps: &Steps,
        recipe_file: Option<&Path>,
        cancel: &Cancel,
    ) -> Result<Scan, CliError> {
        let objects = self.objects(dataset, partition, cancel).await?;
        let partition_of = self.partition_numbers(&objects);
        let source = cancel
            .until(ScanSource::open(&self.store, objects, partition_of, None, cancel))
            .await;
        let scan = Scan::new(source.map_err(StorageError::from)??);
        if steps.recipe.steps.is_empty() {
            return Ok(scan);
        }
        // Places in a recipe are relative to its own folder.
        let base = recipe_file.and_then(Path::parent).unwrap_or(Path::new(""));
        let inputs = open_inputs(&steps.inputs, day(dataset, partition), base, cancel).await;
        Ok(scan.with_recipe(&steps.recipe, &inputs)?)
    }

    /// Data objects of all partitions of a range of dates, in key order.
    async fn objects_of_days(
        &self,
        dataset: &DatasetKeys,
        range: &str,
        cancel: &Cancel,
    ) -> Result<Vec<Object>, CliError> {
        let days: DateRange = range.parse().map_err(|error: DateRangeError| CliError::Usage {
            message: error.to_string(),
        })?;
        let mut objects = Vec::new();
        for stats in dataset.within(days).partitions.values() {
            let partition = &stats.partition;
            objects.extend(
                self.inventory
                    .objects(&self.store, dataset, partition, cancel)
                    .await?,
            );
        }
        if objects.is_empty() {
            return Err(CliError::Usage {
                message: match dataset.dates() {
                    Some((first, last)) => {
                        format!(
                            "no partition in {range}: its dates go from {first} to {last}, and `skewer ls` tells which"
                        )
                    }
                    None => format!("no partition in {range}: `skewer ls` tells which there are"),
                },
            });
        }
        objects.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(objects)
    }
}
