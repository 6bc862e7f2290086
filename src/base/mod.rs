//! Words everyone uses: cancellation, progress, units, hints, accuracy, one hash and the versioned YAML envelope.
//!
//! Nothing here reads or writes: no files, no network, no clock.

mod accuracy;
mod cancel;
pub mod envelope;
pub mod fuzzy;
mod hint;
pub mod murmur3;
mod progress;
pub mod units;

pub use accuracy::Accuracy;
pub use cancel::{Cancel, CancelOnDrop, Cancelled};
pub use hint::nearest;
pub use progress::{Progress, ProgressView};
