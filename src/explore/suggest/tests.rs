//! Suggestions: what rows ask for, with figures, and what they do not.

use polars::prelude::{Column, DataFrame, df};

use super::{Suggestion, SuggestionCode, suggest};
use crate::base::{Accuracy, Cancel};
use crate::transform::{Inputs, Plan};

fn suggested(df: &DataFrame) -> Vec<Suggestion> {
    suggest(df, Accuracy::Exact, &Cancel::new()).unwrap()
}

/// The one suggestion for a column of these values, beside another column that asks for nothing.
fn one(name: &str, column: Column) -> Option<Suggestion> {
    let n = column.len();
    let other = Column::new(
        "other".into(),
        (0_i64..).take(n).map(|n| n % 7).collect::<Vec<_>>(),
    );
    let mut column = column;
    column.rename(name.into());
    let df = DataFrame::new(n, vec![column, other]).unwrap();
    let mut found = suggested(&df);
    assert!(found.len() <= 1, "{found:?}");
    let suggestion = found.pop()?;
    let plan = Plan::of_step(1, &suggestion.step, df.schema(), &Inputs::default()).unwrap();
    plan.execute(df).unwrap();
    Some(suggestion)
}

fn texts(text: impl Fn(usize) -> String) -> Column {
    Column::new("t".into(), (0..1000).map(text).collect::<Vec<_>>())
}

#[track_caller]
fn says(suggestion: Option<Suggestion>, code: SuggestionCode, reason: &str, params: &serde_json::Value) {
    let suggestion = suggestion.expect("a suggestion");
    assert_eq!((suggestion.code, suggestion.reason.as_str()), (code, reason));
    let found = suggestion.step.params();
    for (name, value) in params.as_object().unwrap() {
        assert_eq!(&found[name], value, "{name} of {found}");
    }
}

#[test]
fn text_that_reads_as_a_timestamp_says_its_share_and_its_form() {
    let iso = texts(|n| {
        if n == 1 || n == 2 {
            "no date at all, 2020".to_owned()
        } else {
            format!("2020-01-{:02}T10:00:00Z", n % 28 + 1)
        }
    });
    says(
        one("posted", iso),
        SuggestionCode::TimestampInText,
        "99.8% of 1,000 values read as ISO 8601 timestamps",
        &serde_json::json!({"column": "posted", "format": null, "on_error": "reject"}),
    );
    says(
        one(
            "posted",
            texts(|n| format!("{:02}.{:02}.2020 08:30", n % 28 + 1, n % 12 + 1)),
        ),
        SuggestionCode::TimestampInText,
        "all 1,000 values read as timestamps in the form `%d.%m.%Y %H:%M`",
        &serde_json::json!({"format": "%d.%m.%Y %H:%M"}),
    );
    says(
        one(
            "posted",
            texts(|n| format!("{:02}/{:02}/2020", n % 12 + 1, n % 28 + 1)),
        ),
        SuggestionCode::TimestampInText,
        "all 1,000 values read as timestamps in the form `%m/%d/%Y`",
        &serde_json::json!({"format": "%m/%d/%Y"}),
    );
    says(
        one(
            "posted",
            texts(|n| format!("{:02}/{:02}/2020", n % 12 + 1, n % 11 + 1)),
        ),
        SuggestionCode::TimestampInText,
        "all 1,000 values read as timestamps in the form `%d/%m/%Y`; `%m/%d/%Y` reads as many",
        &serde_json::json!({"format": "%d/%m/%Y"}),
    );
}

#[test]
fn text_that_reads_as_a_number_is_cast_and_codes_stay_text() {
    says(
        one("salary", texts(|n| (n * 37 % 900).to_string())),
        SuggestionCode::NumberInText,
        "all 1,000 values read as whole numbers",
        &serde_json::json!({"to": "int64"}),
    );
    says(
        one("score", texts(|n| format!("{}.5", n % 90))),
        SuggestionCode::NumberInText,
        "all 1,000 values read as numbers",
        &serde_json::json!({"to": "float64"}),
    );
    assert_eq!(one("zip", texts(|n| format!("{:05}", n * 7))), None);
}

#[test]
fn html_in_text_is_found_and_comparisons_are_none() {
    let html = texts(|n| {
        if n.is_multiple_of(4) {
            format!("<p>job {n}</p>")
        } else {
            format!("R&amp;D job {n}")
        }
    });
    says(
        one("title", html),
        SuggestionCode::HtmlInText,
        "all 1,000 values hold HTML tags or entities",
        &serde_json::json!({"strip_html": true}),
    );
    assert_eq!(
        one("title", texts(|n| format!("{n} < 5 & {n} > 3; AT&T {n}"))),
        None
    );
}

#[test]
fn one_category_in_several_spellings_is_told_with_an_example() {
    let mixed = texts(|n| {
        ["Berlin", "berlin", "Berlin ", "Paris"][if n.is_multiple_of(10) { n / 10 % 3 } else { 3 }].to_owned()
    });
    says(
        one("city", mixed),
        SuggestionCode::MixedSpelling,
        "4 spellings of 2 values that differ in case or white space, such as `Berlin` and `Berlin ` and `berlin`; \
         6.6% of 1,000 values have one of the rarer ones",
        &serde_json::json!({"case": "lower", "trim": true}),
    );
    assert_eq!(one("city", texts(|n| format!("c{}", n % 5))), None);
}

#[test]
fn a_column_without_content_is_to_be_dropped() {
    says(
        one("site", texts(|_| "de".to_owned())),
        SuggestionCode::Constant,
        "`de` in each of 1,000 rows",
        &serde_json::json!({"columns": ["site"]}),
    );
    let nulls = Column::new(
        "t".into(),
        (0..1000)
            .map(|n| (n < 20).then_some(n))
            .collect::<Vec<Option<i64>>>(),
    );
    says(
        one("bonus", nulls),
        SuggestionCode::MostlyNull,
        "98% of 1,000 rows are null",
        &serde_json::json!({"columns": ["bonus"]}),
    );
    let alone = df!("site" => vec!["de"; 100]).unwrap();
    assert_eq!(suggested(&alone), [], "a frame without columns is none");
}

#[test]
fn a_key_that_a_few_rows_repeat_is_to_be_deduplicated() {
    says(
        one("job_id", texts(|n| format!("j-{}", if n == 999 { 0 } else { n }))),
        SuggestionCode::NearlyUnique,
        "999 distinct among 1,000 values (99.9%): a key but for 1 row",
        &serde_json::json!({"columns": ["job_id"]}),
    );
    assert_eq!(
        one("job_id", texts(|n| format!("j-{n}"))),
        None,
        "a key is as it should be"
    );
    assert_eq!(
        one("title", texts(|n| format!("j-{}", n.min(998)))),
        None,
        "not called a key"
    );
}

#[test]
fn numbers_that_count_time_are_found_in_every_unit() {
    for (factor, unit) in [
        (1, "seconds"),
        (1_000, "milliseconds"),
        (1_000_000, "microseconds"),
        (1_000_000_000, "nanoseconds"),
    ] {
        let numbers = (0..1000)
            .map(|n| (1_577_836_800 + n * 60) * factor)
            .collect::<Vec<i64>>();
        let suggestion = one("created_at", Column::new("t".into(), numbers.clone())).expect(unit);
        assert_eq!(suggestion.code, SuggestionCode::UnixEpoch);
        assert_eq!(
            suggestion.reason,
            format!("all 1,000 values are {unit} since 1970 in the years 2000 to 2049")
        );
        let df = df!("created_at" => numbers).unwrap();
        let plan = Plan::of_step(1, &suggestion.step, df.schema(), &Inputs::default()).unwrap();
        let after = plan.execute(df).unwrap().df;
        let first = after.column("created_at").unwrap().get(0).unwrap().to_string();
        assert!(first.starts_with("2020-01-01 00:00:00"), "{unit}: {first}");
    }
    let ids = Column::new("t".into(), (1_577_836_800..1_577_837_800).collect::<Vec<i64>>());
    assert_eq!(one("item", ids), None, "seconds are told by the name too");
}

#[test]
fn long_text_is_to_be_split_into_words() {
    let text = texts(|n| {
        format!(
            "We are looking for a store manager number {n} who likes people, {}",
            "and more ".repeat(n % 20 + 5)
        )
    });
    let suggestion = one("description", text).unwrap();
    assert_eq!(suggestion.code, SuggestionCode::LongText);
    assert_eq!(suggestion.step.params()["into"], "description_words");
}

#[test]
fn the_figures_say_what_they_are_of_and_a_cancel_stops_the_look() {
    let df = df!("a" => vec!["x"; 50], "b" => (0..50_i64).collect::<Vec<_>>()).unwrap();
    let sample = Accuracy::Sample {
        n: 50,
        of: Some(9000),
    };
    let found = suggest(&df, sample, &Cancel::new()).unwrap();
    assert_eq!((found.len(), found[0].accuracy), (1, sample));
    let cancel = Cancel::new();
    cancel.cancel();
    assert!(suggest(&df, sample, &cancel).is_err());
    assert_eq!(suggested(&df.head(Some(3))), [], "three rows say nothing");
}

#[test]
fn json_in_text_is_to_be_taken_apart() {
    let json = texts(|n| format!("{{\"company\": {{\"name\": \"c{n}\"}}, \"n\": {}}}", n % 5));
    says(
        one("raw", json),
        SuggestionCode::JsonInText,
        "all 1,000 values are JSON, most with the key `company`",
        &serde_json::json!({"column": "raw", "into": "raw_company", "path": "$['company']"}),
    );
}
