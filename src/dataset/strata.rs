//! Which objects stand for a listing: spread evenly over its order, the first and the last always among them, or drawn
//! by lot from every partition.

use std::collections::{BTreeMap, BTreeSet};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::storage::Object;

/// Below so many objects every folder gives one.
const SMALL_LISTING: usize = 1000;
/// Even then no more than these.
const MAX_FOLDERS: usize = 400;

/// Indices of about `n` of `len` objects, ascending. `seed` moves those between the ends inside their stretch.
pub(super) fn spread(len: usize, n: usize, seed: u64) -> Vec<usize> {
    if len <= n {
        return (0..len).collect();
    }
    let Some(last) = len.checked_sub(1) else {
        return Vec::new();
    };
    let mut chosen = BTreeSet::from([0]);
    if n > 1 {
        chosen.insert(last);
    }
    for i in 1..n.saturating_sub(1) {
        let (start, end) = (i * len / n, (i + 1) * len / n);
        let width = end.saturating_sub(start).max(1);
        let shift = if seed == 0 {
            0
        } else {
            usize::try_from(scatter(seed.wrapping_add(i as u64)) % width as u64).unwrap_or(0)
        };
        chosen.insert((start + shift).min(last));
    }
    chosen.into_iter().collect()
}

/// [`spread`], and in a small listing one object of every folder besides.
pub(super) fn with_folders(objects: &[Object], n: usize) -> Vec<usize> {
    let mut chosen: BTreeSet<usize> = spread(objects.len(), n, 0).into_iter().collect();
    if objects.len() < SMALL_LISTING {
        // An empty file says nothing of its folder.
        let mut seen: BTreeSet<&str> = chosen
            .iter()
            .filter_map(|i| objects.get(*i))
            .filter(|object| object.size > 0)
            .map(|object| folder(&object.key))
            .collect();
        for (i, object) in objects.iter().enumerate() {
            if seen.len() >= MAX_FOLDERS {
                break;
            }
            if object.size > 0 && seen.insert(folder(&object.key)) {
                chosen.insert(i);
            }
        }
    }
    chosen.into_iter().collect()
}

/// The indices of `objects` by partition, in the order in which partitions come.
pub(super) fn partitions(objects: &[Object], number_of: impl Fn(usize) -> usize) -> Vec<Vec<usize>> {
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    let mut partitions: Vec<Vec<usize>> = Vec::new();
    for i in 0..objects.len() {
        let at = *places.entry(number_of(i)).or_insert(partitions.len());
        if at == partitions.len() {
            partitions.push(Vec::new());
        }
        if let Some(files) = partitions.get_mut(at) {
            files.push(i);
        }
    }
    partitions
}

/// At most `n` of `files`, drawn by a lot that each key has with `seed`, ascending: a file that is added or goes changes
/// the draw by itself alone. Empty files are drawn only where there is no other.
pub(super) fn drawn(objects: &[Object], files: &[usize], n: usize, seed: u64) -> Vec<usize> {
    let mut lots: Vec<(bool, u64, usize)> = files
        .iter()
        .filter_map(|i| {
            let object = objects.get(*i)?;
            let lot = xxh3_64_with_seed(object.key.as_bytes(), seed);
            Some((object.size == 0, lot, *i))
        })
        .collect();
    lots.sort_unstable();
    let mut drawn: Vec<usize> = lots.into_iter().take(n).map(|(_, _, i)| i).collect();
    drawn.sort_unstable();
    drawn
}

fn folder(key: &str) -> &str {
    key.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A well mixed number from `x` (the finalizer of `SplitMix64`).
fn scatter(x: u64) -> u64 {
    let mut x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::{drawn, partitions, spread, with_folders};
    use crate::storage::Object;

    #[test]
    fn the_ends_are_always_among_the_chosen() {
        for (len, n) in [(1, 1), (2, 64), (65, 64), (1000, 64), (4_500_000, 64), (10, 2)] {
            for seed in [0, 1, 99] {
                let chosen = spread(len, n, seed);
                assert_eq!((chosen[0], chosen[chosen.len() - 1]), (0, len - 1), "{len} {n}");
                assert!(chosen.len() <= n.max(2) && chosen.is_sorted());
                assert!(len < n || chosen.len() + 2 >= n.min(len));
            }
        }
        assert!(spread(0, 64, 0).is_empty());
        assert_ne!(spread(1000, 10, 1), spread(1000, 10, 2));
    }

    #[test]
    fn files_are_drawn_by_lot_from_every_partition() {
        let object = |i: usize| Object {
            key: format!("day={}/{:03}.jsonl", i / 100, i % 100),
            size: u64::from(i % 100 != 3),
            modified: chrono::DateTime::UNIX_EPOCH,
            etag: None,
        };
        let mut objects: Vec<Object> = (0..300).map(object).collect();
        let days = partitions(&objects, |i| i / 100);
        assert_eq!(days.len(), 3);
        let draw = |objects: &[Object], seed| -> Vec<String> {
            let days = partitions(objects, |i| i / 100);
            let drawn = days.iter().flat_map(|files| drawn(objects, files, 5, seed));
            drawn.map(|i| objects[i].key.clone()).collect()
        };
        let first = draw(&objects, 1);
        assert_eq!(first.len(), 15);
        assert!(first.is_sorted() && first.iter().all(|key| !key.ends_with("003.jsonl")));
        assert_eq!(draw(&objects, 1), first);
        assert_ne!(draw(&objects, 2), first);
        objects.push(object(300));
        assert_eq!(
            draw(&objects, 1)[..15],
            first,
            "another day changes nothing before it"
        );
        assert_eq!(
            drawn(&objects, &[3], 5, 1),
            [3],
            "an empty file, where there is no other"
        );
    }

    #[test]
    fn a_day_with_one_file_among_hundreds_is_not_passed_over() {
        let object = |key: String| Object {
            key,
            size: 1,
            modified: chrono::DateTime::UNIX_EPOCH,
            etag: None,
        };
        let mut objects: Vec<Object> = (0..400)
            .map(|i| object(format!("2020/01/01/{i:03}.jsonl")))
            .collect();
        objects.insert(7, object("2020/01/00/only.jsonl".to_owned()));
        assert!(with_folders(&objects, 8).contains(&7));
    }
}
