//! Draws a picture to a file, as SVG or PNG, by plotters. The same layout makes both.

mod fonts;
mod layout;
mod marks;
mod shapes;

pub use fonts::{INTER, INTER_SEMIBOLD};

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use thiserror::Error;

use super::palette::Palette;
use super::picture::Picture;
use shapes::{Surface, paint};

/// A picture could not be drawn.
#[derive(Debug, Error)]
pub enum DrawError {
    /// A text could not be drawn, or the drawer refused a shape.
    #[error("the picture could not be drawn: {reason}")]
    Draw { reason: String },
    /// The pixels could not be encoded.
    #[error("the picture could not be encoded as PNG: {0}")]
    Png(#[from] png::EncodingError),
}

/// The size of a picture in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureSize {
    pub width: u32,
    pub height: u32,
}

impl PictureSize {
    /// The usual width, and the height that the picture asks for.
    pub fn of(picture: &Picture) -> Self {
        let usual = Self::default();
        Self {
            height: picture.height.unwrap_or(usual.height),
            ..usual
        }
    }
}

impl Default for PictureSize {
    /// Fits a page and a slide.
    fn default() -> Self {
        Self {
            width: 960,
            height: 420,
        }
    }
}

/// Pixels of a PNG to a CSS pixel, so that it is sharp on dense screens and in print.
const SCALE: u32 = 2;
/// A PNG is no wider or higher than this.
const MAX_SIDE: u32 = 4096;

/// The picture as an SVG document with a title and its description in words.
///
/// # Errors
/// [`DrawError::Draw`] when plotters refuses a shape.
pub fn svg(picture: &Picture, size: PictureSize, palette: &Palette) -> Result<String, DrawError> {
    let shapes = layout::shapes(picture, size, palette);
    let mut text = String::new();
    {
        let mut backend = SVGBackend::with_string(&mut text, (size.width, size.height));
        let mut surface = Surface::new(&mut backend, 1, shapes::SVG_BASELINE);
        paint(&mut surface, &shapes)?;
        backend.present().map_err(|error| draw_error(&error))?;
    }
    Ok(described(&text, picture))
}

/// Names the picture for assistive technology, which plotters has no call for.
fn described(svg: &str, picture: &Picture) -> String {
    let Some((head, body)) = svg.split_once('>') else {
        return svg.to_owned();
    };
    format!(
        "{head} role=\"img\">\n<title>{}</title>\n<desc>{}</desc>{body}",
        escaped(&picture.title),
        escaped(&picture.in_words())
    )
}

/// A text as XML and HTML take it, also inside quotes. Characters that XML does not allow are replaced.
///
/// ```
/// assert_eq!(skewer::chart::draw::escaped("<b a='1'>"), "&lt;b a=&#39;1&#39;&gt;");
/// ```
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in shapes::visible(text).chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// The picture as a PNG with two pixels to a CSS pixel.
///
/// # Errors
/// [`DrawError::Draw`] when plotters refuses a shape, [`DrawError::Png`] when the encoder does.
pub fn png(picture: &Picture, size: PictureSize, palette: &Palette) -> Result<Vec<u8>, DrawError> {
    let size = PictureSize {
        width: size.width.clamp(1, MAX_SIDE / SCALE),
        height: size.height.clamp(1, MAX_SIDE / SCALE),
    };
    let shapes = layout::shapes(picture, size, palette);
    let (width, height) = (size.width * SCALE, size.height * SCALE);
    let mut pixels = vec![0; width as usize * height as usize * 3];
    {
        let mut backend = BitMapBackend::with_buffer(&mut pixels, (width, height));
        let mut surface = Surface::new(&mut backend, SCALE, shapes::BITMAP_BASELINE);
        paint(&mut surface, &shapes)?;
        backend.present().map_err(|error| draw_error(&error))?;
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(file)
}

fn draw_error(error: &impl std::error::Error) -> DrawError {
    DrawError::Draw {
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests;
