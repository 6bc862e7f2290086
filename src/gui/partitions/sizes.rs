//! How many files are of which size. Small ones cost requests, large ones cannot be shared.

use egui::{Align2, Rect, Sense, Ui, pos2, vec2};

use crate::base::units;
use crate::chart::{SizeClass, SizeTier, sizes_picture};
use crate::gui::listed::ListedDataset;
use crate::gui::plot::made_picture_menu;
use crate::gui::state::Commands;
use crate::gui::theme::{Tone, colors, small, space, weak};
use crate::gui::widgets::{badge, card_with_head};

const HEIGHT: f32 = 132.0;

pub fn sizes_card(ui: &mut Ui, dataset: &ListedDataset, commands: &mut Commands) {
    card_with_head(
        ui,
        "Files by size",
        |ui| {
            badge(ui, Tone::Plain, &units::plural(dataset.n_files, "file"));
        },
        |ui| {
            let picture = || sizes_picture(&dataset.sizes, &dataset.picture_note());
            made_picture_menu(ui, "Files by size", picture, commands);
        },
        |ui| {
            let c = colors(ui);
            let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
            let tiers = shown(&dataset.sizes.tiers);
            let slot = rect.width() / tiers.len().max(1) as f32;
            let below = if is_narrow(slot) { 34.0 } else { 20.0 };
            let plot = Rect::from_min_max(rect.min + vec2(0.0, 18.0), rect.max - vec2(0.0, below));
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
                let name = if is_narrow(slot) {
                    on_two_lines(label)
                } else {
                    label.to_owned()
                };
                let mut top = plot.bottom() + space::XS;
                for line in name.lines() {
                    let at = pos2(center, top);
                    let drawn = ui.painter().text(at, Align2::CENTER_TOP, line, small(), c.weak);
                    top = drawn.bottom();
                }
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

/// Whether the longest label does not fit on one line.
fn is_narrow(slot: f32) -> bool {
    slot < 74.0
}

/// The unit stands below its numbers: `30–300` above `KB`.
fn on_two_lines(label: &str) -> String {
    if let Some((least, most)) = label.split_once('–')
        && least.contains(' ')
    {
        return format!("{least}–\n{most}");
    }
    label.replacen(' ', "\n", 1)
}

#[cfg(test)]
mod tests {
    use super::on_two_lines;

    #[test]
    fn a_narrow_class_keeps_both_ends_and_its_unit() {
        assert_eq!(on_two_lines("30–300 KB"), "30–300\nKB");
        assert_eq!(on_two_lines("128 MB–1 GB"), "128 MB–\n1 GB");
        assert_eq!(on_two_lines("<3 KB"), "<3\nKB");
        assert_eq!(on_two_lines("0"), "0");
    }
}
