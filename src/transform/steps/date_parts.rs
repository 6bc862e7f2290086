//! Takes dates and timestamps apart: year, month, weekday, hour and so on, each into a column.
//!
//! ```yaml
//! - date_parts: {column: posted_at, parts: [year, month, weekday]}
//! - date_parts: {column: posted_at, parts: [hour], zone: Europe/Berlin, prefix: local}
//! ```
//!
//! Each part becomes an int32 column `<prefix>_<part>`, here `posted_at_year` and `local_hour`; the prefix is the column's
//! name when none is given. `weekday` is 1 for Monday to 7 for Sunday. `week` is the ISO week, 1 to 53, which belongs to
//! `iso_year`: 2020-12-31 is in week 53, and so is 2021-01-01. `zone` names the time zone whose clock is read; without it
//! that is the column's own, UTC for data that were read. Null gives null.
//!
//! Limits: dates have no hour, minute or second. For a model that should see that hour 23 is next to hour 0, take `cyclic`.

use polars::prelude::{DataType, Expr, LazyFrame, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::clock::{Clock, check_time, check_zone};
use crate::transform::python::Python;
use crate::transform::step::{Behaviour, check_new_name};
use crate::transform::{CheckError, Inputs};

/// Parameters of `date_parts`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DateParts {
    /// Column of dates or timestamps.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Parts to write, each into a column.
    #[schemars(length(min = 1))]
    pub parts: Vec<Part>,
    /// What the columns' names start with; the column's name when it is not given.
    pub prefix: Option<String>,
    /// Time zone whose clock is read; the column's own, mostly UTC, when it is not given.
    pub zone: Option<String>,
}

/// A part of a date or of a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Year,
    /// 1 to 4.
    Quarter,
    /// 1 to 12.
    Month,
    /// Day of the month, 1 to 31.
    Day,
    /// 1 to 366.
    DayOfYear,
    /// 1 for Monday to 7 for Sunday.
    Weekday,
    /// ISO week, 1 to 53.
    Week,
    /// The year that the ISO week belongs to.
    IsoYear,
    /// 0 to 23.
    Hour,
    /// 0 to 59.
    Minute,
    /// 0 to 59.
    Second,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Quarter => "quarter",
            Self::Month => "month",
            Self::Day => "day",
            Self::DayOfYear => "day_of_year",
            Self::Weekday => "weekday",
            Self::Week => "week",
            Self::IsoYear => "iso_year",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
        }
    }

    fn is_of_a_day(self) -> bool {
        matches!(self, Self::Hour | Self::Minute | Self::Second)
    }

    fn of(self, local: Expr) -> Expr {
        let time = local.dt();
        let part = match self {
            Self::Year => time.year(),
            Self::Quarter => time.quarter(),
            Self::Month => time.month(),
            Self::Day => time.day(),
            Self::DayOfYear => time.ordinal_day(),
            Self::Weekday => time.weekday(),
            Self::Week => time.week(),
            Self::IsoYear => time.iso_year(),
            Self::Hour => time.hour(),
            Self::Minute => time.minute(),
            Self::Second => time.second(),
        };
        part.cast(DataType::Int32)
    }

    fn code(self, local: &str) -> String {
        let method = match self {
            Self::DayOfYear => "ordinal_day",
            other => other.name(),
        };
        format!("{local}.dt.{method}().cast(pl.Int32)")
    }
}

impl DateParts {
    fn target(&self, part: Part) -> String {
        format!(
            "{}_{}",
            self.prefix.as_deref().unwrap_or(&self.column),
            part.name()
        )
    }
}

impl Params for DateParts {
    const GROUP: &'static str = "time";
    const REQUIRED: &'static [&'static str] = &["column", "parts"];
}

impl Behaviour for DateParts {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let dtype = check_time(schema, "column", &self.column)?;
        check_zone("zone", self.zone.as_deref())?;
        if self.parts.is_empty() {
            return Err(CheckError::new("parts", "`parts` is empty").hint("choose at least one part"));
        }
        let mut output = schema.clone();
        for (index, part) in self.parts.iter().enumerate() {
            if dtype == &DataType::Date && part.is_of_a_day() {
                return Err(CheckError::new(
                    "parts",
                    format!("column `{}` is date, which has no {}", self.column, part.name()),
                )
                .hint("choose other parts"));
            }
            if self.parts.iter().take(index).any(|other| other == part) {
                return Err(
                    CheckError::new("parts", format!("`{}` stands there twice", part.name()))
                        .hint("remove one of the two"),
                );
            }
            check_new_name("prefix", &self.target(*part))?;
            output.with_column(self.target(*part).into(), DataType::Int32);
        }
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let dtype = check_time(schema, "column", &self.column)?;
        let clock = Clock::new(&self.column, dtype, check_zone("zone", self.zone.as_deref())?);
        let columns: Vec<Expr> = self
            .parts
            .iter()
            .map(|part| part.of(clock.local()).alias(self.target(*part)))
            .collect();
        Ok(lf.with_columns(columns))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let read = || -> Result<String, CheckError> {
            let dtype = check_time(schema, "column", &self.column)?;
            let zone = check_zone("zone", self.zone.as_deref())?;
            Ok(Clock::new(&self.column, dtype, zone).local_code())
        };
        let local = read().map_err(|error| error.to_string())?;
        let columns: Vec<(String, String)> = self
            .parts
            .iter()
            .map(|part| (self.target(*part), part.code(&local)))
            .collect();
        script.with_columns(columns.iter().map(|(name, code)| (name.as_str(), code.clone())));
        Ok(())
    }

    fn summary(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|part| part.name()).collect();
        match parts.as_slice() {
            [] => self.column.clone(),
            parts => format!("{} → {}", self.column, parts.join(", ")),
        }
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, run, times};

    fn row(df: &DataFrame, index: usize) -> Vec<Option<i32>> {
        df.columns()[1..]
            .iter()
            .map(|column| column.i32().unwrap().get(index))
            .collect()
    }

    #[test]
    fn a_timestamp_is_taken_apart() {
        let input = times("t", &[Some("2020-12-31T23:59:58Z"), Some("2021-01-01"), None]);
        let step = "date_parts: {column: t, parts: [year, quarter, month, day, day_of_year, weekday, week, iso_year, \
                    hour, minute, second]}";
        let output = run(step, &input);
        assert_eq!(output.get_column_names()[5], "t_day_of_year");
        let some = |parts: [i32; 11]| parts.map(Some);
        assert_eq!(
            row(&output, 0),
            some([2020, 4, 12, 31, 366, 4, 53, 2020, 23, 59, 58])
        );
        assert_eq!(row(&output, 1), some([2021, 1, 1, 1, 1, 5, 53, 2020, 0, 0, 0]));
        assert_eq!(row(&output, 2), [None; 11]);
    }

    #[test]
    fn the_clock_is_that_of_the_zone() {
        let input = times("t", &[Some("2020-01-31T23:30:00Z"), Some("2020-07-31T22:30:00Z")]);
        let output = run(
            "date_parts: {column: t, parts: [day, hour], zone: Europe/Berlin, prefix: b}",
            &input,
        );
        assert_eq!(
            (row(&output, 0), row(&output, 1)),
            (vec![Some(1), Some(0)], vec![Some(1), Some(0)])
        );
        assert_eq!(output.get_column_names(), ["t", "b_day", "b_hour"]);
    }

    #[test]
    fn what_has_no_such_part_does_not_check() {
        let input = times("t", &[None]);
        let dates = run("cast: {column: t, to: date}", &input);
        assert_eq!(
            check_error("date_parts: {column: t, parts: [hour]}", &dates),
            "column `t` is date, which has no hour: choose other parts"
        );
        assert_eq!(run("date_parts: {column: t, parts: [week]}", &dates).height(), 1);
        assert!(check_error("date_parts: {column: t}", &input).starts_with("`parts` is empty"));
        assert!(check_error("date_parts: {column: t, parts: [day, day]}", &input).contains("twice"));
        assert!(
            check_error("date_parts: {column: t, parts: [day], zone: Mars}", &input).contains("no time zone")
        );
        let text = df!("t" => ["2020-01-01"]).unwrap();
        assert_eq!(
            check_error("date_parts: {column: t, parts: [day]}", &text),
            "column `t` is string, not a date or timestamp: use `parse_timestamp` first"
        );
    }
}
