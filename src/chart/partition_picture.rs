//! One bar per partition as a picture, in the order of partitions or of size.

use super::picture::{Fill, Layer, LayerKind, LegendEntry, LegendShape, Mark, Picture, Rule};
use super::scale::{Quantity, Scale};
use super::{Bar, BarOrder, Measure, MeasureFacts, PartitionBars, Tone};
use crate::base::units;

/// One bar per partition and a gap per missing date. In order of partitions with the median as a line, which one hot day does
/// not move; by size with the even share, which all bars would have. A mark's action is its place in `bars`.
///
/// `unit` is what a partition is: `day`.
pub fn partition_picture(
    bars: &PartitionBars,
    measure: Measure,
    order: BarOrder,
    unit: &str,
    note: &str,
) -> Picture {
    let facts = bars.facts(measure);
    let n_bytes: u64 = bars.bars.iter().filter_map(|bar| bar.n_bytes).sum();
    let (word, quantity) = match measure {
        Measure::Bytes => ("Bytes", Quantity::Bytes),
        Measure::Files => ("Files", Quantity::Count),
        Measure::Rows => ("Rows", Quantity::Count),
    };
    let places: Vec<usize> = match order {
        BarOrder::Partition => (0..bars.bars.len()).collect(),
        BarOrder::Size => facts.by_size.clone(),
    };
    let ordered = || {
        places
            .iter()
            .filter_map(|place| Some((*place, bars.bars.get(*place)?)))
    };
    let names = ordered().map(|(_, bar)| bar.label.clone()).collect();
    let marks = ordered()
        .enumerate()
        .map(|(at, (place, bar))| mark(at, place, bar, measure, facts, n_bytes))
        .collect();
    let mut picture = Picture::new(
        format!("{word} per {unit}"),
        Scale::categories(
            match order {
                BarOrder::Partition => "",
                BarOrder::Size => "the largest first",
            },
            names,
        ),
        Scale::from_zero("", quantity, facts.max as f64),
    )
    .note(note)
    .layer(Layer::new(LayerKind::Bars, Tone::Data, marks));
    let (word, level) = match order {
        BarOrder::Partition => ("median", facts.median),
        BarOrder::Size => ("even", facts.even),
    };
    if level > 0.0 && bars.bars.len() > 1 {
        let label = format!("{word} {}", quantity.text(level.round()));
        picture = picture.rule(Rule::level(level, label, Tone::Text));
    }
    let has = |is: &dyn Fn(&Bar) -> bool| bars.bars.iter().any(is);
    for (tone, words) in [
        (Tone::Bad, "far above the median of bytes"),
        (Tone::Warn, "a crowd of tiny files"),
    ] {
        if has(&|bar| bar.n_bytes.is_some() && tone_of(bar, measure) == tone) {
            picture = picture.entry(LegendEntry::swatch(tone, words));
        }
    }
    if has(&|bar| bar.n_bytes.is_none()) {
        picture = picture.entry(LegendEntry::new(
            Tone::Warn,
            LegendShape::Swatch(Fill::Outline),
            "missing",
        ));
    }
    picture
}

/// What the findings say of what the bar shows: of bytes whether it is a spike, of files whether they are a crowd. A colour
/// never speaks of something else than the height.
fn tone_of(bar: &Bar, measure: Measure) -> Tone {
    match measure {
        Measure::Bytes if bar.is_spike => Tone::Bad,
        Measure::Files if bar.has_tiny_files => Tone::Warn,
        Measure::Bytes | Measure::Files | Measure::Rows => Tone::Data,
    }
}

fn mark(
    at: usize,
    place: usize,
    bar: &Bar,
    measure: Measure,
    facts: &MeasureFacts,
    total_bytes: u64,
) -> Mark {
    let name = &bar.partition;
    let Some(n_bytes) = bar.n_bytes else {
        // Drawers give an outline without height a low frame, so that a missing date is seen.
        return Mark::bar(at, 0.0, format!("{name}\nno objects: missing, or late"))
            .tone(Tone::Warn)
            .fill(Fill::Outline)
            .label("missing");
    };
    let mut lines = vec![
        name.to_string(),
        units::bytes_exact(n_bytes),
        units::plural(bar.n_files, "file"),
    ];
    if let Some(average) = n_bytes.checked_div(bar.n_files) {
        lines.push(format!("{} a file on average", units::bytes(average)));
    }
    if let Some(rows) = &bar.n_rows {
        lines.push(rows.to_string());
        if let Some(each) = n_bytes.checked_div(rows.n_rows) {
            lines.push(format!("{} bytes a row", units::count(each)));
        }
    }
    let value = bar.value(measure);
    if let Some(value) = value.map(|value| value as f64) {
        for (level, word) in [(facts.median, "median"), (facts.even, "even share")] {
            if level > 0.0 {
                lines.push(format!("{:.1} × the {word}", value / level));
            }
        }
    }
    if total_bytes > 0 {
        let share = n_bytes as f64 / total_bytes as f64;
        lines.push(format!("{} of all bytes", units::percent(share)));
    }
    Mark::bar(at, value.unwrap_or(0) as f64, lines.join("\n"))
        .tone(tone_of(bar, measure))
        .action(place)
}

#[cfg(test)]
mod tests {
    use super::{BarOrder, Measure, Picture, partition_picture};
    use crate::chart::picture::Fill;
    use crate::chart::tests::{dataset, day, two_weeks};
    use crate::chart::{PartitionBars, Tone};
    use crate::profile::{CostModel, RowCount, RowCounts, partition_skew};

    fn bars() -> PartitionBars {
        let lake = two_weeks();
        PartitionBars::new(&lake, &partition_skew(&lake, &CostModel::default()))
    }

    fn picture(measure: Measure, order: BarOrder) -> Picture {
        partition_picture(&bars(), measure, order, "day", "exact")
    }

    #[test]
    fn bars_say_what_they_are_and_a_missing_day_opens_nothing() {
        let picture = picture(Measure::Bytes, BarOrder::Partition);
        let marks = &picture.layers[0].marks;
        assert_eq!(marks.len(), 14);
        assert_eq!(
            (marks[5].fill, marks[5].action, marks[5].name()),
            (Fill::Outline, None, "2020-01-06")
        );
        assert_eq!((marks[8].tone, marks[8].action), (Some(Tone::Bad), Some(8)));
        let lines: Vec<&str> = marks[8].tooltip.lines().collect();
        assert_eq!(
            lines,
            [
                "2020-01-09",
                "5.3 MB (5,300,000 bytes)",
                "14 files",
                "379 KB a file on average",
                "12.0 × the median",
                "6.5 × the even share",
                "50% of all bytes"
            ]
        );
        assert_eq!(picture.rules[0].label, "median 440 KB");
        let words: Vec<&str> = picture.legend.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(words, ["far above the median of bytes", "missing"]);
    }

    #[test]
    fn a_colour_says_of_bytes_what_is_found_of_bytes_and_of_files_what_is_found_of_files() {
        let toned = |measure| {
            let picture = picture(measure, BarOrder::Partition);
            let marks = picture.layers[0].marks.iter();
            let toned = marks.filter(|mark| mark.fill == Fill::Full && mark.tone != Some(Tone::Data));
            let toned: Vec<(String, Option<Tone>)> =
                toned.map(|mark| (mark.name().to_owned(), mark.tone)).collect();
            let words: Vec<String> = picture.legend.iter().map(|entry| entry.text.clone()).collect();
            (toned, words)
        };
        let named = |day: &str, tone| vec![(day.to_owned(), Some(tone))];
        assert_eq!(
            toned(Measure::Bytes),
            (
                named("2020-01-09", Tone::Bad),
                vec!["far above the median of bytes".to_owned(), "missing".to_owned()]
            )
        );
        assert_eq!(
            toned(Measure::Files),
            (
                named("2020-01-11", Tone::Warn),
                vec!["a crowd of tiny files".to_owned(), "missing".to_owned()]
            )
        );
        assert_eq!(toned(Measure::Rows), (vec![], vec!["missing".to_owned()]));
    }

    #[test]
    fn files_are_counted_and_empty_lakes_have_no_bars() {
        let said = picture(Measure::Files, BarOrder::Partition).in_words();
        assert!(said.contains("largest 412 (2020-01-11)"), "{said}");
        let nothing = dataset([]);
        let skew = partition_skew(&nothing, &CostModel::default());
        let bars = PartitionBars::new(&nothing, &skew);
        let picture = partition_picture(&bars, Measure::Bytes, BarOrder::Size, "day", "");
        assert!(picture.is_empty() && picture.in_words().ends_with("nothing to show"));
    }

    #[test]
    fn by_size_the_largest_stands_first_beside_the_even_share_and_keeps_its_place_as_action() {
        let picture = picture(Measure::Bytes, BarOrder::Size);
        let marks = &picture.layers[0].marks;
        assert_eq!((marks[0].name(), marks[0].action), ("2020-01-09", Some(8)));
        assert_eq!((marks[13].name(), marks[13].action), ("2020-01-06", None));
        assert!(marks[0].x.0 < 0.0 && marks[1].y.1 >= marks[2].y.1);
        assert_eq!(picture.x.text(0.0), "09");
        assert_eq!(picture.rules[0].label, "even 815 KB");
    }

    #[test]
    fn rows_are_told_with_their_accuracy() {
        let mut bars = bars();
        let counted = RowCount {
            n_rows: 1000,
            ..RowCount::default()
        };
        bars.set_rows(&RowCounts {
            partitions: [(day(1, 9), counted)].into(),
            ..RowCounts::default()
        });
        let picture = partition_picture(&bars, Measure::Rows, BarOrder::Partition, "day", "");
        let tooltip = &picture.layers[0].marks[8].tooltip;
        assert!(
            tooltip.contains("1,000 rows (exact)\n5,300 bytes a row"),
            "{tooltip}"
        );
    }
}
