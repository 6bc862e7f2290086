//! Faults to order, so that tests can kill the real program in the middle of a file. Debug builds only: the binary that
//! is shipped has none of this.
//!
//! `SKEWER_DEBUG_FAULT=abort:a.jsonl,panic:b.jsonl` strikes the first time a file is decoded whose location ends so.

/// Where a file is being decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum During {
    Run,
    Probe,
}

#[cfg(debug_assertions)]
pub(super) fn strike(during: During, name: &str) {
    let Ok(faults) = std::env::var("SKEWER_DEBUG_FAULT") else {
        return;
    };
    let ordered = faults
        .split(',')
        .filter_map(|fault| fault.split_once(':'))
        .find(|(_, ending)| name.ends_with(ending));
    match (ordered.map(|(kind, _)| kind), during) {
        (Some("abort"), _) | (Some("abort_in_run"), During::Run) => std::process::abort(),
        (Some("overflow"), _) => drop(deeper(&[0; 4096])),
        #[allow(clippy::panic, reason = "this is the panic that was ordered")]
        (Some("panic"), _) => panic!("a panic to order"),
        (Some("hang"), _) => loop {
            std::thread::park();
        },
        _ => {}
    }
}

#[cfg(debug_assertions)]
#[allow(
    unconditional_recursion,
    reason = "a stack that overflows is what was ordered"
)]
fn deeper(frame: &[u8; 4096]) -> [u8; 4096] {
    let mut next = *frame;
    next.fill(1);
    let deepest = deeper(std::hint::black_box(&next));
    next.fill(deepest.iter().fold(0, |sum, byte| sum ^ byte));
    next
}

#[cfg(not(debug_assertions))]
pub(super) fn strike(_: During, _: &str) {}
