//! Keys as pictures: the most frequent ones, and the partitions that Spark would make of them.

use super::Tone;
use super::picture::{Fill, Layer, LayerKind, LegendEntry, LegendShape, Mark, Picture, Rule};
use super::scale::{Quantity, Scale};
use crate::base::units;
use crate::profile::keys::{KeyProfile, KeyShare, SimulatedPartitions, Weight};

/// Labels of keys are no longer than this: a key of the lake may be a page of text.
const MAX_LABEL: usize = 60;

/// The most frequent keys by share of rows, at most `n_most`; sentinels stand out. A mark's action is its place in `top`.
pub fn top_keys_picture(profile: &KeyProfile, n_most: usize, note: &str) -> Picture {
    let top: Vec<&KeyShare> = profile.top.iter().take(n_most).collect();
    let names = top.iter().map(|key| cut(&key.label)).collect();
    let most = top.iter().map(|key| key.share).fold(0.0, f64::max);
    let marks = top
        .iter()
        .enumerate()
        .map(|(at, key)| key_mark(at, key))
        .collect();
    let columns: Vec<&str> = profile
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let mut picture = Picture::new(
        format!("Most frequent keys of {}", columns.join(", ")),
        Scale::from_zero("share of rows", Quantity::Share, most),
        Scale::categories("", names).reversed(),
    )
    .note(note)
    .layer(Layer::new(LayerKind::Bars, Tone::Data, marks));
    if top.iter().any(|key| key.sentinel.is_some()) {
        picture = picture
            .entry(LegendEntry::swatch(
                Tone::Warn,
                "stands for \u{201c}not known\u{201d}",
            ))
            .entry(LegendEntry::swatch(Tone::Data, "a key"));
    }
    picture
}

fn key_mark(at: usize, key: &KeyShare) -> Mark {
    let mut tooltip = format!(
        "{}\n{} ({})",
        cut(&key.label),
        units::plural(key.n_rows, "row"),
        units::percent(key.share)
    );
    if key.n_rows_low != key.n_rows_high {
        tooltip.extend([format!(
            "\nbetween {} and {}",
            units::count(key.n_rows_low),
            units::count(key.n_rows_high)
        )]);
    }
    tooltip.extend([format!("\n{} before compression", units::bytes(key.n_bytes))]);
    let tone = if key.sentinel.is_some() {
        Tone::Warn
    } else {
        Tone::Data
    };
    Mark::lying_bar(at, key.share, tooltip)
        .label(units::percent(key.share))
        .tone(tone)
        .action(at)
}

/// The label on one line, with an end.
fn cut(label: &str) -> String {
    let mut cut: String = label
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_LABEL)
        .collect();
    if label.chars().nth(MAX_LABEL).is_some() {
        cut.push('…');
    }
    cut
}

/// Partitions by load, the largest first, beside the loads that the same keys would give if all were equally frequent. A
/// mark's action is the id of its partition.
pub fn loads_picture(simulated: &SimulatedPartitions, note: &str) -> Picture {
    let quantity = match simulated.weight {
        Weight::Rows => Quantity::Count,
        Weight::Bytes => Quantity::Bytes,
    };
    let unit = match simulated.weight {
        Weight::Rows => "rows",
        Weight::Bytes => "bytes",
    };
    let mean = simulated.metrics.mean;
    let mut loads: Vec<(usize, u64)> = simulated.loads.iter().copied().enumerate().collect();
    loads.sort_by_key(|(id, load)| (std::cmp::Reverse(*load), *id));
    let mut baseline = simulated.baseline.clone();
    baseline.sort_unstable_by(|a, b| b.cmp(a));
    let bars = loads
        .iter()
        .enumerate()
        .map(|(rank, (id, load))| {
            let exact = match simulated.weight {
                Weight::Rows => units::plural(*load, "row"),
                Weight::Bytes => units::bytes_exact(*load),
            };
            let mut tooltip = format!("partition {id}\n{exact}");
            if mean > 0.0 {
                tooltip.extend([format!("\n{:.1} × the mean", *load as f64 / mean)]);
            }
            if let Some(hot) = simulated.hottest.iter().find(|hot| hot.partition as usize == *id) {
                for (key, share) in &hot.keys {
                    tooltip.extend([format!("\n{} has {} of all", cut(key), units::percent(*share))]);
                }
            }
            // Three times the mean is bad, by the thresholds of max/mean.
            let tone = if *load as f64 >= 3.0 * mean && mean > 0.0 {
                Tone::Bad
            } else {
                Tone::Data
            };
            let rank = rank as f64;
            Mark {
                x: (rank + 0.08, rank + 0.92),
                y: (0.0, *load as f64),
                tooltip,
                action: Some(*id),
                ..Mark::default()
            }
            .tone(tone)
        })
        .collect();
    // Steps, as bars have them.
    let steps = baseline
        .iter()
        .enumerate()
        .flat_map(|(rank, load)| {
            let rank = rank as f64;
            [rank, rank + 1.0].map(|x| Mark::point(x, *load as f64, ""))
        })
        .collect();
    let max = simulated.metrics.max.max(baseline.first().copied().unwrap_or(0)) as f64;
    let n = f64::from(simulated.n_partitions);
    let mut picture = Picture::new(
        format!(
            "{} partitions by {unit}",
            units::count(u64::from(simulated.n_partitions))
        ),
        Scale::linear("partitions, the largest first", Quantity::Count, 0.0, n),
        Scale::from_zero(unit, quantity, max),
    )
    .note(note)
    .layer(Layer::new(LayerKind::Bars, Tone::Data, bars))
    .layer(Layer::new(
        LayerKind::Line { is_dashed: false },
        Tone::Accent,
        steps,
    ))
    .entry(LegendEntry::new(
        Tone::Data,
        LegendShape::Swatch(Fill::Full),
        "predicted load",
    ))
    .entry(LegendEntry::new(
        Tone::Accent,
        LegendShape::Line { is_dashed: false },
        "perfectly even values, same number of keys",
    ));
    if mean > 0.0 && simulated.metrics.max as f64 >= 3.0 * mean {
        let at = picture.legend.len() - 1;
        let entry = LegendEntry::swatch(Tone::Bad, "three times the mean or more");
        picture.legend.insert(at, entry);
    }
    if mean > 0.0 {
        let label = format!("even: {}", quantity.text(mean.round()));
        picture = picture.rule(Rule::level(mean, label, Tone::Text));
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::{loads_picture, top_keys_picture};
    use crate::chart::Tone;
    use crate::chart::tests::key_report;

    #[test]
    fn the_hottest_partition_stands_first_and_in_red_above_its_baseline() {
        let report = key_report();
        let picture = loads_picture(&report.partitions, "exact");
        let bars = &picture.layers[0].marks;
        assert_eq!(bars.len(), 50);
        assert!((bars[0].y.1 - report.partitions.metrics.max as f64).abs() < 1e-9);
        assert_eq!(bars[0].tone, Some(Tone::Bad));
        assert!(bars.windows(2).all(|pair| pair[0].y.1 >= pair[1].y.1));
        assert!(bars[0].tooltip.contains("<script>"), "{}", bars[0].tooltip);
        assert!(
            picture.rules[0].label.starts_with("even: "),
            "{:?}",
            picture.rules
        );
        assert!(bars[0].y.1 > picture.layers[1].marks[0].y.1);
    }

    #[test]
    fn keys_stand_by_share_and_sentinels_apart() {
        let report = key_report();
        let picture = top_keys_picture(&report.profile, 5, "exact");
        let marks = &picture.layers[0].marks;
        assert_eq!(marks.len(), 5);
        assert_eq!((marks[1].tone, marks[1].action), (Some(Tone::Warn), Some(1)));
        assert!(marks[0].tooltip.starts_with("<script>"), "{}", marks[0].tooltip);
        assert!(picture.in_words().contains("5 bars"), "{}", picture.in_words());
    }
}
