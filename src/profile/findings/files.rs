//! Files: too small, too large to share, empty, of mixed formats, or there twice.

use std::collections::{BTreeMap, BTreeSet};

use super::{FLOOR_BYTES, Seen, SpikeRemedy, n_listed, noun};
use crate::base::units;
use crate::profile::file_sizes::{CROWD, excess_files};
use crate::profile::{CostModel, Finding, FindingCode, Severity, TinyFiles};
use crate::storage::{DatasetKeys, PartitionStats};

/// Crowds of tiny files one by one, the rest of them as one, and what a pass asks for too much of partitions that hold few
/// each.
pub(super) fn tiny_files(seen: &Seen<'_>) -> Vec<Finding> {
    let listed = n_listed(seen.tiny.crowds.len());
    let (first, rest) = seen.tiny.crowds.split_at(listed);
    let each = first.iter().map(|stats| tiny_partition(stats, seen.costs));
    let mut findings: Vec<Finding> = each.collect();
    findings.extend(more_crowds(rest, seen));
    findings.extend(scattered(seen));
    if findings.is_empty() {
        findings.extend(harmless(seen));
    }
    findings
}

/// Tiny files that are no crowd anywhere and not many in all: said, so that nobody wonders why nothing is.
fn harmless(seen: &Seen<'_>) -> Option<Finding> {
    let n_tiny = seen.metrics.n_tiny_files;
    if n_tiny <= CROWD {
        return None;
    }
    let title = format!("{} files under 3 MB cost little", units::count(n_tiny));
    let wait = seen.costs.shared(seen.costs.request_seconds(n_tiny));
    Some(Finding::free(
        FindingCode::TinyFiles,
        Severity::Good,
        title,
        format!(
            "{} of {} files are under 3 MB. Harmless: no partition is a crowd of more than {CROWD} of them, and a pass waits {} for \
             their requests.",
            units::count(n_tiny),
            units::count(seen.metrics.n_files),
            units::seconds(wait)
        ),
        "",
    ))
}

fn more_crowds(rest: &[&PartitionStats], seen: &Seen<'_>) -> Option<Finding> {
    let (first, last) = (rest.first()?, rest.last()?);
    let excess: u64 = rest.iter().map(|stats| excess_files(stats)).sum();
    let n_files: u64 = rest.iter().map(|stats| stats.n_files).sum();
    let n_rest = units::count(rest.len() as u64);
    let worst = rest.iter().map(|stats| TinyFiles::severity(excess_files(stats)));
    Some(Finding {
        cost_seconds: seen.costs.shared(seen.costs.request_seconds(excess)),
        cost_requests: excess,
        ..Finding::free(
            FindingCode::TinyFiles,
            worst.max().unwrap_or(Severity::Warn),
            format!("{n_rest} more partitions are tiny files"),
            format!(
                "{n_rest} more partitions hold {} files, most of them under 3 MB, between {} and {} each.",
                units::count(n_files),
                units::count(last.n_files),
                units::count(first.n_files)
            ),
            format!("Compaction saves {} requests a read.", units::count(excess)),
        )
    })
}

fn tiny_partition(stats: &PartitionStats, costs: &CostModel) -> Finding {
    let excess = excess_files(stats);
    let average = units::bytes(stats.n_bytes / stats.n_files.max(1));
    let n_files = units::count(stats.n_files);
    Finding {
        partition: Some(stats.partition.clone()),
        cost_seconds: costs.shared(costs.request_seconds(excess)),
        cost_requests: excess,
        ..Finding::free(
            FindingCode::TinyFiles,
            TinyFiles::severity(excess),
            format!("{} is {n_files} files of {average}", stats.partition),
            format!(
                "{} takes {n_files} requests for {}: files of {average} on average, where 128 MB and more read well.",
                stats.partition,
                units::bytes(stats.n_bytes)
            ),
            format!(
                "Compaction to {} saves {} requests a read.",
                units::plural(stats.n_files - excess, "file"),
                units::count(excess)
            ),
        )
    }
}

/// Partitions of few tiny files each, where there are so many that a pass waits for them.
fn scattered(seen: &Seen<'_>) -> Option<Finding> {
    let held = seen.tiny.scattered.as_slice();
    let (first, last) = (held.first()?, held.last()?);
    let sum = |of: fn(&PartitionStats) -> u64| held.iter().map(|stats| of(stats)).sum::<u64>();
    let (n_files, n_bytes) = (sum(|stats| stats.n_files), sum(|stats| stats.n_bytes));
    let (inside, packed) = (sum(excess_files), seen.tiny.scattered_excess());
    let noun = noun(seen.dataset);
    let average = units::bytes(n_bytes / n_files.max(1));
    let places = format!("{} {noun}s", units::count(held.len() as u64));
    let wider = match noun {
        "hour" => "partitions of a day",
        "day" => "partitions of a month",
        _ => "fewer partitions",
    };
    let compaction = if inside == 0 {
        format!("Each {noun} is one file already")
    } else {
        format!(
            "Compaction inside each {noun} saves {} requests a read",
            units::count(inside)
        )
    };
    Some(Finding {
        cost_seconds: seen.costs.shared(seen.costs.request_seconds(packed)),
        cost_requests: packed,
        ..Finding::free(
            FindingCode::TinyFiles,
            TinyFiles::severity(packed),
            format!("{places} are {} files of {average}", units::count(n_files)),
            format!(
                "A pass over {places}, from {} to {}, takes {} requests for {}: files of {average} on average, where 128 MB and \
                 more read well.",
                first.partition,
                last.partition,
                units::count(n_files),
                units::bytes(n_bytes)
            ),
            format!("{compaction}; {wider} would save up to {}.", units::count(packed)),
        )
    })
}

/// Compressed JSON over 1 GB: one task reads the whole file, however many slots there are.
pub(super) fn unsplittable(seen: &Seen<'_>) -> Vec<Finding> {
    let mut held: Vec<&PartitionStats> = seen
        .dataset
        .partitions
        .values()
        .filter(|stats| stats.n_unsplittable > 0)
        .collect();
    held.sort_by(|a, b| {
        b.max_compressed_bytes
            .cmp(&a.max_compressed_bytes)
            .then(a.partition.cmp(&b.partition))
    });
    let shared = seen
        .costs
        .shared(seen.costs.seconds(seen.metrics.n_bytes, seen.metrics.n_files));
    let listed = n_listed(held.len());
    let of_one = |stats: &&PartitionStats| {
        let n_files = units::plural(stats.n_unsplittable, "compressed file");
        let own = seen.costs.seconds(stats.max_compressed_bytes, 1);
        // A spike that is to be written anew tells this time as its own cost.
        let is_told = SpikeRemedy::is_spike(stats, seen.dataset, seen.metrics)
            && SpikeRemedy::of(stats, seen.metrics, seen.costs) == SpikeRemedy::Rewrite;
        let matters = if own > shared {
            format!(
                "One task needs {} for the largest of them, while all data take {} over the slots.",
                units::seconds(own),
                units::seconds(shared)
            )
        } else {
            "All data take longer than its longest file, so it delays nothing yet.".to_owned()
        };
        Finding {
            partition: Some(stats.partition.clone()),
            cost_seconds: if is_told { 0.0 } else { (own - shared).max(0.0) },
            ..Finding::free(
                FindingCode::UnsplittableFiles,
                if own > shared {
                    Severity::Warn
                } else {
                    Severity::Note
                },
                format!("{} has {n_files} over 1 GB", stats.partition),
                format!(
                    "{} has {n_files} over 1 GB, {} in all, the largest {}. Compressed JSON cannot be split. {matters}",
                    stats.partition,
                    units::bytes(stats.unsplittable_bytes),
                    units::bytes(stats.max_compressed_bytes)
                ),
                "Write files of 128 MB to 1 GB, or Parquet, which is split at its row groups.",
            )
        }
    };
    let mut findings: Vec<Finding> = held.iter().take(listed).map(of_one).collect();
    let rest = held.get(listed..).unwrap_or_default();
    if let Some(largest) = rest.first() {
        let n_files: u64 = rest.iter().map(|stats| stats.n_unsplittable).sum();
        let title = format!(
            "{} more partitions have compressed files over 1 GB",
            units::count(rest.len() as u64)
        );
        findings.push(Finding {
            cost_seconds: 0.0,
            partition: None,
            message: format!(
                "{title}: {}, the largest {}.",
                units::plural(n_files, "file"),
                units::bytes(largest.max_compressed_bytes)
            ),
            title,
            ..of_one(largest)
        });
    }
    findings
}

/// Files without a byte in partitions that hold others: each costs a request and gives nothing.
pub(super) fn zero_byte_files(seen: &Seen<'_>) -> Option<Finding> {
    let held: Vec<&PartitionStats> = seen
        .dataset
        .partitions
        .values()
        .filter(|stats| stats.n_empty > 0 && stats.n_bytes > 0)
        .collect();
    let first = held.first()?;
    let n_files: u64 = held.iter().map(|stats| stats.n_empty).sum();
    let files = units::plural(n_files, "file");
    let place = match held.as_slice() {
        [only] => format!("in {}", only.partition),
        several => format!(
            "in {} partitions, the first {}",
            units::count(several.len() as u64),
            first.partition
        ),
    };
    let cost_seconds = seen.costs.shared(seen.costs.request_seconds(n_files));
    let remedy = "Remove them, or look at the writer: a file that stays empty is often a write that failed.";
    let is_much = n_files * 10 > seen.metrics.n_files && n_files > 10;
    let severity = if is_much { Severity::Warn } else { Severity::Note };
    Some(Finding {
        partition: (held.len() == 1).then(|| first.partition.clone()),
        cost_seconds,
        cost_requests: n_files,
        ..Finding::free(
            FindingCode::ZeroByteFiles,
            severity,
            format!("{files} of 0 bytes"),
            format!("{files} of 0 bytes {place}. A pass asks for them and gets nothing."),
            remedy,
        )
    })
}

/// Formats or codecs that differ inside a partition, or from one partition to the next.
pub(super) fn mixed_formats(dataset: &DatasetKeys) -> Vec<Finding> {
    let kinds = |stats: &PartitionStats| -> BTreeSet<&'static str> {
        stats.endings.iter().map(|(ending, _)| same(ending)).collect()
    };
    let mut in_all: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (ending, n) in dataset.partitions.values().flat_map(|stats| &stats.endings) {
        *in_all.entry(same(ending)).or_default() += n;
    }
    if in_all.len() < 2 {
        return Vec::new();
    }
    let counts: Vec<String> = in_all
        .iter()
        .map(|(ending, n)| format!("{} .{ending}", units::count(*n)))
        .collect();
    let mixed: Vec<&PartitionStats> = dataset
        .partitions
        .values()
        .filter(|stats| kinds(stats).len() > 1)
        .collect();
    let has_parquet = in_all.contains_key("parquet");
    // Two codecs of one format are read alike; two formats are two schemas.
    let severity = if has_parquet {
        Severity::Warn
    } else {
        Severity::Note
    };
    let remedy = if has_parquet {
        "Read each format as a dataset of its own, or write the smaller part again: Parquet carries its schema, JSON does not."
    } else {
        "Nothing breaks: each file is read by its own codec. Bytes are compared compressed with uncompressed, though: let the \
         writer settle on one."
    };
    let (title, message, partition) = match mixed.as_slice() {
        [] => (
            "Formats change between partitions".to_owned(),
            format!(
                "The files are of several kinds: {}. Each partition holds one kind.",
                counts.join(", ")
            ),
            None,
        ),
        [only] => (
            format!("{} mixes formats", only.partition),
            format!(
                "{} holds {}, while the dataset has {}.",
                only.partition,
                kinds(only).into_iter().collect::<Vec<_>>().join(" and "),
                counts.join(", ")
            ),
            Some(only.partition.clone()),
        ),
        [first, ..] => (
            format!("{} partitions mix formats", units::count(mixed.len() as u64)),
            format!(
                "{} partitions, from {} on, hold files of several kinds: {}.",
                units::count(mixed.len() as u64),
                first.partition,
                counts.join(", ")
            ),
            None,
        ),
    };
    vec![Finding {
        partition,
        ..Finding::free(FindingCode::MixedFormats, severity, title, message, remedy)
    }]
}

/// One name for each format and codec, whatever it is written as.
fn same(ending: &'static str) -> &'static str {
    let (format, codec) = ending.split_once('.').unwrap_or((ending, ""));
    match (format, codec) {
        ("parquet", _) => "parquet",
        (_, "gz") => "jsonl.gz",
        (_, "zst" | "zstd") => "jsonl.zst",
        _ => "jsonl",
    }
}

/// Objects with the etag and size of another one.
pub(super) fn duplicates(seen: &Seen<'_>) -> Option<Finding> {
    let found = seen
        .dataset
        .duplicates
        .as_ref()
        .filter(|found| found.n_files > 0)?;
    let largest = found.pairs.first()?;
    let files = units::plural(found.n_files, "object");
    let share = found.n_bytes as f64 / seen.metrics.n_bytes.max(1) as f64;
    let place = if largest.partition == largest.other {
        format!("Most lie in {} itself", largest.partition)
    } else {
        format!(
            "Most lie in {} and are also in {}",
            largest.partition, largest.other
        )
    };
    let example = match &largest.example {
        Some((first, second)) => format!(" Such as `{first}` and `{second}`."),
        None => String::new(),
    };
    let capped = if found.is_capped {
        " Only the first five million keys were compared."
    } else {
        ""
    };
    let is_small = found.n_bytes < FLOOR_BYTES && share < 0.01;
    Some(Finding {
        partition: (found.pairs.len() == 1).then(|| largest.partition.clone()),
        cost_seconds: seen
            .costs
            .shared(seen.costs.seconds(found.n_bytes, found.n_files)),
        cost_requests: found.n_files,
        ..Finding::free(
            FindingCode::DuplicateObjects,
            if is_small { Severity::Note } else { Severity::Warn },
            format!("{files} are there twice"),
            format!(
                "{files}, {} ({} of all bytes), have the etag and size of another object. {place}: {}.{example}{capped} Their \
                 rows count twice.",
                units::bytes(found.n_bytes),
                units::percent(share),
                units::plural(largest.n_files, "object")
            ),
            "Remove the copies, or drop their rows by `dedupe` on a key.",
        )
    })
}
