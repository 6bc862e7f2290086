//! What opens below the head of a column: its figures, the filters that a click on them makes, and the steps that fit.

use egui::{EventFilter, Key, Modifiers, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};
use polars::prelude::{Column, Series};

use super::condition::Condition;
use super::distribution::Distribution;
use super::grid::{self, GridState, GridView};
use super::offers::{self, OfferCache};
use super::values;
use crate::base::{Accuracy, units};
use crate::dataset::dtype_name;
use crate::gui::command::Command;
use crate::gui::theme::{self, colors, size, space};
use crate::gui::widgets::{accuracy_badge, divider, quiet_button, section_label, text_field};
use crate::session::Edit;
use crate::transform::StepInfo;

pub(super) const WIDTH: f32 = 400.0;
const LIST_HEIGHT: f32 = 260.0;

/// What is typed and marked in the card that is open, and what was computed for it.
#[derive(Debug, Default)]
pub struct CardState {
    /// The column whose card the keyboard asked for.
    pub asked: Option<String>,
    is_asking_focus: bool,
    search: String,
    marked: usize,
    offers: OfferCache,
    /// Held with its series so that the address cannot be taken by another.
    known: Option<(Series, Distribution)>,
}

impl CardState {
    /// Prepares for a card that opens now.
    pub fn open(&mut self, takes_keyboard: bool) {
        self.search.clear();
        self.marked = 0;
        self.is_asking_focus = takes_keyboard;
    }

    fn distribution(&mut self, column: &Column) -> Distribution {
        let series = column.as_materialized_series();
        if let Some((known, found)) = &self.known
            && std::sync::Arc::ptr_eq(&known.0, &series.0)
        {
            return found.clone();
        }
        let found = Distribution::of(series);
        self.known = Some((series.clone(), found.clone()));
        found
    }
}

/// The card's contents.
pub(super) fn card_ui(
    ui: &mut Ui,
    column: &Column,
    view: &GridView<'_>,
    state: &mut GridState,
    commands: &mut Vec<Command>,
) {
    ui.set_width(WIDTH);
    ui.spacing_mut().item_spacing.y = space::XS;
    figures_ui(ui, column, view, state, commands);
    ui.add_space(space::XS);
    divider(ui);
    let name = column.name().as_str();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        if quiet_button(ui, true, "Copy name").clicked() {
            commands.push(Command::CopyText(name.to_owned()));
            ui.close();
        }
        if quiet_button(ui, true, "Fit width").clicked() {
            let painter = ui.painter().clone();
            state.fit(&painter, column);
            ui.close();
        }
        if quiet_button(ui, true, "Hide column").clicked() {
            state.hidden.insert(name.to_owned());
            ui.close();
        }
    });
    divider(ui);
    ui.add_space(space::XS);
    if let Some(info) = steps_ui(ui, name, view, &mut state.card) {
        let at = view.insert_at;
        let step = offers::step_for(info, name);
        commands.push(Command::Edit(Edit::InsertStep { at, step }));
        commands.push(Command::OpenStep(at));
        ui.close();
    }
}

/// Name, counts and the spread of values. The rows are those before a filter that a click here made, so that another
/// range can be picked.
fn figures_ui(
    ui: &mut Ui,
    column: &Column,
    view: &GridView<'_>,
    state: &mut GridState,
    commands: &mut Vec<Command>,
) {
    let name = column.name().as_str();
    let chosen = Condition::of_last_step(view.recipe, view.insert_at, name);
    let before = view
        .comparison
        .filter(|_| chosen.is_some() && !view.is_stale)
        .and_then(|comparison| comparison.before.column(name).ok());
    let counted = before.unwrap_or(column);
    let found = state.card.distribution(counted);
    ui.horizontal(|ui| {
        ui.label(theme::strong(name));
        ui.label(theme::code(dtype_name(column.dtype())).color(colors(ui).weak));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let accuracy = if found.n_rows < counted.len() {
                Accuracy::Partial {
                    n: found.n_rows as u64,
                }
            } else {
                view.accuracy
            };
            accuracy_badge(ui, accuracy);
        });
    });
    let mut facts = vec![units::plural(found.n_rows as u64, "row")];
    if let Some(n) = found.n_distinct {
        facts.push(format!("{} distinct", units::count(n as u64)));
    }
    if found.n_null > 0 {
        facts.push(format!("{} null", units::count(found.n_null as u64)));
    }
    if found.n_odd > 0 {
        facts.push(format!("{} NaN or infinite", units::count(found.n_odd as u64)));
    }
    if before.is_some() {
        facts.push(format!("before step {}", view.insert_at));
    }
    ui.label(theme::weak_small(ui, facts.join(" · ")));
    if let Some(condition) = values::distribution_ui(ui, name, &found, chosen.as_ref()) {
        filter(name, &condition, view, commands);
    }
    if chosen.is_some() {
        ui.horizontal(|ui| {
            let sql = chosen.as_ref().map(|chosen| chosen.sql(name)).unwrap_or_default();
            ui.add(egui::Label::new(theme::code(sql)).truncate());
            if quiet_button(ui, true, "Clear the filter").clicked() {
                let at = view.insert_at.saturating_sub(1);
                commands.push(Command::Edit(Edit::DeleteStep { at }));
                if view.shown_step.is_some() {
                    commands.push(Command::ShowStep(Some(at)));
                }
            }
        });
    }
}

/// Adds the filter, or changes the one that a click on this column made before.
fn filter(column: &str, condition: &Condition, view: &GridView<'_>, commands: &mut Vec<Command>) {
    let Some(edit) = condition.insert_or_replace(column, view.recipe, view.insert_at) else {
        return;
    };
    let is_new = matches!(edit, Edit::InsertStep { .. });
    commands.push(Command::Edit(edit));
    commands.push(Command::Seal);
    if is_new && view.shown_step.is_some() {
        commands.push(Command::ShowStep(Some(view.insert_at + 1)));
    }
}

/// The list of steps for `column`. Returns the one that was chosen.
fn steps_ui(
    ui: &mut Ui,
    column: &str,
    view: &GridView<'_>,
    card: &mut CardState,
) -> Option<&'static StepInfo> {
    let offers = card.offers.get(column, view.df.schema(), view.inputs).to_vec();
    let n_steps: usize = offers.iter().map(|offer| offer.steps.len()).sum();
    let hint = format!("Add a step for {column}: {n_steps} fit");
    let response = text_field(ui, &mut card.search, "Find a step for this column", &hint, false);
    if std::mem::take(&mut card.is_asking_focus) {
        response.request_focus();
    }
    if response.changed() {
        card.marked = 0;
    }
    // After the field, because letters and Enter can come in one frame.
    let entries = offers::found(&offers, &card.search);
    let last = entries.len().saturating_sub(1);
    let mut is_moved = false;
    let mut is_entered = false;
    if response.has_focus() || response.lost_focus() {
        let arrows = EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            escape: false,
            tab: false,
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
        let (down, up, enter) = ui.input_mut(|input| {
            (
                input.consume_key(Modifiers::NONE, Key::ArrowDown),
                input.consume_key(Modifiers::NONE, Key::ArrowUp),
                input.key_pressed(Key::Enter),
            )
        });
        is_moved = down || up;
        is_entered = enter;
        if down {
            card.marked = (card.marked + 1).min(last);
        } else if up {
            card.marked = card.marked.saturating_sub(1);
        }
    }
    let mut chosen = None;
    ScrollArea::vertical()
        .id_salt("steps for the column")
        .max_height(LIST_HEIGHT)
        // The popup keeps the height that it had before the values above were counted.
        .min_scrolled_height(LIST_HEIGHT)
        .auto_shrink([false, true])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            if entries.is_empty() {
                ui.label(theme::weak(
                    ui,
                    "No step that fits this column has these letters.",
                ));
            }
            for (at, (group, info)) in entries.iter().enumerate() {
                if let Some(group) = group {
                    ui.add_space(space::SM);
                    section_label(ui, group);
                    ui.add_space(space::XS / 2.0);
                }
                let is_marked = at == card.marked;
                let response = entry_ui(ui, info, is_marked);
                if is_marked && is_moved {
                    response.scroll_to_me(None);
                }
                if response.clicked() || (is_marked && is_entered) {
                    chosen = Some(info.name);
                }
            }
        });
    chosen.and_then(|name| crate::transform::registry().iter().find(|info| info.name == name))
}

/// Name and summary in one line.
fn entry_ui(ui: &mut Ui, info: &StepInfo, is_marked: bool) -> egui::Response {
    let c = colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::ROW), Sense::click());
    let label = format!("{}: {}", info.name, info.summary);
    response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, is_marked, &label));
    if is_marked || response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, size::BADGE_RADIUS, c.selection);
    }
    let middle = rect.center().y;
    let name = ui
        .painter()
        .layout_no_wrap(info.name.to_owned(), theme::semibold(size::BODY_TEXT), c.text);
    let left = rect.left() + 6.0;
    let end = left + name.size().x;
    ui.painter()
        .galley(pos2(left, middle - name.size().y / 2.0), name, c.text);
    let room = rect.right() - end - space::MD;
    let summary = grid::one_line(ui.painter(), info.summary, theme::small(), c.weak, room);
    let is_cut = summary.elided;
    ui.painter().galley(
        pos2(end + space::SM, middle - summary.size().y / 2.0),
        summary,
        c.weak,
    );
    if is_cut {
        response.on_hover_text(info.summary)
    } else {
        response
    }
}
