//! What is given when a job runs: `--param day=2020-01-01..2020-01-07`.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate, Utc};
use thiserror::Error;

use crate::base::nearest;

/// The values of a job's parameters. Days are sorted and each is there once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params {
    days: Vec<NaiveDate>,
}

/// A parameter that is unknown, missing or no date.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParamError {
    #[error("unknown parameter `{name}`{hint}: a job takes `day`, as in --param day=2020-01-01")]
    Unknown { name: String, hint: String },
    #[error("the job needs `day`: add --param day=2020-01-01, a range 2020-01-01..2020-01-07, or last:3")]
    MissingDay,
    #[error(
        "day `{text}` is no date: write 2020-01-01, 2020-01-01..2020-01-07, last:3, or several joined by commas"
    )]
    Date { text: String },
    #[error("day `{text}`: the range ends before it starts")]
    Backwards { text: String },
    #[error("day `{text}`: more than {max} days in one run")]
    TooMany { text: String, max: u64 },
}

/// Ten years: more is a slip of the pen.
const MAX_DAYS: u64 = 3660;

impl Params {
    /// Reads `name=value` pairs. A day is a date, a range `first..last` with both ends in it, `last:N` (the N whole
    /// days before today, UTC), or several of these joined by commas.
    ///
    /// # Errors
    /// [`ParamError`], which says how to write it.
    pub fn parse(pairs: &[(&str, &str)]) -> Result<Self, ParamError> {
        Self::parse_on(pairs, Utc::now().date_naive())
    }

    /// As [`Params::parse`], with `today` for `last:N`.
    ///
    /// # Errors
    /// As [`Params::parse`].
    pub fn parse_on(pairs: &[(&str, &str)], today: NaiveDate) -> Result<Self, ParamError> {
        let mut days = BTreeSet::new();
        for (name, value) in pairs {
            if *name != "day" {
                return Err(ParamError::Unknown {
                    name: (*name).to_owned(),
                    hint: nearest(name, ["day"])
                        .map(|near| format!(": did you mean `{near}`?"))
                        .unwrap_or_default(),
                });
            }
            for part in value.split(',') {
                let (first, last) = range(part.trim(), today)?;
                days.extend(first.iter_days().take_while(|day| *day <= last));
            }
        }
        if days.is_empty() {
            return Err(ParamError::MissingDay);
        }
        Ok(Self {
            days: days.into_iter().collect(),
        })
    }

    /// The days and the `n` before each, oldest first.
    pub fn days_with_lookback(&self, n: u32) -> Vec<NaiveDate> {
        let before = |day: &NaiveDate| {
            (0..=u64::from(n))
                .filter_map(|back| day.checked_sub_days(Days::new(back)))
                .collect::<Vec<_>>()
        };
        let days: BTreeSet<NaiveDate> = self.days.iter().flat_map(before).collect();
        days.into_iter().collect()
    }

    /// Oldest first.
    pub fn days(&self) -> &[NaiveDate] {
        &self.days
    }
}

/// First and last day of one part, both in it.
fn range(part: &str, today: NaiveDate) -> Result<(NaiveDate, NaiveDate), ParamError> {
    let error = || ParamError::Date {
        text: part.to_owned(),
    };
    let date = |text: &str| NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").map_err(|_| error());
    let too_many = || ParamError::TooMany {
        text: part.to_owned(),
        max: MAX_DAYS,
    };
    if let Some(n) = part.strip_prefix("last:") {
        let n: u64 = n.trim().parse().ok().filter(|n| *n > 0).ok_or_else(error)?;
        if n > MAX_DAYS {
            return Err(too_many());
        }
        let first = today.checked_sub_days(Days::new(n)).ok_or_else(error)?;
        let last = today.pred_opt().ok_or_else(error)?;
        return Ok((first, last));
    }
    let (first, last) = match part.split_once("..") {
        Some((first, last)) => (date(first)?, date(last)?),
        None => (date(part)?, date(part)?),
    };
    if last < first {
        return Err(ParamError::Backwards {
            text: part.to_owned(),
        });
    }
    if (last - first).num_days().unsigned_abs() >= MAX_DAYS {
        return Err(too_many());
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::{ParamError, Params};

    fn days(value: &str) -> Result<Vec<String>, ParamError> {
        let today = NaiveDate::from_ymd_opt(2020, 3, 1).unwrap();
        let params = Params::parse_on(&[("day", value)], today)?;
        Ok(params.days().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn dates_ranges_lists_and_last_days_are_read() {
        let check = |value: &str, expected: &[&str]| assert_eq!(days(value).unwrap(), expected, "{value}");
        check("2020-01-02", &["2020-01-02"]);
        check(
            "2020-02-28..2020-03-01",
            &["2020-02-28", "2020-02-29", "2020-03-01"],
        );
        check(
            "2020-01-05, 2020-01-02..2020-01-03,2020-01-02",
            &["2020-01-02", "2020-01-03", "2020-01-05"],
        );
        check("last:2", &["2020-02-28", "2020-02-29"]);
    }

    #[test]
    fn what_does_not_fit_names_the_remedy() {
        let check = |value: &str, expected: &str| {
            let error = days(value).unwrap_err().to_string();
            assert!(error.contains(expected), "{value}: {error}");
        };
        check("yesterday", "write 2020-01-01");
        check("", "write 2020-01-01");
        check("last:0", "last:3");
        check("2020-02-30", "is no date");
        check("2020-02-02..2020-02-01", "ends before it starts");
        check("2000-01-01..2020-02-01", "more than 3660 days");
        let missing = Params::parse(&[]).unwrap_err().to_string();
        assert!(missing.contains("--param day="), "{missing}");
        let unknown = Params::parse(&[("dya", "2020-01-01")]).unwrap_err().to_string();
        assert!(unknown.contains("did you mean `day`?"), "{unknown}");
    }
}
