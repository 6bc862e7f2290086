//! What goes wrong, and when: a script of rules that pick requests and say what becomes of each.
//!
//! A rule counts the requests that it matches, or draws from a seeded generator, so a run of one client is the same
//! every time it is repeated.

use std::fmt;

use super::tally::Op;

/// An answer that says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub code: &'static str,
}

impl Refusal {
    pub const SLOW_DOWN: Self = Self::new(503, "SlowDown");
    pub const INTERNAL: Self = Self::new(500, "InternalError");
    pub const DENIED: Self = Self::new(403, "AccessDenied");
    /// S3's answer to a conditional write that met another one: nothing was written, and there may be no object.
    pub const CONFLICT: Self = Self::new(409, "ConditionalRequestConflict");
    pub const PRECONDITION: Self = Self::new(412, "PreconditionFailed");
    pub const NO_SUCH_BUCKET: Self = Self::new(404, "NoSuchBucket");
    pub const NO_SUCH_KEY: Self = Self::new(404, "NoSuchKey");
    pub const NO_SUCH_UPLOAD: Self = Self::new(404, "NoSuchUpload");
    pub const INVALID_PART: Self = Self::new(400, "InvalidPart");
    pub const ENTITY_TOO_SMALL: Self = Self::new(400, "EntityTooSmall");

    const fn new(status: u16, code: &'static str) -> Self {
        Self { status, code }
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done, and the answer says so.
    Refuse(Refusal),
    /// Nothing is done, and the connection is reset.
    Reset,
    /// It is done, and the connection is reset before the answer.
    LoseAnswer,
    /// So many bytes of the body arrive, then the connection is reset.
    CutBody(usize),
    /// So many bytes of the body arrive, then nothing, until the client hangs up.
    StallBody(usize),
    /// Nothing is done and nothing is said, until the client hangs up.
    Stall,
    /// It is done and nothing is said, until the client hangs up.
    StallAnswer,
    /// It waits, not done, until the test decides: see [`super::held`].
    Hold,
    /// It is done; its answer waits until the test decides.
    HoldAnswer,
}

/// Picks requests and says what becomes of them. A new rule takes the next request of its operation, once.
#[derive(Debug, Clone)]
pub struct Rule {
    op: Option<Op>,
    part_of_path: Option<String>,
    client: Option<String>,
    n_skipped: usize,
    n_times: usize,
    share: f64,
    fault: Fault,
}

impl Rule {
    pub fn on(op: Op, fault: Fault) -> Self {
        Self {
            op: Some(op),
            ..Self::on_any(fault)
        }
    }

    pub fn on_any(fault: Fault) -> Self {
        Self {
            op: None,
            part_of_path: None,
            client: None,
            n_skipped: 0,
            n_times: 1,
            share: 1.0,
            fault,
        }
    }

    /// Only requests whose `/bucket/key` contains `part`.
    pub fn at(mut self, part: &str) -> Self {
        self.part_of_path = Some(part.to_owned());
        self
    }

    /// Only requests signed with this access key.
    pub fn of(mut self, client: &str) -> Self {
        self.client = Some(client.to_owned());
        self
    }

    /// Leaves the first `n` alone.
    pub fn after(mut self, n: usize) -> Self {
        self.n_skipped = n;
        self
    }

    pub fn times(mut self, n: usize) -> Self {
        self.n_times = n;
        self
    }

    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// Takes each of its requests with this probability.
    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    fn matches(&self, asked: &Asked<'_>) -> bool {
        self.op.is_none_or(|op| op == asked.op)
            && (self.client.as_deref()).is_none_or(|client| client == asked.client)
            && (self.part_of_path.as_deref()).is_none_or(|part| asked.path.contains(part))
    }
}

/// A request as rules see it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub op: Op,
    /// Access key of the one who asks.
    pub client: &'a str,
    /// `/bucket/key`, decoded.
    pub path: &'a str,
}

/// The rules in force. The first that takes a request decides.
#[derive(Clone)]
pub struct Script {
    rules: Vec<Rule>,
    random: u64,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            random: 1,
        }
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.rules).finish()
    }
}

impl Script {
    pub fn seed(&mut self, seed: u64) {
        self.random = seed;
    }

    pub fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// How many more requests the rules will take; none when one of them never ends.
    pub fn n_left(&self) -> Option<usize> {
        let left = self.rules.iter().map(|rule| rule.n_times);
        left.map(|n| (n < usize::MAX).then_some(n)).sum()
    }

    pub fn decide(&mut self, asked: &Asked<'_>) -> Option<Fault> {
        for i in 0..self.rules.len() {
            let rule = &self.rules[i];
            if rule.n_times == 0 || !rule.matches(asked) {
                continue;
            }
            let drawn = rule.share >= 1.0 || self.random_share() < self.rules[i].share;
            let rule = &mut self.rules[i];
            if !drawn {
                continue;
            }
            if rule.n_skipped > 0 {
                rule.n_skipped -= 1;
                continue;
            }
            if rule.n_times < usize::MAX {
                rule.n_times -= 1;
            }
            return Some(rule.fault);
        }
        None
    }

    /// A number in 0..1, by splitmix64.
    pub fn random_share(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
