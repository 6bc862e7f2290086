//! The Lorenz curve: how much of the bytes the smallest partitions hold. The further below the diagonal, the more skewed.

use egui::{Align2, Pos2, Rect, Sense, Shape, Stroke, Ui, pos2, vec2};

use super::frame::AXIS_WIDTH;
use crate::gui::listed::ListedDataset;
use crate::gui::theme::{Tone, colors, size, small, space};
use crate::gui::widgets::{badge, card_with_head};

const HEIGHT: f32 = 132.0;

pub fn lorenz_card(ui: &mut Ui, dataset: &ListedDataset) {
    card_with_head(
        ui,
        "Lorenz curve",
        |ui| {
            let text = format!("share of bytes by share of {}", dataset.unit());
            badge(ui, Tone::Plain, &text);
        },
        |_| {},
        |ui| {
            let c = colors(ui);
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
            let plot = Rect::from_min_max(
                pos2(rect.left() + AXIS_WIDTH - 16.0, rect.top() + space::SM),
                pos2(rect.right() - space::MD, rect.bottom() - 20.0),
            );
            let at =
                |(x, y): (f32, f32)| pos2(plot.left() + plot.width() * x, plot.bottom() - plot.height() * y);
            let axis = Stroke::new(size::LINE, c.edge);
            ui.painter().hline(plot.x_range(), plot.bottom(), axis);
            ui.painter().vline(plot.left(), plot.y_range(), axis);
            let even = [at((0.0, 0.0)), at((1.0, 1.0))];
            ui.painter().extend(Shape::dashed_line(
                &even,
                Stroke::new(size::LINE, c.weak),
                3.0,
                3.0,
            ));
            #[allow(
                clippy::cast_possible_truncation,
                reason = "shares become positions on the screen"
            )]
            let points: Vec<Pos2> = dataset
                .lorenz
                .points
                .iter()
                .map(|(x, y)| at((*x as f32, *y as f32)))
                .collect();
            ui.painter()
                .add(Shape::line(points, Stroke::new(size::UNDERLINE, c.accent)));
            for (y, text) in [(0.0, "0"), (1.0, "100%")] {
                ui.painter().text(
                    pos2(plot.left() - 6.0, at((0.0, y)).y),
                    Align2::RIGHT_CENTER,
                    text,
                    small(),
                    c.weak,
                );
            }
            ui.painter().text(
                pos2(plot.right(), rect.bottom() - 7.0),
                Align2::RIGHT_CENTER,
                format!(
                    "smallest to largest of {} {}",
                    dataset.lorenz.points.len().saturating_sub(1),
                    dataset.unit()
                ),
                small(),
                c.weak,
            );
            response.on_hover_text(
                "The dashed line is an even lake. The area between the lines is half the Gini coefficient.",
            );
        },
    );
}
