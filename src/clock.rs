//! Time and chance, as arguments.
//!
//! The pure part of the crate never asks what time it is and never draws from anyone's generator: it is handed a
//! [`Moment`] and a [`Seed`]. This is the one module that may mint either; it knows nobody.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

/// A point on the run's clock, in nanoseconds since the Unix epoch.
///
/// On the twin it is virtual; on a real cluster it is the wall clock, corrected by the measured offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(i64);

impl Moment {
    /// Where every virtual run begins: midnight, 1 January 2026, UTC.
    pub const VIRTUAL_EPOCH: Moment = Moment(1_767_225_600 * 1_000_000_000);

    /// The moment `nanos` nanoseconds after the Unix epoch.
    #[must_use]
    pub const fn from_unix_nanos(nanos: i64) -> Moment {
        Moment(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_nanos(self) -> i64 {
        self.0
    }

    /// Milliseconds since the Unix epoch, rounded down: the unit Prometheus keeps.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Seconds since the Unix epoch, rounded down: the unit Kubernetes keeps.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// The same moment with its fraction of a second cut off, as a Kubernetes timestamp does when it is written.
    #[must_use]
    pub const fn truncated(self) -> Moment {
        Moment(self.unix_seconds() * 1_000_000_000)
    }

    /// How long after `earlier` this is; zero when it is not.
    #[must_use]
    pub const fn since(self, earlier: Moment) -> Duration {
        let nanos = self.0.saturating_sub(earlier.0);
        Duration::from_nanos(if nanos < 0 { 0 } else { nanos.unsigned_abs() })
    }

    /// As Kubernetes writes it: RFC 3339, UTC, whole seconds.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let stamp = jiff::Timestamp::from_second(self.unix_seconds()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        format!("{stamp:.0}")
    }

    /// As `MicroTime` writes it: RFC 3339, UTC, six digits of a second.
    #[must_use]
    pub fn rfc3339_micros(self) -> String {
        let stamp =
            jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        format!("{stamp:.6}")
    }

    /// Reads RFC 3339, or `None` when it is not.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Moment> {
        let stamp: jiff::Timestamp = text.parse().ok()?;
        i64::try_from(stamp.as_nanosecond()).ok().map(Moment)
    }

    /// The wall clock. Only the rim may ask.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
    pub fn wall() -> Moment {
        let nanos = jiff::Timestamp::now().as_nanosecond();
        Moment(i64::try_from(nanos).unwrap_or(i64::MAX))
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;
    fn add(self, duration: Duration) -> Moment {
        let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Moment(self.0.saturating_add(nanos))
    }
}

impl Sub<Duration> for Moment {
    type Output = Moment;
    fn sub(self, duration: Duration) -> Moment {
        let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Moment(self.0.saturating_sub(nanos))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339_micros())
    }
}

/// A seed with named children, so that a new draw in one place never shifts the numbers of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// The root of a run's chance: what `--seed` sets and every verdict prints.
    #[must_use]
    pub const fn new(seed: u64) -> Seed {
        Seed(seed)
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The child with this name: FNV-1a over the name, mixed with the parent by SplitMix64.
    #[must_use]
    pub fn child(self, name: &str) -> Seed {
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Seed(split_mix(self.0 ^ split_mix(hash)))
    }

    /// The child with this number.
    #[must_use]
    pub const fn nth(self, n: u64) -> Seed {
        Seed(split_mix(self.0 ^ split_mix(n)))
    }

    /// A generator that starts here.
    #[must_use]
    pub fn rng(self) -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::seed_from_u64(self.0)
    }
}

const fn split_mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn kubernetes_stamps_are_whole_seconds() {
        let moment = Moment::VIRTUAL_EPOCH + Duration::from_millis(1999);
        assert_eq!(moment.rfc3339(), "2026-01-01T00:00:01Z");
        assert_eq!(moment.rfc3339_micros(), "2026-01-01T00:00:01.999000Z");
        assert_eq!(Moment::parse_rfc3339(&moment.rfc3339()), Some(moment.truncated()));
    }

    #[test]
    fn children_of_one_seed_do_not_depend_on_each_other() {
        let seed = Seed::new(7);
        assert_ne!(seed.child("a"), seed.child("b"));
        assert_eq!(seed.child("a"), Seed::new(7).child("a"));
        assert_ne!(seed.child("a").child("b"), seed.child("b").child("a"));
    }

    #[test]
    fn the_first_draws_never_change() {
        let mut rng = Seed::new(1).child("traffic").rng();
        assert_eq!([rng.next_u64(), rng.next_u64()], [3_414_076_628_499_051_266, 2_585_282_760_463_007_844]);
    }
}
