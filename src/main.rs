//! The binary: a subcommand, or the window when none is given.

use std::process::ExitCode;

use skewer::cli::{self, Asked};

/// Buffers of all sizes come and go on many threads; the system's allocator would hold what each thread's worst moment
/// took, more the longer a run lasts.
#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match cli::main() {
        Asked::Done(code) => code,
        Asked::Window(start) => open_window(start),
    }
}

#[cfg(feature = "gui")]
#[allow(
    clippy::print_stderr,
    reason = "without a window this is the only place to say so"
)]
fn open_window(start: cli::WindowStart) -> ExitCode {
    let start = skewer::gui::Start {
        location: start.location,
        connection: start.connection,
    };
    match skewer::gui::open(start) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(78)
        }
    }
}

#[cfg(not(feature = "gui"))]
#[allow(
    clippy::print_stderr,
    reason = "without a window this is the only place to say so"
)]
fn open_window(_start: cli::WindowStart) -> ExitCode {
    eprintln!(
        "error: this build has no window: name a subcommand, such as `skewer run JOB` (see `skewer --help`)"
    );
    ExitCode::from(78)
}
