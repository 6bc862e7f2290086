//! The list of rejected records: why, where, and the record as it was read.

use std::collections::BTreeSet;

use egui::{Align, Label, Layout, Role, ScrollArea, Sense, Ui, WidgetInfo, vec2};

use crate::base::units;
use crate::dataset::{Reason, Reject};
use crate::gui::command::Command;
use crate::gui::theme::{self, Tone, colors, size, space};
use crate::gui::widgets::{Icon, divider, icon_button, quiet_button};

/// Rejects that the list shows; the badge counts all of them.
const MAX_SHOWN: usize = 2_000;
/// Characters of a record that are laid out.
const MAX_RAW_CHARS: usize = 8_000;

/// Which records are open.
#[derive(Debug, Default)]
pub struct RejectsState {
    open: BTreeSet<usize>,
}

/// The list. Returns true when it is to be closed.
pub fn rejects_ui(
    ui: &mut Ui,
    rejects: &[Reject],
    state: &mut RejectsState,
    commands: &mut Vec<Command>,
) -> bool {
    let mut is_closing = false;
    ui.horizontal(|ui| {
        ui.label(theme::strong(units::plural(rejects.len() as u64, "reject")));
        ui.label(theme::weak_small(ui, summary(rejects)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            is_closing = icon_button(ui, true, Icon::Close, "Close rejects").clicked();
            if quiet_button(ui, true, "Copy all as JSON lines").clicked() {
                commands.push(Command::CopyText(json_lines(rejects)));
            }
        });
    });
    divider(ui);
    ScrollArea::vertical()
        .id_salt("rejects")
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for (at, reject) in rejects.iter().take(MAX_SHOWN).enumerate() {
                row(ui, at, reject, state, commands);
            }
            if rejects.len() > MAX_SHOWN {
                let more = format!("and {} more", units::count((rejects.len() - MAX_SHOWN) as u64));
                ui.label(theme::weak(ui, more));
            }
        });
    is_closing
}

fn row(ui: &mut Ui, at: usize, reject: &Reject, state: &mut RejectsState, commands: &mut Vec<Command>) {
    let c = colors(ui);
    let is_open = state.open.contains(&at);
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), size::ROW + space::XS), Sense::click());
    let label = format!(
        "reject {} {} line {}",
        reason_word(reject.reason),
        reject.object,
        reject.line
    );
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_open, &label));
    if ui.is_rect_visible(rect) {
        if response.hovered() || response.has_focus() {
            ui.painter().rect_filled(rect, size::BADGE_RADIUS, c.selection);
        }
        let mut line = ui.new_child(
            egui::UiBuilder::new()
                .max_rect(rect)
                .layout(Layout::left_to_right(Align::Center)),
        );
        let icon = if is_open {
            Icon::ChevronDown
        } else {
            Icon::ChevronRight
        };
        crate::gui::widgets::icon(&mut line, icon, c.faint);
        let width = line.available_width();
        let mut put = |share: f32, text: egui::RichText| {
            line.allocate_ui_with_layout(
                vec2(width * share, size::ROW),
                Layout::left_to_right(Align::Center),
                |ui| {
                    ui.set_width(width * share - space::SM);
                    ui.add(Label::new(text).truncate().selectable(false));
                },
            );
        };
        put(0.13, theme::body(reason_word(reject.reason)).color(c.bad));
        let place = format!("{}:{}", short_object(&reject.object), units::count(reject.line));
        put(0.22, theme::code(place));
        put(
            0.13,
            theme::body(format!("byte {}", units::count(reject.byte_offset))).color(c.weak),
        );
        put(
            0.14,
            theme::code(reject.field.as_deref().or(reject.step.as_deref()).unwrap_or("")),
        );
        put(0.36, theme::body(reject.message.as_str()));
    }
    let response = response.on_hover_text(&reject.object);
    if response.clicked() && !state.open.remove(&at) {
        state.open.insert(at);
    }
    if is_open {
        opened(ui, reject, commands);
    }
    divider(ui);
}

fn opened(ui: &mut Ui, reject: &Reject, commands: &mut Vec<Command>) {
    egui::Frame::new()
        .inner_margin(egui::Margin::symmetric(24, 8))
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::XS;
            ui.add(
                Label::new(theme::body(reject.message.as_str()))
                    .wrap()
                    .selectable(true),
            );
            ui.horizontal_wrapped(|ui| {
                let place = format!("{}:{}", reject.object, reject.line);
                ui.add(Label::new(theme::code(place)).wrap().selectable(true));
                let expected = reject
                    .expected
                    .as_ref()
                    .map(|expected| format!("expected {expected}"));
                let got = reject.got.as_ref().map(|got| format!("got {got}"));
                for fact in [expected, got].into_iter().flatten() {
                    ui.label(theme::tone(ui, Tone::Warn, fact));
                }
            });
            if !reject.raw.is_empty() {
                let raw: String = reject.raw.chars().take(MAX_RAW_CHARS).collect();
                let is_cut = raw.len() < reject.raw.len() || reject.is_raw_partial;
                ui.add(Label::new(theme::code(raw)).wrap().selectable(true));
                if is_cut {
                    ui.label(theme::weak_small(
                        ui,
                        "not the whole record, or not its exact bytes",
                    ));
                }
            }
            ui.horizontal(|ui| {
                if quiet_button(ui, true, "Copy record").clicked() {
                    commands.push(Command::CopyText(reject.raw.clone()));
                }
                if quiet_button(ui, true, "Copy place").clicked() {
                    let place = format!("{}:{} (byte {})", reject.object, reject.line, reject.byte_offset);
                    commands.push(Command::CopyText(place));
                }
            });
        });
}

/// `3 type_mismatch, 1 truncated`, most frequent first.
fn summary(rejects: &[Reject]) -> String {
    let mut counts: Vec<(Reason, u64)> = Vec::new();
    for reject in rejects {
        match counts.iter_mut().find(|(reason, _)| *reason == reject.reason) {
            Some((_, n)) => *n += 1,
            None => counts.push((reject.reason, 1)),
        }
    }
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let named: Vec<String> = counts
        .iter()
        .map(|(reason, n)| format!("{} {}", units::count(*n), reason_word(*reason)))
        .collect();
    named.join(", ")
}

/// The word by which reports count, as people read it.
fn reason_word(reason: Reason) -> String {
    serde_json::to_value(reason)
        .ok()
        .and_then(|value| value.as_str().map(|word| word.replace('_', " ")))
        .unwrap_or_default()
}

fn short_object(object: &str) -> &str {
    object.rsplit(['/', '\\']).next().unwrap_or(object)
}

fn json_lines(rejects: &[Reject]) -> String {
    let lines: Vec<String> = rejects
        .iter()
        .filter_map(|reject| serde_json::to_string(reject).ok())
        .collect();
    lines.join("\n")
}
