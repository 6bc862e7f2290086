//! Writes where a time stands in its cycle as sine and cosine: 23:00 is next to 0:00.
//!
//! ```yaml
//! - cyclic: {column: posted_at, of: hour}
//! - cyclic: {column: wind_direction, period: 360, into: wind}
//! ```
//!
//! It writes two float64 columns, `<into>_sin` and `<into>_cos`; `into` is `<column>_<of>` when it is not given, here
//! `posted_at_hour_sin`. Together they are a point on a circle, once around for a day, a week, a year, or the `period` of a
//! column of numbers. `zone` names the time zone whose clock is read, the column's own when it is not given.
//!
//! | `of` | share of the circle |
//! |---|---|
//! | `hour` | hour / 24 |
//! | `minute_of_day` | minutes since midnight / 1440 |
//! | `weekday` | (weekday - 1) / 7, Monday is 0 |
//! | `day` | (day - 1) / days of that month |
//! | `month` | (month - 1) / 12 |
//! | `day_of_year` | (day - 1) / days of that year |
//! | not given | number / `period` |
//!
//! Null gives null; `NaN` and infinities give `NaN`.
//!
//! Limits: trees need both columns to tell morning from evening; dates have no hour or minute.

use std::f64::consts::TAU;

use polars::prelude::{DataType, Expr, LazyFrame, Schema, lit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::clock::{Clock, check_time, check_zone};
use super::learn::check_number;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, exactly};
use crate::transform::{CheckError, Inputs};

/// Parameters of `cyclic`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cyclic {
    /// Column of dates, timestamps or, with `period`, numbers.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// What goes around, for dates and timestamps.
    pub of: Option<Cycle>,
    /// Length of the cycle, for numbers.
    pub period: Option<f64>,
    /// What the two columns' names start with; `<column>_<of>` when it is not given.
    pub into: Option<String>,
    /// Time zone whose clock is read; the column's own, mostly UTC, when it is not given.
    pub zone: Option<String>,
}

/// What goes around.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cycle {
    /// Once a day.
    Hour,
    /// Once a day, in steps of a minute.
    MinuteOfDay,
    /// Once a week.
    Weekday,
    /// Once a month.
    Day,
    /// Once a year, in steps of a month.
    Month,
    /// Once a year, in steps of a day.
    DayOfYear,
}

impl Cycle {
    fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::MinuteOfDay => "minute_of_day",
            Self::Weekday => "weekday",
            Self::Day => "day",
            Self::Month => "month",
            Self::DayOfYear => "day_of_year",
        }
    }

    fn is_of_a_day(self) -> bool {
        matches!(self, Self::Hour | Self::MinuteOfDay)
    }

    /// Where a time stands, as a share of the circle.
    fn share(self, local: &Expr) -> Expr {
        let time = || local.clone().dt();
        let number = |part: Expr| part.cast(DataType::Float64);
        let first = lit(1.0);
        match self {
            Self::Hour => number(time().hour()) / lit(24.0),
            Self::MinuteOfDay => (number(time().hour()) * lit(60.0) + number(time().minute())) / lit(1_440.0),
            Self::Weekday => (number(time().weekday()) - first) / lit(7.0),
            Self::Day => (number(time().day()) - first) / number(time().days_in_month()),
            Self::Month => (number(time().month()) - first) / lit(12.0),
            Self::DayOfYear => {
                let days = number(time().is_leap_year()) + lit(365.0);
                (number(time().ordinal_day()) - first) / days
            }
        }
    }

    /// The same for Python.
    fn share_code(self, local: &str) -> String {
        let part = |name: &str| format!("{local}.dt.{name}().cast(pl.Float64)");
        match self {
            Self::Hour => format!("{} / 24.0", part("hour")),
            Self::MinuteOfDay => format!("({} * 60.0 + {}) / 1440.0", part("hour"), part("minute")),
            Self::Weekday => format!("({} - 1.0) / 7.0", part("weekday")),
            Self::Day => format!("({} - 1.0) / {}", part("day"), part("days_in_month")),
            Self::Month => format!("({} - 1.0) / 12.0", part("month")),
            Self::DayOfYear => {
                format!(
                    "({} - 1.0) / ({} + 365.0)",
                    part("ordinal_day"),
                    part("is_leap_year")
                )
            }
        }
    }
}

impl Cyclic {
    fn targets(&self) -> [String; 2] {
        let into = match (&self.into, self.of) {
            (Some(into), _) => into.clone(),
            (None, Some(of)) => format!("{}_{}", self.column, of.name()),
            (None, None) => self.column.clone(),
        };
        [format!("{into}_sin"), format!("{into}_cos")]
    }
}

impl Params for Cyclic {
    const GROUP: &'static str = "time";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Behaviour for Cyclic {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        match (self.of, self.period) {
            (Some(of), None) => {
                let dtype = check_time(schema, "column", &self.column)?;
                if dtype == &DataType::Date && of.is_of_a_day() {
                    return Err(CheckError::new(
                        "of",
                        format!("column `{}` is date, which has no {}", self.column, of.name()),
                    )
                    .hint("choose another cycle"));
                }
            }
            (None, Some(period)) => {
                check_number(schema, "column", &self.column)?;
                if !period.is_finite() || period <= 0.0 {
                    return Err(CheckError::new("period", format!("`period` is {period}"))
                        .hint("write a number above zero"));
                }
            }
            (None, None) => {
                return Err(CheckError::new("of", "neither `of` nor `period` is given")
                    .hint("choose the cycle of a time, or write the period of a number"));
            }
            (Some(_), Some(_)) => {
                return Err(CheckError::new("period", "`of` and `period` are both given")
                    .hint("remove one of the two"));
            }
        }
        check_zone("zone", self.zone.as_deref())?;
        let mut output = schema.clone();
        for name in self.targets() {
            check_new_name("into", &name)?;
            output.with_column(name.into(), DataType::Float64);
        }
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let share = match self.of {
            Some(of) => {
                let dtype = check_time(schema, "column", &self.column)?;
                let zone = check_zone("zone", self.zone.as_deref())?;
                of.share(&Clock::new(&self.column, dtype, zone).local())
            }
            None => exactly(self.column.as_str()).cast(DataType::Float64) / lit(self.period.unwrap_or(1.0)),
        };
        let angle = share * lit(TAU);
        let [sin, cos] = self.targets();
        Ok(lf.with_columns([angle.clone().sin().alias(sin), angle.cos().alias(cos)]))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let share = || -> Result<String, CheckError> {
            let Some(of) = self.of else {
                let period = python::float(self.period.unwrap_or(1.0));
                return Ok(format!(
                    "{}.cast(pl.Float64) / {period}",
                    python::col(&self.column)
                ));
            };
            let dtype = check_time(schema, "column", &self.column)?;
            let zone = check_zone("zone", self.zone.as_deref())?;
            Ok(of.share_code(&Clock::new(&self.column, dtype, zone).local_code()))
        };
        let share = share().map_err(|error| error.to_string())?;
        script.import("math");
        let [sin, cos] = self.targets();
        script.with_columns([
            (sin.as_str(), format!("(({share}) * math.tau).sin()")),
            (cos.as_str(), format!("(({share}) * math.tau).cos()")),
        ]);
        Ok(())
    }

    fn summary(&self) -> String {
        let of = match (self.of, self.period) {
            (Some(of), _) => of.name().to_owned(),
            (None, Some(period)) => format!("period {period}"),
            (None, None) => "?".to_owned(),
        };
        format!("{}: {of}", self.column)
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, run, times};

    /// The share of the circle that sine and cosine tell, row by row.
    fn shares(df: &DataFrame, name: &str) -> Vec<Option<f64>> {
        let column = |end: &str| {
            df.column(&format!("{name}_{end}"))
                .unwrap()
                .f64()
                .unwrap()
                .clone()
        };
        column("sin")
            .iter()
            .zip(column("cos").iter())
            .map(|(sin, cos)| Some((sin?.atan2(cos?) / std::f64::consts::TAU).rem_euclid(1.0)))
            .collect()
    }

    fn check(params: &str, at: &str, expected: f64) {
        let input = times("t", &[Some(at), None]);
        let shares = shares(
            &run(&format!("cyclic: {{column: t, into: c, {params}}}"), &input),
            "c",
        );
        assert!(
            (shares[0].unwrap() - expected).abs() < 1e-12,
            "{params}: {shares:?}"
        );
        assert_eq!(shares[1], None);
    }

    #[test]
    fn each_cycle_goes_around_once() {
        check("of: hour", "2020-01-01T18:59:59Z", 0.75);
        check("of: hour, zone: Asia/Tokyo", "2020-01-01T21:00:00Z", 0.25);
        check("of: minute_of_day", "2020-01-01T06:36:00Z", 0.275);
        check("of: weekday", "2020-01-06T00:00:00Z", 0.0);
        check("of: weekday", "2020-01-12T00:00:00Z", 6.0 / 7.0);
        check("of: day", "2020-02-29T00:00:00Z", 28.0 / 29.0);
        check("of: month", "2020-04-30T00:00:00Z", 0.25);
        check("of: day_of_year", "2020-12-31T00:00:00Z", 365.0 / 366.0);
        check("of: day_of_year", "2021-12-31T00:00:00Z", 364.0 / 365.0);
    }

    #[test]
    fn a_number_has_a_period() {
        let input = df!("w" => [Some(90_i64), Some(-90), Some(720), None]).unwrap();
        let output = run("cyclic: {column: w, period: 360}", &input);
        assert_eq!(output.get_column_names(), ["w", "w_sin", "w_cos"]);
        let shares: Vec<Option<f64>> = shares(&output, "w")
            .into_iter()
            .map(|share| share.map(|share| (share * 1e9).round() / 1e9))
            .collect();
        assert_eq!(shares, [Some(0.25), Some(0.75), shares[2], None]);
        assert!(shares[2].is_some_and(|share| share.fract() == 0.0));
        let infinite = run(
            "cyclic: {column: x, period: 1}",
            &df!("x" => [f64::INFINITY]).unwrap(),
        );
        assert!(
            infinite
                .column("x_sin")
                .unwrap()
                .f64()
                .unwrap()
                .get(0)
                .unwrap()
                .is_nan()
        );
    }

    #[test]
    fn a_cycle_and_a_period_exclude_each_other() {
        let input = df!("x" => [1.0]).unwrap();
        assert!(check_error("cyclic: {column: x}", &input).starts_with("neither `of` nor `period`"));
        assert!(check_error("cyclic: {column: x, of: hour, period: 2}", &input).contains("both given"));
        assert!(check_error("cyclic: {column: x, of: hour}", &input).contains("not a date or timestamp"));
        assert_eq!(
            check_error("cyclic: {column: x, period: 0}", &input),
            "`period` is 0: write a number above zero"
        );
        let dates = run("cast: {column: t, to: date}", &times("t", &[None]));
        assert!(check_error("cyclic: {column: t, of: hour}", &dates).contains("which has no hour"));
    }
}
