//! A second dataset that steps read: where it is, as people declare it, and its rows within a bound.
//!
//! ```text
//! InputSpec (as written) ──InputSource::new──► InputSource ──list──► objects ──read──► rows in memory, or too large
//! ```
//!
//! Leaves to `transform` what a step does with the rows, and to `run` and `explore` how many they may be.

mod declare;
mod read;
mod source;
mod spec;

pub use declare::{Declared, declare};
pub use read::{InputLimits, InputReadError, InputRows};
pub use source::{InputSource, InputSpecError, files_sha256};
pub use spec::InputSpec;
