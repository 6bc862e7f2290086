//! The objects of a day, in few bytes each: a day may have a million, and they are held for as long as it is worked on.
//!
//! An [`Object`] of a listing is two allocations and a time that a run has no use for. Here all keys and etags are one
//! text, and an object is where its key begins: 24 bytes and its text, about half of what it takes as an [`Object`].

use std::ops::Range;

use crate::storage::Object;

/// One object of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed<'a> {
    /// Relative to the source's root.
    pub key: &'a str,
    pub etag: Option<&'a str>,
    pub size: u64,
}

/// Objects in the order they were added in, until they are sorted.
#[derive(Debug, Clone, Default)]
pub(super) struct Objects {
    /// Each key with its etag behind it, in the order they were added in.
    text: String,
    places: Vec<Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    /// Of the key in the text.
    start: usize,
    size: u64,
    key_bytes: u32,
    /// [`NO_ETAG`] without one.
    etag_bytes: u32,
}

const NO_ETAG: u32 = u32::MAX;

impl Place {
    fn key(self, text: &str) -> &str {
        let end = self.start + self.key_bytes as usize;
        text.get(self.start..end).unwrap_or_default()
    }

    fn listed(self, text: &str) -> Listed<'_> {
        let key = self.key(text);
        let start = self.start + key.len();
        let end = start + self.etag_bytes as usize;
        let etag = (self.etag_bytes != NO_ETAG).then(|| text.get(start..end).unwrap_or_default());
        Listed {
            key,
            etag,
            size: self.size,
        }
    }
}

impl Objects {
    pub fn push(&mut self, object: Listed<'_>) {
        // No storage has keys or etags of gigabytes.
        let n_bytes = |text: &str| u32::try_from(text.len()).unwrap_or(NO_ETAG - 1);
        self.places.push(Place {
            start: self.text.len(),
            size: object.size,
            key_bytes: n_bytes(object.key),
            etag_bytes: object.etag.map_or(NO_ETAG, n_bytes),
        });
        self.text.push_str(object.key);
        self.text.push_str(object.etag.unwrap_or_default());
    }

    /// Brings the objects into the order of their keys, and gives back the room that was left for more.
    pub fn sort(&mut self) {
        let text = &self.text;
        self.places.sort_unstable_by(|a, b| a.key(text).cmp(b.key(text)));
        self.places.shrink_to_fit();
        self.text.shrink_to_fit();
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub fn get(&self, index: usize) -> Option<Listed<'_>> {
        self.places.get(index).map(|place| place.listed(&self.text))
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = Listed<'_>> + Clone {
        self.places.iter().map(|place| place.listed(&self.text))
    }

    /// Those at the indices `range`, which ends no later than the objects do.
    pub fn slice(&self, range: Range<usize>) -> impl ExactSizeIterator<Item = Listed<'_>> + Clone {
        let places = self.places.get(range).unwrap_or_default();
        places.iter().map(|place| place.listed(&self.text))
    }

    /// The object of a key, where the objects are in the order of their keys.
    pub fn find(&self, key: &str) -> Option<Listed<'_>> {
        let found = self
            .places
            .binary_search_by(|place| place.key(&self.text).cmp(key))
            .ok()?;
        self.get(found)
    }

    /// As stored.
    pub fn n_bytes(&self) -> u64 {
        self.places.iter().map(|place| place.size).sum()
    }

    /// Bytes of keys and etags.
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }
}

impl<'a> From<&'a Object> for Listed<'a> {
    fn from(object: &'a Object) -> Self {
        Self {
            key: &object.key,
            etag: object.etag.as_deref(),
            size: object.size,
        }
    }
}

impl<'a> Extend<Listed<'a>> for Objects {
    fn extend<I: IntoIterator<Item = Listed<'a>>>(&mut self, objects: I) {
        for object in objects {
            self.push(object);
        }
    }
}

impl<'a> FromIterator<Listed<'a>> for Objects {
    fn from_iter<I: IntoIterator<Item = Listed<'a>>>(objects: I) -> Self {
        let mut collected = Self::default();
        collected.extend(objects);
        collected
    }
}

#[cfg(test)]
mod tests {
    use super::{Listed, Objects};

    impl Objects {
        /// Of keys and sizes, without etags.
        pub(in crate::run) fn of_sizes<K: AsRef<str>>(objects: impl IntoIterator<Item = (K, u64)>) -> Self {
            let mut collected = Self::default();
            for (key, size) in objects {
                collected.push(Listed {
                    key: key.as_ref(),
                    etag: None,
                    size,
                });
            }
            collected
        }

        /// What the objects take, the room for more included.
        fn held_bytes(&self) -> usize {
            size_of::<Self>() + self.text.capacity() + self.places.capacity() * size_of::<super::Place>()
        }
    }

    #[test]
    fn objects_come_back_as_they_were_and_in_the_order_of_their_keys() {
        let listed = |key, etag, size| Listed { key, etag, size };
        let unsorted = [
            listed("d/b", Some("e1"), 3),
            listed("d/é", None, 0),
            listed("d/a", Some(""), u64::MAX),
        ];
        let mut objects: Objects = unsorted.into_iter().collect();
        assert_eq!(objects.iter().collect::<Vec<_>>(), unsorted);
        objects.sort();
        let [b, e, a] = unsorted;
        assert_eq!(objects.iter().collect::<Vec<_>>(), [a, b, e]);
        assert_eq!(objects.slice(1..3).collect::<Vec<_>>(), [b, e]);
        assert_eq!((objects.get(2), objects.get(3)), (Some(e), None));
        assert_eq!((objects.find("d/b"), objects.find("d/c")), (Some(b), None));
        assert_eq!((objects.len(), objects.is_empty()), (3, false));
    }

    #[test]
    fn an_object_takes_little_more_than_its_text() {
        const N: u32 = 10_000;
        let mut objects = Objects::default();
        let mut text_bytes = 0;
        for i in 0..N {
            let (key, etag) = (
                format!("2020/01/01/ads-{i:06}.jsonl"),
                format!("{i:x}-17a30ef9c2b4d5"),
            );
            text_bytes += key.len() + etag.len();
            objects.push(Listed {
                key: &key,
                etag: Some(&etag),
                size: i.into(),
            });
        }
        objects.sort();
        assert_eq!(objects.text_bytes(), text_bytes);
        let beside_text = objects.held_bytes() - text_bytes;
        assert!(beside_text <= 24 * N as usize + 100, "{beside_text}");
    }
}
