//! A small random number generator whose stream never changes: the sample lake is the same bytes on every machine.

/// `SplitMix64`. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    /// An own stream for each `stream`, so that one part of the lake can change without moving the others.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = Self(seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95));
        rng.next();
        rng
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 when `n` is 0. The bias of the plain remainder is below 2⁻⁴⁰ for every `n` in use.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next().checked_rem(n).unwrap_or(0)
    }

    /// A number in `first..=last`.
    pub fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last.saturating_sub(first) + 1)
    }

    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// One of `items`; the default of an empty list.
    pub fn pick<T: Copy + Default>(&mut self, items: &[T]) -> T {
        let at = self.below(items.len() as u64);
        usize::try_from(at)
            .ok()
            .and_then(|at| items.get(at).copied())
            .unwrap_or_default()
    }

    /// `n` different items, in the list's order; all of them when there are fewer.
    pub fn pick_several<T: Copy>(&mut self, items: &[T], n: u64) -> Vec<T> {
        let (mut wanted, mut left) = (n, items.len() as u64);
        let mut picked = Vec::new();
        for item in items {
            if self.below(left) < wanted {
                picked.push(*item);
                wanted -= 1;
            }
            left -= 1;
        }
        picked
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn the_stream_is_that_of_the_paper() {
        let mut rng = Rng(1_234_567);
        assert_eq!(rng.next(), 6_457_827_717_110_365_317);
        assert_eq!(rng.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn several_picks_differ_and_keep_their_order() {
        let mut rng = Rng::new(1, 2);
        for n in 0..=6 {
            let picked = rng.pick_several(&[1, 2, 3, 4, 5], n);
            assert_eq!(picked.len() as u64, n.min(5));
            assert!(picked.is_sorted_by(|a, b| a < b), "{picked:?}");
        }
    }
}
