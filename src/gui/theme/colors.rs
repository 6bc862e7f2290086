//! The two tables of colours, by meaning.

use egui::Color32;

use super::Tone;

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

const fn rgb(hex: u32) -> Color32 {
    let [_, r, g, b] = hex.to_be_bytes();
    Color32::from_rgb(r, g, b)
}

pub const DARK: Colors = Colors {
    background: rgb(0x0016_181d),
    panel: rgb(0x001c_1f26),
    card: rgb(0x0022_262f),
    line: rgb(0x002e_333e),
    edge: rgb(0x004a_5262),
    selection: rgb(0x002b_3340),
    text: rgb(0x00e6_e8ec),
    weak: rgb(0x009a_a3b2),
    faint: rgb(0x006b_7484),
    accent: rgb(0x00f2_a33a),
    on_accent: rgb(0x0016_181d),
    data: rgb(0x0056_b4e9),
    good: rgb(0x0058_c08c),
    warn: rgb(0x00e0_a83a),
    bad: rgb(0x00f0_806c),
};

pub const LIGHT: Colors = Colors {
    background: rgb(0x00f4_f5f7),
    panel: rgb(0x00ff_ffff),
    card: rgb(0x00fb_fbfc),
    line: rgb(0x00df_e3e8),
    edge: rgb(0x00b4_bcc8),
    selection: rgb(0x00e8_eef6),
    text: rgb(0x001c_2430),
    weak: rgb(0x005b_6675),
    faint: rgb(0x008a_94a3),
    accent: rgb(0x009a_5700),
    on_accent: rgb(0x00ff_ffff),
    data: rgb(0x001b_6fa8),
    good: rgb(0x0017_7245),
    warn: rgb(0x008a_5d00),
    bad: rgb(0x00b9_3a26),
};

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
