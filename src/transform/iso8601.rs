//! Dates and timestamps as text: the ISO 8601 forms that data carry, read the same for every row.
//!
//! polars infers a format from the first value of a batch; reading each text alone keeps results independent of batches.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};

use super::python::Python;

/// Microseconds since 1970 (UTC) of `2020-01-31`, `2020-01-31T12:30[:15[.123456]]` (or a space for the `T`), with `Z`, an
/// offset such as `+01:00`, `+0100` or `+01`, or without one, which means UTC.
pub(super) fn micros(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let date = naive_date(date)?;
    if rest.is_empty() {
        return Some(date.and_time(NaiveTime::MIN).and_utc().timestamp_micros());
    }
    let clock = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, offset_secs) = split_offset(clock)?;
    let time = plain_time(clock)
        .map_or_else(|| NaiveTime::parse_from_str(clock, "%H:%M:%S%.f"), Ok)
        .or_else(|_| NaiveTime::parse_from_str(clock, "%H:%M"))
        .ok()?;
    let micros = date.and_time(time).and_utc().timestamp_micros();
    micros.checked_sub(offset_secs.checked_mul(1_000_000)?)
}

/// Days since 1970 of `2020-01-31`.
pub(super) fn days(text: &str) -> Option<i32> {
    let days = naive_date(text)?
        .signed_duration_since(NaiveDate::default())
        .num_days();
    i32::try_from(days).ok()
}

/// Microseconds since 1970 (UTC) of a text in a strftime `format`. Without an offset in the format it is UTC; without a
/// time of day it is midnight.
pub(super) fn micros_in(text: &str, format: &str) -> Option<i64> {
    let parsed = DateTime::parse_from_str(text, format).map(|t| t.timestamp_micros());
    let parsed = parsed
        .or_else(|_| NaiveDateTime::parse_from_str(text, format).map(|t| t.and_utc().timestamp_micros()));
    parsed
        .or_else(|_| {
            NaiveDate::parse_from_str(text, format)
                .map(|date| date.and_time(NaiveTime::MIN).and_utc().timestamp_micros())
        })
        .ok()
}

/// Defines `iso8601_days(text)` and `iso8601_micros(text)` in a script.
pub(super) fn define_python(script: &mut Python) {
    script.import("re");
    script.define("iso8601", include_str!("steps/python/iso8601.py"));
}

fn naive_date(text: &str) -> Option<NaiveDate> {
    if let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes()
        && let (Some(year), Some(month), Some(day)) = (
            number(&[*y1, *y2, *y3, *y4]),
            number(&[*m1, *m2]),
            number(&[*d1, *d2]),
        )
    {
        return NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day);
    }
    let is_plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    is_plain
        .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
        .flatten()
}

/// `12:30:15` as nearly all texts have it; none for other forms, which may be right too.
fn plain_time(clock: &str) -> Option<NaiveTime> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = clock.as_bytes() else {
        return None;
    };
    NaiveTime::from_hms_opt(number(&[*h1, *h2])?, number(&[*m1, *m2])?, number(&[*s1, *s2])?)
}

/// Decimal digits as a number; none when one is no digit.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u32::from(*digit - b'0'))
    })
}

/// The time of day, and the seconds that its offset is ahead of UTC.
fn split_offset(clock: &str) -> Option<(&str, i64)> {
    if let Some(clock) = clock.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = clock.find(['+', '-']) else {
        return Some((clock, 0));
    };
    let (clock, offset) = clock.split_at_checked(at)?;
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let digits = offset.get(1..)?;
    let (hours, minutes) = match digits.len() {
        2 => (digits, "00"),
        4 => digits.split_at_checked(2)?,
        5 => digits.split_once(':')?,
        _ => return None,
    };
    let is_number = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(hours) || !is_number(minutes) {
        return None;
    }
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some((clock, sign * (hours * 3600 + minutes * 60)))
}

#[cfg(test)]
mod tests {
    use super::{days, micros, micros_in};

    #[test]
    fn every_form_of_one_instant_is_the_same() {
        for text in [
            "2020-01-31T12:30:00Z",
            "2020-01-31T12:30Z",
            "2020-01-31 12:30:00",
            "2020-01-31t12:30:00.000z",
            "2020-01-31T13:30:00+01:00",
            "2020-01-31T13:30:00+0100",
            "2020-01-31T13:30+01",
            "2020-01-31T05:30:00-07:00",
        ] {
            assert_eq!(micros(text), Some(1_580_473_800_000_000), "{text}");
        }
        assert_eq!(micros("1970-01-01T00:00:00.000001Z"), Some(1));
        // A leap second is the last one of its day again, in every engine of ours.
        assert_eq!(micros("1970-01-01T23:59:60Z"), Some(86_400_000_000));
        assert_eq!(micros("1970-01-01T1:2:3Z"), Some(3_723_000_000));
        assert_eq!(micros("1969-12-31"), Some(-86_400_000_000));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2020",
            "2020-13-01",
            "2020-02-30",
            "20-01-01",
            "2020-01-01T",
            "2020-01-01T25:00",
            "2020-01-01T10:00+1",
            "2020-01-01T10:00+99:00",
            "2020-01-01T10:00 extra",
            "01/02/2020",
            "2020-01-0é",
            "+020-01-01",
        ] {
            assert_eq!(micros(text), None, "{text}");
        }
        assert_eq!(days("1970-01-11"), Some(10));
        assert_eq!(days("1970-01-11T00:00"), None);
    }

    #[test]
    fn a_format_may_lack_an_offset_or_a_time() {
        assert_eq!(
            micros_in("31.01.1970 00:00", "%d.%m.%Y %H:%M"),
            Some(30 * 86_400_000_000)
        );
        assert_eq!(micros_in("31.01.1970", "%d.%m.%Y"), Some(30 * 86_400_000_000));
        assert_eq!(
            micros_in("01/Jan/1970:01:00:00 +0100", "%d/%b/%Y:%H:%M:%S %z"),
            Some(0)
        );
        assert_eq!(micros_in("nonsense", "%d.%m.%Y"), None);
    }
}
