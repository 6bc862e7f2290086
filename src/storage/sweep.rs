//! Lists a long prefix by several requests side by side.
//!
//! A listing gives a page at a time, and each page names where the next begins. To ask for several at once, the keys far
//! ahead are guessed from how the keys of a page count up. A guess only decides where one request hands over to another,
//! so a bad one costs a request and never a key.

use std::ops::ControlFlow;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use super::{Object, StorageError};

/// Requests at a time. A tenth of what servers take for reads, and enough to be no longer what a run waits for.
const WIDTH: usize = 8;
/// Pages that a request's place is expected to hold before the next one's begins. More waste less at the seams.
const STRIDE_PAGES: u128 = 8;

/// One page of a listing, and the token of the one after.
pub(super) type Page = (Vec<Object>, Option<String>);

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum From {
    /// At the first key after this one.
    After(String),
    Token(String),
}

/// A stretch of keys that one chain of requests lists.
struct Span {
    /// The last key that was listed, or the one it begins after.
    position: String,
    /// The last key that is this span's; none for the last span.
    until: Option<String>,
}

/// Gives every key after `first` once to `on_page`, in no order between pages. `first` is a page that was given already.
pub(super) async fn sweep<F>(
    first: &[Object],
    token: String,
    page_from: impl Fn(From) -> F,
    on_page: &mut (dyn FnMut(Vec<Object>) + Send),
) -> Result<(), StorageError>
where
    F: Future<Output = Result<Page, StorageError>>,
{
    let ask = |i: usize, from: From| {
        let page = page_from(from);
        async move { (i, page.await) }
    };
    let mut counter = Counter::of(first);
    let position = first.last().map(|object| object.key.clone()).unwrap_or_default();
    let mut spans = vec![Span {
        position,
        until: None,
    }];
    let mut requests = FuturesUnordered::new();
    requests.push(ask(0, From::Token(token)));
    // Until some request sees the end, there may be keys worth a span of their own.
    let mut is_open = true;
    loop {
        while is_open && requests.len() < WIDTH {
            let ControlFlow::Continue(start) = split(&mut spans, counter.as_ref()) else {
                break;
            };
            requests.push(ask(spans.len() - 1, From::After(start)));
        }
        let Some((i, page)) = requests.next().await else {
            return Ok(());
        };
        let (mut page, next) = page?;
        is_open &= next.is_some();
        let is_last = i + 1 == spans.len();
        let Some(span) = spans.get_mut(i) else {
            return Ok(());
        };
        if is_last && next.is_some() {
            counter = Counter::of(&page).or(counter);
        }
        let n_found = page.len();
        if let Some(until) = &span.until {
            page.truncate(page.partition_point(|object| object.key <= *until));
        }
        let is_done = page.len() < n_found;
        if let Some(last) = page.last() {
            span.position.clone_from(&last.key);
            on_page(page);
        }
        if let Some(token) = next
            && !is_done
        {
            requests.push(ask(i, From::Token(token)));
        }
    }
}

/// Ends the last span where its keys are guessed to fill some pages, and begins another there.
fn split(spans: &mut Vec<Span>, counter: Option<&Counter>) -> ControlFlow<(), String> {
    let last = spans.last_mut();
    let found = last.zip(counter).and_then(|(last, counter)| {
        let start = counter.ahead(&last.position)?;
        // A guess that does not lie ahead would take keys that were listed already.
        (start > last.position).then(|| {
            last.until = Some(start.clone());
            start
        })
    });
    let Some(start) = found else {
        return ControlFlow::Break(());
    };
    spans.push(Span {
        position: start.clone(),
        until: None,
    });
    ControlFlow::Continue(start)
}

/// How the keys of a page count up: as numbers of some digits after a text that stays.
#[derive(Debug, PartialEq, Eq)]
struct Counter {
    fixed: String,
    /// Digits in order; they are what was seen where the page's keys differ.
    digits: Vec<u8>,
    n_digits: usize,
    /// By how much a page's keys count up.
    step: u128,
}

impl Counter {
    /// Digits that stay on this page but may change ahead.
    const MAX_LEADING: usize = 8;
    const MAX_VARYING: usize = 8;

    /// None for keys that follow no such scheme.
    fn of(page: &[Object]) -> Option<Self> {
        let (first, last) = (page.first()?.key.as_bytes(), page.last()?.key.as_bytes());
        let n_common = first.iter().zip(last).take_while(|(a, b)| a == b).count();
        let mut seen = [false; 128];
        let mut n_varying = 0;
        while n_varying < Self::MAX_VARYING {
            let at = n_common + n_varying;
            let mut bytes = page.iter().map(|object| object.key.as_bytes().get(at).copied());
            if bytes.clone().all(|byte| byte == first.get(at).copied()) {
                break;
            }
            if bytes.clone().any(|byte| byte.is_none_or(|byte| byte >= 128)) {
                break;
            }
            bytes.by_ref().flatten().for_each(|byte| {
                if let Some(seen) = seen.get_mut(usize::from(byte)) {
                    *seen = true;
                }
            });
            n_varying += 1;
        }
        if n_varying == 0 {
            return None;
        }
        let is_digit = |byte: &u8| seen.get(usize::from(*byte)).copied().unwrap_or(false);
        let n_leading = first
            .get(..n_common)?
            .iter()
            .rev()
            .take(Self::MAX_LEADING)
            .take_while(|byte| is_digit(byte))
            .count();
        let counter = Self {
            fixed: page.first()?.key.get(..n_common - n_leading)?.to_owned(),
            digits: (0..128).filter(is_digit).collect(),
            n_digits: n_leading + n_varying,
            step: 0,
        };
        let step = counter.number(&page.last()?.key)? - counter.number(&page.first()?.key)?;
        Some(Self {
            step: step.max(1),
            ..counter
        })
    }

    /// A key some pages after `key`, if the keys go on as they do here.
    fn ahead(&self, key: &str) -> Option<String> {
        self.text(self.number(key)? + STRIDE_PAGES * self.step)
    }

    /// At most 16 digits of at most 128 kinds, so it fits.
    fn number(&self, key: &str) -> Option<u128> {
        let rest = key.strip_prefix(self.fixed.as_str())?.as_bytes();
        let base = self.digits.len() as u128;
        let number = (0..self.n_digits).fold(0, |number, at| {
            let byte = rest.get(at).copied().unwrap_or(0);
            let rank = self.digits.partition_point(|digit| *digit < byte) as u128;
            number * base + rank.min(base - 1)
        });
        Some(number)
    }

    /// None past the last number.
    fn text(&self, mut number: u128) -> Option<String> {
        let base = self.digits.len() as u128;
        let mut bytes = Vec::with_capacity(self.n_digits);
        for _ in 0..self.n_digits {
            bytes.push(*self.digits.get(usize::try_from(number % base).ok()?)?);
            number /= base;
        }
        bytes.reverse();
        let digits = String::from_utf8(bytes).ok()?;
        (number == 0).then(|| format!("{}{digits}", self.fixed))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeSet;
    use std::ops::Bound;
    use std::task::Poll;

    use chrono::DateTime;
    use proptest::prelude::*;

    use super::{Counter, From, Object, Page, sweep};

    fn object(key: &str) -> Object {
        Object {
            key: key.to_owned(),
            size: 1,
            modified: DateTime::UNIX_EPOCH,
            etag: None,
        }
    }

    /// A listing of `keys` in pages of `n`; tokens are keys.
    fn page(keys: &BTreeSet<String>, from: &From, n: usize) -> Page {
        let (From::After(after) | From::Token(after)) = from;
        let mut rest = keys.range::<String, _>((Bound::Excluded(after), Bound::Unbounded));
        let page: Vec<Object> = rest.by_ref().take(n).map(|key| object(key)).collect();
        let more = rest.next().and_then(|_| page.last().map(|last| last.key.clone()));
        (page, more)
    }

    /// Sweeps `keys`, whose answers come in an order drawn from `seed`. Returns the number of pages asked for, of as many
    /// as one after the other.
    fn check(keys: &BTreeSet<String>, n: usize, seed: u64) -> (usize, usize) {
        let (first, token) = page(keys, &From::After(String::new()), n);
        let found = RefCell::new(first.iter().map(|object| object.key.clone()).collect::<Vec<_>>());
        let (n_asked, random) = (Cell::new(1), Cell::new(seed | 1));
        if let Some(token) = token {
            let page_from = |from: From| {
                n_asked.set(n_asked.get() + 1);
                let mut answer = Some(Ok(page(keys, &from, n)));
                let random = &random;
                futures::future::poll_fn(move |cx| {
                    random.set(
                        random
                            .get()
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1),
                    );
                    if random.get() >> 62 == 0 {
                        return Poll::Ready(answer.take().unwrap());
                    }
                    cx.waker().wake_by_ref();
                    Poll::Pending
                })
            };
            let mut more = Vec::new();
            let mut on_page = |page: Vec<Object>| more.extend(page.into_iter().map(|object| object.key));
            futures::executor::block_on(sweep(&first, token, page_from, &mut on_page)).unwrap();
            found.borrow_mut().extend(more);
        }
        let mut found = found.into_inner();
        found.sort();
        assert!(found.iter().eq(keys), "{} of {}", found.len(), keys.len());
        (n_asked.get(), keys.len().div_ceil(n).max(1))
    }

    #[test]
    fn keys_that_count_up_are_listed_with_few_more_requests_than_pages() {
        let numbered = |n: u64| (0..n).map(|i| format!("2020/01/02/ads-{i:08}.jsonl")).collect();
        let scattered = |n: u64| {
            let spread = |i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (0..n)
                .map(|i| format!("{:016x}-{i:04x}.json", spread(i)))
                .collect()
        };
        for keys in [numbered(20_000), scattered(20_000), numbered(90), scattered(950)] {
            let (n_asked, n_pages) = check(&keys, 100, 1);
            assert!(n_asked <= n_pages + n_pages / 4 + 10, "{n_asked} for {n_pages}");
        }
    }

    #[test]
    fn a_counter_sees_the_digits_that_will_change() {
        let page: Vec<Object> = (100..200).map(|i| object(&format!("a1/{i:06}.x"))).collect();
        let counter = Counter::of(&page).unwrap();
        assert_eq!(
            (counter.fixed.as_str(), counter.n_digits, counter.step),
            ("a1/", 6, 99)
        );
        assert_eq!(counter.ahead("a1/000199.x").unwrap(), "a1/000991");
        assert_eq!(counter.ahead("a1/999999.x"), None);
        assert_eq!(counter.ahead("b"), None);
    }

    proptest! {
        #[test]
        fn every_key_is_listed_once_whatever_the_keys_and_the_order_of_answers(
            keys in prop::collection::btree_set("[a-c]{0,2}/?[0-9äz]{1,6}(\\.json)?", 1..400),
            n in 1_usize..20,
            seed: u64,
        ) {
            check(&keys, n, seed);
        }
    }
}
