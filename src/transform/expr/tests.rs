//! Expressions: what they give, and the words and places of their errors.

use polars::prelude::{
    AnyValue, DataFrame, DataType, IntoColumn, IntoLazy, NamedFrom, Series, StructChunked, TimeUnit,
    TimeZone, col, df,
};

use super::{check, compile, functions};
use crate::transform::steps::testing::{recipe, with_origins};
use crate::transform::{CheckError, Inputs};

fn input() -> DataFrame {
    let location = StructChunked::from_series(
        "location".into(),
        3,
        [
            Series::new("country".into(), [Some("ZA"), Some("DE"), None]),
            Series::new("city name".into(), ["x", "y", "z"]),
        ]
        .iter(),
    )
    .unwrap();
    let mut df = df!(
        "n" => [Some(1i64), Some(-7), None],
        "x" => [2.5, 0.0, f64::NAN],
        "s" => [Some("a-b"), None, Some("")],
        "ok" => [true, false, true],
        "micros" => [0i64, 1_580_428_800_000_000, 1],
    )
    .unwrap();
    df.with_column(location.into_column()).unwrap();
    let time = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let df = df.lazy().with_columns([
        col("micros").cast(time).alias("t"),
        (col("micros") / polars::prelude::lit(86_400_000_000i64))
            .cast(DataType::Int32)
            .cast(DataType::Date)
            .alias("d"),
    ]);
    collected(df)
}

#[expect(clippy::disallowed_methods, reason = "tests compute their own input")]
fn collected(lf: polars::prelude::LazyFrame) -> DataFrame {
    lf.collect().unwrap()
}

/// The values of an expression on [`input`], as text.
fn values(text: &str) -> Vec<String> {
    let input = input();
    let (expr, dtype) =
        compile(text, "where", input.schema()).unwrap_or_else(|error| panic!("{text}: {error}"));
    let output = collected(input.lazy().select([expr.alias("v")]));
    let column = output.column("v").unwrap();
    assert_eq!(column.dtype(), &dtype, "{text}");
    (0..column.len())
        .map(|row| match column.get(row).unwrap() {
            AnyValue::Null => "null".to_owned(),
            value => value.str_value().into_owned(),
        })
        .collect()
}

fn error(text: &str) -> CheckError {
    compile(text, "where", input().schema()).unwrap_err()
}

#[test]
fn nested_fields_are_reached_both_ways() {
    for text in [
        "location.country <> 'ZA'",
        "location['country'] <> 'ZA'",
        "(location['country']) != 'ZA'",
    ] {
        assert_eq!(values(text), ["false", "true", "null"], "{text}");
    }
    assert_eq!(values("location['city name'] || s"), ["xa-b", "null", "z"]);
    assert_eq!(values("location.\"city name\""), ["x", "y", "z"]);
}

#[test]
fn meanings_that_surprise_are_as_written() {
    for (text, expected) in [
        ("n = NULL", ["null"; 3].as_slice()),
        ("n IS DISTINCT FROM 1", &["false", "true", "true"]),
        ("x > 1", &["true", "false", "true"]),
        ("7 / 2", &["3.5"]),
        ("n // 2", &["0", "-4", "null"]),
        ("n % 3", &["1", "2", "null"]),
        ("round(x)", &["2.0", "0.0", "NaN"]),
        (
            "n + 9223372036854775807",
            &["-9223372036854775808", "9223372036854775800", "null"],
        ),
        ("concat(s, '!')", &["a-b!", "!", "!"]),
        ("s || '!'", &["a-b!", "null", "!"]),
        ("ok AND NULL", &["null", "false", "null"]),
        ("greatest(x, 1)", &["2.5", "1.0", "NaN"]),
        ("TRY_CAST(s AS BIGINT)", &["null", "null", "null"]),
        ("string_to_array(s, '-')[1]", &["a", "null", ""]),
        (
            "CASE WHEN n > 0 THEN 'up' ELSE 'down' END",
            &["up", "down", "down"],
        ),
        ("n IN (1, 2)", &["true", "false", "null"]),
        ("s LIKE 'a%'", &["true", "null", "false"]),
    ] {
        assert_eq!(values(text), expected, "{text}");
    }
}

#[test]
fn times_compare_with_text() {
    assert_eq!(values("t >= '2020-01-31'"), ["false", "true", "false"]);
    assert_eq!(
        values("'2020-01-31T01:00:00+01:00' = t"),
        ["false", "true", "false"]
    );
    assert_eq!(
        values("t BETWEEN '1970-01-01' AND '1970-01-02'"),
        ["true", "false", "true"]
    );
    assert_eq!(values("d < '2020-01-31'"), ["true", "false", "true"]);
    let message = error("t > 'yesterday'").message;
    assert_eq!(
        message,
        "`yesterday` is no timestamp: write ISO 8601, such as 2020-01-31"
    );
}

#[test]
fn what_is_unknown_has_its_place_and_the_nearest_name() {
    for (text, position, message) in [
        ("n > 0 AND prise > 1", Some(11), "column `prise` not found"),
        ("N > 0", Some(1), "column `N` not found: did you mean `n`?"),
        (
            "location.contry = 'ZA'",
            Some(10),
            "`location` has no field `contry`: did you mean `country`?",
        ),
        (
            "location['contry'] = 'ZA'",
            Some(10),
            "`location` has no field `contry`: did you mean `country`?",
        ),
        ("n > 0\n  AND m > 1", Some(13), "column `m` not found"),
        (
            "lowr(s) = 'a'",
            Some(1),
            "function `lowr` is unknown: did you mean `lower`?",
        ),
        (
            "s = \"text value\"",
            Some(5),
            "column `text value` not found: text stands in single quotes",
        ),
        ("__skewer_line > 1", Some(1), "column `__skewer_line` not found"),
        ("n.field", Some(3), "`n` is "),
    ] {
        let error = error(text);
        assert!(error.to_string().starts_with(message), "{text}: {error}");
        assert_eq!(error.position, position, "{text}: {error}");
        assert_eq!(error.param, "where");
    }
}

#[test]
fn what_a_row_alone_cannot_give_is_refused() {
    for (text, position) in [
        ("n > avg(n)", 5),
        ("count(*) > 1", 1),
        ("sum(n) OVER (PARTITION BY s) > 1", 1),
        ("row_number() > 1", 1),
        ("n > (SELECT 1)", 6),
        ("n IN (SELECT n FROM t)", 1),
        ("n > ALL(string_to_array(s, '-'))", 1),
        ("unnest(string_to_array(s, '-')) = 'a'", 1),
        ("first(n) = 1", 1),
    ] {
        let error = error(text);
        assert!(error.message.ends_with("is not possible here"), "{text}: {error}");
        assert!(error.hint.is_some(), "{text}: {error}");
        assert_eq!(error.position, Some(position), "{text}: {error}");
    }
}

#[test]
fn what_is_no_expression_says_where() {
    for (text, position) in [
        ("n > ", Some(5)),
        ("n >> > 1", Some(6)),
        ("n > 1 n", Some(7)),
        ("(n > 1", Some(7)),
        ("n > 'a", Some(5)),
        ("n > 1; drop", Some(6)),
        ("", None),
    ] {
        let error = error(text);
        assert_eq!(error.position, position, "{text}: {error}");
        assert!(!error.message.contains("Line:"), "{text}: {error}");
    }
}

#[test]
fn regular_expressions_are_refused_when_typed_at_the_character_that_is_wrong() {
    for (text, position, hint) in [
        ("s ~ 'a(?=b)'", 7, "look-around cannot be matched in linear time"),
        (
            "regexp_like(s, '(a)\\1')",
            20,
            "a back-reference cannot be matched",
        ),
        ("s RLIKE '(a'", 10, "unclosed group"),
    ] {
        let error = error(text);
        assert_eq!(error.position, Some(position), "{text}: {error}");
        assert!(error.hint.clone().unwrap().starts_with(hint), "{text}: {error}");
    }
    assert_eq!(values("s ~ '^a'"), ["true", "null", "false"]);
}

#[test]
fn types_that_do_not_go_together_do_not_check_and_say_so_in_one_line() {
    for text in [
        "n AND location",
        "s > 1",
        "upper(n)",
        "abs(s)",
        "t + 1.5",
        "array_length(s)",
        "date_part('year', s)",
        "s IN (1, 2)",
        "CASE WHEN s THEN 1 END",
        "CAST(n AS NONSENSE)",
        "round(x, n)",
        "lower(s, s)",
        "lpad(s, 3, 'ab')",
        "s LIKE s",
    ] {
        let error = check(text, "where", input().schema()).expect_err(text);
        assert!(
            !error.message.contains('\n') && error.message.chars().count() <= 300,
            "{error}"
        );
    }
}

#[test]
fn dates_in_text_are_read_one_by_one() {
    let forms = [
        Some("2020-01-31"),
        Some("31/01/2020"),
        Some("2020-01-31T10:00:00Z"),
        None,
    ];
    let df = df!("s" => forms).unwrap();
    for (text, n_read) in [
        ("TRY_CAST(s AS DATE)", 1),
        ("TRY_CAST(s AS TIMESTAMP)", 2),
        ("s IS NULL OR TRY_CAST(s AS TIMESTAMP) >= '2020-01-31'", 3),
        ("CAST(CAST('2020-01-31' AS DATE) AS TIMESTAMP)", 1),
        ("TIMESTAMP '2020-01-31 10:00:00'", 1),
    ] {
        let (expr, dtype) = compile(text, "where", df.schema()).unwrap();
        let values = collected(df.clone().lazy().select([expr.alias("v")]));
        let values = values.column("v").unwrap();
        assert_eq!(values.len() - values.null_count(), n_read, "{text}");
        assert_eq!(values.dtype(), &dtype, "{text}");
    }
    for text in ["date(s)", "timestamp(s)"] {
        let error = compile(text, "where", df.schema()).unwrap_err();
        assert!(error.message.ends_with("guesses it from the data"), "{error}");
    }
    let (expr, _) = compile("CAST(s AS DATE)", "where", df.schema()).unwrap();
    let error = crate::transform::execute::try_on(expr, df).unwrap_err();
    assert_eq!(
        error,
        "`31/01/2020` is no date: write ISO 8601, such as 2020-01-31"
    );
}

#[test]
fn every_function_that_is_offered_works() {
    let df = df!(
        "s" => [Some("a-b"), None],
        "n" => [Some(1i64), None],
        "x" => [Some(0.5), None],
        "d" => [None::<i32>, Some(1)],
        "t" => [None::<i64>, Some(1)],
    )
    .unwrap();
    let time = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    let lists = df.lazy().with_columns([
        col("d").cast(DataType::Date),
        col("t").cast(time),
        col("s").str().split(polars::prelude::lit("-")).alias("l"),
        polars::prelude::lit(1i64).implode(true).alias("ln"),
    ]);
    let df = with_origins(&collected(lists));
    let schema = crate::dataset::origin::without_hidden(df.schema());
    let mut broken = Vec::new();
    for function in functions() {
        assert!(
            super::FUNCTION_GROUPS.contains(&function.group),
            "{}",
            function.name
        );
        assert!(!function.gives.is_empty(), "{}", function.name);
        assert!(
            function.example.starts_with(&format!("{}(", function.name)),
            "{}",
            function.name
        );
        let yaml = format!(
            "- derive: {{columns: {{v: {}}}}}",
            serde_json::to_string(function.example).unwrap()
        );
        match recipe(&yaml).compile(1, &schema, &Inputs::default()) {
            Err(error) => broken.push(error.to_string()),
            Ok(plan) => match plan.execute(df.clone()) {
                Err(error) => broken.push(error.to_string()),
                Ok(outcome) => {
                    // `date('a-b')` and its like may refuse a value, but a function that is not built in refuses all.
                    if outcome.df.height() == 0 {
                        broken.push(format!("{}: {:?}", function.example, outcome.rejects));
                    }
                }
            },
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
