//! What was found about a key, in words, each with its cost and a remedy; what is harmless is said too.

use super::candidates::SPARK_DEFAULT;
use super::diagnosis::{Diagnosis, Dominant, UNEVEN};
use super::extent::Extent;
use super::partitions::HashedKeys;
use super::remedy::{OfferedRemedy, Remedy};
use super::types::{
    KeyProfile, KeyShare, KeyVariants, LoadMetrics, PartitionChoice, Sentinel, SimulatedPartitions,
};
use crate::base::units;
use crate::profile::{CostModel, Finding, FindingCode, Severity};

/// Floors below which a skew is a note: bytes of the largest partition, and partitions.
///
/// Source: NVIDIA's shuffle skew check, 100 MB; a handful of partitions has no median worth comparing with.
const FLOOR_BYTES: f64 = 100e6;
const FLOOR_PARTITIONS: u32 = 10;
const BAD: f64 = 3.0;

/// Everything the findings are made from.
pub(super) struct Evidence<'a> {
    pub keys: &'a HashedKeys,
    pub profile: &'a KeyProfile,
    pub simulated: &'a SimulatedPartitions,
    pub diagnosis: &'a Diagnosis,
    pub remedies: &'a [OfferedRemedy],
    pub choice: &'a PartitionChoice,
    pub extent: Extent,
    pub costs: &'a CostModel,
}

impl Evidence<'_> {
    /// All findings, sorted by cost; what is good comes last.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.profile.n_rows == 0 {
            return vec![finding(
                FindingCode::Harmless,
                Severity::Note,
                "There are no rows".to_owned(),
                format!(
                    "No rows have the key {}: nothing can be said about it.",
                    self.name()
                ),
                String::new(),
                0.0,
            )];
        }
        if self.diagnosis.is_unknown {
            findings.extend(self.diagnosis.hot_sentinels.first().map(|key| self.unknown(key)));
        } else if self.diagnosis.has_value_skew {
            let d = self.diagnosis;
            findings.extend(self.hot(&d.hot_sentinels, d.all_hot_sentinels, FindingCode::SentinelKey));
            findings.extend(self.hot(&d.hot, d.all_hot, FindingCode::HotKey));
        }
        if self.diagnosis.has_too_few_keys {
            findings.push(self.too_few());
        } else if self.diagnosis.has_collision_skew {
            findings.push(self.collision());
        }
        if self.diagnosis.has_long_tail && !self.diagnosis.has_too_few_keys {
            findings.push(self.long_tail());
        }
        findings.extend(
            self.diagnosis
                .dominant
                .as_ref()
                .map(|dominant| self.dominant(dominant)),
        );
        findings.extend(self.variants());
        let is_skewed = self.diagnosis.has_value_skew
            || self.diagnosis.has_collision_skew
            || self.diagnosis.has_too_few_keys
            || self.diagnosis.has_long_tail;
        if !is_skewed || self.diagnosis.is_hidden {
            findings.push(self.harmless(is_skewed));
        }
        findings.sort_by(|a, b| {
            (a.severity == Severity::Good)
                .cmp(&(b.severity == Severity::Good))
                .then(b.cost_seconds.total_cmp(&a.cost_seconds))
                .then(b.severity.cmp(&a.severity))
        });
        let suffix = self.extent.suffix();
        for finding in &mut findings {
            finding.title.push_str(&suffix);
            // Seconds of a sample's rows are nobody's cost.
            if self.extent.times().is_none() {
                finding.cost_seconds = 0.0;
            }
        }
        findings
    }

    /// What to say of another number of partitions, where one is recommended; else that there is no faster one, or that a
    /// sample does not tell.
    fn of_number(&self) -> &'static str {
        match self.choice.recommended {
            Some(n) if n < self.simulated.n_partitions => "Use fewer partitions.",
            Some(n) if n > self.simulated.n_partitions => "Use more partitions.",
            Some(_) => "No other number of partitions is much faster.",
            None => "Count all rows to compare numbers of partitions.",
        }
    }

    fn name(&self) -> String {
        let names: Vec<String> = self
            .profile
            .columns
            .iter()
            .map(|column| format!("`{}`", column.name))
            .collect();
        names.join(", ")
    }

    /// The least of what the ratio, the size and the number of partitions allow.
    fn severity(&self, metrics: &LoadMetrics) -> Severity {
        let unit_bytes =
            self.keys.unit_seconds(self.simulated.weight, self.costs) * self.costs.bytes_per_second;
        let is_small = metrics.max as f64 * unit_bytes < FLOOR_BYTES;
        if is_small || self.simulated.n_partitions < FLOOR_PARTITIONS || metrics.straggler_seconds <= 0.0 {
            return Severity::Note;
        }
        match metrics.max_over_mean {
            Some(ratio) if ratio >= BAD => Severity::Bad,
            _ => Severity::Warn,
        }
    }

    /// The title of the first remedy that is one for this, as advice; else `otherwise`. They come by what they save.
    fn remedy_of(&self, is_for: impl Fn(&Remedy) -> bool, otherwise: &str) -> String {
        self.remedies
            .iter()
            .find(|offered| is_for(&offered.remedy))
            .map_or_else(|| otherwise.to_owned(), |offered| format!("{}.", offered.title))
    }

    fn remedy_of_sentinels(&self, sentinels: &[KeyShare]) -> String {
        let names: Vec<&str> = sentinels.iter().map(|key| key.label.as_str()).collect();
        let otherwise = format!(
            "Filter {} before the shuffle, or fill with values that differ; by itself that makes the largest partition no \
             smaller, because another key makes it.",
            names.join(", ")
        );
        self.remedy_of(
            |remedy| matches!(remedy, Remedy::IsolateSentinels { .. }),
            &otherwise,
        )
    }

    fn remedy_of_hot(&self) -> String {
        // What only saves the start of tasks is nothing against a hot key.
        let found = self.remedies.iter().find(|offered| {
            offered.evens(&self.simulated.metrics)
                && !matches!(offered.remedy, Remedy::IsolateSentinels { .. })
        });
        found.map_or_else(
            || "Broadcast the other side of a join, or split the key by a further column.".to_owned(),
            |offered| format!("{}.", offered.title),
        )
    }

    fn remedy_of_hash(&self, otherwise: &str) -> String {
        self.remedy_of(
            |remedy| {
                matches!(
                    remedy,
                    Remedy::OtherPartitions { .. } | Remedy::CompoundKey { .. }
                )
            },
            otherwise,
        )
    }

    /// One finding for all hot keys of a kind: `named` are the largest, `all` their number and share together.
    fn hot(&self, named: &[KeyShare], all: (u64, f64), code: FindingCode) -> Option<Finding> {
        let (largest, smallest) = (named.first()?, named.last()?);
        let n = self.simulated.n_partitions;
        let even = 1.0 / f64::from(n);
        let row_seconds = self.keys.unit_seconds(super::Weight::Rows, self.costs);
        // The key's partition holds its part of the others too.
        let background = (1.0 - largest.share) * self.profile.n_rows as f64 * even;
        let ideal = self.simulated.metrics.ideal_seconds;
        let cost = ((largest.n_rows as f64 + background) * row_seconds - ideal).max(0.0);
        let (n_hot, share) = all;
        let n_more = n_hot.saturating_sub(named.len() as u64);
        let (title, what) = if let [key] = named {
            (
                format!("{} holds {} of the rows", key.label, units::percent(key.share)),
                format!(
                    "{} has {}, {:.1} × an even share of {n} partitions.{}",
                    key.label,
                    rows_of(key),
                    key.share / even,
                    key.sentinel
                        .map_or_else(String::new, |sentinel| if sentinel.is_sure() {
                            format!(" It is {}, not a value.", sentinel.words())
                        } else {
                            format!(
                                " {} often stands for \"not known\", unless it is meant.",
                                sentinel.words()
                            )
                        })
                ),
            )
        } else {
            let list: Vec<String> = named
                .iter()
                .map(|key| format!("{} {} ({})", key.label, units::percent(key.share), rows_of(key)))
                .collect();
            let more = if n_more == 0 {
                String::new()
            } else {
                format!(" and {} smaller", units::count(n_more))
            };
            let kind = if code == FindingCode::SentinelKey {
                " that may stand for \"not known\""
            } else {
                ""
            };
            (
                format!(
                    "{}{kind} hold {} of the rows",
                    units::plural(n_hot, "key"),
                    units::percent(share)
                ),
                format!(
                    "{}{more}: the first is {:.1} ×, the last named {:.1} × an even share of {n} partitions.",
                    list.join(", "),
                    largest.share / even,
                    smallest.share / even
                ),
            )
        };
        let matters = if self.simulated.metrics.straggler_seconds > 0.0 {
            self.extent.time(cost).map_or_else(String::new, |time| {
                format!(
                    "The slowest of their tasks ends {time} after the others could{}.",
                    self.extent.estimated()
                )
            })
        } else {
            format!(
                "With {} slots the other tasks take longer than any of theirs, so nothing is delayed.",
                self.costs.slots
            )
        };
        let bound = units::plural(whole(1.0 / largest.share.max(f64::MIN_POSITIVE)), "partition");
        Some(finding(
            code,
            self.severity(&self.simulated.metrics),
            title,
            format!(
                "{what} The largest partition is {} the mean; the same keys with even values would give {}. {matters} Beyond \
                 {bound} {} alone is more than an even one: no number makes the largest smaller than {}.",
                ratio(&self.simulated.metrics),
                ratio(&self.simulated.baseline_metrics),
                if named.len() == 1 { "it" } else { "the first" },
                rows_of(largest)
            ),
            if code == FindingCode::SentinelKey {
                self.remedy_of_sentinels(named)
            } else {
                self.remedy_of_hot()
            },
            cost,
        ))
    }

    fn collision(&self) -> Finding {
        let (measured, baseline) = (&self.simulated.metrics, &self.simulated.baseline_metrics);
        let n_keys = self.profile.distinct.n;
        finding(
            FindingCode::CollisionSkew,
            self.severity(baseline),
            format!(
                "{} collide in {}",
                units::plural(n_keys, "key"),
                units::plural(self.simulated.n_partitions.into(), "partition")
            ),
            format!(
                "Even values would be skewed too: {} for {} partitions make the largest {} the mean and leave {} empty, by the \
                 hash alone. Measured: {}. It takes about 50 keys a partition to stay under 1.5.",
                units::plural(n_keys, "key"),
                self.simulated.n_partitions,
                ratio(baseline),
                units::count(baseline.n_empty),
                ratio(measured)
            ),
            self.remedy_of_hash(&format!("Add a column to the key. {}", self.of_number())),
            baseline.straggler_seconds,
        )
    }

    fn too_few(&self) -> Finding {
        let metrics = &self.simulated.metrics;
        let n_keys = self.profile.distinct.n;
        let n = self.simulated.n_partitions;
        finding(
            FindingCode::TooFewKeys,
            self.severity(&self.simulated.baseline_metrics),
            format!("{} cannot fill {n} partitions", units::plural(n_keys, "key")),
            if n_keys == 1 {
                format!(
                    "All rows have one key, so one partition gets them all, however many there are: {} of {n} stay empty.",
                    units::count(metrics.n_empty)
                )
            } else {
                format!(
                    "{} are fewer than the partitions: {} of {n} stay empty, and the largest is {} the mean (with even values {}).",
                    units::plural(n_keys, "key"),
                    units::count(metrics.n_empty),
                    ratio(metrics),
                    ratio(&self.simulated.baseline_metrics)
                )
            },
            self.remedy_of_hash(&format!("Add a column to the key. {}", self.of_number())),
            self.simulated.baseline_metrics.straggler_seconds,
        )
    }

    fn long_tail(&self) -> Finding {
        let (metrics, baseline) = (&self.simulated.metrics, &self.simulated.baseline_metrics);
        let tail = units::times(metrics.p99_over_p50);
        finding(
            FindingCode::LongTail,
            self.severity(metrics),
            format!(
                "Large keys meet: the largest partition is {} the mean",
                ratio(metrics)
            ),
            format!(
                "No single key is as large as an even partition, yet the largest partition is {} the mean, where the same keys with even values would give \
                 {}, and p99 is {tail} the median. The rows are spread as over {} even keys of {}.",
                ratio(metrics),
                ratio(baseline),
                self.profile
                    .effective_keys
                    .map_or_else(|| "–".to_owned(), |n| units::count(whole(n))),
                units::count(self.profile.distinct.n)
            ),
            self.remedy_of(
                |remedy| !matches!(remedy, Remedy::Broadcast { .. }),
                &format!("Let AQE split them where it may, for joins. {}", self.of_number()),
            ),
            metrics.straggler_seconds,
        )
    }

    /// A key that makes no difference at this number of partitions, and will at larger ones.
    fn dominant(&self, dominant: &Dominant) -> Finding {
        let key = &dominant.key;
        let n = self.simulated.n_partitions;
        let now = if self
            .simulated
            .metrics
            .max_over_mean
            .is_none_or(|ratio| ratio < UNEVEN)
        {
            format!(
                "{} hardly notice it: the largest is {} the mean.",
                if n == 1 {
                    "One partition does".to_owned()
                } else {
                    format!("{} partitions", units::count(n.into()))
                },
                ratio(&self.simulated.metrics)
            )
        } else {
            format!(
                "At {n} partitions the largest is {} the mean.",
                ratio(&self.simulated.metrics)
            )
        };
        let (code, remedy) = if key.sentinel.is_some() {
            (
                FindingCode::SentinelKey,
                "Filter these rows before a shuffle over more partitions, or fill them with values that differ.",
            )
        } else {
            (
                FindingCode::HotKey,
                "Stay below that number, or choose the one you will use: what helps then is told with its loads.",
            )
        };
        finding(
            code,
            Severity::Note,
            format!(
                "{} holds {} of the rows, and dominates from {} on",
                key.label,
                units::percent(key.share),
                units::plural(dominant.skewed_from, "partition")
            ),
            format!(
                "{now} All its rows go to one partition: from {} on that is at least 1.5 × the mean, from {} on more than 5 × \
                 the median, where AQE calls it skew, and with Spark's {SPARK_DEFAULT} it would be {:.0} × the mean (h·N + 1 − \
                 h and 1 + h·N / (1 − h), for its share h of N partitions).",
                units::plural(dominant.uneven_from, "partition"),
                units::count(dominant.skewed_from),
                dominant.over_mean(SPARK_DEFAULT)
            ),
            remedy.to_owned(),
            0.0,
        )
    }

    /// All rows have one key, and that is none.
    fn unknown(&self, key: &KeyShare) -> Finding {
        finding(
            FindingCode::SentinelKey,
            Severity::Warn,
            format!("{} holds all rows: {} has no other value", key.label, self.name()),
            if key.sentinel == Some(Sentinel::Null) {
                "No row has a key. An inner join by it drops them all; a grouping, and a shuffle of any other kind, sends all of \
                 them to one partition."
                    .to_owned()
            } else {
                format!(
                    "Every row has {} for its key: a shuffle sends all of them to one partition.",
                    key.sentinel.map_or("one value", Sentinel::words)
                )
            },
            "Choose another key.".to_owned(),
            self.simulated.metrics.straggler_seconds,
        )
    }

    fn variants(&self) -> Option<Finding> {
        const MAX_TOLD: usize = 3;
        self.profile.variants.first()?;
        let n_groups = self.profile.variants.len() as u64;
        let spelled = |group: &KeyVariants| {
            let labels: Vec<String> = group
                .spellings
                .iter()
                .map(|(label, _)| format!("`{label}`"))
                .collect();
            labels.join(", ")
        };
        let told: Vec<String> = self.profile.variants.iter().take(MAX_TOLD).map(spelled).collect();
        Some(finding(
            FindingCode::KeyVariants,
            Severity::Warn,
            format!(
                "{} written in several ways",
                if n_groups == 1 {
                    "One key is".to_owned()
                } else {
                    format!("{} keys are", units::count(n_groups))
                }
            ),
            format!(
                "{} differ only by case, spaces or the form of their Unicode, and are keys of their own to Spark: a join or \
                 a grouping takes them apart. {} have one of them.",
                told.join("; "),
                units::plural(
                    self.profile.variants.iter().map(|group| group.n_rows).sum(),
                    "row"
                )
            ),
            "Normalize the column first, with the step `normalize_text` or `case`.".to_owned(),
            0.0,
        ))
    }

    /// The recommended number, where it is another one; with a space before.
    fn of_other_number(&self) -> String {
        match self.choice.recommended {
            Some(n) if n != self.simulated.n_partitions => format!(" {}", self.choice.advice),
            _ => String::new(),
        }
    }

    fn delays_nothing(&self, metrics: &LoadMetrics) -> String {
        let n = units::count(self.simulated.n_partitions.into());
        let slots = units::plural(self.costs.slots.into(), "slot");
        let largest = metrics.max as f64 * self.keys.unit_seconds(self.simulated.weight, self.costs);
        let compared = match (self.extent.time(largest), self.extent.time(metrics.ideal_seconds)) {
            (Some(largest), Some(ideal)) => format!(
                "The largest of {n} partitions takes {largest}, all work spread over {slots} {ideal}{}",
                self.extent.estimated()
            ),
            _ => format!("The largest of {n} partitions takes less than all work spread over {slots}"),
        };
        format!(
            "{compared}: the stage is bound by its amount. More cores help, another key does not.{}",
            self.of_other_number()
        )
    }

    fn harmless(&self, is_skewed: bool) -> Finding {
        let metrics = &self.simulated.metrics;
        let (title, message) = if is_skewed {
            (
                format!("The skew of {} delays nothing", self.name()),
                self.delays_nothing(metrics),
            )
        } else {
            (
                format!(
                    "{} is even over {}",
                    self.name(),
                    units::plural(self.simulated.n_partitions.into(), "partition"),
                ),
                format!(
                    "The largest partition is {} the mean, with even values it would be {}: nothing to do{}.{}",
                    ratio(metrics),
                    ratio(&self.simulated.baseline_metrics),
                    if self.diagnosis.dominant.is_some() {
                        " at this number"
                    } else {
                        " for the key"
                    },
                    self.of_other_number()
                ),
            )
        };
        finding(
            FindingCode::Harmless,
            Severity::Good,
            title,
            message,
            String::new(),
            0.0,
        )
    }
}

/// `6,018 rows`, or their bounds where sketches counted.
fn rows_of(key: &KeyShare) -> String {
    if key.n_rows_low == key.n_rows_high {
        units::plural(key.n_rows, "row")
    } else {
        format!(
            "{} to {} rows",
            units::count(key.n_rows_low),
            units::count(key.n_rows_high)
        )
    }
}

/// `3.7 ×`, of the mean.
fn ratio(metrics: &LoadMetrics) -> String {
    units::times(metrics.max_over_mean)
}

fn finding(
    code: FindingCode,
    severity: Severity,
    title: String,
    message: String,
    remedy: String,
    cost_seconds: f64,
) -> Finding {
    Finding {
        cost_seconds,
        ..Finding::free(code, severity, title, message, remedy)
    }
}

fn whole(n: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count that is not negative and below 2^53"
    )]
    let whole = n.max(0.0).floor() as u64;
    whole
}
