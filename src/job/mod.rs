//! The batch job: `JobSpec` as a person writes it, and `Job` as checked. Runs nothing and reads no data.
//!
//! ```text
//! text ──JobSpec::parse──► JobSpec ──Job::new──► Job ──► run
//!              places ◄── SpecError   JobError ──► exit code 2, before anything is read
//! ```
//!
//! [`export`] turns a `Job` into the files that start it elsewhere.

mod check;
mod engine;
mod error;
pub mod export;
mod output;
mod params;
mod place;
mod schema;
mod size;
mod spec;
mod timespan;

pub use crate::storage::{Template, TemplateError};
pub use check::{Job, Sink, Source};
pub use engine::EngineRange;
pub use error::{JobError, SpecError};
pub use output::{ContractColumn, contract};
pub use params::{ParamError, Params};
pub use schema::job_schema;
pub use size::ByteSize;
pub use spec::{
    ApiVersion, BudgetSpec, Compression, ErrorsSpec, FormatSpec, IncrementalSpec, Isolation, JobSpec,
    JsonlSpec, Kind, LimitsSpec, Metadata, ParamSpec, ParamType, ParquetSpec, PartitionSpec, SinkLayout,
    SinkSpec, SourceSpec, Tolerance,
};
pub use timespan::TimeSpan;
