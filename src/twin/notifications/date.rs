//! Dates in Go's layout language, where the layout is a sample date: `2006-01-02 15:04:05`.

use crate::clock::Moment;

/// Formats a moment, in UTC.
pub(super) fn format(layout: &str, moment: Moment) -> String {
    let stamp = jiff::Timestamp::from_nanosecond(i128::from(moment.unix_nanos()));
    let time = stamp.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(jiff::tz::TimeZone::UTC);
    let mut text = String::new();
    let mut rest = layout;
    'next: while let Some(first) = rest.chars().next() {
        for (sample, pattern) in SAMPLES {
            if let Some(tail) = rest.strip_prefix(sample) {
                text.push_str(&time.strftime(pattern).to_string());
                rest = tail;
                continue 'next;
            }
        }
        text.push(first);
        rest = &rest[first.len_utf8()..];
    }
    text
}

/// Samples and what they stand for, longer ones first.
const SAMPLES: [(&str, &str); 31] = [
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("MST", "UTC"),
    ("2006", "%Y"),
    ("-07:00", "+00:00"),
    ("-0700", "+0000"),
    ("Z07:00", "Z"),
    ("Z0700", "Z"),
    (".000000000", ".%9f"),
    (".000000", ".%6f"),
    (".000", ".%3f"),
    ("002", "%j"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("_2", "%e"),
    ("1", "%-m"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
    ("5", "%-S"),
    ("-07", "+00"),
    ("Z07", "Z"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(layout: &str, expect: &str) {
        // 9 February 2026, 15:04:05.123 UTC
        let moment = Moment::from_unix_nanos(1_770_649_445_123_000_000);
        assert_eq!(format(layout, moment), expect, "{layout}");
    }

    #[test]
    fn the_common_layouts() {
        check("2006-01-02T15:04:05Z07:00", "2026-02-09T15:04:05Z");
        check("Mon, 02 Jan 2006 15:04:05 MST", "Mon, 09 Feb 2026 15:04:05 UTC");
        check("2.1.06 3:04:05.000 PM", "9.2.26 3:04:05.123 PM");
        check("January _2, Monday é", "February  9, Monday é");
    }

    proptest::proptest! {
        #[test]
        fn no_layout_panics(layout in "\\PC*", nanos: i64) {
            let _ = format(&layout, Moment::from_unix_nanos(nanos));
        }
    }
}
