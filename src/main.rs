//! The binary: a subcommand, or the window when none is given.

use std::process::ExitCode;

use skewer::cli::{self, Asked};

fn main() -> ExitCode {
    match cli::main() {
        Asked::Done(code) => code,
        Asked::Window { location } => open_window(location),
    }
}

#[cfg(feature = "gui")]
fn open_window(location: Option<String>) -> ExitCode {
    use skewer::gui::{Start, open};

    let location = match location.map(|text| text.parse()).transpose() {
        Ok(location) => location,
        Err(error) => return refuse(&skewer::storage::LocationError::to_string(&error), 2),
    };
    let start = Start {
        location,
        ..Start::default()
    };
    match open(start) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&error.to_string(), 78),
    }
}

#[cfg(not(feature = "gui"))]
fn open_window(_location: Option<String>) -> ExitCode {
    refuse(
        "this build has no window: name a subcommand, such as `skewer run JOB` (see `skewer --help`)",
        78,
    )
}

#[allow(
    clippy::print_stderr,
    reason = "without a window this is the only place to say so"
)]
fn refuse(message: &str, code: u8) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(code)
}
