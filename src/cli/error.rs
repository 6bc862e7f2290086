//! What can end a subcommand, and the exit code each cause has.

use thiserror::Error;

use crate::dataset::PageError;
use crate::explore::RunLogError;
use crate::explore::scan::ScanError;
use crate::profile::events::EventsError;
use crate::run::RunError;
use crate::storage::{LocationError, StorageError};

/// Why a subcommand ended without its result.
#[derive(Debug, Error)]
pub enum CliError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Location(#[from] LocationError),
    #[error(transparent)]
    Page(#[from] PageError),
    #[error(transparent)]
    RunLog(#[from] RunLogError),
    /// A spec or recipe that cannot be used; the message names file, line and column.
    #[error("{message}")]
    Spec { message: String },
    #[error("{message}")]
    Usage { message: String },
    #[error("{message}")]
    Run { message: String, exit_code: u8 },
    /// Work that did not end itself soon after a signal.
    #[error("cancelled: what was under way did not end in time and was left")]
    Cancelled { code: u8 },
    #[error("writing the result: {0}")]
    Output(std::io::Error),
    #[error("no worker threads: {0}")]
    Runtime(std::io::Error),
}

impl CliError {
    /// The exit codes of the command line: 2 usage or spec, 75 try again, 78 credentials or configuration.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Storage(error)
            | Self::Page(PageError::Storage(error))
            | Self::RunLog(RunLogError::Storage(error)) => storage_code(error),
            Self::RunLog(error) => log_code(error),
            Self::Location(_) | Self::Spec { .. } | Self::Usage { .. } => 2,
            Self::Run { exit_code, .. } => *exit_code,
            Self::Cancelled { code } => *code,
            Self::Page(PageError::Cancelled) => 130,
            Self::Page(_) | Self::Output(_) | Self::Runtime(_) => 1,
        }
    }

    /// Whether the reader of stdout has gone, as `head` does.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

impl From<ScanError> for CliError {
    fn from(error: ScanError) -> Self {
        match error {
            ScanError::Page(error) => Self::Page(error),
            ScanError::NoColumn { .. } => Self::Usage {
                message: error.to_string(),
            },
            ScanError::Step(_) | ScanError::NeedsPartition { .. } => Self::Spec {
                message: error.to_string(),
            },
            other => Self::Run {
                message: other.to_string(),
                exit_code: 1,
            },
        }
    }
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> Self {
        Self::Run {
            message: error.to_string(),
            exit_code: u8::try_from(error.exit_code()).unwrap_or(1),
        }
    }
}

fn log_code(error: &RunLogError) -> u8 {
    match error {
        RunLogError::Storage(error) => storage_code(error),
        RunLogError::Events(EventsError::Cancelled(_)) => 130,
        RunLogError::Events(EventsError::Read { source, .. }) => source
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<StorageError>())
            .map_or(1, storage_code),
        RunLogError::Events(EventsError::Threads(_)) | RunLogError::Worker { .. } => 1,
        RunLogError::Events(_)
        | RunLogError::Files { .. }
        | RunLogError::Kinds { .. }
        | RunLogError::LargeReport { .. } => 2,
    }
}

fn storage_code(error: &StorageError) -> u8 {
    match error {
        StorageError::Cancelled => 130,
        // As a run answers when its source is not there.
        StorageError::NotFound { .. } => 78,
        error if error.is_configuration() => 78,
        error if error.is_transient() => 75,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::CliError;
    use crate::dataset::PageError;
    use crate::explore::scan::ScanError;

    #[test]
    fn a_scan_that_was_cancelled_while_it_opened_is_no_failure() {
        let error = CliError::from(ScanError::Page(PageError::Cancelled));
        assert_eq!(error.exit_code(), 130);
    }
}
