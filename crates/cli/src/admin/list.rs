//! Lists: their pages, their tables, and identifiers that are given by how they begin.

use clap::Args;
use dskpp_api::{ListPage, Listed, PageQuery};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::all;
use crate::api::Api;
use crate::output::{Failure, Output};
use crate::shown::{note, shown};

/// How much of a list.
#[derive(Args)]
pub(super) struct Pages {
    /// List everything, not only the first 100
    #[arg(long, help_heading = "Filter")]
    all: bool,
}

impl Pages {
    /// Prints a list: one row of `columns` per item. `query` receives the `after` parameter.
    pub(super) async fn print<T: DeserializeOwned + Serialize, Q: Serialize>(
        &self,
        (api, output): (&Api, &Output),
        (path, query): (&str, impl Fn(Option<String>) -> Q),
        (headings, columns): (&[&str], impl Fn(&T) -> Vec<String>),
    ) -> Result<(), Failure> {
        let page: ListPage<T> = match self.all {
            true => all(api, path, query).await?,
            false => api.get_by(path, &query(None)).await?,
        };
        output.print(&page, || table(headings, page.items.iter().map(columns).collect()))?;
        if page.next.is_some() && !output.json {
            note("there are more: list them with --all");
        }
        Ok(())
    }
}

/// The columns of an entry that may be damaged, for a table of `count` columns.
pub(super) fn or_unreadable<T>(
    count: usize,
    columns: impl Fn(&T) -> Vec<String>,
) -> impl Fn(&Listed<T>) -> Vec<String> {
    move |item| match item {
        Listed::Readable(item) => columns(item),
        Listed::Unreadable(row) => {
            let mut columns = vec![row.id.clone(), format!("unreadable: {}", row.unreadable)];
            columns.resize(count.max(2), "-".to_owned());
            columns
        }
    }
}

/// Rows under their headings, in columns as wide as their widest text.
pub(crate) fn table(headings: &[&str], rows: Vec<Vec<String>>) -> String {
    let headings = headings.iter().map(|heading| (*heading).to_owned()).collect();
    let shown_row = |row: Vec<String>| row.iter().map(shown).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = [headings].into_iter().chain(rows).map(shown_row).collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|text| text.chars().count()).max();
    let widths: Vec<usize> = (0..rows[0].len()).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let texts = row.iter().zip(&widths).map(|(text, width)| format!("{text:<width$}")).collect::<Vec<_>>();
        texts.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A value for a table, or a dash.
pub(super) fn or_dash(text: Option<&String>) -> String {
    text.cloned().unwrap_or_else(|| "-".to_owned())
}

/// Length of the server's identifiers of enrolments, devices and tokens.
const ID_LEN: usize = 16;
/// Least length of the beginning of one.
const LEAST_LEN: usize = 4;

/// The identifier in a list that begins with `given`, if it is the only one; what is no such beginning is given back, for
/// the server to judge.
pub(super) async fn whole_id(api: &Api, path: &str, given: String) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Item {
        id: String,
    }
    let is_beginning = (LEAST_LEN..ID_LEN).contains(&given.len()) && given.bytes().all(|it| it.is_ascii_alphanumeric());
    if !is_beginning {
        return Ok(given);
    }
    let query = PageQuery { after: Some(given.clone()), limit: Some(2) };
    let page: ListPage<Item> = api.get_by(path, &query).await?;
    let mut found = page.items.into_iter().map(|item| item.id).filter(|id| id.starts_with(&given));
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(id),
        (Some(one), Some(another)) => {
            let ids = format!("{} and {}", shown(one), shown(another));
            Err(Failure::new(format!("more than one id begins with {}: {ids}", shown(&given)))
                .next("give more of the id"))
        }
        (None, _) => Ok(given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_headings_and_columns_as_wide_as_their_texts() {
        let rows = [["1", "a\u{1b}[2J", ""], ["long id", "b", "c"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec()).to_vec();
        let shown = table(&["ID", "NAME", "STATE"], rows);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("ID       NAME") && lines[0].ends_with("STATE"), "{shown}");
        assert!(lines[2].starts_with("long id  b") && lines[2].ends_with("  c"), "{shown}");
        assert!(!shown.contains('\u{1b}'), "{shown}");
        assert_eq!(table(&["ID"], Vec::new()), "ID");
    }
}
