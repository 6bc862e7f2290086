//! One of our own runs, from the report that it prints and leaves: days, stages of work, workers, slowest files.
//!
//! The report is `run`'s to write. What is read of it here is held to it by a test that runs a job.

use serde::{Deserialize, Serialize};

use super::EventsError;
use crate::base::units;

/// A run as a timeline. Every figure is the report's own, exact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnRun {
    /// `RunReport`.
    pub kind: String,
    pub run_id: String,
    #[serde(default)]
    pub job: String,
    pub status: String,
    /// In the order they ran.
    #[serde(default)]
    pub partitions: Vec<OwnDay>,
    pub peak_rss_bytes: Option<u64>,
    /// From its beginning to its report; older reports lack it.
    #[serde(default)]
    pub wall_seconds: Option<f64>,
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Of the spec as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_sha256: Option<String>,
    /// Version of the program that ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
}

/// One day of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnDay {
    pub partition: String,
    pub status: String,
    pub rows_in: u64,
    pub rows_out: u64,
    #[serde(default)]
    pub rows_filtered: u64,
    #[serde(default)]
    pub rows_quarantined: u64,
    #[serde(default)]
    pub rows_merged: u64,
    #[serde(default)]
    pub rows_made: u64,
    pub n_files: u64,
    #[serde(default)]
    pub n_bytes_in: u64,
    pub seconds: OwnSeconds,
    /// When and where units of work ran; older reports lack it.
    #[serde(default)]
    pub work: OwnWork,
    #[serde(default)]
    pub message: Option<String>,
}

/// What became of rows: `in = out + filtered + quarantined + merged - made`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct OwnBooks {
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_filtered: u64,
    pub rows_quarantined: u64,
    pub rows_merged: u64,
    pub rows_made: u64,
}

impl OwnBooks {
    fn add(&mut self, day: &OwnDay) {
        self.rows_in += day.rows_in;
        self.rows_out += day.rows_out;
        self.rows_filtered += day.rows_filtered;
        self.rows_quarantined += day.rows_quarantined;
        self.rows_merged += day.rows_merged;
        self.rows_made += day.rows_made;
    }

    /// Rows in that the rest does not account for; zero where the books balance.
    pub fn n_unaccounted(&self) -> i128 {
        let [rows_in, out, filtered, quarantined, merged, made] = [
            self.rows_in,
            self.rows_out,
            self.rows_filtered,
            self.rows_quarantined,
            self.rows_merged,
            self.rows_made,
        ]
        .map(i128::from);
        rows_in - (out + filtered + quarantined + merged - made)
    }

    /// ``12 in = 9 out + 2 filtered + 1 quarantined``, with what was merged and made where there is any.
    pub fn text(&self) -> String {
        let count = units::count;
        let changed = if self.rows_merged + self.rows_made > 0 {
            format!(
                " + {} merged − {} made",
                count(self.rows_merged),
                count(self.rows_made)
            )
        } else {
            String::new()
        };
        format!(
            "{} in = {} out + {} filtered + {} quarantined{changed}",
            count(self.rows_in),
            count(self.rows_out),
            count(self.rows_filtered),
            count(self.rows_quarantined)
        )
    }
}

/// Time of each stage. `list` and `commit` pass on the clock, the others add up over threads and requests.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct OwnSeconds {
    pub list: f64,
    pub fetch: f64,
    pub decode: f64,
    pub transform: f64,
    pub encode: f64,
    pub commit: f64,
}

impl OwnSeconds {
    /// Why the stages add up to more than the run took: readers see both side by side.
    pub const NOTE: &'static str =
        "Listing and commits on the clock, the rest added up over threads and requests at work at once.";

    /// The stages by name, in their order.
    pub fn stages(&self) -> [(&'static str, f64); 6] {
        [
            ("list", self.list),
            ("fetch", self.fetch),
            ("decode", self.decode),
            ("transform", self.transform),
            ("encode", self.encode),
            ("commit", self.commit),
        ]
    }

    pub fn total(&self) -> f64 {
        self.stages().iter().map(|(_, seconds)| seconds).sum()
    }

    fn add(&mut self, other: &Self) {
        self.list += other.list;
        self.fetch += other.fetch;
        self.decode += other.decode;
        self.transform += other.transform;
        self.encode += other.encode;
        self.commit += other.commit;
    }
}

impl OwnDay {
    /// Bytes of the files that were read, as stored. The report of a plan's commit tells them by its units of work only.
    pub fn bytes_read(&self) -> u64 {
        if self.n_bytes_in > 0 {
            return self.n_bytes_in;
        }
        self.work.spans.iter().map(|span| span.n_bytes).sum()
    }

    /// Rows that the run put into the table: none of a day that ended otherwise.
    pub fn rows_kept(&self) -> u64 {
        if self.is_in_table() { self.rows_out } else { 0 }
    }

    /// Whether the day ended as it was asked for; else what it wrote was thrown away.
    pub fn is_in_table(&self) -> bool {
        !matches!(self.status.as_str(), "failed" | "cancelled" | "budget_exceeded")
    }
}

/// What the workers of a day did, in bounded detail.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct OwnWork {
    #[serde(default)]
    pub spans: Vec<OwnSpan>,
    /// Units beyond those in `spans`.
    #[serde(default)]
    pub n_spans_left_out: u64,
    #[serde(default)]
    pub slowest_files: Vec<OwnFile>,
}

/// One unit of work on one worker: its files decoded and transformed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnSpan {
    pub worker: u32,
    /// Since the day's work began.
    pub start_seconds: f64,
    pub seconds: f64,
    pub n_files: u64,
    pub n_bytes: u64,
    /// Of requests, before the unit was worked on.
    #[serde(default)]
    pub fetch_seconds: f64,
}

/// A file by the time that its decoding took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnFile {
    pub key: String,
    pub n_bytes: u64,
    pub seconds: f64,
}

impl OwnRun {
    /// Reads the report of a run.
    ///
    /// # Errors
    /// [`EventsError::Report`] when the text is another document or is damaged.
    pub fn from_json(name: &str, text: &str) -> Result<Self, EventsError> {
        let error = |message: String| EventsError::Report {
            name: name.to_owned(),
            message,
        };
        let run: Self = serde_json::from_str(text).map_err(|problem| error(problem.to_string()))?;
        if run.kind != "RunReport" {
            return Err(error(format!(
                "this is a `{}`, not the report of a run",
                run.kind
            )));
        }
        Ok(run)
    }

    /// Whether a file's beginning looks like a report, and not like a line of an event log.
    pub fn is_report(head: &[u8]) -> bool {
        let head = head.trim_ascii_start();
        let word = b"\"RunReport\"";
        head.first() == Some(&b'{')
            && !head.starts_with(b"{\"Event\"")
            && head.windows(word.len()).any(|window| window == word)
    }

    /// When it began by its name, `20261121T184925-2640…`, in milliseconds since the epoch; none for another name.
    pub fn started_ms(&self) -> Option<i64> {
        Some(self.began()?.and_utc().timestamp_millis())
    }

    /// As [`OwnRun::started_ms`], in UTC.
    fn began(&self) -> Option<chrono::NaiveDateTime> {
        let stamp = self.run_id.split('-').next()?;
        chrono::NaiveDateTime::parse_from_str(stamp, "%Y%m%dT%H%M%S").ok()
    }

    /// `2026-11-21 18:49:25`, or the name where it does not tell when the run began.
    pub fn started_text(&self) -> String {
        self.began()
            .map_or_else(|| self.run_id.clone(), |began| began.to_string())
    }

    /// The books of the days that are in the table, and those of the days that ended otherwise: what those wrote was thrown
    /// away, and what they had counted by then need not balance.
    pub fn books(&self) -> (OwnBooks, OwnBooks) {
        let (mut whole, mut ended) = (OwnBooks::default(), OwnBooks::default());
        for day in &self.partitions {
            let books = if day.is_in_table() { &mut whole } else { &mut ended };
            books.add(day);
        }
        (whole, ended)
    }

    /// Days that are not as they were asked for: failed, cancelled, or over their error budget.
    pub fn n_ended(&self) -> u64 {
        self.partitions.iter().filter(|day| !day.is_in_table()).count() as u64
    }

    /// Time of each stage over all days.
    pub fn seconds(&self) -> OwnSeconds {
        let mut total = OwnSeconds::default();
        for day in &self.partitions {
            total.add(&day.seconds);
        }
        total
    }

    /// The slowest files of all days, each with its day.
    pub fn slowest_files(&self) -> Vec<(&str, &OwnFile)> {
        let mut files: Vec<(&str, &OwnFile)> = self
            .partitions
            .iter()
            .flat_map(|day| {
                day.work
                    .slowest_files
                    .iter()
                    .map(|file| (day.partition.as_str(), file))
            })
            .collect();
        files.sort_by(|a, b| b.1.seconds.total_cmp(&a.1.seconds));
        files
    }

    pub fn n_bytes_in(&self) -> u64 {
        self.partitions.iter().map(OwnDay::bytes_read).sum()
    }

    /// Why nothing was read: all days were committed before, or have no files. None where something was.
    pub fn nothing_new(&self) -> Option<String> {
        let n_of = |status: &str| {
            let days = self.partitions.iter().filter(|day| day.status == status);
            days.count() as u64
        };
        let (committed, empty) = (n_of("already_committed"), n_of("no_data"));
        if self.partitions.is_empty() {
            return Some("the run had no days".to_owned());
        }
        if committed + empty < self.partitions.len() as u64 {
            return None;
        }
        let mut parts = Vec::new();
        if committed > 0 {
            parts.push(format!(
                "{} committed by an earlier run",
                units::plural(committed, "day")
            ));
        }
        if empty > 0 {
            parts.push(format!("{} without files", units::plural(empty, "day")));
        }
        Some(format!("nothing new: {}", parts.join(", ")))
    }

    /// Workers that had something to do, over all days; zero where the report does not tell.
    pub fn n_workers(&self) -> u64 {
        let spans = self.partitions.iter().flat_map(|day| &day.work.spans);
        let workers: std::collections::BTreeSet<u32> = spans.map(|span| span.worker).collect();
        workers.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::OwnRun;

    /// A run of days with these statuses, each with what it tells of its bytes and work.
    fn run(days: &[(&str, &str)]) -> OwnRun {
        let days: Vec<String> = days
            .iter()
            .map(|(status, more)| {
                format!(
                    r#"{{"partition":"2020-01-01","status":"{status}","rows_in":0,"rows_out":0,"n_files":2,"seconds":
                        {{"list":0,"fetch":0,"decode":0,"transform":0,"encode":0,"commit":0}}{more}}}"#
                )
            })
            .collect();
        let text = format!(
            r#"{{"kind":"RunReport","run_id":"r","status":"done","partitions":[{}]}}"#,
            days.join(",")
        );
        OwnRun::from_json("report.json", &text).unwrap()
    }

    #[test]
    fn a_run_that_had_nothing_to_do_says_why() {
        let told = |days: &[(&str, &str)]| run(days).nothing_new();
        let (before, empty) = (("already_committed", ""), ("no_data", ""));
        assert_eq!(
            told(&[before, before, empty]).as_deref(),
            Some("nothing new: 2 days committed by an earlier run, 1 day without files")
        );
        assert_eq!(
            told(&[empty]).as_deref(),
            Some("nothing new: 1 day without files")
        );
        assert_eq!(told(&[before, ("committed", "")]), None);
        assert_eq!(told(&[("failed", "")]), None);
        assert_eq!(told(&[]).as_deref(), Some("the run had no days"));
    }

    #[test]
    fn the_bytes_of_a_plan_are_those_of_its_units_of_work() {
        let work = r#","work":{"spans":[
            {"worker":0,"start_seconds":0,"seconds":1,"n_files":1,"n_bytes":70},
            {"worker":3,"start_seconds":0,"seconds":1,"n_files":1,"n_bytes":30}]}"#;
        let planned = run(&[("committed", work), ("committed", work)]);
        assert_eq!((planned.n_bytes_in(), planned.n_workers()), (200, 2));
        // What the report tells of the day itself comes first.
        let told = format!(r#","n_bytes_in":150{work}"#);
        assert_eq!(run(&[("committed", &told)]).n_bytes_in(), 150);
        assert_eq!(run(&[("already_committed", "")]).n_workers(), 0);
    }
}
