//! When each unit of work ran on which worker, and which files took longest to decode: for a report, in bounded detail.

use std::time::Instant;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::objects::Objects;

/// Units of a day that are told one by one.
const MAX_SPANS: usize = 500;
/// Units that a worker did without a pause are told as one up to this many stored bytes, so that a day of gigabytes is
/// told in whole.
const SPAN_BYTES: u64 = 32 << 20;
/// What is no pause.
const PAUSE_SECONDS: f64 = 0.05;
/// Files of a day that are named.
const MAX_FILES: usize = 20;

/// What the workers of a day did.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct WorkReport {
    /// The first units, in the order of their rows.
    pub spans: Vec<WorkSpan>,
    /// Units beyond those in `spans`.
    pub n_spans_left_out: u64,
    /// By the time that decoding took, slowest first.
    pub slowest_files: Vec<SlowFile>,
}

/// Units of work of one worker, one after another: their files decoded, and the rows taken through the steps that look at
/// one row at a time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct WorkSpan {
    pub worker: u32,
    /// Since the day's work began.
    pub start_seconds: f64,
    /// Waiting for the writer included.
    pub seconds: f64,
    pub n_files: u64,
    /// As stored.
    pub n_bytes: u64,
    /// Of its requests, before it was worked on.
    pub fetch_seconds: f64,
}

/// A file by the time that its decoding took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SlowFile {
    /// Relative to the source.
    pub key: String,
    pub n_bytes: u64,
    pub seconds: f64,
}

impl WorkReport {
    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.slowest_files.is_empty()
    }

    /// Adds one unit with its files.
    pub(super) fn add(&mut self, span: WorkSpan, files: Vec<SlowFile>) {
        let mut spans = self.spans.iter_mut().rev();
        match spans.find(|last| last.worker == span.worker) {
            Some(last) if last.goes_on_with(&span) => last.extend(&span),
            _ => self.push(span),
        }
        self.add_files(files);
    }

    fn push(&mut self, span: WorkSpan) {
        if self.spans.len() < MAX_SPANS {
            self.spans.push(span);
        } else {
            self.n_spans_left_out += 1;
        }
    }

    /// Adds what another task did.
    pub(super) fn merge(&mut self, other: Self) {
        self.n_spans_left_out += other.n_spans_left_out;
        for span in other.spans {
            self.push(span);
        }
        self.add_files(other.slowest_files);
    }

    fn add_files(&mut self, files: Vec<SlowFile>) {
        if files.is_empty() {
            return;
        }
        self.slowest_files.extend(files);
        self.slowest_files.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        self.slowest_files.truncate(MAX_FILES);
    }
}

impl WorkSpan {
    fn end_seconds(&self) -> f64 {
        self.start_seconds + self.seconds
    }

    fn goes_on_with(&self, next: &Self) -> bool {
        let pause = next.start_seconds - self.end_seconds();
        self.n_bytes + next.n_bytes <= SPAN_BYTES && (0.0..PAUSE_SECONDS).contains(&pause)
    }

    fn extend(&mut self, next: &Self) {
        self.seconds = next.end_seconds() - self.start_seconds;
        self.n_files += next.n_files;
        self.n_bytes += next.n_bytes;
        self.fetch_seconds += next.fetch_seconds;
    }
}

/// Takes the times of one unit.
pub(super) struct UnitClock {
    start: Instant,
    /// Index of each object with its seconds; few enough to sort.
    files: Vec<(usize, f64)>,
}

impl UnitClock {
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
            files: Vec::new(),
        }
    }

    pub fn file(&mut self, index: usize, seconds: f64) {
        // Halves the list now and then, so that a unit of many small files keeps a few.
        if self.files.len() >= 8 * MAX_FILES {
            self.keep_slowest();
        }
        // A file that is decoded again by itself is one file.
        self.files.retain(|(known, _)| *known != index);
        self.files.push((index, seconds));
    }

    fn keep_slowest(&mut self) {
        self.files.sort_by(|a, b| b.1.total_cmp(&a.1));
        self.files.truncate(MAX_FILES);
    }

    /// The unit's span, which began after `began`, and its slowest files.
    pub fn stop(mut self, began: Instant, objects: &Objects) -> (WorkSpan, Vec<SlowFile>) {
        self.keep_slowest();
        let files = self.files.iter().filter_map(|(index, seconds)| {
            let object = objects.get(*index)?;
            Some(SlowFile {
                key: object.key.to_owned(),
                n_bytes: object.size,
                seconds: *seconds,
            })
        });
        let span = WorkSpan {
            start_seconds: self.start.saturating_duration_since(began).as_secs_f64(),
            seconds: self.start.elapsed().as_secs_f64(),
            ..WorkSpan::default()
        };
        (span, files.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_FILES, MAX_SPANS, SlowFile, WorkReport, WorkSpan};

    #[test]
    fn any_number_of_units_leaves_a_report_of_bounded_size_with_the_slowest_files() {
        let mut report = WorkReport::default();
        for n in 0..1000_u32 {
            let file = |share: f64| SlowFile {
                key: format!("{n}"),
                n_bytes: 1,
                seconds: f64::from(n) * share,
            };
            let span = WorkSpan {
                start_seconds: f64::from(n),
                ..WorkSpan::default()
            };
            report.add(span, vec![file(1.0), file(0.5)]);
        }
        assert_eq!((report.spans.len(), report.n_spans_left_out), (MAX_SPANS, 500));
        assert_eq!(report.slowest_files.len(), MAX_FILES);
        assert_eq!(report.slowest_files[0].key, "999");
        let mut other = WorkReport::default();
        other.merge(report.clone());
        assert_eq!(other, report);
    }

    #[test]
    fn small_units_without_a_pause_are_one_span_of_their_worker() {
        let mut report = WorkReport::default();
        let span = |worker, start_seconds, seconds, n_bytes| WorkSpan {
            worker,
            start_seconds,
            seconds,
            n_files: 3,
            n_bytes,
            fetch_seconds: 0.25,
        };
        let mib = 1 << 20;
        for unit in [
            span(1, 0.0, 1.0, 4 * mib),
            span(2, 0.5, 1.0, 4 * mib),
            span(1, 1.0, 0.5, 4 * mib),
            // After a pause.
            span(2, 2.0, 1.0, 4 * mib),
            // More than one span tells.
            span(1, 1.5, 1.0, 28 * mib),
        ] {
            report.add(unit, Vec::new());
        }
        let joined = WorkSpan {
            n_files: 6,
            fetch_seconds: 0.5,
            ..span(1, 0.0, 1.5, 8 * mib)
        };
        let expected = [
            joined,
            span(2, 0.5, 1.0, 4 * mib),
            span(2, 2.0, 1.0, 4 * mib),
            span(1, 1.5, 1.0, 28 * mib),
        ];
        assert_eq!(report.spans, expected);
        assert_eq!(report.n_spans_left_out, 0);
    }
}
