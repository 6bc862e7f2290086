//! What the shown rows of each column hold: nulls, distinct values and the bars of the header.
//!
//! Computed once for each column of each result, columns in view first, a few milliseconds a frame; never for lists,
//! structs and long text. Columns that a new result shares with the last keep their figures.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use polars::prelude::{Column, DataType, Series};

/// Bars of a header.
const N_BARS: usize = 12;
/// Time that one frame may spend.
const FRAME_BUDGET: Duration = Duration::from_millis(2);
/// Rows that are looked at.
const MAX_ROWS: usize = 10_000;
/// Text beyond this many bytes in a column is not counted by value.
const MAX_TEXT_BYTES: usize = 2_000_000;

/// What the shown rows of a column hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColumnStats {
    pub n_rows: usize,
    pub n_null: usize,
    /// None where it was not counted.
    pub n_distinct: Option<usize>,
    /// Heights 0..=1: a histogram of numbers and times, the most frequent values of text.
    pub bars: Vec<f32>,
    /// What the bars are, for the tooltip.
    pub bars_label: String,
}

impl ColumnStats {
    pub fn null_share(&self) -> f64 {
        if self.n_rows == 0 {
            0.0
        } else {
            self.n_null as f64 / self.n_rows as f64
        }
    }
}

#[derive(Debug)]
struct Known {
    /// Held so that its address cannot be taken by another.
    series: Series,
    stats: Arc<ColumnStats>,
}

/// The figures of the columns shown so far.
#[derive(Debug, Default)]
pub struct StatsCache {
    known: HashMap<String, Known>,
    frame_start: Option<Instant>,
}

impl StatsCache {
    /// Starts a frame: its time is counted from the first column computed.
    pub fn begin_frame(&mut self) {
        self.frame_start = None;
    }

    /// Forgets columns that are no longer there.
    pub fn retain(&mut self, columns: &[Column]) {
        if self.known.len() > columns.len() {
            self.known
                .retain(|name, _| columns.iter().any(|column| column.name().as_str() == name));
        }
    }

    /// The figures of `column`, or none when this frame has no time left.
    pub fn get(&mut self, column: &Column) -> Option<Arc<ColumnStats>> {
        let series = column.as_materialized_series();
        if let Some(known) = self.known.get(column.name().as_str())
            && Arc::ptr_eq(&known.series.0, &series.0)
        {
            return Some(Arc::clone(&known.stats));
        }
        // The first column of a frame is always computed, so that a slow machine gets on too.
        match self.frame_start {
            None => self.frame_start = Some(Instant::now()),
            Some(start) if start.elapsed() > FRAME_BUDGET => return None,
            Some(_) => {}
        }
        let stats = Arc::new(compute(series));
        let known = Known {
            series: series.clone(),
            stats: Arc::clone(&stats),
        };
        self.known.insert(column.name().to_string(), known);
        Some(stats)
    }
}

/// The figures of the first rows of `series`.
pub fn compute(series: &Series) -> ColumnStats {
    let series = series.head(Some(MAX_ROWS));
    let mut stats = ColumnStats {
        n_rows: series.len(),
        n_null: series.null_count(),
        ..ColumnStats::default()
    };
    match series.dtype() {
        DataType::Boolean => booleans(&series, &mut stats),
        DataType::String => texts(&series, &mut stats),
        dtype if dtype.is_primitive_numeric() || dtype.is_temporal() => numbers(&series, &mut stats),
        _ => {}
    }
    stats
}

fn booleans(series: &Series, stats: &mut ColumnStats) {
    let Ok(values) = series.bool() else { return };
    let n_true = values.iter().filter(|value| *value == Some(true)).count();
    let n_false = series.len() - stats.n_null - n_true;
    stats.n_distinct = Some(usize::from(n_true > 0) + usize::from(n_false > 0));
    stats.bars = scaled(&[n_false, n_true]);
    stats.bars_label = format!("false {n_false}, true {n_true}");
}

fn texts(series: &Series, stats: &mut ColumnStats) {
    let Ok(values) = series.str() else { return };
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut n_bytes = 0;
    for value in values.iter().flatten() {
        n_bytes += value.len();
        if n_bytes > MAX_TEXT_BYTES {
            return;
        }
        *counts.entry(value).or_default() += 1;
    }
    stats.n_distinct = Some(counts.len());
    let mut top: Vec<(&str, usize)> = counts.into_iter().collect();
    top.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    top.truncate(N_BARS);
    stats.bars = scaled(&top.iter().map(|(_, n)| *n).collect::<Vec<_>>());
    let named: Vec<String> = top
        .iter()
        .take(5)
        .map(|(value, n)| {
            format!(
                "{} {n}",
                value.chars().take(24).collect::<String>().replace('\n', "↵")
            )
        })
        .collect();
    stats.bars_label = format!("most frequent: {}", named.join(", "));
}

fn numbers(series: &Series, stats: &mut ColumnStats) {
    stats.n_distinct = series.n_unique().ok().map(|n| n - usize::from(stats.n_null > 0));
    // Floats are exact enough for the bars; the values themselves never pass through them.
    let Ok(floats) = series.cast(&DataType::Float64) else {
        return;
    };
    let Ok(floats) = floats.f64() else { return };
    let values: Vec<f64> = floats
        .iter()
        .flatten()
        .filter(|value| value.is_finite())
        .collect();
    let (low, high) = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
    let width = high - low;
    if values.is_empty() || !width.is_finite() {
        return;
    }
    let mut counts = [0_usize; N_BARS];
    for value in values {
        let share = if width > 0.0 { (value - low) / width } else { 0.0 };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the share is 0..=1, so the index is small and not negative"
        )]
        let bin = ((share * N_BARS as f64) as usize).min(N_BARS - 1);
        if let Some(count) = counts.get_mut(bin) {
            *count += 1;
        }
    }
    stats.bars = scaled(&counts);
    "histogram from the least to the greatest value".clone_into(&mut stats.bars_label);
}

/// Counts as heights; the highest is 1, and what is not zero can be seen.
fn scaled(counts: &[usize]) -> Vec<f32> {
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    #[expect(clippy::cast_possible_truncation, reason = "a height of a few pixels")]
    let height = |count: &usize| (*count as f64 / most as f64) as f32;
    counts
        .iter()
        .map(|count| if *count == 0 { 0.0 } else { height(count).max(0.06) })
        .collect()
}

/// `9.1k`, `548k`, `1.2M`: a count for a narrow place.
pub fn compact(n: usize) -> String {
    let value = n as f64;
    match n {
        0..1_000 => n.to_string(),
        1_000..10_000 => format!("{:.1}k", value / 1e3),
        10_000..1_000_000 => format!("{:.0}k", value / 1e3),
        _ => format!("{:.1}M", value / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use polars::prelude::{Column, IntoColumn, NamedFrom, Series};

    use super::{StatsCache, compact, compute};

    #[test]
    fn text_is_counted_by_value() {
        let stats = compute(&Series::new("s".into(), [Some("a"), Some("b"), Some("a"), None]));
        assert_eq!((stats.n_rows, stats.n_null, stats.n_distinct), (4, 1, Some(2)));
        assert_eq!(stats.bars, [1.0, 0.5]);
    }

    #[test]
    fn numbers_have_a_histogram_without_nulls_and_nan() {
        let stats = compute(&Series::new(
            "x".into(),
            [Some(0.0), Some(12.0), Some(12.0), Some(f64::NAN), None],
        ));
        assert_eq!(stats.n_null, 1);
        assert_eq!(stats.bars.first(), Some(&0.5));
        assert_eq!(stats.bars.last(), Some(&1.0));
    }

    #[test]
    fn a_column_of_the_same_data_keeps_its_figures_and_another_does_not() {
        let mut cache = StatsCache::default();
        let column: Column = Series::new("s".into(), ["a", "b"]).into_column();
        let first = cache.get(&column).unwrap();
        assert!(Arc::ptr_eq(&first, &cache.get(&column.clone()).unwrap()));
        let other: Column = Series::new("s".into(), ["a", "a"]).into_column();
        cache.begin_frame();
        assert_eq!(cache.get(&other).unwrap().n_distinct, Some(1));
    }

    #[test]
    fn counts_fit_narrow_places() {
        assert_eq!(
            [999, 9_120, 548_210, 1_200_000].map(compact),
            ["999", "9.1k", "548k", "1.2M"]
        );
    }
}
