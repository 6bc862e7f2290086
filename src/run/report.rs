//! What a run tells of itself: one report a run, one entry a day, kept as `runs/<run_id>/report.json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};

use super::InputReport;
use super::error::exit;
use super::timeline::WorkReport;
use crate::base::envelope::API_VERSION;
use crate::dataset::Reason;
use crate::dataset::decode::Drift;
use crate::storage::Partition;
use crate::transform::StepCounts;

/// A finished run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunReport {
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    pub kind: String,
    pub run_id: String,
    pub job: String,
    pub status: RunStatus,
    pub exit_code: i32,
    /// Newest day first, the order they ran in.
    pub partitions: Vec<PartitionReport>,
    /// Highest resident memory of the process; none where the system does not say.
    pub peak_rss_bytes: Option<u64>,
    /// From the opening of the stores to this report. Tasks of a plan, which ran before their commit, are not in it.
    #[serde(default)]
    pub wall_seconds: Option<f64>,
    pub spec_sha256: String,
    /// Version of Skewer.
    pub engine: String,
    /// What other readers of the table will see differently.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    Done,
    /// Every day that ran was over its error budget.
    BudgetExceeded,
    /// Some days failed, others are done.
    SomeFailed,
    Failed,
    Cancelled,
}

/// How a day ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartitionStatus {
    Committed,
    /// Committed by an earlier run and left as it is.
    AlreadyCommitted,
    /// The source has no objects of this day.
    NoData,
    BudgetExceeded,
    Failed,
    Cancelled,
}

/// One day. Counts are exact. `rows_in = rows_out + filtered + quarantined + merged - made`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PartitionReport {
    /// The ISO date.
    #[schemars(with = "String")]
    pub partition: Partition,
    pub status: PartitionStatus,
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_filtered: u64,
    pub rows_quarantined: u64,
    pub rows_merged: u64,
    pub rows_made: u64,
    /// Files of the day's listing.
    pub n_files: u64,
    /// Files that no commit had read before.
    #[serde(default)]
    pub n_files_new: u64,
    /// Files whose content is another than the one that was read before.
    #[serde(default)]
    pub n_files_changed: u64,
    /// Files that the table was made of and that are gone; their rows stay.
    #[serde(default)]
    pub n_files_vanished: u64,
    /// Files that are truncated, corrupt or could not be decoded to their end.
    pub n_files_failed: u64,
    /// Of the files that were read, as stored.
    pub n_bytes_in: u64,
    pub steps: Vec<StepCounts>,
    /// What was read of each input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputReport>,
    pub drift: Drift,
    pub quarantine: QuarantineReport,
    /// The day's parts after the run.
    pub parts: Vec<PartReport>,
    pub seconds: Seconds,
    /// When and where units of work ran, and the slowest files.
    #[serde(default, skip_serializing_if = "WorkReport::is_empty")]
    pub work: WorkReport,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(skip)]
    pub(super) exit_code: i32,
}

/// Where a day's rejects are, and why they were rejected.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct QuarantineReport {
    /// None when nothing was rejected, when the day ended without its commit for another reason than its rejects, and for a
    /// replay whose rejects are in quarantine already.
    pub uri: Option<String>,
    pub by_reason: BTreeMap<Reason, u64>,
}

impl QuarantineReport {
    pub(super) fn add(&mut self, other: Self) {
        // Files of several tasks lie in one folder.
        self.uri = match (self.uri.take(), other.uri) {
            (Some(ours), Some(_)) => Some(match ours.rsplit_once('/') {
                Some((folder, name)) if !name.is_empty() => format!("{folder}/"),
                _ => ours,
            }),
            (ours, theirs) => ours.or(theirs),
        };
        for (reason, n) in other.by_reason {
            *self.by_reason.entry(reason).or_default() += n;
        }
    }
}

impl Seconds {
    pub(super) fn add(&mut self, other: &Self) {
        self.list += other.list;
        self.fetch += other.fetch;
        self.decode += other.decode;
        self.transform += other.transform;
        self.encode += other.encode;
        self.commit += other.commit;
    }
}

/// One published part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartReport {
    /// Whether this run wrote it.
    #[serde(default)]
    pub is_new: bool,
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
}

/// Time of each stage. `list` and `commit` pass on the clock, the others add up over threads and requests.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Seconds {
    pub list: f64,
    pub fetch: f64,
    pub decode: f64,
    pub transform: f64,
    pub encode: f64,
    pub commit: f64,
}

impl PartitionReport {
    pub(super) fn new(partition: Partition, status: PartitionStatus) -> Self {
        Self {
            partition,
            status,
            rows_in: 0,
            rows_out: 0,
            rows_filtered: 0,
            rows_quarantined: 0,
            rows_merged: 0,
            rows_made: 0,
            n_files: 0,
            n_files_new: 0,
            n_files_changed: 0,
            n_files_vanished: 0,
            n_files_failed: 0,
            n_bytes_in: 0,
            steps: Vec::new(),
            inputs: Vec::new(),
            drift: Drift::default(),
            quarantine: QuarantineReport::default(),
            parts: Vec::new(),
            seconds: Seconds::default(),
            work: WorkReport::default(),
            message: None,
            exit_code: exit::DONE,
        }
    }

    /// Names no file of rejects: there is none yet, or none any more.
    pub(super) fn hide_rejects(&mut self) {
        let of_inputs = self.inputs.iter_mut().map(|input| &mut input.quarantine);
        for quarantine in of_inputs.chain([&mut self.quarantine]) {
            quarantine.uri = None;
        }
    }

    pub fn is_good(&self) -> bool {
        matches!(
            self.status,
            PartitionStatus::Committed | PartitionStatus::AlreadyCommitted | PartitionStatus::NoData
        )
    }
}

impl RunReport {
    pub(super) fn new(
        run_id: String,
        job: &crate::job::Job,
        partitions: Vec<PartitionReport>,
        peak_rss_bytes: Option<u64>,
        wall_seconds: f64,
    ) -> Self {
        let (status, exit_code) = outcome(&partitions);
        Self {
            api_version: API_VERSION.to_owned(),
            kind: "RunReport".to_owned(),
            run_id,
            job: job.name().to_owned(),
            status,
            exit_code,
            partitions,
            peak_rss_bytes,
            wall_seconds: Some(wall_seconds),
            spec_sha256: job.spec_sha256.clone(),
            engine: env!("CARGO_PKG_VERSION").to_owned(),
            warnings: job.warnings.clone(),
        }
    }
}

/// The JSON Schema (draft 2020-12) of a run's report. Later versions add keys and keep these.
pub fn report_schema() -> serde_json::Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let generator = settings.into_generator();
    let mut schema = generator.into_root_schema_for::<RunReport>().to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), "Skewer run report".into());
    }
    schema
}

/// The run's status and exit code from its days.
fn outcome(partitions: &[PartitionReport]) -> (RunStatus, i32) {
    if partitions
        .iter()
        .any(|day| day.status == PartitionStatus::Cancelled)
    {
        return (RunStatus::Cancelled, exit::CANCELLED);
    }
    let mut codes: Vec<i32> = partitions
        .iter()
        .filter(|day| !day.is_good())
        .map(|day| day.exit_code)
        .collect();
    let n_failed = codes.len();
    codes.sort_unstable();
    codes.dedup();
    match codes.as_slice() {
        [] => (RunStatus::Done, exit::DONE),
        [code] if n_failed == partitions.len() => match *code {
            exit::BUDGET => (RunStatus::BudgetExceeded, exit::BUDGET),
            code => (RunStatus::Failed, code),
        },
        _ if n_failed == partitions.len() => (RunStatus::Failed, exit::SOME_FAILED),
        _ => (RunStatus::SomeFailed, exit::SOME_FAILED),
    }
}

/// Highest resident memory of this process, from `/proc/self/status`; none on systems without it.
pub(super) fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use std::collections::BTreeMap;

    use super::{
        InputReport, PartReport, PartitionReport, PartitionStatus as Status, QuarantineReport, RunReport,
        RunStatus, Seconds, WorkReport, exit, outcome, report_schema,
    };
    use crate::dataset::Reason;
    use crate::storage::Partition;
    use crate::transform::StepCounts;

    fn day(status: Status, exit_code: i32) -> PartitionReport {
        let mut report = PartitionReport::new(Partition::Day(NaiveDate::default()), status);
        report.exit_code = exit_code;
        report
    }

    #[test]
    fn the_exit_code_tells_a_scheduler_what_to_do() {
        let good = || day(Status::Committed, exit::DONE);
        let over = || day(Status::BudgetExceeded, exit::BUDGET);
        let lost = || day(Status::Failed, exit::TRY_AGAIN);
        let check = |days: &[PartitionReport], status, code| assert_eq!(outcome(days), (status, code));
        check(
            &[good(), day(Status::NoData, 0), day(Status::AlreadyCommitted, 0)],
            RunStatus::Done,
            0,
        );
        check(&[over()], RunStatus::BudgetExceeded, 10);
        check(&[over(), over()], RunStatus::BudgetExceeded, 10);
        check(&[over(), good()], RunStatus::SomeFailed, 11);
        check(&[lost()], RunStatus::Failed, 75);
        check(&[lost(), over()], RunStatus::Failed, 11);
        check(&[good(), day(Status::Cancelled, 130)], RunStatus::Cancelled, 130);
    }

    /// A report in which every key has a value.
    fn full() -> RunReport {
        let mut committed = day(Status::Committed, exit::DONE);
        committed.rows_in = 12;
        committed.rows_out = 9;
        committed.rows_filtered = 2;
        committed.rows_quarantined = 1;
        committed.n_files = 3;
        committed.n_files_new = 2;
        committed.n_files_changed = 1;
        committed.n_bytes_in = 4096;
        committed.steps = vec![StepCounts {
            number: 1,
            name: "filter".to_owned(),
            rows_in: 11,
            rows_out: 9,
            rows_filtered: 2,
            ..StepCounts::default()
        }];
        committed.inputs = vec![InputReport {
            name: "clicks".to_owned(),
            n_files: 1,
            n_bytes_in: 512,
            rows: 4,
            rows_quarantined: 0,
            n_files_failed: 0,
            quarantine: QuarantineReport::default(),
            drift: crate::dataset::decode::Drift::default(),
        }];
        committed.quarantine = QuarantineReport {
            uri: Some("s3://lake/_skewer/t/quarantine/day=1970-01-01/run=r/part-0.jsonl".to_owned()),
            by_reason: BTreeMap::from([(Reason::InvalidJson, 1)]),
        };
        committed.parts = vec![PartReport {
            is_new: true,
            path: "s3://lake/t/day_partition=1970-01-01/part-00000.parquet".to_owned(),
            rows: 9,
            bytes: 1234,
        }];
        committed.seconds = Seconds {
            list: 0.5,
            fetch: 1.5,
            decode: 0.25,
            transform: 0.75,
            encode: 0.125,
            commit: 0.0625,
        };
        let mut work = WorkReport::default();
        let span = crate::run::WorkSpan {
            worker: 1,
            start_seconds: 0.25,
            seconds: 2.5,
            n_files: 3,
            n_bytes: 4096,
            fetch_seconds: 0.5,
        };
        let slow = crate::run::SlowFile {
            key: "1970/01/01/a.jsonl".to_owned(),
            n_bytes: 4000,
            seconds: 2.0,
        };
        work.add(span, vec![slow]);
        committed.work = work;
        let mut none = day(Status::NoData, exit::DONE);
        none.message = Some("no objects below s3://lake/raw/1969/12/31".to_owned());
        RunReport {
            api_version: super::API_VERSION.to_owned(),
            kind: "RunReport".to_owned(),
            run_id: "19700102T030405-0123456789abcdef".to_owned(),
            job: "t".to_owned(),
            status: RunStatus::Done,
            exit_code: exit::DONE,
            partitions: vec![committed, none],
            peak_rss_bytes: Some(1 << 28),
            wall_seconds: Some(12.5),
            spec_sha256: "ab".repeat(32),
            engine: "0.1.0".to_owned(),
            warnings: vec!["column `n` is uint64".to_owned()],
        }
    }

    #[test]
    fn the_report_has_its_golden_form_and_fits_its_published_schema() {
        let report = serde_json::to_value(full()).unwrap();
        insta::assert_snapshot!("run_report", serde_json::to_string_pretty(&report).unwrap());
        let validator = jsonschema::validator_for(&report_schema()).unwrap();
        assert!(validator.validate(&report).is_ok());
        let mut wrong = report;
        wrong["partitions"][0]["rows_in"] = "many".into();
        assert!(validator.validate(&wrong).is_err());
    }
}
