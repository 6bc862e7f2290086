//! Readers of the day's table who know nothing of its log: one lists the folder, one goes by the manifest.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::scene::Scene;
use crate::run::{DAY, Lake, ids_of};

/// How readers see the command's commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Who lists: all rows of before, some of the new ones, none twice.
    Append,
    /// Who lists: rows that stay may be there twice or in old and new parts while parts are exchanged, never not at all.
    Rewrite,
    /// Who lists: all of before or all of after.
    Single,
    /// Who goes by the manifest: all of before or all of after. Who lists: as with `Rewrite`.
    Manifest,
}

/// Ids that a reader finds who lists the folder, sorted.
pub fn listed(lake: &Lake) -> Vec<i64> {
    let mut ids = lake.ids(DAY);
    ids.sort_unstable();
    ids
}

/// Ids that a reader finds who goes by the manifest, sorted.
fn by_manifest(lake: &Lake) -> Vec<i64> {
    let at = lake.path(&format!(
        "out/_skewer/clicks/manifest/day_partition={DAY}/manifest"
    ));
    let text = fs::read_to_string(at).unwrap_or_default();
    let mut ids: Vec<i64> = text.lines().flat_map(|line| ids_of(Path::new(line))).collect();
    ids.sort_unstable();
    ids
}

/// What readers see while the command is dead: `is_committed` when its record is there, `is_applied` when its marker is.
pub fn check(scene: &Scene, is_committed: bool, is_applied: bool, at: &str) {
    let (before, after) = (&scene.before, &scene.after);
    let seen = listed(&scene.lake);
    let is_either = |ids: &Vec<i64>, who: &str| {
        let is_after = ids == after && (is_committed || before == after || !scene.commits);
        let is_before = ids == before && !is_applied;
        assert!(
            is_after || is_before,
            "{at}: {who} sees {ids:?}, neither {before:?} nor {after:?}"
        );
    };
    match scene.reader {
        Reader::Single => is_either(&seen, "a reader of one object"),
        Reader::Manifest => is_either(&by_manifest(&scene.lake), "a reader by the manifest"),
        Reader::Append | Reader::Rewrite => {}
    }
    if !is_committed && scene.commits {
        assert_eq!(seen, *before, "{at}: nothing was committed");
    }
    if is_applied {
        assert_eq!(seen, *after, "{at}: the commit is applied");
    }
    let unique: BTreeSet<i64> = seen.iter().copied().collect();
    let known = |id: &i64| before.contains(id) || after.contains(id);
    assert!(unique.iter().all(known), "{at}: {seen:?} has rows of no commit");
    let stays = |id: &&i64| after.contains(*id);
    let gone: Vec<&i64> = before
        .iter()
        .filter(stays)
        .filter(|id| !unique.contains(*id))
        .collect();
    assert!(gone.is_empty(), "{at}: rows {gone:?} vanished");
    if scene.reader == Reader::Append {
        assert_eq!(unique.len(), seen.len(), "{at}: {seen:?} has rows twice");
    }
}
