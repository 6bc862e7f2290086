//! How near listing, fetching and whole runs over S3 come to what latency and processors allow.
//!
//! `cargo bench --bench s3 [-- OPTION...]` starts an S3 server in memory as a process of its own, and each measurement as
//! another, so that peaks of memory are its own:
//!
//! - fetch: lists and fetches all objects, C at a time, without and with latency. Target: at least 0.8 of
//!   `min(C / latency, the rate without latency)`;
//! - run: the reference job over the same objects, against the slower of fetching alone and of computing alone (the same
//!   job on local files). Target: at most 1.15;
//! - list: time and memory by number of keys, which should be linear.
//!
//! Options: `--objects N` (50000), `--bytes N` (13000), `--concurrency C` (64), `--latency MS` (30), `--keys N,N,...`
//! (10000,100000,1000000), `--runs N,N,...` (whole runs of so many tiny objects; none), `--only fetch|run|list`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints its figures and stops at the first surprise"
)]

#[path = "s3/bodies.rs"]
mod bodies;
#[path = "s3/measure.rs"]
mod measure;
#[path = "s3/process.rs"]
mod process;
#[path = "../it/s3_memory/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use other parts of it")]
mod s3_memory;

use std::env;
use std::fs;

use process::{Figures, Server, measure_in_child};

/// What was asked for.
struct Options {
    n_objects: u64,
    n_bytes: u64,
    concurrency: usize,
    latency_ms: u64,
    keys: Vec<u64>,
    runs: Vec<u64>,
    only: Option<String>,
}

impl Options {
    fn parse(args: &[String]) -> Self {
        let mut options = Self {
            n_objects: 50_000,
            n_bytes: 13_000,
            concurrency: 64,
            latency_ms: 30,
            keys: vec![10_000, 100_000, 1_000_000],
            runs: Vec::new(),
            only: None,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().unwrap_or_else(|| panic!("{arg} takes a value"));
            match arg.as_str() {
                "--objects" => options.n_objects = value().parse().unwrap(),
                "--bytes" => options.n_bytes = value().parse().unwrap(),
                "--concurrency" => options.concurrency = value().parse().unwrap(),
                "--latency" => options.latency_ms = value().parse().unwrap(),
                "--keys" => options.keys = numbers(value()),
                "--runs" => options.runs = numbers(value()),
                "--only" => options.only = Some(value().clone()),
                // Cargo's own.
                "--bench" => {}
                _ => panic!("unknown option {arg}"),
            }
        }
        options
    }

    fn wants(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }
}

fn numbers(text: &str) -> Vec<u64> {
    text.split(',').map(|n| n.parse().unwrap()).collect()
}

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("serve") => process::serve(&args[1..]),
        Some("measure") => measure::measure(&args[1..]),
        _ => compare(&Options::parse(&args)),
    }
}

fn compare(options: &Options) {
    if options.wants("fetch") || options.wants("run") {
        fetch_and_run(options);
    }
    if options.wants("list") {
        println!("\n| keys | list s | processor s | µs a key | bytes a key |\n|---:|---:|---:|---:|---:|");
        for n_keys in &options.keys {
            let server = Server::start(*n_keys, 400);
            let figures = measure_in_child("list", &server.endpoint, &[]);
            println!(
                "| {n_keys} | {:.2} | {:.2} | {:.1} | {:.0} |",
                figures["seconds"],
                figures["cpu"],
                1e6 * figures["seconds"] / *n_keys as f64,
                figures["held_bytes"] / *n_keys as f64
            );
        }
    }
    if !options.runs.is_empty() {
        println!(
            "\n| tiny objects | run s | ms an object | list s | commit s | again s | peak MB |\n\
             |---:|---:|---:|---:|---:|---:|---:|"
        );
        for n_objects in &options.runs {
            let server = Server::start(*n_objects, 400);
            let concurrency = options.concurrency.to_string();
            let figures = measure_in_child("run", &server.endpoint, &[&concurrency]);
            let again = measure_in_child("run", &server.endpoint, &[&concurrency]);
            println!(
                "| {n_objects} | {:.2} | {:.3} | {:.2} | {:.2} | {:.2} | {:.0} |",
                figures["seconds"],
                1e3 * figures["seconds"] / *n_objects as f64,
                figures["list"],
                figures["commit"],
                again["seconds"],
                figures["peak"] / 1e6
            );
        }
    }
}

fn fetch_and_run(options: &Options) {
    let mut server = Server::start(options.n_objects, options.n_bytes);
    let concurrency = options.concurrency.to_string();
    let n = options.n_objects as f64;
    println!(
        "{} objects of {} bytes, C = {concurrency}, {} ms to the first byte",
        options.n_objects, options.n_bytes, options.latency_ms
    );
    let mut fetch = |latency_ms: u64| {
        server.latency(latency_ms);
        let figures = measure_in_child("fetch", &server.endpoint, &[&concurrency]);
        println!(
            "fetch at {latency_ms} ms: list {:.2} s, fetch {:.2} s, {:.0} objects/s, processor {:.2} s, peak {:.0} MB, \
             at most {} in flight",
            figures["list"],
            figures["fetch"],
            n / figures["seconds"],
            figures["cpu"],
            figures["peak"] / 1e6,
            server.max_in_flight()
        );
        figures
    };
    let free = fetch(0);
    let far = fetch(options.latency_ms);
    let possible = f64::min(
        1e3 * options.concurrency as f64 / options.latency_ms.max(1) as f64,
        n / free["seconds"],
    );
    let rate = n / far["seconds"];
    println!(
        "fetch: {rate:.0} of {possible:.0} objects/s possible: {:.2} (target 0.80)",
        rate / possible
    );
    if !options.wants("run") {
        return;
    }
    server.latency(options.latency_ms);
    let whole = measure_in_child("run", &server.endpoint, &[&concurrency]);
    print_run("run over S3", &whole);
    println!("  at most {} in flight", server.max_in_flight());
    let folder = tempfile::tempdir().unwrap();
    bodies::write(folder.path(), options.n_objects, options.n_bytes);
    let local = measure_in_child("local", folder.path().to_str().unwrap(), &[]);
    print_run("run on local files", &local);
    fs::remove_dir_all(folder.path()).unwrap();
    let slower = f64::max(far["seconds"], local["seconds"]);
    println!(
        "run: {:.2} s of {slower:.2} s for the slower stage alone: {:.2} (target 1.15)",
        whole["seconds"],
        whole["seconds"] / slower
    );
}

fn print_run(name: &str, figures: &Figures) {
    println!(
        "{name}: {:.2} s, processor {:.2} s, peak {:.0} MB, {:.0} rows in, {:.0} out",
        figures["seconds"],
        figures["cpu"],
        figures["peak"] / 1e6,
        figures["rows_in"],
        figures["rows_out"]
    );
    let stages = ["list", "fetch", "decode", "transform", "encode", "commit"];
    let seconds: Vec<String> = stages
        .iter()
        .map(|stage| format!("{stage} {:.2}", figures[*stage]))
        .collect();
    println!("  seconds: {}", seconds.join(", "));
}
