//! A bounded queue that is fair between subjects: none gets more than its share while others wait.
//!
//! - Each subject with waiting jobs has a lane. Lanes take turns (deficit round robin: Shreedhar and Varghese, 1995). A
//!   turn is worth [`TURN`] units of cost; unused units are saved for the lane's next turn, so that a job of twice the
//!   cost waits for two turns.
//! - Lanes with a better [`Precedence`] go before all others; [`Precedence::Proved`] and [`Precedence::Good`] count the
//!   same.
//! - A full queue evicts the newest job of the longest lane, among lanes of the worst precedence first; of equally long
//!   lanes, one that is not `Proved`. If that is the newcomer's own lane, the newcomer is refused.
//!
//! The queue has no clock, thread or lock. Each operation takes logarithmic time in the number of lanes, except that
//! taking a job passes a lane once for each `TURN` of its job's cost.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::net::precedence::Precedence;
use crate::net::rate_limit::Subject;

/// The worth of a turn: the PBKDF2 iterations of a usual run.
pub(crate) const TURN: u64 = 100_000;

/// Waiting jobs, in one lane per subject.
pub(crate) struct FairQueue<T> {
    lanes: HashMap<Subject, Lane<T>>,
    /// The order of turns: the first one is next.
    turns: BTreeSet<(Precedence, u64, Subject)>,
    /// Lane lengths: the last one is the first to lose a job.
    lengths: BTreeSet<(LaneLength, Subject)>,
    waiting: usize,
    most: usize,
    most_per_lane: usize,
    /// Number of the next turn or ticket.
    next: u64,
}

struct Lane<T> {
    jobs: VecDeque<QueuedJob<T>>,
    precedence: Precedence,
    turn: u64,
    /// Remaining cost in this turn.
    credit: u64,
}

struct QueuedJob<T> {
    ticket: Ticket,
    cost: u64,
    job: T,
}

/// A lane's rank for eviction: its class, its number of jobs, and its precedence within the class.
type LaneLength = (Precedence, usize, Precedence);

/// The precedence for turns.
fn class(precedence: Precedence) -> Precedence {
    precedence.max(Precedence::Good)
}

/// Identifies a waiting job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// The result of adding a job.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Placement<T> {
    /// The job waits; a full queue evicted another job for it.
    Waits(Ticket, Option<(Subject, T)>),
    /// The queue is full.
    Refused(T),
}

impl<T> FairQueue<T> {
    /// A queue for at most `most` jobs, half of them of one subject.
    pub(crate) fn new(most: usize) -> Self {
        FairQueue {
            lanes: HashMap::new(),
            turns: BTreeSet::new(),
            lengths: BTreeSet::new(),
            waiting: 0,
            most,
            most_per_lane: most.div_ceil(2),
            next: 0,
        }
    }

    /// Adds a job at the end of its lane, which from now on has this precedence.
    pub(crate) fn put(&mut self, subject: Subject, precedence: Precedence, cost: u64, job: T) -> Placement<T> {
        self.set_precedence(subject, precedence);
        let own = self.lanes.get(&subject).map_or(0, |lane| lane.jobs.len());
        if own >= self.most_per_lane {
            return Placement::Refused(job);
        }
        let mut gave_way = None;
        if self.waiting >= self.most {
            match self.lengths.last() {
                Some(&(longest, victim)) if longest > (class(precedence), own + 1, precedence) => {
                    let newest = self.change(victim, |lane| lane.jobs.pop_back()).flatten();
                    gave_way = newest.map(|newest| (victim, newest.job));
                }
                _ => return Placement::Refused(job),
            }
        }
        let (ticket, turn) = (Ticket(self.number()), self.number());
        let lane = || Lane { jobs: VecDeque::new(), precedence, turn, credit: TURN };
        self.lanes.entry(subject).or_insert_with(lane);
        self.change(subject, |lane| lane.jobs.push_back(QueuedJob { ticket, cost, job }));
        Placement::Waits(ticket, gave_way)
    }

    /// The number of waiting jobs.
    pub(crate) fn len(&self) -> usize {
        self.waiting
    }

    /// The next job; `None` only if none waits.
    pub(crate) fn take(&mut self) -> Option<T> {
        self.take_if(|_| true)
    }

    /// The next job if it is wanted; otherwise it remains the next one.
    pub(crate) fn take_if(&mut self, is_wanted: impl Fn(&T) -> bool) -> Option<T> {
        loop {
            let &(_, _, subject) = self.turns.first()?;
            let turn = self.number();
            let taken = self.change(subject, |lane| match lane.jobs.front() {
                Some(first) if first.cost > lane.credit => {
                    lane.credit += TURN;
                    lane.turn = turn; // behind all others
                    None
                }
                Some(first) if !is_wanted(&first.job) => Some(None),
                _ => Some(lane.jobs.pop_front().inspect(|first| lane.credit -= first.cost)),
            });
            if let Some(taken) = taken.flatten() {
                return taken.map(|taken| taken.job);
            }
        }
    }

    /// Removes a waiting job; `None` if it no longer waits.
    pub(crate) fn cancel(&mut self, subject: Subject, ticket: Ticket) -> Option<T> {
        let cancelled = self.change(subject, |lane| {
            let place = lane.jobs.binary_search_by_key(&ticket, |waiting| waiting.ticket).ok()?;
            lane.jobs.remove(place)
        });
        Some(cancelled.flatten()?.job)
    }

    /// Moves a lane, if it exists, to its new precedence.
    pub(crate) fn set_precedence(&mut self, subject: Subject, precedence: Precedence) {
        let number = self.number();
        self.change(subject, |lane| {
            if class(lane.precedence) != class(precedence) {
                lane.turn = number; // behind all others of its new class
            }
            lane.precedence = precedence;
        });
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Changes a lane and updates the sorted sets; removes a lane without jobs.
    fn change<R>(&mut self, subject: Subject, change: impl FnOnce(&mut Lane<T>) -> R) -> Option<R> {
        let lane = self.lanes.get_mut(&subject)?;
        self.turns.remove(&(class(lane.precedence), lane.turn, subject));
        self.lengths.remove(&(lane.length(), subject));
        self.waiting -= lane.jobs.len();
        let changed = change(lane);
        self.waiting += lane.jobs.len();
        if lane.jobs.is_empty() {
            self.lanes.remove(&subject);
        } else {
            self.turns.insert((class(lane.precedence), lane.turn, subject));
            self.lengths.insert((lane.length(), subject));
        }
        Some(changed)
    }
}

impl<T> Lane<T> {
    fn length(&self) -> LaneLength {
        (class(self.precedence), self.jobs.len(), self.precedence)
    }
}

#[cfg(test)]
mod tests;
