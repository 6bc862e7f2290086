//! The loads of a remedy as a small picture: partitions from the largest to the smallest, now and after.

use egui::{Color32, Response, Role, Sense, Ui, WidgetInfo, vec2};

use crate::gui::theme::{colors, size};
use crate::profile::keys::SimulatedPartitions;

/// Room that the picture takes.
pub(super) const STRIP_WIDTH: f32 = 220.0;
const HEIGHT: f32 = 44.0;
/// One a point.
const MAX_COLUMNS: usize = 220;

/// A square of the colour that a row of figures has in the picture beside it.
pub(super) fn square(ui: &mut Ui, color: Color32) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(8.0, size::ICON), Sense::hover());
    let mark = egui::Rect::from_center_size(rect.center(), vec2(8.0, 8.0));
    ui.painter().rect_filled(mark, 2.0, color);
    response
}

/// Both sets of loads, sorted, on one scale from zero; what is after stands in front of what is now.
pub(super) fn loads_strip(ui: &mut Ui, now: &SimulatedPartitions, after: &[u64]) -> Response {
    let c = colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(STRIP_WIDTH, HEIGHT), Sense::hover());
    let largest = |loads: &[u64]| loads.iter().copied().max().unwrap_or(0);
    let words = format!(
        "Loads from the largest partition to the smallest, from zero: at most {} now, {} after",
        now.weight.words(largest(&now.loads)),
        now.weight.words(largest(after))
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &words));
    let top = largest(&now.loads).max(largest(after));
    if top == 0 {
        return response.on_hover_text(words);
    }
    let painter = ui.painter().with_clip_rect(rect);
    for (loads, color) in [(now.loads.as_slice(), c.faint), (after, c.data)] {
        let heights = sorted_columns(loads, MAX_COLUMNS);
        let width = STRIP_WIDTH / heights.len().max(1) as f32;
        for (at, load) in heights.iter().enumerate() {
            // A partition with rows is seen, however few they are beside the largest.
            let least = if *load > 0 { 1.0 } else { 0.0 };
            let height = (HEIGHT * (*load as f32 / top as f32)).max(least);
            let left = rect.left() + at as f32 * width;
            let bar = egui::Rect::from_min_max(
                egui::pos2(left, rect.bottom() - height),
                egui::pos2(left + width, rect.bottom()),
            );
            painter.rect_filled(bar, 0.0, color);
        }
    }
    painter.hline(
        rect.x_range(),
        rect.bottom() - size::LINE / 2.0,
        egui::Stroke::new(size::LINE, c.edge),
    );
    response.on_hover_text(words)
}

/// Loads from the largest down, in at most `n` columns: where there are more partitions, each shows the largest of its own.
fn sorted_columns(loads: &[u64], n: usize) -> Vec<u64> {
    let mut sorted = loads.to_vec();
    sorted.sort_unstable_by_key(|load| std::cmp::Reverse(*load));
    let each = sorted.len().div_ceil(n.max(1)).max(1);
    sorted.iter().step_by(each).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::sorted_columns;

    #[test]
    fn columns_hold_the_largest_of_their_partitions_and_all_have_one_width() {
        assert_eq!(sorted_columns(&[1, 9, 4], 10), [9, 4, 1]);
        assert_eq!(sorted_columns(&[5, 1, 2, 8, 3], 2), [8, 2]);
        assert!(sorted_columns(&[], 10).is_empty());
    }
}
