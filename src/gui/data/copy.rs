//! Cells and rows as text for the clipboard.

use polars::prelude::DataFrame;
use serde_json::{Map, Value};

use super::value;

/// A rectangle of cells, both corners included. `columns` are positions in the frame, in the order shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    pub first_row: usize,
    pub last_row: usize,
    pub columns: Vec<usize>,
}

/// The whole text of one cell.
pub fn cell_text(df: &DataFrame, row: usize, column: usize) -> String {
    df.columns()
        .get(column)
        .and_then(|column| column.get(row).ok())
        .map(|value| value::whole(&value))
        .unwrap_or_default()
}

/// Tab-separated lines with a head of names. Tabs and line ends inside values become spaces, so that cells stay cells.
pub fn tsv(df: &DataFrame, selection: &Selection) -> String {
    let names = selection
        .columns
        .iter()
        .filter_map(|at| df.columns().get(*at))
        .map(|column| flat(column.name()))
        .collect::<Vec<_>>();
    let mut text = names.join("\t");
    for row in selection.first_row..=selection.last_row {
        text.push('\n');
        for (at, column) in selection.columns.iter().enumerate() {
            if at > 0 {
                text.push('\t');
            }
            text.push_str(&flat(&cell_text(df, row, *column)));
        }
    }
    text
}

fn flat(text: &str) -> String {
    text.replace("\r\n", " ").replace(['\t', '\n', '\r'], " ")
}

/// One row with all its columns.
pub fn row_json(df: &DataFrame, row: usize) -> Value {
    let fields = df.columns().iter().filter_map(|column| {
        let value = column.get(row).ok()?;
        Some((column.name().to_string(), value::json(&value)))
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::{Selection, row_json, tsv};

    #[test]
    fn a_rectangle_becomes_tsv_with_its_names() {
        let df =
            df!("id" => [1_i64, 2, 3], "title" => [Some("a\tb"), None, Some("c\nd")], "n" => [1.5, 2.0, 2.5])
                .unwrap();
        let selection = Selection {
            first_row: 0,
            last_row: 2,
            columns: vec![1, 0],
        };
        assert_eq!(tsv(&df, &selection), "title\tid\na b\t1\n\t2\nc d\t3");
        let beyond = Selection {
            first_row: 2,
            last_row: 3,
            columns: vec![0, 9],
        };
        assert_eq!(tsv(&df, &beyond), "id\n3\t\n\t");
    }

    #[test]
    fn a_row_becomes_json_in_column_order() {
        let df = df!("b" => [i64::MAX], "a" => [None::<&str>]).unwrap();
        assert_eq!(
            row_json(&df, 0).to_string(),
            r#"{"b":9223372036854775807,"a":null}"#
        );
    }
}
