//! Essential threads: the death of one is reported, so that the process can exit with a reason instead of hanging.

use std::sync::Arc;
use std::{io, thread};

use tokio::sync::watch;

/// A group of threads; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct VitalThreads(Arc<watch::Sender<Option<String>>>);

impl VitalThreads {
    /// Starts a thread. It may return; a panic is its death.
    pub(crate) fn spawn(&self, name: String, stack_len: usize, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let report = DeathReport { all: self.clone(), name: name.clone() };
        let alive = move || {
            let _report = report;
            work();
        };
        thread::Builder::new().name(name).stack_size(stack_len).spawn(alive).map(drop)
    }

    /// Waits until one of the threads dies; returns its name.
    pub(crate) async fn died(self) -> String {
        let mut deaths = self.0.subscribe();
        let name = deaths.wait_for(Option::is_some).await.ok().and_then(|name| name.clone());
        name.unwrap_or_default() // `self` holds a sender, so there is a name
    }
}

/// Reports the death of its thread when dropped while unwinding.
struct DeathReport {
    all: VitalThreads,
    name: String,
}

impl Drop for DeathReport {
    fn drop(&mut self) {
        if thread::panicking() {
            self.all.0.send_replace(Some(std::mem::take(&mut self.name)));
        }
    }
}

/// A payload that panics when dropped: no `catch_unwind` around a job keeps its thread alive.
#[cfg(test)]
pub(crate) struct Bomb;

#[cfg(test)]
impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("on purpose");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_reported_and_a_return_is_not() {
        let vital = VitalThreads::default();
        let (ended, end) = std::sync::mpsc::channel();
        vital.spawn("ends".into(), 65_536, move || ended.send(()).unwrap()).unwrap();
        end.recv().unwrap();
        vital.spawn("dies".into(), 65_536, || panic!("on purpose")).unwrap();
        assert_eq!(vital.died().await, "dies");
    }
}
