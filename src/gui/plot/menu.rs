//! The small menu of a chart: its picture as a file.

use std::path::{Path, PathBuf};

use egui::{Popup, SetOpenCommand, Ui};

use super::{PlotAnswer, PlotOptions, SHOW_ALL, shown_ui, zoom};
use crate::chart::Picture;
use crate::chart::draw::{PictureSize, png, svg};
use crate::chart::palette::{DARK, LIGHT};
use crate::gui::command::Command;
use crate::gui::state::Commands;
use crate::gui::widgets::{Icon, icon_button};
use crate::task::{Executor, TaskHandle};

/// A picture on its way to a file.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureExport {
    pub picture: Picture,
    /// In the colours of the window.
    pub is_dark: bool,
}

/// The button with the menu of `picture`.
pub fn picture_menu(ui: &mut Ui, picture: &Picture, is_log: bool, commands: &mut Commands) {
    let make = || picture.clone().with_log(is_log);
    made_picture_menu(ui, &picture.title, make, commands);
}

/// The button with the menu of a chart that is painted by other means: its picture is made when it is asked for.
pub fn made_picture_menu(ui: &mut Ui, title: &str, make: impl FnOnce() -> Picture, commands: &mut Commands) {
    let label = format!("Menu of the chart {title}");
    let button = icon_button(ui, true, Icon::More, &label);
    Popup::menu(&button).show(|ui| {
        export_entry(ui, make, commands);
    });
}

fn export_entry(ui: &mut Ui, make: impl FnOnce() -> Picture, commands: &mut Commands) {
    let entry = egui::Button::new("Export picture…");
    if ui
        .add(entry)
        .on_hover_text("As PNG or SVG, by the file's ending")
        .clicked()
    {
        commands.push(Command::ExportPicture(Box::new(PictureExport {
            picture: make(),
            is_dark: ui.visuals().dark_mode,
        })));
        ui.close();
    }
}

/// Shows a picture without its title and note, which a card says, with its menu on the second button. `id` tells it from
/// other pictures of the card.
pub fn charted_ui(
    ui: &mut Ui,
    id: &str,
    picture: &Picture,
    options: PlotOptions,
    commands: &mut Commands,
) -> PlotAnswer {
    let shown = shown_ui(ui, id, picture, options);
    let set = if shown.asks_menu {
        Some(SetOpenCommand::Bool(true))
    } else if shown.response.clicked() {
        Some(SetOpenCommand::Bool(false))
    } else {
        None
    };
    Popup::menu(&shown.response)
        .id(shown.response.id.with("menu"))
        .open_memory(set)
        .at_pointer_fixed()
        .show(|ui| {
            let all = egui::Button::new(SHOW_ALL);
            if ui.add_enabled(shown.is_zoomed, all).clicked() {
                zoom::show_all(ui, shown.response.id);
                ui.close();
            }
            let make = || picture.clone().with_log(options.is_log);
            export_entry(ui, make, commands);
        });
    shown.answer
}

/// A file name that says what is in it.
pub fn file_name(picture: &Picture) -> String {
    let name: String = picture
        .title
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '_' })
        .take(60)
        .collect();
    format!("{}.png", name.to_lowercase().trim_matches('_'))
}

/// Draws the picture and writes it. Returns the path as text.
pub fn export_picture(tasks: &Executor, path: PathBuf, export: PictureExport) -> TaskHandle<String> {
    let label = format!("Export {}", path.display());
    tasks.spawn(label, move |_| async move {
        tokio::task::spawn_blocking(move || write_picture(&path, &export))
            .await
            .map_err(|error| format!("internal error: {error}"))?
    })
}

/// SVG where the file's ending says so, else PNG; a file without an ending becomes one of PNG.
fn write_picture(path: &Path, export: &PictureExport) -> Result<String, String> {
    let palette = if export.is_dark { &DARK } else { &LIGHT };
    let size = PictureSize::of(&export.picture);
    let ending = path
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase());
    let path = match ending.as_deref() {
        Some("svg" | "png") => path.to_owned(),
        Some(other) => {
            return Err(format!(
                "{}: pictures are written as .png or .svg, not .{other}",
                path.display()
            ));
        }
        None => path.with_extension("png"),
    };
    let bytes = if ending.as_deref() == Some("svg") {
        svg(&export.picture, size, palette).map(String::into_bytes)
    } else {
        png(&export.picture, size, palette)
    };
    let bytes = bytes.map_err(|error| error.to_string())?;
    std::fs::write(&path, bytes)
        .map(|()| path.display().to_string())
        .map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{PictureExport, file_name, write_picture};
    use crate::chart::{Layer, LayerKind, Mark, Picture, Quantity, Scale, Tone};

    #[test]
    fn the_ending_chooses_the_format_and_errors_name_the_file() {
        let picture = Picture::new(
            "Bytes per day",
            Scale::categories("", vec!["01".to_owned()]),
            Scale::from_zero("", Quantity::Bytes, 10.0),
        )
        .layer(Layer::new(
            LayerKind::Bars,
            Tone::Data,
            vec![Mark::bar(0, 10.0, "")],
        ));
        assert_eq!(file_name(&picture), "bytes_per_day.png");
        let export = PictureExport {
            picture,
            is_dark: true,
        };
        let folder = tempfile::tempdir().unwrap();
        let written = |name: &str| write_picture(&folder.path().join(name), &export);
        let start = |path: String| std::fs::read(path).unwrap()[..4].to_vec();
        assert_eq!(start(written("a.svg").unwrap()), b"<svg");
        assert_eq!(start(written("b.PNG").unwrap()), b"\x89PNG");
        assert!(written("c").unwrap().ends_with("c.png"));
        assert!(written("d.pdf").unwrap_err().contains(".png or .svg, not .pdf"));
        let missing = written("no/such/folder/e.png").unwrap_err();
        assert!(missing.contains("e.png: "), "{missing}");
    }
}
