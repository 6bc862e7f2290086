//! An expression as polars code for Python: the same SQL for `pl.sql_expr`, except where times are read from text.
//!
//! What this module gives another meaning than polars (see [`super::times`]) becomes a column of its own before the
//! expression, and so does every strict cast, because a row that it fails on is rejected here and an error there.

use std::ops::ControlFlow;

use polars::prelude::{DataType, PlSmallStr, Schema, TimeUnit};
use sqlparser::ast::{
    BinaryOperator, CastKind, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Value,
    visit_expressions_mut,
};

use super::{compile, parse};
use crate::transform::iso8601;
use crate::transform::python::{self, Python};

/// Expressions of one step, and the columns that they need before it.
pub struct Codes<'a> {
    script: &'a mut Python,
    /// The columns before the step and those made for its expressions.
    schema: Schema,
    made: Vec<String>,
}

impl<'a> Codes<'a> {
    pub fn new(schema: &Schema, script: &'a mut Python) -> Self {
        Self {
            script,
            schema: schema.clone(),
            made: Vec::new(),
        }
    }

    /// The code of an expression.
    ///
    /// # Errors
    /// Why there is none.
    pub fn expr(&mut self, text: &str) -> Result<String, String> {
        let mut tree = parse(text, "expression").map_err(|error| error.to_string())?;
        let is_changed = super::look::rewrite_fields(&mut tree);
        let n_made = self.made.len();
        let walked = visit_expressions_mut(&mut tree, |expr| match self.rewrite(expr) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        });
        if let ControlFlow::Break(error) = walked {
            return Err(error);
        }
        let sql = if is_changed || self.made.len() > n_made {
            tree.to_string()
        } else {
            text.to_owned()
        };
        Ok(sql_expr(&sql))
    }

    /// The script, for the step itself, and a line to write after it.
    pub fn finish(self) -> (&'a mut Python, Option<String>) {
        let made = self.made.iter().map(String::as_str);
        let drop = (!self.made.is_empty()).then(|| format!("df = df.drop({})", python::list(made)));
        (self.script, drop)
    }

    fn rewrite(&mut self, expr: &mut Expr) -> Result<(), String> {
        match expr {
            Expr::Cast { .. } => self.cast(expr),
            Expr::TypedString(typed) => {
                let text = match &typed.value.value {
                    Value::SingleQuotedString(text) => text.clone(),
                    _ => return Ok(()),
                };
                let dtype = self.dtype(expr)?;
                if let Some(name) = self.literal(&text, &dtype) {
                    *expr = Expr::Identifier(name);
                }
                Ok(())
            }
            Expr::BinaryOp {
                op: BinaryOperator::Modulo,
                ..
            } => self.modulo(expr),
            Expr::Function(_) => self.function(expr),
            Expr::BinaryOp { left, op, right } if is_comparison(op) => self.compare(left, right),
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
                self.compare(left, right)
            }
            Expr::Between { expr, low, high, .. } => {
                self.compare(expr, low)?;
                self.compare(expr, high)
            }
            _ => Ok(()),
        }
    }

    fn dtype(&self, expr: &Expr) -> Result<DataType, String> {
        let compiled = compile(&expr.to_string(), "expression", &self.schema);
        compiled
            .map(|(_, dtype)| dtype)
            .map_err(|error| error.to_string())
    }

    /// Writes a column before the step, and names it.
    fn column(&mut self, code: String, dtype: DataType) -> Ident {
        let mut name = format!("_e{}", self.made.len());
        while self.schema.contains(&name) {
            name.push('_');
        }
        self.script.with_columns([(name.as_str(), code)]);
        self.schema.with_column(PlSmallStr::from_str(&name), dtype);
        self.made.push(name.clone());
        Ident::with_quote('"', name)
    }

    /// Text that stands for a time, as a column of it.
    fn literal(&mut self, text: &str, dtype: &DataType) -> Option<Ident> {
        let code = time_code(text, dtype)?;
        Some(self.column(code, dtype.clone()))
    }

    fn cast(&mut self, expr: &mut Expr) -> Result<(), String> {
        let to = self.dtype(expr)?;
        let Expr::Cast {
            kind,
            expr: value,
            data_type,
            ..
        } = &*expr
        else {
            return Ok(());
        };
        let is_strict = matches!(kind, CastKind::Cast | CastKind::DoubleColon);
        let is_time = matches!(to, DataType::Date | DataType::Datetime(..));
        if !is_strict && !is_time {
            return Ok(());
        }
        let name = match text_of(value) {
            Some(text) if is_time => {
                let text = text.to_owned();
                self.literal(&text, &to)
            }
            _ => None,
        };
        if let Some(name) = name {
            *expr = Expr::Identifier(name);
            return Ok(());
        }
        let inner = sql_expr(&value.to_string());
        let code = if !is_time {
            sql_expr(&format!("TRY_CAST({value} AS {data_type})"))
        } else if self.dtype(value)? == DataType::String {
            iso8601::define_python(self.script);
            let (function, number) = match to {
                DataType::Date => ("iso8601_days", "pl.Int32"),
                _ => ("iso8601_micros", "pl.Int64"),
            };
            let read = format!("{inner}.map_elements({function}, return_dtype={number})");
            match &to {
                DataType::Date => format!("{read}.cast(pl.Date)"),
                to => format!(
                    "{read}.cast(pl.Datetime(\"us\", \"UTC\")).cast({})",
                    python::dtype(to)
                ),
            }
        } else {
            format!("{inner}.cast({}, strict=False)", python::dtype(&to))
        };
        let name = self.column(code, to);
        if is_strict {
            // Rows that the step rejects.
            let made = python::col(&name.value);
            self.script.line(format!(
                "df = df.filter({inner}.is_null() | {made}.is_not_null())"
            ));
        }
        *expr = Expr::Identifier(name);
        Ok(())
    }

    /// A remainder has the sign of the divisor here, and in later builds of polars' SQL that of the dividend.
    fn modulo(&mut self, expr: &mut Expr) -> Result<(), String> {
        if let Expr::BinaryOp { left, right, .. } = &*expr {
            let (left, right) = (left.to_string(), right.to_string());
            return self.divided("%", &left, &right, expr);
        }
        Ok(())
    }

    fn divided(&mut self, op: &str, left: &str, right: &str, expr: &mut Expr) -> Result<(), String> {
        let dtype = self.dtype(expr)?;
        let code = format!("{} {op} {}", sql_expr(left), sql_expr(right));
        *expr = Expr::Identifier(self.column(code, dtype));
        Ok(())
    }

    /// Functions that divide round as [`Self::modulo`] says; those that read times from text reject a row, and would fail
    /// for all rows in Python.
    fn function(&mut self, expr: &mut Expr) -> Result<(), String> {
        let Expr::Function(function) = &*expr else {
            return Ok(());
        };
        let name = function.name.to_string().to_lowercase();
        let FunctionArguments::List(list) = &function.args else {
            return Ok(());
        };
        let args: Vec<String> = list.args.iter().map(ToString::to_string).collect();
        let form = list.args.get(1).and_then(|arg| match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => text_of(expr),
            _ => None,
        });
        match (name.as_str(), args.as_slice()) {
            ("mod", [left, right]) => {
                let (left, right) = (left.clone(), right.clone());
                self.divided("%", &left, &right, expr)
            }
            ("div", [left, right]) => {
                let (left, right) = (left.clone(), right.clone());
                self.divided("//", &left, &right, expr)
            }
            ("date" | "strptime" | "timestamp" | "datetime", [text, _]) => {
                let Some(form) = form else {
                    return Ok(());
                };
                let (inner, form) = (sql_expr(text), python::quoted(form));
                let dtype = self.dtype(expr)?;
                let code = format!(
                    "{inner}.str.strptime({}, {form}, strict=False)",
                    python::dtype(&dtype)
                );
                let made = self.column(code, dtype);
                self.script.line(format!(
                    "df = df.filter({inner}.is_null() | {}.is_not_null())",
                    python::col(&made.value)
                ));
                *expr = Expr::Identifier(made);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn compare(&mut self, left: &mut Expr, right: &mut Expr) -> Result<(), String> {
        let (left_type, right_type) = (self.dtype(left)?, self.dtype(right)?);
        self.beside(left, &left_type, &right_type);
        self.beside(right, &right_type, &left_type);
        Ok(())
    }

    /// Text beside a time becomes one, and a time without a zone beside one in UTC is in UTC.
    fn beside(&mut self, expr: &mut Expr, own: &DataType, other: &DataType) {
        let made = match (text_of(expr), own, other) {
            (Some(text), ..) => {
                let text = text.to_owned();
                self.literal(&text, other)
            }
            (None, DataType::Datetime(unit, None), DataType::Datetime(_, Some(zone))) => {
                let to = DataType::Datetime(*unit, Some(zone.clone()));
                let code = format!("{}.cast({})", sql_expr(&expr.to_string()), python::dtype(&to));
                Some(self.column(code, to))
            }
            _ => None,
        };
        if let Some(name) = made {
            *expr = Expr::Identifier(name);
        }
    }
}

fn sql_expr(sql: &str) -> String {
    format!("pl.sql_expr({})", python::quoted(sql))
}

fn is_comparison(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
            | BinaryOperator::Spaceship
    )
}

fn text_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        Expr::Nested(inner) => text_of(inner),
        _ => None,
    }
}

/// A value of a time type from its text in ISO 8601, as code; none for other types and texts.
pub fn time_code(text: &str, dtype: &DataType) -> Option<String> {
    match dtype {
        DataType::Date => {
            let days = iso8601::days(text)?;
            Some(format!("pl.lit({days}, dtype=pl.Int32).cast(pl.Date)"))
        }
        DataType::Datetime(unit, _) => {
            let micros = iso8601::micros(text)?;
            let count = match unit {
                TimeUnit::Nanoseconds => micros.checked_mul(1000)?,
                TimeUnit::Microseconds => micros,
                TimeUnit::Milliseconds => micros.div_euclid(1000),
            };
            Some(format!(
                "pl.lit({count}, dtype=pl.Int64).cast({})",
                python::dtype(dtype)
            ))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, Field, Schema, TimeUnit, TimeZone};

    use super::Codes;
    use crate::transform::python::Python;

    /// The code of an expression, and the lines before and after it.
    fn code(text: &str) -> (String, String) {
        let time = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
        let place = DataType::Struct(vec![Field::new("country".into(), DataType::String)]);
        let columns = [
            ("n", DataType::Int64),
            ("s", DataType::String),
            ("t", time),
            ("d", DataType::Date),
            ("place", place),
        ];
        let schema: Schema = columns
            .into_iter()
            .map(|(name, dtype)| Field::new(name.into(), dtype))
            .collect();
        let mut script = Python::default();
        let mut codes = Codes::new(&schema, &mut script);
        let code = codes.expr(text).unwrap();
        let (script, drop) = codes.finish();
        script.line(drop.unwrap_or_default());
        let text = script.text();
        let lines = text
            .lines()
            .filter(|line| line.starts_with("df =") || line.starts_with("    (pl"));
        (code, lines.collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn what_polars_means_too_is_its_own_sql() {
        assert_eq!(
            code("round(n, 1) > 2 AND s LIKE 'a%'"),
            (
                r#"pl.sql_expr("round(n, 1) > 2 AND s LIKE 'a%'")"#.to_owned(),
                String::new()
            )
        );
        assert_eq!(
            code("place['country']").0,
            r#"pl.sql_expr("\"place\".\"country\"")"#
        );
        assert_eq!(code("TRY_CAST(s AS BIGINT)").1, "");
    }

    #[test]
    fn a_strict_cast_is_a_column_before_and_its_failures_are_filtered_out() {
        let (code, lines) = code("CAST(s AS BIGINT) + 1");
        assert_eq!(code, r#"pl.sql_expr("\"_e0\" + 1")"#);
        assert_eq!(
            lines,
            "df = df.with_columns(\n    (pl.sql_expr(\"TRY_CAST(s AS BIGINT)\")).alias(\"_e0\"),\n\
             df = df.filter(pl.sql_expr(\"s\").is_null() | pl.col(\"_e0\").is_not_null())\n\
             df = df.drop([\"_e0\"])"
        );
    }

    #[test]
    fn times_in_text_are_read_as_here() {
        let (comparison, lines) = code("t >= '1970-01-01T00:00:01Z' AND d <> '1970-01-03'");
        assert_eq!(comparison, r#"pl.sql_expr("t >= \"_e0\" AND d <> \"_e1\"")"#);
        assert!(
            lines.contains("pl.lit(1000000, dtype=pl.Int64).cast(pl.Datetime(\"us\", \"UTC\"))"),
            "{lines}"
        );
        assert!(
            lines.contains("pl.lit(2, dtype=pl.Int32).cast(pl.Date)"),
            "{lines}"
        );
        let (_, lines) = code("TRY_CAST(s AS TIMESTAMP) > t");
        assert!(
            lines.contains("map_elements(iso8601_micros, return_dtype=pl.Int64)"),
            "{lines}"
        );
        assert!(!lines.contains("filter"), "{lines}");
    }
}
