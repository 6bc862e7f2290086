//! A baseline made from the profile of columns.

use super::baseline::{Baseline, BaselineColumn, Categories, Category};
use super::spread::Spread;
use crate::base::Accuracy;
use crate::profile::columns::{ColumnProfile, Ranks, Scalar};

impl Baseline {
    /// What of a profile is enough to compare with. `from` says where the rows are, for people.
    pub fn of_columns(from: &str, accuracy: Accuracy, n_rows: u64, columns: &[ColumnProfile]) -> Self {
        Self {
            from: from.to_owned(),
            accuracy,
            n_rows,
            columns: columns.iter().map(BaselineColumn::of).collect(),
        }
    }
}

impl BaselineColumn {
    fn of(profile: &ColumnProfile) -> Self {
        Self {
            name: profile.name.clone(),
            dtype: profile.dtype.clone(),
            n_rows: profile.n_rows,
            n_null: profile.n_null + profile.n_missing.unwrap_or(0),
            n_missing: profile.n_missing,
            n_distinct: profile.n_distinct,
            numbers: profile.ranks.as_ref().and_then(spread),
            categories: categories(profile),
            lengths: profile
                .lengths
                .as_ref()
                .and_then(|lengths| spread(lengths.ranks.as_ref()?)),
            sample: profile.sample.clone(),
        }
    }
}

fn spread(ranks: &Ranks) -> Option<Spread> {
    (ranks.n > 0 && !ranks.values.is_empty()).then(|| Spread {
        n: ranks.n,
        error: ranks.error,
        quantiles: ranks.values.clone(),
    })
}

fn categories(profile: &ColumnProfile) -> Option<Categories> {
    if profile.top.is_empty() {
        return None;
    }
    let n = profile.n_values();
    let accuracy = profile.accuracy;
    let counted: u64 = profile.top.iter().map(|top| top.n).sum();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count is a count"
    )]
    let error = (accuracy.top.error.unwrap_or(0.0) * n as f64).ceil() as u64;
    Some(Categories {
        n,
        is_whole: accuracy.top.is_exact() && counted == n,
        error,
        values: profile
            .top
            .iter()
            .map(|top| Category {
                value: value_text(&top.value),
                n: top.n,
            })
            .collect(),
    })
}

/// A value as baselines keep it, whole.
pub fn value_text(value: &Scalar) -> String {
    match value {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Int(value) => value.to_string(),
        Scalar::UInt(value) => value.to_string(),
        Scalar::Float(value) => value.to_string(),
        Scalar::Text(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{NamedFrom, Schema, Series};

    use crate::base::Accuracy;
    use crate::profile::Severity;
    use crate::profile::columns::{ColumnProfile, ColumnProfiler, Level};
    use crate::profile::drift::{Baseline, Drift};
    use polars::prelude::{DataFrame, IntoColumn};

    fn profile(series: Vec<Series>) -> Vec<ColumnProfile> {
        let height = series.first().map_or(0, |s| s.len());
        let columns = series.into_iter().map(IntoColumn::into_column).collect();
        let df = DataFrame::new(height, columns).unwrap();
        let schema: Schema = df.schema().as_ref().clone();
        let mut profiler = ColumnProfiler::new(&schema, Level::Full);
        profiler.add(&df).unwrap();
        profiler.finish(true)
    }

    fn day(shift: i64, countries: [&str; 3]) -> Baseline {
        let salary: Vec<Option<i64>> = (0..3000).map(|n| (n % 10 > 0).then_some(n + shift)).collect();
        let country: Vec<&str> = (0..3000).map(|n| countries[n % 3]).collect();
        let profiles = profile(vec![
            Series::new("salary".into(), salary),
            Series::new("country".into(), country),
        ]);
        Baseline::of_columns("day", Accuracy::Exact, 3000, &profiles)
    }

    #[test]
    fn profiles_of_rows_are_compared() {
        let same = Drift::between(&day(0, ["US", "DE", "JP"]), &day(0, ["US", "DE", "JP"]));
        assert_eq!(same.severity, Severity::Good, "{:?}", same.findings);
        let moved = Drift::between(&day(0, ["US", "DE", "JP"]), &day(2000, ["US", "DE", "FR"]));
        let salary = moved.column("salary").unwrap();
        assert_eq!(salary.severity, Severity::Bad, "{}", salary.verdict);
        let distance = salary.ks.unwrap().statistic;
        assert!((distance - 2.0 / 3.0).abs() < 0.03, "{distance}");
        assert_eq!(salary.null_share_before, Some(0.1));
        let country = moved.column("country").unwrap();
        assert_eq!(country.new_values[0].value, "FR");
        assert_eq!(country.values_accuracy, Accuracy::Exact);
    }

    #[test]
    fn a_baseline_that_was_saved_compares_as_it_did_before() {
        let (before, after) = (day(0, ["US", "DE", "JP"]), day(500, ["US", "DE", "JP"]));
        let read = Baseline::from_text(&before.to_text().unwrap()).unwrap();
        assert_eq!(Drift::between(&read, &after), Drift::between(&before, &after));
    }
}
