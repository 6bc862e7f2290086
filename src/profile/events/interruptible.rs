//! Passes and sorts that stop at a cancel: a stage of millions of tasks must not hold whoever cancels.

use crate::base::{Cancel, Cancelled};

/// Values that are sorted, or passed over, between two looks at the cancel: a few milliseconds.
pub const BETWEEN_LOOKS: usize = 1 << 16;

/// Does `each` with every item, looking at `cancel` every [`BETWEEN_LOOKS`] items.
///
/// # Errors
/// [`Cancelled`]; the items that follow are then left out.
pub fn for_each_until<T>(
    items: impl IntoIterator<Item = T>,
    cancel: &Cancel,
    mut each: impl FnMut(T),
) -> Result<(), Cancelled> {
    for (n, item) in items.into_iter().enumerate() {
        if n % BETWEEN_LOOKS == 0 {
            cancel.check()?;
        }
        each(item);
    }
    Ok(())
}

/// Sorts, looking at `cancel` every [`BETWEEN_LOOKS`] values: runs of that length, then merges of neighbours.
///
/// # Errors
/// [`Cancelled`]; the order of `values` then means nothing.
pub fn sort_until<T: Ord + Copy>(values: &mut Vec<T>, cancel: &Cancel) -> Result<(), Cancelled> {
    for run in values.chunks_mut(BETWEEN_LOOKS) {
        cancel.check()?;
        run.sort_unstable();
    }
    let mut length = BETWEEN_LOOKS;
    let mut spare = Vec::new();
    while length < values.len() {
        spare.clear();
        spare.reserve_exact(values.len());
        for pair in values.chunks(length * 2) {
            let (left, right) = pair.split_at(length.min(pair.len()));
            merge(left, right, &mut spare, cancel)?;
        }
        std::mem::swap(values, &mut spare);
        length *= 2;
    }
    Ok(())
}

fn merge<T: Ord + Copy>(
    left: &[T],
    right: &[T],
    into: &mut Vec<T>,
    cancel: &Cancel,
) -> Result<(), Cancelled> {
    let (mut left, mut right) = (left.iter().copied().peekable(), right.iter().copied().peekable());
    loop {
        cancel.check()?;
        for _ in 0..BETWEEN_LOOKS {
            let next = match (left.peek(), right.peek()) {
                (Some(a), Some(b)) if b < a => right.next(),
                (Some(_), _) => left.next(),
                (None, _) => right.next(),
            };
            let Some(next) = next else { return Ok(()) };
            into.push(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BETWEEN_LOOKS, for_each_until, sort_until};
    use crate::base::{Cancel, Cancelled};

    fn scrambled(n: u64) -> Vec<u64> {
        (0..n)
            .map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20)
            .collect()
    }

    #[test]
    fn any_number_of_values_is_sorted() {
        let run = BETWEEN_LOOKS as u64;
        for n in [0, 1, 2, run - 1, run, run + 1, 2 * run, 3 * run + 7, 5 * run] {
            let mut values = scrambled(n);
            let mut expected = values.clone();
            expected.sort_unstable();
            sort_until(&mut values, &Cancel::new()).unwrap();
            assert!(values == expected, "{n} values");
        }
    }

    #[test]
    fn a_cancel_ends_a_long_pass() {
        let mut n = 0;
        let passed = for_each_until(0..10 * BETWEEN_LOOKS, &Cancel::at_look(3), |_| n += 1);
        assert_eq!((passed, n), (Err(Cancelled), 2 * BETWEEN_LOOKS));
    }

    #[test]
    fn a_cancel_ends_a_long_sort_at_any_look() {
        let values = scrambled(4 * BETWEEN_LOOKS as u64);
        for n_looks in 1..12 {
            let sorted = sort_until(&mut values.clone(), &Cancel::at_look(n_looks));
            assert_eq!(sorted, Err(Cancelled), "look {n_looks}");
        }
    }
}
