//! The output contract: the table's columns as its readers will find them, shown before anything is exported.

use egui::{Align, Layout, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::base::units;
use crate::gui::data::one_line;
use crate::gui::theme::{self, Tone, colors, size, space};
use crate::gui::widgets::{Icon, badge, card_with_head, divider, icon};
use crate::job::ContractColumn;

/// Columns that are listed; a table of more is read elsewhere.
const MAX_LISTED: usize = 300;

/// The card, or why the columns are not known.
pub(super) fn contract_ui(ui: &mut Ui, contract: Result<&[ContractColumn], &str>, is_stale: bool) {
    let columns = contract.unwrap_or_default();
    let n_refused = columns.iter().filter(|column| column.is_refused).count();
    let n_warned = columns.iter().filter(|column| column.problem.is_some()).count() - n_refused;
    card_with_head(
        ui,
        "Output contract",
        |ui| {
            badge(ui, Tone::Plain, &units::plural(columns.len() as u64, "column"));
            if n_refused > 0 {
                let text = format!("{} refused", units::count(n_refused as u64));
                badge(ui, Tone::Bad, &text)
                    .on_hover_text("No job may write these: other readers misread them.");
            }
            if n_warned > 0 {
                badge(ui, Tone::Warn, &units::plural(n_warned as u64, "warning"));
            }
        },
        |_| {},
        |ui| {
            if is_stale {
                ui.multiply_opacity(0.5);
            }
            ui.spacing_mut().item_spacing.y = 0.0;
            match contract {
                Ok(columns) => {
                    heads_ui(ui);
                    divider(ui);
                    for column in columns.iter().take(MAX_LISTED) {
                        column_ui(ui, column);
                    }
                    if columns.len() > MAX_LISTED {
                        let more = format!(
                            "and {} more columns",
                            units::count((columns.len() - MAX_LISTED) as u64)
                        );
                        ui.label(theme::weak_small(ui, more));
                    }
                }
                Err(why) => {
                    ui.add(egui::Label::new(theme::weak(ui, why)).wrap());
                }
            }
        },
    );
}

/// Where name, type, Parquet's type and nullability begin, as shares of the width.
const STARTS: [f32; 4] = [0.0, 0.26, 0.52, 0.86];

fn row_of(ui: &Ui, rect: egui::Rect, cells: [(&str, egui::FontId, egui::Color32); 4]) {
    for (at, (text, font, color)) in cells.into_iter().enumerate() {
        let share = |at: usize| STARTS.get(at).copied().unwrap_or(1.0);
        let left = rect.left() + rect.width() * share(at);
        let room = rect.width() * (share(at + 1) - share(at)) - space::SM;
        let galley = one_line(ui.painter(), text, font, color, room);
        let y = rect.center().y - galley.size().y / 2.0;
        ui.painter().galley(pos2(left, y), galley, color);
    }
}

fn heads_ui(ui: &mut Ui) {
    let weak = colors(ui).weak;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), size::ROW - 2.0), Sense::hover());
    row_of(
        ui,
        rect,
        ["name", "type", "Parquet", "null"].map(|text| (text, theme::small(), weak)),
    );
}

fn column_ui(ui: &mut Ui, column: &ContractColumn) {
    let c = colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::ROW), Sense::hover());
    let null = if column.nullable {
        "can be null"
    } else {
        "never null"
    };
    let label = format!("{}: {}, {null}", column.name, column.dtype);
    response.widget_info(|| WidgetInfo::labeled(Role::Row, true, label.clone()));
    let cells = [
        (column.name.as_str(), theme::mono(), c.text),
        (column.dtype.as_str(), theme::mono_small(), c.text),
        (column.parquet.as_str(), theme::mono_small(), c.weak),
        (
            // Below a head that says null already; the whole is said for assistive technology.
            null.trim_end_matches(" null"),
            theme::small(),
            if column.nullable { c.weak } else { c.text },
        ),
    ];
    row_of(ui, rect, cells);
    response.on_hover_ui(|ui| {
        ui.label(theme::strong(&column.name));
        ui.label(theme::code(&column.dtype));
        ui.label(theme::weak(ui, format!("Parquet: {}", column.parquet)));
        let why = match &column.never_null {
            Some(why) => format!("Never null: {why}."),
            None => "Can be null: nothing in the steps rules it out.".to_owned(),
        };
        ui.label(why);
    });
    if let Some(problem) = &column.problem {
        let tone = if column.is_refused { Tone::Bad } else { Tone::Warn };
        ui.with_layout(Layout::left_to_right(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.x = space::XS;
            icon(ui, Icon::Warning, c.of(tone));
            let width = ui.available_width();
            ui.vertical(|ui| {
                ui.set_width(width);
                let text = egui::RichText::new(problem)
                    .font(theme::small())
                    .color(c.of(tone));
                ui.add(egui::Label::new(text).wrap().selectable(true));
            });
        });
        ui.add_space(space::XS);
    }
}
