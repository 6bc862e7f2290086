//! Appends the rows of a second dataset after all others, columns matched by name.
//!
//! A column that one side lacks is null in its rows; columns that only the input has come last.
//!
//! ```yaml
//! - union: {input: late_ads}
//! ```
//!
//! The rows are appended once a partition, in the input's order, and count as made. They keep the file and line that they
//! come from, so a later step that rejects one names the input's own file.
//!
//! Limits: types have to be the same on both sides; cast before. The input is held in memory, in a job at most a third of
//! `limits.memory`. An input whose place names no day is appended to every day.

use std::sync::Arc;

use polars::prelude::{
    AllowedOptimizations, Column, DataFrame, LazyFrame, PlSmallStr, PolarsResult, Schema, Series,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use crate::dataset::origin;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, RowEffect, Scope, type_name};
use crate::transform::{CheckError, Inputs};

/// Parameters of `union`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Union {
    /// The second dataset, as `inputs` names it.
    #[schemars(extend("x-input" = "input"))]
    pub input: String,
}

impl Params for Union {
    const GROUP: &'static str = "other data";
    const REQUIRED: &'static [&'static str] = &["input"];
}

impl Behaviour for Union {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        self.check_with(schema, &Inputs::default())
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        self.apply_with(lf, schema, &Inputs::default())
    }

    fn check_with(&self, schema: &Schema, inputs: &Inputs) -> Result<Schema, CheckError> {
        let input = inputs.find(&self.input)?;
        let mut output = schema.clone();
        for (name, dtype) in input.schema.iter() {
            match schema.get(name) {
                Some(ours) if ours != dtype => {
                    return Err(CheckError::new(
                        "input",
                        format!(
                            "column `{name}` is {}, in input `{}` it is {}",
                            type_name(ours),
                            self.input,
                            type_name(dtype)
                        ),
                    )
                    .hint("cast it, or rename or drop it before the union"));
                }
                Some(_) => {}
                None => {
                    output.with_column(name.clone(), dtype.clone());
                }
            }
        }
        Ok(output)
    }

    fn apply_with(&self, lf: LazyFrame, schema: &Schema, inputs: &Inputs) -> Result<LazyFrame, CheckError> {
        let output = self.check_with(schema, inputs)?;
        let rows = Arc::clone(inputs.find(&self.input)?.rows_of(&self.input)?);
        let first_object = inputs.first_object(&self.input);
        let added = output.clone();
        let after = move |before: &Schema| -> PolarsResult<Arc<Schema>> {
            let mut after = before.clone();
            for (name, dtype) in added.iter() {
                after.with_column(name.clone(), dtype.clone());
            }
            Ok(Arc::new(after))
        };
        Ok(lf.map(
            move |df| append(df, &rows, &output, first_object),
            AllowedOptimizations::empty(),
            Some(Arc::new(after)),
            Some("union"),
        ))
    }

    fn python(&self, schema: &Schema, inputs: &Inputs, script: &mut Python) -> Result<(), String> {
        let output = self
            .check_with(schema, inputs)
            .map_err(|error| error.to_string())?;
        let input = inputs.find(&self.input).map_err(|error| error.to_string())?;
        let theirs = python::list(input.schema.iter_names().map(PlSmallStr::as_str));
        let all = python::list(output.iter_names().map(PlSmallStr::as_str));
        script.line(format!(
            "df = pl.concat([df, inputs[{}].select({theirs})], how=\"diagonal\").select({all})",
            python::quoted(&self.input)
        ));
        Ok(())
    }

    fn summary(&self) -> String {
        format!("and the rows of {}", self.input)
    }

    fn subject(&self) -> String {
        self.input.clone()
    }

    fn scope(&self) -> Scope {
        Scope::Partition
    }

    fn inputs(&self) -> Vec<&str> {
        vec![&self.input]
    }

    fn row_effect(&self) -> RowEffect {
        RowEffect::Makes
    }

    fn appends(&self) -> bool {
        true
    }
}

/// `df` with the columns of `output`, and `rows` of an input below its own. The origin of those counts their files from
/// `first_object`.
fn append(
    mut df: DataFrame,
    rows: &DataFrame,
    output: &Schema,
    first_object: u32,
) -> PolarsResult<DataFrame> {
    for (name, dtype) in output.iter() {
        if df.column(name).is_err() {
            let nulls = Series::full_null(name.clone(), df.height(), dtype);
            df.with_column(nulls.into())?;
        }
    }
    let below: Vec<Column> = df
        .columns()
        .iter()
        .map(|column| match rows.column(column.name()) {
            Ok(theirs) if column.name() == origin::OBJECT => {
                let objects = theirs.u32()?.iter().map(|object| object.unwrap_or(0));
                let objects: Vec<u32> = objects
                    .map(|object| first_object.saturating_add(object))
                    .collect();
                Ok(Column::new(origin::OBJECT.into(), objects))
            }
            Ok(theirs) => Ok(theirs.clone()),
            Err(_) if column.name() == origin::OBJECT => Ok(Column::new(
                origin::OBJECT.into(),
                vec![first_object; rows.height()],
            )),
            Err(_) => Ok(Series::full_null(column.name().clone(), rows.height(), column.dtype()).into()),
        })
        .collect::<PolarsResult<_>>()?;
    df.vstack_mut_owned(DataFrame::new(rows.height(), below)?)?;
    Ok(df)
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error_with, inputs, outcome_with, python_of, step};
    use crate::dataset::origin::{self, FIRST_INPUT_OBJECT};
    use crate::transform::Scope;

    fn ads() -> DataFrame {
        df!("id" => [1_i64, 2], "title" => ["a", "b"]).unwrap()
    }

    fn late() -> DataFrame {
        df!("late" => [Some(true), None], "id" => [7_i64, 8]).unwrap()
    }

    #[test]
    fn rows_follow_in_the_inputs_order_with_columns_matched_by_name() {
        let outcome = outcome_with("union: {input: late}", &ads(), &inputs([("late", late())]));
        let expected = df!(
            "id" => [1_i64, 2, 7, 8],
            "title" => [Some("a"), Some("b"), None, None],
            "late" => [None, None, Some(true), None],
        );
        assert_eq!(origin::strip(&outcome.df), expected.unwrap());
        let counts = &outcome.counts[0];
        assert_eq!((counts.rows_in, counts.rows_out, counts.rows_made), (2, 4, 2));
    }

    #[test]
    fn rows_of_the_input_keep_its_files_and_lines_as_their_origin() {
        let mut late = late();
        for (name, values) in [(origin::LINE, vec![5_u64, 9]), (origin::OFFSET, vec![40, 90])] {
            late.with_column(polars::prelude::Column::new(name.into(), values))
                .unwrap();
        }
        late.with_column(polars::prelude::Column::new(origin::OBJECT.into(), [0_u32, 1]))
            .unwrap();
        let inputs = inputs([("late", late), ("aside", ads())]);
        let df = outcome_with("union: {input: late}", &ads(), &inputs).df;
        let objects: Vec<Option<u32>> = df.column(origin::OBJECT).unwrap().u32().unwrap().iter().collect();
        let first = FIRST_INPUT_OBJECT + 1;
        assert_eq!(objects, [Some(0), Some(0), Some(first), Some(first + 1)]);
        let lines: Vec<Option<u64>> = df.column(origin::LINE).unwrap().u64().unwrap().iter().collect();
        assert_eq!(lines, [Some(1), Some(2), Some(5), Some(9)]);
    }

    #[test]
    fn no_rows_on_either_side_leave_those_of_the_other() {
        for (ours, theirs, n_rows) in [(ads().clear(), late(), 2), (ads(), late().clear(), 2)] {
            let inputs = inputs([("late", theirs)]);
            assert_eq!(
                outcome_with("union: {input: late}", &ours, &inputs).df.height(),
                n_rows
            );
        }
        assert_eq!(step("union: {input: late}").scope(), Scope::Partition);
    }

    #[test]
    fn other_types_and_unknown_inputs_do_not_check() {
        let odd = df!("id" => ["7"]).unwrap();
        let inputs = inputs([("odd", odd)]);
        let error = check_error_with("union: {input: odd}", &ads(), &inputs);
        assert_eq!(
            error,
            "column `id` is int64, in input `odd` it is string: cast it, or rename or drop it before the union"
        );
        let error = check_error_with("union: {input: ood}", &ads(), &inputs);
        assert!(error.contains("did you mean `odd`?"), "{error}");
    }

    #[test]
    fn its_python_concatenates_by_name() {
        let code = python_of("union: {input: late}", &ads(), &inputs([("late", late())]));
        assert!(
            code.contains("pl.concat([df, inputs[\"late\"].select([\"late\", \"id\"])], how=\"diagonal\")"),
            "{code}"
        );
    }
}
