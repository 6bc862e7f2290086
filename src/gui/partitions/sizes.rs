//! How many files are of which size. Small ones cost requests, large ones cannot be shared.

use egui::Ui;

use super::beside::Beside;
use crate::base::units;
use crate::gui::listed::ListedDataset;
use crate::gui::plot::{PlotOptions, charted_ui, picture_menu};
use crate::gui::state::Commands;
use crate::gui::theme::Tone;
use crate::gui::widgets::{badge, stretched_card};

/// The card's plot is as tall as `beside` says. Returns the height that the card needs without it.
pub fn sizes_card(ui: &mut Ui, dataset: &ListedDataset, beside: Beside, commands: &mut Commands) -> f32 {
    let picture = dataset.sizes_picture();
    let mut exported = Commands::new();
    let needed = stretched_card(
        ui,
        "Files by size",
        beside.card,
        |ui| {
            badge(ui, Tone::Plain, &units::plural(dataset.n_files, "file"));
        },
        |ui| picture_menu(ui, picture, false, &mut exported),
        |ui| {
            let options = PlotOptions {
                height: beside.plot,
                ..PlotOptions::default()
            };
            charted_ui(ui, "sizes", picture, options, commands);
        },
    );
    commands.append(&mut exported);
    needed - beside.plot
}
