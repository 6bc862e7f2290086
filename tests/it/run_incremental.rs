//! Runs after runs: what is read again, what is rewritten, and that no row is lost or doubled on the way.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use skewer::base::{Cancel, Progress};
use skewer::job::Params;
use skewer::run::{
    GcOptions, PartitionReport, PartitionStatus as Status, ReplayOptions, RunOptions, RunReport, RunStatus,
    compact, exit, gc, replay,
};

use crate::run::{DAY, Lake, block_on, check_books, files_below, lines};

/// The parts of the day with their content.
fn contents(lake: &Lake) -> BTreeMap<PathBuf, Vec<u8>> {
    let parts = lake.parts(DAY);
    parts
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

fn sorted_ids(lake: &Lake) -> Vec<i64> {
    let mut ids = lake.ids(DAY);
    ids.sort_unstable();
    ids
}

fn day(report: &RunReport) -> &PartitionReport {
    check_books(report);
    &report.partitions[0]
}

fn message(report: &RunReport) -> String {
    day(report).message.clone().unwrap_or_default()
}

fn compact_day(lake: &Lake) -> RunReport {
    let params = Params::parse(&[("day", DAY)]).unwrap();
    let options = RunOptions::default();
    block_on(compact(
        &lake.job(),
        &params,
        &options,
        &Progress::new(),
        &Cancel::new(),
    ))
    .unwrap()
}

fn replay_day(lake: &Lake) -> RunReport {
    let params = Params::parse(&[("day", DAY)]).unwrap();
    let options = ReplayOptions::default();
    block_on(replay(
        &lake.job(),
        &params,
        &options,
        &Progress::new(),
        &Cancel::new(),
    ))
    .unwrap()
}

#[test]
fn a_second_run_with_nothing_new_does_nothing_and_says_so() {
    let lake = Lake::new();
    lake.raw("2020/01/02/a.jsonl", lines(0..10));
    let first = lake.run(DAY);
    let (before, control) = (
        contents(&lake),
        files_below(&lake.path("out/_skewer/clicks/2020-01-02")),
    );
    let second = lake.run(DAY);
    assert_eq!(
        (day(&second).status, second.exit_code),
        (Status::AlreadyCommitted, 0)
    );
    assert_eq!(
        message(&second),
        format!("nothing new since run {}", first.run_id)
    );
    assert_eq!((day(&second).rows_in, day(&second).n_files), (0, 1));
    assert_eq!(contents(&lake), before);
    assert_eq!(files_below(&lake.path("out/_skewer/clicks/2020-01-02")), control);
}

#[test]
fn new_files_are_new_parts_and_those_of_before_stay_as_they_are() {
    let mut lake = Lake::new();
    lake.parquet = "rows_per_file: 8".to_owned();
    lake.raw("2020/01/02/b.jsonl", lines(10..20));
    lake.run(DAY);
    let before = contents(&lake);
    lake.raw("2020/01/02/a.jsonl", lines(0..10));
    lake.raw("2020/01/02/c.jsonl", "");
    let report = lake.run(DAY);
    let appended = day(&report);
    assert_eq!(appended.status, Status::Committed, "{report:?}");
    assert_eq!(
        (appended.rows_in, appended.rows_out, appended.n_files_new),
        (10, 10, 2)
    );
    let new: Vec<bool> = appended.parts.iter().map(|part| part.is_new).collect();
    assert_eq!(new, [false, false, true, true]);
    let after = contents(&lake);
    assert!(before.iter().all(|(path, content)| after[path] == *content));
    assert_eq!(lake.ids(DAY), (10..20).chain(0..10).collect::<Vec<_>>());
    assert_eq!(day(&lake.run(DAY)).status, Status::AlreadyCommitted);
}

#[test]
fn a_changed_file_rewrites_only_the_parts_that_hold_its_rows() {
    let mut lake = Lake::new();
    lake.parquet = "rows_per_file: 8".to_owned();
    for (name, ids) in [("a", 0..6), ("b", 6..12), ("c", 12..18), ("d", 18..30)] {
        lake.raw(&format!("2020/01/02/{name}.jsonl"), lines(ids));
    }
    lake.run(DAY);
    let before = contents(&lake);
    assert_eq!(before.len(), 4);
    // `b` has rows 6 to 11: in the first part and in the second.
    lake.raw("2020/01/02/b.jsonl", lines(100..103));
    lake.raw("2020/01/02/e.jsonl", lines(30..32));
    let report = lake.run(DAY);
    let rewritten = day(&report);
    assert_eq!(
        (
            rewritten.n_files_new,
            rewritten.n_files_changed,
            rewritten.rows_in
        ),
        (1, 1, 5),
        "{report:?}"
    );
    let after = contents(&lake);
    let kept: Vec<&PathBuf> = before.keys().filter(|path| after.contains_key(*path)).collect();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|path| after[*path] == before[*path]));
    let expected: Vec<i64> = (0..6).chain(12..32).chain(100..103).collect();
    assert_eq!(sorted_ids(&lake), expected);
    // The rows that were moved are still known by their file.
    lake.raw("2020/01/02/a.jsonl", lines(200..201));
    lake.raw("2020/01/02/c.jsonl", "");
    lake.run(DAY);
    let expected: Vec<i64> = (18..32).chain(100..103).chain(200..201).collect();
    assert_eq!(sorted_ids(&lake), expected);
    assert_eq!(day(&lake.run(DAY)).status, Status::AlreadyCommitted);
}

#[test]
fn rows_of_a_file_that_is_gone_stay() {
    let lake = Lake::new();
    let gone = lake.raw("2020/01/02/a.jsonl", lines(0..5));
    lake.raw("2020/01/02/b.jsonl", lines(5..9));
    lake.run(DAY);
    fs::remove_file(gone).unwrap();
    let report = lake.run(DAY);
    assert_eq!(day(&report).status, Status::AlreadyCommitted);
    assert!(message(&report).contains("1 raw file that it was made of gone, the rows stay"));
    lake.raw("2020/01/02/c.jsonl", lines(9..10));
    let report = lake.run(DAY);
    assert_eq!(
        (day(&report).status, day(&report).n_files_vanished),
        (Status::Committed, 1)
    );
    assert_eq!(lake.ids(DAY), (0..10).collect::<Vec<_>>());
}

#[test]
fn other_steps_make_the_whole_day_again_but_never_of_fewer_files() {
    let mut lake = Lake::new();
    let first = lake.raw("2020/01/02/a.jsonl", lines(0..5));
    lake.run(DAY);
    lake.steps = "{filter: {where: \"id <> 1\"}}".to_owned();
    let unchanged = lake.run(DAY);
    assert!(
        message(&unchanged).contains("made by other steps"),
        "{unchanged:?}"
    );
    lake.raw("2020/01/02/b.jsonl", lines(5..7));
    let report = lake.run(DAY);
    assert_eq!(
        (day(&report).rows_in, day(&report).rows_out),
        (7, 6),
        "{report:?}"
    );
    assert_eq!(lake.ids(DAY), [0, 2, 3, 4, 5, 6]);
    fs::remove_file(first).unwrap();
    lake.raw("2020/01/02/c.jsonl", lines(7..8));
    lake.steps = String::new();
    let refused = lake.run(DAY);
    assert_eq!(
        (day(&refused).status, refused.exit_code),
        (Status::Failed, exit::SOME_FAILED)
    );
    assert!(message(&refused).contains("would lose rows"), "{refused:?}");
    assert_eq!(lake.ids(DAY), [0, 2, 3, 4, 5, 6]);
}

#[test]
fn steps_over_the_whole_day_see_old_and_new_rows_together() {
    let mut lake = Lake::new();
    lake.steps = "{dedupe: {columns: [id]}}".to_owned();
    lake.raw("2020/01/02/b.jsonl", lines(0..6));
    lake.run(DAY);
    lake.raw("2020/01/02/a.jsonl", lines(3..9));
    let report = lake.run(DAY);
    assert_eq!(
        (
            day(&report).rows_in,
            day(&report).rows_out,
            day(&report).rows_merged
        ),
        (12, 9, 3),
        "{report:?}"
    );
    assert_eq!(sorted_ids(&lake), (0..9).collect::<Vec<_>>());
    assert_eq!(day(&lake.run(DAY)).status, Status::AlreadyCommitted);
}

#[test]
fn a_day_of_one_object_is_replaced_in_one_step() {
    let mut lake = Lake::new();
    lake.sink = "  layout: single".to_owned();
    lake.parquet = "rows_per_file: 3".to_owned();
    lake.raw("2020/01/02/a.jsonl", lines(0..5));
    lake.run(DAY);
    lake.raw("2020/01/02/b.jsonl", lines(5..9));
    lake.raw("2020/01/02/a.jsonl", lines(0..4));
    lake.run(DAY);
    let names: Vec<String> = lake
        .parts(DAY)
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["data.parquet"]);
    assert_eq!(sorted_ids(&lake), [0, 1, 2, 3, 5, 6, 7, 8]);
    // All rows filtered: the object is empty, not gone.
    lake.steps = "{filter: {where: \"id < 0\"}}".to_owned();
    lake.replace(DAY);
    assert_eq!((lake.parts(DAY).len(), lake.ids(DAY).len()), (1, 0));
    lake.sink = String::new();
    let refused = lake.replace(DAY);
    assert!(message(&refused).contains("keep `layout: single`"), "{refused:?}");
}

#[test]
fn a_manifest_names_exactly_the_parts_of_the_last_commit() {
    let mut lake = Lake::new();
    lake.sink = "  manifest: true".to_owned();
    lake.parquet = "rows_per_file: 3".to_owned();
    let check = || {
        let at = lake.path("out/_skewer/clicks/manifest/day_partition=2020-01-02/manifest");
        let named: Vec<PathBuf> = fs::read_to_string(at)
            .unwrap()
            .lines()
            .map(PathBuf::from)
            .collect();
        assert_eq!(named, lake.parts(DAY));
        named.len()
    };
    lake.raw("2020/01/02/a.jsonl", lines(0..5));
    lake.run(DAY);
    assert_eq!(check(), 2);
    lake.raw("2020/01/02/b.jsonl", lines(5..6));
    lake.run(DAY);
    assert_eq!(check(), 3);
    lake.raw("2020/01/02/a.jsonl", lines(0..1));
    lake.run(DAY);
    assert_eq!(check(), 2);
}

#[test]
fn compaction_makes_fewer_parts_of_the_same_rows() {
    let mut lake = Lake::new();
    lake.parquet = "rows_per_file: 10".to_owned();
    for (name, ids) in [("a", 0..12), ("b", 12..15), ("c", 15..18), ("d", 18..21)] {
        lake.raw(&format!("2020/01/02/{name}.jsonl"), lines(ids));
        lake.run(DAY);
    }
    let before = contents(&lake);
    assert_eq!(before.len(), 5);
    let report = compact_day(&lake);
    assert_eq!(day(&report).status, Status::Committed, "{report:?}");
    assert_eq!(message(&report), "5 parts are now 3");
    let after = contents(&lake);
    let full = before.keys().next().unwrap();
    assert_eq!(after[full], before[full], "a full part is left alone");
    assert_eq!(lake.ids(DAY), (0..21).collect::<Vec<_>>());
    assert_eq!(day(&compact_day(&lake)).status, Status::AlreadyCommitted);
    assert_eq!(
        day(&lake.run(DAY)).status,
        Status::AlreadyCommitted,
        "the ledger went along"
    );
    lake.raw("2020/01/02/c.jsonl", lines(50..51));
    lake.run(DAY);
    let expected: Vec<i64> = (0..15).chain(18..21).chain(50..51).collect();
    assert_eq!(sorted_ids(&lake), expected);
}

#[test]
fn replay_adds_mended_records_once() {
    let mut lake = Lake::new();
    let mixed =
        "{\"id\": 1, \"word\": \"a\"}\n{\"id\": 2, \"word\": 7}\n{\"id\": oops}\n{\"id\": 4, \"word\": 8}\n";
    lake.raw("2020/01/02/a.jsonl", mixed);
    lake.raw("2020/01/02/b.jsonl", lines(10..12));
    lake.raw("2020/01/02/c.jsonl", "{\"id\": 20, \"word\": 9}\n");
    lake.run(DAY);
    assert_eq!(lake.ids(DAY), [1, 10, 11]);
    let still = replay_day(&lake);
    assert_eq!(
        message(&still),
        "4 records read again and rejected again, and left in quarantine as they were"
    );
    lake.word = "type: string, accept: [string, number]".to_owned();
    lake.raw("2020/01/02/c.jsonl", "{\"id\": 21, \"word\": \"x\"}\n");
    let report = replay_day(&lake);
    let replayed = day(&report);
    assert_eq!(
        (
            replayed.status,
            replayed.rows_in,
            replayed.rows_out,
            replayed.rows_quarantined
        ),
        (Status::Committed, 3, 2, 1),
        "{report:?}"
    );
    assert!(
        message(&report).starts_with("2 records mended; 1 file changed"),
        "{report:?}"
    );
    assert_eq!(lake.ids(DAY), [1, 10, 11, 2, 4]);
    let again = replay_day(&lake);
    assert_eq!(
        message(&again),
        "1 record read again and rejected again, and left in quarantine as they were; 1 file changed or gone since, the next run reads what is there"
    );
    assert_eq!(lake.ids(DAY), [1, 10, 11, 2, 4]);
    // A change of the file takes its replayed rows with it.
    lake.raw("2020/01/02/a.jsonl", lines(1..3));
    lake.run(DAY);
    assert_eq!(sorted_ids(&lake), [1, 2, 10, 11, 21]);
    assert_eq!(
        message(&replay_day(&lake)),
        "no record in quarantine that was not replayed"
    );
}

#[test]
fn days_before_are_looked_at_again_for_late_files() {
    let mut lake = Lake::new();
    lake.more = "incremental: {lookback_days: 2}".to_owned();
    for date in ["2020/01/01", "2020/01/02", "2020/01/03"] {
        lake.raw(&format!("{date}/a.jsonl"), lines(0..3));
    }
    let report = lake.run("2020-01-03");
    assert_eq!(report.status, RunStatus::Done);
    assert_eq!(report.partitions.len(), 3);
    lake.raw("2020/01/01/late.jsonl", lines(3..4));
    lake.raw("2020/01/04/a.jsonl", lines(0..3));
    let report = lake.run("2020-01-03..2020-01-04");
    let statuses: Vec<(String, Status)> = report
        .partitions
        .iter()
        .map(|day| (day.partition.to_string(), day.status))
        .collect();
    assert_eq!(
        statuses,
        [
            ("2020-01-04".to_owned(), Status::Committed),
            ("2020-01-03".to_owned(), Status::AlreadyCommitted),
            ("2020-01-02".to_owned(), Status::AlreadyCommitted),
            ("2020-01-01".to_owned(), Status::Committed),
        ]
    );
    assert_eq!(lake.ids("2020-01-01"), [0, 1, 2, 3]);
}

#[test]
fn what_a_killed_run_left_is_removed_and_what_counts_is_not() {
    let lake = Lake::new();
    lake.raw("2020/01/02/a.jsonl", lines(0..10));
    lake.run(DAY);
    lake.raw("2020/01/02/b.jsonl", lines(10..12));
    lake.run(DAY);
    let control = lake.path("out/_skewer/clicks");
    let staged = control.join("staging/20200102T000000-dead/2020-01-02/part-00007.parquet");
    fs::create_dir_all(staged.parent().unwrap()).unwrap();
    fs::write(&staged, "half a part").unwrap();
    let options = |older_than, is_dry_run| GcOptions {
        older_than,
        is_dry_run,
        run: RunOptions::default(),
    };
    let collect = |options| block_on(gc(&lake.job(), &options, &Cancel::new())).unwrap();
    assert_eq!(
        collect(options(Duration::from_hours(1), false)).objects,
        Vec::<String>::new()
    );
    let would = collect(options(Duration::ZERO, true));
    assert_eq!(
        would.objects.len(),
        2,
        "the staged part and the ledger of the first commit: {would:?}"
    );
    assert!(staged.exists());
    let did = collect(options(Duration::ZERO, false));
    assert_eq!(did.objects, would.objects);
    assert!(!control.join("staging").exists());
    assert_eq!(lake.ids(DAY), (0..12).collect::<Vec<_>>());
    assert_eq!(day(&lake.run(DAY)).status, Status::AlreadyCommitted);
    assert_eq!(
        collect(options(Duration::ZERO, false)).objects,
        Vec::<String>::new()
    );
}

#[test]
fn a_day_that_was_only_fenced_is_computed_as_if_it_were_new() {
    let lake = Lake::new();
    let staged = lake.path("out/_skewer/clicks/staging/dead/2020-01-02/part-00000.parquet");
    fs::create_dir_all(staged.parent().unwrap()).unwrap();
    fs::write(&staged, "half a part").unwrap();
    lake.raw("2020/01/02/a.jsonl", lines(0..10));
    let options = GcOptions {
        older_than: Duration::ZERO,
        is_dry_run: false,
        run: RunOptions::default(),
    };
    block_on(gc(&lake.job(), &options, &Cancel::new())).unwrap();
    assert!(!lake.path("out/clicks/day_partition=2020-01-02").exists());
    assert_eq!(day(&lake.run(DAY)).status, Status::Committed);
    assert_eq!(lake.ids(DAY), (0..10).collect::<Vec<_>>());
}

/// Ids, the values of `word`, and the number of rows of the day.
fn words(lake: &Lake) -> Vec<(i64, String)> {
    use arrow::array::AsArray as _;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let mut rows = Vec::new();
    for path in lake.parts(DAY) {
        let file = fs::File::open(path).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file)
            .unwrap()
            .build()
            .unwrap();
        for batch in reader {
            let batch = batch.unwrap();
            let ids = batch.column_by_name("id").unwrap();
            let ids = ids
                .as_primitive::<arrow::datatypes::Int64Type>()
                .values()
                .to_vec();
            let words = batch.column_by_name("word").unwrap().as_string::<i32>().clone();
            rows.extend(
                ids.into_iter()
                    .zip(words.iter().map(|word| word.unwrap_or("null").to_owned())),
            );
        }
    }
    rows.sort();
    rows
}

const MIXED: &str = "{\"id\": 1, \"word\": \"a\"}\n{\"id\": 2, \"word\": 7}\n";

#[test]
fn a_record_that_a_later_run_read_is_not_replayed() {
    let mut lake = Lake::new();
    lake.raw("2020/01/02/a.jsonl", MIXED);
    lake.run(DAY);
    lake.word = "type: string, accept: [string, number]".to_owned();
    lake.replace(DAY);
    assert_eq!(lake.ids(DAY), [1, 2]);
    let replayed = replay_day(&lake);
    assert_eq!(
        message(&replayed),
        "no record in quarantine that was not replayed"
    );
    assert_eq!(lake.ids(DAY), [1, 2]);
    // The same without being asked: a new file and a mended spec make the whole day again.
    let mut lake = Lake::new();
    lake.raw("2020/01/02/a.jsonl", MIXED);
    lake.run(DAY);
    lake.word = "type: string, accept: [string, number]".to_owned();
    lake.raw("2020/01/02/b.jsonl", lines(5..6));
    lake.run(DAY);
    replay_day(&lake);
    assert_eq!(sorted_ids(&lake), [1, 2, 5]);
}

#[test]
fn a_replay_keeps_the_steps_of_the_day_in_mind() {
    let mut lake = Lake::new();
    lake.raw("2020/01/02/a.jsonl", MIXED);
    lake.run(DAY);
    lake.word = "type: string, accept: [string, number]".to_owned();
    lake.steps = "{filter: {where: \"id <> 1\"}}".to_owned();
    assert_eq!(day(&replay_day(&lake)).rows_out, 1);
    assert_eq!(sorted_ids(&lake), [1, 2]);
    assert!(message(&lake.run(DAY)).contains("made by other steps"));
    lake.raw("2020/01/02/b.jsonl", lines(5..6));
    lake.run(DAY);
    assert_eq!(sorted_ids(&lake), [2, 5]);
    lake.steps = "{derive: {columns: {more: id + 1}}}".to_owned();
    lake.raw("2020/01/02/b.jsonl", "{\"id\": bad}\n");
    let refused = replay_day(&lake);
    assert_eq!((day(&refused).status, refused.exit_code), (Status::Failed, 2));
    assert!(message(&refused).contains("other columns"), "{refused:?}");
}

#[test]
fn rows_of_a_record_of_which_one_was_rejected_are_not_added_twice() {
    let mut lake = Lake::new();
    lake.steps = "{explode: {column: tags}}, {cast: {column: tags, to: int64}}".to_owned();
    let first = "{\"id\": 1, \"word\": \"a\", \"tags\": [\"1\", \"x\"]}\n";
    let second = "{\"id\": 2, \"word\": 7, \"tags\": [\"3\", \"y\"]}\n";
    lake.raw("2020/01/02/a.jsonl", format!("{first}{second}"));
    lake.run(DAY);
    assert_eq!(lake.ids(DAY), [1]);
    lake.word = "type: string, accept: [string, number]".to_owned();
    for _ in 0..2 {
        let replayed = replay_day(&lake);
        assert!(message(&replayed).contains("left aside"), "{replayed:?}");
        assert_eq!(words(&lake), [(1, "a".to_owned()), (2, "7".to_owned())]);
    }
}

#[test]
fn a_replay_of_a_day_that_was_mixed_is_refused() {
    let mut lake = Lake::new();
    lake.steps = "{dedupe: {columns: [id]}}".to_owned();
    lake.raw("2020/01/02/a.jsonl", MIXED);
    lake.run(DAY);
    lake.steps = String::new();
    let refused = replay_day(&lake);
    assert_eq!((day(&refused).status, refused.exit_code), (Status::Failed, 2));
    assert!(
        message(&refused).contains("run the day with --replace"),
        "{refused:?}"
    );
}
