//! What is wrong with the lake on purpose, and where: the table of faults, and how a good line becomes a bad one.

use serde::Serialize;

use super::SampleError;
use super::ads::Ad;

/// A deliberate fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A day without objects.
    MissingDay,
    /// A day with 12 times its neighbours' bytes.
    SpikeDay,
    /// A day of hundreds of tiny files.
    TinyFilesDay,
    /// `salary_min` arrives as a string on this day.
    TypeChange,
    /// The first day that knows the key `visa_sponsorship`.
    LateKey,
    /// A file of 0 bytes.
    EmptyFile,
    /// A gzip file that ends in the middle.
    TruncatedGzip,
    /// Line ends are CR LF.
    CrLf,
    /// The file starts with a byte order mark.
    ByteOrderMark,
    /// The last line has no line end; no error.
    NoFinalNewline,
    /// A line without text; no row and no error.
    BlankLine,
    /// A line that stops inside its JSON.
    BrokenJson,
    /// A line of JSON that is no object.
    NonObject,
    /// An object that holds `id` twice.
    DuplicateKey,
    /// A line that is not UTF-8.
    InvalidUtf8,
    /// `salary_min` is greater than an `int64` holds.
    IntBeyondI64,
}

/// One fault and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub kind: FaultKind,
    /// Relative to the lake: a file, or a day's folder with a `/` at its end.
    pub path: String,
    /// 1-based, for faults of one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

impl FaultKind {
    /// Whether a reader has to refuse the line.
    pub fn is_bad_line(self) -> bool {
        matches!(
            self,
            Self::BrokenJson | Self::NonObject | Self::DuplicateKey | Self::InvalidUtf8 | Self::IntBeyondI64
        )
    }
}

pub(super) const MISSING: u64 = 6;
pub(super) const SPIKE: u64 = 9;
pub(super) const TINY: u64 = 11;
pub(super) const TYPE_CHANGE: u64 = 12;
/// First day with `visa_sponsorship`.
pub(super) const LATE_KEY: u64 = 10;

/// Faults of whole files: day, index of the file, kind.
pub(super) const IN_FILES: &[(u64, usize, FaultKind)] = &[
    (2, 0, FaultKind::ByteOrderMark),
    (3, 8, FaultKind::EmptyFile),
    (4, 1, FaultKind::NoFinalNewline),
    (5, 2, FaultKind::CrLf),
    (13, 3, FaultKind::TruncatedGzip),
];

/// Faults of lines: day, index of the file, 1-based line after all faults of the file are in, kind. Ascending.
pub(super) const IN_LINES: &[(u64, usize, u64, FaultKind)] = &[
    (2, 1, 5, FaultKind::BrokenJson),
    (3, 0, 4, FaultKind::BlankLine),
    (3, 0, 9, FaultKind::BlankLine),
    (4, 2, 11, FaultKind::NonObject),
    (5, 2, 3, FaultKind::BlankLine),
    (7, 0, 7, FaultKind::DuplicateKey),
    (8, 4, 6, FaultKind::InvalidUtf8),
    (9, 0, 17, FaultKind::BrokenJson),
    (9, 1, 40, FaultKind::NonObject),
    (9, 1, 41, FaultKind::BrokenJson),
    (9, 3, 8, FaultKind::DuplicateKey),
    (9, 4, 100, FaultKind::InvalidUtf8),
    (9, 6, 2, FaultKind::IntBeyondI64),
    (9, 7, 33, FaultKind::BlankLine),
    (9, 7, 61, FaultKind::BrokenJson),
    (9, 9, 12, FaultKind::NonObject),
    (9, 10, 90, FaultKind::InvalidUtf8),
    (9, 11, 5, FaultKind::BrokenJson),
    (9, 12, 77, FaultKind::DuplicateKey),
    (9, 13, 1, FaultKind::BrokenJson),
    (10, 5, 10, FaultKind::IntBeyondI64),
    (11, 200, 1, FaultKind::BrokenJson),
    (14, 3, 14, FaultKind::NonObject),
];

/// The bad line that `kind` makes of `ad`.
pub(super) fn bad_line(kind: FaultKind, ad: &Ad) -> Result<Vec<u8>, SampleError> {
    let line = ad.line()?;
    let after = |key: &str| find(&line, key.as_bytes()).map_or(0, |at| at + key.len());
    let split = |at: usize| {
        (
            line.get(..at).unwrap_or_default(),
            line.get(at..).unwrap_or_default(),
        )
    };
    Ok(match kind {
        FaultKind::BrokenJson => split(after("\"description\":\"")).0.to_vec(),
        FaultKind::NonObject => br#"["id","title","company"]"#.to_vec(),
        FaultKind::DuplicateKey => {
            let (_, rest) = split(1);
            [b"{\"id\":\"unknown\",".as_slice(), rest].concat()
        }
        FaultKind::InvalidUtf8 => {
            let (start, rest) = split(after("\"title\":\""));
            [start, b"\xff\xfe", rest].concat()
        }
        FaultKind::IntBeyondI64 => {
            let (start, rest) = split(after("\"salary_min\":"));
            let end = rest.iter().position(|byte| *byte == b',').unwrap_or(0);
            [
                start,
                b"92233720368547758080",
                rest.get(end..).unwrap_or_default(),
            ]
            .concat()
        }
        _ => Vec::new(),
    })
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}
