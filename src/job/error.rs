//! Why a text is no job: each error names its place in the spec and the remedy.

use thiserror::Error;

use super::place::{self, Segment};
use crate::dataset::SchemaError;
use crate::storage::{LocationError, TemplateError};
use crate::transform::StepError;

/// A text that is no job, with the place of what does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{message}", at(*line, *column))]
pub struct SpecError {
    /// 1-based; 0 when the place is not known.
    pub line: u64,
    /// 1-based, in characters; 0 when the place is not known.
    pub column: u64,
    pub message: String,
}

fn at(line: u64, column: u64) -> String {
    if line == 0 {
        String::new()
    } else {
        format!("{line}:{column}: ")
    }
}

/// A spec that reads well but cannot run.
#[derive(Debug, Error)]
pub enum JobError {
    #[error("the job asks for engine `{needs}`, this is {have}: run it with that version or widen `engine`")]
    Engine { needs: String, have: &'static str },
    #[error("parameter `{name}` is not supported: a job takes `day`, of type date_list")]
    Param { name: String },
    #[error("`params` must declare `day`: write day: {{type: date_list}}")]
    NoDay,
    #[error("`{key}`: {source}")]
    Template {
        key: &'static str,
        source: TemplateError,
    },
    #[error("`{key}`: {source}")]
    Location {
        key: &'static str,
        source: LocationError,
    },
    #[error("`source.match`: {message}")]
    Glob { message: String },
    #[error("`source.schema`: {source}")]
    Schema { source: SchemaError },
    #[error("`source.schema.fields` is empty: declare at least one field")]
    NoFields,
    #[error("input `{name}`: `{key}`: {message}")]
    Input {
        name: String,
        /// Below the input: `uri`, `match`, `schema`.
        key: &'static str,
        message: String,
    },
    #[error(transparent)]
    Step(#[from] StepError),
    #[error("output column `{column}` is {dtype}, {reason}: {remedy}")]
    OutputType {
        column: String,
        dtype: String,
        reason: &'static str,
        remedy: &'static str,
    },
    #[error(
        "output column `{name}` has the name of the partition: rename or drop it, its value is in the folder's name"
    )]
    PartitionColumn { name: String },
    #[error("the steps leave no column to write: select at least one")]
    NoColumns,
    #[error("`{key}`: {message}")]
    Value { key: &'static str, message: String },
    #[error("`{key}` {place} lies inside {other_name} {other}: {remedy}")]
    Overlap {
        key: &'static str,
        place: String,
        other_name: &'static str,
        other: String,
        remedy: &'static str,
    },
}

impl JobError {
    /// Line and column of what is at fault in the spec's text, both 1-based: the key, or for an expression the
    /// character. None for a text laid out in a way the search does not follow (JSON on one line).
    pub fn place(&self, text: &str) -> Option<(u64, u64)> {
        let key = match self {
            Self::Engine { .. } => "engine",
            Self::Param { .. } | Self::NoDay => "params",
            Self::Template { key, .. }
            | Self::Location { key, .. }
            | Self::Value { key, .. }
            | Self::Overlap { key, .. } => key,
            Self::Glob { .. } => "source.match",
            Self::Schema { .. } => "source.schema",
            Self::NoFields => "source.schema.fields",
            Self::Input { name, key, .. } => {
                let path = [Segment::Key("inputs"), Segment::Key(name), Segment::Key(key)];
                return place::find(text, &path, None);
            }
            Self::Step(error) => {
                return place::find(
                    text,
                    &[
                        Segment::Key("steps"),
                        Segment::Item(error.number),
                        Segment::Key(error.error.param),
                    ],
                    error.error.position,
                );
            }
            Self::OutputType { .. } | Self::PartitionColumn { .. } | Self::NoColumns => "steps",
        };
        let path: Vec<Segment<'_>> = key.split('.').map(Segment::Key).collect();
        place::find(text, &path, None)
    }

    /// The error with its place in `text`.
    pub fn in_text(&self, text: &str) -> SpecError {
        let (line, column) = self.place(text).unwrap_or((0, 0));
        SpecError {
            line,
            column,
            message: self.to_string(),
        }
    }
}
