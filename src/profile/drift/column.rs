//! What changed in one column between a baseline and a later profile, and how bad that is.

use serde::Serialize;

use super::baseline::{BaselineColumn, Categories, Category};
use super::bins::{OTHERS, covered, cutoff, psi_of_categories, psi_of_spreads, recurring};
use super::labels::number;
use super::measures::{KS_NOTE, KS_WARN, Ks, PSI_BAD, PSI_WARN, ks};
use super::overlap::Overlap;
use super::spread::Spread;
use crate::base::{Accuracy, units};
use crate::profile::Severity;

/// A change of the share of nulls that is worth a word, a warning, and that breaks what comes after. Our own convention.
const NULL_STEPS: [(f64, Severity); 3] = [
    (0.2, Severity::Bad),
    (0.05, Severity::Warn),
    (0.01, Severity::Note),
];
/// Standard errors beyond which a change of a share is no chance.
const Z_LIMIT: f64 = 3.0;
/// New and vanished values in so many rows are worth a warning.
const NEW_VALUES_WARN: f64 = 0.01;
/// So unlikely is it by chance that vanished values do not come up.
const GONE_BY_CHANCE: f64 = 0.01;
/// New and vanished values that are named.
const N_NAMED: usize = 10;
/// So large a share of values beyond all that were there before is worth a word.
const OUTSIDE_NOTE: f64 = 0.01;
/// Where the most frequent values are less than this part of the rows, their shares say nothing of the column.
const LEAST_COVERED: f64 = 0.2;

/// How the schema of a column changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum SchemaDrift {
    Added,
    Gone,
    Retyped {
        from: String,
        to: String,
    },
    /// There were no nulls, and now there are.
    BecameNullable,
}

/// What the bins of the index are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Ranges of values.
    Values,
    /// The values themselves.
    Categories,
    /// Ranges of lengths: characters of texts, items of lists.
    Lengths,
}

/// One bin with the share that each side has in it, 0..=1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PsiBin {
    pub label: String,
    pub before: f64,
    pub after: f64,
}

/// The population stability index and what it is made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Psi {
    pub value: f64,
    /// What chance alone reaches in 1 of 100 cases with so many rows.
    pub noise: f64,
    pub basis: Basis,
    pub bins: Vec<PsiBin>,
    pub accuracy: Accuracy,
}

/// Values of the later profile beyond all values of the baseline; the index counts them in its outermost bins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outside {
    /// The least and the greatest value of the baseline; times as seconds since 1970.
    pub least_before: f64,
    pub greatest_before: f64,
    /// Shares of the later values, 0..=1. Accuracy: within the steps of the ranks.
    pub below: f64,
    pub above: f64,
    /// The same in words: `25% are below 0, the least before`.
    pub text: String,
}

/// What changed in one column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnDrift {
    pub name: String,
    pub schema: Option<SchemaDrift>,
    pub severity: Severity,
    /// In a few words, such as `shifted: PSI 0.41, KS 0.32`.
    pub verdict: String,
    pub dtype_before: Option<String>,
    pub dtype_after: Option<String>,
    pub null_share_before: Option<f64>,
    pub null_share_after: Option<f64>,
    pub missing_share_before: Option<f64>,
    pub missing_share_after: Option<f64>,
    pub psi: Option<Psi>,
    pub ks: Option<Ks>,
    /// Accuracy of the distance.
    pub ks_accuracy: Option<Accuracy>,
    /// Of texts with more values than are listed: how far both sides have the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
    /// Nothing but the lengths of the values could be compared.
    pub is_lengths_only: bool,
    /// None where every value is within those of the baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside: Option<Outside>,
    /// Why there is neither index nor distance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_compared: Option<String>,
    /// Values that the baseline did not have, most frequent first.
    pub new_values: Vec<Category>,
    /// Values that are no longer there.
    pub gone_values: Vec<Category>,
    /// Of new and vanished values: estimates where not all values of both sides are known.
    pub values_accuracy: Accuracy,
    /// Each thing that was found, with how bad it is.
    #[serde(skip)]
    pub signs: Vec<Sign>,
}

/// One thing that was found in a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Sign {
    pub kind: SignKind,
    pub severity: Severity,
    /// A part of a sentence.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignKind {
    Schema,
    Distribution,
    Outside,
    Nulls,
    NewValues,
    GoneValues,
}

impl ColumnDrift {
    /// Sorts columns by how much they drifted: severity, then the index, then the distance.
    pub fn weight(&self) -> (Severity, f64) {
        let psi = self.psi.as_ref().map(|psi| psi.value);
        let ks = self.ks.map(|ks| ks.statistic);
        let by_overlap = self
            .overlap
            .filter(Overlap::is_telling)
            .map_or(0.0, |overlap| overlap.psi_at_least);
        (self.severity, psi.or(ks).unwrap_or(0.0).max(by_overlap))
    }

    /// Compares a column that may be missing on one side; none when it is on neither.
    pub fn of(
        before: Option<&BaselineColumn>,
        after: Option<&BaselineColumn>,
        is_exact: bool,
    ) -> Option<Self> {
        let name = before.or(after)?.name.clone();
        let mut drift = Self {
            name,
            schema: None,
            severity: Severity::Good,
            verdict: String::new(),
            dtype_before: before.map(|column| column.dtype.clone()),
            dtype_after: after.map(|column| column.dtype.clone()),
            null_share_before: before.and_then(BaselineColumn::null_share),
            null_share_after: after.and_then(BaselineColumn::null_share),
            missing_share_before: before.and_then(BaselineColumn::missing_share),
            missing_share_after: after.and_then(BaselineColumn::missing_share),
            psi: None,
            ks: None,
            ks_accuracy: None,
            overlap: None,
            is_lengths_only: false,
            outside: None,
            not_compared: None,
            new_values: Vec::new(),
            gone_values: Vec::new(),
            values_accuracy: Accuracy::Exact,
            signs: Vec::new(),
        };
        match (before, after) {
            (Some(before), Some(after)) => drift.both(before, after, is_exact),
            (None, Some(_)) => {
                drift.schema = Some(SchemaDrift::Added);
                drift.sign(SignKind::Schema, Severity::Note, "is new".to_owned());
            }
            _ => {
                drift.schema = Some(SchemaDrift::Gone);
                drift.sign(SignKind::Schema, Severity::Bad, "is gone".to_owned());
            }
        }
        drift.judge();
        Some(drift)
    }

    fn sign(&mut self, kind: SignKind, severity: Severity, text: String) {
        self.signs.push(Sign { kind, severity, text });
    }

    fn both(&mut self, before: &BaselineColumn, after: &BaselineColumn, is_exact: bool) {
        // Where all is null, JSON has no type to compare with.
        let is_retyped = before.dtype != after.dtype && before.n_values() > 0 && after.n_values() > 0;
        if is_retyped {
            let severity = retyped(&before.dtype, &after.dtype);
            let text = format!("is {} and was {}", after.dtype, before.dtype);
            self.sign(SignKind::Schema, severity, text);
            self.schema = Some(SchemaDrift::Retyped {
                from: before.dtype.clone(),
                to: after.dtype.clone(),
            });
        }
        self.nulls(before, after);
        if is_retyped && (before.numbers.is_none() || after.numbers.is_none()) {
            self.not_compared = Some("the types differ".to_owned());
            return;
        }
        let whole = before.categories.as_ref().zip(after.categories.as_ref());
        // A number that was not there before is news only where there are few.
        let is_listed = before.numbers.is_none() && after.numbers.is_none();
        if let Some((known, seen)) =
            whole.filter(|(known, seen)| is_listed || (known.is_whole && seen.is_whole))
        {
            self.values((known, before.n_rows), (seen, after.n_rows));
        }
        self.distribution(before, after, is_exact);
    }

    /// Shares of rows without a value, and without the key; of values that are no finite number.
    fn nulls(&mut self, before: &BaselineColumn, after: &BaselineColumn) {
        let changes = [
            ("null", before.n_null, after.n_null),
            (
                "missing",
                before.n_missing.unwrap_or_default(),
                after.n_missing.unwrap_or_default(),
            ),
        ];
        if before.n_null == 0 && before.n_rows > 0 && after.n_null > 0 && self.schema.is_none() {
            self.schema = Some(SchemaDrift::BecameNullable);
        }
        let sign = |word: &str, n, m| share_sign(word, (n, before.n_rows), (m, after.n_rows));
        let found = changes.into_iter().filter_map(|(word, n, m)| sign(word, n, m));
        // The first of equal ones: where a key is missing, it is null as well.
        let worst = found.reduce(|worst, other| if other.0 > worst.0 { other } else { worst });
        let not_finite = sign("NaN or infinite", before.n_not_finite(), after.n_not_finite());
        self.signs
            .extend(worst.into_iter().chain(not_finite).map(|(_, sign)| sign));
    }

    /// New and vanished values, each side with its number of rows.
    fn values(&mut self, (before, n_before): (&Categories, u64), (after, n_after): (&Categories, u64)) {
        let missing = |from: &Categories, of: &Categories| {
            let is_known = |value: &Category| of.values.iter().any(|known| known.value == value.value);
            let found = from.values.iter().filter(|value| !is_known(value));
            // A value that is not among the most frequent may still be there; only one that is more frequent than the
            // least of those, by more than chance makes of it, is not.
            let expected = cutoff(of) * 2.0 * from.n as f64;
            let least = if of.is_whole {
                0.0
            } else {
                expected + Z_LIMIT * expected.sqrt() + 2.0
            };
            found
                .filter(|value| value.n as f64 > least)
                .cloned()
                .collect::<Vec<_>>()
        };
        let is_exact = before.is_whole && after.is_whole;
        // Ids are always new.
        if !is_exact && covered(before).min(covered(after)) < LEAST_COVERED {
            self.values_accuracy = Accuracy::Estimate;
            return;
        }
        self.values_accuracy = if is_exact {
            Accuracy::Exact
        } else {
            Accuracy::Estimate
        };
        let new = missing(after, before);
        let gone = missing(before, after);
        let n_new: u64 = new.iter().map(|value| value.n).sum();
        let share = n_new as f64 / n_after.max(1) as f64;
        if let Some(first) = new.first().filter(|_| is_more_than_chance(n_new, before, after)) {
            let severity = if share >= NEW_VALUES_WARN {
                Severity::Warn
            } else {
                Severity::Note
            };
            let named = units::plural(new.len() as u64, "new value");
            let text = format!(
                "{named} in {} of rows, such as `{}`",
                units::percent(share),
                cut(&first.value)
            );
            self.sign(SignKind::NewValues, severity, text);
        }
        self.gone(&gone, (before, n_before), after);
        self.new_values = new.into_iter().take(N_NAMED).collect();
        self.gone_values = gone.into_iter().take(N_NAMED).collect();
    }

    /// Says which values are no longer there, where that is no chance.
    fn gone(&mut self, gone: &[Category], (before, n_before): (&Categories, u64), after: &Categories) {
        let n: u64 = gone.iter().map(|value| value.n).sum();
        let share = n as f64 / n_before.max(1) as f64;
        let by_chance = (1.0 - n as f64 / before.n.max(1) as f64).powf(after.n as f64);
        let Some(first) = gone.first().filter(|_| by_chance < GONE_BY_CHANCE) else {
            return;
        };
        let severity = if share >= NEW_VALUES_WARN {
            Severity::Warn
        } else {
            Severity::Note
        };
        let what = match gone.len() {
            1 => format!("`{}` is gone, which was", cut(&first.value)),
            n => format!(
                "{} values are gone, such as `{}`, which were",
                units::count(n as u64),
                cut(&first.value)
            ),
        };
        let text = format!("{what} in {} of rows", units::percent(share));
        self.sign(SignKind::GoneValues, severity, text);
    }

    fn distribution(&mut self, before: &BaselineColumn, after: &BaselineColumn, is_exact: bool) {
        let accuracy = |is_counted: bool| {
            if is_exact && is_counted {
                Accuracy::Exact
            } else {
                Accuracy::Estimate
            }
        };
        if before.n_values() == 0 || after.n_values() == 0 {
            self.not_compared = Some("one side has no values".to_owned());
            return;
        }
        let categories = before.categories.as_ref().zip(after.categories.as_ref());
        let numbers = before.numbers.as_ref().zip(after.numbers.as_ref());
        if let Some((known, seen)) = numbers {
            self.ks = Some(ks(known, seen));
            self.ks_accuracy = Some(Accuracy::Estimate);
            self.beyond(known, seen);
        }
        let has_few = |both: &(&Categories, &Categories)| both.0.is_whole && both.1.is_whole;
        // Numbers with few values are codes: their values are better bins than ranges.
        if let Some((known, seen)) = categories.filter(|both| numbers.is_none() || has_few(both)) {
            let is_counted = known.error == 0 && seen.error == 0 && has_few(&(known, seen));
            if recurring(known).max(recurring(seen)) >= LEAST_COVERED || has_few(&(known, seen)) {
                let psi = psi_of_categories(known, seen, accuracy(is_counted));
                // Where nearly all is in the one bin of all others, equal shares say nothing.
                let rest = |psi: &Psi| {
                    psi.bins
                        .iter()
                        .rfind(|bin| bin.label == OTHERS)
                        .map_or(0.0, |bin| bin.before.min(bin.after))
                };
                self.psi = psi.filter(|psi| rest(psi) <= 1.0 - LEAST_COVERED);
            }
        } else if let Some((known, seen)) = numbers {
            self.psi = psi_of_spreads(known, seen, Basis::Values, &after.dtype);
        }
        let is_whole = categories.is_some_and(|both| has_few(&both));
        if numbers.is_none() && !is_whole {
            self.overlap = Overlap::of(before, after);
        }
        let has_values =
            self.psi.is_some() || self.ks.is_some() || self.overlap.is_some_and(|o| o.is_telling());
        self.lengths(before, after, is_whole);
        self.is_lengths_only = !has_values && self.is_of_lengths();
        if self.psi.is_none() && self.ks.is_none() && !has_values {
            let why = if before.dtype.starts_with("struct") {
                "its fields are"
            } else {
                "no value is frequent enough"
            };
            self.not_compared = Some(why.to_owned());
        }
        if let Some(overlap) = self.overlap.filter(|overlap| overlap.severity() > Severity::Good) {
            self.sign(SignKind::Distribution, overlap.severity(), overlap.text());
        }
        if let Some((severity, text)) = self.shift() {
            self.sign(SignKind::Distribution, severity, text);
        }
    }

    /// Lengths, where values are not compared, or where those that are not listed may have changed: of texts that are nearly
    /// all different, the few that are frequent say little.
    fn lengths(&mut self, before: &BaselineColumn, after: &BaselineColumn, is_whole: bool) {
        let Some((known, seen)) = before.lengths.as_ref().zip(after.lengths.as_ref()) else {
            return;
        };
        let by_values = self.psi.as_ref().map(|psi| psi.value);
        if is_whole && by_values.is_some() {
            return;
        }
        let by_lengths = psi_of_spreads(known, seen, Basis::Lengths, "uint64");
        let is_more = |psi: &Psi| by_values.is_none_or(|value| psi.value > value.max(psi.noise));
        if let Some(psi) = by_lengths.filter(is_more) {
            self.psi = Some(psi);
            self.ks = Some(ks(known, seen));
            self.ks_accuracy = Some(Accuracy::Estimate);
        }
    }

    /// Values beyond all that were there before.
    fn beyond(&mut self, before: &Spread, after: &Spread) {
        let (Some(least), Some(greatest)) = (before.quantiles.first(), before.quantiles.last()) else {
            return;
        };
        let (below, above) = (after.below(*least), 1.0 - after.at_or_below(*greatest));
        if below <= 0.0 && above <= 0.0 {
            return;
        }
        let dtype = self.dtype_after.as_deref().unwrap_or_default();
        let part =
            |share: f64, text: String| (share > 0.0).then(|| format!("{} {text}", units::percent(share)));
        let parts = [
            part(
                below,
                format!("below {}, the least before", number(*least, dtype)),
            ),
            part(
                above,
                format!("above {}, the greatest before", number(*greatest, dtype)),
            ),
        ];
        let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" and ");
        // Of few rows, the next few may well be beyond all of them.
        let by_chance = 5.0 / before.n.max(1) as f64;
        if below + above >= OUTSIDE_NOTE.max(by_chance) {
            self.sign(SignKind::Outside, Severity::Note, text.clone());
        }
        self.outside = Some(Outside {
            least_before: *least,
            greatest_before: *greatest,
            below,
            above,
            text,
        });
    }

    /// How bad the shift of values is, and what says so.
    fn shift(&self) -> Option<(Severity, String)> {
        let psi = self.psi.as_ref().map(|psi| (psi.value, psi.noise, psi.basis));
        let by_psi = psi.map_or(Severity::Good, |(value, noise, _)| match value {
            value if value >= PSI_BAD.max(noise) => Severity::Bad,
            value if value >= PSI_WARN.max(noise) => Severity::Warn,
            _ => Severity::Good,
        });
        let by_ks = self.ks.filter(Ks::is_significant).map_or(Severity::Good, |ks| {
            let least = ks.statistic - ks.error;
            match least {
                least if least >= KS_WARN => Severity::Warn,
                least if least >= KS_NOTE => Severity::Note,
                _ => Severity::Good,
            }
        });
        let severity = by_psi.max(by_ks);
        if severity == Severity::Good {
            return None;
        }
        let what = match psi {
            Some((_, _, Basis::Lengths)) if self.is_lengths_only => "lengths only: shifted",
            Some((_, _, Basis::Lengths)) => "lengths shifted",
            _ if severity == Severity::Bad => "shifted much",
            _ => "shifted",
        };
        Some((severity, format!("{what}: {}", self.measures())))
    }

    /// `PSI 0.41, KS 0.32`; empty when nothing was measured.
    pub fn measures(&self) -> String {
        let psi = self.psi.as_ref().map(|psi| format!("PSI {:.2}", psi.value));
        let ks = self.ks.map(|ks| format!("KS {:.2}", ks.statistic));
        psi.into_iter().chain(ks).collect::<Vec<_>>().join(", ")
    }

    fn is_of_lengths(&self) -> bool {
        self.psi.as_ref().is_some_and(|psi| psi.basis == Basis::Lengths)
    }

    /// Why the values themselves say nothing.
    fn why_lengths_only(&self) -> &'static str {
        match self.overlap {
            Some(_) => {
                "nearly every value occurs once, as ids do, so that the values themselves are not compared"
            }
            None if self
                .dtype_after
                .as_deref()
                .is_some_and(|dtype| dtype.starts_with("list")) =>
            {
                "its items are compared by themselves"
            }
            None => {
                "the values themselves are not compared: a baseline that is saved again has a sample of them"
            }
        }
    }

    fn judge(&mut self) {
        self.signs
            .sort_by_key(|sign| (std::cmp::Reverse(sign.severity), sign.kind));
        self.severity = self.signs.first().map_or(Severity::Good, |sign| sign.severity);
        self.verdict = match self.signs.as_slice() {
            [] => match (self.measures(), &self.not_compared) {
                // Equal lengths say nothing of the values.
                (measures, _) if self.is_lengths_only => {
                    format!("lengths only: stable, {measures}; {}", self.why_lengths_only())
                }
                (measures, _) if self.overlap.is_some_and(|overlap| overlap.is_telling()) => {
                    let overlap = self.overlap.map(|overlap| overlap.text()).unwrap_or_default();
                    let what = if self.is_of_lengths() {
                        "lengths stable"
                    } else {
                        "stable"
                    };
                    if measures.is_empty() {
                        format!("stable: {overlap}")
                    } else {
                        format!("{what}: {measures}; {overlap}")
                    }
                }
                (measures, _) if !measures.is_empty() => format!("stable: {measures}"),
                (_, Some(why)) => format!("not compared: {why}"),
                _ => "stable".to_owned(),
            },
            signs => {
                let texts: Vec<&str> = signs.iter().map(|sign| sign.text.as_str()).collect();
                texts.join("; ")
            }
        };
    }
}

/// The beginning of a long value, on one line.
fn cut(value: &str) -> String {
    const MAX: usize = 40;
    if value.is_empty() {
        return "\"\" (empty)".to_owned();
    }
    let line = value.replace(['\n', '\r'], " ");
    match line.char_indices().nth(MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// Whether `n_new` values of `after` that `before` does not have are more than two draws of the same values would give: the
/// share of values that occur once is what is still unseen (Good and Turing, as in `overlap`).
fn is_more_than_chance(n_new: u64, before: &Categories, after: &Categories) -> bool {
    // Of a list that is not whole, each value was held against the least of the list.
    if !before.is_whole {
        return true;
    }
    let n_once = before.values.iter().filter(|value| value.n == 1).count();
    let (n, m) = (before.n.max(1) as f64, after.n.max(1) as f64);
    let (by_chance, share) = (n_once as f64 / n, n_new as f64 / m);
    share > by_chance + Z_LIMIT * (by_chance * (1.0 - by_chance) * (1.0 / n + 1.0 / m)).sqrt()
}

/// How bad another type is: one that takes all values of the old one loses nothing.
fn retyped(from: &str, to: &str) -> Severity {
    let bits = |dtype: &str, kind: &str| -> Option<u32> { dtype.strip_prefix(kind)?.parse().ok() };
    let is_wider = ["int", "uint", "float"]
        .into_iter()
        .any(|kind| bits(from, kind).zip(bits(to, kind)).is_some_and(|(a, b)| a < b));
    let is_of_time = from.starts_with("timestamp") && to.starts_with("timestamp");
    let is_integer = bits(from, "int").or_else(|| bits(from, "uint")).is_some();
    if is_wider || is_of_time {
        Severity::Note
    } else if is_integer && to == "float64" {
        Severity::Warn
    } else {
        Severity::Bad
    }
}

/// What to say of a share of rows that changed, with by how much; none where that may be chance or is too little.
fn share_sign(word: &str, (n, n_rows): (u64, u64), (m, m_rows): (u64, u64)) -> Option<(f64, Sign)> {
    let (was, is, z) = share_change((n, n_rows), (m, m_rows))?;
    let change = (is - was).abs();
    let step = NULL_STEPS.iter().find(|(least, _)| change >= *least);
    let is_first = n == 0 && m > 0;
    let severity = match step {
        _ if z < Z_LIMIT => return None,
        Some((_, severity)) => *severity,
        None if is_first => Severity::Note,
        None => return None,
    };
    let before = if n == 0 {
        "never".to_owned()
    } else {
        units::percent(was)
    };
    let text = format!("{word} in {} of rows, {before} before", units::percent(is));
    let kind = SignKind::Nulls;
    Some((change, Sign { kind, severity, text }))
}

/// Two shares and how many standard errors they lie apart. None without rows.
fn share_change((n, n_rows): (u64, u64), (m, m_rows): (u64, u64)) -> Option<(f64, f64, f64)> {
    if n_rows == 0 || m_rows == 0 {
        return None;
    }
    let (was, is) = (n as f64 / n_rows as f64, m as f64 / m_rows as f64);
    let pooled = (n + m) as f64 / (n_rows + m_rows) as f64;
    let variance = pooled * (1.0 - pooled) * (1.0 / n_rows as f64 + 1.0 / m_rows as f64);
    let z = if variance > 0.0 {
        (is - was).abs() / variance.sqrt()
    } else {
        0.0
    };
    Some((was, is, z))
}
