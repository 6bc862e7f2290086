//! A calendar of days, Monday first, coloured by bytes; days unlike their weekday are marked.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use super::partition_bars::spikes;
use crate::profile::{PartitionSkew, WeekdayOutlier};
use crate::storage::DatasetKeys;

/// One day of the calendar.
#[derive(Debug, Clone, PartialEq)]
pub struct CalendarDay {
    pub date: NaiveDate,
    /// None for a missing day.
    pub n_bytes: Option<u64>,
    pub n_files: u64,
    /// 0..=1 of the colour scale (square root of bytes over the largest day).
    pub level: f32,
    pub is_spike: bool,
    /// Set where the day is far from what its weekday leads to expect.
    pub outlier: Option<WeekdayOutlier>,
}

/// Days by month.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calendar {
    pub days: Vec<CalendarDay>,
}

/// The days of one month that the calendar knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalendarMonth<'a> {
    pub days: &'a [CalendarDay],
}

impl CalendarDay {
    /// Row (week of the month) and column (0 is Monday) of the day on its month's sheet.
    pub fn cell(&self) -> (u32, u32) {
        let column = self.date.weekday().num_days_from_monday();
        let before_the_first = (column + 7 - self.date.day0() % 7) % 7;
        ((self.date.day0() + before_the_first) / 7, column)
    }
}

impl CalendarMonth<'_> {
    /// `January 2020`.
    pub fn title(&self) -> String {
        self.days
            .first()
            .map(|day| day.date.format("%B %Y").to_string())
            .unwrap_or_default()
    }
}

impl Calendar {
    /// Every date from the first to the last, partitions of one date added up.
    pub fn new(dataset: &DatasetKeys, skew: &PartitionSkew) -> Self {
        let spikes = spikes(skew);
        let mut days: BTreeMap<NaiveDate, CalendarDay> = BTreeMap::new();
        let empty = |date| CalendarDay {
            date,
            n_bytes: None,
            n_files: 0,
            level: 0.0,
            is_spike: false,
            outlier: None,
        };
        for stats in dataset.partitions.values() {
            let Some(date) = stats.partition.date() else {
                continue;
            };
            let day = days.entry(date).or_insert_with(|| empty(date));
            day.n_bytes = Some(day.n_bytes.unwrap_or(0) + stats.n_bytes);
            day.n_files += stats.n_files;
            day.is_spike |= spikes.contains(&stats.partition);
        }
        let max = days.values().filter_map(|day| day.n_bytes).max().unwrap_or(0);
        for day in days.values_mut() {
            day.level = level(day.n_bytes.unwrap_or(0), max);
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
        }
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
    level
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::Calendar;
    use crate::chart::tests::{dataset, day, two_weeks};
    use crate::profile::{CostModel, partition_skew};
    use crate::storage::{DatasetKeys, Partition};

    fn calendar(dataset: &DatasetKeys) -> Calendar {
        Calendar::new(dataset, &partition_skew(dataset, &CostModel::default()))
    }

    #[test]
    fn days_stand_where_the_month_has_them() {
        let calendar = calendar(&two_weeks());
        // 1 January 2020 was a Wednesday.
        let cells: Vec<(u32, u32)> = calendar.days.iter().map(super::CalendarDay::cell).collect();
        assert_eq!(
            (cells[0], cells[4], cells[5], cells[13]),
            ((0, 2), (0, 6), (1, 0), (2, 1))
        );
        let titles: Vec<String> = calendar.months().map(|month| month.title()).collect();
        assert_eq!(titles, ["January 2020"]);
        assert_eq!((calendar.days[5].n_bytes, calendar.days[5].n_files), (None, 0));
        assert!(calendar.days[8].is_spike && (calendar.days[8].level - 1.0).abs() < f32::EPSILON);
        assert!(
            (0.2..0.4).contains(&calendar.days[0].level),
            "{}",
            calendar.days[0].level
        );
    }

    #[test]
    fn hours_of_a_day_are_added_up_and_months_are_apart() {
        let hour =
            |month, day, hour| Partition::Hour(NaiveDate::from_ymd_opt(2020, month, day).unwrap(), hour);
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
        let days = |n: u32| if n < 32 { day(1, n) } else { day(2, n - 31) };
        let calendar = calendar(&dataset(
            (1..=56).map(|n| (days(n), 3, if n == 40 { 900_000 } else { 400_000 })),
        ));
        let marked: Vec<_> = calendar.days.iter().filter_map(|day| day.outlier).collect();
        assert_eq!(marked.len(), 1);
        assert!((marked[0].ratio - 2.25).abs() < 1e-9 && marked[0].expected_bytes == 400_000);
    }

    #[test]
    fn no_dates_give_no_days_and_empty_days_no_colour() {
        assert_eq!(
            calendar(&dataset([(Partition::Whole, 3, 10)])),
            Calendar::default()
        );
        let empty = calendar(&dataset([(day(1, 1), 1, 0), (day(1, 2), 1, 0)]));
        assert!(
            empty
                .days
                .iter()
                .all(|day| day.level == 0.0 && day.n_bytes == Some(0))
        );
    }
}
