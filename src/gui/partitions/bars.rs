//! One bar per partition, by date with the median or by size with the even share as a dashed line; missing dates are gaps
//! with a word, spikes are red.

use egui::{Align2, Id, Pos2, Rect, Role, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::Order;
use super::frame::{AXIS_WIDTH, grid_line, log_ticks};
use crate::base::units;
use crate::chart::{Bar, Measure, Picture, partition_picture};
use crate::gui::listed::ListedDataset;
use crate::gui::theme::{Colors, colors, mix, size, small, space, strong, weak};
use crate::storage::Partition;

pub const HEIGHT: f32 = 190.0;
const LABELS_HEIGHT: f32 = 20.0;
/// Narrower bars have no gap between them.
const GAP_FROM: f32 = 4.0;

/// How the bars are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    pub measure: Measure,
    pub is_log: bool,
    pub order: Order,
}

/// Bars by their place on the screen.
#[derive(Debug, Clone, Copy)]
struct Ordered<'a> {
    bars: &'a [Bar],
    /// None for the order of partitions.
    by_size: Option<&'a [usize]>,
}

impl<'a> Ordered<'a> {
    fn len(&self) -> usize {
        self.bars.len()
    }

    fn get(&self, index: usize) -> Option<&'a Bar> {
        match self.by_size {
            Some(by_size) => self.bars.get(*by_size.get(index)?),
            None => self.bars.get(index),
        }
    }

    fn position(&self, partition: &Partition) -> Option<usize> {
        let at = self.bars.iter().position(|bar| bar.partition == *partition)?;
        match self.by_size {
            Some(by_size) => by_size.iter().position(|place| *place == at),
            None => Some(at),
        }
    }
}

/// A value's height in the chart, 0..=1.
struct Scale {
    max: f64,
    is_log: bool,
}

impl Scale {
    fn share(&self, value: f64) -> f32 {
        let share = if self.is_log {
            // The axis starts at one, where the logarithm is zero.
            value.max(1.0).log10() / self.max.max(10.0).log10()
        } else {
            value / self.max
        };
        #[allow(clippy::cast_possible_truncation, reason = "a position on the screen")]
        let share = share as f32;
        share.clamp(0.0, 1.0)
    }
}

fn label_of(value: f64, measure: Measure) -> String {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a tick between zero and the largest value"
    )]
    let whole = value as u64;
    match measure {
        Measure::Bytes if whole == 0 => "0".to_owned(),
        Measure::Bytes => units::bytes(whole),
        Measure::Files | Measure::Rows if value.fract() > 0.0 => String::new(),
        Measure::Files | Measure::Rows => units::count(whole),
    }
}

/// The chart for a file: in the order, and by the scale, that are shown.
pub fn picture(dataset: &ListedDataset, shown: Shown) -> Picture {
    let unit = dataset.unit().trim_end_matches('s');
    let note = match (&dataset.rows, shown.measure) {
        (Some(rows), Measure::Rows) => rows.accuracy.to_string(),
        _ => dataset.picture_note(),
    };
    let mut bars = dataset.bars.clone();
    if shown.order == Order::Size {
        let by_size = &dataset.bars.facts(shown.measure).by_size;
        bars.bars = by_size
            .iter()
            .filter_map(|at| dataset.bars.bars.get(*at).cloned())
            .collect();
    }
    partition_picture(&bars, shown.measure, unit, &note).with_log(shown.is_log)
}

pub fn bars_ui(
    ui: &mut Ui,
    dataset: &ListedDataset,
    shown: Shown,
    open: Option<&Partition>,
    opened: &mut Option<Partition>,
) {
    let Shown {
        measure,
        is_log,
        order,
    } = shown;
    let c = colors(ui);
    let facts = dataset.bars.facts(measure);
    let bars = Ordered {
        bars: &dataset.bars.bars,
        by_size: (order == Order::Size).then_some(facts.by_size.as_slice()),
    };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::click());
    let plot = Rect::from_min_max(
        pos2(rect.left() + AXIS_WIDTH, rect.top() + space::MD),
        pos2(rect.right() - space::XS, rect.bottom() - LABELS_HEIGHT),
    );
    let axis = &facts.axis;
    let ticks: Vec<(f64, String)> = if is_log {
        let label = |tick: f64| (tick, label_of(tick, measure));
        log_ticks(axis.max).into_iter().map(label).collect()
    } else {
        axis.ticks.clone()
    };
    let scale = Scale {
        max: ticks.last().map_or(1.0, |(tick, _)| *tick),
        is_log,
    };
    let y_of = |value: f64| plot.bottom() - plot.height() * scale.share(value);
    for (tick, label) in &ticks {
        let is_base = scale.share(*tick) <= 0.0;
        grid_line(ui.painter(), plot, y_of(*tick), label, is_base, c);
    }
    let slot = plot.width() / (bars.len().max(1) as f32);
    let slot_rect = |index: usize| {
        let left = plot.left() + slot * index as f32;
        Rect::from_min_max(pos2(left, plot.top()), pos2(left + slot, plot.bottom()))
    };
    let hovered = response
        .hover_pos()
        .filter(|at| plot.x_range().contains(at.x))
        .map(|at| index_at(at, plot, slot));
    if let Some(index) = hovered {
        ui.painter()
            .rect_filled(slot_rect(index), 0.0, mix(c.panel, c.selection, 0.6));
    }
    if let Some(index) = open.and_then(|open| bars.position(open)) {
        let place = slot_rect(index);
        let line = Rect::from_min_max(
            pos2(place.left() + 1.0, plot.bottom()),
            pos2(
                (place.right() - 1.0).max(place.left() + 3.0),
                plot.bottom() + size::UNDERLINE,
            ),
        );
        ui.painter().rect_filled(line, 0.0, c.accent);
    }
    for (index, bar) in drawn(&bars, measure, slot) {
        let place = slot_rect(index);
        let place = place.with_max_x(place.right().max(place.left() + 1.0));
        bar_ui(ui, bar, place, bar.value(measure), &scale, slot, c);
        // Every bar is a place to click for assistive technology, as long as there are not thousands.
        if bars.len() <= 400 {
            let label = || format!("Bar {}", dataset.partition_label(&bar.partition));
            let inner = ui.interact(place, bar_id(response.id, index), Sense::CLICK);
            inner.widget_info(|| WidgetInfo::labeled(Role::Button, bar.n_bytes.is_some(), label()));
            if inner.clicked() && bar.n_bytes.is_some() {
                *opened = Some(bar.partition.clone());
            }
        }
    }
    day_labels(ui, &bars, plot, slot, c);
    baseline(ui, dataset, shown, plot, &y_of, c);
    if response.clicked()
        && let Some(bar) = response
            .interact_pointer_pos()
            .and_then(|at| bars.get(index_at(at, plot, slot)))
        && bar.n_bytes.is_some()
    {
        *opened = Some(bar.partition.clone());
    }
    if let Some(bar) = hovered.and_then(|index| bars.get(index)) {
        egui::Tooltip::always_open(
            ui.ctx().clone(),
            ui.layer_id(),
            response.id.with("bar tooltip"),
            egui::PopupAnchor::Pointer,
        )
        .gap(12.0)
        .show(|ui| tooltip_ui(ui, dataset, bar, measure));
    }
}

/// The bars to draw: all of them, or the tallest of those that share a point of the screen. Ten thousand partitions then
/// cost no more than a thousand.
fn drawn<'a>(bars: &Ordered<'a>, measure: Measure, slot: f32) -> impl Iterator<Item = (usize, &'a Bar)> {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "partitions to a point of the screen"
    )]
    let n_together = (1.0 / slot.max(0.0001)).floor().max(1.0) as usize;
    let bars = *bars;
    (0..bars.len()).step_by(n_together).filter_map(move |start| {
        let together = (start..start + n_together).filter_map(|index| Some((index, bars.get(index)?)));
        together.max_by_key(|(_, bar)| bar.value(measure))
    })
}

fn bar_id(chart: Id, index: usize) -> Id {
    chart.with(("bar", index))
}

fn index_at(at: Pos2, plot: Rect, slot: f32) -> usize {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a position inside the chart"
    )]
    let index = ((at.x - plot.left()) / slot.max(0.01)).max(0.0) as usize;
    index
}

fn bar_ui(ui: &Ui, bar: &Bar, place: Rect, value: Option<u64>, scale: &Scale, slot: f32, c: &Colors) {
    let Some(value) = value else {
        // A gap says its name where there is room, and is outlined where there is not.
        if slot > 44.0 {
            ui.painter().text(
                pos2(place.center().x, place.bottom() - 30.0),
                Align2::CENTER_CENTER,
                "missing",
                small(),
                c.warn,
            );
        }
        let mark = Rect::from_min_max(
            pos2(place.left() + slot * 0.14, place.bottom() - 5.0),
            pos2(place.right() - slot * 0.14, place.bottom()),
        );
        ui.painter()
            .rect_stroke(mark, 0.0, Stroke::new(size::LINE, c.warn), StrokeKind::Inside);
        return;
    };
    let gap = if slot > GAP_FROM { slot * 0.14 } else { 0.0 };
    let height = (place.height() * scale.share(value as f64)).max(if value > 0 { 2.0 } else { 0.0 });
    let body = Rect::from_min_max(
        pos2(place.left() + gap, place.bottom() - height),
        pos2(place.right() - gap, place.bottom()),
    );
    let color = if bar.is_spike {
        c.bad
    } else if bar.has_tiny_files {
        c.warn
    } else {
        c.data
    };
    let radius = if slot > 12.0 { 2.0 } else { 0.0 };
    ui.painter().rect_filled(body, radius, color);
}

/// Labels below the bars, as many as fit without touching.
fn day_labels(ui: &Ui, bars: &Ordered<'_>, plot: Rect, slot: f32, c: &Colors) {
    const WIDTH: f32 = 46.0;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small number of bars"
    )]
    let every = (WIDTH / slot.max(0.01)).ceil().max(1.0) as usize;
    let mut free_from = plot.left();
    for index in (0..bars.len()).step_by(every) {
        let Some(bar) = bars.get(index) else { continue };
        let text = if every == 1 {
            bar.label.clone()
        } else {
            bar.partition
                .date()
                .map_or_else(|| bar.label.clone(), |date| date.format("%m-%d").to_string())
        };
        let mut job = egui::text::LayoutJob::simple_singleline(text, small(), c.weak);
        job.wrap = egui::text::TextWrapping::truncate_at_width(slot * every as f32);
        let galley = ui.painter().layout_job(job);
        let center = plot.left() + slot * (index as f32 + 0.5);
        let x = (center - galley.size().x / 2.0).max(plot.left());
        let x = x.min(plot.right() - galley.size().x);
        // The first label is moved to the right by the edge, and would touch the second.
        if x < free_from {
            continue;
        }
        free_from = x + galley.size().x + space::XS;
        ui.painter()
            .galley(pos2(x, plot.bottom() + space::XS), galley, c.weak);
    }
}

/// By date the median, which one hot day does not move; by size the even share, which the bars would all have.
fn baseline(
    ui: &Ui,
    dataset: &ListedDataset,
    shown: Shown,
    plot: Rect,
    y_of: &impl Fn(f64) -> f32,
    c: &Colors,
) {
    let measure = shown.measure;
    let facts = dataset.bars.facts(measure);
    let (word, median) = match shown.order {
        Order::Date => ("median", facts.median),
        Order::Size => ("even", facts.even),
    };
    if median <= 0.0 || dataset.bars.bars.len() < 2 {
        return;
    }
    let y = y_of(median);
    let points = [pos2(plot.left(), y), pos2(plot.right(), y)];
    ui.painter()
        .extend(Shape::dashed_line(&points, Stroke::new(1.2, c.text), 4.0, 4.0));
    let text = format!("{word} {}", label_of(median.round(), measure));
    let galley = ui.painter().layout_no_wrap(text, small(), c.weak);
    let at = pos2(
        plot.right() - galley.size().x - space::XS,
        y - galley.size().y - 3.0,
    );
    let behind = Rect::from_min_size(at, galley.size()).expand2(vec2(3.0, 0.0));
    ui.painter()
        .rect_filled(behind, 2.0, c.panel.gamma_multiply(0.85));
    ui.painter().galley(at, galley, c.weak);
}

fn tooltip_ui(ui: &mut Ui, dataset: &ListedDataset, bar: &Bar, measure: Measure) {
    ui.spacing_mut().item_spacing.y = 2.0;
    ui.label(strong(bar.partition.to_string()));
    let Some(n_bytes) = bar.n_bytes else {
        ui.label("No objects: missing, or late.");
        return;
    };
    ui.label(format!(
        "{} ({} bytes)",
        units::bytes(n_bytes),
        units::count(n_bytes)
    ));
    ui.label(units::plural(bar.n_files, "file"));
    if let Some(average) = n_bytes.checked_div(bar.n_files) {
        ui.label(format!("{} a file on average", units::bytes(average)));
    }
    if let Some(rows) = &bar.n_rows {
        ui.label(super::rows::text(rows));
        if let Some(each) = n_bytes.checked_div(rows.n_rows) {
            ui.label(format!("{} bytes a row", units::count(each)));
        }
    }
    let facts = dataset.bars.facts(measure);
    if let Some(value) = bar.value(measure) {
        let value = value as f64;
        if facts.median > 0.0 {
            ui.label(format!("{:.1} × the median", value / facts.median));
        }
        if facts.even > 0.0 {
            ui.label(format!("{:.1} × the even share", value / facts.even));
        }
    }
    let all = dataset.skew.metrics.n_bytes;
    if all > 0 {
        let share = n_bytes as f64 / all as f64;
        ui.label(format!("{} of all bytes", units::percent(share)));
    }
    ui.label(weak(ui, "Click to open its rows"));
}
