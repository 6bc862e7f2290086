//! What is charted of a dataset's partitions together, as pictures: calendar, sizes and the Lorenz curve. The window shows
//! them, files and reports draw them.

use chrono::{Datelike, Days, NaiveDate};

use super::picture::{Fill, Layer, LayerKind, LegendEntry, LegendShape, Mark, Picture};
use super::scale::{Quantity, Scale};
use super::{Calendar, CalendarDay, Lorenz, SizeClass, SizeHistogram, SizeTier, Tone};
use crate::base::units;
use crate::profile::Severity;

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
            "{}\n{}\n{}",
            day.date.format("%A %Y-%m-%d"),
            units::bytes_exact(n_bytes),
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

/// Files by size: the tiers that most lakes have, and the others where they hold files.
pub fn sizes_picture(sizes: &SizeHistogram, note: &str) -> Picture {
    let is_shown = |tier: &&SizeTier| {
        let is_rare = matches!(tier.class, SizeClass::Empty | SizeClass::Good | SizeClass::Huge);
        tier.n_files > 0 || !is_rare
    };
    let tiers: Vec<&SizeTier> = sizes.tiers.iter().filter(is_shown).collect();
    let names = tiers.iter().map(|tier| tier.label.to_owned()).collect();
    let tone_of = |tier: &SizeTier| tier_tone(tier, sizes);
    let marks = tiers
        .iter()
        .enumerate()
        .map(|(at, tier)| {
            let share = tier.n_files as f64 / sizes.n_files.max(1) as f64;
            let tooltip = format!(
                "{}\n{}\n{} of all files\n{}",
                tier.label,
                units::plural(tier.n_files, "file"),
                units::percent(share),
                tier.meaning()
            );
            let label = if tier.n_files > 0 {
                units::count(tier.n_files)
            } else {
                String::new()
            };
            Mark::bar(at, tier.n_files as f64, tooltip)
                .label(label)
                .tone(tone_of(tier))
        })
        .collect();
    let max = tiers.iter().map(|tier| tier.n_files).max().unwrap_or(0);
    let mut picture = Picture::new(
        "Files by size",
        Scale::categories("size of a file", names),
        Scale::from_zero("files", Quantity::Count, max as f64),
    )
    .note(note)
    .layer(Layer::new(LayerKind::Bars, Tone::Data, marks));
    for tone in [Tone::Bad, Tone::Warn, Tone::Good, Tone::Data] {
        let mut words: Vec<&str> = tiers
            .iter()
            .filter(|tier| tier.n_files > 0 && tone_of(tier) == tone)
            .map(|tier| tier.meaning())
            .collect();
        words.dedup();
        if !words.is_empty() {
            picture = picture.entry(LegendEntry::swatch(tone, words.join(", ")));
        }
    }
    picture
}

fn tier_tone(tier: &SizeTier, sizes: &SizeHistogram) -> Tone {
    match tier.class {
        SizeClass::Huge if sizes.has_unsplittable => Tone::Bad,
        // As bad as the findings call them.
        SizeClass::Tiny if tier.is_tiny() && sizes.tiny == Some(Severity::Bad) => Tone::Bad,
        SizeClass::Tiny if tier.is_tiny() => Tone::Warn,
        SizeClass::Empty => Tone::Warn,
        SizeClass::Tiny | SizeClass::Small | SizeClass::Fair | SizeClass::Huge => Tone::Data,
        SizeClass::Good => Tone::Good,
    }
}

/// The Lorenz curve beside the diagonal of an even lake. `unit` is what partitions are: `days`. A mark's action is its place
/// in `partitions`.
pub fn lorenz_picture(lorenz: &Lorenz, unit: &str, note: &str) -> Picture {
    let n = lorenz.partitions.len();
    let curve = lorenz
        .points
        .iter()
        .enumerate()
        .map(|(at, (x, y))| {
            let mark = |tooltip| Mark::point(*x, *y, tooltip);
            let Some((partition, n_bytes)) = at.checked_sub(1).and_then(|at| lorenz.partitions.get(at))
            else {
                return mark(String::new());
            };
            mark(format!(
                "The smaller {} of {unit} hold {} of the bytes\n{} of {} {unit}, up to {partition} with {}",
                units::percent(*x),
                units::percent(*y),
                units::count(at as u64),
                units::count(n as u64),
                units::bytes_exact(*n_bytes)
            ))
            .action(at - 1)
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
    use super::{calendar_picture, lorenz_picture, sizes_picture};
    use crate::chart::tests::{dataset, day, two_weeks};
    use crate::chart::{Calendar, Lorenz, SizeHistogram, Tone};
    use crate::profile::{CostModel, partition_skew};

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
        let picture = lorenz_picture(&Lorenz::new(&lake), "days", "exact");
        let curve = &picture.layers[1].marks;
        assert_eq!(
            (curve.len(), curve[0].action, curve[13].action),
            (14, None, Some(12))
        );
        assert!(
            curve[12]
                .tooltip
                .starts_with("The smaller 92% of days hold 50% of the bytes\n12 of 13 days, up to"),
            "{}",
            curve[12].tooltip
        );
        let nothing = dataset([]);
        let skew = partition_skew(&nothing, &CostModel::default());
        let picture = calendar_picture(&Calendar::new(&nothing, &skew), "");
        assert!(picture.is_empty() && picture.in_words().ends_with("nothing to show"));
        let curve = lorenz_picture(&Lorenz::new(&nothing), "days", "");
        assert!(curve.layers[1].marks.is_empty());
    }

    #[test]
    fn rare_sizes_have_a_place_only_where_there_are_files_and_each_tone_says_what_it_means() {
        let names = |picture: &super::Picture| match &picture.x.kind {
            crate::chart::ScaleKind::Category(names) => names.clone(),
            other => panic!("{other:?}"),
        };
        let usual = sizes_picture(&SizeHistogram::new(&two_weeks()), "");
        assert_eq!(names(&usual).len(), 6);
        assert!(!names(&usual).contains(&"0".to_owned()));
        let rare = dataset([
            (day(1, 1), 2, 0),
            (day(1, 2), 1, 5 << 30),
            (day(1, 3), 1, 50_000_000),
        ]);
        let mut sizes = SizeHistogram::new(&rare);
        let picture = sizes_picture(&sizes, "");
        assert_eq!(names(&picture).len(), 8);
        let tones = |picture: &super::Picture| -> Vec<Option<Tone>> {
            let there = |mark: &&crate::chart::Mark| mark.y.1 > 0.0;
            let marks = picture.layers[0].marks.iter().filter(there);
            marks.map(|mark| mark.tone).collect()
        };
        assert_eq!(
            tones(&picture),
            [Some(Tone::Warn), Some(Tone::Data), Some(Tone::Data)]
        );
        let words: Vec<&str> = picture.legend.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(
            words,
            [
                "nothing to read, but a request",
                "fair, one task unless it can be split"
            ]
        );
        sizes.has_unsplittable = true;
        assert_eq!(tones(&sizes_picture(&sizes, "")).last(), Some(&Some(Tone::Bad)));
    }
}
