//! What adaptive execution was set to, and what it would need to split a partition of a join.
//!
//! Sources: `OptimizeSkewedJoin.scala`, `ShufflePartitionsUtil.scala`, Spark's SQL performance guide.

use super::application::Application;
use super::key::{Side, StageKey};
use super::stage::StageProfile;
use crate::base::units;

pub const ENABLED: &str = "spark.sql.adaptive.enabled";
pub const SPLITS_JOINS: &str = "spark.sql.adaptive.skewJoin.enabled";
/// A partition is skewed that has more bytes than this, and more than the factor times the median.
pub const SKEW_BYTES: &str = "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes";
pub const SKEW_FACTOR: &str = "spark.sql.adaptive.skewJoin.skewedPartitionFactor";
pub const PIECE_BYTES: &str = "spark.sql.adaptive.advisoryPartitionSizeInBytes";
pub const FORCES: &str = "spark.sql.adaptive.forceOptimizeSkewedJoin";
/// How many times the others' average a block is reported with its size, where map statuses are averages.
pub const BLOCK_FACTOR: &str = "spark.shuffle.accurateBlockSkewedFactor";
/// Map statuses of more partitions are averages. Source: `HighlyCompressedMapStatus`.
pub const EXACT_PARTITIONS: u64 = 2000;
/// In pieces below this, starting the tasks takes longer than what they do. Source: Spark's own least size of a partition
/// that it merges to.
const LEAST_PIECE: u64 = 1 << 20;

/// The settings of an application, Spark's own defaults where it names none.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own in Spark"
)]
pub struct Adaptive {
    pub is_on: bool,
    /// Off because an older Spark ships it so, and not because the application says so.
    pub is_off_by_default: bool,
    pub splits_joins: bool,
    pub skew_bytes: u64,
    pub skew_factor: f64,
    /// Pieces of a partition that is split are about as large.
    pub piece_bytes: u64,
    pub knows_large_blocks: bool,
    forces: bool,
}

impl Adaptive {
    pub fn of(application: &Application) -> Self {
        let property = |name: &str| application.properties.get(name).map(String::as_str);
        let is = |name: &str, default: bool| property(name).map_or(default, |text| text == "true");
        let default = is_on_by_default(&application.spark_version);
        let is_on = is(ENABLED, default);
        Self {
            is_on,
            is_off_by_default: !is_on && property(ENABLED).is_none(),
            splits_joins: is(SPLITS_JOINS, true),
            skew_bytes: property(SKEW_BYTES).and_then(spark_bytes).unwrap_or(256 << 20),
            skew_factor: property(SKEW_FACTOR)
                .and_then(|text| text.parse().ok())
                .unwrap_or(5.0),
            piece_bytes: property(PIECE_BYTES).and_then(spark_bytes).unwrap_or(64 << 20),
            knows_large_blocks: property(BLOCK_FACTOR).is_some_and(|factor| !factor.starts_with('-')),
            forces: is(FORCES, false),
        }
    }

    /// Whether it saw the largest partition of a join as skewed, and let it be: what follows the join needs its rows as they
    /// lie, so that a split would cost another shuffle.
    pub fn saw_and_left(&self, stage: &StageProfile, key: &StageKey) -> bool {
        let forced = format!("{FORCES}=true");
        let settings = self.settings_to_split(stage, key);
        settings.is_some_and(|settings| settings == [forced])
    }

    /// The settings with which it would split the largest partition of a join; none where no setting helps.
    pub fn settings_to_split(&self, stage: &StageProfile, key: &StageKey) -> Option<Vec<String>> {
        let side = key.hot_side()?;
        let n_bytes = stage.load_bytes.max;
        if side.exchange.may_split() == Some(false) || is_one_block(side) || n_bytes < 2 * LEAST_PIECE {
            return None;
        }
        let mut settings = Vec::new();
        if !self.is_on {
            settings.push(format!("{ENABLED}=true"));
        }
        if !self.splits_joins {
            settings.push(format!("{SPLITS_JOINS}=true"));
        }
        if n_bytes <= self.skew_bytes {
            settings.push(format!("{SKEW_BYTES}={}", setting(n_bytes / 2)));
        }
        // Of tasks that hold several partitions it does not tell how those compare.
        let ratio = stage.load_bytes.max_over_median.filter(|_| !key.is_rearranged());
        if ratio.is_some_and(|ratio| ratio <= self.skew_factor) {
            settings.push(format!("{SKEW_FACTOR}=1.5"));
        }
        if n_bytes < 2 * self.piece_bytes {
            let slots = super::schedule::whole(stage.slots.unwrap_or(1.0)) as u64;
            settings.push(format!("{PIECE_BYTES}={}", setting(n_bytes / slots.clamp(2, 64))));
        }
        if !self.knows_large_blocks && side.exchange.n_partitions.is_some_and(|n| n > EXACT_PARTITIONS) {
            settings.push(format!("{BLOCK_FACTOR}=5.0"));
        }
        // It saw the skew, and let it be where the split would cost another shuffle.
        if settings.is_empty() && !self.forces && !key.is_rearranged() {
            settings.push(format!("{FORCES}=true"));
        }
        (!settings.is_empty()).then_some(settings)
    }
}

/// Whether one task wrote the shuffle: its partitions are single blocks, which are not split.
pub fn is_one_block(side: &Side) -> bool {
    side.n_writers == Some(1)
}

/// Since Spark 3.2. Source: Spark's SQL migration guide.
fn is_on_by_default(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => (major, minor) >= (3, 2),
        _ => true,
    }
}

/// A size as Spark's settings write it, in powers of two, such as `64m` or `1048576`.
fn spark_bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let shift = match unit.trim() {
        "" | "b" => 0,
        "k" | "kb" => 10,
        "m" | "mb" => 20,
        "g" | "gb" => 30,
        "t" | "tb" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// In whole MB of Spark, at least one.
fn setting(n_bytes: u64) -> String {
    format!("{}MB", (n_bytes / LEAST_PIECE).max(1))
}

/// In Spark's own MB, where it is whole in them: the setting is written so.
pub fn mebibytes(n: u64) -> String {
    if n >= 1 << 20 && n.is_multiple_of(1 << 20) {
        format!("{} MB", units::count(n >> 20))
    } else {
        units::bytes(n)
    }
}

#[cfg(test)]
mod tests {
    use super::{Adaptive, is_on_by_default, mebibytes, setting, spark_bytes};
    use crate::profile::events::Application;

    #[test]
    fn sizes_are_read_as_spark_writes_them() {
        let sizes = [
            "256MB",
            "2m",
            "1g",
            "1048576",
            "64kb",
            "10b",
            "lots",
            "99999999999g",
        ];
        assert_eq!(
            sizes.map(spark_bytes),
            [
                Some(256 << 20),
                Some(2 << 20),
                Some(1 << 30),
                Some(1 << 20),
                Some(64 << 10),
                Some(10),
                None,
                None
            ]
        );
        assert_eq!([mebibytes(256 << 20), mebibytes(1000)], ["256 MB", "1.0 KB"]);
        assert_eq!([setting(53_000_000), setting(10)], ["50MB", "1MB"]);
    }

    #[test]
    fn what_a_log_does_not_set_is_the_default_of_its_spark() {
        let of = |version: &str, properties: &[(&str, &str)]| {
            let properties = properties
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            Adaptive::of(&Application {
                spark_version: version.to_owned(),
                properties: properties.collect(),
                ..Application::default()
            })
        };
        let new = of("4.1.0", &[]);
        assert!(new.is_on && new.splits_joins && !new.is_off_by_default);
        assert_eq!((new.skew_bytes, new.piece_bytes), (256 << 20, 64 << 20));
        assert!(of("3.1.2", &[]).is_off_by_default);
        assert!(of("3.1.2", &[(super::ENABLED, "true")]).is_on);
        let off = of("3.5.0", &[(super::ENABLED, "false"), (super::SKEW_BYTES, "16m")]);
        assert!(!off.is_on && !off.is_off_by_default);
        assert_eq!(off.skew_bytes, 16 << 20);
        let versions = ["3.2.0", "3.1.9", "2.4.8", "4.0", "", "master"];
        assert_eq!(
            versions.map(is_on_by_default),
            [true, false, false, true, true, true]
        );
    }
}
