//! Integration tests: one binary, because each links polars again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod cli;
mod credentials;
mod dataset;
mod drift;
mod eventlog;
mod eventlog_s3;
mod export;
mod inputs;
mod isolation;
mod listing;
mod parquet_kinds;
mod profile;
mod profile_mixed;
mod profile_parquet;
mod readme;
mod run;
#[cfg(unix)]
mod run_crash;
mod run_faults;
mod run_incremental;
mod run_large;
mod run_plan;
mod run_rejects;
mod run_rows;
mod run_s3;
#[allow(dead_code, reason = "the benchmark uses other parts of it")]
mod s3_memory;
mod s3_server;
mod sample;
mod scan_s3;
mod server_in_memory;
#[cfg(unix)]
mod signals;
mod skew;
mod skew_keys;
mod skew_remedies;
mod skew_rows;
mod skew_s3;
mod skew_trust;
mod storage;
mod tidy;
