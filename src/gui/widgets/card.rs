//! Cards, headline figures, badges and the small headings between them.

use egui::{
    CornerRadius, Frame, InnerResponse, Margin, Response, RichText, Role, Sense, Stroke, Ui, WidgetInfo, vec2,
};

use crate::base::Accuracy;
use crate::gui::theme::{Tone, colors, headline, regular, semibold, size, small, space, strong};

/// Room above and below a card's contents; the same number as in its frame.
const CARD_MARGIN_Y: f32 = 12.0;

/// A surface with a line around it. Takes the width that is there.
pub fn card<R>(ui: &mut Ui, add_contents: impl FnOnce(&mut Ui) -> R) -> InnerResponse<R> {
    let c = colors(ui);
    Frame::new()
        .fill(c.panel)
        .stroke(Stroke::new(size::LINE, c.line))
        .corner_radius(CornerRadius::same(size::CARD_RADIUS))
        .inner_margin(Margin::symmetric(14, 12))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            add_contents(ui)
        })
}

/// What a dialog over the window is drawn on.
pub fn dialog_frame(ui: &Ui) -> Frame {
    Frame::window(ui.style()).inner_margin(Margin::same(18))
}

/// A card whose first line is a title, with badges after it and controls at its right end.
pub fn card_with_head<R>(
    ui: &mut Ui,
    title: &str,
    after_title: impl FnOnce(&mut Ui),
    at_right: impl FnOnce(&mut Ui),
    add_contents: impl FnOnce(&mut Ui) -> R,
) -> InnerResponse<R> {
    card(ui, |ui| {
        head_ui(ui, title, 0.0, after_title, at_right);
        ui.add_space(space::XS);
        add_contents(ui)
    })
}

/// The first line of a card. Where the controls would lie over the title they have a line of their own, on which they go to
/// a further line when they must.
fn head_ui(
    ui: &mut Ui,
    title: &str,
    min_height: f32,
    after_title: impl FnOnce(&mut Ui),
    at_right: impl FnOnce(&mut Ui),
) {
    let id = ui.scope_id().with(("head of a card", title));
    // How wide the controls are is known from the frame before.
    let known: Option<f32> = ui.data(|data| data.get_temp(id));
    let mut at_right = Some(at_right);
    let (mut room, mut needed) = (0.0, 0.0);
    ui.horizontal(|ui| {
        ui.set_min_height(min_height);
        ui.label(strong(title));
        after_title(ui);
        room = ui.available_width();
        if known.is_none_or(|known| known <= room)
            && let Some(at_right) = at_right.take()
        {
            needed = from_right(ui, false, at_right);
        }
    });
    if let Some(at_right) = at_right {
        // Controls that wrap are narrower than they would be in one line, which is what counts.
        needed = ui.horizontal(|ui| from_right(ui, true, at_right)).inner;
        needed = needed.max(known.unwrap_or(0.0));
    }
    ui.data_mut(|data| data.insert_temp(id, needed));
    if known.is_none() && needed > room {
        ui.ctx()
            .request_discard("the controls of a card need a line of their own");
    }
}

/// Controls from the right. Returns how wide they are.
fn from_right(ui: &mut Ui, is_wrapped: bool, at_right: impl FnOnce(&mut Ui)) -> f32 {
    let layout = egui::Layout::right_to_left(egui::Align::Center).with_main_wrap(is_wrapped);
    let shown = ui.with_layout(layout, |ui| {
        at_right(ui);
        ui.min_rect()
    });
    shown.inner.width()
}

/// A card whose first line is a title alone.
pub fn titled_card<R>(ui: &mut Ui, title: &str, add_contents: impl FnOnce(&mut Ui) -> R) -> InnerResponse<R> {
    card_with_head(ui, title, |_| {}, |_| {}, add_contents)
}

/// A card as [`card_with_head`] that is at least `height` tall, so that it ends where the card beside it does. Returns the
/// height that its contents need.
pub fn stretched_card(
    ui: &mut Ui,
    title: &str,
    height: f32,
    after_title: impl FnOnce(&mut Ui),
    at_right: impl FnOnce(&mut Ui),
    add_contents: impl FnOnce(&mut Ui),
) -> f32 {
    let mut needed = 0.0;
    card(ui, |ui| {
        let top = ui.cursor().top();
        head_ui(ui, title, size::CONTROL, after_title, at_right);
        ui.add_space(space::XS);
        add_contents(ui);
        let around = 2.0 * (CARD_MARGIN_Y + size::LINE);
        needed = ui.cursor().top() - ui.spacing().item_spacing.y - top + around;
        // The cursor already stands one spacing below the contents; a space of nothing would count it too.
        let missing = height - needed - ui.spacing().item_spacing.y;
        if missing > 0.0 {
            ui.add_space(missing);
        }
    });
    needed
}

/// A figure that heads the view.
#[derive(Debug, Clone, Copy)]
pub struct Figure<'a> {
    pub label: &'a str,
    pub value: &'a str,
    /// What the figure is counted in, or how to read it.
    pub note: &'a str,
    pub tone: Tone,
    /// What it means, on hover.
    pub explanation: &'a str,
}

/// Height of every figure card, so that a row of them is even.
const FIGURE_HEIGHT: f32 = 86.0;

/// A card with one large figure, `width` wide.
pub fn figure_card(ui: &mut Ui, width: f32, figure: Figure<'_>) -> Response {
    let c = colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, FIGURE_HEIGHT), Sense::hover());
    response.widget_info(|| {
        WidgetInfo::labeled(
            Role::Label,
            true,
            format!("{}: {} {}", figure.label, figure.value, figure.note),
        )
    });
    let painter = ui.painter().with_clip_rect(rect);
    let edge = if response.hovered() { c.edge } else { c.line };
    painter.rect(
        rect,
        size::CARD_RADIUS,
        c.panel,
        Stroke::new(size::LINE, edge),
        egui::StrokeKind::Inside,
    );
    let inner = rect.shrink2(vec2(14.0, 0.0));
    let put = |y: f32, text: &str, font: egui::FontId, color| {
        let job = one_line(text, font, color, inner.width());
        let galley = painter.layout_job(job);
        painter.galley(egui::pos2(inner.left(), rect.top() + y), galley, color);
    };
    put(12.0, figure.label, regular(size::BODY_TEXT), c.weak);
    put(
        30.0,
        figure.value,
        semibold(size::HEADLINE_TEXT),
        c.of(figure.tone),
    );
    put(60.0, figure.note, small(), c.weak);
    if figure.explanation.is_empty() {
        response
    } else {
        response.on_hover_ui(|ui| {
            ui.label(headline(figure.value));
            ui.label(figure.explanation);
        })
    }
}

/// A layout of one line that ends in an ellipsis where there is no room.
fn one_line(text: &str, font: egui::FontId, color: egui::Color32, width: f32) -> egui::text::LayoutJob {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width);
    job
}

/// A word on a small surface, such as `exact, from the listing`.
pub fn badge(ui: &mut Ui, tone: Tone, text: &str) -> Response {
    let c = colors(ui);
    let color = if tone == Tone::Plain { c.weak } else { c.of(tone) };
    let galley = ui.painter().layout_no_wrap(text.to_owned(), small(), color);
    let (rect, response) = ui.allocate_exact_size(galley.size() + vec2(10.0, 4.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    ui.painter()
        .rect_filled(rect, size::BADGE_RADIUS, c.surface(tone));
    ui.painter().galley(rect.min + vec2(5.0, 2.0), galley, color);
    response
}

/// How far the figures beside it can be trusted.
pub fn accuracy_badge(ui: &mut Ui, accuracy: Accuracy) -> Response {
    let (tone, explanation) = match accuracy {
        Accuracy::Exact => (Tone::Plain, "Every item was read."),
        Accuracy::Sample { .. } => (Tone::Plain, "Computed from a sample of the rows."),
        Accuracy::Estimate => (Tone::Plain, "Computed from other figures, not counted."),
        Accuracy::Partial { .. } => (Tone::Warn, "Reading stopped early: this is what was seen before."),
    };
    badge(ui, tone, &accuracy.to_string()).on_hover_text(explanation)
}

/// A small grey heading in capitals.
pub fn section_label(ui: &mut Ui, text: &str) -> Response {
    let c = colors(ui);
    ui.label(
        RichText::new(text.to_uppercase())
            .font(semibold(size::SMALL_TEXT - 1.0))
            .color(c.weak)
            .extra_letter_spacing(0.6),
    )
}

/// A line across the width, without the space that a separator takes.
pub fn divider(ui: &mut Ui) {
    let c = colors(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), size::LINE), Sense::hover());
    ui.painter()
        .hline(rect.x_range(), rect.center().y, Stroke::new(size::LINE, c.line));
}
