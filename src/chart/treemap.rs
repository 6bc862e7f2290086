//! A treemap of prefixes: areas are bytes, colours the average file. Years hold months, months days, as keys nest.

use crate::base::units;
use crate::storage::{DatasetKeys, Partition, TINY_BYTES};

/// One prefix, with what lies below it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TreemapNode {
    /// `raw`, `2020-01`, `2020-01-09`.
    pub label: String,
    pub n_bytes: u64,
    pub n_files: u64,
    pub n_partitions: u64,
    pub parent: Option<usize>,
    /// Places in [`Treemap::nodes`], those with most bytes first.
    pub children: Vec<usize>,
    /// Dataset and partition of a leaf.
    pub place: Option<(String, Partition)>,
}

/// All prefixes of a location; the first node is the location itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Treemap {
    pub nodes: Vec<TreemapNode>,
}

/// A rectangle of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tile {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl TreemapNode {
    /// None without files.
    pub fn average_file_bytes(&self) -> Option<u64> {
        self.n_bytes.checked_div(self.n_files)
    }

    /// 0..=1 of a colour scale: the logarithm of the average file from 1 KB over 3 MB, below which files are tiny, in the
    /// middle, to 128 MB, from where on they read well.
    pub fn level(&self) -> f32 {
        const SMALLEST: f64 = 1e3;
        const MIDDLE: f64 = TINY_BYTES as f64;
        const GOOD: f64 = 128e6;
        let average = (self.average_file_bytes().unwrap_or(0) as f64).max(SMALLEST);
        let level = if average < MIDDLE {
            (average / SMALLEST).ln() / (MIDDLE / SMALLEST).ln() / 2.0
        } else {
            0.5 + (average / MIDDLE).ln() / (GOOD / MIDDLE).ln() / 2.0
        };
        #[expect(clippy::cast_possible_truncation, reason = "a colour needs no more digits")]
        let level = level as f32;
        level.clamp(0.0, 1.0)
    }
}

impl Treemap {
    /// Every partition of `datasets` below `root`. A prefix that holds one other prefix only is drawn as that one.
    pub fn new<'a>(root: &str, datasets: impl Iterator<Item = &'a DatasetKeys>) -> Self {
        let mut tree = Self {
            nodes: vec![TreemapNode {
                label: root.to_owned(),
                ..TreemapNode::default()
            }],
        };
        let mut has_names = false;
        for dataset in datasets {
            has_names |= !dataset.prefix.is_empty();
            let name = match dataset.prefix.trim_end_matches('/') {
                "" => None,
                name => Some(name.to_owned()),
            };
            for stats in dataset.partitions.values() {
                let mut at = 0;
                tree.count(at, stats.n_bytes, stats.n_files);
                for label in name.clone().into_iter().chain(path(&stats.partition)) {
                    at = tree.child(at, label);
                    tree.count(at, stats.n_bytes, stats.n_files);
                }
                if let Some(leaf) = tree.nodes.get_mut(at) {
                    leaf.place = Some((dataset.prefix.clone(), stats.partition.clone()));
                }
            }
        }
        tree.collapse(has_names);
        tree.sort();
        tree
    }

    pub fn node(&self, at: usize) -> Option<&TreemapNode> {
        self.nodes.get(at)
    }

    /// The node that shows a dataset: where the window opens the map.
    pub fn dataset(&self, prefix: &str) -> usize {
        let name = prefix.trim_end_matches('/');
        let children = self
            .nodes
            .first()
            .map(|root| root.children.as_slice())
            .unwrap_or_default();
        let is_named = |at: &&usize| {
            self.node(**at)
                .is_some_and(|node| node.label == name && node.place.is_none())
        };
        children.iter().find(is_named).copied().unwrap_or(0)
    }

    /// What part of the bytes a node has, in words: of the prefix that is shown, and of all where that is another.
    pub fn shares(&self, node: &TreemapNode, shown: usize) -> Vec<String> {
        let of = |whole: usize, words: &dyn Fn(&str) -> String| {
            let whole = self.node(whole).filter(|whole| whole.n_bytes > 0)?;
            let share = node.n_bytes as f64 / whole.n_bytes as f64;
            Some(format!("{} of {}", units::percent(share), words(&whole.label)))
        };
        let inside = (shown > 0).then(|| of(shown, &|label| format!("{label}, which is shown")));
        let all = of(0, &|label| format!("all bytes of {label}"));
        inside.flatten().into_iter().chain(all).collect()
    }

    /// From the first node down to `at`.
    pub fn above(&self, at: usize) -> Vec<usize> {
        let mut path = vec![at];
        let mut node = at;
        while let Some(parent) = self.node(node).and_then(|node| node.parent) {
            path.push(parent);
            node = parent;
        }
        path.reverse();
        path
    }

    fn count(&mut self, at: usize, n_bytes: u64, n_files: u64) {
        if let Some(node) = self.nodes.get_mut(at) {
            node.n_bytes += n_bytes;
            node.n_files += n_files;
            node.n_partitions += 1;
        }
    }

    /// Partitions come in order, so that a prefix that is there already was the last one.
    fn child(&mut self, at: usize, label: String) -> usize {
        let last = self.node(at).and_then(|node| node.children.last().copied());
        if let Some(last) = last
            && self
                .node(last)
                .is_some_and(|node| node.label == label && node.place.is_none())
        {
            return last;
        }
        let new = self.nodes.len();
        self.nodes.push(TreemapNode {
            label,
            parent: Some(at),
            ..TreemapNode::default()
        });
        if let Some(node) = self.nodes.get_mut(at) {
            node.children.push(new);
        }
        new
    }

    /// A prefix above one other prefix takes the place of that one. The location and the datasets keep their names.
    fn collapse(&mut self, has_names: bool) {
        for at in 0..self.nodes.len() {
            let only_child = |tree: &Self| match tree.node(at)?.children.as_slice() {
                [only] => Some(*only),
                _ => None,
            };
            while let Some(only) = only_child(self) {
                let Some(inner) = self.nodes.get_mut(only).filter(|inner| inner.place.is_none()) else {
                    break;
                };
                if at == 0 && has_names {
                    // The location holds one dataset, which has a name.
                    break;
                }
                let (children, label) = (std::mem::take(&mut inner.children), inner.label.clone());
                for child in &children {
                    if let Some(child) = self.nodes.get_mut(*child) {
                        child.parent = Some(at);
                    }
                }
                if let Some(node) = self.nodes.get_mut(at) {
                    if at > 0 && label.starts_with(&node.label) {
                        node.label = label;
                    }
                    node.children = children;
                }
            }
        }
    }

    fn sort(&mut self) {
        let bytes: Vec<u64> = self.nodes.iter().map(|node| node.n_bytes).collect();
        let of = |at: &usize| bytes.get(*at).copied().unwrap_or(0);
        for node in &mut self.nodes {
            node.children.sort_by_key(|at| (std::cmp::Reverse(of(at)), *at));
        }
    }
}

/// The prefixes of a partition, from outside to inside.
fn path(partition: &Partition) -> Vec<String> {
    let dates = |date: &chrono::NaiveDate| {
        [
            date.format("%Y").to_string(),
            date.format("%Y-%m").to_string(),
            date.to_string(),
        ]
    };
    match partition {
        Partition::Whole => vec!["all files".to_owned()],
        Partition::Day(date) => dates(date).to_vec(),
        Partition::Hour(date, hour) => {
            let mut path = dates(date).to_vec();
            path.push(format!("{hour:02}h"));
            path
        }
        Partition::Keys(keys) => keys
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect(),
    }
}

/// Rectangles of areas in the ratio of `weights` that fill `width` × `height`, each as square as it can be, in the order of
/// the weights. A weight of zero, or that is no number, gets an empty one.
///
/// Source: Bruls, Huizing and van Wijk, "Squarified treemaps", 2000.
///
/// ```
/// let tiles = skewer::chart::squarify(&[6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0], 6.0, 4.0);
/// assert_eq!((tiles[0].width, tiles[0].height), (3.0, 2.0));
/// ```
pub fn squarify(weights: &[f64], width: f64, height: f64) -> Vec<Tile> {
    let mut tiles = vec![Tile::default(); weights.len()];
    let is_filled = |weight: f64| weight.is_finite() && weight > 0.0;
    let mut order: Vec<(usize, f64)> = weights
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, weight)| is_filled(*weight))
        .collect();
    let total: f64 = order.iter().map(|(_, weight)| weight).sum();
    if !is_filled(total) || !is_filled(width) || !is_filled(height) {
        return tiles;
    }
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (_, weight) in &mut order {
        *weight *= width * height / total;
    }
    let mut free = Tile {
        x: 0.0,
        y: 0.0,
        width,
        height,
    };
    let mut rest = order.as_slice();
    while !rest.is_empty() {
        let side = free.width.min(free.height);
        let n = row_length(rest, side);
        let (row, after) = rest.split_at(n);
        rest = after;
        free = lay_row(row, free, &mut tiles);
    }
    tiles
}

/// How many of the next areas lie in one row along `side`: as many as make its worst tile more square.
fn row_length(areas: &[(usize, f64)], side: f64) -> usize {
    let (mut sum, mut largest, mut smallest) = (0.0, 0.0_f64, f64::INFINITY);
    let mut worst = f64::INFINITY;
    for (n, (_, area)) in areas.iter().enumerate() {
        sum += area;
        largest = largest.max(*area);
        smallest = smallest.min(*area);
        let squares = (side * side * largest / (sum * sum)).max(sum * sum / (side * side * smallest));
        if squares > worst {
            return n.max(1);
        }
        worst = squares;
    }
    areas.len().max(1)
}

/// Lays a row along the shorter side of `free`. Returns what is left of it.
fn lay_row(row: &[(usize, f64)], free: Tile, tiles: &mut [Tile]) -> Tile {
    let sum: f64 = row.iter().map(|(_, area)| area).sum();
    let is_column = free.width >= free.height;
    let side = if is_column { free.height } else { free.width };
    let depth = if side > 0.0 { sum / side } else { 0.0 };
    let mut along = 0.0;
    for (at, area) in row {
        let length = if depth > 0.0 { area / depth } else { 0.0 };
        if let Some(tile) = tiles.get_mut(*at) {
            *tile = if is_column {
                Tile {
                    x: free.x,
                    y: free.y + along,
                    width: depth,
                    height: length,
                }
            } else {
                Tile {
                    x: free.x + along,
                    y: free.y,
                    width: length,
                    height: depth,
                }
            };
        }
        along += length;
    }
    if is_column {
        Tile {
            x: free.x + depth,
            width: (free.width - depth).max(0.0),
            ..free
        }
    } else {
        Tile {
            y: free.y + depth,
            height: (free.height - depth).max(0.0),
            ..free
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Treemap, squarify};
    use crate::chart::tests::{dataset, day, two_weeks};
    use crate::storage::{DatasetKeys, Partition};

    fn labels(tree: &Treemap, at: usize) -> Vec<&str> {
        let children = &tree.nodes[at].children;
        children
            .iter()
            .map(|child| tree.nodes[*child].label.as_str())
            .collect()
    }

    #[test]
    fn one_month_is_its_days_and_a_year_its_months() {
        let raw = DatasetKeys {
            prefix: "raw/".to_owned(),
            ..two_weeks()
        };
        let clicks = DatasetKeys {
            prefix: "clicks/".to_owned(),
            ..dataset([(day(1, 1), 1, 10), (day(2, 1), 2, 20), (day(2, 2), 1, 5)])
        };
        let tree = Treemap::new("lake", [&clicks, &raw].into_iter());
        assert_eq!(labels(&tree, 0), ["raw", "clicks"], "largest first");
        let raw = tree.dataset("raw/");
        assert_eq!(tree.nodes[raw].children.len(), 13);
        assert_eq!(labels(&tree, raw)[0], "2020-01-09");
        let clicks = tree.dataset("clicks/");
        assert_eq!(labels(&tree, clicks), ["2020-02", "2020-01"]);
        let february = tree.nodes[clicks].children[0];
        assert_eq!(
            (tree.nodes[february].n_bytes, tree.nodes[february].n_files),
            (25, 3)
        );
        let leaf = tree.nodes[february].children[0];
        assert_eq!(tree.nodes[leaf].place, Some(("clicks/".to_owned(), day(2, 1))));
        assert_eq!(tree.above(leaf), [0, clicks, february, leaf]);
        let all: u64 = tree.nodes[0].n_bytes;
        assert_eq!(all, two_weeks().n_bytes() + 35);
    }

    #[test]
    fn keys_nest_and_nothing_is_a_map_of_nothing() {
        let of = |country: &str, year: &str| {
            let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            Partition::Keys(vec![pair("country", country), pair("year", year)])
        };
        let tree = Treemap::new(
            "lake",
            [&dataset([
                (of("DE", "2019"), 1, 5),
                (of("DE", "2020"), 1, 6),
                (of("US", "2020"), 1, 50),
            ])]
            .into_iter(),
        );
        assert_eq!(labels(&tree, 0), ["country=US", "country=DE"]);
        let empty = Treemap::new("lake", [].into_iter());
        assert_eq!((empty.nodes.len(), empty.nodes[0].level()), (1, 0.0));
        let alone = Treemap::new("lake", [&two_weeks()].into_iter());
        assert_eq!(
            (labels(&alone, 0).len(), alone.nodes[0].label.as_str()),
            (13, "lake")
        );
        let flat = Treemap::new("lake", [&dataset([(Partition::Whole, 3, 9)])].into_iter());
        assert_eq!(labels(&flat, 0), ["all files"]);
    }

    #[test]
    fn the_average_file_decides_the_colour() {
        let level = |n_files, n_bytes| {
            let tree = Treemap::new("lake", [&dataset([(day(1, 1), n_files, n_bytes)])].into_iter());
            tree.nodes[0].level()
        };
        assert!(level(1, 500).abs() < 1e-6 && (level(2, 400_000_000) - 1.0).abs() < 1e-6);
        assert!(level(10, 3_000_000) < level(1, 3_000_000));
        // Amber is what the findings call tiny.
        assert!(level(1, 2_999_999) < 0.5 && level(1, 3_000_000) >= 0.5);
    }

    #[test]
    fn a_share_says_of_what_it_is() {
        let tree = Treemap::new(
            "lake",
            [&dataset([
                (day(1, 1), 1, 60),
                (day(1, 2), 1, 20),
                (day(2, 1), 1, 120),
            ])]
            .into_iter(),
        );
        let january = tree
            .nodes
            .iter()
            .position(|node| node.label == "2020-01")
            .unwrap();
        let first = tree.nodes.iter().find(|node| node.label == "2020-01-01").unwrap();
        assert_eq!(
            tree.shares(first, january),
            ["75% of 2020-01, which is shown", "30% of all bytes of lake"]
        );
        assert_eq!(tree.shares(first, 0), ["30% of all bytes of lake"]);
        let empty = Treemap::new("lake", [&dataset([(day(1, 1), 1, 0)])].into_iter());
        assert_eq!(empty.shares(&empty.nodes[0], 0), Vec::<String>::new());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn tiles_fill_the_rectangle_in_the_ratio_of_their_weights_and_stay_inside(
            weights in proptest::collection::vec(prop_oneof![Just(0.0), Just(f64::NAN), 0.001_f64..1e15], 0..60),
            width in 1.0_f64..2000.0,
            height in 1.0_f64..2000.0,
        ) {
            let tiles = squarify(&weights, width, height);
            prop_assert_eq!(tiles.len(), weights.len());
            let total: f64 = weights.iter().filter(|weight| weight.is_finite()).sum();
            for (tile, weight) in tiles.iter().zip(&weights) {
                let share = if weight.is_finite() && total > 0.0 { weight / total } else { 0.0 };
                let area = tile.width * tile.height;
                prop_assert!((area / (width * height) - share).abs() < 1e-6, "{tile:?} {share}");
                let slack = 1e-6 * (width + height);
                prop_assert!(tile.x >= -slack && tile.x + tile.width <= width + slack, "{tile:?}");
                prop_assert!(tile.y >= -slack && tile.y + tile.height <= height + slack, "{tile:?}");
            }
        }
    }
}
