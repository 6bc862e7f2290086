//! How many files are of which size. Small ones cost requests, large ones cannot be shared.

use egui::{Align2, Rect, Sense, Ui, pos2, vec2};

use crate::base::units;
use crate::chart::{SizeClass, SizeTier};
use crate::gui::listed::ListedDataset;
use crate::gui::theme::{Tone, colors, small, space, weak};
use crate::gui::widgets::{badge, card_with_head};

const HEIGHT: f32 = 132.0;

pub fn sizes_card(ui: &mut Ui, dataset: &ListedDataset) {
    card_with_head(
        ui,
        "Files by size",
        |ui| {
            badge(ui, Tone::Plain, &units::plural(dataset.n_files, "file"));
        },
        |_| {},
        |ui| {
            let c = colors(ui);
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
            let plot = Rect::from_min_max(rect.min + vec2(0.0, 18.0), rect.max - vec2(0.0, 20.0));
            let tiers = shown(&dataset.sizes.tiers);
            let slot = plot.width() / tiers.len().max(1) as f32;
            let max = dataset.sizes.axis.max.max(1.0);
            let has_tiny = dataset.skew.metrics.n_tiny_partitions > 0;
            let has_unsplittable = dataset.has_unsplittable;
            for (index, tier) in tiers.into_iter().enumerate() {
                let SizeTier {
                    label,
                    n_files: count,
                    class,
                } = *tier;
                let left = plot.left() + slot * index as f32;
                let center = left + slot / 2.0;
                ui.painter().text(
                    pos2(center, rect.bottom() - 7.0),
                    Align2::CENTER_CENTER,
                    short_label(label, slot),
                    small(),
                    c.weak,
                );
                if count == 0 {
                    continue;
                }
                #[allow(clippy::cast_possible_truncation, reason = "a height on the screen")]
                let share = (count as f64 / max) as f32;
                let height = (plot.height() * share).max(2.0);
                let width = (slot * 0.7).min(48.0);
                let bar = Rect::from_min_max(
                    pos2(center - width / 2.0, plot.bottom() - height),
                    pos2(center + width / 2.0, plot.bottom()),
                );
                // Small files matter where there are crowds of them, files over 1 GB where they cannot be split.
                let color = match class {
                    SizeClass::Empty => c.warn,
                    SizeClass::Tiny if has_tiny => c.bad,
                    SizeClass::Small if has_tiny => c.warn,
                    SizeClass::Good => c.good,
                    SizeClass::Huge if has_unsplittable => c.bad,
                    _ => c.data,
                };
                ui.painter().rect_filled(bar, 2.0, color);
                ui.painter().text(
                    pos2(center, bar.top() - 3.0),
                    Align2::CENTER_BOTTOM,
                    units::count(count),
                    small(),
                    c.weak,
                );
                let response = ui.interact(
                    bar.expand(space::XS),
                    ui.scope_id().with(("size class", index)),
                    Sense::hover(),
                );
                response.on_hover_ui(|ui| {
                    let share = count as f64 / dataset.n_files.max(1) as f64;
                    let files = units::plural(count, "file");
                    ui.label(format!("{files} of {label}, {} of all", units::percent(share)));
                    ui.label(weak(ui, class.meaning()));
                });
            }
        },
    );
}

/// The tiers that most lakes have, and the others where they hold files.
fn shown(tiers: &[SizeTier]) -> Vec<&SizeTier> {
    tiers
        .iter()
        .filter(|tier| tier.n_files > 0 || !["0", ">1 GB", "128 MB–1 GB"].contains(&tier.label))
        .collect()
}

/// Only the upper end where there is little room: the whole class is on hover.
fn short_label(label: &str, slot: f32) -> String {
    if slot >= 66.0 {
        return label.to_owned();
    }
    let label = label.replace(" KB", "K").replace(" MB", "M").replace(" GB", "G");
    match label.split_once('–') {
        Some((_, upper)) => format!("<{upper}"),
        None => label,
    }
}

#[cfg(test)]
mod tests {
    use super::short_label;

    #[test]
    fn a_narrow_class_is_named_by_its_upper_end() {
        assert_eq!(short_label("30–300 KB", 80.0), "30–300 KB");
        assert_eq!(short_label("30–300 KB", 40.0), "<300K");
        assert_eq!(short_label("<3 KB", 40.0), "<3K");
    }
}
