//! The profile of a key: its most frequent values, how many there are, how evenly the rows are spread over them.

use polars::prelude::DataType;

use super::SparkType;
use super::counts::{CountedKey, entropy_term};
use super::partitions::HashedKeys;
use super::sentinel::sentinel_of;
use super::types::{Counted, KeyColumn, KeyProfile, KeyShare};
use super::value::KeyValue;
use super::variants::{MAX_KEYS, variants};
use crate::base::{Accuracy, units};
use crate::dataset::dtype_name;

/// Keys that are searched for sentinels, the largest ones.
const MAX_SENTINEL_KEYS: usize = 1_000_000;
const MAX_SENTINELS: usize = 20;

impl HashedKeys {
    /// The profile with the `n_top` most frequent keys.
    pub fn profile(&self, n_top: usize) -> KeyProfile {
        let counts = self.counts();
        let totals = &counts.totals;
        let unseen = &counts.unseen;
        let n_rows = totals.n_rows as f64;
        let share = |n: u64| if n_rows > 0.0 { n as f64 / n_rows } else { 0.0 };
        let (mut entropy, mut squares) = (unseen.entropy_bits, 0.0);
        for key in counts.keys() {
            entropy += entropy_term(share(key.n_rows));
            squares += share(key.n_rows).powi(2);
        }
        if n_rows > 0.0 {
            squares += unseen.square_rows / n_rows.powi(2);
        }
        let distinct = counts.distinct;
        let has_rows = totals.n_rows > 0;
        let normalized =
            (has_rows && distinct.n > 1).then(|| (entropy / (distinct.n as f64).log2()).clamp(0.0, 1.0));
        let top: Vec<KeyShare> = self
            .hashed()
            .take(n_top)
            .map(|(key, hash)| self.share_of(key, hash))
            .collect();
        let sentinels = self.sentinels();
        let is_null = |key: &KeyShare| key.key.iter().all(serde_json::Value::is_null);
        let null_rows = sentinels
            .iter()
            .find(|key| is_null(key))
            .map_or(0, |key| key.n_rows);
        let top_share = self
            .hashed()
            .find(|(key, _)| sentinel_of(&counts.values(key)).is_none())
            .map(|(key, _)| share(key.n_rows));
        KeyProfile {
            columns: counts
                .columns()
                .iter()
                .zip(self.types())
                .map(|((name, dtype), spark_type)| KeyColumn {
                    name: name.clone(),
                    dtype: dtype_name(dtype),
                    spark_type: spark_type.clone(),
                })
                .collect(),
            n_rows: totals.n_rows,
            n_bytes: totals.n_bytes,
            accuracy: totals.accuracy,
            counted: counts.counted,
            distinct,
            top,
            null_share: has_rows.then(|| share(null_rows)),
            entropy_bits: has_rows.then_some(entropy.max(0.0)),
            normalized_entropy: normalized,
            effective_keys: (squares > 0.0).then(|| (1.0 / squares).max(1.0)),
            top_share,
            sentinels,
            variants: variants(self),
            n_normalized: totals.n_normalized,
            notes: self.notes(),
        }
    }

    /// One key with its share.
    pub(super) fn share_of(&self, key: &CountedKey, hash: i32) -> KeyShare {
        let values = self.counts().values(key);
        let is_long = values.iter().any(|value| matches!(value, KeyValue::Long(..)));
        KeyShare {
            key: self.json(&values),
            label: self.label(key),
            n_rows: key.n_rows,
            n_rows_low: key.rows_low,
            n_rows_high: key.rows_high,
            share: key.n_rows as f64 / self.counts().n_rows().max(1) as f64,
            n_bytes: key.n_bytes,
            hash: (!is_long).then_some(hash),
            sentinel: sentinel_of(&values),
        }
    }

    pub(super) fn json(&self, values: &[KeyValue<'_>]) -> Vec<serde_json::Value> {
        values
            .iter()
            .zip(self.counts().columns())
            .map(|(value, (_, dtype))| value.to_json(dtype))
            .collect()
    }

    /// The sentinels among the keys, the most frequent first.
    pub(super) fn sentinels(&self) -> Vec<KeyShare> {
        self.hashed()
            .take(MAX_SENTINEL_KEYS)
            .filter(|(key, _)| sentinel_of(&self.counts().values(key)).is_some())
            .take(MAX_SENTINELS)
            .map(|(key, hash)| self.share_of(key, hash))
            .collect()
    }

    /// What to know of a column that is written with another type than ours.
    fn of_written(&self, name: &str, hashed_as: &SparkType) -> Option<String> {
        let written = self.counts().written_types(name);
        let first = written.first()?;
        let types: Vec<String> = written
            .iter()
            .map(|written| format!("`{}`", written.spark_type))
            .collect();
        if written.iter().any(|written| written.spark_type == *hashed_as) {
            return Some(format!(
                "`{name}` is written as {} and hashed so.",
                types.join(" and ")
            ));
        }
        Some(format!(
            "`{name}` is written as {}, and hashed as {hashed_as} here{}. Where Spark shuffles it as it is written, choose that \
             as its type: `--spark-type \"{name}={}\"`.",
            types.join(" and "),
            if first.is_as_written {
                ""
            } else {
                ", which it is after the recipe's steps"
            },
            first.spark_type
        ))
    }

    fn notes(&self) -> Vec<String> {
        let totals = &self.counts().totals;
        let mut notes = Vec::new();
        if let Counted::Sketch {
            max_error_rows,
            n_sampled,
            ..
        } = self.counts().counted
        {
            let why = match totals.accuracy {
                Accuracy::Partial { .. } => "Cut short, with the keys that there was time to put together",
                _ => "Too many keys for the memory",
            };
            notes.push(format!(
                "{why}: frequent keys are off by at most {}, the number of keys is an estimate, \
                 and the others are represented by {} keys drawn evenly.",
                units::plural(max_error_rows, "row"),
                units::count(n_sampled)
            ));
        }
        for ((name, _), hashed_as) in self.counts().columns().iter().zip(self.types()) {
            notes.extend(self.of_written(name, hashed_as));
        }
        for (name, dtype) in self.counts().columns() {
            match dtype {
                DataType::List(item) => notes.push(format!(
                    "`{name}` is a list, and one key is a whole list: the same items in another order are another key. Spark groups \
                     and joins by arrays so, and hashes their items one after another. To shuffle by the items, `explode` it \
                     first.{}",
                    if is_entry(item) {
                        " If it is a map in Spark, Spark refuses it as a key."
                    } else {
                        ""
                    }
                )),
                DataType::Struct(fields) => notes.push(format!(
                    "`{name}` is a struct, and one key is all its fields together, as Spark groups and joins by structs; it hashes \
                     them one after another. A field alone is a key too{}.",
                    fields.first().map_or_else(String::new, |field| format!(
                        ": `{name}.{}`",
                        field.name()
                    ))
                )),
                _ => {}
            }
        }
        if self.counts().n_set_aside > 0 {
            notes.push(format!(
                "Cancelled: only the {} largest keys were looked at one by one; {} are taken as spread evenly.",
                units::count(self.counts().keys().len() as u64),
                units::plural(self.counts().n_set_aside, "other key")
            ));
        }
        if totals.n_normalized > 0 {
            notes.push(format!(
                "{} hold -0.0 or another form of NaN. Spark's grouping and joins take -0.0 for 0.0 and every NaN for one \
                 key, and so do these counts.",
                units::plural(totals.n_normalized, "row")
            ));
        }
        if totals.n_long > 0 {
            notes.push(format!(
                "{} have keys of more than 1 KB: they are told apart by a hash, and lie in partitions other than Spark's.",
                units::plural(totals.n_long, "row")
            ));
        }
        if self.counts().keys().len() > MAX_KEYS {
            notes.push(format!(
                "Spellings of one key were looked for among the {} most frequent keys.",
                units::count(MAX_KEYS as u64)
            ));
        }
        notes
    }
}

/// The entry of a map, as Parquet's maps are read: a list of structs of a key and a value.
fn is_entry(item: &DataType) -> bool {
    match item {
        DataType::Struct(fields) => fields
            .iter()
            .map(|field| field.name().as_str())
            .eq(["key", "value"]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{IntoColumn as _, IntoSeries as _, NamedFrom as _, Series, StructChunked, df};

    use super::super::testing::{hashed, keys, many};
    use super::super::types::Sentinel;
    use super::super::{CountBudget, Counted};

    #[test]
    fn shares_entropy_and_effective_keys_are_those_of_the_counts() {
        let profile = keys(&[("a", 4), ("b", 2), ("c", 1), ("d", 1)]).profile(2);
        assert_eq!(profile.entropy_bits, Some(1.75));
        assert_eq!(profile.normalized_entropy, Some(0.875));
        let squares = (16.0 + 4.0 + 1.0 + 1.0) / 64.0;
        assert!((profile.effective_keys.unwrap() - 1.0 / squares).abs() < 1e-12);
        assert_eq!((profile.distinct.n, profile.top.len(), profile.n_rows), (4, 2, 8));
        assert_eq!((profile.top[0].label.as_str(), profile.top[0].share), ("a", 0.5));
        assert_eq!((profile.top_share, profile.null_share), (Some(0.5), Some(0.0)));
        // `SELECT hash('a')` on Spark 4.3.
        assert_eq!(profile.top[0].hash, Some(1_485_273_170));
    }

    #[test]
    fn no_rows_and_one_key_have_no_figures_that_divide_by_zero() {
        let none = keys(&[]).profile(10);
        assert_eq!(
            (
                none.entropy_bits,
                none.normalized_entropy,
                none.effective_keys,
                none.null_share,
                none.top_share
            ),
            (None, None, None, None, None)
        );
        let one = keys(&[("a", 3)]).profile(10);
        assert_eq!(
            (one.entropy_bits, one.normalized_entropy, one.effective_keys),
            (Some(0.0), None, Some(1.0))
        );
    }

    #[test]
    fn sentinels_are_named_and_the_top_share_is_of_a_real_key() {
        let df = df!("k" => [None, None, None, Some("DE"), Some("DE"), Some(""), Some("n/a"), Some("FR")])
            .unwrap();
        let profile = hashed(&df, &["k"], CountBudget::default()).profile(10);
        let found: Vec<(Sentinel, u64)> = profile
            .sentinels
            .iter()
            .map(|key| (key.sentinel.unwrap(), key.n_rows))
            .collect();
        assert_eq!(
            found,
            [(Sentinel::Null, 3), (Sentinel::Empty, 1), (Sentinel::Unknown, 1)]
        );
        assert_eq!((profile.null_share, profile.top_share), (Some(0.375), Some(0.25)));
        assert!(profile.notes.is_empty());
    }

    #[test]
    fn minus_zero_and_long_keys_are_said() {
        let df = df!("x" => [0.0, -0.0], "t" => ["y".repeat(5000), "y".repeat(6000)]).unwrap();
        let notes = hashed(&df, &["x", "t"], CountBudget::default())
            .profile(5)
            .notes
            .join("\n");
        assert!(
            notes.contains("1 row hold -0.0") || notes.contains("hold -0.0"),
            "{notes}"
        );
        assert!(notes.contains("keys of more than 1 KB"), "{notes}");
    }

    /// Entropy and effective keys from a sample of the tail are close to those of all keys.
    #[test]
    fn a_sketch_gives_figures_near_the_exact_ones() {
        let exact = many(&[("hot", 60_000)], 60_000, 2);
        let names: Vec<String> = (0..60_000).map(|i| format!("key-{i}")).collect();
        let mut values: Vec<&str> = vec!["hot"; 60_000];
        values.extend(names.iter().flat_map(|name| [name.as_str(); 2]));
        let budget = CountBudget {
            n_bytes: 4 << 20,
            sample_keys: 4000,
        };
        let sketched = hashed(&df!("k" => values).unwrap(), &["k"], budget);
        let (exact, sketched) = (exact.profile(1), sketched.profile(1));
        assert!(matches!(sketched.counted, Counted::Sketch { .. }));
        assert!(sketched.notes[0].starts_with("Too many keys for the memory"));
        let near = |a: Option<f64>, b: Option<f64>| (a.unwrap() / b.unwrap() - 1.0).abs() < 0.03;
        assert!(near(exact.entropy_bits, sketched.entropy_bits), "{sketched:?}");
        assert!(near(exact.effective_keys, sketched.effective_keys));
        assert!(near(exact.top_share, sketched.top_share));
    }

    #[test]
    fn what_a_list_or_a_struct_means_as_a_key_is_said() {
        let tags = [Series::new("".into(), [1_i64]), Series::new("".into(), [2_i64])];
        let place = StructChunked::from_series(
            "place".into(),
            2,
            [Series::new("city".into(), ["Rome", "Oslo"])].iter(),
        )
        .unwrap();
        let entry = StructChunked::from_series(
            "".into(),
            1,
            [
                Series::new("key".into(), ["a"]),
                Series::new("value".into(), [1_i64]),
            ]
            .iter(),
        )
        .unwrap()
        .into_series();
        let mut df = df!("tags" => tags, "map" => [entry.clone(), entry]).unwrap();
        df.with_column(place.into_series().into_column()).unwrap();
        let notes = |column: &str| {
            hashed(&df, &[column], CountBudget::default())
                .profile(2)
                .notes
                .join("\n")
        };
        assert!(
            notes("tags").contains("`explode` it first") && !notes("tags").contains("map in Spark"),
            "{}",
            notes("tags")
        );
        assert!(
            notes("map").contains("If it is a map in Spark, Spark refuses it"),
            "{}",
            notes("map")
        );
        assert!(notes("place").contains("`place.city`"), "{}", notes("place"));
        assert_eq!(notes("place.city"), "");
    }
}
