//! Keys at their promised size: 10 million distinct ones counted within the budget of memory, with the error of the sketches
//! measured against what they state; and partitions simulated for a million keys, as often as a slider asks.
//!
//! `cargo bench --bench keys`. Prints figures; it fails when a count leaves its bounds or the memory its budget.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a benchmark prints its figures and stops at what is wrong"
)]

use std::sync::Arc;
use std::time::Instant;

use polars::prelude::{DataFrame, df};
use skewer::base::Accuracy;
use skewer::profile::CostModel;
use skewer::profile::keys::{
    CountBudget, Counted, HashedKeys, KeyCounter, Weight, default_types, key_report,
};

const N_KEYS: i64 = 10_000_000;
const BATCH: i64 = 65_536;
/// Every so many rows, one of the hot key.
const HOT_EVERY: i64 = 5;

/// Rows `from..to` of `N_KEYS` distinct keys with a hot one between them.
fn batch(from: i64, to: i64) -> DataFrame {
    let keys: Vec<i64> = (from..to)
        .flat_map(|n| {
            let hot = (n % HOT_EVERY == 0).then_some(-7);
            std::iter::once(n.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed())).chain(hot)
        })
        .collect();
    df!("k" => keys).unwrap()
}

fn counted(n_keys: i64, budget: CountBudget) -> (KeyCounter, usize) {
    let mut counter = KeyCounter::new(&["k"], budget).unwrap();
    let mut peak = 0;
    for from in (0..n_keys).step_by(usize::try_from(BATCH).unwrap()) {
        counter.add(&batch(from, (from + BATCH).min(n_keys))).unwrap();
        peak = peak.max(counter.memory_bytes());
    }
    (counter, peak)
}

fn many_keys() {
    let budget = CountBudget::default();
    let start = Instant::now();
    let (counter, peak) = counted(N_KEYS, budget);
    let n_rows = counter.n_rows();
    let seconds = start.elapsed().as_secs_f64();
    let counts = Arc::new(counter.finish(Accuracy::Exact));
    let Counted::Sketch {
        max_error_rows,
        max_error_share,
        n_sampled,
    } = counts.counted
    else {
        panic!("10 million keys are too many for the budget");
    };
    let distinct = counts.distinct;
    let types = default_types(&counts).unwrap();
    let keys = HashedKeys::new(counts, types).unwrap();
    let profile = keys.profile(3);
    let hot = profile.top.first().unwrap();
    let (wanted, n_keys) = (
        u64::try_from(N_KEYS / HOT_EVERY).unwrap(),
        u64::try_from(N_KEYS).unwrap() + 1,
    );
    println!(
        "{n_rows} rows, {n_keys} keys in {seconds:.1} s ({:.1} M rows/s), {} MB of {} MB at most",
        n_rows as f64 / seconds / 1e6,
        peak >> 20,
        budget.n_bytes >> 20
    );
    println!(
        "  hot key: {} rows counted, {wanted} true; stated error {max_error_rows} rows ({:.4} %), bound 3.5/65536 = 0.0053 %",
        hot.n_rows,
        max_error_share * 100.0
    );
    println!(
        "  distinct: {} ({} to {}), true {n_keys}, off by {:.2} %; {n_sampled} keys sampled",
        distinct.n,
        distinct.low,
        distinct.high,
        (distinct.n as f64 / n_keys as f64 - 1.0) * 100.0
    );
    assert!(peak <= budget.n_bytes, "{peak}");
    assert!(max_error_share <= 3.5 / 65_536.0, "{max_error_share}");
    assert!(hot.n_rows_low <= wanted && wanted <= hot.n_rows_high);
    assert!(distinct.low <= n_keys && n_keys <= distinct.high);
    let simulated = keys.simulate(200, Weight::Rows, &CostModel::default());
    println!(
        "  200 partitions: largest {:.2} x the mean, a load is off by {:.0} rows with 95 %",
        simulated.metrics.max_over_mean.unwrap(),
        simulated.load_error
    );
}

fn slider() {
    let budget = CountBudget {
        n_bytes: 512 << 20,
        ..CountBudget::default()
    };
    let (counter, _) = counted(1_000_000, budget);
    let counts = Arc::new(counter.finish(Accuracy::Exact));
    assert_eq!(counts.counted, Counted::Exact);
    let types = default_types(&counts).unwrap();
    let start = Instant::now();
    let keys = HashedKeys::new(counts, types).unwrap();
    println!(
        "1,000,001 keys hashed in {:.0} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    let costs = CostModel::default();
    for n in [8, 200, 2000, 10_000] {
        let mut times: Vec<f64> = (0..9)
            .map(|i| {
                let start = Instant::now();
                let simulated = keys.simulate(n + i, Weight::Rows, &costs);
                assert_eq!(simulated.loads.iter().sum::<u64>(), 1_200_000);
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("  N = {n}: {:.1} ms (median of 9)", times.get(4).unwrap());
    }
    let start = Instant::now();
    let profile = keys.profile(20);
    println!("  profile: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    let start = Instant::now();
    let report = key_report(&keys, profile, 200, Weight::Rows, &costs);
    println!(
        "  report with {} candidates and {} remedies: {:.0} ms",
        report.choice.candidates.len(),
        report.remedies.len(),
        start.elapsed().as_secs_f64() * 1e3
    );
}

fn main() {
    slider();
    many_keys();
}
