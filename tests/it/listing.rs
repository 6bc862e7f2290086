//! Long listings over the real protocol: every key once, in order, also when pages break or do not come.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use skewer::base::Cancel;
use skewer::storage::{Patience, Store};

use crate::run::block_on;
use crate::s3_memory::{Fault, Made, MemoryS3, Network, Op, Refusal, Rule};

pub fn empty_objects(server: &MemoryS3, keys: impl IntoIterator<Item = String>) {
    let made = Made {
        size: 0,
        make: Arc::new(|_| Bytes::new()),
    };
    server.put_made("lake", keys, &made);
}

pub async fn open(server: &MemoryS3, location: &str) -> Store {
    let patience = Patience {
        backoff: Duration::from_millis(1),
        silence: Duration::from_secs(1),
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
    server.network(Network {
        latency: Duration::from_millis(5),
        ..Network::default()
    });
    server.order(
        Rule::on(Op::ListObjects, Fault::Refuse(Refusal::SLOW_DOWN))
            .after(3)
            .times(4),
    );
    server.order(Rule::on(Op::ListObjects, Fault::CutBody(20_000)).after(5));
    server.order(Rule::on(Op::ListObjects, Fault::Stall).after(9));
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
