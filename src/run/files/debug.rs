//! Deaths and halts to order, for the tests of what a crash leaves. A release build has none of it.
//!
//! `SKEWER_DEBUG_DIE_AT=<n>` aborts the process right before its `n`-th change of a storage, counted from 1: a folder
//! or file made, content written out, a rename, a link, a removal, a request to S3 that changes something. To die
//! after a change is to die before the next, so walking `n` until a command lives shows every state it can leave.
//!
//! `SKEWER_DEBUG_HOLD=<folder>` halts the process before its first commit record: it opens the named pipe
//! `<folder>/reached` for writing, then reads the named pipe `<folder>/go` to its end.

#[cfg(debug_assertions)]
pub(super) use to_order::{before_put_new, change};

/// Called before every change of a storage.
#[cfg(not(debug_assertions))]
pub(super) const fn change() {}

/// Called before an object is written that must not be there.
#[cfg(not(debug_assertions))]
pub(super) const fn before_put_new(_at: &crate::storage::Location) {}

#[cfg(debug_assertions)]
mod to_order {
    use std::fs::{self, File};
    use std::path::PathBuf;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use crate::storage::Location;

    pub(in super::super) fn change() {
        static DIE_AT: OnceLock<Option<u64>> = OnceLock::new();
        static N: AtomicU64 = AtomicU64::new(0);
        let die_at = DIE_AT.get_or_init(|| std::env::var("SKEWER_DEBUG_DIE_AT").ok()?.parse().ok());
        let n = N.fetch_add(1, Ordering::Relaxed) + 1;
        if die_at.is_some_and(|die_at| n >= die_at) {
            std::process::abort();
        }
    }

    pub(in super::super) fn before_put_new(at: &Location) {
        static WAS_HELD: AtomicBool = AtomicBool::new(false);
        let is_record = at.to_string().contains("/commits/");
        let Some(folder) = std::env::var_os("SKEWER_DEBUG_HOLD").filter(|_| is_record) else {
            return;
        };
        if WAS_HELD.swap(true, Ordering::Relaxed) {
            return;
        }
        let folder = PathBuf::from(folder);
        // Opening a pipe waits for its other end.
        let reached = File::options().write(true).open(folder.join("reached"));
        let waited = reached.and_then(|reached| {
            drop(reached);
            fs::read(folder.join("go"))
        });
        drop(waited);
    }
}
