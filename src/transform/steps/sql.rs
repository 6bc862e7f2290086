//! Runs a whole SQL query over the rows so far; they are the table `rows`.
//!
//! One `SELECT` of polars' SQL, with everything in it: `WITH`, joins of `rows` with itself, `GROUP BY`, window functions,
//! `UNION`, subqueries in `FROM` and `IN`. What expressions mean where it surprises (nulls, overflow, rounding) is written in the documentation
//! of `transform::expr`; casts and comparisons of times with text are polars' own here, so read times by `parse_timestamp`
//! first.
//!
//! ```yaml
//! - sql:
//!     query: |
//!       SELECT country, count(*) AS n, avg(salary) AS salary
//!       FROM rows WHERE salary > 0
//!       GROUP BY country ORDER BY n DESC
//! ```
//!
//! Use it for what no other step says, or to bring a query along. `filter`, `derive`, `aggregate` and `window` say which
//! rows and columns they touch, run larger days, and find mistakes earlier.
//!
//! Rows without `ORDER BY` keep the order of the rows they come from, groups that of their first rows. A plain `SELECT` on
//! `rows` keeps the origin of each row; what a query makes of several rows (`GROUP BY`, `DISTINCT`, joins, `WITH`) has the
//! origin of the partition's first row, which is what quarantine names if a later step rejects such a row. In the books
//! rows that are fewer than before are merged, more are made.
//!
//! Limits: it needs all rows of a partition in memory at once, and what it makes of them: joins of `rows` with itself
//! are counted by key before they are computed, and one that would make more than memory holds is stopped; without a condition it
//! is refused. It reads no other table or file, and sees the rows of one
//! partition, never those of two. The columns of the result are settled by the query alone, without looking at data. Sums
//! and means of fractions over all rows (without `GROUP BY`) are added up in as many pieces as the machine has threads, so
//! their last digits may differ between machines: use `aggregate` where they must not.

mod growth;

use std::sync::Arc;

use polars::lazy::dsl::DslPlan;
use polars::prelude::{
    DataFrame, DataType, Expr, IntoLazy, LazyFrame, MaintainOrderJoin, NULL, PlSmallStr, PolarsError, Schema,
    UniqueKeepStrategy, lit,
};
use polars::series::IsSorted;
use polars::sql::SQLContext;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Params;
use super::row_groups::on_frame;
use super::select::hidden_columns;
use crate::dataset::origin;
use crate::transform::expr::TableQuery;
use crate::transform::python::{self, Python};
use crate::transform::step::{Behaviour, Growth, RowEffect, Scope, check_new_name, exactly, shortened};
use crate::transform::{CheckError, Inputs, execute, expr};

/// The rows so far, as a query calls them.
const TABLE: &str = "rows";

/// Parameters of `sql`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sql {
    /// One `SELECT` over the table `rows`.
    #[schemars(extend("x-input" = "query"))]
    pub query: String,
}

impl Params for Sql {
    const GROUP: &'static str = "rows";
    const REQUIRED: &'static [&'static str] = &["query"];
}

impl Sql {
    fn read(&self) -> Result<TableQuery, CheckError> {
        expr::query(&self.query, "query", TABLE)
    }
}

/// The query on `lf`, whose visible columns are `schema`; with hidden columns after those of the result.
fn queried(query: &TableQuery, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, PolarsError> {
    let mut lf = in_one_piece(lf);
    let has_places = lf.collect_schema()?.contains(origin::ROW);
    let mut hidden = vec![origin::OBJECT, origin::LINE, origin::OFFSET];
    hidden.extend(has_places.then_some(origin::ROW));
    if let Some(text) = query.with_columns(&hidden) {
        return run(&text, lf);
    }
    let visible: Vec<Expr> = schema.iter_names().map(|name| exactly(name.clone())).collect();
    let mut first = lf.clone().select([hidden_columns()]).limit(1);
    if has_places {
        // What is made of several rows has the place of none of them.
        first = first.with_columns([lit(NULL).cast(DataType::UInt64).alias(origin::ROW)]);
    }
    Ok(run(query.text(), lf.select(visible))?.cross_join(first, None))
}

fn run(text: &str, lf: LazyFrame) -> Result<LazyFrame, PolarsError> {
    let mut context = SQLContext::new();
    context.register(TABLE, lf);
    Ok(LazyFrame::from(in_order(&context.execute(text)?.logical_plan)))
}

/// The rows as if they had come at once: how they were cut or sorted before must not show in a sum of fractions.
fn in_one_piece(lf: LazyFrame) -> LazyFrame {
    on_frame(
        lf,
        "rows",
        |_| {},
        |mut df| {
            df.rechunk_mut();
            let columns = df.columns().iter().cloned().map(|mut column| {
                column.set_sorted_flag(IsSorted::Not);
                column
            });
            DataFrame::new(df.height(), columns.collect())
        },
    )
}

/// The plan with rows and groups in the order they come from, where polars would give them in any.
fn in_order(plan: &DslPlan) -> DslPlan {
    let mut plan = plan.clone();
    let below = |input: &mut Arc<DslPlan>| *input = Arc::new(in_order(input));
    match &mut plan {
        // Polars' own copy, planned already.
        DslPlan::IR { dsl, .. } => return in_order(dsl),
        DslPlan::GroupBy {
            input,
            maintain_order,
            ..
        } => {
            *maintain_order = true;
            below(input);
        }
        DslPlan::Distinct { input, options } => {
            options.maintain_order = true;
            if options.keep_strategy == UniqueKeepStrategy::Any {
                options.keep_strategy = UniqueKeepStrategy::First;
            }
            below(input);
        }
        DslPlan::Sort {
            input, sort_options, ..
        } => {
            sort_options.maintain_order = true;
            below(input);
        }
        DslPlan::Join {
            input_left,
            input_right,
            options,
            ..
        } => {
            Arc::make_mut(options).args.maintain_order = MaintainOrderJoin::LeftRight;
            below(input_left);
            below(input_right);
        }
        DslPlan::Union { inputs, args } => {
            args.maintain_order = true;
            for input in inputs {
                *input = in_order(input);
            }
        }
        DslPlan::HConcat { inputs, .. } => {
            for input in inputs {
                *input = in_order(input);
            }
        }
        DslPlan::ExtContext { input, contexts } => {
            below(input);
            for context in contexts {
                *context = in_order(context);
            }
        }
        DslPlan::Filter { input, .. }
        | DslPlan::Cache { input, .. }
        | DslPlan::Select { input, .. }
        | DslPlan::HStack { input, .. }
        | DslPlan::Slice { input, .. }
        | DslPlan::MapFunction { input, .. } => below(input),
        _ => {}
    }
    plan
}

/// What polars says, with the place of the column that it does not find.
fn explained(message: &str, query: &TableQuery, schema: &Schema) -> CheckError {
    let unknown = message
        .split_once("unable to find column \"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(name, _)| name);
    match unknown {
        Some(name) => CheckError::new("query", format!("column `{name}` not found"))
            .at(query.place_of(name))
            .nearest(name, schema.iter_names().map(PlSmallStr::as_str)),
        None => CheckError::new("query", message),
    }
}

impl Behaviour for Sql {
    fn check(&self, schema: &Schema) -> Result<Schema, CheckError> {
        let query = self.read()?;
        let no_rows = DataFrame::empty_with_schema(&origin::with_origin(schema)).lazy();
        let planned = execute::guarded(|| {
            let mut lf = queried(&query, no_rows, schema).map_err(|error| expr::short(&error))?;
            let output = lf.collect_schema().map_err(|error| expr::short(&error))?;
            execute::try_frame(lf)?;
            Ok(output)
        });
        let output = planned.map_err(|message| explained(&message, &query, schema))?;
        let output = origin::without_hidden(&output);
        for name in output.iter_names() {
            check_new_name("query", name)?;
        }
        if output.is_empty() {
            return Err(CheckError::new("query", "the query gives no column").hint("select at least one"));
        }
        Ok(output)
    }

    fn apply(&self, lf: LazyFrame, schema: &Schema) -> Result<LazyFrame, CheckError> {
        let query = self.read()?;
        queried(&query, lf, schema).map_err(|error| explained(&expr::short(&error), &query, schema))
    }

    fn python(&self, schema: &Schema, _: &Inputs, script: &mut Python) -> Result<(), String> {
        let output = self.check(schema).map_err(|error| error.to_string())?;
        script.line("# Without ORDER BY the order of groups is not settled.");
        script.line(format!(
            "df = pl.SQLContext({TABLE}=df).execute({}, eager=True)",
            python::quoted(&self.query)
        ));
        // Counts have other types in other builds of polars.
        let casts: Vec<String> = output
            .iter()
            .filter(|(_, dtype)| dtype.is_integer())
            .map(|(name, dtype)| format!("{}: {}", python::quoted(name), python::dtype(dtype)))
            .collect();
        if !casts.is_empty() {
            script.line(format!("df = df.cast({{{}}})", casts.join(", ")));
        }
        Ok(())
    }

    fn summary(&self) -> String {
        shortened(&self.query, 60)
    }

    fn subject(&self) -> String {
        String::new()
    }

    fn scope(&self) -> Scope {
        Scope::Partition
    }

    fn row_effect(&self) -> RowEffect {
        RowEffect::Remakes
    }

    fn n_rows_after(&self, df: &DataFrame, _: &Inputs) -> Option<Growth> {
        let query = self.read().ok()?;
        let lf = run(query.text(), origin::strip(df).lazy()).ok()?;
        growth::largest_join(&lf.logical_plan)
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use super::super::testing::{floats, ints, outcome, run, step};
    use crate::transform::{CheckError, Inputs};

    fn input() -> DataFrame {
        df!(
            "k" => [Some("b"), Some("a"), None, Some("b"), Some("a")],
            "n" => [Some(1i64), Some(2), Some(3), Some(4), None],
            "x" => [0.1, 0.2, 0.3, 0.4, 0.5],
        )
        .unwrap()
    }

    fn sql(query: &str) -> String {
        format!("sql: {{query: {}}}", serde_json::to_string(query).unwrap())
    }

    fn lines(query: &str) -> Vec<u64> {
        let outcome = outcome(&sql(query), &input());
        let lines = outcome.df.column("__skewer_line").unwrap().u64().unwrap();
        lines.iter().flatten().collect()
    }

    #[test]
    fn a_plain_select_keeps_the_origin_of_each_row() {
        for (query, expected) in [
            ("SELECT * FROM rows", vec![1, 2, 3, 4, 5]),
            (
                "SELECT n + 1 AS m FROM rows WHERE n > 1 ORDER BY n DESC",
                vec![4, 3, 2],
            ),
            ("SELECT k, n FROM rows LIMIT 2", vec![1, 2]),
            (
                "SELECT k, sum(n) OVER (PARTITION BY k) AS s FROM rows",
                vec![1, 2, 3, 4, 5],
            ),
            ("SELECT r.* EXCLUDE (x) FROM rows AS r", vec![1, 2, 3, 4, 5]),
        ] {
            assert_eq!(lines(query), expected, "{query}");
        }
        let output = run(
            &sql("SELECT n + 1 AS m FROM rows WHERE n > 1 ORDER BY n DESC"),
            &input(),
        );
        assert_eq!(output, df!("m" => [5i64, 4, 3]).unwrap());
    }

    #[test]
    fn groups_come_in_the_order_of_their_first_rows_with_the_origin_of_the_first_of_all() {
        let query = "SELECT k, sum(n) AS n, max(x) AS x FROM rows GROUP BY k";
        let expected = df!("k" => [Some("b"), Some("a"), None], "n" => [5i64, 2, 3], "x" => [0.4, 0.5, 0.3]);
        for _ in 0..5 {
            assert_eq!(&run(&sql(query), &input()), expected.as_ref().unwrap());
        }
        assert_eq!(lines(query), [1, 1, 1]);
        let distinct = run(&sql("SELECT DISTINCT k FROM rows"), &input());
        assert_eq!(distinct, df!("k" => [Some("b"), Some("a"), None]).unwrap());
    }

    #[test]
    fn everything_in_one_query_reads_the_same_rows() {
        let query = "WITH t AS (SELECT k, count(*) AS c FROM rows GROUP BY k) \
                     SELECT r.n, t.c FROM rows r JOIN t ON r.k = t.k \
                     WHERE r.n IS NOT NULL ORDER BY r.n";
        assert_eq!(
            ints(&run(&sql(query), &input()), "n"),
            [Some(1), Some(2), Some(4)]
        );
        let union = run(&sql("SELECT n FROM rows UNION ALL SELECT n FROM rows"), &input());
        assert_eq!(union.height(), 10);
        let counts = &outcome(&sql("SELECT n FROM rows UNION ALL SELECT n FROM rows"), &input()).counts[0];
        assert_eq!((counts.rows_in, counts.rows_out, counts.rows_made), (5, 10, 5));
        let counts = &outcome(&sql("SELECT count(*) AS c FROM rows"), &input()).counts[0];
        assert_eq!((counts.rows_in, counts.rows_out, counts.rows_merged), (5, 1, 4));
        assert_eq!(
            outcome(&sql("SELECT count(*) AS c FROM rows"), &input().clear())
                .df
                .height(),
            0
        );
        let of_keys = run(
            &sql("SELECT n FROM rows WHERE k IN (SELECT k FROM rows WHERE n > 3)"),
            &input(),
        );
        assert_eq!(ints(&of_keys, "n"), [Some(1), Some(4)]);
    }

    #[test]
    fn a_sum_of_a_group_does_not_depend_on_how_rows_are_chunked() {
        let values: Vec<f64> = (0..10_000)
            .map(|n| f64::from(n).sin() * 1e10_f64.powi(n % 3))
            .collect();
        let whole = df!("x" => values, "k" => vec![1i64; 10_000]).unwrap();
        let mut chunked = whole.slice(0, 17);
        for start in (17..10_000).step_by(331) {
            chunked.vstack_mut(&whole.slice(start, 331)).unwrap();
        }
        let query = sql("SELECT sum(x) AS s FROM rows GROUP BY k");
        assert_eq!(
            floats(&run(&query, &chunked), "s"),
            floats(&run(&query, &whole), "s")
        );
    }

    fn error(query: &str) -> CheckError {
        step(&sql(query))
            .check(input().schema(), &Inputs::default())
            .expect_err(query)
    }

    #[test]
    fn what_is_no_query_over_the_rows_is_refused_with_its_place() {
        for (query, position, message) in [
            ("", None, "the query is empty"),
            (
                "SELECT * FROM row",
                Some(15),
                "there is no table `row`: did you mean `rows`?",
            ),
            (
                "SELECT * FROM read_csv('/etc/passwd')",
                Some(15),
                "function `read_csv` is not possible here",
            ),
            ("SELECT * FROM '/etc/passwd'", None, "there is no table"),
            (
                "SELECT * FROM rows WHERE n IN (SELECT n FROM other)",
                Some(46),
                "there is no table `other`",
            ),
            (
                "SELECT * FROM rows; SELECT 1",
                Some(21),
                "there is a second statement",
            ),
            ("DROP TABLE rows", None, "this is no query: write one `SELECT`"),
            (
                "SELECT * FROM rows WHERE",
                Some(25),
                "expected an expression, but the expression ends",
            ),
            ("SELECT n, prise FROM rows", Some(11), "column `prise` not found"),
            (
                "SELECT lowr(k) AS s FROM rows",
                Some(8),
                "function `lowr` is unknown: did you mean `lower`?",
            ),
            (
                "SELECT unnest(k) FROM rows",
                Some(8),
                "`unnest` is not possible here: use the step `explode`",
            ),
            (
                "WITH rows AS (SELECT 1 AS a) SELECT * FROM rows",
                Some(6),
                "`rows` is the table",
            ),
            (
                "SELECT a.n FROM rows a, rows b",
                Some(25),
                "two tables without a condition are not possible here",
            ),
            (
                "SELECT a.n FROM rows a CROSS JOIN rows b",
                Some(35),
                "a join without a condition is not possible here",
            ),
            (
                "SELECT n INTO t FROM rows",
                Some(1),
                "`INTO` is not possible here",
            ),
            ("VALUES (1)", Some(8), "this is no query"),
            ("SELECT __skewer_line FROM rows", None, ""),
            ("SELECT k + 1.5 AS z, upper(n) AS y FROM rows", None, ""),
        ] {
            let error = error(query);
            assert!(error.to_string().starts_with(message), "{query}: {error}");
            if position.is_some() {
                assert_eq!(error.position, position, "{query}: {error}");
            }
            assert!(!error.message.contains('\n'), "{query}: {error}");
        }
    }
}
