//! What a row gets from its neighbours, and in which order they are.

use polars::prelude::{DataFrame, df};

use super::super::testing::{check_error, floats, ints, outcome, run};

fn input() -> DataFrame {
    df!(
        "k" => [Some("b"), Some("a"), Some("b"), None, Some("a"), Some("b")],
        "t" => [Some(3i64), Some(1), Some(1), Some(9), None, Some(3)],
        "n" => [Some(10i64), Some(20), None, Some(40), Some(50), Some(60)],
        "x" => [Some(0.5), Some(f64::NAN), Some(1.5), Some(2.5), Some(-1.0), None],
        "s" => ["p", "q", "r", "s", "t", "u"],
    )
    .unwrap()
}

fn of(options: &str, function: &str) -> DataFrame {
    run(
        &format!("window: {{{options}columns: [{{into: r, fn: {function}}}]}}"),
        &input(),
    )
}

const BY_T: &str = "partition_by: [k], order_by: [t], ";

#[test]
fn rows_are_numbered_and_ranked_in_their_partition_and_stay_in_their_places() {
    for (options, function, expected) in [
        ("", "row_number", [1, 2, 3, 4, 5, 6]),
        ("partition_by: [k], ", "row_number", [1, 1, 2, 1, 2, 3]),
        (BY_T, "row_number", [2, 1, 1, 1, 2, 3]),
        (BY_T, "rank", [2, 1, 1, 1, 2, 2]),
        ("order_by: [t], ", "rank", [3, 1, 1, 5, 6, 3]),
        ("order_by: [t], ", "dense_rank", [2, 1, 1, 3, 4, 2]),
        ("order_by: [t], descending: [t], ", "rank", [2, 4, 4, 1, 6, 2]),
    ] {
        let output = of(options, function);
        assert_eq!(ints(&output, "r"), expected.map(Some), "{options}{function}");
        assert_eq!(output.column("s").unwrap(), input().column("s").unwrap());
    }
}

#[test]
fn earlier_and_later_values_have_their_own_type_and_end_with_the_partition() {
    let texts = |function: &str| -> Vec<Option<String>> {
        let output = of(BY_T, function);
        let texts = output.column("r").unwrap().str().unwrap();
        texts.iter().map(|text| text.map(str::to_owned)).collect()
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        texts("lag, column: s"),
        [text("r"), None, None, None, text("q"), text("p")]
    );
    assert_eq!(
        texts("lead, column: s"),
        [text("u"), text("t"), text("p"), None, None, None]
    );
    assert_eq!(
        texts("lag, column: s, rows: 2"),
        [None, None, None, None, None, text("r")]
    );
    assert_eq!(
        texts("lag, column: s, rows: 9"),
        [None, None, None, None, None, None]
    );
}

#[test]
fn rolling_windows_leave_nulls_out_and_are_shorter_at_the_beginning() {
    for (function, expected) in [
        (
            "rolling_sum",
            [Some(10i64), Some(30), Some(30), Some(60), Some(90), Some(150)],
        ),
        (
            "rolling_min",
            [Some(10), Some(10), Some(10), Some(20), Some(40), Some(40)],
        ),
        (
            "rolling_max",
            [Some(10), Some(20), Some(20), Some(40), Some(50), Some(60)],
        ),
    ] {
        let output = of("", &format!("{function}, column: n, rows: 3"));
        assert_eq!(ints(&output, "r"), expected, "{function}");
    }
    let means = floats(&of("", "rolling_mean, column: n, rows: 2"), "r");
    assert_eq!(
        means,
        [
            Some(10.0),
            Some(15.0),
            Some(20.0),
            Some(40.0),
            Some(45.0),
            Some(55.0)
        ]
    );
    let alone = ints(&of("", "rolling_sum, column: n, rows: 1"), "r");
    assert_eq!(alone, ints(&input(), "n"));
}

#[test]
fn what_has_left_a_window_leaves_nothing_behind() {
    let input = df!("x" => [Some(1e300), Some(0.1), Some(0.2), Some(f64::NAN), Some(f64::INFINITY), Some(0.3), Some(0.4)]);
    let yaml = "window: {columns: [{into: r, fn: rolling_sum, column: x, rows: 2}, \
                {into: least, fn: rolling_min, column: x, rows: 2}, {into: most, fn: rolling_max, column: x, rows: 2}]}";
    let output = run(yaml, &input.unwrap());
    let sums = floats(&output, "r");
    assert_eq!(sums[2], Some(0.1 + 0.2));
    assert!(sums[3].unwrap().is_nan() && sums[4].unwrap().is_nan());
    assert_eq!((sums[5], sums[6]), (Some(f64::INFINITY), Some(0.3 + 0.4)));
    let (least, most) = (floats(&output, "least"), floats(&output, "most"));
    assert_eq!(
        (least[3], least[4], most[6]),
        (Some(0.2), Some(f64::INFINITY), Some(0.4))
    );
    assert!(most[3].unwrap().is_nan() && most[4].unwrap().is_nan());
}

#[test]
fn running_sums_go_on_after_a_null_and_shares_add_up_to_one() {
    assert_eq!(
        ints(&of("", "cumulative_sum, column: n"), "r"),
        [Some(10), Some(30), None, Some(70), Some(120), Some(180)]
    );
    assert_eq!(
        floats(&of("partition_by: [k], ", "share, column: n"), "r"),
        [
            Some(10.0 / 70.0),
            Some(20.0 / 70.0),
            None,
            Some(1.0),
            Some(50.0 / 70.0),
            Some(60.0 / 70.0)
        ]
    );
    let zero = df!("n" => [1i64, -1]).unwrap();
    let output = run("window: {columns: [{into: r, fn: share, column: n}]}", &zero);
    assert_eq!(floats(&output, "r"), [None, None]);
    let large = df!("n" => [i64::MAX, 1, -1]).unwrap();
    let output = run(
        "window: {columns: [{into: r, fn: cumulative_sum, column: n}]}",
        &large,
    );
    assert_eq!(ints(&output, "r"), [Some(i64::MAX), None, Some(i64::MAX)]);
}

#[test]
fn a_column_may_be_replaced_and_times_have_extremes() {
    let input = df!("d" => [3i32, 1, 2]).unwrap();
    let dates = run("cast: {column: d, to: 'timestamp[us, UTC]'}", &input);
    let output = run(
        "window: {columns: [{into: d, fn: rolling_max, column: d, rows: 2}]}",
        &dates,
    );
    assert_eq!(output.schema(), dates.schema());
    assert_eq!(
        output.column("d").unwrap().get(2).unwrap(),
        dates.column("d").unwrap().get(2).unwrap()
    );
    let counts = &outcome("window: {columns: [{into: r, fn: row_number}]}", &input).counts[0];
    assert_eq!((counts.rows_in, counts.rows_out), (3, 3));
    assert_eq!(
        run("window: {columns: [{into: r, fn: row_number}]}", &input.clear()).height(),
        0
    );
}

#[test]
fn what_does_not_fit_says_so() {
    for (options, expected) in [
        ("", "`columns` is empty"),
        (
            "columns: [{into: r, fn: rank}]",
            "`rank` has no order: choose the columns",
        ),
        ("columns: [{into: r, fn: lag}]", "`r`: `lag` has no column"),
        (
            "columns: [{into: r, fn: lag, column: nn}]",
            "column `nn` not found: did you mean `n`?",
        ),
        (
            "columns: [{into: r, fn: rolling_sum, column: n}]",
            "`r`: `rolling_sum` has no `rows`",
        ),
        (
            "columns: [{into: r, fn: rolling_sum, column: n, rows: 0}]",
            "`r`: `rows` is 0",
        ),
        (
            "columns: [{into: r, fn: row_number, column: n}]",
            "`r`: `row_number` takes no `column`",
        ),
        (
            "columns: [{into: r, fn: share, column: n, rows: 2}]",
            "`r`: `share` takes no `rows`",
        ),
        (
            "columns: [{into: r, fn: share, column: s}]",
            "column `s` is string, not a number",
        ),
        (
            "columns: [{into: r, fn: rolling_min, column: s, rows: 2}]",
            "`r`: column `s` is string, which has no",
        ),
        (
            "columns: [{into: r, fn: row_number}, {into: r, fn: row_number}]",
            "two columns would be named `r`",
        ),
        (
            "partition_by: [kk], columns: [{into: r, fn: row_number}]",
            "column `kk` not found",
        ),
        (
            "descending: [t], columns: [{into: r, fn: row_number}]",
            "column `t` is not in `order_by`",
        ),
    ] {
        let error = check_error(&format!("window: {{{options}}}"), &input());
        assert!(error.starts_with(expected), "{options}: {error}");
    }
}
