//! The frame of the window: top bar, sources, activity, status line, and the dialogs over them.

mod activity;
mod connect;
mod overlays;
mod recents;
mod sources;
mod status;
mod top_bar;

pub use activity::activity_ui;
pub use connect::{ConnectForm, connect_ui};
pub use overlays::{Palette, drop_hint_ui, palette_ui, shortcuts_ui};
pub use sources::{SourcesPanel, sources_ui};
pub use status::{StatusView, status_ui};
pub use top_bar::{AddressField, top_bar_ui};
