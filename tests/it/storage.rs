//! Storage against the real S3 protocol, and against disk where both must behave alike.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::TryStreamExt as _;
use skewer::base::Cancel;
use skewer::storage::{
    Connection, Credentials, Inventory, Location, Patience, StorageError, Store, StoreOptions,
};

use crate::s3_server::S3Server;

const KEYS: [&str; 9] = [
    "a b/c d.jsonl",
    "day=2020-01-01/x=1,2.parquet",
    "percent%20/100%.jsonl",
    "percent /100.jsonl",
    "plus+and&amp;'quote'.jsonl",
    "[brackets]{braces}~^`.jsonl",
    "hash#1/part#2",
    "日本語/求人🚀.jsonl",
    "ünïcode/é.jsonl",
];

async fn keys(store: &Store, prefix: &str) -> Vec<String> {
    let objects = store.list_all(prefix, &Cancel::new()).await.unwrap();
    objects.into_iter().map(|object| object.key).collect()
}

async fn local(folder: &tempfile::TempDir) -> Store {
    let root = Location::Local(folder.path().to_owned());
    Store::open(&root, &Connection::default()).await.unwrap()
}

/// Does the same on disk and on S3.
async fn on_both(check: impl AsyncFn(&Store)) {
    let folder = tempfile::tempdir().unwrap();
    check(&local(&folder).await).await;
    let server = S3Server::start();
    server.bucket("lake");
    check(&server.open("s3://lake/deep/prefix/").await).await;
}

#[tokio::test]
async fn a_listing_comes_in_pages_in_key_order() {
    let server = S3Server::start();
    let bucket = server.bucket("lake");
    std::fs::create_dir_all(bucket.join("raw/2020/01/01")).unwrap();
    std::fs::create_dir_all(bucket.join("raw2")).unwrap();
    std::fs::write(bucket.join("raw2/other.jsonl"), "").unwrap();
    for i in 0..2_500 {
        std::fs::write(bucket.join(format!("raw/2020/01/01/{i:04}.jsonl")), "{}").unwrap();
    }
    for root in [
        "s3://lake/raw/".to_owned(),
        bucket.join("raw").display().to_string(),
    ] {
        let store = server.open(&root).await;
        let mut pages = Vec::new();
        let mut inventory = Inventory::new(store.root());
        store
            .list("", &Cancel::new(), &mut |page| {
                inventory.add(&page);
                pages.push(page);
            })
            .await
            .unwrap();
        let n_keys: Vec<_> = pages.iter().map(Vec::len).collect();
        assert_eq!(n_keys, [1000, 1000, 500], "{root}");
        let keys: Vec<_> = pages.iter().flatten().map(|object| object.key.as_str()).collect();
        assert!(keys.is_sorted());
        assert_eq!(keys.first(), Some(&"2020/01/01/0000.jsonl"));
        let dataset = inventory.dataset("").unwrap();
        assert_eq!(
            (dataset.partitions.len(), dataset.n_files(), dataset.n_bytes()),
            (1, 2_500, 5_000)
        );
        assert_eq!(self::keys(&store, "2020/01/01/24").await.len(), 100);
    }
}

#[tokio::test]
async fn keys_with_special_characters_come_back_as_they_were() {
    on_both(async |store| {
        for key in KEYS {
            store.put(key, Bytes::from(key.to_owned())).await.unwrap();
        }
        let mut expected = KEYS;
        expected.sort_unstable();
        assert_eq!(keys(store, "").await, expected, "{}", store.root());
        for key in KEYS {
            assert_eq!(store.get(key).await.unwrap(), key, "{key}");
            assert_eq!(store.head(key).await.unwrap().unwrap().size, key.len() as u64);
            store.delete(key).await.unwrap();
            assert_eq!(store.head(key).await.unwrap(), None, "{key}");
        }
        assert_eq!(keys(store, "").await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_range_is_read_alone_and_cut_at_the_end() {
    on_both(async |store| {
        store
            .put("a.bin", Bytes::from_static(b"0123456789"))
            .await
            .unwrap();
        assert_eq!(store.get_range("a.bin", 2, 5).await.unwrap(), "234");
        assert_eq!(store.get_range("a.bin", 8, 99).await.unwrap(), "89");
        assert_eq!(store.get_range("a.bin", 4, 4).await.unwrap(), "");
        let error = store.get_range("a.bin", 11, 20).await.unwrap_err();
        assert!(error.to_string().contains("begins after"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_stream_gives_the_whole_object() {
    on_both(async |store| {
        let content: Bytes = (0..3_000_000u32)
            .map(|i| (i % 251) as u8)
            .collect::<Vec<_>>()
            .into();
        store.put("big.bin", content.clone()).await.unwrap();
        let pieces: Vec<Bytes> = store
            .get_stream("big.bin")
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        assert!(pieces.len() > 1);
        assert_eq!(pieces.concat(), content);
        assert_eq!(store.get("big.bin").await.unwrap(), content);
        let path = store.object_path("big.bin").unwrap();
        let ranges = store
            .object_store()
            .get_ranges(&path, &[5..9, 2_999_998..3_000_000])
            .await
            .unwrap();
        assert_eq!(ranges[0], content.slice(5..9));
        assert_eq!(ranges[1], content.slice(2_999_998..));
    })
    .await;
}

#[tokio::test]
async fn of_two_writers_of_a_new_object_one_succeeds() {
    on_both(async |store| {
        store
            .put_if_absent("commits/1.json", "first".into())
            .await
            .unwrap();
        let error = store
            .put_if_absent("commits/1.json", "second".into())
            .await
            .unwrap_err();
        assert!(matches!(error, StorageError::AlreadyExists { .. }), "{error}");
        assert!(
            error.to_string().contains("commits/1.json: already exists"),
            "{error}"
        );
        assert_eq!(store.get("commits/1.json").await.unwrap(), "first");
        store.put("commits/1.json", "third".into()).await.unwrap();
        assert_eq!(store.get("commits/1.json").await.unwrap(), "third");
        store.delete("commits/1.json").await.unwrap();
        store.delete("commits/1.json").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_multipart_upload_is_invisible_until_it_is_completed() {
    let server = S3Server::start();
    server.bucket("lake");
    let store = server.open("s3://lake/table/").await;
    let key = "day=2020-01-01/part-00000.parquet";
    let parts = [Bytes::from(vec![b'a'; 5 << 20]), Bytes::from_static(b"tail")];

    let id = store.create_multipart(key).await.unwrap();
    let second = store.put_part(key, &id, 1, parts[1].clone()).await.unwrap();
    let first = store.put_part(key, &id, 0, parts[0].clone()).await.unwrap();
    assert_eq!(store.head(key).await.unwrap(), None);
    assert_eq!(keys(&store, "").await, Vec::<String>::new());

    store
        .complete_multipart(key, &id, vec![first, second])
        .await
        .unwrap();
    assert_eq!(keys(&store, "").await, [key]);
    assert_eq!(store.get(key).await.unwrap(), parts.concat());

    let id = store.create_multipart("dropped").await.unwrap();
    store.put_part("dropped", &id, 0, "x".into()).await.unwrap();
    store.abort_multipart("dropped", &id).await.unwrap();
    assert_eq!(keys(&store, "").await, [key]);

    let folder = tempfile::tempdir().unwrap();
    let error = local(&folder).await.create_multipart(key).await.unwrap_err();
    assert!(error.to_string().contains("on S3 only"), "{error}");
}

#[tokio::test]
async fn a_root_that_names_one_object_holds_only_that() {
    let server = S3Server::start();
    let bucket = server.bucket("lake");
    std::fs::create_dir_all(bucket.join("raw/2020/01/01")).unwrap();
    for name in ["a.jsonl", "a.jsonl.gz", "b.jsonl"] {
        std::fs::write(bucket.join("raw/2020/01/01").join(name), name).unwrap();
    }
    let on_disk = bucket.join("raw/2020/01/01/a.jsonl").display().to_string();
    for root in ["s3://lake/raw/2020/01/01/a.jsonl", &on_disk] {
        let store = server.open(root).await;
        assert!(store.is_one_object());
        assert_eq!(keys(&store, "").await, ["a.jsonl"]);
        assert_eq!(store.get("a.jsonl").await.unwrap(), "a.jsonl");
        assert_eq!(store.location("a.jsonl").to_string(), root);
    }
    let store = server.open("s3://lake/raw/2020").await;
    assert_eq!(keys(&store, "").await.len(), 3);
    assert_eq!(store.location("01/x").to_string(), "s3://lake/raw/2020/01/x");
}

#[tokio::test]
async fn wrong_keys_are_a_matter_of_credentials_not_of_patience() {
    let server = S3Server::start();
    server.bucket("lake");
    let root: Location = "s3://lake/raw/".parse().unwrap();
    for (access_key, secret_key) in [
        (server.access_key.as_str(), "wrong"),
        ("AKIDOTHER", "test-secret"),
    ] {
        let options = StoreOptions {
            credentials: Credentials::Static {
                access_key: access_key.to_owned(),
                secret_key: secret_key.to_owned(),
                token: None,
            },
            ..StoreOptions::default()
        };
        let started = Instant::now();
        let store = Store::open_with(&root, &server.connection(), &options)
            .await
            .unwrap();
        let error = store.list_all("", &Cancel::new()).await.unwrap_err();
        assert!(error.is_configuration() && !error.is_transient(), "{error}");
        assert!(
            error.to_string().contains("check the access key and secret"),
            "{error}"
        );
        assert!(started.elapsed() < Duration::from_secs(5));
        let error = store.get("a.jsonl").await.unwrap_err();
        assert!(error.is_configuration(), "{error}");
    }
}

#[tokio::test]
async fn an_anonymous_request_to_a_closed_bucket_is_denied() {
    let server = S3Server::start();
    server.bucket("lake");
    let connection = Connection {
        anonymous: true,
        ..server.connection()
    };
    let store = Store::open(&"s3://lake/".parse().unwrap(), &connection)
        .await
        .unwrap();
    let error = store.list_all("", &Cancel::new()).await.unwrap_err();
    assert!(matches!(error, StorageError::Denied { .. }), "{error}");
    assert!(error.to_string().contains("anonymous access"), "{error}");
}

#[tokio::test]
async fn a_busy_server_is_asked_again() {
    let server = S3Server::start();
    server.bucket("lake");
    let store = server.open("s3://lake/").await;
    store.put("a.jsonl", "{}".into()).await.unwrap();
    server.faults(|faults| faults.n_slow_down = 2);
    assert_eq!(store.get("a.jsonl").await.unwrap(), "{}");
    assert_eq!(server.faults(|faults| faults.n_slow_down), 0);

    let mut options = server.options();
    options.patience.max_retries = 1;
    let root = store.root().clone();
    let store = Store::open_with(&root, &server.connection(), &options)
        .await
        .unwrap();
    server.faults(|faults| faults.n_slow_down = 2);
    let error = store.get("a.jsonl").await.unwrap_err();
    assert!(
        error.is_transient() && error.to_string().contains("SlowDown"),
        "{error}"
    );
}

#[tokio::test]
async fn who_may_not_write_is_told_what_to_allow() {
    let server = S3Server::start();
    let bucket = server.bucket("lake");
    std::fs::write(bucket.join("a.jsonl"), "{}").unwrap();
    server.faults(|faults| faults.denied = vec!["PutObject", "ListObjectsV2"]);
    // Opening one object needs no right to list.
    let store = server.open("s3://lake/a.jsonl").await;
    assert_eq!(store.get("a.jsonl").await.unwrap(), "{}");
    let error = store.put("b.jsonl", "{}".into()).await.unwrap_err();
    assert!(matches!(error, StorageError::Denied { .. }), "{error}");
    assert!(
        error.to_string().starts_with("s3://lake/b.jsonl: access denied"),
        "{error}"
    );
    assert!(error.to_string().contains("s3:PutObject"), "{error}");
}

#[tokio::test]
async fn one_request_reads_one_range() {
    let server = S3Server::start();
    let bucket = server.bucket("lake");
    std::fs::write(bucket.join("a.bin"), "0123456789").unwrap();
    let store = server.open("s3://lake/").await;
    server.faults(|faults| faults.asked.clear());
    assert_eq!(store.get_range("a.bin", 2, 4).await.unwrap(), "23");
    assert_eq!(server.faults(|faults| faults.asked.clone()), ["GetObject"]);
}

#[tokio::test]
async fn a_server_that_falls_silent_is_unreachable_within_bounds() {
    let server = S3Server::start();
    server.bucket("lake");
    let mut options = server.options();
    options.patience.silence = Duration::from_millis(200);
    options.patience.retry_for = Duration::from_millis(100);
    let root = "s3://lake/".parse().unwrap();
    let store = Store::open_with(&root, &server.connection(), &options)
        .await
        .unwrap();
    server.faults(|faults| faults.latency = Duration::from_mins(10));
    for error in [
        store.list_all("", &Cancel::new()).await.unwrap_err(),
        store.get("a.jsonl").await.unwrap_err(),
        store.put("a.jsonl", "{}".into()).await.unwrap_err(),
    ] {
        assert!(error.is_transient(), "{error}");
        assert!(error.to_string().contains("did not answer within"), "{error}");
    }
}

#[tokio::test]
async fn what_is_missing_is_not_found_with_its_place() {
    let server = S3Server::start();
    let bucket = server.bucket("lake");
    let store = server.open("s3://nowhere/raw/").await;
    let error = store.list_all("", &Cancel::new()).await.unwrap_err();
    assert!(matches!(error, StorageError::NotFound { .. }), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("s3://nowhere/raw/: not found: there is no bucket `nowhere`"),
        "{error}"
    );

    for root in ["s3://lake/raw/".to_owned(), bucket.display().to_string()] {
        let store = server.open(&root).await;
        let error = store.get("no.jsonl").await.unwrap_err();
        assert!(matches!(error, StorageError::NotFound { .. }), "{error}");
        assert!(
            error.to_string().contains("no.jsonl: not found: no such"),
            "{error}"
        );
        assert_eq!(keys(&store, "none/").await, Vec::<String>::new());
    }

    let root: Location = bucket.join("none").display().to_string().parse().unwrap();
    let error = Store::open(&root, &Connection::default()).await.unwrap_err();
    assert!(matches!(error, StorageError::NotFound { .. }), "{error}");
    let sink = Store::open_or_create(&root, &Connection::default())
        .await
        .unwrap();
    sink.put("a/b", "x".into()).await.unwrap();
    sink.rename_local("a/b", "c/d").await.unwrap();
    assert_eq!(keys(&sink, "").await, ["c/d"]);
    assert!(sink.get("../../escape").await.is_err());
    assert!(sink.put("/escape", "x".into()).await.is_err());
}

#[tokio::test]
async fn without_a_server_the_place_is_unreachable_within_bounds() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let connection = Connection {
        endpoint: Some(endpoint.clone()),
        ..Connection::default()
    };
    let options = StoreOptions {
        credentials: Credentials::Static {
            access_key: "a".to_owned(),
            secret_key: "b".to_owned(),
            token: None,
        },
        patience: Patience {
            max_retries: 2,
            retry_for: Duration::from_secs(1),
            ..Patience::default()
        },
    };
    let started = Instant::now();
    let root = "s3://lake/raw/".parse().unwrap();
    let store = Store::open_with(&root, &connection, &options).await.unwrap();
    let error = store.list_all("", &Cancel::new()).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    let expected = format!("s3://lake/raw/: cannot connect to {endpoint}: Connection refused");
    assert_eq!(error.to_string(), expected);
    assert!(
        started.elapsed() < Duration::from_secs(8),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_cancel_ends_a_listing_at_once_also_when_the_server_hangs() {
    // The kernel accepts the connection; nobody ever answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let connection = Connection {
        endpoint: Some(format!("http://{}", silent.local_addr().unwrap())),
        anonymous: true,
        ..Connection::default()
    };
    let store = Store::open(&"s3://lake/".parse().unwrap(), &connection)
        .await
        .unwrap();
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let listing = tokio::spawn(async move {
        let ended = store.list("", &stop, &mut |_| {}).await;
        (ended, Instant::now())
    });
    // Only once the request waits at the server does a hang mean something.
    let waiting = tokio::task::spawn_blocking(move || silent.accept().unwrap().0)
        .await
        .unwrap();
    let cancelled = Instant::now();
    cancel.cancel();
    let (ended, at) = listing.await.unwrap();
    assert!(matches!(ended, Err(StorageError::Cancelled)));
    assert!(
        at - cancelled < Duration::from_millis(100),
        "{:?}",
        at - cancelled
    );
    drop(waiting);
}

#[tokio::test]
async fn a_cancel_between_pages_ends_a_local_listing() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..9_000 {
        std::fs::write(folder.path().join(format!("{i:04}.jsonl")), "").unwrap();
    }
    let store = local(&folder).await;
    let cancel = Cancel::new();
    let mut n_keys = 0;
    let ended = store
        .list("", &cancel, &mut |page| {
            n_keys += page.len();
            cancel.cancel();
        })
        .await;
    assert!(matches!(ended, Err(StorageError::Cancelled)));
    assert_eq!(n_keys, 1000);
}

#[tokio::test]
async fn a_profile_that_does_not_exist_is_named_at_once() {
    let connection = Connection {
        profile: Some("no-such-profile-of-skewer".to_owned()),
        ..Connection::default()
    };
    let started = Instant::now();
    let error = Store::open(&"s3://lake/".parse().unwrap(), &connection)
        .await
        .unwrap_err();
    assert!(matches!(error, StorageError::Credentials { .. }), "{error}");
    assert!(
        error.to_string().contains("`no-such-profile-of-skewer`"),
        "{error}"
    );
    assert!(error.to_string().contains("aws configure --profile"), "{error}");
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_connection_that_cannot_work_is_refused_before_any_request() {
    let connection = Connection {
        endpoint: Some("localhost:9000".to_owned()),
        ..Connection::default()
    };
    let error = Store::open(&"s3://lake/".parse().unwrap(), &connection)
        .await
        .unwrap_err();
    assert!(error.is_configuration());
    assert!(error.to_string().contains("http:// or https://"), "{error}");
}
