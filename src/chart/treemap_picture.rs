//! A treemap laid out: tiles of a prefix's children and, where there is room, of theirs; and the same as a picture.

use super::palette::Tone;
use super::picture::{Fill, Layer, LayerKind, LegendEntry, LegendShape, Mark, Picture};
use super::scale::Scale;
use super::treemap::{Tile, Treemap, TreemapNode, squarify};
use crate::base::units;

/// Room for the name of a prefix above what it holds, in pixels.
const HEAD: f64 = 18.0;
/// Smaller tiles are not divided any more.
const MIN_DIVIDED: f64 = 44.0;
/// Between a divided tile and what lies in it.
const EDGE: f64 = 2.0;
/// The layout of a picture: about what is left of a file of the usual size.
const PICTURE: (f64, f64) = (928.0, 340.0);

/// One node on a surface. Inner tiles come after the ones that they lie in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlacedTile {
    pub node: usize,
    pub tile: Tile,
    /// Whether smaller tiles lie inside, below a line for the name.
    pub is_divided: bool,
}

/// The children of node `at` on a surface of `size` pixels. Tiles smaller than a pixel are left out.
pub fn treemap_layout(tree: &Treemap, at: usize, size: (f64, f64)) -> Vec<PlacedTile> {
    let mut tiles = Vec::new();
    let whole = Tile {
        x: 0.0,
        y: 0.0,
        width: size.0,
        height: size.1,
    };
    divide(tree, at, whole, 0, &mut tiles);
    tiles
}

fn divide(tree: &Treemap, at: usize, room: Tile, depth: u32, tiles: &mut Vec<PlacedTile>) {
    let Some(node) = tree.node(at) else { return };
    // A partition that is shown alone is one tile.
    let alone = [at];
    let children = if node.children.is_empty() && depth == 0 {
        &alone[..]
    } else {
        &node.children
    };
    let weights: Vec<f64> = children
        .iter()
        .map(|child| tree.node(*child).map_or(0.0, |child| child.n_bytes as f64))
        .collect();
    for (child, tile) in children.iter().zip(squarify(&weights, room.width, room.height)) {
        if tile.width * tile.height < 1.0 {
            continue;
        }
        let tile = Tile {
            x: room.x + tile.x,
            y: room.y + tile.y,
            ..tile
        };
        let is_divided = depth == 0
            && tree.node(*child).is_some_and(|child| child.children.len() > 1)
            && tile.width > MIN_DIVIDED
            && tile.height > MIN_DIVIDED;
        tiles.push(PlacedTile {
            node: *child,
            tile,
            is_divided,
        });
        if is_divided {
            let inside = Tile {
                x: tile.x + EDGE,
                y: tile.y + HEAD,
                width: tile.width - 2.0 * EDGE,
                height: tile.height - HEAD - EDGE,
            };
            divide(tree, *child, inside, depth + 1, tiles);
        }
    }
}

/// What lies below node `at`: areas are bytes, from amber for small files to blue for files that read well. A mark's action
/// is its node.
pub fn treemap_picture(tree: &Treemap, at: usize, note: &str) -> Picture {
    let name = tree.node(at).map_or("", |node| node.label.as_str());
    let marks = treemap_layout(tree, at, PICTURE)
        .into_iter()
        .filter_map(|placed| Some(tile_mark(tree, at, tree.node(placed.node)?, placed)))
        .collect();
    let end = |tone, text| LegendEntry::new(tone, LegendShape::Swatch(Fill::Level(1.0)), text);
    Picture::new(
        format!("Bytes below {name}"),
        Scale::bare(0.0, PICTURE.0),
        Scale::bare(0.0, PICTURE.1).reversed(),
    )
    .note(note)
    .layer(Layer::new(LayerKind::Cells, Tone::Data, marks))
    .entry(end(Tone::Warn, "files of 1 KB on average"))
    .entry(LegendEntry::new(
        Tone::Data,
        LegendShape::Swatch(Fill::Level(0.0)),
        "3 MB",
    ))
    .entry(end(Tone::Data, "128 MB and more"))
}

/// Tone and step of the colour of a tile whose average file is at `level` of the scale, 0..=1: amber pales towards the middle,
/// then blue deepens.
pub fn tile_fill(level: f32) -> (Tone, f32) {
    if level < 0.5 {
        (Tone::Warn, 1.0 - 2.0 * level)
    } else {
        (Tone::Data, 2.0 * level - 1.0)
    }
}

fn tile_mark(tree: &Treemap, shown: usize, node: &TreemapNode, placed: PlacedTile) -> Mark {
    let tile = placed.tile;
    // Of a divided tile only the line with its name is seen: the rest is covered by what it holds.
    let height = if placed.is_divided { HEAD } else { tile.height };
    let mut tooltip = format!(
        "{}\n{}\n{}",
        node.label,
        units::bytes_exact(node.n_bytes),
        units::plural(node.n_files, "file")
    );
    if let Some(average) = node.average_file_bytes() {
        tooltip.extend([format!("\n{} a file on average", units::bytes(average))]);
    }
    tooltip.extend(tree.shares(node, shown).iter().map(|share| format!("\n{share}")));
    let mark =
        Mark::cell((tile.x, tile.x + tile.width), (tile.y, tile.y + height), tooltip).action(placed.node);
    if placed.is_divided {
        return mark
            .tone(Tone::Weak)
            .fill(Fill::Level(0.0))
            .label(tile_label(node, tile.width));
    }
    let (tone, strength) = tile_fill(node.level());
    mark.tone(tone)
        .fill(Fill::Level(strength))
        .label(tile_label(node, tile.width))
}

/// A name with its bytes, or alone where both have no room: half a figure says nothing.
fn tile_label(node: &TreemapNode, width: f64) -> String {
    // Letters are about six pixels wide, digits seven.
    const LETTER: f64 = 7.0;
    let with_bytes = format!("{} {}", node.label, units::bytes(node.n_bytes));
    if with_bytes.chars().count() as f64 * LETTER <= width - 10.0 {
        with_bytes
    } else {
        node.label.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{PICTURE, treemap_layout, treemap_picture};
    use crate::chart::draw::{PictureSize, svg};
    use crate::chart::palette::LIGHT;
    use crate::chart::tests::{dataset, day, two_weeks};
    use crate::chart::{Tone, Treemap};

    #[test]
    fn a_picture_holds_a_tile_for_every_day_in_the_ratio_of_bytes() {
        let tree = Treemap::new("lake", [&two_weeks()].into_iter());
        let picture = treemap_picture(&tree, 0, "exact");
        let marks: Vec<_> = picture.marks().map(|(_, mark)| mark).collect();
        assert_eq!(marks.len(), 13);
        let area = |mark: &crate::chart::Mark| (mark.x.1 - mark.x.0) * (mark.y.1 - mark.y.0);
        let all: f64 = marks.iter().map(|mark| area(mark)).sum();
        assert!((all - PICTURE.0 * PICTURE.1).abs() < 1.0, "{all}");
        let spike = marks.iter().find(|mark| mark.name() == "2020-01-09").unwrap();
        let share = 5.3e6 / (5.3e6 + 0.45e6 + 11.0 * 0.44e6);
        assert!((area(spike) / all - share).abs() < 1e-3);
        let tiny = marks.iter().find(|mark| mark.name() == "2020-01-11").unwrap();
        assert_eq!(tiny.tone, Some(Tone::Warn));
        let drawn = svg(&picture, PictureSize::default(), &LIGHT).unwrap();
        assert!(drawn.contains("2020-01-09 5.3 MB") && drawn.contains("Bytes below lake"));
    }

    #[test]
    fn months_are_named_above_their_days_and_inner_tiles_stay_inside() {
        let two_months =
            dataset((1..=2).flat_map(|month| (1..=3).map(move |n| (day(month, n), 1, 1_000_000))));
        let tree = Treemap::new("lake", [&two_months].into_iter());
        let tiles = treemap_layout(&tree, 0, (400.0, 200.0));
        let outer: Vec<_> = tiles.iter().filter(|tile| tile.is_divided).collect();
        assert_eq!((outer.len(), tiles.len()), (2, 8));
        for inner in tiles.iter().filter(|tile| !tile.is_divided) {
            let is_inside = outer.iter().any(|outer| {
                inner.tile.x >= outer.tile.x
                    && inner.tile.x + inner.tile.width <= outer.tile.x + outer.tile.width + 1e-9
                    && inner.tile.y >= outer.tile.y + 18.0
                    && inner.tile.y + inner.tile.height <= outer.tile.y + outer.tile.height + 1e-9
            });
            assert!(is_inside, "{inner:?}");
        }
    }
}
