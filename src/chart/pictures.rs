//! What is charted of a dataset's partitions together, as pictures: calendar, sizes and the Lorenz curve. The window shows
//! them, files and reports draw them.

use chrono::Datelike as _;

use super::picture::{Fill, Layer, LayerKind, LegendEntry, LegendShape, Mark, Picture};
use super::scale::{Quantity, Scale};
use super::{Calendar, CalendarDay, Lorenz, SizeClass, SizeHistogram, SizeTier, Tone, WEEKDAYS};
use crate::base::units;
use crate::profile::Severity;

/// Weeks of one band: more would leave no room for the number of a day.
const MAX_WEEKS: usize = 42;
/// Rows of a band: the names of its months, seven days, and room below.
const BAND_ROWS: f64 = 8.6;
/// Columns at the left, for the year and the letters of weekdays.
const GUTTER: f64 = 2.2;
/// Height of a day in pixels.
const DAY_PIXELS: f64 = 21.0;

/// A week a column, Monday at the top, coloured by bytes, in bands of whole months. A mark's action is its place in `days`.
pub fn calendar_picture(calendar: &Calendar, note: &str) -> Picture {
    let bands = calendar.bands(MAX_WEEKS);
    let mut words = Vec::new();
    let mut days = Vec::new();
    let mut corners = Vec::new();
    let mut holes = Vec::new();
    let mut at = 0;
    for (n, band) in (0_u32..).zip(&bands) {
        let top = f64::from(n) * BAND_ROWS;
        let word =
            |x: (f64, f64), y: f64, text: &str| Mark::cell(x, (y, y + 1.0), "").fill(Fill::Bare).label(text);
        words.push(word((0.0, GUTTER), top, &band.year().to_string()));
        for (name, start, end) in band.heads() {
            // A name needs more room than a month of one week has.
            let end = end.max(start + 2) as f64;
            words.push(word((GUTTER + start as f64, GUTTER + end), top, &name));
        }
        for (row, letter) in (1_u32..).zip(WEEKDAYS) {
            words.push(word((GUTTER - 1.2, GUTTER), top + f64::from(row), letter));
        }
        for day in band.months.iter().flat_map(|month| month.days) {
            let (column, row) = band.cell(day.date);
            let (x, y) = (GUTTER + column as f64, top + 1.0 + row as f64);
            days.push(day_mark(
                Mark::cell((x, x + 1.0), (y, y + 1.0), day.tooltip()),
                day,
                at,
            ));
            if !day.missing_hours.is_empty() {
                let frame = Mark::cell((x, x + 1.0), (y, y + 1.0), day.tooltip());
                holes.push(frame.fill(Fill::Outline));
            }
            if let Some(outlier) = day.outlier {
                // In the upper corner more than its weekday leads to expect, in the lower one less.
                let y = if outlier.ratio > 1.0 { y } else { y + 0.72 };
                corners.push(Mark::cell((x + 0.72, x + 1.0), (y, y + 0.28), day.tooltip()));
            }
            at += 1;
        }
    }
    let n_columns = bands.iter().map(|band| band.n_weeks).max().unwrap_or(1).max(20) as f64;
    let n_rows = bands.len().max(1) as f64 * BAND_ROWS;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a height in pixels"
    )]
    let height = (n_rows * DAY_PIXELS + 90.0) as u32;
    let mut picture = Picture::new(
        "Calendar of bytes",
        Scale::bare(0.0, GUTTER + n_columns + 1.0),
        Scale::bare(0.0, n_rows).reversed(),
    )
    .note(note)
    .height(height)
    .layer(Layer::new(LayerKind::Cells, Tone::Data, days))
    .layer(Layer::new(LayerKind::Cells, Tone::Weak, words))
    .layer(Layer::new(LayerKind::Cells, Tone::Accent, corners))
    .layer(Layer::new(LayerKind::Cells, Tone::Warn, holes));
    for (level, text) in calendar.scale() {
        let unit = if level > 0.0 { "" } else { " a day" };
        picture = picture.entry(LegendEntry::new(
            Tone::Data,
            LegendShape::Swatch(Fill::Level(level)),
            format!("{text}{unit}"),
        ));
    }
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
    if calendar.days.iter().any(|day| !day.missing_hours.is_empty()) {
        picture = picture.entry(LegendEntry::new(
            Tone::Warn,
            LegendShape::Swatch(Fill::Outline),
            "filled and framed: some hours missing",
        ));
    }
    if calendar.days.iter().any(|day| day.outlier.is_some()) {
        picture = picture.entry(LegendEntry::swatch(
            Tone::Accent,
            "unlike its weekday: upper corner more, lower less",
        ));
    }
    picture
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
            picture = picture.entry(LegendEntry::swatch(tone, words.join("; ")));
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
    use crate::chart::draw::{PictureSize, svg};
    use crate::chart::palette::LIGHT;
    use crate::chart::tests::{dataset, day, hour, two_weeks};
    use crate::chart::{Calendar, Lorenz, SizeHistogram, Tone};
    use crate::profile::{CostModel, partition_skew};

    #[test]
    fn a_week_is_a_column_of_the_calendar_and_monday_is_on_top() {
        let lake = two_weeks();
        let calendar = Calendar::new(&lake, &partition_skew(&lake, &CostModel::default()));
        let picture = calendar_picture(&calendar, "exact");
        let words: Vec<&str> = picture.legend.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(
            words,
            ["0 B a day", "112 KB", "450 KB", "far above the median", "missing"]
        );
        let marks = &picture.layers[0].marks;
        // 1 January 2020 was a Wednesday; the 6th, a Monday, is missing.
        assert_eq!((marks[0].x, marks[0].y), ((2.2, 3.2), (3.0, 4.0)));
        assert_eq!(
            (marks[5].x, marks[5].y, marks[5].action),
            ((3.2, 4.2), (1.0, 2.0), None)
        );
        assert!(picture.y.share(0.0) > picture.y.share(6.0));
        assert_eq!(marks[13].action, Some(13));
    }

    #[test]
    fn a_day_that_lacks_hours_is_framed_and_says_which() {
        let all = (1..=3).flat_map(|day| (0..24).map(move |at| (day, at)));
        let there = all.filter(|(day, at)| *day != 2 || !(3..=5).contains(at));
        let lake = dataset(there.map(|(day, at)| (hour(1, day, at), 1, 10)));
        let calendar = Calendar::new(&lake, &partition_skew(&lake, &CostModel::default()));
        let picture = calendar_picture(&calendar, "exact");
        let frames = &picture.layers[3].marks;
        assert_eq!((frames.len(), frames[0].fill), (1, crate::chart::Fill::Outline));
        assert!(
            picture.layers[0].marks[1]
                .tooltip
                .ends_with("no objects at 03h to 05h"),
            "{}",
            picture.layers[0].marks[1].tooltip
        );
        assert_eq!(
            picture.legend.last().unwrap().text,
            "filled and framed: some hours missing"
        );
    }

    #[test]
    fn a_drawn_calendar_of_fourteen_months_names_every_day_month_weekday_and_year() {
        let first = chrono::NaiveDate::from_ymd_opt(2023, 1, 1).unwrap();
        let days = first.iter_days().take(400).enumerate();
        let days = days.map(|(i, date)| {
            let bytes = if i == 100 { 900_000 } else { 400_000 };
            (crate::storage::Partition::Day(date), 3, bytes)
        });
        let lake = dataset(days);
        let calendar = Calendar::new(&lake, &partition_skew(&lake, &CostModel::default()));
        let picture = calendar_picture(&calendar, "exact");
        assert_eq!(
            picture.layers[2].marks.len(),
            1,
            "the day unlike its weekday is marked"
        );
        let drawn = svg(&picture, PictureSize::of(&picture), &LIGHT).unwrap();
        let words: Vec<&str> = drawn
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with('<'))
            .collect();
        let n_of = |word: &str| words.iter().filter(|found| **found == word).count();
        // Days that every month has, and the last one of seven months of 2023 and January 2024.
        assert_eq!((n_of("1"), n_of("4"), n_of("28"), n_of("31")), (14, 14, 13, 8));
        for month in ["Jan", "Feb", "Jul", "Aug", "Dec", "Jan 2024"] {
            assert!(n_of(month) > 0, "{month} in {words:?}");
        }
        assert_eq!((n_of("2023"), n_of("W"), n_of("F"), n_of("Feb")), (2, 2, 2, 2));
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
                "fair; one task unless it can be split"
            ]
        );
        sizes.has_unsplittable = true;
        assert_eq!(tones(&sizes_picture(&sizes, "")).last(), Some(&Some(Tone::Bad)));
    }
}
