//! Whether the days grow: a robust line through the weeks, so that weekdays and single odd days do not bend it.

use chrono::{Datelike, NaiveDate};
use serde::Serialize;

use super::days::DayLoad;

/// Fewer weeks give no trend that is worth naming.
pub const MIN_WEEKS: usize = 8;
/// Weeks that are looked at, the last ones: a decade.
const MAX_WEEKS: usize = 520;
/// Days of a week that must be there for its mean to stand for it.
const MIN_DAYS: u32 = 4;
const DAYS_PER_MONTH: f64 = 30.0;

/// The trend of a day's bytes and files. An estimate from the means of weeks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Growth {
    /// By how much a day's bytes change in thirty days.
    pub bytes_per_month: f64,
    /// The same as a share of the median week's day; none where that is empty.
    pub share_per_month: Option<f64>,
    /// What a day of the last week holds on average.
    pub last_week_bytes: f64,
    /// By how much a day's files change in thirty days.
    pub files_per_month: f64,
    pub n_weeks: u64,
    /// Whether the direction is more than chance, at 95%.
    pub is_trend: bool,
}

/// The slope of Theil and Sen over the weeks' means, and the test of Mann and Kendall on its direction. None for fewer than
/// eight weeks.
///
/// Source: Theil 1950, Sen 1968 (median of the slopes of all pairs); Mann 1945, Kendall 1975 (test).
pub fn growth(days: &[DayLoad]) -> Option<Growth> {
    let weeks = weeks(days);
    if weeks.len() < MIN_WEEKS {
        return None;
    }
    let of = |value: fn(&Week) -> f64| -> Vec<(f64, f64)> {
        weeks.iter().map(|week| (week.at_days, value(week))).collect()
    };
    let bytes = of(|week| week.n_bytes);
    let per_day = slope(&bytes)?;
    let mut means: Vec<f64> = weeks.iter().map(|week| week.n_bytes).collect();
    let median = super::formulas::median_of(&mut means)?;
    let last = weeks.last()?;
    Some(Growth {
        last_week_bytes: last.n_bytes,
        bytes_per_month: per_day * DAYS_PER_MONTH,
        share_per_month: (median > 0.0).then(|| per_day * DAYS_PER_MONTH / median),
        files_per_month: slope(&of(|week| week.n_files))? * DAYS_PER_MONTH,
        n_weeks: weeks.len() as u64,
        is_trend: is_trend(&bytes),
    })
}

struct Week {
    /// Days from the first date to the week's Monday.
    at_days: f64,
    n_bytes: f64,
    n_files: f64,
}

/// Means of the days that a week has, of weeks that have most of them.
fn weeks(days: &[DayLoad]) -> Vec<Week> {
    let Some(first) = days.first() else {
        return Vec::new();
    };
    let monday =
        |date: NaiveDate| date.num_days_from_ce() - date.weekday().num_days_from_monday().cast_signed();
    let mut weeks: Vec<Week> = days
        .chunk_by(|a, b| monday(a.date) == monday(b.date))
        .filter_map(|week| {
            let n = u32::try_from(week.len()).ok().filter(|n| *n >= MIN_DAYS)?;
            let start = week.first()?.date;
            let mean = |sum: f64| sum / f64::from(n);
            Some(Week {
                at_days: f64::from(monday(start) - monday(first.date)),
                n_bytes: mean(week.iter().map(|day| day.n_bytes as f64).sum()),
                n_files: mean(week.iter().map(|day| day.n_files as f64).sum()),
            })
        })
        .collect();
    weeks.split_off(weeks.len().saturating_sub(MAX_WEEKS))
}

fn pairs(points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    points.iter().enumerate().flat_map(move |(i, (x, y))| {
        let later = points.iter().skip(i + 1);
        later.map(move |(later_x, later_y)| (later_x - x, later_y - y))
    })
}

fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let mut slopes: Vec<f64> = pairs(points).map(|(dx, dy)| dy / dx).collect();
    super::formulas::median_of(&mut slopes)
}

fn is_trend(points: &[(f64, f64)]) -> bool {
    let score: f64 = pairs(points)
        .map(|(_, dy)| if dy == 0.0 { 0.0 } else { dy.signum() })
        .sum();
    let n = points.len() as f64;
    let sigma = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    // Without the correction for ties the test is on the careful side.
    sigma > 0.0 && (score.abs() - 1.0).max(0.0) / sigma > 1.96
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::growth;
    use crate::profile::days::DayLoad;

    fn days(n: u32, bytes: impl Fn(u32) -> u64) -> Vec<DayLoad> {
        let first = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap();
        let dates = first.iter_days().take(n as usize).zip(0..);
        dates
            .map(|(date, i)| DayLoad {
                date,
                n_files: 10,
                n_bytes: bytes(i),
            })
            .collect()
    }

    #[test]
    fn a_line_is_found_under_weekends_and_one_spike() {
        let found = growth(&days(140, |i| {
            let weekend = u64::from(i % 7 >= 5) * 3_000;
            let spike = u64::from(i == 70) * 9_000_000;
            10_000 + 100 * u64::from(i) - weekend + spike
        }))
        .unwrap();
        assert!((found.bytes_per_month - 3_000.0).abs() < 150.0, "{found:?}");
        assert!(found.is_trend && found.files_per_month.abs() < 1e-9);
        assert_eq!(found.n_weeks, 20);
        // Days 131 to 137, two of them a weekend: 10,000 + 13,400 - 6,000 / 7.
        assert!((found.last_week_bytes - 22_542.857).abs() < 0.01, "{found:?}");
        let share = found.share_per_month.unwrap();
        assert!((0.1..0.25).contains(&share), "{share}");
    }

    #[test]
    fn chance_is_no_trend_and_few_weeks_give_none() {
        let noise = growth(&days(140, |i| 10_000 + u64::from(i * 7919 % 101))).unwrap();
        assert!(!noise.is_trend, "{noise:?}");
        let flat = growth(&days(140, |_| 0)).unwrap();
        assert!(!flat.is_trend && flat.share_per_month.is_none(), "{flat:?}");
        assert_eq!(growth(&days(50, u64::from)), None);
        assert_eq!(growth(&[]), None);
    }
}
