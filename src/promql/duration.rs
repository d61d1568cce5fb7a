//! Prometheus durations: `1h30m`, `5m`, `100ms`. Units from years to milliseconds, largest first, each at most
//! once, whole numbers only (Prometheus `model.ParseDuration`). Argo's Go durations (`1.5h`, `-1s`) are another language.

const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Longest duration Prometheus accepts: Go's `time.Duration` counts nanoseconds in an `i64`.
pub(crate) const MAX_MS: i64 = i64::MAX / 1_000_000;

/// Milliseconds of a duration text, or `None` when it is not one (or is too long to be held).
pub fn parse_ms(text: &str) -> Option<i64> {
    if text == "0" {
        return Some(0);
    }
    let mut rest = text;
    let mut total: i64 = 0;
    let mut next_unit = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let count: i64 = rest.get(..digits)?.parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_lowercase).count();
        let unit = UNITS.iter().position(|(name, _)| *name == &rest[..letters])?;
        if unit < next_unit {
            return None;
        }
        next_unit = unit + 1;
        total = total.checked_add(count.checked_mul(UNITS[unit].1)?)?;
        rest = &rest[letters..];
    }
    (!text.is_empty() && total <= MAX_MS).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_come_largest_first_and_once() {
        let cases = [
            ("5m", Some(300_000)),
            ("1h30m", Some(5_400_000)),
            ("1m40s", Some(100_000)),
            ("15ms", Some(15)),
            ("1y2w3d4h5m6s7ms", Some(33_019_506_007)),
            ("0", Some(0)),
            ("30m1h", None),
            ("1m1m", None),
            ("1.5h", None),
            ("", None),
            ("5", None),
            ("-5m", None),
            ("300y", None),
            ("99999999999999999999s", None),
        ];
        for (text, want) in cases {
            assert_eq!(parse_ms(text), want, "{text}");
        }
    }
}
