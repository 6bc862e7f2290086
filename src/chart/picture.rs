//! A chart as plain data: two sides, marks between them, lines to compare with, and what each mark says and does.
//!
//! Everything that is known of a chart is in it, and nothing of how it is drawn: `draw` makes a file of it, the window
//! shows it with zoom and hover. Charts hold every mark; a drawer with fewer pixels than marks thins them out itself.

use std::borrow::Cow;

use super::palette::Tone;
use super::scale::{Scale, ScaleKind};

/// A chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub title: String,
    /// How far the figures can be trusted and what they are of, such as `exact, from the listing`.
    pub note: String,
    pub x: Scale,
    pub y: Scale,
    /// From back to front.
    pub layers: Vec<Layer>,
    pub rules: Vec<Rule>,
    pub legend: Vec<LegendEntry>,
    /// Height in CSS pixels that it needs on a sheet of usual width; none where any will do.
    pub height: Option<u32>,
}

/// Marks of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    pub kind: LayerKind,
    /// Of marks that have no tone of their own.
    pub tone: Tone,
    pub marks: Vec<Mark>,
}

/// How the marks of a layer are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerKind {
    /// Rectangles that begin at zero, upright or lying.
    Bars,
    /// The upper ends of the marks joined in their order.
    Line { is_dashed: bool },
    /// The same, and what is below it.
    Area,
    /// A dot at the upper end of each mark.
    Points,
    /// Rectangles with a little room between them: the days of a calendar, a treemap, a Gantt chart.
    Cells,
}

/// One mark: a rectangle of values. A point has no extent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mark {
    pub x: (f64, f64),
    pub y: (f64, f64),
    /// None for the tone of the layer.
    pub tone: Option<Tone>,
    pub fill: Fill,
    /// Text on the mark, or above a bar, where there is room for it.
    pub label: String,
    /// What the mark is, then its exact values, a line each.
    pub tooltip: String,
    /// What a click gives back: the maker of the picture knows what it stands for.
    pub action: Option<usize>,
}

/// How a rectangle is filled.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Fill {
    #[default]
    Full,
    /// A step of a colour scale, 0..=1.
    Level(f32),
    /// Only its edge: something that is not there.
    Outline,
    /// Nothing: a word in its place.
    Bare,
}

/// A line across the picture to compare marks with.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Whether `value` is one of x, and the line upright.
    pub is_upright: bool,
    pub value: f64,
    /// `median 450 KB`
    pub label: String,
    pub tone: Tone,
}

/// A colour in words.
#[derive(Debug, Clone, PartialEq)]
pub struct LegendEntry {
    pub tone: Tone,
    pub shape: LegendShape,
    pub text: String,
}

/// What a legend shows before the words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LegendShape {
    Swatch(Fill),
    Line { is_dashed: bool },
    Dot,
}

impl Layer {
    pub fn new(kind: LayerKind, tone: Tone, marks: Vec<Mark>) -> Self {
        Self { kind, tone, marks }
    }
}

impl Mark {
    /// An upright bar at the place of name `at`, from zero to `value`.
    pub fn bar(at: usize, value: f64, tooltip: impl Into<String>) -> Self {
        let at = at as f64;
        Self {
            x: (at - 0.36, at + 0.36),
            y: (0.0, value),
            tooltip: tooltip.into(),
            ..Self::default()
        }
    }

    /// A bar that lies at the place of name `at`, from zero to `value`.
    pub fn lying_bar(at: usize, value: f64, tooltip: impl Into<String>) -> Self {
        let upright = Self::bar(at, value, tooltip);
        Self {
            x: upright.y,
            y: upright.x,
            ..upright
        }
    }

    /// A corner of a line, or a dot.
    pub fn point(x: f64, y: f64, tooltip: impl Into<String>) -> Self {
        Self {
            x: (x, x),
            y: (y, y),
            tooltip: tooltip.into(),
            ..Self::default()
        }
    }

    /// A rectangle.
    pub fn cell(x: (f64, f64), y: (f64, f64), tooltip: impl Into<String>) -> Self {
        Self {
            x,
            y,
            tooltip: tooltip.into(),
            ..Self::default()
        }
    }

    #[must_use]
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = Some(tone);
        self
    }

    #[must_use]
    pub fn fill(mut self, fill: Fill) -> Self {
        self.fill = fill;
        self
    }

    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    #[must_use]
    pub fn action(mut self, action: usize) -> Self {
        self.action = Some(action);
        self
    }

    /// What the mark is: the first line of its tooltip.
    pub fn name(&self) -> &str {
        self.tooltip.lines().next().unwrap_or("")
    }
}

impl Rule {
    /// A level line.
    pub fn level(value: f64, label: impl Into<String>, tone: Tone) -> Self {
        Self {
            is_upright: false,
            value,
            label: label.into(),
            tone,
        }
    }

    /// An upright line.
    pub fn upright(value: f64, label: impl Into<String>, tone: Tone) -> Self {
        Self {
            is_upright: true,
            ..Self::level(value, label, tone)
        }
    }
}

impl LegendEntry {
    pub fn new(tone: Tone, shape: LegendShape, text: impl Into<String>) -> Self {
        Self {
            tone,
            shape,
            text: text.into(),
        }
    }

    /// A filled rectangle and its words.
    pub fn swatch(tone: Tone, text: impl Into<String>) -> Self {
        Self::new(tone, LegendShape::Swatch(Fill::Full), text)
    }
}

/// Which side the values are on, where the other has names or places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueSide {
    X,
    Y,
}

impl ValueSide {
    /// Where a mark ends on this side.
    fn value(self, mark: &Mark) -> f64 {
        match self {
            Self::X => mark.x.1,
            Self::Y => mark.y.1,
        }
    }
}

impl Picture {
    pub fn new(title: impl Into<String>, x: Scale, y: Scale) -> Self {
        Self {
            title: title.into(),
            note: String::new(),
            x,
            y,
            layers: Vec::new(),
            rules: Vec::new(),
            legend: Vec::new(),
            height: None,
        }
    }

    #[must_use]
    pub fn height(mut self, height: u32) -> Self {
        self.height = Some(height);
        self
    }

    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    #[must_use]
    pub fn layer(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }

    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    #[must_use]
    pub fn entry(mut self, entry: LegendEntry) -> Self {
        self.legend.push(entry);
        self
    }

    /// Every mark, from back to front.
    pub fn marks(&self) -> impl DoubleEndedIterator<Item = (&Layer, &Mark)> {
        self.layers
            .iter()
            .flat_map(|layer| layer.marks.iter().map(move |mark| (layer, mark)))
    }

    pub fn is_empty(&self) -> bool {
        self.layers.iter().all(|layer| layer.marks.is_empty())
    }

    pub fn has_bars(&self) -> bool {
        let is_from_zero = |layer: &Layer| matches!(layer.kind, LayerKind::Bars | LayerKind::Area);
        self.layers.iter().any(is_from_zero)
    }

    /// The side that is read as a value: x where names stand along y, y otherwise.
    pub fn value_side(&self) -> ValueSide {
        let is_named = |scale: &Scale| matches!(scale.kind, ScaleKind::Category(_));
        if is_named(&self.y) && !is_named(&self.x) {
            ValueSide::X
        } else {
            ValueSide::Y
        }
    }

    /// Whether the value side can be shown by its logarithm.
    pub fn may_be_log(&self) -> bool {
        match self.value_side() {
            ValueSide::X => self.x.may_be_log(),
            ValueSide::Y => self.y.may_be_log(),
        }
    }

    /// Both sides, the value side by its logarithm where that is asked for and possible.
    pub fn scales(&self, is_log: bool) -> (Cow<'_, Scale>, Cow<'_, Scale>) {
        if !is_log || !self.may_be_log() {
            return (Cow::Borrowed(&self.x), Cow::Borrowed(&self.y));
        }
        let side = self.value_side();
        let value = |mark: &Mark| side.value(mark);
        let least = self
            .marks()
            .map(|(_, mark)| value(mark))
            .filter(|value| *value > 0.0)
            .fold(f64::INFINITY, f64::min);
        match side {
            ValueSide::X => (Cow::Owned(self.x.as_log(least)), Cow::Borrowed(&self.y)),
            ValueSide::Y => (Cow::Borrowed(&self.x), Cow::Owned(self.y.as_log(least))),
        }
    }

    /// The picture with its value side by the logarithm, for a file that shows what the window shows.
    #[must_use]
    pub fn with_log(mut self, is_log: bool) -> Self {
        if is_log {
            let (x, y) = self.scales(is_log);
            (self.x, self.y) = (x.into_owned(), y.into_owned());
        }
        self
    }

    /// The chart in a few sentences, for people who do not see it: how many marks of which kind, the extremes, the lines.
    pub fn in_words(&self) -> String {
        let mut said = vec![self.title.clone()];
        if !self.note.is_empty() {
            said.push(self.note.clone());
        }
        let side = self.value_side();
        let value = |mark: &Mark| side.value(mark);
        let scale = match side {
            ValueSide::X => &self.x,
            ValueSide::Y => &self.y,
        };
        for layer in &self.layers {
            // Words in their places say nothing beside the marks that they name.
            if layer.marks.iter().all(|mark| mark.fill == Fill::Bare) {
                continue;
            }
            let kind = match layer.kind {
                LayerKind::Bars => "bars",
                LayerKind::Line { .. } => "points of a line",
                LayerKind::Area => "points of an area",
                LayerKind::Points => "points",
                LayerKind::Cells => "cells",
            };
            let mut text = format!("{} {kind}", layer.marks.len());
            let has_values = matches!(scale.kind, ScaleKind::Linear(_) | ScaleKind::Log(_));
            if has_values && layer.kind != LayerKind::Cells {
                let by_value = |a: &&Mark, b: &&Mark| value(a).total_cmp(&value(b));
                let there = || layer.marks.iter().filter(|mark| mark.fill != Fill::Outline);
                if let (Some(least), Some(most)) = (there().min_by(by_value), there().max_by(by_value)) {
                    for (word, mark) in [("largest", most), ("smallest", least)] {
                        text.extend([format!(", {word} {}", scale.text(value(mark)))]);
                        if !mark.name().is_empty() {
                            text.extend([format!(" ({})", mark.name())]);
                        }
                    }
                }
            }
            // A place where something is not there is told by its word.
            let is_bar = layer.kind == LayerKind::Bars;
            let absent = layer
                .marks
                .iter()
                .filter(|mark| is_bar && mark.fill == Fill::Outline);
            let mut words = absent
                .map(|mark| mark.label.as_str())
                .filter(|word| !word.is_empty());
            if let Some(word) = words.next() {
                text.extend([format!(", {} {word}", words.count() + 1)]);
            }
            said.push(text);
        }
        said.extend(self.rules.iter().map(|rule| rule.label.clone()));
        if self.is_empty() {
            said.push("nothing to show".to_owned());
        }
        said.retain(|text| !text.is_empty());
        said.join(". ")
    }
}

#[cfg(test)]
mod tests {
    use super::{Layer, LayerKind, Mark, Picture, Rule};
    use crate::chart::palette::Tone;
    use crate::chart::scale::{Quantity, Scale};

    fn days() -> Picture {
        let names = ["01", "02", "03"].map(str::to_owned).to_vec();
        let marks = [400.0, 5300.0, 0.0]
            .into_iter()
            .enumerate()
            .map(|(at, value)| Mark::bar(at, value, format!("2020-01-0{}\n{value} bytes", at + 1)))
            .collect();
        Picture::new(
            "Bytes per day",
            Scale::categories("", names),
            Scale::from_zero("bytes", Quantity::Bytes, 5300.0),
        )
        .note("exact")
        .layer(Layer::new(LayerKind::Bars, Tone::Data, marks))
        .rule(Rule::level(400.0, "median 400 B", Tone::Text))
    }

    #[test]
    fn a_chart_is_told_in_words_with_its_extremes() {
        assert_eq!(
            days().in_words(),
            "Bytes per day. exact. 3 bars, largest 5.3 KB (2020-01-02), smallest 0 B (2020-01-03). median 400 B"
        );
        let nothing = Picture::new("Files", Scale::bare(0.0, 1.0), Scale::bare(0.0, 1.0));
        assert_eq!(nothing.in_words(), "Files. nothing to show");
    }

    #[test]
    fn only_the_value_side_turns_logarithmic() {
        let picture = days().with_log(true);
        assert!(picture.y.is_log() && !picture.x.is_log());
        assert_eq!((picture.y.first, picture.y.last), (1.0, 10_000.0));
        let lying = Picture::new("Keys", days().y, days().x).with_log(true);
        assert!(lying.x.is_log() && !lying.y.is_log());
        let shares = Picture::new(
            "Shares",
            Scale::from_zero("", Quantity::Share, 1.0),
            Scale::from_zero("", Quantity::Share, 1.0),
        );
        assert!(!shares.with_log(true).y.is_log());
    }
}
