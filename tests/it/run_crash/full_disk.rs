//! A place that takes nothing more: the last commit stays, nothing of the run appears, and the message says what to do.

use std::fs;
use std::process::{Command, Output};

use super::readers;
use crate::run::{DAY, Lake, files_below, lines};

/// Runs the job while no file may be larger than `blocks` of 512 bytes.
fn run_with_files_up_to(lake: &Lake, blocks: u32) -> Output {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" run \"$1\" --param day={DAY}");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_skewer")]);
    command.arg(lake.path("job.yaml")).output().unwrap()
}

#[test]
fn a_part_that_does_not_fit_leaves_the_last_commit_and_says_what_to_do() {
    let lake = Lake::new();
    fs::write(lake.path("job.yaml"), lake.spec()).unwrap();
    lake.raw("2020/01/02/a.jsonl", lines(0..10));
    let output = run_with_files_up_to(&lake, 128);
    assert!(output.status.success(), "a small day fits: {output:?}");

    lake.raw("2020/01/02/b.jsonl", lines(10..60_000));
    let before = (readers::listed(&lake), files_below(&lake.path("out/clicks")));
    let output = run_with_files_up_to(&lake, 128);
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for words in [
        "out/_skewer/clicks/staging",
        "cannot write",
        "raise the limit of file sizes",
    ] {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
    assert_eq!(
        (readers::listed(&lake), files_below(&lake.path("out/clicks"))),
        before
    );
    assert!(
        !lake.path("out/_skewer/clicks/staging").exists(),
        "what was staged is taken back"
    );

    let output = run_with_files_up_to(&lake, 1 << 30);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(readers::listed(&lake), (0..60_000).collect::<Vec<_>>());
}
