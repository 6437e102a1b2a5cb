//! Dates, all of them in UTC.

/// Seconds of a day.
const DAY_S: i64 = 86_400;
/// Some billions of years.
const SECONDS_MAX: f64 = 1e17;

/// A moment as a calendar has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    /// From 0, Sunday.
    pub(crate) weekday: i64,
    pub(crate) day_of_year: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
}

impl Date {
    /// The date so many seconds after the beginning of 1970. What no calendar reaches has none; in
    /// Go it is whatever the processor makes of such a conversion.
    pub(crate) fn of(seconds: f64) -> Option<Self> {
        let reached = seconds.abs() < SECONDS_MAX;
        reached.then(|| Self::of_whole(seconds as i64))
    }

    fn of_whole(seconds: i64) -> Self {
        let (days, within) = (seconds.div_euclid(DAY_S), seconds.rem_euclid(DAY_S));
        let (year, month, day) = civil(days);
        Self {
            year,
            month,
            day,
            // 1 January 1970 was a Thursday.
            weekday: (days + 4).rem_euclid(7),
            day_of_year: days - days_before(year, 1) + 1,
            hour: within / 3600,
            minute: within / 60 % 60,
        }
    }

    pub(crate) fn days_in_month(&self) -> i64 {
        let (year, month) = match self.month {
            12 => (self.year + 1, 1),
            month => (self.year, month + 1),
        };
        days_before(year, month) - days_before(self.year, self.month)
    }
}

/// Year, month and day of a day counted from 1 January 1970, in years that begin in March so that
/// the leap day is their last. Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Days from 1 January 1970 to the first of a month; the way back of [`civil`].
fn days_before(year: i64, month: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        // 29 February 2024, 13:37 UTC, a Thursday.
        let date = Date::of(1_709_213_820.5).expect("a date");
        assert_eq!((date.year, date.month, date.day), (2024, 2, 29));
        assert_eq!((date.weekday, date.day_of_year), (4, 60));
        assert_eq!((date.hour, date.minute, date.days_in_month()), (13, 37, 29));
        assert_eq!(Date::of(-1.0).map(|date| date.year), Some(1969));
        assert_eq!(Date::of(f64::NAN), None);
    }
}
