//! Which counts are among the largest, in one pass and in little memory: a million counts are not copied to be sorted.
//!
//! Counts are put into buckets that are 1/64 of their power of two wide, exact below 64. Source: Tene, `HdrHistogram` (2012).

const LG_PER_POWER: u32 = 6;
const PER_POWER: usize = 1 << LG_PER_POWER;
/// The counts below 64, and 64 buckets for each power of two above.
const N_BUCKETS: usize = PER_POWER * (u64::BITS - LG_PER_POWER + 1) as usize;

/// How many counts fall into each bucket.
#[derive(Debug, Clone)]
pub(super) struct Buckets(Vec<u32>);

impl Default for Buckets {
    fn default() -> Self {
        Self(vec![0; N_BUCKETS])
    }
}

/// A count that divides the largest from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    /// Counts above it are among the largest.
    pub count: u64,
    /// So many are.
    pub n_above: usize,
}

impl Buckets {
    pub fn add(&mut self, count: u64) {
        if let Some(n) = self.0.get_mut(bucket_of(count)) {
            *n += 1;
        }
    }

    /// The limit that the most counts are above, but at most `n`; of counts closer to each other than 1.6% either all or
    /// none are. 0 where all fit.
    pub fn limit(&self, n: usize) -> Limit {
        let mut n_above = 0;
        for (bucket, n_here) in self.0.iter().enumerate().rev() {
            if n_above + *n_here as usize > n {
                return Limit {
                    count: last_of(bucket),
                    n_above,
                };
            }
            n_above += *n_here as usize;
        }
        Limit { count: 0, n_above }
    }
}

fn bucket_of(count: u64) -> usize {
    let power = (u64::BITS - count.leading_zeros()).saturating_sub(LG_PER_POWER + 1);
    let within = usize::try_from(count >> power).unwrap_or(usize::MAX);
    power as usize * PER_POWER + within
}

/// The largest count of a bucket.
fn last_of(bucket: usize) -> u64 {
    let power = (bucket / PER_POWER).saturating_sub(1);
    let within = (bucket - power * PER_POWER) as u64;
    // Of the last bucket the next one would begin beyond all counts.
    within
        .checked_add(1)
        .and_then(|next| next.checked_mul(1_u64.checked_shl(u32::try_from(power).ok()?)?))
        .map_or(u64::MAX, |next| next - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Buckets, N_BUCKETS, bucket_of, last_of};

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        for bucket in 0..N_BUCKETS {
            let last = last_of(bucket);
            assert_eq!(bucket_of(last), bucket, "{last}");
            if last < u64::MAX {
                assert_eq!(bucket_of(last + 1), bucket + 1, "{last}");
            }
        }
        assert_eq!(last_of(N_BUCKETS - 1), u64::MAX);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_more_than_wanted_are_above_the_limit_and_no_bucket_more_would_fit(
            counts in proptest::collection::vec(prop_oneof![0_u64..100, 0_u64..1_000_000, any::<u64>()], 0..300),
            n in 0_usize..300,
        ) {
            let mut buckets = Buckets::default();
            for count in &counts {
                buckets.add(*count);
            }
            let limit = buckets.limit(n);
            let above = counts.iter().filter(|count| **count > limit.count).count();
            let all = if limit.n_above == counts.len() { counts.len() } else { above };
            prop_assert_eq!(limit.n_above, all);
            prop_assert!(above <= n);
            if limit.count > 0 {
                let bucket = bucket_of(limit.count);
                let more = counts.iter().filter(|count| bucket_of(**count) >= bucket).count();
                prop_assert!(more > n);
            }
        }
    }
}
