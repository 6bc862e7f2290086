//! A chart as plain data, made from profiles. Drawn by the window, later also to PNG and SVG.

mod calendar;
mod partition_bars;

pub use calendar::{Calendar, CalendarDay};
pub use partition_bars::{Bar, PartitionBars};
