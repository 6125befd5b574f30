//! Priority and processor time of the calling thread.

use std::time::Duration;

/// How far below the usual priority: the system then prefers other threads, but leaves this one its share.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Lowers the priority of the calling thread. Only on Linux: elsewhere it would be that of the process.
pub(crate) fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(why) = rustix::process::nice(NICE) {
        tracing::debug!("a thread keeps its priority: {why}");
    }
}

/// Processor time of the calling thread so far; 0 where the system does not tell.
pub(crate) fn thread_cpu_time() -> Duration {
    #[cfg(target_os = "linux")]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).unwrap_or_default()
    }
    #[cfg(not(target_os = "linux"))]
    Duration::ZERO
}
