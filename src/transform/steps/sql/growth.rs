//! How many rows the joins of a query would make, counted by key before any of them is computed.

use std::sync::Arc;

use polars::lazy::dsl::DslPlan;
use polars::prelude::{
    DataFrame, DataType, Expr, IdxSize, JoinArgs, JoinType, LazyFrame, PlSmallStr, SortMultipleOptions, col,
    len,
};

use crate::transform::execute;
use crate::transform::step::{Growth, exactly, shortened};

/// The count of a key's rows on either side, and their product.
const N_LEFT: &str = "__skewer_n_left";
const N_RIGHT: &str = "__skewer_n_right";
const N_BOTH: &str = "__skewer_n_both";

/// After a join that makes more, what reads its rows is not counted: counting would compute them.
const FAR_TOO_MANY: u64 = 10_000_000;

/// The largest join of a plan, by rows. None without joins, or where they cannot be counted.
pub(super) fn largest_join(plan: &DslPlan) -> Option<Growth> {
    let mut joins = Vec::new();
    find(plan, &mut joins);
    let mut largest: Option<Growth> = None;
    // Innermost first: what a join is counted by is computed only when the joins below it are known to be small.
    for join in joins {
        let growth = counted(join)?;
        let is_far_too_large = growth.n_rows > FAR_TOO_MANY;
        if largest.as_ref().is_none_or(|known| growth.n_rows > known.n_rows) {
            largest = Some(growth);
        }
        if is_far_too_large {
            break;
        }
    }
    largest
}

/// Joins of a plan, each after those it reads.
fn find<'a>(plan: &'a DslPlan, joins: &mut Vec<&'a DslPlan>) {
    match plan {
        DslPlan::IR { dsl: input, .. }
        | DslPlan::GroupBy { input, .. }
        | DslPlan::Distinct { input, .. }
        | DslPlan::Sort { input, .. }
        | DslPlan::Filter { input, .. }
        | DslPlan::Cache { input, .. }
        | DslPlan::Select { input, .. }
        | DslPlan::HStack { input, .. }
        | DslPlan::Slice { input, .. }
        | DslPlan::MapFunction { input, .. } => find(input, joins),
        DslPlan::Join {
            input_left,
            input_right,
            ..
        } => {
            find(input_left, joins);
            find(input_right, joins);
            joins.push(plan);
        }
        DslPlan::Union { inputs, .. } | DslPlan::HConcat { inputs, .. } => {
            for input in inputs {
                find(input, joins);
            }
        }
        DslPlan::ExtContext { input, contexts } => {
            find(input, joins);
            for context in contexts {
                find(context, joins);
            }
        }
        _ => {}
    }
}

/// Rows of one join: each key's rows on the left times those on the right, and what an outer join keeps besides.
fn counted(join: &DslPlan) -> Option<Growth> {
    let DslPlan::Join {
        input_left,
        input_right,
        left_on,
        right_on,
        options,
        ..
    } = join
    else {
        return None;
    };
    if matches!(options.args.how, JoinType::Semi | JoinType::Anti) {
        return Some(Growth {
            n_rows: 0,
            added_bytes: 0,
            worst: String::new(),
        });
    }
    if left_on.is_empty() {
        // Every row meets every other, whatever is asked of them then.
        let n_rows = count(input_left)?.saturating_mul(count(input_right)?);
        return Some(Growth {
            n_rows,
            added_bytes: 0,
            worst: "every row meets every other".to_owned(),
        });
    }
    let (left, n_left) = keys(input_left, left_on, N_LEFT)?;
    let (right, n_right) = keys(input_right, right_on, N_RIGHT)?;
    let names: Vec<Expr> = (0..left_on.len()).map(|at| exactly(key_name(at))).collect();
    let args = JoinArgs::new(JoinType::Inner);
    let both = left
        .join(right, names.clone(), names, args)
        .with_columns([
            (col(N_LEFT).cast(DataType::UInt64) * col(N_RIGHT).cast(DataType::UInt64)).alias(N_BOTH),
        ]);
    let by_size = SortMultipleOptions::default().with_order_descending(true);
    let both = execute::collect(both.sort([N_BOTH], by_size)).ok()?;
    let matched = both.column(N_BOTH).ok()?.u64().ok()?.iter().flatten();
    let matched = matched.fold(0_u64, u64::saturating_add);
    let unmatched = match options.args.how {
        JoinType::Left => n_left,
        JoinType::Right => n_right,
        JoinType::Full => n_left + n_right,
        _ => 0,
    };
    Some(Growth {
        n_rows: matched.saturating_add(unmatched),
        added_bytes: 0,
        worst: worst(&both, left_on.len()),
    })
}

fn count(input: &Arc<DslPlan>) -> Option<u64> {
    let rows = LazyFrame::from(DslPlan::clone(input)).select([len().alias(N_BOTH)]);
    let counts = execute::collect(rows).ok()?;
    counts
        .column(N_BOTH)
        .ok()?
        .as_materialized_series()
        .sum::<u64>()
        .ok()
}

fn key_name(at: usize) -> PlSmallStr {
    PlSmallStr::from_string(format!("__skewer_key_{at}"))
}

/// Each key of one side with the number of its rows, and the number of all of them.
fn keys(input: &Arc<DslPlan>, on: &[Expr], n: &'static str) -> Option<(LazyFrame, u64)> {
    let key = |at: usize| exactly(key_name(at));
    // A key may be a constant: added as columns it is as long as the rows.
    let named = (0..).zip(on).map(|(at, expr)| expr.clone().alias(key_name(at)));
    let rows = LazyFrame::from(DslPlan::clone(input)).with_columns(named.collect::<Vec<_>>());
    let counts = rows
        .group_by((0..on.len()).map(key).collect::<Vec<_>>())
        .agg([len().alias(n)]);
    let counts = execute::collect(counts).ok()?;
    let n_rows = counts
        .column(n)
        .ok()?
        .as_materialized_series()
        .sum::<u64>()
        .ok()?;
    Some((polars::prelude::IntoLazy::lazy(counts), n_rows))
}

/// ``the key 'US', which 3,000 rows have on the left and 2,000 on the right``.
fn worst(both: &DataFrame, n_keys: usize) -> String {
    let count = |name: &str| -> Option<u64> {
        let counts: IdxSize = both.column(name).ok()?.get(0).ok()?.extract()?;
        Some(u64::from(counts))
    };
    let (Some(n_left), Some(n_right)) = (count(N_LEFT), count(N_RIGHT)) else {
        return String::new();
    };
    let key: Vec<String> = (0..n_keys)
        .filter_map(|at| Some(both.column(&key_name(at)).ok()?.get(0).ok()?.to_string()))
        .collect();
    format!(
        "most come from the key {}, which {} have on the left and {} on the right",
        shortened(&key.join(", "), 60),
        crate::base::units::plural(n_left, "row"),
        crate::base::units::count(n_right),
    )
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, df};

    use crate::transform::Inputs;
    use crate::transform::steps::testing::{recipe, run, with_origins};

    /// Rows of three keys: 300, 200 and 1 of them.
    fn rows() -> DataFrame {
        let keys = [vec!["hot"; 300], vec!["warm"; 200], vec!["cold"]].concat();
        let n: Vec<i64> = (0..501).collect();
        df!("k" => keys, "n" => n).unwrap()
    }

    fn error(query: &str, max_bytes: u64) -> Option<String> {
        let rows = rows();
        let plan = recipe(&format!("- sql: {{query: \"{query}\"}}"))
            .compile(1, rows.schema(), &Inputs::default())
            .unwrap()
            .with_max_made_bytes(max_bytes);
        let error = plan.execute(with_origins(&rows)).err()?;
        assert!(error.is_too_large);
        Some(error.message)
    }

    #[test]
    fn a_join_by_a_hot_key_is_stopped_before_it_is_computed() {
        let query = "SELECT a.n FROM rows a JOIN rows b ON a.k = b.k";
        assert_eq!(error(query, 100 << 20), None);
        let message = error(query, 1 << 20).unwrap();
        // 300 x 300 + 200 x 200 + 1.
        assert!(message.starts_with("it would make 130,001 rows"), "{message}");
        let key = "most come from the key \"hot\", which 300 rows have on the left and 300 on the right";
        assert!(message.contains(key), "{message}");
    }

    #[test]
    fn what_a_query_leaves_of_a_large_join_does_not_make_it_small() {
        for query in [
            "SELECT count(*) AS c FROM rows a JOIN rows b ON a.k = b.k",
            "WITH t AS (SELECT a.n AS n FROM rows a LEFT JOIN rows b ON a.k = b.k) SELECT n FROM t LIMIT 1",
            "SELECT n FROM rows UNION ALL SELECT a.n FROM rows a FULL JOIN rows b ON a.k = b.k",
        ] {
            assert!(error(query, 1 << 20).is_some(), "{query}");
        }
    }

    #[test]
    fn joins_that_stay_small_run() {
        for query in [
            "SELECT a.n FROM rows a JOIN rows b ON a.n = b.n",
            "SELECT a.n FROM rows a LEFT SEMI JOIN rows b ON a.k = b.k",
            "SELECT n FROM rows WHERE k IN (SELECT k FROM rows)",
            "SELECT k, count(*) AS c FROM rows GROUP BY k",
        ] {
            assert_eq!(error(query, 1 << 20), None, "{query}");
        }
        let joined = run(
            "sql: {query: 'SELECT a.n FROM rows a JOIN rows b ON a.n = b.n WHERE a.n < 2'}",
            &rows(),
        );
        assert_eq!(joined, df!("n" => [0_i64, 1]).unwrap());
    }

    #[test]
    fn a_condition_that_always_holds_is_no_way_around() {
        let query = "SELECT a.n FROM rows a JOIN rows b ON 1 = 1";
        let rows = rows();
        let plan =
            recipe(&format!("- sql: {{query: \"{query}\"}}")).compile(1, rows.schema(), &Inputs::default());
        // Refused when it is checked, or stopped when it runs; never computed.
        if let Ok(plan) = plan {
            let plan = plan.with_max_made_bytes(1 << 20);
            assert!(plan.execute(with_origins(&rows)).unwrap_err().is_too_large);
        }
    }
}
