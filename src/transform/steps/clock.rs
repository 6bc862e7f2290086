//! What steps on time share: the clock of a zone, read from dates and timestamps.
//!
//! A timestamp is an instant; its clock, that is its date and time of day, is that of a zone: the one a step names, else the
//! column's own, which is UTC for data that were read. A timestamp without a zone is in UTC. A date has no time of day
//! and is the same in every zone.

use polars::prelude::{DataType, Expr, NonExistent, Schema, TimeUnit, TimeZone, lit};

use crate::transform::CheckError;
use crate::transform::python;
use crate::transform::step::{column_type, exactly, wrong_type};

/// The type of a column of dates or timestamps.
pub(super) fn check_time<'a>(
    schema: &'a Schema,
    param: &'static str,
    column: &str,
) -> Result<&'a DataType, CheckError> {
    let dtype = column_type(schema, param, column)?;
    if matches!(dtype, DataType::Date | DataType::Datetime(..)) {
        Ok(dtype)
    } else {
        Err(wrong_type(param, column, dtype, "a date or timestamp").hint("use `parse_timestamp` first"))
    }
}

/// A zone of the IANA database, or none where none is given.
pub(super) fn check_zone(param: &'static str, zone: Option<&str>) -> Result<Option<TimeZone>, CheckError> {
    let Some(name) = zone else {
        return Ok(None);
    };
    let unknown = || CheckError::new(param, format!("`{name}` is no time zone"));
    if name.is_empty() || name == "*" {
        return Err(unknown().hint("write a name such as `Europe/Berlin` or `UTC`"));
    }
    TimeZone::opt_try_new(Some(name)).map_err(|error| {
        let text = error.to_string();
        let near = text
            .split("did you mean '")
            .nth(1)
            .and_then(|rest| rest.split('\'').next());
        match near {
            Some(near) => unknown().hint(format!("did you mean `{near}`?")),
            None => unknown().hint("write a name such as `Europe/Berlin` or `UTC`"),
        }
    })
}

/// A column's clock: which zone it is read in.
pub(super) struct Clock<'a> {
    column: &'a str,
    dtype: &'a DataType,
    pub(super) zone: TimeZone,
}

impl<'a> Clock<'a> {
    /// The clock of a column in `zone`, or in its own.
    pub(super) fn new(column: &'a str, dtype: &'a DataType, zone: Option<TimeZone>) -> Self {
        let zone = zone.or_else(|| own_zone(dtype)).unwrap_or(TimeZone::UTC);
        Self { column, dtype, zone }
    }

    fn is_read_as_it_is(&self) -> bool {
        match self.dtype {
            DataType::Datetime(_, None) => self.zone == TimeZone::UTC,
            _ => self.dtype == &DataType::Date,
        }
    }

    /// Date and time of day as a timestamp without a zone, in microseconds.
    pub(super) fn local(&self) -> Expr {
        let value = exactly(self.column);
        let local = if self.is_read_as_it_is() {
            value
        } else {
            let at = match self.dtype {
                DataType::Datetime(_, None) => with_zone(value, Some(TimeZone::UTC)),
                _ => value,
            };
            with_zone(at.dt().convert_time_zone(self.zone.clone()), None)
        };
        local.cast(LOCAL)
    }

    /// The same for Python.
    pub(super) fn local_code(&self) -> String {
        let mut code = python::col(self.column);
        if !self.is_read_as_it_is() {
            if matches!(self.dtype, DataType::Datetime(_, None)) {
                code.push_str(".dt.replace_time_zone(\"UTC\")");
            }
            let zone = python::quoted(&self.zone);
            code.extend([".dt.convert_time_zone(", &zone, ").dt.replace_time_zone(None)"]);
        }
        format!("{code}.cast(pl.Datetime(\"us\"))")
    }
}

/// A date and time of day that are of no zone.
pub(super) const LOCAL: DataType = DataType::Datetime(TimeUnit::Microseconds, None);

/// The zone that a column's timestamps are in.
pub(super) fn own_zone(dtype: &DataType) -> Option<TimeZone> {
    match dtype {
        DataType::Datetime(_, zone) => zone.clone(),
        _ => None,
    }
}

/// The same clock in another zone, for times that every zone has.
fn with_zone(value: Expr, zone: Option<TimeZone>) -> Expr {
    value
        .dt()
        .replace_time_zone(zone, lit("raise"), NonExistent::Raise)
}

/// The instant at which the clock of `zone` shows `local`, in `zone`; null where it never does. Where it does twice,
/// `ambiguous` decides: `earliest`, `latest` or `null`.
pub(super) fn instant(local: Expr, zone: &TimeZone, ambiguous: &'static str) -> Expr {
    local
        .dt()
        .replace_time_zone(Some(zone.clone()), lit(ambiguous), NonExistent::Null)
}

/// The same for Python.
pub(super) fn instant_code(local: &str, zone: &TimeZone, ambiguous: &str) -> String {
    format!(
        "({local}).dt.replace_time_zone({}, ambiguous=\"{ambiguous}\", non_existent=\"null\")",
        python::quoted(zone)
    )
}

/// An instant in the zone that the result's column is to have.
pub(super) fn in_zone(instant: Expr, zone: Option<&TimeZone>) -> Expr {
    let converted = instant
        .dt()
        .convert_time_zone(zone.unwrap_or(&TimeZone::UTC).clone());
    if zone.is_some() {
        converted
    } else {
        with_zone(converted, None)
    }
}

/// The same for Python.
pub(super) fn in_zone_code(instant: &str, zone: Option<&TimeZone>) -> String {
    let name = python::quoted(zone.unwrap_or(&TimeZone::UTC));
    let naive = if zone.is_some() {
        ""
    } else {
        ".dt.replace_time_zone(None)"
    };
    format!("({instant}).dt.convert_time_zone({name}){naive}")
}

#[cfg(test)]
mod tests {
    use super::check_zone;

    #[test]
    fn a_zone_that_does_not_exist_is_refused_with_the_nearest() {
        assert_eq!(
            check_zone("zone", Some("Europe/Berlin"))
                .unwrap()
                .unwrap()
                .as_str(),
            "Europe/Berlin"
        );
        assert_eq!(check_zone("zone", None), Ok(None));
        assert_eq!(
            check_zone("zone", Some("Europe/Berlim")).unwrap_err().to_string(),
            "`Europe/Berlim` is no time zone: did you mean `Europe/Berlin`?"
        );
        for name in ["", "*"] {
            assert!(check_zone("zone", Some(name)).is_err(), "{name}");
        }
    }
}
