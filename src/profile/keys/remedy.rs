//! What can be done about a skewed key, as data: what it is, when it applies, and the loads it would give.

use serde::Serialize;
use serde_json::Value;

use super::types::LoadMetrics;

/// A hot key and the salts that spread it over partitions of its own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SaltedKey {
    /// One value a column of the key.
    pub key: Vec<Value>,
    pub label: String,
    /// Ascending; each leads to another partition.
    pub salts: Vec<i32>,
}

/// Something to do about a skewed key.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Remedy {
    /// Hot keys get one of some salts, all others salt 0; rows are shuffled by key and salt.
    Salt {
        columns: Vec<String>,
        n_partitions: u32,
        keys: Vec<SaltedKey>,
    },
    /// Group by key and salt first, then by key alone.
    TwoStageAggregation {
        columns: Vec<String>,
        n_partitions: u32,
        keys: Vec<SaltedKey>,
    },
    /// Rows with these keys are left out, or kept apart.
    IsolateSentinels {
        columns: Vec<String>,
        keys: Vec<Vec<Value>>,
        /// Share of the rows that they are.
        share: f64,
    },
    /// The other side of a join is sent to every executor: no shuffle, no skew.
    Broadcast { columns: Vec<String> },
    /// Another number of partitions.
    OtherPartitions { n_partitions: u32 },
    /// Further columns in the key.
    CompoundKey {
        columns: Vec<String>,
        /// Columns to add whose keys were counted too; empty where none were, and somebody has to choose.
        added: Vec<String>,
    },
}

/// The kinds of remedies, in the words of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RemedyKind {
    Salt,
    TwoStageAggregation,
    IsolateSentinels,
    Broadcast,
    OtherPartitions,
    CompoundKey,
}

impl RemedyKind {
    /// Whether one of them is to be taken and not both. Each is predicted for the key, its rows and the number of partitions
    /// as they are; salts hold for that number and those columns alone, and a broadcast leaves no shuffle to even. Rows that
    /// are kept out first go along with all others, which are then counted without them.
    pub fn excludes(self, other: Self) -> bool {
        self != Self::IsolateSentinels && other != Self::IsolateSentinels
    }
}

impl Remedy {
    pub fn kind(&self) -> RemedyKind {
        match self {
            Self::Salt { .. } => RemedyKind::Salt,
            Self::TwoStageAggregation { .. } => RemedyKind::TwoStageAggregation,
            Self::IsolateSentinels { .. } => RemedyKind::IsolateSentinels,
            Self::Broadcast { .. } => RemedyKind::Broadcast,
            Self::OtherPartitions { .. } => RemedyKind::OtherPartitions,
            Self::CompoundKey { .. } => RemedyKind::CompoundKey,
        }
    }

    /// What to set in Spark for it: `spark.sql.shuffle.partitions=31`. None where it is no setting.
    pub fn spark_setting(&self) -> Option<String> {
        match self {
            Self::OtherPartitions { n_partitions } => {
                Some(format!("spark.sql.shuffle.partitions={n_partitions}"))
            }
            _ => None,
        }
    }
}

/// How far the loads after a remedy can be trusted, for the rows that were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Prediction {
    /// Every row was placed by the rule that will place it.
    Counted,
    /// Some rows fall by chance, or their number is an estimate.
    Estimate,
    /// As good as it can get: if no two rows of a hot key are equal, which was not looked at.
    AtBest,
}

impl Prediction {
    /// `predicted`, `estimated`, `at best`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Counted => "predicted",
            Self::Estimate => "estimated",
            Self::AtBest => "at best",
        }
    }
}

/// A remedy that applies, with what it would give.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfferedRemedy {
    pub remedy: Remedy,
    /// One line.
    pub title: String,
    /// What becomes smaller by it, and by how much, as predicted; empty where that is not known.
    pub gain: String,
    /// What it does and what it costs.
    pub message: String,
    /// Where it does not hold.
    pub limits: String,
    /// Loads by partition id afterwards; empty where there is no shuffle any more or they cannot be known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub loads: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<LoadMetrics>,
    /// Of the loads and of what follows from them; none where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prediction: Option<Prediction>,
    /// Predicted wall time before minus after; none where it is not known how many rows there are in all.
    pub saved_seconds: Option<f64>,
}

impl OfferedRemedy {
    /// Whether the largest partition becomes smaller by it, or there are none any more. Fewer partitions may save the start of
    /// tasks and be less even.
    pub(super) fn evens(&self, now: &LoadMetrics) -> bool {
        self.after.as_ref().is_none_or(|after| after.max < now.max)
    }
}

/// A remedy that one might expect here and that would not help, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeclinedRemedy {
    /// As the kind of a [`Remedy`]: `salt`.
    pub kind: &'static str,
    /// One line: `Salts`.
    pub title: &'static str,
    /// A sentence.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::RemedyKind;

    #[test]
    fn one_way_to_spread_a_key_is_enough_and_rows_that_are_kept_out_go_along_with_each() {
        let spreading = [
            RemedyKind::Salt,
            RemedyKind::TwoStageAggregation,
            RemedyKind::Broadcast,
            RemedyKind::OtherPartitions,
            RemedyKind::CompoundKey,
        ];
        for kind in spreading {
            assert!(spreading.iter().all(|other| kind.excludes(*other)));
            let out = RemedyKind::IsolateSentinels;
            assert!(!kind.excludes(out) && !out.excludes(kind) && !out.excludes(out));
        }
        assert_eq!(
            serde_json::to_value(RemedyKind::TwoStageAggregation).unwrap(),
            "two_stage_aggregation"
        );
    }
}
