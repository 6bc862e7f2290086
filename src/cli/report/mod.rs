//! `skewer skew --report FILE`: everything that is known of a dataset's skew on one page that can be sent to others.

mod keys;
mod listing;
mod page;
#[cfg(test)]
mod tests;

use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};

use self::page::Page;
use super::CliError;
use crate::base::Accuracy;
use crate::chart::draw::DrawError;
use crate::profile::keys::{KeyReport, RankedKey};
use crate::profile::{CostModel, PartitionSkew, RangeComparison, RowCounts};
use crate::storage::{DatasetKeys, DateRange};

/// What a page is made of.
pub struct Report<'a> {
    pub location: &'a str,
    pub now: DateTime<Utc>,
    pub costs: &'a CostModel,
    pub listing: Option<ListingPage<'a>>,
    pub keys: Option<KeyPage<'a>>,
}

/// The dataset as listed, with what was asked for beside it.
pub struct ListingPage<'a> {
    pub dataset: &'a DatasetKeys,
    pub skew: &'a PartitionSkew,
    /// Of the listing: partial where a cancel cut it.
    pub accuracy: Accuracy,
    /// The dates that it is of; none for all.
    pub range: Option<DateRange>,
    /// None while rows were not counted.
    pub rows: Option<&'a RowCounts>,
    /// Set where two ranges were to be compared.
    pub comparison: Option<&'a RangeComparison>,
}

/// A key, and all that were asked for in their order.
pub struct KeyPage<'a> {
    pub report: &'a KeyReport,
    pub ranking: &'a [RankedKey],
}

/// Writes the page to `path`.
///
/// # Errors
/// [`CliError::Usage`] when the file cannot be written, [`CliError::Run`] when a chart cannot be drawn.
pub fn write(path: &Path, report: &Report<'_>) -> Result<(), CliError> {
    let text = html(report).map_err(|error| CliError::Run {
        message: error.to_string(),
        exit_code: 1,
    })?;
    std::fs::write(path, text).map_err(|error| CliError::Usage {
        message: format!("{}: the report cannot be written: {error}", path.display()),
    })
}

/// The page.
fn html(report: &Report<'_>) -> Result<String, DrawError> {
    let mut page = Page::new();
    if let Some(keys) = &report.keys {
        keys::keys_section(&mut page, keys.report, keys.ranking)?;
    }
    if let Some(listing) = &report.listing {
        listing::listing_section(&mut page, name_of(report.location), listing, report.costs)?;
    }
    page.heading("Assumptions and accuracy");
    if let Some(listing) = &report.listing {
        page.paragraph(if listing.accuracy.is_exact() {
            "Files, bytes and modification times are exact: they are those of one listing. Ratios follow from them. \
             Nothing was read from the files for them."
        } else {
            "The listing was stopped before its end: files, bytes and all that follows from them are of what was listed until \
             then."
        });
        if let Some(rows) = listing.rows {
            page.paragraph(&listing::rows_words(listing.dataset, rows));
        }
    }
    if let Some(keys) = &report.keys {
        let profile = &keys.report.profile;
        page.paragraph(&format!(
            "Keys: {}. {}",
            profile.accuracy,
            keys::counted_words(&profile.counted)
        ));
    }
    page.paragraph(&format!("Costs are estimates that assume {}.", report.costs));
    let mut facts = vec![report.location.to_owned()];
    if let Some(range) = report.listing.as_ref().and_then(|listing| listing.range) {
        facts.push(format!("dates {range}"));
    }
    facts.push(format!(
        "{} · skewer {}",
        report.now.to_rfc3339_opts(SecondsFormat::Secs, true),
        env!("CARGO_PKG_VERSION")
    ));
    Ok(page.finish(&format!("Skew of {}", name_of(report.location)), &facts))
}

/// The last part of a location.
fn name_of(location: &str) -> &str {
    let end = location.trim_end_matches('/');
    let name = end.rsplit('/').next().unwrap_or(end);
    if name.is_empty() { location } else { name }
}
