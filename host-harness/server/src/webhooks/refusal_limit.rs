//! Owns: counting rejected webhooks per address. Beyond the limit, a rejection is not logged and its body is not read.
//! Does not own: verified webhooks, which are never counted.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    time::Duration,
};

use governor::{Quota, RateLimiter, middleware::NoOpMiddleware, state::keyed::DefaultKeyedStateStore};

use harness_engine::Clock;

use crate::listener::network_of;

/// Maximum number of addresses in memory. Beyond it, new addresses share one counter.
const MANY: usize = 10_000;

/// Rejected webhooks by remote address.
pub(crate) struct RefusalLimit {
    limiter: RateLimiter<IpAddr, DefaultKeyedStateStore<IpAddr>, Clock, NoOpMiddleware<Duration>>,
}

impl RefusalLimit {
    pub(crate) fn new(per_minute: u32, clock: Clock) -> Self {
        let per_minute = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        Self { limiter: RateLimiter::hashmap_with_clock(Quota::per_minute(per_minute), clock) }
    }

    /// Counts one rejection. Returns whether the address is within its limit.
    pub(crate) fn count(&self, peer: Option<SocketAddr>) -> bool {
        let mut key = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| network_of(peer.ip()));
        if self.limiter.len() >= MANY {
            self.limiter.retain_recent();
            if self.limiter.len() >= MANY {
                key = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
            }
        }
        self.limiter.check_key(&key).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_bound_and_a_network_of_version_6_is_one() {
        let refusals = RefusalLimit::new(2, Clock::stopped());
        let within = |address: &str| refusals.count(format!("{address}:1").parse().ok());
        assert_eq!([within("192.0.2.1"), within("192.0.2.1"), within("192.0.2.1")], [true, true, false]);
        assert!(within("192.0.2.2"));
        assert_eq!([within("[2001:db8::1]"), within("[2001:db8::2]"), within("[2001:db8::3]")], [true, true, false]);
        assert!(within("[2001:db8:0:1::1]"));
        assert!(!within("[::ffff:192.0.2.1]"), "the same address in another spelling");
    }
}
