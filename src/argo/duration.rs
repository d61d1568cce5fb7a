//! Go's durations, as `time.ParseDuration` reads them: `1m30s`, `2500ms`, `-1.5h`.
//!
//! Argo stores them as text and parses them anew in every reconcile, so both the value and the words of the
//! refusal are visible to users. Knows nothing else; the scenario's own durations obey the same grammar.

/// Reads a Go duration as signed nanoseconds.
///
/// # Errors
/// In the words of Go's `time` package (`time: missing unit in duration "5"`), because Argo shows them.
pub fn parse(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quote(text));
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (nanos, tail) = part(text, rest)?;
        total = total.saturating_add(nanos);
        if total > 1 << 63 {
            return Err(invalid());
        }
        rest = tail;
    }
    let total = i128::try_from(total).map_err(|_| invalid())?;
    i64::try_from(if negative { -total } else { total }).map_err(|_| invalid())
}

/// One number with its unit, in nanoseconds, and what follows it.
fn part<'a>(whole: &str, text: &'a str) -> Result<(u128, &'a str), String> {
    let invalid = || format!("time: invalid duration {}", quote(whole));
    let (int, rest) = digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => digits(rest),
        None => ("", rest),
    };
    if int.is_empty() && fraction.is_empty() {
        return Err(invalid());
    }
    let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, tail) = rest.split_at(end);
    if unit.is_empty() {
        return Err(format!("time: missing unit in duration {}", quote(whole)));
    }
    let Some(scale) = nanos_of(unit) else {
        return Err(format!("time: unknown unit {} in duration {}", quote(unit), quote(whole)));
    };
    let int: u128 = if int.is_empty() { 0 } else { int.parse().map_err(|_| invalid())? };
    let whole_part = int.checked_mul(scale).filter(|&nanos| nanos <= 1 << 63).ok_or_else(invalid)?;
    Ok((whole_part + fraction_nanos(fraction, scale), tail))
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// `0.<digits>` of a unit; digits beyond what a nanosecond can show are ignored, as Go does.
fn fraction_nanos(digits: &str, scale: u128) -> u128 {
    let shown = &digits[..digits.len().min(18)];
    let value: u128 = shown.parse().unwrap_or(0);
    value * scale / 10_u128.pow(u32::try_from(shown.len()).unwrap_or(0))
}

fn nanos_of(unit: &str) -> Option<u128> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

fn quote(text: &str) -> String {
    format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Result<i64, &str>) {
        assert_eq!(parse(text), expect.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn durations_are_read_as_go_reads_them() {
        check("5s", Ok(5_000_000_000));
        check("2500ms", Ok(2_500_000_000));
        check("1h2m3.5s", Ok(3_723_500_000_000));
        check("-1.5h", Ok(-5_400_000_000_000));
        check(".5s", Ok(500_000_000));
        check("0", Ok(0));
        check("1µs", Ok(1_000));
    }

    #[test]
    fn refusals_use_the_words_of_go() {
        check("", Err("time: invalid duration \"\""));
        check("5", Err("time: missing unit in duration \"5\""));
        check("5 s", Err("time: unknown unit \" s\" in duration \"5 s\""));
        check("1d", Err("time: unknown unit \"d\" in duration \"1d\""));
        check("abc", Err("time: invalid duration \"abc\""));
        check(".s", Err("time: invalid duration \".s\""));
        check("9999999999h", Err("time: invalid duration \"9999999999h\""));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = parse(&text);
        }
    }
}
