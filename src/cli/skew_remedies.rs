//! What `skewer skew --by` writes of remedies: the loads before and after, the steps to paste, the setting for Spark.

use std::collections::BTreeMap;

use polars::prelude::Schema;
use serde::Serialize;

use super::CliError;
use super::output::Output;
use super::preview::Steps;
use super::skew_tables::{ratio, time};
use crate::dataset::InputSpec;
use crate::explore::{join_step, joinable, no_join, remedy_steps};
use crate::profile::keys::{KeyReport, LoadMetrics, OfferedRemedy, Prediction, Remedy, RemedyKind};
use crate::transform::{Inputs, RecipeStep};

#[derive(Serialize)]
pub(super) struct WrittenRemedy<'a> {
    #[serde(flatten)]
    offered: &'a OfferedRemedy,
    /// Kinds of the other remedies that are offered instead of this one, not beside it.
    alternatives: Vec<RemedyKind>,
    /// What accepting it adds to a recipe; none where it is advice for the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<RecipeStep>>,
    /// Why it cannot be written as steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    no_steps: Option<String>,
    /// What to set in Spark for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    spark_setting: Option<String>,
}

impl<'a> WrittenRemedy<'a> {
    /// A remedy with the steps that it is. A broadcast is one only where the recipe has exactly one dataset to join.
    pub fn new(offered: &'a OfferedRemedy, all: &[OfferedRemedy], schema: &Schema, inputs: &Inputs) -> Self {
        let mut alternatives = Vec::new();
        for other in all.iter().filter(|other| !std::ptr::eq(*other, offered)) {
            let kind = other.remedy.kind();
            if offered.remedy.kind().excludes(kind) && !alternatives.contains(&kind) {
                alternatives.push(kind);
            }
        }
        let steps = match &offered.remedy {
            Remedy::Broadcast { columns } => match joinable(inputs, columns, schema).as_slice() {
                [input] => join_step(input, columns).map(|step| Some(vec![step])),
                _ => no_join(columns, schema).map_or(Ok(None), Err),
            },
            other => remedy_steps(other, schema),
        };
        let (steps, no_steps) = match steps {
            Ok(steps) => (steps, None),
            Err(reason) => (None, Some(reason)),
        };
        Self {
            offered,
            alternatives,
            steps: steps.map(|steps| steps.into_iter().map(RecipeStep::new).collect()),
            no_steps,
            spark_setting: offered.remedy.spark_setting(),
        }
    }
}

/// The second datasets of a recipe that none of its steps reads yet.
pub(super) fn unread(steps: &Steps) -> BTreeMap<String, InputSpec> {
    let is_read = |name: &str| {
        let read = |step: &RecipeStep| {
            step.step
                .params()
                .get("input")
                .and_then(|input| input.as_str().map(str::to_owned))
        };
        steps
            .recipe
            .steps
            .iter()
            .filter_map(read)
            .any(|input| input == name)
    };
    let unread = steps.inputs.iter().filter(|(name, _)| !is_read(name));
    unread.map(|(name, spec)| (name.clone(), spec.clone())).collect()
}

/// Lines of steps that are printed; longer ones are for machines.
const MAX_STEPS_LEN: usize = 4000;

pub(super) fn print_remedy(
    remedy: &WrittenRemedy<'_>,
    report: &KeyReport,
    output: &mut Output,
) -> Result<(), CliError> {
    let offered = remedy.offered;
    output.line(&format!("\n→ {}", offered.title))?;
    if !offered.gain.is_empty() {
        output.line(&format!("  {}", offered.gain))?;
    }
    output.line(&format!("  {}", offered.message))?;
    if let Some(after) = &offered.after {
        let simulated = &report.partitions;
        let weight = simulated.weight;
        let time = |seconds: f64| time(&report.profile, seconds);
        let row = |name: &str, metrics: &LoadMetrics| {
            vec![
                format!("  {name}"),
                weight.words(metrics.max),
                ratio(metrics.max_over_mean),
                time(metrics.straggler_seconds),
                time(metrics.wall_seconds),
            ]
        };
        let told = offered.prediction.map_or("predicted", Prediction::words);
        let rows = [
            row("now", &simulated.metrics),
            row(&format!("after ({told})"), after),
        ];
        let heading = ["", "largest", "largest / mean", "straggler cost", "wall time"];
        output.table(&heading, &[1, 2, 3, 4], &rows)?;
    } else if let Remedy::Broadcast { .. } = &offered.remedy {
        output.line("  after: no shuffle by this key, so no loads to even")?;
    }
    output.line(&format!("  Limits: {}", offered.limits))?;
    if let Some(setting) = &remedy.spark_setting {
        output.line(&format!("  For spark-submit: --conf {setting}"))?;
    }
    match (&remedy.steps, &offered.remedy) {
        (Some(steps), _) => print_steps(steps, output),
        (None, _) if remedy.no_steps.is_some() => output.line(&format!(
            "  No step of a recipe: {}.",
            remedy.no_steps.as_deref().unwrap_or_default()
        )),
        (None, Remedy::Broadcast { columns }) => output.line(&format!(
            "  In a recipe: the step `join` with `on: [{}]` and the other data as its `input`; with `--recipe`, data that the \
             recipe names under `inputs` is filled in here.",
            columns.join(", ")
        )),
        _ => Ok(()),
    }
}

/// Steps to paste into a recipe: YAML whose parameters are on one line, as in JSON.
fn print_steps(steps: &[RecipeStep], output: &mut Output) -> Result<(), CliError> {
    let text: Vec<String> = steps
        .iter()
        .map(|step| format!("    - {}: {}", step.step.name(), step.step.params()))
        .collect();
    let n_chars: usize = text.iter().map(String::len).sum();
    if n_chars > MAX_STEPS_LEN {
        return output.line("  As steps of a recipe it is long: `--json` has them.");
    }
    output.line("  Steps to paste at the end of a recipe:")?;
    output.text(&format!("{}\n", text.join("\n")))
}
