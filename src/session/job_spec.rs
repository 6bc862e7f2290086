//! The document as a job spec: the schema that was explored is frozen, the open dataset becomes a template of days.

use chrono::NaiveDate;
use thiserror::Error;

use super::Document;
use crate::dataset::{InputSpec, Schema};
use crate::job::{
    ApiVersion, BudgetSpec, Compression, ErrorsSpec, FormatSpec, IncrementalSpec, JobSpec, Kind, LimitsSpec,
    Metadata, ParamSpec, ParamType, ParquetSpec, PartitionSpec, SinkLayout, SinkSpec, SourceSpec, Template,
    Tolerance,
};
use crate::storage::{DatasetKeys, Layout, Location, day_value, is_hour_key};

/// The spec's own default: what the window lists as JSON Lines.
const DATA_FILES: &str = "**/*.{jsonl,ndjson,json}{,.gz,.zst}";

/// Why a document is no job yet, with what is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoJob {
    #[error("nothing is open: open a folder or an s3:// prefix")]
    NoSource,
    #[error("no rows were read yet: open a partition, its schema is frozen into the job")]
    NoSchema,
    #[error("jobs read JSON Lines, and this dataset is Parquet: open the raw dataset")]
    Parquet,
    #[error("the keys do not name one folder a day ({layout}): a job runs day by day")]
    NoDays { layout: &'static str },
    #[error(
        "the table has no place yet: none is guessed in a bucket, give its s3:// prefix or a folder on the Job tab"
    )]
    NoSink,
    #[error("compression {message}")]
    Compression { message: String },
}

/// What a document is exported from, besides itself.
#[derive(Debug, Clone, Copy)]
pub struct Frozen<'a> {
    /// The open dataset, as listed below the source.
    pub keys: &'a DatasetKeys,
    /// The schema that the explored rows were decoded by; none for Parquet.
    pub schema: Option<&'a Schema>,
}

impl Document {
    /// The job that does to every day what was explored on one. Local places are made absolute, because the spec's own
    /// folder is not known yet.
    ///
    /// # Errors
    /// [`NoJob`].
    pub fn job_spec(&self, frozen: Frozen<'_>) -> Result<JobSpec, NoJob> {
        let source = self.source.as_ref().ok_or(NoJob::NoSource)?;
        let schema = frozen.schema.ok_or(NoJob::Parquet)?;
        let day = day_template(frozen.keys)?;
        let base = dataset_base(&source.location, frozen.keys, &day);
        let settings = &self.job;
        let sink = match settings.sink.trim() {
            "" => beside(&source.location, &base, &settings.name).ok_or(NoJob::NoSink)?,
            given => given.to_owned(),
        };
        let compression = Compression::try_from(settings.compression.clone())
            .map_err(|message| NoJob::Compression { message })?;
        let sink_connection = match sink.parse() {
            Ok(Location::S3 { .. }) => source.connection.clone(),
            _ => crate::storage::Connection::default(),
        };
        Ok(JobSpec {
            api_version: ApiVersion::V1,
            kind: Kind::Job,
            metadata: Metadata {
                name: settings.name.clone(),
                ..Metadata::default()
            },
            engine: None,
            params: [(
                "day".to_owned(),
                ParamSpec {
                    kind: ParamType::DateList,
                },
            )]
            .into(),
            source: SourceSpec {
                uri: format!("{base}{day}"),
                connection: source.connection.clone(),
                format: FormatSpec::default(),
                schema: schema.clone(),
                pattern: DATA_FILES.to_owned(),
            },
            inputs: self
                .inputs
                .iter()
                .map(|(name, input)| (name.clone(), placed(input)))
                .collect(),
            steps: self.recipe.clone(),
            sink: SinkSpec {
                uri: sink,
                connection: sink_connection,
                partition: PartitionSpec {
                    name: settings.partition_name.clone(),
                    ..PartitionSpec::default()
                },
                parquet: ParquetSpec {
                    rows_per_file: usize::try_from(settings.rows_per_file).unwrap_or(usize::MAX),
                    compression,
                    ..ParquetSpec::default()
                },
                table: None,
                control: None,
                layout: SinkLayout::default(),
                manifest: false,
            },
            incremental: IncrementalSpec::default(),
            errors: ErrorsSpec {
                budget: BudgetSpec {
                    records: tolerance(settings.budget_records_ratio, settings.budget_records_abs),
                    files: tolerance(settings.budget_files_ratio, settings.budget_files_abs),
                },
            },
            limits: LimitsSpec::default(),
            tests: settings.tests.clone(),
        })
    }
}

impl Document {
    /// The table of a job whose sink was left empty: `out/NAME` beside a local dataset. None in a bucket, and where the
    /// keys name no days.
    pub fn default_sink(&self, keys: &DatasetKeys) -> Option<String> {
        let location = &self.source.as_ref()?.location;
        let day = day_template(keys).ok()?;
        beside(location, &dataset_base(location, keys, &day), &self.job.name)
    }
}

/// An input whose local place is absolute.
fn placed(input: &InputSpec) -> InputSpec {
    let uri = match input.uri.parse() {
        Ok(Location::Local(path)) if path.is_relative() => {
            let absolute = std::path::absolute(&path).unwrap_or(path);
            // A slash at its end says that it is a folder.
            let slash = if input.uri.ends_with('/') { "/" } else { "" };
            format!("{}{slash}", absolute.display().to_string().trim_end_matches('/'))
        }
        _ => input.uri.clone(),
    };
    InputSpec { uri, ..input.clone() }
}

fn tolerance(ratio: f64, abs: u64) -> Tolerance {
    Tolerance {
        ratio: Some(ratio),
        abs: Some(abs),
    }
}

/// The folder of one day below the dataset.
fn day_template(keys: &DatasetKeys) -> Result<String, NoJob> {
    match &keys.layout {
        // The hours of a day lie in its folder.
        Layout::DatePath | Layout::HourPath => Ok("{day:%Y/%m/%d}/".to_owned()),
        Layout::IsoDate => Ok("{day}/".to_owned()),
        Layout::Flat => Err(NoJob::NoDays {
            layout: "no partitions",
        }),
        Layout::Hive { keys: names } => {
            // As with paths of hours.
            let names = match names.as_slice() {
                [above @ .., hour] if is_hour_key(hour) => above,
                names => names,
            };
            match names {
                [key] if is_unpadded(keys) => Ok(format!("{key}={{day:%Y-%-m-%-d}}/")),
                [key] => Ok(format!("{key}={{day}}/")),
                // As the folders write them, capitals included.
                [year, month, day]
                    if [(year, "year"), (month, "month"), (day, "day")]
                        .iter()
                        .all(|(name, known)| name.eq_ignore_ascii_case(known)) =>
                {
                    Ok(if is_unpadded(keys) {
                        format!("{year}={{day:%Y}}/{month}={{day:%-m}}/{day}={{day:%-d}}/")
                    } else {
                        format!("{year}={{day:%Y}}/{month}={{day:%m}}/{day}={{day:%d}}/")
                    })
                }
                _ => Err(NoJob::NoDays {
                    layout: "several key=value folders",
                }),
            }
        }
    }
}

/// Whether most months and days under ten are written without a leading zero, as Spark writes columns of integers.
fn is_unpadded(keys: &DatasetKeys) -> bool {
    let is_part = |name: &str| {
        ["month", "day"]
            .iter()
            .any(|part| name.eq_ignore_ascii_case(part))
    };
    let (mut n_short, mut n_padded) = (0_u64, 0_u64);
    let prefixes = keys.partitions.values().map(|stats| &stats.prefix);
    for part in prefixes.flat_map(|prefix| prefix.split('/')) {
        let Some((name, value)) = part.split_once('=') else {
            continue;
        };
        let numbers: Vec<&str> = if is_part(name) {
            vec![value]
        } else if day_value(value).is_some() {
            value.split('-').skip(1).collect()
        } else {
            continue;
        };
        n_short += numbers.iter().filter(|number| number.len() == 1).count() as u64;
        n_padded += numbers.iter().filter(|number| number.starts_with('0')).count() as u64;
    }
    n_short > n_padded
}

/// The place of a second dataset as it is declared: with the day in it where its keys name days, or where the place itself
/// is that of the open `day`.
pub fn input_uri(location: &Location, keys: &DatasetKeys, day: Option<NaiveDate>) -> String {
    if let Ok(template) = day_template(keys) {
        let base = dataset_base(location, keys, &template);
        return format!("{base}{template}");
    }
    let text = location.to_string();
    let folder = if text.ends_with('/') {
        text
    } else {
        format!("{text}/")
    };
    for format in ["%Y-%m-%d", "%Y/%m/%d"] {
        let Some(shown) = day.map(|day| day.format(format).to_string()) else {
            continue;
        };
        if let Some((before, after)) = folder.rsplit_once(&shown) {
            let day = if format == "%Y-%m-%d" {
                "{day}"
            } else {
                "{day:%Y/%m/%d}"
            };
            return format!("{before}{day}{after}");
        }
    }
    folder
}

/// What the folders of all days share, with a slash at its end. The source may itself lie below it: `raw/2020/01/` holds
/// days of `raw/`.
fn dataset_base(root: &Location, keys: &DatasetKeys, day: &str) -> String {
    let root = match root {
        Location::Local(path) => Location::Local(std::path::absolute(path).unwrap_or_else(|_| path.clone())),
        Location::S3 { .. } => root.clone(),
    };
    let folder = |prefix: &str| {
        let place = if prefix.is_empty() {
            root.to_string()
        } else {
            root.join(prefix).to_string()
        };
        format!("{}/", place.trim_end_matches('/'))
    };
    let listed = keys.partitions.values().find_map(|stats| {
        let one_day = Template::parse(day).ok()?.render(stats.partition.date()?);
        let place = folder(&stats.prefix);
        let at = place.rfind(&format!("/{one_day}"))?;
        place.get(..=at).map(str::to_owned)
    });
    listed.unwrap_or_else(|| folder(&keys.prefix))
}

/// `out/NAME` beside a local dataset. Nothing is guessed in a bucket, which may be somebody else's.
fn beside(root: &Location, base: &str, name: &str) -> Option<String> {
    let parent = match root {
        Location::Local(_) => std::path::Path::new(base).parent()?,
        Location::S3 { .. } => return None,
    };
    Some(format!("{}/", parent.join("out").join(name).display()))
}

#[cfg(test)]
mod tests {
    use super::{Frozen, NoJob};
    use crate::dataset::{DataType, Field, Schema};
    use crate::job::JobSpec;
    use crate::session::{Document, JobSettings, Source};
    use crate::storage::{Connection, DatasetKeys, Inventory, Layout, Object};

    fn document(location: &str, sink: &str) -> Document {
        Document {
            source: Some(Source {
                location: location.parse().unwrap(),
                connection: Connection {
                    region: Some("eu-west-1".to_owned()),
                    ..Connection::default()
                },
            }),
            job: JobSettings {
                sink: sink.to_owned(),
                ..JobSettings::default()
            },
            ..Document::default()
        }
    }

    fn schema() -> Schema {
        Schema {
            fields: vec![Field {
                name: "id".to_owned(),
                dtype: DataType::String,
                required: false,
                accept: Vec::new(),
                parse: None,
            }],
            ..Schema::default()
        }
    }

    fn keys(prefix: &str, layout: Layout) -> DatasetKeys {
        DatasetKeys {
            prefix: prefix.to_owned(),
            layout,
            ..DatasetKeys::default()
        }
    }

    #[test]
    fn an_explored_day_becomes_a_template_of_days_that_reads_back() {
        let schema = Some(schema());
        let document = document("s3://lake/", "s3://lake/features/");
        let spec_of = |layout| {
            let keys = keys("raw/", layout);
            document.job_spec(Frozen {
                keys: &keys,
                schema: schema.as_ref(),
            })
        };
        let spec = spec_of(Layout::DatePath).unwrap();
        assert_eq!(spec.source.uri, "s3://lake/raw/{day:%Y/%m/%d}/");
        assert_eq!(spec.sink.connection.region.as_deref(), Some("eu-west-1"));
        assert_eq!(JobSpec::parse(&spec.to_yaml().unwrap()).unwrap(), spec);

        let hive = Layout::Hive {
            keys: vec!["day_partition".to_owned()],
        };
        assert_eq!(
            spec_of(hive).unwrap().source.uri,
            "s3://lake/raw/day_partition={day}/"
        );
        let flat = spec_of(Layout::Flat).unwrap_err();
        assert!(matches!(flat, NoJob::NoDays { .. }));
    }

    #[test]
    fn a_second_dataset_is_declared_for_each_day_where_its_place_or_its_keys_name_days() {
        let day = chrono::NaiveDate::from_ymd_opt(2020, 1, 5);
        let uri = |root: &str, layout| {
            let keys = keys("", layout);
            super::input_uri(&root.parse().unwrap(), &keys, day)
        };
        assert_eq!(
            uri("s3://lake/clicks/", Layout::IsoDate),
            "s3://lake/clicks/{day}/"
        );
        assert_eq!(
            uri("s3://lake/clicks/2020-01-05/", Layout::Flat),
            "s3://lake/clicks/{day}/"
        );
        assert_eq!(
            uri("/lake/clicks/2020/01/05", Layout::Flat),
            "/lake/clicks/{day:%Y/%m/%d}/"
        );
        assert_eq!(
            uri("/lake/users", Layout::Flat),
            "/lake/users/",
            "the same for every day"
        );
        assert_eq!(
            uri("/lake/clicks/2020-01-06", Layout::Flat),
            "/lake/clicks/2020-01-06/"
        );
    }

    #[test]
    fn a_source_below_the_dataset_still_gives_the_template_of_every_day() {
        let schema = schema();
        let (path, three) = ("{day:%Y/%m/%d}/", "year={day:%Y}/month={day:%m}/day={day:%d}/");
        let short = "year={day:%Y}/month={day:%-m}/day={day:%-d}/";
        for (root, key, template) in [
            ("s3://lake/raw/", "2020/01/05/a.jsonl", path),
            ("s3://lake/raw/2020/01/", "05/a.jsonl", path),
            ("s3://lake/raw/2020/01/05/", "a.jsonl", path),
            ("s3://lake/", "raw/2020/01/05/07/a.jsonl", path),
            ("s3://lake/", "raw/dt=2020-01-05/hour=07/a.jsonl", "dt={day}/"),
            ("s3://lake/raw/", "year=2020/month=01/day=05/a.jsonl", three),
            (
                "s3://lake/raw/",
                "year=2020/month=01/day=05/hour=7/a.jsonl",
                three,
            ),
            ("s3://lake/raw/year=2020/", "month=1/day=5/a.jsonl", short),
            (
                "s3://lake/raw/",
                "Year=2020/Month=01/Day=05/a.jsonl",
                "Year={day:%Y}/Month={day:%m}/Day={day:%d}/",
            ),
            (
                "s3://lake/",
                "raw/dt=2020-1-5/HOUR=7/a.jsonl",
                "dt={day:%Y-%-m-%-d}/",
            ),
        ] {
            let mut inventory = Inventory::new(&root.parse().unwrap());
            let object = Object {
                key: key.to_owned(),
                size: 7,
                modified: chrono::DateTime::UNIX_EPOCH,
                etag: None,
            };
            inventory.add(&[object]);
            let frozen = Frozen {
                keys: inventory.datasets().next().unwrap(),
                schema: Some(&schema),
            };
            let spec = document(root, "s3://lake/features/").job_spec(frozen).unwrap();
            assert_eq!(
                spec.source.uri,
                format!("s3://lake/raw/{template}"),
                "{root}{key}"
            );
        }
    }

    #[test]
    fn a_document_without_a_table_or_a_schema_says_what_is_to_be_done() {
        let schema = schema();
        let keys = keys("raw/", Layout::IsoDate);
        let mut frozen = Frozen {
            keys: &keys,
            schema: Some(&schema),
        };
        let beside = document("/lake", " ").job_spec(frozen).unwrap();
        assert_eq!(beside.sink.uri, "/lake/out/features/");
        let shown = document("/lake", "").default_sink(&keys);
        assert_eq!(shown, Some(beside.sink.uri), "the field shows what the job takes");
        assert_eq!(document("s3://lake/", "").default_sink(&keys), None);
        assert_eq!(
            document("s3://lake/", " ").job_spec(frozen).unwrap_err(),
            NoJob::NoSink
        );
        frozen.schema = None;
        assert_eq!(
            document("/lake", "out").job_spec(frozen).unwrap_err(),
            NoJob::Parquet
        );
        assert_eq!(Document::default().job_spec(frozen).unwrap_err(), NoJob::NoSource);
    }
}
