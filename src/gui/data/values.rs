//! Draws how the values of a column are spread. A click on a bar or a value, or a drag over bars, asks for a filter.

use egui::{Align2, Color32, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::condition::Condition;
use super::distribution::{self, Bar, Distribution, Shape, Top};
use super::grid;
use crate::base::units;
use crate::gui::theme::{self, Colors, colors, size, space};
use crate::gui::widgets::{Icon, icon_button};

/// Height of the tallest bar.
const BARS_HEIGHT: f32 = 72.0;
/// What is not zero can be seen.
const LEAST_HEIGHT: f32 = 1.5;

/// The bars or values with what they mean. `chosen` is the condition of the filter that already stands. Returns what was
/// asked for.
pub(super) fn distribution_ui(
    ui: &mut Ui,
    column: &str,
    found: &Distribution,
    chosen: Option<&Condition>,
) -> Option<Condition> {
    let asked = match &found.shape {
        Shape::Bars(bars) => bars_ui(ui, column, bars, found.n_rows, chosen),
        Shape::Values { top, n_more } => values_ui(ui, column, top, *n_more, found.n_rows, chosen),
        Shape::Nothing(why) => {
            ui.label(theme::weak_small(ui, *why));
            None
        }
    };
    asked.or_else(|| nulls_ui(ui, column, found))
}

/// Rows without a value, with a button to keep or leave them out.
fn nulls_ui(ui: &mut Ui, column: &str, found: &Distribution) -> Option<Condition> {
    if found.n_null == 0 || found.n_rows == 0 {
        return None;
    }
    let mut asked = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::SM;
        ui.label(theme::null(ui));
        ui.label(theme::weak_small(ui, of(found.n_null, found.n_rows)));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = space::XS;
            let label = format!("Leave out rows without {column}");
            if icon_button(ui, true, Icon::Close, &label).clicked() {
                asked = Some(Condition::IsNotNull);
            }
            let label = format!("Keep only rows without {column}");
            if icon_button(ui, true, Icon::Check, &label).clicked() {
                asked = Some(Condition::IsNull);
            }
        });
    });
    asked
}

/// `1,234 rows, 4.2%`.
fn of(n: usize, n_rows: usize) -> String {
    let share = if n_rows == 0 {
        0.0
    } else {
        n as f64 / n_rows as f64
    };
    format!("{}, {}", units::plural(n as u64, "row"), units::percent(share))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "some dozen bars, and heights of some dozen points"
)]
fn float(n: usize) -> f32 {
    n as f32
}

/// What the bars are drawn with.
struct Bars<'a> {
    shown: &'a [Bar],
    rect: Rect,
    most: usize,
}

impl Bars<'_> {
    fn width(&self) -> f32 {
        self.rect.width() / float(self.shown.len().max(1))
    }

    /// The whole stripe of a bar, so that a low one can be hit too.
    fn stripe(&self, at: usize) -> Rect {
        let left = self.rect.left() + float(at) * self.width();
        Rect::from_min_max(
            pos2(left, self.rect.top()),
            pos2(left + self.width(), self.rect.bottom()),
        )
    }

    fn at(&self, x: f32) -> usize {
        let share = ((x - self.rect.left()) / self.width()).max(0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "cut to 0.. and to the bars"
        )]
        let at = share as usize;
        at.min(self.shown.len().saturating_sub(1))
    }

    fn paint(&self, ui: &Ui, at: usize, color: Color32) {
        let Some(bar) = self.shown.get(at) else { return };
        if bar.n == 0 {
            return;
        }
        let share = float(bar.n) / float(self.most.max(1));
        let stripe = self.stripe(at);
        let top = self.rect.bottom() - (share * BARS_HEIGHT).max(LEAST_HEIGHT);
        let rect = Rect::from_min_max(
            pos2(stripe.left() + 0.5, top),
            pos2(
                (stripe.right() - 0.5).max(stripe.left() + 1.0),
                self.rect.bottom(),
            ),
        );
        ui.painter().rect_filled(rect, 0.0, color);
    }
}

fn bars_ui(
    ui: &mut Ui,
    column: &str,
    bars: &[Bar],
    n_rows: usize,
    chosen: Option<&Condition>,
) -> Option<Condition> {
    let c = colors(ui);
    let (area, _) = ui.allocate_exact_size(
        vec2(ui.available_width(), BARS_HEIGHT + space::LG + 2.0),
        Sense::hover(),
    );
    let drawn = Bars {
        shown: bars,
        rect: Rect::from_min_max(pos2(area.left(), area.top() + space::LG), area.right_bottom()),
        most: bars.iter().map(|bar| bar.n).max().unwrap_or_default(),
    };
    let most = format!("most: {}", of(drawn.most, n_rows));
    let painter = ui.painter();
    painter.text(area.right_top(), Align2::RIGHT_TOP, most, theme::small(), c.weak);
    let mut asked = None;
    let mut marked = None;
    let standing = stretch(bars, chosen);
    for (at, bar) in bars.iter().enumerate() {
        let id = ui.scope_id().with(("bar", at));
        let response = ui.interact(drawn.stripe(at), id, Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, said(column, bar)));
        if response.clicked() {
            asked = distribution::range(bars, at, at);
        }
        if response.dragged() || response.drag_stopped() {
            let to = response.interact_pointer_pos().map_or(at, |pos| drawn.at(pos.x));
            let (first, last) = (at.min(to), at.max(to));
            marked = Some((first, last));
            if response.drag_stopped() {
                asked = distribution::range(bars, first, last);
            }
        } else if response.hovered() && marked.is_none() {
            marked = Some((at, at));
        }
        if !response.dragged() {
            response.on_hover_ui(|ui| {
                ui.label(theme::strong(range_text(column, &bar.from.text, &bar.to.text)));
                ui.label(of(bar.n, n_rows));
                ui.label(theme::weak_small(
                    ui,
                    "Click keeps these rows; drag for a wider range",
                ));
            });
        }
    }
    for at in 0..bars.len() {
        let is_within =
            |range: Option<(usize, usize)>| range.is_some_and(|(first, last)| (first..=last).contains(&at));
        let color = if is_within(marked) {
            c.accent
        } else if standing.is_none() || is_within(standing) {
            theme::mix(c.panel, c.data, 0.8)
        } else {
            theme::mix(c.panel, c.data, 0.3)
        };
        drawn.paint(ui, at, color);
    }
    let line = Stroke::new(size::LINE, c.edge);
    ui.painter()
        .hline(drawn.rect.x_range(), drawn.rect.bottom(), line);
    ends_ui(ui, c, bars, marked.filter(|(first, last)| first != last));
    asked
}

/// The borders below the bars: the outermost, or those of the stretch that is being dragged over, with its rows.
fn ends_ui(ui: &mut Ui, c: &Colors, bars: &[Bar], dragged: Option<(usize, usize)>) {
    let (first, last) = dragged.unwrap_or((0, bars.len().saturating_sub(1)));
    let (Some(from), Some(to)) = (bars.get(first), bars.get(last)) else {
        return;
    };
    let (area, _) = ui.allocate_exact_size(vec2(ui.available_width(), space::LG), Sense::hover());
    let put = |pos, align, text: &str| {
        ui.painter().text(pos, align, text, theme::small(), c.weak);
    };
    put(area.left_top(), Align2::LEFT_TOP, &from.from.text);
    put(area.right_top(), Align2::RIGHT_TOP, &to.to.text);
    if dragged.is_some() {
        let n: usize = bars
            .get(first..=last)
            .unwrap_or_default()
            .iter()
            .map(|bar| bar.n)
            .sum();
        put(
            area.center_top(),
            Align2::CENTER_TOP,
            &units::plural(n as u64, "row"),
        );
    }
}

/// The bars that the filter which stands keeps.
fn stretch(bars: &[Bar], chosen: Option<&Condition>) -> Option<(usize, usize)> {
    let Condition::Range(from, to) = chosen? else {
        return None;
    };
    let first = bars.iter().position(|bar| bar.from.sql == *from)?;
    let last = bars.iter().position(|bar| bar.to.sql == *to)?;
    Some((first, last))
}

fn range_text(column: &str, from: &str, to: &str) -> String {
    format!("{column} from {from} to below {to}")
}

fn said(column: &str, bar: &Bar) -> String {
    let range = range_text(column, &bar.from.text, &bar.to.text);
    format!("{range}: {}", units::plural(bar.n as u64, "row"))
}

fn values_ui(
    ui: &mut Ui,
    column: &str,
    top: &[Top],
    n_more: usize,
    n_rows: usize,
    chosen: Option<&Condition>,
) -> Option<Condition> {
    let mut asked = None;
    let most = top.iter().map(|value| value.n).max().unwrap_or_default();
    ui.spacing_mut().item_spacing.y = 1.0;
    for value in top {
        let is_chosen = matches!(chosen, Some(Condition::Is(literal)) if *literal == value.literal);
        asked = asked.or(value_ui(ui, column, value, (most, n_rows), is_chosen));
    }
    if n_more > 0 {
        let more = format!("and {} more values", units::count(n_more as u64));
        ui.label(theme::weak_small(ui, more));
    }
    asked
}

/// One value: a click keeps it, the cross leaves it out.
fn value_ui(
    ui: &mut Ui,
    column: &str,
    value: &Top,
    (most, n_rows): (usize, usize),
    is_chosen: bool,
) -> Option<Condition> {
    let c = colors(ui);
    let mut asked = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        let width = ui.available_width() - size::ROW - space::XS;
        let (rect, response) = ui.allocate_exact_size(vec2(width, size::ROW - 2.0), Sense::click());
        let rows = of(value.n, n_rows);
        response.widget_info(|| {
            WidgetInfo::selected(
                Role::Button,
                true,
                is_chosen,
                format!("{column} = {}: {rows}", value.text),
            )
        });
        let is_lit = response.hovered() || response.has_focus();
        let share = float(value.n) / float(most.max(1));
        let bar = Rect::from_min_size(
            rect.min,
            vec2((rect.width() * share).max(LEAST_HEIGHT), rect.height()),
        );
        let strength = if is_chosen || is_lit { 0.42 } else { 0.22 };
        ui.painter()
            .rect_filled(bar, size::BADGE_RADIUS, theme::mix(c.panel, c.data, strength));
        if is_chosen {
            let line = Stroke::new(size::LINE, c.accent);
            ui.painter()
                .rect_stroke(rect, size::BADGE_RADIUS, line, egui::StrokeKind::Inside);
        }
        let inner = rect.shrink2(vec2(6.0, 0.0));
        let rows_galley = ui.painter().layout_no_wrap(rows.clone(), theme::small(), c.weak);
        let room = inner.width() - rows_galley.size().x - space::MD;
        let font = theme::regular(size::BODY_TEXT);
        let text = grid::one_line(ui.painter(), &value.text, font, c.text, room);
        let middle = rect.center().y;
        let y = middle - text.size().y / 2.0;
        ui.painter().galley(pos2(inner.left(), y), text, c.text);
        let at = pos2(
            inner.right() - rows_galley.size().x,
            middle - rows_galley.size().y / 2.0,
        );
        ui.painter().galley(at, rows_galley, c.weak);
        let response = response.on_hover_ui(|ui| {
            ui.label(theme::strong(&value.text));
            ui.label(&rows);
            ui.label(theme::weak_small(ui, "Click keeps only these rows"));
        });
        if response.clicked() {
            asked = Some(Condition::Is(value.literal.clone()));
        }
        let label = format!("Leave out {column} = {}", value.text);
        if icon_button(ui, true, Icon::Close, &label).clicked() {
            asked = Some(Condition::IsNot(value.literal.clone()));
        }
    });
    asked
}
