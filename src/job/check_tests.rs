//! Tests of specs as text: what is refused, where, and what a good one becomes.

use std::path::Path;

use chrono::NaiveDate;

use super::Job;
use crate::job::{Compression, JobSpec};

pub(in crate::job) const SPEC: &str = "\
apiVersion: skewer/v1
kind: Job
metadata:
  name: clicks
  owner: ds-team
  labels: {tier: gold}
engine: \">=0.1.0, <0.2\"
params:
  day: {type: date_list}
source:
  uri: raw/clicks/{day:%Y/%m/%d}/
  schema:
    fields:
      - {name: user_id, type: int64, required: true}
      - {name: note, type: string, accept: [string, number]}
sink:
  table: lake.clicks
  uri: out/clicks/
  parquet: {rows_per_file: 1000, compression: zstd(3)}
errors:
  budget:
    records: {ratio: 0.02}
limits:
  memory: 256MiB
";

fn job(text: &str) -> Result<Job, String> {
    Job::from_text(text, Path::new("/lake/jobs")).map_err(|error| error.to_string())
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2020, 1, 2).unwrap()
}

#[test]
fn places_are_resolved_against_the_folder_of_the_spec() {
    let job = job(SPEC).unwrap();
    assert_eq!(job.source.root.to_string(), "/lake/jobs/raw/clicks");
    assert_eq!(
        job.source.location(day()).to_string(),
        "/lake/jobs/raw/clicks/2020/01/02"
    );
    assert_eq!(job.sink.control.to_string(), "/lake/jobs/out/_skewer/clicks");
    assert_eq!(job.sink.partition(day()), "day_partition=2020-01-02");
    assert_eq!(job.sink.compression, Compression::Zstd(3));
    let elsewhere = SPEC.replace("uri: raw/", "uri: ../../data/./raw/");
    let job = self::job(&elsewhere).unwrap();
    assert_eq!(job.source.root.to_string(), "/data/raw/clicks");
}

#[test]
fn keys_are_matched_by_ending_and_control_files_never() {
    let source = job(SPEC).unwrap().source;
    for key in ["a.jsonl", "x/y/b.json.gz", "c.ndjson.zst"] {
        assert!(source.takes(key), "{key}");
    }
    for key in ["_SUCCESS", "_tmp/a.jsonl", ".a.jsonl", "a.parquet", "a.jsonl.bak"] {
        assert!(!source.takes(key), "{key}");
    }
}

#[test]
fn a_spec_is_written_in_one_order_without_defaults_and_reads_back_the_same() {
    let spec = JobSpec::parse(SPEC).unwrap();
    let text = spec.to_yaml().unwrap();
    insta::assert_snapshot!("spec_as_written", text);
    let again = JobSpec::parse(&text).unwrap();
    assert_eq!(again, spec);
    assert_eq!(again.to_yaml().unwrap(), text);
}

#[test]
fn tests_of_a_spec_are_written_as_they_are_read_and_change_no_rows() {
    let tests = "\
tests:
  - name: a number is taken as a note
    given: ['{\"user_id\": 7, \"note\": 1.50}', {user_id: null}]
    expect: {rows: [{user_id: 7, note: \"1.50\"}], rejected: 1}
";
    let spec = JobSpec::parse(&format!("{SPEC}{tests}")).unwrap();
    assert_eq!(spec.tests.len(), 1);
    assert_eq!(spec.tests[0].given[0], "{\"user_id\": 7, \"note\": 1.50}");
    assert_eq!(spec.tests[0].expect.rejected, 1);
    let again = JobSpec::parse(&spec.to_yaml().unwrap()).unwrap();
    assert_eq!(again, spec);
    let without = JobSpec::parse(SPEC).unwrap();
    assert_eq!(spec.logic_sha256(), without.logic_sha256());
    assert_ne!(spec.sha256(), without.sha256());
    assert!(!without.to_yaml().unwrap().contains("tests"));
}

#[test]
fn limits_of_time_and_of_expansion_reach_the_decoder() {
    use std::time::Duration;

    let given = SPEC.replace("256MiB", "256MiB\n  file_timeout: 2m\n  max_expansion: 50");
    for (text, timeout, max_expansion) in [(SPEC, 60, 200), (given.as_str(), 120, 50)] {
        let decode = job(text).unwrap().source.decode;
        assert_eq!(decode.timeout, Some(Duration::from_secs(timeout)));
        assert_eq!(decode.max_expansion, Some(max_expansion));
    }
}

#[test]
fn the_hash_follows_the_meaning_and_not_the_layout() {
    let spec = JobSpec::parse(SPEC).unwrap();
    let json = serde_json::to_string(&spec).unwrap();
    assert_eq!(JobSpec::parse(&json).unwrap().sha256(), spec.sha256());
    let commented = format!("# a comment\n{SPEC}");
    assert_eq!(JobSpec::parse(&commented).unwrap().sha256(), spec.sha256());
    let other = SPEC.replace("rows_per_file: 1000", "rows_per_file: 1001");
    assert_ne!(JobSpec::parse(&other).unwrap().sha256(), spec.sha256());
    assert_eq!(spec.sha256().len(), 64);
}

#[test]
fn what_does_not_fit_is_named_with_its_place() {
    let check = |from: &str, to: &str, place: &str, message: &str| {
        assert!(SPEC.contains(from), "{from}");
        let error = job(&SPEC.replacen(from, to, 1)).unwrap_err();
        assert!(error.starts_with(place), "{to}: {error}");
        assert!(error.contains(message), "{to}: {error}");
    };
    check("  owner:", "  ownr:", "5:3: ", "did you mean `owner`?");
    check("kind: Job", "kind: Jobb", "2:", "did you mean `Job`?");
    check("skewer/v1", "skewer/v9", "1:", "skewer/v1");
    check(
        "limits:\n",
        "catalog: {}\nlimits:\n",
        "23:",
        "`catalog` is not supported yet",
    );
    check(
        "  table:",
        "  publish: delta\n  table:",
        "17:",
        "`publish` is not supported yet",
    );
    check("256MiB", "lots", "24:", "384MiB");
    check("256MiB", "1MiB", "24:3: ", "at least 64MiB");
    check("256MiB", "256MiB\n  scratch: 50", "25:3: ", "at least 1MiB");
    check("256MiB", "256MiB\n  file_timeout: 60", "25:", "such as 60s");
    check("256MiB", "256MiB\n  file_timeout: 0s", "25:3: ", "longer than 0s");
    check("256MiB", "256MiB\n  day_timeout: 0ms", "25:3: ", "longer than 0s");
    check("256MiB", "256MiB\n  max_expansion: 0", "25:3: ", "at least 1");
    check("256MiB", "256MiB\n  isolation: thread", "25:", "process");
    check("zstd(3)", "lzma", "19:", "zstd(1) to zstd(22)");
    check("<0.2\"", "<0.0.2\"", "7:1: ", "this is 0.1.0");
    check("rows_per_file: 1000", "rows_per_file: 0", "19:13: ", "at least 1");
    check(
        "%Y/%m/%d}/",
        "%Y/%m}/",
        "11:3: ",
        "does not tell one day from another",
    );
    check("{day:%Y", "{hour:%Y", "11:3: ", "is no parameter");
    check("uri: out/clicks/", "uri: gs://x/y", "18:3: ", "not supported");
    check(
        "uri: out/clicks/",
        "uri: out/{day}/",
        "18:3: ",
        "cannot be filled in here",
    );
    check("ratio: 0.02", "ratio: 2", "22:5: ", "between 0 and 1");
    check("  schema:", "  match: \"[\"\n  schema:", "12:3: ", "source.match");
    check("name: clicks", "name: a/b", "4:3: ", "is no name");
    check("  day: {type", "  dat: {type", "8:1: ", "parameter `dat`");
}

#[test]
fn a_job_that_would_read_its_own_output_is_refused() {
    let check = |uri: &str, control: &str, message: &str| {
        let text = SPEC.replace("uri: out/clicks/", &format!("uri: {uri}{control}"));
        let error = job(&text).unwrap_err();
        assert!(error.contains(message), "{uri}: {error}");
    };
    check("raw/clicks/1970/01/01/x", "", "read its own output");
    check("raw/clicks", "", "readers of the table would read raw files");
    check("out", "\n  control: out/x", "beside the table");
    check("out", "\n  control: s3://lake/x", "storage of the table");
    check("s3://lake/out", "\n  control: s3://other/x", "in its bucket");
    check("s3://lake", "", "add a folder");
    assert!(job(&SPEC.replace("uri: out/clicks/", "uri: raw/other")).is_ok());
}

#[test]
fn the_budget_allows_one_bad_record_of_a_small_day_and_a_share_of_a_large_one() {
    let records = job(SPEC).unwrap().budget.records;
    assert_eq!([10, 100, 1000].map(|of| records.allowed(of)), [1, 2, 20]);
    let files = job(SPEC).unwrap().budget.files;
    assert_eq!((files.allowed(1), files.allowed(1_000_000)), (1, 25));
    let none = crate::job::Tolerance {
        ratio: Some(0.0),
        abs: None,
    };
    assert_eq!(none.allowed(1000), 0);
}

#[test]
fn only_what_decides_the_rows_is_in_the_hash_of_the_logic() {
    let of = |text: &str| JobSpec::parse(text).unwrap().logic_sha256();
    assert_eq!(
        of(SPEC),
        of(&SPEC.replace("rows_per_file: 1000", "rows_per_file: 1001"))
    );
    assert_ne!(of(SPEC), of(&SPEC.replace("user_id", "user")));
    let filtered = format!("{SPEC}\nsteps: [{{filter: {{where: user_id > 1}}}}]\n");
    assert_ne!(of(SPEC), of(&filtered));
}

const CLICKS: &str = "inputs:
  clicks:
    uri: \"../clicks/{day}/\"
    schema: {fields: [{name: user_id, type: int64}, {name: at, type: string}]}
steps:
  - join: {input: clicks, on: [user_id], columns: [at]}
sink:
";

#[test]
fn a_second_dataset_gives_its_columns_to_the_steps_and_its_place_for_each_day() {
    let text = SPEC.replace("sink:\n", CLICKS);
    let with_join = job(&text).unwrap();
    let input = &with_join.inputs["clicks"];
    assert_eq!(input.location(day()).to_string(), "/lake/clicks/2020-01-02");
    assert!(input.is_by_day());
    assert!(with_join.plan.output().contains("at"));
    assert_eq!(
        JobSpec::parse(&with_join.spec.to_yaml().unwrap()).unwrap(),
        with_join.spec
    );
    // What a job without inputs was committed by stays what it was.
    let without = job(SPEC).unwrap();
    assert_ne!(with_join.logic_sha256, without.logic_sha256);
    let elsewhere = job(&text.replace("../clicks", "../other")).unwrap();
    assert_ne!(with_join.logic_sha256, elsewhere.logic_sha256);
}

#[test]
fn an_input_that_cannot_be_opened_is_refused_at_its_place() {
    let text = SPEC.replace("sink:\n", CLICKS);
    for (from, to, expected) in [
        (
            "{day}/",
            "{hour}/",
            "input `clicks`: `uri`: `{hour}` is no parameter",
        ),
        (
            "name: at, type: string",
            "name: at, type: text",
            "did you mean `string`",
        ),
        (
            "input: clicks",
            "input: click",
            "step 1 `join(click)`: input `click` is not declared",
        ),
        (
            "columns: [at]",
            "columns: [att]",
            "has no column `att`: did you mean `at`?",
        ),
        ("../clicks/{day}/", "out/clicks/", "would read its own output"),
        ("  clicks:\n", "  a b:\n", "`a b` is no name"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = job(&text.replace(from, to)).unwrap_err();
        assert!(error.contains(expected), "{to}: {error}");
    }
    let error = job(&text.replace("{day}/", "{hour}/")).unwrap_err();
    assert!(error.starts_with("18:5: "), "{error}");
}
