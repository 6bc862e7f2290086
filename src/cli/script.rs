//! `skewer script`: a recipe as a Python program for polars, which gives the rows of `skewer preview`.

use std::path::{Path, PathBuf};

use super::output::Output;
use super::preview::{Steps, read_recipe};
use super::{CliError, ConnectionArgs, data, signal};
use crate::dataset::Page;
use crate::explore;
use crate::storage::Connection;

/// Rows that are read to find the columns of Parquet files.
const N_ROWS: usize = 20;

#[derive(Debug, clap::Args)]
pub struct ScriptArgs {
    /// Folder, file or s3:// prefix
    location: String,
    /// Recipe or job spec whose steps are written
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    /// File for the script; printed when none is given
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

pub fn script(args: ScriptArgs, output: &mut Output) -> Result<u8, CliError> {
    let Steps { recipe, inputs, .. } = args
        .recipe
        .as_deref()
        .map(read_recipe)
        .transpose()?
        .unwrap_or_default();
    // Places in a recipe are relative to its own folder.
    let base = args.recipe.as_deref().and_then(Path::parent);
    let sources = explore::input_sources(&inputs, base.unwrap_or(Path::new("")))
        .map_err(|message| CliError::Spec { message })?;
    let connection: Connection = args.connection.into();
    let (page, location, connection) = signal::block_on_whole(|cancel| async move {
        let listed = data::list(&args.location, &connection, &cancel).await?;
        let dataset = listed.dataset(None)?;
        let objects = listed.objects(dataset, None, &cancel).await?;
        let page = Page::read(&listed.store, &objects, None, N_ROWS, &cancel).await?;
        Ok::<_, CliError>((page, listed.location, connection))
    })?;
    let rows = explore::row_source(&page, &location, &connection);
    let script = explore::script(&page, &recipe, &explore::declared_inputs(&inputs), rows, sources);
    for (number, reason) in &script.notes {
        super::note(&format!("step {number} is not written: {reason}"));
    }
    match args.out {
        None => output.text(&script.text)?,
        Some(path) => std::fs::write(&path, &script.text).map_err(|error| CliError::Run {
            message: format!("{}: {error}: choose a file that can be written", path.display()),
            exit_code: 1,
        })?,
    }
    Ok(0)
}
