//! The schema map as a picture: keys down, partitions across, how full a cell is says how many records have the key.
//!
//! Draws only what is in view: hundreds of keys over a year of days are a hundred thousand cells.

use egui::{Align2, Color32, Rect, Role, ScrollArea, Sense, Stroke, Ui, Vec2, WidgetInfo, pos2, vec2};

use super::facts::failed_text;
use super::{MapView, ProfileCommand, ProfilePanel};
use crate::base::{Accuracy, units};
use crate::gui::cells::{length, place};
use crate::gui::command::{Command, Tab};
use crate::gui::data::one_line;
use crate::gui::partitions::tone_of;
use crate::gui::state::Commands;
use crate::gui::theme::{self, Colors, colors, size, space};
use crate::gui::widgets::{
    Problem, accuracy_badge, badge, card, dot, empty_state, error_box, quiet_button, section_label, spinner,
};
use crate::profile::Severity;
use crate::profile::schema_map::{MapCell, MapKey, SchemaMap};
use crate::session::Edit;

/// Names and types of keys, at the left of the cells.
const NAMES_WIDTH: f32 = 340.0;
const TYPES_WIDTH: f32 = 130.0;
const ROW: f32 = 20.0;
/// Labels of partitions.
const HEAD: f32 = 20.0;
const CELL_MIN: f32 = 3.0;
const CELL_MAX: f32 = 34.0;
/// A label and the space to the next.
const LABEL_WIDTH: f32 = 92.0;
/// Changes that are listed above the picture.
const N_CHANGES: usize = 4;

/// Which keys of the map are shown.
#[derive(Debug, Default)]
pub struct MapPanel {
    /// Only keys that are not the same everywhere.
    is_only_changed: bool,
    shows_all_changes: bool,
    shown: Shown,
}

/// Places of keys that are shown, and for what they were found.
#[derive(Debug, Default)]
struct Shown {
    of: Option<(usize, u64, String, bool)>,
    keys: Vec<usize>,
}

pub(super) fn map_ui(ui: &mut Ui, view: MapView<'_>, panel: &mut ProfilePanel, commands: &mut Commands) {
    let Some(map) = view.map else {
        nothing_ui(ui, view, commands);
        return;
    };
    if let Some(message) = view.error {
        problem_ui(ui, message, view, commands);
    }
    head_ui(ui, map, view, panel, commands);
    if map.keys.is_empty() && matches!(map.accuracy, Accuracy::Partial { .. }) {
        let text = "Reading was stopped before a record was read. “Read again” begins anew.";
        empty_state(ui, "Stopped", text, None);
        return;
    }
    if map.keys.is_empty() {
        empty_state(
            ui,
            "No records",
            "No file of these partitions holds a record that could be read.",
            None,
        );
        return;
    }
    changes_ui(ui, map, &mut panel.map);
    find(map, &panel.search, &mut panel.map);
    legend_ui(ui);
    ui.scope(|ui| {
        if view.is_stale {
            ui.multiply_opacity(0.5);
        }
        picture_ui(ui, map, view, &panel.map.shown.keys, commands);
    });
}

fn nothing_ui(ui: &mut Ui, view: MapView<'_>, commands: &mut Commands) {
    if view.is_pending {
        ui.horizontal(|ui| {
            spinner(ui);
            ui.label(theme::weak(ui, "Reading keys of every partition…"));
            if quiet_button(ui, true, "Stop reading").clicked() {
                commands.push(Command::Profile(ProfileCommand::StopMap));
            }
        });
        return;
    }
    if let Some(message) = view.error {
        problem_ui(ui, message, view, commands);
        return;
    }
    let sentence = format!(
        "Which keys each partition has, how often, and with which type: the {} are read.",
        view.choice
    );
    if empty_state(ui, "Schema map", &sentence, Some("Read the schema map")) {
        commands.push(Command::Profile(ProfileCommand::ReadMap(view.choice)));
    }
}

fn problem_ui(ui: &mut Ui, message: &str, view: MapView<'_>, commands: &mut Commands) {
    let is_cancelled = message == "cancelled";
    let problem = Problem {
        place: "The schema map",
        message: if is_cancelled {
            "Reading was stopped."
        } else {
            message
        },
        remedy: if is_cancelled && view.map.is_some() {
            "Partitions that were read before are below."
        } else {
            ""
        },
        action: Some("Read again"),
    };
    if error_box(ui, problem) {
        commands.push(Command::Profile(ProfileCommand::ReadMap(view.choice)));
    }
    ui.add_space(space::SM);
}

fn head_ui(
    ui: &mut Ui,
    map: &SchemaMap,
    view: MapView<'_>,
    panel: &mut ProfilePanel,
    commands: &mut Commands,
) {
    ui.horizontal(|ui| {
        ui.set_min_height(size::CONTROL);
        let keys = units::plural(map.keys.len() as u64, "key");
        let partitions = units::plural(map.partitions.len() as u64, "partition");
        ui.label(theme::strong(format!("{keys} in {partitions}")));
        accuracy_badge(ui, map.accuracy).on_hover_text(format!("Read: {}", view.choice));
        let (n_failed, failed) = map.failed_files();
        if n_failed > 0 {
            let files = units::plural(n_failed, "file");
            badge(ui, theme::Tone::Warn, &format!("{files} could not be read"))
                .on_hover_text(failed_text(&failed, n_failed));
        }
        if map.is_cut {
            badge(ui, theme::Tone::Warn, "more keys than are told apart")
                .on_hover_text("An object is used as a map from data to data: its keys are values.");
        }
        if view.is_pending {
            spinner(ui);
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if view.is_pending {
                if quiet_button(ui, true, "Stop reading").clicked() {
                    commands.push(Command::Profile(ProfileCommand::StopMap));
                }
            } else if quiet_button(ui, true, "Read again").clicked() {
                commands.push(Command::Profile(ProfileCommand::ReadMap(view.choice)));
            }
            ui.checkbox(&mut panel.map.is_only_changed, "only keys that differ");
        });
    });
}

fn changes_ui(ui: &mut Ui, map: &SchemaMap, panel: &mut MapPanel) {
    if map.changes.is_empty() {
        return;
    }
    card(ui, |ui| {
        ui.spacing_mut().item_spacing.y = space::XS;
        let n = map.changes.len();
        ui.label(theme::strong(units::plural(n as u64, "change")));
        let n_shown = if panel.shows_all_changes { n } else { N_CHANGES };
        ScrollArea::vertical()
            .id_salt("changes")
            .max_height(220.0)
            .auto_shrink([false, true])
            .show(ui, |ui| {
                for change in map.changes.iter().take(n_shown) {
                    ui.horizontal(|ui| {
                        dot(ui, colors(ui).of(tone_of(change.severity)))
                            .on_hover_text(change.severity.word());
                        ui.add(egui::Label::new(plain(&change.message)).truncate());
                    });
                }
            });
        if n > N_CHANGES {
            let text = if panel.shows_all_changes {
                "Show fewer".to_owned()
            } else {
                format!("Show {} more", n - N_CHANGES)
            };
            if quiet_button(ui, true, &text).clicked() {
                panel.shows_all_changes ^= true;
            }
        }
    });
    ui.add_space(space::SM);
}

/// Without the marks of code, which a label shows as they are.
fn plain(message: &str) -> String {
    message.replace('`', "")
}

/// Finds the keys to show again when map, search or choice changed.
fn find(map: &SchemaMap, search: &str, panel: &mut MapPanel) {
    let of = (
        map.keys.len(),
        map.n_records(),
        search.to_owned(),
        panel.is_only_changed,
    );
    if panel.shown.of.as_ref() == Some(&of) {
        return;
    }
    let word = search.trim().to_lowercase();
    let is_shown = |key: &MapKey| {
        (word.is_empty() || key.path.to_lowercase().contains(&word))
            && (!panel.is_only_changed || differs(key, map.partitions.len()))
    };
    let keys = map.keys.iter().enumerate().filter(|(_, key)| is_shown(key));
    panel.shown.keys = keys.map(|(at, _)| at).collect();
    panel.shown.of = Some(of);
}

/// Whether a key is not in all partitions with the same type.
fn differs(key: &MapKey, n_partitions: usize) -> bool {
    key.is_conflict || key.n_partitions < n_partitions
}

fn legend_ui(ui: &mut Ui) {
    let c = colors(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        section_label(ui, "share of records");
        let samples = [
            (Look::Absent, "none"),
            (Look::Present(0.1), "few"),
            (Look::Present(0.5), "half"),
            (Look::Present(1.0), "all"),
            (Look::Mixed, "several types"),
            (Look::Other, "another type than mostly"),
            (Look::Null, "only null"),
        ];
        for (look, text) in samples {
            let (rect, _) = ui.allocate_exact_size(Vec2::splat(size::ICON - 4.0), Sense::hover());
            paint_cell(ui.painter(), c, rect, look);
            ui.label(theme::weak_small(ui, text));
            ui.add_space(space::XS);
        }
    });
    ui.add_space(space::XS);
}

/// How a cell looks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Look {
    Absent,
    /// Share of the records.
    Present(f32),
    Mixed,
    Other,
    Null,
}

fn look(key: &MapKey, cell: Option<&MapCell>, map: &SchemaMap) -> Look {
    let Some(cell) = cell else { return Look::Absent };
    let is_number = |at: u16| matches!(map.type_name(at), "int64" | "float64");
    let is_mixed = cell.types.len() > 1 && !cell.types.iter().all(|(at, _)| is_number(*at));
    let usual = key.types.first().map(|(at, _)| *at);
    match cell.main_type() {
        None => Look::Null,
        Some(_) if is_mixed => Look::Mixed,
        Some(main) if Some(main) != usual && !(is_number(main) && usual.is_some_and(is_number)) => {
            Look::Other
        }
        #[expect(clippy::cast_possible_truncation, reason = "a share, for a colour")]
        Some(_) => Look::Present(cell.share().unwrap_or(0.0) as f32),
    }
}

/// Full cells are the colour of data, less full ones are lower; other types have a colour and a shape of their own.
fn paint_cell(painter: &egui::Painter, c: &Colors, rect: Rect, look: Look) {
    let inner = if rect.width() > 5.0 {
        rect.shrink2(vec2(0.5, 1.0))
    } else {
        rect.shrink2(vec2(0.0, 1.0))
    };
    match look {
        Look::Absent => {
            let line = Rect::from_center_size(inner.center(), vec2(inner.width(), 1.0));
            painter.rect_filled(line, 0.0, c.line);
        }
        Look::Present(share) => {
            let low = theme::mix(c.panel, c.data, 0.18);
            painter.rect_filled(inner, 0.0, low);
            let height = (inner.height() * share).max(2.0);
            let full = Rect::from_min_max(pos2(inner.left(), inner.bottom() - height), inner.max);
            painter.rect_filled(full, 0.0, theme::mix(c.panel, c.data, 0.75));
        }
        Look::Mixed => {
            painter.rect_filled(inner, 0.0, c.bad);
            let notch = Rect::from_center_size(inner.center(), vec2(inner.width(), inner.height() / 4.0));
            painter.rect_filled(notch, 0.0, c.panel);
        }
        Look::Other => {
            painter.rect_filled(inner, 0.0, c.warn);
        }
        Look::Null => {
            painter.rect_stroke(
                inner,
                0.0,
                Stroke::new(size::LINE, c.weak),
                egui::StrokeKind::Inside,
            );
        }
    }
}

/// The part of the map in view.
struct Picture<'a> {
    map: &'a SchemaMap,
    shown: &'a [usize],
    view: MapView<'a>,
    cell: f32,
    /// Where the first cell of the first row would be.
    origin: egui::Pos2,
    /// All that is in view, names and head included.
    rect: Rect,
}

fn picture_ui(ui: &mut Ui, map: &SchemaMap, view: MapView<'_>, shown: &[usize], commands: &mut Commands) {
    if shown.is_empty() {
        ui.label(theme::weak(ui, "No key of the map is like that."));
        return;
    }
    let n = map.partitions.len();
    let room = ui.available_width() - NAMES_WIDTH - space::MD;
    let cell = (room / length(n.max(1))).clamp(CELL_MIN, CELL_MAX);
    let content = vec2(
        NAMES_WIDTH + length(n) * cell + space::MD,
        HEAD + length(shown.len()) * ROW + space::MD,
    );
    ScrollArea::both()
        .id_salt("schema map")
        .auto_shrink(false)
        .show_viewport(ui, |ui, viewport| {
            let top = ui.min_rect().min;
            ui.set_min_size(content);
            let rect = Rect::from_min_size(top + viewport.min.to_vec2(), viewport.size());
            let picture = Picture {
                map,
                shown,
                view,
                cell,
                origin: pos2(top.x + NAMES_WIDTH, top.y + HEAD),
                rect,
            };
            picture.show(ui, commands);
        });
}

impl Picture<'_> {
    fn rows(&self) -> std::ops::Range<usize> {
        let first = place((self.rect.top() + HEAD - self.origin.y) / ROW);
        let last = place((self.rect.bottom() - self.origin.y) / ROW) + 1;
        first.min(self.shown.len())..last.min(self.shown.len())
    }

    fn columns(&self) -> std::ops::Range<usize> {
        let n = self.map.partitions.len();
        let first = place((self.rect.left() + NAMES_WIDTH - self.origin.x) / self.cell);
        let last = place((self.rect.right() - self.origin.x) / self.cell) + 1;
        first.min(n)..last.min(n)
    }

    fn key(&self, row: usize) -> Option<&MapKey> {
        self.map.keys.get(*self.shown.get(row)?)
    }

    fn cell_rect(&self, row: usize, column: usize) -> Rect {
        let min = self.origin + vec2(length(column) * self.cell, length(row) * ROW);
        Rect::from_min_size(min, vec2(self.cell, ROW))
    }

    fn at(&self, pos: egui::Pos2) -> Option<(usize, usize)> {
        let column = place((pos.x - self.origin.x) / self.cell);
        let row = place((pos.y - self.origin.y) / ROW);
        (column < self.map.partitions.len() && row < self.shown.len()).then_some((row, column))
    }

    fn show(&self, ui: &mut Ui, commands: &mut Commands) {
        let c = colors(ui);
        let cells = Rect::from_min_max(self.rect.min + vec2(NAMES_WIDTH, HEAD), self.rect.max);
        let response = ui.interact(cells, ui.scope_id().with("cells"), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Table, true, "schema map"));
        let hovered = response.hover_pos().and_then(|pos| self.at(pos));
        let painter = ui.painter().with_clip_rect(cells.intersect(ui.clip_rect()));
        for row in self.rows() {
            let Some(key) = self.key(row) else { continue };
            for column in self.columns() {
                let rect = self.cell_rect(row, column);
                paint_cell(&painter, c, rect, look(key, key.cell(column), self.map));
            }
        }
        self.mark_open(&painter, c);
        if let Some((row, column)) = hovered {
            let line = Stroke::new(size::LINE, c.accent);
            painter.rect_stroke(self.cell_rect(row, column), 0.0, line, egui::StrokeKind::Outside);
        }
        self.names_ui(ui, c, hovered.map(|(row, _)| row));
        self.head_ui(ui, c);
        if let Some((row, column)) = hovered {
            if response.clicked() {
                self.open(column, commands);
            }
            response.on_hover_ui_at_pointer(|ui| self.cell_card(ui, row, column));
        }
    }

    /// A line around the partition that is open.
    fn mark_open(&self, painter: &egui::Painter, c: &Colors) {
        let open = self.view.open.and_then(|open| {
            let mut partitions = self.map.partitions.iter();
            partitions.position(|read| read.partition == *open)
        });
        if let Some(column) = open {
            let rect = Rect::from_min_max(
                self.cell_rect(0, column).min,
                self.cell_rect(self.shown.len().saturating_sub(1), column).max,
            );
            painter.rect_stroke(
                rect,
                0.0,
                Stroke::new(size::LINE, c.accent),
                egui::StrokeKind::Outside,
            );
        }
    }

    fn open(&self, column: usize, commands: &mut Commands) {
        let Some(read) = self.map.partitions.get(column) else {
            return;
        };
        commands.push(Command::Edit(Edit::ShowPartition {
            dataset: self.view.dataset.to_owned(),
            partition: Some(read.partition.clone()),
        }));
        commands.push(Command::ShowTab(Tab::Data));
    }

    fn names_ui(&self, ui: &Ui, c: &Colors, hovered: Option<usize>) {
        let names = Rect::from_min_max(
            pos2(self.rect.left(), self.rect.top() + HEAD),
            pos2(self.rect.left() + NAMES_WIDTH, self.rect.bottom()),
        );
        ui.painter().rect_filled(names, 0.0, c.background);
        let painter = ui.painter().with_clip_rect(names.intersect(ui.clip_rect()));
        for row in self.rows() {
            let Some(key) = self.key(row) else { continue };
            let top = self.cell_rect(row, 0).top();
            let rect = Rect::from_min_size(pos2(names.left(), top), vec2(NAMES_WIDTH, ROW));
            let visible = rect.intersect(names);
            if visible.is_positive() {
                let response = ui.interact(visible, ui.scope_id().with(("key", &key.path)), Sense::hover());
                response.widget_info(|| WidgetInfo::labeled(Role::Label, true, said(self.map, key)));
                response.on_hover_ui(|ui| self.key_card(ui, key));
            }
            if hovered == Some(row) {
                painter.rect_filled(rect, 0.0, c.selection);
            }
            let indent = length(key.depth.min(6)) * space::MD;
            let room = NAMES_WIDTH - TYPES_WIDTH - indent - space::SM;
            let name = one_line(&painter, key.name(), theme::mono_small(), c.text, room);
            let y = top + (ROW - name.size().y) / 2.0;
            painter.galley(pos2(rect.left() + indent, y), name, c.text);
            let color = if key.is_conflict { c.bad } else { c.weak };
            let types = self.map.types_text(&key.types);
            let types = one_line(&painter, &types, theme::small(), color, TYPES_WIDTH - space::SM);
            let y = top + (ROW - types.size().y) / 2.0;
            painter.galley(pos2(rect.right() - TYPES_WIDTH, y), types, color);
        }
    }

    /// Names of partitions, as many as have room.
    fn head_ui(&self, ui: &Ui, c: &Colors) {
        let head = Rect::from_min_size(self.rect.min, vec2(self.rect.width(), HEAD));
        ui.painter().rect_filled(head, 0.0, c.background);
        let clip = Rect::from_min_max(pos2(head.left() + NAMES_WIDTH, head.top()), head.max);
        let painter = ui.painter().with_clip_rect(clip.intersect(ui.clip_rect()));
        let every = place((LABEL_WIDTH / self.cell).ceil()).max(1);
        for column in self.columns().filter(|column| column % every == 0) {
            let x = self.cell_rect(0, column).left();
            painter.text(
                pos2(x, head.center().y),
                Align2::LEFT_CENTER,
                self.map.partition_name(column),
                theme::small(),
                c.weak,
            );
        }
    }

    fn cell_card(&self, ui: &mut Ui, row: usize, column: usize) {
        let (Some(key), Some(read)) = (self.key(row), self.map.partitions.get(column)) else {
            return;
        };
        ui.label(theme::strong(&key.path));
        ui.label(read.partition.to_string());
        match key.cell(column) {
            Some(cell) => {
                let share = cell.share().unwrap_or(0.0);
                let of = if key.depth == 0 { "records" } else { "places" };
                ui.label(format!(
                    "in {} of {} {of} ({})",
                    units::count(cell.n_present),
                    units::count(cell.n_of),
                    units::percent(share)
                ));
                if cell.n_null > 0 {
                    ui.label(format!("null in {}", units::count(cell.n_null)));
                }
                for (at, n) in &cell.types {
                    ui.label(theme::code(format!(
                        "{} {}",
                        self.map.type_name(*at),
                        units::count(*n)
                    )));
                }
            }
            None => {
                ui.label(format!("in none of {}", units::plural(read.n_records, "record")));
            }
        }
        let files = format!(
            "{} of {} read, {}",
            units::count(read.n_files_read),
            units::plural(read.n_files, "file"),
            read.accuracy
        );
        ui.label(theme::weak_small(ui, files));
        ui.label(theme::weak_small(ui, "Click opens the partition"));
    }

    fn key_card(&self, ui: &mut Ui, key: &MapKey) {
        ui.label(theme::strong(&key.path));
        ui.label(self.map.types_text(&key.types));
        let first = self.map.partition_name(key.first_seen);
        let last = self.map.partition_name(key.last_seen);
        ui.label(format!("first seen {first}, last seen {last}"));
        let n = units::plural(self.map.partitions.len() as u64, "partition");
        ui.label(format!("in {} of {n}", units::count(key.n_partitions as u64)));
        for change in self.map.changes.iter().filter(|change| change.path == key.path) {
            let color: Color32 = colors(ui).of(tone_of(change.severity.max(Severity::Note)));
            ui.label(theme::body(plain(&change.message)).color(color));
        }
    }
}

/// A key for those who hear it.
fn said(map: &SchemaMap, key: &MapKey) -> String {
    format!(
        "key {}: {}, in {} of {}",
        key.path,
        map.types_text(&key.types),
        key.n_partitions,
        units::plural(map.partitions.len() as u64, "partition")
    )
}
