//! Results on stdout: aligned tables for people, JSON for machines. A closed pipe is an error to pass on, not a panic.

use std::io::Write;

use serde::Serialize;

use super::CliError;
use crate::base::units;
use crate::dataset::FailedFile;

/// Files that are named of those that could not be read; JSON has more.
const MAX_FAILED: usize = 5;
/// As a run that some partitions failed in.
const SOME_FAILED: u8 = 11;

/// Where results go.
pub struct Output {
    to: Box<dyn Write>,
}

impl Output {
    pub fn stdout() -> Self {
        Self {
            to: Box::new(std::io::BufWriter::new(std::io::stdout())),
        }
    }

    pub fn line(&mut self, text: &str) -> Result<(), CliError> {
        writeln!(self.to, "{text}")
            .and_then(|()| self.to.flush())
            .map_err(CliError::Output)
    }

    /// A text of several lines as it is.
    pub fn text(&mut self, text: &str) -> Result<(), CliError> {
        self.to
            .write_all(text.as_bytes())
            .and_then(|()| self.to.flush())
            .map_err(CliError::Output)
    }

    /// One JSON document, indented.
    pub fn json<T: Serialize>(&mut self, value: &T) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value).map_err(|error| CliError::Output(error.into()))?;
        self.line(&text)
    }

    /// One JSON document on one line, for those who read the last line of a log.
    pub fn json_line<T: Serialize>(&mut self, value: &T) -> Result<(), CliError> {
        let text = serde_json::to_string(value).map_err(|error| CliError::Output(error.into()))?;
        self.line(&text)
    }

    /// What was asked for and is not here, because of a cancel; no line for nothing.
    pub fn left_out(&mut self, left_out: &[String]) -> Result<(), CliError> {
        if left_out.is_empty() {
            return Ok(());
        }
        self.line(&format!("partial: cancelled before {}", left_out.join(" and ")))
    }

    /// Files that could not be read to their end, with the reason and what to do; nothing for none. `n` of them in all.
    pub fn failed_files(&mut self, failed: &[FailedFile], n: u64) -> Result<(), CliError> {
        if n == 0 {
            return Ok(());
        }
        let files = units::plural(n, "file");
        self.line(&format!(
            "\n{files} could not be read to the end, and the figures leave out what was not read:"
        ))?;
        for file in failed.iter().take(MAX_FAILED) {
            self.line(&format!("  {}: {}", file.object, file.reason))?;
        }
        let n_more = n.saturating_sub(MAX_FAILED.min(failed.len()) as u64);
        if n_more > 0 {
            self.line(&format!("  and {}", units::plural(n_more, "more file")))?;
        }
        self.line("  → write them again, or move them out of the dataset")
    }

    /// A table with a heading, columns aligned; the columns in `right` are right-aligned.
    pub fn table(&mut self, heading: &[&str], right: &[usize], rows: &[Vec<String>]) -> Result<(), CliError> {
        for line in aligned(heading, right, rows) {
            self.line(&line)?;
        }
        Ok(())
    }
}

/// The exit code of a result that some files have no part in: 1 where nothing is left of it, 11 where it is of the others.
pub fn code_of(n_failed: u64, has_some: bool) -> u8 {
    match (n_failed, has_some) {
        (0, _) => 0,
        (_, true) => SOME_FAILED,
        (_, false) => 1,
    }
}

fn aligned(heading: &[&str], right: &[usize], rows: &[Vec<String>]) -> Vec<String> {
    let width = |text: &str| text.chars().count();
    let widths: Vec<usize> = heading
        .iter()
        .enumerate()
        .map(|(i, title)| {
            rows.iter()
                .filter_map(|row| row.get(i))
                .map(|cell| width(cell))
                .max()
                .unwrap_or(0)
                .max(width(title))
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .zip(&widths)
            .enumerate()
            .map(|(i, (cell, cell_width))| {
                let pad = " ".repeat(cell_width.saturating_sub(width(cell)));
                if right.contains(&i) {
                    format!("{pad}{cell}")
                } else {
                    format!("{cell}{pad}")
                }
            })
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&mut heading.iter().copied())];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines
}

#[cfg(test)]
mod tests {
    use super::aligned;

    #[test]
    fn numbers_are_right_aligned_and_no_line_ends_in_spaces() {
        let rows = [
            vec!["2020-01-01".to_owned(), "7".to_owned()],
            vec!["all".to_owned(), "1,234".to_owned()],
        ];
        let lines = aligned(&["partition", "files"], &[1], &rows);
        assert_eq!(
            lines,
            ["partition   files", "2020-01-01      7", "all         1,234"]
        );
    }
}
