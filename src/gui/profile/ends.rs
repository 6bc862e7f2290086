//! What lies outside the bars of a histogram, in words: where another profile is laid over them.

use super::facts::float;
use crate::profile::columns::{Histogram, Scale};

/// What lies outside the bars, where another profile is laid over them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ends {
    /// `below 10`
    pub below: String,
    /// `over 90`, or `from 90 on`
    pub above: String,
    /// Whether a value that is the last border itself is in the last bar.
    pub is_closed: bool,
}

/// Whether the last bar has a value that is its upper border: only a real number can be one.
pub(super) fn is_closed(histogram: &Histogram, dtype: &str) -> bool {
    let is_whole = dtype.starts_with("int") || dtype.starts_with("uint");
    !is_whole && histogram.scale != Scale::Time
}

/// `dtype` is that of the values.
pub(super) fn ends(histogram: &Histogram, dtype: &str) -> Ends {
    let (Some(first), Some(last)) = (histogram.bins.first(), histogram.bins.last()) else {
        return Ends::default();
    };
    let is_closed = is_closed(histogram, dtype);
    let above = match histogram.scale {
        // Each bar is one number.
        Scale::Integer => format!("over {}", grouped(&last.label)),
        Scale::Time => format!("from {} on", time_like(last.high, &last.label)),
        _ if is_closed => format!("over {}", float(last.high)),
        _ => format!("from {} on", float(last.high)),
    };
    Ends {
        below: format!("below {}", grouped(&first.label)),
        above,
        is_closed,
    }
}

/// Seconds since 1970 as text, as fine as `label`; a time of day with its date.
pub(super) fn time_like(seconds: f64, label: &str) -> String {
    let form = match label.len() {
        4 => "%Y",
        7 => "%Y-%m",
        10 => "%Y-%m-%d",
        16 => "%Y-%m-%d %H:%M",
        _ => "%Y-%m-%d %H:%M:%S",
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "borders are whole seconds of the calendar"
    )]
    let time = chrono::DateTime::from_timestamp(seconds as i64, 0);
    time.map_or_else(String::new, |time| time.format(form).to_string())
}

/// A border as it is read: long numbers in groups of three digits. Years and dates stay.
pub(super) fn grouped(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(value) if value.abs() >= 10_000.0 => float(value),
        _ => text.to_owned(),
    }
}
