//! Joins of every kind, by their rows, their books and what they refuse.

use polars::prelude::{DataFrame, DataType, NamedFrom, PlSmallStr, Series, TimeUnit, df};

use super::super::testing::{check_error_with, inputs, outcome_with, python_of, recipe, step, with_origins};
use crate::dataset::origin;
use crate::transform::{Inputs, RowEffect, Scope};

fn shown() -> DataFrame {
    df!("id" => [Some(1_i64), Some(2), None, Some(3)], "job" => ["a", "b", "c", "d"]).unwrap()
}

/// Key 1 stands twice, key 3 once, one row has no key.
fn clicked() -> Inputs {
    let clicks = df!("id" => [Some(1_i64), Some(3), None, Some(1)], "at" => [10_i64, 30, 40, 11]);
    inputs([("clicks", clicks.unwrap())])
}

fn run(yaml: &str, df: &DataFrame, inputs: &Inputs) -> DataFrame {
    origin::strip(&outcome_with(yaml, df, inputs).df)
}

/// In, out, filtered, quarantined, made.
fn counts(yaml: &str) -> [u64; 5] {
    let counts = outcome_with(yaml, &shown(), &clicked()).counts.remove(0);
    let [a, b, c] = [counts.rows_in, counts.rows_out, counts.rows_filtered];
    [a, b, c, counts.rows_quarantined, counts.rows_made]
}

#[test]
fn left_keeps_every_row_in_its_place_and_inner_those_with_a_match() {
    let left = run("join: {input: clicks, on: [id]}", &shown(), &clicked());
    let expected = df!(
        "id" => [Some(1_i64), Some(1), Some(2), None, Some(3)],
        "job" => ["a", "a", "b", "c", "d"],
        "at" => [Some(10_i64), Some(11), None, None, Some(30)],
    );
    assert!(left.equals_missing(&expected.unwrap()), "{left}");
    assert_eq!(counts("join: {input: clicks, on: [id]}"), [4, 5, 0, 0, 1]);

    let yaml = "join: {input: clicks, how: inner, on: [id]}";
    let inner = run(yaml, &shown(), &clicked());
    let expected = df!("id" => [1_i64, 1, 3], "job" => ["a", "a", "d"], "at" => [10_i64, 11, 30]);
    assert_eq!(inner, expected.unwrap());
    assert_eq!(counts(yaml), [4, 3, 2, 0, 1]);
}

#[test]
fn semi_and_anti_part_the_rows_between_them() {
    let jobs = |yaml: &str| {
        let df = run(yaml, &shown(), &clicked());
        assert_eq!(df.get_column_names(), ["id", "job"], "nothing is added");
        let jobs = df
            .column("job")
            .unwrap()
            .str()
            .unwrap()
            .iter()
            .flatten()
            .collect::<String>();
        (jobs, counts(yaml)[2])
    };
    assert_eq!(
        jobs("join: {input: clicks, how: semi, on: [id]}"),
        ("ad".to_owned(), 2)
    );
    assert_eq!(
        jobs("join: {input: clicks, how: anti, on: [id]}"),
        ("bc".to_owned(), 2)
    );
    let with_nulls = "join: {input: clicks, how: semi, on: [id], nulls_match: true}";
    assert_eq!(jobs(with_nulls), ("acd".to_owned(), 1));
}

#[test]
fn rows_with_several_matches_are_rejected_where_one_is_expected() {
    let yaml = "join: {input: clicks, on: [id], expect: at_most_one}";
    let outcome = outcome_with(yaml, &shown(), &clicked());
    assert_eq!(counts(yaml), [4, 3, 0, 1, 0]);
    let reject = &outcome.rejects[0];
    assert_eq!((reject.line, reject.column.as_deref()), (1, Some("id")));
    assert_eq!(
        reject.message,
        "2 rows of `clicks` have its key, at most one is expected"
    );
    let inner = "join: {input: clicks, how: inner, on: [id], expect: at_most_one}";
    assert_eq!(counts(inner), [4, 1, 2, 1, 0]);
    assert_eq!(step(yaml).row_effect(), RowEffect::Keeps);
    assert_eq!(step(inner).row_effect(), RowEffect::Filters);
}

#[test]
fn keys_may_have_other_names_and_taken_names_get_the_suffix() {
    let more = df!("uid" => [3_i64, 1], "job" => ["x", "y"], "n" => [7_i64, 8]).unwrap();
    let inputs = inputs([("more", more)]);
    let names = |options: &str| {
        let yaml = format!("join: {{input: more, on: [id], input_on: [uid]{options}}}");
        let df = run(&yaml, &shown(), &inputs);
        df.get_column_names()
            .into_iter()
            .map(PlSmallStr::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["id", "job", "job_right", "n"]);
    assert_eq!(
        names(", suffix: _of_more, columns: [job]"),
        ["id", "job", "job_of_more"]
    );
    assert_eq!(names(", columns: [n, uid]"), ["id", "job", "n", "uid"]);
    let error = |options: &str| {
        let yaml = format!("join: {{input: more, on: [id], input_on: [uid]{options}}}");
        check_error_with(&yaml, &shown(), &inputs)
    };
    assert!(error(", suffix: ''").starts_with("column `job` is there already"));
    assert!(
        error(", columns: [jobb]").ends_with("did you mean `job`?"),
        "{}",
        error(", columns: [jobb]")
    );
}

#[test]
fn rows_keep_their_own_origin_also_when_one_becomes_several() {
    let df = outcome_with(
        "join: {input: clicks, how: inner, on: [id]}",
        &shown(),
        &clicked(),
    )
    .df;
    let lines: Vec<Option<u64>> = df.column(origin::LINE).unwrap().u64().unwrap().iter().collect();
    assert_eq!(lines, [Some(1), Some(1), Some(4)]);
    assert_eq!(step("join: {}").scope(), Scope::Row);
}

#[test]
fn an_input_without_rows_matches_nothing_and_no_rows_stay_none() {
    let nothing = inputs([(
        "clicks",
        clicked().get("clicks").unwrap().rows.as_ref().unwrap().clear(),
    )]);
    for (how, n_rows) in [("left", 4), ("inner", 0), ("semi", 0), ("anti", 4)] {
        let yaml = format!("join: {{input: clicks, how: {how}, on: [id]}}");
        assert_eq!(run(&yaml, &shown(), &nothing).height(), n_rows, "{how}");
        assert_eq!(run(&yaml, &shown().clear(), &clicked()).height(), 0, "{how}");
    }
}

fn moments(seconds: &[Option<i64>]) -> Series {
    let micros: Vec<Option<i64>> = seconds.iter().map(|at| at.map(|at| at * 1_000_000)).collect();
    Series::new("at".into(), micros)
        .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
        .unwrap()
}

/// The prices that rows at 100 s, 105 s, no time, and 300 s (of another job) get.
fn prices(options: &str) -> Vec<Option<i64>> {
    let mut rows = df!("job" => ["a", "a", "a", "b"]).unwrap();
    rows.with_column(moments(&[Some(100), Some(105), None, Some(300)]).into())
        .unwrap();
    let mut prices = df!("job" => ["a", "a", "a", "b", "a"], "price" => [1_i64, 2, 3, 4, 5]).unwrap();
    // Out of order, one moment twice, one not known.
    prices
        .with_column(moments(&[Some(110), Some(90), Some(100), Some(10), Some(100)]).into())
        .unwrap();
    let yaml = format!("join: {{input: prices, how: asof, on: [at], columns: [price]{options}}}");
    let outcome = outcome_with(&yaml, &rows, &inputs([("prices", prices)]));
    assert_eq!(outcome.df.height(), 4, "every row stays");
    outcome
        .df
        .column("price")
        .unwrap()
        .i64()
        .unwrap()
        .iter()
        .collect()
}

#[test]
fn asof_brings_the_nearest_in_time_on_the_side_that_is_asked_for() {
    assert_eq!(prices(", by: [job]"), [Some(5), Some(5), None, Some(4)]);
    assert_eq!(
        prices(", by: [job], direction: forward"),
        [Some(3), Some(1), None, None]
    );
    assert_eq!(
        prices(", by: [job], direction: nearest"),
        [Some(5), Some(1), None, Some(4)]
    );
    assert_eq!(prices(", by: [job], tolerance: 4s"), [Some(5), None, None, None]);
    assert_eq!(
        prices(", by: [job], tolerance: 5s"),
        [Some(5), Some(5), None, None]
    );
    assert_eq!(prices(""), [Some(5), Some(5), None, Some(1)], "of all jobs");
}

#[test]
fn asof_takes_numbers_and_dates_and_nan_is_no_number() {
    let rows = df!("x" => [1.0, f64::NAN, 2.5]).unwrap();
    let steps = df!("x" => [0.5, 2.0, f64::NAN], "n" => [1_i64, 2, 3]).unwrap();
    let inputs = inputs([("steps", steps)]);
    let n = |options: &str| -> Vec<Option<i64>> {
        let df = run(
            &format!("join: {{input: steps, how: asof, on: [x], columns: [n]{options}}}"),
            &rows,
            &inputs,
        );
        df.column("n").unwrap().i64().unwrap().iter().collect()
    };
    assert_eq!(n(""), [Some(1), None, Some(2)]);
    assert_eq!(n(", tolerance: '0.4'"), [None, None, None]);
    let text = df!("x" => ["a"]).unwrap();
    let error = check_error_with(
        "join: {input: t, how: asof, on: [x]}",
        &text,
        &super::super::testing::inputs([("t", text.clone())]),
    );
    assert!(
        error.contains("column `x` is string, which `asof` cannot compare"),
        "{error}"
    );
}

#[test]
fn what_does_not_check_says_what_to_do() {
    let check = |yaml: &str, expected: &str| {
        let error = check_error_with(yaml, &shown(), &clicked());
        assert!(error.contains(expected), "{yaml}: {error}");
    };
    check(
        "join: {input: clicks}",
        "every row would meet every row of the input",
    );
    check("join: {input: clicks, on: [idd]}", "did you mean `id`?");
    check(
        "join: {input: clicks, on: [job]}",
        "input `clicks` has no column `job`",
    );
    check(
        "join: {input: clicks, on: [job], input_on: [id]}",
        "column `job` is string, `id` of input `clicks` is int64: cast it",
    );
    check(
        "join: {input: clicks, on: [id], input_on: [id, at]}",
        "`on` has 1 and `input_on` has 2",
    );
    check(
        "join: {input: clicks, how: semi, on: [id], columns: [at]}",
        "adds no columns",
    );
    check(
        "join: {input: clicks, on: [id], by: [job]}",
        "`by` is for `how: asof`",
    );
    check(
        "join: {input: clicks, how: asof, on: [id], tolerance: 5s}",
        "`5s` is no tolerance here: write a whole number",
    );
    check(
        "join: {input: clicks, how: asof, on: [id], nulls_match: true}",
        "never matches nulls",
    );
    check("join: {on: [id]}", "`input` is empty");
}

#[test]
fn a_join_that_would_explode_is_stopped_before_it_is_made_and_names_step_key_and_limit() {
    let many = df!("id" => vec![7_i64; 200_000], "text" => vec!["x"; 200_000]).unwrap();
    let inputs = inputs([("many", many)]);
    let rows = df!("id" => [vec![7_i64; 3000], vec![1]].concat()).unwrap();
    let plan = recipe("- join: {input: many, on: [id]}")
        .compile(1, rows.schema(), &inputs)
        .unwrap();
    let error = plan.execute(with_origins(&rows)).unwrap_err();
    assert!(error.is_too_large);
    let text = error.to_string();
    assert!(
        text.starts_with("step 1 `join(many)` failed: it would make 600,000,001 rows"),
        "{text}"
    );
    assert!(
        text.contains("200,000 rows of `many` have the key id = 7"),
        "{text}"
    );

    let mut n_rows = 0;
    let mut n_pieces = 0;
    let few = with_origins(&df!("id" => vec![7_i64; 8]).unwrap());
    let done: Result<(), crate::transform::ExecuteError> = plan
        .clone()
        .with_max_made_bytes(30 << 20)
        .execute_in_pieces(few, &mut |outcome| {
            n_rows += outcome.df.height();
            n_pieces += 1;
            Ok(())
        });
    done.unwrap();
    assert_eq!(n_rows, 1_600_000, "in pieces nothing is lost");
    assert!(n_pieces > 1);
}

#[test]
fn its_python_joins_without_clashing_names() {
    let code = python_of(
        "join: {input: clicks, on: [id], expect: at_most_one}",
        &shown(),
        &clicked(),
    );
    assert!(code.contains("other = inputs[\"clicks\"].select(pl.col(\"id\").alias(\"__key0\"), pl.col(\"at\").alias(\"at\"))"), "{code}");
    assert!(code.contains("how=\"anti\", maintain_order=\"left\")"), "{code}");
    assert!(
        code.contains("left_on=[\"id\"], right_on=[\"__key0\"], nulls_equal=False, how=\"left\""),
        "{code}"
    );
}
