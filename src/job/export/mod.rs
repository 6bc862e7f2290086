//! What files start a job on another machine's scheduler? One target a file; the registry below lists them once.
//!
//! Pure: a checked job and its text in, names and contents out. Writing them is left to the command line. Every target
//! starts the same binary (`skewer plan`, `task`, `commit`), so none has an opinion on what the steps mean.

mod polars;
mod portable;
mod spark;

use thiserror::Error;

use super::{Job, SpecError};
use crate::base::nearest;

/// Somewhere a job can be started from.
#[derive(Debug)]
pub struct Target {
    /// As in `--target`.
    pub name: &'static str,
    /// One sentence for lists.
    pub summary: &'static str,
    export: fn(&Job, &str) -> Result<Export, ExportError>,
}

/// Every target, in the order they are listed.
pub static TARGETS: &[Target] = &[spark::TARGET, polars::TARGET];

/// The files of one job for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    pub files: Vec<ExportedFile>,
    /// What the job asks of the target's machines that its files cannot bring along.
    pub notes: Vec<String>,
}

/// One file, beside the others in one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedFile {
    pub name: &'static str,
    pub content: String,
}

/// Why a job has no files for a target.
#[derive(Debug, Error)]
pub enum ExportError {
    #[error("`{name}` is no target: {}choose one of {}", did_you_mean(name), names())]
    UnknownTarget { name: String },
    #[error(
        "the spec does not check once its relative places are made absolute: {source}: move the job to a folder without braces in its path"
    )]
    Spec { source: SpecError },
    #[error("{place} has no form as text: move the job to a folder whose path is UTF-8")]
    NotText { place: String },
    #[error("input `{name}`: {message}")]
    Input { name: String, message: String },
}

impl Target {
    /// # Errors
    /// [`ExportError::UnknownTarget`] with the names there are.
    pub fn find(name: &str) -> Result<&'static Self, ExportError> {
        let found = TARGETS.iter().find(|target| target.name == name);
        found.ok_or_else(|| ExportError::UnknownTarget {
            name: name.to_owned(),
        })
    }

    /// The files of `job`, whose spec was read from `text`.
    ///
    /// # Errors
    /// [`ExportError`] when the spec cannot be written so that it means the same elsewhere.
    pub fn export(&self, job: &Job, text: &str) -> Result<Export, ExportError> {
        (self.export)(job, text)
    }
}

fn names() -> String {
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    names.join(", ")
}

fn did_you_mean(name: &str) -> String {
    nearest(name, TARGETS.iter().map(|target| target.name))
        .map(|near| format!("did you mean `{near}`? "))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{TARGETS, Target};

    #[test]
    fn a_target_that_is_not_there_is_answered_with_those_that_are() {
        let error = Target::find("spak").unwrap_err().to_string();
        assert_eq!(
            error,
            "`spak` is no target: did you mean `spark`? choose one of spark, polars"
        );
    }

    #[test]
    fn every_target_is_found_by_its_own_name() {
        for target in TARGETS {
            assert_eq!(Target::find(target.name).unwrap().summary, target.summary);
        }
    }
}
