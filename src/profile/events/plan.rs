//! The exchanges of a physical plan: by which key rows were shuffled, for what, and which metrics count it.
//!
//! Plans are trees of any depth inside one line, deeper than a JSON parser that recurses allows: this one does not.

use std::borrow::Cow;

use serde::Serialize;

/// A shuffle of a physical plan.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Exchange {
    /// `hash`, `range`, `round_robin` or `single`.
    pub partitioning: &'static str,
    /// The expressions that rows are placed by, as the plan writes them, without the numbers of columns.
    pub keys: Vec<String>,
    pub n_partitions: Option<u64>,
    /// What reads it: `SortMergeJoin`, `HashAggregate`, `Window`.
    pub consumer: Option<String>,
    /// `Inner`, `LeftOuter`, ...
    pub join_type: Option<String>,
    /// The side of the join that it feeds.
    pub is_left: Option<bool>,
    /// How adaptive execution reads it: `coalesced`, `skewed`, `local`.
    pub adaptive_read: Option<String>,
    #[serde(skip)]
    pub plan_id: Option<u64>,
    /// Accumulators that a stage updates which reads the shuffle.
    #[serde(skip)]
    pub reads: Vec<u64>,
    /// Accumulators that a stage updates which writes it.
    #[serde(skip)]
    pub writes: Vec<u64>,
}

impl Exchange {
    /// Whether adaptive execution can split this side of its join; none where the plan does not say. Source:
    /// `OptimizeSkewedJoin.scala`.
    pub fn may_split(&self) -> Option<bool> {
        let is_left = self.is_left?;
        Some(match self.join_type.as_deref()? {
            "Inner" | "Cross" => true,
            "LeftOuter" | "LeftSemi" | "LeftAnti" | "ExistenceJoin" => is_left,
            "RightOuter" => !is_left,
            _ => false,
        })
    }
}

#[derive(Debug, Default)]
struct Node {
    parent: Option<usize>,
    /// Place among its parent's children.
    at: usize,
    n_children: usize,
    name: String,
    text: String,
    metrics: Vec<(String, u64)>,
}

const PLAN: &[u8] = b"\"sparkPlanInfo\"";
/// Plans larger than this are not looked at: a line of garbage must not cost memory.
const MAX_NODES: usize = 100_000;
const JOIN_TYPES: [&str; 8] = [
    "Inner",
    "LeftOuter",
    "RightOuter",
    "FullOuter",
    "LeftSemi",
    "LeftAnti",
    "Cross",
    "ExistenceJoin",
];

/// The shuffles of the plan in an event of the SQL listener; empty when it has none.
pub fn exchanges(line: &[u8]) -> Vec<Exchange> {
    let Some(at) = line.windows(PLAN.len()).position(|window| window == PLAN) else {
        return Vec::new();
    };
    let nodes = nodes(line.get(at + PLAN.len()..).unwrap_or_default());
    (0..nodes.len()).filter_map(|at| exchange(&nodes, at)).collect()
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Frame {
    Node(usize),
    Children(usize),
    Metrics(usize),
    Metric(usize),
    Other,
}

enum Token<'a> {
    Open(u8),
    Close,
    /// With its quotes.
    Text(&'a [u8]),
    Scalar(&'a [u8]),
}

struct Tokens<'a> {
    left: &'a [u8],
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let is_between = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b':' | b',');
        let start = self.left.iter().position(|byte| !is_between(byte))?;
        let left = self.left.get(start..)?;
        let (first, rest) = left.split_first()?;
        let (token, n) = match first {
            b'{' | b'[' => (Token::Open(*first), 1),
            b'}' | b']' => (Token::Close, 1),
            b'"' => {
                let mut is_escaped = false;
                let end = rest.iter().position(|byte| {
                    let is_end = *byte == b'"' && !is_escaped;
                    is_escaped = *byte == b'\\' && !is_escaped;
                    is_end
                })? + 2;
                (Token::Text(left.get(..end)?), end)
            }
            _ => {
                let is_end = |byte: &u8| is_between(byte) || matches!(byte, b'}' | b']' | b'{' | b'[' | b'"');
                let end = left.iter().position(is_end).unwrap_or(left.len());
                (Token::Scalar(left.get(..end)?), end)
            }
        };
        self.left = left.get(n..)?;
        Some(token)
    }
}

fn text_of(quoted: &[u8]) -> String {
    serde_json::from_slice::<Cow<'_, str>>(quoted)
        .map(Cow::into_owned)
        .unwrap_or_default()
}

/// The nodes of the tree that `json` begins with, parents before their children.
fn nodes(json: &[u8]) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut frames: Vec<Frame> = Vec::new();
    let mut key: Option<&[u8]> = None;
    for token in (Tokens { left: json }) {
        let frame = frames.last().copied();
        let is_object = matches!(frame, Some(Frame::Node(_) | Frame::Metric(_)));
        match token {
            Token::Open(kind) => {
                let opened = match (frame, kind, key) {
                    (None, b'{', _) => Some(None),
                    (Some(Frame::Children(parent)), b'{', _) => Some(Some(parent)),
                    _ => None,
                };
                let next = match (opened, frame, kind) {
                    (Some(parent), ..) => {
                        let at = parent
                            .and_then(|parent| nodes.get_mut(parent))
                            .map_or(0, |parent| {
                                parent.n_children += 1;
                                parent.n_children - 1
                            });
                        nodes.push(Node {
                            parent,
                            at,
                            ..Node::default()
                        });
                        Frame::Node(nodes.len() - 1)
                    }
                    (None, Some(Frame::Metrics(node)), b'{') => {
                        if let Some(node) = nodes.get_mut(node) {
                            node.metrics.push((String::new(), u64::MAX));
                        }
                        Frame::Metric(node)
                    }
                    (None, Some(Frame::Node(node)), b'[') => match key {
                        Some(b"\"children\"") => Frame::Children(node),
                        Some(b"\"metrics\"") => Frame::Metrics(node),
                        _ => Frame::Other,
                    },
                    _ => Frame::Other,
                };
                frames.push(next);
                key = None;
            }
            Token::Close => {
                frames.pop();
                key = None;
                if frames.is_empty() || nodes.len() > MAX_NODES {
                    break;
                }
            }
            Token::Text(quoted) if is_object && key.is_none() => key = Some(quoted),
            Token::Text(value) | Token::Scalar(value) => {
                if let (Some(frame), Some(key)) = (frame, key.take()) {
                    set(&mut nodes, frame, key, value);
                }
            }
        }
    }
    nodes
}

fn set(nodes: &mut [Node], frame: Frame, key: &[u8], value: &[u8]) {
    match frame {
        Frame::Node(at) => {
            if let Some(node) = nodes.get_mut(at) {
                match key {
                    b"\"nodeName\"" => node.name = text_of(value),
                    b"\"simpleString\"" => node.text = text_of(value),
                    _ => {}
                }
            }
        }
        Frame::Metric(at) => {
            if let Some((name, id)) = nodes.get_mut(at).and_then(|node| node.metrics.last_mut()) {
                match key {
                    b"\"name\"" => *name = text_of(value),
                    b"\"accumulatorId\"" => *id = serde_json::from_slice(value).unwrap_or(u64::MAX),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn exchange(nodes: &[Node], at: usize) -> Option<Exchange> {
    let node = nodes.get(at)?;
    if !node.name.contains("Exchange") || node.name.contains("Broadcast") {
        return None;
    }
    let (partitioning, keys, n_partitions) = partitioning(&node.text)?;
    let mut found = Exchange {
        partitioning,
        keys,
        n_partitions,
        plan_id: after(&node.text, "plan_id=").and_then(|text| {
            let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        }),
        ..Exchange::default()
    };
    for (name, id) in &node.metrics {
        let is_write = name.starts_with("shuffle ") || name == "data size";
        let is_read = name.contains(" read") || name.contains("fetch");
        if is_write {
            found.writes.push(*id);
        } else if is_read {
            found.reads.push(*id);
        }
    }
    consumer(nodes, at, &mut found);
    Some(found)
}

/// The nearest operator above that works by the key.
fn consumer(nodes: &[Node], at: usize, found: &mut Exchange) {
    let mut below = at;
    while let Some(parent) = nodes.get(below).and_then(|node| node.parent) {
        let Some(node) = nodes.get(parent) else { return };
        if node.name.contains("Exchange") {
            return;
        }
        if let Some(how) = node.text.strip_prefix("AQEShuffleRead ") {
            found.adaptive_read = Some(how.trim().to_owned());
        }
        let is_join = node.name.contains("Join");
        if is_join
            || ["Aggregate", "Window"]
                .iter()
                .any(|kind| node.name.contains(kind))
        {
            let name = node.name.split(['(', ' ']).next().unwrap_or_default();
            found.consumer = Some(name.to_owned());
            if is_join {
                found.is_left = nodes.get(below).map(|child| child.at == 0);
                let mut words = node.text.split(|c: char| !c.is_ascii_alphanumeric());
                found.join_type = words.find(|word| JOIN_TYPES.contains(word)).map(str::to_owned);
            }
            return;
        }
        below = parent;
    }
}

fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.find(word).and_then(|at| text.get(at + word.len()..))
}

/// `hashpartitioning(k#1, 24)` as its kind, keys and number of partitions.
fn partitioning(text: &str) -> Option<(&'static str, Vec<String>, Option<u64>)> {
    if text.contains("SinglePartition") {
        return Some(("single", Vec::new(), Some(1)));
    }
    let kinds = [
        ("hashpartitioning(", "hash"),
        ("rangepartitioning(", "range"),
        ("RoundRobinPartitioning(", "round_robin"),
    ];
    let (inside, kind) = kinds
        .iter()
        .find_map(|(word, kind)| Some((after(text, word)?, *kind)))?;
    let mut parts = arguments(inside);
    let n = parts.last().and_then(|last| last.parse().ok());
    if n.is_some() {
        parts.pop();
    }
    Some((kind, parts.iter().map(|part| without_numbers(part)).collect(), n))
}

/// Arguments up to the closing bracket, cut at commas that are in no brackets of their own.
fn arguments(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    for c in text.chars() {
        match c {
            ')' | ']' if depth == 0 => break,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    let trimmed = parts.iter().map(|part| part.trim().to_owned());
    trimmed.filter(|part| !part.is_empty()).collect()
}

/// `k#12L` as `k`: the numbers tell columns of one plan apart and mean nothing outside.
fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '#' && chars.peek().is_some_and(char::is_ascii_digit) {
            while chars.next_if(char::is_ascii_digit).is_some() {}
            chars.next_if_eq(&'L');
        } else {
            out.push(c);
        }
    }
    for order in [
        " ASC NULLS FIRST",
        " DESC NULLS LAST",
        " ASC NULLS LAST",
        " DESC NULLS FIRST",
    ] {
        if let Some(short) = out.strip_suffix(order) {
            return short.to_owned();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{exchanges, partitioning};

    #[test]
    fn keys_are_read_from_the_partitioning_with_their_expressions_whole() {
        let check = |text: &str, kind: &str, keys: &[&str], n: Option<u64>| {
            let (found, found_keys, found_n) = partitioning(text).unwrap();
            assert_eq!((found, found_n), (kind, n), "{text}");
            assert_eq!(found_keys, keys, "{text}");
        };
        check(
            "Exchange hashpartitioning(k#1, 24), ENSURE_REQUIREMENTS, [plan_id=72]",
            "hash",
            &["k"],
            Some(24),
        );
        check(
            "Exchange hashpartitioning(coalesce(a#1L, 0), b#22, 200), REPARTITION_BY_NUM",
            "hash",
            &["coalesce(a, 0)", "b"],
            Some(200),
        );
        check(
            "Exchange rangepartitioning(k#1 ASC NULLS FIRST, 8)",
            "range",
            &["k"],
            Some(8),
        );
        check(
            "Exchange RoundRobinPartitioning(12)",
            "round_robin",
            &[],
            Some(12),
        );
        check("Exchange SinglePartition", "single", &[], Some(1));
        assert_eq!(partitioning("BroadcastExchange IdentityBroadcastMode"), None);
    }

    #[test]
    fn a_plan_of_any_depth_gives_its_exchanges_with_the_join_above() {
        let mut plan = String::from(
            r#"{"nodeName":"Exchange","simpleString":"Exchange hashpartitioning(k#1, 7)","children":[],
                "metrics":[{"name":"records read","accumulatorId":61},{"name":"shuffle bytes written","accumulatorId":72}]}"#,
        );
        for _ in 0..500 {
            plan = format!(
                r#"{{"nodeName":"Project","simpleString":"Project \"[k]\"","children":[{plan}],"metadata":{{"a":"b"}},"metrics":[]}}"#
            );
        }
        let other = r#"{"nodeName":"Scan","simpleString":"","children":[],"metrics":[]}"#;
        let line = format!(
            r#"{{"executionId":1,"sparkPlanInfo":{{"nodeName":"SortMergeJoin","simpleString":"SortMergeJoin [k#1], [k#4], LeftOuter",
                "children":[{other},{{"nodeName":"AQEShuffleRead","simpleString":"AQEShuffleRead coalesced and skewed","children":[{plan}]}}]}}}}"#
        );
        let [found] = exchanges(line.as_bytes()).try_into().unwrap();
        assert_eq!(found.consumer.as_deref(), Some("SortMergeJoin"));
        assert_eq!(found.join_type.as_deref(), Some("LeftOuter"));
        assert_eq!(found.is_left, Some(false));
        assert_eq!(found.adaptive_read.as_deref(), Some("coalesced and skewed"));
        assert_eq!((found.reads, found.writes), (vec![61], vec![72]));
    }
}
