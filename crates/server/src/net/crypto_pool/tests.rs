use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;

use dskpp_crypto::Pbkdf2Prf;

use super::*;
use crate::net::fair_queue::TURN;

fn pool(queue: usize) -> CryptoPool {
    watched_pool(queue, &VitalThreads::default())
}

fn watched_pool(queue: usize, vital: &VitalThreads) -> CryptoPool {
    CryptoPool::new(&config::LimitsSection { crypto_threads: 1, crypto_queue: queue, ..Default::default() }, vital)
        .unwrap()
}

fn subject(number: u8) -> Subject {
    Subject::from(SocketAddr::from(([192, 0, 2, number], 1)))
}

/// Runs a job without a derivation.
async fn run<T: Send + 'static>(
    pool: &CryptoPool,
    number: u8,
    cost: u64,
    job: impl FnOnce() -> T + Send + 'static,
) -> Result<T, NotDone> {
    pool.run(subject(number), cost, None, || Prepared::Done(job())).await
}

/// Keeps the pool's only thread busy until the sender is dropped.
async fn busy(pool: &CryptoPool) -> mpsc::Sender<()> {
    let (release, wait) = mpsc::channel::<()>();
    let (started, has_started) = oneshot::channel();
    let pool = pool.clone();
    tokio::spawn(async move {
        let job = move || {
            started.send(()).unwrap();
            _ = wait.recv();
        };
        run(&pool, 0, TURN, job).await
    });
    has_started.await.unwrap();
    release
}

/// Submits a job and waits until it is in the queue.
async fn queued<T: Send + 'static>(
    pool: &CryptoPool,
    number: u8,
    job: impl FnOnce() -> T + Send + 'static,
) -> tokio::task::JoinHandle<Result<T, NotDone>> {
    let pool = pool.clone();
    let task = tokio::spawn(async move { run(&pool, number, TURN, job).await });
    tokio::task::yield_now().await;
    task
}

const LATER: NotDone = NotDone::Later(RetryAfter(RETRY_DELAY));

#[tokio::test]
async fn results_come_back_and_a_panic_ends_only_its_job() {
    let pool = pool(4);
    assert_eq!(run(&pool, 1, 1, || 6 * 7).await, Ok(42));
    assert_eq!(run(&pool, 1, 1, || panic!("on purpose")).await, Err::<(), _>(NotDone::Panicked));
    assert_eq!(run(&pool, 1, 1, || "still here").await, Ok("still here"));
}

#[tokio::test]
async fn p27_a_full_queue_refuses_at_once() {
    let pool = pool(1);
    let release = busy(&pool).await;
    let second = queued(&pool, 0, || 2).await;
    assert_eq!(run(&pool, 0, 1, || 3).await, Err(LATER));
    drop(release);
    assert_eq!(second.await.unwrap(), Ok(2));
}

#[tokio::test]
async fn p27_an_address_with_many_runs_gives_way_to_another() {
    let pool = pool(4);
    let release = busy(&pool).await;
    let (order, done) = mpsc::channel();
    let job = |name: &'static str| {
        let order = order.clone();
        move || order.send(name).unwrap()
    };
    let first = queued(&pool, 1, job("a first")).await;
    let second = queued(&pool, 1, job("a second")).await;
    let others = [queued(&pool, 2, job("b")).await, queued(&pool, 3, job("c")).await];
    let newcomer = queued(&pool, 4, job("d")).await;
    assert_eq!(second.await.unwrap(), Err(LATER));
    assert_eq!(run(&pool, 5, TURN, job("e")).await, Err(LATER), "each other address has one run now");
    drop(release);
    for task in [first, newcomer].into_iter().chain(others) {
        task.await.unwrap().unwrap();
    }
    assert_eq!(done.try_iter().collect::<Vec<_>>(), ["a first", "b", "c", "d"]);
}

#[tokio::test]
async fn a_job_whose_caller_is_gone_does_not_start() {
    let pool = pool(8);
    let release = busy(&pool).await;
    let done = Arc::new(AtomicU32::new(0));
    let job = || {
        let done = Arc::clone(&done);
        move || done.fetch_add(1, Ordering::Relaxed)
    };
    let gone = [queued(&pool, 1, job()).await, queued(&pool, 1, job()).await];
    let stays = queued(&pool, 1, job()).await;
    gone.iter().for_each(tokio::task::JoinHandle::abort);
    for task in gone {
        assert!(task.await.unwrap_err().is_cancelled());
    }
    assert_eq!(Arc::strong_count(&done), 2, "a cancelled job is dropped before its turn");
    drop(release);
    assert_eq!(stays.await.unwrap(), Ok(0));
}

#[tokio::test]
async fn a_running_job_finishes_though_its_caller_is_gone() {
    let pool = pool(1);
    let (release, wait) = mpsc::channel::<()>();
    let (started, has_started) = oneshot::channel();
    let (done, is_done) = oneshot::channel();
    let job = move || {
        started.send(()).unwrap();
        _ = wait.recv();
        done.send(()).unwrap();
    };
    let task = queued(&pool, 1, job).await;
    has_started.await.unwrap();
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    drop(release);
    is_done.await.expect("it is finished");
}

#[tokio::test]
async fn a_job_without_a_turn_in_time_does_not_start() {
    let pool = pool(8);
    let release = busy(&pool).await;
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    assert_eq!(run(&pool, 1, TURN, || unreachable!("it was too late")).await, Err::<(), _>(LATER));
    assert_eq!(begun.elapsed().as_secs(), config::LimitsSection::default().crypto_wait_s);
    tokio::time::resume();
    drop(release);
    assert_eq!(run(&pool, 1, TURN, || 1).await, Ok(1));
}

#[tokio::test]
async fn wrong_runs_wait_behind_others_until_a_correct_code() {
    let pool = pool(16);
    let release = busy(&pool).await;
    let (order, done) = mpsc::channel();
    pool.wrong(subject(1));
    pool.wrong(subject(2));
    let mut tasks = Vec::new();
    for number in 1..=4 {
        let order = order.clone();
        tasks.push(queued(&pool, number, move || order.send(number).unwrap()).await);
    }
    pool.right(subject(2));
    pool.wrong(subject(3)); // while it waits
    drop(release);
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(done.try_iter().collect::<Vec<_>>(), [4, 2, 1, 3]);
}

const ROUNDS: Rounds = Rounds { prf: Pbkdf2Prf::HmacSha1, iterations: NonZeroU32::new(10).unwrap() };

fn input(rounds: Rounds, number: u8) -> ProofInput {
    ProofInput::new(rounds, &Secret::from_slice(&[number; 16]), &[number; 32], b"K")
}

/// Submits a derivation, and waits until it is in the queue. It tells when it begins (negative) and ends (positive).
async fn derived(
    pool: &CryptoPool,
    number: u8,
    rounds: Rounds,
    order: &mpsc::Sender<i32>,
) -> tokio::task::JoinHandle<Result<Secret, NotDone>> {
    let (pool, order) = (pool.clone(), order.clone());
    let job = move || {
        order.send(-i32::from(number)).unwrap();
        let rest = move |derived: &Secret| {
            order.send(number.into()).unwrap();
            derived.clone()
        };
        Prepared::Derive(input(rounds, number), Box::new(rest))
    };
    let cost = TURN * u64::from(rounds.iterations.get()) / u64::from(ROUNDS.iterations.get());
    let task = tokio::spawn(async move { pool.run(subject(number), cost, Some(rounds), job).await });
    tokio::task::yield_now().await;
    task
}

#[tokio::test]
async fn what_waits_is_derived_at_once_in_the_queues_order_as_many_as_the_processor_has_lanes() {
    let pool = pool(128);
    let release = busy(&pool).await;
    let (order, done) = mpsc::channel();
    pool.wrong(subject(1));
    let (mut tasks, lanes) = (Vec::new(), pbkdf2_lanes(ROUNDS.prf) as u8);
    for number in 1..=lanes + 1 {
        tasks.push(derived(&pool, number, ROUNDS, &order).await);
    }
    drop(release);
    for (task, number) in tasks.into_iter().zip(1..) {
        let expected = ProofInput::derive(&[input(ROUNDS, number)]).pop();
        assert_eq!(task.await.unwrap().ok(), expected, "{number}");
    }
    // All that begin before one ends are one batch; the address with a wrong code is the last one, and alone.
    let batch = 2..=i32::from(lanes) + 1;
    let expected: Vec<_> = batch.clone().map(|number| -number).chain(batch).chain([-1, 1]).collect();
    assert_eq!(done.try_iter().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn p27_a_batch_gives_each_address_no_more_than_its_turns() {
    let pool = pool(128);
    let release = busy(&pool).await;
    let (order, done) = mpsc::channel();
    let mut tasks = Vec::new();
    for number in [1, 1, 1, 2, 3, 2] {
        tasks.push(derived(&pool, number, ROUNDS, &order).await);
    }
    drop(release);
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let begun: Vec<_> = done.try_iter().filter(|number| *number < 0).collect();
    assert_eq!(begun, [-1, -2, -3, -1, -2, -1]);
}

#[tokio::test]
async fn a_batch_ends_before_a_run_with_another_count_which_is_then_next() {
    let pool = pool(128);
    let release = busy(&pool).await;
    let (order, done) = mpsc::channel();
    let other = Rounds { iterations: NonZeroU32::new(11).unwrap(), ..ROUNDS };
    let mut tasks = Vec::new();
    for (number, rounds) in [(1, ROUNDS), (2, other), (3, ROUNDS), (4, ROUNDS)] {
        tasks.push((derived(&pool, number, rounds, &order).await, rounds, number));
    }
    pool.wrong(subject(3));
    drop(release);
    for (task, rounds, number) in tasks {
        assert_eq!(task.await.unwrap().ok(), ProofInput::derive(&[input(rounds, number)]).pop());
    }
    // The dearer one has saved for its turn when the cheaper ones have had theirs.
    assert_eq!(done.try_iter().collect::<Vec<_>>(), [-1, -4, 1, 4, -2, 2, -3, 3]);
}

#[tokio::test]
async fn a_panic_in_a_batch_ends_only_its_own_run() {
    let pool = pool(128);
    let release = busy(&pool).await;
    let (order, _done) = mpsc::channel();
    let first = derived(&pool, 1, ROUNDS, &order).await;
    let spawn = |number, job: fn() -> Prepared<()>| {
        let pool = pool.clone();
        tokio::spawn(async move { pool.run(subject(number), TURN, Some(ROUNDS), job).await })
    };
    let before = spawn(2, || panic!("on purpose"));
    let after = spawn(3, || Prepared::Derive(input(ROUNDS, 3), Box::new(|_| panic!("on purpose"))));
    tokio::task::yield_now().await;
    let last = derived(&pool, 4, ROUNDS, &order).await;
    drop(release);
    for task in [before, after] {
        assert_eq!(task.await.unwrap(), Err(NotDone::Panicked));
    }
    for (task, number) in [(first, 1), (last, 4)] {
        assert_eq!(task.await.unwrap().ok(), ProofInput::derive(&[input(ROUNDS, number)]).pop());
    }
}

#[tokio::test]
async fn the_death_of_a_thread_is_reported() {
    let vital = VitalThreads::default();
    let pool = watched_pool(4, &vital);
    let bomb = || -> () { std::panic::panic_any(crate::threads::Bomb) };
    assert!(run(&pool, 1, TURN, bomb).await.is_err());
    assert_eq!(vital.died().await, "crypto-0");
}
