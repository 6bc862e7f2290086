//! Executing plans: the books, rejects of single rows, batches, and errors that are no row's fault.

use polars::prelude::{DataFrame, IntoColumn, IntoLazy, NamedFrom, Series, col, df};
use proptest::prelude::{
    Just, ProptestConfig, Strategy, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use super::{Outcome, StepCounts};
use crate::dataset::origin;
use crate::transform::isolate::MAX_ROWS;
use crate::transform::steps::testing::{recipe, with_origins};
use crate::transform::{Inputs, Plan};

fn plan(yaml: &str, df: &DataFrame) -> Plan {
    recipe(yaml)
        .compile(usize::MAX, df.schema(), &Inputs::default())
        .unwrap_or_else(|error| panic!("{error}"))
}

fn execute(yaml: &str, df: &DataFrame) -> Outcome {
    plan(yaml, df).execute(with_origins(df)).unwrap()
}

fn lines(outcome: &Outcome) -> Vec<u64> {
    let lines = outcome.df.column(origin::LINE).unwrap().u64().unwrap().clone();
    lines.iter().flatten().collect()
}

#[test]
fn rejects_keep_their_origin_through_steps_that_reshape() {
    let df = df!("a" => ["1", "x", "3"], "b" => ["p", "q", "r"]).unwrap();
    let outcome = execute(
        "- select: {columns: [b, a]}\n\
         - rename: {columns: {a: n}}\n\
         - drop: {columns: [b]}\n\
         - cast: {column: n, to: int64}\n",
        &df,
    );
    assert_eq!(lines(&outcome), [1, 3]);
    let reject = &outcome.rejects[0];
    assert_eq!((reject.line, reject.byte_offset, reject.step_number), (2, 100, 4));
    assert_eq!(reject.step_label, "cast(n)");
    assert_eq!(reject.message, "`x` is no int64");
    let rows: Vec<(u64, u64, u64)> = outcome
        .counts
        .iter()
        .map(|counts| (counts.rows_in, counts.rows_out, counts.rows_quarantined))
        .collect();
    assert_eq!(rows, [(3, 3, 0), (3, 3, 0), (3, 3, 0), (3, 2, 1)]);
}

#[test]
fn an_error_of_a_whole_batch_is_brought_down_to_its_rows() {
    let values: Vec<String> = (0..100)
        .map(|n| {
            if n % 33 == 7 {
                "bad".to_owned()
            } else {
                n.to_string()
            }
        })
        .collect();
    let df = df!("a" => values).unwrap();
    let yaml = "- derive: {columns: {n: CAST(a AS BIGINT)}}\n\
                - filter: {where: n % 2 = 0}\n";
    for outcome in [
        execute(yaml, &df),
        plan(yaml, &df).execute_stepwise(with_origins(&df)).unwrap(),
    ] {
        let rejected: Vec<u64> = outcome.rejects.iter().map(|reject| reject.line).collect();
        assert_eq!(rejected, [8, 41, 74]);
        assert_eq!(outcome.rejects[0].step_number, 1);
        assert!(
            outcome.rejects[0].message.contains("bad"),
            "{}",
            outcome.rejects[0].message
        );
        assert!(outcome.counts.iter().all(StepCounts::is_balanced));
        assert_eq!(outcome.counts[0].rows_quarantined, 3);
        assert!(lines(&outcome).is_sorted());
    }
}

#[test]
fn an_error_is_found_although_a_later_step_would_drop_its_column_or_row() {
    let df = df!("a" => ["1", "x"], "keep" => [true, false]).unwrap();
    let outcome = execute(
        "- derive: {columns: {n: CAST(a AS BIGINT)}}\n\
         - drop: {columns: [n]}\n\
         - filter: {where: keep}\n",
        &df,
    );
    assert_eq!(outcome.rejects.len(), 1);
    assert_eq!(outcome.counts[2].rows_filtered, 0);
}

#[test]
fn an_error_on_every_row_ends_soon() {
    let df = df!("a" => vec!["x"; 50_000]).unwrap();
    let plan = plan("- derive: {columns: {n: CAST(a AS BIGINT)}}\n", &df);
    let error = plan.execute(with_origins(&df)).unwrap_err();
    assert_eq!((error.number, error.label.as_str()), (1, "derive(n)"));
    assert!(
        error
            .message
            .starts_with(&format!("more than {MAX_ROWS} of 50000 records")),
        "{error}"
    );
}

#[test]
fn a_panic_becomes_an_error() {
    let df = df!("a" => [1i64]).unwrap();
    let broken = col("a").map(|_| panic!("out of order"), |_, field| Ok(field.clone()));
    let error = super::collect(df.lazy().select([broken])).unwrap_err();
    assert_eq!(error, "polars panicked: out of order");
}

#[test]
fn an_empty_batch_runs_and_has_the_plan_s_columns() {
    let df = df!("a" => ["1"], "t" => ["x"]).unwrap().clear();
    let yaml = "- cast: {column: a, to: float64}\n\
                - bucketize: {column: a, into: b, borders: [1]}\n\
                - tokenize: {column: t, into: w}\n\
                - hashing_tf: {column: w, into: v}\n\
                - explode: {column: w}\n\
                - derive: {columns: {site: \"'de'\", n: 1 + 1}}\n\
                - dedupe: {}\n";
    let outcome = execute(yaml, &df);
    assert_eq!(
        origin::without_hidden(outcome.df.schema()),
        *plan(yaml, &df).output()
    );
    assert_eq!(outcome.counts.len(), 7);
}

#[test]
fn exploring_times_every_step_and_gives_the_same() {
    let df = df!("a" => ["1", "x", "3"]).unwrap();
    let yaml = "- derive: {columns: {b: a}}\n\
                - cast: {column: a, to: int64}\n\
                - filter: {where: a > 1}\n";
    let once = execute(yaml, &df);
    let stepwise = plan(yaml, &df).execute_stepwise(with_origins(&df)).unwrap();
    assert_eq!(once.df, stepwise.df);
    assert_eq!(once.rejects, stepwise.rejects);
    assert!(stepwise.counts.iter().all(|counts| counts.nanos > 0));
    assert!(once.counts.iter().all(|counts| counts.nanos == 0));
    let untimed = |counts: &[StepCounts]| -> Vec<StepCounts> {
        let untimed = counts.iter().cloned();
        untimed.map(|counts| StepCounts { nanos: 0, ..counts }).collect()
    };
    assert_eq!(untimed(&once.counts), untimed(&stepwise.counts));
}

/// Rows that exercise every step: text that may be a number, words, a fraction that may be `NaN`, a key.
fn rows() -> impl Strategy<Value = DataFrame> {
    let row = (
        prop_oneof![
            Just(None),
            "[0-9]{1,3}".prop_map(Some),
            "[a-z ]{0,6}".prop_map(Some)
        ],
        prop_oneof![Just(None), "[a-c ,]{0,8}".prop_map(Some)],
        prop_oneof![Just(None), Just(Some(f64::NAN)), (-5.0..5.0).prop_map(Some)],
        0i64..4,
    );
    prop::collection::vec(row, 0..40).prop_map(|rows| {
        let text: Vec<Option<String>> = rows.iter().map(|row| row.0.clone()).collect();
        let words: Vec<Option<String>> = rows.iter().map(|row| row.1.clone()).collect();
        let x: Vec<Option<f64>> = rows.iter().map(|row| row.2).collect();
        let key: Vec<i64> = rows.iter().map(|row| row.3).collect();
        let columns = vec![
            Series::new("text".into(), text).into_column(),
            Series::new("words".into(), words).into_column(),
            Series::new("x".into(), x).into_column(),
            Series::new("key".into(), key).into_column(),
        ];
        DataFrame::new(rows.len(), columns).unwrap()
    })
}

/// Steps that check on [`rows`] in any order and number.
const ROW_STEPS: &[&str] = &[
    "filter: {where: key <> 2}",
    "filter: {where: x > 0}",
    "derive: {columns: {y: x * 2, n: CAST(text AS BIGINT)}}",
    "derive: {columns: {z: TRY_CAST(text AS BIGINT)}}",
    "normalize_text: {column: words, trim: true, case: upper}",
    "tokenize: {column: words, into: list}",
    "bucketize: {column: x, into: bucket, borders: [0, 1]}",
    "bucketize: {column: x, into: bucket, borders: [0], on_nan: extra}",
    "parse_timestamp: {column: text, into: at}",
    "fill_null: {column: words, value: none}",
];

fn recipes() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(ROW_STEPS), 0..6)
        .prop_map(|steps| steps.iter().flat_map(|step| ["- ", *step, "\n"]).collect())
}

/// The same with steps that make, merge or reshape at the end.
fn wide_recipes() -> impl Strategy<Value = String> {
    let ends = prop::sample::select(vec![
        "",
        "- dedupe: {columns: [key]}\n",
        "- tokenize: {column: words, into: l}\n- explode: {column: l}\n",
        "- tokenize: {column: words, into: l}\n- explode: {column: l, empty: drop}\n- dedupe: {columns: [l], keep: none}\n",
        "- cast: {column: text, to: int64}\n- select: {columns: [text]}\n",
    ]);
    (recipes(), ends).prop_map(|(start, end)| start + end)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_books_balance_for_any_recipe(df in rows(), yaml in wide_recipes()) {
        let outcome = execute(&format!("{yaml}- filter: {{where: 'true'}}\n"), &df);
        let mut n_rows = df.height() as u64;
        for counts in &outcome.counts {
            prop_assert_eq!(counts.rows_in, n_rows);
            prop_assert!(counts.is_balanced(), "{:?}", counts);
            n_rows = counts.rows_out;
        }
        prop_assert_eq!(outcome.df.height() as u64, n_rows);
        let quarantined: u64 = outcome.counts.iter().map(|counts| counts.rows_quarantined).sum();
        prop_assert_eq!(outcome.rejects.len() as u64, quarantined);
    }

    #[test]
    fn batches_give_what_their_union_gives(df in rows(), yaml in recipes(), cut in 0usize..40) {
        let yaml = format!("{yaml}- filter: {{where: 'true'}}\n");
        let plan = plan(&yaml, &df);
        let all = with_origins(&df);
        let cut = cut.min(df.height());
        let whole = plan.execute(all.clone()).unwrap();
        let first = plan.execute(all.head(Some(cut))).unwrap();
        let second = plan.execute(all.slice(i64::try_from(cut).unwrap(), df.height() - cut)).unwrap();
        let joined = first.df.vstack(&second.df).unwrap();
        prop_assert!(whole.df.equals_missing(&joined), "{:?}\n{:?}", whole.df, joined);
        let by_line = |mut rejects: Vec<super::StepReject>| {
            rejects.sort_by_key(|reject| reject.line);
            rejects
        };
        let parts = first.rejects.into_iter().chain(second.rejects).collect();
        prop_assert_eq!(by_line(whole.rejects), by_line(parts));
        let mut counts = first.counts;
        for (counts, second) in counts.iter_mut().zip(&second.counts) {
            counts.add(second);
        }
        prop_assert_eq!(whole.counts, counts);
    }
}
