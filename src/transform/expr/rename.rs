//! Gives columns in an expression other names, in its own text: whatever else stands there stays as it was written.

use std::ops::ControlFlow;

use sqlparser::ast::{AccessExpr, Expr, Ident, SelectItem, Visit, Visitor, visit_expressions};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use super::{look, parse};

/// The table that a whole query selects from.
const ROWS: &str = "rows";

/// `text` with the columns for which `new_name` gives another name. None when nothing changes, also for a text that does
/// not parse.
pub(in crate::transform) fn rename_in_expression(
    text: &str,
    new_name: &mut dyn FnMut(&str) -> Option<String>,
) -> Option<String> {
    let tree = parse(text, "").ok()?;
    let mut edits = Edits::default();
    edits.collect(&tree, new_name);
    edits.apply(text)
}

/// As [`rename_in_expression`], for a `SELECT`. Names that the query gives itself (`AS`) are its own.
pub(in crate::transform) fn rename_in_query(
    text: &str,
    new_name: &mut dyn FnMut(&str) -> Option<String>,
) -> Option<String> {
    let tree = Parser::parse_sql(&GenericDialect, text).ok()?;
    let mut aliases = Aliases::default();
    let walked = tree.visit(&mut aliases);
    debug_assert!(walked.is_continue(), "nothing breaks off the walk");
    let mut edits = Edits::default();
    edits.collect(&tree, &mut |name| {
        if aliases.0.iter().any(|alias| alias == name) {
            None
        } else {
            new_name(name)
        }
    });
    edits.apply(text)
}

/// Names that a query gives to what it computes.
#[derive(Default)]
struct Aliases(Vec<String>);

impl Visitor for Aliases {
    type Break = ();

    fn pre_visit_select(&mut self, select: &sqlparser::ast::Select) -> ControlFlow<()> {
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                self.0.push(alias.value.clone());
            }
        }
        ControlFlow::Continue(())
    }
}

/// A column in the text, and the name it gets.
struct Edit {
    column: Ident,
    name: String,
}

#[derive(Default)]
struct Edits(Vec<Edit>);

impl Edits {
    fn collect<T: Visit>(&mut self, tree: &T, new_name: &mut dyn FnMut(&str) -> Option<String>) {
        // Fields below a column are expressions of their own in the tree, and no columns.
        let mut fields: Vec<Ident> = Vec::new();
        let mut columns: Vec<Ident> = Vec::new();
        let walked: ControlFlow<()> = visit_expressions(tree, |expr| {
            match expr {
                Expr::Identifier(column) => columns.push(column.clone()),
                Expr::CompoundIdentifier(path) => match path.as_slice() {
                    [table, column, ..] if table.value == ROWS => columns.push(column.clone()),
                    [column, ..] => columns.push(column.clone()),
                    [] => {}
                },
                Expr::CompoundFieldAccess { access_chain, .. } => {
                    for access in access_chain {
                        if let AccessExpr::Dot(Expr::Identifier(field)) = access {
                            fields.push(field.clone());
                        }
                    }
                }
                _ => {}
            }
            ControlFlow::Continue(())
        });
        debug_assert!(walked.is_continue(), "nothing breaks off the walk");
        for column in columns {
            if fields
                .iter()
                .any(|field| field.span == column.span && field == &column)
            {
                continue;
            }
            if let Some(name) = new_name(&column.value) {
                self.0.push(Edit { column, name });
            }
        }
    }

    /// Writes the new names in their places, the last first, so that places before it stay.
    fn apply(self, text: &str) -> Option<String> {
        let mut chars: Vec<char> = text.chars().collect();
        let mut places = Vec::new();
        for edit in self.0 {
            let start = look::position(text, edit.column.span.start)? - 1;
            let end = end_of(&chars, start, &edit.column)?;
            places.push((start, end, written(&edit.name)));
        }
        places.sort_unstable();
        places.dedup();
        if places.is_empty() {
            return None;
        }
        for (start, end, name) in places.into_iter().rev() {
            if end > chars.len() || start > end {
                return None;
            }
            chars.splice(start..end, name.chars());
        }
        Some(chars.into_iter().collect())
    }
}

/// Where an identifier that starts at `start` ends.
fn end_of(chars: &[char], start: usize, ident: &Ident) -> Option<usize> {
    let Some(quote) = ident.quote_style else {
        return Some(start + ident.value.chars().count());
    };
    let close = if quote == '[' { ']' } else { quote };
    let mut at = start + 1;
    loop {
        match (chars.get(at)?, chars.get(at + 1)) {
            (c, Some(next)) if *c == close && *next == close => at += 2,
            (c, _) if *c == close => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// A name as it stands in an expression: quoted when it would be read as something else.
fn written(name: &str) -> String {
    let is_plain = matches!(parse(name, ""), Ok(Expr::Identifier(ident)) if ident.value == name && ident.quote_style.is_none());
    if is_plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests {
    use super::{rename_in_expression, rename_in_query};

    fn to_upper(name: &str) -> Option<String> {
        match name {
            "price" => Some("cost".to_owned()),
            "where from" => Some("origin".to_owned()),
            "place" => Some("the place".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn columns_are_renamed_and_everything_else_stays_as_it_was_written() {
        for (text, expected) in [
            ("price*2  +  price", "cost*2  +  cost"),
            ("'price' || \"where from\"", "'price' || origin"),
            ("place.price", "\"the place\".price"),
            ("place['price']", "\"the place\"['price']"),
            (
                "lower(place) LIKE '%price%' -- price",
                "lower(\"the place\") LIKE '%price%' -- price",
            ),
            ("größe > 0 AND\n  price > 1", "größe > 0 AND\n  cost > 1"),
            (
                "CASE WHEN price IS NULL THEN 0 END",
                "CASE WHEN cost IS NULL THEN 0 END",
            ),
        ] {
            assert_eq!(
                rename_in_expression(text, &mut to_upper).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        assert_eq!(rename_in_expression("a + 1", &mut to_upper), None);
        assert_eq!(rename_in_expression("price +", &mut to_upper), None);
    }

    #[test]
    fn a_query_keeps_the_names_it_gives_itself() {
        let text = "SELECT rows.price AS p, place AS where_to, p + 1 FROM rows WHERE price > 1 ORDER BY p";
        let expected =
            "SELECT rows.cost AS p, \"the place\" AS where_to, p + 1 FROM rows WHERE cost > 1 ORDER BY p";
        assert_eq!(rename_in_query(text, &mut to_upper).as_deref(), Some(expected));
    }
}
