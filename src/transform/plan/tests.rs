//! Plans: broken steps in the middle, steps that are off, splitting, and the words of errors.

use polars::prelude::{DataType, PlSmallStr, Schema};

use crate::transform::steps::testing::recipe;
use crate::transform::{Inputs, Scope};

fn schema() -> Schema {
    Schema::from_iter([
        ("price".into(), DataType::Float64),
        ("title".into(), DataType::String),
    ])
}

fn names(schema: &Schema) -> Vec<&str> {
    schema.iter_names().map(PlSmallStr::as_str).collect()
}

#[test]
fn a_broken_step_says_where_and_what_is_near() {
    let recipe = recipe(
        "- normalize_text: {column: title, trim: true}\n\
         - filter: {where: price > 0}\n\
         - bucketize: {column: prise, into: band, borders: [1]}\n",
    );
    let error = recipe.compile(3, &schema(), &Inputs::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "step 3 `bucketize(prise)`: column `prise` not found: did you mean `price`?"
    );
    assert_eq!(error.error.param, "column");
}

#[test]
fn steps_after_a_broken_one_are_checked_without_it() {
    let recipe = recipe(
        "- rename: {columns: {price: cost}}\n\
         - filter: {where: price > 0}\n\
         - drop: {columns: [title]}\n",
    );
    let checked = recipe.check(&schema(), &Inputs::default());
    assert_eq!(names(checked.steps[0].as_ref().unwrap()), ["cost", "title"]);
    assert_eq!(checked.steps[1].as_ref().unwrap_err().number, 2);
    assert_eq!(names(checked.steps[2].as_ref().unwrap()), ["cost"]);
    assert_eq!(names(&checked.output), ["cost"]);
    let above = recipe.compile(1, &schema(), &Inputs::default()).unwrap();
    assert_eq!(names(above.output()), ["cost", "title"]);
}

#[test]
fn a_step_that_is_off_keeps_its_number_and_does_nothing() {
    let recipe = recipe(
        "- drop: {enabled: false, columns: [nonsense]}\n\
         - drop: {columns: [nonsense]}\n",
    );
    let checked = recipe.check(&schema(), &Inputs::default());
    assert_eq!(checked.steps[0].as_ref().unwrap(), &schema());
    let error = recipe.compile(2, &schema(), &Inputs::default()).unwrap_err();
    assert_eq!(error.number, 2);
}

#[test]
fn a_plan_splits_before_the_first_step_that_needs_the_partition() {
    let recipe = recipe(
        "- drop: {enabled: false, columns: [price]}\n\
         - derive: {columns: {n: length(title)}}\n\
         - dedupe: {columns: [title]}\n\
         - filter: {where: n > 3}\n",
    );
    let plan = recipe.compile(4, &schema(), &Inputs::default()).unwrap();
    assert_eq!(plan.scope(), Scope::Partition);
    let (prefix, suffix) = plan.split();
    let suffix = suffix.unwrap();
    assert_eq!(prefix.scope(), Scope::Row);
    assert_eq!(prefix.output(), suffix.input());
    assert_eq!(names(suffix.output()), ["price", "title", "n"]);
    let numbers: Vec<usize> = suffix.steps.iter().map(|step| step.number).collect();
    assert_eq!(numbers, [3, 4]);
    let (whole, none) = prefix.split();
    assert!(none.is_none());
    assert_eq!(whole.steps.len(), 1);
}

#[test]
fn segments_end_where_rows_are_counted() {
    let recipe = recipe(
        "- derive: {columns: {a: '1', l: \"string_to_array(title, ',')\"}}\n\
         - drop: {columns: [a]}\n\
         - cast: {column: price, to: int64}\n\
         - normalize_text: {column: title, trim: true}\n\
         - explode: {column: l}\n\
         - cast: {column: price, to: string, on_error: 'null'}\n",
    );
    let plan = recipe.compile(6, &schema(), &Inputs::default()).unwrap();
    let numbers: Vec<Vec<usize>> = plan
        .segments()
        .iter()
        .map(|segment| segment.iter().map(|step| step.number).collect())
        .collect();
    assert_eq!(numbers, [vec![1, 2, 3], vec![4], vec![5], vec![6]]);
}

#[test]
fn every_step_says_what_it_is() {
    for (yaml, label, summary) in [
        ("- filter: {where: 'price > 0'}", "filter(price > 0)", "price > 0"),
        (
            "- parse_timestamp: {column: posted_at}",
            "parse_timestamp(posted_at)",
            "posted_at → timestamp",
        ),
        (
            "- normalize_text: {column: title, trim: true, case: lower}",
            "normalize_text(title)",
            "title: lower, trim",
        ),
        ("- dedupe: {}", "dedupe", "all columns, keep first"),
        (
            "- select: {columns: [a, b, c, d]}",
            "select(a, b, c, …)",
            "a, b, c, …",
        ),
        ("- rename: {columns: {a: b}}", "rename(a)", "a → b"),
        (
            "- bucketize: {column: p, into: q, borders: [1, 2]}",
            "bucketize(p)",
            "p → q: 3 buckets",
        ),
    ] {
        let step = recipe(yaml).steps.remove(0).step;
        assert_eq!((step.label().as_str(), step.summary().as_str()), (label, summary));
    }
}
