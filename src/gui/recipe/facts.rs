//! What the line below a step says: rows in and out, nulls made, columns added, dropped or retyped, time.

use polars::prelude::Schema;

use crate::base::units;
use crate::dataset::dtype_name;
use crate::explore::{ColumnChanges, Ledger, Nulls, PerMillion, Retyped};
use crate::gui::theme::Tone;

/// One thing that the line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub text: String,
    pub tone: Tone,
    /// Stands out, with a picture before it.
    pub is_loud: bool,
}

impl Fact {
    fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self {
            text: text.into(),
            tone,
            is_loud: false,
        }
    }
}

/// Share of rows from which nulls that a step made are marked.
const MANY_NULLS: f64 = 0.1;

/// Facts of one step. Without a ledger, what its check alone tells: the columns.
pub(super) fn facts(ledger: Option<&Ledger>, before: Option<&Schema>, after: Option<&Schema>) -> Vec<Fact> {
    let Some(ledger) = ledger else {
        let changes = before.zip(after).map(|(before, after)| changes(before, after));
        let change = changes.as_ref().and_then(column_change);
        return change
            .into_iter()
            .map(|text| Fact::new(text, Tone::Weak))
            .collect();
    };
    let counts = &ledger.counts;
    let mut facts = Vec::new();
    if counts.rows_in != counts.rows_out {
        facts.push(Fact::new(row_change(counts.rows_in, counts.rows_out), Tone::Weak));
    }
    if counts.rows_quarantined > 0 {
        let rejects = units::plural(counts.rows_quarantined, "reject");
        facts.push(Fact::new(rejects, Tone::Bad));
    }
    facts.extend(null_fact(ledger));
    if let Some(change) = column_change(&ledger.columns) {
        facts.push(Fact::new(change, Tone::Weak));
    }
    facts.extend(ledger.per_million.map(|time| time_fact(ledger, time)));
    facts
}

fn null_fact(ledger: &Ledger) -> Option<Fact> {
    let cells: u64 = ledger
        .nulls
        .iter()
        .map(|null| match null.made {
            Nulls::Cells(n) => n,
            Nulls::Share { .. } => 0,
        })
        .sum();
    let is_many = |null: &crate::explore::NullChange| {
        let share = match null.made {
            Nulls::Cells(n) => n as f64 / ledger.counts.rows_out.max(1) as f64,
            Nulls::Share { before, after } => after - before.unwrap_or_default(),
        };
        share >= MANY_NULLS
    };
    let tone = if ledger.nulls.iter().any(is_many) {
        Tone::Warn
    } else {
        Tone::Weak
    };
    match ledger.nulls.first() {
        None => None,
        Some(_) if cells > 0 => Some(Fact::new(format!("{} made", units::plural(cells, "null")), tone)),
        Some(first) => Some(Fact::new(format!("more nulls in {}", first.column), tone)),
    }
}

fn time_fact(ledger: &Ledger, time: PerMillion) -> Fact {
    let text = time_per_million(time.nanos);
    if ledger.is_outlier {
        let share = units::percent(ledger.share_of_time);
        return Fact {
            text: format!("{text} · costliest, {share} of the time"),
            tone: Tone::Accent,
            is_loud: true,
        };
    }
    if ledger.is_costliest {
        Fact::new(format!("{text} · costliest"), Tone::Warn)
    } else {
        Fact::new(text, Tone::Weak)
    }
}

/// `1,000 → 990 rows`.
fn row_change(rows_in: u64, rows_out: u64) -> String {
    format!("{} → {} rows", units::count(rows_in), units::count(rows_out))
}

fn changes(before: &Schema, after: &Schema) -> ColumnChanges {
    let mut changes = ColumnChanges::default();
    for (name, dtype) in after.iter() {
        match before.get(name) {
            None => changes.added.push((name.to_string(), dtype.clone())),
            Some(old) if old != dtype => changes.retyped.push(Retyped {
                column: name.to_string(),
                before: old.clone(),
                after: dtype.clone(),
            }),
            Some(_) => {}
        }
    }
    let dropped = before.iter().filter(|(name, _)| !after.contains(name));
    changes.dropped = dropped
        .map(|(name, dtype)| (name.to_string(), dtype.clone()))
        .collect();
    changes
}

/// `+ int32`, `+3 columns`, `−2 columns`, `→ string`, `2 retyped`.
fn column_change(changes: &ColumnChanges) -> Option<String> {
    let mut parts = Vec::new();
    match changes.added.as_slice() {
        [] => {}
        [(_, dtype)] => parts.push(format!("+ {}", short_type(&dtype_name(dtype)))),
        several => parts.push(format!("+{} columns", several.len())),
    }
    if !changes.dropped.is_empty() {
        let n_dropped = changes.dropped.len() as u64;
        parts.push(format!("−{}", units::plural(n_dropped, "column")));
    }
    match changes.retyped.as_slice() {
        [] => {}
        [only] => parts.push(format!("→ {}", short_type(&dtype_name(&only.after)))),
        several => parts.push(format!("{} retyped", several.len())),
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
fn time_per_million(nanos: u64) -> String {
    let secs = nanos as f64 / 1e9;
    if (0.001..0.01).contains(&secs) {
        format!("{:.1} ms/M", secs * 1e3)
    } else {
        format!("{}/M", units::seconds(secs))
    }
}

/// The whole ledger of a step, line by line, for who stays with the pointer on it.
pub(super) fn whole(ledger: &Ledger) -> String {
    /// Lines of one kind before the rest is only counted.
    const MAX: usize = 8;
    let counts = &ledger.counts;
    let mut text = format!(
        "{} rows in, {} out",
        units::count(counts.rows_in),
        units::count(counts.rows_out)
    );
    for (n, what) in [
        (counts.rows_filtered, "filtered"),
        (counts.rows_quarantined, "rejected"),
        (counts.rows_merged, "merged with others"),
        (counts.rows_made, "made"),
    ] {
        if n > 0 {
            write_line(&mut text, &format!("{} {what}", units::count(n)));
        }
    }
    let typed = |(name, dtype): &(String, polars::prelude::DataType)| format!("{name} {}", dtype_name(dtype));
    let added = ledger
        .columns
        .added
        .iter()
        .map(|column| format!("added {}", typed(column)));
    let dropped = ledger
        .columns
        .dropped
        .iter()
        .map(|column| format!("dropped {}", typed(column)));
    let retyped = ledger.columns.retyped.iter().map(|column| {
        let (before, after) = (dtype_name(&column.before), dtype_name(&column.after));
        format!("{}: {before} → {after}", column.column)
    });
    let nulls = ledger.nulls.iter().map(|null| match null.made {
        Nulls::Cells(n) => format!("{} made in {}", units::plural(n, "null"), null.column),
        Nulls::Share { before, after } => {
            let before = before.map_or_else(|| "none".to_owned(), units::percent);
            format!("nulls in {}: {before} → {}", null.column, units::percent(after))
        }
    });
    for lines in [
        added.collect::<Vec<_>>(),
        dropped.collect(),
        retyped.collect(),
        nulls.collect(),
    ] {
        for line in lines.iter().take(MAX) {
            write_line(&mut text, line);
        }
        if lines.len() > MAX {
            write_line(&mut text, &format!("and {} more", lines.len() - MAX));
        }
    }
    if let Some(time) = ledger.per_million {
        let share = units::percent(ledger.share_of_time);
        let line = format!(
            "{} for a million rows, {share} of the recipe's time (estimated from these rows)",
            time_per_million(time.nanos).trim_end_matches("/M"),
        );
        write_line(&mut text, &line);
    }
    text
}

fn write_line(text: &mut String, line: &str) {
    text.push('\n');
    text.push_str(line);
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, Schema};

    use super::{Fact, changes, column_change, facts, time_per_million, whole};
    use crate::base::Accuracy;
    use crate::explore::{ColumnChanges, Ledger, NullChange, Nulls, PerMillion};
    use crate::gui::theme::Tone;
    use crate::transform::StepCounts;

    fn ledger() -> Ledger {
        Ledger {
            counts: StepCounts {
                number: 1,
                rows_in: 10_000,
                rows_out: 9_900,
                rows_filtered: 90,
                rows_quarantined: 10,
                nanos: 31_000,
                ..StepCounts::default()
            },
            columns: ColumnChanges {
                added: vec![("n".to_owned(), DataType::Int32)],
                ..ColumnChanges::default()
            },
            nulls: vec![NullChange {
                column: "n".to_owned(),
                made: Nulls::Cells(1_200),
            }],
            per_million: Some(PerMillion {
                nanos: 3_100_000,
                accuracy: Accuracy::Estimate,
            }),
            share_of_time: 0.87,
            is_costliest: false,
            is_outlier: false,
        }
    }

    fn texts(ledger: &Ledger) -> Vec<(String, Tone)> {
        let facts = facts(Some(ledger), None, None);
        facts.into_iter().map(|fact| (fact.text, fact.tone)).collect()
    }

    #[test]
    fn a_step_tells_its_rows_rejects_nulls_columns_and_time() {
        let expected = [
            ("10,000 → 9,900 rows", Tone::Weak),
            ("10 rejects", Tone::Bad),
            ("1,200 nulls made", Tone::Warn),
            ("+ int32", Tone::Weak),
            ("3.1 ms/M", Tone::Weak),
        ];
        assert_eq!(
            texts(&ledger()),
            expected.map(|(text, tone)| (text.to_owned(), tone))
        );
        let few = Ledger {
            nulls: vec![NullChange {
                column: "n".to_owned(),
                made: Nulls::Cells(3),
            }],
            ..ledger()
        };
        assert_eq!(texts(&few)[2], ("3 nulls made".to_owned(), Tone::Weak));
    }

    #[test]
    fn the_costliest_step_is_marked_and_an_outlier_is_loud() {
        let costliest = Ledger {
            is_costliest: true,
            ..ledger()
        };
        assert_eq!(
            texts(&costliest).last().unwrap(),
            &("3.1 ms/M · costliest".to_owned(), Tone::Warn)
        );
        let outlier = Ledger {
            is_outlier: true,
            ..costliest
        };
        let loud = facts(Some(&outlier), None, None).pop().unwrap();
        let expected = Fact {
            text: "3.1 ms/M · costliest, 87% of the time".to_owned(),
            tone: Tone::Accent,
            is_loud: true,
        };
        assert_eq!(loud, expected);
    }

    #[test]
    fn the_whole_ledger_names_columns_and_says_that_the_time_is_estimated() {
        let text = whole(&ledger());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "10,000 rows in, 9,900 out",
                "90 filtered",
                "10 rejected",
                "added n int32",
                "1,200 nulls made in n",
                "3.1 ms for a million rows, 87% of the recipe's time (estimated from these rows)",
            ]
        );
    }

    #[test]
    fn columns_added_dropped_and_retyped_are_told() {
        let schema = |fields: &[(&str, DataType)]| -> Schema {
            fields
                .iter()
                .map(|(name, dtype)| ((*name).into(), dtype.clone()))
                .collect()
        };
        let change = |before: &Schema, after: &Schema| column_change(&changes(before, after));
        let before = schema(&[("a", DataType::Int64), ("b", DataType::String)]);
        let more = schema(&[
            ("a", DataType::Int64),
            ("b", DataType::String),
            ("c", DataType::Boolean),
        ]);
        assert!(change(&before, &more).unwrap().starts_with("+ bool"));
        assert_eq!(change(&more, &before).unwrap(), "−1 column");
        let retyped = schema(&[("a", DataType::String), ("b", DataType::String)]);
        assert!(change(&before, &retyped).unwrap().starts_with("→ str"));
        assert_eq!(change(&before, &before), None);
    }

    #[test]
    fn time_is_for_a_million_rows() {
        assert_eq!(time_per_million(3_100_000), "3.1 ms/M");
        assert_eq!(time_per_million(412_000_000), "412 ms/M");
    }
}
