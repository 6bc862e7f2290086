//! How many files of a dataset are how large, by tiers that tell tiny files from good ones.

use serde::Serialize;

/// Files below this are tiny: opening them costs more than reading them.
pub const TINY_BYTES: u64 = 3_000_000;

const N_TIERS: usize = 9;

/// Labels of the tiers, with the size in bytes at which the next one begins.
const TIERS: [(&str, u64); N_TIERS] = [
    ("0", 1),
    ("<3 KB", 3_000),
    ("3–30 KB", 30_000),
    ("30–300 KB", 300_000),
    ("0.3–3 MB", TINY_BYTES),
    ("3–32 MB", 32_000_000),
    ("32–128 MB", 128_000_000),
    ("128 MB–1 GB", 1_000_000_000),
    (">1 GB", u64::MAX),
];

/// Numbers of files by size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct SizeHistogram([u64; N_TIERS]);

impl SizeHistogram {
    pub fn add(&mut self, size: u64) {
        let tier = TIERS
            .iter()
            .position(|(_, next)| size < *next)
            .unwrap_or(N_TIERS - 1);
        if let Some(n) = self.0.get_mut(tier) {
            *n += 1;
        }
    }

    pub fn merge(&mut self, other: &Self) {
        for (n, more) in self.0.iter_mut().zip(other.0) {
            *n += more;
        }
    }

    /// Each tier's label and number of files, from empty to large.
    pub fn tiers(&self) -> impl Iterator<Item = (&'static str, u64)> {
        TIERS.iter().zip(self.0).map(|((label, _), n)| (*label, n))
    }
}

#[cfg(test)]
mod tests {
    use super::SizeHistogram;

    #[test]
    fn a_size_falls_into_the_tier_that_begins_at_or_below_it() {
        for (size, label) in [
            (0, "0"),
            (1, "<3 KB"),
            (2_999, "<3 KB"),
            (3_000, "3–30 KB"),
            (2_999_999, "0.3–3 MB"),
            (3_000_000, "3–32 MB"),
            (1_000_000_000, ">1 GB"),
            (u64::MAX, ">1 GB"),
        ] {
            let mut sizes = SizeHistogram::default();
            sizes.add(size);
            let found: Vec<_> = sizes.tiers().filter(|(_, n)| *n > 0).collect();
            assert_eq!(found, [(label, 1)], "{size}");
        }
    }
}
