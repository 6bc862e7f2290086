//! The result of "Run here": status, the books, a line for each partition, and the parts.

use egui::{Align, Grid, Label, Layout, RichText, ScrollArea, Ui};

use super::report::{PartitionLine, Report};
use crate::base::units;
use crate::gui::command::Command;
use crate::gui::theme::{self, Tone, colors, space};
use crate::gui::widgets::{Icon, badge, card_with_head, icon_button};

/// Parts that the list names; the rest is counted.
const MAX_PARTS: usize = 200;

pub(super) fn result_ui(ui: &mut Ui, report: &Report, commands: &mut Vec<Command>) {
    let total = report.total();
    card_with_head(
        ui,
        "Result",
        |ui| {
            badge(ui, tone_of(&report.status), &words(&report.status));
        },
        |ui| {
            let run = RichText::new(&report.run_id)
                .font(theme::mono_small())
                .color(colors(ui).weak);
            ui.add(Label::new(run).truncate());
        },
        |ui| {
            books_ui(ui, &total);
            let mut facts = vec![units::plural(report.partitions.len() as u64, "partition")];
            facts.push(format!("{} of work", units::seconds(total.seconds)));
            if let Some(bytes) = report.peak_bytes {
                facts.push(format!("peak memory {}", units::bytes(bytes)));
            }
            ui.label(theme::weak(ui, facts.join("   ")));
            ui.add_space(space::SM);
            table_ui(ui, report);
            reasons_ui(ui, report);
            parts_ui(ui, report, commands);
        },
    );
}

fn books_ui(ui: &mut Ui, total: &PartitionLine) {
    let tone = if total.is_balanced() {
        Tone::Good
    } else {
        Tone::Bad
    };
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::code(total.books()).color(colors(ui).text));
        let text = if total.is_balanced() {
            "books balance"
        } else {
            "books do not balance"
        };
        badge(ui, tone, text);
    });
}

fn tone_of(status: &str) -> Tone {
    match status {
        "done" | "succeeded" | "committed" | "ok" => Tone::Good,
        "no_data" | "already_committed" | "skipped" => Tone::Plain,
        "cancelled" | "some_failed" => Tone::Warn,
        _ => Tone::Bad,
    }
}

fn words(status: &str) -> String {
    status.replace('_', " ")
}

fn table_ui(ui: &mut Ui, report: &Report) {
    const HEADS: [&str; 9] = [
        "Partition",
        "Status",
        "Rows in",
        "Rows out",
        "Filtered",
        "Quarantined",
        "Files",
        "Parts",
        "Seconds",
    ];
    ScrollArea::horizontal().id_salt("run partitions").show(ui, |ui| {
        Grid::new("run partitions")
            .num_columns(HEADS.len() + 1)
            .spacing([space::LG, space::XS])
            .show(ui, |ui| {
                for (at, head) in HEADS.into_iter().enumerate() {
                    cell(
                        ui,
                        at >= 2,
                        RichText::new(head).font(theme::small()).color(colors(ui).weak),
                    );
                }
                ui.label("");
                ui.end_row();
                for line in &report.partitions {
                    line_ui(ui, line);
                    ui.end_row();
                }
            });
    });
}

/// Why partitions were not committed, which is what a person looks for first.
fn reasons_ui(ui: &mut Ui, report: &Report) {
    let told = report.partitions.iter().filter(|line| {
        let is_as_it_should_be = matches!(tone_of(&line.status), Tone::Good | Tone::Plain);
        !is_as_it_should_be && !line.message.is_empty()
    });
    for line in told {
        let text = format!("{}: {}", line.partition, line.message);
        ui.add(Label::new(theme::tone(ui, tone_of(&line.status), text)).wrap());
        if line.status == "budget_exceeded" {
            ui.label(theme::weak(
                ui,
                "Nothing was committed. Mend the records, or raise the error budget at the left.",
            ));
        }
    }
}

fn line_ui(ui: &mut Ui, line: &PartitionLine) {
    let c = colors(ui);
    cell(ui, false, theme::code(&line.partition));
    let status = ui.label(theme::tone(ui, tone_of(&line.status), words(&line.status)));
    if !line.message.is_empty() {
        status.on_hover_text(&line.message);
    }
    for (n, tone) in [
        (line.rows_in, Tone::Plain),
        (line.rows_out, Tone::Plain),
        (line.rows_filtered, Tone::Plain),
        (
            line.rows_quarantined,
            if line.rows_quarantined > 0 {
                Tone::Bad
            } else {
                Tone::Plain
            },
        ),
        (line.n_files, Tone::Plain),
        (line.parts.len() as u64, Tone::Plain),
    ] {
        let color = if n == 0 { c.weak } else { c.of(tone) };
        cell(ui, true, theme::code(units::count(n)).color(color));
    }
    cell(
        ui,
        true,
        theme::code(format!("{:.2}", line.seconds)).color(c.weak),
    );
    // The last column of a grid takes the width that is left.
    ui.label("");
}

fn cell(ui: &mut Ui, is_right: bool, text: RichText) {
    if is_right {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(text));
    } else {
        ui.label(text);
    }
}

fn parts_ui(ui: &mut Ui, report: &Report, commands: &mut Vec<Command>) {
    let parts: Vec<_> = report.partitions.iter().flat_map(|line| &line.parts).collect();
    if parts.is_empty() {
        return;
    }
    ui.add_space(space::SM);
    ui.horizontal(|ui| {
        ui.label(theme::strong(units::plural(parts.len() as u64, "part")));
        if icon_button(ui, true, Icon::Copy, "Copy the parts' paths").clicked() {
            let paths: Vec<&str> = parts.iter().map(|part| part.path.as_str()).collect();
            commands.push(Command::CopyText(paths.join("\n")));
        }
    });
    for part in parts.iter().take(MAX_PARTS) {
        ui.horizontal(|ui| {
            if icon_button(ui, true, Icon::Copy, &format!("Copy {}", part.path)).clicked() {
                commands.push(Command::CopyText(part.path.clone()));
            }
            let facts = format!(
                "{}   {}",
                units::plural(part.rows, "row"),
                units::bytes(part.bytes)
            );
            ui.label(theme::weak_small(ui, facts));
            ui.add(Label::new(theme::code(&part.path)).truncate().selectable(true))
                .on_hover_text(&part.path);
        });
    }
    if parts.len() > MAX_PARTS {
        let more = units::plural((parts.len() - MAX_PARTS) as u64, "more part");
        ui.label(theme::weak(ui, format!("and {more}")));
    }
}
