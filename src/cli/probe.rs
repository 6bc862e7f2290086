//! `skewer probe`, started by a supervisor: tries the files alone that were in work when a worker died.

use std::path::{Path, PathBuf};

use super::signal::Orders;
use super::validate::read_job;
use super::{CliError, signal};
use crate::run::journal;
use crate::storage::{Patience, StoreOptions};

#[derive(Debug, clap::Args)]
pub struct ProbeArgs {
    /// Job spec
    job: PathBuf,
}

pub fn probe(args: &ProbeArgs) -> Result<u8, CliError> {
    let job = read_job(&args.job)?;
    let Some(orders) = Orders::of_supervisor() else {
        return Err(CliError::Usage {
            message: "`skewer probe` is started by `skewer run` alone".to_owned(),
        });
    };
    let (journal, suspects) = open(orders.folder())?;
    let options = StoreOptions {
        patience: Patience::of_a_batch(),
        ..StoreOptions::default()
    };
    let probed = signal::block_on_ordered(Some(orders), |cancel, _| async move {
        crate::run::probe(&job, &suspects, journal, &options, &cancel).await
    })?;
    probed?;
    Ok(0)
}

fn open(folder: &Path) -> Result<(journal::Journal, Vec<journal::Suspect>), crate::run::RunError> {
    Ok((journal::Journal::open(folder)?, journal::read_suspects(folder)?))
}
