//! The colours of both themes, once: the window, pictures in files and reports all take them from here.

/// What a mark means. Never shown by colour alone: a word, a place or a shape says it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tone {
    #[default]
    Data,
    Accent,
    Good,
    Warn,
    Bad,
    /// Lines that help to read, such as a median.
    Text,
    /// What stands behind, such as an even distribution.
    Weak,
    /// One of several of the same kind, such as a host. They repeat after six. Blues, violets and greys of different lightness,
    /// in the light theme 3 : 1 against a card: none is taken for a warning or an error, and eyes without red, green or blue
    /// cones tell them apart.
    Series(u8),
}

/// Colours of one theme as 0xRRGGBB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    pub background: u32,
    pub panel: u32,
    pub card: u32,
    pub line: u32,
    /// A line that must be seen against its surroundings.
    pub edge: u32,
    pub selection: u32,
    pub text: u32,
    pub weak: u32,
    /// For decoration only: too pale to carry a message.
    pub faint: u32,
    pub accent: u32,
    /// Text on a surface of the accent colour.
    pub on_accent: u32,
    pub data: u32,
    pub good: u32,
    pub warn: u32,
    pub bad: u32,
    pub series: [u32; 6],
}

pub const DARK: Palette = Palette {
    background: 0x0016_181d,
    panel: 0x001c_1f26,
    card: 0x0022_262f,
    line: 0x002e_333e,
    edge: 0x004a_5262,
    selection: 0x002b_3340,
    text: 0x00e6_e8ec,
    weak: 0x009a_a3b2,
    faint: 0x006b_7484,
    accent: 0x00f2_a33a,
    on_accent: 0x0016_181d,
    data: 0x0056_b4e9,
    good: 0x0058_c08c,
    warn: 0x00e0_a83a,
    bad: 0x00f0_806c,
    series: [
        0x0056_b4e9,
        0x00c9_4dff,
        0x00d6_fff9,
        0x004b_79bd,
        0x0089_91a2,
        0x0023_e4d1,
    ],
};

pub const LIGHT: Palette = Palette {
    background: 0x00f4_f5f7,
    panel: 0x00ff_ffff,
    card: 0x00fb_fbfc,
    line: 0x00df_e3e8,
    edge: 0x00b4_bcc8,
    selection: 0x00e8_eef6,
    text: 0x001c_2430,
    weak: 0x005b_6675,
    faint: 0x008a_94a3,
    accent: 0x009a_5700,
    on_accent: 0x00ff_ffff,
    data: 0x001b_6fa8,
    good: 0x0017_7245,
    warn: 0x008a_5d00,
    bad: 0x00b9_3a26,
    series: [
        0x001b_6fa8,
        0x00b3_76f0,
        0x0031_3f4c,
        0x0028_9f9d,
        0x0068_158a,
        0x0066_5868,
    ],
};

impl Palette {
    pub fn of(&self, tone: Tone) -> u32 {
        match tone {
            Tone::Data => self.data,
            Tone::Accent => self.accent,
            Tone::Good => self.good,
            Tone::Warn => self.warn,
            Tone::Bad => self.bad,
            Tone::Text => self.text,
            Tone::Weak => self.weak,
            Tone::Series(n) => {
                let at = usize::from(n) % self.series.len();
                self.series.get(at).copied().unwrap_or(self.data)
            }
        }
    }

    /// A step of a colour scale, 0..=1. The lightness alone tells steps apart, so it is safe for every eye.
    pub fn level(&self, tone: Tone, level: f32) -> u32 {
        mix(self.line, self.of(tone), 0.25 + 0.75 * level.clamp(0.0, 1.0))
    }

    /// Black or white, whichever is read more easily on `fill`.
    pub fn text_on(fill: u32) -> u32 {
        let [_, r, g, b] = fill.to_be_bytes().map(f32::from);
        if 0.299 * r + 0.587 * g + 0.114 * b > 140.0 {
            0x0014_1414
        } else {
            0x00f5_f5f5
        }
    }
}

/// `share` (0..=1) of `to` over `from`.
pub fn mix(from: u32, to: u32, share: f32) -> u32 {
    let (from, to) = (from.to_be_bytes(), to.to_be_bytes());
    let mut mixed = [0; 4];
    for (mixed, (from, to)) in mixed.iter_mut().zip(from.into_iter().zip(to)) {
        let value = f32::from(from) + (f32::from(to) - f32::from(from)) * share;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between two bytes"
        )]
        let byte = value.round() as u8;
        *mixed = byte;
    }
    u32::from_be_bytes(mixed)
}

#[cfg(test)]
mod tests {
    use super::{DARK, LIGHT, Palette, Tone, mix};

    #[test]
    fn levels_go_from_near_the_line_to_the_full_colour() {
        assert_eq!(mix(0x0000_0000, 0x0064_32ff, 0.5), 0x0032_1980);
        for palette in [&DARK, &LIGHT] {
            assert_eq!(palette.level(Tone::Data, 1.0), palette.data);
            assert_ne!(palette.level(Tone::Data, 0.0), palette.line);
        }
    }

    /// As an eye without one kind of cones sees a colour, in linear light. Source: Machado, Oliveira and Fernandes, 2009.
    const EYES: [[[f64; 3]; 3]; 4] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ];

    fn through(matrix: &[[f64; 3]; 3], color: [f64; 3]) -> [f64; 3] {
        matrix.map(|row| row[0] * color[0] + row[1] * color[1] + row[2] * color[2])
    }

    fn linear(color: u32) -> [f64; 3] {
        let [_, rgb @ ..] = color.to_be_bytes();
        rgb.map(|byte| {
            let value = f64::from(byte) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        })
    }

    /// How far two colours are apart in Oklab. Source: Ottosson, "A perceptual color space", 2020.
    fn apart(eye: &[[f64; 3]; 3], a: u32, b: u32) -> f64 {
        const CONES: [[f64; 3]; 3] = [
            [0.412_221, 0.536_333, 0.051_446],
            [0.211_903, 0.680_700, 0.107_397],
            [0.088_302, 0.281_719, 0.629_979],
        ];
        const LAB: [[f64; 3]; 3] = [
            [0.210_454, 0.793_618, -0.004_072],
            [1.977_998, -2.428_592, 0.450_594],
            [0.025_904, 0.782_772, -0.808_676],
        ];
        let lab = |color| {
            let seen = through(eye, linear(color)).map(|value| value.clamp(0.0, 1.0));
            through(&LAB, through(&CONES, seen).map(f64::cbrt))
        };
        let (a, b) = (lab(a), lab(b));
        (0..3).map(|n| (a[n] - b[n]).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn the_colours_of_a_series_are_told_from_one_another_and_from_warnings_by_every_eye() {
        for palette in [&DARK, &LIGHT] {
            for eye in &EYES {
                for (n, color) in palette.series.iter().enumerate() {
                    for other in &palette.series[..n] {
                        assert!(apart(eye, *color, *other) > 0.1, "{color:06x} {other:06x}");
                    }
                    for meaning in [palette.warn, palette.bad, palette.accent] {
                        assert!(apart(eye, *color, meaning) > 0.075, "{color:06x} {meaning:06x}");
                    }
                }
            }
        }
    }

    /// Relative luminance against one another. Source: WCAG 2.1.
    fn contrast(a: u32, b: u32) -> f64 {
        let luminance = |color| {
            let [r, g, b] = linear(color);
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let (a, b): (f64, f64) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_colour_of_a_chart_is_seen_against_what_is_behind_it() {
        // WCAG 2.1, 1.4.11 asks for 3 : 1 of graphics; on dark, thin parts of bars need more than the least.
        for (palette, least) in [(&DARK, 3.4), (&LIGHT, 3.0)] {
            let meanings = [
                palette.data,
                palette.good,
                palette.warn,
                palette.bad,
                palette.accent,
            ];
            for color in palette.series.into_iter().chain(meanings) {
                for behind in [palette.panel, palette.card] {
                    let ratio = contrast(color, behind);
                    assert!(ratio >= least, "{color:06x} on {behind:06x}: {ratio:.2}");
                }
            }
        }
    }

    #[test]
    fn the_six_colours_of_a_series_differ_and_then_repeat() {
        for palette in [&DARK, &LIGHT] {
            let mut seen = palette.series.to_vec();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), 6);
            assert_eq!(palette.of(Tone::Series(7)), palette.of(Tone::Series(1)));
        }
        assert_eq!(Palette::text_on(0x00ff_ffff), 0x0014_1414);
        assert_eq!(Palette::text_on(0x0010_2030), 0x00f5_f5f5);
    }
}
