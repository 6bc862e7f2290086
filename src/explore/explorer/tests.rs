//! The explorer: what it keeps, what it computes again, and what it tells of each step.

use std::collections::BTreeMap;

use chrono::DateTime;
use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series, df};

use super::{Explorer, explore_once};
use crate::base::envelope::from_yaml;
use crate::base::{Accuracy, Cancel};
use crate::dataset::{Page, origin};
use crate::explore::{ColumnMark, Explored, Nulls, Why, page_rows};
use crate::transform::{FitSource, FitState, Input, Inputs, Recipe};

pub(super) fn page(df: &DataFrame) -> Page {
    let mut df = df.clone();
    let n = df.height() as u64;
    let lines: Vec<u64> = (1..=n).collect();
    for column in [
        Series::new(origin::OBJECT.into(), vec![0_u32; df.height()]),
        Series::new(
            origin::OFFSET.into(),
            lines.iter().map(|line| line * 100).collect::<Vec<_>>(),
        ),
        Series::new(origin::LINE.into(), lines),
    ] {
        df.with_column(column.into_column()).unwrap();
    }
    Page {
        df,
        objects: vec!["a.jsonl".to_owned()],
        ..Page::default()
    }
}

fn source() -> FitSource {
    FitSource {
        from: "a test".to_owned(),
        at: DateTime::UNIX_EPOCH,
    }
}

fn recipe(yaml: &str) -> Recipe {
    from_yaml(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"))
}

fn explored(df: &DataFrame, yaml: &str) -> Explored {
    let recipe = recipe(yaml);
    let n_steps = recipe.steps.len();
    let explored = explore_once(&page(df), &recipe, n_steps, &Inputs::default(), &source());
    assert_eq!(explored.error, None);
    explored
}

/// An explorer with a page, to count what it computes.
struct Desk {
    explorer: Explorer,
    page: Page,
}

impl Desk {
    fn new(df: &DataFrame) -> Self {
        Self {
            explorer: Explorer::default(),
            page: page(df),
        }
    }

    /// The result, and how many steps were computed for it.
    fn explore(&mut self, stamp: u64, yaml: &str, n_steps: usize) -> (Explored, u64) {
        let before = self.explorer.n_computed();
        let explored = self.explorer.explore(
            stamp,
            &self.page,
            &recipe(yaml),
            n_steps,
            &Inputs::default(),
            &source(),
            &Cancel::new(),
        );
        (explored.unwrap(), self.explorer.n_computed() - before)
    }
}

fn numbers() -> DataFrame {
    df!("n" => (0..100_i64).collect::<Vec<_>>(), "t" => (0..100).map(|n| format!(" A{n} ")).collect::<Vec<_>>())
        .unwrap()
}

#[test]
fn a_step_marks_the_columns_it_made_and_those_whose_values_it_changed_and_no_other() {
    let rows = df!("title" => [" A ", "b"], "city" => ["x", "y"], "n" => [Some(1_i64), None]).unwrap();
    let steps = "
- normalize_text: {column: title, trim: true, case: lower}
- derive: {columns: {twice: n * 2}}
- filter: {where: n = 1}
- cast: {column: n, to: string}
- drop: {columns: [city]}
";
    let mut desk = Desk::new(&rows);
    let mut marks = |n_steps| {
        let (explored, _) = desk.explore(1, steps, n_steps);
        assert_eq!(explored.error, None);
        (explored.marks, explored.dropped)
    };
    let of = |name: &str, mark| (BTreeMap::from([(name.to_owned(), mark)]), Vec::new());
    assert_eq!(marks(0), (BTreeMap::new(), Vec::new()));
    assert_eq!(marks(1), of("title", ColumnMark::Changed));
    assert_eq!(marks(2), of("twice", ColumnMark::Added));
    assert_eq!(
        marks(3),
        (BTreeMap::new(), Vec::new()),
        "a filter changes no value"
    );
    assert_eq!(marks(4), of("n", ColumnMark::Changed));
    assert_eq!(marks(5), (BTreeMap::new(), vec!["city".to_owned()]));
}

#[test]
fn shown_rows_know_the_rows_of_the_page_they_came_from() {
    let rows = df!("n" => [5_i64, 1, 4, 2], "t" => ["a b", "c", "d e", "f"]).unwrap();
    let steps = "
- filter: {where: n > 1}
- sort: {columns: [n]}
- tokenize: {column: t, into: w}
- explode: {column: w}
";
    let found = explored(&rows, steps);
    let n: Vec<i64> = found
        .df
        .column("n")
        .unwrap()
        .i64()
        .unwrap()
        .into_no_null_iter()
        .collect();
    assert_eq!(n, [2, 4, 4, 5, 5]);
    let origins = found.origins.unwrap();
    let came_from = |range| page_rows(&page(&rows), &origins, range).unwrap();
    assert_eq!(came_from(0..2), [2, 3]);
    assert_eq!(came_from(3..5), [0], "two rows of one record");
    assert_eq!(came_from(7..9), [0_usize; 0]);
}

#[test]
fn a_change_of_one_step_computes_only_from_that_step_on() {
    let mut desk = Desk::new(&numbers());
    let steps = |a: &str, b: &str, c: &str| {
        format!(
            "- derive: {{columns: {{a: {a}}}}}\n- filter: {{where: {b}}}\n- derive: {{columns: {{c: {c}}}}}\n"
        )
    };
    let (first, n) = desk.explore(1, &steps("n + 1", "n > 9", "a * 2"), 3);
    assert_eq!((first.df.height(), n), (90, 3));
    let (_, n) = desk.explore(1, &steps("n + 1", "n > 9", "a * 3"), 3);
    assert_eq!(n, 1, "the last");
    let (second, n) = desk.explore(1, &steps("n + 1", "n > 49", "a * 3"), 3);
    assert_eq!((second.df.height(), n), (50, 2), "the second and the third");
    let (third, n) = desk.explore(1, &steps("n + 1", "n > 9", "a * 2"), 3);
    assert_eq!(n, 0, "all as at first");
    assert!(third.df.equals_missing(&first.df));
    assert_eq!(third.ledger.len(), 3);
    let (above, n) = desk.explore(1, &steps("n + 1", "n > 9", "a * 2"), 1);
    assert_eq!((above.df.height(), n), (100, 0), "another step is shown");
    assert_eq!(above.ledger.len(), 3, "what is known of later steps stays");
    let (_, n) = desk.explore(2, &steps("n + 1", "n > 9", "a * 2"), 3);
    assert_eq!(n, 3, "another page");
}

#[test]
fn rows_beyond_the_limit_are_forgotten_oldest_first_and_computed_again() {
    let mut desk = Desk::new(&numbers());
    desk.explorer = Explorer::with_limit(3000);
    let steps = "
- derive: {columns: {a: n + 1}}
- derive: {columns: {b: n + 2}}
- derive: {columns: {c: n + 3}}
- derive: {columns: {d: n + 4}}
- derive: {columns: {e: n + 5}}
";
    let (first, n) = desk.explore(1, steps, 5);
    assert_eq!(n, 5);
    assert!(desk.explorer.n_bytes() <= 3000, "{}", desk.explorer.n_bytes());
    assert!(desk.explorer.n_bytes() > 0);
    let (again, n) = desk.explore(1, steps, 5);
    assert_eq!(n, 0, "the newest are still here");
    assert!(again.df.equals_missing(&first.df));
    let (before, n) = desk.explore(1, steps, 1);
    assert_eq!((before.df.width(), n), (3, 1), "the oldest is computed again");
}

#[test]
fn a_cancelled_exploration_says_so() {
    let mut desk = Desk::new(&numbers());
    let cancel = Cancel::new();
    cancel.cancel();
    let ended = desk.explorer.explore(
        1,
        &desk.page,
        &recipe("- derive: {columns: {a: n + 1}}"),
        1,
        &Inputs::default(),
        &source(),
        &cancel,
    );
    assert!(ended.is_err());
    assert_eq!(desk.explorer.n_computed(), 0);
}

#[test]
fn a_step_that_does_not_check_is_a_state_and_the_rows_are_those_before_it() {
    let steps = "
- derive: {columns: {a: n + 1}}
- derive: {columns: {b: missing + 1}}
- derive: {columns: {c: a + 1}}
";
    let explored = explored(&numbers(), steps);
    assert_eq!((explored.n_steps, explored.df.width()), (1, 3));
    assert_eq!(explored.ledger.len(), 1);
    let error = explored.checks[1].as_ref().unwrap_err().to_string();
    assert!(
        error.starts_with("step 2 `derive(b)`: `b`: column `missing` not found"),
        "{error}"
    );
    assert!(
        explored.checks[2].is_ok(),
        "checked as if the broken one were off"
    );
}

#[test]
fn a_step_that_is_off_keeps_the_numbers_of_the_others() {
    let rows = df!("s" => ["1", "x"]).unwrap();
    let steps = "
- derive: {enabled: false, columns: {a: \"1\"}}
- cast: {column: s, to: int64}
";
    let explored = explored(&rows, steps);
    assert_eq!(explored.ledger.keys().copied().collect::<Vec<_>>(), [2]);
    assert_eq!(explored.rejects[0].step.as_deref(), Some("2 cast(s)"));
    assert_eq!(explored.rejects[0].object, "a.jsonl");
}

#[test]
fn the_ledger_tells_columns_and_the_nulls_that_a_step_made() {
    let rows = df!("s" => [Some("1"), Some("x"), None], "n" => [1_i64, 2, 3]).unwrap();
    let steps = "
- cast: {column: s, to: int64, on_error: 'null'}
- derive: {columns: {half: \"CASE WHEN n > 1 THEN n END\"}}
- drop: {columns: [n]}
";
    let explored = explored(&rows, steps);
    let cast = &explored.ledger[&1];
    assert_eq!(cast.nulls.len(), 1);
    assert_eq!(
        (cast.nulls[0].column.as_str(), cast.nulls[0].made),
        ("s", Nulls::Cells(1))
    );
    assert_eq!(cast.columns.retyped[0].column, "s");
    let derive = &explored.ledger[&2];
    assert_eq!(derive.columns.added[0].0, "half");
    assert_eq!(derive.nulls[0].made, Nulls::Cells(1));
    assert_eq!(explored.ledger[&3].columns.dropped[0].0, "n");
    assert!(explored.ledger[&3].nulls.is_empty());
}

#[test]
fn rows_find_their_partners_through_filters_and_through_steps_that_make_rows() {
    let rows = df!("n" => [1_i64, 2, 3], "t" => ["a,b", "c", "d,e,f"]).unwrap();
    let filtered = explored(&rows, "- filter: {where: n <> 2}");
    let comparison = filtered.comparison.unwrap();
    assert_eq!(
        (comparison.row_before(0), comparison.row_before(1)),
        (Some(0), Some(2))
    );
    assert_eq!(comparison.rows_after(1), Vec::<usize>::new());
    assert_eq!((comparison.left_out.len(), comparison.left_out[0].row), (1, 1));
    let left_out = comparison.rows_left_out(Why::Filtered);
    assert_eq!(left_out, df!("n" => [2_i64], "t" => ["c"]).unwrap());
    assert_eq!(comparison.rows_left_out(Why::Rejected).height(), 0);

    let steps = "
- tokenize: {column: t, into: w, pattern: ','}
- explode: {column: w}
- filter: {where: w <> 'e'}
";
    let mut desk = Desk::new(&rows);
    let (made, _) = desk.explore(1, steps, 2);
    let comparison = made.comparison.unwrap();
    assert_eq!(comparison.rows_after(2), [3, 4, 5]);
    assert_eq!(comparison.row_before(4), Some(2));
    assert!(comparison.left_out.is_empty());
    let (filtered, _) = desk.explore(1, steps, 3);
    let comparison = filtered.comparison.unwrap();
    assert_eq!(
        comparison.row_before(4),
        Some(5),
        "rows of one line are told apart"
    );
    assert_eq!(comparison.left_out[0].row, 4);
}

#[test]
fn cells_that_differ_are_flagged_beside_the_row_they_came_from() {
    let rows = df!("t" => [Some(" a"), Some("b"), None, Some("c ")], "n" => [1_i64, 2, 3, 4]).unwrap();
    let steps = "
- normalize_text: {column: t, trim: true}
";
    let explored = explored(&rows, steps);
    let comparison = explored.comparison.unwrap();
    let changes = comparison.cell_changes(0..4);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].column, "t");
    assert_eq!(changes[0].is_changed, [true, false, false, true]);
    assert_eq!(comparison.cell_changes(3..99)[0].is_changed, [true]);
    assert!(comparison.cell_changes(1..3).is_empty());
}

#[test]
fn rejected_rows_are_told_from_filtered_ones() {
    let rows = df!("s" => ["1", "x", "3"]).unwrap();
    let explored = explored(&rows, "- cast: {column: s, to: int64}");
    let comparison = explored.comparison.unwrap();
    assert_eq!(comparison.left_out.len(), 1);
    assert_eq!(comparison.left_out[0].why, Why::Rejected);
    assert_eq!(comparison.row_before(1), Some(2));
    assert_eq!(comparison.cell_changes(0..2), [], "the same digits");
    assert_eq!(explored.marks["s"], ColumnMark::Changed, "of another type");
}

#[test]
fn a_step_that_learns_is_fitted_on_the_rows_before_it_and_the_exploration_goes_on() {
    let steps = "
- filter: {where: n < 50}
- scale: {columns: [n], method: min_max, suffix: _scaled}
- derive: {columns: {twice: n_scaled * 2}}
";
    let mut desk = Desk::new(&numbers());
    let (first, n) = desk.explore(1, steps, 3);
    assert_eq!((first.n_steps, n), (3, 3));
    assert!(first.checks.iter().all(Result::is_ok), "{:?}", first.checks);
    let twice = first.df.column("twice").unwrap().f64().unwrap();
    let most = twice.iter().flatten().fold(0.0, f64::max);
    assert!(
        (most - 2.0).abs() < 1e-9,
        "learned from the rows after the filter: {most}"
    );
    let [(1, fitted)] = first.fits.as_slice() else {
        panic!("{:?}", first.fits)
    };
    let Some(FitState::Fitted { from, rows, .. }) = fitted.fit_state() else {
        panic!("{fitted:?}")
    };
    assert_eq!((from.as_str(), rows), ("a test", 50));

    let (_, n) = desk.explore(1, steps, 3);
    assert_eq!(n, 0, "what it learned is known");
    let mut kept = recipe(steps);
    kept.steps[1].step = fitted.clone();
    let inputs = Inputs::default();
    let before = desk.explorer.n_computed();
    let again = desk
        .explorer
        .explore(1, &desk.page, &kept, 3, &inputs, &source(), &Cancel::new())
        .unwrap();
    assert_eq!((again.fits.len(), desk.explorer.n_computed() - before), (0, 0));

    let (above, n) = desk.explore(2, steps, 1);
    assert_eq!((above.n_steps, n), (1, 1));
    assert_eq!(
        above.fits.len(),
        1,
        "a step below those that are shown learns too"
    );
    assert!(above.checks.iter().all(Result::is_ok));

    kept.steps[0].enabled = false;
    let mut refit = |at| {
        desk.explorer
            .refit_step(1, &desk.page, &kept, at, &inputs, &source(), &Cancel::new())
    };
    let anew = refit(1).unwrap();
    assert!(
        matches!(anew.fit_state(), Some(FitState::Fitted { rows: 100, .. })),
        "{anew:?}"
    );
    assert_eq!(
        refit(2).unwrap_err(),
        "step 3 `derive(twice)` learns nothing from data"
    );
}

#[test]
fn a_step_that_cannot_learn_is_a_state_of_that_step() {
    let explored = explored(
        &numbers(),
        "- scale: {columns: [t]}\n- derive: {columns: {m: n + 1}}\n",
    );
    assert_eq!((explored.n_steps, explored.fits.len()), (0, 0));
    let error = explored.checks[0].as_ref().unwrap_err().to_string();
    assert!(
        error.starts_with("step 1 `scale(t)`: column `t` is string"),
        "{error}"
    );
    assert!(explored.checks[1].is_ok());
}

#[test]
fn rows_are_paired_through_queries_groups_and_rows_of_other_data() {
    let rows = df!("n" => [3_i64, 1, 2, 1], "g" => ["a", "b", "a", "b"]).unwrap();
    let pairs = |yaml: &str, inputs: &Inputs| {
        let recipe = recipe(yaml);
        let explored = explore_once(&page(&rows), &recipe, 1, inputs, &source());
        assert_eq!(explored.error, None, "{yaml}");
        assert!(explored.checks[0].is_ok(), "{:?}", explored.checks);
        let comparison = explored.comparison.unwrap();
        let pairs: Vec<Option<usize>> = (0..comparison.after.height())
            .map(|row| comparison.row_before(row))
            .collect();
        let left_out: Vec<(usize, Why)> = comparison
            .left_out
            .iter()
            .map(|left| (left.row, left.why))
            .collect();
        (pairs, left_out)
    };
    let none = Inputs::default();
    let (sorted, left_out) = pairs("- sort: {columns: [n]}", &none);
    assert_eq!(
        (sorted, left_out),
        (vec![Some(1), Some(3), Some(2), Some(0)], vec![])
    );
    let (queried, left_out) = pairs("- sql: {query: SELECT n * 2 AS m FROM rows WHERE n > 1}", &none);
    assert_eq!(queried, [Some(0), Some(2)]);
    assert_eq!(
        left_out,
        [(1, Why::Merged), (3, Why::Merged)],
        "a query does not tell which"
    );
    for query in [
        "SELECT g, max(n) AS n FROM rows GROUP BY g",
        "SELECT max(n) AS n FROM rows",
    ] {
        let (grouped, left_out) = pairs(&format!("- sql: {{query: \"{query}\"}}"), &none);
        assert!(
            grouped.iter().all(Option::is_none),
            "it does not tell which rows a group is made of: {grouped:?}"
        );
        assert_eq!(left_out.len(), 4, "{query}");
    }
    let (grouped, left_out) = pairs(
        "- aggregate: {by: [g], columns: [{into: most, fn: max, column: n}]}",
        &none,
    );
    assert_eq!(grouped, [Some(0), Some(1)]);
    assert_eq!(left_out, [(2, Why::Merged), (3, Why::Merged)]);
    let mut inputs = Inputs::default();
    let more = df!("n" => [9_i64], "g" => ["z"]).unwrap();
    inputs.insert(
        "more",
        Input::opened(more, vec!["more/0".to_owned()], Accuracy::Exact),
    );
    let (united, left_out) = pairs("- union: {input: more}", &inputs);
    assert_eq!(
        united,
        [Some(0), Some(1), Some(2), Some(3), None],
        "rows from elsewhere have no partner"
    );
    assert!(left_out.is_empty());
    let (joined, _) = pairs(
        "- join: {input: more, on: [n], columns: [g], suffix: _more}",
        &inputs,
    );
    assert_eq!(joined, [Some(0), Some(1), Some(2), Some(3)]);
}

#[test]
fn other_rows_of_an_input_are_explored_anew() {
    let mut desk = Desk::new(&numbers());
    let steps = recipe("- derive: {columns: {m: n}}\n- join: {input: more, on: [n], how: semi}\n");
    let mut explore = |n: i64| {
        let mut inputs = Inputs::default();
        let more = df!("n" => [n]).unwrap();
        inputs.insert(
            "more",
            Input::opened(more, vec!["more/0".to_owned()], Accuracy::Exact),
        );
        let explored = desk
            .explorer
            .explore(1, &desk.page, &steps, 2, &inputs, &source(), &Cancel::new())
            .unwrap();
        explored
            .df
            .column("n")
            .unwrap()
            .i64()
            .unwrap()
            .iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(explore(5), [Some(5)]);
    assert_eq!(explore(6), [Some(6)]);
}
