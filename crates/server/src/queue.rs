//! A bounded queue from many to several threads.
//!
//! The standard library's channel has one receiver; several threads that share it behind a lock wake each other for
//! every item. Here an item wakes one thread, and none if all are busy.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What both ends share.
struct Shared<T> {
    state: Mutex<State<T>>,
    ready: Condvar,
    capacity: usize,
}

struct State<T> {
    items: VecDeque<T>,
    /// Threads that wait for an item.
    waiting: usize,
    closed: bool,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end that puts items in; the queue closes with the last clone.
pub(crate) struct Sender<T>(Arc<Closing<T>>);

struct Closing<T>(Arc<Shared<T>>);

/// The end that takes items out.
pub(crate) struct Receiver<T>(Arc<Shared<T>>);

/// A queue for at most `capacity` items.
pub(crate) fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let state = Mutex::new(State { items: VecDeque::new(), waiting: 0, closed: false });
    let shared = Arc::new(Shared { state, ready: Condvar::new(), capacity });
    (Sender(Arc::new(Closing(Arc::clone(&shared)))), Receiver(shared))
}

impl<T> Sender<T> {
    /// Puts an item in; `false` if the queue is full.
    pub(crate) fn put(&self, item: T) -> bool {
        let Closing(shared) = &*self.0;
        let mut state = shared.lock();
        if state.items.len() >= shared.capacity {
            return false;
        }
        state.items.push_back(item);
        let wake = state.waiting > 0;
        drop(state);
        if wake {
            shared.ready.notify_one();
        }
        true
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender(Arc::clone(&self.0))
    }
}

impl<T> Drop for Closing<T> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.ready.notify_all();
    }
}

impl<T> Receiver<T> {
    /// Waits for items and takes those that are there, at most `most`; none when the queue is closed and empty.
    pub(crate) fn take(&self, most: usize) -> Vec<T> {
        let mut state = self.0.lock();
        while state.items.is_empty() && !state.closed {
            state.waiting += 1;
            state = self.0.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        let count = state.items.len().min(most);
        state.items.drain(..count).collect()
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Receiver(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn every_item_is_taken_once_and_the_end_is_seen_by_all() {
        let (sender, receiver) = bounded(10_000);
        let takers: Vec<_> = (0..4)
            .map(|_| {
                let receiver = receiver.clone();
                thread::spawn(move || {
                    let mut taken = Vec::new();
                    loop {
                        match receiver.take(3) {
                            items if items.is_empty() => return taken,
                            items => taken.extend(items),
                        }
                    }
                })
            })
            .collect();
        let other = sender.clone();
        let putter = thread::spawn(move || (0..500).for_each(|n| assert!(other.put(n))));
        (500..1000).for_each(|n| assert!(sender.put(n)));
        putter.join().unwrap();
        drop(sender);
        let mut taken: Vec<u32> = takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect();
        taken.sort_unstable();
        assert_eq!(taken, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn a_full_queue_refuses() {
        let (sender, receiver) = bounded(2);
        assert!(sender.put(1) && sender.put(2) && !sender.put(3));
        assert_eq!(receiver.take(1), [1]);
        assert!(sender.put(3));
        assert_eq!(receiver.take(9), [2, 3]);
    }
}
