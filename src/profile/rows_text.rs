//! A count of rows in words, with how exact it is.

use std::fmt;

use super::RowCount;
use crate::base::units;

/// `52,310 ± 1,200 rows (estimate, 4 of 40 files)`
impl fmt::Display for RowCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = units::count(self.n_rows);
        if self.accuracy.is_exact() {
            return write!(f, "{rows} rows (exact)");
        }
        let of = format!(
            "{} of {}",
            units::count(self.n_files_read),
            units::plural(self.n_files, "file")
        );
        match self.error {
            Some(error) => write!(
                f,
                "{rows} ± {} rows ({}, {of})",
                units::count(error),
                self.accuracy
            ),
            None => write!(f, "{rows} rows ({}, {of}, error unknown)", self.accuracy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RowCount;
    use crate::base::Accuracy;

    #[test]
    fn a_count_says_how_exact_it_is_and_of_how_many_files() {
        let exact = RowCount {
            n_rows: 52_310,
            ..RowCount::default()
        };
        assert_eq!(exact.to_string(), "52,310 rows (exact)");
        let estimate = RowCount {
            error: Some(1200),
            accuracy: Accuracy::Estimate,
            n_files_read: 4,
            n_files: 40,
            ..exact
        };
        assert_eq!(
            estimate.to_string(),
            "52,310 ± 1,200 rows (estimate, 4 of 40 files)"
        );
        let alone = RowCount {
            error: None,
            ..estimate
        };
        assert!(
            alone
                .to_string()
                .ends_with("(estimate, 4 of 40 files, error unknown)")
        );
    }
}
