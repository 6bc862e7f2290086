//! The columns under construction made into a frame with its origin columns.

use polars::error::PolarsError;
use polars::prelude::{BooleanChunked, Column, DataFrame, NamedFrom, NewChunkedArray, PlSmallStr, Series};

use super::{Batch, Decoder, Rows};
use crate::dataset::{Reason, Reject, Stage, origin};

impl Decoder {
    pub(super) fn take_batch(&mut self) -> Option<Batch> {
        if self.rows.lines.is_empty() && self.rejects.is_empty() {
            return None;
        }
        self.weight = 0;
        let rows = std::mem::take(&mut self.rows);
        let mut rejects = std::mem::take(&mut self.rejects);
        let n_bytes = std::mem::take(&mut self.n_bytes);
        let n_rows = (rows.lines.len() - rows.broken.len()) as u64;
        let n_records = n_rows + rejects.len() as u64;
        let df = match self.frame(&rows) {
            Ok(df) => df,
            Err(error) => {
                rejects.extend(lost_rows(&rows, &error));
                self.frame(&Rows::default()).unwrap_or_default()
            }
        };
        Some(Batch {
            df,
            rejects,
            n_records,
            n_bytes,
        })
    }

    fn frame(&mut self, rows: &Rows) -> Result<DataFrame, PolarsError> {
        let n = rows.lines.len();
        let mut columns = Vec::new();
        for (name, array) in self.members.take()? {
            columns.push(Column::from(Series::from_arrow(name.into(), array)?));
        }
        let name = PlSmallStr::from_static;
        columns.push(Series::new(name(origin::OBJECT), rows.objects.as_slice()).into());
        columns.push(Series::new(name(origin::LINE), rows.lines.as_slice()).into());
        columns.push(Series::new(name(origin::OFFSET), rows.offsets.as_slice()).into());
        let df = DataFrame::new(n, columns)?;
        if rows.broken.is_empty() {
            return Ok(df);
        }
        let mut is_good = vec![true; n];
        for row in &rows.broken {
            if let Some(is_good) = is_good.get_mut(*row) {
                *is_good = false;
            }
        }
        df.filter_seq(&BooleanChunked::from_slice(PlSmallStr::EMPTY, &is_good))
    }
}

/// Rows whose frame could not be made, which only a defect of ours can cause: none may vanish without a trace.
fn lost_rows<'a>(rows: &'a Rows, error: &'a PolarsError) -> impl Iterator<Item = Reject> + 'a {
    let places = rows.lines.iter().zip(&rows.offsets).enumerate();
    places
        .filter(|(row, _)| !rows.broken.contains(row))
        .map(move |(_, (line, offset))| Reject {
            object: String::new(),
            line: *line,
            byte_offset: *offset,
            byte_len: 0,
            stage: Stage::Decode,
            reason: Reason::TypeMismatch,
            field: None,
            expected: None,
            got: None,
            step: None,
            message: format!("the batch could not be built: {error}"),
            raw: String::new(),
            is_raw_partial: true,
        })
}
