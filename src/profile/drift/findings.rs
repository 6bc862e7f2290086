//! What to say of all columns that drifted: evidence, why it matters, and what to do.

use serde::Serialize;

use super::baseline::Baseline;
use super::column::{Basis, ColumnDrift, Sign, SignKind};
use super::measures::{PSI_BAD, PSI_WARN};
use crate::base::units;
use crate::profile::{Finding, FindingCode, Severity};

/// A finding on one column, or on all of them together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DriftFinding {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    #[serde(flatten)]
    pub finding: Finding,
}

/// Below so many rows, figures are too uncertain to say that nothing changed.
const FEW_ROWS: u64 = 200;

/// The verdict on all columns in one sentence.
pub(super) fn verdict(columns: &[ColumnDrift], before: &Baseline, after: &Baseline) -> String {
    if before.n_rows == 0 || after.n_rows == 0 {
        return "One side has no rows: nothing can be compared".to_owned();
    }
    let n = |severity| {
        columns
            .iter()
            .filter(|column| column.severity == severity)
            .count() as u64
    };
    let (n_bad, n_warn) = (n(Severity::Bad), n(Severity::Warn));
    let all = units::plural(columns.len() as u64, "column");
    // Equal lengths are no agreement of values.
    let by_lengths = columns.iter().filter(|column| column.is_lengths_only).count() as u64;
    match (n_bad, n_warn) {
        (0, 0) if n(Severity::Note) > 0 => differ_little(columns, n(Severity::Note), &all),
        (0, 0) if by_lengths > 0 => {
            format!(
                "The two agree in all of {all}, in {} of them by lengths only",
                units::count(by_lengths)
            )
        }
        (0, 0) => format!("The two agree in all of {all}"),
        (0, warn) => format!("The two differ somewhat in {} of {all}", units::count(warn)),
        (bad, 0) => format!("The two differ much in {} of {all}", units::count(bad)),
        (bad, warn) => format!(
            "The two differ much in {} of {all} and somewhat in {} more",
            units::count(bad),
            units::count(warn)
        ),
    }
}

/// What is no alarm and no agreement either: a column that is new, or a shift that is small.
fn differ_little(columns: &[ColumnDrift], n_noted: u64, all: &str) -> String {
    let new = columns.iter().filter(|column| column.dtype_before.is_none());
    let new: Vec<&str> = new.map(|column| column.name.as_str()).collect();
    let named = match new.as_slice() {
        [] => String::new(),
        [one] => format!("; `{one}` is new"),
        [first, ..] => format!("; {} are new, such as `{first}`", units::count(new.len() as u64)),
    };
    format!(
        "The two differ little in {} of {all}{named}",
        units::count(n_noted)
    )
}

/// One finding for each column that changed, worst first; a harmless one when none did.
pub(super) fn findings(columns: &[ColumnDrift], before: &Baseline, after: &Baseline) -> Vec<DriftFinding> {
    let mut changed: Vec<&ColumnDrift> = columns
        .iter()
        .filter(|column| column.severity > Severity::Good)
        .collect();
    changed.sort_by(|a, b| {
        let ((a_severity, a_weight), (b_severity, b_weight)) = (a.weight(), b.weight());
        b_severity.cmp(&a_severity).then(b_weight.total_cmp(&a_weight))
    });
    let mut found: Vec<DriftFinding> = changed.into_iter().filter_map(of_column).collect();
    let n_least = before.n_rows.min(after.n_rows);
    if found.is_empty() && n_least > 0 {
        let names = columns.iter().filter(|column| column.is_lengths_only);
        let names: Vec<String> = names.map(|column| format!("`{}`", column.name)).collect();
        let by_lengths = if names.is_empty() {
            String::new()
        } else {
            format!(" Of {} only lengths could be compared.", names.join(", "))
        };
        let message = format!(
            "No column's PSI reaches {PSI_WARN} and no share of nulls moved, in {} before and {} after. What was \
             fitted on the first fits the second.{by_lengths}{}",
            units::plural(before.n_rows, "row"),
            units::plural(after.n_rows, "row"),
            if n_least < FEW_ROWS {
                " With so few rows only large changes would show."
            } else {
                ""
            }
        );
        found.push(DriftFinding {
            column: None,
            finding: Finding::free(
                FindingCode::NoDrift,
                Severity::Good,
                "No drift".to_owned(),
                message,
                "",
            ),
        });
    }
    found
}

fn of_column(column: &ColumnDrift) -> Option<DriftFinding> {
    let worst = column.signs.first()?;
    let code = code(column, worst);
    let title = format!("{}: {}", column.name, worst.text);
    let mut message = column.verdict.clone();
    message.push_str(". ");
    message.push_str(why(code));
    if let Some(psi) = &column.psi {
        let of = match psi.basis {
            Basis::Lengths => "PSI, here of lengths,",
            _ => "PSI",
        };
        let note = format!(
            " ({of} is stable under {PSI_WARN}, shifted much from {PSI_BAD} on; chance alone reaches {:.3} with so many rows.)",
            psi.noise
        );
        message.push_str(&note);
    }
    Some(DriftFinding {
        column: Some(column.name.clone()),
        finding: Finding::free(code, worst.severity, title, message, remedy(code)),
    })
}

fn code(column: &ColumnDrift, worst: &Sign) -> FindingCode {
    use super::column::SchemaDrift;
    match (worst.kind, &column.schema) {
        (SignKind::Schema, Some(SchemaDrift::Added)) => FindingCode::ColumnAdded,
        (SignKind::Schema, Some(SchemaDrift::Gone)) => FindingCode::ColumnGone,
        (SignKind::Schema, _) => FindingCode::TypeChanged,
        (SignKind::Nulls, _) => FindingCode::NullShareChanged,
        (SignKind::Distribution | SignKind::Outside, _) => FindingCode::DistributionDrift,
        (SignKind::NewValues, _) => FindingCode::NewValues,
        (SignKind::GoneValues, _) => FindingCode::GoneValues,
    }
}

fn why(code: FindingCode) -> &'static str {
    match code {
        FindingCode::ColumnAdded => "No step reads it yet, and the declared schema does not have it.",
        FindingCode::ColumnGone => "Steps that read it fail or give null.",
        FindingCode::TypeChanged => {
            "Values of the other type are rejected by a schema that was frozen before."
        }
        FindingCode::NullShareChanged => "Filled-in values and filters now touch another part of the rows.",
        FindingCode::NewValues => "A vocabulary or an encoding that was fitted before does not know them.",
        FindingCode::GoneValues => {
            "What was fitted before has classes that no row is of any more, or a source stopped delivering."
        }
        _ => "Scales, borders and models that were fitted before see other values than they were made for.",
    }
}

fn remedy(code: FindingCode) -> &'static str {
    match code {
        FindingCode::ColumnAdded => "Declare it in the spec if steps shall read it.",
        FindingCode::ColumnGone => "Look at the schema map for when it was last seen, and ask who writes it.",
        FindingCode::TypeChanged => "Accept both types in the declared schema, or mend the writer.",
        FindingCode::NullShareChanged => {
            "Find the partitions where it begins, and check the writer or the join before it."
        }
        FindingCode::NewValues => "Fit the step again, or send unknown values to a class of their own.",
        FindingCode::GoneValues => "Find the day since which they are missing, and ask who writes them.",
        _ => "Fit the steps again on newer rows, or find the day of the change with a baseline of each.",
    }
}
