//! Rounds numbers to a number of decimal digits.
//!
//! ```yaml
//! - round: {column: price, digits: 2}
//! - round: {column: salary, into: salary_thousands, digits: -3, to: down}
//! ```
//!
//! `digits` counts digits after the point; with negative ones it rounds to tens, hundreds, thousands. `to` says where a
//! number goes that lies between two: `nearest` (halves away from zero), `half_even` (halves to the even digit, as banks
//! and Python's `round` do), `down` (towards minus infinity) or `up`. Null and `NaN` stay what they are, infinities too.
//!
//! The type stays; whole numbers are whole already, and become int64 where `digits` is negative.
//!
//! Limits: fractions are binary. `2.675` is stored a little below itself, but multiplied by 100 becomes exactly 267.5, so
//! it rounds to 2.68; other such numbers may round the other way. Whole numbers beyond 2^53 lose digits when rounded.

use polars::prelude::{DataType, Expr, LazyFrame, RoundMode, Schema, lit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::learn::check_number;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, check_new_name, column_type, exactly, target};
use crate::transform::{CheckError, Inputs};

/// Parameters of `round`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Round {
    /// Column of numbers.
    #[schemars(extend("x-input" = "column"))]
    pub column: String,
    /// Column to write; the column itself when it is not given.
    pub into: Option<String>,
    /// Digits after the point; below zero for tens, hundreds and so on.
    #[schemars(range(min = -15, max = 15))]
    pub digits: i32,
    /// Where a number goes that lies between two.
    pub to: Direction,
}

/// Where a number goes that lies between two of the wanted digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the nearer one, halves away from zero.
    #[default]
    Nearest,
    /// To the nearer one, halves to the even digit.
    HalfEven,
    /// To the smaller one.
    Down,
    /// To the larger one.
    Up,
}

impl Round {
    fn target(&self) -> &str {
        target(self.into.as_deref(), &self.column)
    }

    /// The power of ten that numbers are counted in, or that they are counted up by.
    fn factor(&self) -> f64 {
        10_f64.powi(self.digits.abs())
    }

    fn whole(&self, value: Expr) -> Expr {
        match self.to {
            Direction::Nearest => value.round(0, RoundMode::HalfAwayFromZero),
            Direction::HalfEven => value.round(0, RoundMode::HalfToEven),
            Direction::Down => value.floor(),
            Direction::Up => value.ceil(),
        }
    }

    fn python_whole(&self, value: &str) -> String {
        match self.to {
            Direction::Nearest => format!("({value}).round(0, mode=\"half_away_from_zero\")"),
            Direction::HalfEven => format!("({value}).round(0, mode=\"half_to_even\")"),
            Direction::Down => format!("({value}).floor()"),
            Direction::Up => format!("({value}).ceil()"),
        }
    }
}

impl Params for Round {
    const GROUP: &'static str = "numbers";
    const REQUIRED: &'static [&'static str] = &["column"];
}

impl Behaviour for Round {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        check_number(schema, "column", &self.column)?;
        check_new_name("into", self.target())?;
        if !(-15..=15).contains(&self.digits) {
            return Err(CheckError::new("digits", format!("`digits` is {}", self.digits))
                .hint("write a number from -15 to 15"));
        }
        let dtype = column_type(schema, "column", &self.column)?;
        let rounded = if dtype.is_integer() && self.digits < 0 {
            DataType::Int64
        } else {
            dtype.clone()
        };
        let mut output = schema.clone();
        output.with_column(self.target().into(), rounded);
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let dtype = column_type(schema, "column", &self.column)?;
        let value = exactly(self.column.as_str());
        let rounded = if dtype.is_integer() && self.digits >= 0 {
            value
        } else {
            let to = if dtype.is_integer() {
                DataType::Int64
            } else {
                dtype.clone()
            };
            let value = value.cast(DataType::Float64);
            let rounded = match self.digits {
                0 => self.whole(value),
                1.. => self.whole(value * lit(self.factor())) / lit(self.factor()),
                ..0 => self.whole(value / lit(self.factor())) * lit(self.factor()),
            };
            rounded.cast(to)
        };
        Ok(lf.with_column(rounded.alias(self.target())))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let dtype = schema
            .get(&self.column)
            .ok_or_else(|| format!("column `{}` not found", self.column))?;
        let value = python::col(&self.column);
        let rounded = if dtype.is_integer() && self.digits >= 0 {
            value
        } else {
            let to = if dtype.is_integer() {
                &DataType::Int64
            } else {
                dtype
            };
            let value = format!("{value}.cast(pl.Float64)");
            let factor = python::float(self.factor());
            let rounded = match self.digits {
                0 => self.python_whole(&value),
                1.. => format!("{} / {factor}", self.python_whole(&format!("{value} * {factor}"))),
                ..0 => format!("{} * {factor}", self.python_whole(&format!("{value} / {factor}"))),
            };
            format!("({rounded}).cast({}, strict=False)", python::dtype(to))
        };
        script.with_columns([(self.target(), rounded)]);
        Ok(())
    }

    fn summary(&self) -> String {
        let subject = match &self.into {
            Some(into) => format!("{} → {into}", self.column),
            None => self.column.clone(),
        };
        match self.digits {
            0 => format!("{subject}: whole"),
            n => format!("{subject}: {n} digits"),
        }
    }

    fn subject(&self) -> String {
        self.column.clone()
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{check_error, run};

    fn rounded(params: &str, numbers: &[f64]) -> Vec<f64> {
        let input = df!("x" => numbers).unwrap();
        let output = run(&format!("round: {{column: x{params}}}"), &input);
        output
            .column("x")
            .unwrap()
            .f64()
            .unwrap()
            .iter()
            .flatten()
            .collect()
    }

    #[test]
    fn each_direction_has_its_halves() {
        let numbers = [0.5, 1.5, -0.5, -1.5, 2.4, -2.4];
        for (to, expected) in [
            ("nearest", [1.0, 2.0, -1.0, -2.0, 2.0, -2.0]),
            ("half_even", [0.0, 2.0, 0.0, -2.0, 2.0, -2.0]),
            ("down", [0.0, 1.0, -1.0, -2.0, 2.0, -3.0]),
            ("up", [1.0, 2.0, 0.0, -1.0, 3.0, -2.0]),
        ] {
            assert_eq!(rounded(&format!(", to: {to}"), &numbers), expected, "{to}");
        }
    }

    #[test]
    fn digits_may_lie_after_the_point_or_before_it() {
        assert_eq!(
            rounded(", digits: 2", &[1.005_1, 2.675, -0.126]),
            [1.01, 2.68, -0.13]
        );
        assert_eq!(
            rounded(", digits: -3", &[1_499.0, 1_500.0, -1_500.0]),
            [1_000.0, 2_000.0, -2_000.0]
        );
        assert_eq!(
            rounded(", digits: -3, to: down", &[1_999.0, -1.0]),
            [1_000.0, -1_000.0]
        );
    }

    #[test]
    fn what_is_no_finite_number_stays() {
        let input = df!("x" => [None, Some(f64::NAN), Some(f64::NEG_INFINITY)]).unwrap();
        let output = run("round: {column: x, into: y, digits: 1}", &input);
        let y: Vec<Option<f64>> = output.column("y").unwrap().f64().unwrap().iter().collect();
        assert_eq!((y[0], y[2]), (None, Some(f64::NEG_INFINITY)));
        assert!(y[1].unwrap().is_nan());
        let empty = run(
            "round: {column: x, digits: 1}",
            &DataFrame::empty_with_schema(input.schema()),
        );
        assert_eq!(empty.height(), 0);
    }

    #[test]
    fn whole_numbers_stay_whole() {
        let input = df!("n" => [Some(149_i64), Some(-150), None]).unwrap();
        assert_eq!(run("round: {column: n, digits: 2}", &input), input);
        let output = run("round: {column: n, digits: -2}", &input);
        assert!(
            output.equals_missing(&df!("n" => [Some(100_i64), Some(-200), None]).unwrap()),
            "{output}"
        );
    }

    #[test]
    fn a_column_of_text_or_too_many_digits_do_not_check() {
        let input = df!("s" => ["a"], "x" => [1.0]).unwrap();
        assert!(check_error("round: {column: s}", &input).starts_with("column `s` is string, not a number"));
        assert_eq!(
            check_error("round: {column: x, digits: 16}", &input),
            "`digits` is 16: write a number from -15 to 15"
        );
    }
}
