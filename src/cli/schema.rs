//! `skewer schema`: the unified schema of a location, and where files disagree.

use std::collections::BTreeMap;

use serde::Serialize;

use super::output::Output;
use super::{CliError, ConnectionArgs, data, schema_map, signal};
use crate::base::{Accuracy, Cancel, units};
use crate::dataset::infer::{Conflict, SeenType, infer};
use crate::dataset::{FileFormat, Format, dtype_name, parquet};
use crate::storage::{Connection, Object, StorageError, Store};

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
        if objects.iter().all(is_parquet) {
            return of_footers(&listed.store, &objects, &cancel).await;
        }
        let inferred = infer(&listed.store, &objects, &cancel).await?;
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
        })
    })?;
    if args.json {
        output.json(&answer)?;
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = answer
        .fields
        .iter()
        .map(|field| vec![field.name.clone(), field.dtype.clone()])
        .collect();
    if rows.is_empty() {
        return output
            .line("no record could be read; `skewer preview` shows why")
            .map(|()| 0);
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
            let records = units::plural(seen.n, "record");
            output.line(&format!(
                "  {} in {records}, first at {}:{}",
                seen.dtype, seen.object, seen.line
            ))?;
        }
    }
    Ok(0)
}

/// Footers read of a Parquet dataset; a table's files agree or the first few show that they do not.
const MAX_FOOTERS: usize = 64;

async fn of_footers(store: &Store, objects: &[Object], cancel: &Cancel) -> Result<Answer, CliError> {
    let stride = objects.len().div_ceil(MAX_FOOTERS).max(1);
    let mut order: Vec<String> = Vec::new();
    let mut seen: BTreeMap<String, Vec<SeenType>> = BTreeMap::new();
    let mut n_read = 0;
    for object in objects.iter().step_by(stride) {
        cancel.check().map_err(StorageError::from)?;
        let footer = parquet::footer(store, object).await?;
        n_read += 1;
        for (name, dtype) in footer.schema.iter() {
            let types = seen.entry(name.to_string()).or_insert_with(|| {
                order.push(name.to_string());
                Vec::new()
            });
            let dtype = dtype_name(dtype);
            match types.iter_mut().find(|known| known.dtype == dtype) {
                Some(known) => known.n += footer.n_rows,
                None => types.push(SeenType {
                    dtype,
                    object: store.location(&object.key).to_string(),
                    line: 1,
                    n: footer.n_rows,
                }),
            }
        }
    }
    let first_type = |name: &String| seen.get(name).and_then(|types| types.first());
    let fields = order
        .iter()
        .filter_map(|name| {
            Some(FieldRow {
                name: name.clone(),
                dtype: first_type(name)?.dtype.clone(),
                nullable: true,
            })
        })
        .collect();
    let conflicts = order
        .iter()
        .filter_map(|name| {
            seen.get(name)
                .filter(|types| types.len() > 1)
                .map(|types| (name, types))
        })
        .map(|(name, dtypes)| Conflict {
            name: name.clone(),
            dtypes: dtypes.clone(),
        })
        .collect();
    let accuracy = if n_read == objects.len() {
        Accuracy::Exact
    } else {
        Accuracy::Sample {
            n: n_read as u64,
            of: Some(objects.len() as u64),
        }
    };
    Ok(Answer {
        fields,
        conflicts,
        accuracy,
    })
}
