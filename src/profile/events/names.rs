//! Which files make up one log: a single file, or the numbered files of a rolling folder.
//!
//! Source: Spark's `EventLogFileWriters.scala`.

use super::EventsError;

/// The files of one log, in the order they were written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogFiles {
    pub keys: Vec<String>,
    /// Spark was still writing it: the name says so.
    pub is_in_progress: bool,
    /// What the names tell that a reader must know, such as events that a compaction dropped.
    pub notes: Vec<String>,
}

const COMPACT: &str = ".compact";
const IN_PROGRESS: &str = ".inprogress";
const STATUS: &str = "appstatus_";
const EVENTS: &str = "events_";
const ROLLING: &str = "eventlog_v2_";
/// The report of a run.
const REPORT: &str = "report.json";
/// How the applications of Spark's cluster managers are named, and so their logs.
const APPLICATIONS: [&str; 5] = ["app-", "application_", "local-", "spark-", "driver-"];
/// What may follow the name of an application.
const ENDINGS: [&str; 8] = [
    "zstd",
    "zst",
    "lz4",
    "snappy",
    "lzf",
    "inprogress",
    "compact",
    "log",
];
/// Names in a message about several logs.
const MAX_NAMED: usize = 5;

/// The number of `events_<n>_<application>`.
fn number(name: &str) -> Option<u64> {
    name.strip_prefix(EVENTS)?.split_once('_')?.0.parse().ok()
}

fn name_of(key: &str) -> &str {
    key.rsplit_once('/').map_or(key, |(_, name)| name)
}

/// The log that the keys below one location are: one file, or the files of one rolling folder.
///
/// # Errors
/// [`EventsError::NoFiles`], or [`EventsError::Several`] when the keys are those of several logs.
pub fn log_files<'a>(keys: impl IntoIterator<Item = &'a str>) -> Result<LogFiles, EventsError> {
    let is_hidden = |key: &&str| name_of(key).starts_with('.') || name_of(key).starts_with("_SUCCESS");
    let mut keys: Vec<&str> = keys.into_iter().filter(|key| !is_hidden(key)).collect();
    // A file that is given by itself may have any name; among others it is told by it.
    if keys.len() > 1 {
        keys.retain(|key| may_be_log(key));
    }
    let mut logs: Vec<String> = keys.iter().map(|key| log_of(key)).collect();
    logs.sort_unstable();
    logs.dedup();
    match (logs.as_slice(), keys.as_slice()) {
        ([], _) => return Err(EventsError::NoFiles),
        ([_], [only]) if number(name_of(only)).is_none() => {
            if name_of(only).starts_with(STATUS) {
                return Err(EventsError::NoFiles);
            }
            return Ok(LogFiles {
                keys: vec![(*only).to_owned()],
                is_in_progress: only.ends_with(IN_PROGRESS),
                notes: Vec::new(),
            });
        }
        ([_], _) => {}
        (several, _) => {
            let mut names = several
                .iter()
                .take(MAX_NAMED)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            if several.len() > MAX_NAMED {
                names.push_str(", …");
            }
            return Err(EventsError::Several { names });
        }
    }
    rolling(&keys)
}

/// Whether a file could be a log or a report by its name: tables, pictures and what a run keeps for itself are none.
fn may_be_log(key: &str) -> bool {
    let name = name_of(key);
    let folder = name_of(key.strip_suffix(name).unwrap_or_default().trim_end_matches('/'));
    let mut stem = name;
    while let Some((rest, ending)) = stem.rsplit_once('.') {
        if !ENDINGS.contains(&ending) {
            break;
        }
        stem = rest;
    }
    name == REPORT
        || folder.starts_with(ROLLING)
        || APPLICATIONS.iter().any(|word| name.starts_with(word))
        || !stem.contains('.')
}

/// Which log a key belongs to: its folder for a rolling log, itself otherwise.
fn log_of(key: &str) -> String {
    let name = name_of(key);
    let folder = key.strip_suffix(name).unwrap_or_default().trim_end_matches('/');
    let is_rolling =
        number(name).is_some() || name.starts_with(STATUS) || name_of(folder).starts_with(ROLLING);
    if is_rolling {
        folder.to_owned()
    } else {
        key.to_owned()
    }
}

fn rolling(keys: &[&str]) -> Result<LogFiles, EventsError> {
    let mut numbered: Vec<(u64, bool, &str)> = keys
        .iter()
        .filter_map(|key| Some((number(name_of(key))?, key.ends_with(COMPACT), *key)))
        .collect();
    numbered.sort_unstable();
    let compacted = numbered
        .iter()
        .filter(|(_, is_compact, _)| *is_compact)
        .map(|(n, ..)| *n)
        .max();
    let mut notes = Vec::new();
    if let Some(from) = compacted {
        // The compacted file stands for itself and all before it.
        numbered.retain(|(n, is_compact, _)| *n > from || (*n == from && *is_compact));
        notes.push(format!(
            "Spark compacted this log up to file {from}: events of finished jobs before that are gone"
        ));
    }
    let first = numbered.first().map(|(n, ..)| *n);
    for pair in numbered.windows(2) {
        if let [(before, ..), (after, ..)] = pair
            && *after > before + 1
        {
            notes.push(format!(
                "files {} to {} of the log are missing",
                before + 1,
                after - 1
            ));
        }
    }
    if compacted.is_none()
        && let Some(first) = first.filter(|first| *first > 1)
    {
        notes.push(format!(
            "the log starts with file {first}: what came before is missing"
        ));
    }
    if numbered.is_empty() {
        return Err(EventsError::NoFiles);
    }
    let is_running = |key: &&str| name_of(key).starts_with(STATUS) && key.ends_with(IN_PROGRESS);
    Ok(LogFiles {
        keys: numbered.iter().map(|(_, _, key)| (*key).to_owned()).collect(),
        is_in_progress: keys.iter().any(is_running),
        notes,
    })
}

#[cfg(test)]
mod tests {
    use super::{LogFiles, log_files};
    use crate::profile::events::EventsError;

    fn keys(of: &[&str]) -> LogFiles {
        log_files(of.iter().copied()).unwrap()
    }

    #[test]
    fn rolling_files_are_in_the_order_of_their_numbers_and_not_of_their_names() {
        let files = keys(&[
            "events_10_app-1.zstd",
            "events_9_app-1.zstd",
            "appstatus_app-1.inprogress",
            "events_8_app-1.zstd",
        ]);
        assert_eq!(
            files.keys,
            [
                "events_8_app-1.zstd",
                "events_9_app-1.zstd",
                "events_10_app-1.zstd"
            ]
        );
        assert!(files.is_in_progress);
        assert!(files.notes[0].contains("starts with file 8"), "{:?}", files.notes);
    }

    #[test]
    fn a_compacted_file_replaces_what_came_before_it_and_this_is_said() {
        let files = keys(&[
            "events_1_a",
            "events_2_a",
            "events_2_a.compact",
            "events_4_a",
            "appstatus_a",
        ]);
        assert_eq!(files.keys, ["events_2_a.compact", "events_4_a"]);
        assert!(files.notes[0].contains("compacted"), "{:?}", files.notes);
        assert!(files.notes[1].contains("files 3 to 3"), "{:?}", files.notes);
        assert!(!files.is_in_progress);
    }

    #[test]
    fn of_what_runs_leave_only_reports_are_meant() {
        let left = ["t/2020-01-01/ledger/1.parquet", "t/runs/a/report.json"];
        assert_eq!(keys(&left).keys, ["t/runs/a/report.json"]);
        let error = log_files([left[0], left[1], "t/runs/b/report.json"]).unwrap_err();
        let message = error.to_string();
        assert!(
            message.ends_with("t/runs/a/report.json, t/runs/b/report.json"),
            "{message}"
        );
    }

    #[test]
    fn one_file_is_one_log_and_several_logs_are_named() {
        assert!(keys(&["app-1.zstd.inprogress"]).is_in_progress);
        assert_eq!(
            keys(&["eventlog_v2_a/events_1_a", "eventlog_v2_a/appstatus_a"])
                .keys
                .len(),
            1
        );
        let error = log_files(["app-1", "eventlog_v2_a/events_1_a"])
            .unwrap_err()
            .to_string();
        assert!(error.contains("app-1, eventlog_v2_a"), "{error}");
        assert!(log_files([]).is_err() && log_files(["appstatus_a"]).is_err());
    }

    #[test]
    fn a_lake_or_a_plan_holds_no_logs_and_a_log_beside_other_files_is_found() {
        let lake = [
            "2020-01-01/part-0.jsonl.zst",
            "2020-01-01/part-1.parquet",
            "a.png",
        ];
        assert!(matches!(log_files(lake), Err(EventsError::NoFiles)));
        let plan = ["plan.json", "tasks/00000.parquet", "done/00000.json"];
        assert!(matches!(log_files(plan), Err(EventsError::NoFiles)));
        for log in ["application_1_2_1.lz4", "local-1.inprogress", "app-1", "mine.log"] {
            assert_eq!(keys(&["notes.txt", log, "x.csv"]).keys, [log]);
        }
        assert_eq!(keys(&["any.json"]).keys, ["any.json"]);
    }
}
