//! `MurmurHash3` (x86, 32 bits), as Austin Appleby published it, with the standard treatment of the last bytes.
//!
//! Spark ML's `HashingTF` uses this form since 3.0; Spark SQL's `hash` treats the last bytes differently and is made from
//! the same parts in `profile`.

/// The hash of `bytes`.
///
/// Source: `MurmurHash3_x86_32` in the `SMHasher` project.
pub fn murmur3_x86_32(bytes: &[u8], seed: u32) -> u32 {
    let mut h1 = seed;
    let (words, tail) = bytes.as_chunks::<4>();
    for word in words {
        h1 = mix(h1, u32::from_le_bytes(*word));
    }
    if !tail.is_empty() {
        let word = tail
            .iter()
            .rev()
            .fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
        h1 ^= mix_k1(word);
    }
    finish(h1, bytes.len())
}

/// `h1` with one more word of four bytes.
#[inline]
pub fn mix(h1: u32, word: u32) -> u32 {
    (h1 ^ mix_k1(word))
        .rotate_left(13)
        .wrapping_mul(5)
        .wrapping_add(0xe654_6b64)
}

fn mix_k1(word: u32) -> u32 {
    word.wrapping_mul(0xcc9e_2d51)
        .rotate_left(15)
        .wrapping_mul(0x1b87_3593)
}

/// The hash when all `n_bytes` are in `h1`.
#[inline]
pub fn finish(h1: u32, n_bytes: usize) -> u32 {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the reference takes the length modulo 2^32"
    )]
    let mut h = h1 ^ n_bytes as u32;
    h ^= h >> 16;
    h = h.wrapping_mul(0x85eb_ca6b);
    h ^= h >> 13;
    h = h.wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

#[cfg(test)]
mod tests {
    use super::murmur3_x86_32;

    /// Published test vectors of `MurmurHash3_x86_32`.
    #[test]
    fn the_published_vectors_hold() {
        for (text, seed, expected) in [
            ("", 0, 0),
            ("", 1, 0x514e_28b7),
            ("", 0xffff_ffff, 0x81f1_6f39),
            ("test", 0, 0xba6b_d213),
            ("test", 0x9747_b28c, 0x704b_81dc),
            ("Hello, world!", 0, 0xc036_3e43),
            ("Hello, world!", 0x9747_b28c, 0x2488_4cba),
            ("The quick brown fox jumps over the lazy dog", 0, 0x2e4f_f723),
            (
                "The quick brown fox jumps over the lazy dog",
                0x9747_b28c,
                0x2fa8_26cd,
            ),
            ("aaaa", 0x9747_b28c, 0x5a97_808a),
            ("aaa", 0x9747_b28c, 0x283e_0130),
            ("aa", 0x9747_b28c, 0x5d21_1726),
            ("a", 0x9747_b28c, 0x7fa0_9ea6),
            ("abc", 0, 0xb3dd_93fa),
        ] {
            assert_eq!(murmur3_x86_32(text.as_bytes(), seed), expected, "{text} {seed:x}");
        }
        assert_eq!(murmur3_x86_32(&[0xff; 4], 0), 0x7629_3b50);
        assert_eq!(murmur3_x86_32(&[0, 0, 0], 0), 0x85f0_b427);
    }

    /// Where the length is a multiple of four, Spark SQL's hash and the standard one agree; `é` is where they differ.
    #[test]
    fn the_last_bytes_are_the_standard_s() {
        assert_eq!(murmur3_x86_32("abcd".as_bytes(), 42), 0xe860_e5cc);
        assert_eq!(murmur3_x86_32("😁".as_bytes(), 42), 885_025_535);
        assert_eq!(murmur3_x86_32("é".as_bytes(), 42), 1_023_967_903);
    }
}
