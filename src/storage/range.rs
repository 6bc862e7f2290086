//! A range of dates as people write it: which partitions are meant.

use std::fmt;
use std::str::FromStr;

use chrono::{Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

use super::layout::{date_of, iso_date};

/// Dates from `first` to `last`, both included; an open end has no limit.
///
/// ```
/// let january: skewer::storage::DateRange = "2020-01".parse().unwrap();
/// assert_eq!(january.to_string(), "2020-01-01..2020-01-31");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DateRange {
    pub first: Option<NaiveDate>,
    pub last: Option<NaiveDate>,
}

/// The text names no range of dates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DateRangeError {
    #[error(
        "`{text}` is no range of dates: write 2020-01-01..2020-01-31, 2020-01-01.., 2020-01, 2020 or one date"
    )]
    Unreadable { text: String },
    #[error("`{text}` ends before it begins")]
    Backwards { text: String },
}

impl DateRange {
    pub fn new(first: NaiveDate, last: NaiveDate) -> Self {
        Self {
            first: Some(first),
            last: Some(last),
        }
    }

    pub fn contains(self, date: NaiveDate) -> bool {
        self.first.is_none_or(|first| first <= date) && self.last.is_none_or(|last| date <= last)
    }

    /// Days of a range that is closed on both ends.
    pub fn n_days(self) -> Option<u64> {
        let days = self.last?.signed_duration_since(self.first?).num_days();
        u64::try_from(days).ok().map(|days| days + 1)
    }

    /// The range of the same length that ends the day before this one; none where an end is open.
    pub fn before(self) -> Option<Self> {
        let n_days = self.n_days()?;
        let first = self.first?;
        Some(Self::new(
            first.checked_sub_days(Days::new(n_days))?,
            first.pred_opt()?,
        ))
    }
}

impl FromStr for DateRange {
    type Err = DateRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let unreadable = || DateRangeError::Unreadable {
            text: text.to_owned(),
        };
        let (first, last) = match text.split_once("..") {
            Some((first, last)) => (first.trim(), last.trim()),
            None if text.is_empty() => return Err(unreadable()),
            None => (text, text),
        };
        let end = |part: &str| match part {
            "" => Ok(None),
            part => period(part).map(Some).ok_or_else(unreadable),
        };
        let range = Self {
            first: end(first)?.map(|(first, _)| first),
            last: end(last)?.map(|(_, last)| last),
        };
        match (range.first, range.last) {
            (Some(first), Some(last)) if last < first => Err(DateRangeError::Backwards {
                text: text.to_owned(),
            }),
            _ => Ok(range),
        }
    }
}

/// First and last date of a day, a month or a year.
fn period(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    if let Some(date) = iso_date(text) {
        return Some((date, date));
    }
    let (first, months) = match text.split_once('-') {
        Some((year, month)) => (date_of(year, month, "01")?, 1),
        None => (date_of(text, "01", "01")?, 12),
    };
    let after = first.checked_add_months(Months::new(months))?;
    Some((first, after.pred_opt()?))
}

/// `2020-01-01..2020-01-31`; an open end is left out.
impl fmt::Display for DateRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |date: Option<NaiveDate>| date.map(|date| date.to_string()).unwrap_or_default();
        if self.first.is_some() && self.first == self.last {
            return f.write_str(&end(self.first));
        }
        write!(f, "{}..{}", end(self.first), end(self.last))
    }
}

impl From<DateRange> for String {
    fn from(range: DateRange) -> Self {
        range.to_string()
    }
}

impl TryFrom<String> for DateRange {
    type Error = DateRangeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::DateRange;

    fn check(text: &str) -> String {
        match text.parse::<DateRange>() {
            Ok(range) => range.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn days_months_years_and_open_ends_are_read() {
        for (text, expected) in [
            ("2020-01-01..2020-01-31", "2020-01-01..2020-01-31"),
            (" 2020-02 ", "2020-02-01..2020-02-29"),
            ("2020", "2020-01-01..2020-12-31"),
            ("2019-12..2020-01", "2019-12-01..2020-01-31"),
            ("2020-01-05", "2020-01-05"),
            ("2020-01-05..", "2020-01-05.."),
            ("..2020-01-05", "..2020-01-05"),
            ("..", ".."),
        ] {
            assert_eq!(check(text), expected, "{text}");
            assert_eq!(check(&check(text)), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_range_is_named_with_the_forms_there_are() {
        for slip in ["", "tomorrow", "2020-13", "2020-02-30", "2020-01-01..x"] {
            assert!(check(slip).contains("is no range of dates"), "{slip}");
        }
        assert!(check("2020-02..2020-01").contains("ends before it begins"));
    }

    #[test]
    fn the_range_before_has_the_same_length_and_ends_the_day_before() {
        let week: DateRange = "2020-01-08..2020-01-14".parse().unwrap();
        assert_eq!(week.n_days(), Some(7));
        assert_eq!(week.before().unwrap().to_string(), "2020-01-01..2020-01-07");
        assert_eq!("2020-01-08..".parse::<DateRange>().unwrap().before(), None);
    }
}
