//! Long listings over the real protocol: every key once, in order, from several places at once.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use object_store::ObjectStore as _;
use object_store::path::Path as ObjectPath;
use skewer::base::Cancel;
use skewer::storage::{Patience, Store};

use crate::run::block_on;
use crate::s3_memory::{Fault, Made, MemoryS3, Op, Refusal, Rule};

fn empty_objects(server: &MemoryS3, keys: impl IntoIterator<Item = String>) {
    let made = Made {
        size: 0,
        make: Arc::new(|_| Bytes::new()),
    };
    server.put_made("lake", keys, &made);
}

async fn open(server: &MemoryS3, location: &str) -> Store {
    let patience = Patience {
        backoff: Duration::from_millis(1),
        ..Patience::default()
    };
    let options = MemoryS3::options("client-a", patience);
    Store::open_with(&location.parse().unwrap(), &server.connection(), &options)
        .await
        .unwrap()
}

#[test]
fn a_long_listing_asks_in_several_places_at_once_and_has_every_key_once() {
    let server = MemoryS3::start();
    empty_objects(&server, (0..25_500).map(|i| format!("raw/day/ads-{i:07}.jsonl")));
    empty_objects(&server, ["raw/daz".to_owned(), "raw/day/zz/last".to_owned()]);
    // So that requests meet.
    server.network(crate::s3_memory::Network {
        latency: Duration::from_millis(5),
        ..Default::default()
    });
    server.order(
        Rule::on(Op::ListObjects, Fault::Refuse(Refusal::SLOW_DOWN))
            .after(3)
            .times(4),
    );
    server.order(Rule::on(Op::ListObjects, Fault::CutBody(20_000)).after(5));
    let listed = block_on(async {
        let store = open(&server, "s3://lake/raw/").await;
        server.reset_tally();
        store.list_all("day/", &Cancel::new()).await.unwrap()
    });
    let keys: Vec<String> = listed
        .iter()
        .map(|object| format!("raw/{}", object.key))
        .collect();
    assert!(keys == server.keys("lake", "raw/day/"), "{} keys", keys.len());
    let tally = server.tally();
    assert!((4..=8).contains(&tally.max_in_flight), "{tally:?}");
    assert!(tally.n(Op::ListObjects) <= 27 + 20, "{tally:?}");
}

#[test]
fn the_server_in_memory_lists_folders_and_pages_as_s3_does() {
    let server = MemoryS3::start();
    let keys = ["a", "b/1", "b/2", "b0", "c/d/1", "c/e", "d"].map(str::to_owned);
    empty_objects(&server, keys);
    empty_objects(&server, (0..2500).map(|i| format!("many/{i:04}/x")));
    block_on(async {
        let store = open(&server, "s3://lake/").await.object_store();
        let listed = store.list_with_delimiter(None).await.unwrap();
        let names =
            |paths: Vec<ObjectPath>| paths.into_iter().map(|path| path.to_string()).collect::<Vec<_>>();
        let objects = listed.objects.into_iter().map(|object| object.location).collect();
        assert_eq!(names(objects), ["a", "b0", "d"]);
        assert_eq!(names(listed.common_prefixes), ["b", "c", "many"]);
        let many = store
            .list_with_delimiter(Some(&ObjectPath::from("many")))
            .await
            .unwrap();
        assert_eq!(many.common_prefixes.len(), 2500);
        let after = store.list_with_offset(Some(&ObjectPath::from("b")), &ObjectPath::from("b/1"));
        let after: Vec<_> = after
            .map(|object| object.unwrap().location.to_string())
            .collect()
            .await;
        assert_eq!(after, ["b/2"]);
    });
}
