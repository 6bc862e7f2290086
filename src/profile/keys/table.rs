//! Keys with their rows and bytes, exactly: an open hash table over one flat memory of key bytes.
//!
//! A key costs its bytes, 40 bytes of counts and 5 to 11 bytes of slots: a million keys of 20 bytes are under 90 MB.

/// Keys and their counts. A key is found by its 64-bit hash, then compared byte by byte.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyTable {
    /// Entry number + 1 by hash, 0 where free. A power of two, at most three quarters full.
    slots: Vec<u32>,
    entries: Vec<Entry>,
    arena: Vec<u8>,
}

/// One key's counts.
#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u64,
    start: usize,
    len: u32,
    n_rows: u64,
    n_bytes: u64,
}

/// A key as it leaves a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted<'a> {
    pub hash: u64,
    pub key: &'a [u8],
    pub n_rows: u64,
    pub n_bytes: u64,
}

/// Most keys that a table can number.
const MAX_KEYS: usize = u32::MAX as usize - 1;

impl KeyTable {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes of a key on average.
    pub fn mean_len(&self) -> usize {
        self.arena.len() / self.entries.len().max(1)
    }

    pub fn memory_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<u32>()
            + self.entries.capacity() * size_of::<Entry>()
            + self.arena.capacity()
    }

    /// Adds rows and bytes to a key, and returns how many rows it has then. A key too many is left out: none.
    pub fn add(&mut self, hash: u64, key: &[u8], n_rows: u64, n_bytes: u64) -> Option<u64> {
        if self.entries.len() * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let mask = self.slots.len().checked_sub(1)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the low bits of a hash choose its slot"
        )]
        let mut at = hash as usize & mask;
        while let Some(slot) = self.slots.get_mut(at) {
            if *slot == 0 {
                let len = u32::try_from(key.len()).ok()?;
                let number = u32::try_from(self.entries.len() + 1).ok()?;
                *slot = number;
                grow_by_a_quarter(&mut self.entries, 1);
                grow_by_a_quarter(&mut self.arena, key.len());
                self.entries.push(Entry {
                    hash,
                    start: self.arena.len(),
                    len,
                    n_rows,
                    n_bytes,
                });
                self.arena.extend_from_slice(key);
                return Some(n_rows);
            }
            if let Some(entry) = self.entries.get_mut(*slot as usize - 1)
                && entry.hash == hash
                && self.arena.get(entry.start..entry.start + entry.len as usize) == Some(key)
            {
                entry.n_rows += n_rows;
                entry.n_bytes += n_bytes;
                return Some(entry.n_rows);
            }
            at = (at + 1) & mask;
        }
        None
    }

    pub fn iter(&self) -> impl Iterator<Item = Counted<'_>> + Clone {
        self.entries.iter().map(|entry| Counted {
            hash: entry.hash,
            key: self
                .arena
                .get(entry.start..entry.start + entry.len as usize)
                .unwrap_or_default(),
            n_rows: entry.n_rows,
            n_bytes: entry.n_bytes,
        })
    }

    /// Whether the table cannot number more keys.
    pub fn is_full(&self) -> bool {
        self.entries.len() >= MAX_KEYS
    }

    fn grow(&mut self) {
        let n_slots = (self.slots.len() * 2).max(16);
        let mask = n_slots - 1;
        let mut slots = vec![0_u32; n_slots];
        for (entry, number) in self.entries.iter().zip(1_u32..) {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the low bits of a hash choose its slot"
            )]
            let mut at = entry.hash as usize & mask;
            while slots.get(at).is_some_and(|slot| *slot != 0) {
                at = (at + 1) & mask;
            }
            if let Some(slot) = slots.get_mut(at) {
                *slot = number;
            }
        }
        self.slots = slots;
    }
}

/// Makes room for `n` more: a vector that doubles would hold twice its budget for a moment.
fn grow_by_a_quarter<T>(items: &mut Vec<T>, n: usize) {
    if items.capacity() - items.len() < n {
        items.reserve_exact(n.max(items.len() / 4).max(64));
    }
}

#[cfg(test)]
mod tests {
    use super::KeyTable;

    #[test]
    fn keys_of_one_hash_are_told_apart_by_their_bytes() {
        let mut table = KeyTable::default();
        for _ in 0..3 {
            assert!(table.add(7, b"a", 1, 10).is_some());
            assert!(table.add(7, b"b", 2, 20).is_some());
        }
        let counts: Vec<_> = table
            .iter()
            .map(|key| (key.key, key.n_rows, key.n_bytes))
            .collect();
        assert_eq!(counts, [(b"a".as_slice(), 3, 30), (b"b".as_slice(), 6, 60)]);
    }

    #[test]
    fn many_keys_are_counted_one_by_one_and_the_empty_key_is_one() {
        let mut table = KeyTable::default();
        for n in 0..10_000_u64 {
            for _ in 0..=(n % 3) {
                assert!(
                    table
                        .add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15), &n.to_le_bytes(), 1, 1)
                        .is_some()
                );
            }
        }
        assert_eq!(table.add(0, b"", 5, 0), Some(5));
        assert_eq!(table.len(), 10_001);
        assert!(
            table.iter().all(|key| key.key.is_empty()
                || key.n_rows == u64::from_le_bytes(key.key.try_into().unwrap()) % 3 + 1)
        );
        assert!(table.memory_bytes() > 10_000 * 48 && !table.is_full());
    }
}
