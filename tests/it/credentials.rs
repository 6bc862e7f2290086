//! The AWS chain as a user's shell and `~/.aws` present it.
//!
//! The chain reads the environment of the whole process, so each case runs this test binary again with its own.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use skewer::base::Cancel;
use skewer::storage::{Connection, Store};

use crate::s3_server::S3Server;

const PROFILE: &str = "SKEWER_TEST_PROFILE";
const ROOT: &str = "SKEWER_TEST_ROOT";
const ANSWER: &str = "answer: ";

/// Not a check of its own: lists the root that the environment names and prints what came of it.
#[tokio::test]
async fn child() {
    let Ok(root) = std::env::var(ROOT) else {
        return;
    };
    let connection = Connection {
        profile: std::env::var(PROFILE).ok(),
        ..Connection::default()
    };
    let listed = async {
        let store = Store::open(&root.parse()?, &connection).await?;
        store.list_all("", &Cancel::new()).await
    };
    match listed.await {
        Ok(objects) => println!("{ANSWER}{} objects", objects.len()),
        Err(error) => println!("{ANSWER}{error}"),
    }
}

/// What the child says when it runs in `environment` and no other.
fn check(home: &Path, environment: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "credentials::child", "--nocapture"])
        .env_clear()
        .env("HOME", home)
        .env(ROOT, "s3://lake/raw/")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let (_, answer) = text.split_once(ANSWER).expect(&text);
    answer.lines().next().unwrap().to_owned()
}

fn home(config: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    std::fs::write(home.path().join(".aws/config"), config).unwrap();
    home
}

fn server() -> S3Server {
    let server = S3Server::start();
    let raw = server.bucket("lake").join("raw");
    std::fs::create_dir(&raw).unwrap();
    std::fs::write(raw.join("a.jsonl"), "{}").unwrap();
    server
}

#[test]
fn keys_come_from_the_environment_or_from_the_named_profile() {
    let server = server();
    let good = [
        ("AWS_ENDPOINT_URL", server.endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", &server.access_key),
        ("AWS_SECRET_ACCESS_KEY", &server.secret_key),
    ];
    let empty = home("");
    assert_eq!(check(empty.path(), &good), "1 objects");

    let (key, secret) = (&server.access_key, &server.secret_key);
    let profiles = home(&format!(
        "[profile data]\nregion = eu-west-1\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n\
         [profile old]\naws_access_key_id = {key}\naws_secret_access_key = outdated\n"
    ));
    let endpoint = ("AWS_ENDPOINT_URL_S3", server.endpoint.as_str());
    assert_eq!(
        check(profiles.path(), &[endpoint, (PROFILE, "data")]),
        "1 objects"
    );
    assert_eq!(
        check(profiles.path(), &[endpoint, ("AWS_PROFILE", "data")]),
        "1 objects"
    );

    // The named profile wins over good keys in the environment, and the error says whose keys were refused.
    let answer = check(profiles.path(), &[good[0], good[1], good[2], (PROFILE, "old")]);
    assert!(answer.contains("the server refuses profile `old`"), "{answer}");
}

#[test]
fn a_profile_that_is_missing_or_empty_is_named_with_a_remedy() {
    let profiles = home(
        "[profile empty]\nregion = eu-west-1\n[profile role]\nrole_arn = arn:x\nsource_profile = gone\n",
    );
    for name in ["none", "empty"] {
        let answer = check(profiles.path(), &[(PROFILE, name)]);
        assert!(answer.contains(&format!("profile `{name}`")), "{answer}");
        assert!(
            answer.contains(&format!("aws configure --profile {name}")),
            "{answer}"
        );
    }
    let answer = check(profiles.path(), &[(PROFILE, "role")]);
    assert!(
        answer.contains("profile `role`") && answer.contains("gone"),
        "{answer}"
    );
}

#[test]
fn an_expired_login_names_the_command_that_renews_it() {
    let profiles = home(
        "[profile sso]\nsso_start_url = https://example.org/start\nsso_region = eu-west-1\nsso_account_id = 1\n\
         sso_role_name = reader\nregion = eu-west-1\n",
    );
    let answer = check(profiles.path(), &[(PROFILE, "sso")]);
    assert!(answer.contains("aws sso login --profile sso"), "{answer}");
}

#[test]
fn no_credentials_anywhere_are_reported_within_seconds_also_when_the_metadata_address_hangs() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let metadata = format!("http://{}", silent.local_addr().unwrap());
    let empty = home("");
    let started = Instant::now();
    let answer = check(empty.path(), &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &metadata)]);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    assert!(answer.starts_with("s3://lake/"), "{answer}");
    assert!(answer.contains("no AWS credentials found"), "{answer}");
    assert!(
        answer.contains("aws sso login") && answer.contains("anonymous"),
        "{answer}"
    );
}

#[test]
fn a_metadata_address_that_refuses_is_no_login_that_expired() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let metadata = format!("http://{closed}");
    let endpoint = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.as_str());
    let empty = home("");
    let answer = check(empty.path(), &[endpoint]);
    assert!(answer.contains("no AWS credentials found"), "{answer}");
    let answer = check(empty.path(), &[endpoint, ("AWS_PROFILE", "nope")]);
    assert!(
        answer.contains("AWS_PROFILE names profile `nope`")
            && answer.contains("aws configure --profile nope"),
        "{answer}"
    );
}
