//! Days that are unlike the same weekday of the weeks around them.

use chrono::{Datelike, NaiveDate};
use serde::Serialize;

use super::days::DayLoad;
use super::formulas::median_of;

/// Days of one weekday, itself among them, that a day is judged by: with fewer it is not judged at all.
///
/// Source: ten is the smallest sample that Iglewicz and Hoaglin tried their rule of 3.5 on; Skewer's floor for partitions is
/// ten too.
pub const MIN_SAMPLES: usize = 10;
/// The others of them.
const N_OTHERS: usize = MIN_SAMPLES - 1;
/// No day is compared with one further away than this: a quarter of a year.
const MAX_APART_DAYS: i64 = 7 * 13;
/// A robust z score beyond this is an outlier.
///
/// Source: Iglewicz and Hoaglin, "How to detect and handle outliers", 1993.
const OUTLIER: f64 = 3.5;
/// And the day must be this many times the expected one, or that part of it: in a very even dataset a small change has a
/// large score.
const MIN_RATIO: f64 = 1.5;
/// Makes the median absolute deviation of a normal distribution its standard deviation.
const MAD_TO_SIGMA: f64 = 1.4826;
/// The spread of logarithms is taken for at least 5%.
const MIN_SIGMA: f64 = 0.05;

/// A date far from what its weekday leads to expect.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WeekdayOutlier {
    pub date: NaiveDate,
    pub n_bytes: u64,
    /// Median of the nearest days of the same weekday.
    pub expected_bytes: u64,
    /// How many those are.
    pub n_others: u64,
    /// Bytes over expected bytes.
    pub ratio: f64,
    /// Robust z score of the logarithm.
    pub score: f64,
}

/// What weekdays tell.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Weekdays {
    /// Weeks between the first and the last date.
    pub n_weeks: u64,
    /// Whether a weekday had days enough to tell.
    pub is_known: bool,
    /// In order of dates.
    pub outliers: Vec<WeekdayOutlier>,
}

/// Compares every day with the median of the nine nearest days of its weekday, on a logarithmic scale, by the median absolute
/// deviation of all days. A weekday with fewer than ten days is not judged. Empty days are left out: those are a finding of
/// their own.
pub fn weekdays(days: &[DayLoad]) -> Weekdays {
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return Weekdays::default();
    };
    let span = last.date.signed_duration_since(first.date).num_days() + 1;
    let n_weeks = u64::try_from(span / 7).unwrap_or(0);
    let mut by_weekday: [Vec<&DayLoad>; 7] = Default::default();
    for day in days.iter().filter(|day| day.n_bytes > 0) {
        let weekday = day.date.weekday().num_days_from_monday() as usize;
        if let Some(same) = by_weekday.get_mut(weekday) {
            same.push(day);
        }
    }
    let compared: Vec<(&DayLoad, f64)> = by_weekday.iter().flat_map(|same| expected(same)).collect();
    let residual = |(day, expected): &(&DayLoad, f64)| (day.n_bytes as f64 / expected).ln();
    let mut deviations: Vec<f64> = compared.iter().map(|pair| residual(pair).abs()).collect();
    let Some(mad) = median_of(&mut deviations) else {
        return Weekdays {
            n_weeks,
            ..Weekdays::default()
        };
    };
    let sigma = (mad * MAD_TO_SIGMA).max(MIN_SIGMA);
    let mut outliers: Vec<WeekdayOutlier> = compared
        .iter()
        .filter_map(|pair| {
            let (day, expected) = *pair;
            let residual = residual(pair);
            let is_far = (residual / sigma).abs() > OUTLIER && residual.abs() > MIN_RATIO.ln();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a median of byte sizes"
            )]
            let expected_bytes = expected.round() as u64;
            is_far.then(|| WeekdayOutlier {
                date: day.date,
                n_bytes: day.n_bytes,
                expected_bytes,
                n_others: N_OTHERS as u64,
                ratio: day.n_bytes as f64 / expected,
                score: residual / sigma,
            })
        })
        .collect();
    outliers.sort_by_key(|outlier| outlier.date);
    Weekdays {
        n_weeks,
        is_known: true,
        outliers,
    }
}

/// Days of one weekday, each with the median of the others that are nearest to it.
fn expected<'a>(same: &[&'a DayLoad]) -> Vec<(&'a DayLoad, f64)> {
    same.iter()
        .enumerate()
        .filter_map(|(at, day)| {
            // Dates are in order: the nearest are among the next on either side.
            let around = same.iter().enumerate().skip(at.saturating_sub(N_OTHERS));
            let mut others: Vec<(i64, f64)> = around
                .take(N_OTHERS.min(at) + 1 + N_OTHERS)
                .filter(|(other, _)| *other != at)
                .map(|(_, near)| {
                    let apart = near.date.signed_duration_since(day.date).num_days().abs();
                    (apart, near.n_bytes as f64)
                })
                .filter(|(apart, _)| *apart <= MAX_APART_DAYS)
                .collect();
            if others.len() < N_OTHERS {
                return None;
            }
            others.sort_by_key(|(apart, _)| *apart);
            let mut nearest: Vec<f64> = others
                .into_iter()
                .take(N_OTHERS)
                .map(|(_, bytes)| bytes)
                .collect();
            Some((*day, median_of(&mut nearest)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, NaiveDate};

    use super::{WeekdayOutlier, weekdays};
    use crate::profile::days::DayLoad;

    /// Days from Monday, 6 January 2020 on; weekends hold a third.
    fn days(n: usize, change: impl Fn(usize, u64) -> u64) -> Vec<DayLoad> {
        let first = NaiveDate::from_ymd_opt(2020, 1, 6).unwrap();
        let dates = first.iter_days().take(n).enumerate();
        dates
            .map(|(i, date)| {
                let is_weekend = date.weekday().num_days_from_monday() >= 5;
                let usual = if is_weekend { 3_000 } else { 9_000 } + (i as u64 * 37 % 200);
                DayLoad {
                    date,
                    n_files: 3,
                    n_bytes: change(i, usual),
                }
            })
            .collect()
    }

    fn dates(outliers: &[WeekdayOutlier]) -> Vec<String> {
        outliers.iter().map(|outlier| outlier.date.to_string()).collect()
    }

    #[test]
    fn a_weekend_is_no_outlier_but_a_full_sunday_and_a_thin_monday_are() {
        let found = weekdays(&days(84, |i, usual| match i {
            20 => 9_000,
            28 => 3_000,
            _ => usual,
        }));
        assert!(found.is_known);
        assert_eq!(dates(&found.outliers), ["2020-01-26", "2020-02-03"]);
        assert_eq!(found.outliers[0].n_others, 9);
        assert!(found.outliers[0].ratio > 2.5 && found.outliers[0].score > 3.5);
        assert!(found.outliers[1].ratio < 0.4 && found.outliers[1].score < -3.5);
    }

    #[test]
    fn growth_and_small_changes_of_even_days_are_no_outliers() {
        let grown = weekdays(&days(364, |i, usual| usual * (100 + i as u64) / 100));
        assert_eq!(dates(&grown.outliers), Vec::<String>::new());
        let even = weekdays(&days(84, |i, _| if i == 30 { 1_400 } else { 1_000 }));
        assert_eq!(dates(&even.outliers), Vec::<String>::new());
    }

    #[test]
    fn fewer_than_ten_days_of_a_weekday_and_empty_days_say_nothing() {
        let ninefold = |i: usize, usual: u64| usual * (1 + 9 * u64::from(i == 9));
        for n in [27, 28, 56, 63] {
            let short = weekdays(&days(n, ninefold));
            assert!(!short.is_known && short.outliers.is_empty(), "{n}: {short:?}");
        }
        // The tenth Wednesday comes on the 66th day.
        assert!(weekdays(&days(65, ninefold)).outliers.is_empty());
        let enough = weekdays(&days(66, ninefold));
        assert!(enough.is_known && enough.n_weeks == 9);
        assert_eq!(dates(&enough.outliers), ["2020-01-15"]);
        let empty = weekdays(&days(84, |_, _| 0));
        assert!(!empty.is_known && empty.outliers.is_empty());
        assert!(!weekdays(&[]).is_known);
    }

    #[test]
    fn days_of_another_season_do_not_count_as_samples() {
        let mut far = days(84, |i, usual| if i == 3 { 90_000 } else { usual });
        for day in far.iter_mut().skip(7) {
            day.date += chrono::Duration::days(7 * 60);
        }
        assert_eq!(dates(&weekdays(&far).outliers), Vec::<String>::new());
    }
}
