//! Fonts of the system for scripts that the built-in faces lack, found in the background.
//!
//! A face is taken for the first script it covers and counts for every other it covers too, so that few faces do. Which
//! characters a face has is asked of egui's own font reader, which is the one that will draw them.

use std::collections::BTreeSet;
use std::sync::Arc;

use egui::FontInsert;
use egui::epaint::text::{Fonts, TextOptions};
use egui::{Context, FontData, FontDefinitions, FontFamily, FontId};

use super::fonts::{definitions, families};
use super::regular;
use crate::base::Cancel;

/// A script and one character that stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Script {
    pub name: &'static str,
    sample: char,
}

const fn script(name: &'static str, sample: char) -> Script {
    Script { name, sample }
}

/// Scripts looked for, most common in text first.
const SCRIPTS: [Script; 16] = [
    script("Chinese characters", '看'),
    script("Japanese kana", 'あ'),
    script("Korean", '한'),
    script("Arabic", 'ع'),
    script("Hebrew", 'א'),
    script("Devanagari", 'अ'),
    script("Bengali", 'অ'),
    script("Tamil", 'அ'),
    script("Telugu", 'అ'),
    script("Thai", 'ไ'),
    script("Georgian", 'ა'),
    script("Armenian", 'ա'),
    script("Ethiopic", 'አ'),
    script("Emoji", '😀'),
    script("Symbols", '⚑'),
    script("Mathematics", '∑'),
];

/// Fonts found, as egui takes them.
#[derive(Debug, Clone, Default)]
pub struct SystemFonts {
    inserts: Vec<FontInsert>,
    /// Scripts that no installed font covers.
    pub missing: Vec<Script>,
}

/// Faces opened at most, and bytes kept: a machine with thousands of fonts must not cost minutes or gigabytes.
const MAX_OPENED: usize = 160;
const MAX_BYTES: usize = 96 << 20;

/// Reads the system's fonts. Takes seconds on a machine with many: never call it on the window's thread.
pub fn find_system_fonts(cancel: &Cancel) -> SystemFonts {
    let mut database = fontdb::Database::new();
    database.load_system_fonts();
    let mut faces: Vec<_> = database
        .faces()
        .filter(|face| face.style == fontdb::Style::Normal && face.weight == fontdb::Weight::NORMAL)
        .map(|face| (rank(face), face.id, face.index, face.post_script_name.clone()))
        .collect();
    faces.sort();
    let mut wanted: Vec<Script> = missing_in(definitions(), &SCRIPTS);
    let mut found = SystemFonts::default();
    let mut n_bytes = 0;
    for (_, id, index, name) in faces.into_iter().take(MAX_OPENED) {
        if wanted.is_empty() || cancel.is_cancelled() {
            break;
        }
        let Some(bytes) = database.with_face_data(id, |bytes, _| bytes.to_vec()) else {
            continue;
        };
        if n_bytes + bytes.len() > MAX_BYTES {
            continue;
        }
        n_bytes += add_if_useful(&mut found, &mut wanted, &name, bytes, index);
    }
    found.missing = wanted;
    found
}

/// Families made for many scripts first, then sans before serif and monospace, then by name for a stable choice.
fn rank(face: &fontdb::FaceInfo) -> u32 {
    let family = face
        .families
        .first()
        .map(|(name, _)| name.to_lowercase())
        .unwrap_or_default();
    let is_for_text = !family.contains("serif") || family.contains("sans");
    // Symbols come early: a machine with all of Noto has more faces than are opened.
    let is_for_symbols = family.contains("emoji") || family == "symbola";
    let family_rank = if family.contains("cjk") || family.contains("droid sans fallback") || is_for_symbols {
        0
    } else if family.starts_with("noto sans") {
        1
    } else if [
        "dejavu sans",
        "segoe ui",
        "arial unicode ms",
        "pingfang sc",
        "apple color emoji",
    ]
    .contains(&family.as_str())
    {
        2
    } else if is_for_text {
        3
    } else {
        4
    };
    family_rank * 2 + u32::from(face.monospaced)
}

/// Keeps the face when it covers a wanted script. Returns the bytes kept.
fn add_if_useful(
    found: &mut SystemFonts,
    wanted: &mut Vec<Script>,
    name: &str,
    bytes: Vec<u8>,
    index: u32,
) -> usize {
    let n_bytes = bytes.len();
    let data = FontData::from_blob(Arc::new(bytes), index);
    let mut alone = FontDefinitions::empty();
    alone.font_data.insert(name.to_owned(), Arc::new(data.clone()));
    alone
        .families
        .insert(FontFamily::Proportional, vec![name.to_owned()]);
    let still_missing = missing_in(alone, wanted);
    if still_missing.len() == wanted.len() {
        return 0;
    }
    *wanted = still_missing;
    found.inserts.push(FontInsert {
        name: name.to_owned(),
        data,
        families: families()
            .into_iter()
            .map(|(family, _)| egui::InsertFontFamily {
                family,
                priority: egui::FontPriority::Lowest,
            })
            .collect(),
    });
    n_bytes
}

fn missing_in(fonts: FontDefinitions, scripts: &[Script]) -> Vec<Script> {
    let mut fonts = Fonts::new(TextOptions::default(), fonts);
    let font = regular(12.0);
    scripts
        .iter()
        .copied()
        .filter(|script| !fonts.has_glyph(&font, script.sample))
        .collect()
}

/// Adds what was found as the last fallback of every family.
pub fn add_system_fonts(ctx: &Context, found: SystemFonts) {
    for insert in found.inserts {
        ctx.add_font(insert);
    }
}

/// Characters of `sample` that no font draws, by script where it is known. Asks the fonts: at most a few hundred
/// characters, and only when the sample changed.
pub fn scripts_without_font(ctx: &Context, sample: &BTreeSet<char>) -> Option<String> {
    let font: FontId = regular(12.0);
    let undrawn: BTreeSet<char> = ctx.fonts_mut(|fonts| {
        sample
            .iter()
            .copied()
            .filter(|c| !c.is_control() && !is_invisible(*c) && !fonts.has_glyph(&font, *c))
            .collect()
    });
    let first = undrawn.first()?;
    let names: BTreeSet<&str> = undrawn.iter().filter_map(|c| block_of(*c)).collect();
    let what = if names.is_empty() {
        format!("U+{:04X}", u32::from(*first))
    } else {
        names.into_iter().collect::<Vec<_>>().join(", ")
    };
    Some(format!("no installed font shows {what}"))
}

/// Joiners, direction marks and variation selectors have no picture of their own.
fn is_invisible(c: char) -> bool {
    matches!(u32::from(c), 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0xFE00..=0xFE0F | 0xFEFF)
}

fn block_of(c: char) -> Option<&'static str> {
    Some(match u32::from(c) {
        0x0530..=0x058F => "Armenian",
        0x0590..=0x05FF => "Hebrew",
        0x0600..=0x06FF | 0x0750..=0x077F => "Arabic",
        0x0900..=0x097F => "Devanagari",
        0x0980..=0x09FF => "Bengali",
        0x0B80..=0x0BFF => "Tamil",
        0x0C00..=0x0C7F => "Telugu",
        0x0E00..=0x0E7F => "Thai",
        0x10A0..=0x10FF => "Georgian",
        0x1200..=0x137F => "Ethiopic",
        0x3040..=0x30FF => "Japanese kana",
        0x3400..=0x9FFF => "Chinese characters",
        0xAC00..=0xD7AF => "Korean",
        0x1F300..=0x1FAFF => "Emoji",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{SCRIPTS, block_of, definitions, missing_in};

    #[test]
    fn the_built_in_faces_lack_japanese_and_a_missing_script_is_named() {
        let missing = missing_in(definitions(), &SCRIPTS);
        assert!(missing.iter().any(|script| script.name == "Japanese kana"));
        assert!(!missing.iter().any(|script| script.name == "Mathematics"));
        assert_eq!(block_of('看'), Some("Chinese characters"));
    }
}
