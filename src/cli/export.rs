//! `skewer export`: writes the files that start a job elsewhere. Never overwrites what a person may have changed.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use serde::Serialize;

use super::CliError;
use super::output::Output;
use super::validate::read_spec;
use crate::job::export::{ExportError, ExportedFile, TARGETS, Target};

#[derive(Debug, clap::Args)]
#[command(after_help = after_help())]
pub struct ExportArgs {
    /// Job spec
    job: PathBuf,
    /// What is to start the job
    #[arg(long, value_name = "NAME")]
    target: String,
    /// Folder for the files; made when it is not there
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Overwrites files that differ
    #[arg(long)]
    force: bool,
    /// Prints JSON: the files, and what the target's machines need besides them
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    job: &'a str,
    target: &'a str,
    files: Vec<Written>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Written {
    path: String,
    status: Status,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Written,
    Unchanged,
}

pub fn export(args: &ExportArgs, output: &mut Output) -> Result<u8, CliError> {
    let target = Target::find(&args.target).map_err(|error| usage(&error))?;
    let (job, text) = read_spec(&args.job)?;
    let export = target.export(&job, &text).map_err(|error| usage(&error))?;
    let answer = Answer {
        job: job.name(),
        target: target.name,
        files: write(args, &export.files)?,
        notes: &export.notes,
    };
    if args.json {
        output.json(&answer)?;
        return Ok(0);
    }
    for file in &answer.files {
        let unchanged = if file.status == Status::Unchanged {
            ": unchanged"
        } else {
            ""
        };
        output.line(&format!("{}{unchanged}", file.path))?;
    }
    for note in answer.notes {
        output.line(&format!("note: {note}"))?;
    }
    Ok(0)
}

/// Looks at every file before the first is written, so that a refusal leaves the folder as it was.
fn write(args: &ExportArgs, files: &[ExportedFile]) -> Result<Vec<Written>, CliError> {
    let mut plan = Vec::new();
    for file in files {
        let path = args.out.join(file.name);
        let status = match fs::read(&path) {
            Ok(there) if there == file.content.as_bytes() => Status::Unchanged,
            Ok(_) if args.force => Status::Written,
            Ok(_) => {
                return Err(CliError::Usage {
                    message: format!(
                        "{} is there and differs, nothing was written: give --force to overwrite it, or another folder",
                        path.display()
                    ),
                });
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Status::Written,
            Err(error) => return Err(failed(&path, &error)),
        };
        plan.push((path, status, file));
    }
    fs::create_dir_all(&args.out).map_err(|error| failed(&args.out, &error))?;
    let mut written = Vec::new();
    for (path, status, file) in plan {
        if status == Status::Written {
            fs::write(&path, &file.content).map_err(|error| failed(&path, &error))?;
        }
        written.push(Written {
            path: path.display().to_string(),
            status,
        });
    }
    Ok(written)
}

fn usage(error: &ExportError) -> CliError {
    CliError::Usage {
        message: error.to_string(),
    }
}

fn failed(path: &std::path::Path, error: &std::io::Error) -> CliError {
    CliError::Run {
        message: format!("{}: {error}: choose a folder that can be written", path.display()),
        exit_code: 1,
    }
}

/// The targets with a sentence each, from the registry.
fn after_help() -> String {
    let lines: Vec<String> = TARGETS
        .iter()
        .map(|target| format!("  {:<8}  {}", target.name, target.summary))
        .collect();
    format!("Targets:\n{}", lines.join("\n"))
}
