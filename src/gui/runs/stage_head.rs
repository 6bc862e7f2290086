//! What a stage is, before its charts: its name, the shuffle it reads and by which key, its verdict and what to do.

use egui::{Label, Ui};

use super::findings::finding_text_ui;
use super::seconds_text;
use super::table::{stage_name, tone_of};
use crate::base::units;
use crate::gui::theme::{strong, weak, weak_marked, weak_small};
use crate::gui::widgets::{badge, card};
use crate::profile::events::{Side, StageKey, StageProfile, Verdict};

/// `is_told` says that the findings above tell its verdict already.
pub fn head_ui(ui: &mut Ui, stage: &StageProfile, is_told: bool) {
    card(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        ui.horizontal(|ui| {
            ui.label(strong(format!("Stage {}", stage_name(stage))));
            badge(ui, tone_of(stage.finding.severity), stage.finding.code.words());
            ui.add(Label::new(weak(ui, &stage.name)).truncate())
                .on_hover_text(&stage.name);
        });
        if let Some(description) = stage.description.as_ref().filter(|text| **text != stage.name) {
            ui.add(Label::new(weak_small(ui, description)).truncate())
                .on_hover_text(description);
        }
        ui.add(Label::new(weak_small(ui, facts(stage))).wrap());
        if let Some(key) = &stage.key {
            ui.add(Label::new(weak_marked(ui, &shuffle_text(key))).wrap());
        }
        if let Some(failure) = &stage.failure {
            ui.add(Label::new(weak_marked(ui, &format!("Failed: {failure}"))).wrap());
        }
        if stage.finding.code != Verdict::Even && !is_told {
            finding_text_ui(ui, stage, "");
        }
    });
}

fn facts(stage: &StageProfile) -> String {
    let mut facts = vec![
        format!("wall {}", seconds_text(stage.wall_seconds)),
        format!("even split {}", seconds_text(stage.even_seconds)),
    ];
    facts.extend(stage.slots.map(|slots| format!("{slots:.0} slots free for it")));
    if let Some(waited) = stage.waited_seconds.filter(|waited| *waited >= 0.1) {
        facts.push(format!("waited {} for its first task", units::seconds(waited)));
    }
    if let Some(times) = stage.speed_up.filter(|times| *times >= 1.05) {
        facts.push(format!("{times:.1} × as fast when even"));
    }
    facts.join("   ")
}

/// ``Shuffled by `k` for SortMergeJoin Inner into 24 partitions: 7.1 MB of 8 tasks, 9.6 KB of 3 tasks.``
fn shuffle_text(key: &StageKey) -> String {
    let columns = key.text();
    let by = if columns.is_empty() {
        String::new()
    } else {
        format!(" by `{columns}`")
    };
    let consumer = key.consumer();
    let consumer = consumer.map_or_else(String::new, |consumer| format!(" for {consumer}"));
    let n_partitions = key.hot_side().and_then(|side| side.exchange.n_partitions);
    let partitions = n_partitions.map_or_else(String::new, |n| {
        format!(" into {}", units::plural(n, "partition"))
    });
    let sides: Vec<String> = key.sides.iter().filter_map(side_text).collect();
    let sides = if sides.is_empty() {
        String::new()
    } else {
        format!(": {}", sides.join(", "))
    };
    let rearranged = if key.is_rearranged() {
        " Adaptive execution merged or split partitions, so a task's number is not its partition's."
    } else {
        ""
    };
    format!("Shuffled{by}{consumer}{partitions}{sides}.{rearranged}")
}

fn side_text(side: &Side) -> Option<String> {
    let bytes = units::bytes(side.n_bytes?);
    Some(match side.n_writers {
        Some(n) => format!("{bytes} of {}", units::plural(n, "task")),
        None => bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::shuffle_text;
    use crate::profile::events::{Exchange, Side, StageKey};

    #[test]
    fn a_shuffle_is_told_with_its_key_its_consumer_and_both_sides() {
        let side = |n_bytes, n_writers| Side {
            exchange: Exchange {
                partitioning: "hash",
                n_partitions: Some(24),
                consumer: Some("SortMergeJoin".into()),
                join_type: Some("Inner".into()),
                ..Exchange::default()
            },
            n_bytes,
            n_writers,
        };
        let key = StageKey {
            columns: vec!["k".to_owned()],
            sides: vec![side(Some(7_088_526), Some(8)), side(None, None)],
        };
        assert_eq!(
            shuffle_text(&key),
            "Shuffled by `k` for SortMergeJoin Inner into 24 partitions: 7.1 MB of 8 tasks."
        );
        let unknown = StageKey {
            columns: Vec::new(),
            sides: Vec::new(),
        };
        assert_eq!(shuffle_text(&unknown), "Shuffled.");
    }
}
