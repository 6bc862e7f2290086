//! Figures of decimals, whose values come as texts: by size and not by letters, and exact where a float is not.

use std::cmp::Ordering;

use super::numbers::{Kind, Numbers};
use super::texts::Texts;
use super::{ColumnProfile, FigureAccuracy, Level, Scalar};

/// Digits that a float always keeps. Source: IEEE 754; `f64::DIGITS`.
const MAX_DIGITS: usize = f64::DIGITS as usize;

#[derive(Debug, Clone)]
pub(super) struct Decimals {
    /// Distinct and frequent values, as the column has them.
    texts: Texts,
    numbers: Numbers,
    range: Option<(Box<str>, Box<str>)>,
    /// Whether a float rounds any of them.
    is_rounded: bool,
    /// Values that are no decimals, such as a step makes of them: then all are texts.
    has_other: bool,
}

impl Decimals {
    pub(super) fn new(level: Level) -> Self {
        Self {
            texts: Texts::new(level),
            numbers: Numbers::new(Kind::Reals, level),
            range: None,
            is_rounded: false,
            has_other: false,
        }
    }

    pub(super) fn add<'a>(&mut self, values: impl Iterator<Item = &'a str> + Clone) {
        self.texts.add(values.clone());
        let mut floats = Vec::new();
        let mut range: Option<(&str, &str)> = None;
        for value in values {
            let Some(float) = Some(value)
                .filter(|value| is_decimal(value))
                .and_then(|value| value.parse().ok())
            else {
                self.has_other = true;
                continue;
            };
            floats.push(float);
            self.is_rounded |= n_digits(value) > MAX_DIGITS;
            range = Some(match range {
                None => (value, value),
                Some((min, max)) => (lesser(min, value), greater(max, value)),
            });
        }
        self.numbers.add_floats(floats.into_iter());
        if let Some((min, max)) = range {
            self.widen(min, max);
        }
    }

    fn widen(&mut self, min: &str, max: &str) {
        self.range = Some(match self.range.take() {
            None => (min.into(), max.into()),
            Some((known_min, known_max)) => (lesser(&known_min, min).into(), greater(&known_max, max).into()),
        });
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.texts.merge(other.texts);
        self.numbers.merge(other.numbers);
        self.is_rounded |= other.is_rounded;
        self.has_other |= other.has_other;
        if let Some((min, max)) = other.range {
            self.widen(&min, &max);
        }
    }

    pub(super) fn fill(self, profile: &mut ColumnProfile) {
        self.texts.fill(profile);
        let Some((min, max)) = self.range.filter(|_| !self.has_other) else {
            return;
        };
        let of_texts = profile.clone();
        self.numbers.fill(profile);
        profile.n_distinct = of_texts.n_distinct;
        profile.top = of_texts.top;
        profile.accuracy.n_distinct = of_texts.accuracy.n_distinct;
        profile.accuracy.top = of_texts.accuracy.top;
        for accuracy in [&mut profile.accuracy.quantiles, &mut profile.accuracy.histogram] {
            if self.is_rounded && accuracy.is_exact() {
                *accuracy = FigureAccuracy::estimate(0.0);
            }
        }
        (profile.min, profile.max) = (Some(shown(&min)), Some(shown(&max)));
        // What only texts and floats have.
        (
            profile.lengths,
            profile.n_empty,
            profile.n_nan,
            profile.n_infinite,
        ) = (None, None, None, None);
    }
}

/// `-12.50`, as decimals are written.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole) && is_digits(fraction)
}

/// Sign, whole part and fraction, without zeros that say nothing.
fn parts(text: &str) -> (bool, &str, &str) {
    let digits = text.strip_prefix('-');
    let (whole, fraction) = digits
        .unwrap_or(text)
        .split_once('.')
        .unwrap_or((digits.unwrap_or(text), ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let is_zero = whole.is_empty() && fraction.is_empty();
    (digits.is_some() && !is_zero, whole, fraction)
}

/// Digits that tell a decimal from its neighbours.
fn n_digits(text: &str) -> usize {
    let (_, whole, fraction) = parts(text);
    if whole.is_empty() {
        fraction.trim_start_matches('0').len()
    } else {
        whole.len() + fraction.len()
    }
}

/// Two decimals by size, exactly.
fn by_size(a: &str, b: &str) -> Ordering {
    let ((a_less, a_whole, a_fraction), (b_less, b_whole, b_fraction)) = (parts(a), parts(b));
    let by_digits = || (a_whole.len(), a_whole, a_fraction).cmp(&(b_whole.len(), b_whole, b_fraction));
    match (a_less, b_less) {
        (false, false) => by_digits(),
        (true, true) => by_digits().reverse(),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

fn lesser<'a>(a: &'a str, b: &'a str) -> &'a str {
    if by_size(b, a).is_lt() { b } else { a }
}

fn greater<'a>(a: &'a str, b: &'a str) -> &'a str {
    if by_size(b, a).is_gt() { b } else { a }
}

/// A number where an integer or a float has all its digits, else its text.
fn shown(text: &str) -> Scalar {
    if let Ok(whole) = text.parse() {
        return Scalar::Int(whole);
    }
    let number = text.parse().ok().filter(|_| n_digits(text) <= MAX_DIGITS);
    number.map_or_else(|| Scalar::Text(text.to_owned()), Scalar::Float)
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::super::ColumnProfile;
    use super::{Decimals, Level, Scalar, by_size, is_decimal, n_digits};

    fn of(parts: &[&[&str]]) -> ColumnProfile {
        let mut all = Decimals::new(Level::Full);
        for part in parts {
            let mut one = Decimals::new(Level::Full);
            one.add(part.iter().copied());
            all.merge(one);
        }
        let mut profile = ColumnProfile {
            n_rows: parts.iter().map(|part| part.len() as u64).sum(),
            ..ColumnProfile::default()
        };
        all.fill(&mut profile);
        profile
    }

    #[test]
    fn decimals_are_ordered_by_size_and_their_frequent_values_stay_as_they_are_written() {
        let profile = of(&[&["9.50", "-10.20", "-9.99", "9.50"], &["100.00", "0.00"]]);
        assert_eq!(
            (&profile.min, &profile.max),
            (&Some(Scalar::Float(-10.2)), &Some(Scalar::Float(100.0)))
        );
        assert!((profile.mean.unwrap() - 98.81 / 6.0).abs() < 1e-12 && profile.n_distinct == Some(5));
        assert_eq!(profile.top[0].value, Scalar::Text("9.50".to_owned()));
        let bins = profile.histogram.unwrap().bins;
        assert_eq!(bins.iter().map(|bin| bin.n).sum::<u64>(), 6);
        assert!(profile.accuracy.quantiles.is_exact() && profile.lengths.is_none());
        assert!(profile.ranks.unwrap().values[100].abs() < f64::EPSILON);
    }

    #[test]
    fn more_digits_than_a_float_has_are_kept_as_text_and_not_called_exact() {
        let (less, more) = ("90071992547409930.00", "90071992547409931.00");
        let profile = of(&[&[more, "1.00", less]]);
        assert_eq!(profile.max, Some(Scalar::Text(more.to_owned())));
        assert_eq!(
            (profile.min, profile.n_distinct),
            (Some(Scalar::Float(1.0)), Some(3))
        );
        assert!(!profile.accuracy.quantiles.is_exact() && profile.accuracy.n_distinct.is_exact());
    }

    #[test]
    fn one_value_that_is_no_decimal_makes_them_texts() {
        let profile = of(&[&["9.50", "10.00"], &["9.50 EUR"]]);
        assert_eq!(profile.min, Some(Scalar::Text("10.00".to_owned())));
        assert!(profile.histogram.is_none() && profile.lengths.is_some());
        assert!(
            ["1e5", "", "-", ".5", "1.", "NaN", "+1"]
                .iter()
                .all(|text| !is_decimal(text))
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_order_is_that_of_the_integers_without_the_point(a in any::<i64>(), b in any::<i64>(), scale in 0_usize..9) {
            let text = |value: i64| {
                let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
                let (whole, fraction) = digits.split_at(digits.len() - scale);
                let sign = if value < 0 { "-" } else { "" };
                if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
            };
            prop_assert_eq!(by_size(&text(a), &text(b)), a.cmp(&b), "{} {}", text(a), text(b));
            prop_assert_eq!(by_size(&text(a), &format!("{}{}", text(a), if scale == 0 { ".0" } else { "0" })), Ordering::Equal);
            prop_assert!(is_decimal(&text(a)) && n_digits(&text(a)) <= 19);
        }
    }
}
