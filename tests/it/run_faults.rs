//! Whole runs against a server that fails to order: every row exactly once, or nothing published and the right exit code.

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use arrow::array::AsArray as _;
use arrow::datatypes::Int64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use skewer::base::{Cancel, Progress};
use skewer::job::{Job, Params};
use skewer::run::{RunError, RunOptions, RunReport, RunStatus, exit, run};
use skewer::storage::Patience;

use crate::run::{DAY, block_on, check_books, lines};
use crate::s3_memory::{Fault, HeldRequest, MemoryS3, Op, Refusal, Rule};

const BUCKET: &str = "lake";
const LIMIT: Duration = Duration::from_secs(30);

/// Repeats often and at once: faults to order end, so no test waits for a real server's recovery.
const PATIENT: Patience = Patience {
    max_retries: 20,
    retry_for: Duration::from_secs(20),
    backoff: Duration::from_millis(1),
    connect: Duration::from_secs(4),
    silence: Duration::from_secs(20),
};

/// A raw day in a bucket in memory, and the job that reads it.
struct Lake {
    server: MemoryS3,
    budget: &'static str,
}

impl Lake {
    /// A day of `n_objects` objects of ten rows each.
    fn of_small(n_objects: i64) -> Self {
        let lake = Self::empty();
        for i in 0..n_objects {
            lake.raw(&format!("{i:03}.jsonl"), lines(10 * i..10 * i + 10));
        }
        lake
    }

    fn empty() -> Self {
        let server = MemoryS3::start();
        server.create_bucket(BUCKET);
        Self {
            server,
            budget: "{abs: 0}",
        }
    }

    fn raw(&self, name: &str, content: String) {
        self.server
            .put(BUCKET, &format!("raw/2020/01/02/{name}"), content);
    }

    fn job(&self) -> Job {
        let connection = format!(
            "{{region: us-east-1, endpoint: \"{}\", path_style: true}}",
            self.server.endpoint
        );
        let spec = format!(
            "\
apiVersion: skewer/v1
kind: Job
metadata: {{name: clicks}}
source:
  uri: s3://{BUCKET}/raw/{{day:%Y/%m/%d}}/
  connection: {connection}
  schema: {{fields: [{{name: id, type: int64, required: true}}]}}
sink:
  uri: s3://{BUCKET}/out/clicks/
  connection: {connection}
  parquet: {{rows_per_file: 1000}}
errors: {{budget: {{records: {}}}}}
limits: {{io_concurrency: 8}}
",
            self.budget
        );
        Job::from_text(&spec, Path::new("")).unwrap()
    }

    fn run_with(&self, patience: Patience, cancel: &Cancel) -> Result<RunReport, RunError> {
        let params = Params::parse(&[("day", DAY)]).unwrap();
        let options = RunOptions {
            memory: Some("8MiB".parse().unwrap()),
            store: MemoryS3::options("client-a", patience),
            ..RunOptions::default()
        };
        block_on(run(&self.job(), &params, &options, &Progress::new(), cancel))
    }

    /// What a plain listing reader sees: the ids of all parts, in order.
    fn ids(&self) -> Vec<i64> {
        let parts = self.server.keys(BUCKET, "out/clicks/");
        let parts = parts.iter().filter(|key| key.ends_with(".parquet"));
        let mut ids: Vec<i64> = parts.flat_map(|key| self.ids_of(key)).collect();
        ids.sort_unstable();
        ids
    }

    fn ids_of(&self, key: &str) -> Vec<i64> {
        let content = self.server.get(BUCKET, key).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(content)
            .unwrap()
            .build()
            .unwrap();
        reader
            .flat_map(|batch| {
                let batch = batch.unwrap();
                let ids = batch.column_by_name("id").unwrap().as_primitive::<Int64Type>();
                ids.values().to_vec()
            })
            .collect()
    }

    /// Runs the day and expects each of `ids` once, in the table and in the report, and nothing left behind.
    fn check_whole(&self, ids: Range<i64>) -> RunReport {
        self.check_whole_with(PATIENT, ids)
    }

    fn check_whole_with(&self, patience: Patience, ids: Range<i64>) -> RunReport {
        let report = self.run_with(patience, &Cancel::new()).unwrap();
        assert_eq!(report.status, RunStatus::Done, "{report:?}");
        check_books(&report);
        let n = u64::try_from(ids.end - ids.start).unwrap();
        let day = &report.partitions[0];
        assert_eq!((day.rows_in, day.rows_out, day.rows_quarantined), (n, n, 0));
        let in_parts: u64 = day.parts.iter().map(|part| part.rows).sum();
        assert_eq!(in_parts, n);
        assert_eq!(self.ids(), ids.collect::<Vec<_>>());
        assert_eq!(self.server.uploads(BUCKET), []);
        report
    }

    /// Runs the day and expects it to fail with `code`, with nothing published or left behind.
    fn check_fails(&self, patience: Patience, code: i32) -> String {
        let (exit_code, message) = match self.run_with(patience, &Cancel::new()) {
            Ok(report) => {
                let message = report.partitions[0].message.clone();
                (report.exit_code, message.unwrap_or_default())
            }
            Err(error) => (error.exit_code(), error.to_string()),
        };
        assert_eq!(exit_code, code, "{message}");
        self.check_nothing_published();
        message
    }

    fn check_nothing_published(&self) {
        assert_eq!(self.server.keys(BUCKET, "out/clicks/"), Vec::<String>::new());
        assert_eq!(self.server.uploads(BUCKET), []);
    }

    fn heal(&self) {
        self.server.script(crate::s3_memory::Script::clear);
        self.server.accept_connections(true);
    }
}

fn short_patience() -> Patience {
    Patience {
        max_retries: 2,
        retry_for: Duration::from_secs(1),
        silence: Duration::from_secs(1),
        ..PATIENT
    }
}

#[test]
fn a_throttled_run_has_every_row_once() {
    let lake = Lake::of_small(60);
    let refuse = Fault::Refuse(Refusal::SLOW_DOWN);
    // A burst at the start, one amid the reads, and one for each kind of write.
    lake.server.order(Rule::on_any(refuse).times(5));
    lake.server
        .order(Rule::on(Op::GetObject, refuse).at("raw/").after(20).times(15));
    for op in [
        Op::PutObject,
        Op::CreateUpload,
        Op::UploadPart,
        Op::CompleteUpload,
    ] {
        lake.server.order(Rule::on(op, refuse).times(4));
        lake.server
            .order(Rule::on(op, Fault::Refuse(Refusal::INTERNAL)).times(2));
    }
    lake.check_whole(0..600);
    assert_eq!(lake.server.script(|script| script.n_left()), Some(0));
}

#[test]
fn connections_that_break_at_random_cost_no_row() {
    let lake = Lake::of_small(80);
    lake.server.script(|script| script.seed(7));
    lake.server.order(Rule::on_any(Fault::Reset).share(0.1).always());
    lake.server.order(
        Rule::on(Op::GetObject, Fault::CutBody(40))
            .at("raw/")
            .share(0.2)
            .always(),
    );
    lake.check_whole(0..800);
    let tally = lake.server.tally();
    assert!(tally.n_faults > 10, "{tally:?}");
    assert!(tally.max_in_flight <= 8 + 2, "{tally:?}");
}

#[test]
fn a_streamed_object_whose_connection_breaks_goes_on_where_it_was() {
    let lake = Lake::empty();
    let n = 120_000;
    let content = lines(0..n);
    assert!(content.len() > 3 << 20);
    lake.raw("a.jsonl", content);
    for n_bytes in [700_001, 300_003, 0, 1_100_002] {
        lake.server
            .order(Rule::on(Op::GetObject, Fault::CutBody(n_bytes)).at("a.jsonl"));
    }
    lake.check_whole(0..n);
    assert_eq!(lake.server.tally().n(Op::GetObject), 5);
}

#[test]
fn a_commit_whose_answer_is_lost_is_made_once() {
    let lake = Lake::of_small(4);
    lake.server
        .order(Rule::on(Op::PutObject, Fault::LoseAnswer).at("/commits/"));
    // Nor does the question what became of it get through at once.
    lake.server
        .order(Rule::on(Op::GetObject, Fault::Reset).at("/commits/").times(3));
    lake.check_whole(0..40);
    assert_eq!(lake.server.script(|script| script.n_left()), Some(0));
}

#[test]
fn a_commit_that_does_not_get_through_is_sent_again() {
    let lake = Lake::of_small(4);
    lake.server
        .order(Rule::on(Op::PutObject, Fault::Reset).at("/commits/").times(2));
    lake.check_whole(0..40);
    assert_eq!(lake.server.script(|script| script.n_left()), Some(0));
}

#[test]
fn a_conflict_where_nothing_was_written_is_no_other_runs_commit() {
    for refusal in [Refusal::CONFLICT, Refusal::PRECONDITION] {
        let lake = Lake::of_small(4);
        lake.server
            .order(Rule::on(Op::PutObject, Fault::Refuse(refusal)).at("/commits/"));
        lake.check_whole(0..40);
        assert_eq!(lake.server.script(|script| script.n_left()), Some(0));
    }
}

#[test]
fn a_completion_whose_answer_is_lost_publishes_its_part_once() {
    let lake = Lake::empty();
    lake.raw("a.jsonl", lines(0..2500));
    lake.server
        .order(Rule::on(Op::CompleteUpload, Fault::LoseAnswer).times(2));
    lake.server
        .order(Rule::on(Op::PutObject, Fault::LoseAnswer).at("_SUCCESS"));
    let report = lake.check_whole(0..2500);
    assert_eq!(report.partitions[0].parts.len(), 3);
    assert_eq!(lake.server.script(|script| script.n_left()), Some(0));
}

#[test]
fn a_run_that_fails_after_its_commit_is_finished_by_the_next() {
    let lake = Lake::empty();
    lake.raw("a.jsonl", lines(0..2500));
    // The second of three parts cannot be published.
    lake.server.order(
        Rule::on(Op::CompleteUpload, Fault::Refuse(Refusal::INTERNAL))
            .after(1)
            .always(),
    );
    let failed = lake.run_with(short_patience(), &Cancel::new()).unwrap();
    assert_eq!(failed.exit_code, exit::TRY_AGAIN, "{failed:?}");
    // What a reader sees meanwhile is of this commit, and nothing twice.
    assert_eq!(lake.ids(), (0..1000).collect::<Vec<_>>());
    assert_eq!(lake.server.uploads(BUCKET).len(), 2);
    lake.heal();
    let next = lake.run_with(PATIENT, &Cancel::new()).unwrap();
    assert_eq!(next.status, RunStatus::Done, "{next:?}");
    assert_eq!(next.partitions[0].rows_in, 0, "{next:?}");
    assert_eq!(lake.ids(), (0..2500).collect::<Vec<_>>());
    assert_eq!(lake.server.uploads(BUCKET), []);
}

#[test]
fn later_runs_over_a_bad_network_add_what_is_new_once() {
    let lake = Lake::of_small(5);
    lake.check_whole(0..50);
    lake.server.script(|script| script.seed(11));
    lake.server.order(Rule::on_any(Fault::Reset).share(0.05).always());
    lake.server.order(
        Rule::on_any(Fault::Refuse(Refusal::SLOW_DOWN))
            .share(0.05)
            .always(),
    );
    lake.server
        .order(Rule::on(Op::GetObject, Fault::CutBody(30)).share(0.1).always());
    for op in [Op::PutObject, Op::CompleteUpload] {
        lake.server
            .order(Rule::on(op, Fault::LoseAnswer).share(0.2).always());
    }
    for day in 1..5 {
        for i in 0..5 {
            let first = 50 * day + 10 * i;
            lake.raw(&format!("{day}-{i}.jsonl"), lines(first..first + 10));
        }
        let report = lake.run_with(PATIENT, &Cancel::new()).unwrap();
        assert_eq!(report.status, RunStatus::Done, "{report:?}");
        check_books(&report);
        assert_eq!(report.partitions[0].rows_in, 50, "{report:?}");
        assert_eq!(lake.ids(), (0..50 * day + 50).collect::<Vec<_>>());
    }
    let tally = lake.server.tally();
    assert!(tally.n_faults > 10, "{tally:?}");
}

#[test]
fn an_abort_that_does_not_get_through_is_repeated_until_no_upload_is_left() {
    for fault in [Fault::LoseAnswer, Fault::Reset, Fault::Refuse(Refusal::SLOW_DOWN)] {
        let lake = Lake::of_small(4);
        lake.raw("bad.jsonl", "no json\n".to_owned());
        lake.server.order(Rule::on(Op::AbortUpload, fault));
        lake.check_fails(PATIENT, exit::BUDGET);
        assert_eq!(lake.server.tally().n(Op::AbortUpload), 2, "{fault:?}");
    }
}

#[test]
fn a_server_that_says_nothing_is_asked_again() {
    let lake = Lake::of_small(20);
    let n = 40_000;
    lake.raw("large.jsonl", lines(200..n));
    let large = |fault| Rule::on(Op::GetObject, fault).at("large.jsonl");
    lake.server.order(large(Fault::Stall));
    lake.server.order(large(Fault::StallBody(500_000)));
    lake.server.order(large(Fault::StallBody(0)));
    lake.server
        .order(Rule::on(Op::GetObject, Fault::Stall).at("/00").times(3));
    lake.server
        .order(Rule::on(Op::GetObject, Fault::StallBody(7)).at("/01").times(3));
    let patience = Patience {
        silence: Duration::from_millis(400),
        ..PATIENT
    };
    lake.check_whole_with(patience, 0..n);
    assert_eq!(lake.server.script(|script| script.n_left()), Some(0));
}

#[test]
fn an_object_that_changes_under_its_reader_is_read_by_the_next_run() {
    let lake = Lake::empty();
    let n = 40_000;
    lake.raw("a.jsonl", lines(0..n));
    lake.server
        .order(Rule::on(Op::GetObject, Fault::CutBody(900_000)).at("a.jsonl"));
    lake.server
        .order(Rule::on(Op::GetObject, Fault::Hold).at("a.jsonl"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            lake.server.held().wait_until(LIMIT, |held| !held.is_empty());
            lake.raw("a.jsonl", lines(0..n + 1));
            lake.server.held().release_all();
        });
        lake.check_fails(PATIENT, exit::TRY_AGAIN);
    });
    lake.check_whole(0..n + 1);
}

#[test]
fn what_stays_broken_fails_the_day_and_publishes_nothing() {
    let lake = Lake::of_small(4);
    let cases = [
        (Op::GetObject, "raw/", Refusal::DENIED, exit::CONFIGURATION),
        (Op::GetObject, "raw/", Refusal::INTERNAL, exit::TRY_AGAIN),
        (Op::GetObject, "raw/", Refusal::SLOW_DOWN, exit::TRY_AGAIN),
        (Op::ListObjects, "", Refusal::DENIED, exit::CONFIGURATION),
        (Op::ListObjects, "", Refusal::SLOW_DOWN, exit::TRY_AGAIN),
        (Op::CreateUpload, "", Refusal::DENIED, exit::CONFIGURATION),
        (Op::UploadPart, "", Refusal::INTERNAL, exit::TRY_AGAIN),
    ];
    for (op, path, refusal, code) in cases {
        lake.server
            .order(Rule::on(op, Fault::Refuse(refusal)).at(path).always());
        let message = lake.check_fails(short_patience(), code);
        assert!(message.starts_with("s3://lake/"), "{op:?} {refusal:?}: {message}");
        lake.heal();
    }
    lake.check_whole(0..40);
}

#[test]
fn a_server_that_goes_away_fails_the_day_until_it_is_back() {
    let lake = Lake::of_small(30);
    lake.server
        .order(Rule::on(Op::GetObject, Fault::Hold).at("raw/").after(10));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            lake.server.held().wait_until(LIMIT, |held| !held.is_empty());
            lake.server.accept_connections(false);
            lake.server.held().release_all();
        });
        let message = lake.check_fails(short_patience(), exit::TRY_AGAIN);
        assert!(message.contains("cannot connect to"), "{message}");
    });
    lake.heal();
    lake.check_whole(0..300);
}

/// Cancels a run while the server is silent, after the run has begun to upload a part.
fn check_cancel(lake: &Lake, silence: Rule) {
    lake.server.order(silence);
    lake.server.order(Rule::on(Op::CreateUpload, Fault::HoldAnswer));
    let cancel = Cancel::new();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            let ended = lake.run_with(PATIENT, &cancel);
            (ended, Instant::now())
        });
        let is_upload = |request: &HeldRequest| request.op == Op::CreateUpload;
        let held = lake.server.held();
        held.wait_until(LIMIT, |held| held.iter().any(is_upload));
        assert_eq!(lake.server.uploads(BUCKET).len(), 1);
        let cancelled = Instant::now();
        cancel.cancel();
        held.release_all();
        let (ended, at) = running.join().unwrap();
        let code = ended.map_or_else(|error| error.exit_code(), |report| report.exit_code);
        assert_eq!(code, exit::CANCELLED);
        let took = at.duration_since(cancelled);
        assert!(took < Duration::from_secs(5), "{took:?}");
    });
    lake.check_nothing_published();
    lake.heal();
    lake.check_whole(0..40_000);
}

#[test]
fn a_cancel_during_a_silent_body_ends_soon_and_leaves_nothing() {
    let lake = Lake::empty();
    // Units of their own, so that the first is written while the second does not come.
    lake.raw("a.jsonl", lines(0..20_000));
    lake.raw("b.jsonl", lines(20_000..40_000));
    check_cancel(
        &lake,
        Rule::on(Op::GetObject, Fault::StallBody(100_000))
            .at("b.jsonl")
            .always(),
    );
}

#[test]
fn a_cancel_during_a_silent_stream_ends_soon_and_leaves_nothing() {
    let lake = Lake::empty();
    lake.raw("a.jsonl", lines(0..40_000));
    let n_bytes = lake.server.get(BUCKET, "raw/2020/01/02/a.jsonl").unwrap().len();
    assert!(n_bytes > 1 << 20);
    check_cancel(
        &lake,
        Rule::on(Op::GetObject, Fault::StallBody(n_bytes - 1000))
            .at("a.jsonl")
            .always(),
    );
}
