//! The faces that come with the program, and the sizes they are used at.

use std::sync::Arc;

use egui::{Context, FontData, FontDefinitions, FontFamily, FontId};

use super::size;
use crate::chart::draw::{INTER, INTER_SEMIBOLD};

const SEMIBOLD: &str = "semibold";
const ITALIC: &str = "italic";

const FACES: [(&str, &[u8]); 4] = [
    ("Inter", INTER),
    ("Inter SemiBold", INTER_SEMIBOLD),
    (
        "Inter Italic",
        include_bytes!("../../../assets/fonts/Inter-Italic.otf"),
    ),
    (
        "JetBrains Mono",
        include_bytes!("../../../assets/fonts/JetBrainsMono-Regular.ttf"),
    ),
];

/// The families, each with its face and what it falls back to.
pub(super) fn families() -> [(FontFamily, [&'static str; 2]); 4] {
    [
        (FontFamily::Proportional, ["Inter", "JetBrains Mono"]),
        (FontFamily::Monospace, ["JetBrains Mono", "Inter"]),
        (FontFamily::Name(SEMIBOLD.into()), ["Inter SemiBold", "Inter"]),
        (FontFamily::Name(ITALIC.into()), ["Inter Italic", "Inter"]),
    ]
}

/// The built-in faces as egui takes them.
pub(super) fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    for (name, bytes) in FACES {
        fonts
            .font_data
            .insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    for (family, names) in families() {
        fonts.families.insert(family, names.map(str::to_owned).to_vec());
    }
    fonts
}

/// Installs the built-in faces. Call once, before the first frame.
pub fn install(ctx: &Context) {
    ctx.set_fonts(definitions());
}

pub fn regular(points: f32) -> FontId {
    FontId::new(points, FontFamily::Proportional)
}

/// For headings, names and figures that stand out.
pub fn semibold(points: f32) -> FontId {
    FontId::new(points, FontFamily::Name(SEMIBOLD.into()))
}

/// For null and other things that are not there.
pub fn italic(points: f32) -> FontId {
    FontId::new(points, FontFamily::Name(ITALIC.into()))
}

/// For secondary lines.
pub fn small() -> FontId {
    regular(size::SMALL_TEXT)
}

/// For keys, paths, expressions and columns of figures. A little smaller, so that it looks as large as Inter.
pub fn mono() -> FontId {
    FontId::new(size::BODY_TEXT - 0.5, FontFamily::Monospace)
}

pub fn mono_small() -> FontId {
    FontId::new(size::SMALL_TEXT - 0.5, FontFamily::Monospace)
}
