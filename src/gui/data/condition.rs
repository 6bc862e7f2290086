//! Conditions on one column that a click makes: a value, its absence, or a range. Written as SQL, and read back from it.
//!
//! Literals are exact: whole numbers keep every digit, floats read back as the same value, times are ISO 8601 in UTC.

use polars::prelude::{AnyValue, TimeUnit};

use super::value;
use crate::dataset::rows;
use crate::session::Edit;
use crate::transform::expr::sql_name;
use crate::transform::{Recipe, RecipeStep, Step};

/// What rows are kept by. Literals are SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    Is(String),
    /// Rows without a value stay.
    IsNot(String),
    IsNull,
    IsNotNull,
    /// From the first literal to below the second.
    Range(String, String),
    /// From the literal on.
    From(String),
}

impl Condition {
    /// The condition for `value` alone; none for types without an exact literal.
    pub fn keep(value: &AnyValue<'_>) -> Option<Self> {
        match value {
            AnyValue::Null => Some(Self::IsNull),
            value => literal(value).map(Self::Is),
        }
    }

    /// The condition for everything but `value`.
    pub fn leave_out(value: &AnyValue<'_>) -> Option<Self> {
        match value {
            AnyValue::Null => Some(Self::IsNotNull),
            value => literal(value).map(Self::IsNot),
        }
    }

    pub fn sql(&self, column: &str) -> String {
        self.sql_of(&sql_name(column))
    }

    /// As [`Self::sql`] for a name that is SQL already, such as the path of a nested field.
    pub fn sql_of(&self, name: &str) -> String {
        match self {
            Self::Is(literal) => format!("{name} = {literal}"),
            // A row without a value is not this value, and `<>` alone would leave it out too.
            Self::IsNot(literal) => format!("{name} <> {literal} OR {name} IS NULL"),
            Self::IsNull => format!("{name} IS NULL"),
            Self::IsNotNull => format!("{name} IS NOT NULL"),
            Self::Range(from, to) => format!("{name} >= {from} AND {name} < {to}"),
            Self::From(from) => format!("{name} >= {from}"),
        }
    }

    /// The condition on `column` that `sql` was written from; none when it was not written here.
    pub fn read(column: &str, sql: &str) -> Option<Self> {
        let rest = sql.trim().strip_prefix(&sql_name(column))?;
        let found = match rest {
            " IS NULL" => Self::IsNull,
            " IS NOT NULL" => Self::IsNotNull,
            rest => {
                let between = format!(" AND {} < ", sql_name(column));
                if let Some(literal) = rest.strip_prefix(" = ") {
                    Self::Is(literal.to_owned())
                } else {
                    let from = rest.strip_prefix(" >= ")?;
                    match from.split_once(&between) {
                        Some((from, to)) => Self::Range(from.to_owned(), to.to_owned()),
                        None => Self::From(from.to_owned()),
                    }
                }
            }
        };
        let is_plain = match &found {
            Self::Is(literal) | Self::From(literal) => is_literal(literal),
            Self::Range(from, to) => is_literal(from) && is_literal(to),
            _ => true,
        };
        is_plain.then_some(found)
    }

    /// The condition of the filter that a click on a figure of `column` made, when that is the step before `at`.
    pub fn of_last_step(recipe: &Recipe, at: usize, column: &str) -> Option<Self> {
        let step = recipe.steps.get(at.checked_sub(1)?)?;
        if !step.enabled || step.step.name() != "filter" {
            return None;
        }
        let params = step.step.params();
        Self::read(column, params.get("where")?.as_str()?)
    }

    fn step(&self, column: &str) -> Option<RecipeStep> {
        let params = serde_json::json!({"where": self.sql(column)});
        Step::from_params("filter", params).ok().map(RecipeStep::new)
    }

    /// A filter at place `at` of the recipe.
    pub fn insert(&self, column: &str, at: usize) -> Option<Edit> {
        let step = self.step(column)?;
        Some(Edit::InsertStep { at, step })
    }

    /// A filter at place `at`, or in the place of the one before it that a click on the same column made: of two ranges
    /// the second is meant, not what both have in common.
    pub fn insert_or_replace(&self, column: &str, recipe: &Recipe, at: usize) -> Option<Edit> {
        match Self::of_last_step(recipe, at, column) {
            Some(Self::Is(_) | Self::Range(..) | Self::From(_) | Self::IsNull) => {
                let at = at.checked_sub(1)?;
                let mut step = recipe.steps.get(at)?.clone();
                step.step = self.step(column)?.step;
                Some(Edit::SetStep { at, step })
            }
            _ => self.insert(column, at),
        }
    }
}

/// Whether `text` is one literal and no longer expression.
fn is_literal(text: &str) -> bool {
    match text.strip_prefix('\'') {
        Some(rest) => rest
            .strip_suffix('\'')
            .is_some_and(|inner| !inner.replace("''", "").contains('\'')),
        None => !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '(' || c == '\''),
    }
}

/// `value` as SQL; none where no literal stands for exactly this value.
pub fn literal(value: &AnyValue<'_>) -> Option<String> {
    Some(match value {
        AnyValue::Boolean(true) => "true".to_owned(),
        AnyValue::Boolean(false) => "false".to_owned(),
        AnyValue::String(text) => quoted(text),
        AnyValue::StringOwned(text) => quoted(text),
        AnyValue::Float64(number) => return float(*number),
        // As the column compares it: the nearest float64 of a float32 is that float32.
        AnyValue::Float32(number) => return float(f64::from(*number)),
        AnyValue::Date(_) => return calendar(&value::whole(value)),
        AnyValue::Datetime(ticks, unit, zone) => return instant(*ticks, *unit, zone.is_some()),
        AnyValue::DatetimeOwned(ticks, unit, zone) => return instant(*ticks, *unit, zone.is_some()),
        other if other.dtype().is_integer() => {
            let digits = value::whole(other);
            // polars reads the digits before the sign, as a signed number of 64 bits.
            digits.trim_start_matches('-').parse::<i64>().ok()?;
            digits
        }
        _ => return None,
    })
}

/// A time in UTC, whatever zone it is shown in. Text of a time is read to the microsecond.
fn instant(ticks: i64, unit: TimeUnit, has_zone: bool) -> Option<String> {
    let is_exact = unit != TimeUnit::Nanoseconds || ticks % 1000 == 0;
    is_exact
        .then(|| rows::timestamp(ticks, unit, has_zone))
        .and_then(|text| calendar(&text))
}

/// A date or time of the years that are read: 0000 to 9999.
fn calendar(text: &str) -> Option<String> {
    let (year, rest) = text.split_at_checked(4)?;
    let is_read = year.bytes().all(|byte| byte.is_ascii_digit()) && rest.starts_with('-');
    is_read.then(|| quoted(text))
}

/// A float that reads back as itself. polars takes a number for a float by its point.
pub fn float(number: f64) -> Option<String> {
    if !number.is_finite() {
        return None;
    }
    let text = format!("{number:?}");
    Some(match text.split_once('e') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0e{exponent}"),
        _ => text,
    })
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use polars::prelude::{
        AnyValue, Column, DataFrame, DataType, IntoColumn, NamedFrom, Series, TimeUnit, TimeZone,
    };

    use super::Condition;
    use crate::base::Accuracy;
    use crate::dataset::{Page, SampleSize};
    use crate::explore::explore_once;
    use crate::transform::{FitSource, Inputs, Recipe, RecipeStep};

    #[test]
    fn a_value_becomes_a_condition_for_it_and_for_the_rest() {
        for (column, value, keep, others) in [
            (
                "country",
                AnyValue::String("ZA"),
                "country = 'ZA'",
                "country <> 'ZA' OR country IS NULL",
            ),
            (
                "my title",
                AnyValue::String("it's"),
                "\"my title\" = 'it''s'",
                "\"my title\" <> 'it''s' OR \"my title\" IS NULL",
            ),
            (
                "n",
                AnyValue::Int64(i64::MAX),
                "n = 9223372036854775807",
                "n <> 9223372036854775807 OR n IS NULL",
            ),
            ("n", AnyValue::Null, "n IS NULL", "n IS NOT NULL"),
        ] {
            let sql = |condition: Option<Condition>| condition.unwrap().sql(column);
            assert_eq!(sql(Condition::keep(&value)), keep);
            assert_eq!(sql(Condition::leave_out(&value)), others);
        }
        assert_eq!(Condition::keep(&AnyValue::Float64(f64::NAN)), None);
    }

    #[test]
    fn what_was_written_is_read_back_and_what_a_person_wrote_is_not() {
        let range = Condition::Range("'2020-01-01T00:00:00Z'".to_owned(), "'it''s'".to_owned());
        for condition in [
            Condition::Is("'a AND b = ''c'''".to_owned()),
            Condition::Is("-12".to_owned()),
            Condition::IsNull,
            Condition::IsNotNull,
            Condition::From("1.5".to_owned()),
            range,
        ] {
            assert_eq!(Condition::read("a b", &condition.sql("a b")), Some(condition));
        }
        for sql in [
            "n = 1 AND m = 2",
            "n >= 1 OR m = 3",
            "n >= 1 AND n < 2 OR m = 3",
            "nn = 1",
            "n = 'a' OR n = 'b'",
            "n = lower('a')",
        ] {
            assert_eq!(Condition::read("n", sql), None, "{sql}");
        }
    }

    /// How many rows of `column` a filter for each of its values keeps.
    fn kept(column: &Column) -> Vec<usize> {
        let df = DataFrame::new(column.len(), vec![column.clone()]).unwrap();
        (0..column.len())
            .map(|row| {
                let value = column.get(row).unwrap();
                let condition = Condition::keep(&value).unwrap_or_else(|| panic!("{value:?}"));
                let n = n_kept(&df, &condition.sql(column.name()));
                let rest = Condition::leave_out(&value).unwrap();
                assert_eq!(
                    n + n_kept(&df, &rest.sql(column.name())),
                    column.len(),
                    "{value:?}"
                );
                n
            })
            .collect()
    }

    fn n_kept(df: &DataFrame, sql: &str) -> usize {
        let page = Page {
            df: df.clone(),
            objects: Vec::new(),
            rejects: Vec::new(),
            accuracy: Accuracy::Exact,
            size: SampleSize::default(),
            declared: None,
        };
        let steps: Vec<RecipeStep> =
            serde_json::from_value(serde_json::json!([{"filter": {"where": sql}}])).unwrap();
        let source = FitSource {
            from: String::new(),
            at: chrono::Utc::now(),
        };
        let explored = explore_once(&page, &Recipe { steps }, 1, &Inputs::default(), &source);
        assert_eq!(explored.error, None, "{sql}");
        assert!(explored.checks[0].is_ok(), "{sql}: {:?}", explored.checks);
        explored.df.height()
    }

    #[test]
    fn the_filter_for_a_value_keeps_that_value_whatever_its_type() {
        let times = |unit, zone: Option<TimeZone>| {
            Series::new("t".into(), [1_577_836_800_500_i64, -1, 7_000])
                .cast(&DataType::Datetime(unit, zone))
                .unwrap()
        };
        for series in [
            Series::new("i".into(), [Some(i64::MAX), Some(-5), None]),
            Series::new("f".into(), [1e300, 0.1 + 0.2, -2.5e-9]),
            Series::new("f32".into(), [0.1_f32, 3e30, -7.0]),
            Series::new("u".into(), [0_u32, u32::MAX, 3]),
            Series::new("b".into(), [Some(true), Some(false), None]),
            Series::new("s t".into(), [Some("it's"), Some(""), None]),
            Series::new("d".into(), [0_i32, 18_270, -400])
                .cast(&DataType::Date)
                .unwrap(),
            times(TimeUnit::Microseconds, Some(TimeZone::UTC)),
            times(TimeUnit::Microseconds, None),
            times(TimeUnit::Milliseconds, None),
        ] {
            let name = series.name().clone();
            assert_eq!(kept(&series.into_column()), [1, 1, 1], "{name}");
        }
    }
}
