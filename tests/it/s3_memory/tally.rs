//! What was asked: operations, how often each, and how many at a time.

use std::collections::BTreeMap;

use hyper::Method;

/// An operation of S3's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    ListObjects,
    GetObject,
    HeadObject,
    PutObject,
    DeleteObject,
    DeleteObjects,
    CreateUpload,
    UploadPart,
    CompleteUpload,
    AbortUpload,
    ListUploads,
    Other,
}

impl Op {
    /// The operation of a request, from its method, its path-style path and its query.
    pub fn of(method: &Method, path: &str, query: &str) -> Self {
        let has = |name: &str| {
            let mut names = query.split('&').map(|pair| pair.split('=').next());
            names.any(|found| found == Some(name))
        };
        let has_key = path
            .trim_start_matches('/')
            .split_once('/')
            .is_some_and(|(_, key)| !key.is_empty());
        match (method.as_str(), has_key) {
            ("GET", true) => Self::GetObject,
            ("GET", false) if has("uploads") => Self::ListUploads,
            ("GET", false) if has("list-type") => Self::ListObjects,
            ("HEAD", true) => Self::HeadObject,
            ("PUT", true) if has("partNumber") => Self::UploadPart,
            ("PUT", true) => Self::PutObject,
            ("DELETE", true) if has("uploadId") => Self::AbortUpload,
            ("DELETE", true) => Self::DeleteObject,
            ("POST", true) if has("uploads") => Self::CreateUpload,
            ("POST", true) if has("uploadId") => Self::CompleteUpload,
            ("POST", false) if has("delete") => Self::DeleteObjects,
            _ => Self::Other,
        }
    }
}

/// What was asked since the start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    n_asked: BTreeMap<Op, usize>,
    /// Requests that some rule of the script took.
    pub n_faults: usize,
    pub n_in_flight: usize,
    /// The most requests that waited for their answer at a time.
    pub max_in_flight: usize,
}

impl Tally {
    pub fn n(&self, op: Op) -> usize {
        self.n_asked.get(&op).copied().unwrap_or(0)
    }

    pub fn total(&self) -> usize {
        self.n_asked.values().sum()
    }

    pub(super) fn begin(&mut self, op: Op) {
        *self.n_asked.entry(op).or_default() += 1;
        self.n_in_flight += 1;
        self.max_in_flight = self.max_in_flight.max(self.n_in_flight);
    }

    pub(super) fn end(&mut self) {
        self.n_in_flight -= 1;
    }

    /// Forgets all but what is in flight now.
    pub(super) fn reset(&mut self) {
        *self = Self {
            n_in_flight: self.n_in_flight,
            max_in_flight: self.n_in_flight,
            ..Self::default()
        };
    }
}
