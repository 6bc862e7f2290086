//! Runs of whole jobs from and to a bucket, over the real protocol.

use std::fs;
use std::path::{Path, PathBuf};

use skewer::base::{Cancel, Progress};
use skewer::job::{Job, Params};
use skewer::run::{PartitionStatus as Status, RunOptions, RunReport, RunStatus, exit, run};

use crate::run::{DAY, block_on, check_books, files_below, gzip, ids_of, lines};
use crate::s3_server::S3Server;

/// A job that reads from and writes to a bucket of `server`.
fn s3_job(server: &S3Server, budget: &str) -> Job {
    Job::from_text(&s3_spec(server, budget), Path::new("")).unwrap()
}

pub fn s3_spec(server: &S3Server, budget: &str) -> String {
    let connection = format!(
        "{{region: us-east-1, endpoint: \"{}\", path_style: true}}",
        server.endpoint
    );
    format!(
        "\
apiVersion: skewer/v1
kind: Job
metadata: {{name: clicks}}
source:
  uri: s3://lake/raw/{{day:%Y/%m/%d}}/
  connection: {connection}
  schema: {{fields: [{{name: id, type: int64, required: true}}]}}
sink:
  uri: s3://lake/out/clicks/
  connection: {connection}
  parquet: {{rows_per_file: 15}}
errors: {{budget: {{records: {budget}}}}}
"
    )
}

fn run_s3(server: &S3Server, job: &Job, replace: bool) -> RunReport {
    let params = Params::parse(&[("day", DAY)]).unwrap();
    let options = RunOptions {
        replace,
        store: server.options(),
        ..RunOptions::default()
    };
    block_on(run(job, &params, &options, &Progress::new(), &Cancel::new())).unwrap()
}

#[test]
fn a_run_on_s3_publishes_by_completing_uploads() {
    let server = S3Server::start();
    let bucket = server.bucket("lake");
    let raw = bucket.join("raw/2020/01/02");
    fs::create_dir_all(&raw).unwrap();
    fs::write(raw.join("a.jsonl"), lines(0..20)).unwrap();
    fs::write(raw.join("b.jsonl.gz"), gzip(&format!("{}bad\n", lines(20..40)))).unwrap();

    let strict = run_s3(&server, &s3_job(&server, "{abs: 0}"), false);
    assert_eq!(strict.status, RunStatus::BudgetExceeded, "{strict:?}");
    assert_eq!(files_below(&bucket.join("out/clicks")), Vec::<PathBuf>::new());

    let job = s3_job(&server, "{abs: 1}");
    let report = run_s3(&server, &job, false);
    check_books(&report);
    assert_eq!(report.status, RunStatus::Done, "{report:?}");
    let day = &report.partitions[0];
    assert_eq!((day.rows_in, day.rows_out, day.rows_quarantined), (41, 40, 1));
    assert_eq!(
        day.parts[0].path,
        "s3://lake/out/clicks/day_partition=2020-01-02/part-00000.parquet"
    );
    let parts = |n: usize| {
        let mut parts = files_below(&bucket.join("out/clicks/day_partition=2020-01-02"));
        assert!(parts.remove(0).ends_with("_SUCCESS"));
        assert_eq!(parts.len(), n);
        parts.iter().flat_map(|path| ids_of(path)).collect::<Vec<_>>()
    };
    assert_eq!(parts(3), (0..40).collect::<Vec<_>>());
    let quarantine = format!(
        "out/_skewer/clicks/quarantine/day={DAY}/run={}/part-0.jsonl",
        report.run_id
    );
    assert!(
        fs::read_to_string(bucket.join(quarantine))
            .unwrap()
            .contains("invalid_json")
    );

    assert_eq!(
        run_s3(&server, &job, false).partitions[0].status,
        Status::AlreadyCommitted
    );
    // A run that stopped before its marker: the uploads are gone, the objects are there, and that is enough.
    fs::remove_file(bucket.join(format!("out/_skewer/clicks/{DAY}/applied/0000000001"))).unwrap();
    let mended = run_s3(&server, &job, false);
    assert_eq!(
        mended.partitions[0].status,
        Status::AlreadyCommitted,
        "{mended:?}"
    );
    assert_eq!(
        run_s3(&server, &job, true).partitions[0].status,
        Status::Committed
    );
    assert_eq!(parts(3), (0..40).collect::<Vec<_>>());
}

#[test]
fn a_commit_whose_answer_is_lost_is_made_and_keeps_its_parts() {
    let server = S3Server::start();
    let bucket = server.bucket("lake");
    let raw = bucket.join("raw/2020/01/02");
    fs::create_dir_all(&raw).unwrap();
    fs::write(raw.join("a.jsonl"), lines(0..20)).unwrap();
    server.faults(|faults| faults.lost_answers = vec!["/commits/"; 4]);
    let job = s3_job(&server, "{abs: 0}");
    // Without patience nothing is asked twice, so the run itself must find out what became of its commit.
    let mut options = RunOptions {
        store: server.options(),
        ..RunOptions::default()
    };
    options.store.patience.retry_for = std::time::Duration::ZERO;
    let params = Params::parse(&[("day", DAY)]).unwrap();
    let report = block_on(run(&job, &params, &options, &Progress::new(), &Cancel::new())).unwrap();
    assert!(server.faults(|faults| faults.lost_answers.len()) < 4);
    assert_eq!(report.partitions[0].status, Status::Committed, "{report:?}");
    let parts = files_below(&bucket.join("out/clicks/day_partition=2020-01-02"));
    let ids: Vec<i64> = parts.iter().skip(1).flat_map(|path| ids_of(path)).collect();
    assert_eq!(ids, (0..20).collect::<Vec<_>>());
}

#[test]
fn a_commit_that_may_not_be_written_takes_its_uploads_back() {
    let server = S3Server::start();
    let bucket = server.bucket("lake");
    let raw = bucket.join("raw/2020/01/02");
    fs::create_dir_all(&raw).unwrap();
    fs::write(raw.join("a.jsonl"), lines(0..20)).unwrap();
    server.faults(|faults| faults.denied = vec!["PutObject"]);
    let params = Params::parse(&[("day", DAY)]).unwrap();
    let options = RunOptions {
        store: server.options(),
        ..RunOptions::default()
    };
    let job = s3_job(&server, "{abs: 0}");
    let error = block_on(run(&job, &params, &options, &Progress::new(), &Cancel::new())).unwrap_err();
    assert_eq!(error.exit_code(), exit::CONFIGURATION, "{error}");
    let n_asked = |name: &str| server.faults(|faults| faults.asked.iter().filter(|op| *op == name).count());
    assert_eq!(n_asked("AbortMultipartUpload"), n_asked("CreateMultipartUpload"));
    assert_eq!(files_below(&bucket.join("out")), Vec::<PathBuf>::new());
}

#[test]
fn an_object_that_is_refused_is_asked_for_again_and_then_ends_the_day_without_rejects() {
    let server = S3Server::start();
    let bucket = server.bucket("lake");
    let raw = bucket.join("raw/2020/01/02");
    fs::create_dir_all(&raw).unwrap();
    fs::write(raw.join("a.jsonl"), lines(0..20)).unwrap();
    server.faults(|faults| faults.denied = vec!["GetObject"]);
    let report = run_s3(&server, &s3_job(&server, "{abs: 100}"), false);
    let n_asked = server.faults(|faults| faults.asked.iter().filter(|op| *op == "GetObject").count());
    assert_eq!(n_asked, 3);
    let day = &report.partitions[0];
    assert_eq!(
        (day.status, report.exit_code),
        (Status::Failed, exit::CONFIGURATION)
    );
    assert_eq!((day.rows_quarantined, &day.quarantine.uri), (0, &None));
    assert_eq!(files_below(&bucket.join("out/clicks")), Vec::<PathBuf>::new());
}

#[test]
fn wrong_keys_are_a_configuration_error_and_no_rejects() {
    let server = S3Server::start();
    fs::create_dir_all(server.bucket("lake").join("raw")).unwrap();
    let mut options = RunOptions {
        store: server.options(),
        ..RunOptions::default()
    };
    options.store.credentials = skewer::storage::Credentials::Static {
        access_key: "AKIDWRONG".to_owned(),
        secret_key: "wrong".to_owned(),
        token: None,
    };
    let params = Params::parse(&[("day", DAY)]).unwrap();
    let job = s3_job(&server, "{abs: 0}");
    let error = block_on(run(&job, &params, &options, &Progress::new(), &Cancel::new())).unwrap_err();
    assert_eq!(error.exit_code(), exit::CONFIGURATION, "{error}");
}
