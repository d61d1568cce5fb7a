//! Days of the Gregorian calendar, extended to all times, always UTC. No time zones, no leap seconds, no clock.

/// A day, with the months counted from one.
pub(crate) struct Date {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
}

impl Date {
    /// Howard Hinnant's `civil_from_days`: years start in March, so that the leap day comes last.
    pub(crate) fn of(seconds: impl Into<i128>) -> Self {
        let days = seconds.into().div_euclid(86_400) as i64 + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        Self { year: year_of_era + era * 400 + i64::from(month <= 2), month, day }
    }

    fn is_leap_year(&self) -> bool {
        self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0)
    }

    fn days_in(&self, month: i64) -> i64 {
        match month {
            2 => 28 + i64::from(self.is_leap_year()),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    pub(crate) fn days_in_month(&self) -> i64 {
        self.days_in(self.month)
    }

    pub(crate) fn day_of_year(&self) -> i64 {
        (1..self.month).map(|month| self.days_in(month)).sum::<i64>() + self.day
    }
}

/// A moment as `2026-08-21T12:00:00Z`.
pub(crate) fn rfc3339(seconds: i64) -> String {
    let Date { year, month, day } = Date::of(seconds);
    let of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[test]
fn moments_print_as_rfc_3339() {
    assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
    assert_eq!(rfc3339(951_827_696), "2000-02-29T12:34:56Z");
    assert_eq!(rfc3339(-1), "1969-12-31T23:59:59Z");
}
