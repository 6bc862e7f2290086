//! `skewer schema`: the unified schema of a location, and where files disagree.

use serde::Serialize;

use super::output::{self, Output};
use super::{CliError, ConnectionArgs, data, schema_map, signal};
use crate::base::{Accuracy, units};
use crate::dataset::infer::{Conflict, infer};
use crate::dataset::{FailedFile, FileFormat, Format, dtype_name, footers};
use crate::storage::{Connection, Object};

#[derive(Debug, clap::Args)]
pub struct SchemaArgs {
    /// Folder, file or s3:// prefix
    location: String,
    /// Keys by partition instead: where each is there, absent, or of another type
    #[arg(long)]
    map: bool,
    #[command(flatten)]
    extent: schema_map::ExtentArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

/// Why a Parquet file beside JSON Lines has no part in the schema.
const OTHER_FORMAT: &str =
    "it is Parquet beside JSON Lines, and a schema is of one format: keep each in a folder of its own";

#[derive(Serialize)]
struct FieldRow {
    name: String,
    dtype: String,
    nullable: bool,
}

#[derive(Serialize)]
struct Answer {
    fields: Vec<FieldRow>,
    conflicts: Vec<Conflict>,
    accuracy: Accuracy,
    /// Files that could not be read, and those of another format than most.
    failed_files: Vec<FailedFile>,
}

pub fn schema(args: SchemaArgs, output: &mut Output) -> Result<u8, CliError> {
    let connection: Connection = args.connection.into();
    if args.map {
        return schema_map::schema_map(&args.location, &connection, args.extent, args.json, output);
    }
    let answer = signal::block_on_whole(|cancel| async move {
        let listed = data::list(&args.location, &connection, &cancel).await?;
        let objects = listed.objects(listed.dataset(None)?, None, &cancel).await?;
        let is_parquet = |o: &Object| FileFormat::of_key(&o.key).is_some_and(|f| f.format == Format::Parquet);
        let (parquet, others): (Vec<Object>, Vec<Object>) = objects.into_iter().partition(is_parquet);
        if others.is_empty() {
            let read = footers(&listed.store, &parquet, &cancel).await?;
            return Ok(Answer {
                fields: read
                    .columns
                    .iter()
                    .map(|(name, dtype)| FieldRow {
                        name: name.to_string(),
                        dtype: dtype_name(dtype),
                        nullable: true,
                    })
                    .collect(),
                conflicts: read.conflicts,
                accuracy: read.accuracy,
                failed_files: read.failed,
            });
        }
        let inferred = infer(&listed.store, &others, &cancel).await?;
        let mut failed_files = inferred.failed;
        failed_files.extend(parquet.iter().map(|object| FailedFile {
            object: listed.store.location(&object.key).to_string(),
            reason: OTHER_FORMAT.to_owned(),
        }));
        let fields = inferred.schema.fields.into_iter();
        Ok::<_, CliError>(Answer {
            fields: fields
                .map(|field| FieldRow {
                    name: field.name,
                    dtype: field.dtype.into(),
                    nullable: !field.required,
                })
                .collect(),
            conflicts: inferred.conflicts,
            accuracy: inferred.accuracy,
            failed_files,
        })
    })?;
    let code = output::code_of(answer.failed_files.len() as u64, !answer.fields.is_empty());
    if args.json {
        output.json(&answer)?;
        return Ok(code);
    }
    let rows: Vec<Vec<String>> = answer
        .fields
        .iter()
        .map(|field| vec![field.name.clone(), field.dtype.clone()])
        .collect();
    if rows.is_empty() {
        output.line("no record could be read; `skewer preview` shows why")?;
        output.failed_files(&answer.failed_files, answer.failed_files.len() as u64)?;
        return Ok(code);
    }
    output.table(&["field", "type"], &[], &rows)?;
    output.line(&format!(
        "{} ({})",
        units::plural(rows.len() as u64, "field"),
        answer.accuracy
    ))?;
    for conflict in &answer.conflicts {
        output.line(&format!("\n`{}` has several types:", conflict.name))?;
        for seen in &conflict.dtypes {
            output.line(&format!(
                "  {} in {}, first at {}:{}",
                seen.dtype,
                seen.extent(),
                seen.object,
                seen.line
            ))?;
        }
        output.line(&format!("  → {}", conflict.remedy()))?;
    }
    output.failed_files(&answer.failed_files, answer.failed_files.len() as u64)?;
    Ok(code)
}
