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
    assert!(desk.has("Rows per day") && desk.has("Bar 2020-01-04, "));
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
    desk.press("Take back");
    desk.wait_until("the finding back in its place", |harness| {
        let app = harness.state().as_ref();
        app.is_some_and(|app| app.document().expected.is_empty())
    });
    assert!(!desk.has("1 finding expected"));
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

#[test]
fn a_click_on_a_bar_opens_its_partition_which_is_then_marked() {
    let mut desk = opened();
    desk.wait_for("Bytes per day. 2020-01-01 to 2020-01-04, from the listing. 4 bars, largest");
    assert!(desk.has("1 missing"));
    desk.click_starting("Bar 2020-01-02, ");
    desk.wait_idle();
    let open = desk.app().document().partition.clone();
    assert_eq!(open.unwrap().to_string(), "2020-01-02");
}

#[test]
fn the_curve_and_the_sizes_are_told_in_words_and_saved_as_pictures() {
    let mut desk = opened();
    desk.wait_for("Lorenz curve. ");
    desk.wait_for("Files by size. ");
    for (chart, file) in [("Lorenz curve", "curve.svg"), ("Files by size", "sizes.png")] {
        let path = desk.folder.path().join(file);
        desk.answers.push(&path);
        desk.press(&format!("Menu of the chart {chart}"));
        desk.click("Export picture…");
        desk.wait_until("the file", |_| path.exists());
        desk.wait_idle();
        assert!(std::fs::metadata(&path).unwrap().len() > 500);
    }
}

#[test]
fn the_tree_follows_a_day_that_is_opened_from_a_chart() {
    let folder = desk();
    let lake = folder.path().join("long");
    for day in 0..60 {
        let date = chrono::NaiveDate::from_ymd_opt(2020, 1, 1).unwrap() + chrono::Duration::days(day);
        let day = lake.join(date.format("%Y/%m/%d").to_string());
        std::fs::create_dir_all(&day).unwrap();
        std::fs::write(day.join("a.jsonl"), "{\"id\": 1}\n").unwrap();
    }
    let mut desk = Desk::open(folder, Some(&lake));
    desk.wait_for("2020/01/01 1 file 10 B");
    desk.wait_idle();
    assert!(!desk.has("2020/02/25 1 file 10 B"), "far below");
    desk.click_starting("Bar 2020-02-25, ");
    desk.wait_for("2020/02/25 1 file 10 B");
    // A click in the tree itself moves nothing.
    desk.click("2020/02/26 1 file 10 B");
    desk.wait_idle();
    assert!(desk.has("2020/02/25 1 file 10 B"));
    let open = desk.app().document().partition.clone();
    assert_eq!(open.unwrap().to_string(), "2020-02-26");
}
