//! What stands beside the raw ads: a table that a job once wrote, impressions and clicks to join, and the specs of two
//! jobs.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use serde::Serialize;

use super::ads::{Ad, date};
use super::raw::DayAds;
use super::rng::Rng;
use super::{Lake, SEED, SampleError};

const SPEC: &str = include_str!("job_features.yaml");
const CLICKED_SPEC: &str = include_str!("job_clicked.yaml");

/// Days that were already processed, shown and clicked.
const LAST_DAY: u64 = 8;
const N_IMPRESSIONS: u64 = 240;
const N_IMPRESSION_FILES: u64 = 2;
/// Clicks in thousandths of impressions.
const CLICKED: u64 = 90;
const BORDERS: [u64; 3] = [30_000, 60_000, 100_000];

#[derive(Serialize)]
#[allow(clippy::struct_field_names, reason = "the fields are the keys of the file")]
struct Impression {
    impression_id: String,
    job_id: String,
    user_id: String,
    shown_at: String,
    position: u64,
}

#[derive(Serialize)]
struct Click {
    impression_id: String,
    clicked_at: String,
}

/// Writes everything but `raw/`. The spec comes last, so a lake that holds it is whole.
pub(super) fn write(lake: &mut Lake, days: &[DayAds]) -> Result<(), SampleError> {
    for day in days.iter().filter(|day| day.n <= LAST_DAY) {
        lake.cancel.check()?;
        let folder = format!("processed/jobs/day_partition={}", date(day.n));
        lake.put(format!("{folder}/part-00000.parquet"), processed(&day.ads)?);
        lake.put(format!("{folder}/_SUCCESS"), Vec::new());
        impressions(lake, day)?;
    }
    lake.put(
        "jobs/job_clicked.yaml".to_owned(),
        CLICKED_SPEC.as_bytes().to_vec(),
    );
    lake.put("jobs/job_features.yaml".to_owned(), SPEC.as_bytes().to_vec());
    Ok(())
}

/// The ads as a job would have written them: without those from `ZA`, titles tidied, salaries in buckets.
fn processed(ads: &[Ad]) -> Result<Vec<u8>, SampleError> {
    let ads: Vec<&Ad> = ads.iter().filter(|ad| ad.location.country != "ZA").collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "id",
            Arc::new(StringArray::from_iter_values(ads.iter().map(|ad| &ad.id))),
        ),
        (
            "title",
            Arc::new(StringArray::from_iter_values(
                ads.iter().map(|ad| ad.title.trim().to_lowercase()),
            )),
        ),
        (
            "country",
            Arc::new(StringArray::from_iter_values(
                ads.iter().map(|ad| ad.location.country),
            )),
        ),
        (
            "salary_bucket",
            Arc::new(
                ads.iter()
                    .map(|ad| ad.salary().map(bucket))
                    .collect::<Int32Array>(),
            ),
        ),
        (
            "n_tokens",
            Arc::new(Int64Array::from_iter_values(
                ads.iter().map(|ad| n_tokens(&ad.description)),
            )),
        ),
        (
            "posted_at",
            Arc::new(
                TimestampMicrosecondArray::from_iter_values(
                    ads.iter().map(|ad| ad.posted.timestamp_micros()),
                )
                .with_timezone("UTC"),
            ),
        ),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, column_type(array), *name == "salary_bucket"))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch =
        RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(parquet::errors::ParquetError::from)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("skewer sample lake".to_owned())
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
    writer.write(&batch)?;
    Ok(writer.into_inner()?)
}

fn column_type(array: &ArrayRef) -> DataType {
    match array.data_type() {
        DataType::Timestamp(..) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        other => other.clone(),
    }
}

fn bucket(salary: u64) -> i32 {
    BORDERS.iter().map(|border| i32::from(salary >= *border)).sum()
}

fn n_tokens(text: &str) -> i64 {
    text.split_whitespace().map(|_| 1).sum()
}

/// Impressions of a day's ads, and the clicks on some of them.
fn impressions(lake: &mut Lake, day: &DayAds) -> Result<(), SampleError> {
    let date = date(day.n);
    let mut rng = Rng::new(SEED, 1000 + day.n);
    let mut clicks = Vec::new();
    for file_idx in 0..N_IMPRESSION_FILES {
        let mut lines = Vec::new();
        for row in 0..N_IMPRESSIONS / N_IMPRESSION_FILES {
            let impression_id = format!("i-{:02}{file_idx}{row:05}", day.n);
            let ad = usize::try_from(rng.below(day.ads.len() as u64))
                .ok()
                .and_then(|at| day.ads.get(at));
            let Some(ad) = ad else { continue };
            let shown = ad.posted + seconds(rng.between(30, 3600));
            push_line(
                &mut lines,
                &Impression {
                    impression_id: impression_id.clone(),
                    job_id: ad.id.clone(),
                    user_id: format!("u-{:04}", rng.below(400)),
                    shown_at: iso(shown),
                    position: rng.between(1, 20),
                },
            )?;
            if rng.chance(CLICKED) {
                let clicked_at = iso(shown + seconds(rng.between(1, 90)));
                push_line(
                    &mut clicks,
                    &Click {
                        impression_id,
                        clicked_at,
                    },
                )?;
            }
        }
        lake.put(format!("impressions/{date}/part-{file_idx}.jsonl"), lines);
    }
    lake.put(format!("clicks/{date}/part-0.jsonl"), clicks);
    Ok(())
}

fn push_line(lines: &mut Vec<u8>, row: &impl Serialize) -> Result<(), SampleError> {
    serde_json::to_writer(&mut *lines, row).map_err(|source| SampleError::Json { source })?;
    lines.push(b'\n');
    Ok(())
}

fn seconds(n: u64) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(n).unwrap_or(0))
}

fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
