//! A bounded queue that is fair between those who ask: nobody gets more than their share while others wait.
//!
//! - Whoever has jobs waiting has a lane. Lanes take turns (deficit round robin: Shreedhar and Varghese, 1995). A turn
//!   is worth [`TURN`] units of cost; what it leaves is saved for the lane's next turn, so that a job of twice the cost
//!   waits for two.
//! - A lane of a better [`Precedence`] goes before all of a worse one; [`Precedence::Proved`] and [`Precedence::Good`] are one.
//! - Where the queue is full, the newest job of the longest lane gives way, in the worst standing first; of lanes as long
//!   one that is not `Proved`. Where that would be the newcomer's own lane, the newcomer is refused.
//!
//! There is no clock, no thread and no lock in here. Each operation takes logarithmic time in the number of lanes, but
//! that `take` passes a lane once for each `TURN` that its job costs.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::net::precedence::Precedence;
use crate::net::rate_limit::Subject;

/// What a turn is worth: the PBKDF2 iterations of a usual run.
pub(crate) const TURN: u64 = 100_000;

/// Jobs that wait, in one lane for each subject.
pub(crate) struct FairQueue<T> {
    lanes: HashMap<Subject, Lane<T>>,
    /// Whose turn it is: the first one's.
    turns: BTreeSet<(Precedence, u64, Subject)>,
    /// How many jobs wait in each lane: who gives way is last.
    lengths: BTreeSet<(Length, Subject)>,
    waiting: usize,
    most: usize,
    most_per_lane: usize,
    /// Numbers turns and tickets.
    next: u64,
}

struct Lane<T> {
    jobs: VecDeque<Waiting<T>>,
    standing: Precedence,
    turn: u64,
    /// Cost that it may still cause in this turn.
    credit: u64,
}

struct Waiting<T> {
    ticket: Ticket,
    cost: u64,
    job: T,
}

/// How long a lane is, to tell who gives way: its class, its jobs, and its standing within the class.
type Length = (Precedence, usize, Precedence);

/// The standing that counts for turns.
fn class(standing: Precedence) -> Precedence {
    standing.max(Precedence::Good)
}

/// Names a job while it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// What became of a job that was put in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Put<T> {
    /// It waits; where the queue was full, another one's job does no longer.
    Waits(Ticket, Option<(Subject, T)>),
    /// There is no room for it.
    Refused(T),
}

impl<T> FairQueue<T> {
    /// For at most `most` jobs, half of them of one subject.
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

    /// Puts a job at the end of its lane, which from now on has this standing.
    pub(crate) fn put(&mut self, subject: Subject, standing: Precedence, cost: u64, job: T) -> Put<T> {
        self.stand(subject, standing);
        let own = self.lanes.get(&subject).map_or(0, |lane| lane.jobs.len());
        if own >= self.most_per_lane {
            return Put::Refused(job);
        }
        let mut gave_way = None;
        if self.waiting >= self.most {
            match self.lengths.last() {
                Some(&(longest, victim)) if longest > (class(standing), own + 1, standing) => {
                    let newest = self.change(victim, |lane| lane.jobs.pop_back()).flatten();
                    gave_way = newest.map(|newest| (victim, newest.job));
                }
                _ => return Put::Refused(job),
            }
        }
        let (ticket, turn) = (Ticket(self.number()), self.number());
        let lane = || Lane { jobs: VecDeque::new(), standing, turn, credit: TURN };
        self.lanes.entry(subject).or_insert_with(lane);
        self.change(subject, |lane| lane.jobs.push_back(Waiting { ticket, cost, job }));
        Put::Waits(ticket, gave_way)
    }

    /// How many jobs wait.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.waiting
    }

    /// The next job to be done; `None` only if none waits.
    pub(crate) fn take(&mut self) -> Option<T> {
        loop {
            let &(_, _, subject) = self.turns.first()?;
            let turn = self.number();
            let taken = self.change(subject, |lane| match lane.jobs.front() {
                Some(first) if first.cost > lane.credit => {
                    lane.credit += TURN;
                    lane.turn = turn; // behind all others
                    None
                }
                _ => lane.jobs.pop_front().inspect(|first| lane.credit -= first.cost),
            });
            if let Some(taken) = taken.flatten() {
                return Some(taken.job);
            }
        }
    }

    /// Takes a job out before its turn; `None` if it no longer waits.
    pub(crate) fn cancel(&mut self, subject: Subject, ticket: Ticket) -> Option<T> {
        let cancelled = self.change(subject, |lane| {
            let place = lane.jobs.binary_search_by_key(&ticket, |waiting| waiting.ticket).ok()?;
            lane.jobs.remove(place)
        });
        Some(cancelled.flatten()?.job)
    }

    /// Moves a lane, if there is one, to where its standing belongs.
    pub(crate) fn stand(&mut self, subject: Subject, standing: Precedence) {
        let number = self.number();
        self.change(subject, |lane| {
            if class(lane.standing) != class(standing) {
                lane.turn = number; // behind all others of its new class
            }
            lane.standing = standing;
        });
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Changes a lane, and what is kept in order of its properties; a lane without jobs goes.
    fn change<R>(&mut self, subject: Subject, change: impl FnOnce(&mut Lane<T>) -> R) -> Option<R> {
        let lane = self.lanes.get_mut(&subject)?;
        self.turns.remove(&(class(lane.standing), lane.turn, subject));
        self.lengths.remove(&(lane.length(), subject));
        self.waiting -= lane.jobs.len();
        let changed = change(lane);
        self.waiting += lane.jobs.len();
        if lane.jobs.is_empty() {
            self.lanes.remove(&subject);
        } else {
            self.turns.insert((class(lane.standing), lane.turn, subject));
            self.lengths.insert((lane.length(), subject));
        }
        Some(changed)
    }
}

impl<T> Lane<T> {
    fn length(&self) -> Length {
        (class(self.standing), self.jobs.len(), self.standing)
    }
}

#[cfg(test)]
mod tests;
