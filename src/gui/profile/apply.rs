//! Carries out the tab's commands, takes what its work sent, and starts comparisons.

use std::path::PathBuf;

use super::work::{self, AgainstKey, MapKey, ProfileKey};
use super::{Part, ProfileCommand, ProfilePanel};
use crate::gui::app::App;
use crate::gui::listed::ListedDataset;
use crate::gui::slots::{Purpose, Slots};
use crate::gui::state::State;
use crate::gui::theme::Tone;
use crate::session::Document;
use crate::storage::Partition;

/// The rows that the panel chose. None while nothing is listed.
fn chosen(document: &Document, slots: &Slots, panel: &ProfilePanel) -> Option<ProfileKey> {
    let dataset = slots.dataset(document)?;
    let all = || dataset.keys.partitions.keys().cloned().collect::<Vec<_>>();
    let (partitions, label) = match &document.partition {
        Some(open) if !panel.is_all => (vec![open.clone()], dataset.partition_label(open)),
        _ => (all(), all_label(dataset)),
    };
    key_of(document, slots, panel, partitions, label)
}

fn key_of(
    document: &Document,
    slots: &Slots,
    panel: &ProfilePanel,
    partitions: Vec<Partition>,
    label: String,
) -> Option<ProfileKey> {
    let dataset = slots.dataset(document)?;
    let recipe = panel.is_after_recipe.then(|| document.recipe.clone());
    Some(ProfileKey {
        source: document.source.clone()?,
        dataset: dataset.keys.prefix.clone(),
        partitions,
        label,
        inputs: match &recipe {
            Some(_) => slots.inputs.value().map_or(0, |opened| opened.stamp),
            None => 0,
        },
        recipe,
        is_sample: panel.is_sample,
        level: panel.level,
    })
}

/// `all 13 days`
pub(super) fn all_label(dataset: &ListedDataset) -> String {
    match dataset.keys.partitions.len() {
        1 => "all files".to_owned(),
        n => format!("all {n} {}", dataset.unit()),
    }
}

/// Carries out one command.
pub(in crate::gui) fn apply(app: &mut App, command: ProfileCommand) {
    match command {
        ProfileCommand::Start => start(app),
        ProfileCommand::Stop => {
            app.state.slots.profile.profile.cancel();
            app.state.slots.profile.against.cancel();
        }
        ProfileCommand::CompareWith(partitions, label) => {
            let state = &mut app.state;
            let key = key_of(
                state.history.document(),
                &state.slots,
                &state.panels.profile,
                partitions,
                label,
            );
            if let Some(key) = key {
                compare(app, AgainstKey::Rows(Box::new(key)));
            }
        }
        ProfileCommand::CompareWithFile(path) => compare(app, AgainstKey::File(path)),
        ProfileCommand::ChooseBaseline => crate::gui::dialogs::ask(app, Purpose::PickBaseline),
        ProfileCommand::ChooseSave => crate::gui::dialogs::ask(app, Purpose::SaveBaseline),
        ProfileCommand::StopComparing => {
            app.state.slots.profile.against.clear();
            app.state.slots.profile.drift.clear();
        }
        ProfileCommand::SaveTo(path) => save(app, path),
        ProfileCommand::ReadMap(choice) => {
            let generation = app.state.slots.next_generation();
            let State { history, slots, .. } = &mut app.state;
            let document = history.document();
            let (Some(source), Some(dataset)) = (&document.source, slots.dataset(document)) else {
                return;
            };
            let keys = dataset.keys.clone();
            let key = MapKey {
                source: source.clone(),
                dataset: keys.prefix.clone(),
                choice,
                generation,
            };
            let tasks = &app.tasks;
            slots
                .profile
                .map
                .restart(key, |key| work::schema_map(tasks, key, keys));
        }
        ProfileCommand::StopMap => app.state.slots.profile.map.cancel(),
        ProfileCommand::ShowPart(part) => app.state.panels.profile.part = part,
    }
}

fn start(app: &mut App) {
    let generation = app.state.slots.next_generation();
    let State {
        history,
        slots,
        panels,
        ..
    } = &mut app.state;
    let document = history.document();
    panels.profile.part = Part::Columns;
    let Some(key) = chosen(document, slots, &panels.profile) else {
        return;
    };
    let Some(keys) = slots.dataset(document).map(|dataset| dataset.keys.clone()) else {
        return;
    };
    let inputs = slots.opened_inputs().clone();
    // The other side of a comparison is profiled as this one is.
    if let Some((AgainstKey::Rows(rows), _)) = slots.profile.against.key()
        && (rows.recipe != key.recipe || rows.is_sample != key.is_sample || rows.source != key.source)
    {
        slots.profile.against.clear();
        slots.profile.drift.clear();
    }
    let tasks = &app.tasks;
    slots.profile.profile.restart((key, generation), |(key, _)| {
        work::profile(tasks, key, keys, inputs)
    });
}

fn compare(app: &mut App, key: AgainstKey) {
    let generation = app.state.slots.next_generation();
    let State { history, slots, .. } = &mut app.state;
    let document = history.document();
    let keys = slots.dataset(document).map(|dataset| dataset.keys.clone());
    let inputs = slots.opened_inputs().clone();
    let tasks = &app.tasks;
    slots
        .profile
        .against
        .restart((key, generation), |(key, _)| match key {
            AgainstKey::Rows(rows) => work::profile_against(tasks, rows, keys.unwrap_or_default(), inputs),
            AgainstKey::File(path) => work::read_baseline(tasks, path.clone()),
        });
}

fn save(app: &mut App, path: PathBuf) {
    let Some(profiled) = app.state.slots.profile.profile.value().cloned() else {
        app.state.say(Tone::Bad, "not saved: there is no profile");
        return;
    };
    let generation = app.state.slots.next_generation();
    let tasks = &app.tasks;
    app.state
        .slots
        .profile
        .saved
        .restart((generation, path.clone()), |_| {
            work::save_baseline(tasks, path, profiled)
        });
}

/// Takes what the tab's work has sent.
pub(in crate::gui) fn poll(state: &mut State) {
    let slots = &mut state.slots.profile;
    slots.profile.poll();
    slots.against.poll();
    slots.drift.poll();
    slots.map.poll();
    if slots.saved.poll() && !slots.saved.is_pending() {
        match (slots.saved.error(), slots.saved.value()) {
            (Some(error), _) => {
                let text = format!("not saved: {error}");
                state.say(Tone::Bad, text);
            }
            (None, Some(path)) => {
                let text = format!("Saved the baseline to {path}");
                state.say(Tone::Good, text);
            }
            (None, None) => {}
        }
    }
}

/// Forgets what belongs to another source or dataset, and compares what is there on both sides.
pub(in crate::gui) fn start_work(app: &mut App) {
    let tasks = &app.tasks;
    let State { history, slots, .. } = &mut app.state;
    let document = history.document();
    let prefix = slots.dataset(document).map(|dataset| dataset.keys.prefix.clone());
    let tab = &mut slots.profile;
    let is_other = |source: &crate::session::Source, dataset: &str| {
        document.source.as_ref() != Some(source) || prefix.as_deref().is_some_and(|prefix| prefix != dataset)
    };
    if tab
        .profile
        .key()
        .is_some_and(|(key, _)| is_other(&key.source, &key.dataset))
    {
        tab.profile.clear();
        tab.against.clear();
        tab.drift.clear();
    }
    if tab
        .map
        .key()
        .is_some_and(|key| is_other(&key.source, &key.dataset))
    {
        tab.map.clear();
    }
    let (Some(profiled), Some(against)) = (tab.profile.value(), tab.against.value()) else {
        return;
    };
    if tab.profile.is_stale() || tab.against.is_stale() {
        return;
    }
    let (before, after) = (against.baseline.clone(), profiled.clone());
    tab.drift.request((against.stamp, profiled.stamp), |_| {
        work::compare(tasks, before, after)
    });
}
