//! Where Spark's adaptive execution does not see a skew that the log shows, as warnings.
//!
//! Sources: `OptimizeSkewedJoin.scala`, `ShufflePartitionsUtil.scala`, SPARK-36967, Spark's SQL performance guide.

use super::application::Application;
use super::stage::StageProfile;
use super::verdict::Verdict;
use crate::base::units;

/// Map statuses of more partitions are averages. Source: `HighlyCompressedMapStatus`.
const EXACT_PARTITIONS: u64 = 2000;
/// Default of `spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes`.
const SKEW_BYTES: u64 = 256 << 20;
const SKEW_BYTES_NAME: &str = "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes";
/// Default of `spark.sql.adaptive.skewJoin.skewedPartitionFactor`.
const SKEW_FACTOR: f64 = 5.0;
const SKEW_FACTOR_NAME: &str = "spark.sql.adaptive.skewJoin.skewedPartitionFactor";

/// Warnings on a stage whose data are skewed; none on others.
pub fn blind_spots(application: &Application, stage: &StageProfile) -> Vec<String> {
    let is_data = matches!(
        stage.finding.code,
        Verdict::HotKey | Verdict::ZipfTail | Verdict::CollisionSkew
    );
    let (true, Some(key)) = (is_data, &stage.key) else {
        return Vec::new();
    };
    let Some(side) = key.hot_side() else {
        return Vec::new();
    };
    let exchange = &side.exchange;
    if !key.is_join() {
        let what = exchange.consumer.as_deref().unwrap_or("this operator");
        return vec![format!(
            "Adaptive execution splits skewed joins of two shuffles only: not {what}. Before a write, the REBALANCE hint \
             splits."
        )];
    }
    // It has seen this skew, and split it.
    if key.is_split() {
        return Vec::new();
    }
    let mut warnings = Vec::new();
    let property = |name: &str| application.properties.get(name).map(String::as_str);
    if property("spark.sql.adaptive.enabled") == Some("false") {
        warnings.push("Adaptive execution is off (spark.sql.adaptive.enabled=false).".to_owned());
    }
    if property("spark.sql.adaptive.skewJoin.enabled") == Some("false") {
        warnings
            .push("Splitting of skewed joins is off (spark.sql.adaptive.skewJoin.enabled=false).".to_owned());
    }
    let n_bytes = stage.load_bytes.max;
    if let (Some(join_type), Some(false), Some(is_left)) = (
        exchange.join_type.as_deref(),
        exchange.may_split(),
        exchange.is_left,
    ) {
        let name = if is_left { "left" } else { "right" };
        let is_sure = key.sides.len() < 2 || join_type == "FullOuter" || key.is_side_sure(n_bytes);
        let when = if is_sure {
            ""
        } else {
            ", which is the larger one here"
        };
        warnings.push(format!(
            "Adaptive execution cannot split the {name} side of a {join_type} join{when}."
        ));
    }
    if let Some(n) = exchange.n_partitions.filter(|n| *n > EXACT_PARTITIONS)
        && property("spark.shuffle.accurateBlockSkewedFactor").is_none_or(|factor| factor.starts_with('-'))
    {
        warnings.push(format!(
            "With {} partitions Spark keeps averages of block sizes, and sees no skew below 100 MB a block: set \
             spark.shuffle.accurateBlockSkewedFactor=5.0.",
            units::count(n)
        ));
    }
    let least = property(SKEW_BYTES_NAME)
        .and_then(spark_bytes)
        .unwrap_or(SKEW_BYTES);
    let factor = property(SKEW_FACTOR_NAME)
        .and_then(|text| text.parse().ok())
        .unwrap_or(SKEW_FACTOR);
    if n_bytes <= least {
        warnings.push(format!(
            "The partition has {}: adaptive execution leaves those of at most {} alone, also where they compute long \
             ({SKEW_BYTES_NAME}).",
            units::bytes(n_bytes),
            mebibytes(least),
        ));
    }
    if let Some(ratio) = stage.load_bytes.max_over_median.filter(|ratio| *ratio <= factor) {
        warnings.push(format!(
            "The partition has {ratio:.1} × the median of the bytes: adaptive execution splits above {factor:.1} × \
             ({SKEW_FACTOR_NAME})."
        ));
    }
    if stage.hot_partition.is_some() && side.n_writers == Some(1) {
        warnings.push(
            "One task wrote this shuffle: its partitions are single blocks, which are not split.".to_owned(),
        );
    }
    warnings
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

/// In Spark's own MB, where it is whole in them: the setting is written so.
fn mebibytes(n: u64) -> String {
    if n >= 1 << 20 && n.is_multiple_of(1 << 20) {
        format!("{} MB", units::count(n >> 20))
    } else {
        units::bytes(n)
    }
}

#[cfg(test)]
mod tests {
    use super::{mebibytes, spark_bytes};

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
    }
}
