use std::net::SocketAddr;

use super::*;

const LONG: Duration = Duration::from_secs(3600);

fn limit(most: usize, most_per_address: usize) -> Arc<ConnectionLimit> {
    let limits = config::LimitsSection {
        max_connections: most,
        max_connections_per_address: most_per_address,
        ..Default::default()
    };
    ConnectionLimit::new(&limits)
}

fn subject(last: u8) -> Option<Subject> {
    Some(SocketAddr::from(([192, 0, 2, last], 1)).into())
}

impl ConnectionPlace {
    fn is_open(&self) -> bool {
        self.limit.lock().all.contains_key(&self.id)
    }

    /// Sets the start of its waiting time.
    fn waited_since(self, moment: u64) -> Self {
        self.timer.waits_since.store(moment, Relaxed);
        self
    }
}

fn works(place: ConnectionPlace) -> ConnectionPlace {
    place.timer.set_active(NEVER);
    place
}

#[test]
fn the_connection_that_waited_longest_is_closed_first_and_active_ones_stay() {
    let limit = limit(8, 100);
    let served = works(limit.enter(subject(1), LONG).unwrap());
    let waiting: Vec<_> = (0..6)
        .map(|n| limit.enter(subject(n), LONG).unwrap().waited_since([5, 3, 9, 4, 8, 7][usize::from(n)]))
        .collect();
    let new = limit.enter(subject(9), LONG).unwrap().waited_since(10);
    assert!(!new.is_reserved && new.is_open() && served.is_open());
    assert_eq!(waiting.iter().map(ConnectionPlace::is_open).collect::<Vec<_>>(), [true, false, true, true, true, true]);
    let newer = limit.enter(subject(9), LONG).unwrap();
    assert_eq!(
        waiting.iter().map(ConnectionPlace::is_open).collect::<Vec<_>>(),
        [true, false, true, false, true, true]
    );
    drop((new, newer, waiting, served));
    assert!(limit.lock().all.is_empty() && limit.lock().each.is_empty(), "every place comes back once");
}

#[test]
fn idle_connections_are_closed_last() {
    let limit = limit(8, 100);
    let idle = limit.enter(subject(1), LONG).unwrap();
    idle.timer.set_idle(NEVER);
    let waiting: Vec<_> = (0..6).map(|n| limit.enter(subject(n), LONG).unwrap().waited_since(100)).collect();
    let new = works(limit.enter(subject(9), LONG).unwrap());
    assert!(idle.is_open() && waiting.iter().filter(|place| place.is_open()).count() == 5);
    let _busy: Vec<_> = waiting.into_iter().filter(ConnectionPlace::is_open).map(works).collect();
    let newer = limit.enter(subject(9), LONG).unwrap();
    assert!(!idle.is_open() && new.is_open() && newer.is_open());
}

#[tokio::test]
async fn a_replaced_connection_is_notified() {
    let limit = limit(8, 1);
    let first = limit.enter(subject(1), LONG).unwrap();
    let second = limit.enter(subject(1), LONG).unwrap();
    first.timer.closed().await;
    assert!(second.is_open());
}

#[test]
fn one_address_cannot_take_every_place() {
    let limit = limit(16, 100);
    let greedy: Vec<_> = (0..40).filter_map(|_| limit.enter(subject(1), LONG)).collect();
    assert_eq!(greedy.iter().filter(|place| place.is_open()).count(), 14, "an eighth stays free for others");
    let busy: Vec<_> = greedy.into_iter().filter(ConnectionPlace::is_open).map(works).collect();
    assert!(limit.enter(subject(1), LONG).is_none(), "all of its connections are active");
    let other = limit.enter(subject(2), LONG).unwrap();
    assert!(other.is_reserved, "the rest is reserved");
    assert!(busy.iter().all(ConnectionPlace::is_open));
}

#[test]
fn places_stay_reserved_when_all_others_are_active() {
    let limit = limit(16, 2);
    let busy: Vec<_> = (0..14).map(|n| works(limit.enter(subject(n), LONG).unwrap())).collect();
    assert!(busy.iter().all(|place| !place.is_reserved));
    let reserved = [limit.enter(subject(20), LONG).unwrap(), limit.enter(subject(21), LONG).unwrap()];
    assert!(reserved.iter().all(|place| place.is_reserved && place.is_open()));
    // Idle connections can take these too, but only briefly.
    let next = limit.enter(subject(22), LONG).unwrap();
    assert!(next.is_reserved && reserved.iter().filter(|place| place.is_open()).count() == 1);
    let reserved: Vec<_> = reserved.into_iter().chain([next]).map(works).collect();
    assert!(limit.enter(subject(23), LONG).is_none(), "full");
    drop((busy, reserved));
    assert!(!limit.enter(subject(23), LONG).unwrap().is_reserved);
}

#[test]
fn a_proxys_connections_count_only_for_its_clients() {
    let limit = limit(64, 2);
    let places: Vec<_> = (0..40).map(|_| limit.enter(None, LONG).unwrap()).collect();
    assert!(places.iter().all(ConnectionPlace::is_open), "the limit of an address is not the proxy's");
    let client = subject(1).unwrap();
    let his: Vec<_> = places.iter().take(3).filter(|place| place.belongs_to(client)).collect();
    assert_eq!(his.iter().filter(|place| place.is_open()).count(), 2, "but his");
    his.iter().filter(|place| place.is_open()).for_each(|place| place.timer.set_active(NEVER));
    assert!(!places[10].belongs_to(client));
    drop(places);
    assert!(limit.lock().each.is_empty());
}

#[test]
fn an_expired_connection_is_closed() {
    let limit = limit(8, 8);
    let (over, not_yet) = (limit.enter(subject(1), Duration::ZERO).unwrap(), limit.enter(subject(1), LONG).unwrap());
    limit.sweep();
    assert!(!over.is_open() && not_yet.is_open());
}
