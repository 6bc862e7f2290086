//! Where Spark's adaptive execution would not help, although one might count on it.
//!
//! Source: Spark `OptimizeSkewedJoin.scala`, `ShufflePartitionsUtil.scala`, docs/sql-performance-tuning.md; SPARK-36967 and
//! SPARK-48290 for the sizes above 2,000 partitions.

use super::extent::Extent;
use super::partitions::HashedKeys;
use super::types::{AqeWarning, SimulatedPartitions, Weight};
use crate::base::units;
use crate::profile::CostModel;

/// A partition is skewed for AQE above this multiple of the median and this size.
const FACTOR: f64 = 5.0;
const FLOOR_BYTES: f64 = 256e6;
/// From here on a map task tells the sizes of its outputs as averages.
const FLAT_SIZES: u32 = 2000;
/// Below this a skew is not worth a warning.
const SKEWED: f64 = 1.5;

/// The warnings that apply to a key that is skewed over `simulated`.
pub(super) fn warnings(
    keys: &HashedKeys,
    simulated: &SimulatedPartitions,
    costs: &CostModel,
) -> Vec<AqeWarning> {
    let metrics = &simulated.metrics;
    if metrics.max_over_mean.is_none_or(|ratio| ratio < SKEWED) {
        return Vec::new();
    }
    let unit_bytes = keys.unit_seconds(simulated.weight, costs) * costs.bytes_per_second;
    let max_bytes = metrics.max as f64 * unit_bytes;
    let mut warnings = vec![warning(
        "AQE splits joins only".to_owned(),
        "Adaptive execution splits skewed partitions of sort-merge and shuffled hash joins. It never does for aggregations, \
         windows and `repartition`; nor the right side of a left outer, semi or anti join, the left side of a right outer join, \
         or any side of a full outer join. Where splitting would add a shuffle it is left out too, unless \
         `spark.sql.adaptive.forceOptimizeSkewedJoin` is set. For writing there is the hint `REBALANCE`."
            .to_owned(),
    )];
    // AQE takes the median of all partitions. Where more than half are empty it is nothing, and the floor alone counts.
    match over_median(simulated) {
        Some(ratio) if ratio < FACTOR => warnings.push(warning(
            format!("AQE does not call this skew: {ratio:.1} × the median is under its factor of 5"),
            "`spark.sql.adaptive.skewJoin.skewedPartitionFactor` is 5.0: partitions below five times the median are left \
             as they are."
                .to_owned(),
        )),
        // How large the partitions are of all rows, a sample of unknown part does not tell.
        _ if max_bytes < FLOOR_BYTES && Extent::of(keys).times().is_some() => warnings.push(warning(
            format!("AQE does not split the largest partition: {} is under its floor of 256 MB", as_bytes(max_bytes)),
            "`spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes` is 256 MB of compressed shuffle data. Where a row \
             costs much time (functions in Python, joins that multiply rows), lower it."
                .to_owned(),
        )),
        _ => {}
    }
    if simulated.n_partitions > FLAT_SIZES {
        warnings.push(warning(
            format!("AQE sees no skew with {} partitions", units::count(simulated.n_partitions.into())),
            "Above 2,000 partitions Spark keeps only the average size of small map outputs, so that skew is invisible to \
             AQE. Set `spark.shuffle.accurateBlockSkewedFactor` to 5.0, or use fewer partitions."
                .to_owned(),
        ));
    }
    let one_key = simulated
        .hottest
        .first()
        .and_then(|hot| Some((hot, hot.keys.first()?)))
        .filter(|(hot, (_, share))| *share > 0.5 * hot.share);
    if let Some((_, (label, _))) = one_key {
        warnings.push(warning(
            format!("AQE splits by map task, not by row: `{label}` stays whole where one task wrote it"),
            "A skewed partition is split between the outputs of map tasks. Rows of one key that one map task wrote stay \
             together, so few large input files leave little to split."
                .to_owned(),
        ));
    }
    if simulated.weight == Weight::Rows && warnings.len() > 1 {
        // One sentence for all of them: sizes here are of rows in memory.
        if let Some(last) = warnings.last_mut() {
            last.message
                .push_str(" Sizes here are of rows in memory; shuffle files are compressed, and smaller.");
        }
    }
    warnings
}

/// The largest partition over the median of all, empty ones too; none where that is 0.
fn over_median(simulated: &SimulatedPartitions) -> Option<f64> {
    let mut loads = simulated.loads.clone();
    loads.sort_unstable();
    let at = loads.len() / 2;
    let upper = *loads.get(at)?;
    let lower = if loads.len().is_multiple_of(2) {
        loads.get(at.checked_sub(1)?).copied()?
    } else {
        upper
    };
    let median = f64::midpoint(upper as f64, lower as f64);
    (median > 0.0).then(|| simulated.metrics.max as f64 / median)
}

fn warning(title: String, message: String) -> AqeWarning {
    AqeWarning { title, message }
}

fn as_bytes(bytes: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a size is not negative and below 2^63"
    )]
    let whole = bytes.max(0.0) as u64;
    units::bytes(whole)
}

#[cfg(test)]
mod tests {
    use super::super::Weight;
    use super::super::testing::many;
    use super::warnings;
    use crate::profile::CostModel;

    fn titles(others: &[(&str, usize)], n_keys: usize, n: u32) -> String {
        let (keys, costs) = (many(others, n_keys, 1), CostModel::default());
        let simulated = keys.simulate(n, Weight::Rows, &costs);
        let titles: Vec<String> = warnings(&keys, &simulated, &costs)
            .into_iter()
            .map(|w| w.title)
            .collect();
        titles.join("\n")
    }

    #[test]
    fn each_blind_spot_is_named_where_it_applies_and_only_there() {
        assert_eq!(titles(&[], 50_000, 20), "", "even keys need no warning");
        let hot = titles(&[("hot", 9000)], 20_000, 200);
        assert!(
            hot.contains("joins only") && hot.contains("under its floor of 256 MB"),
            "{hot}"
        );
        assert!(
            hot.contains("`hot` stays whole") && !hot.contains("factor of 5"),
            "{hot}"
        );
        // Ten keys leave most of 200 partitions empty, whose median is nothing to AQE.
        let few = titles(&[], 10, 200);
        assert!(
            few.contains("under its floor of 256 MB") && !few.contains("factor of 5"),
            "{few}"
        );
        let mild = titles(&[("hot", 300)], 20_000, 200);
        assert!(mild.contains("under its factor of 5"), "{mild}");
        assert!(titles(&[("hot", 9000)], 20_000, 3000).contains("no skew with 3,000 partitions"));
    }
}
