//! Parquet's hybrid of run lengths and bit packing, for levels and dictionary codes.
//!
//! Source: the Parquet format's `Encodings.md`, "Run Length Encoding / Bit-Packing Hybrid".

/// Values of one bit-packed run: what other writers put into one, so that its header is a single byte.
const PACKED_VALUES: usize = 504;
/// A shorter run costs no more when it is packed.
const MIN_RUN: usize = 8;

/// Bits that hold `max`.
pub(super) fn bit_width(max: u32) -> u32 {
    u32::BITS - max.leading_zeros()
}

/// Levels, which come as runs.
#[derive(Debug)]
pub(super) struct Levels {
    width: u32,
    out: Vec<u8>,
    /// Values before the run under way that wait to be packed; always less than [`PACKED_VALUES`].
    packed: Vec<u32>,
    value: u32,
    n: usize,
}

impl Levels {
    pub(super) fn new(max: u32) -> Self {
        Self {
            width: bit_width(max),
            out: Vec::new(),
            packed: Vec::with_capacity(PACKED_VALUES),
            value: 0,
            n: 0,
        }
    }

    pub(super) fn push(&mut self, value: u32, n: usize) {
        if value != self.value {
            self.end_run();
            self.value = value;
        }
        self.n += n;
    }

    /// Bytes so far, about.
    pub(super) fn len(&self) -> usize {
        self.out.len() + self.packed.len() * self.width as usize / 8
    }

    fn end_run(&mut self) {
        // Packed values come in groups of eight: the run fills the last one up.
        let fill = (8 - self.packed.len() % 8) % 8;
        let n_packed = if self.n >= fill + MIN_RUN { fill } else { self.n };
        for _ in 0..n_packed {
            self.packed.push(self.value);
            if self.packed.len() == PACKED_VALUES {
                self.end_packed();
            }
        }
        if self.n > n_packed {
            self.end_packed();
            put_run(&mut self.out, self.value, self.n - n_packed, self.width);
        }
        self.n = 0;
    }

    fn end_packed(&mut self) {
        put_packed(&mut self.out, &self.packed, self.width);
        self.packed.clear();
    }

    /// Appends the levels as a data page of version 1 has them, after their length, and starts anew.
    pub(super) fn finish_into(&mut self, page: &mut Vec<u8>) {
        self.end_run();
        self.end_packed();
        page.extend_from_slice(&u32::try_from(self.out.len()).unwrap_or(u32::MAX).to_le_bytes());
        page.append(&mut self.out);
        self.value = 0;
    }
}

/// Appends dictionary codes as a data page has them, after their bit width.
pub(super) fn put_codes(out: &mut Vec<u8>, codes: &[u32], width: u32) {
    out.push(u8::try_from(width).unwrap_or(u8::MAX));
    let mut rest = codes;
    let mut n_packed = 0;
    while let Some(group) = rest.get(n_packed..n_packed + 8) {
        let Some(first) = group.first() else { break };
        if group.iter().any(|code| code != first) {
            n_packed += 8;
            continue;
        }
        let (packed, run) = rest.split_at(n_packed);
        let n = run.iter().take_while(|code| *code == first).count();
        put_all_packed(out, packed, width);
        put_run(out, *first, n, width);
        rest = run.get(n..).unwrap_or_default();
        n_packed = 0;
    }
    put_all_packed(out, rest, width);
}

fn put_all_packed(out: &mut Vec<u8>, values: &[u32], width: u32) {
    for run in values.chunks(PACKED_VALUES) {
        put_packed(out, run, width);
    }
}

fn put_run(out: &mut Vec<u8>, value: u32, n: usize, width: u32) {
    put_varint(out, (n as u64) << 1);
    let n_bytes = width.div_ceil(8) as usize;
    out.extend(value.to_le_bytes().into_iter().take(n_bytes));
}

/// Values packed into whole groups of eight; the last one is filled with zeros, which no reader looks at.
fn put_packed(out: &mut Vec<u8>, values: &[u32], width: u32) {
    if values.is_empty() {
        return;
    }
    let n_groups = values.len().div_ceil(8);
    put_varint(out, (n_groups as u64) << 1 | 1);
    let end = out.len() + n_groups * width as usize;
    let (mut bits, mut n_bits) = (0_u64, 0);
    for value in values {
        bits |= u64::from(*value) << n_bits;
        n_bits += width;
        if n_bits >= u32::BITS {
            out.extend_from_slice(&bits.to_le_bytes()[..4]);
            bits >>= u32::BITS;
            n_bits -= u32::BITS;
        }
    }
    out.extend(bits.to_le_bytes().into_iter().take(n_bits.div_ceil(8) as usize));
    out.resize(end, 0);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Levels, bit_width, put_codes};

    /// A reader by the specification.
    fn read(mut bytes: &[u8], width: u32, n: usize) -> Vec<u32> {
        let mut values = Vec::new();
        while values.len() < n {
            let mut header = 0_u64;
            for shift in (0..).step_by(7) {
                let (byte, rest) = bytes.split_first().unwrap();
                bytes = rest;
                header |= u64::from(byte & 0x7f) << shift;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let count = usize::try_from(header >> 1).unwrap();
            assert!(count > 0, "an empty run");
            if header & 1 == 0 {
                let (value, rest) = bytes.split_at(width.div_ceil(8) as usize);
                let mut word = [0; 4];
                word[..value.len()].copy_from_slice(value);
                values.extend(std::iter::repeat_n(u32::from_le_bytes(word), count));
                bytes = rest;
            } else {
                let (packed, rest) = bytes.split_at(count * width as usize);
                for i in 0..count * 8 {
                    let bit = |bit: usize| u32::from(packed[bit / 8] >> (bit % 8) & 1);
                    values.push(
                        (0..width as usize)
                            .map(|b| bit(i * width as usize + b) << b)
                            .sum(),
                    );
                }
                bytes = rest;
            }
        }
        assert!(bytes.is_empty(), "{} bytes too many", bytes.len());
        assert!(values.len() < n + 8);
        values.truncate(n);
        values
    }

    #[test]
    fn a_long_run_takes_few_bytes() {
        let mut levels = Levels::new(1);
        let mut page = Vec::new();
        for _ in 0..2 {
            levels.push(0, 1);
            levels.push(1, 100_000);
        }
        levels.finish_into(&mut page);
        assert!(page.len() < 24, "{page:?}");
        let mut expected = vec![0];
        expected.extend(std::iter::repeat_n(1, 100_000));
        expected.extend(expected.clone());
        assert_eq!(read(&page[4..], 1, expected.len()), expected);
        let mut codes = Vec::new();
        put_codes(&mut codes, &vec![7; 100_000], 3);
        assert!(codes.len() < 8, "{codes:?}");
    }

    proptest! {
        #[test]
        fn levels_read_back(runs in prop::collection::vec((0_u32..4, 1_usize..40), 0..300)) {
            let mut levels = Levels::new(3);
            // Twice, because an encoder is used again for the next page.
            for _ in 0..2 {
                let mut expected = Vec::new();
                for (value, n) in &runs {
                    levels.push(*value, *n);
                    expected.extend(std::iter::repeat_n(*value, *n));
                }
                let mut page = Vec::new();
                levels.finish_into(&mut page);
                prop_assert_eq!(page.len() - 4, u32::from_le_bytes(page[..4].try_into().unwrap()) as usize);
                prop_assert_eq!(read(&page[4..], 2, expected.len()), expected);
            }
        }

        #[test]
        fn codes_read_back(
            runs in prop::collection::vec((any::<u32>(), prop_oneof![1_usize..3, 1_usize..1200]), 0..60),
            width in 0_u32..=32,
        ) {
            let mask = u32::try_from((1_u64 << width) - 1).unwrap();
            let codes: Vec<u32> = runs
                .iter()
                .flat_map(|(code, n)| std::iter::repeat_n(code & mask, *n))
                .collect();
            let mut page = Vec::new();
            put_codes(&mut page, &codes, width);
            prop_assert_eq!(u32::from(page[0]), width);
            prop_assert_eq!(read(&page[1..], width, codes.len()), codes);
        }
    }

    #[test]
    fn widths_hold_their_values() {
        assert_eq!([0, 1, 2, 3, 4, u32::MAX].map(bit_width), [0, 1, 2, 2, 3, 32]);
    }
}
