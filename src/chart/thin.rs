//! Which marks are drawn where there are more marks than pixels: those that are seen. A hundred thousand bars then cost no
//! more than a thousand, and no peak is lost.

use super::picture::LayerKind;

/// Height of the frame where a bar is missing, in pixels.
pub const LOW_FRAME: f32 = 5.0;

/// A mark on the drawer's surface, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// Its place in the layer.
    pub index: usize,
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Placed {
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    fn area(&self) -> f64 {
        self.width() * self.height()
    }
}

/// Keeps marks that differ on the surface: of bars that share a pixel the longest, of points on one pixel the last, of the
/// corners of a line in one column the first, highest, lowest and last. `is_lying` says that bars lie.
pub fn thin(kind: LayerKind, is_lying: bool, placed: Vec<Placed>) -> Vec<Placed> {
    match kind {
        LayerKind::Line { .. } | LayerKind::Area => corners(&placed),
        LayerKind::Points => last_on_each_pixel(placed),
        LayerKind::Bars if is_lying => longest(placed, |mark| (mark.top, mark.height())),
        LayerKind::Bars => longest(placed, |mark| (mark.left, mark.width())),
        LayerKind::Cells => seen_cells(placed),
    }
}

fn pixel(at: f64) -> i64 {
    #[allow(clippy::cast_possible_truncation, reason = "a position on the screen")]
    let pixel = at.floor() as i64;
    pixel
}

fn longest(placed: Vec<Placed>, along: impl Fn(&Placed) -> (f64, f64)) -> Vec<Placed> {
    let mut kept: Vec<Placed> = Vec::with_capacity(placed.len().min(4096));
    for mark in placed {
        let (at, thickness) = along(&mark);
        match kept.last_mut() {
            Some(last) if thickness < 1.0 && pixel(along(last).0) == pixel(at) => {
                if mark.area() / thickness.max(1e-9) > last.area() / along(last).1.max(1e-9) {
                    *last = mark;
                }
            }
            _ => kept.push(mark),
        }
    }
    kept
}

fn corners(placed: &[Placed]) -> Vec<Placed> {
    const MOST_IN_COLUMN: usize = 4;
    let mut kept = Vec::with_capacity(placed.len().min(8192));
    for column in placed.chunk_by(|a, b| pixel(a.right) == pixel(b.right)) {
        if column.len() <= MOST_IN_COLUMN {
            kept.extend_from_slice(column);
            continue;
        }
        let by_height = |a: &(usize, &Placed), b: &(usize, &Placed)| a.1.top.total_cmp(&b.1.top);
        let highest = column.iter().enumerate().min_by(by_height).map(|(at, _)| at);
        let lowest = column.iter().enumerate().max_by(by_height).map(|(at, _)| at);
        let mut chosen = [Some(0), highest, lowest, Some(column.len() - 1)];
        chosen.sort_unstable();
        let mut last = None;
        for at in chosen.into_iter().flatten() {
            if last != Some(at) {
                kept.extend(column.get(at));
            }
            last = Some(at);
        }
    }
    kept
}

fn last_on_each_pixel(placed: Vec<Placed>) -> Vec<Placed> {
    // Fewer points than this are drawn faster than they are sorted out.
    const FEW: usize = 2000;
    if placed.len() <= FEW {
        return placed;
    }
    let mut seen = std::collections::HashSet::new();
    let mut kept: Vec<Placed> = placed
        .into_iter()
        .rev()
        .filter(|mark| seen.insert((pixel(mark.right), pixel(mark.top))))
        .collect();
    kept.reverse();
    kept
}

/// Cells smaller than a pixel are one cell to the eye.
fn seen_cells(placed: Vec<Placed>) -> Vec<Placed> {
    let mut seen = std::collections::HashSet::new();
    placed
        .into_iter()
        .filter(|mark| {
            mark.width() >= 1.0
                || mark.height() >= 1.0
                    && seen.insert((pixel(mark.left), pixel(mark.top), pixel(mark.bottom)))
                || seen.insert((pixel(mark.left), pixel(mark.top), pixel(mark.top)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{LayerKind, Placed, thin};

    fn bar(index: usize, left: f64, width: f64, height: f64) -> Placed {
        Placed {
            index,
            left,
            top: 100.0 - height,
            right: left + width,
            bottom: 100.0,
        }
    }

    fn kept(kind: LayerKind, placed: Vec<Placed>) -> Vec<usize> {
        thin(kind, false, placed)
            .into_iter()
            .map(|mark| mark.index)
            .collect()
    }

    #[test]
    fn of_bars_on_one_pixel_the_tallest_stays() {
        let narrow = (0..10)
            .map(|n| bar(n, n as f64 * 0.25, 0.2, if n == 2 { 90.0 } else { 10.0 }))
            .collect();
        assert_eq!(kept(LayerKind::Bars, narrow), [2, 4, 8]);
        let wide = (0..10).map(|n| bar(n, n as f64 * 4.0, 3.0, 10.0)).collect();
        assert_eq!(kept(LayerKind::Bars, wide), (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn a_line_keeps_its_peaks_in_order() {
        let line = (0..100)
            .map(|n| {
                bar(
                    n,
                    0.0,
                    n as f64 * 0.01,
                    if n == 40 { 90.0 } else { 50.0 - n as f64 * 0.1 },
                )
            })
            .collect();
        assert_eq!(kept(LayerKind::Line { is_dashed: false }, line), [0, 40, 99]);
    }

    #[test]
    fn the_point_in_front_stays() {
        let points = (0..5000).map(|n| bar(n, 0.0, (n % 10) as f64, 0.0)).collect();
        assert_eq!(kept(LayerKind::Points, points), (4990..5000).collect::<Vec<_>>());
    }
}
