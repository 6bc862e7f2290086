//! A run's report, read from its JSON: status, the books of each partition, and the parts written.
//!
//! The shape is the one that `skewer run --json` prints; keys that are missing count as zero, so that a report of a newer
//! or older release is still shown.

use serde_json::Value;

use crate::base::units;

/// What one partition did.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct PartitionLine {
    pub partition: String,
    pub status: String,
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_filtered: u64,
    pub rows_quarantined: u64,
    pub rows_merged: u64,
    pub rows_made: u64,
    pub n_files: u64,
    pub parts: Vec<Part>,
    pub seconds: f64,
    pub error: String,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Part {
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Report {
    pub run_id: String,
    pub status: String,
    pub peak_bytes: Option<u64>,
    pub partitions: Vec<PartitionLine>,
}

fn text(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or_default()
}

impl Report {
    pub fn read(report: &Value) -> Self {
        let list = |key: &str| report.get(key).and_then(Value::as_array).into_iter().flatten();
        Self {
            run_id: text(report, "run_id"),
            status: text(report, "status"),
            peak_bytes: report.get("peak_rss_bytes").and_then(Value::as_u64),
            partitions: list("partitions").map(PartitionLine::read).collect(),
        }
    }

    /// The sums of all partitions.
    pub fn total(&self) -> PartitionLine {
        let mut total = PartitionLine::default();
        for line in &self.partitions {
            total.rows_in += line.rows_in;
            total.rows_out += line.rows_out;
            total.rows_filtered += line.rows_filtered;
            total.rows_quarantined += line.rows_quarantined;
            total.rows_merged += line.rows_merged;
            total.rows_made += line.rows_made;
            total.n_files += line.n_files;
            total.seconds += line.seconds;
        }
        total
    }
}

impl PartitionLine {
    fn read(line: &Value) -> Self {
        let parts = line.get("parts").and_then(Value::as_array).into_iter().flatten();
        let seconds = match line.get("seconds") {
            Some(Value::Object(stages)) => stages.values().filter_map(Value::as_f64).sum(),
            Some(value) => value.as_f64().unwrap_or_default(),
            None => 0.0,
        };
        Self {
            partition: text(line, "partition"),
            status: text(line, "status"),
            rows_in: number(line, "rows_in"),
            rows_out: number(line, "rows_out"),
            rows_filtered: number(line, "rows_filtered"),
            rows_quarantined: number(line, "rows_quarantined"),
            rows_merged: number(line, "rows_merged"),
            rows_made: number(line, "rows_made"),
            n_files: number(line, "n_files"),
            parts: parts
                .map(|part| Part {
                    path: text(part, "path"),
                    rows: number(part, "rows"),
                    bytes: number(part, "bytes"),
                })
                .collect(),
            seconds,
            error: text(line, "error"),
        }
    }

    /// Whether every row that went in is accounted for.
    pub fn is_balanced(&self) -> bool {
        self.rows_in + self.rows_made
            == self.rows_out + self.rows_filtered + self.rows_quarantined + self.rows_merged
    }

    /// `15,214 in = 15,020 out + 152 filtered + 42 quarantined`.
    pub fn books(&self) -> String {
        let count = units::count;
        let mut text = format!(
            "{} in {} {} out + {} filtered + {} quarantined",
            count(self.rows_in),
            if self.is_balanced() { "=" } else { "≠" },
            count(self.rows_out),
            count(self.rows_filtered),
            count(self.rows_quarantined),
        );
        if self.rows_merged > 0 {
            text.push_str(&format!(" + {} merged", count(self.rows_merged)));
        }
        if self.rows_made > 0 {
            text.push_str(&format!(" − {} made", count(self.rows_made)));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Report;

    #[test]
    fn a_report_is_read_and_its_books_are_checked() {
        let report = Report::read(&json!({
            "run_id": "r1", "status": "done", "peak_rss_bytes": 1000,
            "partitions": [
                {"partition": "2020-01-01", "status": "committed", "rows_in": 15_214, "rows_out": 15_020,
                 "rows_filtered": 152, "rows_quarantined": 42, "n_files": 3,
                 "parts": [{"path": "/t/p.parquet", "rows": 15_020, "bytes": 9}],
                 "seconds": {"fetch": 0.5, "decode": 0.25}},
                {"partition": "2020-01-06", "status": "no_data"}
            ]
        }));
        assert_eq!(report.partitions.len(), 2);
        let total = report.total();
        assert!(total.is_balanced());
        assert_eq!(
            total.books(),
            "15,214 in = 15,020 out + 152 filtered + 42 quarantined"
        );
        assert!((report.partitions[0].seconds - 0.75).abs() < 1e-9);
        let mut wrong = total;
        wrong.rows_out -= 1;
        assert!(!wrong.is_balanced());
        assert!(wrong.books().contains('≠'));
    }

    #[test]
    fn merged_and_made_rows_belong_to_the_books() {
        let report = Report::read(&json!({"partitions": [
            {"rows_in": 10, "rows_out": 12, "rows_merged": 1, "rows_made": 3}
        ]}));
        assert!(report.total().is_balanced());
        assert_eq!(
            report.total().books(),
            "10 in = 12 out + 0 filtered + 0 quarantined + 1 merged − 3 made"
        );
    }
}
