//! Go's reference-time layouts (`2006-01-02T15:04:05Z07:00`) for `date()` and `Time.Format`.

use super::gofmt::quote_bytes as quote;
use super::time::{Civil, Time, days_in_month, month_name, name_prefix, weekday_name};

/// The layouts `date()` tries when it is given none (`builtin.go`).
const DEFAULTS: [&str; 7] = [
    "2006-01-02",
    "15:04:05",
    "2006-01-02 15:04:05",
    "2006-01-02T15:04:05Z07:00",
    "02 Jan 06 15:04 MST",
    "Monday, 02-Jan-06 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 MST",
];

/// One element of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunk {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    SpaceDay,
    ZeroDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    /// A numeric offset: whether `Z` stands for UTC, whether it has a colon, and how many fields it has.
    Offset {
        z: bool,
        colon: bool,
        fields: u8,
    },
    /// A fraction of a second: how many digits, and whether trailing zeros are dropped.
    Fraction {
        digits: usize,
        trim: bool,
    },
}

/// Layout elements by spelling; where one is the beginning of another, the longer comes first.
const CHUNKS: [(&str, Chunk); 36] = [
    ("January", Chunk::LongMonth),
    ("Jan", Chunk::Month),
    ("Monday", Chunk::LongWeekday),
    ("Mon", Chunk::Weekday),
    ("MST", Chunk::ZoneName),
    ("002", Chunk::ZeroYearDay),
    ("01", Chunk::ZeroMonth),
    ("02", Chunk::ZeroDay),
    ("03", Chunk::ZeroHour12),
    ("04", Chunk::ZeroMinute),
    ("05", Chunk::ZeroSecond),
    ("06", Chunk::Year),
    ("15", Chunk::Hour),
    ("1", Chunk::NumMonth),
    ("2006", Chunk::LongYear),
    ("2", Chunk::Day),
    ("_2006", Chunk::LongYear),
    ("_2", Chunk::SpaceDay),
    ("3", Chunk::Hour12),
    ("4", Chunk::Minute),
    ("5", Chunk::Second),
    ("PM", Chunk::UpperPm),
    ("pm", Chunk::LowerPm),
    ("-07:00:00", Chunk::Offset { z: false, colon: true, fields: 3 }),
    ("-070000", Chunk::Offset { z: false, colon: false, fields: 3 }),
    ("-07:00", Chunk::Offset { z: false, colon: true, fields: 2 }),
    ("-0700", Chunk::Offset { z: false, colon: false, fields: 2 }),
    ("-07", Chunk::Offset { z: false, colon: false, fields: 1 }),
    ("Z07:00:00", Chunk::Offset { z: true, colon: true, fields: 3 }),
    ("Z070000", Chunk::Offset { z: true, colon: false, fields: 3 }),
    ("Z07:00", Chunk::Offset { z: true, colon: true, fields: 2 }),
    ("Z0700", Chunk::Offset { z: true, colon: false, fields: 2 }),
    ("Z07", Chunk::Offset { z: true, colon: false, fields: 1 }),
    (".000000000", Chunk::Fraction { digits: 9, trim: false }),
    (".000000", Chunk::Fraction { digits: 6, trim: false }),
    (".000", Chunk::Fraction { digits: 3, trim: false }),
];

/// Splits a layout into the text before its first element, the element with its spelling, and the rest.
fn next_chunk(layout: &str) -> (&str, Option<(Chunk, &str)>, &str) {
    for (at, _) in layout.char_indices() {
        let rest = &layout[at..];
        if let Some((digits, trim, length)) = fraction_at(rest) {
            let chunk = Chunk::Fraction { digits, trim };
            return (&layout[..at], Some((chunk, &rest[..length])), &rest[length..]);
        }
        let found = CHUNKS.iter().find(|(spelling, chunk)| {
            rest.starts_with(spelling)
                // "Month" is not the element "Mon": Go wants no lower-case letter after the short names.
                && !(matches!(chunk, Chunk::Month | Chunk::Weekday)
                    && rest[spelling.len()..].starts_with(|c: char| c.is_ascii_lowercase()))
        });
        if let Some((spelling, chunk)) = found {
            // "_2006" is an underscore and a year.
            if *spelling == "_2006" {
                return (&layout[..=at], Some((*chunk, "2006")), &rest[5..]);
            }
            return (&layout[..at], Some((*chunk, spelling)), &rest[spelling.len()..]);
        }
    }
    (layout, None, "")
}

/// `.000` or `,999`: a separator and a run of one digit, not followed by another digit.
fn fraction_at(text: &str) -> Option<(usize, bool, usize)> {
    let digits = text.strip_prefix(['.', ','])?;
    let first = digits.chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let run = digits.len() - digits.trim_start_matches(first).len();
    let next = digits[run..].chars().next();
    (!next.is_some_and(|c| c.is_ascii_digit())).then_some((run, first == '9', run + 1))
}

/// `Time.Format`.
pub(super) fn format(time: Time, layout: &str) -> String {
    let mut out = String::new();
    let mut rest = layout;
    loop {
        let (literal, chunk, after) = next_chunk(rest);
        out.push_str(literal);
        let Some((chunk, _)) = chunk else { return out };
        out.push_str(&format_chunk(time, chunk));
        rest = after;
    }
}

fn format_chunk(time: Time, chunk: Chunk) -> String {
    let civil = time.civil();
    let hour12 = if civil.hour % 12 == 0 { 12 } else { civil.hour % 12 };
    match chunk {
        Chunk::LongMonth => month_name(civil.month as u8).to_owned(),
        Chunk::Month => month_name(civil.month as u8)[..3].to_owned(),
        Chunk::NumMonth => civil.month.to_string(),
        Chunk::ZeroMonth => format!("{:02}", civil.month),
        Chunk::LongWeekday => weekday_name(time.weekday()).to_owned(),
        Chunk::Weekday => weekday_name(time.weekday())[..3].to_owned(),
        Chunk::Day => civil.day.to_string(),
        Chunk::SpaceDay => format!("{:2}", civil.day),
        Chunk::ZeroDay => format!("{:02}", civil.day),
        Chunk::ZeroYearDay => format!("{:03}", time.year_day()),
        Chunk::Hour => format!("{:02}", civil.hour),
        Chunk::Hour12 => hour12.to_string(),
        Chunk::ZeroHour12 => format!("{hour12:02}"),
        Chunk::Minute => civil.minute.to_string(),
        Chunk::ZeroMinute => format!("{:02}", civil.minute),
        Chunk::Second => civil.second.to_string(),
        Chunk::ZeroSecond => format!("{:02}", civil.second),
        Chunk::LongYear => format!("{:04}", civil.year),
        Chunk::Year => format!("{:02}", civil.year.rem_euclid(100)),
        Chunk::UpperPm => if civil.hour >= 12 { "PM" } else { "AM" }.to_owned(),
        Chunk::LowerPm => if civil.hour >= 12 { "pm" } else { "am" }.to_owned(),
        Chunk::ZoneName => zone_name(time.offset()),
        Chunk::Offset { z: true, .. } if time.offset() == 0 => "Z".to_owned(),
        Chunk::Offset { colon, fields, .. } => offset(time.offset(), colon, fields),
        Chunk::Fraction { digits, trim } => fraction(time.nanosecond(), digits, trim),
    }
}

/// Go knows no name for a bare offset and prints it as a number.
fn zone_name(seconds: i32) -> String {
    match seconds {
        0 => "UTC".to_owned(),
        _ => offset(seconds, false, 2),
    }
}

fn offset(seconds: i32, colon: bool, fields: u8) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let total = seconds.unsigned_abs();
    let separator = if colon { ":" } else { "" };
    let mut out = format!("{sign}{:02}", total / 3600);
    if fields > 1 {
        out.push_str(&format!("{separator}{:02}", total / 60 % 60));
    }
    if fields > 2 {
        out.push_str(&format!("{separator}{:02}", total % 60));
    }
    out
}

fn fraction(nanos: u32, digits: usize, trim: bool) -> String {
    let all = format!("{nanos:09}");
    let kept = &all[..digits.min(9)];
    let kept = if trim { kept.trim_end_matches('0') } else { kept };
    if kept.is_empty() { String::new() } else { format!(".{kept}") }
}

/// What a text said so far about a moment.
struct Fields {
    civil: Civil,
    pm: Option<bool>,
    offset: Option<i32>,
    year_day: Option<i64>,
}

/// `date(text)`: the first default layout that fits.
pub(super) fn parse_any(text: &str) -> Result<Time, String> {
    DEFAULTS.iter().find_map(|layout| parse(layout, text).ok()).ok_or_else(|| format!("invalid date {text}"))
}

/// `time.Parse`.
pub(super) fn parse(layout: &str, text: &str) -> Result<Time, String> {
    let civil = Civil { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0, nanos: 0 };
    let mut fields = Fields { civil, pm: None, offset: None, year_day: None };
    let (mut layout_rest, mut rest) = (layout, text);
    let failed = |rest: &str, element: &str, reason: Option<&str>| match reason {
        Some(reason) => format!("parsing time {}: {reason}", quote(text)),
        None => format!(
            "parsing time {} as {}: cannot parse {} as {}",
            quote(text),
            quote(layout),
            quote(rest),
            quote(element)
        ),
    };
    loop {
        let (literal, chunk, after) = next_chunk(layout_rest);
        rest = skip_literal(rest, literal).ok_or_else(|| failed(rest, literal, None))?;
        let Some((chunk, spelling)) = chunk else { break };
        let next_is_fraction = matches!(next_chunk(after), ("", Some((Chunk::Fraction { .. }, _)), _));
        rest = fields.read(chunk, rest, next_is_fraction).map_err(|e| match e {
            Misread::Syntax => failed(rest, spelling, None),
            Misread::Range(what) => failed(rest, spelling, Some(&format!("{what} out of range"))),
        })?;
        layout_rest = after;
    }
    if !rest.is_empty() {
        return Err(failed(rest, "", Some(&format!("extra text: {}", quote(rest)))));
    }
    fields.finish().map_err(|what| failed(rest, "", Some(&format!("{what} out of range"))))
}

/// Go lets a run of spaces in the text stand for one in the layout.
fn skip_literal<'a>(text: &'a str, literal: &str) -> Option<&'a str> {
    let (mut text, mut literal) = (text, literal);
    while let Some(expected) = literal.chars().next() {
        if expected == ' ' {
            if !text.is_empty() && !text.starts_with(' ') {
                return None;
            }
            literal = literal.trim_start_matches(' ');
            text = text.trim_start_matches(' ');
            continue;
        }
        text = text.strip_prefix(expected)?;
        literal = &literal[expected.len_utf8()..];
    }
    Some(text)
}

enum Misread {
    Syntax,
    Range(&'static str),
}

impl Fields {
    fn read<'a>(&mut self, chunk: Chunk, text: &'a str, before_fraction: bool) -> Result<&'a str, Misread> {
        let civil = &mut self.civil;
        let rest = match chunk {
            Chunk::LongYear => number(text, 4, 4).map(|(value, rest)| (civil.year = value, rest).1)?,
            Chunk::Year => {
                let (value, rest) = number(text, 2, 2)?;
                civil.year = value + if value >= 69 { 1900 } else { 2000 };
                rest
            }
            Chunk::LongMonth | Chunk::Month => {
                let (index, rest) =
                    name_prefix(text, chunk == Chunk::LongMonth, true).ok_or(Misread::Syntax)?;
                civil.month = index as i64 + 1;
                rest
            }
            Chunk::LongWeekday | Chunk::Weekday => {
                name_prefix(text, chunk == Chunk::LongWeekday, false).ok_or(Misread::Syntax)?.1
            }
            Chunk::NumMonth | Chunk::ZeroMonth => {
                let (value, rest) = ranged(text, chunk == Chunk::ZeroMonth, 1..=12, "month")?;
                civil.month = value;
                rest
            }
            Chunk::Day | Chunk::SpaceDay | Chunk::ZeroDay => {
                let text =
                    if chunk == Chunk::SpaceDay { text.strip_prefix(' ').unwrap_or(text) } else { text };
                let (value, rest) = ranged(text, chunk == Chunk::ZeroDay, 0..=99, "day")?;
                civil.day = value;
                rest
            }
            Chunk::ZeroYearDay => {
                let (value, rest) = number(text, 3, 3)?;
                self.year_day = Some(value);
                rest
            }
            Chunk::Hour => {
                let (value, rest) = ranged(text, false, 0..=23, "hour")?;
                civil.hour = value;
                rest
            }
            Chunk::Hour12 | Chunk::ZeroHour12 => {
                let (value, rest) = ranged(text, chunk == Chunk::ZeroHour12, 0..=12, "hour")?;
                civil.hour = value;
                rest
            }
            Chunk::Minute | Chunk::ZeroMinute => {
                let (value, rest) = ranged(text, chunk == Chunk::ZeroMinute, 0..=59, "minute")?;
                civil.minute = value;
                rest
            }
            Chunk::Second | Chunk::ZeroSecond => {
                let (value, rest) = ranged(text, chunk == Chunk::ZeroSecond, 0..=59, "second")?;
                civil.second = value;
                // A fraction is accepted after the seconds even where the layout has none.
                if before_fraction { rest } else { optional_fraction(rest, &mut civil.nanos) }
            }
            Chunk::Fraction { digits, trim } => {
                let after = optional_fraction(text, &mut civil.nanos);
                let read = (text.len() - after.len()).saturating_sub(1);
                if !trim && read != digits {
                    return Err(Misread::Syntax);
                }
                after
            }
            Chunk::UpperPm | Chunk::LowerPm => {
                let (pm, am) = if chunk == Chunk::UpperPm { ("PM", "AM") } else { ("pm", "am") };
                self.pm = Some(text.starts_with(pm));
                text.strip_prefix(pm).or_else(|| text.strip_prefix(am)).ok_or(Misread::Syntax)?
            }
            Chunk::ZoneName => {
                let name = zone_prefix(text).ok_or(Misread::Syntax)?;
                self.offset.get_or_insert(0);
                &text[name.len()..]
            }
            Chunk::Offset { z, colon, fields } => {
                let (value, rest) = parse_offset(text, z, colon, fields)?;
                self.offset = Some(value);
                rest
            }
        };
        Ok(rest)
    }

    fn finish(mut self) -> Result<Time, &'static str> {
        match self.pm {
            Some(true) if self.civil.hour < 12 => self.civil.hour += 12,
            Some(false) if self.civil.hour == 12 => self.civil.hour = 0,
            _ => {}
        }
        if let Some(day) = self.year_day {
            if !(1..=366).contains(&day) {
                return Err("day-of-year");
            }
            (self.civil.month, self.civil.day) = (1, day);
        } else if !(1..=days_in_month(self.civil.year, self.civil.month)).contains(&self.civil.day) {
            return Err("day");
        }
        Ok(Time::from_civil(self.civil, self.offset.unwrap_or(0)))
    }
}

fn number(text: &str, least: usize, most: usize) -> Result<(i64, &str), Misread> {
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if digits < least {
        return Err(Misread::Syntax);
    }
    let value = text[..digits].parse().map_err(|_| Misread::Syntax)?;
    Ok((value, &text[digits..]))
}

fn ranged<'a>(
    text: &'a str,
    fixed: bool,
    range: std::ops::RangeInclusive<i64>,
    what: &'static str,
) -> Result<(i64, &'a str), Misread> {
    let (value, rest) = number(text, if fixed { 2 } else { 1 }, 2)?;
    if range.contains(&value) { Ok((value, rest)) } else { Err(Misread::Range(what)) }
}

fn optional_fraction<'a>(text: &'a str, nanos: &mut u32) -> &'a str {
    let Some(after) = text.strip_prefix(['.', ',']) else { return text };
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return text;
    }
    *nanos = format!("{:0<9.9}", &after[..digits]).parse().unwrap_or(0);
    &after[digits..]
}

fn zone_prefix(text: &str) -> Option<&str> {
    if text.starts_with("UTC") {
        return Some("UTC");
    }
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    (3..=5).contains(&letters).then(|| &text[..letters])
}

fn parse_offset(text: &str, z: bool, colon: bool, fields: u8) -> Result<(i32, &str), Misread> {
    if z && let Some(rest) = text.strip_prefix('Z') {
        return Ok((0, rest));
    }
    let sign = match text.chars().next() {
        Some('+') => 1,
        Some('-') => -1,
        _ => return Err(Misread::Syntax),
    };
    let (hours, mut rest) = number(&text[1..], 2, 2)?;
    let mut seconds = hours * 3600;
    for unit in [60, 1].into_iter().take(usize::from(fields) - 1) {
        if colon {
            rest = rest.strip_prefix(':').ok_or(Misread::Syntax)?;
        }
        let (value, after) = number(rest, 2, 2)?;
        seconds += value * unit;
        rest = after;
    }
    Ok((sign * seconds as i32, rest))
}
