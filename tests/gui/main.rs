//! Window tests: the whole window in a harness, driven by accessibility labels as a screen reader would.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may panic: that fails the test"
)]

mod cancel;
mod desk;
mod journey;
mod keys;
mod partitions;
mod profile;
mod prototype;
mod runs;
mod shell;
