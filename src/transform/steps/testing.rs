//! What tests of steps share: running one step from its YAML on rows with origins.

use polars::prelude::{
    AnyValue, DataFrame, DataType, IntoColumn, ListChunked, NamedFrom, PlSmallStr, Series,
};

use crate::base::Accuracy;
use crate::base::envelope::{from_yaml, to_yaml};
use crate::dataset::origin;
use crate::dataset::rows::to_json;
use crate::transform::python::Python;
use crate::transform::{FitSource, FitState, Input, Inputs, Outcome, Recipe, RecipeStep, Step};

/// Texts that YAML would take for something else, or that need escapes.
#[rustfmt::skip]
pub(super) const NASTY: [&str; 43] = [
    "", " ", "null", "~", "no", "True", "1", "1e3", "0x1F", "- a", "a: b", "#x", "'", "\"", "\\", "\n", "a\nb", "\t",
    "\u{0}", "\u{85}", "\u{feff}", "\u{2028}", "😀", "é", "e\u{301}", "{a}", "[b]", "&c", "*d", "!e", "%f", "@g", "`h`",
    "2020-01-01", ".nan", ".inf", "---", "...", " lead", "trail ", "a\r\nb", "<<", "=",
];

/// `df` with the origin columns of one object, lines counted from 1.
pub(in crate::transform) fn with_origins(df: &DataFrame) -> DataFrame {
    let n = df.height() as u64;
    let mut df = df.clone();
    for column in [
        Series::new(origin::OBJECT.into(), vec![0u32; df.height()]),
        Series::new(origin::LINE.into(), (1..=n).collect::<Vec<u64>>()),
        Series::new(
            origin::OFFSET.into(),
            (0..n).map(|row| row * 100).collect::<Vec<u64>>(),
        ),
    ] {
        df.with_column(column.into_column()).unwrap();
    }
    df
}

pub(in crate::transform) fn recipe(yaml: &str) -> Recipe {
    from_yaml(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"))
}

pub(super) fn step(yaml: &str) -> Step {
    recipe(&format!("- {yaml}")).steps.remove(0).step
}

/// Second datasets by name, without files.
pub(super) fn inputs<const N: usize>(named: [(&str, DataFrame); N]) -> Inputs {
    let mut inputs = Inputs::default();
    for (name, df) in named {
        let objects = vec![format!("{name}/0"), format!("{name}/1")];
        let n = if df.column(origin::OBJECT).is_ok() { 2 } else { 1 };
        let objects = objects.into_iter().take(n).collect();
        inputs.insert(name, Input::opened(df, objects, Accuracy::Exact));
    }
    inputs
}

/// Everything that one step makes of `input`. Its schema is as the check says.
pub(super) fn outcome(yaml: &str, input: &DataFrame) -> Outcome {
    outcome_with(yaml, input, &Inputs::default())
}

/// As [`outcome`], with second datasets.
pub(super) fn outcome_with(yaml: &str, input: &DataFrame, inputs: &Inputs) -> Outcome {
    let plan = recipe(&format!("- {yaml}"))
        .compile(1, input.schema(), inputs)
        .unwrap_or_else(|error| panic!("{error}"));
    let outcome = plan.execute(with_origins(input)).unwrap();
    assert_eq!(
        origin::without_hidden(outcome.df.schema()),
        *plan.output(),
        "the check knows the schema"
    );
    let names: Vec<&str> = outcome.df.schema().iter_names().map(PlSmallStr::as_str).collect();
    let mut expected: Vec<&str> = plan.output().iter_names().map(PlSmallStr::as_str).collect();
    expected.extend([origin::OBJECT, origin::LINE, origin::OFFSET]);
    assert_eq!(names, expected, "origins stay, after the others");
    assert!(
        outcome
            .counts
            .iter()
            .all(crate::transform::StepCounts::is_balanced)
    );
    outcome
}

/// The visible rows that one step makes of `input`.
pub(super) fn run(yaml: &str, input: &DataFrame) -> DataFrame {
    origin::strip(&outcome(yaml, input).df)
}

/// The code of one step for Python.
pub(super) fn python_of(yaml: &str, input: &DataFrame, inputs: &Inputs) -> String {
    let mut script = Python::default();
    step(yaml).python(input.schema(), inputs, &mut script).unwrap();
    script.text()
}

/// One step, as YAML, with what it learns from `sample`.
pub(super) fn fitted(yaml: &str, sample: &DataFrame) -> String {
    let step = step(yaml)
        .fit(sample, &source())
        .unwrap()
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(
        matches!(step.fit_state(), Some(FitState::Fitted { rows, .. }) if rows == sample.height() as u64)
    );
    let recipe = Recipe {
        steps: vec![RecipeStep::new(step)],
    };
    let text = to_yaml(&recipe).unwrap();
    text.strip_prefix("- ").unwrap().to_owned()
}

/// Why one step cannot learn from `sample`.
pub(super) fn fit_error(yaml: &str, sample: &DataFrame) -> String {
    step(yaml)
        .fit(sample, &source())
        .unwrap()
        .unwrap_err()
        .to_string()
}

fn source() -> FitSource {
    FitSource {
        from: "s3://lake/raw/, first 10 rows".to_owned(),
        at: chrono::DateTime::UNIX_EPOCH,
    }
}

/// A column of timestamps, from ISO 8601.
pub(super) fn times(name: &str, texts: &[Option<&str>]) -> DataFrame {
    let texts = Series::new(name.into(), texts);
    let df = DataFrame::new(texts.len(), vec![texts.into_column()]).unwrap();
    run(&format!("parse_timestamp: {{column: {name}}}"), &df)
}

/// The values of a column as the command line shows them.
pub(super) fn shown(df: &DataFrame, column: &str) -> Vec<String> {
    let column = df.column(column).unwrap();
    (0..column.len())
        .map(|row| match to_json(&column.get(row).unwrap()) {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        })
        .collect()
}

/// Why one step does not check.
pub(super) fn check_error(yaml: &str, input: &DataFrame) -> String {
    check_error_with(yaml, input, &Inputs::default())
}

/// As [`check_error`], with second datasets.
pub(super) fn check_error_with(yaml: &str, input: &DataFrame, inputs: &Inputs) -> String {
    step(yaml).check(input.schema(), inputs).unwrap_err().to_string()
}

/// A frame of one column of word lists.
pub(super) fn word_lists(name: &str, rows: &[Option<&[Option<&str>]>]) -> DataFrame {
    let lists: ListChunked = rows
        .iter()
        .map(|words| words.map(|words| Series::new("".into(), words)))
        .collect();
    let lists = lists
        .into_column()
        .cast(&DataType::List(Box::new(DataType::String)))
        .unwrap()
        .with_name(name.into());
    DataFrame::new_infer_height(vec![lists]).unwrap()
}

/// Every list of `column` as one text: `a|b`; nulls are `null`.
pub(super) fn words_of(df: &DataFrame, column: &str) -> Vec<String> {
    let column = df.column(column).unwrap();
    (0..df.height())
        .map(|row| match column.get(row).unwrap() {
            AnyValue::List(words) => {
                let words = words.str().unwrap().iter();
                words
                    .map(|word| word.unwrap_or("null"))
                    .collect::<Vec<_>>()
                    .join("|")
            }
            other => other.str_value().into_owned(),
        })
        .collect()
}

/// The values of a column of int64.
pub(super) fn ints(df: &DataFrame, column: &str) -> Vec<Option<i64>> {
    df.column(column).unwrap().i64().unwrap().iter().collect()
}

/// The values of a column of float64.
pub(super) fn floats(df: &DataFrame, column: &str) -> Vec<Option<f64>> {
    df.column(column).unwrap().f64().unwrap().iter().collect()
}
