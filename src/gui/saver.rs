//! Writes small files on a thread of its own, in order, so that the window's thread never waits for a disk.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use crate::session::Document;

/// One file to write.
#[derive(Debug)]
pub enum Save {
    Text { path: PathBuf, text: String },
    Session { path: PathBuf, document: Box<Document> },
}

/// The thread and the way to it. Dropping it waits until everything is written.
#[derive(Debug)]
pub struct Saver {
    sender: Option<Sender<Save>>,
    errors: Receiver<String>,
    thread: Option<JoinHandle<()>>,
}

impl Saver {
    /// # Errors
    /// When the operating system gives no thread.
    pub fn new(wake: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let (sender, saves) = channel::<Save>();
        let (error_sender, errors) = channel();
        let thread = std::thread::Builder::new()
            .name("skewer-save".to_owned())
            .spawn(move || {
                for save in saves {
                    if let Err(message) = write(save) {
                        drop(error_sender.send(message));
                        wake();
                    }
                }
            })?;
        Ok(Self {
            sender: Some(sender),
            errors,
            thread: Some(thread),
        })
    }

    pub fn save(&self, save: Save) {
        if let Some(sender) = &self.sender {
            drop(sender.send(save));
        }
    }

    /// Why the last file could not be written.
    pub fn take_error(&self) -> Option<String> {
        self.errors.try_recv().ok()
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn write(save: Save) -> Result<(), String> {
    match save {
        Save::Session { path, document } => {
            crate::session::save(&path, &document).map_err(|error| error.to_string())
        }
        Save::Text { path, text } => {
            let put = || {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                let mut beside = path.clone().into_os_string();
                beside.push(".new");
                std::fs::write(&beside, &text)?;
                std::fs::rename(&beside, &path)
            };
            put().map_err(|error| format!("{}: {error}", path.display()))
        }
    }
}
