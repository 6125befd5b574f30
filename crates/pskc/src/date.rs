//! Dates and times of XML Schema.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::tz::Offset;
use jiff::{Timestamp, civil};

/// An `xs:dateTime` in UTC: years 1 to 9999, with nanosecond precision.
///
/// It includes `9999-12-31T23:59:59.9999999Z`, which programs use for "never" and [`Timestamp`] cannot represent.
///
/// ```
/// let never: pskc::DateTime = "9999-12-31T23:59:59Z".parse()?;
/// assert_eq!(never.to_string(), "9999-12-31T23:59:59Z");
/// assert!(never > jiff::Timestamp::MAX.into());
/// # Ok::<(), pskc::DateTimeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    unix_s: i64,
    nanosecond: i32,
}

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
const DAY_S: i64 = 86_400;

/// The text is not a date and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DateTimeError {
    /// Another form, or no such day or time.
    #[error("not a date and time such as 2026-01-31T12:00:00Z")]
    Form,
    /// Before the year 1 or after the year 9999 in UTC.
    #[error("a date and time outside of the years 1 to 9999 (in UTC)")]
    Range,
    /// A fraction of a second finer than a nanosecond.
    #[error("a date and time with a part of a second that is finer than a nanosecond")]
    Fraction,
}

impl DateTime {
    /// Seconds since 1970-01-01T00:00:00Z, rounded down.
    pub fn unix_s(self) -> i64 {
        self.unix_s
    }

    /// The time `seconds` after 1970-01-01T00:00:00Z; `None` outside of the years 1 to 9999.
    pub fn from_unix_s(seconds: i64) -> Option<Self> {
        SECONDS.contains(&seconds).then_some(DateTime { unix_s: seconds, nanosecond: 0 })
    }

    /// A clock's time; `None` before 1970 or after 9999.
    pub fn from_clock(now: SystemTime) -> Option<Self> {
        let since = now.duration_since(UNIX_EPOCH).ok()?;
        let nanosecond = since.subsec_nanos() as i32; // under a billion
        let whole = Self::from_unix_s(i64::try_from(since.as_secs()).ok()?)?;
        Some(DateTime { nanosecond, ..whole })
    }

    /// Nanoseconds of the second.
    pub fn subsec_nanosecond(self) -> i32 {
        self.nanosecond
    }

    /// The time as a [`Timestamp`]; `None` for the last day of the year 9999, which that type cannot represent.
    pub fn timestamp(self) -> Option<Timestamp> {
        Offset::UTC.to_timestamp(self.civil()).ok()
    }

    pub(crate) fn from_civil(local: civil::DateTime) -> Self {
        let day = days([local.year(), local.month().into(), local.day().into()].map(i64::from));
        let [hour, minute, second] = [local.hour(), local.minute(), local.second()].map(i64::from);
        let unix_s = day * DAY_S + hour * 3600 + minute * 60 + second;
        DateTime { unix_s, nanosecond: local.subsec_nanosecond() }
    }

    fn civil(self) -> civil::DateTime {
        let [year, month, day, hour, minute, second] = self.fields();
        let [month, day, hour, minute, second] = [month, day, hour, minute, second].map(|field| field as i8); // under 60
        civil::date(year as i16, month, day).at(hour, minute, second, self.nanosecond) // the year is under 10000
    }

    /// Year, month, day, hour, minute, second.
    fn fields(self) -> [i64; 6] {
        let [year, month, day] = civil_date(self.unix_s.div_euclid(DAY_S));
        let second = self.unix_s.rem_euclid(DAY_S);
        [year, month, day, second / 3600, second / 60 % 60, second % 60]
    }

    /// Like [`from_str`](Self::from_str), but truncates fractions finer than a nanosecond, and returns whether it did.
    /// Tells whether there were any.
    pub(crate) fn cut(text: &str) -> Result<(Self, bool), DateTimeError> {
        let (local_s, nanosecond, offset_s, is_cut) = parse(text).ok_or(DateTimeError::Form)?;
        let unix_s = local_s - offset_s;
        match SECONDS.contains(&unix_s) {
            true => Ok((DateTime { unix_s, nanosecond }, is_cut)),
            false => Err(DateTimeError::Range),
        }
    }

    /// For people: `31 December 2030, 00:00 UTC`.
    pub(crate) fn in_words(self) -> String {
        let seconds = if self.unix_s % 60 == 0 { "" } else { ":%S" };
        self.civil().strftime(&format!("%-d %B %Y, %H:%M{seconds} UTC")).to_string()
    }
}

/// The days from 1970-01-01 to the date, negative before; the date is one of the proleptic Gregorian calendar. A year of
/// the calculation begins in March, so that its last day is the leap day.
fn days([year, month, day]: [i64; 3]) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// Year, month and day: the opposite of [`days`].
fn civil_date(days: i64) -> [i64; 3] {
    const ERA: i64 = 146_097; // days of 400 years
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    [era * 400 + year + i64::from(month <= 2), month, day]
}

impl From<Timestamp> for DateTime {
    fn from(time: Timestamp) -> Self {
        DateTime::from_civil(Offset::UTC.to_datetime(time))
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [year, month, day, hour, minute, second] = self.fields();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match self.nanosecond {
            0 => f.write_str("Z"),
            nanoseconds => write!(f, ".{}Z", format!("{nanoseconds:09}").trim_end_matches('0')),
        }
    }
}

impl FromStr for DateTime {
    type Err = DateTimeError;

    /// `YYYY-MM-DDThh:mm:ss[.f][Z|±hh:mm]`, in UTC if there is no zone; no leap seconds, and only zeros beyond
    /// nanoseconds.
    fn from_str(text: &str) -> Result<Self, DateTimeError> {
        let (time, is_cut) = Self::cut(text)?;
        if is_cut { Err(DateTimeError::Fraction) } else { Ok(time) }
    }
}

/// Seconds of the local time since 1970-01-01T00:00:00, nanoseconds, the offset from UTC in seconds, and whether digits
/// beyond nanoseconds were truncated.
fn parse(text: &str) -> Option<(i64, i32, i64, bool)> {
    const FORM: &[u8] = b"0000-00-00T00:00:00";
    let (fixed, rest) = text.split_at_checked(FORM.len())?;
    let matches = |(form, octet): (&u8, u8)| match form {
        b'0' => octet.is_ascii_digit(),
        separator => octet == *separator,
    };
    if !FORM.iter().zip(fixed.bytes()).all(matches) || fixed.starts_with("0000") || fixed.ends_with("60") {
        return None;
    }
    let zone = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (fraction, zone) = rest.split_at(zone);
    if !fraction.is_empty() {
        let digits = fraction.strip_prefix('.')?;
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
    }
    let (fraction, finer) = fraction.split_at(fraction.len().min(".123456789".len())); // ASCII, checked above
    let is_cut = finer.bytes().any(|digit| digit != b'0');
    let nanosecond: i32 = format!("{:0<9}", fraction.get(1..).unwrap_or_default()).parse().ok()?;
    let number = |at: usize, len: usize| fixed.get(at..at + len)?.parse::<i64>().ok();
    let date = [number(0, 4)?, number(5, 2)?, number(8, 2)?];
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    // 24:00:00 is the first moment of the next day.
    let is_end = fixed.ends_with("24:00:00") && !is_cut && nanosecond == 0;
    if !(1..=12).contains(&date[1])
        || civil_date(days(date)) != date
        || !(is_end || hour < 24 && minute < 60 && second < 60)
    {
        return None;
    }
    let local_s = days(date) * DAY_S + hour * 3600 + minute * 60 + second;
    Some((local_s, nanosecond, parse_zone(zone)?, is_cut))
}

fn parse_zone(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z") {
        return Some(0);
    }
    let (sign, hours_minutes) = zone.split_at_checked(1)?;
    let (hours, minutes) = hours_minutes.split_once(':')?;
    let number = |digits: &str| match digits.as_bytes() {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some(i64::from(tens - b'0') * 10 + i64::from(ones - b'0')),
        _ => None,
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if minutes > 59 || hours * 60 + minutes > 14 * 60 {
        return None;
    }
    let seconds = (hours * 60 + minutes) * 60;
    match sign {
        "+" => Some(seconds),
        "-" => Some(-seconds),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_date(text: &str) -> Option<DateTime> {
        text.parse().ok()
    }

    #[test]
    fn s5_dates_are_xml_schema_dates_in_utc_without_a_zone() {
        let good = [
            ("2006-05-01T00:00:00Z", "2006-05-01T00:00:00Z"),
            ("2006-05-01T00:00:00", "2006-05-01T00:00:00Z"),
            ("2006-05-01T02:30:00+02:30", "2006-05-01T00:00:00Z"),
            ("2006-04-30T10:00:00-14:00", "2006-05-01T00:00:00Z"),
            ("2006-05-01T00:00:00.250Z", "2006-05-01T00:00:00.25Z"),
            ("2006-05-01T00:00:00.12345678900Z", "2006-05-01T00:00:00.123456789Z"),
            ("2006-04-30T24:00:00Z", "2006-05-01T00:00:00Z"),
            ("2006-04-30T24:00:00.0+01:00", "2006-04-30T23:00:00Z"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
            ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z"),
            ("9999-12-31T23:59:59.999999999+14:00", "9999-12-31T09:59:59.999999999Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ];
        for (text, expected) in good {
            assert_eq!(parse_date(text).unwrap().to_string(), expected, "{text}");
        }
        let bad = [
            "",
            "2006",
            "2006-05-01",
            "2006-05-01 00:00:00Z",
            "2006-05-01t00:00:00z",
            "2006-05-01T00:00Z",
            "2006-05-01T00:00:60Z",
            "2006-13-01T00:00:00Z",
            "2006-02-30T00:00:00Z",
            "2006-05-01T25:00:00Z",
            "2006-05-01T24:00:01Z",
            "2006-05-01T24:00:00.1Z",
            "2006-05-01T24:00:00.0000000001Z",
            "2006-05-01T00:00:00.12345678987Z",
            "2006-05-01T00:00:00.0000000001+02:00",
            "2006-05-01T00:00:00.Z",
            "2006-05-01T00:00:00+2:00",
            "2006-05-01T00:00:00+14:01",
            "2006-05-01T00:00:00+00:60",
            "2006-05-01T00:00:00+0200",
            "2006-05-01T00:00:00Z[UTC]",
            "2006-05-01T00:00:00ZZ",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T24:00:00Z",
            "9999-12-31T23:59:59-01:00",
            "10000-01-01T00:00:00Z",
            "-001-01-01T00:00:00Z",
            "20060501T000000Z",
            "2006-05-01T00:00:00,5Z",
            "２006-05-01T00:00:00Z",
            "2006-05-01T00:00:00é",
        ];
        for text in bad {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_is_the_one_of_the_calendar() {
        let mut day = civil::date(1, 1, 1);
        loop {
            let date = DateTime::from_civil(day.into());
            assert_eq!(date.to_string(), format!("{day}T00:00:00Z"));
            assert_eq!(parse_date(&date.to_string()), Some(date));
            match day.tomorrow() {
                Ok(next) => day = next,
                Err(_) => break,
            }
        }
        assert_eq!((day.year(), day.month(), day.day()), (9999, 12, 31));
    }

    #[test]
    fn dates_equal_clock_timestamps() {
        for time in
            ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.5Z", "1970-01-01T00:00:00Z", "2026-02-28T12:30:01.25Z"]
        {
            let (date, clock): (DateTime, Timestamp) = (time.parse().unwrap(), time.parse().unwrap());
            let second = clock.as_second() - i64::from(clock.subsec_nanosecond() < 0);
            assert_eq!((date.unix_s(), date.timestamp(), DateTime::from(clock)), (second, Some(clock), date), "{time}");
        }
        let clock: Timestamp = "2026-02-28T12:30:01.25Z".parse().unwrap();
        assert_eq!(DateTime::from_clock(clock.into()), Some(clock.into()));
        assert_eq!(DateTime::from_clock(UNIX_EPOCH - std::time::Duration::from_secs(1)), None);
        let never: DateTime = "9999-12-31T23:59:59Z".parse().unwrap();
        assert_eq!((never.timestamp(), never.unix_s()), (None, 253_402_300_799));
        assert_eq!([253_402_300_799, 253_402_300_800].map(DateTime::from_unix_s), [Some(never), None]);
        assert_eq!(never.in_words(), "31 December 9999, 23:59:59 UTC");
    }
}
