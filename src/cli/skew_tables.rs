//! The tables of `skewer skew --by`: frequent keys, the simulated partitions, numbers of partitions and keys compared.

use super::CliError;
use super::output::Output;
use crate::base::{Accuracy, units};
use crate::profile::keys::{Counted, KeyProfile, KeyReport, RankedKey};

pub(super) fn ratio(value: Option<f64>) -> String {
    units::or_dash(value, |value| format!("{value:.2}"))
}

/// Seconds of all rows; a dash where nobody knows how many there are, `~` before those that are scaled from a sample.
pub(super) fn time(profile: &KeyProfile, seconds: f64) -> String {
    match profile.accuracy {
        _ if !profile.tells_time() => "–".to_owned(),
        Accuracy::Sample { .. } => format!("~{}", units::seconds(seconds)),
        _ => units::seconds(seconds),
    }
}

fn share(value: Option<f64>) -> String {
    units::or_dash(value, units::percent)
}

pub(super) fn print_top(profile: &KeyProfile, output: &mut Output) -> Result<(), CliError> {
    output.line(&format!(
        "  entropy {} bits ({} of the most), like {} even keys, null {}\n",
        ratio(profile.entropy_bits),
        share(profile.normalized_entropy),
        profile
            .effective_keys
            .map_or_else(|| "–".to_owned(), |n| format!("{n:.1}")),
        share(profile.null_share)
    ))?;
    let is_sketch = matches!(profile.counted, Counted::Sketch { .. });
    let rows: Vec<Vec<String>> = profile
        .top
        .iter()
        .map(|key| {
            let n_rows = if is_sketch && key.n_rows_low != key.n_rows_high {
                format!("~{}", units::count(key.n_rows))
            } else {
                units::count(key.n_rows)
            };
            vec![
                key.label.clone(),
                n_rows,
                units::percent(key.share),
                units::bytes(key.n_bytes),
                key.sentinel
                    .map_or_else(String::new, |sentinel| sentinel.words().to_owned()),
            ]
        })
        .collect();
    output.table(
        &["key", "rows", "share", "bytes", "stands for not known"],
        &[1, 2, 3],
        &rows,
    )
}

pub(super) fn print_partitions(report: &KeyReport, output: &mut Output) -> Result<(), CliError> {
    let simulated = &report.partitions;
    let time = |seconds: f64| time(&report.profile, seconds);
    let (metrics, baseline) = (&simulated.metrics, &simulated.baseline_metrics);
    output.line(&format!(
        "\n{} by Spark's hash ({})",
        units::plural(simulated.n_partitions.into(), "partition"),
        simulated.accuracy
    ))?;
    let row = |name: &str, value: String, even: String| vec![name.to_owned(), value, even];
    let rows = [
        row(
            "largest / mean",
            ratio(metrics.max_over_mean),
            ratio(baseline.max_over_mean),
        ),
        row(
            "largest / median",
            ratio(metrics.max_over_median),
            ratio(baseline.max_over_median),
        ),
        row(
            "effective partitions",
            ratio(metrics.effective_partitions),
            ratio(baseline.effective_partitions),
        ),
        row(
            "empty",
            units::count(metrics.n_empty),
            units::count(baseline.n_empty),
        ),
        row(
            "predicted wall time",
            time(metrics.wall_seconds),
            time(baseline.wall_seconds),
        ),
        row(
            "waits for the largest",
            time(metrics.straggler_seconds),
            time(baseline.straggler_seconds),
        ),
    ];
    output.table(&["", "this key", "even values"], &[1, 2], &rows)?;
    for hot in &simulated.hottest {
        let keys: Vec<String> = hot
            .keys
            .iter()
            .map(|(label, share)| format!("{label} {}", units::percent(*share)))
            .collect();
        output.line(&format!(
            "  partition {}: {} ({})",
            hot.partition,
            units::percent(hot.share),
            keys.join(", ")
        ))?;
    }
    Ok(())
}

pub(super) fn print_choice(report: &KeyReport, output: &mut Output) -> Result<(), CliError> {
    let choice = &report.choice;
    output.line("\nNumbers of partitions")?;
    let rows: Vec<Vec<String>> = choice
        .candidates
        .iter()
        .filter(|candidate| {
            let is_fastest = choice.fastest == Some(candidate.n_partitions);
            is_fastest || candidate.is_recommended || !candidate.reason.starts_with("near ")
        })
        .map(|candidate| {
            vec![
                candidate.n_partitions.to_string(),
                ratio(candidate.max_over_mean),
                ratio(candidate.baseline_max_over_mean),
                units::count(candidate.n_empty),
                time(&report.profile, candidate.wall_seconds),
                if candidate.is_recommended {
                    format!("recommended: {}", candidate.reason)
                } else {
                    candidate.reason.clone()
                },
            ]
        })
        .collect();
    let heading = ["N", "largest / mean", "even values", "empty", "wall time", ""];
    output.table(&heading, &[0, 1, 2, 3, 4], &rows)?;
    if !choice.advice.is_empty() {
        output.line(&format!("  {}", choice.advice))?;
    }
    if let Some(bound) = choice.max_useful {
        output.line(&format!(
            "  beyond {} the largest key alone is more than an even one: no number makes the largest smaller than it",
            units::plural(bound, "partition")
        ))?;
    }
    output.line(&format!("  {}", choice.formula))
}

pub(super) fn print_ranking(
    profile: &KeyProfile,
    ranking: &[RankedKey],
    output: &mut Output,
) -> Result<(), CliError> {
    output.line("\nKeys, the best first")?;
    let rows: Vec<Vec<String>> = ranking
        .iter()
        .map(|key| {
            vec![
                key.columns.join(","),
                units::count(key.distinct.n),
                share(key.top_share),
                share(key.null_share),
                ratio(key.max_over_mean),
                time(profile, key.wall_seconds),
                key.verdict.clone(),
            ]
        })
        .collect();
    let heading = [
        "key",
        "keys",
        "largest",
        "null",
        "largest / mean",
        "wall time",
        "",
    ];
    output.table(&heading, &[1, 2, 3, 4, 5], &rows)
}
