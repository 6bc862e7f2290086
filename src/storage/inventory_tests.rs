//! What listings add up to.

use chrono::{DateTime, NaiveDate};
use proptest::prelude::*;

use super::{DatasetKeys, Inventory, Layout, Object, Partition};
use crate::storage::{Location, Store};

fn object(key: &str, size: u64) -> Object {
    Object {
        key: key.to_owned(),
        size,
        modified: DateTime::from_timestamp(1_600_000_000 + i64::try_from(size).unwrap(), 0).unwrap(),
        etag: None,
    }
}

fn inventory(root: &str, keys: &[&str]) -> Inventory {
    let root: Location = root.parse().unwrap();
    let mut inventory = Inventory::new(&root);
    let objects: Vec<_> = keys.iter().map(|key| object(key, 10)).collect();
    inventory.add(&objects);
    inventory
}

/// `dataset: partition×files ...` of each dataset.
fn check(root: &str, keys: &[&str]) -> Vec<String> {
    let describe = |dataset: &DatasetKeys| {
        let partitions = dataset.partitions.values();
        let parts: Vec<_> = partitions
            .map(|stats| format!("{}×{}", stats.partition, stats.n_files))
            .collect();
        format!("{}: {}", dataset.prefix, parts.join(" "))
    };
    inventory(root, keys).datasets().map(describe).collect()
}

fn day(d: u32) -> Partition {
    Partition::Day(NaiveDate::from_ymd_opt(2020, 1, d).unwrap())
}

#[test]
fn a_lake_gives_one_dataset_for_each_prefix_before_a_partition() {
    let found = check(
        "s3://lake/",
        &[
            "README.md",
            "clicks/2020-01-01/a.jsonl",
            "jobs/x.yaml",
            "processed/day_partition=2020-01-01/_SUCCESS",
            "processed/day_partition=2020-01-01/part-0.parquet",
            "raw/2020/01/01/a.jsonl",
            "raw/2020/01/01/b.jsonl.gz",
            "raw/2020/01/02/a.jsonl",
            "raw/_skewer/2020/01/03/a.jsonl",
        ],
    );
    assert_eq!(
        found,
        [
            "clicks/: 2020-01-01×1",
            "processed/: 2020-01-01×1",
            "raw/: 2020-01-01×2 2020-01-02×1"
        ]
    );
}

#[test]
fn a_location_inside_a_dataset_keeps_its_dates() {
    assert_eq!(
        check("lake/raw/2020/01", &["09/a.jsonl", "10/a.jsonl"]),
        [": 2020-01-09×1 2020-01-10×1"]
    );
    assert_eq!(check("lake/raw/2020/01/09/", &["a.jsonl"]), [": 2020-01-09×1"]);
    assert_eq!(
        check("lake/raw/2020/01/09/a.jsonl", &["a.jsonl"]),
        [": 2020-01-09×1"]
    );
}

#[test]
fn files_in_no_partition_are_kept_with_their_dataset() {
    // `raw/A.jsonl` and `raw/misc/b.jsonl` are seen before and after the first partition.
    let keys = [
        "raw/+.jsonl",
        "raw/2020/01/01/a.jsonl",
        "raw/2020/13/40/b.jsonl",
        "raw/misc/c.jsonl",
    ];
    assert_eq!(check("s3://lake/", &keys), ["raw/: all×3 2020-01-01×1"]);
    let keys = [
        "data/logs/a.jsonl",
        "data/raw/!/x.jsonl",
        "data/raw/day=2020-01-01/y.jsonl",
    ];
    assert_eq!(
        check("s3://lake/", &keys),
        ["data/: all×1", "data/raw/: all×1 2020-01-01×1"]
    );
    assert_eq!(
        check("s3://lake/", &["flat/a/1.jsonl", "flat/b/2.jsonl", "x.jsonl"]),
        [": all×1", "flat/: all×2"]
    );
}

#[test]
fn figures_of_files_that_changed_datasets_are_counted_once() {
    let inventory = inventory("s3://lake/", &["raw/!.jsonl", "raw/2020/01/01/a.parquet"]);
    let raw = inventory.dataset("raw/").unwrap();
    assert_eq!(raw.extensions.values().sum::<u64>(), 2);
    assert_eq!(raw.sizes.tiers().map(|(_, n)| n).sum::<u64>(), 2);
    assert_eq!((raw.n_files(), raw.n_bytes()), (2, 20));
}

#[test]
fn sizes_and_times_are_summed_exactly() {
    let mut inventory = Inventory::default();
    inventory.add(&[
        object("2020/01/01/a.jsonl", 0),
        object("2020/01/01/b.jsonl.zst", 4_000_000),
    ]);
    inventory.add(&[object("2020/01/01/c.jsonl", 2_000)]);
    let dataset = inventory.dataset("").unwrap();
    let stats = &dataset.partitions[&day(1)];
    assert_eq!(
        (stats.n_files, stats.n_bytes, stats.n_tiny, stats.n_empty),
        (3, 4_002_000, 2, 1)
    );
    assert_eq!(stats.max_file_bytes, 4_000_000);
    assert_eq!(stats.first_modified, Some(object("", 0).modified));
    assert_eq!(stats.last_modified, Some(object("", 4_000_000).modified));
    assert_eq!(stats.prefix, "2020/01/01/");
    assert_eq!(dataset.layout, Layout::DatePath);
    assert_eq!(dataset.extensions["jsonl"], 2);
}

#[test]
fn a_day_written_in_two_ways_keeps_both_prefixes() {
    let inventory = inventory(
        "s3://lake/",
        &["2020-01-01/a.jsonl", "2020/01/01/b.jsonl", "2020/01/01/c.jsonl"],
    );
    let dataset = inventory.dataset("").unwrap();
    assert_eq!(
        dataset.partitions[&day(1)].prefixes,
        ["2020-01-01/", "2020/01/01/"]
    );
    assert_eq!(dataset.layout, Layout::DatePath);
}

#[tokio::test]
async fn objects_of_a_partition_are_its_own_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let root = Location::Local(folder.path().to_owned());
    let store = Store::open(&root, &crate::storage::Connection::default())
        .await
        .unwrap();
    let keys = [
        "raw/2020/01/01/_tmp/c.jsonl",
        "raw/2020/01/01/13/b.jsonl",
        "raw/2020/01/01/a.jsonl",
        "raw/+.jsonl",
    ];
    for key in keys {
        store.put(key, "{}".into()).await.unwrap();
    }
    let cancel = crate::base::Cancel::new();
    let mut inventory = Inventory::new(&root);
    store
        .list("", &cancel, &mut |page| inventory.add(&page))
        .await
        .unwrap();
    let raw = inventory.dataset("raw/").unwrap();
    let mut found = Vec::new();
    for partition in raw.partitions.keys() {
        for object in inventory.objects(&store, raw, partition, &cancel).await.unwrap() {
            found.push(format!("{partition} {}", object.key));
        }
    }
    assert_eq!(
        found,
        [
            "all raw/+.jsonl",
            "2020-01-01 raw/2020/01/01/a.jsonl",
            "2020-01-01T13 raw/2020/01/01/13/b.jsonl"
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// No file is lost or doubled, however the keys look and wherever pages end.
    #[test]
    fn every_data_file_is_counted_once(
        mut keys in prop::collection::vec(
            "((raw|a|d=2020-01-0[1-3]|2020-01-0[1-3]|x=[ab])/){0,3}(2020/(01|13)/0[1-3]/)?[a-c]\\.(jsonl|md)",
            0..40,
        ),
        page in 1usize..9,
    ) {
        keys.sort();
        keys.dedup();
        let objects: Vec<_> = keys.iter().map(|key| object(key, 7)).collect();
        let mut paged = Inventory::default();
        for page in objects.chunks(page) {
            paged.add(page);
        }
        let mut whole = Inventory::default();
        whole.add(&objects);
        prop_assert!(paged.datasets().eq(whole.datasets()));

        let data: Vec<_> = keys.iter().filter(|key| key.contains(".jsonl")).collect();
        let n_data = data.len() as u64;
        prop_assert_eq!(whole.n_files(), n_data);
        prop_assert_eq!(whole.n_skipped(), keys.len() as u64 - n_data);
        prop_assert_eq!(whole.datasets().map(DatasetKeys::n_files).sum::<u64>(), n_data);
        prop_assert_eq!(whole.datasets().flat_map(|d| d.sizes.tiers()).map(|(_, n)| n).sum::<u64>(), n_data);
        prop_assert_eq!(whole.datasets().flat_map(|d| d.extensions.values()).sum::<u64>(), n_data);
        for key in data {
            let (dataset, partition) = whole.place_of(key).unwrap();
            prop_assert!(dataset.partitions.contains_key(&partition));
            prop_assert!(key.starts_with(&dataset.prefix));
        }
    }
}

#[test]
fn files_and_sizes_of_a_range_are_those_of_its_partitions() {
    let root: Location = "s3://lake/raw/".parse().unwrap();
    let mut inventory = Inventory::new(&root);
    inventory.add(&[
        object("2020/01/01/a.jsonl", 10),
        object("2020/01/02/a.jsonl.gz", 2_000_000_000),
        object("2020/01/03/a.parquet", 5_000),
        object("notes/a.jsonl", 7),
    ]);
    let dataset = inventory.dataset("").unwrap();
    assert_eq!(dataset.partitions.len(), 4);
    let within = dataset.within("2020-01-02..".parse().unwrap());
    let endings: Vec<&str> = within.extensions.keys().map(String::as_str).collect();
    assert_eq!((endings, within.n_files()), (vec!["jsonl.gz", "parquet"], 2));
    assert_eq!(within.sizes.tiers().map(|(_, n)| n).sum::<u64>(), 2);
    let second = &within.partitions[&day(2)];
    assert_eq!(
        (second.n_unsplittable, second.unsplittable_bytes),
        (1, 2_000_000_000)
    );
    assert_eq!(within.partitions[&day(3)].n_unsplittable, 0);
    assert_eq!(dataset.within("2021".parse().unwrap()).dates(), None);
}

#[test]
fn times_of_change_are_held_against_the_partitions_date() {
    let root: Location = "s3://lake/raw/".parse().unwrap();
    let now = "2020-03-01T00:00:00Z".parse().unwrap();
    let mut inventory = Inventory::new(&root).listed_at(now, false);
    let at = |key: &str, modified: &str| Object {
        modified: modified.parse().unwrap(),
        ..object(key, 10)
    };
    inventory.add(&[
        at("2020/01/01/a.jsonl", "2020-01-01T03:00:00Z"),
        at("2020/01/01/b.jsonl", "2020-02-01T03:00:00Z"),
        at("2020/01/01/c.jsonl", "2020-04-01T03:00:00Z"),
        at("notes/a.jsonl", "1990-02-01T03:00:00Z"),
    ]);
    let dataset = inventory.dataset("").unwrap();
    let lags = &dataset.partitions[&day(1)].lags;
    assert_eq!((lags.n_files(), lags.n_late(), lags.n_future), (2, 1, 1));
    assert_eq!(
        dataset.partitions[&Partition::Whole].lags.n_files(),
        0,
        "no date, no lag"
    );
}

#[tokio::test]
async fn objects_of_one_etag_and_size_are_duplicates_and_two_of_them_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let moment = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
    // On disk the etag is size and time, so that equal times make equal etags here.
    for (key, content) in [
        ("2020/01/01/a.jsonl", "{\"a\": 1}\n"),
        ("2020/01/01/empty.jsonl", ""),
        ("2020/01/02/copy.jsonl", "{\"a\": 1}\n"),
        ("2020/01/02/empty.jsonl", ""),
        ("2020/01/02/other.jsonl", "{\"a\": 12}\n"),
        ("2020/01/03/again.jsonl", "{\"a\": 1}\n"),
    ] {
        let path = folder.path().join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        std::fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(moment)
            .unwrap();
    }
    let root = Location::Local(folder.path().to_owned());
    let store = Store::open(&root, &crate::storage::Connection::default())
        .await
        .unwrap();
    let cancel = crate::base::Cancel::new();
    let mut inventory =
        Inventory::new(&root).listed_at(DateTime::from_timestamp(1_600_000_000, 0).unwrap(), true);
    inventory.add(&store.list_all("", &cancel).await.unwrap());
    inventory.finish(&store, &cancel).await.unwrap();
    let found = inventory.dataset("").unwrap().duplicates.clone().unwrap();
    assert_eq!((found.n_files, found.n_bytes, found.pairs.len()), (2, 18, 2));
    let first = &found.pairs[0];
    assert_eq!(
        (&first.partition, &first.other, first.n_files),
        (&day(2), &day(1), 1)
    );
    let example = (
        "2020/01/01/a.jsonl".to_owned(),
        "2020/01/02/copy.jsonl".to_owned(),
    );
    assert_eq!(first.example, Some(example));
    let mut plain = Inventory::new(&root).listed_at(DateTime::UNIX_EPOCH, false);
    plain.add(&store.list_all("", &cancel).await.unwrap());
    plain.finish(&store, &cancel).await.unwrap();
    assert_eq!(plain.dataset("").unwrap().duplicates, None, "not looked for");
}

#[test]
fn folders_outside_of_partitions_are_kept_as_examples_also_when_partitions_come_later() {
    let found = inventory(
        "s3://lake/",
        &[
            "raw/2020/13/45/a.jsonl",
            "raw/2020/13/45/b.jsonl",
            "raw/a.jsonl",
            "raw/notes/a.jsonl",
            "raw/z/a.jsonl",
            "raw/2020/01/01/a.jsonl",
        ],
    );
    let dataset = found.dataset("raw/").unwrap();
    assert_eq!(dataset.outside, ["raw/", "raw/2020/13/45/", "raw/notes/"]);
    assert_eq!(dataset.partitions[&Partition::Whole].n_files, 5);
}
