//! The cards of all columns, found by name and sorted. Only those in view are laid out.

use egui::{Rect, ScrollArea, Ui, pos2, vec2};

use super::facts::{ColumnFacts, Profiled};
use super::{Order, ProfilePanel, ProfileView};
use super::{card, picture};
use crate::gui::command::Command;
use crate::gui::state::Commands;
use crate::gui::theme::{self, Tone, space};
use crate::profile::drift::{ColumnDrift, Drift};

/// About as wide as a card is.
const WIDTH: f32 = 300.0;

/// Places of cards, and for what they were found.
#[derive(Debug, Default)]
pub struct CardsState {
    of: Option<(u64, Option<u64>, String, Order)>,
    places: Vec<usize>,
}

impl CardsState {
    /// Finds and sorts again when profile, comparison, search or order changed.
    fn find(&mut self, profiled: &Profiled, drift: Option<(u64, &Drift)>, search: &str, order: Order) {
        let of = (
            profiled.stamp,
            drift.map(|(stamp, _)| stamp),
            search.to_owned(),
            order,
        );
        if self.of.as_ref() == Some(&of) {
            return;
        }
        let word = search.trim().to_lowercase();
        let columns = &profiled.columns;
        let is_found = |facts: &ColumnFacts| word.is_empty() || facts.name.to_lowercase().contains(&word);
        let found = columns.iter().enumerate().filter(|(_, facts)| is_found(facts));
        self.places = found.map(|(at, _)| at).collect();
        let facts = |at: usize| columns.get(at);
        let name = |at: usize| facts(at).map_or(String::new(), |facts| facts.name.to_lowercase());
        match order {
            Order::AsInData => {}
            Order::Name => self.places.sort_by_cached_key(|at| name(*at)),
            Order::Type => self.places.sort_by_cached_key(|at| {
                (
                    facts(*at).map_or(String::new(), |facts| facts.dtype.clone()),
                    name(*at),
                )
            }),
            Order::Nulls => self.places.sort_by(|a, b| {
                let share = |at: usize| facts(at).map_or(0.0, |facts| facts.null_share);
                share(*b).total_cmp(&share(*a))
            }),
            Order::Distinct => self
                .places
                .sort_by_key(|at| std::cmp::Reverse(facts(*at).and_then(|facts| facts.n_distinct))),
            Order::Drift => {
                let weight = |at: usize| {
                    let drift = drift.and_then(|(_, drift)| drift.column(&facts(at)?.name));
                    drift.map(ColumnDrift::weight)
                };
                self.places.sort_by(|a, b| {
                    let (a, b) = (weight(*a), weight(*b));
                    b.partial_cmp(&a).unwrap_or(std::cmp::Ordering::Equal)
                });
            }
        }
        self.of = Some(of);
    }
}

pub(super) fn cards_ui(
    ui: &mut Ui,
    view: ProfileView<'_>,
    profiled: &Profiled,
    panel: &mut ProfilePanel,
    commands: &mut Commands,
) {
    let drift = view.drift();
    let stamp = view.slots.drift.key().map_or(0, |(before, _)| *before);
    let baseline = view
        .slots
        .against
        .value()
        .map(|against| against.baseline.as_ref());
    panel.cards.find(
        profiled,
        drift.map(|drift| (stamp, drift)),
        &panel.search,
        panel.order,
    );
    if profiled.columns.is_empty() {
        ui.label(theme::weak(ui, "These rows have no columns."));
        return;
    }
    if panel.cards.places.is_empty() {
        ui.label(theme::weak(ui, "No column has these letters in its name."));
        return;
    }
    let places = &panel.cards.places;
    let is_stale = view.slots.profile.is_stale();
    ui.spacing_mut().item_spacing.y = space::MD;
    let width = ui.available_width() - space::MD;
    let n_across = across(width);
    #[expect(clippy::cast_precision_loss, reason = "a handful of cards")]
    let card_width = (width - space::MD * (n_across - 1) as f32) / n_across as f32;
    let n_rows = places.len().div_ceil(n_across);
    ScrollArea::vertical()
        .id_salt("column cards")
        .auto_shrink(false)
        .show_rows(ui, card::HEIGHT, n_rows, |ui, rows| {
            if is_stale {
                ui.multiply_opacity(0.5);
            }
            for row in rows {
                let (line, _) = ui.allocate_exact_size(vec2(width, card::HEIGHT), egui::Sense::hover());
                for at in 0..n_across {
                    let place = places.get(row * n_across + at).copied();
                    let Some(facts) = place.and_then(|place| profiled.columns.get(place)) else {
                        continue;
                    };
                    #[expect(clippy::cast_precision_loss, reason = "a handful of cards")]
                    let left = line.left() + at as f32 * (card_width + space::MD);
                    let rect = Rect::from_min_size(pos2(left, line.top()), vec2(card_width, card::HEIGHT));
                    let drift = drift.and_then(|drift| drift.column(&facts.name));
                    let before = drift
                        .and(baseline)
                        .and_then(|baseline| baseline.column(&facts.name));
                    if let Some(keep) = card::card_ui(ui, rect, facts, drift, before) {
                        filter(view, facts, &keep, commands);
                    }
                    picture::menu_ui(ui, rect, facts, before, view, commands);
                }
            }
        });
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a handful of cards, cut to 1 below"
)]
fn across(width: f32) -> usize {
    ((width + space::MD) / (WIDTH + space::MD)).floor().max(1.0) as usize
}

/// Adds a filter step by a bar or value.
fn filter(
    view: ProfileView<'_>,
    facts: &ColumnFacts,
    keep: &crate::gui::data::condition::Condition,
    commands: &mut Commands,
) {
    let is_raw = view.key().is_none_or(|key| key.recipe.is_none());
    let Some(edit) = facts.filter(keep, view.recipe, is_raw) else {
        commands.push(Command::Say(
            Tone::Warn,
            "no filter can be written for this value".to_owned(),
        ));
        return;
    };
    commands.push(Command::Edit(edit));
    commands.push(Command::Seal);
    let said = format!(
        "Filter on {} added to the recipe; Ctrl+Z takes it back",
        facts.name
    );
    commands.push(Command::Say(Tone::Good, said));
}
