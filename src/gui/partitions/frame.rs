//! What charts share: axes that start at zero, with round numbers.

use egui::{Align2, Painter, Rect, Stroke, pos2};

use crate::gui::theme::{Colors, size, small, space};

/// Room for the numbers at the left of a chart.
pub const AXIS_WIDTH: f32 = 52.0;

/// Round values from zero to at least `max`, about four of them.
pub fn ticks(max: f64) -> Vec<f64> {
    if max.is_nan() || max <= 0.0 {
        return vec![0.0, 1.0];
    }
    let raw = max / 4.0;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= raw)
        .unwrap_or(10.0 * power)
        .max(f64::MIN_POSITIVE);
    let mut ticks = vec![0.0];
    let mut value = step;
    while ticks.len() < 12 {
        ticks.push(value);
        if value >= max {
            break;
        }
        value += step;
    }
    ticks
}

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
    use super::{log_ticks, ticks};

    #[test]
    fn axes_start_at_zero_and_reach_the_largest_value_in_round_steps() {
        assert_eq!(ticks(5.6), [0.0, 2.0, 4.0, 6.0]);
        assert_eq!(ticks(412.0), [0.0, 200.0, 400.0, 600.0]);
        assert_eq!(ticks(0.0), [0.0, 1.0]);
        assert_eq!(ticks(f64::NAN), [0.0, 1.0]);
        assert_eq!(log_ticks(5_000.0), [1.0, 10.0, 100.0, 1000.0, 10_000.0]);
    }
}
