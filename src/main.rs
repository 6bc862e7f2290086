//! The binary: a subcommand, or the window when none is given.

use std::process::ExitCode;

use skewer::cli::{self, Asked};

fn main() -> ExitCode {
    match cli::main() {
        Asked::Done(code) => code,
        Asked::Window { location } => open_window(location),
    }
}

#[allow(
    clippy::print_stderr,
    reason = "without a window this is the only place to say so"
)]
fn open_window(_location: Option<String>) -> ExitCode {
    eprintln!(
        "error: this build has no window: name a subcommand, such as `skewer run JOB` (see `skewer --help`)"
    );
    ExitCode::from(78)
}
