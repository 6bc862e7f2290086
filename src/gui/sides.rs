//! Which panels a window of this size has room for.
//!
//! What is in the middle keeps a width in which it can be read. A window too narrow for three columns shows one panel at a
//! time, and a strip in the place of each other panel that brings it there. A low window shows the activity list only to
//! those who ask for it there.

use std::f32::consts::FRAC_PI_2;

use egui::epaint::TextShape;
use egui::{Panel, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};

use super::theme::{colors, size, small, space};
use super::widgets::{Icon, paint_icon};

/// What the middle needs before two panels stand beside it.
const MIDDLE: f32 = 640.0;
/// What the middle keeps when a panel is pulled wider.
const LEAST_MIDDLE: f32 = 560.0;
/// A window lower than this gives the lines of the activity list to the middle.
const LOW: f32 = 700.0;
/// Width of the strip in the place of a panel.
const STRIP: f32 = 28.0;

/// A panel beside the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Sources,
    Recipe,
}

impl Side {
    /// Width that it has at first.
    pub fn usual_width(self) -> f32 {
        match self {
            Self::Sources => 268.0,
            Self::Recipe => 344.0,
        }
    }

    fn bounds(self) -> (f32, f32) {
        match self {
            Self::Sources => (200.0, 480.0),
            Self::Recipe => (260.0, 560.0),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sources => "Connections",
            Self::Recipe => "Recipe",
        }
    }
}

/// How a panel is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Whole,
    /// As a strip that brings it back.
    Strip,
    Not,
}

/// The panels that are wanted, and the size of the window.
#[derive(Debug)]
pub struct Sides {
    has_sources: bool,
    has_recipe: bool,
    /// The one that is there while the window is narrow.
    front: Option<Side>,
    /// The activity list was asked for while the window was low.
    has_low_activity: bool,
    /// Of the window, in the last frame.
    size: Vec2,
}

impl Default for Sides {
    fn default() -> Self {
        Self {
            has_sources: true,
            has_recipe: true,
            front: Some(Side::Sources),
            has_low_activity: false,
            size: Vec2::INFINITY,
        }
    }
}

impl Sides {
    /// Takes the size of the window.
    pub fn measure(&mut self, size: Vec2) {
        self.size = size;
    }

    fn is_narrow(&self) -> bool {
        self.size.x < Side::Sources.usual_width() + Side::Recipe.usual_width() + MIDDLE
    }

    fn is_low(&self) -> bool {
        self.size.y < LOW
    }

    pub fn shown(&self, side: Side) -> Shown {
        if self.is_narrow() {
            return if self.front == Some(side) {
                Shown::Whole
            } else {
                Shown::Strip
            };
        }
        match side {
            Side::Sources if self.has_sources => Shown::Whole,
            Side::Recipe if self.has_recipe => Shown::Whole,
            _ => Shown::Not,
        }
    }

    /// Brings a panel to where it is seen.
    pub fn show(&mut self, side: Side) {
        self.front = Some(side);
        *self.wanted(side) = true;
    }

    /// Shows or hides a panel.
    pub fn toggle(&mut self, side: Side) {
        if self.shown(side) != Shown::Whole {
            self.show(side);
        } else if self.is_narrow() {
            self.front = None;
        } else {
            *self.wanted(side) = false;
        }
    }

    fn wanted(&mut self, side: Side) -> &mut bool {
        match side {
            Side::Sources => &mut self.has_sources,
            Side::Recipe => &mut self.has_recipe,
        }
    }

    /// Whether the activity list is there, for one who has it open in windows with room for it.
    pub fn has_activity(&self, is_open: bool) -> bool {
        is_open && (!self.is_low() || self.has_low_activity)
    }

    /// Shows or hides the activity list. Returns whether it is to be open in windows with room for it.
    pub fn toggle_activity(&mut self, is_open: bool) -> bool {
        let is_shown = self.has_activity(is_open);
        self.has_low_activity = !is_shown;
        // What was hidden for want of room is still wanted where there is room.
        !is_shown || self.is_low()
    }

    /// How wide a panel may be pulled.
    pub fn widths(&self, side: Side) -> std::ops::RangeInclusive<f32> {
        let (least, most) = side.bounds();
        let room = if self.is_narrow() {
            self.size.x - LEAST_MIDDLE - STRIP
        } else {
            (self.size.x - LEAST_MIDDLE) / 2.0
        };
        least..=most.min(room.max(least))
    }
}

/// The strip in the place of a panel. Returns whether the panel was asked for.
pub fn strip_ui(ui: &mut Ui, side: Side, note: &str) -> bool {
    let c = colors(ui);
    let id = ("strip", side.name());
    let panel = match side {
        Side::Sources => Panel::left(id),
        Side::Recipe => Panel::right(id),
    };
    panel
        .resizable(false)
        .exact_size(STRIP)
        .frame(egui::Frame::new().fill(c.panel))
        .show(ui, |ui| {
            let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::click());
            let label = format!("Show {}", side.name().to_lowercase());
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
            let is_lit = response.hovered() || response.has_focus();
            if is_lit {
                ui.painter().rect_filled(rect, 0.0, c.selection);
            }
            let color = if is_lit { c.text } else { c.weak };
            let icon = match side {
                Side::Sources => Icon::Forward,
                Side::Recipe => Icon::Back,
            };
            let square = egui::Rect::from_min_size(
                pos2(rect.left(), rect.top() + space::SM),
                vec2(rect.width(), size::ROW),
            );
            paint_icon(ui.painter(), square, icon, color);
            let text = if note.is_empty() {
                side.name().to_owned()
            } else {
                format!("{} · {note}", side.name())
            };
            let galley = ui.painter().layout_no_wrap(text, small(), color);
            // Read from the top down.
            let corner = pos2(
                rect.center().x + galley.size().y / 2.0,
                square.bottom() + space::SM,
            );
            ui.painter()
                .add(TextShape::new(corner, galley, color).with_angle(FRAC_PI_2));
            response
                .on_hover_text(format!("{label}: this window has room for one panel at a time"))
                .clicked()
        })
        .inner
}

#[cfg(test)]
mod tests {
    use egui::vec2;

    use super::{Shown, Side, Sides};

    fn of(width: f32, height: f32) -> Sides {
        let mut sides = Sides::default();
        sides.measure(vec2(width, height));
        sides
    }

    fn shown(sides: &Sides) -> [Shown; 2] {
        [sides.shown(Side::Sources), sides.shown(Side::Recipe)]
    }

    #[test]
    fn a_narrow_window_shows_the_panel_that_was_asked_for_last_and_a_strip_for_the_other() {
        let mut sides = of(960.0, 600.0);
        assert_eq!(shown(&sides), [Shown::Whole, Shown::Strip]);
        sides.show(Side::Recipe);
        assert_eq!(shown(&sides), [Shown::Strip, Shown::Whole]);
        sides.toggle(Side::Recipe);
        assert_eq!(shown(&sides), [Shown::Strip, Shown::Strip]);
        sides.toggle(Side::Sources);
        assert_eq!(shown(&sides), [Shown::Whole, Shown::Strip]);
        sides.measure(vec2(1280.0, 800.0));
        assert_eq!(shown(&sides), [Shown::Whole, Shown::Whole]);
        sides.toggle(Side::Recipe);
        assert_eq!(shown(&sides), [Shown::Whole, Shown::Not]);
    }

    #[test]
    fn the_middle_keeps_its_width_however_wide_panels_are_pulled() {
        let sides = of(960.0, 600.0);
        assert!(960.0 - sides.widths(Side::Recipe).end() - super::STRIP >= super::LEAST_MIDDLE);
        let sides = of(1280.0, 800.0);
        let both = sides.widths(Side::Recipe).end() + sides.widths(Side::Sources).end();
        assert!(1280.0 - both >= super::LEAST_MIDDLE);
    }

    #[test]
    fn a_low_window_shows_activity_to_those_who_ask_and_forgets_no_wish_of_larger_ones() {
        let mut sides = of(960.0, 600.0);
        assert!(!sides.has_activity(true), "no room for it by itself");
        let mut is_open = sides.toggle_activity(true);
        assert!(sides.has_activity(is_open));
        is_open = sides.toggle_activity(is_open);
        assert!(!sides.has_activity(is_open));
        sides.measure(vec2(1600.0, 1000.0));
        assert!(sides.has_activity(is_open), "it was closed for want of room only");
        is_open = sides.toggle_activity(is_open);
        assert!(!is_open);
        is_open = sides.toggle_activity(is_open);
        assert!(is_open && sides.has_activity(is_open));
    }
}
