//! A verdict in words: its title, its evidence with figures, whether it costs time, and the remedy.

use super::adaptive::Adaptive;
use super::key::StageKey;
use super::stage::{HotPartition, StageProfile, seconds};
use super::verdict::{Verdict, even_keys_over_mean, keys_of, slow_host};
use crate::base::units;

/// Spark broadcasts a side of 10 MB by itself; ten times that is still cheap to send.
const BROADCAST_BYTES: u64 = 100_000_000;

fn by_key(stage: &StageProfile) -> String {
    let Some(key) = &stage.key else {
        return String::new();
    };
    let columns = key.text();
    match (key.consumer(), columns.is_empty()) {
        (Some(consumer), false) => format!(" in {consumer} by {columns}"),
        (Some(consumer), true) => format!(" in {consumer}"),
        (None, false) => format!(" by {columns}"),
        (None, true) => String::new(),
    }
}

pub fn evidence(code: Verdict, stage: &StageProfile) -> (String, String) {
    let n = stage.outcomes.n_success;
    let tasks = units::plural(n, "task");
    let longest = units::seconds(seconds(stage.run_ms.max as f64));
    let median = units::seconds(seconds(stage.run_ms.p50 as f64));
    let time = if n == 1 {
        format!("The task ran {longest}")
    } else {
        format!("The longest task ran {longest}, the middle one {median}")
    };
    match code {
        Verdict::HotKey | Verdict::ZipfTail | Verdict::CollisionSkew | Verdict::UnevenInput => {
            load_evidence(code, stage)
        }
        Verdict::ComputeSkew => (
            format!("Some tasks run long on ordinary data{}", by_key(stage)),
            if stage.load_bytes.total + stage.load_records.total == 0 {
                format!(
                    "{time}; the log tells of no data that they read: the time goes into the computation."
                )
            } else {
                format!("{time}, while bytes and records are even: the time goes into the computation.")
            },
        ),
        Verdict::WarmUp => (
            "The slow tasks are the first ones of their executors".to_owned(),
            format!("{time}; they loaded classes, compiled code and opened connections, on ordinary data."),
        ),
        Verdict::BadNode => {
            let host = slow_host(stage).unwrap_or("one host");
            (
                format!("All slow tasks ran on {host}"),
                format!("{time}; tasks of {host} are slower than those of other hosts, on ordinary data."),
            )
        }
        Verdict::FetchWait => (
            "Tasks wait for shuffle blocks".to_owned(),
            format!(
                "{} of the run time is waiting for blocks of other executors. {time}.",
                units::percent(stage.fetch_wait_share.unwrap_or(0.0))
            ),
        ),
        Verdict::MemoryPressure => memory_evidence(stage, &tasks),
        Verdict::OverPartitioned => (
            format!("{} tasks of {median}", units::count(n)),
            format!(
                "They ran {} in all, and took {} with starting and reporting.",
                units::seconds(seconds(stage.run_ms.total as f64)),
                units::seconds(stage.task_seconds)
            ),
        ),
        Verdict::UnderPartitioned => (
            format!("{tasks} for {:.0} slots", stage.slots.unwrap_or(0.0)),
            format!("{time}; the other slots had nothing to do."),
        ),
        Verdict::ExecutorImbalance => {
            let busiest = stage
                .executors
                .iter()
                .max_by(|a, b| a.run_seconds.total_cmp(&b.run_seconds));
            let (name, run) = busiest.map_or(("", 0.0), |executor| {
                (executor.executor.as_str(), executor.run_seconds)
            });
            (
                "Even tasks, unevenly shared".to_owned(),
                format!(
                    "Executor {name} ran {} of {} of task time, though the tasks are alike.",
                    units::seconds(run),
                    units::seconds(seconds(stage.run_ms.total as f64))
                ),
            )
        }
        Verdict::IdleSlots => idle_evidence(stage, &tasks, &time),
        Verdict::FailedTasks => failed_evidence(stage),
        Verdict::NoResult => (
            "No task has succeeded".to_owned(),
            stage
                .failure
                .clone()
                .unwrap_or_else(|| "The stage did not end in this log.".to_owned()),
        ),
        Verdict::Even => ("Even".to_owned(), format!("{tasks}. {time}.")),
    }
}

fn memory_evidence(stage: &StageProfile, tasks: &str) -> (String, String) {
    let n_spilled = stage.bytes_spilled.n - stage.bytes_spilled.n_zero;
    let spilled = match n_spilled {
        0 => "no task spilled".to_owned(),
        _ => format!(
            "{} of {tasks} spilled, {} in all",
            units::count(n_spilled),
            units::bytes(stage.bytes_spilled.total)
        ),
    };
    (
        "Memory is short".to_owned(),
        format!(
            "{} of the run time is garbage collection; {spilled}.",
            units::percent(stage.gc_share.unwrap_or(0.0)),
        ),
    )
}

/// How many tasks the last wave holds beside its slots, where that leaves most of them idle.
fn last_wave(stage: &StageProfile) -> Option<(u64, u64)> {
    let slots = super::schedule::whole(stage.slots?) as u64;
    let n_last = stage.outcomes.n_success % slots;
    let lost = seconds(stage.duration_ms.p50 as f64) * (slots - n_last) as f64 / slots as f64;
    (n_last > 0 && lost * 2.0 >= stage.unused_seconds?).then_some((n_last, slots))
}

fn idle_evidence(stage: &StageProfile, tasks: &str, time: &str) -> (String, String) {
    let why = match last_wave(stage) {
        Some((n_last, slots)) => format!(
            "the last wave has {} for {}",
            units::plural(n_last, "task"),
            units::plural(slots, "slot")
        ),
        None => "slots came late, or waited between tasks".to_owned(),
    };
    (
        "Even tasks, and slots that stood idle".to_owned(),
        format!(
            "{tasks} on {:.1} slots: all work is {} of them, the stage took {}; {why}. {time}.",
            stage.slots.unwrap_or(0.0),
            minutes(stage.wall_seconds.unwrap_or(0.0) - stage.unused_seconds.unwrap_or(0.0)),
            minutes(stage.wall_seconds.unwrap_or(0.0)),
        ),
    )
}

fn failed_evidence(stage: &StageProfile) -> (String, String) {
    let outcomes = &stage.outcomes;
    let attempts = units::plural(outcomes.n_failed + outcomes.n_killed, "attempt");
    let reason = stage.failures.first().map_or_else(String::new, |kind| {
        format!(
            " {} failed of: {}.",
            units::count(kind.n),
            kind.reason.trim_end_matches('.')
        )
    });
    let lost = format!(
        "{attempts} without a result took {} beside {} of useful task time.{reason}",
        units::seconds(outcomes.lost_seconds),
        units::seconds(stage.task_seconds)
    );
    match &stage.failure {
        Some(failure) => {
            let end = if stage.is_retried {
                "The stage failed, and was tried again"
            } else {
                "The stage failed"
            };
            (
                end.to_owned(),
                format!("{}. {lost}", failure.trim_end_matches('.')),
            )
        }
        None => (format!("{attempts} without a result"), lost),
    }
}

fn load_evidence(code: Verdict, stage: &StageProfile) -> (String, String) {
    let Some(hot) = &stage.hot_partition else {
        return (String::new(), String::new());
    };
    let (share, unit) = (hot.share(), hot.by.word());
    let is_split = stage.key.as_ref().is_some_and(StageKey::is_split);
    let (noun, name) = match (code, hot.is_shuffle_partition) {
        (Verdict::UnevenInput, _) => ("split", "Split"),
        (_, true) => ("partition", "Partition"),
        (_, false) => ("task", "Task"),
    };
    let by = by_key(stage);
    let title = match code {
        Verdict::ZipfTail => format!(
            "{} large {noun}s of {}{by}",
            stage.n_heavy, stage.outcomes.n_success
        ),
        Verdict::CollisionSkew => format!("Few keys share {noun}s by chance{by}"),
        _ if is_split => format!(
            "{} of {} hold a hot key in pieces{by}",
            units::plural(stage.n_heavy.max(1), "task"),
            stage.outcomes.n_success
        ),
        _ => format!(
            "{name} {} holds {} of the {unit}{by}",
            hot.partition,
            units::percent(share)
        ),
    };
    let mut sentences = vec![format!(
        "{name} {} has {} of {} records and {} of {}, {:.1} × the median; its task ran {}, the middle one {}.",
        hot.partition,
        units::count(hot.n_records),
        units::count(stage.load_records.total),
        units::bytes(hot.n_bytes),
        units::bytes(stage.load_bytes.total),
        hot.times_median,
        units::seconds(hot.run_seconds),
        units::seconds(seconds(stage.run_ms.p50 as f64)),
    )];
    sentences.push(when(stage, hot));
    if is_split {
        sentences.push(" Adaptive execution has split large partitions already.".to_owned());
    } else if let Some(n) = stage.key.as_ref().and_then(StageKey::n_merged) {
        sentences.push(format!(
            " Adaptive execution merged {} into {}, and split none.",
            units::plural(n, "partition"),
            units::plural(stage.outcomes.n_success, "task")
        ));
    }
    if let Some(partition) = null_partition(stage) {
        sentences.push(format!(
            " Rows whose key is null fall on partition {partition}: Spark hashes null to 42."
        ));
    }
    if seconds(stage.run_ms.max as f64) > hot.run_seconds
        && let Some(longest) = stage.slowest.first()
    {
        let wave = if longest.is_first {
            ", in the first wave of its executor"
        } else {
            ""
        };
        sentences.push(format!(
            " The longest task is another: partition {} with {} records ran {}{wave}.",
            longest.partition,
            units::count(longest.n_records),
            units::seconds(longest.run_seconds),
        ));
    }
    if stage.bytes_spilled.max > 0 && code == Verdict::HotKey {
        let n_spilled = stage.bytes_spilled.n - stage.bytes_spilled.n_zero;
        sentences.push(format!(
            " {} spilled, {} in all.",
            units::plural(n_spilled, "task"),
            units::bytes(stage.bytes_spilled.total)
        ));
    }
    if code == Verdict::CollisionSkew {
        let loads = &stage.load_records;
        let n_keys = keys_of(loads.n, loads.n_zero).unwrap_or(0);
        sentences.push(format!(
            " {} of {} partitions are empty, as about {} keys leave them; that many even keys would lie {:.1} × the \
             mean, these lie {:.1} ×.",
            units::count(loads.n_zero),
            units::count(loads.n),
            units::count(n_keys),
            even_keys_over_mean(n_keys, loads.n),
            loads.max_over_mean.unwrap_or(0.0)
        ));
    }
    (title, sentences.concat())
}

/// When the hot task ran, where the stage waited for it.
fn when(stage: &StageProfile, hot: &HotPartition) -> String {
    let wall = stage.wall_seconds.unwrap_or(0.0);
    if stage.is_harmless || wall <= 0.0 || hot.ended_seconds < 0.99 * wall {
        return String::new();
    }
    if hot.started_seconds < 0.01 * wall {
        return " It ran for as long as the stage did.".to_owned();
    }
    format!(
        " It started {} into the stage, and was the last to end.",
        minutes(hot.started_seconds)
    )
}

/// Times that are compared with one another: whole minutes would be alike.
fn minutes(secs: f64) -> String {
    if (100.0..7200.0).contains(&secs) {
        format!("{:.1} min", secs / 60.0)
    } else {
        units::seconds(secs)
    }
}

/// What the skew costs, and from how many slots on it does.
pub fn harm(stage: &StageProfile) -> String {
    let longest = seconds(stage.duration_ms.max as f64);
    let (Some(even), Some(slots), Some(cost), Some(wall)) = (
        stage.even_seconds,
        stage.slots,
        stage.straggler_seconds,
        stage.wall_seconds,
    ) else {
        return String::new();
    };
    let wall = minutes(wall);
    if stage.is_harmless {
        let adds = if cost > 0.0 {
            minutes(cost)
        } else {
            "nothing".to_owned()
        };
        let from = stage
            .costly_slots
            .map_or_else(String::new, |n| format!("; from {n} slots on it would cost time"));
        format!(
            " Harmless here: it adds {adds} to the stage's {wall}, because {slots:.1} slots have enough else to do while \
             the longest task runs {}{from}.",
            minutes(longest),
        )
    } else {
        let gain = stage.speed_up.filter(|times| *times >= 1.05);
        let gain = gain.map_or(String::new(), |times| format!(", {times:.1} × as fast"));
        format!(
            " It adds {} to the stage's {wall}: evenly split, all work over {slots:.1} slots takes {}{gain}.",
            minutes(cost),
            minutes(even)
        )
    }
}

/// What to do; where the skew is harmless, what to do once it is not.
pub fn remedy(code: Verdict, stage: &StageProfile, is_harmless: bool, adaptive: &Adaptive) -> String {
    let remedy = remedy_of(code, stage, adaptive);
    if !is_harmless || code == Verdict::WarmUp || remedy.is_empty() {
        return remedy;
    }
    format!(
        "Nothing needs doing here. Should it cost time one day: {}",
        uncapitalized(&remedy)
    )
}

fn remedy_of(code: Verdict, stage: &StageProfile, adaptive: &Adaptive) -> String {
    let is_rearranged = stage.key.as_ref().is_some_and(StageKey::is_rearranged);
    match code {
        Verdict::HotKey => hot_key_remedy(stage, adaptive),
        Verdict::CollisionSkew => "Try other numbers of partitions (skewer skew --by simulates them), shuffle by more \
                                   columns, or partition by range."
            .to_owned(),
        Verdict::ZipfTail if is_rearranged => {
            "Lower spark.sql.adaptive.advisoryPartitionSizeInBytes, or give the largest keys partitions of their own."
                .to_owned()
        }
        Verdict::ZipfTail => "Raise spark.sql.shuffle.partitions, turn on adaptive execution, or give the largest keys \
                              partitions of their own."
            .to_owned(),
        Verdict::UnevenInput => "Split the large file: a codec or format that can be split, smaller row groups, or a \
                                 repartition after reading."
            .to_owned(),
        Verdict::ComputeSkew => "Look at what runs per row: a UDF, an explode, a regular expression that backtracks; the \
                                 slowest tasks below say which partitions to try."
            .to_owned(),
        Verdict::WarmUp => "Nothing to mend in the data: keep executors between jobs, or read more in each.".to_owned(),
        Verdict::BadNode => format!(
            "Exclude {} (spark.excludeOnFailure), replace it, or turn on spark.speculation.",
            slow_host(stage).unwrap_or("the host")
        ),
        Verdict::FetchWait => "Check the network, the shuffle service and lost executors; place executors nearer to one \
                               another. The keys are not the cause."
            .to_owned(),
        Verdict::MemoryPressure => "Raise the number of partitions, then the memory of executors, or run fewer tasks at \
                                    once in each."
            .to_owned(),
        Verdict::OverPartitioned if stage.bytes_shuffle_read.total > 0 && stage.key.is_none() => {
            "Lower the number of partitions that the shuffle names (reduceByKey, repartition), or \
             spark.default.parallelism."
                .to_owned()
        }
        Verdict::OverPartitioned if stage.bytes_shuffle_read.total > 0 => {
            "Lower spark.sql.shuffle.partitions, or let adaptive execution merge partitions \
             (spark.sql.adaptive.coalescePartitions); a number that repartition names is kept as it is."
                .to_owned()
        }
        Verdict::OverPartitioned if stage.bytes_in.total == 0 => {
            "Ask for fewer partitions where the rows are made (parallelize, range, spark.default.parallelism), or coalesce \
             before the work."
                .to_owned()
        }
        Verdict::OverPartitioned => "Read more in each task: compact small files at the source, raise \
                                     spark.sql.files.maxPartitionBytes, or coalesce after reading."
            .to_owned(),
        Verdict::UnderPartitioned if stage.key.as_ref().is_some_and(StageKey::is_single) => {
            let what = stage.key.as_ref().and_then(StageKey::consumer);
            format!(
                "{} has no key, so that all rows go to one task: give it one (PARTITION BY, GROUP BY), or make fewer rows before it.",
                what.as_deref().unwrap_or("What reads them")
            )
        }
        Verdict::UnderPartitioned => "Repartition to a multiple of the slots; read a codec that can be split; drop \
                                      coalesce(1)."
            .to_owned(),
        Verdict::ExecutorImbalance => "Set spark.locality.wait to 0, make the number of tasks a multiple of the slots, \
                                       and see whether executors came late."
            .to_owned(),
        Verdict::IdleSlots => match last_wave(stage) {
            Some((_, slots)) => format!(
                "Make the number of tasks a multiple of the {} (spark.sql.shuffle.partitions, repartition), or use so many \
                 smaller ones that the last wave is short.",
                units::plural(slots, "slot")
            ),
            None => "Set spark.locality.wait to 0, and see whether executors came late, and what the driver did between \
                     tasks."
                .to_owned(),
        },
        Verdict::FailedTasks => failed_remedy(stage),
        Verdict::NoResult | Verdict::Even => String::new(),
    }
}

fn failed_remedy(stage: &StageProfile) -> String {
    let is_lost = |text: &str| {
        text.contains("ExecutorLost") || text.contains("code 137") || text.contains("Resubmitted")
    };
    let reasons = || {
        stage
            .failures
            .iter()
            .map(|kind| kind.reason.as_str())
            .chain(stage.failure.as_deref())
    };
    let killed = if reasons().any(is_lost) {
        " An executor lost with code 137 was killed, mostly for its memory: give it more, or run fewer tasks at once in it."
    } else {
        ""
    };
    let is_unfetched = |text: &str| text.contains("FetchFailed");
    let fetched = if reasons().any(is_unfetched) {
        " What an executor wrote of a shuffle goes with it, and is made again: an external shuffle service, or \
         spark.decommission.enabled, keeps it."
    } else {
        ""
    };
    format!("Mend what the attempts failed of; the driver's log has each in full.{killed}{fetched}")
}

/// The hot partition, where it is the one of null keys.
fn null_partition(stage: &StageProfile) -> Option<u64> {
    let hot = stage.hot_partition.as_ref()?;
    let partition = stage.key.as_ref()?.null_partition()?;
    (u64::from(hot.partition) == partition).then_some(partition)
}

fn hot_key_remedy(stage: &StageProfile, adaptive: &Adaptive) -> String {
    let Some(key) = &stage.key else {
        return "Find the key that is shuffled here, count it (skewer skew --by), and isolate or salt its largest \
                values."
            .to_owned();
    };
    let columns = key.text();
    let count = if columns.is_empty() {
        String::new()
    } else {
        format!(
            "Count {columns} (skewer skew --by {}) to see the value: null or an empty text is dropped or set apart \
             before the shuffle.",
            key.columns.join(",")
        )
    };
    let consumer = key.hot_side().and_then(|side| side.exchange.consumer.as_deref());
    match consumer {
        _ if key.is_split() => {
            let smaller =
                "Where the pieces are still too long, lower spark.sql.adaptive.advisoryPartitionSizeInBytes.";
            sentences(&[&join_remedy(stage, key, adaptive), smaller, &count])
        }
        _ if key.is_join() => sentences(&[&join_remedy(stage, key, adaptive), &count]),
        _ if key.is_range() => sentences(&[
            &count,
            &format!(
                "No range ends within one value: sort by ({columns}, another column), so that the hot value spreads over \
                 several."
            ),
        ]),
        Some(window) if window.contains("Window") => sentences(&[
            &count,
            "A window needs all rows of a key in one task: set the hot values apart, or add a column to PARTITION BY.",
        ]),
        // The one that keeps what does not grow smaller: lists, sets, percentiles.
        Some("ObjectHashAggregate") => sentences(&[
            &count,
            "Lists and sets of a hot value grow in one task however they are shuffled: set the hot values apart, or keep \
             fewer rows of each.",
        ]),
        Some(aggregate) if aggregate.contains("Aggregate") => sentences(&[
            &count,
            &format!(
                "Aggregate in two stages, by ({columns}, salt) and then by {columns}; what cannot be added up, such as a \
                 median, needs the hot values set apart."
            ),
        ]),
        _ => sentences(&[
            &count,
            &format!(
                "Repartition by ({columns}, salt) or by no key where nothing after it needs the key's rows together; \
                 before a write, use the REBALANCE hint."
            ),
        ]),
    }
}

fn join_remedy(stage: &StageProfile, key: &StageKey, adaptive: &Adaptive) -> String {
    let exchange = key.hot_side().map(|side| &side.exchange);
    let join_type = exchange.and_then(|exchange| exchange.join_type.as_deref());
    let mut ways: Vec<String> = Vec::new();
    if null_partition(stage).is_some() {
        ways.push(
            "set rows whose key is null apart, which match nothing, and union them after the join".to_owned(),
        );
    }
    ways.extend(
        broadcast_side(stage)
            .map(|n_bytes| format!("broadcast the other side, which wrote {}", units::bytes(n_bytes))),
    );
    let split = (!key.is_split()).then(|| adaptive.settings_to_split(stage, key));
    ways.extend(
        split
            .flatten()
            .map(|settings| format!("let adaptive execution split it ({})", settings.join(", "))),
    );
    if join_type == Some("FullOuter") {
        // Each of these values has rows here, so no row of the other side is left without a match.
        ways.push(
            "join the hot values apart, as an outer join of this side with the other side's rows of them broadcast, and \
             union the results"
                .to_owned(),
        );
    } else {
        ways.push("join the hot values apart and union the results".to_owned());
        ways.push("salt them".to_owned());
    }
    format!("{}.", capitalized(&ways.join("; else ")))
}

fn sentences(parts: &[&str]) -> String {
    let told: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    told.join(" ")
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

fn uncapitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}

/// The bytes of the side opposite to the hot one, where the join lets it be broadcast and it is small.
fn broadcast_side(stage: &StageProfile) -> Option<u64> {
    let key = stage.key.as_ref()?;
    let hot = key.hot_side()?;
    let other = key.sides.get(1)?;
    let n_bytes = other.n_bytes.filter(|n_bytes| *n_bytes <= BROADCAST_BYTES)?;
    let is_left = other.exchange.is_left?;
    // The side whose rows an outer join keeps cannot be broadcast.
    let may = match hot.exchange.join_type.as_deref()? {
        "Inner" | "Cross" => true,
        "RightOuter" => is_left,
        "LeftOuter" | "LeftSemi" | "LeftAnti" | "ExistenceJoin" => !is_left,
        _ => false,
    };
    may.then_some(n_bytes)
}
