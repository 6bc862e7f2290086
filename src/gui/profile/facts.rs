//! A profile ready to draw: texts of figures, bars and values with the filters that a click on them makes.
//!
//! Made by background work once a profile is there, never in a frame.

use polars::prelude::{AnyValue, TimeUnit, TimeZone};

use super::ends::{Ends, ends, is_closed, time_like};
use crate::base::{Accuracy, units};
use crate::dataset::FailedFile;
use crate::dataset::infer::Conflict;
use crate::gui::data::condition::{self, Condition};
use crate::gui::data::readable;
use crate::profile::columns::{Bin, ColumnProfile, Histogram, Scalar};
use crate::profile::drift::{Baseline, value_text};
use crate::session::Edit;
use crate::transform::expr::sql_name;
use crate::transform::{Recipe, RecipeStep, Step};

/// Most frequent values on a card.
pub const N_VALUES: usize = 5;

/// A most frequent value below this share is not frequent.
const FREQUENT: f64 = 0.02;
/// So few values are always listed.
const FEW_VALUES: u64 = 20;

/// One bar of a histogram.
#[derive(Debug, Clone, PartialEq)]
pub struct FactBar {
    /// `10 to below 20`
    pub label: String,
    pub n: u64,
    /// Of the values, 0..=1.
    pub share: f64,
    /// Borders as numbers, to find the share that another profile has there.
    pub low: f64,
    pub high: f64,
    pub keep: Option<Condition>,
}

/// One frequent value.
#[derive(Debug, Clone, PartialEq)]
pub struct FactValue {
    /// Short, in one line.
    pub text: String,
    /// Whole, as a baseline keeps it.
    pub value: String,
    pub n: u64,
    pub share: f64,
    pub keep: Option<Condition>,
}

/// How the values of a column are drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Picture {
    Bars {
        bars: Vec<FactBar>,
        ends: Ends,
        /// Bars of lengths: characters or items.
        is_of_lengths: bool,
        /// What lies along the bars where the numbers alone do not say it: `characters`, `log scale`.
        along: &'static str,
    },
    Values {
        values: Vec<FactValue>,
        /// Distinct values beyond those, where they were counted.
        n_more: u64,
    },
    /// Why there is none.
    Nothing(&'static str),
}

impl Picture {
    /// Without what a click would keep: no filter of rows tells one item of a list from another.
    fn without_filters(mut self) -> Self {
        match &mut self {
            Self::Bars { bars, .. } => bars.iter_mut().for_each(|bar| bar.keep = None),
            Self::Values { values, .. } => values.iter_mut().for_each(|value| value.keep = None),
            Self::Nothing(_) => {}
        }
        self
    }
}

/// One column, ready to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnFacts {
    pub name: String,
    pub dtype: String,
    pub n_rows: u64,
    pub n_null: u64,
    pub n_missing: Option<u64>,
    /// Rows without a value, 0..=1.
    pub null_share: f64,
    pub n_distinct: Option<u64>,
    /// `1,234 distinct`, with `about` where it is an estimate.
    pub distinct: String,
    /// `min 1 · median 5 · max 9`
    pub range: String,
    pub picture: Picture,
    /// The least exact of the figures.
    pub accuracy: Accuracy,
    /// What is estimated, and how far it may be off.
    pub accuracies: String,
    /// Values of another type, in words; empty without any.
    pub conflict: String,
}

/// A profile of the columns of some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Profiled {
    pub columns: Vec<ColumnFacts>,
    pub baseline: Baseline,
    pub n_rows: u64,
    pub n_files: u64,
    pub n_files_failed: u64,
    /// The first of them.
    pub failed_files: Vec<FailedFile>,
    pub n_rejects: u64,
    pub accuracy: Accuracy,
    /// A number that no other profile has.
    pub stamp: u64,
}

impl ColumnFacts {
    pub fn new(profile: &ColumnProfile) -> Self {
        let n_missing = profile.n_missing.filter(|n| *n > 0);
        let figures = [
            ("distinct values", profile.accuracy.n_distinct),
            ("quantiles", profile.accuracy.quantiles),
            ("histogram", profile.accuracy.histogram),
            ("frequent values", profile.accuracy.top),
        ];
        let inexact: Vec<String> = figures
            .iter()
            .filter(|(_, figure)| !figure.is_exact())
            .map(|(name, figure)| match figure.error {
                Some(error) => format!(
                    "{name}: {}, off by at most {}",
                    figure.accuracy,
                    units::percent(error)
                ),
                None => format!("{name}: {}", figure.accuracy),
            })
            .collect();
        Self {
            name: profile.name.clone(),
            dtype: profile.dtype.clone(),
            n_rows: profile.n_rows,
            n_null: profile.n_null,
            n_missing,
            null_share: profile.null_share().unwrap_or(0.0),
            n_distinct: profile.n_distinct,
            distinct: distinct(profile),
            range: range(profile),
            picture: match picture(profile) {
                found if profile.name.contains("[]") => found.without_filters(),
                found => found,
            },
            accuracy: if inexact.is_empty() {
                Accuracy::Exact
            } else {
                Accuracy::Estimate
            },
            accuracies: inexact.join("\n"),
            conflict: profile.conflict.as_ref().map_or_else(String::new, |conflict| {
                format!(
                    "{} of another type are null here, first {} at {}:{}",
                    units::plural(conflict.n, "value"),
                    conflict.first_got,
                    conflict.first_object,
                    conflict.first_line
                )
            }),
        }
    }

    /// Tells of types that a sample of the records mixes, where the values themselves have one.
    pub fn mix(&mut self, conflicts: &[Conflict]) {
        let found = conflicts.iter().find(|conflict| conflict.name == self.name);
        if let Some(found) = found.filter(|_| self.conflict.is_empty()) {
            self.conflict = format!("{}. {}.", found.said(Some(&self.dtype)), sentence(found.remedy()));
        }
    }

    /// The edit that keeps rows by `keep`: a filter at the end of the recipe, or at its start for rows as they are read.
    pub fn filter(&self, keep: &Condition, recipe: &Recipe, is_raw: bool) -> Option<Edit> {
        let at = if is_raw { 0 } else { recipe.steps.len() };
        if !self.name.contains('.') {
            return if is_raw {
                keep.insert(&self.name, at)
            } else {
                keep.insert_or_replace(&self.name, recipe, at)
            };
        }
        let path: Vec<String> = self.name.split('.').map(sql_name).collect();
        let sql = keep.sql_of(&path.join("."));
        let step = Step::from_params("filter", serde_json::json!({"where": sql})).ok()?;
        let step = RecipeStep::new(step);
        Some(Edit::InsertStep { at, step })
    }
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

/// Files and why each could not be read, a line for each, and what to do.
pub(super) fn failed_text(failed: &[FailedFile], n: u64) -> String {
    const NAMED: usize = 5;
    let named = failed.iter().take(NAMED);
    let mut lines: Vec<String> = named
        .map(|file| format!("{}: {}", file.object, file.reason))
        .collect();
    let n_more = n.saturating_sub(lines.len() as u64);
    if n_more > 0 {
        lines.push(format!("and {}", units::plural(n_more, "more file")));
    }
    lines.push(
        "What was not read is in no figure: write them again, or move them out of the dataset.".to_owned(),
    );
    lines.join("\n")
}

fn distinct(profile: &ColumnProfile) -> String {
    let Some(n) = profile.n_distinct else {
        return String::new();
    };
    let about = if profile.accuracy.n_distinct.is_exact() {
        ""
    } else {
        "about "
    };
    format!("{about}{} distinct", units::count(n))
}

fn range(profile: &ColumnProfile) -> String {
    let mut parts = Vec::new();
    parts.extend(lengths(profile));
    if let (Some(min), Some(max)) = (&profile.min, &profile.max)
        && !matches!(min, Scalar::Bool(_))
    {
        parts.push(format!("min {}", short(min)));
        let median = profile
            .quantiles
            .iter()
            .find(|quantile| (quantile.q - 0.5).abs() < 1e-9);
        parts.extend(median.map(|median| format!("median {}", short(&median.value))));
        parts.push(format!("max {}", short(max)));
    }
    parts.extend(
        profile
            .mean
            .filter(|_| profile.min.is_some())
            .map(|mean| match &profile.min {
                Some(Scalar::Bool(_)) => format!("{} true", units::percent(mean)),
                _ => format!("mean {}", float(mean)),
            }),
    );
    parts.join(" · ")
}

/// `2 to 16 characters`
fn lengths(profile: &ColumnProfile) -> Option<String> {
    let lengths = profile.lengths.as_ref()?;
    let what = if profile.dtype.starts_with("list") {
        "item"
    } else {
        "character"
    };
    Some(if lengths.min == lengths.max {
        units::plural(lengths.max, what)
    } else {
        format!(
            "{} to {}",
            units::count(lengths.min),
            units::plural(lengths.max, what)
        )
    })
}

/// A value short enough for the line of its bar.
fn short(value: &Scalar) -> String {
    const MAX: usize = 24;
    match value {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Int(n) => integer(*n),
        Scalar::UInt(n) => units::count(*n),
        Scalar::Float(value) => float(*value),
        Scalar::Text(text) if text.trim().is_empty() => readable(text).into_owned(),
        Scalar::Text(text) => {
            let line = text.replace('\n', "↵");
            if line.chars().count() <= MAX {
                line
            } else {
                let cut: String = line.chars().take(MAX).collect();
                format!("{cut}…")
            }
        }
    }
}

fn integer(n: i64) -> String {
    let digits = units::count(n.unsigned_abs());
    if n < 0 { format!("-{digits}") } else { digits }
}

/// Three decimals, or none from a thousand on.
pub(super) fn float(value: f64) -> String {
    let size = value.abs();
    if size >= 1e12 || (size > 0.0 && size < 1e-3) {
        return format!("{value:.3e}");
    }
    if size >= 1000.0 {
        #[expect(clippy::cast_possible_truncation, reason = "below 1e12")]
        let whole = value.round() as i64;
        return integer(whole);
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn picture(profile: &ColumnProfile) -> Picture {
    let n_values = profile.n_values();
    if n_values == 0 {
        return Picture::Nothing("No row has a value here.");
    }
    let is_text = matches!(profile.dtype.as_str(), "bool" | "json");
    if let Some(histogram) = profile
        .histogram
        .as_ref()
        .filter(|found| !found.bins.is_empty() && !is_text)
    {
        return Picture::Bars {
            bars: bars(histogram, &profile.dtype, n_values, false),
            ends: ends(histogram, &profile.dtype),
            is_of_lengths: false,
            along: if is_log(histogram) { "log scale" } else { "" },
        };
    }
    // Of values that are nearly all different, five say nothing of the others.
    let repeats = profile.top.first().is_some_and(|top| top.share >= FREQUENT) || n_values <= FEW_VALUES;
    if !profile.top.is_empty() && repeats {
        let values: Vec<FactValue> = profile
            .top
            .iter()
            .take(N_VALUES)
            .map(|top| FactValue {
                text: short(&top.value),
                value: value_text(&top.value),
                n: top.n,
                share: top.share,
                keep: literal(&top.value).map(Condition::Is),
            })
            .collect();
        let n_more = profile
            .n_distinct
            .unwrap_or(0)
            .saturating_sub(values.len() as u64);
        return Picture::Values { values, n_more };
    }
    let lengths = profile
        .lengths
        .as_ref()
        .and_then(|lengths| lengths.histogram.as_ref());
    if lengths.is_some_and(|found| found.bins.len() == 1) {
        return Picture::Nothing("Few values repeat; all are equally long.");
    }
    if let Some(histogram) = lengths.filter(|found| !found.bins.is_empty()) {
        return Picture::Bars {
            bars: bars(histogram, "", n_values, true),
            // Lengths are whole numbers.
            ends: ends(histogram, "uint64"),
            is_of_lengths: true,
            along: match (profile.dtype.starts_with("list"), is_log(histogram)) {
                (true, false) => "items",
                (true, true) => "items, log scale",
                (false, false) => "characters",
                (false, true) => "characters, log scale",
            },
        };
    }
    Picture::Nothing(if profile.dtype.starts_with("struct") {
        "Its fields have cards of their own."
    } else {
        "Values of this type have no picture."
    })
}

fn is_log(histogram: &Histogram) -> bool {
    histogram.scale == crate::profile::columns::Scale::Log
}

fn bars(histogram: &Histogram, dtype: &str, n_values: u64, is_of_lengths: bool) -> Vec<FactBar> {
    let last = histogram.bins.len().saturating_sub(1);
    // Lengths are whole numbers.
    let is_closed = !is_of_lengths && is_closed(histogram, dtype);
    let labels = histogram.bins.iter().skip(1).map(|bin| bin.label.as_str());
    let ends = labels.map(Some).chain([None]);
    histogram
        .bins
        .iter()
        .zip(ends)
        .enumerate()
        .map(|(at, (bin, next))| FactBar {
            label: bar_label(histogram, bin, next, is_closed),
            n: bin.n,
            share: bin.n as f64 / n_values.max(1) as f64,
            low: bin.low,
            high: bin.high,
            keep: if is_of_lengths {
                None
            } else {
                keep(bin, dtype, at == last)
            },
        })
        .collect()
}

fn bar_label(histogram: &Histogram, bin: &Bin, next: Option<&str>, is_closed: bool) -> String {
    use crate::profile::columns::Scale;
    match (histogram.scale, next) {
        (Scale::Integer, _) => bin.label.clone(),
        (_, Some(next)) => format!("{} to below {next}", bin.label),
        (Scale::Time, None) => format!("{} to below {}", bin.label, time_like(bin.high, &bin.label)),
        (_, None) if is_closed => format!("{} to {}", bin.label, float(bin.high)),
        (_, None) => format!("{} to below {}", bin.label, float(bin.high)),
    }
}

/// The filter for a bar. The last bar has its upper border too.
fn keep(bin: &Bin, dtype: &str, is_last: bool) -> Option<Condition> {
    let (low, high) = (border(bin.low, dtype)?, border(bin.high, dtype)?);
    Some(if is_last {
        Condition::From(low)
    } else {
        Condition::Range(low, high)
    })
}

/// A border as SQL. Times are in seconds since 1970.
fn border(value: f64, dtype: &str) -> Option<String> {
    if dtype == "string" {
        // Decimals, which steps see as texts.
        return None;
    }
    if dtype == "date" {
        #[expect(clippy::cast_possible_truncation, reason = "days of the calendar")]
        let days = (value / 86_400.0).floor() as i32;
        return condition::literal(&AnyValue::Date(days));
    }
    if dtype.starts_with("timestamp") {
        #[expect(clippy::cast_possible_truncation, reason = "microseconds of the calendar")]
        let ticks = (value * 1e6).round() as i64;
        let zone = dtype.contains(", ").then_some(TimeZone::UTC);
        return condition::literal(&AnyValue::Datetime(ticks, TimeUnit::Microseconds, zone.as_ref()));
    }
    if dtype.starts_with("int") || dtype.starts_with("uint") {
        if value.fract() != 0.0 || value.abs() >= 9e15 {
            return condition::float(value);
        }
        return Some(format!("{value:.0}"));
    }
    condition::float(value)
}

fn literal(value: &Scalar) -> Option<String> {
    match value {
        Scalar::Bool(value) => condition::literal(&AnyValue::Boolean(*value)),
        Scalar::Int(n) => condition::literal(&AnyValue::Int64(*n)),
        Scalar::UInt(n) => condition::literal(&AnyValue::UInt64(*n)),
        Scalar::Float(value) => condition::float(*value),
        // A text that was cut is not the value.
        Scalar::Text(text) if text.ends_with('…') => None,
        Scalar::Text(text) => condition::literal(&AnyValue::String(text)),
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, DataType, IntoColumn, NamedFrom, Series};

    use super::{ColumnFacts, Picture};
    use crate::dataset::infer::{Conflict, SeenType};
    use crate::gui::data::condition::Condition;
    use crate::profile::columns::{ColumnProfiler, Level};
    use crate::session::Edit;
    use crate::transform::Recipe;

    fn facts(series: Series) -> ColumnFacts {
        let df = DataFrame::new(series.len(), vec![series.into_column()]).unwrap();
        let mut profiler = ColumnProfiler::new(df.schema().as_ref(), Level::Full);
        profiler.add(&df).unwrap();
        ColumnFacts::new(&profiler.finish(true)[0])
    }

    #[test]
    fn bars_of_numbers_keep_their_range_and_the_last_its_greatest_value() {
        let found = facts(Series::new("n".into(), (0_i64..100).collect::<Vec<_>>()));
        let Picture::Bars { bars, .. } = &found.picture else {
            panic!("{:?}", found.picture);
        };
        assert_eq!(bars.iter().map(|bar| bar.n).sum::<u64>(), 100);
        assert!(
            matches!(bars[0].keep, Some(Condition::Range(..))),
            "{:?}",
            bars[0]
        );
        assert!(matches!(bars.last().unwrap().keep, Some(Condition::From(_))));
        assert!(found.range.starts_with("min 0 · median"), "{}", found.range);
    }

    #[test]
    fn what_is_outside_of_the_bars_is_named_as_they_are() {
        let ends = |series: Series| match facts(series).picture {
            Picture::Bars { ends, bars, .. } => (ends.below, bars.last().unwrap().label.clone(), ends.above),
            other => panic!("{other:?}"),
        };
        let told =
            |(below, last, above): (&str, &str, &str)| (below.to_owned(), last.to_owned(), above.to_owned());
        let few = Series::new("n".into(), [3_i64, 4, 5]);
        assert_eq!(ends(few), told(("below 3", "5", "over 5")));
        let many = Series::new("n".into(), (0_i64..20_000).collect::<Vec<_>>());
        assert_eq!(
            ends(many),
            told(("below 0", "19000 to below 20,000", "from 20,000 on"))
        );
        let reals = Series::new(
            "x".into(),
            (0..=100).map(|n| f64::from(n) / 10.0).collect::<Vec<_>>(),
        );
        assert_eq!(ends(reals), told(("below 0", "9 to 10", "over 10")));
        let days: Vec<i32> = (18_262..18_272).collect();
        let days = Series::new("d".into(), days).cast(&DataType::Date).unwrap();
        let found = ends(days);
        assert_eq!(
            (found.0.as_str(), found.2.as_str()),
            ("below 2020-01-01", "from 2020-01-11 on")
        );
    }

    #[test]
    fn frequent_values_become_filters_also_of_nested_fields() {
        let found = facts(Series::new("a b".into(), ["US", "US", "it's"]));
        let Picture::Values { values, n_more } = &found.picture else {
            panic!("{:?}", found.picture);
        };
        assert_eq!((values[0].text.as_str(), values[0].n, *n_more), ("US", 2, 0));
        let mut nested = found.clone();
        nested.name = "place.my city".to_owned();
        let said = |facts: &ColumnFacts, is_raw| {
            let keep = values[1].keep.clone().unwrap();
            let Some(Edit::InsertStep { at, step }) = facts.filter(&keep, &Recipe::default(), is_raw) else {
                panic!("a step");
            };
            (at, step.step.params()["where"].as_str().unwrap().to_owned())
        };
        assert_eq!(said(&found, true), (0, "\"a b\" = 'it''s'".to_owned()));
        assert_eq!(
            said(&nested, false),
            (0, "place.\"my city\" = 'it''s'".to_owned())
        );
    }

    #[test]
    fn types_that_records_mix_are_told_on_the_card() {
        let seen = |dtype: &str, n, line| SeenType {
            dtype: dtype.to_owned(),
            object: "a.jsonl".to_owned(),
            line,
            n,
            n_files: None,
        };
        let conflict = |name: &str| Conflict {
            name: name.to_owned(),
            dtypes: vec![seen("int64", 1610, 1), seen("string", 1, 7)],
        };
        let mut found = facts(Series::new("qty".into(), ["1", "many"]));
        found.mix(&[conflict("other")]);
        assert_eq!(found.conflict, "");
        found.mix(&[conflict("qty")]);
        assert_eq!(
            found.conflict,
            "read as string; in a sample int64 in 1,610 records, string in 1 record, string first at a.jsonl:7. Declare the \
             type in a job's schema, with `accept` for the others, or mend the writer."
        );
    }

    #[test]
    fn a_column_of_nulls_says_so() {
        let found = facts(Series::new("x".into(), [None::<i64>, None]));
        assert_eq!(found.picture, Picture::Nothing("No row has a value here."));
        assert!((found.null_share - 1.0).abs() < 1e-9);
    }
}
