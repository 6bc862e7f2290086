//! The partition a key belongs to, read from the key alone.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::layout::{date_of, hour_of, iso_date, percent_decoded};

/// One partition of a dataset. Ordered by time, then by key values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Partition {
    /// All objects of a dataset without partitions, or those that are in none of its partitions.
    #[default]
    Whole,
    Day(NaiveDate),
    Hour(NaiveDate, u8),
    /// Hive keys that are more, or something else, than a day or an hour; sorted by name.
    Keys(Vec<(String, String)>),
}

impl Ord for Partition {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Day(a), Self::Day(b)) => a.cmp(b),
            (Self::Hour(a, a_hour), Self::Hour(b, b_hour)) => (a, a_hour).cmp(&(b, b_hour)),
            // `day=10,month=2` comes after `day=9,month=2` and before `day=1,month=3`.
            (Self::Keys(a), Self::Keys(b)) => (date_among(a), a).cmp(&(date_among(b), b)),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Partition {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
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
    /// The place of its kind in the order of all.
    fn rank(&self) -> u8 {
        match self {
            Self::Whole => 0,
            Self::Day(_) => 1,
            Self::Hour(..) => 2,
            Self::Keys(_) => 3,
        }
    }

    /// What Hive keys mean: a day (`dt=2020-01-09`, or `year`, `month` and `day`), an hour of one (and `hour`), else the
    /// keys themselves.
    pub(super) fn of_keys(mut keys: Vec<(String, String)>) -> Self {
        let is_hour = |(name, _): &&(String, String)| is_hour_key(name);
        let (hours, others): (Vec<_>, Vec<_>) = keys.iter().partition(is_hour);
        let date = match others.as_slice() {
            [(_, value)] => day_value(value),
            [_, _, _] => ymd(&keys),
            _ => None,
        };
        match (date, hours.as_slice()) {
            (Some(date), []) => return Self::Day(date),
            (Some(date), [(_, hour)]) if let Some(hour) = hour_of(&padded(hour)) => {
                return Self::Hour(date, hour);
            }
            _ => {}
        }
        keys.sort();
        Self::Keys(keys)
    }

    /// The day of this partition, also when it is one of several Hive keys or spread over `year`, `month` and `day`.
    pub fn date(&self) -> Option<NaiveDate> {
        match self {
            Self::Day(date) | Self::Hour(date, _) => Some(*date),
            Self::Keys(keys) => date_among(keys),
            Self::Whole => None,
        }
    }

    /// The hour of the day of this partition, also when it is one of several Hive keys.
    pub fn hour(&self) -> Option<u8> {
        match self {
            Self::Hour(_, hour) => Some(*hour),
            Self::Keys(keys) => {
                let (_, hour) = keys.iter().find(|(name, _)| is_hour_key(name))?;
                hour_of(&padded(hour))
            }
            Self::Whole | Self::Day(_) => None,
        }
    }
}

/// Whether a Hive key of this name is the hour of a day. Capitals make no difference: Hive and Athena know none.
pub fn is_hour_key(name: &str) -> bool {
    ["hour", "hr", "hh", "h"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

fn date_among(keys: &[(String, String)]) -> Option<NaiveDate> {
    keys.iter()
        .find_map(|(_, value)| day_value(value))
        .or_else(|| ymd(keys))
}

/// The day that the value of a key names: `2020-01-09`, or `2020-1-9` where its writer left the zeros out.
pub fn day_value(value: &str) -> Option<NaiveDate> {
    iso_date(value).or_else(|| {
        let mut parts = value.splitn(3, '-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        date_of(year, &padded(month), &padded(day))
    })
}

/// The day that the keys `year`, `month` and `day` name together, in small letters or capitals.
fn ymd(keys: &[(String, String)]) -> Option<NaiveDate> {
    let value = |name: &str| {
        let named = keys.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value)
    };
    date_of(value("year")?, &padded(value("month")?), &padded(value("day")?))
}

/// Spark writes months, days and hours as numbers, without a leading zero.
fn padded(number: &str) -> String {
    format!("{number:0>2}")
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
            .map(Self::of_keys)
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
    fn keys_that_are_a_day_or_an_hour_are_one() {
        let text = |text: &str| check(text).unwrap().to_string();
        for (keys, expected) in [
            ("dt=2020-01-09", "2020-01-09"),
            ("day=9,month=1,year=2020", "2020-01-09"),
            ("year=2020,month=01,day=09", "2020-01-09"),
            ("Year=2020,Month=01,Day=09", "2020-01-09"),
            ("YEAR=2020,MONTH=1,DAY=9,HOUR=5", "2020-01-09T05"),
            ("dt=2020-1-9", "2020-01-09"),
            ("dt=2020-01-9,Hour=7", "2020-01-09T07"),
            ("dt=2020-01-09,hour=7", "2020-01-09T07"),
            ("year=2020,month=01,day=09,hh=23", "2020-01-09T23"),
            // No hour, a key more, a day that is none.
            ("dt=2020-01-09,hour=24", "dt=2020-01-09,hour=24"),
            ("hour=07", "hour=07"),
            ("dt=2020-1-32", "dt=2020-1-32"),
            ("version=2020-1-9-2", "version=2020-1-9-2"),
            (
                "country=DE,day=9,month=1,year=2020",
                "country=DE,day=9,month=1,year=2020",
            ),
            ("day=31,month=2,year=2020", "day=31,month=2,year=2020"),
            (
                "from=2020-01-01,until=2020-01-02",
                "from=2020-01-01,until=2020-01-02",
            ),
        ] {
            assert_eq!(text(keys), expected, "{keys}");
        }
        let one_of_several = check("country=DE,day=9,month=1,year=2020").unwrap();
        assert_eq!(one_of_several.date(), NaiveDate::from_ymd_opt(2020, 1, 9));
        assert_eq!(check("month=1,year=2020").unwrap().date(), None);
        let hour = |text: &str| check(text).unwrap().hour();
        assert_eq!(hour("country=DE,dt=2020-1-9,HR=7"), Some(7));
        assert_eq!((hour("2020-01-09T23"), hour("2020-01-09")), (Some(23), None));
    }

    #[test]
    fn keys_with_a_date_among_them_come_in_the_order_of_time() {
        let mut texts = [
            "day=1,month=3,region=eu,year=2024",
            "day=25,month=2,region=eu,year=2024",
            "day=9,month=2,region=us,year=2024",
            "day=9,month=2,region=eu,year=2024",
            "2024-02-01",
        ];
        texts.sort_by_key(|text| check(text).unwrap());
        assert_eq!(
            texts,
            [
                "2024-02-01",
                "day=9,month=2,region=eu,year=2024",
                "day=9,month=2,region=us,year=2024",
                "day=25,month=2,region=eu,year=2024",
                "day=1,month=3,region=eu,year=2024",
            ]
        );
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
