//! Time from a keystroke in a step to its new page: 10,000 sampled rows, 20 steps that look at one row at a time.
//!
//! `cargo bench --bench explore` explores the recipe once, then edits its last, its middle and its first step again and
//! again, and prints the milliseconds of each. It fails when half of the edits of a step take longer than 150 ms.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints its figures and stops at the first surprise"
)]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, Series};
use skewer::base::Cancel;
use skewer::base::envelope::from_yaml;
use skewer::dataset::{Page, origin};
use skewer::explore::{Explored, Explorer};
use skewer::transform::{FitSource, Inputs, Recipe};

const N_ROWS: usize = 10_000;
const N_EDITS: usize = 15;
const BUDGET: Duration = Duration::from_millis(150);

/// `EDIT` stands for the number that is typed.
const STEPS: [&str; 20] = [
    "derive: {columns: {salary_k: salary / (1000.0 + EDIT)}}",
    "normalize_text: {column: description, strip_html: true, unicode: nfkc, collapse_spaces: true, trim: true}",
    "normalize_text: {column: title, case: lower, collapse_spaces: true, trim: true}",
    "parse_timestamp: {column: posted_at}",
    "cast: {column: views, to: int64, on_error: 'null'}",
    "fill_null: {column: city, value: unknown}",
    "filter: {where: salary > 100 + EDIT}",
    "derive: {columns: {is_remote: \"coalesce(title LIKE '%remote%', false)\"}}",
    "derive: {columns: {n_chars: length(description)}}",
    "tokenize: {column: title, into: words}",
    "derive: {columns: {views_k: views / (1.0 + EDIT)}}",
    "hashing_tf: {column: words, into: features, num_features: 4096}",
    "bucketize: {column: salary, into: band, borders: [30000, 60000, 100000]}",
    "rename: {columns: {city: town}}",
    "derive: {columns: {place: \"town || ', ' || country\"}}",
    "drop: {columns: [currency]}",
    "filter: {where: n_chars > 10}",
    "derive: {columns: {ratio: salary / (n_chars + 1.0), is_high: band >= 2}}",
    "cast: {column: id, to: int64}",
    "derive: {columns: {score: \"round(ratio * 2.0 + EDIT, 2)\"}}",
];

fn main() -> ExitCode {
    let page = page();
    let mut explorer = Explorer::default();
    let mut n_typed = 0;
    let (first, time) = explore(&mut explorer, &page, &recipe(None, 0));
    println!(
        "{N_ROWS} rows, {} steps, {} columns at last: {} computed for the first page",
        STEPS.len(),
        first.df.width(),
        millis(time)
    );
    let mut is_within = true;
    for (name, step) in [("last", 19), ("middle", 10), ("first", 0)] {
        let mut times = Vec::new();
        let before = explorer.n_computed();
        for _ in 0..N_EDITS {
            n_typed += 1;
            let (_, time) = explore(&mut explorer, &page, &recipe(Some(step), n_typed));
            times.push(time);
        }
        let n_steps = (explorer.n_computed() - before) / N_EDITS as u64;
        times.sort_unstable();
        let median = times.get(N_EDITS / 2).copied().unwrap_or_default();
        let longest = times.last().copied().unwrap_or_default();
        println!(
            "edit of the {name} step: median {}, longest {}, {n_steps} steps computed",
            millis(median),
            millis(longest)
        );
        is_within &= median <= BUDGET;
    }
    // What a keystroke costs that changes nothing, and which steps the time goes to.
    let (after, time) = explore(&mut explorer, &page, &recipe(Some(0), n_typed));
    println!("nothing changed: {}", millis(time));
    for (number, ledger) in &after.ledger {
        println!(
            "  step {number:2} {:15} {:>9} {:5.1}%{}",
            ledger.counts.name,
            millis(Duration::from_nanos(ledger.counts.nanos)),
            ledger.share_of_time * 100.0,
            if ledger.is_outlier { "  outlier" } else { "" }
        );
    }
    println!("{:.1} MB kept for the next edit", explorer.n_bytes() as f64 / 1e6);
    if is_within {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn millis(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

fn explore(explorer: &mut Explorer, page: &Page, recipe: &Recipe) -> (Explored, Duration) {
    let source = FitSource {
        from: "the benchmark".to_owned(),
        at: chrono::DateTime::UNIX_EPOCH,
    };
    let started = Instant::now();
    let shown = explorer
        .explore(
            1,
            page,
            recipe,
            STEPS.len(),
            &Inputs::default(),
            &source,
            &Cancel::new(),
        )
        .unwrap();
    let time = started.elapsed();
    assert_eq!(shown.error, None);
    assert_eq!(shown.n_steps, STEPS.len(), "{:?}", shown.checks);
    (shown, time)
}

/// The steps with `typed` in the step at `edited`, and zeros in the others.
fn recipe(edited: Option<usize>, typed: usize) -> Recipe {
    let lines = STEPS.iter().enumerate().map(|(at, step)| {
        let typed = if edited == Some(at) { typed } else { 0 };
        format!("- {}\n", step.replace("EDIT", &typed.to_string()))
    });
    from_yaml(&lines.collect::<String>()).unwrap()
}

/// Rows like a lake of job ads has: ids, texts of some hundred characters, numbers, moments as text.
fn page() -> Page {
    let mut state = 7_u64;
    let mut below = |n: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let words = [
        "store",
        "manager",
        "remote",
        "看護師",
        "Infirmière",
        "care",
        "people",
        "who",
        "like",
        "data",
        "<p>",
        "</p>",
        "team",
        "R&amp;D",
        "night",
        "shift",
    ];
    let mut text = |n: u64| -> String {
        let n = n / 2 + below(n);
        let words: Vec<&str> = (0..n)
            .filter_map(|_| {
                words
                    .get(usize::try_from(below(words.len() as u64)).ok()?)
                    .copied()
            })
            .collect();
        words.join(" ")
    };
    let titles: Vec<String> = (0..N_ROWS).map(|_| text(6)).collect();
    let descriptions: Vec<String> = (0..N_ROWS).map(|_| text(80)).collect();
    let rows = || (0_i64..).take(N_ROWS);
    let series = [
        Series::new(
            "id".into(),
            rows().map(|n| (n * 7919).to_string()).collect::<Vec<_>>(),
        ),
        Series::new("title".into(), titles),
        Series::new("description".into(), descriptions),
        Series::new(
            "salary".into(),
            rows().map(|n| 200 + n * 37 % 120_000).collect::<Vec<_>>(),
        ),
        Series::new(
            "views".into(),
            rows().map(|n| (n * 13 % 999).to_string()).collect::<Vec<_>>(),
        ),
        Series::new(
            "city".into(),
            rows()
                .map(|n| (n % 9 != 0).then(|| format!("city {}", n % 300)))
                .collect::<Vec<_>>(),
        ),
        Series::new(
            "country".into(),
            rows()
                .map(|n| if n % 3 == 0 { "US" } else { "DE" })
                .collect::<Vec<_>>(),
        ),
        Series::new("currency".into(), vec!["EUR"; N_ROWS]),
        Series::new(
            "posted_at".into(),
            rows()
                .map(|n| format!("2020-01-{:02}T10:{:02}:00Z", n % 28 + 1, n % 60))
                .collect::<Vec<_>>(),
        ),
        Series::new(origin::OBJECT.into(), vec![0_u32; N_ROWS]),
        Series::new(origin::LINE.into(), (1..=N_ROWS as u64).collect::<Vec<_>>()),
        Series::new(
            origin::OFFSET.into(),
            (0..N_ROWS as u64).map(|n| n * 900).collect::<Vec<_>>(),
        ),
    ];
    let mut columns: Vec<Column> = series.map(IntoColumn::into_column).into();
    // A lake's records have more columns than a recipe touches.
    for extra in 0..20 {
        let values: Vec<i64> = rows().map(|n| n * (extra + 3) % 1000).collect();
        columns.push(Series::new(format!("extra_{extra}").into(), values).into_column());
    }
    Page {
        df: DataFrame::new(N_ROWS, columns).unwrap(),
        objects: vec!["a.jsonl".to_owned()],
        ..Page::default()
    }
}
