//! What an address pays for connections that did not log in, after OpenSSH's `PerSourcePenalties`: the sum of its offences is a
//! time during which it is closed at once. Pure: the time is an argument. The table is bounded; the shortest penalty goes first.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use tokio::time::Instant;

/// Penalties count from here on: a wrong key once, a port scan, a cable pulled during a login are nobody's attack.
const PENALTY_MIN: Duration = Duration::from_secs(15);
/// Longest penalty. OpenSSH has ten minutes; behind one address of a VPN there may be a peer beside the offender, which must not
/// wait so long, and two minutes for a few connections are all that an attacker gets.
const PENALTY_MAX: Duration = Duration::from_secs(120);
/// Addresses that are remembered, as many as one /20 has: 4,096 × some 60 bytes.
const SOURCES_MAX: usize = 4_096;
/// Of an IPv6 address this much tells sources apart: whoever has one address has its /64.
const V6_NETWORK_BITS: u32 = 64;

/// What a connection did that did not log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offence {
    /// It ended, or was ended to make room, without an attempt.
    NoAttempt,
    /// It tried a user or key that is not known.
    Refused,
    /// It took the whole time that a login may take.
    TookTheGrace,
}

impl Offence {
    /// OpenSSH's: `noauth:1 authfail:5 grace-exceeded:10`.
    const fn penalty(self) -> Duration {
        Duration::from_secs(match self {
            Self::NoAttempt => 1,
            Self::Refused => 5,
            Self::TookTheGrace => 10,
        })
    }
}

/// Who is told apart: an IPv4 address, or the network of an IPv6 one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Source(IpAddr);

impl Source {
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            v4 @ IpAddr::V4(_) => Self(v4),
            IpAddr::V6(v6) => {
                let network = v6.to_bits() & (u128::MAX << (128 - V6_NETWORK_BITS));
                Self(IpAddr::V6(Ipv6Addr::from_bits(network)))
            }
        }
    }
}

/// What is owed by whom.
#[derive(Debug, Default)]
pub(super) struct Penalties(HashMap<Source, Penalty>);

#[derive(Debug, Clone, Copy)]
struct Penalty {
    until: Instant,
    /// Whether it has grown to [`PENALTY_MIN`]: then it is paid to its end.
    counts: bool,
}

impl Penalties {
    /// One offence more.
    pub(super) fn note(&mut self, source: Source, offence: Offence, now: Instant) {
        self.0.retain(|_, penalty| penalty.until > now);
        if self.0.len() >= SOURCES_MAX && !self.0.contains_key(&source) {
            let shortest = self.0.iter().min_by_key(|(_, penalty)| penalty.until);
            if let Some(source) = shortest.map(|(source, _)| *source) {
                self.0.remove(&source);
            }
        }
        let penalty = self.0.entry(source).or_insert(Penalty {
            until: now,
            counts: false,
        });
        let until = penalty.until.max(now) + offence.penalty();
        penalty.until = until.min(now + PENALTY_MAX);
        penalty.counts |= penalty.until.duration_since(now) >= PENALTY_MIN;
    }

    /// Whether it is closed at once.
    pub(super) fn refuses(&self, source: Source, now: Instant) -> bool {
        let penalty = self.0.get(&source);
        penalty.is_some_and(|penalty| penalty.counts && penalty.until > now)
    }

    /// It has logged in: whatever it did before was a mistake.
    pub(super) fn forgive(&mut self, source: Source) {
        self.0.remove(&source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::of(text.parse().unwrap())
    }

    #[test]
    fn a_mistake_costs_nothing_and_an_attack_two_minutes_at_most() {
        let (mut penalties, now) = (Penalties::default(), Instant::now());
        let (peer, other) = (source("10.20.0.2"), source("10.20.0.3"));
        for _ in 0..2 {
            penalties.note(peer, Offence::Refused, now);
        }
        penalties.note(peer, Offence::NoAttempt, now);
        assert!(!penalties.refuses(peer, now));
        penalties.note(peer, Offence::Refused, now);
        assert!(penalties.refuses(peer, now) && !penalties.refuses(other, now));
        assert!(!penalties.refuses(peer, now + Duration::from_secs(16)));
        for _ in 0..1000 {
            penalties.note(peer, Offence::TookTheGrace, now);
        }
        assert!(penalties.refuses(peer, now + PENALTY_MAX - Duration::from_millis(1)));
        assert!(!penalties.refuses(peer, now + PENALTY_MAX));
        penalties.forgive(peer);
        assert!(!penalties.refuses(peer, now));
    }

    #[test]
    fn a_key_that_was_replaced_and_is_tried_each_minute_is_never_shut_out() {
        let (mut penalties, mut now) = (Penalties::default(), Instant::now());
        for _ in 0..100 {
            penalties.note(source("10.20.0.2"), Offence::Refused, now);
            assert!(!penalties.refuses(source("10.20.0.2"), now));
            now += Duration::from_secs(30);
        }
    }

    #[test]
    fn the_table_is_bounded_and_the_worst_stay_in_it() {
        let (mut penalties, now) = (Penalties::default(), Instant::now());
        let worst = source("10.0.0.1");
        for _ in 0..5 {
            penalties.note(worst, Offence::TookTheGrace, now);
        }
        for number in 0..10_000_u32 {
            let address = IpAddr::V4((0x0B00_0000 + number).into());
            penalties.note(Source::of(address), Offence::NoAttempt, now);
        }
        assert_eq!(penalties.0.len(), SOURCES_MAX);
        assert!(penalties.refuses(worst, now));
        let later = now + Duration::from_secs(2);
        penalties.note(worst, Offence::NoAttempt, later);
        assert_eq!(penalties.0.len(), 1, "what is paid is forgotten");
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one_source() {
        assert_eq!(source("fd00::1"), source("fd00::ffff:1:2"));
        assert_ne!(source("fd00::1"), source("fd00:0:0:1::1"));
        assert_eq!(source("::ffff:10.0.0.1"), source("10.0.0.1"));
    }
}
