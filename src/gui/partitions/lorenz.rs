//! The Lorenz curve: how much of the bytes the smallest partitions hold. The further below the diagonal, the more skewed.

use egui::{Align2, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, pos2, vec2};

use super::frame::AXIS_WIDTH;
use crate::base::units;
use crate::chart::lorenz_picture;
use crate::gui::listed::ListedDataset;
use crate::gui::plot::made_picture_menu;
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, colors, size, small, space};
use crate::gui::widgets::{badge, card_with_head};

const HEIGHT: f32 = 132.0;
const MAX_POINTS: usize = 600;

pub fn lorenz_card(ui: &mut Ui, dataset: &ListedDataset, commands: &mut Commands) {
    card_with_head(
        ui,
        "Lorenz curve",
        |ui| {
            if let Some(effective) = dataset.lorenz.effective_partitions {
                let n = dataset.skew.metrics.n_partitions;
                let text = format!("behaves like {effective:.1} of {n} {}", dataset.unit());
                badge(ui, Tone::Plain, &text)
                    .on_hover_text("Effective partitions: 1 / Σp², where p is each one's share of the bytes");
            }
        },
        |ui| {
            let picture = || lorenz_picture(&dataset.lorenz, dataset.unit(), &dataset.picture_note());
            made_picture_menu(ui, "Lorenz curve", picture, commands);
        },
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
            // More points than the card is wide would only cost time.
            let every = (dataset.lorenz.points.len() / MAX_POINTS).max(1);
            let last = dataset.lorenz.points.last().filter(|_| every > 1);
            #[allow(
                clippy::cast_possible_truncation,
                reason = "shares become positions on the screen"
            )]
            let points: Vec<Pos2> = dataset
                .lorenz
                .points
                .iter()
                .step_by(every)
                .chain(last)
                .map(|(x, y)| at((*x as f32, *y as f32)))
                .collect();
            ui.painter()
                .add(Shape::line(points, Stroke::new(size::UNDERLINE, c.accent)));
            for (y, text) in [(0.0, "0"), (0.5, "50%"), (1.0, "100%")] {
                if y > 0.0 {
                    let line = Stroke::new(size::LINE, c.line);
                    ui.painter().hline(plot.x_range(), at((0.0, y)).y, line);
                }
                ui.painter().text(
                    pos2(plot.left() - 6.0, at((0.0, y)).y),
                    Align2::RIGHT_CENTER,
                    text,
                    small(),
                    c.weak,
                );
            }
            if points_are_few(dataset) {
                ui.painter().text(
                    plot.center(),
                    Align2::CENTER_CENTER,
                    "A curve needs two partitions with bytes",
                    small(),
                    c.weak,
                );
            }
            let n = dataset.lorenz.points.len().saturating_sub(1) as u64;
            let end = format!("100% of {} {}, smallest first", units::count(n), dataset.unit());
            let below = |x: f32, align: Align2, text: &str| {
                let y = rect.bottom() - 7.0;
                ui.painter().text(pos2(x, y), align, text, small(), c.weak);
            };
            below(plot.left(), Align2::CENTER_CENTER, "0");
            // Without room the middle would touch the words at the end.
            if plot.width() > 430.0 {
                below(plot.center().x, Align2::CENTER_CENTER, "50%");
            }
            below(plot.right(), Align2::RIGHT_CENTER, &end);
            ui.painter().text(
                plot.left_top() + vec2(space::SM, 2.0),
                Align2::LEFT_TOP,
                "of all bytes",
                small(),
                c.weak,
            );
            hover_ui(ui, dataset, plot, &response);
        },
    );
}

/// One partition is a straight line, which says nothing.
fn points_are_few(dataset: &ListedDataset) -> bool {
    dataset.lorenz.points.len() < 3
}

/// The exact shares below the pointer.
fn hover_ui(ui: &Ui, dataset: &ListedDataset, plot: Rect, response: &Response) {
    let points = &dataset.lorenz.points;
    let Some(at) = response.hover_pos().filter(|_| !points_are_few(dataset)) else {
        return;
    };
    let x = f64::from(((at.x - plot.left()) / plot.width()).clamp(0.0, 1.0));
    let index = points.partition_point(|(share, _)| *share < x);
    let Some((share, of_bytes)) = points.get(index.min(points.len() - 1)) else {
        return;
    };
    #[expect(clippy::cast_possible_truncation, reason = "positions on the screen")]
    let place = pos2(
        plot.left() + plot.width() * *share as f32,
        plot.bottom() - plot.height() * *of_bytes as f32,
    );
    ui.painter().circle_filled(place, 3.0, colors(ui).accent);
    response.clone().on_hover_ui_at_pointer(|ui| {
        ui.label(format!(
            "The smallest {} of {} hold {} of the bytes",
            units::percent(*share),
            dataset.unit(),
            units::percent(*of_bytes)
        ));
        ui.label("The dashed line is an even lake. The area between the lines is half the Gini coefficient.");
    });
}
