use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;

fn subject(number: u8) -> Subject {
    Subject::from(SocketAddr::from(([192, 0, 2, number], 1)))
}

/// Adds a job of one turn's cost; returns the evicted job, or `Err` if refused.
fn put<T>(queue: &mut FairQueue<T>, number: u8, precedence: Precedence, job: T) -> Result<Option<T>, T> {
    match queue.put(subject(number), precedence, TURN, job) {
        Placement::Waits(_, gave_way) => Ok(gave_way.map(|(_, job)| job)),
        Placement::Refused(job) => Err(job),
    }
}

fn take_all<T>(queue: &mut FairQueue<T>) -> Vec<T> {
    std::iter::from_fn(|| queue.take()).collect()
}

#[test]
fn addresses_take_turns_however_many_jobs_one_has() {
    let mut queue = FairQueue::new(100);
    for number in 0..10 {
        assert_eq!(put(&mut queue, 1, Precedence::Good, (1, number)), Ok(None));
    }
    assert_eq!(queue.take(), Some((1, 0)));
    for number in 0..2 {
        assert_eq!(put(&mut queue, 2, Precedence::Good, (2, number)), Ok(None));
    }
    assert_eq!(take_all(&mut queue)[..4], [(2, 0), (1, 1), (2, 1), (1, 2)]);
}

#[test]
fn p3_twice_the_iterations_wait_twice_as_long() {
    let mut queue = FairQueue::new(100);
    for job in 0..10 {
        queue.put(subject(1), Precedence::Good, 2 * TURN, (1, job));
        queue.put(subject(2), Precedence::Good, TURN, (2, job));
    }
    let first: Vec<_> = (0..12).filter_map(|_| queue.take()).collect();
    assert_eq!(first.iter().filter(|(subject, _)| *subject == 1).count(), 4, "{first:?}");
}

#[test]
fn a_better_precedence_goes_first_and_moves_waiting_jobs() {
    let mut queue = FairQueue::new(100);
    for (number, precedence) in
        [(1, Precedence::Wrong), (2, Precedence::Hasty), (3, Precedence::Good), (4, Precedence::Good)]
    {
        assert_eq!(put(&mut queue, number, precedence, (number, 0)), Ok(None));
        assert_eq!(put(&mut queue, number, precedence, (number, 1)), Ok(None));
    }
    queue.set_precedence(subject(3), Precedence::Wrong);
    assert_eq!(queue.take(), Some((4, 0)));
    queue.set_precedence(subject(1), Precedence::Good);
    assert_eq!(take_all(&mut queue), [(1, 0), (4, 1), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1)]);
}

#[test]
fn a_full_queue_evicts_the_newest_job_of_the_longest_lane() {
    let mut queue = FairQueue::new(8);
    for job in 0..4 {
        assert_eq!(put(&mut queue, 1, Precedence::Good, (1, job)), Ok(None));
    }
    assert_eq!(put(&mut queue, 1, Precedence::Good, (1, 4)), Err((1, 4)), "one subject may fill half of the queue");
    for job in 0..3 {
        assert_eq!(put(&mut queue, 2, Precedence::Good, (2, job)), Ok(None));
    }
    assert_eq!(put(&mut queue, 3, Precedence::Good, (3, 0)), Ok(None));
    assert_eq!(put(&mut queue, 4, Precedence::Good, (4, 0)), Ok(Some((1, 3))));
    assert_eq!(put(&mut queue, 2, Precedence::Good, (2, 3)), Err((2, 3)), "it would be the longest itself");
    // The longest lane of the worst precedence is evicted first, however short; it evicts nobody.
    queue.set_precedence(subject(3), Precedence::Wrong);
    assert_eq!(put(&mut queue, 5, Precedence::Wrong, (5, 0)), Err((5, 0)));
    assert_eq!(put(&mut queue, 6, Precedence::Good, (6, 0)), Ok(Some((3, 0))));
}

#[test]
fn a_newcomer_is_refused_if_every_lane_has_one_job() {
    let mut queue = FairQueue::new(4);
    for number in 0..4 {
        assert_eq!(put(&mut queue, number, Precedence::Good, number), Ok(None));
    }
    assert_eq!(put(&mut queue, 9, Precedence::Good, 9), Err(9));
    assert_eq!(take_all(&mut queue), [0, 1, 2, 3]);
}

#[test]
fn a_proved_code_keeps_a_place_but_buys_no_turns() {
    let mut queue = FairQueue::new(4);
    for number in 0..4 {
        assert_eq!(put(&mut queue, number, Precedence::Good, (number, 0)), Ok(None));
    }
    assert_eq!(put(&mut queue, 8, Precedence::Proved, (8, 0)), Ok(Some((3, 0))));
    assert_eq!(put(&mut queue, 9, Precedence::Proved, (9, 0)), Ok(Some((2, 0))));
    assert_eq!(put(&mut queue, 9, Precedence::Proved, (9, 1)), Err((9, 1)), "no second place at another's expense");
    assert_eq!(queue.take(), Some((0, 0)));
    assert_eq!(put(&mut queue, 9, Precedence::Proved, (9, 2)), Ok(None));
    assert_eq!(
        put(&mut queue, 5, Precedence::Good, (5, 0)),
        Ok(Some((9, 2))),
        "it gives way to a subject without a job"
    );
    assert_eq!(take_all(&mut queue), [(1, 0), (8, 0), (9, 0), (5, 0)]);
}

#[test]
fn a_cancelled_job_is_not_taken() {
    let mut queue = FairQueue::new(4);
    let Placement::Waits(ticket, None) = queue.put(subject(1), Precedence::Good, TURN, "cancelled") else { panic!() };
    queue.put(subject(1), Precedence::Good, TURN, "done");
    assert_eq!(queue.cancel(subject(2), ticket), None);
    assert_eq!(queue.cancel(subject(1), ticket), Some("cancelled"));
    assert_eq!(queue.cancel(subject(1), ticket), None);
    assert_eq!(take_all(&mut queue), ["done"]);
    assert!(queue.lanes.is_empty() && queue.turns.is_empty() && queue.lengths.is_empty());
}

#[derive(Clone, Debug)]
enum Step {
    Put { subject: u8, precedence: Precedence, cost: u64 },
    Take,
    Cancel { which: prop::sample::Index },
    Stand { subject: u8, precedence: Precedence },
}

fn precedence() -> impl Strategy<Value = Precedence> {
    prop_oneof![Just(Precedence::Proved), Just(Precedence::Good), Just(Precedence::Hasty), Just(Precedence::Wrong)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6u8, precedence(), 0..3 * TURN).prop_map(|(subject, precedence, cost)| Step::Put { subject, precedence, cost }),
        3 => Just(Step::Take),
        1 => any::<prop::sample::Index>().prop_map(|which| Step::Cancel { which }),
        1 => (0..6u8, precedence()).prop_map(|(subject, precedence)| Step::Stand { subject, precedence }),
    ]
}

proptest! {
    /// In any sequence: bounds hold, every job leaves exactly once, none starves, none precedes a better
    /// precedence, and subjects without jobs leave no trace.
    #[test]
    fn the_queue_is_bounded_and_loses_nothing(most in 1..12usize, steps in prop::collection::vec(step(), 0..200)) {
        let mut queue = FairQueue::new(most);
        let (mut waiting, mut tickets) = (HashSet::new(), HashMap::new());
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Put { subject: asks, precedence, cost } => {
                    let own = queue.lanes.get(&subject(asks)).map_or(0, |lane| lane.jobs.len());
                    match queue.put(subject(asks), precedence, cost, number) {
                        Placement::Waits(ticket, gave_way) => {
                            waiting.insert(number);
                            tickets.insert(number, (subject(asks), ticket));
                            prop_assert_eq!(gave_way.is_some(), waiting.len() > most);
                            if let Some((other, job)) = gave_way {
                                prop_assert!(other != subject(asks) && waiting.remove(&job));
                            }
                        }
                        Placement::Refused(job) => {
                            prop_assert_eq!(job, number);
                            prop_assert!(waiting.len() == most || own == most.div_ceil(2));
                        }
                    }
                }
                Step::Take => {
                    let best = queue.lanes.values().map(|lane| class(lane.precedence)).min();
                    let taken = queue.take();
                    prop_assert_eq!(taken.is_some(), !waiting.is_empty());
                    let from: HashMap<_, _> = tickets.iter().map(|(job, (subject, _))| (*job, *subject)).collect();
                    if let Some(job) = taken {
                        prop_assert!(waiting.remove(&job));
                        let lane = queue.lanes.get(&from[&job]);
                        prop_assert!(lane.is_none_or(|lane| Some(class(lane.precedence)) == best));
                    }
                }
                Step::Cancel { which } if !tickets.is_empty() => {
                    let jobs: Vec<_> = tickets.keys().copied().collect();
                    let job = *which.get(&jobs);
                    let (subject, ticket) = tickets[&job];
                    let cancelled = queue.cancel(subject, ticket);
                    prop_assert_eq!(cancelled.is_some(), waiting.remove(&job));
                }
                Step::Cancel { .. } => {}
                Step::Stand { subject: moved, precedence } => queue.set_precedence(subject(moved), precedence),
            }
            let lengths: usize = queue.lanes.values().map(|lane| lane.jobs.len()).sum();
            prop_assert_eq!((lengths, queue.waiting), (waiting.len(), waiting.len()));
            prop_assert!(lengths <= most);
            prop_assert!(queue.lanes.values().all(|lane| !lane.jobs.is_empty()));
            prop_assert_eq!((queue.turns.len(), queue.lengths.len()), (queue.lanes.len(), queue.lanes.len()));
        }
    }

    /// While several subjects have jobs waiting, none gets ahead of another by more than two jobs and a turn,
    /// whatever the cost and order of their jobs.
    #[test]
    fn no_subject_gets_more_than_its_share_while_others_wait(
        costs in prop::collection::vec(prop::collection::vec(1..2 * TURN, 40), 2..6),
        takes in 1..40usize,
    ) {
        let mut queue = FairQueue::new(1000);
        for (number, costs) in (0u8..).zip(&costs) {
            for cost in costs {
                queue.put(subject(number), Precedence::Good, *cost, (number, *cost));
            }
        }
        let mut done = vec![0; costs.len()];
        for _ in 0..takes {
            let (number, cost) = queue.take().expect("all have jobs");
            done[usize::from(number)] += cost;
        }
        let (least, most) = (done.iter().min().unwrap(), done.iter().max().unwrap());
        prop_assert!(most - least <= 2 * 2 * TURN + TURN, "{:?}", done);
    }

    /// A newcomer's job waits for at most one turn of each other subject, whatever those have waiting.
    #[test]
    fn a_newcomer_waits_for_one_turn_of_each_other(
        others in prop::collection::vec(prop::collection::vec(TURN / 2..=TURN, 1..30), 1..8),
        before in 0..50usize,
    ) {
        let mut queue = FairQueue::new(1000);
        for (number, costs) in (0u8..).zip(&others) {
            for cost in costs {
                queue.put(subject(number), Precedence::Good, *cost, number);
            }
        }
        (0..before).for_each(|_| _ = queue.take());
        queue.put(subject(99), Precedence::Good, TURN, 99);
        let waited = std::iter::from_fn(|| queue.take()).take_while(|number| *number != 99).count();
        // A turn plus the saved rest of the last one is worth less than four jobs of half a turn.
        prop_assert!(waited < 4 * others.len(), "{waited}");
    }
}

#[test]
fn a_job_that_is_not_wanted_remains_the_next_one() {
    let mut queue = FairQueue::new(100);
    for number in [1, 2, 3] {
        assert_eq!(put(&mut queue, number, Precedence::Good, number), Ok(None));
    }
    assert_eq!(queue.take_if(|job| *job == 2), None, "1 is the next one");
    assert_eq!((queue.take_if(|job| *job == 1), queue.len()), (Some(1), 2));
    assert_eq!(queue.take_if(|job| *job == 3), None);
    assert_eq!((take_all(&mut queue), queue.take_if(|_| true)), (vec![2, 3], None));
}
