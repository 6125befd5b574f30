//! A bounded queue from many to several threads.
//!
//! The standard library's channel has one receiver; several threads that share it behind a lock wake each other for
//! every item. Here an item wakes one thread, and none if all are busy.
//!
//! Bulk stands in a line of its own: one piece of it goes along with whatever else is taken, so that neither waits for
//! more than one piece of the other.

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
    bulk: VecDeque<T>,
    /// Threads that wait for an item.
    waiting: usize,
    /// No sender is left, or no receiver.
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

/// The end that takes items out. With the last clone go the items that it has not taken.
pub(crate) struct Receiver<T>(Arc<Taking<T>>);

struct Taking<T>(Arc<Shared<T>>);

/// A queue for at most `capacity` items.
pub(crate) fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let state = Mutex::new(State { items: VecDeque::new(), bulk: VecDeque::new(), waiting: 0, closed: false });
    let shared = Arc::new(Shared { state, ready: Condvar::new(), capacity });
    (Sender(Arc::new(Closing(Arc::clone(&shared)))), Receiver(Arc::new(Taking(shared))))
}

impl<T> Sender<T> {
    /// Puts an item in; `false` if the queue is full, or nobody is left to take from it.
    pub(crate) fn put(&self, item: T) -> bool {
        self.put_into(item, |state| &mut state.items)
    }

    /// As [`Sender::put`], for a piece of bulk.
    pub(crate) fn put_bulk(&self, item: T) -> bool {
        self.put_into(item, |state| &mut state.bulk)
    }

    /// How many items wait, and how many pieces of bulk.
    pub(crate) fn len(&self) -> (usize, usize) {
        let state = self.0.0.lock();
        (state.items.len(), state.bulk.len())
    }

    /// Whether a piece of bulk waits.
    #[cfg(test)]
    pub(crate) fn has_bulk(&self) -> bool {
        !self.0.0.lock().bulk.is_empty()
    }

    fn put_into(&self, item: T, line: impl Fn(&mut State<T>) -> &mut VecDeque<T>) -> bool {
        let Closing(shared) = &*self.0;
        let mut state = shared.lock();
        if state.closed || line(&mut state).len() >= shared.capacity {
            return false;
        }
        line(&mut state).push_back(item);
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
    /// Waits for items and takes those that are there, at most `most`, and then one piece of bulk; none when the queue is
    /// closed and empty.
    pub(crate) fn take(&self, most: usize) -> Vec<T> {
        let Taking(shared) = &*self.0;
        let mut state = shared.lock();
        while state.items.is_empty() && state.bulk.is_empty() && !state.closed {
            state.waiting += 1;
            state = shared.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        let State { items, bulk, .. } = &mut *state;
        let count = items.len().min(most);
        items.drain(..count).chain(bulk.pop_front()).collect()
    }
}

impl<T> Drop for Taking<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        let left = (std::mem::take(&mut state.items), std::mem::take(&mut state.bulk));
        drop(state); // what an item does when it goes is its own matter
        drop(left);
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

    #[test]
    fn a_piece_of_bulk_goes_along_and_neither_line_waits_for_the_other() {
        let (sender, receiver) = bounded(3);
        (1..=3).for_each(|n| assert!(sender.put(n) && sender.put_bulk(10 * n)));
        assert!(!sender.put(4) && !sender.put_bulk(40), "each has its bound");
        assert_eq!(receiver.take(2), [1, 2, 10]);
        assert_eq!(receiver.take(2), [3, 20]);
        assert_eq!(receiver.take(2), [30]);
    }

    #[test]
    fn without_a_receiver_nothing_is_taken_in_and_what_waited_goes() {
        let (sender, receiver) = bounded(9);
        let item = Arc::new(());
        assert!(sender.put(Arc::clone(&item)) && sender.put_bulk(Arc::clone(&item)));
        let other = receiver.clone();
        drop(receiver);
        assert_eq!(Arc::strong_count(&item), 3);
        drop(other);
        assert_eq!(Arc::strong_count(&item), 1);
        assert!(!sender.put(item));
    }
}
