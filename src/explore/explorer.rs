//! Runs a recipe on a page and keeps what it gave, so that a change of one step recomputes only from that step on.

use std::collections::HashSet;
use std::sync::Arc;

use polars::prelude::DataFrame;

use super::cache::{Cache, Known, PrefixId, Rows};
use super::compare::Comparison;
use super::explored::{Explored, as_reject};
use super::ledger::{ColumnChanges, Facts, ledger, nulls_made};
use super::pairing::{Pairing, take_places, with_places};
use crate::base::{Cancel, Cancelled};
use crate::dataset::{Page, origin};
use crate::transform::{CheckError, FitSource, FitState, Inputs, Plan, Recipe, Step, StepError};

/// Bytes of rows that are kept for the next exploration.
const LIMIT_BYTES: usize = 256 << 20;

/// A first run pays for what later ones find ready, and would call the first step the costliest. Steps that took less
/// than this together are timed once more, unnoticed.
const RETIMED_BELOW_NANOS: u64 = 40_000_000;

/// Explores recipes on pages, and remembers what it computed.
#[derive(Debug)]
pub struct Explorer {
    cache: Cache,
    /// Steps computed since it was made.
    n_computed: u64,
}

impl Default for Explorer {
    fn default() -> Self {
        Self::with_limit(LIMIT_BYTES)
    }
}

/// Why rows could not be computed.
enum Failure {
    Cancelled,
    /// A step failed on no row in particular.
    Step {
        depth: usize,
        message: String,
    },
}

impl From<Cancelled> for Failure {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// The steps that run, in order.
struct Chain<'a> {
    page: &'a Page,
    start: PrefixId,
    links: Vec<ChainLink>,
    /// Steps computed in this exploration: depth, rows before, nanoseconds.
    fresh: Vec<(usize, DataFrame, u64)>,
}

struct ChainLink {
    id: PrefixId,
    /// 0-based place in the recipe.
    at: usize,
    plan: Arc<Plan>,
}

impl Chain<'_> {
    /// The prefix after the first `depth` steps that run.
    fn id(&self, depth: usize) -> PrefixId {
        let last = depth.checked_sub(1).and_then(|last| self.links.get(last));
        last.map_or(self.start, |link| link.id)
    }
}

impl Explorer {
    /// An explorer that keeps at most so many bytes of rows.
    pub fn with_limit(limit_bytes: usize) -> Self {
        Self {
            cache: Cache::new(limit_bytes),
            n_computed: 0,
        }
    }

    /// Bytes of rows held for the next exploration; columns that several steps share count once.
    pub fn n_bytes(&self) -> usize {
        self.cache.n_bytes()
    }

    /// Steps computed since the explorer was made: shows what was taken from an earlier exploration.
    pub fn n_computed(&self) -> u64 {
        self.n_computed
    }

    /// Runs the enabled steps among the first `n_steps` on `page`, whose content `stamp` stands for: pages with the same
    /// stamp hold the same rows.
    ///
    /// A step that does not check is a state to show: the steps above it run, and the rows shown are those before it. A
    /// step that has not learned what it needs learns it from the rows before it; `source` says what rows these are.
    ///
    /// # Errors
    /// [`Cancelled`]; what was computed until then is kept.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one of the things a page is made from"
    )]
    pub fn explore(
        &mut self,
        stamp: u64,
        page: &Page,
        recipe: &Recipe,
        n_steps: usize,
        inputs: &Inputs,
        source: &FitSource,
        cancel: &Cancel,
    ) -> Result<Explored, Cancelled> {
        cancel.check()?;
        let n_steps = n_steps.min(recipe.steps.len());
        let mut explored = Explored::of_page(page);
        let mut chain = Chain {
            page,
            start: self.cache.start(stamp, inputs),
            links: Vec::new(),
            fresh: Vec::new(),
        };
        let mut n_good = self.check(recipe, inputs, source, cancel, &mut chain, &mut explored)?;
        n_good = n_good.min(n_steps);
        let mut depth = chain.links.iter().filter(|link| link.at < n_good).count();
        let rows = match self.rows(&mut chain, depth, cancel) {
            Ok(rows) => rows,
            Err(Failure::Cancelled) => return Err(Cancelled),
            Err(Failure::Step {
                depth: failed,
                message,
            }) => {
                explored.error = Some(message);
                // Everything before the failure was computed.
                depth = failed.saturating_sub(1);
                n_good = chain.links.get(depth).map_or(n_good, |link| link.at);
                self.rows(&mut chain, depth, cancel).map_err(|_| Cancelled)?
            }
        };
        explored.n_steps = n_good;
        explored.rests_on(recipe, n_good, inputs);
        explored.df = origin::strip(&rows.df);
        explored.origins = rows
            .df
            .select([origin::OBJECT, origin::LINE, origin::OFFSET])
            .ok();
        self.compare(&mut chain, depth, n_good, &rows, cancel, &mut explored)?;
        self.time_again(&chain, cancel);
        self.book(&chain, depth, inputs, &mut explored);
        self.cache.forget_unused_fits();
        Ok(explored)
    }

    /// The step at `at` (0-based) with what it learns from the rows before it, whatever it has learned so far.
    ///
    /// # Errors
    /// Why it cannot learn, or that it was cancelled.
    #[expect(clippy::too_many_arguments, reason = "as `explore`")]
    pub fn refit_step(
        &mut self,
        stamp: u64,
        page: &Page,
        recipe: &Recipe,
        at: usize,
        inputs: &Inputs,
        source: &FitSource,
        cancel: &Cancel,
    ) -> Result<Step, String> {
        let Some(step) = recipe.steps.get(at).map(|step| &step.step) else {
            return Err(format!("the recipe has no step {}", at + 1));
        };
        let mut above = recipe.clone();
        above.steps.truncate(at);
        let mut explored = Explored::of_page(page);
        let mut chain = Chain {
            page,
            start: self.cache.start(stamp, inputs),
            links: Vec::new(),
            fresh: Vec::new(),
        };
        let n_good = self
            .check(&above, inputs, source, cancel, &mut chain, &mut explored)
            .map_err(|error| error.to_string())?;
        if let Some(Err(error)) = explored.checks.get(n_good) {
            return Err(error.to_string());
        }
        let depth = chain.links.len();
        let rows = self
            .rows(&mut chain, depth, cancel)
            .map_err(|failure| match failure {
                Failure::Cancelled => Cancelled.to_string(),
                Failure::Step { message, .. } => message,
            })?;
        match step.fit(&origin::strip(&rows.df), source) {
            Some(Ok(fitted)) => {
                self.cache.keep_fit(chain.id(depth), step.clone(), fitted.clone());
                Ok(fitted)
            }
            Some(Err(error)) => Err(step_error(at, step, error).to_string()),
            None => Err(format!(
                "step {} `{}` learns nothing from data",
                at + 1,
                step.label()
            )),
        }
    }

    /// Checks every step, and lets those learn that have to. Returns how many steps at the beginning can run.
    fn check(
        &mut self,
        recipe: &Recipe,
        inputs: &Inputs,
        source: &FitSource,
        cancel: &Cancel,
        chain: &mut Chain<'_>,
        explored: &mut Explored,
    ) -> Result<usize, Cancelled> {
        let mut schema = origin::without_hidden(chain.page.df.schema());
        let mut n_good = None;
        for (at, written) in recipe.steps.iter().enumerate() {
            if !written.enabled {
                explored.checks.push(Ok(schema.clone()));
                continue;
            }
            let can_run = n_good.is_none();
            let step = &written.step;
            let fitted = if can_run && step.fit_state() == Some(FitState::NotFitted) {
                self.fit(at, step, source, cancel, chain)?
            } else {
                None
            };
            let plan = match fitted {
                Some(Err(error)) => Err(error),
                Some(Ok(fitted)) => {
                    let plan = self.cache.plan(at + 1, &fitted, &schema, inputs);
                    explored.fits.push((at, fitted.clone()));
                    plan.map(|plan| (plan, fitted))
                }
                None => self
                    .cache
                    .plan(at + 1, step, &schema, inputs)
                    .map(|plan| (plan, step.clone())),
            };
            match plan {
                Ok((plan, step)) => {
                    schema = plan.output().clone();
                    if can_run {
                        let id = self.cache.then(chain.id(chain.links.len()), &step);
                        chain.links.push(ChainLink { id, at, plan });
                    }
                    explored.checks.push(Ok(schema.clone()));
                }
                Err(error) => {
                    n_good = n_good.or(Some(at));
                    explored.checks.push(Err(error));
                }
            }
        }
        Ok(n_good.unwrap_or(recipe.steps.len()))
    }

    /// The step with what it learns from the rows after the chain so far. None when it learns nothing, or when there are
    /// no such rows: then the failure is another step's.
    fn fit(
        &mut self,
        at: usize,
        step: &Step,
        source: &FitSource,
        cancel: &Cancel,
        chain: &mut Chain<'_>,
    ) -> Result<Option<Result<Step, StepError>>, Cancelled> {
        let depth = chain.links.len();
        if let Some(fitted) = self.cache.fitted(chain.id(depth), step) {
            return Ok(Some(Ok(fitted)));
        }
        let rows = match self.rows(chain, depth, cancel) {
            Ok(rows) => rows,
            Err(Failure::Cancelled) => return Err(Cancelled),
            Err(Failure::Step { .. }) => return Ok(None),
        };
        let fitted = match step.fit(&origin::strip(&rows.df), source) {
            None => return Ok(None),
            Some(Ok(fitted)) => fitted,
            Some(Err(error)) => return Ok(Some(Err(step_error(at, step, error)))),
        };
        self.cache.keep_fit(chain.id(depth), step.clone(), fitted.clone());
        Ok(Some(Ok(fitted)))
    }

    /// The rows after the first `depth` steps that run: those that an earlier exploration left, or computed from the
    /// nearest ones.
    fn rows(&mut self, chain: &mut Chain<'_>, depth: usize, cancel: &Cancel) -> Result<Rows, Failure> {
        let mut from = depth;
        while from > 0 && !self.cache.has_rows(chain.id(from)) {
            from -= 1;
        }
        let mut rows = match self.cache.rows(chain.id(from)) {
            Some(rows) if from > 0 => rows,
            _ => Rows {
                df: chain.page.df.clone(),
                pairing: Arc::new(Pairing::Same),
            },
        };
        for depth in from + 1..=depth {
            cancel.check()?;
            rows = self.step(chain, depth, rows.df)?;
        }
        Ok(rows)
    }

    /// Runs the step at `depth` on `before`, the rows before it.
    fn step(&mut self, chain: &mut Chain<'_>, depth: usize, before: DataFrame) -> Result<Rows, Failure> {
        let link = depth.checked_sub(1).and_then(|last| chain.links.get(last));
        let Some(link) = link else {
            let pairing = Arc::new(Pairing::Same);
            return Ok(Rows { df: before, pairing });
        };
        let numbered = with_places(&before);
        let mut outcome = link
            .plan
            .execute_stepwise(numbered.clone())
            .map_err(|error| Failure::Step {
                depth,
                message: error.to_string(),
            })?;
        self.n_computed += 1;
        let pairing = take_places(&mut outcome.df, &before);
        let counts = outcome.counts.pop().unwrap_or_default();
        let nanos = counts.nanos;
        let known = Known {
            facts: Facts {
                counts,
                columns: ColumnChanges::between(&before, &outcome.df),
                nulls: nulls_made(&before, &outcome.df, &pairing),
            },
            rejects: outcome.rejects.into(),
        };
        let rows = Rows {
            df: outcome.df,
            pairing: Arc::new(pairing),
        };
        self.cache.keep(link.id, known, rows.clone(), &before);
        chain.fresh.push((depth, numbered, nanos));
        Ok(rows)
    }

    /// Runs the steps computed just now once more, when that is quick, and keeps the shorter time of each.
    fn time_again(&mut self, chain: &Chain<'_>, cancel: &Cancel) {
        let nanos: u64 = chain.fresh.iter().map(|(_, _, nanos)| nanos).sum();
        if nanos >= RETIMED_BELOW_NANOS {
            return;
        }
        for (depth, before, _) in &chain.fresh {
            let link = depth.checked_sub(1).and_then(|last| chain.links.get(last));
            if let Some(link) = link
                && !cancel.is_cancelled()
                && let Ok(again) = link.plan.execute_stepwise(before.clone())
                && let Some(counts) = again.counts.last()
            {
                self.cache.keep_shorter_time(link.id, counts.nanos);
            }
        }
    }

    /// Says what the last shown step changed, if it is switched on.
    fn compare(
        &mut self,
        chain: &mut Chain<'_>,
        depth: usize,
        n_steps: usize,
        rows: &Rows,
        cancel: &Cancel,
        explored: &mut Explored,
    ) -> Result<(), Cancelled> {
        let Some(last) = depth.checked_sub(1) else {
            return Ok(());
        };
        let is_last_shown = chain.links.get(last).is_some_and(|link| link.at + 1 == n_steps);
        let Some(known) = self.cache.known(chain.id(depth)).cloned() else {
            return Ok(());
        };
        if !is_last_shown {
            return Ok(());
        }
        let before = match self.rows(chain, last, cancel) {
            Ok(before) => before.df,
            Err(Failure::Cancelled) => return Err(Cancelled),
            // They were computed a moment ago.
            Err(Failure::Step { .. }) => return Ok(()),
        };
        let rejected: HashSet<(u32, u64, u64)> = known
            .rejects
            .iter()
            .map(|reject| (reject.object, reject.line, reject.byte_offset))
            .collect();
        explored.compare(Comparison::new(
            &before,
            &rows.df,
            rows.pairing.as_ref().clone(),
            &known.facts.counts,
            &rejected,
        ));
        Ok(())
    }

    /// Adds ledger and rejects. The ledger also tells of steps beyond those shown, where they ran before.
    fn book(&self, chain: &Chain<'_>, depth: usize, inputs: &Inputs, explored: &mut Explored) {
        let mut facts = Vec::new();
        for (index, link) in chain.links.iter().enumerate() {
            let Some(known) = self.cache.known(link.id) else {
                break;
            };
            let number = link.at + 1;
            let mut own = known.facts.clone();
            // The step may have another number than when it ran.
            own.counts.number = number;
            facts.push(own);
            if index < depth {
                let rejects = known.rejects.iter();
                explored.rejects.extend(rejects.map(|reject| {
                    let of_page = chain.page.objects.get(reject.object as usize);
                    as_reject(reject, number, of_page.map(String::as_str), inputs)
                }));
            }
        }
        explored.ledger = ledger(facts);
    }
}

fn step_error(at: usize, step: &Step, error: CheckError) -> StepError {
    StepError {
        number: at + 1,
        label: step.label(),
        error,
    }
}

/// Runs the enabled steps among the first `n_steps` on `page`, for one time only.
pub fn explore_once(
    page: &Page,
    recipe: &Recipe,
    n_steps: usize,
    inputs: &Inputs,
    source: &FitSource,
) -> Explored {
    let explored = Explorer::default().explore(0, page, recipe, n_steps, inputs, source, &Cancel::new());
    // Nobody else holds the cancel.
    explored.unwrap_or_default()
}

#[cfg(test)]
mod tests;
