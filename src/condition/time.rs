//! Go's `time.Time` as a condition can use it: an instant with a fixed offset from UTC.
//!
//! There is no clock and no time zone database here: the present is an argument of the evaluation, and a zone other than UTC
//! is refused by name.

use std::cmp::Ordering;

const NANOS: i64 = 1_000_000_000;
const DAY: i64 = 86_400;
/// Seconds from 1 January of year 1, Go's zero time, to the Unix epoch.
const ZERO: i64 = -62_135_596_800;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The English name of a month, 1 to 12.
pub(super) fn month_name(month: u8) -> &'static str {
    MONTHS.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or("%!Month")
}

/// The English name of a day of the week, 0 for Sunday.
pub(super) fn weekday_name(day: u8) -> &'static str {
    WEEKDAYS.get(usize::from(day)).copied().unwrap_or("%!Weekday")
}

/// The month or day whose name `text` starts with, counted from 0, and the rest; case does not matter to Go.
pub(super) fn name_prefix(text: &str, long: bool, months: bool) -> Option<(usize, &str)> {
    let names: &[&str] = if months { &MONTHS } else { &WEEKDAYS };
    names.iter().enumerate().find_map(|(i, name)| {
        let name = if long { name } else { &name[..3] };
        let head = text.get(..name.len())?;
        head.eq_ignore_ascii_case(name).then(|| (i, &text[name.len()..]))
    })
}

/// A moment and the offset it is shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    seconds: i64,
    nanos: u32,
    offset: i32,
}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.seconds, self.nanos, self.offset).cmp(&(other.seconds, other.nanos, other.offset))
    }
}

/// A date and time of day, as a calendar shows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Civil {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) nanos: u32,
}

impl Time {
    /// The moment `seconds` and `nanos` after the Unix epoch, shown in UTC.
    pub fn from_unix(seconds: i64, nanos: u32) -> Self {
        let extra = i64::from(nanos) / NANOS;
        Self { seconds: seconds.saturating_add(extra), nanos: nanos % NANOS as u32, offset: 0 }
    }

    /// Months beyond 12, days beyond the month and so on carry over, as in Go's `time.Date`.
    pub(super) fn from_civil(civil: Civil, offset: i32) -> Self {
        let months = civil.year.saturating_mul(12).saturating_add(civil.month - 1);
        let days =
            days_from_civil(months.div_euclid(12), months.rem_euclid(12) + 1).saturating_add(civil.day - 1);
        let clock = civil.hour * 3600 + civil.minute * 60 + civil.second;
        let seconds = days.saturating_mul(DAY).saturating_add(clock).saturating_sub(i64::from(offset));
        Self { seconds, nanos: civil.nanos, offset }
    }

    pub(super) fn civil(self) -> Civil {
        let local = self.seconds.saturating_add(i64::from(self.offset));
        let (days, clock) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let (year, month, day) = civil_from_days(days);
        Civil {
            year,
            month,
            day,
            hour: clock / 3600,
            minute: clock / 60 % 60,
            second: clock % 60,
            nanos: self.nanos,
        }
    }

    pub(super) fn offset(self) -> i32 {
        self.offset
    }

    pub(super) fn utc(self) -> Self {
        Self { offset: 0, ..self }
    }

    pub(super) fn unix(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds since the Unix epoch, wrapping around as in Go when 64 bits cannot hold them.
    pub fn unix_nanos(self) -> i64 {
        self.seconds.wrapping_mul(NANOS).wrapping_add(i64::from(self.nanos))
    }

    pub(super) fn nanosecond(self) -> u32 {
        self.nanos
    }

    pub(super) fn is_zero(self) -> bool {
        self.seconds == ZERO && self.nanos == 0
    }

    pub(super) fn weekday(self) -> u8 {
        let days = self.seconds.saturating_add(i64::from(self.offset)).div_euclid(DAY);
        // 1 January 1970 was a Thursday.
        (days + 4).rem_euclid(7) as u8
    }

    pub(super) fn year_day(self) -> i64 {
        let civil = self.civil();
        days_from_civil(civil.year, civil.month) + civil.day - days_from_civil(civil.year, 1)
    }

    /// The order of two moments, whatever offsets they are shown in.
    pub(super) fn compare(self, other: Self) -> Ordering {
        (self.seconds, self.nanos).cmp(&(other.seconds, other.nanos))
    }

    pub(super) fn add(self, nanos: i64) -> Self {
        let sum = i64::from(self.nanos) + nanos.rem_euclid(NANOS);
        let seconds = self.seconds.saturating_add(nanos.div_euclid(NANOS)).saturating_add(sum / NANOS);
        Self { seconds, nanos: (sum % NANOS) as u32, offset: self.offset }
    }

    /// `Time.Sub`: the difference, held at the ends of what a duration can express.
    pub(super) fn since(self, other: Self) -> i64 {
        let nanos = (i128::from(self.seconds) - i128::from(other.seconds)) * i128::from(NANOS)
            + i128::from(self.nanos)
            - i128::from(other.nanos);
        i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
    }

    pub(super) fn add_date(self, years: i64, months: i64, days: i64) -> Self {
        let civil = self.civil();
        let moved = Civil {
            year: civil.year.saturating_add(years),
            month: civil.month.saturating_add(months),
            day: civil.day.saturating_add(days),
            ..civil
        };
        Self::from_civil(moved, self.offset)
    }

    /// `Time.Truncate` and `Time.Round`, which count from year 1.
    pub(super) fn rounded(self, to: i64, up: bool) -> Self {
        if to <= 0 {
            return self;
        }
        let since_zero =
            (i128::from(self.seconds) - i128::from(ZERO)) * i128::from(NANOS) + i128::from(self.nanos);
        let rest = since_zero.rem_euclid(i128::from(to)) as i64;
        let down = self.add(-rest);
        if up && rest >= to - rest { down.add(to) } else { down }
    }

    /// `Time.String`, without the monotonic reading that Go's `now()` carries.
    pub(super) fn to_go_string(self) -> String {
        super::layout::format(self, "2006-01-02 15:04:05.999999999 -0700 MST")
    }

    pub(super) fn to_rfc3339_nano(self) -> String {
        super::layout::format(self, "2006-01-02T15:04:05.999999999Z07:00")
    }
}

/// Days from the Unix epoch to the first of a month (Howard Hinnant's `days_from_civil`).
fn days_from_civil(year: i64, month: i64) -> i64 {
    let year = year.clamp(-1_000_000_000, 1_000_000_000) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day counted from the Unix epoch (Howard Hinnant's `civil_from_days`).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// The number of days in a month.
pub(super) fn days_in_month(year: i64, month: i64) -> i64 {
    days_from_civil(if month == 12 { year + 1 } else { year }, month % 12 + 1) - days_from_civil(year, month)
}
