//! Numbers as people read them: thousands separators, bytes, durations, ratios.

/// A count with thousands separators.
///
/// ```
/// assert_eq!(skewer::base::units::count(548_210), "548,210");
/// ```
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in decimal units, as S3 bills it: three significant digits at most.
///
/// ```
/// assert_eq!(skewer::base::units::bytes(482_133), "482 KB");
/// assert_eq!(skewer::base::units::bytes(5_300_000), "5.3 MB");
/// ```
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    if n < 1000 {
        return format!("{n} B");
    }
    let mut value = n as f64;
    let mut unit = "B";
    for next in UNITS {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    let digits = usize::from(value < 9.95);
    format!("{value:.digits$} {unit}")
}

/// A size with all its digits, which are not said twice where the unit is bytes.
///
/// ```
/// use skewer::base::units::bytes_exact;
/// assert_eq!(bytes_exact(5_524), "5.5 KB (5,524 bytes)");
/// assert_eq!(bytes_exact(695), "695 bytes");
/// ```
pub fn bytes_exact(n: u64) -> String {
    if n < 1000 {
        plural(n, "byte")
    } else {
        format!("{} ({} bytes)", bytes(n), count(n))
    }
}

/// A duration in the largest unit that keeps two or three digits.
pub fn seconds(secs: f64) -> String {
    if secs == 0.0 {
        "0 s".to_owned()
    } else if secs < 0.001 {
        format!("{:.0} µs", secs * 1e6)
    } else if secs < 1.0 {
        format!("{:.0} ms", secs * 1e3)
    } else if secs < 100.0 {
        format!("{secs:.1} s")
    } else if secs < 7200.0 {
        format!("{:.0} min", secs / 60.0)
    } else {
        format!("{:.1} h", secs / 3600.0)
    }
}

/// A share 0..=1 as a percentage: one digit below ten percent, none above.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    if value > 0.0 && value < 0.05 {
        "<0.1%".to_owned()
    } else if value != 0.0 && value.abs() < 9.95 {
        format!("{value:.1}%")
    } else {
        format!("{value:.0}%")
    }
}

/// `3.7 ×`, or a dash where a ratio is undefined.
///
/// ```
/// use skewer::base::units::times;
/// assert_eq!((times(Some(3.66)), times(None)), ("3.7 ×".to_owned(), "–".to_owned()));
/// ```
pub fn times(ratio: Option<f64>) -> String {
    or_dash(ratio, |ratio| format!("{ratio:.1} ×"))
}

/// A value in words, or a dash where there is none.
pub fn or_dash<T>(value: Option<T>, text: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), text)
}

/// `1 file`, `12 files`: a count with its noun in the right number.
pub fn plural(n: u64, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{} {noun}s", count(n))
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, count, percent, plural, seconds};

    #[test]
    fn counts_have_separators() {
        assert_eq!(
            [0, 999, 1000, 1_048_576].map(count),
            ["0", "999", "1,000", "1,048,576"]
        );
    }

    #[test]
    fn sizes_never_show_a_thousand_of_the_smaller_unit() {
        assert_eq!(
            [999, 1000, 9_949, 9_950, 999_499, 999_500].map(bytes),
            ["999 B", "1.0 KB", "9.9 KB", "10 KB", "999 KB", "1.0 MB"]
        );
    }

    #[test]
    fn durations_shares_and_nouns() {
        assert_eq!(seconds(0.0004), "400 µs");
        assert_eq!(seconds(12.34), "12.3 s");
        assert_eq!(percent(0.012), "1.2%");
        assert_eq!(percent(0.47), "47%");
        assert_eq!(plural(1, "file"), "1 file");
        assert_eq!(plural(412, "file"), "412 files");
    }
}
