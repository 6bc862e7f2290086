//! Job ads of about 1.6 KB, made from the number of their object so that a server need not hold them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::s3_memory::Made;

pub const PREFIX: &str = "raw/2020/01/02/";
const N_TEMPLATES: u64 = 64;
const N_DIGITS: usize = 8;
const AD_BYTES: u64 = 1_600;
const SYLLABLES: &str = "ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo zy";
const COUNTRIES: [&str; 7] = ["US", "US", "US", "DE", "FR", "JP", "ZA"];

pub fn key(number: u64) -> String {
    format!("{PREFIX}ads-{number:0N_DIGITS$}.jsonl")
}

/// A body that lacks only the numbers in its ids.
struct Template {
    text: Vec<u8>,
    /// Where each number goes.
    holes: Vec<usize>,
}

/// Bodies of exactly `n_bytes`, different for each object, with the records that fit.
pub fn made(n_bytes: u64) -> Made {
    let templates: Vec<Template> = (0..N_TEMPLATES).map(|seed| template(seed, n_bytes)).collect();
    Made {
        size: n_bytes,
        make: Arc::new(move |key| {
            let digits = key
                .strip_suffix(".jsonl")
                .and_then(|stem| stem.get(stem.len() - N_DIGITS..))
                .expect("a key of ours");
            let number: u64 = digits.parse().expect("a key of ours");
            let template = &templates[usize::try_from(number % N_TEMPLATES).unwrap()];
            let mut text = template.text.clone();
            for hole in &template.holes {
                text[*hole..hole + N_DIGITS].copy_from_slice(digits.as_bytes());
            }
            Bytes::from(text)
        }),
    }
}

/// Writes the same objects below `folder`.
pub fn write(folder: &Path, n_objects: u64, n_bytes: u64) {
    let made = made(n_bytes);
    fs::create_dir_all(folder.join(PREFIX)).unwrap();
    for number in 0..n_objects {
        let key = key(number);
        fs::write(folder.join(&key), (made.make)(&key)).unwrap();
    }
}

fn template(seed: u64, n_bytes: u64) -> Template {
    let mut random = seed;
    let mut below = move |n: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % n
    };
    let syllables: Vec<&str> = SYLLABLES.split(' ').collect();
    let n_ads = (n_bytes / AD_BYTES).max(1);
    let ad_bytes = usize::try_from(n_bytes / n_ads).unwrap();
    let mut text = String::new();
    let mut holes = Vec::new();
    for i in 0..n_ads {
        let start = text.len();
        text.push_str("{\"id\":\"");
        holes.push(text.len());
        write!(text, "{:0N_DIGITS$}-{i}\",\"title\":\" Data Engineer \",", 0).unwrap();
        write!(text, "\"company\":\"Company {}\",", below(5000)).unwrap();
        let country = COUNTRIES[below(COUNTRIES.len())];
        write!(
            text,
            "\"location\":{{\"city\":\"Tulsa\",\"country\":\"{country}\",\"lat\":1.5}},\"tags\":[\"rust\",\"spark\"],"
        )
        .unwrap();
        write!(
            text,
            "\"salary_min\":{},\"remote\":true,",
            12_000 + 500 * below(300)
        )
        .unwrap();
        let (hour, minute) = (below(24), below(60));
        write!(
            text,
            "\"posted_at\":\"2020-01-02T{hour:02}:{minute:02}:00Z\",\"description\":\"Job"
        )
        .unwrap();
        while text.len() + 20 < start + ad_bytes {
            text.push(' ');
            for _ in 0..=below(3) {
                text.push_str(syllables[below(syllables.len())]);
            }
        }
        text.push_str("\"}");
        // Spaces at the end of a line are no part of a record.
        let is_last = i + 1 == n_ads;
        let end = if is_last {
            usize::try_from(n_bytes).unwrap()
        } else {
            start + ad_bytes
        };
        assert!(text.len() < end, "no record fits into {n_bytes} bytes");
        while text.len() + 1 < end {
            text.push(' ');
        }
        text.push('\n');
    }
    Template {
        text: text.into_bytes(),
        holes,
    }
}
