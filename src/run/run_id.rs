//! Names of runs: sortable for people, and random so that two runs never share one whatever their clocks say.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use chrono::Utc;

/// `20200102T030405-9f86d081`: the time is for people, the rest makes it unique.
pub(super) fn new_run_id() -> String {
    format!("{}-{}", Utc::now().format("%Y%m%dT%H%M%S"), random_suffix())
}

/// Sixteen random hexadecimal digits, from the keys the standard library draws for each map.
pub(super) fn random_suffix() -> String {
    let mixed = RandomState::new().hash_one((std::process::id(), std::thread::current().id()));
    format!("{mixed:016x}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::new_run_id;

    #[test]
    fn runs_of_one_second_have_different_names() {
        let ids: BTreeSet<String> = (0..1000).map(|_| new_run_id()).collect();
        assert_eq!(ids.len(), 1000);
    }
}
