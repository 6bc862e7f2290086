//! Native file dialogs behind a trait, so that tests can answer them.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

/// The answer: a path, or none when the dialog was closed.
pub type Picked = Pin<Box<dyn Future<Output = Option<PathBuf>> + Send>>;

/// Asks a person for a path. Called on the window's thread; the answer is awaited off it.
pub trait FilePicker {
    /// Whether a person answers: one who says nothing within a moment was never asked.
    fn asks_a_person(&self) -> bool {
        false
    }
    /// A folder, in a dialog with this title.
    fn pick_folder(&self, title: &str) -> Picked;
    /// A data file.
    fn pick_file(&self) -> Picked;
    /// An event log or the report of a run.
    fn pick_log(&self) -> Picked;
    fn pick_session(&self) -> Picked;
    fn pick_recipe(&self) -> Picked;
    /// A saved baseline of a profile.
    fn pick_baseline(&self) -> Picked {
        self.pick_session()
    }
    /// A place to write to, with a name to start from.
    fn save_file(&self, name: &str) -> Picked;
    /// A place for a picture: the ending that a person gives says its format.
    fn save_picture(&self, name: &str) -> Picked {
        self.save_file(name)
    }
}

/// The dialogs of the desktop.
#[derive(Debug, Clone, Copy, Default)]
pub struct NativePicker;

impl NativePicker {
    fn path(file: Option<rfd::FileHandle>) -> Option<PathBuf> {
        file.map(|file| file.path().to_owned())
    }
}

impl FilePicker for NativePicker {
    fn asks_a_person(&self) -> bool {
        true
    }

    fn pick_folder(&self, title: &str) -> Picked {
        let dialog = rfd::AsyncFileDialog::new().set_title(title).pick_folder();
        Box::pin(async move { Self::path(dialog.await) })
    }

    fn pick_file(&self) -> Picked {
        let dialog = rfd::AsyncFileDialog::new()
            .set_title("Open a data file")
            .add_filter(
                "JSON Lines and Parquet",
                &["jsonl", "ndjson", "json", "gz", "zst", "parquet"],
            )
            .add_filter("All files", &["*"])
            .pick_file();
        Box::pin(async move { Self::path(dialog.await) })
    }

    fn pick_log(&self) -> Picked {
        // Event logs have no ending of their own, or that of a codec.
        let dialog = rfd::AsyncFileDialog::new()
            .set_title("Open an event log or the report of a run")
            .add_filter("All files", &["*"])
            .pick_file();
        Box::pin(async move { Self::path(dialog.await) })
    }

    fn pick_session(&self) -> Picked {
        let dialog = rfd::AsyncFileDialog::new()
            .set_title("Open a session")
            .add_filter("Skewer sessions", &["yaml"])
            .pick_file();
        Box::pin(async move { Self::path(dialog.await) })
    }

    fn pick_recipe(&self) -> Picked {
        let dialog = rfd::AsyncFileDialog::new()
            .set_title("Open a recipe")
            .add_filter("Recipes, job specs and sessions", &["yaml", "yml"])
            .pick_file();
        Box::pin(async move { Self::path(dialog.await) })
    }

    fn save_picture(&self, name: &str) -> Picked {
        let dialog = rfd::AsyncFileDialog::new()
            .set_title("Export a picture")
            .set_file_name(name)
            .add_filter("PNG and SVG", &["png", "svg"])
            .save_file();
        Box::pin(async move { Self::path(dialog.await) })
    }

    fn pick_baseline(&self) -> Picked {
        let dialog = rfd::AsyncFileDialog::new()
            .set_title("Compare with a baseline")
            .add_filter("Baselines", &["yaml", "yml"])
            .pick_file();
        Box::pin(async move { Self::path(dialog.await) })
    }

    fn save_file(&self, name: &str) -> Picked {
        let dialog = rfd::AsyncFileDialog::new()
            .set_file_name(name)
            .add_filter("YAML", &["yaml"])
            .save_file();
        Box::pin(async move { Self::path(dialog.await) })
    }
}
