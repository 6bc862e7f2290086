//! Which rows of an input each row of a batch meets, and the rows that a join makes of it.

use std::sync::Arc;

use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, IdxCa, IdxSize, IntoColumn, NewChunkedArray, PlSmallStr,
    PolarsResult, StringChunked, TimeUnit,
};

use super::join::{Direction, Expect, How};
use crate::base::units;
use crate::dataset::origin;
use crate::transform::CheckError;
use crate::transform::key_index::{KeyIndex, Ordered, at};
use crate::transform::step::{shortened, type_name};

/// Groups up to this size are not counted row by row to say how many rows a join makes: the bound is good enough.
const SMALL_GROUP: u64 = 4;
const SHOWN_CHARS: usize = 80;

/// A join with all that it needs, for any number of batches.
pub(super) struct Matcher {
    pub input: String,
    pub how: How,
    pub expect: Expect,
    /// Columns of the rows.
    pub keys: Vec<String>,
    pub asof: Option<Asof>,
    pub index: Arc<KeyIndex>,
    /// Of the input.
    pub rows: Arc<DataFrame>,
    /// Columns of the input to add, with their names.
    pub taken: Vec<(String, String)>,
}

/// How the match in time is chosen.
pub(super) struct Asof {
    pub column: String,
    pub direction: Direction,
    pub tolerance: Tolerance,
}

/// The farthest that a match in time may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Tolerance {
    Any,
    /// In the ticks of the column.
    Ticks(u64),
    Whole(u64),
    Float(f64),
}

impl Tolerance {
    /// Reads `text` for a column of this type.
    pub fn parse(text: Option<&str>, column: &str, dtype: &DataType) -> Result<Self, CheckError> {
        let ticks_a_second: u64 = match dtype {
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32 => {
                let Some(text) = text else { return Ok(Self::Any) };
                let number = text
                    .trim()
                    .parse()
                    .map_err(|_| bad(text, "a whole number, such as 60"))?;
                return Ok(Self::Whole(number));
            }
            DataType::Float32 | DataType::Float64 => {
                let Some(text) = text else { return Ok(Self::Any) };
                let number = text.trim().parse::<f64>().ok().filter(|number| *number >= 0.0);
                return number
                    .map(Self::Float)
                    .ok_or_else(|| bad(text, "a number, such as 0.5"));
            }
            DataType::Date => 0,
            DataType::Datetime(unit, _) | DataType::Duration(unit) => match unit {
                TimeUnit::Nanoseconds => 1_000_000_000,
                TimeUnit::Microseconds => 1_000_000,
                TimeUnit::Milliseconds => 1000,
            },
            other => {
                return Err(CheckError::new(
                    "on",
                    format!(
                        "column `{column}` is {}, which `asof` cannot compare",
                        type_name(other)
                    ),
                )
                .hint("it takes moments, dates and numbers: parse or cast it first"));
            }
        };
        let Some(text) = text else { return Ok(Self::Any) };
        if ticks_a_second == 0 {
            let days = parse_units(text, &[("d", 1), ("w", 7)]);
            return days
                .map(Self::Ticks)
                .ok_or_else(|| bad(text, "days, such as 2d or 1w"));
        }
        let mut known = vec![
            ("s", ticks_a_second),
            ("m", ticks_a_second * 60),
            ("h", ticks_a_second * 3600),
            ("d", ticks_a_second * 86_400),
            ("w", ticks_a_second * 7 * 86_400),
        ];
        for (name, per_second) in [("ms", 1000), ("us", 1_000_000), ("ns", 1_000_000_000)] {
            if ticks_a_second >= per_second {
                known.push((name, ticks_a_second / per_second));
            }
        }
        let ticks = parse_units(text, &known);
        ticks
            .map(Self::Ticks)
            .ok_or_else(|| bad(text, "a duration, such as 30s, 15m, 1h or 2d"))
    }

    /// Whether it is written as a number; none when there is none.
    pub fn is_number(self) -> Option<bool> {
        match self {
            Self::Any => None,
            Self::Ticks(_) => Some(false),
            Self::Whole(_) | Self::Float(_) => Some(true),
        }
    }

    fn allows_whole(self, a: i64, b: i64) -> bool {
        match self {
            Self::Any | Self::Float(_) => true,
            Self::Ticks(most) | Self::Whole(most) => a.abs_diff(b) <= most,
        }
    }

    fn allows_float(self, a: f64, b: f64) -> bool {
        match self {
            Self::Float(most) => (a - b).abs() <= most,
            _ => true,
        }
    }
}

fn bad(text: &str, wanted: &str) -> CheckError {
    CheckError::new("tolerance", format!("`{text}` is no tolerance here")).hint(format!("write {wanted}"))
}

/// `1d6h` by the size of each unit.
fn parse_units(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let mut rest = text.trim();
    let mut total: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = rest.split_at_checked(digits)?;
        let letters = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_lowercase()).len();
        let (unit, tail) = tail.split_at_checked(letters)?;
        let (_, size) = units.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*size)?)?;
        rest = tail;
    }
    Some(total)
}

/// Bytes of one row, about.
pub(super) fn row_bytes(df: &DataFrame) -> u64 {
    (df.estimated_size() / df.height().max(1)) as u64
}

impl Matcher {
    fn groups(&self, df: &DataFrame) -> PolarsResult<Vec<Option<u32>>> {
        self.index.groups(df, &self.keys)
    }

    /// The rows after the join.
    pub fn join(&self, df: &DataFrame) -> PolarsResult<DataFrame> {
        let groups = self.groups(df)?;
        match (self.how, self.expect) {
            (How::Semi | How::Anti, _) => {
                let wants_match = self.how == How::Semi;
                let has_match = groups.iter().map(|group| group.is_some() == wants_match);
                df.filter(&BooleanChunked::from_iter_values(PlSmallStr::EMPTY, has_match))
            }
            (How::Asof, _) => {
                let matched = self.nearest(df, &groups)?;
                self.beside(df.clone(), matched)
            }
            (How::Left | How::Inner, Expect::AtMostOne) => self.at_most_one(df, &groups),
            (How::Left | How::Inner, Expect::Many) => {
                let keeps_all = self.how == How::Left;
                let mut ours: Vec<IdxSize> = Vec::with_capacity(df.height());
                let mut theirs: Vec<Option<IdxSize>> = Vec::with_capacity(df.height());
                for (row, group) in (0..).zip(&groups) {
                    let matches = self.index.rows(*group);
                    if matches.is_empty() && keeps_all {
                        ours.push(row);
                        theirs.push(None);
                    }
                    ours.extend(matches.iter().map(|_| row));
                    theirs.extend(matches.iter().map(|row| Some(*row)));
                }
                let df = df.take(&IdxCa::from_vec(PlSmallStr::EMPTY, ours))?;
                self.beside(df, theirs)
            }
        }
    }

    /// One match for each row; those with several say so in the hidden reject column.
    fn at_most_one(&self, df: &DataFrame, groups: &[Option<u32>]) -> PolarsResult<DataFrame> {
        let theirs = groups
            .iter()
            .map(|group| self.index.rows(*group).first().copied());
        let mut joined = self.beside(df.clone(), theirs.collect())?;
        let reasons: StringChunked = groups
            .iter()
            .map(|group| {
                let n = self.index.rows(*group).len() as u64;
                (n > 1).then(|| {
                    format!(
                        "{} of `{}` have its key, at most one is expected",
                        units::plural(n, "row"),
                        self.input
                    )
                })
            })
            .collect();
        joined.with_column(reasons.with_name(origin::REJECT.into()).into_column())?;
        if self.how == How::Left {
            return Ok(joined);
        }
        let has_match = groups.iter().map(Option::is_some);
        joined.filter(&BooleanChunked::from_iter_values(PlSmallStr::EMPTY, has_match))
    }

    /// `df` with the columns of the input's rows beside its own.
    fn beside(&self, mut df: DataFrame, theirs: Vec<Option<IdxSize>>) -> PolarsResult<DataFrame> {
        let theirs: IdxCa = theirs.into_iter().collect();
        for (column, name) in &self.taken {
            let taken: Column = self.rows.column(column)?.take(&theirs)?;
            df.with_column(taken.with_name(name.as_str().into()))?;
        }
        Ok(df)
    }

    /// The match in time of each row.
    fn nearest(&self, df: &DataFrame, groups: &[Option<u32>]) -> PolarsResult<Vec<Option<IdxSize>>> {
        let (Some(asof), Some(order)) = (&self.asof, self.index.order()) else {
            return Ok(vec![None; groups.len()]);
        };
        let rows = groups.iter().map(|group| self.index.rows(*group));
        let tolerance = asof.tolerance;
        let found = match (Ordered::of(df.column(&asof.column)?)?, order) {
            (Ordered::Whole(ours), Ordered::Whole(theirs)) => rows
                .zip(ours)
                .map(|(rows, own)| {
                    let own = own?;
                    let distance = |a: i64, b: i64| a.abs_diff(b);
                    let (row, value) = pick(rows, theirs, own, asof.direction, distance)?;
                    tolerance.allows_whole(own, value).then_some(row)
                })
                .collect(),
            (Ordered::Float(ours), Ordered::Float(theirs)) => rows
                .zip(ours)
                .map(|(rows, own)| {
                    let own = own?;
                    let distance = |a: f64, b: f64| (a - b).abs();
                    let (row, value) = pick(rows, theirs, own, asof.direction, distance)?;
                    tolerance.allows_float(own, value).then_some(row)
                })
                .collect(),
            // The check holds both sides to one type.
            _ => vec![None; groups.len()],
        };
        Ok(found)
    }

    /// Rows without a match.
    pub fn n_without(&self, df: &DataFrame) -> PolarsResult<u64> {
        Ok(self.groups(df)?.iter().filter(|group| group.is_none()).count() as u64)
    }

    /// At most so many rows come out, and the key with the most matches, with their number.
    pub fn n_rows(&self, df: &DataFrame) -> PolarsResult<(u64, Option<(String, u64)>)> {
        let most = self.index.max_group().max(1);
        if most <= SMALL_GROUP {
            return Ok((most * df.height() as u64, None));
        }
        let at_least = u64::from(self.how == How::Left);
        let mut n_rows: u64 = 0;
        let mut worst = (0, 0);
        for (row, group) in self.groups(df)?.iter().enumerate() {
            let n = self.index.rows(*group).len() as u64;
            n_rows += n.max(at_least);
            if n > worst.1 {
                worst = (row, n);
            }
        }
        let (row, n) = worst;
        let key = self.keys.iter().map(|name| {
            let value = df.column(name).ok().and_then(|column| column.get(row).ok());
            let value = value.map(|value| value.to_string()).unwrap_or_default();
            format!("{name} = {}", shortened(&value, SHOWN_CHARS))
        });
        Ok((n_rows, (n > 0).then(|| (key.collect::<Vec<_>>().join(", "), n))))
    }
}

/// The row of a sorted group that `direction` asks for, with its value.
fn pick<T: Copy + PartialOrd, D: PartialOrd>(
    rows: &[IdxSize],
    values: &[Option<T>],
    own: T,
    direction: Direction,
    distance: impl Fn(T, T) -> D,
) -> Option<(IdxSize, T)> {
    let value = |row: &IdxSize| at(values, *row);
    let place = |at: usize| rows.get(at).and_then(|row| Some((*row, value(row)?)));
    let from_own = rows.partition_point(|row| value(row).is_some_and(|value| value < own));
    let past_own = rows.partition_point(|row| value(row).is_some_and(|value| value <= own));
    match direction {
        Direction::Backward => place(past_own.checked_sub(1)?),
        Direction::Forward => place(from_own),
        Direction::Nearest if past_own > from_own => place(past_own - 1),
        Direction::Nearest => {
            let below = from_own.checked_sub(1).and_then(place);
            // The last of those that are as near above.
            let above = place(past_own).and_then(|(_, next)| {
                let end = rows.partition_point(|row| value(row).is_some_and(|value| value <= next));
                place(end.checked_sub(1)?)
            });
            match (below, above) {
                (Some(below), Some(above)) => {
                    let is_above = distance(above.1, own) <= distance(own, below.1);
                    Some(if is_above { above } else { below })
                }
                (below, above) => below.or(above),
            }
        }
    }
}
