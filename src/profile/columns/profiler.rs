//! Which accumulator a column has, what becomes of a batch, and how the parts become profiles.

use std::collections::BTreeMap;

use polars::error::PolarsResult;
use polars::prelude::{DataFrame, DataType, Schema, Series};

use super::decimals::Decimals;
use super::distinct::Distinct;
use super::frequent::{Frequent, Kept};
use super::nested::{add_rows, as_texts};
use super::numbers::{Kind, Numbers};
use super::texts::Texts;
use super::{ColumnProfile, Level, Scalar, TopValue, TypeConflict};
use crate::dataset::decode::Drift;
use crate::dataset::{dtype_name, origin};

/// Frequent values that are told.
const N_TOP: usize = 20;

/// Collects the profile of every column of some rows.
#[derive(Debug, Clone)]
pub struct ColumnProfiler {
    columns: Vec<Accumulator>,
    missing: BTreeMap<String, u64>,
    drift: Drift,
    n_rows: u64,
}

#[derive(Debug, Clone)]
struct Accumulator {
    path: String,
    dtype: DataType,
    n_rows: u64,
    n_null: u64,
    values: Values,
    /// Whole rows, where values have parts.
    rows: Option<Box<Distinct>>,
}

#[derive(Debug, Clone)]
enum Values {
    /// How many are true.
    Bools(u64),
    Numbers(Box<Numbers>),
    Decimals(Box<Decimals>),
    Texts(Box<Texts>),
    List(Box<Numbers>, Box<Accumulator>),
    Struct(Vec<Accumulator>),
}

impl ColumnProfiler {
    /// For rows with the visible columns of `schema`.
    pub fn new(schema: &Schema, level: Level) -> Self {
        Self::with_decimals(schema, level, &[])
    }

    /// The same, where the texts at some paths are decimals.
    pub fn with_decimals(schema: &Schema, level: Level, decimals: &[String]) -> Self {
        let visible = schema.iter().filter(|(name, _)| !origin::is_hidden(name));
        Self {
            columns: visible
                .map(|(name, dtype)| Accumulator::new(name.to_string(), dtype, level, decimals))
                .collect(),
            missing: BTreeMap::new(),
            drift: Drift::default(),
            n_rows: 0,
        }
    }

    /// Adds rows. Columns are found by name; hidden ones are passed over.
    ///
    /// # Errors
    /// A column that is not there, or whose values are not of its type.
    pub fn add(&mut self, df: &DataFrame) -> PolarsResult<()> {
        for accumulator in &mut self.columns {
            let column = df.column(&accumulator.path)?;
            accumulator.add(column.as_materialized_series())?;
        }
        self.n_rows += df.height() as u64;
        Ok(())
    }

    /// Adds how many records lacked keys, by path, and how records differed from the declared schema.
    pub fn add_noticed(&mut self, missing: &BTreeMap<String, u64>, drift: &Drift) {
        for (path, n) in missing {
            if let Some(known) = self.missing.get_mut(path) {
                *known += n;
            } else {
                self.missing.insert(path.clone(), *n);
            }
        }
        self.drift.merge_unordered(drift);
    }

    /// Adds what another profiler of the same columns has.
    pub fn merge(&mut self, other: Self) {
        for (mine, others) in self.columns.iter_mut().zip(other.columns) {
            mine.merge(others);
        }
        self.add_noticed(&other.missing, &other.drift);
        self.n_rows += other.n_rows;
    }

    pub fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// How the records differed from the declared schema.
    pub fn drift(&self) -> &Drift {
        &self.drift
    }

    /// A profile for each column, nested ones after the column that they are in. `is_raw` says that the rows are as they
    /// were read, so that a null whose key is missing can be told from a null.
    pub fn finish(self, is_raw: bool) -> Vec<ColumnProfile> {
        let mut profiles = Vec::new();
        let noticed = is_raw.then_some((&self.missing, &self.drift));
        for accumulator in self.columns {
            accumulator.finish(noticed, &mut profiles);
        }
        profiles
    }
}

impl Accumulator {
    fn new(path: String, dtype: &DataType, level: Level, decimals: &[String]) -> Self {
        let numbers = |kind| Values::Numbers(Box::new(Numbers::new(kind, level)));
        let values = match dtype {
            DataType::Boolean => Values::Bools(0),
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::Duration(_) => numbers(Kind::Integers),
            DataType::UInt64 => numbers(Kind::Unsigned),
            DataType::Float32 | DataType::Float64 => numbers(Kind::Reals),
            DataType::String if decimals.contains(&path) => Values::Decimals(Box::new(Decimals::new(level))),
            DataType::Date => numbers(Kind::Dates),
            DataType::Datetime(unit, zone) => numbers(Kind::Times(*unit, zone.clone())),
            DataType::List(item) => Values::List(
                Box::new(Numbers::new(Kind::Integers, level)),
                Box::new(Self::new(format!("{path}[]"), item, level, decimals)),
            ),
            DataType::Struct(fields) => Values::Struct(
                fields
                    .iter()
                    .map(|field| {
                        let path = format!("{path}.{}", field.name());
                        Self::new(path, field.dtype(), level, decimals)
                    })
                    .collect(),
            ),
            // Anything else is known by its text.
            _ => Values::Texts(Box::new(Texts::new(level))),
        };
        Self {
            path,
            dtype: dtype.clone(),
            n_rows: 0,
            n_null: 0,
            rows: dtype.is_nested().then(Box::default),
            values,
        }
    }

    fn add(&mut self, s: &Series) -> PolarsResult<()> {
        let cast;
        let s = if *s.dtype() == self.dtype {
            s
        } else {
            cast = s.strict_cast(&self.dtype)?;
            &cast
        };
        self.n_rows += s.len() as u64;
        self.n_null += s.null_count() as u64;
        if let Some(rows) = &mut self.rows {
            add_rows(rows, s)?;
        }
        match &mut self.values {
            Values::Bools(n_true) => *n_true += u64::from(s.bool()?.sum().unwrap_or(0)),
            Values::Numbers(numbers) => add_numbers(numbers, s)?,
            Values::Decimals(decimals) => {
                for array in s.str()?.downcast_iter() {
                    decimals.add(array.non_null_values_iter());
                }
            }
            Values::Texts(texts) => {
                let cast;
                let s = if s.dtype().is_string() {
                    s
                } else {
                    cast = as_texts(s)?;
                    &cast
                };
                for array in s.str()?.downcast_iter() {
                    texts.add(array.non_null_values_iter());
                }
            }
            Values::List(lengths, items) => {
                let lists = s.list()?;
                let inner = lists.get_inner();
                let mut start = 0;
                for array in lists.downcast_iter() {
                    let offsets = array.offsets();
                    let sizes = offsets.lengths().enumerate();
                    let is_valid =
                        |i: usize| array.validity().is_none_or(|valid| valid.get(i).unwrap_or(true));
                    lengths.add_ints(
                        sizes
                            .filter(|(i, _)| is_valid(*i))
                            .map(|(_, n)| i64::try_from(n).unwrap_or(i64::MAX)),
                    );
                    let first = *offsets.first();
                    let n_items = usize::try_from(*offsets.last() - first).unwrap_or(0);
                    items.add(&inner.slice(start + first, n_items))?;
                    start += i64::try_from(array.values().len()).unwrap_or(0);
                }
            }
            Values::Struct(fields) => {
                for (accumulator, field) in fields.iter_mut().zip(s.struct_()?.fields_as_series()) {
                    accumulator.add(&field)?;
                }
            }
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.n_rows += other.n_rows;
        self.n_null += other.n_null;
        if let (Some(mine), Some(others)) = (&mut self.rows, other.rows) {
            mine.merge(*others);
        }
        match (&mut self.values, other.values) {
            (Values::Bools(mine), Values::Bools(others)) => *mine += others,
            (Values::Numbers(mine), Values::Numbers(others)) => mine.merge(*others),
            (Values::Decimals(mine), Values::Decimals(others)) => mine.merge(*others),
            (Values::Texts(mine), Values::Texts(others)) => mine.merge(*others),
            (Values::List(mine, my_items), Values::List(others, items)) => {
                mine.merge(*others);
                my_items.merge(*items);
            }
            (Values::Struct(mine), Values::Struct(others)) => {
                for (mine, others) in mine.iter_mut().zip(others) {
                    mine.merge(others);
                }
            }
            // Profilers of the same columns have the same accumulators.
            _ => {}
        }
    }

    fn finish(self, noticed: Option<(&BTreeMap<String, u64>, &Drift)>, profiles: &mut Vec<ColumnProfile>) {
        let mut profile = ColumnProfile {
            dtype: dtype_name(&self.dtype),
            n_rows: self.n_rows,
            n_null: self.n_null,
            ..ColumnProfile::default()
        };
        if let Some((missing, drift)) = noticed {
            let n = missing.get(&self.path).copied().unwrap_or(0).min(self.n_null);
            profile.n_missing = Some(n);
            profile.n_null -= n;
            profile.conflict = drift.mismatched.get(&self.path).map(|seen| TypeConflict {
                n: seen.n,
                expected: seen.expected.clone(),
                first_got: seen.first_got.clone(),
                first_object: seen.first_object.clone(),
                first_line: seen.first_line,
            });
        }
        profile.name = self.path;
        if let Some(rows) = &self.rows {
            profile.n_distinct = Some(rows.n().min(profile.n_values()));
            profile.accuracy.n_distinct = rows.accuracy();
        }
        let mut inside = Vec::new();
        match self.values {
            Values::Bools(n_true) => fill_bools(n_true, &mut profile),
            Values::Numbers(numbers) => numbers.fill(&mut profile),
            Values::Decimals(decimals) => decimals.fill(&mut profile),
            Values::Texts(texts) => texts.fill(&mut profile),
            Values::List(lengths, items) => {
                profile.lengths = lengths.lengths();
                items.finish(noticed, &mut inside);
            }
            Values::Struct(fields) => {
                for field in fields {
                    field.finish(noticed, &mut inside);
                }
            }
        }
        profiles.push(profile);
        profiles.append(&mut inside);
    }
}

fn add_numbers(numbers: &mut Numbers, s: &Series) -> PolarsResult<()> {
    let physical = s.to_physical_repr();
    match s.dtype() {
        DataType::UInt64 => {
            for array in physical.u64()?.downcast_iter() {
                numbers.add_unsigned(array.non_null_values_iter());
            }
        }
        DataType::Float32 | DataType::Float64 => {
            let floats = physical.cast(&DataType::Float64)?;
            for array in floats.f64()?.downcast_iter() {
                numbers.add_floats(array.non_null_values_iter());
            }
        }
        _ => {
            let ints = physical.cast(&DataType::Int64)?;
            for array in ints.i64()?.downcast_iter() {
                numbers.add_ints(array.non_null_values_iter());
            }
        }
    }
    Ok(())
}

fn fill_bools(n_true: u64, profile: &mut ColumnProfile) {
    let n = profile.n_values();
    let n_false = n.saturating_sub(n_true);
    let mut seen = [(false, n_false), (true, n_true)];
    let there = || seen.iter().filter(|(_, n)| *n > 0);
    profile.n_distinct = Some(there().count() as u64);
    profile.min = there().next().map(|(value, _)| Scalar::Bool(*value));
    profile.max = there().next_back().map(|(value, _)| Scalar::Bool(*value));
    profile.mean = share(n_true, n);
    seen.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    profile.top = seen
        .into_iter()
        .filter_map(|(value, n_seen)| {
            Some(TopValue {
                value: Scalar::Bool(value),
                n: n_seen,
                share: share(n_seen, n).filter(|_| n_seen > 0)?,
            })
        })
        .collect();
}

fn share(n: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| n as f64 / of as f64)
}

/// The most frequent of `n_values` values.
pub(super) fn top(frequent: &Frequent, n_values: u64, shown: impl Fn(&Kept) -> Scalar) -> Vec<TopValue> {
    frequent
        .top(N_TOP)
        .into_iter()
        .filter_map(|(kept, n)| {
            Some(TopValue {
                value: shown(&kept),
                n,
                share: share(n, n_values)?,
            })
        })
        .collect()
}

/// What `column` holds, as [`ColumnProfiler`] would find it alone.
#[cfg(test)]
pub(super) fn profile_of(column: polars::prelude::Column, level: Level) -> Vec<ColumnProfile> {
    let n = column.len();
    let df = DataFrame::new(n, vec![column]).unwrap();
    let mut profiler = ColumnProfiler::new(df.schema(), level);
    profiler.add(&df).unwrap();
    profiler.finish(true)
}
