//! The heading of a table: which column is where, and advice if there is none.

use super::FormatError;
use super::columns::Column;
use super::json::algorithm;
use super::secret::Encoding;

/// The columns in order.
pub(super) fn heading(names: &[&str], are_given: bool, text: &[u8]) -> Result<Vec<Column>, FormatError> {
    let columns: Vec<Option<Column>> = names.iter().map(|name| Column::of(name)).collect();
    if !are_given && !columns.iter().any(is_known) {
        return Err(missing(names, text));
    }
    let mut known: Vec<Column> = Vec::new();
    for (name, column) in names.iter().zip(columns) {
        let name = name.trim();
        let Some(column) = column else {
            return Err(match name.contains([',', ';', '\t', '|']) {
                true => FormatError::new(
                    format!("unknown column {name:?}: its name contains another separator"),
                    "use the same separator between all columns",
                ),
                false => FormatError::new(
                    format!("unknown column {name:?}"),
                    format!(
                        "rename it in the heading, or name all columns in their order with --columns (- skips \
                         one). Known columns: {KNOWN}; docs/pskc.md and `dskpp pskc convert --help` list all"
                    ),
                ),
            });
        };
        if let Some(at) = known.iter().position(|other| column.is_the_same(*other)) {
            let what = format!("the columns {:?} and {name:?} mean the same", names[at].trim());
            return Err(FormatError::new(what, "remove one of them, or name the columns with --columns (- skips one)"));
        }
        known.push(column);
    }
    Ok(known)
}

const KNOWN: &str = "id, serial, algorithm, hash, secret_hex, secret_base32, secret_base64, counter, time_interval, \
                     digits, manufacturer, model, issuer, upn, friendly_name, start_date and expiry_date";

fn is_known(column: &Option<Column>) -> bool {
    !matches!(column, None | Some(Column::LeftOut | Column::Unnamed))
}

/// A first line that names no column: data, a title, or unknown names.
fn missing(cells: &[&str], text: &[u8]) -> FormatError {
    const FURTHEST: usize = 20;
    let what = "the table has no heading: no cell of its first line names a column";
    let text = String::from_utf8_lossy(text);
    let is_heading = |line: &str| {
        line.split([',', ';', '\t', '|']).filter(|name| is_known(&Column::of(name.trim().trim_matches('"')))).count()
            >= 2
    };
    if let Some(at) = text.lines().take(FURTHEST).position(is_heading) {
        return FormatError::new(what, format!("line {} looks like a heading: remove the lines before it", at + 1));
    }
    let names = suggestion(cells);
    match names.iter().any(|name| name.starts_with("secret")) {
        true => FormatError::new(
            what,
            format!("if it has none, name the columns in their order, such as --columns {}", names.join(",")),
        ),
        false => FormatError::new(
            what,
            format!(
                "rename the columns, or name them in their order with --columns (- skips one). Known columns: {KNOWN}"
            ),
        ),
    }
}

/// Suggested columns for a table without a heading, each name once.
fn suggestion(cells: &[&str]) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    for cell in cells.iter().map(|cell| cell.trim()) {
        let is_secret = |encoding: Encoding| cell.len() >= 16 && encoding.decode(cell).is_ok();
        let number = cell.parse::<u64>().ok();
        let name = match cell {
            _ if is_secret(Encoding::Hex) => "secret_hex",
            _ if is_secret(Encoding::Base32) => "secret_base32",
            cell if cell.contains('@') => "upn",
            cell if cell.len() <= 16 && algorithm(cell.to_owned()).is_ok() => "algorithm",
            cell if dskpp_crypto::Hash::from_name(cell).is_some() => "hash",
            "" => "-",
            _ if !names.contains(&"serial") => "serial",
            _ if matches!(number, Some(6 | 8)) => "digits",
            _ if matches!(number, Some(30 | 60)) => "time_interval",
            _ if number.is_some_and(|number| number < 100_000) => "counter",
            _ => "-",
        };
        names.push(if names.contains(&name) { "-" } else { name });
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::columns::COLUMNS;
    use super::*;

    #[test]
    fn every_column_called_known_is() {
        for name in KNOWN.split(", ").flat_map(|names| names.split(" and ")) {
            assert!(is_known(&Column::of(name)), "{name}");
        }
        assert!(COLUMNS.iter().all(|name| is_known(&Column::of(name))));
    }
}
