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

/// Warnings on a stage whose data are skewed; none on others.
pub fn blind_spots(application: &Application, stage: &StageProfile) -> Vec<String> {
    let is_data = matches!(
        stage.finding.code,
        Verdict::HotKey | Verdict::ZipfTail | Verdict::CollisionSkew
    );
    let (true, Some(key)) = (is_data, &stage.key) else {
        return Vec::new();
    };
    let mut warnings = Vec::new();
    let property = |name: &str| application.properties.get(name).map(String::as_str);
    if property("spark.sql.adaptive.enabled") == Some("false") {
        warnings.push("Adaptive execution is off (spark.sql.adaptive.enabled=false).".to_owned());
    }
    if property("spark.sql.adaptive.skewJoin.enabled") == Some("false") {
        warnings
            .push("Splitting of skewed joins is off (spark.sql.adaptive.skewJoin.enabled=false).".to_owned());
    }
    let Some(side) = key.hot_side() else {
        return warnings;
    };
    let exchange = &side.exchange;
    if !key.is_join() {
        let what = exchange.consumer.as_deref().unwrap_or("this operator");
        warnings.push(format!(
            "Adaptive execution splits skewed joins only: not {what}. Before a write, the REBALANCE hint splits."
        ));
    }
    if let (Some(join_type), Some(is_left)) = (exchange.join_type.as_deref(), exchange.is_left) {
        let may_split = match join_type {
            "Inner" | "Cross" => true,
            "LeftOuter" | "LeftSemi" | "LeftAnti" | "ExistenceJoin" => is_left,
            "RightOuter" => !is_left,
            _ => false,
        };
        if !may_split {
            let name = if is_left { "left" } else { "right" };
            warnings.push(format!(
                "Adaptive execution cannot split the {name} side of a {join_type} join."
            ));
        }
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
    if let Some(hot) = &stage.hot_partition {
        if key.is_join() && hot.n_bytes < SKEW_BYTES {
            warnings.push(format!(
                "The partition has {}: adaptive execution leaves those under 256 MB alone, also where they compute long \
                 (spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes).",
                units::bytes(hot.n_bytes)
            ));
        }
        if side.n_writers == Some(1) {
            warnings.push(
                "One task wrote this shuffle: its partitions are single blocks, which are not split."
                    .to_owned(),
            );
        }
    }
    warnings
}
