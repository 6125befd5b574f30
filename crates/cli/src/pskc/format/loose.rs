//! Spreadsheet forms of cell values, if unambiguous.

use pskc::DateTime;

use super::FormatError;

/// A date in another form, as XML Schema writes it; `None` if it is in that form already.
///
/// # Errors
/// Not a date, or ambiguous.
pub(super) fn date(name: &str, cell: &str) -> Result<Option<String>, FormatError> {
    if cell.as_bytes().get(10) == Some(&b'T') && cell.parse::<DateTime>().is_ok() {
        return Ok(None);
    }
    match DateTime::read_loosely(cell) {
        Ok(date) => Ok(Some(date.to_string())),
        Err(why) => {
            Err(FormatError::new(format!("{name}: {why}"), "write dates as 2026-01-31 or 2026-01-31T12:00:00Z"))
        }
    }
}

/// The whole number in `30.0` or `30,00`. Three zeros may be thousands.
pub(super) fn number(cell: &str) -> Option<&str> {
    let (number, fraction) = cell.split_once(['.', ','])?;
    matches!(fraction, "0" | "00").then_some(number)
}
