//! What `skewer profile` says of a comparison, and where its baselines come from.

use std::path::{Path, PathBuf};

use super::CliError;
use super::output::Output;
use crate::base::units;
use crate::profile::Severity;
use crate::profile::drift::{Baseline, BaselineError, Basis, ColumnDrift, Drift};

/// The file that the text of `--against` names; none for a partition or a range of days.
pub fn file_of(text: &str) -> Option<PathBuf> {
    let path = Path::new(text);
    let is_yaml = path
        .extension()
        .is_some_and(|ending| ending == "yaml" || ending == "yml");
    (is_yaml || path.is_file()).then(|| path.to_owned())
}

/// Reads a baseline file.
///
/// # Errors
/// [`CliError::Spec`] with file, line and column.
pub fn read_baseline(path: &Path) -> Result<Baseline, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| CliError::Spec {
        message: format!(
            "{}: {error}: give a day, a range of days or a baseline file",
            path.display()
        ),
    })?;
    Baseline::from_text(&text).map_err(|error| CliError::Spec {
        // The place in the file follows its name without a space.
        message: match &error {
            BaselineError::Yaml(_) => format!(
                "{}:{error}: save the baseline again with `skewer profile LOCATION --save-baseline FILE`",
                path.display()
            ),
            BaselineError::Quantiles { .. } => format!("{}: {error}: save it again", path.display()),
            BaselineError::Version { .. } | BaselineError::NoBaseline => {
                format!("{}: {error}", path.display())
            }
        },
    })
}

/// Writes a baseline file.
///
/// # Errors
/// [`CliError::Run`] with the path.
pub fn save_baseline(path: &Path, baseline: &Baseline) -> Result<(), CliError> {
    let failed = |message: String| CliError::Run {
        message: format!("{}: {message}", path.display()),
        exit_code: 1,
    };
    let text = baseline.to_text().map_err(|error| failed(error.to_string()))?;
    std::fs::write(path, text).map_err(|error| failed(error.to_string()))
}

/// The verdict, a line for each column, and what to do.
///
/// # Errors
/// [`CliError::Output`].
pub fn print(drift: &Drift, output: &mut Output) -> Result<(), CliError> {
    for (word, side) in [("before", &drift.before), ("after", &drift.after)] {
        let rows = units::plural(side.n_rows, "row");
        output.line(&format!("{word:<7} {}: {rows} ({})", side.from, side.accuracy))?;
    }
    output.line(&format!("[{}] {}", drift.severity.word(), drift.verdict))?;
    let mut columns: Vec<&ColumnDrift> = drift.columns.iter().collect();
    columns.sort_by(|a, b| {
        let ((a_severity, a_weight), (b_severity, b_weight)) = (a.weight(), b.weight());
        b_severity.cmp(&a_severity).then(b_weight.total_cmp(&a_weight))
    });
    let rows: Vec<Vec<String>> = columns.into_iter().map(line).collect();
    output.line("")?;
    let heading = [
        "column",
        "",
        "PSI",
        "KS",
        "null or missing before",
        "after",
        "verdict",
    ];
    output.table(&heading, &[2, 3, 4, 5], &rows)?;
    output.line("PSI and KS are estimates unless `--json` says that they are exact")?;
    output.line("\nlimits")?;
    for limit in drift.limits {
        output.line(&format!("  {limit}"))?;
    }
    for found in drift
        .findings
        .iter()
        .filter(|found| found.finding.severity >= Severity::Warn)
    {
        let finding = &found.finding;
        output.line(&format!("\n[{}] {}", finding.severity.word(), finding.title))?;
        output.line(&format!("  {}", finding.message))?;
        output.line(&format!("  → {}", finding.remedy))?;
    }
    Ok(())
}

fn line(column: &ColumnDrift) -> Vec<String> {
    let figure = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
    let share = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), units::percent);
    let psi = column.psi.as_ref();
    // Equal lengths are not good news of the values.
    let word = match column.severity {
        Severity::Good if column.is_lengths_only => "lengths only",
        severity => severity.word(),
    };
    // A figure of lengths must not be taken for one of the values.
    let is_of_lengths = psi.is_some_and(|psi| psi.basis == Basis::Lengths);
    let of_lengths = |text: String| {
        if is_of_lengths {
            format!("lengths {text}")
        } else {
            text
        }
    };
    vec![
        column.name.clone(),
        word.to_owned(),
        of_lengths(figure(psi.map(|psi| psi.value))),
        of_lengths(figure(column.ks.map(|ks| ks.statistic))),
        share(column.null_share_before),
        share(column.null_share_after),
        column.verdict.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use super::{file_of, read_baseline};

    #[test]
    fn a_day_is_no_file_and_a_yaml_name_is_one_even_when_it_is_not_there() {
        assert_eq!(file_of("2020-01-01..2020-01-07"), None);
        assert!(file_of("nowhere/base.yaml").is_some());
        let error = read_baseline("nowhere/base.yaml".as_ref()).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("give a day"), "{error}");
    }
}
