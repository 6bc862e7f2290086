//! The bins of the population stability index: the most frequent values, or the baseline's deciles.

use super::baseline::Categories;
use super::column::{Basis, Psi, PsiBin};
use super::labels::range_text;
use super::measures::{psi, psi_noise};
use super::spread::{Cut, Spread};
use crate::base::Accuracy;

/// Bins of numbers: the baseline's deciles, as is usual.
const N_BINS: usize = 10;
/// The bin of values that are not told apart.
pub(super) const OTHERS: &str = "all others";

/// The share that the listed values have of all.
pub(super) fn covered(categories: &Categories) -> f64 {
    let n: u64 = categories.values.iter().map(|value| value.n).sum();
    n as f64 / categories.n.max(1) as f64
}

/// The share that the listed values have of all, without those that were seen once: of a few rows, all are listed.
pub(super) fn recurring(categories: &Categories) -> f64 {
    let values = categories.values.iter().map(|value| value.n);
    let n: u64 = values.filter(|n| *n > 1).sum();
    n as f64 / categories.n.max(1) as f64
}

/// The largest share that a value not listed can have.
pub(super) fn cutoff(categories: &Categories) -> f64 {
    if categories.is_whole {
        return 0.0;
    }
    let least = categories.values.last().map_or(0, |value| value.n);
    (least + categories.error) as f64 / categories.n.max(1) as f64
}

/// Over the values that are known to be frequent on either side; all others are one bin.
pub(super) fn psi_of_categories(before: &Categories, after: &Categories, accuracy: Accuracy) -> Option<Psi> {
    let share = |of: &Categories, value: &str| {
        let listed = of.values.iter().find(|known| known.value == value);
        listed.map(|known| known.n as f64 / of.n.max(1) as f64)
    };
    let mut bins: Vec<PsiBin> = Vec::new();
    for (side, other) in [(before, after), (after, before)] {
        for value in &side.values {
            if bins.iter().any(|bin| bin.label == value.value) {
                continue;
            }
            let here = value.n as f64 / side.n.max(1) as f64;
            let is_listed = share(other, &value.value).is_some();
            if !is_listed && here < 2.0 * cutoff(other) {
                continue;
            }
            // What is not listed is taken for as frequent as it can be, so that the index is not too large.
            let at = |of: &Categories| share(of, &value.value).unwrap_or_else(|| cutoff(of));
            bins.push(PsiBin {
                label: value.value.clone(),
                before: at(before),
                after: at(after),
            });
        }
    }
    let rest = |side: fn(&PsiBin) -> f64| (1.0 - bins.iter().map(side).sum::<f64>()).max(0.0);
    let others = PsiBin {
        label: OTHERS.to_owned(),
        before: rest(|bin| bin.before),
        after: rest(|bin| bin.after),
    };
    if others.before > 1e-9 || others.after > 1e-9 {
        bins.push(others);
    }
    made(bins, Basis::Categories, (before.n, after.n), accuracy)
}

/// Over the baseline's deciles. The outermost bins are open: what is beyond all values of the baseline counts in them.
pub(super) fn psi_of_spreads(before: &Spread, after: &Spread, basis: Basis, dtype: &str) -> Option<Psi> {
    let cuts = before.cuts(N_BINS);
    let mut bins = Vec::with_capacity(cuts.len() + 1);
    let mut from: Option<Cut> = None;
    for to in cuts.iter().copied().map(Some).chain([None]) {
        let share = |spread: &Spread| {
            let low = from.map_or(0.0, |cut| spread.up_to(cut));
            let high = to.map_or(1.0, |cut| spread.up_to(cut));
            (high - low).max(0.0)
        };
        bins.push(PsiBin {
            label: range_text(from, to, dtype),
            before: share(before),
            after: share(after),
        });
        from = to;
    }
    // Below the least value of the baseline, or above its greatest, may be nothing on either side.
    bins.retain(|bin| bin.before > 0.0 || bin.after > 0.0);
    made(bins, basis, (before.n, after.n), Accuracy::Estimate)
}

fn made(bins: Vec<PsiBin>, basis: Basis, (n, m): (u64, u64), accuracy: Accuracy) -> Option<Psi> {
    let counts = |side: fn(&PsiBin) -> f64, n: u64| -> Vec<f64> {
        bins.iter().map(|bin| side(bin) * n as f64).collect()
    };
    let value = psi(&counts(|bin| bin.before, n), &counts(|bin| bin.after, m))?;
    Some(Psi {
        value,
        noise: psi_noise(bins.len(), n, m).unwrap_or(0.0),
        basis,
        bins,
        accuracy,
    })
}
