//! The partition a key belongs to, read from the key alone.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// One partition of a dataset. Ordered by time, then by key values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Partition {
    /// The dataset has no partitions: all its objects.
    Whole,
    Day(NaiveDate),
    Hour(NaiveDate, u8),
    /// Hive keys other than one date, sorted by name.
    Keys(Vec<(String, String)>),
}

/// How a dataset's keys name partitions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// No partition in the keys.
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
    /// The day of this partition, also when it is one of several Hive keys.
    pub fn date(&self) -> Option<NaiveDate> {
        match self {
            Self::Day(date) | Self::Hour(date, _) => Some(*date),
            Self::Keys(keys) => keys.iter().find_map(|(_, value)| value.parse().ok()),
            Self::Whole => None,
        }
    }
}

/// The ISO date, `YYYY-MM-DDTHH` for an hour, sorted `k=v` joined by commas, or `all`.
impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("all"),
            Self::Day(date) => write!(f, "{date}"),
            Self::Hour(date, hour) => write!(f, "{date}T{hour:02}"),
            Self::Keys(keys) => {
                for (i, (name, value)) in keys.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "," };
                    write!(f, "{comma}{name}={value}")?;
                }
                Ok(())
            }
        }
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
        if let Ok(date) = text.parse() {
            return Ok(Self::Day(date));
        }
        if let Some((date, hour)) = text.split_once('T')
            && let (Ok(date), Ok(hour)) = (date.parse(), hour.parse())
        {
            return Ok(Self::Hour(date, hour));
        }
        text.split(',')
            .map(|pair| pair.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())))
            .collect::<Option<Vec<_>>>()
            .map(Self::Keys)
            .ok_or_else(|| format!("`{text}` is neither a date nor key=value"))
    }
}
