//! Brings timestamps to the clock of a time zone, or says which zone a clock was read in.
//!
//! ```yaml
//! - timezone: {column: posted_at, into: posted_local, zone: Europe/Berlin}
//! - timezone: {column: logged_at, zone: America/New_York, how: set, ambiguous: earliest}
//! ```
//!
//! `how: convert` keeps the instant: the result is of type `timestamp[us, Europe/Berlin]`, and steps after it (`date_parts`,
//! functions in `derive`) read its clock there. In the table it is the same instant as before.
//!
//! `how: set` keeps the clock: the data showed local time but were read as UTC. The result is the instant at which the
//! clock of the zone shows that, as `timestamp[us, UTC]`. When clocks are set back an hour occurs twice, and `ambiguous`
//! decides: `reject` rejects the record, `null` gives null, `earliest` and `latest` take the first or the second. When they
//! are set forward an hour does not exist, and `non_existent` decides: `reject` or `null`.
//!
//! Null gives null. Zones are names of the IANA database.
//!
//! Limits: readers of the table see converted timestamps in the zone that they are set to, because Parquet keeps instants
//! and no zone's name. To keep a local clock in the table, write its parts with `date_parts`.

use polars::prelude::{DataType, Expr, LazyFrame, Schema, TimeUnit, TimeZone, lit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cast::timestamp_type;
use super::clock::{Clock, check_time, check_zone, in_zone, in_zone_code, instant, instant_code};
use super::reject::{allow_null, choice_or_null, reject_where};
use super::{OnError, Params};
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, exactly, target, wrong_type};
use crate::transform::{CheckError, Inputs};

/// Parameters of `timezone`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timezone {
    /// Column of timestamps.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write; the column itself when it is not given.
    pub into: Option<String>,
    /// Time zone, such as `Europe/Berlin`.
    pub zone: String,
    /// Whether the instant stays, or the clock.
    pub how: How,
    /// What becomes of a clock time that occurs twice.
    #[serde(deserialize_with = "choice_or_null")]
    #[schemars(transform = allow_null)]
    pub ambiguous: Ambiguous,
    /// What becomes of a clock time that does not exist.
    #[serde(deserialize_with = "choice_or_null")]
    #[schemars(transform = allow_null)]
    pub non_existent: OnError,
}

/// Whether the instant stays, or the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The same instant on the clock of the zone.
    #[default]
    Convert,
    /// The instant at which the clock of the zone shows the same.
    Set,
}

/// What becomes of a clock time that occurs twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ambiguous {
    /// The record is rejected and quarantined.
    #[default]
    Reject,
    /// The value becomes null.
    Null,
    /// The first of the two.
    Earliest,
    /// The second of the two.
    Latest,
}

impl Ambiguous {
    /// polars' word; what is to be rejected is null at first.
    fn word(self) -> &'static str {
        match self {
            Self::Reject | Self::Null => "null",
            Self::Earliest => "earliest",
            Self::Latest => "latest",
        }
    }
}

impl Timezone {
    fn target(&self) -> &str {
        target(self.into.as_deref(), &self.column)
    }

    fn zone(&self) -> Result<TimeZone, CheckError> {
        let zone = check_zone("zone", Some(&self.zone))?;
        Ok(zone.unwrap_or(TimeZone::UTC))
    }

    fn rejects(&self) -> bool {
        self.how == How::Set && (self.ambiguous == Ambiguous::Reject || self.non_existent == OnError::Reject)
    }
}

impl Params for Timezone {
    const GROUP: &'static str = "time";
    const REQUIRED: &'static [&'static str] = &["column", "zone"];
}

impl Behaviour for Timezone {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let dtype = check_time(schema, "column", &self.column)?;
        if dtype == &DataType::Date && self.how == How::Convert {
            return Err(wrong_type("column", &self.column, dtype, "timestamp")
                .hint("a date is the same in every zone; `how: set` gives the instant at which it begins"));
        }
        let zone = self.zone()?;
        check_new_name("into", self.target())?;
        let after = match self.how {
            How::Convert => DataType::Datetime(TimeUnit::Microseconds, Some(zone)),
            How::Set => timestamp_type(),
        };
        let mut output = schema.clone();
        output.with_column(self.target().into(), after);
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let dtype = check_time(schema, "column", &self.column)?;
        let zone = self.zone()?;
        let utc = |local: Expr| in_zone(instant(local, &TimeZone::UTC, "null"), Some(&TimeZone::UTC));
        if self.how == How::Convert {
            let at = utc(Clock::new(&self.column, dtype, Some(TimeZone::UTC)).local());
            return Ok(lf.with_column(in_zone(at, Some(&zone)).alias(self.target())));
        }
        let local = Clock::new(&self.column, dtype, None).local();
        let set = instant(local.clone(), &zone, self.ambiguous.word());
        let mut columns = vec![in_zone(set.clone(), Some(&TimeZone::UTC)).alias(self.target())];
        if self.rejects() {
            let exists = instant(local.clone(), &zone, "earliest").is_not_null();
            let is_missing = exists
                .clone()
                .not()
                .and(lit(self.non_existent == OnError::Reject));
            let is_double = exists
                .and(set.is_null())
                .and(lit(self.ambiguous == Ambiguous::Reject));
            let failed = exactly(self.column.as_str())
                .is_not_null()
                .and(is_missing.or(is_double));
            columns.push(reject_where(failed, local, format!("single moment in `{zone}`")));
        }
        Ok(lf.with_columns(columns))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let read = || -> Result<(Clock<'_>, Clock<'_>, TimeZone), CheckError> {
            let dtype = check_time(schema, "column", &self.column)?;
            let own = Clock::new(&self.column, dtype, None);
            let utc = Clock::new(&self.column, dtype, Some(TimeZone::UTC));
            Ok((own, utc, self.zone()?))
        };
        let (own, utc, zone) = read().map_err(|error| error.to_string())?;
        if self.how == How::Convert {
            let at = format!("{}.dt.replace_time_zone(\"UTC\")", utc.local_code());
            script.with_columns([(self.target(), in_zone_code(&at, Some(&zone)))]);
            return Ok(());
        }
        let local = own.local_code();
        let set = instant_code(&local, &zone, self.ambiguous.word());
        if self.rejects() {
            let exists = format!("{}.is_not_null()", instant_code(&local, &zone, "earliest"));
            let mut good = vec![format!("{}.is_null()", python::col(&self.column))];
            good.push(format!("{set}.is_not_null()"));
            if self.non_existent != OnError::Reject {
                good.push(format!("{exists}.not_()"));
            }
            if self.ambiguous != Ambiguous::Reject {
                good.push(exists);
            }
            script.line(format!("df = df.filter({})", good.join(" | ")));
        }
        script.with_columns([(self.target(), in_zone_code(&set, Some(&TimeZone::UTC)))]);
        Ok(())
    }

    fn summary(&self) -> String {
        let how = match self.how {
            How::Convert => "to",
            How::Set => "read in",
        };
        format!("{} {how} {}", self.column, self.zone)
    }

    fn subject(&self) -> String {
        self.column.clone()
    }

    fn column(&self) -> Option<&str> {
        Some(&self.column)
    }

    fn may_reject(&self) -> bool {
        self.rejects()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, DataType, TimeUnit};

    use super::super::testing::{check_error, outcome, run, shown, times};

    #[test]
    fn converting_keeps_the_instant_and_changes_the_clock() {
        let input = times("t", &[Some("2020-01-31T23:30:00Z"), None]);
        let output = run("timezone: {column: t, into: b, zone: Europe/Berlin}", &input);
        assert_eq!(shown(&output, "b"), ["2020-02-01T00:30:00+01:00", "null"]);
        let parts = run("date_parts: {column: b, parts: [month, hour]}", &output);
        assert_eq!(parts.column("b_month").unwrap().i32().unwrap().get(0), Some(2));
        assert_eq!(parts.column("b_hour").unwrap().i32().unwrap().get(0), Some(0));
        let back = run("timezone: {column: b, zone: UTC}", &output);
        assert!(
            back.column("b")
                .unwrap()
                .equals_missing(&output.column("t").unwrap().clone().with_name("b".into()))
        );
        let naive = output
            .column("t")
            .unwrap()
            .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
            .unwrap();
        let naive = DataFrame::new(2, vec![naive.with_name("n".into())]).unwrap();
        let output = run("timezone: {column: n, zone: Asia/Tokyo}", &naive);
        assert_eq!(shown(&output, "n")[0], "2020-02-01T08:30:00+09:00");
    }

    #[test]
    fn setting_keeps_the_clock() {
        let input = times(
            "t",
            &[Some("2020-07-01T12:00:00Z"), Some("2020-01-01T12:00:00Z"), None],
        );
        let output = run("timezone: {column: t, zone: Europe/Berlin, how: set}", &input);
        assert_eq!(output.schema(), input.schema());
        assert_eq!(
            shown(&output, "t"),
            ["2020-07-01T10:00:00Z", "2020-01-01T11:00:00Z", "null"]
        );
        let dates = run("cast: {column: t, to: date}", &input);
        let output = run(
            "timezone: {column: t, into: at, zone: Europe/Berlin, how: set}",
            &dates,
        );
        assert_eq!(shown(&output, "at")[0], "2020-06-30T22:00:00Z");
    }

    #[test]
    fn a_clock_time_that_occurs_twice_or_never_follows_its_policy() {
        let input = times(
            "t",
            &[Some("2020-10-25T02:30:00Z"), Some("2020-03-29T02:30:00Z"), None],
        );
        let step = |more: &str| format!("timezone: {{column: t, zone: Europe/Berlin, how: set{more}}}");
        let strict = outcome(&step(""), &input);
        assert_eq!((strict.df.height(), strict.rejects.len()), (1, 2));
        assert!(
            strict.rejects[0]
                .message
                .ends_with("is no single moment in `Europe/Berlin`"),
            "{}",
            strict.rejects[0].message
        );
        let early = outcome(&step(", ambiguous: earliest"), &input);
        assert_eq!(shown(&early.df, "t"), ["2020-10-25T00:30:00Z", "null"]);
        assert_eq!((early.rejects.len(), early.rejects[0].line), (1, 2));
        let late = run(&step(", ambiguous: latest, non_existent: null"), &input);
        assert_eq!(shown(&late, "t"), ["2020-10-25T01:30:00Z", "null", "null"]);
        let lenient = outcome(&step(", non_existent: null"), &input);
        assert_eq!((lenient.rejects.len(), lenient.rejects[0].line), (1, 1));
        let null = run(&step(", ambiguous: null, non_existent: null"), &input);
        assert_eq!(shown(&null, "t"), ["null"; 3]);
    }

    #[test]
    fn a_date_or_an_unknown_zone_do_not_check() {
        let input = times("t", &[None]);
        let dates = run("cast: {column: t, to: date}", &input);
        assert!(check_error("timezone: {column: t, zone: UTC}", &dates).contains("the same in every zone"));
        assert!(check_error("timezone: {column: t, zone: Europe/Berlni}", &input).contains("did you mean"));
        assert!(check_error("timezone: {column: t}", &input).contains("no time zone"));
    }
}
