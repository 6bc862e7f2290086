//! The faces that come with the program, for pictures and for the window.

use std::sync::OnceLock;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

pub const INTER: &[u8] = include_bytes!("../../../assets/fonts/Inter-Regular.otf");
pub const INTER_SEMIBOLD: &[u8] = include_bytes!("../../../assets/fonts/Inter-SemiBold.otf");

/// What an SVG names, so that a machine without Inter shows something alike.
const FAMILY: &str = "Inter, 'Helvetica Neue', Arial, sans-serif";

/// plotters takes the height of a line, which is this many times the size of a font in CSS.
const LINE_HEIGHT: f64 = 1.24;

/// A face at a size in CSS pixels. Registered with plotters at first use.
pub(super) fn face(size: f64, is_bold: bool) -> FontDesc<'static> {
    static REGISTERED: OnceLock<()> = OnceLock::new();
    REGISTERED.get_or_init(|| {
        for (style, bytes) in [(FontStyle::Normal, INTER), (FontStyle::Bold, INTER_SEMIBOLD)] {
            // A face that cannot be read shows as an error of the first text that is drawn.
            drop(register_font(FAMILY, style, bytes));
        }
    });
    let style = if is_bold {
        FontStyle::Bold
    } else {
        FontStyle::Normal
    };
    FontDesc::new(FontFamily::Name(FAMILY), size * LINE_HEIGHT, style)
}

/// Width of a text in CSS pixels.
pub(super) fn width(text: &str, size: f64, is_bold: bool) -> f64 {
    // Measured large, because plotters rounds to whole pixels.
    const FINER: f64 = 8.0;
    face(size * FINER, is_bold)
        .box_size(text)
        .map_or(0.0, |(width, _)| f64::from(width) / FINER)
}

/// The text, shortened to `most` pixels.
pub(super) fn shortened(text: &str, size: f64, most: f64) -> String {
    crate::chart::labels::shortened(text, most, &|text| width(text, size, false))
}

#[cfg(test)]
mod tests {
    use super::{shortened, width};

    #[test]
    fn texts_have_widths_and_long_ones_are_cut() {
        let narrow = width("iii", 12.0, false);
        let wide = width("WWW", 12.0, false);
        assert!(narrow > 4.0 && wide > 2.0 * narrow, "{narrow} {wide}");
        let text = shortened("a rather long name of a key", 12.0, 60.0);
        assert!(text.ends_with('…') && width(&text, 12.0, false) <= 60.0, "{text}");
    }
}
