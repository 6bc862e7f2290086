//! The Lorenz curve: how much of the bytes the smallest partitions hold. The further below the diagonal, the more skewed.

use egui::{Align2, Sense, Ui, vec2};

use super::beside::Beside;
use crate::gui::listed::ListedDataset;
use crate::gui::plot::{PlotOptions, charted_ui, picture_menu};
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, colors, small};
use crate::gui::widgets::{badge, stretched_card};
use crate::storage::Partition;

const WHAT: &str = "Of the bytes, how much the smallest partitions hold together. In an even lake a tenth of them holds a tenth: \
                    the dashed line. The area between the lines is half the Gini coefficient.";

/// The card's plot is as tall as `beside` says. Returns the height that the card needs without it.
pub fn lorenz_card(
    ui: &mut Ui,
    dataset: &ListedDataset,
    beside: Beside,
    opened: &mut Option<Partition>,
    commands: &mut Commands,
) -> f32 {
    let picture = dataset.lorenz_picture();
    let partitions = &dataset.lorenz.partitions;
    let mut exported = Commands::new();
    let is_narrow = ui.available_width() < 400.0;
    let needed = stretched_card(
        ui,
        "Lorenz curve",
        beside.card,
        |ui| {
            if let Some(effective) = dataset.lorenz.effective_partitions {
                let n = dataset.skew.metrics.n_partitions;
                let text = if is_narrow {
                    format!("like {effective:.1} of {n}")
                } else {
                    format!("behaves like {effective:.1} of {n} {}", dataset.unit())
                };
                let explained = format!(
                    "{WHAT}\nEffective partitions: 1 / Σp², where p is each one's share of the bytes."
                );
                badge(ui, Tone::Plain, &text).on_hover_text(explained);
            }
        },
        |ui| picture_menu(ui, picture, false, &mut exported),
        |ui| {
            // One partition is a straight line, which says nothing.
            if partitions.len() < 2 {
                let wanted = vec2(ui.available_width(), beside.plot);
                let (rect, _) = ui.allocate_exact_size(wanted, Sense::hover());
                ui.painter().text(
                    rect.center(),
                    Align2::CENTER_CENTER,
                    "A curve needs two partitions with bytes",
                    small(),
                    colors(ui).weak,
                );
                return;
            }
            let options = PlotOptions {
                height: beside.plot,
                click: "Click to open that partition",
                ..PlotOptions::default()
            };
            let answer = charted_ui(ui, "lorenz", picture, options, commands);
            if let Some((partition, _)) = answer.clicked.and_then(|at| partitions.get(at)) {
                *opened = Some(partition.clone());
            }
        },
    );
    commands.append(&mut exported);
    needed - beside.plot
}
