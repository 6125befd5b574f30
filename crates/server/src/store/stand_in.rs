//! Time must not tell a stranger which names there are (profile P16). Where no row has a name, the first row of the
//! table stands in: it is read and its secret opened by the same statement, and then it is not the one.

/// The `id` of the row for which `condition` holds or, where there is none, of the table's first.
pub(super) fn row_or_first(table: &str, condition: &str) -> String {
    format!("coalesce((SELECT id FROM {table} WHERE {condition}), (SELECT min(id) FROM {table}))")
}
