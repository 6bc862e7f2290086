//! One bar per partition, missing dates and hours included, in order of partitions or of size, with the median and the even share
//! as baselines.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};

use crate::profile::{PartitionSkew, RowCount, RowCounts, SpikeRemedy, formulas, has_tiny_files};
use crate::storage::{DatasetKeys, Partition};

/// What bars count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    #[default]
    Bytes,
    Files,
    Rows,
}

/// In which order bars stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BarOrder {
    /// By date, or by the values of keys.
    #[default]
    Partition,
    /// The largest first.
    Size,
}

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    pub partition: Partition,
    /// Short label below the bar, such as `09`.
    pub label: String,
    /// None for a missing date or hour.
    pub n_bytes: Option<u64>,
    pub n_files: u64,
    pub is_spike: bool,
    pub has_tiny_files: bool,
    /// None while rows were not counted.
    pub n_rows: Option<RowCount>,
}

impl Bar {
    /// A gap.
    fn missing(partition: Partition, form: &str) -> Self {
        Self {
            label: label(&partition, form),
            partition,
            n_bytes: None,
            n_files: 0,
            is_spike: false,
            has_tiny_files: false,
            n_rows: None,
        }
    }

    /// None for a missing date or hour, and for rows that were not counted.
    pub fn value(&self, measure: Measure) -> Option<u64> {
        match measure {
            Measure::Bytes => self.n_bytes,
            Measure::Files => self.n_bytes.map(|_| self.n_files),
            Measure::Rows => self.n_rows.map(|count| count.n_rows),
        }
    }
}

/// What all bars of one measure have in common.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MeasureFacts {
    pub max: u64,
    /// Of the partitions that are there.
    pub median: f64,
    /// What each would hold if all were even.
    pub even: f64,
    /// Places of the bars, the largest first; missing dates last.
    pub by_size: Vec<usize>,
}

/// Bars in partition order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PartitionBars {
    pub bars: Vec<Bar>,
    pub median_bytes: f64,
    pub max_bytes: u64,
    /// Of bytes, files and rows.
    facts: [MeasureFacts; 3],
}

impl PartitionBars {
    /// Bars of every partition, and a gap for every missing date and, where partitions are hours, every missing hour. Data that
    /// lack most dates do not come daily, and get no gaps; nor do those that lack most hours.
    pub fn new(dataset: &DatasetKeys, skew: &PartitionSkew) -> Self {
        let dates: BTreeSet<NaiveDate> = dataset.partitions.keys().filter_map(Partition::date).collect();
        let form = label_form(&dates);
        let mut bars: Vec<Bar> = dataset
            .partitions
            .values()
            .map(|stats| Bar {
                label: label(&stats.partition, form),
                partition: stats.partition.clone(),
                n_bytes: Some(stats.n_bytes),
                n_files: stats.n_files,
                is_spike: SpikeRemedy::is_spike(stats, dataset, &skew.metrics),
                has_tiny_files: has_tiny_files(stats),
                n_rows: None,
            })
            .collect();
        if skew.missing.len() < dates.len() {
            let gap = |date: &NaiveDate| Bar::missing(Partition::Day(*date), form);
            bars.extend(skew.missing.iter().map(gap));
        }
        bars.extend(missing_hours(dataset, skew).map(|hour| Bar::missing(hour, form)));
        if bars.len() > dataset.partitions.len() {
            // By date first: a gap among hours may be a whole day.
            bars.sort_by(|a, b| (a.partition.date(), &a.partition).cmp(&(b.partition.date(), &b.partition)));
        }
        // What has no valid date stands after all days, not before the first.
        bars.sort_by_key(|bar| bar.partition.date().is_none());
        let mut chart = Self {
            bars,
            median_bytes: skew.metrics.median_bytes as f64,
            max_bytes: skew.metrics.max_bytes,
            facts: Default::default(),
        };
        chart.facts = [Measure::Bytes, Measure::Files, Measure::Rows].map(|measure| chart.measured(measure));
        // The same median that the findings speak of, which leaves empty partitions out where most are.
        let [bytes, ..] = &mut chart.facts;
        bytes.median = chart.median_bytes;
        chart
    }

    /// Takes what was counted of rows.
    pub fn set_rows(&mut self, rows: &RowCounts) {
        for bar in &mut self.bars {
            bar.n_rows = rows.partitions.get(&bar.partition).copied();
        }
        let measured = self.measured(Measure::Rows);
        let [_, _, facts] = &mut self.facts;
        *facts = measured;
    }

    /// Baselines and order of one measure.
    pub fn facts(&self, measure: Measure) -> &MeasureFacts {
        let [bytes, files, rows] = &self.facts;
        match measure {
            Measure::Bytes => bytes,
            Measure::Files => files,
            Measure::Rows => rows,
        }
    }

    fn measured(&self, measure: Measure) -> MeasureFacts {
        let values: Vec<u64> = self.bars.iter().filter_map(|bar| bar.value(measure)).collect();
        let max = values.iter().copied().max().unwrap_or(0);
        let mut values: Vec<f64> = values.into_iter().map(|value| value as f64).collect();
        let sum: f64 = values.iter().sum();
        let mut by_size: Vec<usize> = (0..self.bars.len()).collect();
        let value_of = |at: &usize| self.bars.get(*at).and_then(|bar| bar.value(measure));
        by_size.sort_by_key(|at| std::cmp::Reverse(value_of(at)));
        MeasureFacts {
            max,
            even: if values.is_empty() {
                0.0
            } else {
                sum / values.len() as f64
            },
            median: formulas::median_of(&mut values).unwrap_or(0.0),
            by_size,
        }
    }
}

/// Gaps among partitions that are hours, as long as they are fewer than the hours that are there.
fn missing_hours<'a>(
    dataset: &DatasetKeys,
    skew: &'a PartitionSkew,
) -> impl Iterator<Item = Partition> + use<'a> {
    let is_hour = |partition: &&Partition| matches!(partition, Partition::Hour(..));
    let n_hours = dataset.partitions.keys().filter(is_hour).count();
    let missing = skew.missing_hours.as_ref();
    missing
        .filter(move |missing| missing.all.len() < n_hours)
        .into_iter()
        .flat_map(|missing| &missing.all)
        .map(|(date, hour)| Partition::Hour(*date, *hour))
}

/// The shortest form of a date that tells all `dates` apart.
fn label_form(dates: &BTreeSet<NaiveDate>) -> &'static str {
    match (dates.first(), dates.last()) {
        (Some(first), Some(last)) if first.year() != last.year() => "%Y-%m-%d",
        (Some(first), Some(last)) if first.month() != last.month() => "%m-%d",
        _ => "%d",
    }
}

fn label(partition: &Partition, form: &str) -> String {
    match partition {
        Partition::Day(date) => date.format(form).to_string(),
        Partition::Hour(date, hour) => format!("{} {hour:02}h", date.format(form)),
        Partition::Keys(keys) => {
            let values: Vec<&str> = keys.iter().map(|(_, value)| value.as_str()).collect();
            values.join(" ")
        }
        Partition::Whole => partition.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::{Measure, PartitionBars};
    use crate::chart::tests::{dataset, day, hour, two_weeks};
    use crate::profile::{CostModel, RowCount, RowCounts, partition_skew};
    use crate::storage::{DatasetKeys, Partition};

    fn bars(dataset: &DatasetKeys) -> PartitionBars {
        PartitionBars::new(dataset, &partition_skew(dataset, &CostModel::default()))
    }

    #[test]
    fn every_day_has_a_bar_and_the_missing_one_a_gap() {
        let chart = bars(&two_weeks());
        let labels: Vec<&str> = chart.bars.iter().map(|bar| bar.label.as_str()).collect();
        let days: Vec<String> = (1..=14).map(|n| format!("{n:02}")).collect();
        assert_eq!(labels, days);
        let marked = |is: &dyn Fn(&super::Bar) -> bool| -> Vec<&str> {
            chart
                .bars
                .iter()
                .filter(|bar| is(bar))
                .map(|bar| bar.label.as_str())
                .collect()
        };
        assert_eq!(marked(&|bar| bar.n_bytes.is_none()), ["06"]);
        assert_eq!(marked(&|bar| bar.is_spike), ["09"]);
        assert_eq!(marked(&|bar| bar.has_tiny_files), ["11"]);
        assert!((chart.median_bytes - 440_000.0).abs() < f64::EPSILON);
        assert_eq!(chart.max_bytes, 5_300_000);
    }

    #[test]
    fn labels_are_as_long_as_the_dates_need() {
        let check = |days: [Partition; 2], expected: [&str; 2]| {
            let chart = bars(&dataset(days.map(|day| (day, 1, 10))));
            let labels: Vec<String> = chart.bars.into_iter().map(|bar| bar.label).collect();
            assert_eq!(labels, expected);
        };
        check([day(1, 1), day(1, 2)], ["01", "02"]);
        check([day(1, 31), day(2, 1)], ["01-31", "02-01"]);
        let next_year = Partition::Day(NaiveDate::from_ymd_opt(2021, 1, 1).unwrap());
        check([day(12, 31), next_year], ["2020-12-31", "2021-01-01"]);
        check([hour(1, 1, 4), hour(1, 1, 5)], ["01 04h", "01 05h"]);
        let keys = |value: &str| Partition::Keys(vec![("country".to_owned(), value.to_owned())]);
        check([keys("DE"), keys("US")], ["DE", "US"]);
    }

    #[test]
    fn a_gap_among_hours_stands_at_its_date() {
        let chart = bars(&dataset([(hour(1, 1, 23), 1, 10), (hour(1, 3, 0), 1, 10)]));
        let gaps: Vec<bool> = chart.bars.iter().map(|bar| bar.n_bytes.is_none()).collect();
        assert_eq!(gaps, [false, true, false]);
    }

    #[test]
    fn what_has_no_valid_date_stands_after_the_last_day() {
        let invalid = || Partition::Keys(vec![("dt".to_owned(), "2020-13-45".to_owned())]);
        let check = |days: &[u32], expected: &[&str]| {
            let there = days.iter().map(|n| (day(1, *n), 1, 10));
            let chart = bars(&dataset(
                there.chain([(invalid(), 1, 10), (Partition::Whole, 1, 10)]),
            ));
            let labels: Vec<String> = chart.bars.into_iter().map(|bar| bar.label).collect();
            assert_eq!(labels[..expected.len()], *expected, "{labels:?}");
            assert_eq!(labels.len(), expected.len() + 2);
        };
        check(&[1, 2, 3], &["01", "02", "03"]);
        check(&[1, 3, 4], &["01", "02", "03", "04"]);
    }

    #[test]
    fn a_missing_hour_is_a_gap_at_its_place_unless_most_hours_are_missing() {
        let lake = |is_there: &dyn Fn(u32, u8) -> bool| {
            let all = (1..=4).flat_map(|day| (0..24).map(move |at| (day, at)));
            let there = all.filter(|(day, at)| is_there(*day, *at));
            bars(&dataset(there.map(|(day, at)| (hour(1, day, at), 1, 10))))
        };
        let chart = lake(&|day, at| !matches!((day, at), (2, 3..=5) | (3, 23)));
        assert_eq!(chart.bars.len(), 96);
        let gaps: Vec<(usize, &str)> = chart
            .bars
            .iter()
            .enumerate()
            .filter(|(_, bar)| bar.n_bytes.is_none())
            .map(|(at, bar)| (at, bar.label.as_str()))
            .collect();
        assert_eq!(
            gaps,
            [(27, "02 03h"), (28, "02 04h"), (29, "02 05h"), (71, "03 23h")]
        );
        // Written every six hours: nothing is missing.
        assert_eq!(lake(&|_, at| at % 6 == 0).bars.len(), 16);
        // With another key beside the hour a gap has no partition of its own.
        let keys = |at: u8| -> Partition {
            format!("country=DE,dt=2020-01-01,hour={at:02}")
                .try_into()
                .unwrap()
        };
        let of_keys = bars(&dataset([0, 1, 3].map(|at| (keys(at), 1, 10))));
        assert_eq!(of_keys.bars.len(), 3);
    }

    #[test]
    fn bars_are_ordered_by_size_with_the_even_share_as_baseline_and_rows_when_they_are_counted() {
        let mut chart = bars(&two_weeks());
        let bytes = chart.facts(Measure::Bytes);
        assert_eq!(
            (bytes.by_size[0], *bytes.by_size.last().unwrap()),
            (8, 5),
            "the spike first, the gap last"
        );
        let even = (5_300_000.0 + 450_000.0 + 11.0 * 440_000.0) / 13.0;
        assert!((bytes.even - even).abs() < 1e-6 && (bytes.median - 440_000.0).abs() < 1e-9);
        assert_eq!(chart.facts(Measure::Files).by_size[0], 10);
        assert_eq!(
            (chart.facts(Measure::Rows).max, chart.bars[0].value(Measure::Rows)),
            (0, None)
        );
        let counted = RowCount {
            n_rows: 7,
            ..RowCount::default()
        };
        chart.set_rows(&RowCounts {
            partitions: [(day(1, 3), counted)].into(),
            ..RowCounts::default()
        });
        let rows = chart.facts(Measure::Rows);
        assert_eq!((rows.max, rows.by_size[0]), (7, 2));
        assert_eq!(chart.bars[2].value(Measure::Rows), Some(7));
    }

    #[test]
    fn weekly_data_get_no_gaps_and_no_data_no_bars() {
        let weekly = bars(&dataset([1, 8, 15, 22].map(|n| (day(1, n), 1, 10))));
        assert_eq!(weekly.bars.len(), 4);
        let nothing = bars(&dataset([]));
        assert!(nothing.bars.is_empty() && nothing.max_bytes == 0);
    }
}
