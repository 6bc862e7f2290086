//! Reads a key: which part names the dataset, which the partition, and whether it is data at all.
//!
//! Folders decide, from the first that names a partition; a folder that only looks like a date (`2020/13/40`) is none.

use std::borrow::Cow;

use chrono::{Datelike as _, NaiveDate};

use super::{Layout, Location, Partition};

/// Endings of data files, as `dataset` reads them.
const ENDINGS: [&str; 13] = [
    "jsonl",
    "jsonl.gz",
    "jsonl.zst",
    "jsonl.zstd",
    "ndjson",
    "ndjson.gz",
    "ndjson.zst",
    "ndjson.zstd",
    "json",
    "json.gz",
    "json.zst",
    "json.zstd",
    "parquet",
];

/// The ending of a data file (`jsonl.gz`); none for control files and files of other formats.
pub fn data_ending(key: &str) -> Option<&'static str> {
    let name = key.rsplit('/').next().unwrap_or(key);
    let (stem, last) = name.rsplit_once('.')?;
    let is = |text: &str, ending: &str| text.eq_ignore_ascii_case(ending);
    let is_codec = ["gz", "zst", "zstd"].iter().any(|codec| is(last, codec));
    let ending = if is_codec {
        let format = stem.rsplit_once('.')?.1;
        name.get(name.len() - last.len() - format.len() - 1..)?
    } else {
        last
    };
    ENDINGS.into_iter().find(|known| is(known, ending))
}

/// Whether a file, by its key relative to the place that is read, or a folder above it is hidden: Hadoop's and Spark's
/// readers skip names that start with `_` or `.`.
pub fn is_hidden(key: &str) -> bool {
    key.split('/').any(|part| part.starts_with(['_', '.']))
}

/// Where a folder belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder {
    pub layout: Layout,
    pub partition: Partition,
    /// Bytes of the folder's key up to the partition: the dataset's prefix.
    pub n_dataset: usize,
    /// Bytes of the folder's key up to the partition's end: the partition's prefix.
    pub n_partition: usize,
}

/// Reads folders below one root. A root inside a partition gives the parts of it that the keys lack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FolderReader {
    /// The end of the root's path that begins or is a partition: `["2020", "01"]` for `raw/2020/01/`.
    above: Vec<String>,
}

impl FolderReader {
    pub(super) fn new(root: &Location) -> Self {
        let path: Cow<'_, str> = match root {
            Location::Local(path) => path.to_string_lossy(),
            Location::S3 { key, .. } => key.into(),
        };
        let mut parts: Vec<&str> = path
            .split(['/', std::path::MAIN_SEPARATOR])
            .filter(|part| !part.is_empty() && *part != ".")
            .collect();
        if parts.last().is_some_and(|name| data_ending(name).is_some()) {
            parts.pop();
        }
        let n_above = n_started(&parts);
        let above = parts.iter().skip(parts.len() - n_above);
        Self {
            above: above.map(|part| (*part).to_owned()).collect(),
        }
    }

    /// Reads a folder's key (empty or with a trailing slash); none when nothing in it names a partition.
    pub(super) fn read(&self, folder: &str) -> Option<Folder> {
        let below = folder.strip_suffix('/').unwrap_or(folder);
        let below: Vec<&str> = below.split('/').filter(|_| !below.is_empty()).collect();
        let n_bytes = |n_parts: usize| {
            below
                .iter()
                .take(n_parts)
                .map(|part| part.len() + 1)
                .sum::<usize>()
        };
        if !self.above.is_empty() {
            let mut parts: Vec<&str> = self.above.iter().map(String::as_str).collect();
            parts.extend(&below);
            if let Some((n_parts, layout, partition)) = read_at(&parts)
                && n_parts >= self.above.len()
            {
                return Some(Folder {
                    layout,
                    partition,
                    n_dataset: 0,
                    n_partition: n_bytes(n_parts - self.above.len()),
                });
            }
        }
        (0..below.len()).find_map(|start| {
            let (n_parts, layout, partition) = read_at(below.get(start..)?)?;
            Some(Folder {
                layout,
                partition,
                n_dataset: n_bytes(start),
                n_partition: n_bytes(start + n_parts),
            })
        })
    }
}

/// How many parts at the end of a path begin or are a partition.
fn n_started(parts: &[&str]) -> usize {
    let n_hive = parts.iter().rev().take_while(|part| hive(part).is_some()).count();
    if n_hive > 0 {
        return n_hive;
    }
    // The longest reading first: `2020/01/01/13` is an hour, not the day 13.
    (1..=4usize)
        .rev()
        .find(|n| {
            let end = parts.len().checked_sub(*n).and_then(|start| parts.get(start..));
            match end {
                Some([year]) => year_of(year).is_some() || iso_date(year).is_some(),
                Some([year, month]) => date_of(year, month, "01").is_some(),
                Some([year, month, day]) => date_of(year, month, day).is_some(),
                Some([year, month, day, hour]) => {
                    date_of(year, month, day).is_some() && hour_of(hour).is_some()
                }
                _ => false,
            }
        })
        .unwrap_or(0)
}

/// The partition that begins at the first part, with the number of parts that name it.
fn read_at(parts: &[&str]) -> Option<(usize, Layout, Partition)> {
    let first = parts.first()?;
    if hive(first).is_some() {
        return Some(read_hive(parts));
    }
    if let Some(date) = iso_date(first) {
        return Some((1, Layout::IsoDate, Partition::Day(date)));
    }
    let [year, month, day, rest @ ..] = parts else {
        return None;
    };
    let date = date_of(year, month, day)?;
    Some(match rest.first().and_then(|hour| hour_of(hour)) {
        Some(hour) => (4, Layout::HourPath, Partition::Hour(date, hour)),
        None => (3, Layout::DatePath, Partition::Day(date)),
    })
}

fn read_hive(parts: &[&str]) -> (usize, Layout, Partition) {
    let pairs: Vec<(String, String)> = parts
        .iter()
        .map_while(|part| hive(part))
        .map(|(name, value)| (percent_decoded(name), percent_decoded(value)))
        .collect();
    let n_parts = pairs.len();
    let keys = pairs.iter().map(|(name, _)| name.clone()).collect();
    (n_parts, Layout::Hive { keys }, Partition::of_keys(pairs))
}

fn hive(part: &str) -> Option<(&str, &str)> {
    part.split_once('=')
        .filter(|(name, value)| !name.is_empty() && !value.is_empty())
}

/// `YYYY-MM-DD` and nothing looser.
pub(super) fn iso_date(text: &str) -> Option<NaiveDate> {
    let is_hyphen = |at: usize| text.as_bytes().get(at) == Some(&b'-');
    if text.len() != 10 || !is_hyphen(4) || !is_hyphen(7) {
        return None;
    }
    date_of(text.get(..4)?, text.get(5..7)?, text.get(8..)?)
}

pub(super) fn date_of(year: &str, month: &str, day: &str) -> Option<NaiveDate> {
    let date = NaiveDate::from_ymd_opt(year_of(year)?, digits(month, 2)?, digits(day, 2)?)?;
    (date.year() > 0).then_some(date)
}

fn year_of(text: &str) -> Option<i32> {
    digits(text, 4)
        .and_then(|year| i32::try_from(year).ok())
        .filter(|year| (1900..=2199).contains(year))
}

pub(super) fn hour_of(text: &str) -> Option<u8> {
    digits(text, 2)
        .and_then(|hour| u8::try_from(hour).ok())
        .filter(|hour| *hour < 24)
}

fn digits(text: &str, n: usize) -> Option<u32> {
    if text.len() != n || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Hive writes `%XX` for characters that paths cannot hold. What is no such code stays as it is.
pub(super) fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|code| std::str::from_utf8(code).ok())
            .filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() {
            after.get(2..).unwrap_or(&[])
        } else {
            after
        };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{FolderReader, data_ending, is_hidden, percent_decoded};
    use crate::storage::Location;

    /// `dataset | partition's prefix | partition | layout`
    fn check(root: &str, folder: &str) -> String {
        let root: Location = root.parse().unwrap();
        let Some(read) = FolderReader::new(&root).read(folder) else {
            return "none".to_owned();
        };
        let layout = serde_json::to_value(&read.layout).unwrap();
        let layout = layout.as_str().unwrap_or("hive");
        format!(
            "{} | {} | {} | {layout}",
            &folder[..read.n_dataset],
            &folder[..read.n_partition],
            read.partition
        )
    }

    #[test]
    fn every_layout_is_read_from_the_folders() {
        for (folder, expected) in [
            (
                "raw/2020/01/09/",
                "raw/ | raw/2020/01/09/ | 2020-01-09 | date_path",
            ),
            (
                "raw/2020/01/09/part/",
                "raw/ | raw/2020/01/09/ | 2020-01-09 | date_path",
            ),
            (
                "raw/2020/01/09/13/",
                "raw/ | raw/2020/01/09/13/ | 2020-01-09T13 | hour_path",
            ),
            (
                "clicks/2020-01-09/",
                "clicks/ | clicks/2020-01-09/ | 2020-01-09 | iso_date",
            ),
            (
                "p/day_partition=2020-01-09/",
                "p/ | p/day_partition=2020-01-09/ | 2020-01-09 | hive",
            ),
            ("day=2020-01-09/", " | day=2020-01-09/ | 2020-01-09 | hive"),
            (
                "p/year=2020/month=1/day=9/",
                "p/ | p/year=2020/month=1/day=9/ | 2020-01-09 | hive",
            ),
            (
                "p/Year=2020/Month=01/Day=09/",
                "p/ | p/Year=2020/Month=01/Day=09/ | 2020-01-09 | hive",
            ),
            ("p/dt=2020-1-9/", "p/ | p/dt=2020-1-9/ | 2020-01-09 | hive"),
            (
                "p/dt=2020-01-09/hour=07/",
                "p/ | p/dt=2020-01-09/hour=07/ | 2020-01-09T07 | hive",
            ),
            (
                "p/year=2020/month=01/x/",
                "p/ | p/year=2020/month=01/ | month=01,year=2020 | hive",
            ),
            (
                "p/city=S%C3%A3o%20Paulo/",
                "p/ | p/city=S%C3%A3o%20Paulo/ | city=São Paulo | hive",
            ),
        ] {
            assert_eq!(check("s3://lake/", folder), expected, "{folder}");
        }
    }

    #[test]
    fn what_only_looks_like_a_partition_is_none() {
        for folder in [
            "",
            "raw/",
            "raw/2020/13/40/",
            "raw/2021/02/29/",
            "raw/2020-02-30/",
            "raw/2020/01/",
            "raw/2020/1/9/",
            "=x/",
            "x=/",
            "raw/20200109/",
            "raw/２０２０/01/01/",
        ] {
            assert_eq!(check("s3://lake/", folder), "none", "{folder}");
        }
    }

    #[test]
    fn a_root_inside_a_partition_gives_what_the_keys_lack() {
        for (root, folder, expected) in [
            (
                "s3://lake/raw/2020/",
                "01/09/",
                " | 01/09/ | 2020-01-09 | date_path",
            ),
            ("/lake/raw/2020/01", "09/", " | 09/ | 2020-01-09 | date_path"),
            ("/lake/raw/2020/01/09", "", " |  | 2020-01-09 | date_path"),
            ("/lake/raw/2020/01/09/a.jsonl", "", " |  | 2020-01-09 | date_path"),
            (
                "s3://lake/raw/2020/01/09/",
                "13/",
                " | 13/ | 2020-01-09T13 | hour_path",
            ),
            (
                "s3://lake/country=DE/",
                "day=2020-01-09/",
                " | day=2020-01-09/ | country=DE,day=2020-01-09 | hive",
            ),
            ("s3://lake/day=2020-01-09/", "", " |  | 2020-01-09 | hive"),
            // A date above that is no part of this dataset, and a year that is only a name.
            (
                "/backup/2020-01-01/lake",
                "raw/2020/01/09/",
                "raw/ | raw/2020/01/09/ | 2020-01-09 | date_path",
            ),
            (
                "/lake/2020",
                "raw/2021/01/09/",
                "raw/ | raw/2021/01/09/ | 2021-01-09 | date_path",
            ),
            ("/lake/2020", "notes/", "none"),
        ] {
            assert_eq!(check(root, folder), expected, "{root} {folder}");
        }
    }

    #[test]
    fn endings_tell_data_from_other_files() {
        assert_eq!(data_ending("2020/01/01/a.jsonl"), Some("jsonl"));
        assert_eq!(data_ending("a.b.JSONL.GZ"), Some("jsonl.gz"));
        assert_eq!(data_ending("a.ndjson.zstd"), Some("ndjson.zstd"));
        assert_eq!(data_ending("part-0.snappy.parquet"), Some("parquet"));
        for other in [
            "a.csv",
            "a.csv.gz",
            "a.gz",
            "jsonl",
            "dir.jsonl/readme",
            "a.parquet.gz",
            "",
            "é.gz",
            "_SUCCESS",
        ] {
            assert_eq!(data_ending(other), None, "{other}");
        }
        assert!(
            is_hidden("raw/_temporary/a.jsonl") && is_hidden(".a.jsonl") && !is_hidden("raw/a_b/c.jsonl")
        );
    }

    #[test]
    fn percent_codes_are_decoded_and_other_signs_stay() {
        for (text, expected) in [
            ("a%20b", "a b"),
            ("%3D%2c", "=,"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%+1", "%+1"),
            ("%FF", "%FF"),
            ("%é", "%é"),
        ] {
            assert_eq!(percent_decoded(text), expected, "{text}");
        }
    }
}
