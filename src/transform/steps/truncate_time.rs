//! Cuts a timestamp down to the beginning of its hour, day, week, month, quarter or year.
//!
//! ```yaml
//! - truncate_time: {column: posted_at, into: posted_week, to: week}
//! - truncate_time: {column: posted_at, into: local_day, to: day, zone: Europe/Berlin}
//! ```
//!
//! The result has the type of the column: the instant at which the unit began. `zone` names the time zone in which days
//! begin; without it that is the column's own, UTC for data that were read. A day in Berlin thus begins at 22:00 or 23:00
//! UTC of the day before. Weeks begin on Monday. Where the first hour of a day occurs twice, the day begins with the first
//! of the two; where clocks skip it, the day begins with the hour after it. Null gives null.
//!
//! Limits: dates have no hour or minute. Hours and minutes are cut on the zone's clock, which matters only for zones that
//! are not whole hours from UTC; across a change of the clock of less than an hour they may be off by that change.

use polars::prelude::{DataType, Expr, LazyFrame, Schema, TimeUnit, coalesce, lit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::clock::{Clock, check_time, check_zone, in_zone, in_zone_code, instant, instant_code, own_zone};
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, exactly, target};
use crate::transform::{CheckError, Inputs};

/// Parameters of `truncate_time`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TruncateTime {
    /// Column of dates or timestamps.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write; the column itself when it is not given.
    pub into: Option<String>,
    /// What the result is the beginning of.
    pub to: Unit,
    /// Time zone in which days begin; the column's own, mostly UTC, when it is not given.
    pub zone: Option<String>,
}

/// What a time is cut down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Minute,
    Hour,
    #[default]
    Day,
    /// Monday.
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    /// polars' word.
    fn every(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::Hour => "1h",
            Self::Day => "1d",
            Self::Week => "1w",
            Self::Month => "1mo",
            Self::Quarter => "1q",
            Self::Year => "1y",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    fn is_of_a_day(self) -> bool {
        matches!(self, Self::Minute | Self::Hour)
    }
}

fn hour() -> Expr {
    lit(3_600_000_000_i64).cast(DataType::Duration(TimeUnit::Microseconds))
}

impl TruncateTime {
    fn target(&self) -> &str {
        target(self.into.as_deref(), &self.column)
    }

    fn clock<'a>(&'a self, schema: &'a Schema) -> Result<(Clock<'a>, &'a DataType), CheckError> {
        let dtype = check_time(schema, "column", &self.column)?;
        let zone = check_zone("zone", self.zone.as_deref())?;
        Ok((Clock::new(&self.column, dtype, zone), dtype))
    }
}

impl Params for TruncateTime {
    const GROUP: &'static str = "time";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Behaviour for TruncateTime {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let dtype = check_time(schema, "column", &self.column)?;
        check_zone("zone", self.zone.as_deref())?;
        check_new_name("into", self.target())?;
        if dtype == &DataType::Date && self.to.is_of_a_day() {
            return Err(CheckError::new(
                "to",
                format!(
                    "column `{}` is date, which has no {}",
                    self.column,
                    self.to.name()
                ),
            )
            .hint("choose `day` or longer"));
        }
        let mut output = schema.clone();
        output.with_column(self.target().into(), dtype.clone());
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let (clock, dtype) = self.clock(schema)?;
        let value = exactly(self.column.as_str());
        let local = clock.local();
        let start = local.clone().dt().truncate(lit(self.to.every()));
        let truncated = if dtype == &DataType::Date {
            start
        } else if self.to.is_of_a_day() {
            // What has passed of the hour: the same instant before and after a change of the clock.
            value - (local - start)
        } else {
            let at = |local| instant(local, &clock.zone, "earliest");
            let began = coalesce(&[at(start.clone()), at(start + hour())]);
            in_zone(began, own_zone(dtype).as_ref())
        };
        Ok(lf.with_column(truncated.cast(dtype.clone()).alias(self.target())))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let (clock, dtype) = self.clock(schema).map_err(|error| error.to_string())?;
        let local = clock.local_code();
        let start = format!("{local}.dt.truncate({})", python::quoted(self.to.every()));
        let code = if dtype == &DataType::Date {
            start
        } else if self.to.is_of_a_day() {
            format!("{} - ({local} - {start})", python::col(&self.column))
        } else {
            let later = format!("{start} + pl.duration(hours=1)");
            let began = format!(
                "pl.coalesce({}, {})",
                instant_code(&start, &clock.zone, "earliest"),
                instant_code(&later, &clock.zone, "earliest")
            );
            in_zone_code(&began, own_zone(dtype).as_ref())
        };
        script.with_columns([(self.target(), format!("({code}).cast({})", python::dtype(dtype)))]);
        Ok(())
    }

    fn summary(&self) -> String {
        match &self.into {
            Some(into) => format!("{} → {into}: {}", self.column, self.to.name()),
            None => format!("{} → {}", self.column, self.to.name()),
        }
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::super::testing::{check_error, run, shown, times};

    fn check(params: &str, at: &str, expected: &str) {
        let input = times("t", &[Some(at)]);
        let output = run(&format!("truncate_time: {{column: t, {params}}}"), &input);
        assert_eq!(output.schema(), input.schema());
        assert_eq!(shown(&output, "t"), [expected], "{params} {at}");
    }

    #[test]
    fn every_unit_has_its_beginning() {
        let at = "2020-05-31T22:59:30.25Z";
        for (to, expected) in [
            ("minute", "2020-05-31T22:59:00Z"),
            ("hour", "2020-05-31T22:00:00Z"),
            ("day", "2020-05-31T00:00:00Z"),
            ("week", "2020-05-25T00:00:00Z"),
            ("month", "2020-05-01T00:00:00Z"),
            ("quarter", "2020-04-01T00:00:00Z"),
            ("year", "2020-01-01T00:00:00Z"),
        ] {
            check(&format!("to: {to}"), at, expected);
        }
        check("to: day", "1969-12-31T23:00:00Z", "1969-12-31T00:00:00Z");
    }

    #[test]
    fn days_begin_on_the_clock_of_the_zone() {
        check(
            "to: day, zone: Europe/Berlin",
            "2020-05-31T22:59:30Z",
            "2020-05-31T22:00:00Z",
        );
        check(
            "to: month, zone: Europe/Berlin",
            "2020-03-31T12:00:00Z",
            "2020-02-29T23:00:00Z",
        );
        check(
            "to: hour, zone: Asia/Kolkata",
            "2020-01-01T00:10:00Z",
            "2019-12-31T23:30:00Z",
        );
    }

    #[test]
    fn changes_of_the_clock_keep_instants_apart() {
        // Berlin, 2020-10-25: 02:00 to 03:00 occurs twice.
        check(
            "to: hour, zone: Europe/Berlin",
            "2020-10-25T00:40:00Z",
            "2020-10-25T00:00:00Z",
        );
        check(
            "to: hour, zone: Europe/Berlin",
            "2020-10-25T01:40:00Z",
            "2020-10-25T01:00:00Z",
        );
        // Sao Paulo, 2018-11-04: midnight was skipped, the day began at 01:00, 03:00 UTC.
        check(
            "to: day, zone: America/Sao_Paulo",
            "2018-11-04T12:00:00Z",
            "2018-11-04T03:00:00Z",
        );
        // Havana, 2020-11-01: midnight to 01:00 occurred twice.
        check(
            "to: day, zone: America/Havana",
            "2020-11-01T12:00:00Z",
            "2020-11-01T04:00:00Z",
        );
    }

    #[test]
    fn dates_stay_dates_and_null_stays_null() {
        let input = times("t", &[Some("2020-05-31"), None]);
        let dates = run("cast: {column: t, to: date}", &input);
        let output = run(
            "truncate_time: {column: t, into: m, to: month, zone: Asia/Tokyo}",
            &dates,
        );
        assert_eq!(shown(&output, "m"), ["2020-05-01", "null"]);
        assert_eq!(
            check_error("truncate_time: {column: t, to: hour}", &dates),
            "column `t` is date, which has no hour: choose `day` or longer"
        );
        assert!(check_error("truncate_time: {column: n}", &df!("n" => [1]).unwrap()).contains("not a date"));
        assert_eq!(run("truncate_time: {column: t}", &input.clear()).height(), 0);
    }
}
