//! The partition a key belongs to, read from the key alone.

use std::borrow::Cow;
use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::layout::{date_of, iso_date, percent_decoded};

/// One partition of a dataset. Ordered by time, then by key values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Partition {
    /// All objects of a dataset without partitions, or those that are in none of its partitions.
    #[default]
    Whole,
    Day(NaiveDate),
    Hour(NaiveDate, u8),
    /// Hive keys other than one date, sorted by name.
    Keys(Vec<(String, String)>),
}

/// How a dataset's keys name partitions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// No partition in the keys.
    #[default]
    Flat,
    /// `key=value/`, outermost first.
    Hive { keys: Vec<String> },
    /// `YYYY/MM/DD/`
    DatePath,
    /// `YYYY/MM/DD/HH/`
    HourPath,
    /// `YYYY-MM-DD/`
    IsoDate,
}

impl Partition {
    /// The day of this partition, also when it is one of several Hive keys or spread over `year`, `month` and `day`.
    pub fn date(&self) -> Option<NaiveDate> {
        match self {
            Self::Day(date) | Self::Hour(date, _) => Some(*date),
            Self::Keys(keys) => keys.iter().find_map(|(_, value)| iso_date(value)).or_else(|| {
                let value = |name: &str| keys.iter().find(|(key, _)| key == name).map(|(_, value)| value);
                // Spark writes months and days as numbers, without a leading zero.
                let padded = |name: &str| value(name).map(|number| format!("{number:0>2}"));
                date_of(value("year")?, &padded("month")?, &padded("day")?)
            }),
            Self::Whole => None,
        }
    }
}

/// The ISO date, `YYYY-MM-DDTHH` for an hour, sorted `k=v` joined by commas, or `all`. A comma, `=` or `%` inside a
/// name or value is written `%2C`, `%3D`, `%25`, so that the text can be read again.
impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("all"),
            Self::Day(date) => write!(f, "{date}"),
            Self::Hour(date, hour) => write!(f, "{date}T{hour:02}"),
            Self::Keys(keys) => {
                for (i, (name, value)) in keys.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "," };
                    write!(f, "{comma}{}={}", escaped(name), escaped(value))?;
                }
                Ok(())
            }
        }
    }
}

fn escaped(text: &str) -> Cow<'_, str> {
    if text.contains(['%', ',', '=']) {
        text.replace('%', "%25")
            .replace(',', "%2C")
            .replace('=', "%3D")
            .into()
    } else {
        text.into()
    }
}

impl From<Partition> for String {
    fn from(partition: Partition) -> Self {
        partition.to_string()
    }
}

impl TryFrom<String> for Partition {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "all" {
            return Ok(Self::Whole);
        }
        if let Some(date) = iso_date(&text) {
            return Ok(Self::Day(date));
        }
        if let Some((date, hour)) = text.split_once('T')
            && let (Some(date), Ok(hour @ 0..24)) = (iso_date(date), hour.parse())
        {
            return Ok(Self::Hour(date, hour));
        }
        text.split(',')
            .map(|pair| {
                pair.split_once('=')
                    .filter(|(name, _)| !name.is_empty())
                    .map(|(name, value)| (percent_decoded(name), percent_decoded(value)))
            })
            .collect::<Option<Vec<_>>>()
            .map(|mut keys| {
                keys.sort();
                Self::Keys(keys)
            })
            .ok_or_else(|| {
                format!("`{text}` is neither a date (2020-01-31), an hour (2020-01-31T07) nor key=value")
            })
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::*;

    use super::Partition;

    fn check(text: &str) -> Option<Partition> {
        text.to_owned().try_into().ok()
    }

    #[test]
    fn texts_name_partitions_and_slips_do_not() {
        let day = NaiveDate::from_ymd_opt(2020, 1, 9).unwrap();
        assert_eq!(check("all"), Some(Partition::Whole));
        assert_eq!(check("2020-01-09"), Some(Partition::Day(day)));
        assert_eq!(check("2020-01-09T07"), Some(Partition::Hour(day, 7)));
        let keys = check("country=DE,day=2020-01-09").unwrap();
        assert_eq!(keys.date(), Some(day));
        for slip in ["2020-13-01", "2020-01-09T24", "today", "", "=x", "a=b,c"] {
            assert_eq!(check(slip), None, "{slip}");
        }
    }

    #[test]
    fn year_month_and_day_keys_give_a_date() {
        let partition = check("day=9,month=1,year=2020").unwrap();
        assert_eq!(partition.date(), NaiveDate::from_ymd_opt(2020, 1, 9));
        assert_eq!(check("month=1,year=2020").unwrap().date(), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn keys_of_any_text_are_read_back(mut keys in prop::collection::vec(("[^\\x00]{1,8}", ".{0,8}"), 1..4)) {
            keys.sort();
            let partition = Partition::Keys(keys);
            prop_assert_eq!(check(&partition.to_string()), Some(partition));
        }
    }
}
