//! Numbers from their exact text, for what a parsed `f64` no longer tells.

/// A decimal number text as an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exact {
    Int(i64),
    /// It has a fraction.
    Fraction,
    /// Whole, but beyond int64.
    OutOfRange,
    NotANumber,
}

/// Parts of a JSON number: sign, whole digits, fraction digits, exponent.
struct Parts<'a> {
    is_negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: &'a str,
}

/// `text` by JSON's grammar of numbers; none when it is none.
fn parts(text: &str) -> Option<Parts<'_>> {
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let has_leading_zero = whole.len() > 1 && whole.starts_with('0');
    let is_good = is_digits(whole)
        && !has_leading_zero
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(|exponent| is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    is_good.then(|| Parts {
        is_negative,
        whole,
        fraction: fraction.unwrap_or_default(),
        exponent: exponent.unwrap_or_default(),
    })
}

/// Whether `text` is a number by JSON's grammar.
pub(super) fn is_number(text: &str) -> bool {
    parts(text).is_some()
}

/// The integer that `text` is exactly, whatever its form: `7`, `7.0`, `0.7e1`.
pub(super) fn exact_i64(text: &str) -> Exact {
    let Some(parts) = parts(text) else {
        return Exact::NotANumber;
    };
    let digits = || parts.whole.bytes().chain(parts.fraction.bytes());
    if digits().all(|digit| digit == b'0') {
        return Exact::Int(0);
    }
    // An exponent too long for i32 is out of any range by its sign alone.
    let exponent = match parts.exponent {
        "" => 0,
        text => text.parse::<i32>().unwrap_or(if text.starts_with('-') {
            i32::MIN / 2
        } else {
            i32::MAX / 2
        }),
    };
    let n_digits = parts.whole.len() + parts.fraction.len();
    let point = i64::try_from(parts.whole.len()).unwrap_or(i64::MAX / 2) + i64::from(exponent);
    let n_whole = usize::try_from(point.max(0)).unwrap_or(usize::MAX);
    if digits().skip(n_whole).any(|digit| digit != b'0') {
        return Exact::Fraction;
    }
    let mut value: i64 = 0;
    let zeros = n_whole.saturating_sub(n_digits);
    for digit in digits().take(n_whole).chain(std::iter::repeat_n(b'0', zeros)) {
        let digit = i64::from(digit - b'0');
        let next = value.checked_mul(10).and_then(|value| {
            if parts.is_negative {
                value.checked_sub(digit)
            } else {
                value.checked_add(digit)
            }
        });
        match next {
            Some(next) => value = next,
            None => return Exact::OutOfRange,
        }
    }
    Exact::Int(value)
}

#[cfg(test)]
mod tests {
    use super::{Exact, exact_i64, is_number};

    #[test]
    fn whole_numbers_are_exact_in_any_form() {
        for (text, expected) in [
            ("0", Exact::Int(0)),
            ("-0.000e99999999999", Exact::Int(0)),
            ("1.0", Exact::Int(1)),
            ("1e3", Exact::Int(1000)),
            ("12.50e1", Exact::Int(125)),
            ("1200e-2", Exact::Int(12)),
            ("9007199254740993.0", Exact::Int(9_007_199_254_740_993)),
            ("9223372036854775807", Exact::Int(i64::MAX)),
            ("-9223372036854775808", Exact::Int(i64::MIN)),
            ("9223372036854775808", Exact::OutOfRange),
            ("1e400", Exact::OutOfRange),
            ("1e99999999999", Exact::OutOfRange),
            ("1.5", Exact::Fraction),
            ("1.00000000000000000001", Exact::Fraction),
            ("1e-99999999999", Exact::Fraction),
            ("", Exact::NotANumber),
            ("01", Exact::NotANumber),
            ("1.", Exact::NotANumber),
            ("+1", Exact::NotANumber),
            (" 1", Exact::NotANumber),
        ] {
            assert_eq!(exact_i64(text), expected, "{text}");
            assert_eq!(is_number(text), expected != Exact::NotANumber, "{text}");
        }
    }
}
