//! Bins that a person would choose: one for each of few integers, round borders, powers where values differ by orders of
//! magnitude, units of the calendar for times.

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveDateTime, TimeDelta};

use super::numbers::MAX_EXACT_FLOAT;
use super::quantiles::Spread;
use super::{Bin, Histogram, Scale};

/// So many different integers get a bin each.
const MAX_INTEGER_BINS: f64 = 50.0;
/// Whatever happens.
const MAX_BORDERS: usize = 200;
const MIN_BINS: f64 = 10.0;
const MAX_BINS: f64 = 40.0;
const MAX_TIME_BINS: usize = 60;
/// Values of which the greatest is so many times the median are shown by powers.
const LOG_RATIO: f64 = 50.0;

/// What the numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    Integers,
    Reals,
    /// Seconds since 1970.
    Times,
    /// The same of whole days: a finer bin would have gaps beside it.
    Dates,
}

/// None without values.
pub(super) fn histogram(spread: &Spread, measure: Measure) -> Option<Histogram> {
    let (min, max) = (spread.quantile(0.0)?, spread.quantile(1.0)?);
    if !min.is_finite() || !max.is_finite() || !(max - min).is_finite() {
        return None;
    }
    if matches!(measure, Measure::Times | Measure::Dates) {
        let least = if measure == Measure::Dates { 86_400 } else { 1 };
        let bins = time_bins(min, max, least);
        return bins.map(|(borders, labels)| filled(spread, Scale::Time, &borders, labels));
    }
    let is_integer = measure == Measure::Integers;
    let has_units = max.abs().max(min.abs()) < MAX_EXACT_FLOAT;
    let (scale, borders) = if is_integer && has_units && max - min < MAX_INTEGER_BINS {
        (Scale::Integer, steps(min, max + 1.0, 1.0))
    } else if is_integer && max <= min {
        // Beyond 2^53 floats do not tell neighbours apart.
        (Scale::Linear, vec![min, max])
    } else if let Some(borders) = log_borders(spread, min, max, is_integer) {
        (Scale::Log, borders)
    } else {
        (Scale::Linear, linear_borders(spread, min, max, is_integer))
    };
    let labels = borders.iter().map(|border| number(*border)).collect();
    Some(filled(spread, scale, &borders, labels))
}

fn filled(spread: &Spread, scale: Scale, borders: &[f64], labels: Vec<String>) -> Histogram {
    let n = spread.n();
    let last = borders.len().saturating_sub(2);
    let bins = borders
        .windows(2)
        .zip(labels)
        .enumerate()
        .filter_map(|(i, (pair, label))| {
            let [low, high] = *pair else { return None };
            let from = if i == 0 { 0 } else { spread.below(low) };
            let to = if i == last { n } else { spread.below(high) };
            let n = to.saturating_sub(from);
            Some(Bin { low, high, n, label })
        })
        .collect();
    Histogram { scale, bins }
}

/// Multiples of `step` from one at or below `from` to one at or above `to`; at least two.
fn steps(from: f64, to: f64, step: f64) -> Vec<f64> {
    let (mut first, mut last) = ((from / step).floor(), (to / step).ceil());
    // A quotient may be rounded to the wrong side, down to nothing.
    if first * step > from {
        first -= 1.0;
    }
    if last * step < to || last <= first {
        last = last.max(first) + 1.0;
    }
    let mut borders = Vec::new();
    let mut at = first;
    // Beyond 2^53 adding one changes nothing.
    while at <= last && borders.len() < MAX_BORDERS {
        borders.push(at * step);
        at += 1.0;
    }
    borders
}

/// Bins of a round width near that of Freedman and Diaconis, `2 · IQR / n^(1/3)`.
///
/// Source: Freedman and Diaconis, On the histogram as a density estimator (1981).
fn linear_borders(spread: &Spread, min: f64, max: f64, is_integer: bool) -> Vec<f64> {
    if min >= max {
        return vec![min, if is_integer { min + 1.0 } else { min }];
    }
    let range = max - min;
    let quartile = |q| spread.quantile(q).unwrap_or(min);
    let width = 2.0 * (quartile(0.75) - quartile(0.25)) / (spread.n() as f64).cbrt();
    let n_bins = if width > 0.0 { range / width } else { 20.0 };
    let step = round_step(range / n_bins.clamp(MIN_BINS, MAX_BINS));
    let step = if is_integer { step.max(1.0) } else { step };
    // The greatest integer needs a bin that begins with it.
    let to = if is_integer { max + 1.0 } else { max };
    let borders = steps(min, to, step);
    // A step that is lost in the digits of the numbers makes no bins.
    if borders.windows(2).all(|pair| matches!(pair, [a, b] if a < b)) {
        borders
    } else {
        vec![min, max]
    }
}

/// 1, 2 or 5 times a power of ten, at least `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|digit| digit * power)
        .find(|round| *round >= step * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// 1, 2, 5, 10, 20 and so on where few powers of ten are enough, else powers of ten; with a bin for zero. None where the
/// values are better shown evenly.
fn log_borders(spread: &Spread, min: f64, max: f64, is_integer: bool) -> Option<Vec<f64>> {
    let median = spread.quantile(0.5)?;
    if min < 0.0 || max <= 0.0 || (median > 0.0 && max / median < LOG_RATIO) {
        return None;
    }
    if median <= 0.0 && max < LOG_RATIO {
        return None;
    }
    let least = if min > 0.0 {
        min
    } else if is_integer {
        1.0
    } else {
        let positive = [0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.99];
        let found = positive
            .iter()
            .filter_map(|q| spread.quantile(*q))
            .find(|x| *x > 0.0);
        found.unwrap_or(max)
    };
    let (from, to) = (least.log10().floor(), max.log10().floor() + 1.0);
    if to - from > MAX_BINS {
        return None;
    }
    let digits: &[f64] = if to - from <= 6.0 {
        &[1.0, 2.0, 5.0]
    } else {
        &[1.0]
    };
    let mut borders = Vec::new();
    if min < least {
        borders.push(0.0);
    }
    let mut power = from;
    while power <= to {
        borders.extend(digits.iter().map(|digit| digit * 10_f64.powf(power)));
        power += 1.0;
    }
    // Of the borders below the least value and beyond the greatest one each.
    let first = borders.iter().rposition(|border| *border <= min).unwrap_or(0);
    let end = borders.iter().position(|border| *border > max)?;
    borders.get(first..=end).map(<[f64]>::to_vec)
}

fn number(value: f64) -> String {
    // Up to 15 digits are exact; the rest is the noise of a sum of steps.
    let rounded: f64 = format!("{value:.12e}").parse().unwrap_or(value);
    // Nobody counts three hundred zeros.
    if rounded != 0.0 && (rounded.abs() >= 1e15 || rounded.abs() < 1e-6) {
        return format!("{rounded:e}");
    }
    format!("{rounded}")
}

/// Borders and their texts, by the smallest unit of at least so many seconds that makes few enough bins.
fn time_bins(min: f64, max: f64, shortest: i64) -> Option<(Vec<f64>, Vec<String>)> {
    const SPANS: [(i64, &str); 9] = [
        (1, "%H:%M:%S"),
        (10, "%H:%M:%S"),
        (60, "%Y-%m-%d %H:%M"),
        (600, "%Y-%m-%d %H:%M"),
        (3600, "%Y-%m-%d %H:%M"),
        (6 * 3600, "%Y-%m-%d %H:%M"),
        (86_400, "%Y-%m-%d"),
        // Weeks begin on Monday; 1970-01-01 was a Thursday.
        (7 * 86_400, "%Y-%m-%d"),
        (0, ""),
    ];
    let (first, last) = (at(min)?, at(max)?);
    let range = max - min;
    for (span, form) in SPANS {
        if span < shortest || range / span as f64 > MAX_TIME_BINS as f64 - 2.0 {
            continue;
        }
        let shift = if span == 7 * 86_400 { 4 * 86_400 } else { 0 };
        let start = (first.and_utc().timestamp() - shift).div_euclid(span) * span + shift;
        let start = DateTime::from_timestamp(start, 0)?.naive_utc();
        return Some(calendar(start, last, form, |time| {
            time.checked_add_signed(TimeDelta::seconds(span))
        }));
    }
    for (months, form) in [
        (1_u32, "%Y-%m"),
        (3, "%Y-%m"),
        (12, "%Y"),
        (120, "%Y"),
        (1200, "%Y"),
        (12_000, "%Y"),
    ] {
        if range / (f64::from(months) * 30.4 * 86_400.0) > MAX_TIME_BINS as f64 - 2.0 {
            continue;
        }
        let years = i32::try_from(months.div_ceil(12)).unwrap_or(1);
        let year = first.year().div_euclid(years) * years;
        let month = if months < 12 {
            first.month0() / months * months + 1
        } else {
            1
        };
        let start = NaiveDate::from_ymd_opt(year, month, 1)?.and_hms_opt(0, 0, 0)?;
        return Some(calendar(start, last, form, |time| {
            time.checked_add_months(Months::new(months))
        }));
    }
    None
}

fn at(seconds: f64) -> Option<NaiveDateTime> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "times beyond the calendar have no bins"
    )]
    let seconds = seconds.floor() as i64;
    Some(DateTime::from_timestamp(seconds, 0)?.naive_utc())
}

fn calendar(
    start: NaiveDateTime,
    last: NaiveDateTime,
    form: &str,
    next: impl Fn(NaiveDateTime) -> Option<NaiveDateTime>,
) -> (Vec<f64>, Vec<String>) {
    let (mut borders, mut labels) = (Vec::new(), Vec::new());
    let mut time = Some(start);
    while let Some(border) = time
        && borders.len() < 2 * MAX_TIME_BINS
    {
        borders.push(border.and_utc().timestamp() as f64);
        labels.push(border.format(form).to_string());
        if border > last {
            break;
        }
        time = next(border);
    }
    (borders, labels)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Measure, histogram};
    use crate::profile::columns::quantiles::Spread;
    use crate::profile::columns::{Histogram, Scale};

    fn of(values: &[f64], measure: Measure) -> Histogram {
        histogram(&Spread::counted(values.iter().map(|value| (*value, 1))), measure).unwrap()
    }

    fn shown(histogram: &Histogram) -> Vec<(&str, u64)> {
        histogram
            .bins
            .iter()
            .map(|bin| (bin.label.as_str(), bin.n))
            .collect()
    }

    #[test]
    fn few_integers_have_a_bin_each_and_one_value_has_one() {
        let ratings = of(&[3.0, 1.0, 3.0, 5.0], Measure::Integers);
        assert_eq!(ratings.scale, Scale::Integer);
        assert_eq!(
            shown(&ratings),
            [("1", 1), ("2", 0), ("3", 2), ("4", 0), ("5", 1)]
        );
        assert_eq!(shown(&of(&[7.0, 7.0], Measure::Integers)), [("7", 2)]);
        assert_eq!(shown(&of(&[0.25, 0.25], Measure::Reals)), [("0.25", 2)]);
        assert!(histogram(&Spread::counted(std::iter::empty()), Measure::Reals).is_none());
    }

    #[test]
    fn borders_are_round_and_orders_of_magnitude_are_shown_by_powers() {
        let even: Vec<f64> = (0..1000).map(|i| f64::from(i) / 10.0).collect();
        let even = of(&even, Measure::Reals);
        assert_eq!(even.scale, Scale::Linear);
        assert_eq!(shown(&even)[..2], [("0", 100), ("10", 100)]);
        let skewed: Vec<f64> = (0..400).map(|i| 1.03_f64.powi(i)).collect();
        let skewed = of(&skewed, Measure::Reals);
        assert_eq!(skewed.scale, Scale::Log);
        let labels: Vec<&str> = skewed.bins.iter().take(4).map(|bin| bin.label.as_str()).collect();
        assert_eq!(labels, ["1", "2", "5", "10"]);
        let mut with_zero = vec![0.0; 60];
        with_zero.extend([1.0, 30.0, 400.0, 5000.0]);
        let with_zero = of(&with_zero, Measure::Integers);
        assert_eq!((with_zero.scale, shown(&with_zero)[0]), (Scale::Log, ("0", 60)));
    }

    #[test]
    fn numbers_beyond_the_digits_of_a_float_have_few_bins_and_short_labels() {
        let large = i64::MAX as f64;
        let one = of(&[large, large], Measure::Integers);
        assert_eq!(shown(&one), [("9.223372036855e18", 2)]);
        let wide = of(&[-1e300, 0.0, 1e300], Measure::Reals);
        assert!(wide.bins.iter().all(|bin| bin.label.len() < 10), "{wide:?}");
        assert_eq!(wide.bins.iter().map(|bin| bin.n).sum::<u64>(), 3);
    }

    #[test]
    fn dates_have_a_bin_a_day_at_least_and_the_calendar_from_end_to_end_has_some() {
        let day = 86_400.0;
        let dates: Vec<f64> = (0..5).map(|i| (18_262.0 + f64::from(i)) * day).collect();
        let found = of(&dates, Measure::Dates);
        assert_eq!(shown(&found)[..2], [("2020-01-01", 1), ("2020-01-02", 1)]);
        assert!(found.bins.iter().all(|bin| bin.n == 1), "{found:?}");
        let far = of(&[-62_135_596_800.0, 253_402_214_400.0], Measure::Times);
        assert_eq!((far.bins.len(), far.bins[0].label.as_str()), (10, "0000"));
        assert_eq!(far.bins.iter().map(|bin| bin.n).sum::<u64>(), 2);
    }

    #[test]
    fn times_are_shown_by_units_of_the_calendar() {
        let day = 86_400.0;
        let hours = of(&[0.0, 3600.0, 2.0 * 3600.0], Measure::Times);
        assert_eq!(hours.scale, Scale::Time);
        let days: Vec<f64> = (0..31).map(|i| f64::from(i) * day + 5.0).collect();
        let days = of(&days, Measure::Times);
        assert_eq!(days.bins.len(), 31);
        assert_eq!(shown(&days)[30], ("1970-01-31", 1));
        let years: Vec<f64> = (0..20).map(|i| f64::from(i) * 365.25 * day).collect();
        let years = of(&years, Measure::Times);
        assert_eq!(shown(&years)[0].0, "1970");
        let months = of(&[0.0, 31.0 * day, 800.0 * day], Measure::Times);
        assert_eq!(shown(&months)[..2], [("1970-01", 1), ("1970-02", 1)]);
        let weeks = of(&[4.0 * day, 200.0 * day], Measure::Times);
        assert_eq!(shown(&weeks)[0], ("1970-01-05", 1), "a Monday");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_value_is_in_exactly_one_bin(
            values in proptest::collection::vec(
                prop_oneof![
                    any::<f64>().prop_filter("finite", |x| x.is_finite() && x.abs() < 1e300),
                    (-1000_i32..100_000).prop_map(f64::from),
                    Just(0.0),
                ],
                1..100,
            ),
            is_integer in any::<bool>(),
        ) {
            let measure = if is_integer { Measure::Integers } else { Measure::Reals };
            let values: Vec<f64> = values.iter().map(|x| if is_integer { x.trunc() } else { *x }).collect();
            let histogram = of(&values, measure);
            prop_assert!(!histogram.bins.is_empty() && histogram.bins.len() <= 200, "{}", histogram.bins.len());
            prop_assert_eq!(histogram.bins.iter().map(|bin| bin.n).sum::<u64>(), values.len() as u64);
            let (first, last) = (&histogram.bins[0], &histogram.bins[histogram.bins.len() - 1]);
            prop_assert!(values.iter().all(|x| *x >= first.low && *x <= last.high));
            for bin in &histogram.bins {
                let is_last = std::ptr::eq(bin, last);
                let inside = values.iter().filter(|x| **x >= bin.low && (**x < bin.high || is_last));
                prop_assert_eq!(inside.count() as u64, bin.n, "{:?}", bin);
            }
        }
    }
}
