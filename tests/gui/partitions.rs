//! The Partitions tab as a person uses it: dates, rows, order of the bars, and findings that are put aside.

use egui_kittest::kittest::Queryable as _;

use crate::desk::{Desk, desk, lake};

fn opened() -> Desk {
    let folder = desk();
    let lake = lake(folder.path());
    let mut desk = Desk::open(folder, Some(&lake));
    desk.wait_for("missing dates: 1 2020-01-03");
    desk.wait_idle();
    desk
}

#[test]
fn rows_say_what_counting_them_costs_and_then_how_exact_they_are() {
    let mut desk = opened();
    desk.click("rows");
    desk.wait_for("3 of 3 files: 6 requests");
    desk.click("Count rows");
    // One of the lines is broken, which a count of lines cannot know.
    desk.wait_for("75 rows (exact)");
    desk.click("by size");
    assert!(desk.has("Rows per day") && desk.has("Bar 2020/01/04"));
    desk.click("bytes");
    assert!(!desk.has("75 rows (exact)"));
}

#[test]
fn a_finding_is_put_aside_for_good_and_taken_back() {
    let mut desk = opened();
    desk.wait_for("2020-01-03 has no objects");
    desk.click("Mark as expected");
    desk.wait_for("put aside: show");
    assert_eq!(desk.app().document().expected.len(), 1);
    assert!(!desk.has("2020-01-03 has no objects"));
    desk.click_starting("1 finding expected");
    desk.wait_for("2020-01-03 has no objects");
    desk.click("Take back");
    desk.wait_until("the finding back in its place", |harness| {
        harness.query_all_by_label("Mark as expected").next().is_some()
    });
    assert!(desk.app().document().expected.is_empty());
}

#[test]
fn dates_are_narrowed_and_compared_with_the_days_before() {
    let mut desk = opened();
    desk.click("Dates: all");
    desk.click("Last 7 days");
    desk.wait_for("Dates: 2019-12-29..2020-01-04");
    desk.click("Against the days before");
    desk.wait_for("2019-12-29..2020-01-04 against 2019-12-22..2019-12-28");
    desk.wait_for("these dates");
    desk.wait_idle();
    desk.click("All dates");
    desk.wait_until("the whole dataset again", |harness| {
        harness.query_all_by_label("these dates").next().is_none()
    });
}

#[test]
fn assumptions_behind_costs_are_said_beside_them() {
    let mut desk = opened();
    desk.click("16 slots, 50 MB/s a slot, 30 ms a request");
    desk.wait_for("Tasks at the same time");
    desk.wait_for("Throughput of a slot");
}
