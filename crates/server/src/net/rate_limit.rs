//! Limits of requests per address and in total.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dskpp::auth_data::MIN_ITERATIONS;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::config;
use crate::metrics::{Collectors, IntCounter, collectors, limit};

/// `Retry-After` of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetryAfter(pub(crate) Duration);

impl RetryAfter {
    /// The value of the `Retry-After` header: whole seconds, at least one.
    pub(crate) fn seconds(self) -> u64 {
        self.0.as_millis().div_ceil(1000).clamp(1, 86_400) as u64
    }
}

/// What counts as one peer: an IPv4 address, or an IPv6 /64, which networks assign to one site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Subject(IpAddr);

impl From<SocketAddr> for Subject {
    fn from(address: SocketAddr) -> Self {
        Subject(match address.ip().to_canonical() {
            IpAddr::V4(ip) => IpAddr::V4(ip),
            IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        })
    }
}

/// `192.0.2.1` or `2001:db8:1:2::/64`.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(ip) => ip.fmt(f),
            IpAddr::V6(ip) => write!(f, "{ip}/64"),
        }
    }
}

/// How many requests a run with that many PBKDF2 iterations counts as: one for each 100,000 (profile P3).
pub(crate) fn weight(iterations: u32) -> NonZeroU32 {
    NonZeroU32::new(iterations.div_ceil(MIN_ITERATIONS)).unwrap_or(NonZeroU32::MIN)
}

/// Rates of unauthenticated requests.
pub(crate) struct Rates {
    clock: DefaultClock,
    each: Option<DefaultKeyedRateLimiter<Subject>>,
    burst: NonZeroU32,
    /// Requests since the last sweep.
    since: AtomicUsize,
    all: Option<DefaultDirectRateLimiter>,
    /// Refusals by each limit.
    refused_each: IntCounter,
    refused_all: IntCounter,
}

/// Number of requests after which expired entries are discarded, so that ever-new addresses do not fill the memory.
const SWEEP_AFTER: usize = 1 << 15;

impl Rates {
    pub(crate) fn new(limits: &config::LimitsSection) -> Self {
        let burst = NonZeroU32::new(limits.requests_per_address_burst).unwrap_or(NonZeroU32::MIN);
        let each = NonZeroU32::new(limits.requests_per_address_per_s)
            .map(|rate| RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst)));
        let all = NonZeroU32::new(limits.requests_per_s).map(|rate| RateLimiter::direct(Quota::per_second(rate)));
        let (refused_each, refused_all) = (limit("address_rate"), limit("total_rate"));
        let (clock, since) = (DefaultClock::default(), AtomicUsize::new(0));
        Self { clock, each, burst, since, all, refused_each, refused_all }
    }

    /// Counts one request.
    pub(crate) fn admit(&self, subject: Subject) -> Result<(), RetryAfter> {
        self.count(subject, NonZeroU32::MIN)?;
        if let Some(all) = &self.all {
            all.check().map_err(|until| {
                self.refused_all.inc();
                RetryAfter(until.wait_time_from(self.clock.now()))
            })?;
        }
        Ok(())
    }

    /// Counts a run of this [`weight`] beyond its request itself.
    pub(crate) fn charge(&self, subject: Subject, weight: NonZeroU32) -> Result<(), RetryAfter> {
        NonZeroU32::new(weight.get() - 1).map_or(Ok(()), |more| self.count(subject, more))
    }

    /// Counts that many requests against the address only.
    pub(crate) fn count(&self, subject: Subject, times: NonZeroU32) -> Result<(), RetryAfter> {
        if self.since.fetch_add(1, Ordering::Relaxed) >= SWEEP_AFTER {
            self.sweep();
        }
        let Some(each) = &self.each else { return Ok(()) };
        // Nobody can be asked for more than the whole burst.
        match each.check_key_n(&subject, times.min(self.burst)) {
            Ok(Err(until)) => {
                self.refused_each.inc();
                Err(RetryAfter(until.wait_time_from(self.clock.now())))
            }
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }

    /// Refusals by each limit.
    pub(crate) fn metrics(&self) -> Collectors {
        collectors![self.refused_each, self.refused_all]
    }

    /// Discards idle peers; called every few seconds.
    pub(crate) fn sweep(&self) {
        self.since.store(0, Ordering::Relaxed);
        if let Some(each) = &self.each {
            each.retain_recent();
            each.shrink_to_fit();
        }
    }
}

/// Rates of admin API calls, by the identifier of their token; clones share them.
#[derive(Clone)]
pub(crate) struct TokenRates(Arc<OfTokens>);

struct OfTokens {
    clock: DefaultClock,
    each: Option<DefaultKeyedRateLimiter<String>>,
    refused: IntCounter,
}

impl TokenRates {
    pub(crate) fn new(limits: &config::LimitsSection) -> Self {
        let each = NonZeroU32::new(limits.requests_per_token_per_s).map(|rate| {
            let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(1));
            RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst))
        });
        TokenRates(Arc::new(OfTokens { clock: DefaultClock::default(), each, refused: limit("token_rate") }))
    }

    /// Counts a call with the token of that identifier. Tokens are few, so none is forgotten.
    pub(crate) fn admit(&self, token: &String) -> Result<(), RetryAfter> {
        let Some(each) = &self.0.each else { return Ok(()) };
        each.check_key(token).map_err(|until| {
            self.0.refused.inc();
            RetryAfter(until.wait_time_from(self.0.clock.now()))
        })
    }

    /// Refusals.
    pub(crate) fn metrics(&self) -> Collectors {
        collectors![self.0.refused]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(each: u32, burst: u32, all: u32) -> Rates {
        Rates::new(&config::LimitsSection {
            requests_per_address_per_s: each,
            requests_per_address_burst: burst,
            requests_per_s: all,
            ..Default::default()
        })
    }

    fn subject(text: &str) -> Subject {
        Subject::from(SocketAddr::new(text.parse().unwrap(), 1))
    }

    #[test]
    fn p27_an_address_above_its_rate_does_not_affect_others() {
        let rates = rates(1, 3, 0);
        let (loud, quiet) = (subject("192.0.2.1"), subject("192.0.2.2"));
        for _ in 0..3 {
            assert_eq!(rates.admit(loud), Ok(()));
        }
        let refused = rates.admit(loud).unwrap_err();
        assert_eq!(refused.seconds(), 1);
        assert_eq!(rates.admit(quiet), Ok(()));
        rates.sweep();
        assert!(rates.admit(loud).is_err(), "a sweep keeps active peers");
    }

    #[test]
    fn p3_twice_the_iterations_count_twice() {
        for (iterations, times) in [(0, 1), (1, 1), (100_000, 1), (100_001, 2), (200_000, 2), (u32::MAX, 42_950)] {
            assert_eq!(weight(iterations).get(), times, "{iterations}");
        }
        let runs = |iterations: u32| {
            let (rates, asks) = (rates(1, 12, 0), subject("192.0.2.1"));
            let run = || rates.admit(asks).and_then(|()| rates.charge(asks, weight(iterations)));
            (0..20).take_while(|_| run().is_ok()).count()
        };
        assert_eq!((runs(100_000), runs(200_000), runs(300_000)), (12, 6, 4));
        assert_eq!(runs(u32::MAX), 0, "a weight above the burst counts as the burst");
    }

    #[test]
    fn memory_is_bounded_with_ever_new_addresses() {
        let rates = rates(1000, 1, 0);
        let mut most = 0;
        for number in 0..8 * SWEEP_AFTER as u32 {
            _ = rates.admit(SocketAddr::from((number.to_be_bytes(), 1)).into());
            most = most.max(if number % 1024 == 0 { rates.each.as_ref().unwrap().len() } else { 0 });
        }
        assert!(most <= 2 * SWEEP_AFTER, "{most}");
    }

    #[test]
    fn p27_the_total_is_limited_and_zero_means_no_limit() {
        let limited = rates(0, 1, 2);
        let admitted = (0..20u8).filter(|n| limited.admit(subject(&format!("192.0.2.{n}"))).is_ok());
        assert!(admitted.count() <= 3);
        let unlimited = rates(0, 1, 0);
        assert!((0..10_000).all(|_| unlimited.admit(subject("192.0.2.1")).is_ok()));
    }

    #[test]
    fn one_ipv6_site_is_one_peer() {
        assert_eq!(subject("2001:db8:1:2::1"), subject("2001:db8:1:2:ffff::9"));
        assert_ne!(subject("2001:db8:1:2::1"), subject("2001:db8:1:3::1"));
        assert_eq!(subject("::ffff:192.0.2.1"), subject("192.0.2.1"));
        assert_eq!(subject("::ffff:192.0.2.1").to_string(), "192.0.2.1");
        assert_eq!(subject("2001:db8:1:2:ffff::9").to_string(), "2001:db8:1:2::/64");
    }

    #[test]
    fn retry_after_is_rounded_up_and_never_zero() {
        for (ms, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (u64::MAX, 86_400)] {
            assert_eq!(RetryAfter(Duration::from_millis(ms)).seconds(), seconds, "{ms}");
        }
    }
}
