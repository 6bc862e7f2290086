//! Where Spark's adaptive execution does not see a skew that the log shows, as warnings.
//!
//! Sources: `OptimizeSkewedJoin.scala`, `ShufflePartitionsUtil.scala`, SPARK-36967, Spark's SQL performance guide.

use super::adaptive::{
    Adaptive, BLOCK_FACTOR, ENABLED, EXACT_PARTITIONS, FORCES, SKEW_BYTES, SKEW_FACTOR, SPLITS_JOINS,
    is_one_block, mebibytes,
};
use super::key::{Side, StageKey};
use super::stage::StageProfile;
use super::verdict::Verdict;
use crate::base::units;

/// Warnings on a stage whose data are skewed; none on others.
pub fn blind_spots(adaptive: &Adaptive, stage: &StageProfile) -> Vec<String> {
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
        let (what, instead) = match exchange.consumer.as_deref() {
            Some(consumer) => (consumer, ""),
            None if key.is_range() => ("a sort", ""),
            // What is only placed anew may be placed otherwise.
            None => ("what repartitions", " Before a write, the REBALANCE hint splits."),
        };
        return vec![format!(
            "Adaptive execution splits skewed joins of two shuffles only: not {what}.{instead}"
        )];
    }
    // It has seen this skew, and split it.
    if key.is_split() {
        return Vec::new();
    }
    of_join(adaptive, stage, key, side)
}

fn of_join(adaptive: &Adaptive, stage: &StageProfile, key: &StageKey, side: &Side) -> Vec<String> {
    let exchange = &side.exchange;
    let mut warnings = Vec::new();
    if adaptive.is_off_by_default {
        warnings.push(format!(
            "Adaptive execution is off, as it is before Spark 3.2 unless {ENABLED} is true."
        ));
    } else if !adaptive.is_on {
        warnings.push(format!("Adaptive execution is off ({ENABLED}=false)."));
    }
    if !adaptive.splits_joins {
        warnings.push(format!(
            "Splitting of skewed joins is off ({SPLITS_JOINS}=false)."
        ));
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
        && !adaptive.knows_large_blocks
    {
        warnings.push(format!(
            "With {} partitions Spark keeps averages of block sizes, and sees no skew below 100 MB a block: set \
             {BLOCK_FACTOR}=5.0.",
            units::count(n)
        ));
    }
    let is_merged = key.is_rearranged();
    if n_bytes <= adaptive.skew_bytes {
        let what = if is_merged {
            "The partitions of the task have together"
        } else {
            "The partition has"
        };
        warnings.push(format!(
            "{what} {}: adaptive execution leaves those of at most {} alone, also where they compute long \
             ({SKEW_BYTES}).",
            units::bytes(n_bytes),
            mebibytes(adaptive.skew_bytes),
        ));
    }
    // Of tasks that hold several partitions it does not tell how those compare.
    let ratio = stage.load_bytes.max_over_median.filter(|_| !is_merged);
    if let Some(ratio) = ratio.filter(|ratio| *ratio <= adaptive.skew_factor) {
        warnings.push(format!(
            "The partition has {ratio:.1} × the median of the bytes: adaptive execution splits above {:.1} × \
             ({SKEW_FACTOR}).",
            adaptive.skew_factor
        ));
    }
    if stage.hot_partition.is_some() && is_one_block(side) {
        warnings.push(
            "One task wrote this shuffle: its partitions are single blocks, which are not split.".to_owned(),
        );
    }
    if adaptive.saw_and_left(stage, key) {
        warnings.push(format!(
            "The partition is above the thresholds of adaptive execution, which left it whole: what follows the join needs \
             its rows together, and a split would add a shuffle ({FORCES})."
        ));
    }
    warnings
}
