//! The server in memory keeps S3's rules, and takes requests one by one at a test's word.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use object_store::ObjectStore as _;
use object_store::path::Path as ObjectPath;
use skewer::storage::{Patience, StorageError, Store};

use crate::listing::{empty_objects, open};
use crate::run::block_on;
use crate::s3_memory::{Fault, MemoryS3, Op, Rule};

const LIMIT: Duration = Duration::from_secs(20);

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

#[test]
fn an_upload_appears_whole_and_only_once() {
    let server = MemoryS3::start();
    server.create_bucket("lake");
    block_on(async {
        let store = open(&server, "s3://lake/").await;
        let id = store.create_multipart("a").await.unwrap();
        let large = store
            .put_part("a", &id, 0, Bytes::from(vec![b'x'; 5 << 20]))
            .await
            .unwrap();
        let tail = store.put_part("a", &id, 1, "tail".into()).await.unwrap();
        assert!(store.get("a").await.is_err());
        assert_eq!(server.uploads("lake"), [(id.clone(), "a".to_owned())]);
        let parts = vec![large, tail];
        store.complete_multipart("a", &id, parts.clone()).await.unwrap();
        assert_eq!(store.get("a").await.unwrap().len(), (5 << 20) + 4);
        server.put("lake", "a", "newer");
        let again = store.complete_multipart("a", &id, parts).await;
        assert!(matches!(again, Err(StorageError::NotFound { .. })), "{again:?}");
        assert_eq!(store.get("a").await.unwrap(), "newer");
        assert_eq!(store.get_range("a", 1, 3).await.unwrap(), "ew");
        assert_eq!(server.uploads("lake"), []);
    });
}

/// Puts `who` where there is nothing yet, as a client of that name, on a thread of its own.
fn put_as(server: &MemoryS3, who: &'static str) -> Result<(), StorageError> {
    let patience = Patience {
        max_retries: 0,
        ..Patience::default()
    };
    let options = MemoryS3::options(who, patience);
    let root = "s3://lake/".parse().unwrap();
    block_on(async {
        let store = Store::open_with(&root, &server.connection(), &options).await?;
        let put = store.put_if_absent("commit", who.into()).await;
        server.held().poke();
        put
    })
}

#[test]
fn a_test_decides_whose_request_is_done_first_and_which_answers_arrive() {
    let server = MemoryS3::start();
    server.create_bucket("lake");
    server.order(Rule::on(Op::PutObject, Fault::Hold).always());
    std::thread::scope(|scope| {
        let first = scope.spawn(|| put_as(&server, "client-a"));
        let held = server.held().wait_until(LIMIT, |held| held.len() == 1);
        let second = scope.spawn(|| put_as(&server, "client-b"));
        let both = server.held().wait_until(LIMIT, |held| held.len() == 2);
        let of_b = both.iter().find(|request| request.client == "client-b").unwrap();
        assert_eq!(
            (held[0].client.as_str(), held[0].path.as_str()),
            ("client-a", "/lake/commit")
        );
        // The later one is done first, and does not hear of it.
        assert!(server.held().release(of_b.id, Some(Fault::LoseAnswer)));
        let lost = second.join().unwrap();
        assert!(matches!(lost, Err(StorageError::Unreachable { .. })), "{lost:?}");
        assert!(server.held().release(held[0].id, None));
        let refused = first.join().unwrap();
        assert!(
            matches!(refused, Err(StorageError::AlreadyExists { .. })),
            "{refused:?}"
        );
    });
    assert_eq!(server.get("lake", "commit").unwrap(), "client-b");
}

#[test]
fn a_request_outlives_its_client_and_is_done_when_it_is_released() {
    let server = MemoryS3::start();
    server.create_bucket("lake");
    server.order(Rule::on(Op::PutObject, Fault::Hold));
    let root = "s3://lake/".parse().unwrap();
    let options = MemoryS3::options("client-a", Patience::default());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open_with(&root, &server.connection(), &options)
            .await
            .unwrap();
        tokio::spawn(async move { store.put("late", "zombie".into()).await });
    });
    let held = server.held().wait_until(LIMIT, |held| held.len() == 1);
    // The client is gone with all its connections.
    runtime.shutdown_background();
    assert_eq!(server.get("lake", "late"), None);
    assert!(server.held().release(held[0].id, None));
    block_on(async {
        let store = open(&server, "s3://lake/").await;
        for _ in 0..1000 {
            if store.head("late").await.unwrap().is_some() {
                break;
            }
        }
    });
    assert_eq!(server.get("lake", "late").unwrap(), "zombie");
}
