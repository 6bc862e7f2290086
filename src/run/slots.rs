//! Which numbers the parts of a task have, so that tasks never share one however many parts they make.

use serde::{Deserialize, Serialize};

/// Numbers that a task has in a row, so that the parts of a day are numbered in the order of their rows as far as
/// tasks make no more parts than this.
const IN_A_ROW: u64 = 1000;

/// The numbers of one task's parts: a thousand in a row, then every n-th behind those of all `n` tasks of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Slots {
    /// The day's first free number.
    pub first: u64,
    /// Which of the day's tasks it is, from 0.
    pub share: u64,
    pub n_shares: u64,
}

impl Slots {
    /// All numbers from `first` on, for a day that one process makes.
    pub fn from(first: u64) -> Self {
        Self {
            first,
            share: 0,
            n_shares: 1,
        }
    }

    /// The number of the task's part `index`, counted from 0.
    pub fn nth(self, index: u64) -> u64 {
        let place = match index.checked_sub(IN_A_ROW) {
            None => self.share * IN_A_ROW + index,
            Some(beyond) => self.n_shares * IN_A_ROW + beyond * self.n_shares + self.share,
        };
        self.first + place
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::Slots;

    #[test]
    fn one_process_counts_through_and_tasks_have_a_thousand_in_a_row() {
        let alone: Vec<u64> = (0..2500).map(|index| Slots::from(7).nth(index)).collect();
        assert_eq!(alone, (7..2507).collect::<Vec<_>>());
        let third = Slots {
            first: 7,
            share: 2,
            n_shares: 4,
        };
        assert_eq!([0, 999].map(|index| third.nth(index)), [2007, 3006]);
        assert_eq!([1000, 1001].map(|index| third.nth(index)), [4009, 4013]);
    }

    proptest! {
        #[test]
        fn no_two_parts_of_a_day_have_one_number(first in 0_u64..50, n_parts in prop::collection::vec(0_u64..2500, 1..6)) {
            let n_shares = n_parts.len() as u64;
            let numbers: Vec<u64> = (0..)
                .zip(&n_parts)
                .flat_map(|(share, n)| (0..*n).map(move |index| Slots { first, share, n_shares }.nth(index)))
                .collect();
            prop_assert!(numbers.iter().all(|number| *number >= first));
            prop_assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
        }
    }
}
