//! The least and the greatest text of a page or a chunk, as footers keep them: long ones are cut to a text that still
//! bounds them.

/// Longer bounds are cut.
const BOUND_BYTES: usize = 64;

/// Bounds of the texts added so far; none before the first.
#[derive(Debug, Default)]
pub(super) struct Bounds(Option<(Vec<u8>, Vec<u8>)>);

impl Bounds {
    #[inline]
    pub(super) fn add(&mut self, text: &[u8]) {
        match &mut self.0 {
            None => self.0 = Some((text.to_vec(), text.to_vec())),
            Some((min, max)) => {
                if text < min.as_slice() {
                    min.clear();
                    min.extend_from_slice(text);
                }
                if text > max.as_slice() {
                    max.clear();
                    max.extend_from_slice(text);
                }
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if let Some((min, max)) = &other.0 {
            self.add(min);
            self.add(max);
        }
    }

    pub(super) fn get(&self) -> Option<(&[u8], &[u8])> {
        self.0.as_ref().map(|(min, max)| (min.as_slice(), max.as_slice()))
    }
}

/// A text that is not above `min`, and whether it is `min` itself.
pub(super) fn lower(min: &[u8]) -> (Vec<u8>, bool) {
    match start_of(min) {
        Some(start) => (start.as_bytes().to_vec(), false),
        None => (min.to_vec(), true),
    }
}

/// A text that is not below `max`, and whether it is `max` itself.
pub(super) fn upper(max: &[u8]) -> (Vec<u8>, bool) {
    let Some(start) = start_of(max) else {
        return (max.to_vec(), true);
    };
    // The order of UTF-8 is that of its characters: the start with its last character raised is above all that begin
    // with the start.
    for (at, last) in start.char_indices().rev() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            _ => char::from_u32(u32::from(last) + 1),
        };
        if let (Some(next), Some(before)) = (next, start.get(..at)) {
            return (format!("{before}{next}").into_bytes(), false);
        }
    }
    (max.to_vec(), true)
}

/// The whole characters at the start of a text that is too long for a bound.
fn start_of(text: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(text).ok()?;
    let end = text.floor_char_boundary(BOUND_BYTES);
    (end < text.len()).then(|| text.get(..end)).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BOUND_BYTES, Bounds, lower, upper};

    #[test]
    fn short_bounds_are_exact_and_long_ones_are_cut_on_the_right_side() {
        assert_eq!(lower(b"abc"), (b"abc".to_vec(), true));
        assert_eq!(upper(b"abc"), (b"abc".to_vec(), true));
        let long = "é".repeat(40);
        assert_eq!(lower(long.as_bytes()).0, "é".repeat(32).into_bytes());
        assert_eq!(
            upper(long.as_bytes()).0,
            format!("{}ê", "é".repeat(31)).into_bytes()
        );
        let last = "\u{10ffff}".repeat(17);
        assert_eq!(upper(last.as_bytes()), (last.clone().into_bytes(), true));
        let before_gap = format!("{}\u{d7ff}abc", "a".repeat(61));
        let (bound, _) = upper(before_gap.as_bytes());
        assert_eq!(bound, format!("{}\u{e000}", "a".repeat(61)).into_bytes());
    }

    proptest! {
        #[test]
        fn bounds_bound(texts in prop::collection::vec(".{0,90}", 1..20)) {
            let mut bounds = Bounds::default();
            for text in &texts {
                bounds.add(text.as_bytes());
            }
            let (min, max) = bounds.get().unwrap();
            prop_assert_eq!(min, texts.iter().min().unwrap().as_bytes());
            prop_assert_eq!(max, texts.iter().max().unwrap().as_bytes());
            let ((low, _), (high, is_max)) = (lower(min), upper(max));
            prop_assert!(low.as_slice() <= min && high.as_slice() >= max);
            prop_assert!(low.len() <= BOUND_BYTES && (is_max || high.len() <= BOUND_BYTES + 3));
            prop_assert!(std::str::from_utf8(&low).is_ok() && std::str::from_utf8(&high).is_ok());
        }
    }
}
