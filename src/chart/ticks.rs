//! Where a side of a picture has its labels: at round values, as many as fit, in steps that people count in.

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveDateTime, Timelike};

use super::scale::{Quantity, Tick};
use crate::base::units;

/// A value that stands for a whole number of things, such as the place of a name. None below zero and where there is none.
pub(super) fn index(value: f64) -> Option<usize> {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative; a cast keeps within the type's range"
    )]
    (value.is_finite() && value > -0.5).then(|| value.round() as usize)
}

/// The smallest step at or above `least` that people count in.
pub(super) fn step(quantity: Quantity, least: f64) -> f64 {
    const SECONDS: [f64; 15] = [
        15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 21_600.0, 43_200.0,
        86_400.0, 172_800.0,
    ];
    let least = least.max(f64::MIN_POSITIVE);
    match quantity {
        Quantity::Count | Quantity::Bytes => decimal_step(least).max(1.0),
        Quantity::Seconds if least > 10.0 => SECONDS
            .into_iter()
            .find(|step| *step >= least)
            .unwrap_or_else(|| decimal_step(least / 86_400.0) * 86_400.0),
        _ => decimal_step(least),
    }
}

/// 1, 2 or 5 times a power of ten.
fn decimal_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= least * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// The powers of ten around positive values. Counts and bytes start at one, or at zero's place.
pub(super) fn decades(quantity: Quantity, least: f64, most: f64) -> (f64, f64) {
    let least = if least.is_finite() && least > 0.0 {
        least
    } else {
        1.0
    };
    let least = match quantity {
        Quantity::Count | Quantity::Bytes => 1.0,
        _ => least,
    };
    let most = if most.is_finite() && most > least {
        most
    } else {
        least * 10.0
    };
    let from = 10f64.powf((least.log10() + 1e-9).floor());
    let to = 10f64.powf((most.log10() - 1e-9).ceil());
    (from, to.max(from * 10.0))
}

pub(super) fn linear(quantity: Quantity, first: f64, last: f64, n_most: usize) -> Vec<Tick> {
    let step = step(quantity, (last - first) / n_most as f64);
    // From the largest value, so that a unit does not change along the side.
    let largest = first.abs().max(last.abs());
    multiples(step, first, last)
        .map(|at| Tick {
            at,
            label: label(quantity, at, step, largest),
            step,
        })
        .collect()
}

/// Multiples of `step` from `first` to `last`, both included.
fn multiples(step: f64, first: f64, last: f64) -> impl Iterator<Item = f64> {
    // More than any drawer can show: a nonsensical range must not fill the memory.
    const MAX: u32 = 10_000;
    let from = (first / step - 1e-9).ceil();
    (0..MAX)
        .map(move |n| (from + f64::from(n)) * step)
        .take_while(move |at| *at <= last + step * 1e-9)
        // Minus zero reads badly.
        .map(|at| if at == 0.0 { 0.0 } else { at })
}

pub(super) fn log(quantity: Quantity, first: f64, last: f64, n_most: usize) -> Vec<Tick> {
    let every = ((last - first) / n_most as f64).ceil().max(1.0);
    multiples(every, first, last)
        .map(|at| {
            let value = 10f64.powf(at);
            Tick {
                at,
                label: match quantity {
                    // Powers of ten in minutes are no round numbers.
                    Quantity::Seconds if value >= 1.0 => {
                        format!("{} s", units::count(index(value).unwrap_or(0) as u64))
                    }
                    _ => label(quantity, value, value, value),
                },
                step: every,
            }
        })
        .collect()
}

/// Every name, or every second, fifth, tenth and so on.
pub(super) fn names(names: &[String], first: f64, last: f64, n_most: usize) -> Vec<Tick> {
    let every = decimal_step(((last - first) / n_most as f64).max(1.0))
        .ceil()
        .max(1.0);
    multiples(every, first.max(0.0), last)
        .filter_map(|at| {
            Some(Tick {
                at,
                label: names.get(index(at)?)?.clone(),
                step: every,
            })
        })
        .collect()
}

/// The label of a tick, with as many digits as the step needs, in a unit that suits `largest`.
fn label(quantity: Quantity, value: f64, step: f64, largest: f64) -> String {
    const BYTES: [(f64, &str); 6] = [
        (1e15, "PB"),
        (1e12, "TB"),
        (1e9, "GB"),
        (1e6, "MB"),
        (1e3, "KB"),
        (1.0, "B"),
    ];
    const COUNTS: [(f64, &str); 3] = [(1e9, "bn"), (1e6, "M"), (1e3, "k")];
    const SECONDS: [(f64, &str); 6] = [
        (86_400.0, "d"),
        (3600.0, "h"),
        (60.0, "min"),
        (1.0, "s"),
        (1e-3, "ms"),
        (1e-6, "µs"),
    ];
    let in_unit = |units: &[(f64, &'static str)], unit_from: f64| {
        let (size, unit) = units
            .iter()
            .copied()
            .find(|(size, _)| largest >= size * unit_from)
            .or_else(|| units.last().copied())
            .unwrap_or((1.0, ""));
        format!("{} {unit}", digits(value / size, step / size))
    };
    match quantity {
        _ if value == 0.0 => "0".to_owned(),
        Quantity::Bytes => in_unit(&BYTES, 1.0),
        // Two minutes are 120 s; a day and a half is 36 h.
        Quantity::Seconds => in_unit(&SECONDS, if largest >= 1.0 { 2.0 } else { 1.0 }),
        Quantity::Count if largest < 1e5 => units::count(index(value).unwrap_or(0) as u64),
        Quantity::Count => in_unit(&COUNTS, 1.0),
        Quantity::Share => format!("{}%", digits(value * 100.0, step * 100.0)),
        Quantity::Times => format!("{} ×", digits(value, step)),
        Quantity::Number if largest >= 1e5 => in_unit(&COUNTS, 1.0),
        Quantity::Number => digits(value, step),
    }
}

/// Digits after the point as a step of this size needs them.
fn digits(value: f64, step: f64) -> String {
    let n_digits = index((-(step.log10() + 1e-9).floor()).max(0.0))
        .unwrap_or(0)
        .min(9);
    // A step of 0.25 has two digits although its logarithm asks for one.
    let needs_more = (step * 10f64.powf(n_digits as f64)).fract() > 1e-6 && n_digits < 3;
    let n_digits = n_digits + usize::from(needs_more);
    let text = format!("{value:.n_digits$}");
    if text
        .trim_start_matches('-')
        .bytes()
        .all(|b| matches!(b, b'0' | b'.'))
    {
        return "0".to_owned();
    }
    text
}

/// A step in time.
#[derive(Clone, Copy)]
enum TimeStep {
    Seconds(f64),
    Months(u32),
}

impl TimeStep {
    fn seconds(self) -> f64 {
        match self {
            Self::Seconds(secs) => secs,
            Self::Months(n) => f64::from(n) * 30.44 * 86_400.0,
        }
    }
}

const DAY: f64 = 86_400.0;

/// Clock times, days, months or years, whichever steps fit.
pub(super) fn time(first: f64, last: f64, n_most: usize) -> Vec<Tick> {
    const CLOCK: [f64; 17] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0,
        21_600.0, 43_200.0,
    ];
    const MONTHS: [u32; 8] = [1, 2, 3, 6, 12, 24, 60, 120];
    let apart = (last - first) / n_most as f64;
    let steps = CLOCK
        .into_iter()
        .chain([DAY, 2.0 * DAY, 7.0 * DAY])
        .map(TimeStep::Seconds)
        .chain(MONTHS.into_iter().map(TimeStep::Months));
    let step = steps
        .clone()
        .find(|step| step.seconds() >= apart)
        .unwrap_or(TimeStep::Months(600));
    match step {
        // Below a second clock times say nothing.
        TimeStep::Seconds(_) if apart < 0.5 => linear(Quantity::Seconds, first, last, n_most),
        TimeStep::Seconds(secs) => multiples(secs, first, last)
            .filter_map(|at| {
                Some(Tick {
                    at,
                    label: clock_label(moment(at)?, secs),
                    step: secs,
                })
            })
            .collect(),
        TimeStep::Months(n) => months(first, last, n, step.seconds()),
    }
}

fn moment(secs: f64) -> Option<NaiveDateTime> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a cast keeps within the type's range"
    )]
    let whole = secs.round() as i64;
    DateTime::from_timestamp(whole, 0).map(|at| at.naive_utc())
}

fn clock_label(at: NaiveDateTime, step: f64) -> String {
    let form = if step >= DAY || (at.num_seconds_from_midnight() == 0 && step >= 60.0) {
        "%m-%d"
    } else if step >= 60.0 {
        "%H:%M"
    } else {
        "%H:%M:%S"
    };
    at.format(form).to_string()
}

fn months(first: f64, last: f64, n: u32, step: f64) -> Vec<Tick> {
    let Some(from) = moment(first) else {
        return Vec::new();
    };
    let form = if n < 12 { "%Y-%m" } else { "%Y" };
    // From a month that is a multiple of the step since the year 0.
    let since = i64::from(from.year()) * 12 + i64::from(from.month0());
    let start = since - since.rem_euclid(i64::from(n));
    let start = i32::try_from(start.div_euclid(12))
        .ok()
        .and_then(|year| NaiveDate::from_ymd_opt(year, u32::try_from(start.rem_euclid(12)).ok()? + 1, 1));
    let dates = std::iter::successors(start, |date| date.checked_add_months(Months::new(n)));
    dates
        .map(|date| {
            let at = date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp() as f64;
            (at, date)
        })
        .take_while(|(at, _)| *at <= last)
        .filter(|(at, _)| *at >= first)
        .map(|(at, date)| Tick {
            at,
            label: date.format(form).to_string(),
            step,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::scale::{Quantity, Scale};

    fn labels(scale: &Scale, n: usize) -> String {
        let ticks = scale.ticks(scale.ends(), n);
        ticks
            .into_iter()
            .map(|tick| tick.label)
            .collect::<Vec<_>>()
            .join(" | ")
    }

    #[test]
    fn ticks_are_round_in_the_unit_of_the_side() {
        let side = |quantity, max| labels(&Scale::from_zero("", quantity, max), 6);
        assert_eq!(
            side(Quantity::Bytes, 482_133.0),
            "0 | 100 KB | 200 KB | 300 KB | 400 KB | 500 KB"
        );
        assert_eq!(
            side(Quantity::Bytes, 2_100_000.0),
            "0 | 0.5 MB | 1.0 MB | 1.5 MB | 2.0 MB | 2.5 MB"
        );
        assert_eq!(side(Quantity::Count, 4.0), "0 | 1 | 2 | 3 | 4");
        assert_eq!(
            side(Quantity::Count, 50_000.0),
            "0 | 10,000 | 20,000 | 30,000 | 40,000 | 50,000"
        );
        assert_eq!(
            side(Quantity::Count, 900_000.0),
            "0 | 0.2 M | 0.4 M | 0.6 M | 0.8 M | 1.0 M"
        );
        assert_eq!(
            side(Quantity::Seconds, 500.0),
            "0 | 2 min | 4 min | 6 min | 8 min | 10 min"
        );
        assert_eq!(
            side(Quantity::Seconds, 0.05),
            "0 | 10 ms | 20 ms | 30 ms | 40 ms | 50 ms"
        );
        assert_eq!(side(Quantity::Share, 1.0), "0 | 20% | 40% | 60% | 80% | 100%");
        assert_eq!(
            side(Quantity::Times, 11.9),
            "0 | 2 × | 4 × | 6 × | 8 × | 10 × | 12 ×"
        );
        assert_eq!(side(Quantity::Number, 0.9), "0 | 0.2 | 0.4 | 0.6 | 0.8 | 1.0");
    }

    #[test]
    fn powers_of_ten_are_the_ticks_of_a_logarithmic_side() {
        let bytes = Scale::log("", Quantity::Bytes, 1.0, 5e9);
        assert_eq!(labels(&bytes, 6), "1 B | 100 B | 10 KB | 1 MB | 100 MB | 10 GB");
        let secs = Scale::log("", Quantity::Seconds, 0.02, 900.0);
        assert_eq!(labels(&secs, 8), "10 ms | 100 ms | 1 s | 10 s | 100 s | 1,000 s");
    }

    #[test]
    fn times_stand_at_round_clock_times_days_and_months() {
        let time = |first, secs| labels(&Scale::time("", first, first + secs), 5);
        // 2020-01-31T23:50:00 UTC.
        let start = 1_580_514_600.0;
        assert_eq!(time(start, 1200.0), "23:50 | 23:55 | 02-01 | 00:05 | 00:10");
        assert_eq!(time(start, 86_400.0 * 8.0), "02-02 | 02-04 | 02-06 | 02-08");
        assert_eq!(time(start, 86_400.0 * 200.0), "2020-03 | 2020-05 | 2020-07");
        assert_eq!(time(start, 86_400.0 * 1200.0), "2021 | 2022 | 2023");
    }

    #[test]
    fn names_are_thinned_evenly() {
        let names = (1..=31).map(|n| format!("{n:02}")).collect();
        assert_eq!(
            labels(&Scale::categories("", names), 8),
            "01 | 06 | 11 | 16 | 21 | 26 | 31"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_side_from_zero_holds_its_largest_value_in_a_few_even_ticks_with_different_labels(
            exponent in -6_f64..15.0,
            which in 0_usize..6,
        ) {
            use Quantity::{Bytes, Count, Number, Seconds, Share, Times};
            let quantity = [Number, Count, Bytes, Seconds, Share, Times][which];
            let max = 10f64.powf(exponent);
            let scale = Scale::from_zero("", quantity, max);
            let ticks = scale.ticks(scale.ends(), 6);
            prop_assert!(scale.last >= max * (1.0 - 1e-6));
            prop_assert!((2..=9).contains(&ticks.len()), "{ticks:?}");
            prop_assert!(ticks[0].at.abs() < f64::EPSILON);
            let last = ticks[ticks.len() - 1].at;
            prop_assert!((last - scale.last).abs() <= scale.last * 1e-6, "{last} {}", scale.last);
            if exponent > -1.0 {
                let labels: std::collections::BTreeSet<_> = ticks.iter().map(|tick| &tick.label).collect();
                prop_assert_eq!(labels.len(), ticks.len(), "{:?}", ticks);
            }
        }
    }
}
