//! Dates in non-standard forms.

use jiff::Timestamp;
use jiff::civil::{self, Date};

use super::values::invalid;
use super::warning::{Irregularity, Warnings};
use crate::xml::ElementTree;
use crate::{DateTime, DateTimeError, Error};

/// A date of XML Schema, or in a form that [`DateTime::read_loosely`] accepts.
///
/// Errors: not a date, or an ambiguous one; nothing is guessed.
pub(super) fn date(tree: &ElementTree, warnings: &mut Warnings) -> Result<DateTime, Error> {
    let text = tree.trimmed();
    let wrong = |what: String| invalid(what, &tree.place);
    match text.parse::<DateTime>() {
        Ok(date) => Ok(date),
        Err(why @ DateTimeError::Range) => Err(wrong(why.to_string())),
        Err(why @ DateTimeError::Fraction) => {
            let (date, _) = DateTime::cut(text).map_err(|_| wrong(why.to_string()))?;
            warnings.add(Irregularity::Date { found: text.to_owned(), taken_as: date.to_string() }, &tree.place);
            Ok(date)
        }
        Err(DateTimeError::Form) => {
            let date = DateTime::read_loosely(text).map_err(wrong)?;
            warnings.add(Irregularity::Date { found: text.to_owned(), taken_as: date.in_words() }, &tree.place);
            Ok(date)
        }
    }
}

impl DateTime {
    /// Reads a date as people and programs write it: ISO 8601 without a time, without seconds or with a space before the
    /// time, and numbers of which only one can be the day, such as `31/12/2030 23:59`. Defaults: UTC,
    /// 00:00.
    ///
    /// # Errors
    /// Why it is not a date, or which two dates it may be; nothing is guessed.
    pub fn read_loosely(text: &str) -> Result<DateTime, String> {
        let (day, time) = text.split_once(' ').unwrap_or((text, ""));
        let read = match numbers(day) {
            Some(numbers) => {
                Some(of_numbers(numbers)?).and_then(|date| Some(DateTime::from_civil(at(date, time.trim())?)))
            }
            None => loose(text),
        };
        read.ok_or_else(|| match text {
            text if !text.is_empty() && text.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'.' | b',')) => {
                format!("{}: it is a number, which may count days in a spreadsheet", DateTimeError::Form)
            }
            _ if is_short(day) => format!("{}: its year has two digits", DateTimeError::Form),
            _ => DateTimeError::Form.to_string(),
        })
    }
}

/// The day at `23:59` or `23:59:59`, or at midnight.
fn at(day: Date, time: &str) -> Option<civil::DateTime> {
    let is_time = time.bytes().all(|octet| octet.is_ascii_digit() || octet == b':');
    match time {
        "" => Some(day.into()),
        time if is_time => Some(day.to_datetime(time.parse().ok()?)),
        _ => None,
    }
}

/// `12/31/30`
fn is_short(day: &str) -> bool {
    let parts: Vec<&str> = day.split(['/', '.', '-']).collect();
    parts.len() == 3 && parts.iter().all(|part| matches!(part.len(), 1..=2) && part.bytes().all(|o| o.is_ascii_digit()))
}

/// ISO 8601 in forms other than that of XML Schema, and `2030-01-31`, optionally with a `Z`, as XML Schema has it.
fn loose(text: &str) -> Option<DateTime> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return is_zone(text).then(|| time.into());
    }
    let day = text.strip_suffix('Z').unwrap_or(text);
    if let (10, Ok(day)) = (day.len(), day.parse::<Date>()) {
        return Some(DateTime::from_civil(day.into()));
    }
    // A valid offset was handled above; here the library would ignore it.
    let has_offset = text.get(10..)?.contains(['Z', 'z', '+', '-', '[']);
    let local = text.parse::<civil::DateTime>().ok().filter(|_| !has_offset);
    local.filter(|local| local.year() >= 1).map(DateTime::from_civil)
}

/// Whether the offset is one of XML Schema's: at most 14 hours.
fn is_zone(text: &str) -> bool {
    let zone = text.get(10..).and_then(|time| time.split_once(['+', '-'])).map_or("", |(_, zone)| zone);
    let digits: String = zone.chars().filter(char::is_ascii_digit).take(4).collect();
    format!("{digits:0<4}").parse::<u16>().is_ok_and(|zone| zone <= 1400)
}

/// `31/12/2030` and the like: two numbers and a year of four digits.
fn numbers(text: &str) -> Option<[i16; 3]> {
    let separator = ['/', '.', '-'].into_iter().find(|separator| text.contains(*separator))?;
    let parts: Vec<&str> = text.split(separator).collect();
    let number = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok())?;
    match parts[..] {
        [first, second, year] if matches!((first.len(), second.len(), year.len()), (1..=2, 1..=2, 4)) => {
            Some([number(first)?, number(second)?, number(year)?])
        }
        _ => None,
    }
}

/// The only date that two numbers and a year can mean.
fn of_numbers([first, second, year]: [i16; 3]) -> Result<Date, String> {
    let date = |day: i16, month: i16| {
        let (day, month) = (i8::try_from(day).ok()?, i8::try_from(month).ok()?);
        Date::new(year, month, day).ok().filter(|_| year >= 1)
    };
    match (date(first, second), date(second, first)) {
        (Some(one), Some(other)) if one != other => Err(format!(
            "the date may be {} or {}: write {one}T00:00:00Z or {other}T00:00:00Z",
            one.strftime("%-d %B %Y"),
            other.strftime("%-d %B %Y"),
        )),
        (Some(date), _) | (_, Some(date)) => Ok(date),
        (None, None) => Err("there is no such day".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unambiguous_dates_are_read_and_others_refused_with_the_cause() {
        for (text, date) in [
            ("2030-12-31", "2030-12-31T00:00:00Z"),
            ("2030-12-31Z", "2030-12-31T00:00:00Z"),
            ("2030-12-31 23:59:59", "2030-12-31T23:59:59Z"),
            ("2030-12-31T23:59", "2030-12-31T23:59:00Z"),
            ("2030-12-31 23:59:59+02:00", "2030-12-31T21:59:59Z"),
            ("2030-12-31T23:59:59+14", "2030-12-31T09:59:59Z"),
            ("2030-12-31T00:00:00-0930", "2030-12-31T09:30:00Z"),
            ("31.12.2030", "2030-12-31T00:00:00Z"),
            ("31/12/2030 23:59", "2030-12-31T23:59:00Z"),
            ("12/31/2030 23:59:59", "2030-12-31T23:59:59Z"),
            ("4/4/2030", "2030-04-04T00:00:00Z"),
        ] {
            assert_eq!(DateTime::read_loosely(text).map(|date| date.to_string()), Ok(date.to_owned()), "{text}");
        }
        for (text, told) in [
            ("03/04/2030", "may be 3 April 2030 or 4 March 2030"),
            ("03.04.2030 12:00", "may be 3 April 2030 or 4 March 2030"),
            ("12/31/30", "two digits"),
            ("31.12.30 23:59", "two digits"),
            ("47848", "a number"),
            ("47848,5", "a number"),
            ("32.12.2030", "no such day"),
            ("31/12/2030 11:59 PM", "not a date and time"),
            ("31/12/2030 25:00", "not a date and time"),
            ("31/12/2030 +02:00", "not a date and time"),
            ("2030-12-31T00:00:00+25:00", "not a date and time"),
            ("2030-12-31 00:00:00-1401", "not a date and time"),
            ("2030-12-31T00:00:00+15", "not a date and time"),
            ("never", "not a date and time"),
            ("", "not a date and time"),
        ] {
            assert!(DateTime::read_loosely(text).is_err_and(|why| why.contains(told)), "{text}");
        }
    }
}
