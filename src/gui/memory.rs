//! Memory of this process, read from time to time; none where the platform does not say.

use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub struct Memory {
    bytes: Option<u64>,
    read: Option<Instant>,
}

impl Memory {
    /// The figure as of at most two seconds ago. The file is the kernel's own and costs microseconds.
    pub fn bytes(&mut self) -> Option<u64> {
        if self.read.is_none_or(|at| at.elapsed() >= EVERY) {
            self.read = Some(Instant::now());
            self.bytes = resident();
        }
        self.bytes
    }
}

#[cfg(target_os = "linux")]
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(not(target_os = "linux"))]
fn resident() -> Option<u64> {
    None
}
