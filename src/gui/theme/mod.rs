//! Colours, sizes and fonts, named once. No other file of the window writes a colour, a font size or a distance.

mod colors;
mod fonts;
mod system_fonts;
mod text;

pub use colors::{Colors, DARK, LIGHT, colors, mix, palette, rgb};
pub use fonts::{install as install_fonts, italic, mono, mono_small, regular, semibold, small};
pub use system_fonts::{Script, SystemFonts, add_system_fonts, find_system_fonts, scripts_without_font};
pub use text::{
    body, body_marked, code, headline, link, null, strong, strong_marked, title, tone, weak, weak_marked,
    weak_small, weak_small_marked,
};

use egui::{Color32, CornerRadius, Margin, Shadow, Stroke, Style, TextStyle, Visuals, vec2};
use serde::{Deserialize, Serialize};

/// Distances, in points, in steps of four.
pub mod space {
    pub const XS: f32 = 4.0;
    pub const SM: f32 = 8.0;
    pub const MD: f32 = 12.0;
    pub const LG: f32 = 16.0;
    pub const XL: f32 = 24.0;
    pub const XXL: f32 = 48.0;
}

/// Heights, widths and corners that recur.
pub mod size {
    /// Corners of cards.
    pub const CARD_RADIUS: u8 = 8;
    /// Corners of buttons and fields.
    pub const CONTROL_RADIUS: u8 = 6;
    /// Corners of badges and bars.
    pub const BADGE_RADIUS: u8 = 4;
    /// Lines that divide panels and outline cards.
    pub const LINE: f32 = 1.0;
    /// A row of a tree or a grid.
    pub const ROW: f32 = 24.0;
    /// Buttons and fields.
    pub const CONTROL: f32 = 28.0;
    pub const ICON: f32 = 16.0;
    pub const TOP_BAR: f32 = 40.0;
    pub const TAB_BAR: f32 = 36.0;
    pub const STATUS_LINE: f32 = 28.0;
    /// The accent line below the open tab and beside the open step.
    pub const UNDERLINE: f32 = 2.0;
    /// Text sizes.
    pub const BODY_TEXT: f32 = 13.0;
    pub const SMALL_TEXT: f32 = 11.5;
    pub const HEADLINE_TEXT: f32 = 20.0;
}

/// What a figure, a bar or a message means. Never shown by colour alone: a word or a shape says it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    #[default]
    Plain,
    Weak,
    Data,
    Accent,
    Good,
    Warn,
    Bad,
}

/// Which theme a person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    pub fn label(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }
}

/// Sets both styles and shows the chosen one. Cheap enough for a click, not for every frame.
pub fn apply(ctx: &egui::Context, theme: Theme) {
    ctx.set_style_of(egui::Theme::Dark, style(&DARK, Visuals::dark()));
    ctx.set_style_of(egui::Theme::Light, style(&LIGHT, Visuals::light()));
    ctx.set_theme(match theme {
        Theme::System => egui::ThemePreference::System,
        Theme::Light => egui::ThemePreference::Light,
        Theme::Dark => egui::ThemePreference::Dark,
    });
}

fn style(c: &Colors, base: Visuals) -> Style {
    let mut style = Style {
        visuals: visuals(c, base),
        animation_time: 0.08,
        ..Style::default()
    };
    style.text_styles = [
        (TextStyle::Body, regular(size::BODY_TEXT)),
        (TextStyle::Button, regular(size::BODY_TEXT)),
        (TextStyle::Small, regular(size::SMALL_TEXT)),
        (TextStyle::Heading, semibold(size::BODY_TEXT)),
        (TextStyle::Monospace, mono()),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(space::SM, space::XS);
    spacing.button_padding = vec2(space::SM + 2.0, space::XS);
    spacing.interact_size = vec2(space::XL, size::ROW);
    spacing.window_margin = Margin::same(16);
    spacing.menu_margin = Margin::same(6);
    spacing.indent = space::LG;
    spacing.icon_width = size::ICON;
    spacing.icon_spacing = 6.0;
    spacing.text_edit_width = 200.0;
    spacing.tooltip_width = 420.0;
    spacing.scroll.bar_width = space::SM;
    spacing.scroll.floating_allocated_width = 0.0;
    style.interaction.tooltip_delay = 0.35;
    style.interaction.selectable_labels = false;
    style
}

fn visuals(c: &Colors, base: Visuals) -> Visuals {
    let line = Stroke::new(size::LINE, c.line);
    let radius = CornerRadius::same(size::CONTROL_RADIUS);
    let shadow = Shadow {
        offset: [0, 4],
        blur: 16,
        spread: 0,
        color: Color32::from_black_alpha(if base.dark_mode { 110 } else { 30 }),
    };
    let mut visuals = Visuals {
        weak_text_color: Some(c.weak),
        hyperlink_color: c.accent,
        faint_bg_color: c.card,
        extreme_bg_color: c.card,
        text_edit_bg_color: Some(c.card),
        code_bg_color: c.card,
        warn_fg_color: c.warn,
        error_fg_color: c.bad,
        window_fill: c.panel,
        window_stroke: line,
        window_corner_radius: CornerRadius::same(size::CARD_RADIUS),
        window_shadow: shadow,
        menu_corner_radius: CornerRadius::same(size::CARD_RADIUS),
        popup_shadow: shadow,
        panel_fill: c.panel,
        slider_trailing_fill: true,
        indent_has_left_vline: false,
        disabled_alpha: 0.55,
        ..base
    };
    visuals.selection.bg_fill = c.selection;
    visuals.selection.stroke = Stroke::new(size::LINE, c.accent);
    visuals.text_cursor.stroke = Stroke::new(size::UNDERLINE, c.accent);
    let widgets = &mut visuals.widgets;
    for (widget, fill, edge) in [
        (&mut widgets.noninteractive, c.panel, c.line),
        (&mut widgets.inactive, c.card, c.line),
        (&mut widgets.hovered, c.selection, c.edge),
        (&mut widgets.active, c.selection, c.accent),
        (&mut widgets.open, c.selection, c.edge),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::new(size::LINE, edge);
        widget.fg_stroke = Stroke::new(size::LINE, c.text);
        widget.corner_radius = radius;
        widget.expansion = 0.0;
    }
    visuals
}
