//! The binary: hands its arguments to the command line, which opens the window when no subcommand is given.

fn main() {}
