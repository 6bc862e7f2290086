//! Figures of texts: the least and greatest by bytes, lengths in characters, distinct and frequent ones.

use super::distinct::Distinct;
use super::frequent::{Frequent, Kept, shortened};
use super::numbers::{Kind, Numbers};
use super::{ColumnProfile, Level, Scalar, ValueSample};

#[derive(Debug, Clone)]
pub(super) struct Texts {
    level: Level,
    min: Option<Box<str>>,
    max: Option<Box<str>>,
    n_empty: u64,
    distinct: Distinct,
    frequent: Frequent,
    lengths: Numbers,
}

impl Texts {
    pub(super) fn new(level: Level) -> Self {
        Self {
            level,
            min: None,
            max: None,
            n_empty: 0,
            distinct: Distinct::default(),
            frequent: Frequent::default(),
            lengths: Numbers::new(Kind::Integers, level),
        }
    }

    pub(super) fn add<'a>(&mut self, values: impl Iterator<Item = &'a str> + Clone) {
        let (mut min, mut max): (Option<&str>, Option<&str>) = (None, None);
        for value in values.clone() {
            if min.is_none_or(|min| value < min) {
                min = Some(value);
            }
            if max.is_none_or(|max| value > max) {
                max = Some(value);
            }
            self.n_empty += u64::from(value.is_empty());
            let hash = ValueSample::hash_of(value);
            self.distinct.add(hash);
            if self.level == Level::Full {
                self.frequent.add(hash, 1, || Kept::text(value));
            }
        }
        if let Some(min) = min {
            self.lower(min);
        }
        if let Some(max) = max {
            self.raise(max);
        }
        if self.level == Level::Full {
            let lengths = values.map(|value| i64::try_from(value.chars().count()).unwrap_or(i64::MAX));
            self.lengths.add_ints(lengths);
        }
    }

    fn lower(&mut self, value: &str) {
        if self.min.as_deref().is_none_or(|min| value < min) {
            self.min = Some(value.into());
        }
    }

    fn raise(&mut self, value: &str) {
        if self.max.as_deref().is_none_or(|max| value > max) {
            self.max = Some(value.into());
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        if let Some(min) = &other.min {
            self.lower(min);
        }
        if let Some(max) = &other.max {
            self.raise(max);
        }
        self.n_empty += other.n_empty;
        self.distinct.merge(other.distinct);
        self.frequent.merge(other.frequent);
        self.lengths.merge(other.lengths);
    }

    pub(super) fn fill(self, profile: &mut ColumnProfile) {
        profile.n_distinct = Some(self.distinct.n().min(profile.n_values()));
        profile.accuracy.n_distinct = self.distinct.accuracy();
        profile.min = self.min.map(|text| Scalar::Text(shortened(&text)));
        profile.max = self.max.map(|text| Scalar::Text(shortened(&text)));
        profile.n_empty = Some(self.n_empty);
        if self.level == Level::Full {
            profile.lengths = self.lengths.lengths();
            let n_values = profile.n_values();
            profile.top = super::profiler::top(&self.frequent, n_values, |kept| match kept {
                Kept::Text(text) => Scalar::Text(text.to_string()),
                Kept::Int(value) => Scalar::Int(*value),
                Kept::Float(value) => Scalar::Float(*value),
            });
            profile.accuracy.top = self.frequent.accuracy();
            profile.sample = (n_values > 0).then(|| self.frequent.sample());
        }
    }
}
