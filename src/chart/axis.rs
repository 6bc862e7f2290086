//! A value axis: starts at zero, ends at a round tick, in the unit that keeps its labels short.

/// Ticks in steps of 1, 2 or 5 times a power of ten.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// The last tick, at or above the largest value.
    pub max: f64,
    /// Where a tick is, in the values' own unit, and its label in `unit`. The first is at zero.
    pub ticks: Vec<(f64, String)>,
    /// `MB`; empty for counts.
    pub unit: &'static str,
}

/// Steps between zero and the end of an axis are at most this many.
const MAX_STEPS: f64 = 5.0;

impl Axis {
    /// An axis of sizes up to `max` bytes, in decimal units.
    ///
    /// ```
    /// let axis = skewer::chart::Axis::bytes(5_300_000);
    /// let labels: Vec<&str> = axis.ticks.iter().map(|(_, label)| label.as_str()).collect();
    /// assert_eq!((labels, axis.unit), (vec!["0", "2", "4", "6"], "MB"));
    /// assert_eq!(axis.max, 6e6);
    /// ```
    pub fn bytes(max: u64) -> Self {
        const UNITS: [(&str, f64); 6] = [
            ("PB", 1e15),
            ("TB", 1e12),
            ("GB", 1e9),
            ("MB", 1e6),
            ("KB", 1e3),
            ("B", 1.0),
        ];
        let (unit, scale) = UNITS
            .into_iter()
            .find(|(_, scale)| max as f64 >= *scale)
            .unwrap_or(("B", 1.0));
        Self::new(max, unit, scale)
    }

    /// An axis of counts up to `max`; no tick lies between two whole numbers.
    pub fn count(max: u64) -> Self {
        const UNITS: [(&str, f64); 3] = [("billions", 1e9), ("millions", 1e6), ("thousands", 1e3)];
        let (unit, scale) = UNITS
            .into_iter()
            .find(|(_, scale)| max as f64 >= 10.0 * scale)
            .unwrap_or(("", 1.0));
        Self::new(max, unit, scale)
    }

    fn new(max: u64, unit: &'static str, scale: f64) -> Self {
        let value = (max as f64 / scale).max(1.0);
        let (step, n_digits) = round_step(value / MAX_STEPS, scale);
        let mut ticks = vec![(0.0, "0".to_owned())];
        let mut at = 0.0;
        let mut n = 0.0;
        // A billionth of a step allows for rounding, so that 0.6 in steps of 0.2 is not given a fourth.
        while at < value - step * 1e-9 {
            n += 1.0;
            at = n * step;
            ticks.push((at * scale, format!("{at:.n_digits$}")));
        }
        Self {
            max: at * scale,
            ticks,
            unit,
        }
    }
}

/// The smallest of 1, 2, 5 times a power of ten at or above `least`, and the digits after the point that it needs.
fn round_step(least: f64, scale: f64) -> (f64, usize) {
    let (mut power, mut n_digits) = (1.0, 0);
    // Below the base unit there is nothing to count.
    if scale > 1.0 {
        while least < power {
            power /= 10.0;
            n_digits += 1;
        }
    }
    loop {
        for factor in [1.0, 2.0, 5.0] {
            if factor * power >= least {
                return (factor * power, n_digits);
            }
        }
        power *= 10.0;
        n_digits = n_digits.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Axis;

    fn check(axis: &Axis, expected: &str) {
        let labels: Vec<&str> = axis.ticks.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(format!("{} {}", labels.join(" "), axis.unit).trim_end(), expected);
    }

    #[test]
    fn ticks_are_round_and_labels_short() {
        check(&Axis::bytes(0), "0 1 B");
        check(&Axis::bytes(3), "0 1 2 3 B");
        check(&Axis::bytes(482_133), "0 100 200 300 400 500 KB");
        check(&Axis::bytes(1_000_000), "0 0.2 0.4 0.6 0.8 1.0 MB");
        check(&Axis::bytes(2_190_953), "0 0.5 1.0 1.5 2.0 2.5 MB");
        check(&Axis::bytes(1_250_000_000_000), "0 0.5 1.0 1.5 TB");
        check(&Axis::count(398), "0 100 200 300 400");
        check(&Axis::count(4), "0 1 2 3 4");
        check(&Axis::count(50_000), "0 10 20 30 40 50 thousands");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_axis_holds_its_largest_value_in_a_few_even_ticks(max in 0_u64..u64::MAX / 2) {
            for axis in [Axis::bytes(max), Axis::count(max)] {
                prop_assert!(axis.max >= max as f64 * (1.0 - 1e-9), "{axis:?}");
                prop_assert!((2..=6).contains(&axis.ticks.len()), "{axis:?}");
                prop_assert_eq!(axis.ticks.first().map(|(at, _)| *at), Some(0.0));
                prop_assert_eq!(axis.ticks.last().map(|(at, _)| *at), Some(axis.max));
                let labels: std::collections::BTreeSet<_> = axis.ticks.iter().map(|(_, label)| label).collect();
                prop_assert_eq!(labels.len(), axis.ticks.len(), "two ticks have one label");
            }
        }
    }
}
