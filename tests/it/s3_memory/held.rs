//! Requests that wait for the test's word: steps of a schedule, one at a time, whoever of several clients is next.
//!
//! A held request has arrived whole. It stays when its client hangs up or dies: released later, it is done after all, as
//! a request that lingered in the network would be.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::faults::Fault;
use super::tally::Op;

/// A request that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRequest {
    pub id: u64,
    pub client: String,
    pub op: Op,
    /// `/bucket/key`, decoded.
    pub path: String,
    /// Whether it is done already, so that only its answer waits.
    pub is_done: bool,
}

struct Entry {
    request: HeldRequest,
    /// What becomes of it: none lets it go on.
    release: oneshot::Sender<Option<Fault>>,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    next_id: u64,
}

/// The requests that wait now.
#[derive(Default)]
pub struct Held {
    state: Mutex<State>,
    changed: Condvar,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.now()).finish()
    }
}

impl Held {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// What waits now, in order of arrival.
    pub fn now(&self) -> Vec<HeldRequest> {
        requests(&self.state())
    }

    /// Waits until what is held fits `wanted`, or panics after `limit`. [`Held::poke`] makes it look again too, so that
    /// `wanted` may ask for things outside the server, as the end of a client.
    pub fn wait_until(
        &self,
        limit: Duration,
        mut wanted: impl FnMut(&[HeldRequest]) -> bool,
    ) -> Vec<HeldRequest> {
        let deadline = Instant::now() + limit;
        let mut state = self.state();
        loop {
            let now = requests(&state);
            if wanted(&now) {
                return now;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "not within {limit:?}: {now:?} wait");
            state = self.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Says that something outside the server happened.
    pub fn poke(&self) {
        // Under the lock, so that nobody looks, finds nothing, and then misses the word.
        let _state = self.state();
        self.changed.notify_all();
    }

    /// Lets a request go on, or gives it a fault. Returns whether it was there.
    pub fn release(&self, id: u64, fault: Option<Fault>) -> bool {
        let mut state = self.state();
        let Some(at) = state.entries.iter().position(|entry| entry.request.id == id) else {
            return false;
        };
        let entry = state.entries.remove(at);
        drop(state);
        self.changed.notify_all();
        entry.release.send(fault).is_ok()
    }

    /// Lets all go on.
    pub fn release_all(&self) {
        for request in self.now() {
            self.release(request.id, None);
        }
    }

    /// Parks the caller until it is released. The fault it gets is none of those that hold.
    pub(super) async fn hold(&self, request: HeldRequest) -> Option<Fault> {
        let released = {
            let mut state = self.state();
            let (release, released) = oneshot::channel();
            let id = state.next_id;
            state.next_id += 1;
            let request = HeldRequest { id, ..request };
            state.entries.push(Entry { request, release });
            released
        };
        self.changed.notify_all();
        let fault = released.await.unwrap_or(Some(Fault::Reset));
        fault.filter(|fault| !matches!(fault, Fault::Hold | Fault::HoldAnswer))
    }
}

fn requests(state: &State) -> Vec<HeldRequest> {
    state.entries.iter().map(|entry| entry.request.clone()).collect()
}
