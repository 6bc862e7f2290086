//! Measures the time from one date to another: the age of a posting, the months since a first order.
//!
//! ```yaml
//! - age: {column: posted_at, until: applied_at, into: days_open, unit: days}
//! - age: {column: founded_on, at: 2024-01-01, into: company_years, unit: years}
//! ```
//!
//! It is counted from `column` to the column `until`, or to the fixed date or timestamp `at`; give one of the two. Seconds
//! to weeks are float64 with their fraction, a day being 24 hours. Months and years are int64 and counted on the calendar
//! of UTC, whole ones only: from 2020-01-31 it is a month on 2020-03-01 (February has no 31st), and a year on 2021-01-31.
//! Where the end lies before the beginning the result is negative. Null in either gives null; a date stands for its midnight.
//!
//! Limits: months and years are not told with a fraction, because they differ in length.

use polars::prelude::{DataType, Expr, LazyFrame, Schema, TimeZone, lit, when};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::clock::{Clock, LOCAL, check_time};
use crate::transform::python::Python;
use crate::transform::step::{Behaviour, check_new_name};
use crate::transform::{CheckError, Inputs, iso8601};

/// Parameters of `age`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Age {
    /// Column of the beginning, dates or timestamps.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column of the end, dates or timestamps.
    #[schemars(extend("x-input" = "column"))]
    pub until: Option<String>,
    /// Fixed end instead of a column: `2024-01-01` or `2024-01-01T12:00:00Z`.
    pub at: Option<String>,
    /// Column to write.
    pub into: String,
    /// What is counted.
    pub unit: AgeUnit,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgeUnit {
    Seconds,
    Minutes,
    Hours,
    /// Of 24 hours.
    #[default]
    Days,
    Weeks,
    /// Whole ones on the calendar.
    Months,
    /// Whole ones on the calendar.
    Years,
}

impl AgeUnit {
    fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
            Self::Weeks => "weeks",
            Self::Months => "months",
            Self::Years => "years",
        }
    }

    /// Length in microseconds; none for units of the calendar.
    fn micros(self) -> Option<f64> {
        Some(match self {
            Self::Seconds => 1e6,
            Self::Minutes => 60e6,
            Self::Hours => 3_600e6,
            Self::Days => 86_400e6,
            Self::Weeks => 604_800e6,
            Self::Months | Self::Years => return None,
        })
    }
}

/// The end, ready to be counted to.
enum End<'a> {
    Column(Clock<'a>),
    Micros(i64),
}

impl Age {
    /// Beginning and end, or why there are none.
    fn ends<'a>(&'a self, schema: &'a Schema) -> Result<(Clock<'a>, End<'a>), CheckError> {
        let clock = |param, column: &'a str| {
            check_time(schema, param, column).map(|dtype| Clock::new(column, dtype, Some(TimeZone::UTC)))
        };
        let begin = clock("column", &self.column)?;
        let end = match (&self.until, &self.at) {
            (Some(until), None) => End::Column(clock("until", until)?),
            (None, Some(at)) => End::Micros(iso8601::micros(at).ok_or_else(|| {
                CheckError::new("at", format!("`{at}` is no date or timestamp"))
                    .hint("write it as `2024-01-01` or `2024-01-01T12:00:00Z`")
            })?),
            (None, None) => {
                return Err(CheckError::new("until", "neither `until` nor `at` is given")
                    .hint("choose the column of the end, or write a fixed date"));
            }
            (Some(_), Some(_)) => {
                return Err(
                    CheckError::new("at", "`until` and `at` are both given").hint("remove one of the two")
                );
            }
        };
        Ok((begin, end))
    }
}

/// Whole months from `a` to `b`.
fn months(a: &Expr, b: &Expr) -> Expr {
    let count = |t: &Expr| {
        t.clone().dt().year().cast(DataType::Int64) * lit(12_i64)
            + t.clone().dt().month().cast(DataType::Int64)
    };
    // What has passed of the month decides whether the last one is whole.
    let passed = |t: &Expr| t.clone() - t.clone().dt().truncate(lit("1mo"));
    let n = count(b) - count(a);
    let one = |condition: Expr| condition.cast(DataType::Int64);
    when(b.clone().gt_eq(a.clone()))
        .then(n.clone() - one(passed(b).lt(passed(a))))
        .otherwise(n + one(passed(b).gt(passed(a))))
}

fn years(months: &Expr) -> Expr {
    let years = |months: Expr| months.floor_div(lit(12_i64));
    when(months.clone().gt_eq(lit(0_i64)))
        .then(years(months.clone()))
        .otherwise(lit(0_i64) - years(lit(0_i64) - months.clone()))
}

const PYTHON: &str = include_str!("python/whole_months.py");

impl Params for Age {
    const GROUP: &'static str = "time";
    const REQUIRED: &'static [&'static str] = &["column", "into"];
}

impl Behaviour for Age {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        self.ends(schema)?;
        check_new_name("into", &self.into)?;
        let dtype = match self.unit.micros() {
            Some(_) => DataType::Float64,
            None => DataType::Int64,
        };
        let mut output = schema.clone();
        output.with_column(self.into.as_str().into(), dtype);
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let (begin, end) = self.ends(schema)?;
        let begin = begin.local();
        let end = match end {
            End::Column(clock) => clock.local(),
            End::Micros(micros) => lit(micros).cast(LOCAL),
        };
        let age = match self.unit.micros() {
            Some(micros) => (end - begin).cast(DataType::Int64).cast(DataType::Float64) / lit(micros),
            None if self.unit == AgeUnit::Years => years(&months(&begin, &end)),
            None => months(&begin, &end),
        };
        Ok(lf.with_column(age.alias(self.into.as_str())))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let (begin, end) = self.ends(schema).map_err(|error| error.to_string())?;
        let begin = begin.local_code();
        let end = match end {
            End::Column(clock) => clock.local_code(),
            End::Micros(micros) => format!("pl.lit({micros}).cast(pl.Datetime(\"us\"))"),
        };
        let code = if let Some(micros) = self.unit.micros() {
            format!("({end} - {begin}).cast(pl.Int64).cast(pl.Float64) / {micros:?}")
        } else {
            script.define("whole_months", PYTHON);
            let months = format!("whole_months({begin}, {end})");
            if self.unit == AgeUnit::Years {
                format!("{months}.abs() // 12 * {months}.sign()")
            } else {
                months
            }
        };
        script.with_columns([(self.into.as_str(), code)]);
        Ok(())
    }

    fn summary(&self) -> String {
        let end = self.until.as_deref().or(self.at.as_deref()).unwrap_or_default();
        format!("{} to {end} → {}: {}", self.column, self.into, self.unit.name())
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, IntoColumn, df};

    use super::super::testing::{check_error, run, times};

    fn pairs(pairs: &[(&str, &str)]) -> DataFrame {
        let (a, b): (Vec<Option<&str>>, Vec<Option<&str>>) =
            pairs.iter().map(|(a, b)| (Some(*a), Some(*b))).unzip();
        let mut df = times("a", &a);
        let ends = times("b", &b).column("b").unwrap().clone().into_column();
        df.with_column(ends).unwrap();
        df
    }

    fn whole(unit: &str, input: &DataFrame) -> Vec<Option<i64>> {
        let output = run(
            &format!("age: {{column: a, until: b, into: n, unit: {unit}}}"),
            input,
        );
        output.column("n").unwrap().i64().unwrap().iter().collect()
    }

    #[test]
    fn lengths_have_their_fraction() {
        let input = pairs(&[
            ("2020-01-01", "2020-01-02T12:00:00Z"),
            ("2020-01-02", "2020-01-01"),
        ]);
        for (unit, expected) in [
            ("seconds", [129_600.0, -86_400.0]),
            ("minutes", [2_160.0, -1_440.0]),
            ("hours", [36.0, -24.0]),
            ("days", [1.5, -1.0]),
            ("weeks", [1.5 / 7.0, -1.0 / 7.0]),
        ] {
            let output = run(
                &format!("age: {{column: a, until: b, into: n, unit: {unit}}}"),
                &input,
            );
            let ages: Vec<f64> = output
                .column("n")
                .unwrap()
                .f64()
                .unwrap()
                .iter()
                .flatten()
                .collect();
            assert_eq!(ages, expected, "{unit}");
        }
    }

    #[test]
    fn months_and_years_are_whole_ones_of_the_calendar() {
        let input = pairs(&[
            ("2020-01-31", "2020-02-29"),
            ("2020-01-31", "2020-03-01"),
            ("2020-01-31", "2021-01-31"),
            ("2020-01-31", "2021-01-30T23:59:59.999999Z"),
            ("2020-02-29", "2021-02-28"),
            ("2020-02-29", "2021-03-01"),
            ("2021-01-31", "2020-01-31"),
            ("2021-01-31", "2020-02-01"),
            ("2020-01-01", "2020-01-01"),
        ]);
        let months = [0, 1, 12, 11, 11, 12, -12, -11, 0].map(Some);
        assert_eq!(whole("months", &input), months);
        assert_eq!(whole("years", &input), [0, 0, 1, 0, 0, 1, -1, 0, 0].map(Some));
    }

    #[test]
    fn the_end_may_be_a_fixed_date_and_null_stays_null() {
        let input = times("t", &[Some("2023-12-31"), None]);
        let output = run("age: {column: t, at: 2024-01-01, into: n}", &input);
        let ages: Vec<Option<f64>> = output.column("n").unwrap().f64().unwrap().iter().collect();
        assert_eq!(ages, [Some(1.0), None]);
        let dates = run("cast: {column: t, to: date}", &input);
        let output = run(
            "age: {column: t, at: '2024-01-01T00:00:00Z', into: n, unit: hours}",
            &dates,
        );
        assert_eq!(output.column("n").unwrap().f64().unwrap().get(0), Some(24.0));
    }

    #[test]
    fn there_is_one_end_and_it_is_a_time() {
        let input = pairs(&[("2020-01-01", "2020-01-01")]);
        assert!(check_error("age: {column: a, into: n}", &input).starts_with("neither `until` nor `at`"));
        assert!(
            check_error("age: {column: a, until: b, at: 2020-01-01, into: n}", &input).contains("both given")
        );
        assert_eq!(
            check_error("age: {column: a, at: soon, into: n}", &input),
            "`soon` is no date or timestamp: write it as `2024-01-01` or `2024-01-01T12:00:00Z`"
        );
        assert!(
            check_error("age: {column: a, until: c, into: n}", &input).starts_with("column `c` not found")
        );
        assert!(check_error("age: {column: a, until: b}", &input).contains("no name"));
        let numbers = df!("a" => [1]).unwrap();
        assert!(check_error("age: {column: a, at: 2020-01-01, into: n}", &numbers).contains("not a date"));
    }
}
