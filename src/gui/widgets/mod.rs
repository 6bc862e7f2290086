//! The pieces that every part of the window is made of. Each has a label for assistive technology and for tests.

mod button;
mod card;
mod field;
mod icon;
mod menu;
mod message;
mod progress;
mod tabs;

pub use button::{icon_button, keycap, primary_button, quiet_button, secondary_button};
pub use card::{
    Figure, accuracy_badge, badge, card, card_with_head, dialog_frame, divider, figure_card, section_label,
    stretched_card, titled_card,
};
pub use field::{labelled_field, text_field};
pub(crate) use icon::paint_mark;
pub use icon::{Icon, dot, icon, paint_icon};
pub use menu::card_button;
pub use message::{Problem, empty_state, error_box};
pub use progress::{progress_bar, spinner};
pub use tabs::{segmented, tabs};
