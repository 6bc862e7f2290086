//! A calendar of days, a week a column with Monday on top, coloured by bytes; days unlike their weekday are marked. A calendar
//! of many weeks is cut into bands that begin and end with whole months.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate};

use crate::base::units;
use crate::profile::{PartitionSkew, SpikeRemedy, WeekdayOutlier, hours_in_words};
use crate::storage::DatasetKeys;

/// One day of the calendar.
#[derive(Debug, Clone, PartialEq)]
pub struct CalendarDay {
    pub date: NaiveDate,
    /// None for a missing day.
    pub n_bytes: Option<u64>,
    pub n_files: u64,
    /// Hours that are not there, of a day that is; empty where partitions are no hours.
    pub missing_hours: Vec<u8>,
    /// 0..=1 of the colour scale: the square root of bytes over `max_bytes` of the calendar.
    pub level: f32,
    pub is_spike: bool,
    /// Set where the day is far from what its weekday leads to expect.
    pub outlier: Option<WeekdayOutlier>,
}

/// Days by month.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calendar {
    pub days: Vec<CalendarDay>,
    /// The upper end of the colour scale: bytes of the largest day that is no spike, because spikes have a colour of their own
    /// and would leave all other days pale.
    pub max_bytes: u64,
    /// Partitions that are on no day of it, because they have no date.
    pub n_undated: u64,
}

/// The days of one month that the calendar knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalendarMonth<'a> {
    pub days: &'a [CalendarDay],
}

/// Months beside each other, a week a column.
#[derive(Debug, Clone, PartialEq)]
pub struct CalendarBand<'a> {
    pub months: Vec<CalendarMonth<'a>>,
    /// The Monday of the first column.
    first: NaiveDate,
    pub n_weeks: usize,
}

/// Letters of the days of a week, Monday first.
pub const WEEKDAYS: [&str; 7] = ["M", "T", "W", "T", "F", "S", "S"];

fn monday(date: NaiveDate) -> NaiveDate {
    let days = Days::new(u64::from(date.weekday().num_days_from_monday()));
    date.checked_sub_days(days).unwrap_or(date)
}

/// Weeks from the one of `first` to the one of `last`, both counted.
fn n_weeks(first: NaiveDate, last: NaiveDate) -> usize {
    let days = monday(last).signed_duration_since(monday(first)).num_days();
    usize::try_from(days / 7).unwrap_or(0) + 1
}

impl CalendarDay {
    /// `no objects at 03h to 05h`; none where no hour is missing.
    pub fn missing_words(&self) -> Option<String> {
        let hours = hours_in_words(&self.missing_hours);
        (!hours.is_empty()).then(|| format!("no objects at {hours}"))
    }

    /// The date, what it holds, what it lacks, and how it differs from its weekday, a line each.
    pub fn tooltip(&self) -> String {
        let Some(n_bytes) = self.n_bytes else {
            return format!("{}\nno objects: missing, or late", self.date);
        };
        let mut lines = vec![
            self.date.format("%A %Y-%m-%d").to_string(),
            units::bytes_exact(n_bytes),
            units::plural(self.n_files, "file"),
        ];
        lines.extend(self.missing_words());
        lines.extend(self.outlier.map(|outlier| {
            format!(
                "{:.1} × the {} of the {} nearest other {}s",
                outlier.ratio,
                units::bytes(outlier.expected_bytes),
                outlier.n_others,
                self.date.format("%A")
            )
        }));
        lines.join("\n")
    }
}

impl CalendarMonth<'_> {
    /// The month's three letters, with the year where it is January.
    pub fn name(&self) -> String {
        let form = |day: &CalendarDay| match day.date.month() {
            1 => day.date.format("%b %Y").to_string(),
            _ => day.date.format("%b").to_string(),
        };
        self.days.first().map(form).unwrap_or_default()
    }
}

impl CalendarBand<'_> {
    /// The year that the band begins in.
    pub fn year(&self) -> i32 {
        let days = self.months.iter().flat_map(|month| month.days);
        days.map(|day| day.date.year()).next().unwrap_or_default()
    }

    /// Column (weeks from the first) and row (0 is Monday) of a date.
    pub fn cell(&self, date: NaiveDate) -> (usize, usize) {
        let row = date.weekday().num_days_from_monday() as usize;
        (n_weeks(self.first, date).saturating_sub(1), row)
    }

    /// Names of the months with the column that each begins in and the one before which it ends.
    pub fn heads(&self) -> Vec<(String, usize, usize)> {
        let starts: Vec<usize> = self
            .months
            .iter()
            .filter_map(|month| Some(self.cell(month.days.first()?.date).0))
            .collect();
        let ends = starts.iter().skip(1).copied().chain([self.n_weeks]);
        let names = self.months.iter().enumerate().map(|(at, month)| {
            // The year of the first one stands at the left.
            let name = month.name();
            match name.split_once(' ') {
                Some((short, _)) if at == 0 => short.to_owned(),
                _ => name,
            }
        });
        names
            .zip(starts.iter().copied().zip(ends))
            .map(|(name, (start, end))| (name, start, end.max(start + 1)))
            .collect()
    }
}

impl Calendar {
    /// Every date from the first to the last, partitions of one date added up.
    pub fn new(dataset: &DatasetKeys, skew: &PartitionSkew) -> Self {
        let mut days: BTreeMap<NaiveDate, CalendarDay> = BTreeMap::new();
        let empty = |date| CalendarDay {
            date,
            n_bytes: None,
            n_files: 0,
            missing_hours: Vec::new(),
            level: 0.0,
            is_spike: false,
            outlier: None,
        };
        let mut n_undated = 0;
        for stats in dataset.partitions.values() {
            let Some(date) = stats.partition.date() else {
                n_undated += 1;
                continue;
            };
            let day = days.entry(date).or_insert_with(|| empty(date));
            day.n_bytes = Some(day.n_bytes.unwrap_or(0) + stats.n_bytes);
            day.n_files += stats.n_files;
            day.is_spike |= SpikeRemedy::is_spike(stats, dataset, &skew.metrics);
        }
        let largest = |is_counted: &dyn Fn(&CalendarDay) -> bool| {
            let counted = days.values().filter(|day| is_counted(day));
            counted.filter_map(|day| day.n_bytes).max().unwrap_or(0)
        };
        let max_bytes = match largest(&|day| !day.is_spike) {
            0 => largest(&|_| true),
            max => max,
        };
        for day in days.values_mut() {
            day.level = level(day.n_bytes.unwrap_or(0), max_bytes);
        }
        for (date, hour) in skew.missing_hours.iter().flat_map(|missing| &missing.all) {
            if let Some(day) = days.get_mut(date) {
                day.missing_hours.push(*hour);
            }
        }
        for outlier in &skew.weekdays.outliers {
            if let Some(day) = days.get_mut(&outlier.date) {
                day.outlier = Some(*outlier);
            }
        }
        for date in &skew.missing {
            days.entry(*date).or_insert_with(|| empty(*date));
        }
        Self {
            days: days.into_values().collect(),
            max_bytes,
            n_undated,
        }
    }

    /// The colour scale in words: levels with the bytes of a day that they stand for, from least to most.
    pub fn scale(&self) -> Vec<(f32, String)> {
        let steps = [0.0, 0.5, 1.0];
        let shown = steps.into_iter().take(if self.max_bytes > 0 { 3 } else { 1 });
        shown
            .map(|level: f32| {
                // Bytes are the square of a level.
                let share = f64::from(level) * f64::from(level);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a part of the largest day's bytes"
                )]
                let n_bytes = (self.max_bytes as f64 * share).round() as u64;
                (level, units::bytes(n_bytes))
            })
            .collect()
    }

    /// Weeks from the first day to the last.
    pub fn n_weeks(&self) -> usize {
        match (self.days.first(), self.days.last()) {
            (Some(first), Some(last)) => n_weeks(first.date, last.date),
            _ => 0,
        }
    }

    /// The calendar cut into as few bands as have at most `max_weeks` columns each, and those about equally long. A month is
    /// in one band, whatever it takes.
    pub fn bands(&self, max_weeks: usize) -> Vec<CalendarBand<'_>> {
        let fewest = self.cut(max_weeks);
        // The narrowest bands of that number.
        let narrowest = self.n_weeks() / fewest.len().max(1);
        (narrowest..max_weeks)
            .map(|weeks| self.cut(weeks))
            .find(|bands| bands.len() == fewest.len())
            .unwrap_or(fewest)
    }

    fn cut(&self, max_weeks: usize) -> Vec<CalendarBand<'_>> {
        let mut bands: Vec<CalendarBand<'_>> = Vec::new();
        for month in self.months() {
            let (Some(from), Some(to)) = (month.days.first(), month.days.last()) else {
                continue;
            };
            match bands.last_mut() {
                Some(band) if n_weeks(band.first, to.date) <= max_weeks => {
                    band.n_weeks = n_weeks(band.first, to.date);
                    band.months.push(month);
                }
                _ => bands.push(CalendarBand {
                    first: monday(from.date),
                    n_weeks: n_weeks(from.date, to.date),
                    months: vec![month],
                }),
            }
        }
        bands
    }

    /// The days of each month, in order.
    pub fn months(&self) -> impl Iterator<Item = CalendarMonth<'_>> {
        self.days
            .chunk_by(|a, b| (a.date.year(), a.date.month()) == (b.date.year(), b.date.month()))
            .map(|days| CalendarMonth { days })
    }
}

/// The square root keeps ordinary days apart although one day is far larger.
fn level(n_bytes: u64, max: u64) -> f32 {
    #[allow(clippy::cast_possible_truncation, reason = "a colour needs no more digits")]
    let level = (n_bytes as f64 / max.max(1) as f64).sqrt() as f32;
    level.min(1.0)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::Calendar;
    use crate::chart::tests::{dataset, day, hour, two_weeks};
    use crate::profile::{CostModel, partition_skew};
    use crate::storage::{DatasetKeys, Partition};

    fn calendar(dataset: &DatasetKeys) -> Calendar {
        Calendar::new(dataset, &partition_skew(dataset, &CostModel::default()))
    }

    #[test]
    fn days_stand_where_the_month_has_them() {
        let calendar = calendar(&two_weeks());
        // 1 January 2020 was a Wednesday.
        let bands = calendar.bands(40);
        let cells: Vec<_> = calendar.days.iter().map(|day| bands[0].cell(day.date)).collect();
        assert_eq!(
            (cells[0], cells[4], cells[5], cells[13]),
            ((0, 2), (0, 6), (1, 0), (2, 1))
        );
        assert_eq!((bands.len(), bands[0].year(), bands[0].n_weeks), (1, 2020, 3));
        assert_eq!(bands[0].heads(), [("Jan".to_owned(), 0, 3)]);
        assert_eq!((calendar.days[5].n_bytes, calendar.days[5].n_files), (None, 0));
        assert!(calendar.days[8].is_spike && (calendar.days[8].level - 1.0).abs() < f32::EPSILON);
        // The spike does not pale the others.
        assert!(
            (0.95..1.0).contains(&calendar.days[0].level),
            "{}",
            calendar.days[0].level
        );
        let scale: Vec<String> = calendar.scale().into_iter().map(|(_, text)| text).collect();
        assert_eq!(
            (calendar.max_bytes, scale),
            (450_000, ["0 B", "112 KB", "450 KB"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn a_day_knows_the_hours_that_it_lacks_and_partitions_without_a_date_are_counted() {
        let all = (1..=3).flat_map(|day| (0..24).map(move |at| (day, at)));
        let there = all.filter(|(day, at)| (*day, *at) != (2, 5) && (*day, *at) != (2, 6));
        let mut partitions: Vec<_> = there.map(|(day, at)| (hour(1, day, at), 1, 10)).collect();
        partitions.push((Partition::Whole, 1, 10));
        let calendar = calendar(&dataset(partitions));
        let lacking: Vec<&[u8]> = calendar
            .days
            .iter()
            .map(|day| day.missing_hours.as_slice())
            .collect();
        assert_eq!((lacking, calendar.n_undated), (vec![&[][..], &[5, 6], &[]], 1));
    }

    #[test]
    fn fourteen_months_are_cut_into_even_bands_of_whole_months() {
        let first = NaiveDate::from_ymd_opt(2023, 1, 1).unwrap();
        let days = first.iter_days().take(400);
        let calendar = calendar(&dataset(days.map(|date| (Partition::Day(date), 1, 10))));
        assert_eq!(calendar.n_weeks(), 58);
        let bands = calendar.bands(33);
        let shape: Vec<(usize, usize, i32)> = bands
            .iter()
            .map(|band| (band.months.len(), band.n_weeks, band.year()))
            .collect();
        assert_eq!(shape, [(7, 32, 2023), (7, 27, 2023)]);
        let heads = bands[1].heads();
        assert_eq!(heads[0], ("Aug".to_owned(), 0, 4));
        assert_eq!((heads[5].0.as_str(), heads[6].0.as_str()), ("Jan 2024", "Feb"));
        // Every day has a place of its own.
        let mut cells = std::collections::BTreeSet::new();
        for (at, band) in bands.iter().enumerate() {
            for day in band.months.iter().flat_map(|month| month.days) {
                let (column, row) = band.cell(day.date);
                assert!(
                    column < band.n_weeks && cells.insert((at, column, row)),
                    "{day:?}"
                );
            }
        }
        assert_eq!(cells.len(), 400);
        assert_eq!(calendar.bands(100).len(), 1);
        assert_eq!(calendar.bands(1).len(), 14, "no month is cut");
        assert_eq!(super::Calendar::default().bands(10), []);
    }

    #[test]
    fn hours_of_a_day_are_added_up_and_months_are_apart() {
        let calendar = calendar(&dataset([
            (hour(1, 31, 0), 2, 10),
            (hour(1, 31, 5), 3, 20),
            (hour(2, 1, 0), 1, 5),
        ]));
        let january = calendar.months().next().unwrap();
        assert_eq!((january.days[0].n_bytes, january.days[0].n_files), (Some(30), 5));
        assert_eq!(calendar.months().count(), 2);
    }

    #[test]
    fn a_day_unlike_its_weekday_is_marked_and_says_by_how_much() {
        let first = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap();
        let days = |n: u32| Partition::Day(first + chrono::Duration::days(i64::from(n)));
        let calendar = calendar(&dataset(
            (1..=84).map(|n| (days(n), 3, if n == 40 { 900_000 } else { 400_000 })),
        ));
        let marked: Vec<_> = calendar.days.iter().filter_map(|day| day.outlier).collect();
        assert_eq!(marked.len(), 1);
        assert!((marked[0].ratio - 2.25).abs() < 1e-9 && marked[0].expected_bytes == 400_000);
    }

    #[test]
    fn no_dates_give_no_days_and_empty_days_no_colour() {
        let undated = calendar(&dataset([(Partition::Whole, 3, 10)]));
        assert!(undated.days.is_empty() && undated.max_bytes == 0 && undated.scale().len() == 1);
        let empty = calendar(&dataset([(day(1, 1), 1, 0), (day(1, 2), 1, 0)]));
        assert!(
            empty
                .days
                .iter()
                .all(|day| day.level == 0.0 && day.n_bytes == Some(0))
        );
    }
}
