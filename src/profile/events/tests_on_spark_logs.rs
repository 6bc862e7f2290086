//! A real log, packed by Spark's own codecs: what it says of its skewed join, and that every codec gives the same.

use super::tests::read;
use super::{Application, Reading, Verdict, diagnose};

/// A real log of Spark 4.3, a skewed join on two executors, as Spark's own codecs packed it.
const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/eventlog");

fn fixture(names: &[&str]) -> Application {
    let parts: Vec<Vec<u8>> = names
        .iter()
        .map(|name| std::fs::read(format!("{FIXTURE}/{name}")).unwrap())
        .collect();
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    read(&parts).unwrap()
}

#[test]
fn a_real_skewed_join_names_its_stage_its_hot_partition_and_its_key() {
    let folder = "eventlog_v2_app-20261120215001-0000";
    let rolled = fixture(&[
        &format!("{folder}/events_1_app-20261120215001-0000.zstd"),
        &format!("{folder}/events_2_app-20261120215001-0000.zstd"),
    ]);
    let profile = diagnose(&rolled);
    assert_eq!(
        (profile.name.as_str(), profile.headline.n_tasks),
        ("skewed-join", 35)
    );
    assert_eq!((profile.headline.n_executors, profile.headline.n_slots), (2, 2));
    assert!(
        profile.is_complete && profile.reading.notes.is_empty(),
        "{:?}",
        profile.reading
    );
    let totals = &profile.executor_totals;
    assert_eq!(totals.iter().map(|total| total.n_tasks).sum::<u64>(), 35);
    let run: f64 = totals.iter().map(|total| total.run_seconds).sum();
    let of_stages: u64 = profile.stages.iter().map(|stage| stage.run_ms.total).sum();
    assert!((run - of_stages as f64 / 1000.0).abs() < 1e-6, "{totals:?}");
    let idle: f64 = totals.iter().filter_map(|total| total.idle_seconds).sum();
    assert!(
        idle > 5.0 && idle < 2.0 * profile.headline.wall_seconds,
        "{totals:?}"
    );
    let bytes: u64 = totals.iter().map(|total| total.n_bytes).sum();
    assert_eq!(
        bytes,
        profile.headline.n_bytes_in + profile.headline.n_bytes_shuffled
    );
    let stage = profile.stages.iter().find(|stage| stage.id == 2).unwrap();
    let hot = stage.hot_partition.as_ref().unwrap();
    assert_eq!(
        (hot.partition, hot.n_records, hot.is_shuffle_partition),
        (4, 254_486, true)
    );
    assert!((hot.share_records.unwrap() - 254_486.0 / 600_998.0).abs() < 1e-9);
    let key = stage.key.as_ref().unwrap();
    assert_eq!(
        (key.text().as_str(), key.consumer().as_deref()),
        ("k", Some("SortMergeJoin Inner"))
    );
    assert_eq!(key.sides.len(), 2);
    assert_eq!(
        (key.sides[0].n_bytes, key.sides[0].n_writers),
        (Some(7_088_526), Some(8))
    );
    assert_eq!(key.sides[0].exchange.n_partitions, Some(24));
    let finding = &stage.finding;
    assert_eq!(finding.code, Verdict::HotKey, "{finding:?}");
    assert_eq!(
        finding.title,
        "Partition 4 holds 42% of the records in SortMergeJoin Inner by k"
    );
    // Two slots have enough else to do: the hot task is over long before the rest.
    assert!(finding.is_harmless, "{finding:?}");
    assert!(
        finding
            .remedy
            .contains("broadcast the other side, which wrote 9.6 KB"),
        "{}",
        finding.remedy
    );
    assert!(
        stage.warnings.iter().any(|warning| warning.contains("is off")),
        "{:?}",
        stage.warnings
    );
}

#[test]
fn the_same_log_in_every_codec_gives_the_same_application() {
    let folder = "eventlog_v2_app-20261120215001-0000";
    let packed = std::fs::read(format!(
        "{FIXTURE}/{folder}/events_1_app-20261120215001-0000.zstd"
    ))
    .unwrap();
    let more = std::fs::read(format!(
        "{FIXTURE}/{folder}/events_2_app-20261120215001-0000.zstd"
    ))
    .unwrap();
    let text = [
        zstd::decode_all(packed.as_slice()).unwrap(),
        zstd::decode_all(more.as_slice()).unwrap(),
    ]
    .concat();
    let without_reading = |application: Application| Application {
        reading: Reading::default(),
        ..application
    };
    let lz4 = without_reading(fixture(&["app-20261120215001-0000.lz4"]));
    let snappy = without_reading(fixture(&["app-20261120215001-0000.snappy"]));
    assert_eq!(
        lz4.stages.values().map(|stage| stage.tasks.len()).sum::<usize>(),
        35
    );
    assert_eq!(snappy, lz4);
    assert_eq!(
        diagnose(&without_reading(read(&[&text]).unwrap())).stages,
        diagnose(&lz4).stages
    );
}
