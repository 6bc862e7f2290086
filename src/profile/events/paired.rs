//! One figure of two runs side by side: its text, its change, and whether the change is for the better.

use serde::Serialize;

use crate::base::units;

/// What a figure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PairedUnit {
    Seconds,
    Bytes,
    Count,
    /// 0..=1.
    Share,
}

/// Whether less of it is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Less,
    /// Neither way says anything by itself, such as rows read.
    None,
}

/// A change under this share of what was is within what two runs of the same program differ by.
const NOTABLE: f64 = 0.02;
/// So is one under this time.
const NOTABLE_SECONDS: f64 = 0.05;

/// A figure before and after; none where one of them does not tell it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Paired {
    pub name: &'static str,
    pub unit: PairedUnit,
    pub before: Option<f64>,
    pub after: Option<f64>,
    #[serde(skip)]
    wish: Wish,
}

impl Paired {
    const fn new(
        name: &'static str,
        unit: PairedUnit,
        wish: Wish,
        values: (Option<f64>, Option<f64>),
    ) -> Self {
        Self {
            name,
            unit,
            before: values.0,
            after: values.1,
            wish,
        }
    }

    /// The same figure, of which neither way is better: the two are not of the same work.
    #[must_use]
    pub const fn without_wish(self) -> Self {
        Self {
            wish: Wish::None,
            ..self
        }
    }

    /// A time, of which less is better.
    pub const fn time(name: &'static str, before: Option<f64>, after: Option<f64>) -> Self {
        Self::new(name, PairedUnit::Seconds, Wish::Less, (before, after))
    }

    /// A share, of which less is better.
    pub const fn share(name: &'static str, before: Option<f64>, after: Option<f64>) -> Self {
        Self::new(name, PairedUnit::Share, Wish::Less, (before, after))
    }

    pub fn bytes(name: &'static str, before: impl Into<Option<u64>>, after: impl Into<Option<u64>>) -> Self {
        let value = |n: Option<u64>| n.map(|n| n as f64);
        let values = (value(before.into()), value(after.into()));
        Self::new(name, PairedUnit::Bytes, Wish::None, values)
    }

    pub fn count(name: &'static str, before: u64, after: u64) -> Self {
        let values = (Some(before as f64), Some(after as f64));
        Self::new(name, PairedUnit::Count, Wish::None, values)
    }

    /// The same figure, of which less is better.
    #[must_use]
    pub const fn less_is_better(self) -> Self {
        Self {
            wish: Wish::Less,
            ..self
        }
    }

    /// Whether either of them tells it.
    pub fn is_known(&self) -> bool {
        self.before.or(self.after).is_some()
    }

    /// After less before: negative is less.
    pub fn change(&self) -> Option<f64> {
        Some(self.after? - self.before?)
    }

    /// Whether the change is more than two runs of the same program differ by.
    pub fn is_notable(&self) -> bool {
        let Some(change) = self.change() else { return false };
        let floor = match self.unit {
            PairedUnit::Seconds => NOTABLE_SECONDS,
            // A hundredth of all.
            PairedUnit::Share => return change.abs() >= 0.01,
            PairedUnit::Bytes | PairedUnit::Count => 0.0,
        };
        let most = self
            .before
            .unwrap_or(0.0)
            .abs()
            .max(self.after.unwrap_or(0.0).abs());
        change.abs() > floor.max(most * NOTABLE)
    }

    /// Whether it became better; none where it did not change notably, or where neither way is better.
    pub fn is_better(&self) -> Option<bool> {
        let change = self.change().filter(|_| self.is_notable())?;
        (self.wish == Wish::Less).then_some(change < 0.0)
    }

    /// The figure of one side as people read it; a dash where there is none.
    pub fn text(&self, value: Option<f64>) -> String {
        units::or_dash(value, |value| self.unit.text(value))
    }

    /// `−12.3 s (−44%)`, `same`, or a dash where one of them does not tell it.
    ///
    /// ```
    /// use skewer::profile::events::Paired;
    /// let wall = Paired::time("wall time", Some(28.0), Some(14.0));
    /// assert_eq!(wall.change_text(), "−14.0 s (−50%)");
    /// assert_eq!(Paired::count("tasks", 0, 7).change_text(), "+7");
    /// ```
    pub fn change_text(&self) -> String {
        self.changed(|size, share| match share {
            Some(share) => format!("{size} ({share})"),
            None => size,
        })
    }

    /// The change in few letters, for a headline: `−50%`, or its size where nothing was before.
    ///
    /// ```
    /// use skewer::profile::events::Paired;
    /// assert_eq!(Paired::time("wall time", Some(28.0), Some(14.0)).short_change_text(), "−50%");
    /// assert_eq!(Paired::count("tasks", 0, 7).short_change_text(), "+7");
    /// ```
    pub fn short_change_text(&self) -> String {
        self.changed(|size, share| share.unwrap_or(size))
    }

    /// The size of the change, and its share of what was before, each with its sign, put together by `join`.
    fn changed(&self, join: impl FnOnce(String, Option<String>) -> String) -> String {
        let Some(change) = self.change() else {
            return "–".to_owned();
        };
        if change == 0.0 {
            return "same".to_owned();
        }
        let sign = if change < 0.0 { "−" } else { "+" };
        let size = match self.unit {
            PairedUnit::Share => units::percent(change.abs()).replace('%', " points"),
            unit => unit.text(change.abs()),
        };
        // A share changes by points; a share of a share is read wrongly.
        let before = self
            .before
            .filter(|before| *before > 0.0 && self.unit != PairedUnit::Share);
        let share = before.map(|before| format!("{sign}{}", units::percent((change / before).abs())));
        join(format!("{sign}{size}"), share)
    }
}

impl PairedUnit {
    /// A value as people read it.
    pub fn text(self, value: f64) -> String {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "sizes and counts are not negative"
        )]
        let whole = value.max(0.0).round() as u64;
        match self {
            Self::Seconds => units::seconds(value),
            Self::Bytes => units::bytes(whole),
            Self::Count => units::count(whole),
            Self::Share => units::percent(value),
        }
    }
}

/// A setting of two runs that differs; none where one of them does not set it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingDelta {
    pub name: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::Paired;

    #[test]
    fn a_change_has_its_sign_and_is_better_only_where_less_is_wished_and_it_is_notable() {
        let faster = Paired::time("wall time", Some(100.0), Some(40.0));
        assert_eq!(
            (faster.change_text().as_str(), faster.is_better()),
            ("−60.0 s (−60%)", Some(true))
        );
        let slower = Paired::time("wall time", Some(0.0), Some(3.0));
        assert_eq!(
            (slower.change_text().as_str(), slower.is_better()),
            ("+3.0 s", Some(false))
        );
        let noise = Paired::time("wall time", Some(100.0), Some(101.0));
        assert_eq!(noise.is_better(), None);
        assert_eq!(Paired::bytes("read", 10, 1000).is_better(), None);
        assert_eq!(
            Paired::count("failed tasks", 3, 0).less_is_better().is_better(),
            Some(true)
        );
        let share = Paired::share("idle", Some(0.3), Some(0.2));
        assert_eq!(share.change_text(), "−10 points");
        let unknown = Paired::share("idle", None, Some(0.2));
        assert_eq!((unknown.change_text().as_str(), unknown.is_known()), ("–", true));
        assert_eq!(Paired::time("wall", Some(1.0), Some(1.0)).change_text(), "same");
    }
}
