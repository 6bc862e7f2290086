//! Opens the window, or says in one line why it cannot be opened.

use egui::ViewportBuilder;
use thiserror::Error;

use super::app::{App, Setup};
use crate::storage::{Connection, Location};

/// What the window shows first.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// None shows the last session, or the sample data.
    pub location: Option<Location>,
    pub connection: Connection,
}

/// Why there is no window.
#[derive(Debug, Error)]
pub enum WindowError {
    #[error("no display: the window needs one; without it use `skewer run JOB` or see `skewer --help`")]
    NoDisplay,
    #[error(
        "the window could not be opened: {message}; without one use `skewer run JOB` or see `skewer --help`"
    )]
    Graphics { message: String },
    #[error("the operating system gives no threads: {0}")]
    Threads(std::io::Error),
}

const TITLE: &str = "Skewer";

/// Opens the window and returns when it is closed. Call it on the main thread.
///
/// # Errors
/// [`WindowError`] in one line, naming the command that needs no window.
pub fn open(start: Start) -> Result<(), WindowError> {
    if !has_display() {
        return Err(WindowError::NoDisplay);
    }
    let options = eframe::NativeOptions {
        viewport: ViewportBuilder::default()
            .with_title(TITLE)
            .with_app_id("skewer")
            .with_inner_size([1600.0, 1000.0])
            .with_min_inner_size([900.0, 560.0])
            .with_drag_and_drop(true),
        centered: true,
        ..eframe::NativeOptions::default()
    };
    let create = |creation: &eframe::CreationContext<'_>| {
        let app = App::new(&creation.egui_ctx, Setup::native(start))?;
        Ok(Box::new(app) as Box<dyn eframe::App>)
    };
    eframe::run_native(TITLE, options, Box::new(create)).map_err(|error| WindowError::Graphics {
        message: reason(&error.to_string()).to_owned(),
    })
}

/// The error's own words, without the place in a library's source that winit puts before them.
fn reason(text: &str) -> &str {
    match text.split_once("os error at ") {
        Some((_, rest)) => rest.rsplit_once(": ").map_or(rest, |(_, reason)| reason),
        None => text,
    }
}

/// Other platforms have a display wherever a program can be started.
fn has_display() -> bool {
    if cfg!(all(unix, not(target_os = "macos"))) {
        ["DISPLAY", "WAYLAND_DISPLAY"]
            .into_iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
    } else {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn a_reason_has_no_place_of_a_library_in_it() {
        let text =
            "winit EventLoopError: os error at lib/linux/mod.rs:788: Failed to open connection to X server";
        assert_eq!(reason(text), "Failed to open connection to X server");
        assert_eq!(reason("no OpenGL: 2.0 is needed"), "no OpenGL: 2.0 is needed");
    }
}
