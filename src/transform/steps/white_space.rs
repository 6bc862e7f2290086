//! Splits text at white space into string views, as Java's `String.split("\\s")` does.
//!
//! This is where a run over text spends its time, so it works on words of a machine: white space is found 64 bytes at a
//! time, and a word of up to 12 bytes becomes its view by one load and one mask.

use polars_arrow::array::{MutableBinaryViewArray, View};

/// Bytes looked at together.
const BLOCK: usize = 64;
/// What may be read after a word's first byte, also at the end of the text.
const PADDING: usize = 16;

/// Splits texts one after another, in memory that is used again.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// The text, in lower case if that is asked for, and then at least [`PADDING`] and up to a whole block.
    text: String,
}

impl Splitter {
    /// Adds the words between single white space characters to `words`. Empty words at the end are dropped, unless
    /// nothing was split.
    pub(super) fn split(&mut self, text: &str, is_lower: bool, words: &mut MutableBinaryViewArray<str>) {
        self.text.clear();
        if is_lower {
            push_lower(text, &mut self.text);
        } else {
            self.text.push_str(text);
        }
        if self.text.is_empty() {
            words.push_value_ignore_validity("");
            return;
        }
        let Some(last) = self.text.bytes().rposition(|byte| !is_java_space(byte)) else {
            return;
        };
        let len = last + 1;
        // The last word ends at white space too, so that words and their ends are the same in number.
        self.text.truncate(len);
        self.text.push(' ');
        let n_blocks = self.text.len().div_ceil(BLOCK);
        let n_padding = n_blocks * BLOCK - self.text.len() + PADDING;
        self.text.extend(std::iter::repeat_n('\0', n_padding));

        let (blocks, _) = self.text.as_bytes().as_chunks::<BLOCK>();
        let masks = || blocks.iter().take(n_blocks).map(spaces);
        let n_words: u32 = masks().map(u64::count_ones).sum();
        words.reserve(n_words as usize);
        let mut start = 0;
        for (block, mut mask) in masks().enumerate() {
            while mask != 0 {
                let end = block * BLOCK + mask.trailing_zeros() as usize;
                push_word(&self.text, start, end, words);
                start = end + 1;
                mask &= mask - 1;
            }
        }
    }
}

/// Adds the word between `start` and `end`, which are before white space or after it, so between characters.
#[inline]
fn push_word(text: &str, start: usize, end: usize, words: &mut MutableBinaryViewArray<str>) {
    let len = end - start;
    let loaded = text
        .as_bytes()
        .get(start..)
        .and_then(<[u8]>::first_chunk::<PADDING>);
    match loaded {
        Some(loaded) if len <= View::MAX_INLINE_SIZE as usize => {
            let kept = u128::from_le_bytes(*loaded) & ((1 << (8 * len)) - 1);
            words.push_view(view((kept << 32) | len as u128), &[]);
        }
        _ => words.push_value_ignore_validity(text.get(start..end).unwrap_or_default()),
    }
}

/// The view of which `bits` are the bytes.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "each field is 32 of the 128 bits")]
fn view(bits: u128) -> View {
    View {
        length: bits as u32,
        prefix: (bits >> 32) as u32,
        buffer_idx: (bits >> 64) as u32,
        offset: (bits >> 96) as u32,
    }
}

/// Java's `\s`, by which Spark's `Tokenizer` splits. All of it is ASCII, so bytes can be looked at one by one.
fn is_java_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// One bit for each byte that is white space, the first byte's the lowest.
#[inline]
fn spaces(block: &[u8; BLOCK]) -> u64 {
    let (words, _) = block.as_chunks::<8>();
    let mut mask = 0;
    for (i, word) in words.iter().enumerate() {
        mask |= spaces_of_word(u64::from_le_bytes(*word)) << (8 * i);
    }
    mask
}

/// As [`spaces`] for eight bytes. No sum below carries from one byte into the next.
#[inline]
fn spaces_of_word(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let low = word & !HIGH;
    // The high bit of each byte says whether the lower seven are at least 9, at least 14, and other than a space.
    let from_tab = low + (0x80 - 9) * ONES;
    let after_return = low + (0x80 - 14) * ONES;
    let is_no_space = (low ^ (u64::from(b' ') * ONES)) + 0x7f * ONES;
    let is_space = ((from_tab & !after_return) | !is_no_space) & !word & HIGH;
    // Gathers the eight high bits in the highest byte.
    (is_space >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// How many words the text has if none of them is empty at its end.
pub(super) fn n_words_at_most(text: &str) -> usize {
    text.bytes().filter(|byte| is_java_space(*byte)).count() + 1
}

/// Appends `text` in lower case, as `str::to_lowercase` does; nearly all text is ASCII, for which no table is needed.
pub(super) fn push_lower(text: &str, lowered: &mut String) {
    let start = lowered.len();
    if text.is_ascii() {
        lowered.push_str(text);
        if let Some(pushed) = lowered.get_mut(start..) {
            pushed.make_ascii_lowercase();
        }
    } else {
        lowered.push_str(&text.to_lowercase());
    }
}

#[cfg(test)]
mod tests {
    use polars_arrow::array::MutableBinaryViewArray;
    use proptest::prelude::*;

    use super::{Splitter, is_java_space, spaces_of_word};

    /// The rule word by word.
    fn expected(text: &str) -> Vec<String> {
        if text.is_empty() {
            return vec![String::new()];
        }
        let is_space = |c: char| u8::try_from(c).is_ok_and(is_java_space);
        let mut words: Vec<String> = text.split(is_space).map(str::to_owned).collect();
        while words.last().is_some_and(String::is_empty) {
            words.pop();
        }
        words
    }

    fn check(text: &str) {
        let mut words = MutableBinaryViewArray::<str>::new();
        let mut splitter = Splitter::default();
        splitter.split("a much longer text that was there before", false, &mut words);
        let n_before = words.len();
        splitter.split(text, false, &mut words);
        let words = words.freeze();
        let found: Vec<&str> = words.values_iter().skip(n_before).collect();
        assert_eq!(found, expected(text), "{text:?}");
        let mut words = MutableBinaryViewArray::<str>::new();
        splitter.split(text, true, &mut words);
        let words = words.freeze();
        let found: Vec<&str> = words.values_iter().collect();
        assert_eq!(found, expected(&text.to_lowercase()), "{text:?} in lower case");
    }

    #[test]
    fn every_byte_is_white_space_or_not_as_it_should_be_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for at in 0..8 {
                for others in [0, b' ', b'a', 0xff] {
                    let mut word = [others; 8];
                    word[at] = byte;
                    let expected: u64 = (0..8).map(|i| u64::from(is_java_space(word[i])) << i).sum();
                    assert_eq!(spaces_of_word(u64::from_le_bytes(word)), expected, "{word:?}");
                }
            }
        }
    }

    #[test]
    fn words_may_end_anywhere_in_a_block() {
        for len in 0..140 {
            check(&"x".repeat(len));
            check(&format!("{} y", "x".repeat(len)));
            check(&format!("{} ", "é ".repeat(len)));
            check(&format!("{}\u{1f}\u{0}  z", "ab ".repeat(len)));
        }
    }

    proptest! {
        #[test]
        fn words_are_those_of_the_rule(text in "[ \t\n\u{b}\u{c}\ra-cA-CÄ\u{a0}Σ東\u{0}]{0,200}") {
            check(&text);
        }
    }
}
