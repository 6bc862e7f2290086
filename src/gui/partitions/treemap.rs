//! A treemap of prefixes: areas are bytes, from amber for small files to blue for files that read well. A click goes into a
//! prefix, or opens a partition.

use egui::{
    Align2, Color32, CornerRadius, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use super::calendar::readable_on;
use crate::base::units;
use crate::chart::{PlacedTile, Treemap, TreemapNode, tile_fill, treemap_layout, treemap_picture};
use crate::gui::plot::made_picture_menu;
use crate::gui::state::Commands;
use crate::gui::theme::{Colors, Tone, colors, palette, rgb, size, small, space, strong, weak, weak_small};
use crate::gui::widgets::{badge, card_with_head, quiet_button};
use crate::storage::Partition;

const HEIGHT: f32 = 280.0;
/// Tiles that have names for assistive technology.
const MAX_NAMED: usize = 400;

/// A tile on the screen, relative to the map's corner.
#[derive(Debug, Clone)]
struct Drawn {
    node: usize,
    rect: Rect,
    /// Whether smaller tiles lie inside.
    is_divided: bool,
}

/// Which prefix is shown, and its layout.
#[derive(Debug, Default)]
pub struct TreemapPanel {
    /// The listing's stamp and the node; none shows the open dataset.
    shown: Option<(u64, usize)>,
    /// What the layout was made for: listing, node, width.
    made_for: Option<(u64, usize, u32)>,
    tiles: Vec<Drawn>,
}

/// Dataset and partition that were clicked.
pub type Opened = Option<(String, Partition)>;

pub fn treemap_card(
    ui: &mut Ui,
    tree: &Treemap,
    stamp: u64,
    (dataset, is_narrowed): (&str, bool),
    panel: &mut TreemapPanel,
    opened: &mut Opened,
    commands: &mut Commands,
) {
    let at = match panel.shown {
        Some((listing, node)) if listing == stamp => node,
        _ => tree.dataset(dataset),
    };
    let mut to = None;
    card_with_head(
        ui,
        "Bytes by prefix",
        |ui| {
            badge(ui, Tone::Plain, "colour: average file");
            if is_narrowed {
                badge(ui, Tone::Data, "all dates")
                    .on_hover_text("The dates chosen above do not narrow this map");
            }
        },
        |ui| {
            let picture = || treemap_picture(tree, at, "colour: average file");
            made_picture_menu(ui, "Bytes by prefix", picture, commands);
            legend_ui(ui);
        },
        |ui| {
            path_ui(ui, tree, at, &mut to);
            map_ui(ui, tree, (stamp, at), panel, &mut to, opened);
        },
    );
    if let Some(to) = to {
        panel.shown = Some((stamp, to));
    }
}

fn legend_ui(ui: &mut Ui) {
    const STEPS: u8 = 24;
    ui.label(weak_small(ui, "128 MB and more"));
    let (rect, _) = ui.allocate_exact_size(vec2(96.0, 10.0), Sense::hover());
    let step = rect.width() / f32::from(STEPS);
    for i in 0..STEPS {
        let left = rect.left() + step * f32::from(i);
        let part = Rect::from_min_max(pos2(left, rect.top()), pos2(left + step + 0.5, rect.bottom()));
        let level = f32::from(i) / f32::from(STEPS - 1);
        ui.painter().rect_filled(part, 0.0, fill(ui, level));
    }
    ui.label(weak_small(ui, "1 KB, 3 MB in the middle,"));
}

/// Amber over grey to blue: told apart with any kind of colour vision.
fn fill(ui: &Ui, level: f32) -> Color32 {
    let (tone, strength) = tile_fill(level);
    rgb(palette(ui).level(tone, strength))
}

/// The prefixes above the one that is shown.
fn path_ui(ui: &mut Ui, tree: &Treemap, at: usize, to: &mut Option<usize>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        for node in tree.above(at) {
            let Some(shown) = tree.node(node) else { continue };
            if node == at {
                ui.label(strong(&shown.label));
                let mut text = format!(
                    "{} in {}, {}",
                    units::bytes(shown.n_bytes),
                    units::plural(shown.n_files, "file"),
                    units::plural(shown.n_partitions, "partition")
                );
                if node > 0 {
                    text.extend(tree.shares(shown, 0).iter().map(|share| format!(" · {share}")));
                }
                ui.label(weak_small(ui, text));
            } else {
                let button = quiet_button(ui, true, &shown.label);
                if button.on_hover_text(format!("Shows {}", shown.label)).clicked() {
                    *to = Some(node);
                }
                ui.label(weak(ui, "/"));
            }
        }
    });
}

fn map_ui(
    ui: &mut Ui,
    tree: &Treemap,
    (stamp, at): (u64, usize),
    panel: &mut TreemapPanel,
    to: &mut Option<usize>,
    opened: &mut Opened,
) {
    let c = colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::click());
    if !ui.is_rect_visible(rect) {
        return;
    }
    if tree.node(at).is_none_or(|node| node.n_bytes == 0) {
        ui.painter().text(
            rect.center(),
            Align2::CENTER_CENTER,
            "No bytes to divide",
            small(),
            c.weak,
        );
        return;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a width on the screen"
    )]
    let width = rect.width().round() as u32;
    if panel.made_for != Some((stamp, at, width)) {
        panel.made_for = Some((stamp, at, width));
        panel.tiles = layout(tree, at, rect.size());
    }
    let origin = rect.min.to_vec2();
    // Tiles lie over the map, and take the pointer from it.
    let pointer = ui.input(|input| input.pointer.hover_pos());
    let hovered = pointer
        .filter(|_| response.contains_pointer())
        .and_then(|pointer| {
            // Inner tiles come after the ones that they lie in.
            let is_below = |tile: &&Drawn| tile.rect.contains(pointer - origin);
            panel.tiles.iter().rev().find(is_below).map(|tile| tile.node)
        });
    let is_named = panel.tiles.len() <= MAX_NAMED;
    let mut clicked = hovered.filter(|_| response.clicked());
    for tile in &panel.tiles {
        let Some(node) = tree.node(tile.node) else {
            continue;
        };
        let place = tile.rect.translate(origin);
        tile_ui(ui, node, place, tile.is_divided, hovered == Some(tile.node), c);
        if is_named {
            let id = response.id.with(("tile", tile.node));
            let inner = ui.interact(place, id, Sense::CLICK);
            inner.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Tile {}", node.label)));
            if inner.clicked() {
                clicked = Some(tile.node);
            }
        }
    }
    if let Some(node) = clicked {
        match tree.node(node).and_then(|node| node.place.clone()) {
            Some(place) => *opened = Some(place),
            None => *to = Some(node),
        }
    }
    if let Some(node) = hovered.and_then(|node| tree.node(node)) {
        egui::Tooltip::always_open(
            ui.ctx().clone(),
            ui.layer_id(),
            response.id.with("tile tooltip"),
            egui::PopupAnchor::Pointer,
        )
        .gap(12.0)
        .show(|ui| tooltip_ui(ui, tree, at, node));
    }
}

/// Tiles of a node's children and, where there is room, of theirs.
fn layout(tree: &Treemap, at: usize, size: egui::Vec2) -> Vec<Drawn> {
    let placed = treemap_layout(tree, at, (f64::from(size.x), f64::from(size.y)));
    #[expect(clippy::cast_possible_truncation, reason = "positions on the screen")]
    let drawn = |placed: PlacedTile| Drawn {
        node: placed.node,
        rect: Rect::from_min_size(
            pos2(placed.tile.x as f32, placed.tile.y as f32),
            vec2(placed.tile.width as f32, placed.tile.height as f32),
        ),
        is_divided: placed.is_divided,
    };
    placed.into_iter().map(drawn).collect()
}

fn tile_ui(ui: &Ui, node: &TreemapNode, place: Rect, is_divided: bool, is_hovered: bool, c: &Colors) {
    let place = place.shrink(if place.width() > 6.0 && place.height() > 6.0 {
        1.0
    } else {
        0.25
    });
    let radius = CornerRadius::same(2);
    let fill = if is_divided {
        c.card
    } else {
        fill(ui, node.level())
    };
    ui.painter().rect_filled(place, radius, fill);
    if is_hovered {
        let outline = Stroke::new(1.5, c.text);
        ui.painter()
            .rect_stroke(place, radius, outline, StrokeKind::Inside);
    } else if is_divided {
        let outline = Stroke::new(size::LINE, c.line);
        ui.painter()
            .rect_stroke(place, radius, outline, StrokeKind::Inside);
    }
    if place.width() < 40.0 || place.height() < 16.0 {
        return;
    }
    let color = if is_divided { c.weak } else { readable_on(fill) };
    let line = |text: String| {
        let mut job = egui::text::LayoutJob::simple_singleline(text, small(), color);
        job.wrap = egui::text::TextWrapping::truncate_at_width(place.width() - 8.0);
        ui.painter().layout_job(job)
    };
    let at = place.min + vec2(space::XS, 2.0);
    ui.painter().galley(at, line(node.label.clone()), color);
    if !is_divided && place.height() > 34.0 && place.width() > 56.0 {
        let average = node.average_file_bytes().map_or("0 B".to_owned(), units::bytes);
        let text = if place.width() > 136.0 {
            format!("{} · files of {average}", units::bytes(node.n_bytes))
        } else {
            units::bytes(node.n_bytes)
        };
        ui.painter().galley(at + vec2(0.0, 15.0), line(text), color);
    }
}

fn tooltip_ui(ui: &mut Ui, tree: &Treemap, shown: usize, node: &TreemapNode) {
    ui.spacing_mut().item_spacing.y = 2.0;
    ui.label(strong(&node.label));
    ui.label(units::bytes_exact(node.n_bytes));
    ui.label(units::plural(node.n_files, "file"));
    if let Some(average) = node.average_file_bytes() {
        ui.label(format!("{} a file on average", units::bytes(average)));
    }
    for share in tree.shares(node, shown) {
        ui.label(share);
    }
    let hint = if node.place.is_some() {
        "Click to open its rows"
    } else {
        "Click to look inside"
    };
    ui.label(weak(ui, hint));
}

#[cfg(test)]
mod tests {
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable as _;

    use super::{Opened, TreemapPanel, treemap_card};
    use crate::chart::Treemap;
    use crate::gui::theme;
    use crate::storage::{DatasetKeys, testing};

    fn dataset(prefix: &str, days: &[(u32, u32, u64)]) -> DatasetKeys {
        DatasetKeys {
            prefix: prefix.to_owned(),
            ..testing::dataset(
                days.iter()
                    .map(|(month, day, n_bytes)| (testing::day(*month, *day), 2, *n_bytes)),
            )
        }
    }

    /// Tree, panel, what was opened, whether fonts are in.
    type Scene = (Treemap, TreemapPanel, Opened, bool);

    fn harness(tree: Treemap) -> Harness<'static, Scene> {
        let scene = (tree, TreemapPanel::default(), None, false);
        let draw = |ui: &mut egui::Ui, scene: &mut Scene| {
            if scene.3 {
                let mut commands = Vec::new();
                treemap_card(
                    ui,
                    &scene.0,
                    1,
                    ("raw/", false),
                    &mut scene.1,
                    &mut scene.2,
                    &mut commands,
                );
            } else {
                theme::install_fonts(ui.ctx());
                scene.3 = true;
            }
        };
        let mut harness = Harness::builder()
            .with_size(egui::vec2(900.0, 400.0))
            .build_ui_state(draw, scene);
        harness.run_steps(3);
        harness
    }

    #[test]
    fn a_click_goes_into_a_prefix_back_and_opens_a_partition() {
        let raw = dataset("raw/", &[(1, 1, 500), (1, 2, 400), (2, 1, 300), (2, 2, 700)]);
        let clicks = dataset("clicks/", &[(3, 1, 900)]);
        let mut harness = harness(Treemap::new("lake", [&clicks, &raw].into_iter()));
        let click = |harness: &mut Harness<'static, Scene>, label: &str| {
            harness.get_by_label(label).click();
            harness.run_steps(3);
        };
        click(&mut harness, "Tile 2020-02-02");
        let day = testing::day(2, 2);
        assert_eq!(harness.state_mut().2.take(), Some(("raw/".to_owned(), day)));
        click(&mut harness, "lake");
        assert!(
            harness.query_by_label("Tile clicks").is_some()
                || harness.query_by_label("Tile 2020-03-01").is_some()
        );
        assert!(harness.query_by_label("Tile raw").is_some());
    }

    #[test]
    fn a_lake_without_bytes_has_no_tiles_and_no_misleading_map() {
        let mut harness = harness(Treemap::new("lake", [&dataset("raw/", &[(1, 1, 0)])].into_iter()));
        harness.run_steps(2);
        assert!(harness.query_by_label("Tile 2020-01-01").is_none());
    }
}
