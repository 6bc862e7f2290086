//! Partitions and files that a filter by date passes over: names that look like dates and are none, null values, and files
//! beside the partitions.

use crate::base::units;
use crate::profile::{Finding, FindingCode, Severity};
use crate::storage::{DatasetKeys, Layout, Partition, PartitionStats, day_value, is_hour_key};

use super::Seen;

/// The value of rows whose partition column is null.
///
/// Source: Hive's `hive.exec.default.partition.name`, which Spark writes too.
const NULL_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";
/// Names that are told; of more, the number.
const MAX_NAMES: usize = 3;

/// Keys and values of a partition; none for those that are a day or an hour already.
fn keys(stats: &PartitionStats) -> &[(String, String)] {
    match &stats.partition {
        Partition::Keys(keys) => keys,
        Partition::Whole | Partition::Day(_) | Partition::Hour(..) => &[],
    }
}

fn has_null(stats: &PartitionStats) -> bool {
    keys(stats).iter().any(|(_, value)| value == NULL_VALUE)
}

/// Whether a value has the shape of a day, whatever its numbers.
fn is_like_day(value: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = value.split('-').collect();
    match parts.as_slice() {
        [year, month, day] => {
            year.len() == 4
                && [month, day].iter().all(|part| part.len() <= 2)
                && parts.iter().all(|part| is_number(part))
        }
        _ => false,
    }
}

/// Whether keys are a year, a month and a day, whatever their numbers.
fn is_like_ymd(keys: &[(String, String)]) -> bool {
    ["year", "month", "day"].iter().all(|name| {
        keys.iter().any(|(key, value)| {
            key.eq_ignore_ascii_case(name) && value.bytes().all(|byte| byte.is_ascii_digit())
        })
    })
}

/// Whether some of the dataset's partitions have a date and this one has the same keys, but no date.
fn is_unlike_others(stats: &PartitionStats, dataset: &DatasetKeys, has_dates: bool) -> bool {
    let Layout::Hive { keys: usual } = &dataset.layout else {
        return false;
    };
    let keys = keys(stats);
    has_dates && keys.len() == usual.len() && keys.iter().all(|(name, _)| usual.contains(name))
}

/// Sums and names of some partitions.
struct Held<'a> {
    partitions: Vec<&'a PartitionStats>,
    n_files: u64,
    n_bytes: u64,
}

impl<'a> Held<'a> {
    fn of(partitions: impl Iterator<Item = &'a PartitionStats>) -> Option<Self> {
        let partitions: Vec<_> = partitions.collect();
        (!partitions.is_empty()).then(|| Self {
            n_files: partitions.iter().map(|stats| stats.n_files).sum(),
            n_bytes: partitions.iter().map(|stats| stats.n_bytes).sum(),
            partitions,
        })
    }

    fn only(&self) -> Option<Partition> {
        match self.partitions.as_slice() {
            [only] => Some(only.partition.clone()),
            _ => None,
        }
    }

    fn names(&self) -> String {
        let names = self.partitions.iter().map(|stats| stats.partition.to_string());
        listed(names, self.partitions.len())
    }

    /// `2 partitions with 3 files, 12 KB (0.2% of all bytes)`
    fn words(&self, all_bytes: u64) -> String {
        let n = self.partitions.len() as u64;
        format!(
            "{} with {}",
            units::plural(n, "partition"),
            files_in_words(self.n_files, self.n_bytes, all_bytes)
        )
    }
}

/// The first names in code marks, and how many more there are.
fn listed(names: impl Iterator<Item = String>, n: usize) -> String {
    let first: Vec<String> = names.take(MAX_NAMES).map(|name| format!("`{name}`")).collect();
    let n_more = n.saturating_sub(first.len());
    match (n_more, first.as_slice()) {
        (0, [most @ .., last]) if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        (0, _) => first.join(", "),
        _ => format!("{} and {} more", first.join(", "), units::count(n_more as u64)),
    }
}

fn files_in_words(n_files: u64, n_bytes: u64, all_bytes: u64) -> String {
    let share = n_bytes as f64 / all_bytes.max(1) as f64;
    format!(
        "{}, {} ({} of all bytes)",
        units::plural(n_files, "file"),
        units::bytes(n_bytes),
        units::percent(share)
    )
}

/// Names that are to say a date or an hour and say none: one finding for each kind.
pub(super) fn no_date(seen: &Seen<'_>) -> Vec<Finding> {
    let dataset = seen.dataset;
    let has_dates = dataset
        .partitions
        .keys()
        .any(|partition| partition.date().is_some());
    let valued = || dataset.partitions.values().filter(|stats| !has_null(stats));
    let dates = valued().filter(|stats| {
        let is_like = || {
            keys(stats)
                .iter()
                .any(|(_, value)| is_like_day(value) && day_value(value).is_none())
        };
        stats.partition.date().is_none()
            && (is_like() || is_like_ymd(keys(stats)) || is_unlike_others(stats, dataset, has_dates))
    });
    let hours = valued().filter(|stats| {
        let has_hour = keys(stats).iter().any(|(name, _)| is_hour_key(name));
        has_hour && stats.partition.date().is_some() && stats.partition.hour().is_none()
    });
    let finding = |held: Held<'_>, (one, many): (&str, &str), effect: &str| {
        let is = if held.partitions.len() == 1 {
            format!("is no {one}")
        } else {
            format!("are no {many}")
        };
        let names = held.names();
        Finding {
            partition: held.only(),
            ..Finding::free(
                FindingCode::InvalidDate,
                Severity::Warn,
                format!("{} {is}", names.replace('`', "")),
                format!(
                    "{names} {is}: {}. {effect}, and engines that read the name as a {one} fail on it or give null.",
                    held.words(seen.metrics.n_bytes)
                ),
                format!(
                    "Find the true {one} in the rows, move the files to the partition of that {one}, and check the writer that \
                     made the name."
                ),
            )
        }
    };
    let mut findings = Vec::new();
    let of_dates =
        "Filters by date, ranges of dates and a job's days pass over them, the calendar leaves them out";
    // Their date is known, so only what asks for the hour misses them.
    let of_hours =
        "Filters by hour pass over them, while ranges of dates and a job's days include them with their date";
    findings.extend(Held::of(dates).map(|held| finding(held, ("date", "dates"), of_dates)));
    findings.extend(Held::of(hours).map(|held| finding(held, ("hour", "hours"), of_hours)));
    findings
}

/// Partitions of rows whose partition column was null.
pub(super) fn no_value(seen: &Seen<'_>) -> Option<Finding> {
    let held = Held::of(seen.dataset.partitions.values().filter(|stats| has_null(stats)))?;
    let mut columns: Vec<&str> = held
        .partitions
        .iter()
        .flat_map(|stats| keys(stats))
        .filter(|(_, value)| value == NULL_VALUE)
        .map(|(name, _)| name.as_str())
        .collect();
    columns.sort_unstable();
    columns.dedup();
    let n_columns = columns.len();
    let columns = listed(columns.into_iter().map(str::to_owned), n_columns);
    let has_dates = seen
        .dataset
        .partitions
        .keys()
        .any(|partition| partition.date().is_some());
    let is_undated = held
        .partitions
        .iter()
        .any(|stats| stats.partition.date().is_none());
    let by_date = if has_dates && is_undated {
        ", and so do ranges of dates, the calendar and a job's days"
    } else {
        ""
    };
    let files = units::plural(held.n_files, "file");
    let verb = if held.n_files == 1 { "has" } else { "have" };
    Some(Finding {
        partition: held.only(),
        ..Finding::free(
            FindingCode::NullPartition,
            Severity::Warn,
            format!("{files} {verb} no value of {}", columns.replace('`', "")),
            format!(
                "{}: {}. Their rows had no {columns} when they were written. A filter on {columns} passes over them, all but \
                 `IS NULL`{by_date}.",
                held.names(),
                held.words(seen.metrics.n_bytes)
            ),
            format!(
                "Fill {columns} from other columns of those rows and write them again, or keep such rows out before they are \
                 written; then remove the partition."
            ),
        )
    })
}

/// Files beside the partitions of a dataset that has some.
pub(super) fn outside(seen: &Seen<'_>) -> Option<Finding> {
    let dataset = seen.dataset;
    let stats = dataset
        .partitions
        .get(&Partition::Whole)
        .filter(|_| dataset.partitions.len() > 1)?;
    let folders = &dataset.outside;
    let below = |folder: &String| folder.strip_prefix(&dataset.prefix).unwrap_or(folder).to_owned();
    // The dataset's own folder has no name below it.
    let places: Vec<String> = folders
        .iter()
        .map(below)
        .filter(|name| !name.is_empty())
        .collect();
    let is_like_date = places.iter().any(|place| has_date_like(place));
    let n_places = places.len();
    let place = match (n_places, folders.len()) {
        (0, _) => "directly in its folder".to_owned(),
        (_, n) if n == n_places => format!("such as in {}", listed(places.into_iter(), n_places)),
        _ => format!(
            "directly in its folder and in {}",
            listed(places.into_iter(), n_places)
        ),
    };
    let wrong = if is_like_date {
        " A folder that looks like a date and is none holds some of them."
    } else {
        ""
    };
    let files = units::plural(stats.n_files, "file");
    let verb = if stats.n_files == 1 { "lies" } else { "lie" };
    let is_much = stats.n_bytes as f64 > 0.01 * seen.metrics.n_bytes as f64;
    Some(Finding {
        partition: Some(Partition::Whole),
        ..Finding::free(
            FindingCode::OutsidePartitions,
            if is_much || is_like_date {
                Severity::Warn
            } else {
                Severity::Note
            },
            format!("{files} {verb} in no partition"),
            format!(
                "{} {verb} beside the partitions, {place}.{wrong} Filters by partition, ranges of dates and a job's days pass over \
                 them; engines that find partitions by folders refuse such a table or read the rows without a value.",
                files_in_words(stats.n_files, stats.n_bytes, seen.metrics.n_bytes)
            ),
            "Move them to the partition of their rows, or out of the dataset.",
        )
    })
}

/// Whether a folder is like `2020-13-45/` or `2020/13/45/`.
fn has_date_like(folder: &str) -> bool {
    let parts: Vec<&str> = folder.split('/').collect();
    let has = |n: usize, part: &str| part.len() == n && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.iter().any(|part| is_like_day(part))
        || parts.windows(3).any(
            |window| matches!(window, [year, month, day] if has(4, year) && has(2, month) && has(2, day)),
        )
}
