//! Partitions that are kept under several names.

use super::n_listed;
use crate::base::units;
use crate::profile::{Finding, FindingCode, Severity};
use crate::storage::{DatasetKeys, Layout, PartitionStats};

/// Names of one partition that are told; of more, the number.
const MAX_NAMES: usize = 3;

/// One partition under two names, such as `dt=2020-1-3/` and `dt=2020-01-03/`: counted as one here, and as two by engines
/// that take a folder's name for the value.
pub(super) fn several_names(dataset: &DatasetKeys) -> Vec<Finding> {
    let held: Vec<&PartitionStats> = dataset
        .partitions
        .values()
        .filter(|stats| stats.prefixes.len() > 1)
        .collect();
    let of_one = |stats: &&PartitionStats| {
        let main = usual_name(stats, dataset);
        let mut others: Vec<String> = stats
            .prefixes
            .iter()
            .filter(|prefix| prefix.as_str() != main)
            .take(MAX_NAMES - 1)
            .map(|prefix| format!("`{prefix}`"))
            .collect();
        let n_untold = stats.prefixes.len().saturating_sub(1 + others.len());
        if n_untold > 0 {
            others.push(format!("{} more", units::count(n_untold as u64)));
        }
        let others = others.join(", ");
        Finding {
            partition: Some(stats.partition.clone()),
            ..Finding::free(
                FindingCode::SeveralNames,
                Severity::Warn,
                format!("{} has {} names", stats.partition, stats.prefixes.len()),
                format!(
                    "{} is kept in `{main}` and in {others}. Its {} are counted once, together; engines that take the folder's \
                     name for the value see one partition more, and a job reads the names that its place is written with.",
                    stats.partition,
                    units::plural(stats.n_files, "file")
                ),
                format!("Move the files of {others} to `{main}`, and let the writer name days in one way."),
            )
        }
    };
    let listed = n_listed(held.len());
    let mut findings: Vec<Finding> = held.iter().take(listed).map(of_one).collect();
    let rest = held.get(listed..).unwrap_or_default();
    if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
        let title = format!(
            "{} more partitions have several names",
            units::count(rest.len() as u64)
        );
        findings.push(Finding {
            partition: None,
            message: format!("{title}, from {} to {}.", first.partition, last.partition),
            title,
            remedy: "Let the writer name days in one way, and move the files of the others there.".to_owned(),
            ..of_one(first)
        });
    }
    findings
}

/// The name in the form that most of the dataset has: its keys as they are written, with leading zeros.
fn usual_name<'a>(stats: &'a PartitionStats, dataset: &DatasetKeys) -> &'a str {
    let below = |prefix: &'a str| prefix.strip_prefix(&dataset.prefix).unwrap_or(prefix);
    let is_usual = |prefix: &str| match &dataset.layout {
        Layout::Hive { keys } => keys.iter().all(|key| {
            prefix
                .split('/')
                .any(|part| part.split_once('=').is_some_and(|(name, _)| name == key))
        }),
        Layout::IsoDate => !prefix.contains('=') && prefix.contains('-'),
        Layout::Flat | Layout::DatePath | Layout::HourPath => !prefix.contains(['=', '-']),
    };
    let names = stats.prefixes.iter().map(String::as_str);
    names
        .max_by_key(|prefix| (is_usual(below(prefix)), prefix.len()))
        .unwrap_or(stats.prefix.as_str())
}
