//! The picture of a card for a file: the same bars, with their axes and with what they are of.

use egui::{Rect, Ui, UiBuilder, Vec2, pos2};

use super::ProfileView;
use super::bars::{laid_over, share_before, with_gone};
use super::card::MARGIN;
use super::facts::{ColumnFacts, FactBar, FactValue, Picture as Shown};
use crate::base::units;
use crate::chart::{Fill, Layer, LayerKind, LegendEntry, LegendShape, Mark, Picture, Quantity, Scale, Tone};
use crate::gui::plot::made_picture_menu;
use crate::gui::state::Commands;
use crate::gui::theme::size;
use crate::profile::drift::BaselineColumn;

/// The menu in the corner of a card that has a picture.
pub(super) fn menu_ui(
    ui: &mut Ui,
    card: Rect,
    facts: &ColumnFacts,
    before: Option<&BaselineColumn>,
    view: ProfileView<'_>,
    commands: &mut Commands,
) {
    let Some(title) = title(facts) else { return };
    let at = pos2(card.right() - MARGIN - size::ROW, card.top() + 7.0);
    let corner = Rect::from_min_size(at, Vec2::splat(size::ROW));
    let salt = (&facts.name, "menu");
    let mut ui = ui.new_child(UiBuilder::new().max_rect(corner).id_salt(salt));
    let make = || {
        let of = view
            .key()
            .map_or_else(String::new, |key| format!("{}, ", key.said()));
        let rows = units::plural(facts.n_rows, "row");
        let outside = outside_note(facts, before).unwrap_or_default();
        let note = format!("{of}{rows}, {}{outside}", facts.accuracy);
        column_picture(facts, &title, before).note(note)
    };
    made_picture_menu(&mut ui, &title, make, commands);
}

/// None where a card has no picture.
pub(super) fn title(facts: &ColumnFacts) -> Option<String> {
    let what = match &facts.picture {
        Shown::Bars {
            is_of_lengths: true, ..
        } => "Lengths",
        Shown::Bars { .. } => "Values",
        Shown::Values { .. } => "Frequent values",
        Shown::Nothing(_) => return None,
    };
    Some(format!("{what} of {}", facts.name))
}

fn column_picture(facts: &ColumnFacts, title: &str, before: Option<&BaselineColumn>) -> Picture {
    match &facts.picture {
        Shown::Bars {
            bars,
            ends,
            is_of_lengths,
            along,
        } => {
            let (bars, before) = laid_over(before, bars, ends, *is_of_lengths);
            bars_picture(title, &bars, along, before.as_deref().unwrap_or_default())
        }
        Shown::Values { values, n_more } => {
            values_picture(title, &with_gone(values, *n_more, before), before)
        }
        Shown::Nothing(_) => Picture::new(title, Scale::bare(0.0, 1.0), Scale::bare(0.0, 1.0)),
    }
}

/// What the outermost bars are, where values that are compared with lie beyond the others: no axis leads to them.
fn outside_note(facts: &ColumnFacts, before: Option<&BaselineColumn>) -> Option<String> {
    let Shown::Bars {
        bars,
        ends,
        is_of_lengths,
        ..
    } = &facts.picture
    else {
        return None;
    };
    let (bars, shares) = laid_over(before, bars, ends, *is_of_lengths);
    let outside = bars
        .iter()
        .zip(shares?)
        .filter(|(bar, _)| !bar.low.is_finite() || !bar.high.is_finite())
        .map(|(bar, share)| format!("{} {}", units::percent(share), bar.label))
        .collect::<Vec<_>>();
    (!outside.is_empty()).then(|| {
        format!(
            "; outermost, all values compared with that lie outside: {}",
            outside.join(", ")
        )
    })
}

fn share_scale(shares: impl Iterator<Item = f64>) -> Scale {
    let most = shares.fold(0.0, f64::max);
    Scale::from_zero("share of values", Quantity::Share, most)
}

/// `10 to below 20`, then rows and share.
fn tooltip(name: &str, n: u64, share: f64) -> String {
    format!("{name}\n{}\n{}", units::plural(n, "row"), units::percent(share))
}

fn with_legend(picture: Picture) -> Picture {
    picture
        .entry(LegendEntry::swatch(Tone::Data, "these rows"))
        .entry(LegendEntry::new(
            Tone::Text,
            LegendShape::Swatch(Fill::Outline),
            "compared with",
        ))
}

fn bars_picture(title: &str, bars: &[FactBar], along: &str, before: &[f64]) -> Picture {
    let from = |bar: &FactBar| bar.label.split(" to ").next().unwrap_or_default().to_owned();
    let side = if along.is_empty() {
        "from".to_owned()
    } else {
        format!("{along}, from")
    };
    let marks = bars
        .iter()
        .enumerate()
        .map(|(at, bar)| Mark::bar(at, bar.share, tooltip(&bar.label, bar.n, bar.share)))
        .collect();
    let shares = bars.iter().map(|bar| bar.share).chain(before.iter().copied());
    let picture = Picture::new(
        title,
        Scale::categories(side, bars.iter().map(from).collect()),
        share_scale(shares),
    )
    .layer(Layer::new(LayerKind::Bars, Tone::Data, marks));
    if before.is_empty() {
        return picture;
    }
    let were = before.iter().enumerate().filter(|(_, share)| **share > 0.0);
    let were = were.map(|(at, share)| Mark::bar(at, *share, "").fill(Fill::Outline));
    with_legend(picture.layer(Layer::new(LayerKind::Bars, Tone::Text, were.collect())))
}

fn values_picture(title: &str, values: &[FactValue], before: Option<&BaselineColumn>) -> Picture {
    let was = |value: &FactValue| before.and_then(|before| share_before(before, &value.value));
    let marks = values
        .iter()
        .enumerate()
        .map(|(at, value)| {
            Mark::lying_bar(at, value.share, tooltip(&value.text, value.n, value.share))
                .label(units::percent(value.share))
        })
        .collect();
    let were: Vec<Mark> = values
        .iter()
        .enumerate()
        .filter_map(|(at, value)| Some((at, was(value).filter(|share| *share > 0.0)?)))
        .map(|(at, share)| Mark::lying_bar(at, share, "").fill(Fill::Outline))
        .collect();
    let shares = values
        .iter()
        .flat_map(|value| [value.share, was(value).unwrap_or(0.0)]);
    let names = values.iter().map(|value| value.text.clone()).collect();
    let picture = Picture::new(
        title,
        share_scale(shares),
        Scale::categories("", names).reversed(),
    )
    .layer(Layer::new(LayerKind::Bars, Tone::Data, marks));
    if were.is_empty() {
        return picture;
    }
    with_legend(picture.layer(Layer::new(LayerKind::Bars, Tone::Text, were)))
}

#[cfg(test)]
mod tests {
    use super::{column_picture, outside_note};
    use crate::base::Accuracy;
    use crate::chart::ScaleKind;
    use crate::gui::profile::ends::Ends;
    use crate::gui::profile::facts::{ColumnFacts, FactBar, FactValue, Picture as Shown};
    use crate::profile::drift::{BaselineColumn, Categories, Category, Spread};

    fn facts(picture: Shown) -> ColumnFacts {
        ColumnFacts {
            name: "salary".to_owned(),
            dtype: "int64".to_owned(),
            n_rows: 100,
            n_null: 0,
            n_missing: None,
            null_share: 0.0,
            n_distinct: None,
            distinct: String::new(),
            range: String::new(),
            picture,
            accuracy: Accuracy::Exact,
            accuracies: String::new(),
            conflict: String::new(),
        }
    }

    fn bar(low: f64, high: f64, n: u64) -> FactBar {
        FactBar {
            label: format!("{low} to below {high}"),
            n,
            share: n as f64 / 100.0,
            low,
            high,
            keep: None,
        }
    }

    #[test]
    fn bars_begin_at_zero_say_their_borders_and_stand_beside_what_they_are_compared_with() {
        let shown = facts(Shown::Bars {
            bars: vec![bar(0.0, 50.0, 30), bar(50.0, 100.0, 70)],
            ends: Ends {
                below: "below 0".to_owned(),
                above: "over 100".to_owned(),
                is_closed: true,
            },
            is_of_lengths: false,
            along: "log scale",
        });
        let plain = column_picture(&shown, "Values of salary", None);
        assert_eq!((plain.layers.len(), plain.legend.len()), (1, 0));
        assert_eq!(plain.x.title, "log scale, from");
        assert_eq!(plain.x.text(1.0), "50");
        assert_eq!(plain.layers[0].marks[1].tooltip, "50 to below 100\n70 rows\n70%");
        assert!(plain.y.first == 0.0 && plain.y.last >= 0.7);
        let values: Vec<f64> = (0..100).map(|n| f64::from(n) * 0.5).collect();
        let before = BaselineColumn {
            numbers: Spread::of_values(&values),
            ..BaselineColumn::default()
        };
        let compared = column_picture(&shown, "Values of salary", Some(&before));
        assert_eq!((compared.layers.len(), compared.legend.len()), (2, 2));
        assert!(compared.y.last >= 0.99);
        let values: Vec<f64> = (0..100).map(|n| f64::from(n) * 0.5 - 25.0).collect();
        let before = BaselineColumn {
            numbers: Spread::of_values(&values),
            ..BaselineColumn::default()
        };
        let compared = column_picture(&shown, "Values of salary", Some(&before));
        assert_eq!(compared.x.text(0.0), "below 0");
        let note = outside_note(&shown, Some(&before)).unwrap();
        assert!(note.ends_with("that lie outside: 50% below 0"), "{note}");
        assert_eq!(outside_note(&shown, None), None);
        assert!((compared.layers[1].marks[0].y.1 - 0.5).abs() < 0.02);
    }

    #[test]
    fn frequent_values_lie_with_their_names_and_shares() {
        let shown = facts(Shown::Values {
            values: vec![FactValue {
                text: "US".to_owned(),
                value: "US".to_owned(),
                n: 50,
                share: 0.5,
                keep: None,
            }],
            n_more: 3,
        });
        let before = BaselineColumn {
            categories: Some(Categories {
                n: 10,
                is_whole: true,
                error: 0,
                values: vec![Category {
                    value: "US".to_owned(),
                    n: 9,
                }],
            }),
            ..BaselineColumn::default()
        };
        let picture = column_picture(&shown, "Frequent values of salary", Some(&before));
        assert_eq!(picture.y.kind, ScaleKind::Category(vec!["US".to_owned()]));
        assert_eq!(picture.layers[0].marks[0].label, "50%");
        assert!((picture.layers[1].marks[0].x.1 - 0.9).abs() < 1e-9);
    }
}
