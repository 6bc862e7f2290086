//! Which rows of an input have a key: the rows by group, found through polars' own encoding of the key columns.
//!
//! Keys that polars takes for equal are equal here: `-0.0` is `0.0`, and `NaN` is `NaN`. A table of open addresses holds
//! the groups, so an index takes about 20 bytes a row besides the keys themselves.

use polars::chunked_array::ops::row_encode::encode_rows_unordered;
use polars::prelude::{BinaryOffsetChunked, Column, DataFrame, DataType, IdxSize, PolarsResult};
use xxhash_rust::xxh3::xxh3_64;

/// By what rows are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeySpec {
    /// Columns of the input; none puts all rows into one group.
    pub columns: Vec<String>,
    /// Whether null is a key like others. Else a row with a null in its key is in no group.
    pub nulls_match: bool,
    /// A column by which the rows of a group are sorted. Rows without a value in it are in no group.
    pub order: Option<String>,
}

/// No group.
const NONE: u32 = u32::MAX;

/// Rows of an input by their key.
#[derive(Debug)]
pub(super) struct KeyIndex {
    /// The key of each group, encoded.
    keys: Keys,
    /// Groups by hash; [`NONE`] where there is none.
    table: Vec<u32>,
    /// Where the rows of each group start, and the end.
    starts: Vec<u32>,
    /// In the input's order, or sorted.
    rows: Vec<IdxSize>,
    /// What rows are sorted by, for each row of the input.
    order: Option<Ordered>,
    max_group: u64,
    nulls_match: bool,
}

/// Texts of bytes, one after the other.
#[derive(Debug, Default)]
struct Keys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Keys {
    fn push(&mut self, key: &[u8]) {
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
    }

    fn get(&self, group: u32) -> Option<&[u8]> {
        let at = group as usize;
        let start = at
            .checked_sub(1)
            .map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.bytes.get(start..*self.ends.get(at)?)
    }
}

/// Values that have an order, none for null and `NaN`.
#[derive(Debug)]
pub(super) enum Ordered {
    Whole(Vec<Option<i64>>),
    Float(Vec<Option<f64>>),
}

impl Ordered {
    /// The values of a column of numbers or moments.
    pub fn of(column: &Column) -> PolarsResult<Self> {
        let physical = column.to_physical_repr();
        Ok(if physical.dtype().is_float() {
            let values = physical.cast(&DataType::Float64)?;
            let values = values.f64()?.iter();
            Self::Float(
                values
                    .map(|value| value.filter(|value| !value.is_nan()))
                    .collect(),
            )
        } else {
            Self::Whole(physical.cast(&DataType::Int64)?.i64()?.iter().collect())
        })
    }

    fn is_there(&self, row: usize) -> bool {
        match self {
            Self::Whole(values) => values.get(row).copied().flatten().is_some(),
            Self::Float(values) => values.get(row).copied().flatten().is_some(),
        }
    }

    fn sort(&self, rows: &mut [IdxSize]) {
        match self {
            Self::Whole(values) => rows.sort_by_key(|row| at(values, *row)),
            Self::Float(values) => rows.sort_by(|a, b| {
                let value = |row: &IdxSize| at(values, *row).unwrap_or(f64::NAN) + 0.0;
                value(a).total_cmp(&value(b))
            }),
        }
    }
}

/// The value of a row; none where there is none.
pub(super) fn at<T: Copy>(values: &[Option<T>], row: IdxSize) -> Option<T> {
    values.get(row as usize).copied().flatten()
}

impl KeyIndex {
    pub fn new(df: &DataFrame, spec: &KeySpec) -> PolarsResult<Self> {
        let n_rows = df.height();
        let columns = columns(df, &spec.columns)?;
        let order = match &spec.order {
            Some(name) => Some(Ordered::of(df.column(name)?)?),
            None => None,
        };
        let mut groups = Groups::new(n_rows, encoded(&columns)?);
        let has_key = has_key(&columns, n_rows, spec.nulls_match);
        for row in 0..n_rows {
            let is_in = has_key
                .as_ref()
                .is_none_or(|has_key| has_key.get(row) == Some(&true))
                && order.as_ref().is_none_or(|order| order.is_there(row));
            groups.add(row, is_in);
        }
        let Groups {
            encoded,
            table,
            first,
            group_of,
            sizes,
        } = groups;
        let mut starts = Vec::with_capacity(sizes.len() + 1);
        let mut next = 0;
        for size in &sizes {
            starts.push(next);
            next += size;
        }
        starts.push(next);
        let mut places = starts.clone();
        let mut rows: Vec<IdxSize> = vec![0; next as usize];
        for (row, group) in (0..).zip(&group_of) {
            if let Some(place) = places.get_mut(*group as usize).filter(|_| *group != NONE) {
                if let Some(slot) = rows.get_mut(*place as usize) {
                    *slot = row;
                }
                *place += 1;
            }
        }
        let mut keys = Keys::default();
        for row in first {
            keys.push(
                encoded
                    .as_ref()
                    .and_then(|encoded| encoded.get(row as usize))
                    .unwrap_or_default(),
            );
        }
        let mut index = Self {
            keys,
            table,
            max_group: sizes.iter().max().map_or(0, |size| u64::from(*size)),
            starts,
            rows,
            order,
            nulls_match: spec.nulls_match,
        };
        index.sort();
        Ok(index)
    }

    fn sort(&mut self) {
        let Some(order) = &self.order else { return };
        let mut rest = self.rows.as_mut_slice();
        for pair in self.starts.windows(2) {
            let &[start, end] = pair else { continue };
            let (rows, tail) = rest.split_at_mut((end - start) as usize);
            order.sort(rows);
            rest = tail;
        }
    }

    /// For each row of `df` the group with its key, by the columns `names`; none where no row has it.
    pub fn groups(&self, df: &DataFrame, names: &[String]) -> PolarsResult<Vec<Option<u32>>> {
        let columns = columns(df, names)?;
        let Some(encoded) = encoded(&columns)? else {
            let only = (self.starts.len() > 1).then_some(0);
            return Ok(vec![only; df.height()]);
        };
        let has_key = has_key(&columns, df.height(), self.nulls_match);
        let groups = (0..df.height()).map(|row| {
            if has_key
                .as_ref()
                .is_some_and(|has_key| has_key.get(row) != Some(&true))
            {
                return None;
            }
            let key = encoded.get(row)?;
            find(&self.table, key, |group| self.keys.get(group) == Some(key)).ok()
        });
        Ok(groups.collect())
    }

    /// The rows of a group.
    pub fn rows(&self, group: Option<u32>) -> &[IdxSize] {
        let range = group.and_then(|group| {
            let start = self.starts.get(group as usize)?;
            let end = self.starts.get(group as usize + 1)?;
            Some(*start as usize..*end as usize)
        });
        range.and_then(|range| self.rows.get(range)).unwrap_or_default()
    }

    /// Rows of the largest group.
    pub fn max_group(&self) -> u64 {
        self.max_group
    }

    /// What the rows of a group are sorted by.
    pub fn order(&self) -> Option<&Ordered> {
        self.order.as_ref()
    }
}

fn columns(df: &DataFrame, names: &[String]) -> PolarsResult<Vec<Column>> {
    names
        .iter()
        .map(|name| df.column(name).map(Column::rechunk))
        .collect()
}

/// The keys of all rows as bytes; none when there are no key columns.
fn encoded(columns: &[Column]) -> PolarsResult<Option<BinaryOffsetChunked>> {
    if columns.is_empty() {
        return Ok(None);
    }
    encode_rows_unordered(columns).map(Some)
}

/// Whether each row has a key; none when all have.
fn has_key(columns: &[Column], n_rows: usize, nulls_match: bool) -> Option<Vec<bool>> {
    if nulls_match || columns.iter().all(|column| column.null_count() == 0) {
        return None;
    }
    let mut has_key = vec![true; n_rows];
    for column in columns {
        for (has_key, is_there) in has_key.iter_mut().zip(column.is_not_null().iter()) {
            *has_key &= is_there == Some(true);
        }
    }
    Some(has_key)
}

/// The group of `key`, or the place of the table where it would go.
fn find(table: &[u32], key: &[u8], is_equal: impl Fn(u32) -> bool) -> Result<u32, usize> {
    let mask = table.len().wrapping_sub(1);
    let mut at = usize::try_from(xxh3_64(key) & u64::from(u32::MAX)).unwrap_or_default() & mask;
    loop {
        match table.get(at) {
            None | Some(&NONE) => return Err(at),
            Some(group) if is_equal(*group) => return Ok(*group),
            Some(_) => at = (at + 1) & mask,
        }
    }
}

/// Groups under construction.
struct Groups {
    encoded: Option<BinaryOffsetChunked>,
    table: Vec<u32>,
    /// The first row of each group.
    first: Vec<IdxSize>,
    group_of: Vec<u32>,
    sizes: Vec<u32>,
}

impl Groups {
    fn new(n_rows: usize, encoded: Option<BinaryOffsetChunked>) -> Self {
        Self {
            encoded,
            // At most half of it is used, so that a search is short.
            table: vec![NONE; (2 * n_rows).next_power_of_two().max(8)],
            first: Vec::new(),
            group_of: Vec::with_capacity(n_rows),
            sizes: Vec::new(),
        }
    }

    fn add(&mut self, row: usize, is_in: bool) {
        let group = if is_in { self.group(row) } else { NONE };
        if let Some(size) = self.sizes.get_mut(group as usize).filter(|_| is_in) {
            *size += 1;
        }
        self.group_of.push(group);
    }

    /// The group of a row, a new one for a new key.
    fn group(&mut self, row: usize) -> u32 {
        let new = u32::try_from(self.sizes.len()).unwrap_or(NONE);
        if let Some(encoded) = &self.encoded {
            let key = encoded.get(row).unwrap_or_default();
            let first = &self.first;
            let is_equal = |group: u32| {
                let row = first.get(group as usize).map(|row| *row as usize);
                row.and_then(|row| encoded.get(row)) == Some(key)
            };
            match find(&self.table, key, is_equal) {
                Ok(group) => return group,
                Err(at) => {
                    if let Some(place) = self.table.get_mut(at) {
                        *place = new;
                    }
                }
            }
        } else if new > 0 {
            return 0;
        }
        self.first.push(IdxSize::try_from(row).unwrap_or(IdxSize::MAX));
        self.sizes.push(0);
        new
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};
    use proptest::prelude::{prop, prop_assert_eq, proptest};

    use super::{KeyIndex, KeySpec};

    fn spec(columns: &[&str]) -> KeySpec {
        KeySpec {
            columns: columns.iter().map(ToString::to_string).collect(),
            nulls_match: false,
            order: None,
        }
    }

    fn found(index: &KeyIndex, df: &DataFrame, names: &[&str]) -> Vec<Vec<u32>> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let groups = index.groups(df, &names).unwrap();
        groups
            .into_iter()
            .map(|group| index.rows(group).to_vec())
            .collect()
    }

    #[test]
    fn numbers_meet_that_are_equal_without_being_the_same_bits_and_null_meets_nothing() {
        let rows = df!("k" => [Some(0.0), None, Some(f64::NAN), Some(-0.0), None]).unwrap();
        let asked = df!("x" => [Some(-0.0), Some(-f64::NAN), None, Some(2.0)]).unwrap();
        let index = KeyIndex::new(&rows, &spec(&["k"])).unwrap();
        assert_eq!(
            found(&index, &asked, &["x"]),
            [vec![0, 3], vec![2], vec![], vec![]]
        );
        let with_nulls = KeySpec {
            nulls_match: true,
            ..spec(&["k"])
        };
        let index = KeyIndex::new(&rows, &with_nulls).unwrap();
        assert_eq!(found(&index, &asked, &["x"])[2], [1, 4]);
        assert_eq!(index.max_group(), 2);
    }

    #[test]
    fn several_columns_do_not_run_together_and_no_rows_have_no_groups() {
        let rows = df!("a" => ["x", "xy"], "b" => ["yz", "z"]).unwrap();
        let index = KeyIndex::new(&rows, &spec(&["a", "b"])).unwrap();
        assert_eq!(found(&index, &rows, &["a", "b"]), [[0], [1]]);
        let empty = KeyIndex::new(&rows.clear(), &spec(&["a"])).unwrap();
        assert_eq!(found(&empty, &rows, &["a"]), [vec![], Vec::<u32>::new()]);
        let nothing = KeyIndex::new(&rows.clear(), &spec(&[])).unwrap();
        assert_eq!(found(&nothing, &rows, &[]), [vec![], Vec::<u32>::new()]);
    }

    proptest! {
        #[test]
        fn every_row_is_found_by_its_key_in_the_order_of_the_input(
            keys in prop::collection::vec(prop::option::of(0_i64..20), 0..200),
            asked in prop::collection::vec(prop::option::of(0_i64..25), 0..40),
        ) {
            let rows = df!("k" => &keys).unwrap();
            let index = KeyIndex::new(&rows, &spec(&["k"])).unwrap();
            let expected: Vec<Vec<u32>> = asked
                .iter()
                .map(|key| {
                    let is_equal = |other: &Option<i64>| key.is_some() && other == key;
                    (0_u32..).zip(&keys).filter(|(_, other)| is_equal(other)).map(|(row, _)| row).collect()
                })
                .collect();
            let asked = df!("k" => &asked).unwrap();
            prop_assert_eq!(found(&index, &asked, &["k"]), expected);
        }
    }
}
