//! Pulls outliers in to the limits that most numbers keep, learned as quantiles.
//!
//! A number below the lower limit becomes the limit, one above the upper limit becomes that. A few absurd salaries then no
//! longer rule a mean or a scale, and no row is lost.
//!
//! ```yaml
//! - winsorize: {column: salary, lower: 0.01, upper: 0.99}
//! ```
//!
//! The step is fitted: it learns both limits once, from finite numbers alone, keeps them in the recipe and applies them
//! row by row. A limit is a number of the data: the quantile `q` of `n` numbers is the one at rank `ceil(q * n)`. `lower: 0`
//! or `upper: 1` keep the smallest or largest number that was learned. Type and null stay, `NaN` stays `NaN`, an infinity
//! becomes the limit on its side. With `refit: true` the limits are learned in every run from all rows of a partition.
//!
//! Limits: numbers only; limits are learned as float64, so whole numbers beyond 2^53 lose digits, and unsigned 64-bit
//! numbers need a `cast` first.

use polars::prelude::{ChunkApply, Column, DataFrame, DataType, IntoColumn, PolarsResult, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::learn::{
    Learns, PYTHON_FINITE, PYTHON_QUANTILE, check_number, check_share, keeps_fitted, quantile, sorted_numbers,
};
use super::{Params, Step};
use crate::transform::python::{self, Python};
use crate::transform::step::{check_new_name, column_type, target, wrong_type};
use crate::transform::{CheckError, Fitted};

/// Parameters of `winsorize`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Winsorize {
    /// Column of numbers.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write; the column itself when it is not given.
    pub into: Option<String>,
    /// Share of the numbers below the lower limit.
    #[schemars(range(min = 0, max = 1))]
    pub lower: f64,
    /// Share of the numbers up to the upper limit.
    #[schemars(range(min = 0, max = 1))]
    pub upper: f64,
    /// Learn in every run from all rows of the partition.
    pub refit: bool,
    /// What was learned.
    pub fitted: Option<Fitted<Limits>>,
}

impl Default for Winsorize {
    fn default() -> Self {
        Self {
            column: String::new(),
            into: None,
            lower: 0.01,
            upper: 0.99,
            refit: false,
            fitted: None,
        }
    }
}

/// The smallest and the largest number that stay.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub lower: f64,
    pub upper: f64,
}

impl Winsorize {
    fn target(&self) -> &str {
        target(self.into.as_deref(), &self.column)
    }
}

impl Params for Winsorize {
    const GROUP: &'static str = "numbers";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Learns for Winsorize {
    type Values = Limits;

    keeps_fitted!(Winsorize);

    fn is_refit(&self) -> bool {
        self.refit
    }

    fn learned_of(&self) -> String {
        format!("{}, {} to {}", self.column, self.lower, self.upper)
    }

    fn check_params(&self, schema: &Schema) -> Result<(), CheckError> {
        check_number(schema, "column", &self.column)?;
        let dtype = column_type(schema, "column", &self.column)?;
        if dtype == &DataType::UInt64 {
            return Err(
                wrong_type("column", &self.column, dtype, "int64 or float64").hint("use `cast` first")
            );
        }
        check_new_name("into", self.target())?;
        check_share("lower", self.lower)?;
        check_share("upper", self.upper)?;
        if self.lower >= self.upper {
            return Err(CheckError::new(
                "upper",
                format!("`upper` is {}, not more than `lower`, {}", self.upper, self.lower),
            )
            .hint("write a larger share"));
        }
        Ok(())
    }

    fn learn(&self, df: &DataFrame) -> Result<Option<Limits>, CheckError> {
        let sorted = sorted_numbers(df, &self.column)?;
        let limits = quantile(&sorted, self.lower).zip(quantile(&sorted, self.upper));
        Ok(limits.map(|(lower, upper)| Limits { lower, upper }))
    }

    fn written(&self, schema: &Schema, values: &Limits) -> Result<Vec<(String, DataType)>, CheckError> {
        if values.lower.is_nan() || values.upper.is_nan() || values.lower > values.upper {
            return Err(CheckError::new(
                "fitted",
                format!(
                    "the lower limit {} is above the upper one, {}",
                    values.lower, values.upper
                ),
            )
            .hint("fit it again"));
        }
        let dtype = column_type(schema, "column", &self.column)?;
        Ok(vec![(self.target().to_owned(), dtype.clone())])
    }

    fn encode(&self, df: &DataFrame, values: &Limits) -> PolarsResult<Vec<Column>> {
        let Limits { lower, upper } = *values;
        let numbers = df.column(&self.column)?;
        let dtype = numbers.dtype().clone();
        let limited = if dtype.is_integer() {
            // Limits of whole numbers are whole themselves; a number beyond int64 becomes its end.
            #[expect(
                clippy::cast_possible_truncation,
                reason = "what a person wrote may be too large"
            )]
            let (lower, upper) = (lower.ceil() as i64, upper.floor() as i64);
            let upper = upper.max(lower);
            let numbers = numbers.cast(&DataType::Int64)?;
            let limited = numbers.i64()?.apply_values(|n| n.clamp(lower, upper));
            limited.into_column()
        } else {
            let numbers = numbers.cast(&DataType::Float64)?;
            let limited = numbers.f64()?.apply_values(|x| x.clamp(lower, upper));
            limited.into_column()
        };
        let limited = limited.cast(&dtype)?;
        Ok(vec![limited.with_name(self.target().into())])
    }

    fn code(&self, schema: &Schema, values: Option<&Limits>, script: &mut Python) -> Result<(), String> {
        script.import("math");
        script.define("winsorize", PYTHON);
        let limits = if let Some(limits) = values {
            format!("{}, {}", python::float(limits.lower), python::float(limits.upper))
        } else {
            script.define("finite_numbers", PYTHON_FINITE);
            script.define("quantile", PYTHON_QUANTILE);
            script.define("limits", PYTHON_LIMITS);
            let name = python::quoted(&self.column);
            format!(
                "*limits(df[{name}], {}, {})",
                python::float(self.lower),
                python::float(self.upper)
            )
        };
        let dtype = schema.get(&self.column).cloned().unwrap_or(DataType::Float64);
        let code = format!(
            "winsorize({}, {}, {limits})",
            python::col(&self.column),
            python::dtype(&dtype)
        );
        script.with_columns([(self.target(), code)]);
        Ok(())
    }

    fn summary(&self) -> String {
        format!("{}: {} to {}", self.column, self.lower, self.upper)
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

const PYTHON: &str = include_str!("python/winsorize.py");

const PYTHON_LIMITS: &str = include_str!("python/limits.py");

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, fit_error, fitted, run};

    #[test]
    fn numbers_outside_become_the_limits_and_nothing_else_changes() {
        let sample: Vec<f64> = (1..=100).map(f64::from).collect();
        let sample = df!("x" => sample).unwrap();
        let step = fitted("winsorize: {column: x, lower: 0.05, upper: 0.95}", &sample);
        let input = df!("x" => [Some(-7.0), Some(5.0), Some(50.5), Some(95.0), Some(95.01), Some(f64::INFINITY), None])
            .unwrap();
        let expected =
            df!("x" => [Some(5.0), Some(5.0), Some(50.5), Some(95.0), Some(95.0), Some(95.0), None]).unwrap();
        assert!(run(&step, &input).equals_missing(&expected));
        let nan = run(&step, &df!("x" => [f64::NAN]).unwrap());
        assert!(nan.column("x").unwrap().f64().unwrap().get(0).unwrap().is_nan());
    }

    #[test]
    fn whole_numbers_stay_whole() {
        let sample = df!("n" => [1_i64, 2, 3, 1_000_000]).unwrap();
        let step = fitted("winsorize: {column: n, into: m, lower: 0, upper: 0.75}", &sample);
        let output = run(
            &step,
            &df!("n" => [Some(0_i64), Some(2), Some(i64::MAX), None]).unwrap(),
        );
        let expected = df!(
            "n" => [Some(0_i64), Some(2), Some(i64::MAX), None],
            "m" => [Some(1_i64), Some(2), Some(3), None]
        );
        assert!(output.equals_missing(&expected.unwrap()), "{output}");
    }

    #[test]
    fn refit_takes_the_limits_of_the_partition() {
        let input = df!("x" => [1.0, 2.0, 3.0, 400.0]).unwrap();
        let output = run(
            "winsorize: {column: x, lower: 0, upper: 0.75, refit: true}",
            &input,
        );
        assert_eq!(output, df!("x" => [1.0, 2.0, 3.0, 3.0]).unwrap());
        let none = df!("x" => [None::<f64>]).unwrap();
        assert!(run("winsorize: {column: x, refit: true}", &none).equals_missing(&none));
        let empty = DataFrame::empty_with_schema(input.schema());
        assert_eq!(run("winsorize: {column: x, refit: true}", &empty).height(), 0);
    }

    #[test]
    fn limits_that_are_no_shares_do_not_check() {
        let input = df!("x" => [1.0], "s" => ["a"]).unwrap();
        assert_eq!(
            check_error("winsorize: {column: x, lower: 0.5, upper: 0.5}", &input),
            "`upper` is 0.5, not more than `lower`, 0.5: write a larger share"
        );
        assert_eq!(
            check_error("winsorize: {column: x, upper: 99}", &input),
            "`upper` is 99: write a number from 0 to 1"
        );
        assert!(check_error("winsorize: {column: s}", &input).contains("not a number"));
        assert!(check_error("winsorize: {column: x}", &input).starts_with("not fitted yet"));
        assert_eq!(
            fit_error("winsorize: {column: x}", &input.clear()),
            "nothing to learn `x` from in 0 rows: fit it on rows that hold values"
        );
    }
}
