//! Figures of numbers and times, of which the least and greatest, the counts and the moments are exact.

use polars::prelude::{AnyValue, TimeUnit, TimeZone};

use super::distinct::{Distinct, hash_bits};
use super::frequent::{Frequent, Kept};
use super::histogram::{Measure, histogram};
use super::quantiles::{Quantiles, Spread};
use super::{ColumnProfile, FigureAccuracies, FigureAccuracy, Lengths, Level, Quantile, Scalar};
use crate::dataset::rows;

/// Quantiles of the summary, as `SUMMARIZE` has them, and of the full profile.
const QUARTILES: [f64; 3] = [0.25, 0.5, 0.75];
const FINER: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];
/// Largest integer up to which every integer is a float.
pub(super) const MAX_EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;

/// What a column's numbers mean.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Integers,
    /// Integers from 0 to 2^64 - 1, stored as [`ordered`] says.
    Unsigned,
    Reals,
    /// Days since 1970.
    Dates,
    /// Ticks since 1970.
    Times(TimeUnit, Option<TimeZone>),
}

impl Kind {
    fn ticks_per_second(&self) -> f64 {
        match self {
            Self::Integers | Self::Unsigned | Self::Reals => 1.0,
            Self::Dates => 1.0 / 86_400.0,
            Self::Times(TimeUnit::Milliseconds, _) => 1e3,
            Self::Times(TimeUnit::Microseconds, _) => 1e6,
            Self::Times(TimeUnit::Nanoseconds, _) => 1e9,
        }
    }

    /// A stored integer as it is measured: times in seconds.
    fn measured(&self, stored: i64) -> f64 {
        match self {
            Self::Integers | Self::Reals => stored as f64,
            Self::Unsigned => unsigned(stored) as f64,
            Self::Dates => stored as f64 * 86_400.0,
            Self::Times(..) => stored as f64 / self.ticks_per_second(),
        }
    }

    fn measure(&self) -> Measure {
        match self {
            Self::Integers | Self::Unsigned => Measure::Integers,
            Self::Reals => Measure::Reals,
            Self::Dates => Measure::Dates,
            Self::Times(..) => Measure::Times,
        }
    }

    /// A stored integer as it is shown.
    fn shown(&self, stored: i64) -> Scalar {
        let value = match self {
            Self::Integers | Self::Reals => return Scalar::Int(stored),
            Self::Unsigned => {
                let value = unsigned(stored);
                return i64::try_from(value).map_or(Scalar::UInt(value), Scalar::Int);
            }
            Self::Dates => AnyValue::Date(i32::try_from(stored).unwrap_or(i32::MAX)),
            Self::Times(unit, zone) => AnyValue::Datetime(stored, *unit, zone.as_ref()),
        };
        match rows::to_json(&value) {
            serde_json::Value::String(text) => Scalar::Text(text),
            other => Scalar::Text(other.to_string()),
        }
    }

    /// A measured number as it is shown.
    fn shown_measured(&self, measured: f64) -> Scalar {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is a whole number within the range of integers"
        )]
        match self {
            Self::Integers | Self::Unsigned if measured.abs() <= MAX_EXACT_FLOAT => {
                Scalar::Int(measured.round() as i64)
            }
            Self::Integers | Self::Unsigned | Self::Reals => float(measured),
            Self::Dates | Self::Times(..) => self.shown((measured * self.ticks_per_second()).round() as i64),
        }
    }
}

/// An unsigned integer as a signed one, in the same order.
fn ordered(value: u64) -> i64 {
    (value ^ (1 << 63)).cast_signed()
}

/// The inverse of [`ordered`].
fn unsigned(stored: i64) -> u64 {
    stored.cast_unsigned() ^ (1 << 63)
}

/// A float as JSON has it.
pub(super) fn float(value: f64) -> Scalar {
    if value.is_finite() {
        Scalar::Float(value)
    } else {
        Scalar::Text(value.to_string())
    }
}

#[derive(Debug, Clone)]
pub(super) struct Numbers {
    kind: Kind,
    level: Level,
    /// Finite ones.
    n: u64,
    mean: f64,
    /// Sum of squared differences from the mean.
    m2: f64,
    ints: Option<(i64, i64)>,
    floats: Option<(f64, f64)>,
    n_nan: u64,
    n_infinite: u64,
    distinct: Distinct,
    frequent: Frequent,
    quantiles: Quantiles,
    /// Finite values of the batch under way.
    batch: Vec<f64>,
}

impl Numbers {
    pub(super) fn new(kind: Kind, level: Level) -> Self {
        Self {
            kind,
            level,
            n: 0,
            mean: 0.0,
            m2: 0.0,
            ints: None,
            floats: None,
            n_nan: 0,
            n_infinite: 0,
            distinct: Distinct::default(),
            frequent: Frequent::default(),
            quantiles: Quantiles::default(),
            batch: Vec::new(),
        }
    }

    pub(super) fn add_ints(&mut self, values: impl Iterator<Item = i64>) {
        let (mut min, mut max) = self.ints.unwrap_or((i64::MAX, i64::MIN));
        for value in values {
            min = min.min(value);
            max = max.max(value);
            let hash = hash_bits(value.cast_unsigned());
            self.distinct.add(hash);
            if self.level == Level::Full {
                self.frequent.add(hash, 1, || Kept::Int(value));
            }
            self.batch.push(self.kind.measured(value));
        }
        if min <= max {
            self.ints = Some((min, max));
        }
        self.end_batch();
    }

    pub(super) fn add_unsigned(&mut self, values: impl Iterator<Item = u64>) {
        self.add_ints(values.map(ordered));
    }

    pub(super) fn add_floats(&mut self, values: impl Iterator<Item = f64>) {
        let (mut min, mut max) = self.floats.unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
        let mut has_any = self.floats.is_some();
        for value in values {
            // Adding zero makes 0.0 of -0.0, and one kind of NaN stands for all.
            let value = if value.is_nan() { f64::NAN } else { value + 0.0 };
            let hash = hash_bits(value.to_bits());
            self.distinct.add(hash);
            if self.level == Level::Full {
                self.frequent.add(hash, 1, || Kept::Float(value));
            }
            if value.is_nan() {
                self.n_nan += 1;
                continue;
            }
            has_any = true;
            min = min.min(value);
            max = max.max(value);
            if value.is_finite() {
                self.batch.push(value);
            } else {
                self.n_infinite += 1;
            }
        }
        if has_any {
            self.floats = Some((min, max));
        }
        self.end_batch();
    }

    /// Adds the moments of a batch to those before.
    ///
    /// Source: Chan, Golub and `LeVeque`, Updating formulae and a pairwise algorithm for computing sample variances (1979).
    fn end_batch(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return;
        }
        let n = batch.len() as f64;
        let mean = batch.iter().sum::<f64>() / n;
        let m2 = batch.iter().map(|value| (value - mean) * (value - mean)).sum();
        self.add_moments(batch.len() as u64, mean, m2);
        self.quantiles.extend(&batch);
        self.batch = batch;
        self.batch.clear();
    }

    fn add_moments(&mut self, n: u64, mean: f64, m2: f64) {
        if n == 0 {
            return;
        }
        let all = (self.n + n) as f64;
        let difference = mean - self.mean;
        self.m2 += m2 + difference * difference * (self.n as f64) * (n as f64) / all;
        self.mean += difference * (n as f64) / all;
        self.n += n;
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.add_moments(other.n, other.mean, other.m2);
        self.ints = wider(self.ints, other.ints, i64::min, i64::max);
        self.floats = wider(self.floats, other.floats, f64::min, f64::max);
        self.n_nan += other.n_nan;
        self.n_infinite += other.n_infinite;
        self.distinct.merge(other.distinct);
        self.frequent.merge(other.frequent);
        self.quantiles.merge(&other.quantiles);
    }

    /// Where every value was counted, so are the quantiles.
    fn spread(kind: &Kind, level: Level, frequent: &Frequent, quantiles: Quantiles) -> Spread {
        let counted = frequent.all().filter(|_| level == Level::Full);
        match counted {
            Some(all) => Spread::counted(all.filter_map(|(value, n)| match value {
                Kept::Int(value) => Some((kind.measured(*value), n)),
                Kept::Float(value) => value.is_finite().then_some((*value, n)),
                Kept::Text(_) => None,
            })),
            None => quantiles.spread(),
        }
    }

    pub(super) fn fill(self, profile: &mut ColumnProfile) {
        let is_full = self.level == Level::Full;
        let is_rounded = self.is_rounded();
        let is_time = matches!(self.kind.measure(), Measure::Times | Measure::Dates);
        // An estimate may say more than there are.
        profile.n_distinct = Some(self.distinct.n().min(profile.n_values()));
        let mut accuracy = FigureAccuracies {
            n_distinct: self.distinct.accuracy(),
            ..FigureAccuracies::default()
        };
        let shown = |range: (i64, i64)| (self.kind.shown(range.0), self.kind.shown(range.1));
        let of_ints = self.ints.map(shown);
        let of_floats = self.floats.map(|(min, max)| (float(min), float(max)));
        if let Some((min, max)) = of_ints.or(of_floats) {
            profile.min = Some(min);
            profile.max = Some(max);
        }
        if self.n > 0 && !is_time {
            profile.mean = Some(self.mean).filter(|mean| mean.is_finite());
            profile.std = self.std();
        }
        if self.kind == Kind::Reals {
            profile.n_nan = Some(self.n_nan);
            profile.n_infinite = Some(self.n_infinite);
        }
        let spread = Self::spread(&self.kind, self.level, &self.frequent, self.quantiles);
        let wanted: &[f64] = if is_full { &FINER } else { &QUARTILES };
        profile.quantiles = wanted
            .iter()
            .filter_map(|q| {
                Some(Quantile {
                    q: *q,
                    value: self.kind.shown_measured(spread.quantile(*q)?),
                })
            })
            .collect();
        let of_spread = |spread: &Spread| {
            let accuracy = spread.accuracy();
            if is_rounded && accuracy.is_exact() {
                FigureAccuracy::estimate(0.0)
            } else {
                accuracy
            }
        };
        accuracy.quantiles = of_spread(&spread);
        if is_full {
            profile.histogram = histogram(&spread, self.kind.measure());
            accuracy.histogram = of_spread(&spread);
            profile.ranks = spread.ranks();
            let n_values = profile.n_values();
            profile.top = super::profiler::top(&self.frequent, n_values, |kept| match kept {
                Kept::Int(value) => self.kind.shown(*value),
                Kept::Float(value) => float(*value),
                Kept::Text(text) => Scalar::Text(text.to_string()),
            });
            accuracy.top = self.frequent.accuracy();
        }
        profile.accuracy = accuracy;
    }

    /// Whether there are integers or times that a float rounds, as quantiles and histograms keep them.
    fn is_rounded(&self) -> bool {
        let size = |stored: i64| match self.kind {
            Kind::Dates => 0,
            Kind::Unsigned => unsigned(stored),
            _ => stored.unsigned_abs(),
        };
        self.ints
            .is_some_and(|(min, max)| size(min).max(size(max)) > 1 << f64::MANTISSA_DIGITS)
    }

    fn std(&self) -> Option<f64> {
        let degrees = self.n.checked_sub(1).filter(|degrees| *degrees > 0)?;
        Some((self.m2 / degrees as f64).sqrt()).filter(|std| std.is_finite())
    }

    /// The numbers as lengths; none where there are none.
    pub(super) fn lengths(self) -> Option<Lengths> {
        let (min, max) = self.ints?;
        let spread = Self::spread(&self.kind, self.level, &self.frequent, self.quantiles);
        let is_full = self.level == Level::Full;
        Some(Lengths {
            min: u64::try_from(min).unwrap_or(0),
            mean: self.mean,
            max: u64::try_from(max).unwrap_or(0),
            histogram: histogram(&spread, Measure::Integers).filter(|_| is_full),
            ranks: spread.ranks().filter(|_| is_full),
        })
    }
}

fn wider<T: Copy>(
    a: Option<(T, T)>,
    b: Option<(T, T)>,
    min: impl Fn(T, T) -> T,
    max: impl Fn(T, T) -> T,
) -> Option<(T, T)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((min(a.0, b.0), max(a.1, b.1))),
        (a, b) => a.or(b),
    }
}
