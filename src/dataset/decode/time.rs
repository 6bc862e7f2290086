//! Dates and timestamps from text: ISO 8601 by hand, other forms by strftime.

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{Datelike, NaiveDate};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A strftime form, read once.
#[derive(Debug, Clone)]
pub(super) struct Form(Vec<Item<'static>>);

impl Form {
    /// None for a form with an unknown code; a checked schema has none.
    pub(super) fn new(text: &str) -> Option<Self> {
        StrftimeItems::new(text).parse_to_owned().ok().map(Self)
    }

    fn parsed(&self, text: &str) -> Option<Parsed> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.0.iter()).ok()?;
        Some(parsed)
    }

    pub(super) fn days(&self, text: &str) -> Option<i32> {
        self.parsed(text)?.to_naive_date().ok().map(days_of)
    }

    /// Without an offset in the form it is UTC; without a time it is midnight.
    pub(super) fn micros(&self, text: &str) -> Option<i64> {
        let parsed = self.parsed(text)?;
        if let Ok(time) = parsed.to_datetime() {
            return Some(time.timestamp_micros());
        }
        if parsed.offset().is_some() {
            return None;
        }
        match parsed.to_naive_datetime_with_offset(0) {
            Ok(time) => Some(time.and_utc().timestamp_micros()),
            Err(_)
                if parsed.hour_div_12().is_none()
                    && parsed.hour_mod_12().is_none()
                    && parsed.minute().is_none() =>
            {
                Some(i64::from(days_of(parsed.to_naive_date().ok()?)) * MICROS_PER_DAY)
            }
            Err(_) => None,
        }
    }
}

fn days_of(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - 719_163
}

/// Days since 1970-01-01 of `YYYY-MM-DD`.
pub(super) fn iso_days(text: &str) -> Option<i32> {
    let (days, rest) = date(text.as_bytes())?;
    rest.is_empty().then_some(days)
}

/// Microseconds since the epoch of an ISO 8601 date-time: `YYYY-MM-DD`, `T` or a space, `HH:MM[:SS[.fraction]]`, then
/// `Z` or an offset; UTC without one. Digits of the fraction beyond microseconds are cut.
pub(super) fn iso_micros(text: &str) -> Option<i64> {
    let (days, rest) = date(text.as_bytes())?;
    let (b'T' | b't' | b' ', rest) = rest.split_first()? else {
        return None;
    };
    let (hour, rest) = two_digits(rest, 23)?;
    let (minute, mut rest) = two_digits(rest.strip_prefix(b":")?, 59)?;
    let mut micros = i64::from(days) * MICROS_PER_DAY + (hour * 60 + minute) * 60_000_000;
    if let Some(after) = rest.strip_prefix(b":") {
        let (second, after) = two_digits(after, 59)?;
        micros += second * 1_000_000;
        rest = after;
        if let Some(after) = rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b",")) {
            let n = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if n == 0 || n > 9 {
                return None;
            }
            let (digits, after) = after.split_at_checked(n)?;
            let mut scale = 100_000;
            for digit in digits.iter().take(6) {
                micros += i64::from(digit - b'0') * scale;
                scale /= 10;
            }
            rest = after;
        }
    }
    let offset_minutes = match rest {
        [] | [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let (hours, rest) = two_digits(rest, 23)?;
            let minutes = match rest {
                [] => 0,
                rest => {
                    let (minutes, rest) = two_digits(rest.strip_prefix(b":").unwrap_or(rest), 59)?;
                    if !rest.is_empty() {
                        return None;
                    }
                    minutes
                }
            };
            let offset = hours * 60 + minutes;
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    Some(micros - offset_minutes * 60_000_000)
}

fn date(text: &[u8]) -> Option<(i32, &[u8])> {
    let (century, rest) = two_digits(text, 99)?;
    let (year, rest) = two_digits(rest, 99)?;
    let (month, rest) = two_digits(rest.strip_prefix(b"-")?, 12)?;
    let (day, rest) = two_digits(rest.strip_prefix(b"-")?, 31)?;
    let number = |n: i64| u32::try_from(n).ok();
    let year = i32::try_from(century * 100 + year).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(month)?, number(day)?)?;
    Some((days_of(date), rest))
}

fn two_digits(text: &[u8], max: i64) -> Option<(i64, &[u8])> {
    let [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] = text else {
        return None;
    };
    let value = i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
    (value <= max).then_some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::{Form, iso_days, iso_micros};

    #[test]
    fn iso_timestamps_of_every_form_are_the_same_moment() {
        for text in [
            "2020-01-02T03:04:05Z",
            "2020-01-02 03:04:05",
            "2020-01-02T05:04:05+02:00",
            "2020-01-01T22:34:05-0430",
            "2020-01-02T03:04:05.000000999Z",
        ] {
            assert_eq!(iso_micros(text), Some(1_577_934_245_000_000), "{text}");
        }
        assert_eq!(iso_micros("2020-01-02T03:04Z"), Some(1_577_934_240_000_000));
        assert_eq!(iso_micros("1969-12-31T23:59:59.9999999Z"), Some(-1));
        assert_eq!(iso_days("1970-01-02"), Some(1));
        assert_eq!(iso_days("0001-01-01"), Some(-719_162));
    }

    #[test]
    fn what_is_no_timestamp_is_none() {
        for text in [
            "",
            "2020-01-02",
            "2020-02-30T00:00:00Z",
            "2020-01-02T24:00:00Z",
            "2020-01-02T00:00:00.Z",
            "2020-01-02T00:00:00Zx",
            "2020-01-02T00:00:00+2",
            "01/02/2020 00:00",
            "20200102T000000Z",
        ] {
            assert_eq!(iso_micros(text), None, "{text}");
        }
        assert_eq!(iso_days("2020-01-02T00:00:00Z"), None);
    }

    #[test]
    fn strftime_forms_take_an_offset_a_date_or_a_number() {
        let micros = |form: &str, text| Form::new(form).unwrap().micros(text);
        let noon = Some(1_577_966_400_000_000);
        assert_eq!(
            micros("%Y-%m-%dT%H:%M:%S%.f%z", "2020-01-02T13:00:00.0+0100"),
            noon
        );
        assert_eq!(micros("%d/%m/%Y %H:%M", "02/01/2020 12:00"), noon);
        assert_eq!(micros("%s", "1577966400"), noon);
        assert_eq!(micros("%d/%m/%Y", "02/01/2020"), Some(1_577_923_200_000_000));
        assert_eq!(micros("%d/%m/%Y", "2020-01-02"), None);
        assert_eq!(Form::new("%d.%m.%y").unwrap().days("02.01.20"), Some(18_263));
    }
}
