//! A day out of core gives what it gives in memory: rows, order, counts and rejects; and it ends clean, however it ends.

use std::cell::RefCell;
use std::path::Path;

use polars::prelude::{
    DataFrame, DataType, IntoColumn, IntoSeries, ListChunked, NamedFrom, PlSmallStr, Series,
};
use proptest::prelude::{
    Just, ProptestConfig, Strategy, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use super::{Scratch, WholeDay};
use crate::base::{Cancel, envelope};
use crate::dataset::origin;
use crate::run::RunError;
use crate::transform::{Inputs, Outcome, Plan, Recipe, StepCounts, StepReject};

const GIB: u64 = 1 << 30;

fn plan(yaml: &str, df: &DataFrame) -> Plan {
    let recipe: Recipe = envelope::from_yaml(yaml).unwrap();
    recipe
        .compile(usize::MAX, df.schema(), &Inputs::default())
        .unwrap_or_else(|error| panic!("{error}"))
}

/// With the origin of lines of one object after another.
fn with_origins(df: &DataFrame) -> DataFrame {
    let n = df.height() as u64;
    let objects: Vec<u32> = (0..n).map(|row| u32::try_from(row / 100).unwrap()).collect();
    let lines: Vec<u64> = (0..n).map(|row| row % 100 + 1).collect();
    let mut df = df.clone();
    for column in [
        Series::new(origin::OBJECT.into(), objects),
        Series::new(
            origin::OFFSET.into(),
            lines.iter().map(|line| line * 10).collect::<Vec<u64>>(),
        ),
        Series::new(origin::LINE.into(), lines),
    ] {
        df.with_column(column.into_column()).unwrap();
    }
    let names: Vec<PlSmallStr> = df.get_column_names_owned();
    df.select(
        names
            .iter()
            .filter(|name| !origin::is_hidden(name))
            .map(PlSmallStr::as_str)
            .chain([origin::OBJECT, origin::LINE, origin::OFFSET]),
    )
    .unwrap()
}

#[derive(Debug)]
struct Done {
    df: DataFrame,
    rejects: Vec<StepReject>,
    counts: Vec<StepCounts>,
    peak_bytes: u64,
    scratch_bytes: u64,
    n_pieces: usize,
}

fn run(
    plan: &Plan,
    df: &DataFrame,
    rows_per_frame: usize,
    limit_bytes: u64,
    folder: &Path,
) -> Result<Done, RunError> {
    let scratch = Scratch::new(folder.join("scratch"), GIB);
    let mut day = WholeDay::new(plan.clone(), limit_bytes, scratch, Cancel::new()).unwrap();
    let room = day.room.clone();
    let mut start = 0;
    while start < df.height() {
        day.push(&df.slice(i64::try_from(start).unwrap(), rows_per_frame))?;
        start += rows_per_frame;
    }
    let empty = DataFrame::empty_with_schema(&origin::with_origin(plan.output()));
    let mut done = Done {
        df: empty,
        rejects: Vec::new(),
        counts: Vec::new(),
        peak_bytes: 0,
        scratch_bytes: 0,
        n_pieces: 0,
    };
    day.finish(&mut |outcome: Outcome| {
        done.rejects.extend(outcome.rejects);
        for counts in outcome.counts {
            match done.counts.iter_mut().find(|known| known.number == counts.number) {
                Some(known) => known.add(&counts),
                None => done.counts.push(counts),
            }
        }
        if outcome.df.height() > 0 {
            done.n_pieces += 1;
            done.df.vstack_mut(&outcome.df.drop_many([origin::ROW])).unwrap();
        }
        Ok(())
    })?;
    done.peak_bytes = room.gauge.peak();
    done.scratch_bytes = room.scratch.peak_bytes();
    done.rejects
        .sort_by_key(|reject| (reject.step_number, reject.object, reject.line));
    Ok(done)
}

fn in_memory(plan: &Plan, df: &DataFrame) -> Outcome {
    let mut outcome = plan.execute(df.clone()).unwrap();
    outcome
        .rejects
        .sort_by_key(|reject| (reject.step_number, reject.object, reject.line));
    outcome
}

fn assert_same(done: &Done, expected: &Outcome) {
    assert!(
        done.df.equals_missing(&expected.df),
        "{:?}\n{:?}",
        done.df,
        expected.df
    );
    assert_eq!(done.counts, expected.counts);
    assert_eq!(done.rejects, expected.rejects);
}

/// `n` rows of about 120 bytes, each key twice.
fn day(n: usize) -> DataFrame {
    let numbers = 0..n as u64;
    // An odd factor below a power of two visits each number once, far from its neighbours.
    let keys: Vec<u64> = numbers
        .clone()
        .map(|row| row.wrapping_mul(0x9E37_79B1) % (n as u64 / 2))
        .collect();
    let texts: Vec<String> = numbers
        .map(|row| format!("row {row} {}", "x".repeat(60)))
        .collect();
    let columns = vec![
        Series::new("key".into(), keys).into_column(),
        Series::new("text".into(), texts).into_column(),
    ];
    with_origins(&DataFrame::new(n, columns).unwrap())
}

#[test]
fn a_day_many_times_the_budget_comes_out_as_in_memory_and_stays_in_bounds() {
    let df = day(24_000);
    let folder = tempfile::tempdir().unwrap();
    for yaml in [
        "- dedupe: {columns: [key], keep: last}\n",
        "- dedupe: {columns: [text], keep: none}\n- dedupe: {columns: [key]}\n",
    ] {
        let plan = plan(yaml, &origin::strip(&df));
        let limit_bytes = super::frame::n_bytes(&df) / 12;
        let done = run(&plan, &df, 500, limit_bytes, folder.path()).unwrap();
        assert_same(&done, &in_memory(&plan, &df));
        assert!(
            done.peak_bytes <= 2 * limit_bytes,
            "{} of {limit_bytes}",
            done.peak_bytes
        );
        assert!(done.scratch_bytes > 0 && done.n_pieces > 10, "{done:?}");
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "nothing is left"
        );
    }
}

#[test]
fn a_day_that_fits_is_one_frame_and_touches_no_disk() {
    let df = day(2_000);
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(
        "- dedupe: {columns: [key]}\n- filter: {where: key > 3}\n",
        &origin::strip(&df),
    );
    let done = run(&plan, &df, 100, GIB, folder.path()).unwrap();
    assert_same(&done, &in_memory(&plan, &df));
    assert_eq!((done.n_pieces, done.scratch_bytes), (1, 0));
}

#[test]
fn a_day_of_many_equals_is_reduced_in_memory() {
    let df = day(20_000);
    let mut few = df.clone();
    few.with_column(
        Series::new("key".into(), (0..20_000_u64).map(|n| n % 50).collect::<Vec<_>>()).into_column(),
    )
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    for keep in ["first", "last"] {
        let plan = plan(
            &format!("- dedupe: {{columns: [key], keep: {keep}}}\n"),
            &origin::strip(&few),
        );
        let done = run(&plan, &few, 300, 200_000, folder.path()).unwrap();
        assert_same(&done, &in_memory(&plan, &few));
        assert_eq!((done.df.height(), done.scratch_bytes), (50, 0), "no scratch file");
    }
}

/// Half of the rows have one key, the others their own.
fn hot(n: usize) -> DataFrame {
    let mut df = day(n);
    let keys = (0..n as u64).map(|row| if row % 2 == 0 { 7 } else { row + 1000 });
    df.with_column(Series::new("key".into(), keys.collect::<Vec<_>>()).into_column())
        .unwrap();
    df
}

#[test]
fn one_hot_key_is_taken_in_parts_or_in_one_piece_or_refused_with_its_name() {
    let df = hot(10_000);
    let n_bytes = super::frame::n_bytes(&df);
    let folder = tempfile::tempdir().unwrap();
    let first = plan("- dedupe: {columns: [key]}\n", &origin::strip(&df));
    let done = run(&first, &df, 200, n_bytes / 20, folder.path()).unwrap();
    assert_same(&done, &in_memory(&first, &df));

    let none = plan(
        "- filter: {where: 'true'}\n- dedupe: {columns: [key], keep: none}\n",
        &origin::strip(&df),
    );
    let none = none.split().1.unwrap();
    let done = run(&none, &df, 200, n_bytes * 2 / 3, folder.path()).unwrap();
    assert!(done.scratch_bytes > 0);
    assert_same(&done, &in_memory(&none, &df));

    let error = run(&none, &df, 200, n_bytes / 20, folder.path())
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("step 2 `dedupe(key)` needs all rows with key = 7 together in memory"),
        "{error}"
    );
    assert!(error.contains("raise `limits.memory`"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn groups_hold_only_the_columns_that_they_look_at() {
    let df = hot(10_000);
    let narrow = df.drop("text").unwrap();
    // Not enough for all rows; for the half that has one key, with hash and place but without texts.
    let limit_bytes = super::frame::n_bytes(&narrow) * 9 / 10;
    let folder = tempfile::tempdir().unwrap();
    for yaml in [
        "- aggregate: {by: [key], columns: [{into: n, fn: count}]}\n",
        "- pivot: {by: [key], on: key, values: [7], fn: count}\n",
        "- dedupe: {columns: [text]}\n- aggregate: {by: [key], columns: [{into: most, fn: max, column: key}]}\n- filter: {where: key > 3}\n",
    ] {
        let plan = plan(yaml, &origin::strip(&df));
        let done = run(&plan, &df, 200, limit_bytes, folder.path()).unwrap();
        assert!(done.scratch_bytes > 0, "{yaml}");
        assert_same(&done, &in_memory(&plan, &df));
    }
}

#[test]
fn a_step_that_needs_all_rows_at_once_is_refused_by_name_when_they_do_not_fit() {
    let df = day(1_000);
    let folder = tempfile::tempdir().unwrap();
    let plan = plan("- dedupe: {columns: [text], keep: none}\n", &origin::strip(&df));
    let scratch = Scratch::new(folder.path().join("s"), GIB);
    let mut day = WholeDay::new(plan, 50_000, scratch, Cancel::new()).unwrap();
    // As a sort by any column would say.
    day.stage.keys = None;
    let error = day.push(&df).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("step 1 `dedupe(text)` needs all rows of the day together in memory"),
        "{error}"
    );
}

/// A day that is out of core from its first frame on, ready for the next.
fn spilled(folder: &Path, scratch_bytes: u64, cancel: &Cancel) -> (WholeDay, DataFrame) {
    let df = day(5_000);
    let plan = plan("- dedupe: {columns: [text], keep: none}\n", &origin::strip(&df));
    let scratch = Scratch::new(folder.join("scratch"), scratch_bytes);
    let mut day = WholeDay::new(plan, 100_000, scratch, cancel.clone()).unwrap();
    day.push(&df.head(Some(2_000))).unwrap();
    assert!(folder.join("scratch").exists());
    (day, df)
}

#[test]
fn a_cancel_stops_the_day_between_batches_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let cancel = Cancel::new();
    let (mut day, df) = spilled(folder.path(), GIB, &cancel);
    cancel.cancel();
    assert!(matches!(day.push(&df), Err(RunError::Cancelled)));
    drop(day);
    assert!(!folder.path().join("scratch").exists());

    let cancel = Cancel::new();
    let (day, _) = spilled(folder.path(), GIB, &cancel);
    let n_pieces = RefCell::new(0);
    let ended = day.finish(&mut |outcome| {
        if outcome.df.height() > 0 {
            *n_pieces.borrow_mut() += 1;
            cancel.cancel();
        }
        Ok(())
    });
    assert!(matches!(ended, Err(RunError::Cancelled)));
    assert_eq!(n_pieces.into_inner(), 1);
    assert!(!folder.path().join("scratch").exists());
}

#[test]
fn a_panic_and_an_error_of_the_taker_leave_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let (day, _) = spilled(folder.path(), GIB, &Cancel::new());
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        day.finish(&mut |_| panic!("taker"))
    }));
    assert!(ended.is_err());
    assert!(!folder.path().join("scratch").exists());

    let (day, _) = spilled(folder.path(), GIB, &Cancel::new());
    let ended = day.finish(&mut |_| Err(RunError::Cancelled));
    assert!(ended.is_err());
    assert!(!folder.path().join("scratch").exists());
}

#[test]
fn scratch_files_stay_within_their_limit() {
    let folder = tempfile::tempdir().unwrap();
    let (mut day, df) = spilled(folder.path(), 200_000, &Cancel::new());
    let ended = (0..20).try_for_each(|_| day.push(&df));
    let error = ended.unwrap_err().to_string();
    assert!(error.contains("raise `limits.scratch`"), "{error}");
    drop(day);
    assert!(!folder.path().join("scratch").exists());
}

/// Keys of every kind that compares oddly, a text, and a list to explode.
fn rows() -> impl Strategy<Value = DataFrame> {
    let number = prop_oneof![
        Just(None),
        prop::sample::select(vec![0.0, -0.0, f64::NAN, -f64::NAN, 1.5]).prop_map(Some),
        (0i32..200).prop_map(|x| Some(f64::from(x))),
    ];
    let text = prop_oneof![
        Just(None),
        "[0-9]{1,2}".prop_map(Some),
        "[a-z]{0,30}".prop_map(Some)
    ];
    let words = prop_oneof![
        Just(None),
        prop::collection::vec(prop::option::of("[a-c]{0,2}"), 0..3).prop_map(Some)
    ];
    prop::collection::vec((number, text, words, 0i32..40), 0..600).prop_map(|rows| {
        let column = |name: &str, values: Series| values.with_name(name.into()).into_column();
        let x = Series::new("x".into(), rows.iter().map(|row| row.0).collect::<Vec<_>>());
        let text = Series::new(
            "".into(),
            rows.iter().map(|row| row.1.clone()).collect::<Vec<_>>(),
        );
        let words: ListChunked = rows
            .iter()
            .map(|row| row.2.as_ref().map(|words| Series::new("".into(), words)))
            .collect();
        let dates = Series::new("".into(), rows.iter().map(|row| row.3).collect::<Vec<_>>());
        let dates = dates.cast(&DataType::Date).unwrap();
        // Without any word the lists have no type of their own.
        let words = words
            .into_series()
            .cast(&DataType::List(Box::new(DataType::String)))
            .unwrap();
        let pair = DataFrame::new(
            rows.len(),
            vec![x.clone().into_column(), column("d", dates.clone())],
        )
        .unwrap();
        let pair = pair.into_struct("pair".into()).into_series();
        DataFrame::new(
            rows.len(),
            vec![
                column("x", x),
                column("text", text),
                column("words", words),
                column("day", dates),
                column("pair", pair),
            ],
        )
        .unwrap()
    })
}

#[test]
fn a_day_is_sorted_through_files_whatever_its_keys_have_in_common() {
    let df = day(12_000);
    let n = df.height() as u64;
    let mut alike = df.clone();
    for column in [
        Series::new("same".into(), vec![7_i64; 12_000]),
        Series::new(
            "text".into(),
            (0..n)
                .map(|row| format!("https://example.com/a/long/prefix/{}", row * 7919 % 997))
                .collect::<Vec<_>>(),
        ),
        Series::new(
            "x".into(),
            (0..n)
                .map(|row| (row % 3 > 0).then(|| (row as f64 * 0.7).sin()))
                .collect::<Vec<_>>(),
        ),
    ] {
        alike.with_column(column.into_column()).unwrap();
    }
    let names: Vec<PlSmallStr> = origin::strip(&alike).get_column_names_owned();
    let hidden = [origin::OBJECT, origin::LINE, origin::OFFSET];
    let alike = alike
        .select(names.iter().map(PlSmallStr::as_str).chain(hidden))
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    for yaml in [
        "- sort: {columns: [key]}\n",
        "- sort: {columns: [text], descending: [text]}\n- filter: {where: key > 100}\n- dedupe: {columns: [text], keep: last}\n",
        "- sort: {columns: [same, x], descending: [x]}\n",
        "- sort: {columns: [same]}\n- limit: {n: 2, by: [key]}\n",
        "- sort: {columns: [x, text]}\n- window: {partition_by: [key], columns: [{into: nth, fn: row_number}]}\n",
    ] {
        let plan = plan(yaml, &origin::strip(&alike));
        let limit_bytes = super::frame::n_bytes(&alike) / 10;
        let done = run(&plan, &alike, 500, limit_bytes, folder.path()).unwrap();
        assert_same(&done, &in_memory(&plan, &alike));
        // The last step adds a column.
        assert!(
            done.peak_bytes <= 2 * limit_bytes + limit_bytes / 8,
            "{yaml}: {} of {limit_bytes}",
            done.peak_bytes
        );
        assert!(done.scratch_bytes > 0, "{yaml}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn the_first_rows_of_a_day_are_taken_in_parts() {
    let df = day(20_000);
    let folder = tempfile::tempdir().unwrap();
    for n in [0, 7, 400] {
        let plan = plan(&format!("- limit: {{n: {n}}}\n"), &origin::strip(&df));
        let done = run(&plan, &df, 300, 200_000, folder.path()).unwrap();
        assert_same(&done, &in_memory(&plan, &df));
        assert_eq!((done.df.height(), done.scratch_bytes), (n, 0), "no scratch file");
    }
    let plan = plan("- limit: {n: 19000}\n", &origin::strip(&df));
    let error = run(&plan, &df, 300, 200_000, folder.path()).unwrap_err();
    assert!(
        error.to_string().contains("all rows of the day together"),
        "{error}"
    );
}

#[test]
fn groups_of_a_day_larger_than_the_memory_come_out_as_in_memory_to_the_last_digit() {
    let mut df = day(16_000);
    let x: Vec<f64> = (0..16_000)
        .map(|n| f64::from(n).sin() * 1e10_f64.powi(n % 3))
        .collect();
    df.with_column(Series::new("x".into(), x).into_column()).unwrap();
    let df = df
        .select(["key", "text", "x", origin::OBJECT, origin::LINE, origin::OFFSET])
        .unwrap();
    let columns = [
        "sum", "mean", "min", "median", "std", "var", "first", "last", "list", "n_unique", "count",
    ]
    .map(|function| format!("{{into: {function}, fn: {function}, column: x}}"))
    .join(", ");
    let folder = tempfile::tempdir().unwrap();
    for yaml in [
        format!("- derive: {{columns: {{key: key % 700}}}}\n- aggregate: {{by: [key], columns: [{columns}]}}\n"),
        "- derive: {columns: {key: key % 700}}\n- window: {partition_by: [key], order_by: [x], columns: [\
         {into: lag, fn: lag, column: text}, {into: rank, fn: rank}, {into: sum, fn: rolling_sum, column: x, rows: 5}, \
         {into: total, fn: cumulative_sum, column: x}, {into: share, fn: share, column: x}]}\n"
            .to_owned(),
        "- derive: {columns: {key: key % 700}}\n- pivot: {by: [key], on: key, values: [3, 5], column: x, fn: sum}\n"
            .to_owned(),
    ] {
        let (rows, whole) = plan(&yaml, &origin::strip(&df)).split();
        let before = rows.execute(df.clone()).unwrap().df;
        let whole = whole.unwrap();
        let limit_bytes = super::frame::n_bytes(&before) / 10;
        let done = run(&whole, &before, 500, limit_bytes, folder.path()).unwrap();
        assert_same(&done, &in_memory(&whole, &before));
        assert!(done.scratch_bytes > 0, "{yaml}");
    }
}

/// Each starts with a step that needs the whole day.
const RECIPES: &[&str] = &[
    "- dedupe: {columns: [x]}\n",
    "- dedupe: {columns: [pair], keep: last}\n",
    "- dedupe: {columns: [words, day], keep: last}\n- cast: {column: text, to: int64}\n",
    "- dedupe: {columns: [text], keep: none}\n- explode: {column: words}\n- dedupe: {columns: [words, x], keep: last}\n",
    "- dedupe: {}\n- filter: {where: x > 20}\n- dedupe: {columns: [day]}\n- derive: {columns: {y: x + 1}}\n",
    "- dedupe: {columns: [pair, text]}\n- explode: {column: words, empty: drop}\n- dedupe: {columns: [words, text, day], keep: none}\n",
    "- dedupe: {columns: [x, text], keep: last}\n- drop: {columns: [pair]}\n- filter: {where: x < 0}\n- dedupe: {}\n",
    "- aggregate: {by: [x, pair], columns: [{into: n, fn: count}, {into: w, fn: list, column: words}, {into: t, fn: min, column: text}]}\n- cast: {column: t, to: int64}\n",
    "- window: {partition_by: [day], order_by: [text, x], descending: [x], columns: [{into: p, fn: lag, column: pair}, {into: r, fn: dense_rank}, {into: s, fn: rolling_sum, column: x, rows: 3}]}\n- dedupe: {columns: [r]}\n",
    "- sort: {columns: [x, text], descending: [x]}\n- explode: {column: words}\n- dedupe: {columns: [words], keep: last}\n",
    "- sort: {columns: [day, text]}\n- limit: {n: 2, by: [day]}\n- sort: {columns: [text], descending: [text]}\n",
    "- limit: {n: 3, by: [pair]}\n- unpivot: {columns: [x], nulls: drop}\n- aggregate: {by: [day], columns: [{into: v, fn: sum, column: value}]}\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn out_of_core_is_in_memory_to_the_row(
        df in rows(),
        yaml in prop::sample::select(RECIPES),
        rows_per_frame in 1usize..200,
        share in 2u64..60,
    ) {
        let plan = plan(yaml, &df);
        let df = with_origins(&df);
        let expected = in_memory(&plan, &df);
        let folder = tempfile::tempdir().unwrap();
        // A few rows at least: one has to fit.
        let limit_bytes = (super::frame::n_bytes(&df) / share).max(2_000);
        match run(&plan, &df, rows_per_frame, limit_bytes, folder.path()) {
            Ok(done) => {
                prop_assert!(done.df.equals_missing(&expected.df), "{:?}\n{:?}", done.df, expected.df);
                if df.height() > 0 {
                    prop_assert_eq!(done.counts, expected.counts);
                }
                prop_assert_eq!(done.rejects, expected.rejects);
            }
            // Rows of one key that may not be reduced and are more than the budget.
            Err(RunError::DayTooLarge { .. }) => prop_assert!(!yaml.starts_with("- dedupe") || yaml.contains("none")),
            Err(error) => panic!("{error}"),
        }
        prop_assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
