//! The spec as it must be written to mean the same in any folder of any machine that sees the same storage.
//!
//! Relative places are relative to the spec's own folder, so a copy elsewhere would read and write other places. A spec
//! without them is passed on as it was written, comments included.

use std::path::Path;

use super::ExportError;
use crate::job::{Job, JobSpec, Template};
use crate::storage::Location;

/// The text of `job`, which was read from `text`, with absolute places.
pub(super) fn spec_text(job: &Job, text: &str) -> Result<String, ExportError> {
    let spec = absolute(job)?;
    if spec == job.spec {
        return Ok(text.to_owned());
    }
    let written = spec.to_yaml().map_err(|source| ExportError::Spec { source })?;
    // Braces in the path of the folder would be read as a parameter.
    let again = Job::from_text(&written, Path::new("/")).map_err(|source| ExportError::Spec { source })?;
    debug_assert_eq!(
        again.sink.root, job.sink.root,
        "the exported job writes the same table"
    );
    Ok(written)
}

/// What the machines that run `job` must have besides its files.
pub(super) fn notes(job: &Job) -> Vec<String> {
    let mut notes = Vec::new();
    let places = [("source", &job.source.root), ("table", &job.sink.root)];
    let inputs = job
        .inputs
        .iter()
        .map(|(name, input)| (format!("input `{name}`"), &input.root));
    let places = places.map(|(name, place)| (name.to_owned(), place)).into_iter();
    for (name, place) in places.chain(inputs).filter(|(_, place)| !place.is_s3()) {
        notes.push(format!(
            "the {name} is a local folder, {place}: every machine must see the same files there"
        ));
    }
    let profiles = [&job.source.connection.profile, &job.sink.connection.profile];
    let of_inputs = job.inputs.values().map(|input| &input.connection.profile);
    let mut profiles: Vec<&String> = profiles.into_iter().chain(of_inputs).flatten().collect();
    profiles.sort();
    profiles.dedup();
    for profile in profiles {
        notes.push(format!(
            "the job names the profile `{profile}`: every machine needs it in ~/.aws/config, or leave it out of the spec"
        ));
    }
    notes
}

pub(super) fn absolute(job: &Job) -> Result<JobSpec, ExportError> {
    let mut spec = job.spec.clone();
    let (_, day) = Template::split_root(&job.spec.source.uri);
    if is_relative(&job.spec.source.uri) {
        spec.source.uri = format!("{}/{day}", text_of(&job.source.root)?);
    }
    for (name, input) in &mut spec.inputs {
        let Some(source) = job.inputs.get(name).filter(|_| is_relative(&input.uri)) else {
            continue;
        };
        input.uri = if source.is_by_day() {
            let (_, day) = Template::split_root(&input.uri);
            format!("{}/{day}", text_of(&source.root)?)
        } else {
            text_of(&source.root)?
        };
    }
    if is_relative(&job.spec.sink.uri) {
        spec.sink.uri = format!("{}/", text_of(&job.sink.root)?);
    }
    if job.spec.sink.control.as_deref().is_some_and(is_relative) {
        spec.sink.control = Some(format!("{}/", text_of(&job.sink.control)?));
    }
    Ok(spec)
}

fn is_relative(place: &str) -> bool {
    matches!(place.parse(), Ok(Location::Local(path)) if path.is_relative())
}

/// A local place without a slash at its end, which the caller adds.
pub(super) fn text_of(place: &Location) -> Result<String, ExportError> {
    let text = match place {
        Location::Local(path) => path.to_str().map(str::to_owned),
        s3 @ Location::S3 { .. } => Some(s3.to_string()),
    };
    text.map(|text| text.trim_end_matches('/').to_owned())
        .ok_or_else(|| ExportError::NotText {
            place: place.to_string(),
        })
}

/// A target's README: `template` with the job's names and places, and a line for each note.
pub(super) fn readme(template: &str, job: &Job, notes: &[String]) -> String {
    let mut listed = String::new();
    for note in notes {
        listed.extend(["- ", note, "\n"]);
    }
    template
        .replace("@JOB@", job.name())
        .replace("@SOURCE@", &job.source.root.to_string())
        .replace("@TABLE@", &job.sink.root.to_string())
        .replace("@MEMORY@", &job.limits.memory.to_string())
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
        .replace("@NOTES@\n", &listed)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{notes, spec_text};
    use crate::job::Job;
    use crate::job::check::tests::SPEC;

    fn exported(text: &str, folder: &str) -> Result<String, String> {
        let job = Job::from_text(text, Path::new(folder)).unwrap();
        spec_text(&job, text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_spec_from_any_folder_names_the_same_places_once_exported() {
        let control = SPEC.replace(
            "uri: out/clicks/",
            "uri: ../out/clicks/\n  control: ../control/clicks",
        );
        for text in [
            SPEC,
            &control,
            &SPEC.replace("raw/clicks/{day:%Y/%m/%d}/", "\"{day}.jsonl\""),
        ] {
            let before = Job::from_text(text, Path::new("/lake/jobs")).unwrap();
            let text = exported(text, "/lake/jobs").unwrap();
            let after = Job::from_text(&text, Path::new("/elsewhere")).unwrap();
            assert_eq!(after.source.root, before.source.root);
            assert_eq!(after.source.day, before.source.day);
            assert_eq!(after.sink.root, before.sink.root);
            assert_eq!(after.sink.control, before.sink.control);
        }
    }

    #[test]
    fn inputs_are_carried_to_the_same_places_and_asked_of_every_machine() {
        let inputs = "\
inputs:
  clicks: {uri: \"../clicks/{day}/\", schema: {fields: [{name: id, type: int64}]}}
  users: {uri: users.jsonl, connection: {profile: lake}, schema: {fields: [{name: id, type: int64}]}}
";
        let text = SPEC.replace("sink:\n", &format!("{inputs}sink:\n"));
        let before = Job::from_text(&text, Path::new("/lake/jobs")).unwrap();
        let after = Job::from_text(&exported(&text, "/lake/jobs").unwrap(), Path::new("/elsewhere")).unwrap();
        let day = chrono::NaiveDate::from_ymd_opt(2020, 1, 2).unwrap();
        for (name, place) in [
            ("clicks", "/lake/clicks/2020-01-02"),
            ("users", "/lake/jobs/users.jsonl"),
        ] {
            assert_eq!(before.inputs[name].location(day).to_string(), place);
            assert_eq!(
                after.inputs[name].location(day),
                before.inputs[name].location(day)
            );
        }
        let notes = notes(&before);
        assert!(
            notes
                .iter()
                .any(|note| note.contains("input `clicks` is a local folder")),
            "{notes:?}"
        );
        assert!(
            notes.iter().any(|note| note.contains("profile `lake`")),
            "{notes:?}"
        );
    }

    #[test]
    fn a_spec_without_relative_places_is_passed_on_as_written_with_its_comments() {
        let text = format!("# kept\n{SPEC}")
            .replace("uri: raw/", "uri: s3://lake/raw/")
            .replace("uri: out/", "uri: s3://lake/out/");
        assert_eq!(exported(&text, "/lake/jobs").unwrap(), text);
    }

    #[test]
    fn a_folder_with_braces_in_its_name_is_refused_because_it_would_be_read_as_a_parameter() {
        let error = exported(SPEC, "/lake/{jobs}").unwrap_err();
        assert!(error.contains("without braces"), "{error}");
    }

    #[test]
    fn local_places_and_profiles_are_asked_of_every_machine() {
        let job = |text: &str| Job::from_text(text, Path::new("/lake/jobs")).unwrap();
        let local = notes(&job(SPEC));
        assert_eq!(local.len(), 2, "{local:?}");
        assert!(local[0].contains("/lake/jobs/raw/clicks"), "{local:?}");
        let text = SPEC
            .replace("uri: raw/", "connection: {profile: lake}\n  uri: s3://lake/raw/")
            .replace("uri: out/", "connection: {profile: lake}\n  uri: s3://lake/out/");
        let shared = notes(&job(&text));
        assert_eq!(shared.len(), 1, "{shared:?}");
        assert!(shared[0].contains("`lake`"), "{shared:?}");
    }
}
