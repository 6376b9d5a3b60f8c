//! Warnings: notes on values displayed differently from the files.

use std::collections::BTreeSet;

use crate::columns::{Column, PathTree, Type};
use crate::error::{Error, quoted};

/// The warnings about some columns. `surrogates` names those that show unpaired surrogates as escapes.
pub(super) fn warnings(columns: &[&Column], tree: &PathTree, surrogates: Vec<String>) -> Vec<String> {
    let escaped: BTreeSet<String> = surrogates.into_iter().collect();
    let escaped: Vec<&str> = escaped.iter().map(String::as_str).collect();
    let warnings = [
        about("values of several types are split into", &names(columns, |column| column.is_split)),
        tree.too_deep().map(|name| format!("values nested too deep are left out of {name}")),
        about(
            "integers of more than 38 digits are given as text in",
            &names(columns, |column| column.kind == Type::Digits),
        ),
        about("unpaired surrogates are shown as escapes (\\ud800) in", &escaped),
    ];
    warnings.into_iter().flatten().chain(columns.iter().filter_map(|column| missing(column))).collect()
}

/// The note on a renamed column of several names, some of which no job has.
fn missing(column: &Column) -> Option<String> {
    let merged = column.merged.as_ref().filter(|merged| !merged.missing.is_empty())?;
    let missing: Vec<String> = merged.missing.iter().map(|name| quoted(name)).collect();
    Some(format!("no column {}: {} has the values of the others", missing.join(", "), column.shown()))
}

/// The error about values that are nested too deep for columns.
pub(super) fn too_deep(name: &str) -> Error {
    Error::format(
        "values nested more than 62 deep in lists, or 8192 elsewhere, have no columns; they are left out",
    )
    .at_field(name)
    .hint("the objects have them: load_xp_info(…).jobs")
}

fn about(text: &str, names: &[&str]) -> Option<String> {
    (!names.is_empty()).then(|| format!("{text} {}", names.join(", ")))
}

fn names<'c>(columns: &[&'c Column], matches: impl Fn(&Column) -> bool) -> Vec<&'c str> {
    columns.iter().filter(|column| matches(column)).map(|column| column.name.as_str()).collect()
}
