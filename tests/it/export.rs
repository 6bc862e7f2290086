//! `skewer export` as a person meets it: files that can be started from any folder, and no overwritten edits.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const JOB: &str = "sample_data/jobs/job_features.yaml";

fn export(folder: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_skewer"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["export", JOB, "--target", "spark", "--json", "-o"])
        .arg(folder)
        .args(more)
        .output()
        .unwrap()
}

fn statuses(output: &Output) -> Vec<String> {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["job"], "job_features");
    let files = answer["files"].as_array().unwrap();
    let status = |file: &Value| file["status"].as_str().unwrap().to_owned();
    files.iter().map(status).collect()
}

#[test]
fn the_exported_spec_checks_in_another_folder_and_names_the_same_table() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("deep/on-spark");
    assert_eq!(statuses(&export(&to, &[])), ["written", "written", "written"]);
    let validate = |job: &Path| -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_skewer"))
            .current_dir(folder.path())
            .args(["validate", "--json"])
            .arg(job)
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let original = validate(&Path::new(env!("CARGO_MANIFEST_DIR")).join(JOB));
    let exported = validate(&to.join("job.yaml"));
    for key in ["sink", "columns"] {
        assert_eq!(exported[key], original[key]);
    }
    assert!(Path::new(exported["source"].as_str().unwrap()).is_absolute());
}

#[test]
fn a_file_that_someone_changed_is_kept_until_force_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let launcher = folder.path().join("launch.py");
    export(folder.path(), &[]);
    assert_eq!(statuses(&export(folder.path(), &[])), ["unchanged"; 3]);

    fs::write(&launcher, "# mine").unwrap();
    fs::remove_file(folder.path().join("job.yaml")).unwrap();
    let refused = export(folder.path(), &[]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("launch.py") && said.contains("--force"), "{said}");
    assert_eq!(fs::read_to_string(&launcher).unwrap(), "# mine");
    assert!(
        !folder.path().join("job.yaml").exists(),
        "a refusal writes nothing at all"
    );

    assert_eq!(
        statuses(&export(folder.path(), &["--force"])),
        ["written", "written", "unchanged"]
    );
    assert!(fs::read_to_string(&launcher).unwrap().contains("mapInArrow"));
}

#[test]
fn a_target_that_is_not_there_and_a_spec_that_does_not_check_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("job.yaml");
    fs::write(&spec, "kind: Job\n").unwrap();
    for (job, target, word) in [
        (JOB, "airflow", "choose one of spark"),
        (spec.to_str().unwrap(), "spark", "job.yaml:"),
    ] {
        let to = folder.path().join("out");
        let output = Command::new(env!("CARGO_BIN_EXE_skewer"))
            .args(["export", job, "--target", target, "-o", to.to_str().unwrap()])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(word), "{said}");
        assert!(!to.exists());
    }
}
