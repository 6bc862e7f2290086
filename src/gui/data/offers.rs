//! Which steps fit a column: asked of the steps themselves, so that a new one is offered without a word here.
//!
//! A step fits when it takes the column wherever it wants one and does not complain about it. Other parameters are taken
//! from the example in its documentation, because an empty one would hide what it says of the column.

use std::sync::Arc;

use polars::prelude::{DataType, Schema};
use serde_json::{Map, Value};

use crate::gui::recipe::{fuzzy, prefilled};
use crate::transform::steps::GROUPS;
use crate::transform::{Inputs, RecipeStep, Step, StepInfo, registry};

/// The steps of one group that fit.
#[derive(Debug, Clone)]
pub struct Offer {
    pub group: &'static str,
    pub steps: Vec<&'static StepInfo>,
}

/// What is offered for a column, remembered while its menu is open.
#[derive(Debug, Default)]
pub struct OfferCache {
    of: Option<(String, Arc<Schema>)>,
    offers: Vec<Offer>,
}

impl OfferCache {
    pub fn get(&mut self, column: &str, schema: &Arc<Schema>, inputs: &Inputs) -> &[Offer] {
        let is_same = self
            .of
            .as_ref()
            .is_some_and(|(known, of)| known == column && Arc::ptr_eq(of, schema));
        if !is_same {
            self.offers = offers(column, schema, inputs);
            self.of = Some((column.to_owned(), Arc::clone(schema)));
        }
        &self.offers
    }
}

/// The steps that fit `column`, by group: first the groups made for its type.
pub fn offers(column: &str, schema: &Schema, inputs: &Inputs) -> Vec<Offer> {
    let Some(dtype) = schema.get(column) else {
        return Vec::new();
    };
    let first = first_groups(dtype);
    let later = GROUPS.iter().copied().filter(|group| !first.contains(group));
    first
        .iter()
        .copied()
        .chain(later)
        .map(|group| Offer {
            group,
            steps: registry()
                .iter()
                .filter(|info| info.group == group && fits(info, column, schema, inputs))
                .collect(),
        })
        .filter(|offer| !offer.steps.is_empty())
        .collect()
}

/// The offers whose steps answer to `query`, best first; all of them in their groups when nothing is asked.
pub fn found<'a>(offers: &'a [Offer], query: &str) -> Vec<(Option<&'static str>, &'a StepInfo)> {
    let query = query.trim();
    let all = offers.iter().flat_map(|offer| {
        offer
            .steps
            .iter()
            .enumerate()
            .map(|(at, info)| ((at == 0).then_some(offer.group), *info))
    });
    if query.is_empty() {
        return all.collect();
    }
    let words = query.to_lowercase();
    let mut hits: Vec<(i32, &StepInfo)> = all
        .filter_map(|(_, info)| {
            let name = fuzzy::score(query, info.name).map(|score| score + 2000);
            let said = [info.summary, info.group, info.doc];
            let place = said.iter().position(|text| text.to_lowercase().contains(&words));
            let said = place.map(|place| [1000, 900, 100].get(place).copied().unwrap_or_default());
            Some((name.or(said)?, info))
        })
        .collect();
    hits.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    hits.into_iter().map(|(_, info)| (None, info)).collect()
}

fn first_groups(dtype: &DataType) -> &'static [&'static str] {
    match dtype {
        DataType::String => &["text", "time", "categories"],
        DataType::List(_) | DataType::Struct(_) => &["nested", "text"],
        dtype if dtype.is_temporal() => &["time"],
        dtype if dtype.is_primitive_numeric() => &["numbers", "categories"],
        _ => &["columns"],
    }
}

/// A new step of this kind for `column`.
pub fn step_for(info: &StepInfo, column: &str) -> RecipeStep {
    RecipeStep::new(prefilled(info, column))
}

fn fits(info: &StepInfo, column: &str, schema: &Schema, inputs: &Inputs) -> bool {
    let step = prefilled(info, column);
    let taken = column_params(info, &step);
    if taken.is_empty() {
        return false;
    }
    let accepts = |step: &Step| match step.check(schema, inputs) {
        Ok(_) => true,
        Err(error) => !taken.contains_key(error.param),
    };
    let probe = probe(info, &taken).unwrap_or_else(|| step.clone());
    if accepts(&probe) && accepts(&step) {
        return true;
    }
    // A step on several columns may want more than one: another of the same type beside it.
    let Some(several) = with_another(&taken, column, schema) else {
        return false;
    };
    self::probe(info, &several).is_some_and(|probe| probe.check(schema, inputs).is_ok())
}

/// The parameters of `step` that name its column, as their form asks for them.
fn column_params(info: &StepInfo, step: &Step) -> Map<String, Value> {
    let schema = (info.json_schema)();
    let defaults = (info.new)().params();
    let Value::Object(params) = step.params() else {
        return Map::new();
    };
    let asks = |name: &str| {
        let property = schema
            .get("properties")
            .and_then(|properties| properties.get(name));
        property.is_some_and(|property| property.to_string().contains("\"x-input\""))
    };
    params
        .into_iter()
        .filter(|(name, value)| defaults.get(name) != Some(value) && asks(name))
        .collect()
}

/// The step of the documentation's example, with `taken` in place of its columns.
fn probe(info: &StepInfo, taken: &Map<String, Value>) -> Option<Step> {
    let (_, example) = info.doc.split_once("```yaml\n")?;
    let (example, _) = example.split_once("```")?;
    let recipe: crate::transform::Recipe = crate::base::envelope::from_yaml(example).ok()?;
    let Value::Object(mut params) = recipe.steps.first()?.step.params() else {
        return None;
    };
    params.extend(taken.clone());
    Step::from_params(info.name, Value::Object(params)).ok()
}

fn with_another(taken: &Map<String, Value>, column: &str, schema: &Schema) -> Option<Map<String, Value>> {
    let dtype = schema.get(column)?;
    let another = schema
        .iter()
        .find(|(name, other)| name.as_str() != column && *other == dtype)
        .map(|(name, _)| name.as_str())?;
    let mut several = taken.clone();
    let mut has_list = false;
    for value in several.values_mut() {
        if let Value::Array(columns) = value {
            columns.push(another.into());
            has_list = true;
        }
    }
    has_list.then_some(several)
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, Field, Schema, TimeUnit, TimeZone};

    use super::{found, offers};
    use crate::transform::{Inputs, registry};

    fn schema() -> Schema {
        Schema::from_iter([
            Field::new("title".into(), DataType::String),
            Field::new("headline".into(), DataType::String),
            Field::new("salary".into(), DataType::Int64),
            Field::new("tags".into(), DataType::List(Box::new(DataType::String))),
            Field::new(
                "place".into(),
                DataType::Struct(vec![Field::new("city".into(), DataType::String)]),
            ),
            Field::new(
                "posted_at".into(),
                DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
            ),
            Field::new("share".into(), DataType::Float64),
            Field::new("is_open".into(), DataType::Boolean),
            Field::new("day".into(), DataType::Date),
        ])
    }

    fn names(column: &str) -> Vec<&'static str> {
        let offers = offers(column, &schema(), &Inputs::default());
        found(&offers, "")
            .into_iter()
            .map(|(_, info)| info.name)
            .collect()
    }

    #[test]
    fn a_column_is_offered_what_takes_its_type_and_nothing_that_refuses_it() {
        for (column, wanted, unwanted) in [
            (
                "title",
                ["normalize_text", "tokenize", "parse_timestamp"],
                ["bucketize", "unnest", "explode"],
            ),
            (
                "salary",
                ["bucketize", "cast", "fill_null"],
                ["tokenize", "unnest", "parse_timestamp"],
            ),
            (
                "tags",
                ["explode", "hashing_tf", "drop"],
                ["tokenize", "bucketize", "unnest"],
            ),
            (
                "place",
                ["unnest", "drop", "filter"],
                ["explode", "tokenize", "bucketize"],
            ),
            (
                "posted_at",
                ["filter", "cast", "dedupe"],
                ["tokenize", "bucketize", "explode"],
            ),
        ] {
            let names = names(column);
            for name in wanted {
                assert!(names.contains(&name), "{column}: {name} in {names:?}");
            }
            for name in unwanted {
                assert!(!names.contains(&name), "{column}: {name} in {names:?}");
            }
        }
    }

    #[test]
    fn every_step_that_asks_for_a_column_is_offered_for_some_column() {
        let offered: Vec<&str> = schema()
            .iter_names()
            .flat_map(|column| names(column.as_str()))
            .collect();
        let missing: Vec<&str> = registry()
            .iter()
            .filter(|info| {
                let step = super::prefilled(info, "title");
                !super::column_params(info, &step).is_empty() && !offered.contains(&info.name)
            })
            .map(|info| info.name)
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn the_groups_of_the_type_come_first_and_a_word_narrows_the_list() {
        let offers = offers("title", &schema(), &Inputs::default());
        assert_eq!(offers[0].group, "text");
        let hits = found(&offers, "tokenize");
        assert_eq!(hits[0].1.name, "tokenize");
        assert!(hits.len() < found(&offers, "").len());
    }
}
