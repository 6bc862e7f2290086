//! How the values of one column are spread: bars of numbers and times with round borders, or the most frequent values.
//!
//! Counts are of the rows given, no estimates. Bars are half-open: what lies on a border belongs to the bar at its right,
//! as in the filter that a click on a bar makes.

use std::collections::HashMap;

use polars::prelude::{AnyValue, DataType, Series, TimeUnit};

use super::condition::{self, Condition};
use super::value;

/// Rows that are looked at.
pub const MAX_ROWS: usize = 100_000;
/// Text beyond this many bytes in a column is not counted by value.
const MAX_TEXT_BYTES: usize = 8_000_000;
/// About so many bars.
const N_BARS: i128 = 16;
/// Most frequent values that are listed.
const N_TOP: usize = 8;

/// A border between bars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Border {
    pub sql: String,
    /// As people read it.
    pub text: String,
}

/// Values from one border to below the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    pub from: Border,
    pub to: Border,
    pub n: usize,
}

/// One value and how often it occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Top {
    pub text: String,
    /// SQL.
    pub literal: String,
    pub n: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    Bars(Vec<Bar>),
    Values {
        top: Vec<Top>,
        /// Distinct values beyond those.
        n_more: usize,
    },
    /// Why neither is there.
    Nothing(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    pub n_rows: usize,
    pub n_null: usize,
    /// NaN and infinite values, which no bar holds.
    pub n_odd: usize,
    pub n_distinct: Option<usize>,
    pub shape: Shape,
}

impl Distribution {
    /// Of the first [`MAX_ROWS`] of `series`.
    pub fn of(series: &Series) -> Self {
        let series = series.head(Some(MAX_ROWS));
        let mut found = Self {
            n_rows: series.len(),
            n_null: series.null_count(),
            n_odd: 0,
            n_distinct: None,
            shape: Shape::Nothing("Values of this type are not counted."),
        };
        match series.dtype() {
            DataType::String => found.texts(&series),
            DataType::Boolean => found.booleans(&series),
            dtype if dtype.is_float() => found.floats(&series),
            dtype if dtype.is_integer() => found.integers(&series),
            DataType::Date | DataType::Datetime(..) => found.times(&series),
            _ => {}
        }
        if found.n_null == found.n_rows {
            found.shape = Shape::Nothing("No row has a value here.");
        }
        found
    }

    fn texts(&mut self, series: &Series) {
        let Ok(values) = series.str() else { return };
        let mut counts: HashMap<&str, usize> = HashMap::new();
        let mut n_bytes = 0;
        for text in values.iter().flatten() {
            n_bytes += text.len();
            if n_bytes > MAX_TEXT_BYTES {
                self.shape = Shape::Nothing("Texts as long as these are not counted by value.");
                return;
            }
            *counts.entry(text).or_default() += 1;
        }
        self.values(
            counts
                .into_iter()
                .map(|(text, n)| (AnyValue::String(text), n))
                .collect(),
        );
    }

    fn booleans(&mut self, series: &Series) {
        let Ok(values) = series.bool() else { return };
        let n_true = values.iter().flatten().filter(|value| *value).count();
        let n_false = self.n_rows - self.n_null - n_true;
        let counts = [(true, n_true), (false, n_false)];
        let counted = counts.into_iter().filter(|(_, n)| *n > 0);
        self.values(counted.map(|(value, n)| (AnyValue::Boolean(value), n)).collect());
    }

    /// The most frequent of `counts`; of equals the lesser first, so that the list does not change by itself.
    fn values(&mut self, counts: Vec<(AnyValue<'_>, usize)>) {
        let n_distinct = counts.len();
        let mut counts: Vec<(String, String, usize)> = counts
            .into_iter()
            .filter_map(|(value, n)| {
                let literal = condition::literal(&value)?;
                let text = match value.get_str() {
                    Some(text) if text.trim().is_empty() => value::readable(text).into_owned(),
                    _ => value::cell(&value, false).text,
                };
                Some((text, literal, n))
            })
            .collect();
        counts.sort_unstable_by(|a, b| b.2.cmp(&a.2).then_with(|| a.1.cmp(&b.1)));
        counts.truncate(N_TOP);
        self.n_distinct = Some(n_distinct);
        self.shape = Shape::Values {
            n_more: n_distinct - counts.len(),
            top: counts
                .into_iter()
                .map(|(text, literal, n)| Top { text, literal, n })
                .collect(),
        };
    }

    fn integers(&mut self, series: &Series) {
        let values: Vec<i128> = if let Ok(values) = series.u64() {
            values.iter().flatten().map(i128::from).collect()
        } else {
            let Ok(series) = series.cast(&DataType::Int64) else {
                return;
            };
            let Ok(values) = series.i64() else { return };
            values.iter().flatten().map(i128::from).collect()
        };
        self.count_distinct(&values);
        let border = |n: i128| Border {
            sql: n.to_string(),
            text: i64::try_from(n).map_or_else(
                |_| n.to_string(),
                |n| value::cell(&AnyValue::Int64(n), false).text,
            ),
        };
        self.whole_bars(&values, &round_steps(1), border);
    }

    fn times(&mut self, series: &Series) {
        let dtype = series.dtype().clone();
        let physical = series.to_physical_repr();
        let Ok(physical) = physical.cast(&DataType::Int64) else {
            return;
        };
        let Ok(ticks) = physical.i64() else { return };
        let values: Vec<i128> = ticks.iter().flatten().map(i128::from).collect();
        self.count_distinct(&values);
        let border = |ticks: i128| {
            let ticks = i64::try_from(ticks).unwrap_or(i64::MAX);
            let time = match &dtype {
                DataType::Datetime(unit, zone) => AnyValue::Datetime(ticks, *unit, zone.as_ref()),
                _ => AnyValue::Date(i32::try_from(ticks).unwrap_or(i32::MAX)),
            };
            Border {
                sql: condition::literal(&time).unwrap_or_default(),
                text: value::whole(&time)
                    .replace("T00:00:00", "")
                    .trim_end_matches('Z')
                    .to_owned(),
            }
        };
        self.whole_bars(&values, &time_steps(&dtype), border);
    }

    fn count_distinct(&mut self, values: &[i128]) {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        self.n_distinct = Some(sorted.len());
    }

    /// Bars whose borders are multiples of the least of `steps` that gives few enough.
    fn whole_bars(&mut self, values: &[i128], steps: &[i128], border: impl Fn(i128) -> Border) {
        let (Some(least), Some(most)) = (values.iter().min(), values.iter().max()) else {
            return;
        };
        let span = most - least;
        let Some(step) = steps.iter().find(|step| **step * N_BARS > span) else {
            self.shape = Shape::Nothing("The values lie too far apart for bars.");
            return;
        };
        let first = least.div_euclid(*step);
        let end = most.div_euclid(*step) + 1;
        let borders: Vec<i128> = (first..=end).map(|at| at * step).collect();
        self.bars(values, &borders, |at| border(*at));
    }

    fn floats(&mut self, series: &Series) {
        let Ok(floats) = series.cast(&DataType::Float64) else {
            return;
        };
        let Ok(floats) = floats.f64() else { return };
        let values: Vec<f64> = floats
            .iter()
            .flatten()
            .filter(|value| value.is_finite())
            .collect();
        self.n_odd = self.n_rows - self.n_null - values.len();
        let mut sorted = values.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted.dedup();
        self.n_distinct = Some(sorted.len() + usize::from(self.n_odd > 0));
        let (Some(least), Some(most)) = (sorted.first().copied(), sorted.last().copied()) else {
            self.shape = Shape::Nothing("No row has a finite value here.");
            return;
        };
        match float_borders(least, most) {
            Some(borders) => self.bars(&values, &borders, |value| Border {
                sql: condition::float(*value).unwrap_or_default(),
                text: value::cell(&AnyValue::Float64(*value), false).text,
            }),
            None => self.values(vec![(AnyValue::Float64(least), values.len())]),
        }
    }

    /// `borders` ascend; every value lies between the first and below the last.
    fn bars<T: PartialOrd>(&mut self, values: &[T], borders: &[T], border: impl Fn(&T) -> Border) {
        let mut counts = vec![0_usize; borders.len().saturating_sub(1)];
        for value in values {
            let at = borders.partition_point(|border| border <= value);
            if let Some(count) = at.checked_sub(1).and_then(|at| counts.get_mut(at)) {
                *count += 1;
            }
        }
        let written: Vec<Border> = borders.iter().map(border).collect();
        self.shape = Shape::Bars(
            written
                .windows(2)
                .zip(counts)
                .filter_map(|(pair, n)| match pair {
                    [from, to] => Some(Bar {
                        from: from.clone(),
                        to: to.clone(),
                        n,
                    }),
                    _ => None,
                })
                .collect(),
        );
    }
}

/// The condition for the bars `first..=last`.
pub fn range(bars: &[Bar], first: usize, last: usize) -> Option<Condition> {
    let (from, to) = (bars.get(first)?, bars.get(last)?);
    Some(Condition::Range(from.from.sql.clone(), to.to.sql.clone()))
}

/// 1, 2 and 5 times powers of ten, from `unit` on.
fn round_steps(unit: i128) -> Vec<i128> {
    let powers = (0..20_u32).map(|power| 10_i128.pow(power));
    powers
        .flat_map(|power| [1, 2, 5].map(|n| n * power * unit))
        .collect()
}

/// Steps that clocks and calendars have, in ticks of the type.
fn time_steps(dtype: &DataType) -> Vec<i128> {
    const DAY: i128 = 86_400;
    const SECONDS: [i128; 17] = [
        1,
        5,
        15,
        30,
        60,
        300,
        900,
        1800,
        3600,
        10_800,
        21_600,
        43_200,
        DAY,
        7 * DAY,
        28 * DAY,
        91 * DAY,
        182 * DAY,
    ];
    let years = round_steps(365 * DAY).into_iter().take(18);
    let (per_second, least) = match dtype {
        DataType::Datetime(TimeUnit::Milliseconds, _) => (1_000, 1),
        DataType::Datetime(TimeUnit::Microseconds, _) => (1_000_000, 1),
        // Text of a time is read to the microsecond.
        DataType::Datetime(TimeUnit::Nanoseconds, _) => (1_000_000_000, 1_000),
        _ => {
            let days = SECONDS.into_iter().chain(years).map(|secs| secs / DAY);
            return days.filter(|days| *days > 0).collect();
        }
    };
    let below = round_steps(least)
        .into_iter()
        .take_while(|ticks| *ticks < per_second);
    below
        .chain(SECONDS.into_iter().chain(years).map(|secs| secs * per_second))
        .collect()
}

/// Round borders around `least..=most`; none where all values are the same or no float lies between them.
fn float_borders(least: f64, most: f64) -> Option<Vec<f64>> {
    let span = most - least;
    if !span.is_finite() || span <= 0.0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "sixteen")]
    let wanted = span / N_BARS as f64;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the exponent of a float is below 400"
    )]
    let power = wanted.log10().floor() as i32;
    let read = |n: i64, power: i32| format!("{n}e{power}").parse::<f64>().ok();
    let mantissa = [1_i64, 2, 5, 10]
        .into_iter()
        .find(|n| read(*n, power).is_some_and(|step| step >= wanted && step > 0.0))?;
    let step = read(mantissa, power)?;
    // Beyond this, steps are no longer told apart.
    let is_countable = |value: f64| (value / step).abs() < 1e14;
    if !is_countable(least) || !is_countable(most) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked above")]
    let index = |value: f64| (value / step).floor() as i64;
    // One more at each end, against rounding; those that hold nothing are left out again.
    let mut borders: Vec<f64> = (index(least) - 1..=index(most) + 2)
        .filter_map(|at| read(at * mantissa, power))
        .collect();
    borders.dedup();
    let first = borders
        .partition_point(|border| *border <= least)
        .checked_sub(1)?;
    let end = borders.partition_point(|border| *border <= most) + 1;
    let borders = borders.get(first..end)?;
    (borders.len() >= 2).then(|| borders.to_vec())
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, NamedFrom, Series, TimeUnit, TimeZone};

    use super::{Bar, Distribution, Shape, range};
    use crate::gui::data::condition::Condition;

    fn bars(series: &Series) -> Vec<Bar> {
        match Distribution::of(series).shape {
            Shape::Bars(bars) => bars,
            other => panic!("{other:?}"),
        }
    }

    fn said(bars: &[Bar]) -> Vec<(&str, usize)> {
        bars.iter().map(|bar| (bar.from.sql.as_str(), bar.n)).collect()
    }

    #[test]
    fn bars_have_round_borders_and_count_every_value_once() {
        let found = bars(&Series::new(
            "n".into(),
            [Some(0_i64), Some(9), Some(10), Some(149), None],
        ));
        assert_eq!(
            (found[0].from.sql.as_str(), found[0].to.sql.as_str()),
            ("0", "10")
        );
        assert_eq!(said(&found)[..2], [("0", 2), ("10", 1)]);
        assert_eq!(found.len(), 15);
        assert_eq!(found.iter().map(|bar| bar.n).sum::<usize>(), 4);

        let found = bars(&Series::new("x".into(), [0.05, 0.1, 0.3, 1.0]));
        assert_eq!(said(&found)[..2], [("0.0", 1), ("0.1", 1)]);
        assert_eq!(
            found.iter().find(|bar| bar.from.sql == "0.3").map(|bar| bar.n),
            Some(1)
        );
        assert_eq!(found.iter().map(|bar| bar.n).sum::<usize>(), 4);
    }

    #[test]
    fn extreme_numbers_have_bars_too() {
        let found = bars(&Series::new("n".into(), [i64::MIN, i64::MAX]));
        assert_eq!(found.iter().map(|bar| bar.n).sum::<usize>(), 2);
        let found = bars(&Series::new("x".into(), [1e-300, 5e-300]));
        assert_eq!(found.iter().map(|bar| bar.n).sum::<usize>(), 2);
        let wide = Distribution::of(&Series::new("x".into(), [f64::MIN, f64::MAX]));
        assert!(!matches!(wide.shape, Shape::Bars(_)));
        let odd = Distribution::of(&Series::new("x".into(), [f64::NAN, f64::INFINITY, 1.0]));
        assert_eq!(odd.n_odd, 2);
    }

    #[test]
    fn times_have_the_borders_of_clocks_and_calendars() {
        let hours = Series::new("t".into(), [0_i64, 3_600_000_000 * 11, 3_600_000_000 * 14])
            .cast(&DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)))
            .unwrap();
        let found = bars(&hours);
        assert_eq!(found.len(), 15);
        assert_eq!(found[1].from.sql, "'1970-01-01T01:00:00Z'");
        let days = Series::new("d".into(), [0_i32, 13])
            .cast(&DataType::Date)
            .unwrap();
        let found = bars(&days);
        assert_eq!((found.len(), found[13].from.sql.as_str()), (14, "'1970-01-14'"));
    }

    #[test]
    fn text_is_listed_by_frequency_with_what_is_left() {
        let mut texts = vec!["b"; 3];
        texts.extend(["a"; 3]);
        let many: Vec<String> = (0..20).map(|n| format!("x{n}")).collect();
        texts.extend(many.iter().map(String::as_str));
        let found = Distribution::of(&Series::new("s".into(), texts));
        let Shape::Values { top, n_more } = found.shape else {
            panic!("{:?}", found.shape);
        };
        assert_eq!((top[0].literal.as_str(), top[0].n), ("'a'", 3));
        assert_eq!((top[1].literal.as_str(), top.len(), n_more), ("'b'", 8, 14));
        assert_eq!(found.n_distinct, Some(22));
    }

    #[test]
    fn texts_with_nothing_to_see_are_said_beside_their_bars() {
        let found = Distribution::of(&Series::new("s".into(), ["", "", "", "  ", "  ", "a"]));
        let Shape::Values { top, .. } = found.shape else {
            panic!("{:?}", found.shape);
        };
        let texts: Vec<(&str, &str)> = top
            .iter()
            .map(|value| (value.text.as_str(), value.literal.as_str()))
            .collect();
        assert_eq!(
            texts,
            [("\"\" (empty)", "''"), ("\"  \" (blank)", "'  '"), ("a", "'a'")]
        );
    }

    #[test]
    fn a_stretch_of_bars_is_a_range() {
        let found = bars(&Series::new("n".into(), [0_i64, 149]));
        let expected = Condition::Range("10".to_owned(), "40".to_owned());
        assert_eq!(range(&found, 1, 3), Some(expected));
        assert_eq!(range(&found, 1, 99), None);
    }
}
