//! What is offered where, and what the text is after accepting it.

use polars::prelude::{DataType, Field, Schema};

use super::{Completion, CompletionKind, TYPES, WORDS, complete, sql_name};
use crate::transform::expr::check;

fn schema() -> Schema {
    let place = DataType::Struct(vec![
        Field::new("lat".into(), DataType::Float64),
        Field::new("lon".into(), DataType::Float64),
    ]);
    let location = DataType::Struct(vec![
        Field::new("country".into(), DataType::String),
        Field::new("city name".into(), DataType::String),
        Field::new("place".into(), place),
    ]);
    [
        ("title", DataType::String),
        ("salary_min", DataType::Int64),
        ("min", DataType::Int64),
        ("my col", DataType::Int64),
        ("größe", DataType::Float64),
        ("location", location),
    ]
    .into_iter()
    .map(|(name, dtype)| (name.into(), dtype))
    .collect()
}

/// What is offered at `|`, as the text would be with each entry accepted, the cursor again at `|`.
fn accepted(marked: &str) -> Vec<String> {
    let cursor = marked.chars().take_while(|c| *c != '|').count();
    let text = marked.replacen('|', "", 1);
    let found = complete(&text, cursor, &schema());
    let apply = |entry: &Completion| {
        let mut chars: Vec<char> = text.chars().collect();
        let inserted: Vec<char> = entry.insert.chars().collect();
        let cursor = found.replaces.start + inserted.len() - entry.cursor_back;
        chars.splice(found.replaces.clone(), inserted);
        chars.insert(cursor, '|');
        chars.into_iter().collect::<String>()
    };
    found.entries.iter().map(apply).collect()
}

#[track_caller]
fn check_first(marked: &str, expected: &str) {
    assert_eq!(
        accepted(marked).first().map(String::as_str),
        Some(expected),
        "{marked}"
    );
}

#[test]
fn a_begun_name_is_completed_by_the_column_the_function_or_the_word_it_fits_best() {
    check_first("ti|", "title|");
    check_first("lower(TI|)", "lower(title|)");
    check_first("salary_min > 0 an|", "salary_min > 0 AND |");
    check_first("low|", "lower(|)");
    check_first("low|(title)", "lower|(title)");
    check_first("mi|", "min|");
    check_first("grö|", "größe|");
    check_first("slm|", "salary_min|");
    check_first("1 + pi|", "1 + pi()|");
    check_first("my|", "\"my col\"|");
}

#[test]
fn after_a_dot_or_in_a_bracket_the_fields_of_that_struct_are_offered_and_nothing_else() {
    let all = accepted("location.|");
    assert_eq!(
        all,
        ["location.country|", "location.\"city name\"|", "location.place|"]
    );
    check_first("location.place.lo|", "location.place.lon|");
    check_first("location['cou|", "location['country'|");
    check_first("location['ci|']", "location['city name'|]");
    check_first("location['place'].la|", "location['place'].lat|");
    assert_eq!(accepted("title.|"), [] as [String; 0], "a text has no fields");
    assert_eq!(accepted("nowhere.x|"), [] as [String; 0]);
}

#[test]
fn quoted_names_are_completed_with_their_quotes() {
    check_first("\"my c|", "\"my col\"|");
    check_first("\"my|\" > 1", "\"my col\"| > 1");
    check_first("\"tit|", "title|");
}

#[test]
fn in_texts_numbers_and_comments_nothing_is_offered() {
    for marked in ["title = 'ti|", "12|", "1.5e|", "title -- ti|", "title|"] {
        assert_eq!(accepted(marked), [] as [String; 0], "{marked}");
    }
    check_first("title = 'it''s' AND ti|", "title = 'it''s' AND title|");
}

#[test]
fn a_list_appears_unasked_only_where_a_name_was_begun() {
    let is_begun = |text: &str, cursor| complete(text, cursor, &schema()).is_begun;
    assert!(is_begun("ti", 2) && is_begun("location.", 9));
    assert!(!is_begun("", 0) && !is_begun("title > ", 8));
    assert!(
        !is_begun("title", 2),
        "the rest of the word stands behind the cursor"
    );
    assert!(
        complete("", 0, &schema()).entries.len() > 50,
        "asked for, all are there"
    );
}

#[test]
fn entries_carry_the_type_or_an_example() {
    let found = complete("ti", 2, &schema());
    let title = &found.entries[0];
    assert_eq!(
        (title.kind, title.detail.as_str()),
        (CompletionKind::Column, "string")
    );
    let found = complete("round", 5, &schema());
    assert_eq!(found.entries[0].detail, "round(x, 2)");
}

#[test]
fn types_follow_as_and_each_of_them_is_one() {
    check_first("CAST(salary_min AS dou|)", "CAST(salary_min AS DOUBLE|)");
    check_first("salary_min::big|", "salary_min::BIGINT|");
    for (name, _) in TYPES {
        let column = if matches!(*name, "DATE" | "TIMESTAMP") {
            "title"
        } else {
            "min"
        };
        let text = format!("CAST({column} AS {name})");
        check(&text, "where", &schema()).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[test]
fn the_cursor_goes_to_the_first_gap_of_a_word() {
    check_first("CAS|", "CASE WHEN | THEN  ELSE  END");
    check_first("min betw|", "min BETWEEN | AND ");
    check_first("try|", "TRY_CAST(| AS )");
    assert!(WORDS.iter().all(|(_, _, insert, back)| *back <= insert.len()));
}

#[test]
fn names_are_quoted_only_where_they_must_be_and_then_they_are_found() {
    assert_eq!(sql_name("posted_at"), "posted_at");
    assert_eq!(sql_name("my \"col\""), "\"my \"\"col\"\"\"");
    assert_eq!(sql_name("1st"), "\"1st\"");
    for name in [
        "case",
        "date",
        "end",
        "interval",
        "null",
        "order",
        "select",
        "current_date",
        "größe",
        "Title",
    ] {
        let schema: Schema = [(name.into(), DataType::Int64)].into_iter().collect();
        let text = sql_name(name);
        let dtype = check(&text, "where", &schema);
        assert_eq!(dtype, Ok(DataType::Int64), "{name} as {text}");
    }
}
