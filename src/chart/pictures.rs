//! What is charted of partitions, as pictures: bars, calendar, sizes and the Lorenz curve. The window shows them, files and
//! reports draw them.

use chrono::{Datelike, Days, NaiveDate};

use super::picture::{Fill, Layer, LayerKind, LegendEntry, LegendShape, Mark, Picture, Rule};
use super::scale::{Quantity, Scale};
use super::{Bar, Calendar, CalendarDay, Lorenz, Measure, PartitionBars, SizeClass, SizeHistogram, Tone};
use crate::base::units;

/// One bar per partition, a gap per missing date, and the median as a line. A mark's action is its place in `bars`.
///
/// `unit` is what a partition is: `day`.
pub fn partition_picture(bars: &PartitionBars, measure: Measure, unit: &str, note: &str) -> Picture {
    let median = Some(bars.facts(measure).median);
    let n_bytes: u64 = bars.bars.iter().filter_map(|bar| bar.n_bytes).sum();
    let (word, quantity) = match measure {
        Measure::Bytes => ("Bytes", Quantity::Bytes),
        Measure::Files => ("Files", Quantity::Count),
        Measure::Rows => ("Rows", Quantity::Count),
    };
    let value = |bar: &Bar| bar.value(measure).unwrap_or(0) as f64;
    let max = bars.bars.iter().map(value).fold(0.0, f64::max);
    let names = bars.bars.iter().map(|bar| bar.label.clone()).collect();
    let marks = bars
        .bars
        .iter()
        .enumerate()
        .map(|(at, bar)| partition_mark(at, bar, value(bar), n_bytes, max, median))
        .collect();
    let mut picture = Picture::new(
        format!("{word} per {unit}"),
        Scale::categories("", names),
        Scale::from_zero("", quantity, max),
    )
    .note(note)
    .layer(Layer::new(LayerKind::Bars, Tone::Data, marks));
    if let Some(median) = median.filter(|median| *median > 0.0 && bars.bars.len() > 1) {
        let label = format!("median {}", quantity.text(median.round()));
        picture = picture.rule(Rule::level(median, label, Tone::Text));
    }
    let has = |is: &dyn Fn(&Bar) -> bool| bars.bars.iter().any(is);
    if has(&|bar| bar.is_spike) {
        picture = picture.entry(LegendEntry::swatch(Tone::Bad, "far above the median"));
    }
    if has(&|bar| bar.has_tiny_files && !bar.is_spike) {
        picture = picture.entry(LegendEntry::swatch(Tone::Warn, "tiny files"));
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

fn partition_mark(at: usize, bar: &Bar, value: f64, total: u64, max: f64, median: Option<f64>) -> Mark {
    let name = &bar.partition;
    let Some(n_bytes) = bar.n_bytes else {
        // A low frame in the gap, so that a missing date is seen.
        return Mark::bar(at, max * 0.03, format!("{name}\nno objects: missing, or late"))
            .tone(Tone::Warn)
            .fill(Fill::Outline)
            .label("missing");
    };
    let mut tooltip = format!(
        "{name}\n{} ({} bytes)\n{}",
        units::bytes(n_bytes),
        units::count(n_bytes),
        units::plural(bar.n_files, "file")
    );
    if let Some(average) = n_bytes.checked_div(bar.n_files) {
        tooltip.extend([format!("\n{} a file on average", units::bytes(average))]);
    }
    if let Some(median) = median.filter(|median| *median > 0.0) {
        tooltip.extend([format!("\n{:.1} × the median", value / median)]);
    }
    if total > 0 {
        let share = n_bytes as f64 / total as f64;
        tooltip.extend([format!("\n{} of all bytes", units::percent(share))]);
    }
    let tone = if bar.is_spike {
        Tone::Bad
    } else if bar.has_tiny_files {
        Tone::Warn
    } else {
        Tone::Data
    };
    Mark::bar(at, value, tooltip).tone(tone).action(at)
}

/// A week a column, Monday at the top, coloured by bytes. A mark's action is its place in `days`.
pub fn calendar_picture(calendar: &Calendar, note: &str) -> Picture {
    let monday = |date: NaiveDate| {
        let days = Days::new(u64::from(date.weekday().num_days_from_monday()));
        date.checked_sub_days(days).unwrap_or(date)
    };
    let first = calendar.days.first().map(|day| monday(day.date));
    let last = calendar.days.last().map(|day| monday(day.date));
    let weeks: Vec<NaiveDate> = first
        .into_iter()
        .flat_map(|week| week.iter_weeks())
        .take_while(|week| last.is_some_and(|last| *week <= last))
        .collect();
    let marks = calendar
        .days
        .iter()
        .enumerate()
        .filter_map(|(at, day)| {
            let week = weeks.binary_search(&monday(day.date)).ok()? as f64;
            let weekday = f64::from(day.date.weekday().num_days_from_monday());
            let mark = Mark::cell(
                (week - 0.5, week + 0.5),
                (weekday - 0.5, weekday + 0.5),
                day_tooltip(day),
            );
            Some(day_mark(mark, day, at))
        })
        .collect();
    let names = weeks
        .iter()
        .map(|week| week.format("%m-%d").to_string())
        .collect();
    let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].map(str::to_owned);
    let mut picture = Picture::new(
        "Calendar of bytes",
        Scale::categories("week from", names),
        Scale::categories("", weekdays.to_vec()).reversed(),
    )
    .note(note)
    .layer(Layer::new(LayerKind::Cells, Tone::Data, marks))
    .entry(LegendEntry::new(
        Tone::Data,
        LegendShape::Swatch(Fill::Level(0.6)),
        "bytes",
    ));
    if calendar.days.iter().any(|day| day.is_spike) {
        picture = picture.entry(LegendEntry::swatch(Tone::Bad, "far above the median"));
    }
    if calendar.days.iter().any(|day| day.n_bytes.is_none()) {
        picture = picture.entry(LegendEntry::new(
            Tone::Warn,
            LegendShape::Swatch(Fill::Outline),
            "missing",
        ));
    }
    picture
}

fn day_tooltip(day: &CalendarDay) -> String {
    match day.n_bytes {
        None => format!("{}\nno objects: missing, or late", day.date),
        Some(n_bytes) => format!(
            "{}\n{} ({} bytes)\n{}",
            day.date.format("%A %Y-%m-%d"),
            units::bytes(n_bytes),
            units::count(n_bytes),
            units::plural(day.n_files, "file")
        ),
    }
}

fn day_mark(mark: Mark, day: &CalendarDay, at: usize) -> Mark {
    let mark = mark.label(day.date.day().to_string());
    match day.n_bytes {
        None => mark.tone(Tone::Warn).fill(Fill::Outline),
        Some(_) if day.is_spike => mark.tone(Tone::Bad).action(at),
        Some(_) => mark.fill(Fill::Level(day.level)).action(at),
    }
}

/// Files by size. A mark's action is its place in `tiers`.
pub fn sizes_picture(sizes: &SizeHistogram, note: &str) -> Picture {
    let names = sizes.tiers.iter().map(|tier| tier.label.to_owned()).collect();
    let marks = sizes
        .tiers
        .iter()
        .enumerate()
        .map(|(at, tier)| {
            let share = tier.n_files as f64 / sizes.n_files.max(1) as f64;
            let tooltip = format!(
                "{}\n{}\n{} of all files",
                tier.label,
                units::plural(tier.n_files, "file"),
                units::percent(share)
            );
            let label = if tier.n_files > 0 {
                units::count(tier.n_files)
            } else {
                String::new()
            };
            let tone = class_tone(tier.class);
            Mark::bar(at, tier.n_files as f64, tooltip)
                .label(label)
                .tone(tone)
                .action(at)
        })
        .collect();
    let max = sizes.tiers.iter().map(|tier| tier.n_files).max().unwrap_or(0);
    let mut picture = Picture::new(
        "Files by size",
        Scale::categories("", names),
        Scale::from_zero("files", Quantity::Count, max as f64),
    )
    .note(note)
    .layer(Layer::new(LayerKind::Bars, Tone::Data, marks));
    let has = |tone| {
        let is = |tier: &super::SizeTier| class_tone(tier.class) == tone && tier.n_files > 0;
        sizes.tiers.iter().find(|tier| is(tier))
    };
    for tone in [Tone::Bad, Tone::Warn, Tone::Good, Tone::Data] {
        if let Some(tier) = has(tone) {
            picture = picture.entry(LegendEntry::swatch(tone, tier.class.meaning()));
        }
    }
    picture
}

fn class_tone(class: SizeClass) -> Tone {
    match class {
        SizeClass::Empty | SizeClass::Huge => Tone::Bad,
        SizeClass::Tiny => Tone::Warn,
        SizeClass::Small | SizeClass::Fair => Tone::Data,
        SizeClass::Good => Tone::Good,
    }
}

/// The Lorenz curve beside the diagonal of an even lake. `unit` is what partitions are: `days`.
pub fn lorenz_picture(lorenz: &Lorenz, unit: &str, note: &str) -> Picture {
    let curve = lorenz
        .points
        .iter()
        .map(|(x, y)| {
            let tooltip = format!(
                "the smaller {} of {unit}\nhold {} of the bytes",
                units::percent(*x),
                units::percent(*y)
            );
            Mark::point(*x, *y, tooltip)
        })
        .collect();
    let even = vec![Mark::point(0.0, 0.0, ""), Mark::point(1.0, 1.0, "")];
    let dashed = LayerKind::Line { is_dashed: true };
    let solid = LayerKind::Line { is_dashed: false };
    Picture::new(
        "Lorenz curve",
        Scale::from_zero(format!("share of {unit}, smallest first"), Quantity::Share, 1.0),
        Scale::from_zero("share of bytes", Quantity::Share, 1.0),
    )
    .note(note)
    .layer(Layer::new(dashed, Tone::Weak, even))
    .layer(Layer::new(solid, Tone::Accent, curve))
    .entry(LegendEntry::new(
        Tone::Weak,
        LegendShape::Line { is_dashed: true },
        "an even lake",
    ))
    .entry(LegendEntry::new(
        Tone::Accent,
        LegendShape::Line { is_dashed: false },
        "this lake",
    ))
}

#[cfg(test)]
mod tests {
    use super::{Measure, calendar_picture, lorenz_picture, partition_picture, sizes_picture};
    use crate::chart::picture::Fill;
    use crate::chart::tests::{dataset, two_weeks};
    use crate::chart::{Calendar, Lorenz, PartitionBars, SizeHistogram, Tone};
    use crate::profile::{CostModel, partition_skew};

    #[test]
    fn bars_say_what_they_are_and_a_missing_day_opens_nothing() {
        let lake = two_weeks();
        let skew = partition_skew(&lake, &CostModel::default());
        let bars = PartitionBars::new(&lake, &skew);
        let picture = partition_picture(&bars, Measure::Bytes, "day", "exact");
        let marks = &picture.layers[0].marks;
        assert_eq!(marks.len(), 14);
        assert_eq!(
            (marks[5].fill, marks[5].action, marks[5].name()),
            (Fill::Outline, None, "2020-01-06")
        );
        assert_eq!((marks[8].tone, marks[8].action), (Some(Tone::Bad), Some(8)));
        assert!(
            marks[8].tooltip.contains("5.3 MB (5,300,000 bytes)"),
            "{}",
            marks[8].tooltip
        );
        assert_eq!(picture.rules[0].label, "median 440 KB");
        let words: Vec<&str> = picture.legend.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(words, ["far above the median", "tiny files", "missing"]);
        let files = partition_picture(&bars, Measure::Files, "day", "exact");
        assert!(
            files.in_words().contains("largest 412 (2020-01-11)"),
            "{}",
            files.in_words()
        );
    }

    #[test]
    fn a_week_is_a_column_of_the_calendar_and_monday_is_on_top() {
        let lake = two_weeks();
        let calendar = Calendar::new(&lake, &partition_skew(&lake, &CostModel::default()));
        let picture = calendar_picture(&calendar, "exact");
        let marks = &picture.layers[0].marks;
        // 1 January 2020 was a Wednesday; the 6th, a Monday, is missing.
        assert_eq!((marks[0].x, marks[0].y), ((-0.5, 0.5), (1.5, 2.5)));
        assert_eq!(
            (marks[5].x, marks[5].y, marks[5].action),
            ((0.5, 1.5), (-0.5, 0.5), None)
        );
        assert!(picture.y.share(0.0) > picture.y.share(6.0));
    }

    #[test]
    fn sizes_and_curve_of_a_lake_and_of_nothing() {
        let lake = two_weeks();
        let sizes = sizes_picture(&SizeHistogram::new(&lake), "exact");
        assert!(sizes.in_words().contains("largest 412"), "{}", sizes.in_words());
        let curve = lorenz_picture(&Lorenz::new(&lake), "days", "exact");
        assert_eq!(curve.layers[1].marks.len(), 14);
        let nothing = dataset([]);
        let skew = partition_skew(&nothing, &CostModel::default());
        let bars = PartitionBars::new(&nothing, &skew);
        for picture in [
            partition_picture(&bars, Measure::Bytes, "day", ""),
            calendar_picture(&Calendar::new(&nothing, &skew), ""),
        ] {
            assert!(picture.is_empty() && picture.in_words().ends_with("nothing to show"));
        }
        assert!(
            lorenz_picture(&Lorenz::new(&nothing), "days", "").layers[1]
                .marks
                .is_empty()
        );
    }
}
