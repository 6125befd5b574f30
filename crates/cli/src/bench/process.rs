//! What a process and a thread cost: CPU time and memory; unknown where a system does not tell.

use std::fs;
#[cfg(target_os = "linux")]
use std::time::Duration;

/// Measures a process from now on.
pub(super) struct Usage {
    pid: u32,
    cpu_ms: Option<f64>,
}

/// What the process used.
pub(super) struct ProcessCost {
    pub(super) cpu_ms: Option<f64>,
    pub(super) peak_rss_mib: Option<f64>,
}

impl Usage {
    pub(super) fn of(pid: u32) -> Self {
        Usage { pid, cpu_ms: cpu_ms(&format!("/proc/{pid}/task")) }
    }

    pub(super) fn finish(self) -> ProcessCost {
        let now = cpu_ms(&format!("/proc/{}/task", self.pid));
        let cpu_ms = now.zip(self.cpu_ms).map(|(now, before)| now - before);
        ProcessCost { cpu_ms, peak_rss_mib: peak_rss_mib(self.pid) }
    }
}

/// CPU time of all threads below a task folder, in milliseconds; the scheduler counts nanoseconds.
fn cpu_ms(tasks: &str) -> Option<f64> {
    let mut ns = 0;
    for task in fs::read_dir(tasks).ok()? {
        let stat = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        ns += stat.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(ns as f64 / 1e6)
}

/// CPU time of the calling thread, in milliseconds.
pub(super) fn thread_cpu_ms() -> Option<f64> {
    #[cfg(target_os = "linux")]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Some(Duration::try_from(time).ok()?.as_secs_f64() * 1e3)
    }
    #[cfg(not(target_os = "linux"))]
    None
}

fn peak_rss_mib(pid: u32) -> Option<f64> {
    status_mib(pid, "VmHWM:")
}

/// The current memory of a process.
pub(super) fn rss_mib(pid: u32) -> Option<f64> {
    status_mib(pid, "VmRSS:")
}

fn status_mib(pid: u32, name: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}
