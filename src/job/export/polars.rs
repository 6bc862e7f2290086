//! polars in Python: the job's steps as a program that reads a day's raw files and gives the rows of the table.
//!
//! For a notebook or another engine's team; it writes no table and commits nothing. The steps write their own code, and
//! `.ci/python_steps.py` holds it to the rows of `skewer preview`.

use std::path::Path;

use polars::prelude::Schema;

use super::{Export, ExportError, ExportedFile, Target, portable};
use crate::job::{Job, Template};
use crate::storage::Connection;
use crate::transform::python::{self, Reading, RowFormat, RowSource, Script};

pub(super) const TARGET: Target = Target {
    name: "polars",
    summary: "the steps as a Python program for polars, which gives the rows of a day",
    export,
};

const README: &str = include_str!("polars/README.md");

fn export(job: &Job, text: &str) -> Result<Export, ExportError> {
    let script = script(job)?;
    let mut notes = portable::notes(job);
    notes.extend(script.notes.iter().map(|(number, reason)| match number {
        0 => format!("the rows cannot be read: {reason}"),
        number => format!("step {number} is not written: {reason}"),
    }));
    let file = |name, content| ExportedFile { name, content };
    Ok(Export {
        files: vec![
            file("steps.py", script.text),
            file("job.yaml", portable::spec_text(job, text)?),
            file("README.md", portable::readme(README, job, &notes)),
        ],
        notes,
    })
}

fn script(job: &Job) -> Result<Script, ExportError> {
    let (_, day) = Template::split_root(&job.spec.source.uri);
    let rows = RowSource {
        paths: vec![format!("{}/{day}", portable::text_of(&job.source.root)?)],
        by_day: true,
        pattern: Some(job.spec.source.pattern.clone()),
        format: RowFormat::Jsonl {
            schema: job.spec.source.schema.clone(),
            max_line_bytes: job.source.decode.max_line_bytes,
        },
        connection: connection(&job.source.connection),
    };
    // Places were made absolute, so that the script means the same in any folder.
    let inputs = portable::absolute(job)?.inputs;
    let inputs = inputs.iter().map(|(name, spec)| {
        let source = RowSource::of_input(spec, Path::new("/")).map_err(|error| ExportError::Input {
            name: name.clone(),
            message: error.message,
        })?;
        Ok((name.clone(), source))
    });
    let reading = Reading {
        rows,
        inputs: inputs.collect::<Result<_, ExportError>>()?,
    };
    let input: Schema = job.source.schema.to_polars();
    Ok(python::script(
        &job.spec.steps,
        &input,
        job.plan.inputs(),
        &reading,
    ))
}

fn connection(connection: &Connection) -> serde_json::Value {
    serde_json::to_value(connection).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::TARGET;
    use crate::job::Job;
    use crate::job::check::tests::SPEC;

    fn content(text: &str, name: &str) -> String {
        let job = Job::from_text(text, Path::new("/lake/jobs")).unwrap();
        let files = TARGET.export(&job, text).unwrap().files;
        let names: Vec<&str> = files.iter().map(|file| file.name).collect();
        assert_eq!(names, ["steps.py", "job.yaml", "README.md"]);
        files.into_iter().find(|file| file.name == name).unwrap().content
    }

    #[test]
    fn the_script_reads_the_folder_of_a_day_by_the_declared_schema() {
        let script = content(SPEC, "steps.py");
        for part in [
            r#""paths": ["/lake/jobs/raw/clicks/{day:%Y/%m/%d}/"],"#,
            r#""by_day": True,"#,
            r#"{"name": "user_id", "type": "int64", "required": True},"#,
            r#"return df.select(["user_id", "note"])"#,
        ] {
            assert!(script.contains(part), "{part}\n{script}");
        }
    }

    #[test]
    fn the_readme_speaks_of_this_job_and_leaves_no_placeholder() {
        let readme = content(SPEC, "README.md");
        assert!(!readme.contains('@'), "{readme}");
        assert!(readme.starts_with("# clicks in polars"), "{readme}");
        assert!(
            readme.contains("- the source is a local folder, /lake/jobs/raw/clicks"),
            "{readme}"
        );
    }
}
