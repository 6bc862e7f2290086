//! Time and memory of 900,000 keys under 365 dates: adding them up as they are listed, then metrics, findings and the data of
//! every chart.
//!
//! `cargo bench --bench listing` prints the figures and fails when what follows the listing takes a second or more, or when
//! a key costs 200 bytes or more.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints its figures and stops at the first surprise"
)]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use skewer::base::Cancel;
use skewer::chart::{Calendar, Lorenz, PartitionBars, SizeHistogram, Treemap, squarify};
use skewer::profile::{CostModel, SplitForecast, compare_ranges, partition_skew};
use skewer::storage::{Connection, Inventory, Location, Object, Store};

const N_DAYS: u32 = 365;
const N_FILES: u32 = 2466;
/// Keys of one answer of S3.
const PAGE: usize = 1000;
const LIMIT: Duration = Duration::from_secs(1);
const BYTES_PER_KEY: u64 = 200;

fn main() -> ExitCode {
    let folder = tempfile::tempdir().unwrap();
    let root = Location::Local(folder.path().to_owned());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime
        .block_on(Store::open(&root, &Connection::default()))
        .unwrap();
    let before = resident_bytes();
    let now = chrono::DateTime::from_timestamp(1_612_000_000, 0).unwrap();
    let mut inventory = Inventory::default().listed_at(now, true);
    let (mut adding, mut n_keys) = (Duration::ZERO, 0_u64);
    let mut rest = Keys::default();
    loop {
        let page = rest.page();
        if page.is_empty() {
            break;
        }
        n_keys += page.len() as u64;
        let started = Instant::now();
        inventory.add(&page);
        adding += started.elapsed();
    }
    let held = resident_bytes().saturating_sub(before);
    let started = Instant::now();
    runtime
        .block_on(inventory.finish(&store, &Cancel::new()))
        .unwrap();
    let finishing = started.elapsed();

    let started = Instant::now();
    let dataset = inventory.datasets().next().unwrap();
    let costs = CostModel::default();
    let skew = partition_skew(dataset, &costs);
    let findings = started.elapsed();
    let charts = Instant::now();
    let bars = PartitionBars::new(dataset, &skew);
    let calendar = Calendar::new(dataset, &skew);
    let sizes = SizeHistogram::new(dataset);
    let lorenz = Lorenz::new(dataset);
    let tree = Treemap::new("lake", inventory.datasets());
    let weights: Vec<f64> = tree.nodes.iter().map(|node| node.n_bytes as f64).collect();
    let tiles = squarify(&weights, 1000.0, 300.0);
    let split = SplitForecast::new(dataset.partitions.values(), &costs);
    let charts = charts.elapsed();
    let comparing = Instant::now();
    let (range, against) = (
        "2020-07..2020-12".parse().unwrap(),
        "2020-01..2020-06".parse().unwrap(),
    );
    let comparison = compare_ranges(dataset, Some(range), against, None, &costs);
    let comparing = comparing.elapsed();
    let after = finishing + findings + charts + comparing;
    black_box((&bars, &calendar, &sizes, &lorenz, &tiles, &split, &comparison));
    assert_eq!(
        (skew.metrics.n_files, calendar.days.len()),
        (n_keys, N_DAYS as usize)
    );
    assert!(dataset.duplicates.as_ref().unwrap().n_files == 0);
    println!(
        "{n_keys} keys under {N_DAYS} dates: {adding:.1?} to add up while listing, {} bytes a key",
        held / n_keys
    );
    println!(
        "after the listing {after:.1?}: duplicates {finishing:.1?}, metrics and {} findings {findings:.1?}, charts \
         {charts:.1?}, two ranges {comparing:.1?}",
        skew.findings.len()
    );
    if after < LIMIT && held / n_keys < BYTES_PER_KEY {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Keys in order, a page at a time: one day is hot, weekends are thin.
#[derive(Default)]
struct Keys {
    next: u32,
}

impl Keys {
    fn page(&mut self) -> Vec<Object> {
        let first = chrono::NaiveDate::from_ymd_opt(2020, 1, 1).unwrap();
        let end = (self.next as usize + PAGE).min((N_DAYS * N_FILES) as usize);
        let end = u32::try_from(end).unwrap();
        let page = (self.next..end)
            .map(|i| {
                let (day, file) = (i / N_FILES, i % N_FILES);
                let date = first + chrono::Days::new(u64::from(day));
                let scatter = u64::from(i).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let usual = 20_000 + (scatter >> 50);
                let size = match day {
                    200 => usual * 12,
                    day if day % 7 >= 5 => usual / 3,
                    _ => usual,
                };
                Object {
                    key: format!("raw/{}/part-{file:05}.jsonl", date.format("%Y/%m/%d")),
                    size,
                    modified: date.and_hms_opt(6, 0, 0).unwrap().and_utc(),
                    etag: Some(format!("\"{scatter:016x}{i:016x}\"").into_boxed_str()),
                }
            })
            .collect();
        self.next = end;
        page
    }
}

/// Memory of this process, as Linux tells it; zero elsewhere.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
