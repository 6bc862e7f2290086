//! The raw job ads: files of each day, their sizes, codecs, line ends and faults.

use std::io::{Read, Write};

use super::ads::{Ad, DayTraits, date};
use super::faults::{self, Fault, FaultKind};
use super::rng::Rng;
use super::{Lake, SEED, SampleDay, SampleError};

const N_DAYS: u64 = 14;
/// Stored bytes that an ordinary day comes close to, before each day's own variation.
const DAY_BYTES: u64 = 186_000;
const N_TINY_FILES: u64 = 398;
const SPIKE_FACTOR: u64 = 12;
const N_SPIKE_FILES: usize = 14;
/// How often an ad is sent again, in thousandths.
const REPEATED: u64 = 5;

/// What a file is stored as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Plain,
    Gzip,
    Zstd,
}

impl Codec {
    fn extension(self) -> &'static str {
        match self {
            Self::Plain => "jsonl",
            Self::Gzip => "jsonl.gz",
            Self::Zstd => "jsonl.zst",
        }
    }
}

/// The ads of one day that a reader gets, in the order of keys and lines.
#[derive(Debug, Default)]
pub(super) struct DayAds {
    pub n: u64,
    pub ads: Vec<Ad>,
}

/// One day under construction.
struct DayWriter<'a, 'c> {
    lake: &'a mut Lake<'c>,
    rng: Rng,
    n: u64,
    traits: DayTraits,
    day: SampleDay,
    ads: Vec<Ad>,
}

/// Writes `raw/` and returns the ads of each day, for the tables made from them.
pub(super) fn write(lake: &mut Lake) -> Result<Vec<DayAds>, SampleError> {
    let folder = |n: u64| format!("raw/{}/", date(n).format("%Y/%m/%d"));
    for (kind, n) in [
        (FaultKind::MissingDay, faults::MISSING),
        (FaultKind::SpikeDay, faults::SPIKE),
        (FaultKind::TinyFilesDay, faults::TINY),
        (FaultKind::TypeChange, faults::TYPE_CHANGE),
        (FaultKind::LateKey, faults::LATE_KEY),
    ] {
        lake.fault(kind, folder(n), None);
    }
    let mut days = Vec::new();
    // The spike is written last, because its size follows from its neighbours'.
    let order = (1..=N_DAYS).filter(|n| ![faults::MISSING, faults::SPIKE].contains(n));
    for n in order.chain([faults::SPIKE]) {
        lake.cancel.check()?;
        let mut day = DayWriter::new(lake, n);
        if n == faults::TINY {
            day.tiny_files()?;
        } else if n == faults::SPIKE {
            let n_bytes = SPIKE_FACTOR * day.mean_of_neighbours();
            day.files(N_SPIKE_FILES, n_bytes, |_| Codec::Plain)?;
        } else {
            let n_bytes = day.rng.between(DAY_BYTES * 94 / 100, DAY_BYTES * 106 / 100);
            let n_files = usize::try_from(day.rng.between(10, 15)).unwrap_or(10);
            day.files(n_files, n_bytes, codec)?;
        }
        days.push(day.finish());
    }
    days.sort_by_key(|day| day.n);
    lake.report.days.sort_by_key(|day| day.date);
    lake.report
        .faults
        .sort_by(|a, b| (&a.path, a.line, a.kind).cmp(&(&b.path, b.line, b.kind)));
    Ok(days)
}

fn codec(file_idx: usize) -> Codec {
    match file_idx % 7 {
        3 => Codec::Gzip,
        5 => Codec::Zstd,
        _ => Codec::Plain,
    }
}

impl<'a, 'c> DayWriter<'a, 'c> {
    fn new(lake: &'a mut Lake<'c>, n: u64) -> Self {
        let date = date(n);
        Self {
            lake,
            rng: Rng::new(SEED, n),
            n,
            traits: DayTraits {
                date,
                salary_as_text: n == faults::TYPE_CHANGE,
                has_visa: n >= faults::LATE_KEY,
                is_short: n == faults::TINY,
            },
            day: SampleDay {
                date,
                n_files: 0,
                n_bytes: 0,
                n_rows: 0,
                n_bad_lines: 0,
            },
            ads: Vec::new(),
        }
    }

    fn finish(self) -> DayAds {
        self.lake.report.days.push(self.day);
        DayAds {
            n: self.n,
            ads: self.ads,
        }
    }

    fn mean_of_neighbours(&self) -> u64 {
        let neighbours = [date(self.n - 1), date(self.n + 1)];
        let sizes = self
            .lake
            .report
            .days
            .iter()
            .filter(|day| neighbours.contains(&day.date));
        sizes.map(|day| day.n_bytes).sum::<u64>() / 2
    }

    /// `n_files` files that together come close to `n_bytes` as stored.
    fn files(&mut self, n_files: usize, n_bytes: u64, codec: fn(usize) -> Codec) -> Result<(), SampleError> {
        for file_idx in 0..n_files {
            let left = n_bytes.saturating_sub(self.day.n_bytes);
            let share = left / (n_files - file_idx) as u64;
            let is_last = file_idx + 1 == n_files;
            let wanted = if is_last {
                share
            } else {
                self.rng.between(share * 85 / 100, share * 115 / 100)
            };
            // A compressed file holds as many rows as its plain neighbours, so it is stored smaller.
            let (mut lines, mut n_plain) = (Vec::new(), 0);
            while n_plain + 320 < wanted {
                let line = self.next_line()?;
                n_plain += line.len() as u64 + 1;
                lines.push(line);
            }
            self.file(file_idx, lines, codec(file_idx))?;
        }
        Ok(())
    }

    /// Hundreds of files with one ad each.
    fn tiny_files(&mut self) -> Result<(), SampleError> {
        for file_idx in 0..N_TINY_FILES {
            let line = self.next_line()?;
            self.file(usize::try_from(file_idx).unwrap_or(0), vec![line], Codec::Plain)?;
        }
        Ok(())
    }

    /// The next good line; now and then the ad before it once more.
    fn next_line(&mut self) -> Result<Vec<u8>, SampleError> {
        let ad = match self.ads.last() {
            Some(last) if self.rng.chance(REPEATED) => {
                self.lake.report.n_repeated_ids += 1;
                last.again(&mut self.rng)
            }
            _ => Ad::new(&mut self.rng, self.traits),
        };
        let line = ad.line()?;
        self.ads.push(ad);
        Ok(line)
    }

    /// Stores one file, with the faults that are placed in it.
    fn file(&mut self, file_idx: usize, mut lines: Vec<Vec<u8>>, codec: Codec) -> Result<(), SampleError> {
        let folder = self.traits.date.format("raw/%Y/%m/%d");
        let path = format!("{folder}/jobs-{file_idx:03}.{}", codec.extension());
        let n = self.n;
        let has = |kind| faults::IN_FILES.contains(&(n, file_idx, kind));
        if has(FaultKind::EmptyFile) {
            self.forget(lines.len());
            lines.clear();
        }
        let mut n_rows = lines.len() as u64;
        for (_, _, line, kind) in faults::IN_LINES
            .iter()
            .filter(|(day, file, ..)| (*day, *file) == (self.n, file_idx))
        {
            let bad = faults::bad_line(*kind, &Ad::new(&mut self.rng, self.traits))?;
            let at = usize::try_from(line - 1).unwrap_or(0).min(lines.len());
            lines.insert(at, bad);
            self.lake.fault(*kind, path.clone(), Some(*line));
            self.day.n_bad_lines += u64::from(kind.is_bad_line());
        }
        let mut text = Vec::new();
        if has(FaultKind::ByteOrderMark) {
            text.extend_from_slice("\u{feff}".as_bytes());
        }
        let line_end: &[u8] = if has(FaultKind::CrLf) { b"\r\n" } else { b"\n" };
        for line in &lines {
            text.extend_from_slice(line);
            text.extend_from_slice(line_end);
        }
        if has(FaultKind::NoFinalNewline) {
            text.pop();
        }
        let mut stored = encode(&text, codec, &path)?;
        if has(FaultKind::TruncatedGzip) {
            stored.truncate(stored.len() * 6 / 10);
            let n_whole = complete_lines(&stored);
            self.forget(lines.len().saturating_sub(n_whole));
            n_rows = n_whole as u64;
        }
        for (_, _, kind) in faults::IN_FILES
            .iter()
            .filter(|(day, file, _)| (*day, *file) == (self.n, file_idx))
        {
            self.lake.fault(*kind, path.clone(), None);
        }
        self.day.n_files += 1;
        self.day.n_bytes += stored.len() as u64;
        self.day.n_rows += n_rows;
        self.lake.put(path, stored);
        Ok(())
    }

    /// Takes back the last `n` ads, which no reader gets.
    fn forget(&mut self, n: usize) {
        self.ads.truncate(self.ads.len().saturating_sub(n));
    }
}

fn encode(text: &[u8], codec: Codec, path: &str) -> Result<Vec<u8>, SampleError> {
    let compressed = match codec {
        Codec::Plain => Ok(text.to_vec()),
        Codec::Gzip => {
            let level = flate2::Compression::new(6);
            // Neither a time nor the name of this system goes into the header.
            let mut gzip = flate2::GzBuilder::new()
                .mtime(0)
                .operating_system(255)
                .write(Vec::new(), level);
            gzip.write_all(text).and_then(|()| gzip.finish())
        }
        Codec::Zstd => zstd::bulk::compress(text, 9),
    };
    compressed.map_err(|source| SampleError::Compress {
        path: path.to_owned(),
        source,
    })
}

/// Whole lines that can be read from a gzip file that ends early.
fn complete_lines(stored: &[u8]) -> usize {
    let mut text = Vec::new();
    // The error at the end is the point of the file; what came before it is kept in `text`.
    let _truncated = flate2::read::GzDecoder::new(stored).read_to_end(&mut text);
    text.split_inclusive(|byte| *byte == b'\n')
        .filter(|line| line.ends_with(b"\n"))
        .count()
}

impl Lake<'_> {
    fn fault(&mut self, kind: FaultKind, path: String, line: Option<u64>) {
        self.report.faults.push(Fault { kind, path, line });
    }
}
