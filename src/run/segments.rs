//! Which rows of a day's output came from which object: 8 bytes an object, for a day may have a million.

/// Rows of one object among the rows of a day's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    /// Index among the objects that are read.
    pub object: u32,
    pub first_row: u64,
    pub n_rows: u64,
}

/// Segments in the order of their rows, without a gap.
#[derive(Debug, Clone, Default)]
pub(super) struct Segments {
    first_row: u64,
    /// Object and number of rows.
    runs: Vec<(u32, u32)>,
}

impl Segments {
    /// None yet; the first will begin at `first_row`.
    pub fn from_row(first_row: u64) -> Self {
        Self {
            first_row,
            runs: Vec::new(),
        }
    }

    /// The next rows are an object's.
    pub fn push(&mut self, object: u32, n_rows: u64) {
        let mut left = n_rows;
        if let Some((last, n)) = self.runs.last_mut()
            && *last == object
        {
            let taken = u32::try_from(left).unwrap_or(u32::MAX).min(u32::MAX - *n);
            *n += taken;
            left -= u64::from(taken);
        }
        // An object of more rows than a run can count goes on in the next.
        while left > 0 {
            let n = u32::try_from(left).unwrap_or(u32::MAX);
            self.runs.push((object, n));
            left -= u64::from(n);
        }
    }

    /// How many there are; one object may have several.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Number of rows of all.
    pub fn n_rows(&self) -> u64 {
        self.runs.iter().map(|(_, n)| u64::from(*n)).sum()
    }

    pub fn iter(&self) -> impl Iterator<Item = Segment> {
        let mut next_row = self.first_row;
        self.runs.iter().map(move |(object, n)| {
            let (first_row, n_rows) = (next_row, u64::from(*n));
            next_row += n_rows;
            Segment {
                object: *object,
                first_row,
                n_rows,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Segment, Segments};

    fn segment(object: u32, first_row: u64, n_rows: u64) -> Segment {
        Segment {
            object,
            first_row,
            n_rows,
        }
    }

    #[test]
    fn rows_follow_one_another_and_those_of_one_object_are_one_segment() {
        let mut segments = Segments::from_row(7);
        for (object, n_rows) in [(0, 1), (0, 2), (4, 1), (0, 1), (5, 0)] {
            segments.push(object, n_rows);
        }
        let expected = [segment(0, 7, 3), segment(4, 10, 1), segment(0, 11, 1)];
        assert_eq!(segments.iter().collect::<Vec<_>>(), expected);
        assert_eq!((segments.len(), segments.n_rows()), (3, 5));
    }

    #[test]
    fn an_object_of_more_rows_than_a_segment_counts_has_several() {
        let most = u64::from(u32::MAX);
        let mut segments = Segments::default();
        segments.push(1, most - 1);
        segments.push(1, 3);
        segments.push(2, 2 * most + 5);
        let expected = [
            segment(1, 0, most),
            segment(1, most, 2),
            segment(2, most + 2, most),
            segment(2, 2 * most + 2, most),
            segment(2, 3 * most + 2, 5),
        ];
        assert_eq!(segments.iter().collect::<Vec<_>>(), expected);
        assert_eq!(segments.n_rows(), 3 * most + 7);
    }

    #[test]
    fn an_object_takes_eight_bytes_and_the_room_for_as_many_more() {
        let n = 10_000;
        let mut segments = Segments::default();
        for object in 0..n {
            segments.push(object, 100);
            segments.push(object, 100);
        }
        let held_bytes = segments.runs.capacity() * size_of_val(&segments.runs[0]);
        assert!(held_bytes <= 2 * 8 * n as usize, "{held_bytes}");
    }
}
