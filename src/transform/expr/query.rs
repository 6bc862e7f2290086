//! The look at a whole query before polars sees it: one `SELECT` over one table, and nothing that reads elsewhere.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Ident, JoinConstraint, JoinOperator, Query, Select, SelectItem, SetExpr,
    Spanned, Statement, TableFactor, Visit, Visitor, visit_expressions,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserOptions};

use super::functions::{Kind, kind, names};
use super::look::position;
use crate::base::nearest;
use crate::transform::CheckError;

/// A query that reads one table only.
#[derive(Debug, Clone)]
pub struct TableQuery {
    query: Query,
    text: String,
}

/// Reads `text`, a query over the table `table`.
///
/// # Errors
/// [`CheckError`] with the position of what is wrong, where the parser knows it.
pub fn query(text: &str, param: &'static str, table: &str) -> Result<TableQuery, CheckError> {
    if text.trim().is_empty() {
        let error = CheckError::new(param, "the query is empty");
        return Err(error.hint(format!("write one, such as `SELECT * FROM {table}`")));
    }
    let options = ParserOptions {
        trailing_commas: true,
        ..ParserOptions::default()
    };
    let statements = Parser::new(&GenericDialect)
        .with_options(options)
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| super::parse_error(&error, text, param))?;
    let mut look = Look {
        text,
        param,
        table,
        named: Vec::new(),
    };
    let mut statements = statements.into_iter();
    let query = match statements.next() {
        Some(Statement::Query(query)) => *query,
        Some(other) => return Err(look.no_query(&other)),
        None => return Err(CheckError::new(param, "the query is empty")),
    };
    if let Some(second) = statements.next() {
        let error = look.error("there is a second statement", &second);
        return Err(error.hint("write one query"));
    }
    match query.visit(&mut look) {
        ControlFlow::Break(error) => Err(*error),
        ControlFlow::Continue(()) => Ok(TableQuery {
            query,
            text: text.to_owned(),
        }),
    }
}

impl TableQuery {
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The query with `columns` of the table after its own, when each row that it gives is one of the table's.
    pub fn with_columns(&self, columns: &[&str]) -> Option<String> {
        let mut query = self.query.clone();
        if query.with.is_some() {
            return None;
        }
        let SetExpr::Select(select) = query.body.as_mut() else {
            return None;
        };
        if !is_by_row(select) {
            return None;
        }
        let is_star = |item: &SelectItem| match item {
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => true,
            SelectItem::UnnamedExpr(_)
            | SelectItem::ExprWithAlias { .. }
            | SelectItem::ExprWithAliases { .. } => false,
        };
        if !select.projection.iter().any(is_star) {
            let column =
                |name: &&str| SelectItem::UnnamedExpr(Expr::Identifier(Ident::with_quote('"', *name)));
            select.projection.extend(columns.iter().map(column));
        }
        Some(query.to_string())
    }

    /// Where the first column named `name` stands.
    pub fn place_of(&self, name: &str) -> Option<usize> {
        let found = visit_expressions(&self.query, |expr| {
            let ident = match expr {
                Expr::Identifier(ident) if ident.value == name => Some(ident),
                Expr::CompoundIdentifier(path) => path.iter().find(|ident| ident.value == name),
                _ => None,
            };
            match ident {
                Some(ident) => ControlFlow::Break(ident.span.start),
                None => ControlFlow::Continue(()),
            }
        });
        match found {
            ControlFlow::Break(place) => position(&self.text, place),
            ControlFlow::Continue(()) => None,
        }
    }
}

/// Whether a `SELECT` gives rows of one table, with other columns maybe, and none that it makes of several.
fn is_by_row(select: &Select) -> bool {
    let [from] = select.from.as_slice() else {
        return false;
    };
    let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(exprs, _) if exprs.is_empty());
    let is_distinct = matches!(select.distinct, Some(Distinct::Distinct | Distinct::On(_)));
    // `* ILIKE 'p%'` and its like choose among all columns.
    let is_choosing = select.projection.iter().any(|item| match item {
        SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) => {
            options.opt_ilike.is_some()
        }
        _ => false,
    });
    let sees_several = visit_expressions(select, |expr| match expr {
        Expr::Function(function)
            if function.over.is_none()
                && kind(&function.name.to_string().to_lowercase()) == Some(Kind::Aggregate) =>
        {
            ControlFlow::Break(())
        }
        Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    from.joins.is_empty()
        && matches!(from.relation, TableFactor::Table { .. })
        && !is_grouped
        && !is_distinct
        && !is_choosing
        && select.having.is_none()
        && sees_several.is_continue()
}

struct Look<'a> {
    text: &'a str,
    param: &'static str,
    table: &'a str,
    /// Tables that the query itself names by `WITH`.
    named: Vec<String>,
}

impl Look<'_> {
    fn error(&self, message: impl Into<String>, at: &impl Spanned) -> CheckError {
        CheckError::new(self.param, message).at(position(self.text, at.span().start))
    }

    fn no_query(&self, at: &impl Spanned) -> CheckError {
        let error = self.error("this is no query", at);
        error.hint(format!(
            "write one `SELECT`, such as `SELECT * FROM {}`",
            self.table
        ))
    }

    fn body(&self, body: &SetExpr) -> Result<(), CheckError> {
        match body {
            SetExpr::Select(select) if select.into.is_some() => {
                let error = self.error("`INTO` is not possible here", select.as_ref());
                Err(error.hint("the rows go to the next step"))
            }
            SetExpr::Select(_) | SetExpr::Query(_) => Ok(()),
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left)?;
                self.body(right)
            }
            other => Err(self.no_query(other)),
        }
    }

    /// Refuses joins of every row with every other.
    fn joins(&self, select: &Select) -> Result<(), CheckError> {
        let conditions = "every row would meet every other: write `JOIN ... ON`";
        if let [_, second, ..] = select.from.as_slice() {
            let error = self.error(
                "two tables without a condition are not possible here",
                &second.relation,
            );
            return Err(error.hint(conditions));
        }
        let mut joins = select.from.iter().flat_map(|from| &from.joins);
        match joins.find(|join| is_cross(&join.join_operator)) {
            Some(join) => {
                let error = self.error("a join without a condition is not possible here", &join.relation);
                Err(error.hint(conditions))
            }
            None => Ok(()),
        }
    }

    fn from(&self, factor: &TableFactor) -> Result<(), CheckError> {
        match factor {
            TableFactor::Table { name, args: None, .. } => {
                let written = name.to_string();
                let plain = written.trim_matches('"');
                if plain == self.table || self.named.iter().any(|known| known == plain) {
                    return Ok(());
                }
                let known = self.named.iter().map(String::as_str).chain([self.table]);
                let hint = match nearest(plain, known) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => format!("the rows before the step are the table `{}`", self.table),
                };
                Err(self
                    .error(format!("there is no table `{plain}`"), name)
                    .hint(hint))
            }
            TableFactor::Table { name, .. } | TableFactor::Function { name, .. } => {
                let error = self.error(format!("function `{name}` is not possible here"), name);
                Err(error.hint(format!(
                    "a query reads the table `{}` and nothing else",
                    self.table
                )))
            }
            TableFactor::Derived { .. } | TableFactor::NestedJoin { .. } => Ok(()),
            other => {
                let error = self.error("this kind of table is not possible here", other);
                Err(error.hint(format!(
                    "a query reads the table `{}` and nothing else",
                    self.table
                )))
            }
        }
    }

    fn expr(&self, expr: &Expr) -> Result<(), CheckError> {
        let Expr::Function(function) = expr else {
            return Ok(());
        };
        let name = function.name.to_string();
        match kind(&name.to_lowercase()) {
            Some(Kind::Row | Kind::Aggregate | Kind::Window) => Ok(()),
            Some(Kind::Rows) => {
                let error = self.error(format!("`{name}` is not possible here"), &function.name);
                Err(error.hint("use the step `explode`"))
            }
            None => {
                let error = self.error(format!("function `{name}` is unknown"), &function.name);
                Err(error.nearest(&name.to_lowercase(), names()))
            }
        }
    }
}

fn flow(result: Result<(), CheckError>) -> ControlFlow<Box<CheckError>> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(Box::new(error)),
    }
}

fn is_cross(join: &JoinOperator) -> bool {
    match join {
        JoinOperator::CrossJoin(_) => true,
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint) => matches!(constraint, JoinConstraint::None),
        _ => false,
    }
}

impl Visitor for Look<'_> {
    type Break = Box<CheckError>;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        for table in query.with.iter().flat_map(|with| &with.cte_tables) {
            let name = &table.alias.name;
            if name.value == self.table {
                let message = format!("`{}` is the table with the rows before the step", self.table);
                let error = CheckError::new(self.param, message).at(position(self.text, name.span.start));
                return flow(Err(error.hint("choose another name")));
            }
            self.named.push(name.value.clone());
        }
        flow(self.body(&query.body))
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Self::Break> {
        flow(self.joins(select))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Self::Break> {
        flow(self.from(factor))
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Self::Break> {
        flow(self.expr(expr))
    }
}
