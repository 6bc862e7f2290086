//! The command line as a person or a scheduler meets it: results, messages with place and remedy, exit codes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn skewer() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skewer"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    // No credentials from the machine that runs the tests, and none from an instance either.
    for variable in [
        "AWS_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ] {
        command.env_remove(variable);
    }
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
    command
}

pub fn run(args: &[&str]) -> Output {
    skewer().args(args).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn json(args: &[&str]) -> Value {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The answer on stdout of a command that ends with `code`.
pub fn json_with(args: &[&str], code: i32) -> Value {
    let output = run(args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The command must fail with `code` and say every one of `words` on stderr.
pub fn fails(args: &[&str], code: i32, words: &[&str]) {
    let output = run(args);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{args:?}: `{word}` is not in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

pub fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn ls_lists_the_days_and_leaves_the_missing_one_out() {
    let answer = json(&["ls", "sample_data/raw", "--json"]);
    let days: Vec<&str> = answer["partitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["partition"].as_str().unwrap())
        .collect();
    assert_eq!(days.len(), 13);
    assert!(
        days.contains(&"2020-01-09") && !days.contains(&"2020-01-06"),
        "{days:?}"
    );
    let tiny = answer["partitions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["partition"] == "2020-01-11")
        .unwrap();
    assert!(tiny["n_files"].as_u64().unwrap() > 300);
}

#[test]
fn skew_names_the_spike_the_gap_and_the_tiny_files() {
    let answer = json(&["skew", "sample_data/raw", "--json"]);
    let found: Vec<(String, String)> = answer["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|f| {
            Some((
                f["code"].as_str()?.to_owned(),
                f["partition"].as_str()?.to_owned(),
            ))
        })
        .collect();
    for (code, day) in [
        ("partition_spike", "2020-01-09"),
        ("missing_date", "2020-01-06"),
        ("tiny_files", "2020-01-11"),
    ] {
        assert!(
            found.iter().any(|(c, d)| c == code && d == day),
            "{code} {day} not in {found:?}"
        );
    }
    assert!(answer["metrics"]["max_over_median"].as_f64().unwrap() > 10.0);
}

#[test]
fn schema_names_the_field_that_changes_type_and_where() {
    let answer = json(&["schema", "sample_data/raw", "--json"]);
    let conflicts = answer["conflicts"].as_array().unwrap();
    let salary = conflicts
        .iter()
        .find(|c| c["name"] == "salary_min")
        .unwrap_or_else(|| panic!("{conflicts:?}"));
    assert!(salary["dtypes"].as_array().unwrap().len() >= 2, "{salary}");
    let parquet = json(&["schema", "sample_data/processed", "--json"]);
    assert!(
        parquet["fields"]
            .as_array()
            .unwrap()
            .iter()
            .any(|field| field["name"] == "id"),
        "{parquet}"
    );
}

#[test]
fn preview_takes_files_of_every_partition_and_the_same_ones_with_the_same_seed() {
    let spread = |seed: &str| {
        json(&[
            "preview",
            "sample_data/raw",
            "--files-per-partition",
            "1",
            "--rows-per-file",
            "2",
            "--seed",
            seed,
            "--json",
        ])
    };
    let answer = spread("3");
    let n_days = answer["size"]["partitions"]["n"].as_u64().unwrap();
    assert!(n_days > 3, "{answer}");
    assert_eq!(answer["size"]["files"]["n"], n_days);
    assert_eq!(answer["sample"]["seed"], 3);
    assert_eq!(spread("3"), answer);
    fails(
        &["preview", "sample_data/raw", "--seed", "3"],
        2,
        &["--files-per-partition"],
    );
    let folder = tempfile::tempdir().unwrap();
    let recipe = folder.path().join("recipe.yaml");
    let written = "apiVersion: skewer/v1\nkind: Recipe\nsample: {files_per_partition: 1, rows_per_file: 2, seed: 3}\nsteps: []\n";
    std::fs::write(&recipe, written).unwrap();
    let from_recipe = json(&[
        "preview",
        "sample_data/raw",
        "--recipe",
        text_of(&recipe),
        "--json",
    ]);
    assert_eq!(from_recipe, answer, "the recipe keeps its sample");
}

#[test]
fn preview_shows_rows_after_the_job_s_steps_with_their_types() {
    let day = "sample_data/raw/2020/01/02";
    let answer = json(&[
        "preview",
        day,
        "--rows",
        "50",
        "--recipe",
        "sample_data/jobs/job_features.yaml",
        "--json",
    ]);
    let names: Vec<&str> = answer["schema"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"n_tokens") && names.contains(&"salary_bucket"),
        "{names:?}"
    );
    let rows = answer["rows"].as_array().unwrap();
    assert!(!rows.is_empty() && rows.iter().all(|row| row["country"] != "ZA"));
    assert_eq!(answer["accuracy"]["kind"], "sample");
}

#[test]
fn places_that_cannot_be_read_are_named_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    fails(&["ls", "no/such/folder"], 78, &["no/such/folder", "not found"]);
    fails(&["preview", text_of(folder.path())], 2, &["no data files here"]);
    let text = write(
        folder.path(),
        "a/notes.jsonl",
        "these are words\nno json at all\n",
    );
    let output = run(&["preview", text_of(&text), "--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert!(
        !output.status.success()
            || answer["rejects"]
                .as_array()
                .is_some_and(|rejects| rejects.len() == 2),
        "{answer} {}",
        stderr(&output)
    );
    let broken = write(folder.path(), "b/part.parquet", "PAR1 this is no footer");
    fails(&["preview", text_of(&broken)], 1, &["part.parquet", "Parquet"]);
    fails(&["ls", "gs://bucket/"], 2, &["gs://", "s3://"]);
    fails(&["ls", "s3://"], 2, &["names no bucket"]);
}

#[test]
fn a_recipe_that_is_not_there_is_a_slip_of_the_user() {
    fails(
        &["preview", "sample_data/raw", "--recipe", "no/such.yaml"],
        2,
        &["no/such.yaml", "give the path of a recipe"],
    );
}

#[test]
fn a_page_of_no_rows_is_empty_and_no_panic() {
    let page = json(&["preview", "sample_data/raw", "--rows", "0", "--json"]);
    assert_eq!(page["rows"], serde_json::json!([]));
    assert_eq!(page["schema"][0]["name"], "id");
}

#[test]
fn a_folder_with_files_beside_partitions_names_places_that_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.jsonl", "{\"a\":1}\n");
    let below = write(folder.path(), "day=2020-01-01/a.jsonl", "{\"a\":1}\n");
    write(folder.path(), "other/day=2020-01-01/a.jsonl", "{\"a\":1}\n");
    let output = run(&["skew", text_of(folder.path())]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let itself = format!("{}/,", text_of(folder.path()));
    assert!(
        !said.contains(&itself) && said.contains("directly in it"),
        "{said}"
    );
    assert!(run(&["skew", text_of(&below)]).status.success());
}

#[test]
fn s3_without_credentials_is_a_matter_of_configuration() {
    fails(
        &["ls", "s3://some-bucket/raw/", "--region", "us-east-1"],
        78,
        &["credentials"],
    );
}

#[test]
fn a_spec_with_a_slip_is_refused_with_its_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let good = fs::read_to_string("sample_data/jobs/job_features.yaml").unwrap();
    let spec = |name: &str, from: &str, to: &str| {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "`{from}` is not in the sample job");
        write(folder.path(), name, text)
    };
    let slip = spec("key.yaml", "compression:", "compresion:");
    fails(&["validate", text_of(&slip)], 2, &["key.yaml:", "compresion"]);
    let step = spec("step.yaml", "- tokenize:", "- tokenise:");
    fails(
        &["validate", text_of(&step)],
        2,
        &["step.yaml:", "did you mean `tokenize`?"],
    );
    let column = spec(
        "column.yaml",
        "location.country <> 'ZA'",
        "location.contry <> 'ZA'",
    );
    fails(
        &["validate", text_of(&column)],
        2,
        &["column.yaml:", "step 2", "contry", "did you mean"],
    );
    fails(&["validate", "no_such_job.yaml"], 2, &["no_such_job.yaml"]);
    fails(&["run", "sample_data/jobs/job_features.yaml"], 2, &["day"]);
    fails(
        &[
            "run",
            "sample_data/jobs/job_features.yaml",
            "--param",
            "dya=2020-01-01",
        ],
        2,
        &["dya"],
    );
}

#[test]
fn the_sample_job_is_valid_and_matches_the_published_schema() {
    let answer = json(&["validate", "sample_data/jobs/job_features.yaml", "--json"]);
    assert_eq!(answer["columns"].as_array().unwrap().len(), 11);
    let schema = json(&["job-schema"]);
    let text = fs::read_to_string("sample_data/jobs/job_features.yaml").unwrap();
    let spec: Value = skewer::base::envelope::from_yaml(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(&spec)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let mut slip = spec.clone();
    slip["sink"]["colour"] = Value::from("red");
    assert!(!validator.is_valid(&slip), "the schema is closed");
}

#[test]
fn without_a_display_the_window_names_the_headless_command() {
    let output = skewer()
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert_eq!(said.trim().lines().count(), 1, "{said}");
    assert!(said.contains("skewer run"), "{said}");
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let mut child = skewer()
        .args(["preview", "sample_data/raw/2020/01/02", "--rows", "500", "--json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
}

const UNFITTED: &str = "\
apiVersion: skewer/v1
kind: Recipe
steps:
- string_index: {column: event, into: event_index}
";

#[test]
fn fit_writes_what_the_steps_learned_and_preview_uses_it() {
    let folder = tempfile::tempdir().unwrap();
    let lines = ["b", "a", "c", "c"]
        .map(|event| format!("{{\"event\": \"{event}\"}}\n"))
        .concat();
    let data = write(folder.path(), "raw/2020-01-01/part.jsonl", lines);
    let recipe = write(folder.path(), "recipe.yaml", UNFITTED);
    let (data, recipe) = (
        text_of(data.parent().unwrap().parent().unwrap()),
        text_of(&recipe),
    );
    let preview = ["preview", data, "--recipe", recipe, "--json"];
    let answer = json(&["fit", recipe, data, "--json"]);
    assert_eq!(
        answer["steps"],
        serde_json::json!([{"number": 1, "step": "string_index(event)", "rows": 4}])
    );
    assert!(
        answer["from"].as_str().unwrap().ends_with(", all 4 rows"),
        "{answer}"
    );
    let indices: Vec<Value> = json(&preview)["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["event_index"].clone())
        .collect();
    assert_eq!(indices, [2, 1, 0, 0].map(Value::from));
    // Fitted already: the file stays as it is.
    let before = fs::read_to_string(recipe).unwrap();
    assert_eq!(
        json(&["fit", recipe, data, "--json"])["steps"],
        serde_json::json!([])
    );
    assert_eq!(fs::read_to_string(recipe).unwrap(), before);
    let again = json(&["fit", recipe, data, "--rows", "3", "--again", "--json"]);
    assert!(
        again["from"].as_str().unwrap().ends_with(", first 3 rows"),
        "{again}"
    );
}

#[test]
fn fit_keeps_the_comments_of_a_recipe_by_refusing_to_lose_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = write(folder.path(), "raw/2020-01-01/part.jsonl", "{\"event\": \"a\"}\n");
    let data = text_of(data.parent().unwrap().parent().unwrap());
    let recipe = write(folder.path(), "recipe.yaml", format!("# why\n{UNFITTED}"));
    fails(&["fit", text_of(&recipe), data], 2, &["comments", "`-o`"]);
    let other = folder.path().join("fitted.yaml");
    let output = run(&["fit", text_of(&recipe), data, "-o", text_of(&other)]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(fs::read_to_string(&recipe).unwrap().starts_with("# why"));
    assert!(fs::read_to_string(&other).unwrap().contains("all 1 row"));
    let wrong = write(folder.path(), "wrong.yaml", UNFITTED.replace("event,", "evnt,"));
    fails(
        &["fit", text_of(&wrong), data],
        2,
        &["step 1", "column `evnt` not found", "did you mean `event`?"],
    );
    assert_eq!(
        fs::read_to_string(&wrong).unwrap(),
        UNFITTED.replace("event,", "evnt,")
    );
}

#[test]
fn tests_of_a_spec_pass_or_fail_with_the_place_that_differs() {
    let folder = tempfile::tempdir().unwrap();
    let spec = |expected: &str| {
        format!(
            "apiVersion: skewer/v1\nkind: Job\nmetadata: {{name: small}}\n\
             source: {{uri: 'raw/{{day}}/', schema: {{fields: [{{name: id, type: int64, required: true}}]}}}}\n\
             steps: [filter: {{where: 'id > 1'}}]\nsink: {{uri: out/}}\n\
             tests: [{{name: large ones, given: ['{{\"id\": 1}}', {{id: 2}}, '{{'], expect: {{rows: [{{id: {expected}}}], rejected: 1}}}}]\n"
        )
    };
    let path = folder.path().join("job.yaml");
    let path = path.to_str().unwrap();
    fs::write(path, spec("2")).unwrap();
    let answer = json(&["validate", path, "--tests", "--json"]);
    assert_eq!(answer["tests"][0]["passed"], true, "{answer}");
    assert_eq!(answer["output"][0]["nullable"], false, "{answer}");
    assert_eq!(answer["output"][0]["parquet"], "INTEGER(64, signed)", "{answer}");
    fs::write(path, spec("3")).unwrap();
    let output = skewer().args(["validate", path, "--tests"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("test `large ones`: failed: row 1, column `id`: expected 3, got 2"),
        "{said}"
    );
    let unasked = skewer().args(["validate", path]).output().unwrap();
    assert_eq!(unasked.status.code(), Some(0), "tests run only when asked for");
}

#[test]
fn a_report_is_one_file_that_needs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for by in [&[][..], &["--by", "company"]] {
        let path = folder.path().join("out.html");
        let mut args = vec!["skew", "sample_data/raw", "--report", text_of(&path)];
        args.extend(by);
        let output = run(&args);
        // Of the sample's files one breaks off, and keys are counted over what can be read.
        let code = if by.is_empty() { 0 } else { 11 };
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        assert!(
            stderr(&output).contains("report written to "),
            "{}",
            stderr(&output)
        );
        let page = fs::read_to_string(&path).unwrap();
        assert!(
            page.starts_with("<!DOCTYPE html>") && page.contains("<svg"),
            "{by:?}"
        );
        assert!(!page.contains("<script") && !page.contains("src="), "{by:?}");
    }
    let nowhere = folder.path().join("no/such/folder/out.html");
    let args = ["skew", "sample_data/raw", "--report", text_of(&nowhere)];
    fails(&args, 2, &["out.html: the report cannot be written"]);
}
