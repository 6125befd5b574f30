use std::net::SocketAddr;

use futures_util::FutureExt as _;

use super::*;

fn subject(number: u8) -> Subject {
    Subject::from(SocketAddr::from(([192, 0, 2, number], 1)))
}

/// Polls once.
macro_rules! waits {
    ($turns:expr, $number:expr) => {{
        let mut waits = Box::pin($turns.of(subject($number)));
        assert!(waits.as_mut().now_or_never().is_none(), "it has to wait");
        waits
    }};
}

#[test]
fn addresses_take_turns_even_in_a_flood_from_one() {
    let turns = Turns::with(2, 1000);
    let mut held = vec![turns.of(subject(1)).now_or_never().unwrap().unwrap()];
    held.push(turns.of(subject(1)).now_or_never().unwrap().unwrap());
    let mut loud: Vec<_> = (0..100).map(|_| waits!(turns, 1)).collect();
    let mut quiet = waits!(turns, 2);
    let mut before = 0;
    let got = loop {
        drop(held.remove(0));
        if let Some(got) = quiet.as_mut().now_or_never() {
            break got;
        }
        let next = loud.iter_mut().position(|waits| match waits.as_mut().now_or_never() {
            Some(turn) => {
                held.push(turn.unwrap());
                true
            }
            None => false,
        });
        drop(loud.remove(next.expect("somebody has the turn")));
        before += 1;
    };
    assert!(got.is_ok() && before <= 1, "{before} of the other address went before");
}

#[test]
fn a_cancelled_wait_loses_no_turn() {
    let turns = Turns::with(1, 100);
    let held = turns.of(subject(1)).now_or_never().unwrap().unwrap();
    let gone = waits!(turns, 2);
    let has_it = waits!(turns, 3);
    let last = waits!(turns, 4);
    drop(gone);
    drop(held);
    drop(has_it); // its holder was never polled
    assert!(last.now_or_never().unwrap().is_ok());
    assert_eq!(turns.lock().free, 1);
    assert_eq!(Arc::strong_count(&turns.0), 1);
}

#[test]
fn waiting_is_bounded_per_address() {
    let turns = Turns::with(1, 10);
    let _held = turns.of(subject(1)).now_or_never().unwrap().unwrap();
    let _five: Vec<_> = (0..5).map(|_| waits!(turns, 1)).collect();
    assert!(turns.of(subject(1)).now_or_never().unwrap().is_err(), "half of the places");
    let _other = waits!(turns, 2);
}
