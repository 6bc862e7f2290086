//! Runs of jobs whose steps look at several rows: what they write is what the same rows give when computed here.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use skewer::base::Cancel;
use skewer::run::{RunOptions, RunReport, RunStatus};

use crate::run::{DAY, Lake, check_books};

const N: i64 = 3000;

/// `id` and `word` of each record, in the order of files and lines. Every 100th has no word.
fn records() -> Vec<(i64, Option<String>)> {
    let ids = (0..N).map(|n| n * 7919 % N);
    ids.map(|id| (id, (id % 100 != 0).then(|| format!("w{}", id % 13))))
        .collect()
}

/// A lake with the records in three files.
fn lake(steps: &str) -> Lake {
    let mut lake = Lake::new();
    steps.clone_into(&mut lake.steps);
    for (name, part) in ["a", "b", "c"].iter().zip(records().chunks(1100)) {
        let text = part.iter().fold(String::new(), |mut text, (id, word)| {
            let word = word
                .as_ref()
                .map_or("null".to_owned(), |word| format!("\"{word}\""));
            writeln!(text, "{{\"id\": {id}, \"word\": {word}}}").unwrap();
            text
        });
        lake.raw(&format!("2020/01/02/{name}.jsonl"), text);
    }
    lake
}

/// The table's rows of the day as text, in the order of parts and rows.
fn table(lake: &Lake) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for path in lake.parts(DAY) {
        let file = std::fs::File::open(path).unwrap();
        let batches = ParquetRecordBatchReaderBuilder::try_new(file)
            .unwrap()
            .build()
            .unwrap();
        for batch in batches {
            let batch = batch.unwrap();
            for row in 0..batch.num_rows() {
                let values = batch.columns().iter();
                rows.push(
                    values
                        .map(|column| array_value_to_string(column, row).unwrap())
                        .collect(),
                );
            }
        }
    }
    rows
}

fn text(word: Option<&String>) -> String {
    word.cloned().unwrap_or_default()
}

fn run(lake: &Lake, memory: &str) -> RunReport {
    let options = RunOptions {
        memory: Some(memory.parse().unwrap()),
        ..RunOptions::default()
    };
    let report = lake.run_with(DAY, &options, &Cancel::new());
    assert_eq!(report.status, RunStatus::Done, "{report:?}");
    check_books(&report);
    report
}

#[test]
fn groups_of_a_day_have_the_sums_of_their_records_in_memory_and_out_of_core() {
    let steps = "{aggregate: {by: [word], columns: [{into: n, fn: count}, {into: total, fn: sum, column: id}, \
                 {into: first_id, fn: first, column: id}]}}";
    let mut expected: Vec<(Option<String>, i64, i64, i64)> = Vec::new();
    for (id, word) in records() {
        match expected.iter_mut().find(|group| group.0 == word) {
            Some(group) => {
                group.1 += 1;
                group.2 += id;
            }
            None => expected.push((word, 1, id, id)),
        }
    }
    let expected: Vec<Vec<String>> = expected
        .into_iter()
        .map(|(word, n, total, first)| {
            vec![
                text(word.as_ref()),
                n.to_string(),
                total.to_string(),
                first.to_string(),
            ]
        })
        .collect();
    for memory in ["64MiB", "256KiB"] {
        let lake = lake(steps);
        let report = run(&lake, memory);
        assert_eq!(table(&lake), expected, "{memory}");
        let day = &report.partitions[0];
        assert_eq!(
            (day.rows_in, day.rows_merged),
            (3000, 3000 - expected.len() as u64)
        );
    }
}

#[test]
fn a_group_that_a_later_step_rejects_is_quarantined_by_its_first_record() {
    let lake = lake(
        "{aggregate: {by: [word], columns: [{into: id, fn: max, column: id}]}}, \
         {derive: {columns: {word: \"replace(word, 'w', '')\"}}}, {derive: {columns: {word: \"replace(word, '5', 'x')\"}}}, \
         {cast: {column: word, to: int64}}",
    );
    let report = run(&lake, "64MiB");
    let is_of_group = |word: &Option<String>| word.as_ref().is_some_and(|word| word.contains('5'));
    assert!(
        records().iter().any(|(_, word)| is_of_group(word)),
        "a word with a 5"
    );
    let rejected = Lake::quarantine(&report);
    // It is in the first file.
    let first = records().iter().position(|(_, word)| is_of_group(word));
    let lines: Vec<u64> = rejected
        .iter()
        .map(|entry| entry["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [first.unwrap() as u64 + 1]);
    assert!(
        rejected[0]["source"]["uri"]
            .as_str()
            .unwrap()
            .ends_with("/a.jsonl")
    );
    assert_eq!(report.partitions[0].rows_quarantined, rejected.len() as u64);
}

#[test]
fn the_largest_of_each_group_are_ranked_and_taken() {
    let lake = lake(
        "{window: {partition_by: [word], order_by: [id], descending: [id], columns: [{into: nth, fn: row_number}, \
         {into: next, fn: lag, column: id}]}}, {filter: {where: nth <= 2}}",
    );
    run(&lake, "256KiB");
    let mut by_word: BTreeMap<Option<String>, Vec<i64>> = BTreeMap::new();
    for (id, word) in records() {
        by_word.entry(word).or_default().push(id);
    }
    for ids in by_word.values_mut() {
        ids.sort_unstable_by(|a, b| b.cmp(a));
    }
    let mut expected = Vec::new();
    for (id, word) in records() {
        let ids = &by_word[&word];
        let nth = ids.iter().position(|other| *other == id).unwrap();
        if nth < 2 {
            let before = nth
                .checked_sub(1)
                .map_or_else(String::new, |nth| ids[nth].to_string());
            let nth = (nth + 1).to_string();
            expected.push(vec![
                id.to_string(),
                text(word.as_ref()),
                String::new(),
                nth,
                before,
            ]);
        }
    }
    assert_eq!(table(&lake), expected);
}

#[test]
fn a_day_is_written_in_the_order_of_a_sort_also_when_it_is_larger_than_the_memory() {
    let steps = "{select: {columns: [word, id]}}, {sort: {columns: [word, id], descending: [word]}}";
    let mut expected = records();
    expected.sort_by(|a, b| (a.1.is_none(), &b.1, a.0).cmp(&(b.1.is_none(), &a.1, b.0)));
    let expected: Vec<Vec<String>> = expected
        .into_iter()
        .map(|(id, word)| vec![text(word.as_ref()), id.to_string()])
        .collect();
    for memory in ["64MiB", "256KiB"] {
        let lake = lake(steps);
        run(&lake, memory);
        assert!(table(&lake) == expected, "{memory}");
        assert!(!lake.path("out/_skewer/clicks/staging").exists());
    }
}

#[test]
fn a_query_gives_the_rows_that_it_says() {
    let lake = lake(
        "{sql: {query: \"WITH g AS (SELECT word, count(*) AS n FROM rows GROUP BY word) \
         SELECT rows.id, g.n FROM rows JOIN g ON rows.word = g.word WHERE rows.id % 500 = 7 ORDER BY rows.id DESC\"}}",
    );
    let report = run(&lake, "64MiB");
    let mut n_of: BTreeMap<String, usize> = BTreeMap::new();
    for word in records().into_iter().filter_map(|(_, word)| word) {
        *n_of.entry(word).or_default() += 1;
    }
    let mut expected: Vec<(i64, usize)> = records()
        .into_iter()
        .filter(|(id, _)| id % 500 == 7)
        .filter_map(|(id, word)| Some((id, n_of[&word?])))
        .collect();
    expected.sort_unstable_by(|a, b| b.cmp(a));
    let expected: Vec<Vec<String>> = expected
        .into_iter()
        .map(|(id, n)| vec![id.to_string(), n.to_string()])
        .collect();
    assert_eq!(table(&lake), expected);
    assert_eq!(report.partitions[0].rows_merged, 3000 - 6);
}
