//! Two of our own runs: which stages of work and which days got slower or faster, and what else differs.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::compare::settings;
use super::own_run::{OwnDay, OwnRun};
use super::paired::{Paired, SettingDelta};
use super::told::told_missing_in;
use crate::base::units;

/// Before and after. Differences are after less before: negative is faster.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OwnDelta {
    pub before_run: String,
    pub after_run: String,
    /// Figures of the whole runs side by side.
    pub totals: Vec<Paired>,
    /// Time of each stage of work over all days, in their order.
    pub stages: Vec<Paired>,
    /// Days that both have, largest change of work first.
    pub days: Vec<OwnDayDelta>,
    /// Days that only one of them has.
    pub only_before: Vec<String>,
    pub only_after: Vec<String>,
    /// Warnings and messages of days of kinds that only the later run has; paths, names of runs and numbers make no kind.
    pub appeared: Vec<String>,
    pub gone: Vec<String>,
    pub configuration: Vec<SettingDelta>,
    /// What a reader of the comparison must know.
    pub notes: Vec<String>,
}

/// One day in both runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OwnDayDelta {
    pub partition: String,
    pub before_status: String,
    pub after_status: String,
    pub before_seconds: f64,
    pub after_seconds: f64,
    /// Of all stages of work.
    pub seconds: f64,
    pub rows_before: u64,
    pub rows_after: u64,
    pub n_bytes_before: u64,
    pub n_bytes_after: u64,
}

impl OwnDayDelta {
    /// Its time of work in both.
    pub fn work(&self) -> Paired {
        Paired::time("work", Some(self.before_seconds), Some(self.after_seconds))
    }
}

/// Compares two reports.
pub fn compare_own(before: &OwnRun, after: &OwnRun) -> OwnDelta {
    let by_day: HashMap<&str, &OwnDay> = after
        .partitions
        .iter()
        .map(|day| (day.partition.as_str(), day))
        .collect();
    let mut days: Vec<OwnDayDelta> = before
        .partitions
        .iter()
        .filter_map(|day| Some(delta(day, by_day.get(day.partition.as_str())?)))
        .collect();
    days.sort_by(|a, b| {
        b.seconds
            .abs()
            .total_cmp(&a.seconds.abs())
            .then_with(|| a.partition.cmp(&b.partition))
    });
    let stages = before
        .seconds()
        .stages()
        .into_iter()
        .zip(after.seconds().stages());
    let only_before = days_missing_in(before, after);
    let only_after = days_missing_in(after, before);
    let mut notes = notes(before, after, &days);
    let mut totals = totals(before, after);
    if !(only_before.is_empty() && only_after.is_empty()) {
        let day = |n: usize| units::plural(n as u64, "day");
        notes.push(format!(
            "the runs are of different days, {} before and {} after: totals say nothing of better or worse",
            day(before.partitions.len()),
            day(after.partitions.len())
        ));
        for total in &mut totals {
            if total.name != RATE {
                *total = total.without_wish();
            }
        }
    }
    OwnDelta {
        before_run: before.run_id.clone(),
        after_run: after.run_id.clone(),
        totals,
        stages: stages
            .map(|((name, before), (_, after))| Paired::time(name, Some(before), Some(after)))
            .collect(),
        only_before,
        only_after,
        appeared: told_missing_in(after, before),
        gone: told_missing_in(before, after),
        configuration: settings(&settings_of(before), &settings_of(after)),
        notes,
        days,
    }
}

const RATE: &str = "work a GB read";

/// Less than this on one side says nothing of a rate: opening, listing and committing take as long for a few files.
const MIN_RATE_BYTES: u64 = 100_000_000;

fn totals(before: &OwnRun, after: &OwnRun) -> Vec<Paired> {
    let sum = |of: fn(&OwnDay) -> u64| {
        let total = |run: &OwnRun| run.partitions.iter().map(of).sum::<u64>();
        (total(before), total(after))
    };
    let count = |name, (before, after)| Paired::count(name, before, after);
    let work = (before.seconds().total(), after.seconds().total());
    let bytes = (before.n_bytes_in(), after.n_bytes_in());
    let has_rate = has_rate(before, after);
    let a_gigabyte = |work: f64, bytes: u64| has_rate.then(|| work / (bytes as f64 / 1e9));
    vec![
        Paired::time("wall time", before.wall_seconds, after.wall_seconds),
        Paired::time("work", Some(work.0), Some(work.1)),
        Paired::time(
            "work a GB read",
            a_gigabyte(work.0, bytes.0),
            a_gigabyte(work.1, bytes.1),
        ),
        Paired::bytes("read", bytes.0, bytes.1),
        count("files", sum(|day| day.n_files)),
        count("rows read", sum(|day| day.rows_in)),
        count("rows out", sum(OwnDay::rows_kept)),
        count("rows filtered", sum(|day| day.rows_filtered)),
        count("rows quarantined", sum(|day| day.rows_quarantined)).less_is_better(),
        count(
            "days",
            (before.partitions.len() as u64, after.partitions.len() as u64),
        ),
        Paired::bytes("peak memory", before.peak_rss_bytes, after.peak_rss_bytes).less_is_better(),
    ]
}

/// Whether both read enough for their work a GB to be compared.
fn has_rate(before: &OwnRun, after: &OwnRun) -> bool {
    before.n_bytes_in().min(after.n_bytes_in()) >= MIN_RATE_BYTES
}

fn delta(before: &OwnDay, after: &OwnDay) -> OwnDayDelta {
    let (old, new) = (before.seconds.total(), after.seconds.total());
    OwnDayDelta {
        partition: before.partition.clone(),
        before_status: before.status.clone(),
        after_status: after.status.clone(),
        before_seconds: old,
        after_seconds: new,
        seconds: new - old,
        rows_before: before.rows_kept(),
        rows_after: after.rows_kept(),
        n_bytes_before: before.bytes_read(),
        n_bytes_after: after.bytes_read(),
    }
}

fn days_missing_in(of: &OwnRun, other: &OwnRun) -> Vec<String> {
    let has = |day: &&OwnDay| {
        other
            .partitions
            .iter()
            .any(|there| there.partition == day.partition)
    };
    of.partitions
        .iter()
        .filter(|day| !has(day))
        .map(|day| day.partition.clone())
        .collect()
}

fn settings_of(run: &OwnRun) -> BTreeMap<String, String> {
    let settings = [
        ("job", Some(&run.job)),
        ("spec, by its SHA-256", run.spec_sha256.as_ref()),
        ("version of Skewer", run.engine.as_ref()),
    ];
    settings
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), short(value?))))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

/// Enough of a checksum to tell two apart.
fn short(text: &str) -> String {
    let is_sum = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let head = text.get(..12).filter(|_| is_sum);
    head.map_or_else(|| text.to_owned(), |head| format!("{head}…"))
}

fn notes(before: &OwnRun, after: &OwnRun, days: &[OwnDayDelta]) -> Vec<String> {
    let mut notes = Vec::new();
    if days.is_empty() {
        notes.push(if has_rate(before, after) {
            "the runs have no day in common: compare their work a GB read".to_owned()
        } else {
            format!(
                "the runs have no day in common, and one of them read less than {}: too little for a work a GB",
                units::bytes(MIN_RATE_BYTES)
            )
        });
    }
    if before.status != after.status {
        notes.push(format!(
            "the run was {} before, {} after",
            before.status.replace('_', " "),
            after.status.replace('_', " ")
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::compare_own;
    use crate::profile::events::OwnRun;

    fn run(id: &str, sha: &str, days: &[(&str, &str, f64, u64)], warning: &str) -> OwnRun {
        let days: Vec<String> = days
            .iter()
            .map(|(day, status, decode, rows)| {
                format!(
                    r#"{{"partition":"{day}","status":"{status}","rows_in":{rows},"rows_out":{rows},"n_files":2,
                    "n_bytes_in":1000000,"seconds":{{"list":0,"fetch":1,"decode":{decode},"transform":0,"encode":0,
                    "commit":0}}}}"#
                )
            })
            .collect();
        let text = format!(
            r#"{{"kind":"RunReport","run_id":"{id}","job":"j","status":"done","spec_sha256":"{sha}","engine":"0.1.0",
            "warnings":["{warning}"],"partitions":[{}]}}"#,
            days.join(",")
        );
        OwnRun::from_json("report", &text).unwrap()
    }

    #[test]
    fn the_same_warning_in_other_words_is_neither_new_nor_gone() {
        let warning = |run: &str, path: &str, n: u32| {
            format!(
                "{n} files of {path}/part-{n}.jsonl were read twice by run {run}, see `{path}`; column `n` is uint64"
            )
        };
        let (first, second) = (
            "20261121T184925-0123456789abcdef",
            "20261122T070000-fedcba9876543210",
        );
        let day: &[(&str, &str, f64, u64)] = &[("2020-01-01", "committed", 1.0, 10)];
        let before = run(first, "", day, &warning(first, "/lake/raw/2020/01/01", 3));
        let mut after = run(second, "", day, &warning(second, "s3://b/raw/2020/01/02", 12));
        let delta = compare_own(&before, &after);
        assert_eq!((delta.appeared.len(), delta.gone.len()), (0, 0), "{delta:?}");
        // Another column is another warning.
        after.warnings[0] = after.warnings[0].replace("`n`", "`m`");
        let delta = compare_own(&before, &after);
        assert_eq!(
            (&delta.appeared, &delta.gone),
            (&after.warnings, &before.warnings)
        );
    }

    #[test]
    fn a_message_is_compared_with_the_same_day_and_a_day_alone_with_all() {
        let failed = |day: &str, message: &str| {
            let mut run = run("r", "", &[(day, "failed", 1.0, 0)], "w");
            run.partitions[0].message = Some(message.to_owned());
            run
        };
        let delta = |before: &OwnRun, after: &OwnRun| {
            let delta = compare_own(before, after);
            (delta.appeared.len(), delta.gone.len())
        };
        let timeout = failed("2020-01-01", "/a/b.jsonl: timed out after 30 s");
        assert_eq!(
            delta(
                &timeout,
                &failed("2020-01-01", "/a/c.jsonl: timed out after 31 s")
            ),
            (0, 0)
        );
        assert_eq!(
            delta(&timeout, &failed("2020-01-01", "/a/b.jsonl: not found")),
            (1, 1)
        );
        assert_eq!(
            delta(
                &timeout,
                &failed("2020-01-02", "/a/c.jsonl: timed out after 30 s")
            ),
            (0, 0)
        );
        let mut both = timeout.clone();
        both.partitions
            .push(failed("2020-01-02", "timed out after 3 s").partitions.remove(0));
        let mut healed = both.clone();
        healed.partitions[0].message = None;
        assert_eq!(delta(&both, &healed), (0, 1));
    }

    #[test]
    fn work_a_gigabyte_is_told_only_of_runs_that_read_enough() {
        let day: &[(&str, &str, f64, u64)] = &[("2020-01-01", "committed", 1.0, 10)];
        let (before, mut after) = (
            run("a", "", day, "w"),
            run("b", "", &[("2020-01-02", "committed", 1.0, 10)], "w"),
        );
        let rate = |before: &OwnRun, after: &OwnRun| {
            let totals = compare_own(before, after).totals;
            totals
                .into_iter()
                .find(|total| total.name == "work a GB read")
                .unwrap()
        };
        assert!(!rate(&before, &after).is_known());
        let notes = compare_own(&before, &after).notes.join(" ");
        assert!(notes.contains("less than 100 MB"), "{notes}");
        let mut large = before.clone();
        for run in [&mut large, &mut after] {
            run.partitions[0].n_bytes_in = 200_000_000;
        }
        let rate = rate(&large, &after);
        assert_eq!((rate.before, rate.after), (Some(10.0), Some(10.0)));
        let notes = compare_own(&large, &after).notes.join(" ");
        assert!(notes.contains("compare their work a GB read"), "{notes}");
    }

    #[test]
    fn two_reports_are_compared_by_stage_of_work_and_by_day() {
        let before = run(
            "a",
            &"a".repeat(64),
            &[
                ("2020-01-01", "committed", 3.0, 10),
                ("2020-01-02", "committed", 1.0, 5),
            ],
            "wide",
        );
        let after = run(
            "b",
            &"b".repeat(64),
            &[
                ("2020-01-02", "failed", 9.0, 5),
                ("2020-01-03", "committed", 1.0, 7),
            ],
            "late",
        );
        let delta = compare_own(&before, &after);
        let [day] = delta.days.as_slice() else {
            panic!("{delta:?}")
        };
        assert_eq!(
            (day.partition.as_str(), day.after_status.as_str(), day.seconds),
            ("2020-01-02", "failed", 8.0)
        );
        assert_eq!(
            (delta.only_before.as_slice(), delta.only_after.as_slice()),
            (
                ["2020-01-01".to_owned()].as_slice(),
                ["2020-01-03".to_owned()].as_slice()
            )
        );
        let wall = |delta: &super::OwnDelta| {
            let work = delta.totals.iter().find(|total| total.name == "work").unwrap();
            (work.change().is_some(), work.is_better())
        };
        assert_eq!(wall(&delta), (true, None), "two days are not three");
        assert!(
            delta
                .notes
                .iter()
                .any(|note| note.contains("2 days before and 2 days after"))
        );
        let decode = delta.stages.iter().find(|stage| stage.name == "decode").unwrap();
        assert_eq!((decode.change(), decode.is_better()), (Some(6.0), Some(false)));
        assert_eq!(
            (delta.appeared, delta.gone),
            (vec!["late".to_owned()], vec!["wide".to_owned()])
        );
        let [spec] = delta.configuration.as_slice() else {
            panic!("{:?}", delta.configuration)
        };
        assert_eq!(spec.before.as_deref(), Some("aaaaaaaaaaaa…"));
        let same = compare_own(&before, &before);
        assert!(same.configuration.is_empty() && same.appeared.is_empty() && same.notes.is_empty());
        assert!(same.totals.iter().all(|total| !total.is_notable()));
    }

    #[test]
    fn runs_of_other_days_say_so_and_divide_by_no_zero() {
        let nothing = run("a", "", &[], "w");
        let one = run("b", "", &[("2020-01-01", "committed", 1.0, 1)], "w");
        let delta = compare_own(&nothing, &one);
        assert!(delta.notes[0].contains("no day in common"), "{:?}", delta.notes);
        let a_gigabyte = delta
            .totals
            .iter()
            .find(|total| total.name == "work a GB read")
            .unwrap();
        assert_eq!(
            (a_gigabyte.before, a_gigabyte.change_text().as_str()),
            (None, "–")
        );
    }
}
