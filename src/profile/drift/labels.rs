//! How the borders of bins are written: few digits for numbers, the calendar for times.

use chrono::DateTime;

use super::spread::{Cut, Side};
use crate::base::units;

/// `up to 10`, `10 to 20`, `= 0`, `over 90`.
pub(super) fn range_text(from: Option<Cut>, to: Option<Cut>, dtype: &str) -> String {
    let number = |value| number(value, dtype);
    match (from, to) {
        (None, None) => "all".to_owned(),
        (None, Some(to)) if to.side == Side::Before => format!("below {}", number(to.value)),
        (None, Some(to)) => format!("up to {}", number(to.value)),
        (Some(from), None) => format!("over {}", number(from.value)),
        (Some(from), Some(to)) if from.side == Side::Before && (from.value - to.value).abs() == 0.0 => {
            format!("= {}", number(to.value))
        }
        (Some(from), Some(to)) => format!("{} to {}", number(from.value), number(to.value)),
    }
}

/// A number with as few digits as tell it from its like; seconds since 1970 as a time in a column of times.
pub(super) fn number(value: f64, dtype: &str) -> String {
    let form = match dtype {
        "date" => Some("%Y-%m-%d"),
        dtype if dtype.starts_with("timestamp") => Some("%Y-%m-%dT%H:%M:%S"),
        _ => None,
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "times beyond the calendar have no form and stay numbers"
    )]
    let time = form.and_then(|form| {
        Some(
            DateTime::from_timestamp(value as i64, 0)?
                .format(form)
                .to_string(),
        )
    });
    time.unwrap_or_else(|| short(value))
}

fn short(value: f64) -> String {
    let size = value.abs();
    if size >= 1e15 || (size > 0.0 && size < 1e-3) {
        return format!("{value:.2e}");
    }
    if value.fract() == 0.0 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked above"
        )]
        let whole = units::count(size as u64);
        return if value < 0.0 { format!("-{whole}") } else { whole };
    }
    let text = if size < 1.0 {
        format!("{value:.4}")
    } else {
        format!("{value:.2}")
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{number, range_text};
    use crate::profile::drift::spread::{Cut, Side};

    #[test]
    fn borders_are_short_numbers_and_times_of_the_calendar() {
        let shown = [-1500.0, 0.5, 2.25, 1e-7, 1e18].map(|value| number(value, "float64"));
        assert_eq!(shown, ["-1,500", "0.5", "2.25", "1.00e-7", "1.00e18"]);
        assert_eq!(number(86_400.0 * 18_262.0, "date"), "2020-01-01");
        assert_eq!(number(3_661.0, "timestamp[us, UTC]"), "1970-01-01T01:01:01");
        let cut = |value, side| Some(Cut { value, side });
        let day = 86_400.0;
        let text = range_text(cut(0.0, Side::After), cut(day, Side::After), "date");
        assert_eq!(text, "1970-01-01 to 1970-01-02");
        assert_eq!(
            range_text(cut(7.0, Side::Before), cut(7.0, Side::After), "int64"),
            "= 7"
        );
        assert_eq!(range_text(None, cut(7.0, Side::Before), "int64"), "below 7");
        assert_eq!(range_text(cut(7.0, Side::After), None, "int64"), "over 7");
    }
}
