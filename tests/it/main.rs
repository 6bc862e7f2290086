//! Integration tests: one binary, because each links polars again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails, and says so"
)]

mod credentials;
mod s3_server;
mod storage;
