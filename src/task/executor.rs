//! Starts background work on a runtime of its own and remembers what runs, for the activity list.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;

use crate::base::{Cancel, CancelOnDrop, Progress, ProgressView};

/// Number of a task since the window opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u64);

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskEnd<T> {
    Done(T),
    Failed(String),
    Cancelled,
}

/// Where a task stands, for the activity list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskState {
    Running,
    Done,
    Failed(String),
    Cancelled,
}

/// One line of the activity list.
#[derive(Debug, Clone)]
pub struct TaskView {
    pub id: TaskId,
    pub label: String,
    pub state: TaskState,
    pub progress: ProgressView,
    pub elapsed: Duration,
}

/// What a task is given: where to report progress and partial results, and when to stop.
#[derive(Debug)]
pub struct Context<T> {
    pub cancel: Cancel,
    pub progress: Progress,
    partial: Sender<T>,
    wake: Wake,
}

impl<T> Context<T> {
    /// Shows a result before the work is done, such as a listing so far.
    pub fn send_partial(&self, value: T) {
        // The receiver is gone only when the window no longer wants the value.
        drop(self.partial.send(value));
        self.wake.call();
    }
}

#[derive(Clone)]
struct Wake(Arc<dyn Fn() + Send + Sync>);

impl Wake {
    fn call(&self) {
        (self.0)();
    }
}

impl std::fmt::Debug for Wake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wake")
    }
}

#[derive(Debug)]
struct Entry {
    id: TaskId,
    label: String,
    state: TaskState,
    progress: Progress,
    cancel: Cancel,
    started: Instant,
    ended: Option<Instant>,
}

/// Runs tasks. Dropping it cancels all of them.
#[derive(Debug)]
pub struct Executor {
    runtime: Option<tokio::runtime::Runtime>,
    entries: Arc<Mutex<Vec<Entry>>>,
    wake: Wake,
}

/// Finished tasks that the activity list keeps.
const KEPT_ENTRIES: usize = 50;

impl Executor {
    /// `wake` is called from worker threads whenever a task has something new.
    ///
    /// # Errors
    /// When the operating system gives no threads.
    pub fn new(n_threads: usize, wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(n_threads.max(1))
            .thread_name("skewer-task")
            .enable_all()
            .build()?;
        Ok(Self {
            runtime: Some(runtime),
            entries: Arc::default(),
            wake: Wake(Arc::new(wake)),
        })
    }

    /// Starts `work` under a label that people read in the activity list.
    pub fn spawn<T, W, F>(&self, label: impl Into<String>, work: W) -> TaskHandle<T>
    where
        T: Send + 'static,
        W: FnOnce(Context<T>) -> F + Send + 'static,
        F: Future<Output = Result<T, String>> + Send + 'static,
    {
        let cancel = Cancel::new();
        let progress = Progress::new();
        let (partial, partials) = channel();
        let (end_sender, end) = channel();
        let id = self.register(label.into(), &progress, &cancel);
        let context = Context {
            cancel: cancel.clone(),
            progress,
            partial,
            wake: self.wake.clone(),
        };
        let (entries, wake, seen) = (Arc::clone(&self.entries), self.wake.clone(), cancel.clone());
        let run = async move {
            let result = AssertUnwindSafe(async move { work(context).await })
                .catch_unwind()
                .await;
            let end = match result {
                Ok(Ok(value)) => TaskEnd::Done(value),
                Ok(Err(_)) if seen.is_cancelled() => TaskEnd::Cancelled,
                Ok(Err(message)) => TaskEnd::Failed(message),
                Err(panic) => TaskEnd::Failed(format!("internal error: {}", panic_message(&*panic))),
            };
            finish(&entries, id, &end);
            drop(end_sender.send(end));
            wake.call();
        };
        if let Some(runtime) = &self.runtime {
            runtime.spawn(run);
        }
        TaskHandle {
            id,
            partials,
            end,
            _guard: cancel.on_drop(),
            cancel,
        }
    }

    fn register(&self, label: String, progress: &Progress, cancel: &Cancel) -> TaskId {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let id = TaskId(entries.last().map_or(0, |last| last.id.0 + 1));
        // Work that was done again says nothing new: its last time is enough.
        entries.retain(|entry| {
            entry.label != label || !matches!(entry.state, TaskState::Done | TaskState::Cancelled)
        });
        entries.push(Entry {
            id,
            label,
            state: TaskState::Running,
            progress: progress.clone(),
            cancel: cancel.clone(),
            started: Instant::now(),
            ended: None,
        });
        if entries.len() > KEPT_ENTRIES
            && let Some(oldest) = entries.iter().position(|entry| entry.state != TaskState::Running)
        {
            entries.remove(oldest);
        }
        id
    }

    /// Tasks, newest first, for the activity list.
    pub fn tasks(&self) -> Vec<TaskView> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let view = |entry: &Entry| TaskView {
            id: entry.id,
            label: entry.label.clone(),
            state: entry.state.clone(),
            progress: entry.progress.view(),
            elapsed: entry.ended.unwrap_or(now).duration_since(entry.started),
        };
        entries.iter().rev().map(view).collect()
    }

    /// Asks a task to stop.
    pub fn cancel(&self, id: TaskId) {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.iter().find(|entry| entry.id == id) {
            entry.cancel.cancel();
        }
    }

    pub fn is_idle(&self) -> bool {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().all(|entry| entry.state != TaskState::Running)
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        for entry in self.entries.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            entry.cancel.cancel();
        }
        // A task in the middle of a blocking call must not hold the window's thread.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn finish<T>(entries: &Mutex<Vec<Entry>>, id: TaskId, end: &TaskEnd<T>) {
    let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(entry) = entries.iter_mut().find(|entry| entry.id == id) {
        entry.ended = Some(Instant::now());
        entry.state = match end {
            TaskEnd::Done(_) => TaskState::Done,
            TaskEnd::Failed(message) => TaskState::Failed(message.clone()),
            TaskEnd::Cancelled => TaskState::Cancelled,
        };
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a task panicked")
}

/// The asker's end of a task. Dropping it cancels the task.
#[derive(Debug)]
pub struct TaskHandle<T> {
    id: TaskId,
    partials: Receiver<T>,
    end: Receiver<TaskEnd<T>>,
    cancel: Cancel,
    _guard: CancelOnDrop,
}

impl<T> TaskHandle<T> {
    pub fn id(&self) -> TaskId {
        self.id
    }

    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// The next partial result, if one has come.
    pub fn take_partial(&mut self) -> Option<T> {
        self.partials.try_recv().ok()
    }

    /// How the task ended, once. A task whose runtime is gone ends as cancelled.
    pub fn take_end(&mut self) -> Option<TaskEnd<T>> {
        match self.end.try_recv() {
            Ok(end) => Some(end),
            Err(std::sync::mpsc::TryRecvError::Empty) => None,
            Err(std::sync::mpsc::TryRecvError::Disconnected) => Some(TaskEnd::Cancelled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Executor, TaskState};

    #[test]
    fn dropping_the_handle_cancels_the_work_and_the_list_says_so() {
        let tasks = Executor::new(1, || {}).unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        let handle = tasks.spawn::<(), _, _>("wait", move |context| async move {
            while !context.cancel.is_cancelled() {
                tokio::task::yield_now().await;
            }
            sender.send(()).unwrap();
            Err("stopped".to_owned())
        });
        assert!(!tasks.is_idle());
        drop(handle);
        receiver.recv_timeout(std::time::Duration::from_secs(10)).unwrap();
        while !tasks.is_idle() {
            std::thread::yield_now();
        }
        let task = tasks.tasks().into_iter().next().unwrap();
        assert_eq!((task.label.as_str(), task.state), ("wait", TaskState::Cancelled));
    }
}
