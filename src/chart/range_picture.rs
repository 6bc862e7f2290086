//! Two ranges of dates in pairs of days, as a picture.

use chrono::NaiveDate;

use super::Tone;
use super::picture::{Fill, Layer, LayerKind, LegendEntry, LegendShape, Mark, Picture};
use super::scale::{Quantity, Scale};
use crate::base::units;
use crate::profile::{DayPair, RangeComparison};

/// Filled bars for the dates that are looked at, a line for those they are compared with, day by day.
pub fn range_picture(comparison: &RangeComparison, note: &str) -> Picture {
    let days = &comparison.days;
    // Beyond the shorter range a place has no date of its own, and a date of the other range would not follow on.
    let name = |(at, pair): (usize, &DayPair)| match pair.date {
        Some(date) => date.format("%m-%d").to_string(),
        None => format!("day {}", at + 1),
    };
    let bytes = |n_bytes: Option<u64>| n_bytes.unwrap_or(0) as f64;
    let max = days
        .iter()
        .map(|pair| bytes(pair.n_bytes).max(bytes(pair.against_bytes)))
        .fold(0.0, f64::max);
    let bars = days.iter().enumerate();
    let bars = bars.map(|(at, pair)| Mark::bar(at, bytes(pair.n_bytes), tooltip(pair)));
    let against = days
        .iter()
        .enumerate()
        .filter(|(_, pair)| pair.against_bytes.is_some());
    let against =
        against.map(|(at, pair)| Mark::bar(at, bytes(pair.against_bytes), tooltip(pair)).fill(Fill::Outline));
    let range = &comparison.range.range;
    let other = &comparison.against.range;
    Picture::new(
        format!("Bytes per day, {}", comparison.title()),
        Scale::categories("", days.iter().enumerate().map(name).collect()),
        Scale::from_zero("", Quantity::Bytes, max),
    )
    .note(note)
    .layer(Layer::new(LayerKind::Bars, Tone::Data, bars.collect()))
    .layer(Layer::new(LayerKind::Bars, Tone::Accent, against.collect()))
    .entry(LegendEntry::swatch(Tone::Data, format!("{range}, day by day")))
    .entry(LegendEntry::new(
        Tone::Accent,
        LegendShape::Swatch(Fill::Outline),
        format!("{other}: the day at the same place"),
    ))
}

fn tooltip(pair: &DayPair) -> String {
    let line = |date: Option<NaiveDate>, n_bytes: Option<u64>, n_files: Option<u64>, n_rows: Option<u64>| {
        let Some(date) = date else {
            return "the range has ended".to_owned();
        };
        let (Some(n_bytes), Some(n_files)) = (n_bytes, n_files) else {
            return format!("{date}: no objects");
        };
        let rows = n_rows.map(|n| format!(", {}", units::plural(n, "row")));
        format!(
            "{date}: {} in {}{}",
            units::bytes_exact(n_bytes),
            units::plural(n_files, "file"),
            rows.unwrap_or_default()
        )
    };
    let ours = line(pair.date, pair.n_bytes, pair.n_files, pair.n_rows);
    let theirs = line(
        pair.against_date,
        pair.against_bytes,
        pair.against_files,
        pair.against_rows,
    );
    let change = match (pair.n_bytes, pair.against_bytes) {
        (Some(ours), Some(theirs)) if theirs > 0 => {
            format!("\n{:.2} × the bytes", ours as f64 / theirs as f64)
        }
        _ => String::new(),
    };
    format!("{ours}\n{theirs}{change}")
}

#[cfg(test)]
mod tests {
    use super::range_picture;
    use crate::chart::Fill;
    use crate::chart::tests::two_weeks;
    use crate::profile::{CostModel, compare_ranges};

    #[test]
    fn days_of_two_ranges_stand_in_pairs_and_a_missing_day_is_said() {
        let lake = two_weeks();
        let (range, against) = ("2020-01-08..2020-01-14", "2020-01-01..2020-01-07");
        let compared = compare_ranges(
            &lake,
            Some(range.parse().unwrap()),
            against.parse().unwrap(),
            None,
            &CostModel::default(),
        );
        let picture = range_picture(&compared, "exact");
        let [ours, theirs] = &picture.layers[..] else {
            panic!("two layers");
        };
        assert_eq!((ours.marks.len(), theirs.marks.len()), (7, 6));
        assert!(theirs.marks.iter().all(|mark| mark.fill == Fill::Outline));
        assert_eq!(
            ours.marks[1].tooltip,
            "2020-01-09: 5.3 MB (5,300,000 bytes) in 14 files\n2020-01-02: 440 KB (440,000 bytes) in 12 files\n12.05 × the \
             bytes"
        );
        assert!(ours.marks[5].tooltip.ends_with("2020-01-06: no objects"));
        assert_eq!((picture.y.first, picture.y.last), (0.0, 6e6));
    }

    #[test]
    fn days_beyond_the_shorter_range_are_numbered_and_not_named_by_the_other() {
        let lake = two_weeks();
        let (range, against) = ("2020-01-13..2020-01-14", "2020-01-01..2020-01-04");
        let compared = compare_ranges(
            &lake,
            Some(range.parse().unwrap()),
            against.parse().unwrap(),
            None,
            &CostModel::default(),
        );
        let picture = range_picture(&compared, "exact");
        let names: Vec<String> = (0_u32..4).map(|at| picture.x.text(f64::from(at))).collect();
        assert_eq!(names, ["01-13", "01-14", "day 3", "day 4"]);
        assert!(
            picture.layers[1].marks[2]
                .tooltip
                .starts_with("the range has ended\n2020-01-03: 440 KB"),
            "{}",
            picture.layers[1].marks[2].tooltip
        );
    }
}
