//! Time of the stages of a run on one batch of the reference day: decode, the steps, encode.
//!
//! `cargo bench --bench stages` decodes 4,000 records of job ads (about 1.3 KB each), runs `tests/bench/day/job.yaml` on
//! them step by step and as a whole, and writes the result as Parquet in memory. All in one thread.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark stops at the first surprise, and its macros make items without docs"
)]

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use polars::prelude::DataFrame;
use skewer::dataset::Codec;
use skewer::dataset::decode::{DecodeOptions, Decoder, ObjectRef};
use skewer::dataset::origin;
use skewer::job::Job;
use skewer::run::parquet_bytes;

const N_RECORDS: u32 = 4_000;
const SYLLABLES: [&str; 20] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "qui", "ro", "su", "ta", "ve",
    "wi", "xo", "zy",
];

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(((self.0 >> 33) * u64::from(n)) >> 31).unwrap()
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(u32::try_from(all.len()).unwrap()) as usize]
    }
}

/// Records like those of `tests/bench/day/generate.py`.
fn records() -> Vec<u8> {
    let mut random = Random(7);
    let vocabulary: Vec<String> = (0..20_000)
        .map(|_| (0..=random.below(4)).map(|_| random.of(&SYLLABLES)).collect())
        .collect();
    let vocabulary: Vec<&str> = vocabulary.iter().map(String::as_str).collect();
    let mut text = String::new();
    for number in 0..N_RECORDS {
        let country = random.of(&["US", "US", "US", "DE", "FR", "JP", "ZA"]);
        let title = random.of(&[
            " Store Manager",
            "Infirmière ",
            "看護師",
            "Backend Developer (Rust)",
        ]);
        write!(
            text,
            r#"{{"id":"{:08x}-{number:07}","title":"{title}","#,
            random.below(u32::MAX)
        )
        .unwrap();
        write!(
            text,
            r#""company":"Company {}","description":""#,
            random.below(5000)
        )
        .unwrap();
        for i in 0..130 + random.below(100) {
            let space = if i == 0 { "" } else { " " };
            write!(text, "{space}{}", random.of(&vocabulary)).unwrap();
        }
        let (hour, minute, salary) = (
            random.below(24),
            random.below(60),
            12_000 + random.below(300) * 500,
        );
        write!(
            text,
            r#"","location":{{"city":"Köln","country":"{country}","lat":12.5}},"tags":["rust","café"],"#
        )
        .unwrap();
        writeln!(
            text,
            r#""salary_min":{salary},"posted_at":"2020-01-01T{hour:02}:{minute:02}:00Z","remote":true}}"#
        )
        .unwrap();
    }
    text.into_bytes()
}

fn decode(job: &Job, text: &[u8]) -> DataFrame {
    let mut decoder = Decoder::new(Arc::clone(&job.source.schema), DecodeOptions::default()).unwrap();
    let object = ObjectRef {
        index: 0,
        name: "jobs.jsonl",
        first_line: 1,
        first_offset: 0,
    };
    decoder.read(object, Codec::None, text, &mut |_| true).unwrap();
    let batch = decoder.finish().unwrap();
    assert!(batch.rejects.is_empty(), "{:?}", batch.rejects.first());
    batch.df
}

fn stages(criterion: &mut Criterion) {
    let job = Job::from_text(include_str!("day/job.yaml"), Path::new("/lake")).unwrap();
    let text = records();
    let mut group = criterion.benchmark_group("stages");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("decode", |bencher| {
        bencher.iter_with_large_drop(|| decode(&job, &text));
    });
    let df = decode(&job, &text);
    group.bench_function("transform", |bencher| {
        bencher.iter_batched(
            || df.clone(),
            |df| job.plan.execute(df).unwrap(),
            BatchSize::PerIteration,
        );
    });
    let rows = origin::strip(&job.plan.execute(df.clone()).unwrap().df);
    assert!(rows.height() > 0);
    group.bench_function("encode", |bencher| {
        bencher.iter_with_large_drop(|| parquet_bytes(&job, &[&rows]).unwrap());
    });
    group.finish();

    let mut group = criterion.benchmark_group("steps");
    group.sample_size(20);
    // Each step's time is taken where all are run one by one, on the rows that the steps before it left.
    let counts = job.plan.execute_stepwise(df.clone()).unwrap().counts;
    for (at, step) in counts.iter().enumerate() {
        group.bench_function(format!("{} {}", step.number, step.name), |bencher| {
            bencher.iter_custom(|n| {
                let nanos = (0..n).map(|_| job.plan.execute_stepwise(df.clone()).unwrap().counts[at].nanos);
                std::time::Duration::from_nanos(nanos.sum())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
