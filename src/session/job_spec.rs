//! The document as a job spec: the schema that was explored is frozen, the open dataset becomes a template of days.

use thiserror::Error;

use super::Document;
use crate::dataset::Schema;
use crate::job::{
    ApiVersion, BudgetSpec, Compression, ErrorsSpec, FormatSpec, JobSpec, Kind, LimitsSpec, Metadata,
    ParamSpec, ParamType, ParquetSpec, PartitionSpec, SinkSpec, SourceSpec, Tolerance,
};
use crate::storage::{Layout, Location};

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
    #[error("the table has no place yet: give its folder or s3:// prefix on the Job tab")]
    NoSink,
    #[error("compression {message}")]
    Compression { message: String },
}

/// What a document is exported from, besides itself.
#[derive(Debug, Clone, Copy)]
pub struct Frozen<'a> {
    /// Prefix of the dataset below the source.
    pub dataset: &'a str,
    pub layout: &'a Layout,
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
        let day = day_template(frozen.layout)?;
        let settings = &self.job;
        if settings.sink.trim().is_empty() {
            return Err(NoJob::NoSink);
        }
        let compression = Compression::try_from(settings.compression.clone())
            .map_err(|message| NoJob::Compression { message })?;
        let sink_connection = match settings.sink.trim().parse() {
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
                uri: source_uri(&source.location, frozen.dataset, &day),
                connection: source.connection.clone(),
                format: FormatSpec::default(),
                schema: schema.clone(),
                pattern: DATA_FILES.to_owned(),
            },
            steps: self.recipe.clone(),
            sink: SinkSpec {
                uri: settings.sink.trim().to_owned(),
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
            },
            errors: ErrorsSpec {
                budget: BudgetSpec {
                    records: tolerance(settings.budget_records_ratio, settings.budget_records_abs),
                    files: tolerance(settings.budget_files_ratio, settings.budget_files_abs),
                },
            },
            limits: LimitsSpec::default(),
        })
    }
}

fn tolerance(ratio: f64, abs: u64) -> Tolerance {
    Tolerance {
        ratio: Some(ratio),
        abs: Some(abs),
    }
}

/// The folder of one day below the dataset.
fn day_template(layout: &Layout) -> Result<String, NoJob> {
    match layout {
        // The hours of a day lie in its folder.
        Layout::DatePath | Layout::HourPath => Ok("{day:%Y/%m/%d}/".to_owned()),
        Layout::IsoDate => Ok("{day}/".to_owned()),
        Layout::Flat => Err(NoJob::NoDays {
            layout: "no partitions",
        }),
        Layout::Hive { keys } => match keys.as_slice() {
            [key] => Ok(format!("{key}={{day}}/")),
            [year, month, day] if year == "year" && month == "month" && day == "day" => {
                Ok("year={day:%Y}/month={day:%m}/day={day:%d}/".to_owned())
            }
            _ => Err(NoJob::NoDays {
                layout: "several key=value folders",
            }),
        },
    }
}

fn source_uri(root: &Location, dataset: &str, day: &str) -> String {
    let root = match root {
        Location::Local(path) => Location::Local(std::path::absolute(path).unwrap_or_else(|_| path.clone())),
        Location::S3 { .. } => root.clone(),
    };
    let below = format!("{dataset}{day}");
    match &root {
        Location::S3 { .. } => root.join(&below).to_string(),
        Location::Local(path) => {
            let base = path.display().to_string();
            format!("{}/{below}", base.trim_end_matches('/'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Frozen, NoJob};
    use crate::dataset::{DataType, Field, Schema};
    use crate::job::JobSpec;
    use crate::session::{Document, JobSettings, Source};
    use crate::storage::{Connection, Layout};

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

    #[test]
    fn an_explored_day_becomes_a_template_of_days_that_reads_back() {
        let schema = schema();
        let frozen = |layout| Frozen {
            dataset: "raw/",
            layout,
            schema: Some(&schema),
        };
        let document = document("s3://lake/", "s3://lake/features/");
        let spec = document.job_spec(frozen(&Layout::DatePath)).unwrap();
        assert_eq!(spec.source.uri, "s3://lake/raw/{day:%Y/%m/%d}/");
        assert_eq!(spec.sink.connection.region.as_deref(), Some("eu-west-1"));
        assert_eq!(JobSpec::parse(&spec.to_yaml().unwrap()).unwrap(), spec);

        let keys = vec!["day_partition".to_owned()];
        let hive = Layout::Hive { keys };
        let spec = document.job_spec(frozen(&hive)).unwrap();
        assert_eq!(spec.source.uri, "s3://lake/raw/day_partition={day}/");
        let flat = document.job_spec(frozen(&Layout::Flat)).unwrap_err();
        assert!(matches!(flat, NoJob::NoDays { .. }));
    }

    #[test]
    fn a_document_without_a_table_or_a_schema_says_what_is_to_be_done() {
        let schema = schema();
        let mut frozen = Frozen {
            dataset: "",
            layout: &Layout::IsoDate,
            schema: Some(&schema),
        };
        assert_eq!(
            document("/lake", " ").job_spec(frozen).unwrap_err(),
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
