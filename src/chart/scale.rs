//! How the values of a picture lie along one of its sides: which are shown, in which unit, and where round ticks are.
//!
//! A drawer asks for the position of a value, which is the value itself or its logarithm, and scales positions to its own
//! pixels. So a chart that is zoomed in the window and its picture in a file have the same ticks.

use chrono::DateTime;

use super::ticks;
use crate::base::units;

/// What the values of a side count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quantity {
    /// A number without a unit.
    #[default]
    Number,
    /// Whole things: no tick lies between two of them.
    Count,
    Bytes,
    Seconds,
    /// 0..=1, shown as a percentage.
    Share,
    /// How many times something else.
    Times,
}

/// How values become positions.
#[derive(Debug, Clone, PartialEq)]
pub enum ScaleKind {
    Linear(Quantity),
    /// Positions are decimal logarithms. Values at or below the first one stand at the edge.
    Log(Quantity),
    /// Names at 0, 1, 2 and so on.
    Category(Vec<String>),
    /// Seconds since 1970-01-01, UTC.
    Time,
    /// Nothing to read, such as the sides of a treemap.
    Bare,
}

/// One side of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// What the side counts and in which unit, such as `rows per partition`; empty where the chart's title says it.
    pub title: String,
    pub kind: ScaleKind,
    /// The values at the two ends.
    pub first: f64,
    pub last: f64,
    /// From right to left, or from top to bottom.
    pub is_reversed: bool,
}

/// A place on a side that has a label.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Its position, as [`Scale::position`] gives it.
    pub at: f64,
    pub label: String,
    /// Distance to the next tick, in positions.
    pub step: f64,
}

/// Ticks of a side that starts at zero, unless a drawer has room for others.
const N_TICKS: usize = 6;

impl Scale {
    /// From zero to the first round tick at or above `max`.
    ///
    /// ```
    /// use skewer::chart::{Quantity, Scale};
    /// let scale = Scale::from_zero("", Quantity::Bytes, 5_300_000.0);
    /// let labels: Vec<String> = scale.ticks(scale.ends(), 6).into_iter().map(|tick| tick.label).collect();
    /// assert_eq!(labels, ["0", "1 MB", "2 MB", "3 MB", "4 MB", "5 MB", "6 MB"]);
    /// ```
    pub fn from_zero(title: impl Into<String>, quantity: Quantity, max: f64) -> Self {
        let max = if max.is_finite() && max > 0.0 { max } else { 1.0 };
        let step = ticks::step(quantity, max / N_TICKS as f64);
        // A billionth of a step allows for rounding, so that 0.6 in steps of 0.2 is not given a fourth.
        let last = ((max / step - 1e-9).ceil() * step).max(step);
        Self::new(title, ScaleKind::Linear(quantity), 0.0, last)
    }

    /// Just the values from `first` to `last`, such as the sizes of a scatter plot.
    pub fn linear(title: impl Into<String>, quantity: Quantity, first: f64, last: f64) -> Self {
        let last = if last > first { last } else { first + 1.0 };
        Self::new(title, ScaleKind::Linear(quantity), first, last)
    }

    /// The powers of ten around the positive values from `least` to `most`.
    pub fn log(title: impl Into<String>, quantity: Quantity, least: f64, most: f64) -> Self {
        let (from, to) = ticks::decades(quantity, least, most);
        Self::new(title, ScaleKind::Log(quantity), from, to)
    }

    /// One place for each name.
    pub fn categories(title: impl Into<String>, names: Vec<String>) -> Self {
        let last = names.len().max(1) as f64 - 0.5;
        Self::new(title, ScaleKind::Category(names), -0.5, last)
    }

    /// Seconds since 1970-01-01, UTC.
    pub fn time(title: impl Into<String>, first: f64, last: f64) -> Self {
        let last = if last > first { last } else { first + 1.0 };
        Self::new(title, ScaleKind::Time, first, last)
    }

    /// A side without ticks.
    pub fn bare(first: f64, last: f64) -> Self {
        Self::new("", ScaleKind::Bare, first, last)
    }

    fn new(title: impl Into<String>, kind: ScaleKind, first: f64, last: f64) -> Self {
        Self {
            title: title.into(),
            kind,
            first,
            last,
            is_reversed: false,
        }
    }

    /// The same side from right to left, or from top to bottom.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        self.is_reversed = true;
        self
    }

    /// Whether its values may also be shown by their logarithm.
    pub fn may_be_log(&self) -> bool {
        matches!(self.kind, ScaleKind::Linear(quantity) if quantity != Quantity::Share) && self.first >= 0.0
    }

    /// The same values by their logarithm, where that is possible. `least` is the smallest positive value.
    #[must_use]
    pub fn as_log(&self, least: f64) -> Self {
        match self.kind {
            ScaleKind::Linear(quantity) if self.may_be_log() => Self {
                is_reversed: self.is_reversed,
                ..Self::log(self.title.clone(), quantity, least, self.last)
            },
            _ => self.clone(),
        }
    }

    pub fn is_log(&self) -> bool {
        matches!(self.kind, ScaleKind::Log(_))
    }

    /// Where a value stands: the value, or its decimal logarithm.
    pub fn position(&self, value: f64) -> f64 {
        if self.is_log() {
            value.max(self.first).log10()
        } else {
            value
        }
    }

    /// Positions of the two ends, the smaller first.
    pub fn ends(&self) -> (f64, f64) {
        (self.position(self.first), self.position(self.last))
    }

    /// How far along the side a value stands, 0..=1 from the left or from below.
    pub fn share(&self, value: f64) -> f64 {
        let (first, last) = self.ends();
        let share = ((self.position(value) - first) / (last - first)).clamp(0.0, 1.0);
        if self.is_reversed { 1.0 - share } else { share }
    }

    /// Round ticks between two positions, about `n_most` of them.
    pub fn ticks(&self, (first, last): (f64, f64), n_most: usize) -> Vec<Tick> {
        let n_most = n_most.max(1);
        match &self.kind {
            ScaleKind::Linear(quantity) => ticks::linear(*quantity, first, last, n_most),
            ScaleKind::Log(quantity) => ticks::log(*quantity, first, last, n_most),
            ScaleKind::Category(names) => ticks::names(names, first, last, n_most),
            ScaleKind::Time => ticks::time(first, last, n_most),
            ScaleKind::Bare => Vec::new(),
        }
    }

    /// A value in words, with its unit.
    pub fn text(&self, value: f64) -> String {
        match &self.kind {
            ScaleKind::Linear(quantity) | ScaleKind::Log(quantity) => quantity.text(value),
            ScaleKind::Category(names) => ticks::index(value)
                .and_then(|at| names.get(at).cloned())
                .unwrap_or_default(),
            ScaleKind::Time => ticks::index(value)
                .and_then(|secs| DateTime::from_timestamp(i64::try_from(secs).ok()?, 0))
                .map(|at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string())
                .unwrap_or_default(),
            ScaleKind::Bare => String::new(),
        }
    }
}

impl Quantity {
    /// A value in words: three significant digits at most, with its unit.
    pub fn text(self, value: f64) -> String {
        let whole = || ticks::index(value).map_or(0, |value| value as u64);
        match self {
            Self::Count => units::count(whole()),
            Self::Bytes => units::bytes(whole()),
            Self::Seconds if value == 0.0 => "0 s".to_owned(),
            Self::Seconds => units::seconds(value),
            Self::Share => units::percent(value),
            Self::Times => format!("{} ×", number(value)),
            Self::Number => number(value),
        }
    }
}

/// Three significant digits, and separators where the number is large.
fn number(value: f64) -> String {
    if value.abs() >= 1000.0 {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!(
            "{sign}{}",
            units::count(ticks::index(value.abs()).unwrap_or(0) as u64)
        );
    }
    let n_digits = match value.abs() {
        size if size == 0.0 || size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.n_digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{Quantity, Scale};

    #[test]
    fn a_logarithmic_side_shows_zero_at_its_edge() {
        let scale = Scale::from_zero("", Quantity::Count, 90_000.0).as_log(3.0);
        assert_eq!((scale.first, scale.last), (1.0, 100_000.0));
        assert_eq!((scale.share(0.0), scale.share(1.0)), (0.0, 0.0));
        assert!((scale.share(1000.0) - 0.6).abs() < 1e-9);
    }

    #[test]
    fn a_reversed_side_counts_from_the_other_end() {
        let scale = Scale::categories("", vec!["a".to_owned(), "b".to_owned()]).reversed();
        assert_eq!((scale.share(0.0), scale.share(1.0)), (0.75, 0.25));
        assert_eq!(scale.text(1.0), "b");
    }

    #[test]
    fn nothing_and_nonsense_have_a_side_too() {
        for max in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let scale = Scale::from_zero("", Quantity::Bytes, max);
            assert_eq!((scale.first, scale.last), (0.0, 1.0));
        }
        let scale = Scale::categories("", Vec::new());
        assert_eq!(scale.ends(), (-0.5, 0.5));
        let scale = Scale::log("", Quantity::Seconds, f64::NAN, 0.0);
        assert!(scale.first > 0.0 && scale.last > scale.first);
    }

    #[test]
    fn values_are_told_in_their_unit() {
        let told = [
            (Quantity::Bytes, 5_300_000.0, "5.3 MB"),
            (Quantity::Count, 12_345.0, "12,345"),
            (Quantity::Seconds, 0.0, "0 s"),
            (Quantity::Share, 0.47, "47%"),
            (Quantity::Times, 11.93, "11.9 ×"),
            (Quantity::Number, 0.25, "0.25"),
            (Quantity::Number, -1234.0, "-1,234"),
            (Quantity::Number, 100.0, "100"),
        ];
        for (quantity, value, text) in told {
            assert_eq!(quantity.text(value), text);
        }
    }
}
