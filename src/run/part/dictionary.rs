//! The distinct texts of a column chunk, each with its code.
//!
//! Texts come as string views. A short text is its view, so that it is found without following a pointer, and without
//! a hash of a text of any length: that is what makes the columns of tokens cheap.

use std::hash::{BuildHasher, RandomState};

use arrow::array::StringViewArray;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::hybrid::bit_width;

/// Texts up to here are held in their view.
const INLINE_BYTES: u32 = 12;
const MIN_SLOTS_LOG2: u32 = 10;

#[derive(Debug)]
pub(super) struct Dictionary {
    /// By hash: a code plus one, or zero where there is none. As many as a power of two, at most half of them taken.
    slots: Vec<u32>,
    slots_log2: u32,
    /// By code. A short text's view; of a longer one its length, first bytes and hash.
    keys: Vec<u128>,
    /// By code: where its text ends in `page`.
    ends: Vec<usize>,
    /// The texts as a dictionary page has them, each after its length.
    page: Vec<u8>,
    /// Of this process only, so that nobody can prepare texts that collide.
    seeds: [u64; 2],
}

impl Dictionary {
    pub(super) fn new() -> Self {
        let random = RandomState::new();
        Self {
            slots: vec![0; 1 << MIN_SLOTS_LOG2],
            slots_log2: MIN_SLOTS_LOG2,
            keys: Vec::new(),
            ends: Vec::new(),
            page: Vec::new(),
            seeds: [random.hash_one(0), random.hash_one(1)],
        }
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Bytes of the dictionary page.
    pub(super) fn n_bytes(&self) -> usize {
        self.page.len()
    }

    /// Bits that hold every code.
    pub(super) fn code_width(&self) -> u32 {
        bit_width(u32::try_from(self.keys.len().saturating_sub(1)).unwrap_or(u32::MAX))
    }

    pub(super) fn text(&self, code: u32) -> &[u8] {
        let code = code as usize;
        let start = match code.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or_default(),
            None => 0,
        };
        let end = self.ends.get(code).copied().unwrap_or_default();
        self.page.get(start + 4..end).unwrap_or_default()
    }

    /// The texts as a dictionary page has them.
    pub(super) fn into_page(self) -> Vec<u8> {
        self.page
    }

    /// The code of the text at `at` in `texts`, whose view is `view`.
    #[inline]
    pub(super) fn code(&mut self, view: u128, texts: &StringViewArray, at: usize) -> u32 {
        if length(view) <= INLINE_BYTES {
            self.short(view)
        } else {
            self.long(view, texts.value(at).as_bytes())
        }
    }

    #[inline]
    fn short(&mut self, key: u128) -> u32 {
        let mut slot = self.first_slot(key);
        loop {
            match self.slots.get(slot) {
                Some(0) | None => break,
                Some(taken) => {
                    let code = taken - 1;
                    if self.keys.get(code as usize) == Some(&key) {
                        return code;
                    }
                }
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        let bytes = key.to_le_bytes();
        let text = bytes.get(4..4 + length(key) as usize).unwrap_or_default();
        self.insert(slot, key, text)
    }

    fn long(&mut self, view: u128, text: &[u8]) -> u32 {
        let [seed, _] = self.seeds;
        let key = view & u128::from(u64::MAX) | u128::from(xxh3_64_with_seed(text, seed)) << 64;
        let mut slot = self.first_slot(key);
        loop {
            match self.slots.get(slot) {
                Some(0) | None => break,
                Some(taken) => {
                    let code = taken - 1;
                    if self.keys.get(code as usize) == Some(&key) && self.text(code) == text {
                        return code;
                    }
                }
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.insert(slot, key, text)
    }

    #[inline]
    fn first_slot(&self, key: u128) -> usize {
        let [low_seed, high_seed] = self.seeds;
        let low = low_half(key) ^ low_seed;
        let high = low_half(key >> 64) ^ high_seed;
        let product = u128::from(low) * u128::from(high);
        let hash = low_half(product) ^ low_half(product >> 64);
        // The upper bits are the well mixed ones. A slot is far below 2^32.
        usize::try_from(hash >> (u64::BITS - self.slots_log2)).unwrap_or_default()
    }

    #[cold]
    fn insert(&mut self, slot: usize, key: u128, text: &[u8]) -> u32 {
        let code = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        self.keys.push(key);
        self.page.extend_from_slice(&length(key).to_le_bytes());
        self.page.extend_from_slice(text);
        self.ends.push(self.page.len());
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = code + 1;
        }
        if self.keys.len() * 2 > self.slots.len() {
            self.grow();
        }
        code
    }

    fn grow(&mut self) {
        self.slots_log2 += 1;
        self.slots = vec![0; 1 << self.slots_log2];
        for (code, key) in (1_u32..).zip(&self.keys) {
            let mut at = self.first_slot(*key);
            while self.slots.get(at).is_some_and(|slot| *slot != 0) {
                at = (at + 1) & (self.slots.len() - 1);
            }
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = code;
            }
        }
    }
}

/// The length of the text that a view is of.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower 32 bits of a view are its length"
)]
pub(super) fn length(view: u128) -> u32 {
    view as u32
}

#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower half is what is asked for"
)]
fn low_half(key: u128) -> u64 {
    key as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow::array::{Array, StringViewArray};
    use proptest::prelude::*;

    use super::Dictionary;

    fn check(texts: &[String]) {
        let array = StringViewArray::from_iter_values(texts);
        let mut dictionary = Dictionary::new();
        let mut codes: HashMap<&str, u32> = HashMap::new();
        for (at, text) in texts.iter().enumerate() {
            let code = dictionary.code(array.views()[at], &array, at);
            let next = u32::try_from(codes.len()).unwrap();
            assert_eq!(code, *codes.entry(text).or_insert(next), "{text:?}");
            assert_eq!(dictionary.text(code), text.as_bytes());
        }
        assert_eq!(dictionary.len(), codes.len());
        let n_bytes: usize = codes.keys().map(|text| 4 + text.len()).sum();
        assert_eq!(dictionary.into_page().len(), n_bytes);
        assert_eq!(array.len(), texts.len());
    }

    #[test]
    fn more_texts_than_slots_keep_their_codes() {
        let texts: Vec<String> = (0..20_000).map(|i| format!("{}", i % 7_000)).collect();
        check(&texts);
        let texts: Vec<String> = (0..9_000)
            .map(|i| format!("a longer text, {}", i % 5_000))
            .collect();
        check(&texts);
    }

    proptest! {
        #[test]
        fn equal_texts_have_one_code_and_others_another(
            texts in prop::collection::vec(prop_oneof!["[ab]{0,3}", "[ab\u{0}é]{10,14}", ".{0,40}"], 0..400),
        ) {
            check(&texts);
        }
    }
}
