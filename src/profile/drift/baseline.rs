//! What of a profile is enough to compare another with it, and the file that keeps it: `kind: Baseline`.
//!
//! A baseline holds no rows: counts, values at 201 ranks, the most frequent values, and hashes of
//! some values.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::spread::Spread;
use crate::base::Accuracy;
use crate::base::envelope::{API_VERSION, YamlError, from_yaml, to_yaml};
use crate::profile::columns::ValueSample;

/// A value and how often it occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    pub value: String,
    pub n: u64,
}

/// The most frequent values of a column.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Categories {
    /// Values counted, without null.
    pub n: u64,
    /// Whether these are all the values there are.
    pub is_whole: bool,
    /// How far a count may be off, in values; 0 where all were counted.
    pub error: u64,
    /// Most frequent first.
    pub values: Vec<Category>,
}

/// One column of a baseline.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineColumn {
    pub name: String,
    pub dtype: String,
    pub n_rows: u64,
    /// Rows without a value, whether null is written or the key is missing.
    pub n_null: u64,
    /// Of those, rows without the key, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_missing: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_distinct: Option<u64>,
    /// Numbers, and times as seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Spread>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<Categories>,
    /// Characters of texts, or items of lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lengths: Option<Spread>,
    /// Some of the texts by their hashes. Baselines of the first release have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<ValueSample>,
}

impl BaselineColumn {
    /// Share of rows without a value, 0..=1. None without rows.
    pub fn null_share(&self) -> Option<f64> {
        share(self.n_null, self.n_rows)
    }

    /// Share of rows without the key, 0..=1, where that is known.
    pub fn missing_share(&self) -> Option<f64> {
        share(self.n_missing?, self.n_rows)
    }

    pub fn n_values(&self) -> u64 {
        self.n_rows.saturating_sub(self.n_null)
    }

    /// NaN and infinities, which no spread counts.
    pub fn n_not_finite(&self) -> u64 {
        if !self.dtype.starts_with("float") {
            return 0;
        }
        let n_finite = self.numbers.as_ref().map_or(0, |numbers| numbers.n);
        self.n_values().saturating_sub(n_finite)
    }
}

fn share(n: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| n as f64 / of as f64)
}

/// What a profile is compared with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Where the rows came from: `s3://lake/raw/ 2020-01-05`.
    pub from: String,
    /// How many of the rows there are were read.
    pub accuracy: Accuracy,
    pub n_rows: u64,
    pub columns: Vec<BaselineColumn>,
}

/// Why a text is no baseline.
#[derive(Debug, Error)]
pub enum BaselineError {
    #[error("{0}")]
    Yaml(#[from] YamlError),
    #[error(
        "this is a `{kind}` of `{version}`, and a baseline is a `Baseline` of `{API_VERSION}`: save it again with `skewer \
         profile LOCATION --save-baseline FILE`"
    )]
    Version { version: String, kind: String },
    #[error("the quantiles of column `{column}` do not ascend: the file was cut or changed")]
    Quantiles { column: String },
    #[error("this is no baseline: `skewer profile LOCATION --save-baseline FILE` writes one")]
    NoBaseline,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    #[serde(rename = "apiVersion")]
    api_version: String,
    kind: String,
    baseline: Baseline,
}

/// Only the head of the envelope, to tell another version from a broken file.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "apiVersion", default)]
    api_version: String,
    #[serde(default)]
    kind: String,
}

const KIND: &str = "Baseline";

impl Baseline {
    /// Reads the text of a baseline file.
    ///
    /// # Errors
    /// [`BaselineError`] with line and column, or with what the file is instead.
    pub fn from_text(text: &str) -> Result<Self, BaselineError> {
        if let Ok(head) = from_yaml::<Head>(text)
            && (head.api_version != API_VERSION || head.kind != KIND)
        {
            if head.api_version.is_empty() && head.kind.is_empty() {
                return Err(BaselineError::NoBaseline);
            }
            return Err(BaselineError::Version {
                version: head.api_version,
                kind: head.kind,
            });
        }
        let baseline = from_yaml::<Envelope>(text)?.baseline;
        for column in &baseline.columns {
            let mut spreads = column.numbers.iter().chain(&column.lengths);
            if spreads.any(|spread| !spread.is_ascending()) {
                return Err(BaselineError::Quantiles {
                    column: column.name.clone(),
                });
            }
        }
        Ok(baseline)
    }

    /// The text of a baseline file.
    ///
    /// # Errors
    /// [`YamlError`] when a figure has no YAML form.
    pub fn to_text(&self) -> Result<String, YamlError> {
        to_yaml(&Envelope {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            baseline: self.clone(),
        })
    }

    pub fn column(&self, name: &str) -> Option<&BaselineColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Baseline, BaselineColumn, Categories, Category};
    use crate::base::Accuracy;
    use crate::profile::drift::Spread;

    /// A file as the first release wrote it: every later one must read it.
    const GOLDEN: &str = include_str!("baseline_v1.yaml");

    fn written() -> Baseline {
        let values: Vec<Category> = [("US", 60), ("no", 30)]
            .map(|(value, n)| Category {
                value: value.to_owned(),
                n,
            })
            .to_vec();
        Baseline {
            from: "s3://lake/raw/ 2020-01-05".to_owned(),
            accuracy: Accuracy::Sample {
                n: 100,
                of: Some(1000),
            },
            n_rows: 100,
            columns: vec![
                BaselineColumn {
                    name: "salary".to_owned(),
                    dtype: "float64".to_owned(),
                    n_rows: 100,
                    n_null: 10,
                    n_missing: Some(4),
                    n_distinct: Some(3),
                    numbers: Some(Spread {
                        n: 90,
                        error: 0.013,
                        quantiles: vec![-1.5, 0.0, 1e300],
                    }),
                    ..BaselineColumn::default()
                },
                BaselineColumn {
                    name: "country".to_owned(),
                    dtype: "string".to_owned(),
                    n_rows: 100,
                    n_null: 10,
                    categories: Some(Categories {
                        n: 90,
                        is_whole: true,
                        error: 0,
                        values,
                    }),
                    ..BaselineColumn::default()
                },
            ],
        }
    }

    #[test]
    fn a_file_of_the_first_version_is_read_and_written_alike() {
        assert_eq!(written().to_text().unwrap(), GOLDEN);
        assert_eq!(Baseline::from_text(GOLDEN).unwrap(), written());
    }

    #[test]
    fn another_kind_or_version_is_named() {
        let error = Baseline::from_text("apiVersion: skewer/v9\nkind: Baseline\n").unwrap_err();
        assert!(error.to_string().contains("`skewer/v9`"), "{error}");
        for other in ["", "rows: 3\n"] {
            let error = Baseline::from_text(other).unwrap_err();
            assert!(error.to_string().contains("is no baseline"), "{error}");
        }
        let error = Baseline::from_text("apiVersion: skewer/v1\nkind: Job\n").unwrap_err();
        assert!(error.to_string().contains("a `Job`"), "{error}");
        let error =
            Baseline::from_text("apiVersion: skewer/v1\nkind: Baseline\nbaseline: {rows: 3}\n").unwrap_err();
        assert!(error.to_string().starts_with("3:"), "{error}");
    }

    #[test]
    fn quantiles_that_were_cut_are_refused_with_their_column() {
        for cut in ["- 1", "- .nan", "- .inf"] {
            let error = Baseline::from_text(&GOLDEN.replace("- 1.0e+300", cut).replace("- 0.0", "- 2.5"));
            assert!(
                error.unwrap_err().to_string().contains("of column `salary`"),
                "{cut}"
            );
        }
    }

    #[test]
    fn shares_of_no_rows_are_none() {
        let column = BaselineColumn::default();
        assert_eq!((column.null_share(), column.missing_share()), (None, None));
    }
}
