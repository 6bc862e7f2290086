//! Where the labels of lines to compare with go, and which pieces of those lines are drawn, so that no line strikes a label
//! through. The measure is the drawer's: fonts of a file and of the window differ.

/// A rectangle in pixels; y goes down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Place {
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

/// A line across the frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RuleLine {
    pub is_upright: bool,
    /// Its x where it is upright, else its y.
    pub at: f64,
    /// Width and height of its label; none without one.
    pub label: Option<(f64, f64)>,
}

/// Beside the text of a label.
pub const PADDING: f64 = 3.0;
/// Between an upright line and its label.
const GAP: f64 = 6.0;
/// From one label to the one below.
const LINE: f64 = 16.0;
const N_LINES: u8 = 6;

impl RuleLine {
    fn crosses(&self, place: &Place) -> bool {
        if self.is_upright {
            (place.left..=place.right).contains(&self.at)
        } else {
            (place.top..=place.bottom).contains(&self.at)
        }
    }

    /// Places of its label from the best on.
    fn places(&self, others: &[Self], frame: &Place) -> Vec<Place> {
        let Some((width, height)) = self.label else {
            return Vec::new();
        };
        let around = |x: f64, y: f64| Place {
            left: x - PADDING,
            top: y,
            right: x + width + PADDING,
            bottom: y + height + 1.0,
        };
        if !self.is_upright {
            let right = frame.right - width - 4.0;
            let left = frame.left + 4.0;
            return [right, left, f64::midpoint(left, right)]
                .into_iter()
                .flat_map(|x| {
                    [self.at - height - 3.0, self.at - height - 17.0, self.at + 3.0].map(|y| around(x, y))
                })
                .collect();
        }
        let left = self.at - width - GAP;
        let mut sides = vec![self.at + GAP];
        if left > frame.left {
            sides.insert(0, left);
        }
        // Where a neighbour is too near, on the other side of it.
        let mut beyond: Vec<f64> = others
            .iter()
            .filter(|other| other.is_upright && other.at > self.at)
            .map(|other| other.at + GAP)
            .collect();
        beyond.sort_by(f64::total_cmp);
        sides.extend(beyond);
        let mut before: Vec<f64> = others
            .iter()
            .filter(|other| other.is_upright && other.at < self.at)
            .map(|other| other.at - width - GAP)
            .collect();
        before.sort_by(|a, b| b.total_cmp(a));
        sides.extend(before);
        sides
            .into_iter()
            .flat_map(|x| (0..N_LINES).map(move |n| (x, frame.top + f64::from(n) * LINE)))
            .map(|(x, y)| around(x, y))
            .collect()
    }

    /// The pieces of the line that no label covers, each from and to, along the line.
    pub fn pieces(&self, frame: &Place, labels: &[Place]) -> Vec<(f64, f64)> {
        let (first, last) = if self.is_upright {
            (frame.top, frame.bottom)
        } else {
            (frame.left, frame.right)
        };
        let mut covered: Vec<(f64, f64)> = labels
            .iter()
            .filter(|label| self.crosses(label))
            .map(|label| {
                if self.is_upright {
                    (label.top, label.bottom)
                } else {
                    (label.left, label.right)
                }
            })
            .collect();
        covered.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut pieces = Vec::new();
        let mut from = first;
        for (start, end) in covered {
            if start > from {
                pieces.push((from, start.min(last)));
            }
            from = from.max(end);
        }
        if from < last {
            pieces.push((from, last));
        }
        pieces
    }
}

/// The place of each rule's label, padding included: the first one that is free and that no line crosses, else the first one
/// that is free; none where there is no room. They are added to `taken`.
pub fn places(rules: &[RuleLine], frame: &Place, taken: &mut Vec<Place>) -> Vec<Option<Place>> {
    rules
        .iter()
        .enumerate()
        .map(|(n, rule)| {
            let others: Vec<RuleLine> = rules
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != n)
                .map(|(_, other)| *other)
                .collect();
            let is_free = |place: &&Place| {
                place.top >= frame.top - 8.0
                    && place.left >= frame.left - 4.0
                    && place.right <= frame.right + 4.0
                    && place.bottom <= frame.bottom + 4.0
                    && !taken.iter().any(|other| other.overlaps(place))
            };
            let candidates = rule.places(&others, frame);
            let is_crossed = |place: &Place| others.iter().any(|other| other.crosses(place));
            let place = candidates
                .iter()
                .filter(is_free)
                .find(|place| !is_crossed(place))
                .or_else(|| candidates.iter().find(is_free))
                .copied();
            taken.extend(place);
            place
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Place, RuleLine, places};

    const FRAME: Place = Place {
        left: 0.0,
        top: 0.0,
        right: 400.0,
        bottom: 200.0,
    };

    fn rule(is_upright: bool, at: f64) -> RuleLine {
        RuleLine {
            is_upright,
            at,
            label: Some((70.0, 13.0)),
        }
    }

    #[test]
    fn neighbouring_lines_have_labels_that_none_of_them_strikes_through() {
        for (a, b) in [(20.0, 26.0), (200.0, 206.0), (100.0, 160.0), (380.0, 390.0)] {
            let rules = [rule(true, a), rule(true, b), rule(true, 300.0)];
            let found = places(&rules, &FRAME, &mut Vec::new());
            for place in &found {
                let place = place.unwrap();
                assert!(
                    rules.iter().all(|rule| !rule.crosses(&place)),
                    "{a} {b}: {place:?}"
                );
            }
            let labels: Vec<Place> = found.into_iter().flatten().collect();
            assert!(!labels[0].overlaps(&labels[1]), "{labels:?}");
            assert!(rules.iter().all(|rule| rule.pieces(&FRAME, &labels).len() == 1));
        }
    }

    #[test]
    fn a_line_is_left_out_behind_the_label_of_a_mark() {
        let label = Place {
            left: 40.0,
            top: 50.0,
            right: 80.0,
            bottom: 64.0,
        };
        assert_eq!(
            rule(true, 60.0).pieces(&FRAME, &[label]),
            [(0.0, 50.0), (64.0, 200.0)]
        );
        assert_eq!(
            rule(false, 60.0).pieces(&FRAME, &[label]),
            [(0.0, 40.0), (80.0, 400.0)]
        );
        assert_eq!(rule(true, 90.0).pieces(&FRAME, &[label]), [(0.0, 200.0)]);
    }

    #[test]
    fn a_label_without_room_is_left_out() {
        let narrow = Place { right: 60.0, ..FRAME };
        assert_eq!(places(&[rule(true, 30.0)], &narrow, &mut Vec::new()), [None]);
        let none = RuleLine {
            label: None,
            ..rule(false, 3.0)
        };
        assert_eq!(places(&[none], &FRAME, &mut Vec::new()), [None]);
    }
}
