//! Spark as a scheduler: a PySpark launcher that runs `skewer task` on executors, its README, and the spec.
//!
//! The launcher is a file of its own, the same for every job: what differs comes in as arguments. Spark runs no part of
//! the transform, so its rows cannot differ from those of a local run. `.ci/spark.py` holds it to that on a cluster.

use super::{Export, ExportError, ExportedFile, Target, portable};
use crate::job::Job;

pub(super) const TARGET: Target = Target {
    name: "spark",
    summary: "a PySpark launcher that runs the job's tasks on executors (Spark 3.3 or later)",
    export,
};

const LAUNCHER: &str = include_str!("spark/launch.py");
const README: &str = include_str!("spark/README.md");

fn export(job: &Job, text: &str) -> Result<Export, ExportError> {
    let notes = portable::notes(job);
    let file = |name, content| ExportedFile { name, content };
    Ok(Export {
        files: vec![
            file("launch.py", LAUNCHER.to_owned()),
            file("job.yaml", portable::spec_text(job, text)?),
            file("README.md", portable::readme(README, job, &notes)),
        ],
        notes,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{LAUNCHER, TARGET};
    use crate::job::Job;
    use crate::job::check::tests::SPEC;

    fn content(text: &str, name: &str) -> String {
        let job = Job::from_text(text, Path::new("/lake/jobs")).unwrap();
        let files = TARGET.export(&job, text).unwrap().files;
        let names: Vec<&str> = files.iter().map(|file| file.name).collect();
        assert_eq!(names, ["launch.py", "job.yaml", "README.md"]);
        files.into_iter().find(|file| file.name == name).unwrap().content
    }

    #[test]
    fn the_spec_names_absolute_places() {
        insta::assert_snapshot!("spark_job", content(SPEC, "job.yaml"));
    }

    #[test]
    fn the_readme_speaks_of_this_job_and_asks_for_what_the_files_do_not_bring() {
        let readme = content(SPEC, "README.md");
        assert!(!readme.contains('@'), "a placeholder is left");
        insta::assert_snapshot!("spark_readme", readme);
    }

    #[test]
    fn the_launcher_is_the_same_for_every_job() {
        let other = SPEC.replace("name: clicks", "name: other");
        assert_eq!(content(SPEC, "launch.py"), LAUNCHER);
        assert_eq!(content(&other, "launch.py"), LAUNCHER);
    }
}
