//! Chance, as one number per request.
//!
//! A request costs its asker one random `u64`; everything that is decided about the request is derived from that number here. So a change in
//! the fault never shifts the luck of the requests that follow. The mixing is SplitMix64 (Steele, Lea, Flood: "Fast splittable
//! pseudorandom number generators", 2014), written out because its values must never change under us.

/// The luck of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw(pub u64);

// The odd constant by which SplitMix64 steps: 2^64 divided by the golden ratio.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Draw {
    /// The n-th draw of a stream: for callers who count their requests and keep no generator.
    #[must_use]
    pub const fn nth(seed: u64, n: u64) -> Self {
        // The seed is mixed first, so that neighbouring seeds are not the same stream one step apart.
        Self(mix(mix(seed).wrapping_add(n.wrapping_mul(STEP))))
    }

    /// The number that decides between success and error, in `[0, 1)`.
    pub(super) const fn fate(self) -> f64 {
        unit(mix(self.0.wrapping_add(STEP)))
    }

    /// The number that decides how long it takes, in `[0, 1)`.
    pub(super) const fn pace(self) -> f64 {
        unit(mix(self.0.wrapping_add(STEP.wrapping_mul(2))))
    }
}

impl From<u64> for Draw {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The upper 53 bits, which is what a double holds exactly.
const fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mixer_is_splitmix64() {
        // The first outputs for seed 0, as every published implementation gives them.
        assert_eq!(mix(STEP), 0xE220_A839_7B1D_CDAF);
        assert_eq!(mix(STEP.wrapping_mul(2)), 0x6E78_9E6A_A1B9_65F4);
        assert_eq!(mix(STEP.wrapping_mul(3)), 0x06C4_5D18_8009_454F);
    }

    #[test]
    fn units_stay_below_one() {
        assert_eq!(unit(0), 0.0);
        assert!(unit(u64::MAX) < 1.0);
    }

    #[test]
    fn fate_and_pace_are_not_correlated() {
        let n = 100_000;
        let sum: f64 = (0..n).map(|i| Draw::nth(7, i)).map(|d| (d.fate() - 0.5) * (d.pace() - 0.5)).sum();
        let correlation = sum / n as f64 * 12.0;
        assert!(correlation.abs() < 3.3 / (n as f64).sqrt(), "{correlation}");
    }
}
