//! The picture on a card: bars of a histogram or frequent values, with what another profile has in the same places.

use std::borrow::Cow;

use egui::{Align2, Color32, Painter, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::ends::{Ends, grouped};
use super::facts::{FactBar, FactValue, N_VALUES, Picture};
use crate::base::units;
use crate::gui::data::condition::Condition;
use crate::gui::data::{one_line, readable};
use crate::gui::theme::{self, Colors, colors, size, space};
use crate::profile::drift::BaselineColumn;

/// Height of every picture, so that cards are even.
pub(super) const HEIGHT: f32 = 104.0;
/// Below the bars.
const ENDS: f32 = 16.0;
/// Beside the bars of values, so that no bar and no mark of another profile lies under a share.
const SHARE: f32 = 44.0;
/// What is not zero can be seen.
const LEAST: f32 = 1.5;

/// Draws the picture in `rect`. Returns the filter that a click asked for.
pub(super) fn picture_ui(
    ui: &Ui,
    rect: Rect,
    column: &str,
    picture: &Picture,
    before: Option<&BaselineColumn>,
) -> Option<Condition> {
    match picture {
        Picture::Bars {
            bars,
            ends,
            is_of_lengths,
            along,
        } => {
            let (bars, shares) = laid_over(before, bars, ends, *is_of_lengths);
            let at = pos2(rect.center().x, rect.bottom() - ENDS + 2.0);
            let c = colors(ui);
            ui.painter()
                .text(at, Align2::CENTER_TOP, along, theme::small(), c.weak);
            bars_ui(ui, rect, column, &bars, shares.as_deref())
        }
        Picture::Values { values, n_more } => {
            let values = with_gone(values, *n_more, before);
            values_ui(ui, rect, column, &values, *n_more, before)
        }
        Picture::Nothing(why) => {
            let c = colors(ui);
            ui.painter()
                .text(rect.left_top(), Align2::LEFT_TOP, why, theme::small(), c.weak);
            None
        }
    }
}

/// The bars with the share that the other profile's values have in each, 0..=1; with a bar more at either side for values of
/// the other profile outside of them. No shares where they are not known.
pub(super) fn laid_over<'a>(
    before: Option<&BaselineColumn>,
    bars: &'a [FactBar],
    ends: &Ends,
    is_of_lengths: bool,
) -> (Cow<'a, [FactBar]>, Option<Vec<f64>>) {
    let spread = before.and_then(|before| {
        if is_of_lengths {
            before.lengths.as_ref()
        } else {
            before.numbers.as_ref()
        }
    });
    let (Some(spread), Some(first), Some(last)) = (spread, bars.first(), bars.last()) else {
        return (Cow::Borrowed(bars), None);
    };
    let up_to_end = if ends.is_closed {
        spread.at_or_below(last.high)
    } else {
        spread.below(last.high)
    };
    // Up to each border, from the first on.
    let mut at_borders = vec![spread.below(first.low)];
    at_borders.extend(bars.iter().skip(1).map(|bar| spread.below(bar.low)));
    at_borders.push(up_to_end);
    let mut shares: Vec<f64> = at_borders
        .windows(2)
        .map(|pair| match pair {
            [low, high] => (high - low).max(0.0),
            _ => 0.0,
        })
        .collect();
    let (below, above) = (spread.below(first.low), (1.0 - up_to_end).max(0.0));
    let mut all = Cow::Borrowed(bars);
    let outside = |label: &str, low, high| FactBar {
        label: label.to_owned(),
        n: 0,
        share: 0.0,
        low,
        high,
        keep: None,
    };
    if below > 0.0 {
        let bar = outside(&ends.below, f64::NEG_INFINITY, first.low);
        all.to_mut().insert(0, bar);
        shares.insert(0, below);
    }
    if above > 0.0 {
        all.to_mut().push(outside(&ends.above, last.high, f64::INFINITY));
        shares.push(above);
    }
    (all, Some(shares))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "some dozen bars, and shares for a picture"
)]
fn bars_ui(ui: &Ui, rect: Rect, column: &str, bars: &[FactBar], before: Option<&[f64]>) -> Option<Condition> {
    let c = colors(ui);
    // The share of the tallest bar stands above it.
    let plot = Rect::from_min_max(
        pos2(rect.left(), rect.top() + ENDS),
        pos2(rect.right(), rect.bottom() - ENDS),
    );
    let most_before = before.unwrap_or_default().iter().copied().fold(0.0, f64::max);
    let most = bars
        .iter()
        .map(|bar| bar.share)
        .fold(most_before, f64::max)
        .max(1e-12);
    let width = plot.width() / bars.len().max(1) as f32;
    let mut asked = None;
    let painter = ui.painter();
    for (at, bar) in bars.iter().enumerate() {
        let left = plot.left() + at as f32 * width;
        let stripe = Rect::from_min_max(pos2(left, plot.top()), pos2(left + width, plot.bottom()));
        let was = before.and_then(|shares| shares.get(at)).copied();
        let said = match was {
            Some(was) => format!(
                "{column} {}: {}, about {} before",
                bar.label,
                rows(bar.n, bar.share),
                units::percent(was)
            ),
            None => format!("{column} {}: {}", bar.label, rows(bar.n, bar.share)),
        };
        let sense = if bar.keep.is_some() {
            Sense::click()
        } else {
            Sense::hover()
        };
        let response = ui.interact(stripe, ui.scope_id().with((column, "bar", at)), sense);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, bar.keep.is_some(), &said));
        let color = if response.hovered() {
            c.accent
        } else {
            theme::mix(c.panel, c.data, 0.8)
        };
        let is_outside = !bar.low.is_finite() || !bar.high.is_finite();
        if is_outside {
            // A place of its own: the axis does not go on to where these values are.
            painter.rect_filled(stripe, 0.0, theme::mix(c.panel, c.edge, 0.3));
        }
        let fill =
            |share: f64| (plot.height() * (share / most) as f32).max(if share > 0.0 { LEAST } else { 0.0 });
        let gap = if width > 4.0 { 0.5 } else { 0.0 };
        let body = Rect::from_min_max(
            pos2(left + gap, plot.bottom() - fill(bar.share)),
            pos2(left + width - gap, plot.bottom()),
        );
        painter.rect_filled(body, 0.0, color);
        if let Some(was) = was {
            // A line over the bars: seen on both colours, and told by its shape.
            let y = plot.bottom() - fill(was);
            painter.hline(left..=left + width, y, Stroke::new(2.0, c.text));
            let next = before.and_then(|shares| shares.get(at + 1)).copied();
            if let Some(next) = next {
                painter.vline(
                    left + width,
                    span(y, plot.bottom() - fill(next)),
                    Stroke::new(1.0, c.text),
                );
            }
        }
        if response.clicked() {
            asked.clone_from(&bar.keep);
        }
        response.on_hover_ui(|ui| {
            ui.label(theme::strong(format!("{column}: {}", bar.label)));
            ui.label(format!("{} of the values", rows(bar.n, bar.share)));
            if let Some(was) = was {
                // Other profiles are known at some ranks only.
                let was = units::percent(was);
                ui.label(format!("about {was} of the values compared with"));
            }
            if is_outside {
                let why = "All values of these rows are within the other bars";
                ui.label(theme::weak_small(ui, why));
            }
            if bar.keep.is_some() {
                ui.label(theme::weak_small(ui, "Click adds a filter that keeps these rows"));
            }
        });
    }
    painter.hline(plot.x_range(), plot.bottom(), Stroke::new(size::LINE, c.edge));
    ends_ui(painter, c, rect, bars, most);
    asked
}

fn span(a: f32, b: f32) -> std::ops::RangeInclusive<f32> {
    a.min(b)..=a.max(b)
}

/// The outermost borders, and how much the tallest bar is.
fn ends_ui(painter: &Painter, c: &Colors, rect: Rect, bars: &[FactBar], most: f64) {
    let y = rect.bottom() - ENDS + 2.0;
    let half = rect.width() / 2.0 - space::SM;
    let put = |text: &str, is_right: bool, y: f32| {
        let galley = one_line(painter, text, theme::small(), c.weak, half);
        let x = if is_right {
            rect.right() - galley.size().x
        } else {
            rect.left()
        };
        painter.galley(pos2(x, y), galley, c.weak);
    };
    if let Some(first) = bars.first() {
        put(
            &grouped(first.label.split(" to ").next().unwrap_or_default()),
            false,
            y,
        );
    }
    if let Some(last) = bars.last() {
        let end = last.label.rsplit(" to ").next().unwrap_or_default();
        put(&grouped(end.strip_prefix("below ").unwrap_or(end)), true, y);
    }
    put(
        &format!("height {}", units::percent(most)),
        true,
        rect.top() - 2.0,
    );
}

/// `1,234 rows, 4.2%`
fn rows(n: u64, share: f64) -> String {
    format!("{}, {}", units::plural(n, "row"), units::percent(share))
}

/// The values, and behind them what only the other profile has, as far as there is room and nothing is left out.
pub(super) fn with_gone<'a>(
    values: &'a [FactValue],
    n_more: u64,
    before: Option<&BaselineColumn>,
) -> Cow<'a, [FactValue]> {
    let mut all = Cow::Borrowed(values);
    let known = before.and_then(|before| before.categories.as_ref());
    let Some(known) = known.filter(|_| n_more == 0) else {
        return all;
    };
    let is_gone = |name: &str| values.iter().all(|value| value.value != name);
    let gone = known.values.iter().filter(|value| is_gone(&value.value));
    for value in gone.take(N_VALUES.saturating_sub(values.len())) {
        all.to_mut().push(FactValue {
            text: readable(&value.value).into_owned(),
            value: value.value.clone(),
            n: 0,
            share: 0.0,
            keep: None,
        });
    }
    all
}

/// The share of a value in another profile; none where it is not known.
pub(super) fn share_before(before: &BaselineColumn, text: &str) -> Option<f64> {
    let categories = before.categories.as_ref()?;
    let found = categories.values.iter().find(|value| value.value == text);
    match found {
        Some(value) => Some(value.n as f64 / categories.n.max(1) as f64),
        None => categories.is_whole.then_some(0.0),
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a handful of values, and shares for a picture"
)]
fn values_ui(
    ui: &Ui,
    rect: Rect,
    column: &str,
    values: &[FactValue],
    n_more: u64,
    before: Option<&BaselineColumn>,
) -> Option<Condition> {
    let c = colors(ui);
    let height = (rect.height() - ENDS) / N_VALUES as f32;
    let was = |value: &FactValue| before.and_then(|before| share_before(before, &value.value));
    let most = values
        .iter()
        .map(|value| value.share.max(was(value).unwrap_or(0.0)))
        .fold(1e-12, f64::max);
    let mut asked = None;
    for (at, value) in values.iter().enumerate() {
        let top = rect.top() + at as f32 * height;
        let line = Rect::from_min_size(pos2(rect.left(), top), vec2(rect.width(), height - 1.0));
        let before = was(value);
        let said = match before {
            Some(was) => format!(
                "{column} = {}: {}, {} before",
                value.text,
                rows(value.n, value.share),
                units::percent(was)
            ),
            None => format!("{column} = {}: {}", value.text, rows(value.n, value.share)),
        };
        let sense = if value.keep.is_some() {
            Sense::click()
        } else {
            Sense::hover()
        };
        let response = ui.interact(line, ui.scope_id().with((column, "value", at)), sense);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, value.keep.is_some(), &said));
        let track = line.width() - SHARE;
        let width = |share: f64| (track * (share / most) as f32).max(if share > 0.0 { LEAST } else { 0.0 });
        let strength = if response.hovered() { 0.5 } else { 0.25 };
        let bar = Rect::from_min_size(line.min, vec2(width(value.share), line.height()));
        let painter = ui.painter();
        painter.rect_filled(bar, 2.0, theme::mix(c.panel, c.data, strength));
        if let Some(was) = before {
            let x = line.left() + width(was);
            painter.vline(x, line.y_range(), Stroke::new(2.0, c.text));
        }
        let share = units::percent(value.share);
        let share = painter.layout_no_wrap(share, theme::small(), c.weak);
        let room = track - 2.0 * space::XS;
        paint_text(painter, line, &value.text, room, c.text);
        let y = line.center().y - share.size().y / 2.0;
        painter.galley(pos2(line.right() - share.size().x - space::XS, y), share, c.weak);
        if response.clicked() {
            asked.clone_from(&value.keep);
        }
        response.on_hover_ui(|ui| {
            ui.label(theme::strong(&value.text));
            ui.label(format!("{} of the values", rows(value.n, value.share)));
            if let Some(was) = before {
                ui.label(format!("{} of the values compared with", units::percent(was)));
            }
            if value.keep.is_some() {
                ui.label(theme::weak_small(ui, "Click adds a filter that keeps these rows"));
            }
        });
    }
    if n_more > 0 {
        let text = format!("and {}", units::plural(n_more, "more value"));
        let at = pos2(rect.left(), rect.bottom() - ENDS + 2.0);
        ui.painter()
            .text(at, Align2::LEFT_TOP, text, theme::small(), c.weak);
    }
    asked
}

fn paint_text(painter: &Painter, line: Rect, text: &str, room: f32, color: Color32) {
    let galley = one_line(painter, text, theme::small(), color, room);
    let y = line.center().y - galley.size().y / 2.0;
    painter.galley(pos2(line.left() + space::XS, y), galley, color);
}

#[cfg(test)]
mod tests {
    use super::{laid_over, share_before, with_gone};
    use crate::gui::profile::ends::{Ends, grouped};
    use crate::gui::profile::facts::{FactBar, FactValue};
    use crate::profile::drift::{BaselineColumn, Categories, Category, Spread};

    #[test]
    fn long_borders_are_grouped_and_years_are_not() {
        let texts = ["10000", "10,000,000", "-35", "2020", "2020-01-09", "-250000"];
        let shown = texts.map(grouped);
        assert_eq!(
            shown,
            ["10,000", "10,000,000", "-35", "2020", "2020-01-09", "-250,000"]
        );
    }

    fn numbers(values: impl IntoIterator<Item = f64>) -> BaselineColumn {
        BaselineColumn {
            numbers: Spread::of_values(&values.into_iter().collect::<Vec<_>>()),
            ..BaselineColumn::default()
        }
    }

    fn bar(low: f64, high: f64) -> FactBar {
        FactBar {
            label: String::new(),
            n: 0,
            share: 0.0,
            low,
            high,
            keep: None,
        }
    }

    fn ends(is_closed: bool) -> Ends {
        Ends {
            below: "below 0".to_owned(),
            above: "over 100".to_owned(),
            is_closed,
        }
    }

    #[track_caller]
    fn check(before: &BaselineColumn, bars: &[FactBar], ends: &Ends, expected: &[(&str, f64)]) {
        let (all, shares) = laid_over(Some(before), bars, ends, false);
        let shares = shares.unwrap();
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{shares:?}");
        let found: Vec<(&str, f64)> = all.iter().map(|bar| bar.label.as_str()).zip(shares).collect();
        let is_near = |((label, share), (wanted, expected)): (&(&str, f64), &(&str, f64))| {
            label == wanted && (share - expected).abs() < 0.01
        };
        assert!(
            found.len() == expected.len() && found.iter().zip(expected).all(is_near),
            "{found:?}"
        );
    }

    #[test]
    fn another_profile_is_laid_into_the_same_bars() {
        let before = numbers((0..1000).map(|n| f64::from(n) / 10.0));
        let bars = [bar(0.0, 20.0), bar(20.0, 100.0)];
        check(&before, &bars, &ends(true), &[("", 0.2), ("", 0.8)]);
        assert_eq!(laid_over(Some(&before), &bars, &ends(true), true).1, None);
        assert_eq!(laid_over(None, &bars, &ends(true), false).1, None);
    }

    #[test]
    fn what_another_profile_has_outside_of_the_bars_has_bars_of_its_own() {
        let bars = [bar(0.0, 50.0), bar(50.0, 100.0)];
        let wide = numbers((0..1000).map(|n| f64::from(n) / 5.0 - 50.0));
        check(
            &wide,
            &bars,
            &ends(true),
            &[("below 0", 0.25), ("", 0.25), ("", 0.25), ("over 100", 0.25)],
        );
        let elsewhere = numbers((0..1000).map(|n| f64::from(n) + 5000.0));
        check(
            &elsewhere,
            &bars,
            &ends(false),
            &[("", 0.0), ("", 0.0), ("over 100", 1.0)],
        );
    }

    #[test]
    fn a_value_at_the_last_border_is_in_the_last_bar_only_where_that_has_it() {
        let bars = [bar(0.0, 100.0)];
        let at_the_border = numbers([100.0; 40]);
        check(&at_the_border, &bars, &ends(true), &[("", 1.0)]);
        check(
            &at_the_border,
            &bars,
            &ends(false),
            &[("", 0.0), ("over 100", 1.0)],
        );
    }

    #[test]
    fn values_that_only_another_profile_has_stand_behind_the_others() {
        let before = BaselineColumn {
            categories: Some(Categories {
                n: 10,
                is_whole: true,
                error: 0,
                values: [("DE", 6), ("US", 4)]
                    .map(|(value, n)| Category {
                        value: value.to_owned(),
                        n,
                    })
                    .to_vec(),
            }),
            ..BaselineColumn::default()
        };
        let values = [FactValue {
            text: "U…".to_owned(),
            value: "US".to_owned(),
            n: 7,
            share: 1.0,
            keep: None,
        }];
        let names = |all: &[FactValue]| {
            all.iter()
                .map(|value| (value.text.clone(), value.n))
                .collect::<Vec<_>>()
        };
        let all = with_gone(&values, 0, Some(&before));
        assert_eq!(names(&all), [("U…".to_owned(), 7), ("DE".to_owned(), 0)]);
        // Where values are not shown, one that is not among those shown may be there.
        assert_eq!(with_gone(&values, 3, Some(&before)).len(), 1);
        assert_eq!(with_gone(&values, 0, None).len(), 1);
    }

    #[test]
    fn a_value_that_is_not_listed_was_not_there_only_where_all_are_listed() {
        let with = |is_whole| BaselineColumn {
            categories: Some(Categories {
                n: 10,
                is_whole,
                error: 0,
                values: vec![Category {
                    value: "a".to_owned(),
                    n: 5,
                }],
            }),
            ..BaselineColumn::default()
        };
        assert_eq!(share_before(&with(true), "a"), Some(0.5));
        assert_eq!(share_before(&with(true), "b"), Some(0.0));
        assert_eq!(share_before(&with(false), "b"), None);
    }
}
