//! Front end 1: the command line, one file per subcommand.
//!
//! Results go to stdout, progress and logs to stderr. Every command has `--json` for machines. Opening the window is
//! left to the binary, which alone knows both front ends.

mod commit;
mod compact;
mod data;
mod drift;
mod error;
mod eventlog;
mod eventlog_compare;
mod export;
mod fit;
mod gc;
mod job_schema;
mod ls;
mod output;
mod plan;
mod preview;
mod probe;
mod profile;
mod replay;
mod report;
mod report_schema;
mod rows;
mod run;
mod sample_data;
mod schema;
mod schema_map;
mod script;
mod signal;
mod skew;
mod skew_keys;
mod skew_remedies;
mod skew_tables;
#[cfg(unix)]
mod supervise;
mod task;
mod validate;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use error::CliError;
use output::Output;

use crate::storage::{Connection, Location};

/// Browse a date-partitioned data lake, prototype feature transforms, see its skew, and run the job headless.
#[derive(Debug, Parser)]
#[command(name = "skewer", version, args_conflicts_with_subcommands = true)]
struct Cli {
    /// Folder, file or s3:// prefix to open in the window; the sample data when none is given
    location: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Partitions with files, bytes, first and last modification
    Ls(ls::LsArgs),
    /// A bounded page of rows, rejects included
    Preview(preview::PreviewArgs),
    /// A recipe as a Python program for polars that gives the rows of a preview
    Script(script::ScriptArgs),

    /// Lets the steps of a recipe learn from data, and writes what they learned into it
    Fit(fit::FitArgs),
    /// The unified schema, and where files disagree
    Schema(schema::SchemaArgs),
    /// What each column holds: nulls, distinct values, spread, frequent values
    Profile(profile::ProfileArgs),
    /// Partition skew, or key skew with simulated hash partitions: metrics and findings
    Skew(skew::SkewArgs),
    /// Skew of a finished Spark application, from its event log; also what a run of ours did
    Eventlog(eventlog::EventlogArgs),
    /// Checks a job spec without reading data
    Validate(validate::ValidateArgs),
    /// Runs a job for the given days
    Run(run::RunArgs),
    /// Tries the files alone that were in work when a worker died
    #[command(hide = true)]
    Probe(probe::ProbeArgs),
    /// Cuts the work of some days into tasks for many machines
    Plan(plan::PlanArgs),
    /// Does one task of a plan
    Task(task::TaskArgs),
    /// Publishes what the tasks of a plan made
    Commit(commit::CommitArgs),
    /// Adds records from quarantine that a mended spec can use
    Replay(replay::ReplayArgs),
    /// Merges the small parts of some days
    Compact(compact::CompactArgs),
    /// Removes what runs left that never came back
    Gc(gc::GcArgs),
    /// Writes the files that start a job on another scheduler, such as Spark
    Export(export::ExportArgs),
    /// The JSON Schema of a job spec
    JobSchema,
    /// The JSON Schema of a run's report
    ReportSchema,
    /// Writes the sample lake
    SampleData(sample_data::SampleDataArgs),
}

/// How to reach S3; local paths ignore it.
#[derive(Debug, Clone, Args)]
struct ConnectionArgs {
    /// Profile in ~/.aws/config
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Region of the bucket
    #[arg(long)]
    region: Option<String>,
    /// Endpoint of an S3-compatible server, with http:// or https://
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// endpoint/bucket/key instead of bucket.endpoint/key
    #[arg(long)]
    path_style: bool,
    /// Unsigned requests, for public buckets
    #[arg(long)]
    no_sign_request: bool,
}

impl From<ConnectionArgs> for Connection {
    fn from(args: ConnectionArgs) -> Self {
        Self {
            profile: args.profile,
            region: args.region,
            endpoint: args.endpoint,
            path_style: args.path_style,
            anonymous: args.no_sign_request,
        }
    }
}

/// What the arguments ask for.
#[derive(Debug)]
pub enum Asked {
    /// A subcommand, which has run.
    Done(ExitCode),
    /// The window.
    Window(WindowStart),
}

/// What the window is to open.
#[derive(Debug)]
pub struct WindowStart {
    /// None for the sample data.
    pub location: Option<Location>,
    pub connection: Connection,
}

/// Reads the arguments of the process and runs the subcommand they name.
pub fn main() -> Asked {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results; anything else is a usage error.
            let code = if error.use_stderr() { 2 } else { 0 };
            drop(error.print());
            return Asked::Done(ExitCode::from(code));
        }
    };
    start_log();
    let Some(command) = cli.command else {
        return window(cli.location.as_deref(), cli.connection);
    };
    let mut output = Output::stdout();
    let code = match dispatch(command, &mut output) {
        Ok(code) => code,
        Err(error) if error.is_closed_pipe() => 0,
        Err(error) => {
            report(&error);
            match error.exit_code() {
                signal::INTERRUPTED => signal::code_of_cancel(),
                code => code,
            }
        }
    };
    Asked::Done(ExitCode::from(code))
}

/// The window on `location`, or the error of a text that is no location.
fn window(location: Option<&str>, connection: ConnectionArgs) -> Asked {
    match location.map(str::parse).transpose() {
        Ok(location) => Asked::Window(WindowStart {
            location,
            connection: connection.into(),
        }),
        Err(error) => {
            let error = CliError::Location(error);
            report(&error);
            Asked::Done(ExitCode::from(error.exit_code()))
        }
    }
}

fn dispatch(command: Command, output: &mut Output) -> Result<u8, CliError> {
    match command {
        Command::Ls(args) => ls::ls(args, output),
        Command::Preview(args) => preview::preview(args, output),
        Command::Script(args) => script::script(args, output),

        Command::Fit(args) => fit::fit(args, output),
        Command::Schema(args) => schema::schema(args, output),
        Command::Profile(args) => profile::profile(args, output),
        Command::Skew(args) => skew::skew(args, output),
        Command::Eventlog(args) => eventlog::eventlog(args, output),
        Command::Validate(args) => validate::validate(&args, output),
        Command::Run(args) => run::run(&args, output),
        Command::Probe(args) => probe::probe(&args),
        Command::Plan(args) => plan::plan(&args, output),
        Command::Task(args) => task::task(&args, output),
        Command::Commit(args) => commit::commit(&args, output),
        Command::Replay(args) => replay::replay(&args, output),
        Command::Compact(args) => compact::compact(&args, output),
        Command::Gc(args) => gc::gc(&args, output),
        Command::Export(args) => export::export(&args, output),
        Command::JobSchema => job_schema::job_schema(output),
        Command::ReportSchema => report_schema::report_schema(output),
        Command::SampleData(args) => sample_data::sample_data(args, output),
    }
}

#[allow(clippy::print_stderr, reason = "the command line's errors belong on stderr")]
fn report(error: &CliError) {
    eprintln!("error: {error}");
}

#[allow(
    clippy::print_stderr,
    reason = "what is said beside a result belongs on stderr"
)]
fn note(text: &str) {
    eprintln!("note: {text}");
}

/// Logs go to stderr when `SKEWER_LOG` asks for them: `SKEWER_LOG=debug`.
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SKEWER_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("off"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first log.
    drop(log.try_init());
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
