//! Remedies of the open key that are in the recipe: which steps they are, the key with its salt, and the way back.

use egui::{Label, Ui};

use super::work::Reported;
use super::{KeysCommand, KeysPanel};
use crate::base::units;
use crate::explore::{commented, is_remedy_of, join_step};
use crate::gui::command::Command;
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, body_marked, colors, space, weak_small};
use crate::gui::widgets::{Icon, badge, icon, secondary_button};
use crate::profile::keys::RemedyKind;
use crate::transform::{Recipe, RecipeStep};

/// Steps of the recipe that one remedy is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Accepted {
    /// Place of the first step.
    pub at: usize,
    pub n_steps: usize,
    /// What the steps say that they are for.
    text: String,
    /// The column of salts, where rows still have it after these steps.
    salt: Option<String>,
    pub kind: RemedyKind,
    is_enabled: bool,
}

/// The remedies for the key `columns` among the steps of `recipe`, in their order. Steps with the same comment are one.
pub(super) fn accepted(recipe: &Recipe, columns: &[String]) -> Vec<Accepted> {
    let mut found: Vec<Accepted> = Vec::new();
    let mut last: Option<&RecipeStep> = None;
    for (at, step) in recipe.steps.iter().enumerate() {
        if !is_remedy_of(step, columns) {
            last = None;
            continue;
        }
        let continues = last.is_some_and(|last| last.comment.is_some() && last.comment == step.comment);
        last = Some(step);
        if !continues {
            found.push(Accepted {
                at,
                n_steps: 0,
                text: step
                    .comment
                    .clone()
                    .unwrap_or_else(|| format!("Salts for {}", columns.join(", "))),
                salt: None,
                kind: RemedyKind::IsolateSentinels,
                is_enabled: true,
            });
        }
        let Some(one) = found.last_mut() else { continue };
        one.n_steps += 1;
        one.is_enabled &= step.enabled;
        match step.step.name() {
            "salt" => {
                let params = step.step.params();
                one.kind = RemedyKind::Salt;
                one.salt = params
                    .get("into")
                    .and_then(|into| into.as_str())
                    .map(str::to_owned);
            }
            "aggregate" => {
                one.kind = RemedyKind::TwoStageAggregation;
                one.salt = None;
            }
            "join" => one.kind = RemedyKind::Broadcast,
            _ => {}
        }
    }
    found
}

/// Whether the recipe has such a remedy already: a second time it would only salt what is salted.
pub(super) fn is_accepted(accepted: &[Accepted], kind: RemedyKind) -> bool {
    accepted.iter().any(|one| one.kind == kind)
}

/// The remedy in the recipe that is an alternative to one of this kind.
pub(super) fn instead_of(accepted: &[Accepted], kind: RemedyKind) -> Option<&Accepted> {
    accepted.iter().find(|one| one.kind.excludes(kind))
}

/// The join of a key with the other side called `input`, which says that it is there for the skew of that key.
pub(in crate::gui) fn broadcast_step(
    input: &str,
    columns: &[String],
    n_partitions: u32,
) -> Result<RecipeStep, String> {
    let step = join_step(input, columns)?;
    let title = format!("Join with {input}, which every worker holds in memory: these rows are not shuffled");
    commented(vec![step], columns, n_partitions, &title)
        .pop()
        .ok_or_else(|| "no step".to_owned())
}

pub(super) fn accepted_ui(
    ui: &mut Ui,
    accepted: &[Accepted],
    reported: &Reported,
    panel: &mut KeysPanel,
    commands: &mut Commands,
) {
    for one in accepted {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = space::SM;
            let c = colors(ui);
            icon(ui, Icon::Check, c.good);
            badge(ui, Tone::Good, &format!("in the recipe, {}", one.place()));
            if !one.is_enabled {
                badge(ui, Tone::Warn, "switched off");
            }
            if let Some(salt) = &one.salt {
                let mut key = reported.columns.clone();
                key.push(salt.clone());
                let text = format!("Show {}", key.join(" + "));
                let hover = "Adds the key with its salt to those above: the loads that the salted rows have";
                if secondary_button(ui, true, &text).on_hover_text(hover).clicked() {
                    panel.add(key);
                }
            }
            let take_back = secondary_button(ui, true, &format!("Take back {}", one.place()));
            if take_back
                .on_hover_text("Takes these steps out of the recipe; Ctrl+Z brings them back")
                .clicked()
            {
                commands.push(Command::Keys(KeysCommand::TakeBack {
                    at: one.at,
                    n_steps: one.n_steps,
                }));
            }
        });
        ui.add(Label::new(body_marked(ui, &one.text)).wrap());
        if one.salt.is_some() {
            let text = "The figures here are of the key alone, without its salt: they stay as they were.";
            ui.add(Label::new(weak_small(ui, text)).wrap());
        }
    }
}

impl Accepted {
    /// `step 1 (salts)`.
    pub fn said(&self) -> String {
        let what = match self.kind {
            RemedyKind::Salt => "salts",
            RemedyKind::TwoStageAggregation => "two stages",
            RemedyKind::IsolateSentinels => "keys kept out",
            RemedyKind::Broadcast => "a join in memory",
            RemedyKind::OtherPartitions => "another number of partitions",
            RemedyKind::CompoundKey => "a wider key",
        };
        let off = if self.is_enabled { "" } else { ", switched off" };
        format!("{} ({what}{off})", self.place())
    }

    /// `step 1`, `steps 1 to 3`.
    fn place(&self) -> String {
        let number = |at: usize| units::count(at as u64 + 1);
        if self.n_steps == 1 {
            format!("step {}", number(self.at))
        } else {
            format!(
                "steps {} to {}",
                number(self.at),
                number(self.at + self.n_steps - 1)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Accepted, accepted, broadcast_step, instead_of, is_accepted};
    use crate::explore::{commented, remedy_steps};
    use crate::profile::keys::{Remedy, RemedyKind, SaltedKey};
    use crate::transform::{Recipe, RecipeStep, Step};

    #[test]
    fn steps_of_remedies_are_found_wherever_they_are_in_the_recipe() {
        let columns = vec!["c".to_owned()];
        let keys = vec![SaltedKey {
            key: vec![json!("US")],
            label: "US".to_owned(),
            salts: vec![0, 3],
        }];
        let salt = Remedy::Salt {
            columns: columns.clone(),
            n_partitions: 8,
            keys: keys.clone(),
        };
        let stages = Remedy::TwoStageAggregation {
            columns: columns.clone(),
            n_partitions: 8,
            keys,
        };
        let schema = polars::prelude::df!("c" => ["US"])
            .unwrap()
            .schema()
            .as_ref()
            .clone();
        let steps = |remedy: &Remedy, title: &str| {
            commented(
                remedy_steps(remedy, &schema).unwrap().unwrap(),
                &columns,
                8,
                title,
            )
        };
        let other = RecipeStep::new(Step::from_params("limit", json!({"n": 5})).unwrap());
        let mut all = vec![other.clone()];
        all.extend(steps(&salt, "Salt"));
        all.push(other);
        let mut of_stages = steps(&stages, "Stages");
        of_stages[1].enabled = false;
        all.extend(of_stages);
        let recipe = Recipe { steps: all };
        let found = accepted(&recipe, &columns);
        let told: Vec<(String, Option<&str>, bool)> = found
            .iter()
            .map(|one: &Accepted| (one.place(), one.salt.as_deref(), one.is_enabled))
            .collect();
        assert_eq!(
            told,
            [
                ("step 2".to_owned(), Some("salt"), true),
                ("steps 4 to 6".to_owned(), None, false)
            ]
        );
        let (salt, stages) = (salt.kind(), stages.kind());
        assert!(is_accepted(&found, salt) && is_accepted(&found, stages));
        assert!(!is_accepted(&found[1..], salt) && !is_accepted(&found[..1], stages));
        let by = |kind| instead_of(&found[..1], kind).map(Accepted::said);
        assert_eq!(by(stages).as_deref(), Some("step 2 (salts)"));
        assert_eq!(by(RemedyKind::Broadcast), by(stages));
        assert_eq!(
            by(RemedyKind::IsolateSentinels),
            None,
            "rows are kept out beside it"
        );
        assert!(accepted(&recipe, &["d".to_owned()]).is_empty());
    }

    #[test]
    fn a_join_that_was_taken_for_the_skew_is_a_remedy_and_any_other_is_none() {
        let columns = vec!["c".to_owned()];
        let taken = broadcast_step("users", &columns, 200).unwrap();
        let own = RecipeStep::new(crate::explore::join_step("users", &columns).unwrap());
        let recipe = Recipe {
            steps: vec![own, taken],
        };
        let found = accepted(&recipe, &columns);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].said(), "step 2 (a join in memory)");
        assert!(is_accepted(&found, RemedyKind::Broadcast));
        assert!(instead_of(&found, RemedyKind::Salt).is_some());
    }
}
