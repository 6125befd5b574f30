//! Dates in the forms in which they are met.

use jiff::Timestamp;
use jiff::civil::{self, Date};

use super::values::invalid;
use super::warning::{Irregularity, Warnings};
use crate::xml::Tree;
use crate::{DateTime, DateTimeError, Error};

/// A date of XML Schema, one without a time or without seconds, or one in numbers of which only one is the day.
///
/// Errors: what is none, and what may be two: it is never guessed which.
pub(super) fn date(tree: &Tree, warnings: &mut Warnings) -> Result<DateTime, Error> {
    let text = tree.trimmed();
    let wrong = |what: String| invalid(what, &tree.place);
    let date = match text.parse::<DateTime>() {
        Ok(date) => return Ok(date),
        Err(why @ DateTimeError::Range) => return Err(wrong(why.to_string())),
        Err(why) => match numbers(text) {
            Some(numbers) => Some(of_numbers(numbers).map_err(wrong)?),
            None => loose(text),
        }
        .ok_or_else(|| wrong(why.to_string()))?,
    };
    warnings.add(Irregularity::Date { found: text.to_owned(), taken_as: date.in_words() }, &tree.place);
    Ok(date)
}

/// ISO 8601 in other forms than that of XML Schema, and `2030-01-31`, with a `Z` too, as XML Schema has it.
fn loose(text: &str) -> Option<DateTime> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.into());
    }
    let day = text.strip_suffix('Z').unwrap_or(text);
    if let (10, Ok(day)) = (day.len(), day.parse::<Date>()) {
        return Some(DateTime::from_civil(day.into()));
    }
    // With an offset it would have been read above: this form passes over it.
    let has_offset = text.get(10..)?.contains(['Z', 'z', '+', '-', '[']);
    let local = text.parse::<civil::DateTime>().ok().filter(|_| !has_offset);
    local.filter(|local| local.year() >= 1).map(DateTime::from_civil)
}

/// `31/12/2030` and its like: two numbers and a year of four digits.
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

/// The one date that two numbers and a year can mean.
fn of_numbers([first, second, year]: [i16; 3]) -> Result<DateTime, String> {
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
        (Some(date), _) | (_, Some(date)) => Ok(DateTime::from_civil(date.into())),
        (None, None) => Err("there is no such day".to_owned()),
    }
}
