//! One measurement, in a process of its own: prints its figures as `name=value`.

use std::fs;
use std::path::Path;
use std::time::Instant;

use cpu_time::ProcessTime;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use skewer::base::{Cancel, Progress};
use skewer::job::{Job, Params};
use skewer::run::{RunOptions, RunReport, run};
use skewer::storage::{Location, Patience, Store};

use crate::bodies;
use crate::process::BUCKET;
use crate::s3_memory::{MemoryS3, connection_to};

/// The steps of the reference work.
const WORK: &str = r#"
  schema:
    fields:
      - {name: id, type: string}
      - {name: title, type: string}
      - {name: company, type: string}
      - {name: description, type: string}
      - {name: location, type: "struct<city: string, country: string, lat: float64>"}
      - {name: tags, type: "list<string>"}
      - {name: salary_min, type: int64}
      - {name: posted_at, type: string}
      - {name: remote, type: bool}
steps:
  - filter: {where: "location.country <> 'ZA'"}
  - normalize_text: {column: title, trim: true, case: lower}
  - tokenize: {column: description, into: tokens}
  - bucketize: {column: salary_min, into: salary_bucket, borders: [30000, 60000, 100000]}
  - parse_timestamp: {column: posted_at}
  - derive:
      columns:
        country: location.country
        n_tokens: ARRAY_LENGTH(tokens)
        n_tags: ARRAY_LENGTH(tags)
  - select:
      columns: [id, title, company, country, tokens, n_tokens, n_tags, salary_min, salary_bucket, posted_at, remote]
"#;

pub fn measure(args: &[String]) {
    let place = args.get(1).expect("a place");
    let concurrency = args.get(2).map_or(64, |text| text.parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (start, cpu) = (Instant::now(), ProcessTime::now());
    runtime.block_on(async {
        match args.first().map(String::as_str) {
            Some("fetch") => fetch(place, concurrency).await,
            Some("list") => list(place).await,
            Some("run") => over_s3(place, concurrency).await,
            Some("local") => on_disk(place).await,
            _ => panic!("nothing to measure"),
        }
    });
    println!(
        "seconds={} cpu={} peak={}",
        start.elapsed().as_secs_f64(),
        cpu.elapsed().as_secs_f64(),
        status_bytes("VmHWM:")
    );
}

async fn open(endpoint: &str) -> Store {
    let root: Location = format!("s3://{BUCKET}/").parse().unwrap();
    let options = MemoryS3::options("client-bench", Patience::default());
    Store::open_with(&root, &connection_to(endpoint), &options)
        .await
        .unwrap()
}

/// Lists and fetches as a run does: in order of keys, so many at a time.
async fn fetch(endpoint: &str, concurrency: usize) {
    let store = open(endpoint).await;
    let start = Instant::now();
    let objects = store.list_all(bodies::PREFIX, &Cancel::new()).await.unwrap();
    println!("list={}", start.elapsed().as_secs_f64());
    let expected: u64 = objects.iter().map(|object| object.size).sum();
    let start = Instant::now();
    let n_bytes: u64 = stream::iter(&objects)
        .map(|object| store.get(&object.key))
        .buffer_unordered(concurrency)
        .try_fold(0, async |n, body| Ok(n + body.len() as u64))
        .await
        .unwrap();
    assert_eq!(n_bytes, expected);
    println!("fetch={}", start.elapsed().as_secs_f64());
}

/// Lists all keys and holds them.
async fn list(endpoint: &str) {
    let store = open(endpoint).await;
    // The pool, the runtime and a first page are no part of what a key costs.
    store.head(&bodies::key(0)).await.unwrap();
    let before = status_bytes("VmRSS:");
    let objects = store.list_all(bodies::PREFIX, &Cancel::new()).await.unwrap();
    println!("held_bytes={}", status_bytes("VmRSS:").saturating_sub(before));
    assert!(objects.is_sorted_by(|a, b| a.key < b.key));
    println!("n={}", objects.len());
}

async fn over_s3(endpoint: &str, concurrency: usize) {
    let connection = format!("connection: {{region: us-east-1, endpoint: \"{endpoint}\", path_style: true}}");
    let spec = format!(
        "apiVersion: skewer/v1\nkind: Job\nmetadata: {{name: ads}}\nsource:\n  uri: s3://{BUCKET}/raw/{{day:%Y/%m/%d}}/\n  \
         {connection}{WORK}sink:\n  uri: s3://{BUCKET}/out/ads/\n  {connection}\n\
         limits: {{io_concurrency: {concurrency}}}\n"
    );
    let job = Job::from_text(&spec, Path::new("")).unwrap();
    print_run(&run_job(&job).await);
}

async fn on_disk(folder: &str) {
    let spec = format!(
        "apiVersion: skewer/v1\nkind: Job\nmetadata: {{name: ads}}\nsource:\n  uri: raw/{{day:%Y/%m/%d}}/{WORK}sink:\n  \
         uri: out/ads/\n"
    );
    let job = Job::from_text(&spec, Path::new(folder)).unwrap();
    print_run(&run_job(&job).await);
}

async fn run_job(job: &Job) -> RunReport {
    let params = Params::parse(&[("day", "2020-01-02")]).unwrap();
    let options = RunOptions {
        store: MemoryS3::options("client-bench", Patience::default()),
        ..RunOptions::default()
    };
    run(job, &params, &options, &Progress::new(), &Cancel::new())
        .await
        .unwrap()
}

fn print_run(report: &RunReport) {
    assert_eq!(report.exit_code, 0, "{report:?}");
    let day = &report.partitions[0];
    println!("rows_in={} rows_out={}", day.rows_in, day.rows_out);
    let seconds = serde_json::to_value(day.seconds).unwrap();
    for (name, seconds) in seconds.as_object().unwrap() {
        println!("{name}={seconds}");
    }
}

/// A line of `/proc/self/status`, which is in KiB.
fn status_bytes(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap();
    kib * 1024
}
