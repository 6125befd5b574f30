//! The bounded pool of threads on which PBKDF2 and RSA run, so that the threads that serve
//! connections never wait for them and no flood of runs can pile up.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use tokio::sync::oneshot;

use crate::Error;
use crate::queue::{Receiver, Sender, bounded};

/// Enough for the deepest call of an unoptimised build.
const STACK_LEN: usize = 1024 * 1024;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that end when the last clone is gone and the queue is empty.
#[derive(Clone)]
pub(crate) struct Pool(Sender<Job>);

/// Why a job has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotDone {
    /// The queue is full: nothing was done.
    Full,
    /// The job panicked.
    Panicked,
}

impl Pool {
    /// `threads` 0 is one per processor; `queue` is how many jobs may wait.
    pub(crate) fn new(threads: usize, queue: usize) -> Result<Self, Error> {
        let processors = || thread::available_parallelism().map_or(1, usize::from);
        let threads = if threads == 0 { processors() } else { threads };
        let (sender, receiver) = bounded(queue);
        for number in 0..threads {
            let receiver = receiver.clone();
            thread::Builder::new()
                .name(format!("crypto-{number}"))
                .stack_size(STACK_LEN)
                .spawn(move || work(&receiver))
                .map_err(|source| Error::System { what: "cannot start a thread", source })?;
        }
        Ok(Self(sender))
    }

    /// Runs `job` on one of the threads.
    pub(crate) async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, NotDone> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move || _ = sender.send(job()));
        if !self.0.put(job) {
            return Err(NotDone::Full);
        }
        receiver.await.map_err(|_| NotDone::Panicked)
    }
}

fn work(jobs: &Receiver<Job>) {
    while let Some(job) = jobs.take(1).pop() {
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("a computation panicked; this is a defect, please report it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn results_come_back_and_a_panic_ends_only_its_job() {
        let pool = Pool::new(1, 4).unwrap();
        assert_eq!(pool.run(|| 6 * 7).await, Ok(42));
        assert_eq!(pool.run(|| panic!("on purpose")).await, Err::<(), _>(NotDone::Panicked));
        assert_eq!(pool.run(|| "still here").await, Ok("still here"));
    }

    #[tokio::test]
    async fn p27_a_full_queue_refuses_at_once() {
        let pool = Pool::new(1, 1).unwrap();
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let (started, has_started) = oneshot::channel();
        let busy = pool.clone();
        let first = tokio::spawn(async move {
            busy.run(move || {
                started.send(()).unwrap();
                wait.recv().unwrap();
            })
            .await
        });
        has_started.await.unwrap();
        let queued = pool.clone();
        let second = tokio::spawn(async move { queued.run(|| 2).await });
        tokio::task::yield_now().await;
        assert_eq!(pool.run(|| 3).await, Err(NotDone::Full));
        release.send(()).unwrap();
        assert_eq!(first.await.unwrap(), Ok(()));
        assert_eq!(second.await.unwrap(), Ok(2));
    }
}
