//! What charts share: their grid lines, and the ticks of a logarithmic axis.

use egui::{Align2, Painter, Rect, Stroke, pos2};

use crate::gui::theme::{Colors, size, small, space};

/// Room for the numbers at the left of a chart.
pub const AXIS_WIDTH: f32 = 52.0;

/// Powers of ten from one to at least `max`, for a logarithmic axis; every second or third one on a long axis.
pub fn log_ticks(max: f64) -> Vec<f64> {
    let top = max.max(10.0).log10().ceil();
    let every = (top / 5.0).ceil().max(1.0);
    let mut ticks = Vec::new();
    let mut exponent = 0.0;
    while exponent < top + every {
        ticks.push(10f64.powf(exponent));
        exponent += every;
    }
    ticks
}

/// A line across the chart with its value at the left.
pub fn grid_line(painter: &Painter, plot: Rect, y: f32, label: &str, is_base: bool, c: &Colors) {
    let color = if is_base { c.edge } else { c.line };
    painter.hline(plot.x_range(), y, Stroke::new(size::LINE, color));
    painter.text(
        pos2(plot.left() - space::SM, y),
        Align2::RIGHT_CENTER,
        label,
        small(),
        c.weak,
    );
}

#[cfg(test)]
mod tests {
    use super::log_ticks;

    #[test]
    fn a_logarithmic_axis_starts_at_one_and_passes_the_largest_value_with_few_ticks() {
        assert_eq!(log_ticks(5_000.0), [1.0, 10.0, 100.0, 1000.0, 10_000.0]);
        let long = log_ticks(5e9);
        assert!(long.len() <= 7 && long.last() >= Some(&5e9), "{long:?}");
    }
}
