//! The panel at the left: sources, and the open one as a tree of datasets and partitions.
//!
//! Only the rows in view are laid out, so ten thousand partitions scroll as smoothly as ten.

use std::collections::BTreeMap;
use std::ops::Range;

use egui::{Align2, EventFilter, Id, Key, Pos2, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::base::units;
use crate::chart::Bar;
use crate::gui::command::{Command, CommandKind};
use crate::gui::listed::{Listed, ListedDataset};
use crate::gui::state::{Commands, State};
use crate::gui::theme::{Colors, colors, mono, mono_small, regular, size, space, weak};
use crate::gui::widgets::{Icon, icon_button, paint_icon, section_label};
use crate::session::{Edit, Source};
use crate::storage::Partition;

/// What is folded, and where the keyboard is.
#[derive(Debug, Default)]
pub struct SourcesPanel {
    /// Datasets that were folded or unfolded by hand; the others are unfolded when they are shown.
    unfolded: BTreeMap<String, bool>,
    is_source_folded: bool,
    /// Row of the keyboard cursor.
    cursor: Option<usize>,
    /// Set when the cursor moved: the tree scrolls to it once.
    wants_scroll: bool,
    /// Dataset and partition that were open in the last frame, where they were listed.
    followed: Option<(String, Partition)>,
    /// Rows that were in view in the last frame.
    in_view: Range<usize>,
}

/// One line of the tree.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Row<'a> {
    Source(&'a str, &'a Source),
    Dataset(&'a ListedDataset),
    Partition(&'a ListedDataset, &'a Bar),
    /// A sentence in place of datasets.
    Note(&'a str),
}

impl PartialEq for ListedDataset {
    fn eq(&self, other: &Self) -> bool {
        self.keys.prefix == other.keys.prefix
    }
}

/// Height of the recent places below the tree.
const RECENTS_SHARE: f32 = 0.3;

pub fn sources_ui(ui: &mut Ui, state: &mut State, commands: &mut Commands) {
    ui.spacing_mut().item_spacing.y = 0.0;
    ui.add_space(space::SM);
    ui.horizontal(|ui| {
        ui.add_space(14.0);
        section_label(ui, "Connections");
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.add_space(space::SM);
            ui.spacing_mut().item_spacing.x = 0.0;
            if icon_button(ui, true, Icon::Plus, CommandKind::AddConnection.text()).clicked() {
                commands.push(CommandKind::AddConnection.command());
            }
            let has_source = state.document().source.is_some();
            if icon_button(ui, has_source, Icon::Refresh, CommandKind::Refresh.text()).clicked() {
                commands.push(CommandKind::Refresh.command());
            }
        });
    });
    ui.add_space(space::XS);
    let recents_height = (ui.available_height() * RECENTS_SHARE).clamp(60.0, 260.0);
    let max_height = ui.available_height() - recents_height;
    tree_ui(ui, max_height, state, commands);
    super::recents::recents_ui(ui, state, commands);
}

/// Sources in the order they are shown: sample data first.
fn sources(state: &State) -> Vec<(String, Source)> {
    let mut list: Vec<(String, Source)> = Vec::new();
    if let Some(sample) = &state.sample {
        list.push(("sample data".to_owned(), sample.clone()));
    }
    let saved = state.preferences.sources.iter();
    list.extend(saved.map(|saved| (saved.name.clone(), saved.source.clone())));
    if let Some(open) = &state.document().source
        && list.iter().all(|(_, source)| source != open)
    {
        list.push((open.location.name(), open.clone()));
    }
    list
}

fn rows<'a>(
    sources: &'a [(String, Source)],
    open: Option<&Source>,
    listed: Option<&'a Listed>,
    note: &'a str,
    shown: Option<&str>,
    panel: &SourcesPanel,
) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for (name, source) in sources {
        rows.push(Row::Source(name, source));
        if Some(source) != open || panel.is_source_folded {
            continue;
        }
        if let Some(listed) = listed {
            for dataset in &listed.datasets {
                let is_only_root = dataset.keys.prefix.is_empty() && listed.datasets.len() == 1;
                if !is_only_root {
                    rows.push(Row::Dataset(dataset));
                }
                let prefix = dataset.keys.prefix.as_str();
                let is_shown = shown == Some(prefix) || is_only_root;
                if panel.unfolded.get(prefix).copied().unwrap_or(is_shown) {
                    rows.extend(dataset.bars.bars.iter().map(|bar| Row::Partition(dataset, bar)));
                }
            }
        }
        if !note.is_empty() {
            rows.push(Row::Note(note));
        }
    }
    rows
}

/// Why the open source shows no datasets; empty where it does.
fn note(state: &State) -> &'static str {
    let listing = &state.slots.listing;
    if let Some(error) = listing.error() {
        return match error {
            "cancelled" => "Listing was cancelled",
            _ => "Could not be listed",
        };
    }
    if listing.is_pending() && listing.value().is_none() {
        return "Listing…";
    }
    match state.slots.listed() {
        Some(listed) if listed.datasets.is_empty() => "No data files here",
        _ => "",
    }
}

/// The prefix of the shown dataset and the partition of it that is open and listed.
fn open_partition(state: &State, shown: Option<&str>) -> Option<(String, Partition)> {
    let (prefix, partition) = (shown?, state.document().partition.as_ref()?);
    let dataset = state.slots.listed()?.dataset(prefix)?;
    dataset.stats(partition)?;
    Some((prefix.to_owned(), partition.clone()))
}

fn tree_ui(ui: &mut Ui, max_height: f32, state: &mut State, commands: &mut Commands) {
    let sources = sources(state);
    if sources.is_empty() {
        ui.horizontal_wrapped(|ui| {
            ui.add_space(14.0);
            ui.label(weak(
                ui,
                "Nothing is open yet. Drop a folder here, or press Ctrl+O.",
            ));
        });
        return;
    }
    let id = ui.make_persistent_id("source tree");
    let mut panel = std::mem::take(&mut state.panels.sources);
    let document = state.document();
    let note = note(state);
    let listed = state.slots.listed();
    let shown = state
        .slots
        .dataset(document)
        .map(|dataset| dataset.keys.prefix.as_str());
    let open = open_partition(state, shown);
    let is_other = panel.followed != open;
    if is_other && let Some((dataset, _)) = &open {
        // What was opened elsewhere is not to stay hidden.
        panel.unfolded.insert(dataset.clone(), true);
        panel.is_source_folded = false;
    }
    let rows = rows(&sources, document.source.as_ref(), listed, note, shown, &panel);
    if is_other {
        follow(&mut panel, &rows, open);
    }
    keyboard(ui, id, &rows, &mut panel, commands);

    let has_focus = ui.memory(|memory| memory.has_focus(id));
    let mut area = ScrollArea::vertical()
        .id_salt("sources")
        .max_height(max_height)
        .auto_shrink([false, true]);
    if std::mem::take(&mut panel.wants_scroll)
        && let Some(cursor) = panel.cursor
    {
        area = area.vertical_scroll_offset(offset_for(max_height, cursor, rows.len()));
    }
    let mut clicked = None;
    let mut in_view = 0..0;
    area.show_rows(ui, size::ROW, rows.len(), |ui, range| {
        in_view = range.clone();
        for (index, row) in rows.iter().enumerate().take(range.end).skip(range.start) {
            let is_cursor = has_focus && panel.cursor == Some(index);
            let is_open = match row {
                Row::Source(_, source) => Some(*source) == document.source.as_ref() && listed.is_none(),
                Row::Dataset(dataset) => {
                    shown == Some(dataset.keys.prefix.as_str()) && document.partition.is_none()
                }
                Row::Partition(dataset, bar) => {
                    shown == Some(dataset.keys.prefix.as_str())
                        && document.partition.as_ref() == Some(&bar.partition)
                }
                Row::Note(_) => false,
            };
            let is_shown =
                matches!(row, Row::Dataset(dataset) if shown == Some(dataset.keys.prefix.as_str()));
            if row_ui(
                ui,
                row,
                [is_open, is_cursor, is_shown],
                document.source.as_ref(),
                listed,
                &panel,
                commands,
            ) {
                clicked = Some(index);
            }
        }
    });
    panel.in_view = in_view;
    if let Some(index) = clicked {
        ui.memory_mut(|memory| memory.request_focus(id));
        panel.cursor = Some(index);
        if let Some(row) = rows.get(index) {
            let is_open_source =
                matches!(row, Row::Source(_, source) if Some(*source) == document.source.as_ref());
            let is_shown_dataset = matches!(row, Row::Dataset(dataset)
                if shown == Some(dataset.keys.prefix.as_str()) && document.partition.is_none());
            if is_open_source {
                panel.is_source_folded = !panel.is_source_folded;
            } else if is_shown_dataset {
                fold(&mut panel, row, None);
            } else {
                activate(row, &mut panel, commands);
                if let Row::Partition(dataset, bar) = row {
                    // What is clicked here does not move away from the pointer.
                    panel.followed = Some((dataset.keys.prefix.clone(), bar.partition.clone()));
                }
            }
        }
    }
    state.panels.sources = panel;
}

/// Puts the cursor on the partition that was opened, wherever that was done, and scrolls to it where it is out of sight.
fn follow(panel: &mut SourcesPanel, rows: &[Row<'_>], open: Option<(String, Partition)>) {
    if let Some((prefix, partition)) = &open {
        let is_it = |row: &Row<'_>| {
            matches!(row, Row::Partition(dataset, bar)
                if dataset.keys.prefix == *prefix && bar.partition == *partition)
        };
        if let Some(at) = rows.iter().position(is_it) {
            panel.cursor = Some(at);
            // The rows at the ends may be seen in part.
            let seen = panel.in_view.start + 1..panel.in_view.end.saturating_sub(2);
            panel.wants_scroll |= !seen.contains(&at);
        }
    }
    panel.followed = open;
}

/// The scroll offset that brings row `cursor` into the middle, as far as there are rows below: one beyond them would bounce.
fn offset_for(height: f32, cursor: usize, n_rows: usize) -> f32 {
    let most = (n_rows as f32 * size::ROW - height).max(0.0);
    (cursor as f32 * size::ROW - height / 2.0).clamp(0.0, most)
}

fn activate(row: &Row<'_>, panel: &mut SourcesPanel, commands: &mut Commands) {
    match row {
        Row::Source(_, source) => {
            panel.is_source_folded = false;
            commands.push(Command::Open((*source).clone()));
        }
        Row::Dataset(dataset) => {
            panel.unfolded.insert(dataset.keys.prefix.clone(), true);
            commands.push(Command::Edit(Edit::ShowPartition {
                dataset: dataset.keys.prefix.clone(),
                partition: None,
            }));
        }
        Row::Partition(dataset, bar) if bar.n_bytes.is_some() => {
            commands.push(Command::Edit(Edit::ShowPartition {
                dataset: dataset.keys.prefix.clone(),
                partition: Some(bar.partition.clone()),
            }));
        }
        Row::Partition(..) | Row::Note(_) => {}
    }
}

/// Folds or unfolds the row; none toggles.
fn fold(panel: &mut SourcesPanel, row: &Row<'_>, unfold: Option<bool>) {
    match row {
        Row::Dataset(dataset) => {
            let present = panel.unfolded.get(&dataset.keys.prefix).copied().unwrap_or(true);
            panel
                .unfolded
                .insert(dataset.keys.prefix.clone(), unfold.unwrap_or(!present));
        }
        Row::Source(..) => panel.is_source_folded = !unfold.unwrap_or(panel.is_source_folded),
        Row::Partition(..) | Row::Note(_) => {}
    }
}

/// Arrows, page keys, Home, End, Enter and the folding arrows, while the tree has the focus.
fn keyboard(ui: &mut Ui, id: Id, rows: &[Row<'_>], panel: &mut SourcesPanel, commands: &mut Commands) {
    let rect = ui.available_rect_before_wrap();
    let response = ui.interact(rect, id, Sense::focusable_noninteractive());
    response.widget_info(|| WidgetInfo::labeled(Role::Tree, true, "Sources and partitions"));
    if !response.has_focus() {
        return;
    }
    let filter = EventFilter {
        horizontal_arrows: true,
        vertical_arrows: true,
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
    let last = rows.len().saturating_sub(1);
    let at = panel.cursor.unwrap_or(0).min(last);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rows in a window are few"
    )]
    let page = (rect.height() / size::ROW).max(1.0) as usize;
    let pressed = ui.input_mut(|input| {
        let none = egui::Modifiers::NONE;
        [
            (Key::ArrowUp, at.saturating_sub(1)),
            (Key::ArrowDown, at + 1),
            (Key::PageUp, at.saturating_sub(page)),
            (Key::PageDown, at + page),
            (Key::Home, 0),
            (Key::End, last),
        ]
        .into_iter()
        .find(|(key, _)| input.consume_key(none, *key))
        .map(|(_, to)| to.min(last))
    });
    if let Some(to) = pressed {
        panel.cursor = Some(to);
        panel.wants_scroll = true;
    }
    let Some(row) = rows.get(panel.cursor.unwrap_or(0)) else {
        return;
    };
    let none = egui::Modifiers::NONE;
    if ui.input_mut(|input| input.consume_key(none, Key::Enter)) {
        activate(row, panel, commands);
    }
    if ui.input_mut(|input| input.consume_key(none, Key::ArrowLeft)) {
        fold(panel, row, Some(false));
    }
    if ui.input_mut(|input| input.consume_key(none, Key::ArrowRight)) {
        fold(panel, row, Some(true));
    }
}

/// Draws one row. Returns whether it was clicked.
fn row_ui(
    ui: &mut Ui,
    row: &Row<'_>,
    [is_open, is_cursor, is_shown]: [bool; 3],
    open: Option<&Source>,
    listed: Option<&Listed>,
    panel: &SourcesPanel,
    commands: &mut Commands,
) -> bool {
    let c = colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::ROW), Sense::CLICK);
    if is_open {
        ui.painter().rect_filled(rect, 0.0, c.selection);
    } else if response.hovered() && !matches!(row, Row::Note(_)) {
        ui.painter()
            .rect_filled(rect, 0.0, crate::gui::theme::mix(c.panel, c.selection, 0.55));
    }
    if is_cursor {
        ui.painter().rect_stroke(
            rect.shrink(1.0),
            0.0,
            egui::Stroke::new(size::LINE, c.accent),
            egui::StrokeKind::Inside,
        );
    }
    let label = row_label(row);
    let role = if matches!(row, Row::Note(_)) {
        Role::Label
    } else {
        Role::TreeItem
    };
    response.widget_info(|| WidgetInfo::selected(role, true, is_open, &label));
    let response = match row {
        Row::Source(name, source) => {
            let is_this_open = Some(*source) == open;
            paint_source(ui, rect, name, source, is_this_open, listed, panel, c);
            source_menu(&response, source, commands);
            response.on_hover_text(source.location.to_string())
        }
        Row::Dataset(dataset) => {
            let is_cut = paint_dataset(ui, rect, dataset, is_shown, panel, c);
            hover_if(response, is_cut, dataset.name())
        }
        Row::Partition(dataset, bar) => {
            let is_cut = paint_partition(ui, rect, dataset, bar, c);
            hover_if(response, is_cut, &label)
        }
        Row::Note(text) => {
            paint_text(
                ui,
                pos2(rect.left() + 32.0, rect.center().y),
                text,
                regular(size::BODY_TEXT),
                c.weak,
            );
            response
        }
    };
    response.clicked()
}

/// A tooltip with the whole name where the row had no room for it.
fn hover_if(response: egui::Response, is_cut: bool, name: &str) -> egui::Response {
    if is_cut {
        response.on_hover_text(name)
    } else {
        response
    }
}

/// What assistive technology reads: the place with its figures.
fn row_label(row: &Row<'_>) -> String {
    match row {
        Row::Source(name, _) => format!("Source {name}"),
        Row::Dataset(dataset) => format!("Dataset {}", dataset.name()),
        Row::Partition(dataset, bar) => match bar.n_bytes {
            None => format!("{} missing", dataset.partition_label(&bar.partition)),
            Some(n_bytes) => format!(
                "{} {} {}",
                dataset.partition_label(&bar.partition),
                units::plural(bar.n_files, "file"),
                units::bytes(n_bytes)
            ),
        },
        Row::Note(text) => (*text).to_owned(),
    }
}

fn paint_text(ui: &Ui, at: Pos2, text: &str, font: egui::FontId, color: egui::Color32) -> Rect {
    ui.painter().text(at, Align2::LEFT_CENTER, text, font, color)
}

/// Text at the right end. Returns where it starts, so that the name can end before it.
fn paint_right(ui: &Ui, rect: Rect, text: &str, c: &Colors) -> f32 {
    ui.painter()
        .text(
            pos2(rect.right() - 14.0, rect.center().y),
            Align2::RIGHT_CENTER,
            text,
            mono_small(),
            c.weak,
        )
        .left()
}

/// A name that ends in an ellipsis before `right`. Returns whether it was cut.
pub(super) fn paint_name(
    ui: &Ui,
    left: f32,
    right: f32,
    rect: Rect,
    text: &str,
    font: egui::FontId,
    c: &Colors,
) -> bool {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, c.text);
    job.wrap = egui::text::TextWrapping::truncate_at_width((right - left - space::SM).max(20.0));
    let galley = ui.painter().layout_job(job);
    let is_cut = galley.elided;
    let y = rect.center().y - galley.size().y / 2.0;
    ui.painter().galley(pos2(left, y), galley, c.text);
    is_cut
}

fn fold_icon(ui: &Ui, rect: Rect, left: f32, is_unfolded: bool, c: &Colors) {
    let icon = if is_unfolded {
        Icon::ChevronDown
    } else {
        Icon::ChevronRight
    };
    let place = Rect::from_center_size(pos2(rect.left() + left, rect.center().y), vec2(12.0, 12.0));
    paint_icon(ui.painter(), place, icon, c.weak);
}

#[allow(
    clippy::too_many_arguments,
    reason = "what a row shows; a struct would be built once"
)]
fn paint_source(
    ui: &Ui,
    rect: Rect,
    name: &str,
    source: &Source,
    is_open: bool,
    listed: Option<&Listed>,
    panel: &SourcesPanel,
    c: &Colors,
) {
    fold_icon(ui, rect, 18.0, is_open && !panel.is_source_folded, c);
    let right = match listed {
        Some(listed) if is_open => units::plural(listed.n_files, "file"),
        _ if source.connection.endpoint.is_some() => "endpoint".to_owned(),
        _ if source.location.is_s3() => match &source.connection.profile {
            Some(profile) => format!("s3 · {profile}"),
            None => "s3".to_owned(),
        },
        _ => String::new(),
    };
    let end = paint_right(ui, rect, &right, c);
    paint_name(
        ui,
        rect.left() + 28.0,
        end,
        rect,
        name,
        regular(size::BODY_TEXT),
        c,
    );
}

fn paint_dataset(
    ui: &Ui,
    rect: Rect,
    dataset: &ListedDataset,
    is_shown: bool,
    panel: &SourcesPanel,
    c: &Colors,
) -> bool {
    let is_unfolded = panel
        .unfolded
        .get(&dataset.keys.prefix)
        .copied()
        .unwrap_or(is_shown);
    fold_icon(ui, rect, 36.0, is_unfolded, c);
    let end = paint_right(ui, rect, &units::plural(dataset.n_files, "file"), c);
    let name = if dataset.name().is_empty() {
        "(root)"
    } else {
        dataset.name()
    };
    paint_name(
        ui,
        rect.left() + 46.0,
        end,
        rect,
        name,
        regular(size::BODY_TEXT),
        c,
    )
}

fn paint_partition(ui: &Ui, rect: Rect, dataset: &ListedDataset, bar: &Bar, c: &Colors) -> bool {
    let (color, figures) = match bar.n_bytes {
        None => (c.warn, "missing".to_owned()),
        Some(n_bytes) => {
            let color = if bar.is_spike {
                c.bad
            } else if bar.has_tiny_files {
                c.warn
            } else {
                // Seen on the panel and on the selection alike.
                c.edge
            };
            // Bytes take one width, so that both columns of figures end on a line.
            (
                color,
                format!("{} · {:>7}", units::count(bar.n_files), units::bytes(n_bytes)),
            )
        }
    };
    let dot = pos2(rect.left() + 54.0, rect.center().y);
    ui.painter().circle_filled(dot, 3.5, color);
    let end = paint_right(ui, rect, &figures, c);
    let label = dataset.partition_label(&bar.partition);
    paint_name(ui, rect.left() + 66.0, end, rect, &label, mono(), c)
}

/// What can be done to a source in the list.
pub(super) fn source_menu(response: &egui::Response, source: &Source, commands: &mut Commands) {
    response.context_menu(|ui| {
        if ui.button("Copy address").clicked() {
            commands.push(Command::CopyText(source.location.to_string()));
            ui.close();
        }
        if ui.button("Remove from list").clicked() {
            commands.push(Command::Forget(source.clone()));
            ui.close();
        }
    });
}
