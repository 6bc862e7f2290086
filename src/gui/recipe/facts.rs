//! What the line below a step says: rows lost or made, columns added, time for a million rows.

use polars::prelude::Schema;

use crate::base::units;
use crate::dataset::dtype_name;
use crate::explore::Ledger;
use crate::gui::theme::Tone;

/// Facts of one step with the tone of each.
pub(super) fn facts(
    ledger: Option<&Ledger>,
    before: Option<&Schema>,
    after: Option<&Schema>,
) -> Vec<(String, Tone)> {
    let mut facts = Vec::new();
    if let Some(ledger) = ledger {
        let counts = &ledger.counts;
        if let Some(change) = change(counts.rows_in, counts.rows_out) {
            facts.push((change, Tone::Weak));
        }
        if counts.rows_quarantined > 0 {
            facts.push((units::plural(counts.rows_quarantined, "reject"), Tone::Bad));
        }
    }
    if let (Some(before), Some(after)) = (before, after)
        && let Some(change) = column_change(before, after)
    {
        facts.push((change, Tone::Weak));
    }
    if let Some(ledger) = ledger
        && ledger.counts.rows_in > 0
    {
        let time = time_per_million(ledger.counts.nanos, ledger.counts.rows_in);
        if ledger.is_costliest {
            facts.push((format!("{time} · costliest"), Tone::Warn));
        } else {
            facts.push((time, Tone::Weak));
        }
    }
    facts
}

/// `−1.0% rows`, `+12% rows`, `0 rows`; none when nothing changed.
fn change(rows_in: u64, rows_out: u64) -> Option<String> {
    if rows_in == rows_out {
        return None;
    }
    if rows_out == 0 {
        return Some("0 rows left".to_owned());
    }
    let share = rows_out.abs_diff(rows_in) as f64 / rows_in.max(1) as f64;
    let sign = if rows_out < rows_in { "−" } else { "+" };
    let text = if share < 0.0005 {
        units::plural(rows_out.abs_diff(rows_in), "row")
    } else {
        format!("{} rows", units::percent(share))
    };
    Some(format!("{sign}{text}"))
}

/// `+ int32`, `+3 columns`, `−2 columns`, `title: int64 → string`.
fn column_change(before: &Schema, after: &Schema) -> Option<String> {
    let added: Vec<_> = after.iter().filter(|(name, _)| !before.contains(name)).collect();
    let n_dropped = before.iter_names().filter(|name| !after.contains(name)).count();
    let mut parts = Vec::new();
    match added.as_slice() {
        [] => {}
        [(_, dtype)] => parts.push(format!("+ {}", short_type(&dtype_name(dtype)))),
        several => parts.push(format!("+{} columns", several.len())),
    }
    if n_dropped > 0 {
        parts.push(format!("−{}", units::plural(n_dropped as u64, "column")));
    }
    if parts.is_empty()
        && let Some((_, dtype)) = after
            .iter()
            .find(|(name, dtype)| before.get(name).is_some_and(|old| old != *dtype))
    {
        parts.push(format!("→ {}", short_type(&dtype_name(dtype))));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn short_type(name: &str) -> String {
    let cut: String = name.chars().take(28).collect();
    if cut.len() < name.len() {
        format!("{cut}…")
    } else {
        cut
    }
}

/// `3.1 ms/M`: time for a million rows.
fn time_per_million(nanos: u64, rows: u64) -> String {
    let secs = nanos as f64 / rows.max(1) as f64 * 1e6 / 1e9;
    if (0.001..0.01).contains(&secs) {
        format!("{:.1} ms/M", secs * 1e3)
    } else {
        format!("{}/M", units::seconds(secs))
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, Schema};

    use super::{change, column_change, time_per_million};

    #[test]
    fn rows_lost_and_made_are_shares_unless_too_few() {
        assert_eq!(change(1000, 990).as_deref(), Some("−1.0% rows"));
        assert_eq!(change(1000, 1120).as_deref(), Some("+12% rows"));
        assert_eq!(change(10_000, 9_999).as_deref(), Some("−1 row"));
        assert_eq!(change(10, 0).as_deref(), Some("0 rows left"));
        assert_eq!(change(10, 10), None);
    }

    #[test]
    fn columns_added_dropped_and_retyped_are_told() {
        let schema = |fields: &[(&str, DataType)]| -> Schema {
            fields
                .iter()
                .map(|(name, dtype)| ((*name).into(), dtype.clone()))
                .collect()
        };
        let before = schema(&[("a", DataType::Int64), ("b", DataType::String)]);
        let more = schema(&[
            ("a", DataType::Int64),
            ("b", DataType::String),
            ("c", DataType::Boolean),
        ]);
        assert!(column_change(&before, &more).unwrap().starts_with("+ bool"));
        assert_eq!(column_change(&more, &before).unwrap(), "−1 column");
        let retyped = schema(&[("a", DataType::String), ("b", DataType::String)]);
        assert!(column_change(&before, &retyped).unwrap().starts_with("→ str"));
        assert_eq!(column_change(&before, &before), None);
    }

    #[test]
    fn time_is_for_a_million_rows() {
        assert_eq!(time_per_million(31_000, 10_000), "3.1 ms/M");
        assert_eq!(time_per_million(4_120_000, 10_000), "412 ms/M");
    }
}
