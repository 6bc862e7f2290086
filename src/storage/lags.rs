//! How long after their partition's date files were last modified, counted in classes as a listing goes by.

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};

/// A date begins in its easternmost time zone this many hours before it does in UTC; what was modified before that was
/// modified before its date everywhere.
const EASTERNMOST_HOURS: i64 = 14;
/// Clocks that are kept in step differ by less.
const CLOCK_SLACK_MINUTES: i64 = 5;

const N_CLASSES: usize = 5;
/// Last day after the date that a class counts; the last class has no end.
const CLASSES: [i64; N_CLASSES] = [2, 7, 30, 365, i64::MAX];
/// The first class that is late where most files are not.
const FIRST_LATE: usize = 2;

/// Files by the days between their date and their last change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lags {
    classes: [u64; N_CLASSES],
    /// Files that were modified before their date began anywhere.
    pub n_early: u64,
    /// Files whose last change lies after the moment of the listing.
    pub n_future: u64,
    /// The longest lag in days.
    pub max_days: u32,
}

impl Lags {
    /// Days after its date from which on a file is late, where most files are not.
    pub const LATE_DAYS: i64 = 7;

    /// Counts a file of `date`. `now` is the moment of the listing, where it is known.
    pub fn add(&mut self, date: NaiveDate, modified: DateTime<Utc>, now: Option<DateTime<Utc>>) {
        if now.is_some_and(|now| modified > now + Duration::minutes(CLOCK_SLACK_MINUTES)) {
            self.n_future += 1;
            return;
        }
        let lag = modified.naive_utc() - date.and_time(NaiveTime::MIN);
        if lag < Duration::hours(-EASTERNMOST_HOURS) {
            self.n_early += 1;
            return;
        }
        let days = lag.num_days().max(0);
        self.max_days = self.max_days.max(u32::try_from(days).unwrap_or(u32::MAX));
        let class = CLASSES.iter().position(|last| days <= *last);
        if let Some(n) = self.classes.get_mut(class.unwrap_or(N_CLASSES - 1)) {
            *n += 1;
        }
    }

    pub fn merge(&mut self, other: &Self) {
        for (n, more) in self.classes.iter_mut().zip(other.classes) {
            *n += more;
        }
        self.n_early += other.n_early;
        self.n_future += other.n_future;
        self.max_days = self.max_days.max(other.max_days);
    }

    /// Files that were counted in a class: those of a date, and neither early nor of the future.
    pub fn n_files(&self) -> u64 {
        self.classes.iter().sum()
    }

    /// Files modified more than [`Self::LATE_DAYS`] days after their date.
    pub fn n_late(&self) -> u64 {
        self.classes.iter().skip(FIRST_LATE).sum()
    }

    /// Whether half of the files and more are late: then times tell of a copy, not of lateness.
    pub fn is_mostly_late(&self) -> bool {
        self.n_late() > 0 && 2 * self.n_late() >= self.n_files()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate, Utc};

    use super::Lags;

    fn lags(times: &[&str]) -> Lags {
        let now: DateTime<Utc> = "2020-06-01T00:00:00Z".parse().unwrap();
        let mut lags = Lags::default();
        for time in times {
            let date = NaiveDate::from_ymd_opt(2020, 1, 10).unwrap();
            lags.add(date, time.parse().unwrap(), Some(now));
        }
        lags
    }

    #[test]
    fn a_file_is_late_from_the_eighth_day_on() {
        let found = lags(&[
            "2020-01-10T05:00:00Z",
            "2020-01-17T23:59:00Z",
            "2020-01-18T00:00:00Z",
            "2020-03-10T00:00:00Z",
        ]);
        assert_eq!((found.n_files(), found.n_late(), found.max_days), (4, 2, 60));
        assert!(found.is_mostly_late());
        assert!(!lags(&["2020-01-10T05:00:00Z"]).is_mostly_late() && !lags(&[]).is_mostly_late());
    }

    #[test]
    fn times_before_the_date_and_in_the_future_are_counted_apart() {
        let found = lags(&[
            "2020-01-09T10:00:00Z",
            "2020-01-09T09:59:59Z",
            "2020-06-01T00:04:00Z",
            "2020-06-01T00:06:00Z",
            "1970-01-01T00:00:00Z",
        ]);
        assert_eq!((found.n_early, found.n_future), (2, 1));
        // The first is the date already in the easternmost zone, the third within the slack of clocks.
        assert_eq!((found.n_files(), found.n_late()), (2, 1));
    }
}
