//! The look at a parsed expression before polars sees it: columns, fields, functions, and what a row alone cannot give.

use std::ops::ControlFlow;

use polars::prelude::{DataType, Schema};
use sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    Spanned, Subscript, Value, visit_expressions, visit_expressions_mut,
};
use sqlparser::tokenizer::Location;

use super::functions::{Kind, kind, names};
use crate::transform::step::{column_not_found, type_name};
use crate::transform::{CheckError, pattern};

/// Why aggregates and their like are refused.
const BATCH: &str = "each row is computed alone, because a batch of rows is not the data";

/// The first thing in `tree` that cannot be computed on rows of `schema`.
pub(super) fn check(tree: &Expr, text: &str, param: &'static str, schema: &Schema) -> Result<(), CheckError> {
    let look = Look { text, param, schema };
    let found = visit_expressions(tree, |expr| match look.at(expr) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    });
    match found {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// 1-based character position in `text` of a place that the parser gives as line and column.
pub(super) fn position(text: &str, place: Location) -> Option<usize> {
    let line = usize::try_from(place.line).ok()?.checked_sub(1)?;
    let column = usize::try_from(place.column).ok()?;
    let before: usize = text
        .split_inclusive('\n')
        .take(line)
        .map(|line| line.chars().count())
        .sum();
    (column > 0).then_some(before + column)
}

/// Turns `location['country']` into `location.country`, which is the form that polars takes. Whether anything changed.
pub(super) fn rewrite_fields(tree: &mut Expr) -> bool {
    let mut is_changed = false;
    let walked: ControlFlow<()> = visit_expressions_mut(tree, |expr| {
        if let Some(path) = field_path(expr)
            && !matches!(expr, Expr::CompoundIdentifier(_))
        {
            let quoted = path.into_iter().map(|ident| Ident::with_quote('"', ident.value));
            *expr = Expr::CompoundIdentifier(quoted.collect());
            is_changed = true;
        }
        ControlFlow::Continue(())
    });
    debug_assert!(walked.is_continue(), "nothing breaks off the walk");
    is_changed
}

/// The names of `a.b`, `a['b']` and mixtures of them; none for other expressions.
fn field_path(expr: &Expr) -> Option<Vec<Ident>> {
    match expr {
        Expr::CompoundIdentifier(path) => Some(path.clone()),
        Expr::CompoundFieldAccess { root, access_chain } => {
            let mut path = match root.as_ref() {
                Expr::Identifier(root) => vec![root.clone()],
                Expr::CompoundIdentifier(root) => root.clone(),
                _ => return None,
            };
            for access in access_chain {
                match access {
                    AccessExpr::Dot(Expr::Identifier(field)) => path.push(field.clone()),
                    AccessExpr::Subscript(Subscript::Index {
                        index: Expr::Value(value),
                    }) => match &value.value {
                        Value::SingleQuotedString(field) => {
                            path.push(Ident::with_span(value.span, field));
                        }
                        _ => return None,
                    },
                    _ => return None,
                }
            }
            Some(path)
        }
        _ => None,
    }
}

struct Look<'a> {
    text: &'a str,
    param: &'static str,
    schema: &'a Schema,
}

impl Look<'_> {
    fn at(&self, expr: &Expr) -> Result<(), CheckError> {
        match expr {
            Expr::Identifier(name) => self.field(std::slice::from_ref(name)),
            Expr::CompoundIdentifier(_) | Expr::CompoundFieldAccess { .. } => match field_path(expr) {
                Some(path) => self.field(&path),
                None => Ok(()),
            },
            Expr::Function(function) => self.function(function),
            Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => {
                Err(self.refuse("a subquery", expr))
            }
            Expr::InUnnest { .. } => Err(self.refuse("`UNNEST`", expr)),
            Expr::BinaryOp {
                op:
                    BinaryOperator::PGRegexMatch
                    | BinaryOperator::PGRegexNotMatch
                    | BinaryOperator::PGRegexIMatch
                    | BinaryOperator::PGRegexNotIMatch,
                right: pattern,
                ..
            }
            | Expr::RLike { pattern, .. } => self.pattern(pattern),
            Expr::AllOp { .. } => Err(self.refuse("`ALL` (a maximum or minimum)", expr)),
            Expr::AnyOp { compare_op, .. }
                if !matches!(compare_op, BinaryOperator::Eq | BinaryOperator::NotEq) =>
            {
                Err(self.refuse("`ANY` with an order (a maximum or minimum)", expr))
            }
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => Err(self
                .error("`*` names several columns", expr)
                .hint("name one column")),
            _ => Ok(()),
        }
    }

    fn error(&self, message: impl Into<String>, at: &impl Spanned) -> CheckError {
        CheckError::new(self.param, message).at(position(self.text, at.span().start))
    }

    fn refuse(&self, what: &str, at: &impl Spanned) -> CheckError {
        self.error(format!("{what} is not possible here"), at).hint(BATCH)
    }

    /// Follows a column and the fields below it along the schema.
    fn field(&self, path: &[Ident]) -> Result<(), CheckError> {
        let Some((column, fields)) = path.split_first() else {
            return Ok(());
        };
        let place = |ident: &Ident| position(self.text, ident.span.start);
        let Some(mut dtype) = self.schema.get(&column.value) else {
            let error = column_not_found(self.schema, self.param, &column.value).at(place(column));
            let is_quoted_text = column.quote_style == Some('"') && error.hint.is_none();
            return Err(if is_quoted_text {
                error.hint("text stands in single quotes")
            } else {
                error
            });
        };
        let is_pattern =
            column.value == "*" || (column.value.starts_with('^') && column.value.ends_with('$'));
        if is_pattern {
            let message = format!("column `{}` is named like a pattern", column.value);
            let error = CheckError::new(self.param, message).at(place(column));
            return Err(error.hint("use `rename` first"));
        }
        let mut known = column.value.clone();
        for field in fields {
            let DataType::Struct(inner) = dtype else {
                let message = format!(
                    "`{known}` is {}, which has no field `{}`",
                    type_name(dtype),
                    field.value
                );
                return Err(CheckError::new(self.param, message).at(place(field)));
            };
            let Some(found) = inner.iter().find(|inner| inner.name == field.value.as_str()) else {
                let message = format!("`{known}` has no field `{}`", field.value);
                return Err(CheckError::new(self.param, message)
                    .at(place(field))
                    .nearest(&field.value, inner.iter().map(|inner| inner.name.as_str())));
            };
            known = format!("{known}.{}", field.value);
            dtype = &found.dtype;
        }
        Ok(())
    }

    /// Refuses a regular expression that polars would refuse only once there are rows, or could not match in linear time.
    fn pattern(&self, expr: &Expr) -> Result<(), CheckError> {
        let Expr::Value(value) = expr else {
            return Ok(());
        };
        let Value::SingleQuotedString(text) = &value.value else {
            return Ok(());
        };
        match pattern::compile(self.param, text) {
            Ok(_) => Ok(()),
            Err(error) => {
                let start = position(self.text, expr.span().start);
                // The character in the pattern stands after the quote.
                let inside = error.position.unwrap_or(0);
                Err(error.at(start.map(|start| start + inside)))
            }
        }
    }

    fn function(&self, function: &Function) -> Result<(), CheckError> {
        let name = function.name.to_string();
        let lower = name.to_lowercase();
        if function.over.is_some() {
            return Err(self.refuse(&format!("window function `{name}`"), &function.name));
        }
        match kind(&lower) {
            Some(Kind::Row) => {}
            Some(Kind::Aggregate) => {
                return Err(self.refuse(&format!("aggregate function `{name}`"), &function.name));
            }
            Some(Kind::Window) => {
                return Err(self.refuse(&format!("window function `{name}`"), &function.name));
            }
            Some(Kind::Rows) => {
                let error = self.error(format!("`{name}` is not possible here"), &function.name);
                return Err(error.hint("use the step `explode`"));
            }
            None => {
                let error = self.error(format!("function `{name}` is unknown"), &function.name);
                return Err(error.nearest(&lower, names()));
            }
        }
        if function.filter.is_some() {
            return Err(self.refuse("`FILTER`", &function.name));
        }
        if matches!(lower.as_str(), "date" | "timestamp" | "datetime") && n_args(function) < 2 {
            let error = self.error(
                format!("`{name}` without a format guesses it from the data"),
                &function.name,
            );
            return Err(error.hint("add one, such as '%Y-%m-%d', or use CAST, which reads ISO 8601"));
        }
        if lower == "regexp_like"
            && let FunctionArguments::List(list) = &function.args
            && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(pattern))) = list.args.get(1)
        {
            self.pattern(pattern)?;
        }
        if has_wildcard(function) {
            let error = self.error("`*` names several columns", &function.name);
            return Err(error.hint("name one column"));
        }
        Ok(())
    }
}

fn n_args(function: &Function) -> usize {
    match &function.args {
        FunctionArguments::List(list) => list.args.len(),
        _ => 0,
    }
}

fn has_wildcard(function: &Function) -> bool {
    let FunctionArguments::List(list) = &function.args else {
        return false;
    };
    list.args.iter().any(|arg| match arg {
        FunctionArg::Unnamed(arg) | FunctionArg::Named { arg, .. } | FunctionArg::ExprNamed { arg, .. } => {
            matches!(
                arg,
                FunctionArgExpr::Wildcard | FunctionArgExpr::QualifiedWildcard(_)
            )
        }
    })
}
