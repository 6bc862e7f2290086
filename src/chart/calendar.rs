//! A calendar of days, Monday first, coloured by bytes.

use chrono::NaiveDate;

/// One day of the calendar.
#[derive(Debug, Clone, PartialEq)]
pub struct CalendarDay {
    pub date: NaiveDate,
    /// None for a missing day.
    pub n_bytes: Option<u64>,
    pub n_files: u64,
    /// 0..=1 of the colour scale (square root of bytes over the largest day).
    pub level: f32,
    pub is_spike: bool,
}

/// Days by month.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calendar {
    pub days: Vec<CalendarDay>,
}
