//! Hours that are not there on dates that are.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Serialize;

use crate::storage::{DatasetKeys, Partition};

/// Runs of missing hours that are kept as examples.
const MAX_EXAMPLES: usize = 5;

/// Hours in a row of one date without objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct HourRun {
    pub date: NaiveDate,
    pub first: u8,
    pub last: u8,
    /// Hours between, both ends counted, that are expected.
    pub n_hours: u64,
}

/// Hours that are expected between the first hour and the last and are not there. Dates of which nothing is there are no part
/// of it: they are missing as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct MissingHours {
    pub n_missing: u64,
    /// Hours that are expected on the dates that are there.
    pub n_expected: u64,
    /// Dates that lack some.
    pub n_dates: u64,
    /// Hours of the day that at least half of the dates have.
    pub hours_of_day: Vec<u8>,
    /// The first runs.
    pub examples: Vec<HourRun>,
    /// All of them, in order: charts leave a gap for each.
    #[serde(skip)]
    pub all: Vec<(NaiveDate, u8)>,
}

/// What a dataset of hours lacks; none where partitions are no hours. An hour of the day is expected where at least half of the
/// dates have it, so that a lake that is written four times a day lacks nothing.
pub(super) fn missing_hours(dataset: &DatasetKeys) -> Option<MissingHours> {
    let mut dates: BTreeMap<NaiveDate, BTreeSet<u8>> = BTreeMap::new();
    for partition in dataset.partitions.keys() {
        if let (Some(date), Some(hour)) = (partition.date(), Partition::hour(partition)) {
            dates.entry(date).or_default().insert(hour);
        }
    }
    let first = dates
        .first_key_value()
        .and_then(|(date, hours)| Some((*date, *hours.first()?)))?;
    let last = dates
        .last_key_value()
        .and_then(|(date, hours)| Some((*date, *hours.last()?)))?;
    let mut n_dates_with = [0_usize; 24];
    for hour in dates.values().flatten() {
        if let Some(n) = n_dates_with.get_mut(usize::from(*hour)) {
            *n += 1;
        }
    }
    let usual = (0_u8..).zip(n_dates_with).filter(|(_, n)| *n * 2 >= dates.len());
    let mut found = MissingHours {
        hours_of_day: usual.map(|(hour, _)| hour).collect(),
        ..MissingHours::default()
    };
    for (date, hours) in &dates {
        let mut run: Option<HourRun> = None;
        let mut n_missing = 0;
        for hour in found.hours_of_day.clone() {
            // The first and the last date may be covered in part.
            if (*date, hour) < first || (*date, hour) > last {
                continue;
            }
            found.n_expected += 1;
            if hours.contains(&hour) {
                found.keep(run.take());
                continue;
            }
            n_missing += 1;
            found.all.push((*date, hour));
            let run = run.get_or_insert(HourRun {
                date: *date,
                first: hour,
                last: hour,
                n_hours: 0,
            });
            run.last = hour;
            run.n_hours += 1;
        }
        found.keep(run);
        found.n_missing += n_missing;
        found.n_dates += u64::from(n_missing > 0);
    }
    Some(found)
}

/// Hours of a day in words: `03h to 05h, 23h`.
pub fn hours_in_words(hours: &[u8]) -> String {
    let runs = hours.chunk_by(|a, b| a + 1 == *b);
    let words = runs.filter_map(|run| match run {
        [] => None,
        [only] => Some(format!("{only:02}h")),
        [first, .., last] => Some(format!("{first:02}h to {last:02}h")),
    });
    words.collect::<Vec<_>>().join(", ")
}

impl MissingHours {
    fn keep(&mut self, run: Option<HourRun>) {
        if self.examples.len() < MAX_EXAMPLES {
            self.examples.extend(run);
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Datelike as _;

    use super::{MissingHours, hours_in_words, missing_hours};
    use crate::storage::testing::{dataset, hour};
    use crate::storage::{DatasetKeys, Partition};

    /// Hours of January as (day, hour).
    fn lake(hours: impl IntoIterator<Item = (u32, u8)>) -> DatasetKeys {
        dataset(hours.into_iter().map(|(day, at)| (hour(1, day, at), 1, 10)))
    }

    fn all(days: std::ops::RangeInclusive<u32>) -> impl Iterator<Item = (u32, u8)> {
        days.flat_map(|day| (0..24).map(move |hour| (day, hour)))
    }

    fn runs(found: &MissingHours) -> Vec<(u32, u8, u8, u64)> {
        let runs = found.examples.iter();
        runs.map(|run| (run.date.day(), run.first, run.last, run.n_hours))
            .collect()
    }

    #[test]
    fn gaps_are_counted_inside_the_range_that_is_covered_and_told_as_runs() {
        let covered = all(1..=5).filter(|at| *at >= (1, 6) && *at <= (5, 20));
        let gaps = [(2, 3), (2, 4), (2, 5), (4, 0), (4, 23)];
        let found = missing_hours(&lake(covered.filter(|at| !gaps.contains(at)))).unwrap();
        assert_eq!((found.n_missing, found.n_dates), (5, 2));
        assert_eq!(found.n_expected, 5 * 24 - 6 - 3);
        assert_eq!(runs(&found), [(2, 3, 5, 3), (4, 0, 0, 1), (4, 23, 23, 1)]);
        let all: Vec<(u32, u8)> = found.all.iter().map(|(date, hour)| (date.day(), *hour)).collect();
        assert_eq!(all, gaps);
        assert_eq!(
            hours_in_words(&[3, 4, 5, 9, 22, 23]),
            "03h to 05h, 09h, 22h to 23h"
        );
    }

    #[test]
    fn whole_dates_that_are_missing_are_no_missing_hours_and_many_gaps_have_few_examples() {
        let found = missing_hours(&lake(all(1..=20).filter(|(day, _)| *day != 7))).unwrap();
        assert_eq!((found.n_missing, found.n_expected), (0, 19 * 24));
        let holes = missing_hours(&lake(
            all(1..=20).filter(|(day, hour)| (day + u32::from(*hour)) % 3 > 0),
        ));
        let holes = holes.unwrap();
        assert_eq!(holes.examples.len(), 5);
        assert!(holes.n_missing > 150, "{holes:?}");
    }

    #[test]
    fn a_lake_that_is_written_four_times_a_day_lacks_only_those_hours() {
        let four = |day: u32| [0, 6, 12, 18].map(|hour| (day, hour));
        let found = missing_hours(&lake((1..=9).flat_map(four).filter(|at| *at != (5, 12)))).unwrap();
        assert_eq!(found.hours_of_day, [0, 6, 12, 18]);
        assert_eq!(runs(&found), [(5, 12, 12, 1)]);
        assert_eq!(missing_hours(&dataset([(Partition::Whole, 1, 10)])), None);
        assert_eq!(missing_hours(&DatasetKeys::default()), None);
    }
}
