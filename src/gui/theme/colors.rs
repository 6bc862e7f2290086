//! The two tables of colours, by meaning.

use egui::Color32;

use super::Tone;
use crate::chart::palette::{self, Palette};

/// Colours of one theme.
#[derive(Debug, Clone, PartialEq)]
pub struct Colors {
    pub background: Color32,
    pub panel: Color32,
    pub card: Color32,
    pub line: Color32,
    /// A line that must be seen against its surroundings: the border of a control under the pointer.
    pub edge: Color32,
    pub selection: Color32,
    pub text: Color32,
    pub weak: Color32,
    /// For decoration only: too pale to carry a message.
    pub faint: Color32,
    pub accent: Color32,
    /// Text on a surface of the accent colour.
    pub on_accent: Color32,
    pub data: Color32,
    pub good: Color32,
    pub warn: Color32,
    pub bad: Color32,
}

/// A colour of the palette.
pub const fn rgb(hex: u32) -> Color32 {
    let [_, r, g, b] = hex.to_be_bytes();
    Color32::from_rgb(r, g, b)
}

const fn from(palette: &Palette) -> Colors {
    Colors {
        background: rgb(palette.background),
        panel: rgb(palette.panel),
        card: rgb(palette.card),
        line: rgb(palette.line),
        edge: rgb(palette.edge),
        selection: rgb(palette.selection),
        text: rgb(palette.text),
        weak: rgb(palette.weak),
        faint: rgb(palette.faint),
        accent: rgb(palette.accent),
        on_accent: rgb(palette.on_accent),
        data: rgb(palette.data),
        good: rgb(palette.good),
        warn: rgb(palette.warn),
        bad: rgb(palette.bad),
    }
}

pub const DARK: Colors = from(&palette::DARK);
pub const LIGHT: Colors = from(&palette::LIGHT);

/// The palette of pictures in the theme that `ui` is drawn in.
pub fn palette(ui: &egui::Ui) -> &'static Palette {
    if ui.visuals().dark_mode {
        &palette::DARK
    } else {
        &palette::LIGHT
    }
}

/// The colours of the theme that `ui` is drawn in.
pub fn colors(ui: &egui::Ui) -> &'static Colors {
    if ui.visuals().dark_mode { &DARK } else { &LIGHT }
}

impl Colors {
    pub fn of(&self, tone: Tone) -> Color32 {
        match tone {
            Tone::Plain => self.text,
            Tone::Weak => self.weak,
            Tone::Data => self.data,
            Tone::Accent => self.accent,
            Tone::Good => self.good,
            Tone::Warn => self.warn,
            Tone::Bad => self.bad,
        }
    }

    /// A surface behind text of this tone, such as a badge.
    pub fn surface(&self, tone: Tone) -> Color32 {
        match tone {
            Tone::Plain | Tone::Weak => mix(self.panel, self.line, 0.6),
            tone => mix(self.panel, self.of(tone), 0.12),
        }
    }
}

/// `share` (0..=1) of `to` over `from`.
pub fn mix(from: Color32, to: Color32, share: f32) -> Color32 {
    from.lerp_to_gamma(to, share.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use egui::Color32;

    use super::{Colors, DARK, LIGHT};
    use crate::gui::theme::Tone;

    /// Relative luminance. Source: WCAG 2.1.
    fn luminance(color: Color32) -> f64 {
        let part = |value: u8| {
            let v = f64::from(value) / 255.0;
            if v <= 0.03928 {
                v / 12.92
            } else {
                ((v + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * part(color.r()) + 0.7152 * part(color.g()) + 0.0722 * part(color.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn check(c: &Colors) {
        let tones = [
            Tone::Plain,
            Tone::Weak,
            Tone::Data,
            Tone::Accent,
            Tone::Good,
            Tone::Warn,
            Tone::Bad,
        ];
        for surface in [c.background, c.panel, c.card, c.selection] {
            for tone in tones {
                let ratio = contrast(c.of(tone), surface);
                assert!(ratio >= 4.5, "{tone:?} on {surface:?}: {ratio:.2}");
            }
        }
        for tone in tones {
            let ratio = contrast(c.of(tone), c.surface(tone));
            assert!(ratio >= 4.5, "{tone:?} on its own surface: {ratio:.2}");
        }
        assert!(contrast(c.on_accent, c.accent) >= 4.5);
    }

    #[test]
    fn every_text_colour_is_readable_on_every_surface_of_both_themes() {
        check(&DARK);
        check(&LIGHT);
    }
}
