//! Adds columns of a second dataset to rows whose keys agree, or keeps rows by whether they match.
//!
//! `left` keeps every row and fills nulls where the input has no match; `inner` keeps rows with a match; `semi` and `anti`
//! keep rows with and without one, and add nothing; `asof` keeps every row and brings the nearest match in time. The
//! columns of the key are `on`, and `input_on` where the input calls them otherwise.
//!
//! ```yaml
//! - join: {input: clicks, how: left, on: [impression_id], columns: [clicked_at], expect: at_most_one}
//! - join: {input: blocked, how: anti, on: [user_id], input_on: [id]}
//! - join: {input: prices, how: asof, on: [shown_at], input_on: [valid_from], by: [job_id], tolerance: 1d}
//! ```
//!
//! Rows come out in their order, and the matches of one row in the order of the input. A column whose name is taken gets
//! the `suffix`. Null keys meet nothing unless `nulls_match`. With `expect: at_most_one` a row that has several matches
//! is rejected, so that none is doubled unnoticed. `asof` takes of the rows that agree in `by` the last with a value up to
//! the row's own (`direction: backward`), the first from it on (`forward`), or the `nearest`, the later of two as near.
//!
//! Limits: the input is held in memory, in a job at most a third of `limits.memory`: select fewer of its columns or
//! aggregate it first when it is larger. A join without keys is refused, and rows that would become too many are stopped
//! before they are made. Keys have the same type on both sides; lists and structs are no keys.

use std::sync::Arc;

use polars::prelude::{
    AllowedOptimizations, DataFrame, DataType, LazyFrame, PlSmallStr, PolarsResult, Schema,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::matches::{self, Asof, Matcher, Tolerance};
use crate::base::units;
use crate::dataset::origin;
use crate::transform::inputs::input_column;
use crate::transform::key_index::KeySpec;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, Growth, RowEffect, check_new_name, column_type, few, type_name};
use crate::transform::{CheckError, Input, Inputs};

/// Parameters of `join`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Join {
    /// The second dataset, as `inputs` names it.
    #[schemars(extend("x-input" = "input"))]
    pub input: String,
    /// Which rows stay, and what is added to them.
    pub how: How,
    /// Columns of the key; for `asof` the one column of moments or numbers.
    #[schemars(extend("x-input" = "columns"))]
    pub on: Vec<String>,
    /// The same columns in the input, in the same order; empty where the names are the same.
    #[schemars(extend("x-input" = "input_columns"))]
    pub input_on: Vec<String>,
    /// Columns of the input to bring along; all but its key when empty.
    #[schemars(extend("x-input" = "input_columns"))]
    pub columns: Vec<String>,
    /// Put after the name of a column of the input that is taken already.
    pub suffix: String,
    /// Whether a null key meets a null key; else it meets nothing.
    pub nulls_match: bool,
    /// How many matches a row may have.
    pub expect: Expect,
    /// For `asof`: columns that have to agree besides.
    #[schemars(extend("x-input" = "columns", "x-when" = "how=asof"))]
    pub by: Vec<String>,
    /// For `asof`: the same columns in the input; empty where the names are the same.
    #[schemars(extend("x-input" = "input_columns", "x-when" = "how=asof"))]
    pub input_by: Vec<String>,
    /// For `asof`: on which side of the row's own value the match is.
    #[schemars(extend("x-when" = "how=asof"))]
    pub direction: Direction,
    /// For `asof`: the farthest a match may be: `30s`, `15m`, `1h`, `2d`, or a number where `on` is one.
    #[schemars(extend("x-when" = "how=asof"))]
    pub tolerance: Option<String>,
}

/// Which rows stay, and what is added to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Every row, with nulls where the input has no match.
    #[default]
    Left,
    /// Rows with a match.
    Inner,
    /// Rows with a match, without columns of the input.
    Semi,
    /// Rows without a match.
    Anti,
    /// Every row, with the match that is nearest in time.
    Asof,
}

/// How many matches a row may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// A row is repeated for each of its matches.
    #[default]
    Many,
    /// A row with several matches is rejected.
    AtMostOne,
}

/// On which side of a row's own value its match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The last value up to the row's own.
    #[default]
    Backward,
    /// The first value from the row's own on.
    Forward,
    /// The nearest value; the later one of two as near.
    Nearest,
}

impl Default for Join {
    fn default() -> Self {
        Self {
            input: String::new(),
            how: How::default(),
            on: Vec::new(),
            input_on: Vec::new(),
            columns: Vec::new(),
            suffix: "_right".to_owned(),
            nulls_match: false,
            expect: Expect::default(),
            by: Vec::new(),
            input_by: Vec::new(),
            direction: Direction::default(),
            tolerance: None,
        }
    }
}

impl Params for Join {
    const GROUP: &'static str = "other data";
    const REQUIRED: &'static [&'static str] = &["input", "on"];
}

/// A join that checks.
struct Checked<'a> {
    input: &'a Input,
    /// Columns that have to be equal, and what the input calls them.
    keys: Vec<(&'a str, &'a str)>,
    asof: Option<(&'a str, &'a str, Tolerance)>,
    /// Columns of the input to add, with their names after the step.
    taken: Vec<(String, String)>,
    output: Schema,
}

impl Join {
    fn resolve<'a>(&'a self, schema: &Schema, inputs: &'a Inputs) -> Result<Checked<'a>, CheckError> {
        let input = inputs.find(&self.input)?;
        if self.on.is_empty() {
            return Err(CheckError::new(
                "on",
                "`on` is empty: without a key every row would meet every row of the input",
            )
            .hint("choose the columns that both sides share"));
        }
        if self.how != How::Asof {
            self.check_unused()?;
        }
        let on = self.pairs(["on", "input_on"], [&self.on, &self.input_on], schema, input)?;
        let by = self.pairs(["by", "input_by"], [&self.by, &self.input_by], schema, input)?;
        let (keys, asof) = if self.how == How::Asof {
            (by, Some(self.asof(&on, schema)?))
        } else {
            (on, None)
        };
        let taken = self.taken(&keys, schema, input)?;
        let mut output = schema.clone();
        for (column, name) in &taken {
            let dtype = input_column(input, &self.input, "columns", column)?;
            output.with_column(name.as_str().into(), dtype.clone());
        }
        Ok(Checked {
            input,
            keys,
            asof,
            taken,
            output,
        })
    }

    /// Columns of both sides that have to be comparable.
    fn pairs<'a>(
        &self,
        params: [&'static str; 2],
        [ours, theirs]: [&'a Vec<String>; 2],
        schema: &Schema,
        input: &Input,
    ) -> Result<Vec<(&'a str, &'a str)>, CheckError> {
        let [param, input_param] = params;
        let (theirs, their_param) = if theirs.is_empty() {
            (ours, param)
        } else {
            (theirs, input_param)
        };
        if ours.len() != theirs.len() {
            return Err(CheckError::new(
                input_param,
                format!(
                    "`{param}` has {} and `{input_param}` has {}",
                    ours.len(),
                    theirs.len()
                ),
            )
            .hint("name one column of the input for each"));
        }
        for (column, theirs) in ours.iter().zip(theirs) {
            let dtype = column_type(schema, param, column)?;
            let other = input_column(input, &self.input, their_param, theirs)?;
            if dtype != other {
                return Err(CheckError::new(
                    param,
                    format!(
                        "column `{column}` is {}, `{theirs}` of input `{}` is {}",
                        type_name(dtype),
                        self.input,
                        type_name(other)
                    ),
                )
                .hint("cast it to the same type before the join"));
            }
            if dtype.is_nested() || *dtype == DataType::Null {
                return Err(CheckError::new(
                    param,
                    format!("column `{column}` is {}, which is no key", type_name(dtype)),
                )
                .hint("take a value out of it with `derive` or `unnest`"));
            }
        }
        Ok(ours
            .iter()
            .zip(theirs)
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect())
    }

    fn asof<'a>(
        &self,
        on: &[(&'a str, &'a str)],
        schema: &Schema,
    ) -> Result<(&'a str, &'a str, Tolerance), CheckError> {
        let &[(column, theirs)] = on else {
            return Err(CheckError::new("on", "`asof` compares one column")
                .hint("name the columns that have to be equal in `by`"));
        };
        if self.nulls_match {
            return Err(CheckError::new("nulls_match", "`asof` never matches nulls").hint("leave it out"));
        }
        if self.expect != Expect::Many {
            return Err(CheckError::new("expect", "`asof` gives one match at most").hint("leave it out"));
        }
        let dtype = column_type(schema, "on", column)?;
        let tolerance = Tolerance::parse(self.tolerance.as_deref(), column, dtype)?;
        Ok((column, theirs, tolerance))
    }

    /// Parameters of `asof` say nothing of other joins; what is set would be taken for meant.
    fn check_unused(&self) -> Result<(), CheckError> {
        let is_set = [
            ("by", !self.by.is_empty()),
            ("input_by", !self.input_by.is_empty()),
            ("tolerance", self.tolerance.is_some()),
            ("direction", self.direction != Direction::Backward),
        ];
        match is_set.into_iter().find(|(_, is_set)| *is_set) {
            Some((param, _)) => Err(CheckError::new(param, format!("`{param}` is for `how: asof`"))
                .hint("leave it out, or add the columns to `on`")),
            None => Ok(()),
        }
    }

    /// Columns of the input to add, with the names they get.
    fn taken(
        &self,
        keys: &[(&str, &str)],
        schema: &Schema,
        input: &Input,
    ) -> Result<Vec<(String, String)>, CheckError> {
        if matches!(self.how, How::Semi | How::Anti) {
            if self.columns.is_empty() {
                return Ok(Vec::new());
            }
            return Err(CheckError::new("columns", "a semi or anti join adds no columns")
                .hint("leave `columns` out, or join `left`"));
        }
        let is_key = |name: &str| keys.iter().any(|(_, theirs)| *theirs == name);
        let columns: Vec<String> = if self.columns.is_empty() {
            let all = input.schema.iter_names().map(PlSmallStr::as_str);
            all.filter(|name| !is_key(name)).map(str::to_owned).collect()
        } else {
            self.columns.clone()
        };
        let mut taken: Vec<(String, String)> = Vec::new();
        for column in columns {
            input_column(input, &self.input, "columns", &column)?;
            let name = if schema.contains(&column) {
                format!("{column}{}", self.suffix)
            } else {
                column.clone()
            };
            if schema.contains(&name) || taken.iter().any(|(_, other)| *other == name) {
                return Err(
                    CheckError::new("suffix", format!("column `{name}` is there already"))
                        .hint("choose another suffix, or name the `columns` to take"),
                );
            }
            check_new_name("suffix", &name)?;
            taken.push((column, name));
        }
        Ok(taken)
    }

    fn key_spec(&self, checked: &Checked<'_>) -> KeySpec {
        KeySpec {
            columns: checked
                .keys
                .iter()
                .map(|(_, theirs)| (*theirs).to_owned())
                .collect(),
            nulls_match: self.nulls_match,
            order: checked.asof.as_ref().map(|(_, theirs, _)| (*theirs).to_owned()),
        }
    }

    fn matcher(&self, schema: &Schema, inputs: &Inputs) -> Result<Matcher, CheckError> {
        let checked = self.resolve(schema, inputs)?;
        let asof = checked.asof.as_ref().map(|(column, _, tolerance)| Asof {
            column: (*column).to_owned(),
            direction: self.direction,
            tolerance: *tolerance,
        });
        Ok(Matcher {
            input: self.input.clone(),
            how: self.how,
            expect: self.expect,
            keys: checked.keys.iter().map(|(ours, _)| (*ours).to_owned()).collect(),
            asof,
            index: checked.input.index(&self.input, &self.key_spec(&checked))?,
            rows: Arc::clone(checked.input.rows_of(&self.input)?),
            taken: checked.taken,
        })
    }

    /// As [`Self::matcher`], from the rows themselves.
    fn matcher_of(&self, df: &DataFrame, inputs: &Inputs) -> Option<Matcher> {
        self.matcher(&origin::without_hidden(df.schema()), inputs).ok()
    }

    fn is_checked_for_one(&self) -> bool {
        self.expect == Expect::AtMostOne && matches!(self.how, How::Left | How::Inner)
    }
}

impl Behaviour for Join {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        self.check_with(schema, &Inputs::default())
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        self.apply_with(lf, schema, &Inputs::default())
    }

    fn check_with(&self, schema: &Schema, inputs: &Inputs) -> Result<Schema, CheckError> {
        self.resolve(schema, inputs).map(|checked| checked.output)
    }

    fn apply_with(&self, lf: LazyFrame, schema: &Schema, inputs: &Inputs) -> Result<LazyFrame, CheckError> {
        let added = self.resolve(schema, inputs)?.output;
        let may_reject = self.may_reject();
        let output = move |before: &Schema| -> PolarsResult<Arc<Schema>> {
            let mut after = before.clone();
            for (name, dtype) in added.iter() {
                after.with_column(name.clone(), dtype.clone());
            }
            if may_reject {
                after.with_column(origin::REJECT.into(), DataType::String);
            }
            Ok(Arc::new(after))
        };
        let matcher = self.matcher(schema, inputs)?;
        Ok(lf.map(
            move |df| matcher.join(&df),
            AllowedOptimizations::empty(),
            Some(Arc::new(output)),
            Some("join"),
        ))
    }

    fn python(&self, schema: &Schema, inputs: &Inputs, script: &mut Python) -> Result<(), String> {
        let checked = self.resolve(schema, inputs).map_err(|error| error.to_string())?;
        write_python(self, &checked, schema, script);
        Ok(())
    }

    fn summary(&self) -> String {
        let how = match self.how {
            How::Left => "left",
            How::Inner => "inner",
            How::Semi => "semi",
            How::Anti => "anti",
            How::Asof => "asof",
        };
        match (self.input.as_str(), self.on.is_empty()) {
            ("", _) => how.to_owned(),
            (input, true) => format!("{how}, {input}"),
            (input, false) => format!("{how}, {input} by {}", few(self.on.iter().map(String::as_str))),
        }
    }

    fn subject(&self) -> String {
        self.input.clone()
    }

    fn inputs(&self) -> Vec<&str> {
        vec![&self.input]
    }

    fn row_effect(&self) -> RowEffect {
        match (self.how, self.expect) {
            (How::Semi | How::Anti, _) | (How::Inner, Expect::AtMostOne) => RowEffect::Filters,
            (How::Asof, _) | (How::Left, Expect::AtMostOne) => RowEffect::Keeps,
            (How::Left | How::Inner, Expect::Many) => RowEffect::Makes,
        }
    }

    fn column(&self) -> Option<&str> {
        self.on.first().map(String::as_str)
    }

    fn may_reject(&self) -> bool {
        self.is_checked_for_one()
    }

    fn n_left_out(&self, df: &DataFrame, inputs: &Inputs) -> u64 {
        if self.how != How::Inner {
            return 0;
        }
        self.matcher_of(df, inputs)
            .and_then(|matcher| matcher.n_without(df).ok())
            .unwrap_or_default()
    }

    fn n_rows_after(&self, df: &DataFrame, inputs: &Inputs) -> Option<Growth> {
        let matcher = self.matcher_of(df, inputs)?;
        let (n_rows, worst) = matcher.n_rows(df).ok()?;
        let of_input = matches::row_bytes(&matcher.rows);
        Some(Growth {
            n_rows,
            added_bytes: of_input,
            worst: match worst {
                Some((key, n)) => format!(
                    "{} of `{}` have the key {key}",
                    units::plural(n, "row"),
                    self.input
                ),
                None => String::new(),
            },
        })
    }
}

/// `df.join` and `df.join_asof` of polars for Python. The input's columns get names of their own, so that no rule of
/// polars on equal names applies.
fn write_python(join: &Join, checked: &Checked<'_>, schema: &Schema, script: &mut Python) {
    let key = |at: usize| format!("__key{at}");
    let keys: Vec<String> = (0..checked.keys.len()).map(key).collect();
    let mut selected: Vec<String> = checked
        .keys
        .iter()
        .zip(&keys)
        .map(|((_, theirs), name)| format!("{}.alias({})", python::col(theirs), python::quoted(name)))
        .collect();
    let is_float = checked
        .asof
        .as_ref()
        .is_some_and(|(column, ..)| schema.get(column).is_some_and(DataType::is_float));
    let moment = |name: &str, alias: &str| {
        let fill = if is_float { ".fill_nan(None)" } else { "" };
        format!("{}{fill}.alias({})", python::col(name), python::quoted(alias))
    };
    selected.extend(checked.asof.iter().map(|(_, theirs, _)| moment(theirs, "__on")));
    selected.extend(
        checked
            .taken
            .iter()
            .map(|(column, name)| format!("{}.alias({})", python::col(column), python::quoted(name))),
    );
    let input = python::quoted(&join.input);
    script.line(format!("other = inputs[{input}].select({})", selected.join(", ")));
    let ours = python::list(checked.keys.iter().map(|(ours, _)| *ours));
    let theirs = python::list(keys.iter().map(String::as_str));
    if let Some((column, _, tolerance)) = &checked.asof {
        let strategy = match join.direction {
            Direction::Backward => "backward",
            Direction::Forward => "forward",
            Direction::Nearest => "nearest",
        };
        let mut options = format!("left_on=\"__at\", right_on=\"__on\", strategy=\"{strategy}\"");
        if !keys.is_empty() {
            options.extend([", by_left=", &ours, ", by_right=", &theirs]);
        }
        if let (Some(text), Some(is_number)) = (&join.tolerance, tolerance.is_number()) {
            let text = if is_number {
                text.trim().to_owned()
            } else {
                python::quoted(text.trim())
            };
            options.extend([", tolerance=", &text]);
        }
        let dropped = python::list(keys.iter().map(String::as_str).chain(["__on"]));
        script.line(format!(
            "other = other.drop_nulls({dropped}).sort(\"__on\", maintain_order=True)"
        ));
        script.line(format!(
            "df = df.with_row_index(\"__row\").with_columns({}).sort(\"__at\", maintain_order=True)",
            moment(column, "__at")
        ));
        script.line(format!(
            "df = df.join_asof(other, {options}).sort(\"__row\").drop([\"__row\", \"__at\", \"__on\"], strict=False)"
        ));
        return;
    }
    let nulls = if join.nulls_match { "True" } else { "False" };
    let options = format!("left_on={ours}, right_on={theirs}, nulls_equal={nulls}");
    if join.is_checked_for_one() {
        script.line(format!(
            "several = other.group_by({theirs}).len().filter(pl.col(\"len\") > 1)"
        ));
        script.line(format!(
            "df = df.join(several, {options}, how=\"anti\", maintain_order=\"left\")"
        ));
    }
    let how = match join.how {
        How::Inner => "how=\"inner\", coalesce=True, maintain_order=\"left_right\"",
        How::Semi => "how=\"semi\", maintain_order=\"left\"",
        How::Anti => "how=\"anti\", maintain_order=\"left\"",
        How::Left | How::Asof => "how=\"left\", coalesce=True, maintain_order=\"left_right\"",
    };
    script.line(format!("df = df.join(other, {options}, {how})"));
}

#[cfg(test)]
#[path = "join_tests.rs"]
mod tests;
