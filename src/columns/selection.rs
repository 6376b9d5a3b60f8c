//! Which columns were asked for.

use ahash::HashSet;

use super::listing::{Column, Columns, check_width};
use super::names::short_name;
use super::path_tree::PathTree;
use crate::error::{Error, ErrorKind, Result, near_misses, quoted};

/// A name, short name or glob, and the name it shall have in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// As the user typed it
    pub pattern: String,
    /// The new name, from a renaming dict
    pub rename: Option<String>,
}

/// Which columns were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Selection {
    /// Those of design §3
    #[default]
    Default,
    /// These, in this order, each once
    Chosen(Vec<Chosen>),
}

impl Selection {
    /// The columns that were asked for, in the order asked.
    ///
    /// # Errors
    /// `Column`: unknown or ambiguous, with near misses or candidates; `TooManyColumns`.
    pub fn choose(&self, columns: &Columns, places: &PathTree, limit: usize) -> Result<Vec<Column>> {
        let Self::Chosen(patterns) = self else { return columns.by_default(places, limit) };
        let mut chosen: Vec<Column> = Vec::new();
        let mut seen: HashSet<(&str, Option<&str>)> = HashSet::default();
        for asked in patterns {
            for column in find(&asked.pattern, columns)? {
                if seen.insert((&column.name, asked.rename.as_deref())) {
                    chosen.push(Column { renamed: asked.rename.clone(), ..column.clone() });
                }
            }
        }
        check_names(&chosen)?;
        check_width(chosen.iter(), places, limit)?;
        Ok(chosen)
    }
}

/// The columns that one pattern names: an exact name, a short one, a split one, or a glob.
fn find<'c>(pattern: &str, columns: &'c Columns) -> Result<Vec<&'c Column>> {
    let named = |name: &str| columns.all.iter().find(|column| column.name == name);
    if let Some(column) = named(pattern) {
        return Ok(vec![column]);
    }
    if pattern.contains(['*', '?', '[']) {
        return glob(pattern, columns);
    }
    for prefix in ["", "tags.", "config."] {
        let full = format!("{prefix}{pattern}");
        if let Some(column) = named(&full) {
            return Ok(vec![column]);
        }
        let parts = split_parts(&full, columns);
        if !parts.is_empty() {
            return Ok(parts);
        }
    }
    let suffix = format!(".{pattern}");
    let ending: Vec<&Column> = columns.all.iter().filter(|column| column.name.ends_with(&suffix)).collect();
    match ending[..] {
        [column] => Ok(vec![column]),
        [] => Err(unknown(pattern, columns)),
        _ => Err(ambiguous(pattern, &ending)),
    }
}

/// The columns into which a place was split: `x@int`, `x@str` for `x`.
fn split_parts<'c>(name: &str, columns: &'c Columns) -> Vec<&'c Column> {
    let is_part = |column: &&Column| {
        let rest = column.name.strip_prefix(name).and_then(|rest| rest.strip_prefix('@'));
        rest.is_some() && column.group() != "fact"
    };
    columns.all.iter().filter(is_part).collect()
}

fn glob<'c>(pattern: &str, columns: &'c Columns) -> Result<Vec<&'c Column>> {
    let matches = |column: &&Column| {
        (column.by_default || pattern.contains('@') || column.group() == "system")
            && (glob_matches(pattern, &column.name) || glob_matches(pattern, short_name(&column.name)))
    };
    let found: Vec<&Column> = columns.all.iter().filter(matches).collect();
    if found.is_empty() { Err(unknown(pattern, columns)) } else { Ok(found) }
}

/// Whether `name` is one that the shell pattern means: `*`, `?`, `[abc]`, `[a-z]`, `[!a]`. As in Python's `fnmatch`, `*` passes
/// dots too.
#[must_use]
pub fn glob_matches(pattern: &str, name: &str) -> bool {
    let plain = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
    let (plain, pattern) = pattern.split_at(plain);
    // most patterns are some text and a star
    name.strip_prefix(plain).is_some_and(|rest| pattern == "*" || wild_matches(pattern, rest))
}

fn wild_matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match one(&pattern[at..], name[from]) {
            Step::Star => {
                star = Some((at, from));
                at += 1;
            }
            Step::Took(length) => {
                at += length;
                from += 1;
            }
            Step::No => match &mut star {
                Some((after, resumed)) => {
                    *resumed += 1;
                    (at, from) = (*after + 1, *resumed);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|&character| character == '*')
}

enum Step {
    Star,
    /// One character matched these many of the pattern
    Took(usize),
    No,
}

fn one(pattern: &[char], character: char) -> Step {
    match pattern {
        ['*', ..] => Step::Star,
        ['?', ..] => Step::Took(1),
        ['[', rest @ ..] if set_end(rest).is_some() => {
            let end = set_end(rest).unwrap_or(0);
            let (negated, set) = match &rest[..end] {
                ['!', set @ ..] => (true, set),
                set => (false, set),
            };
            if in_set(set, character) == negated { Step::No } else { Step::Took(end + 2) }
        }
        [same, ..] if *same == character => Step::Took(1),
        _ => Step::No,
    }
}

/// Where the set that begins here ends; a bracket right at its start is one of its characters.
fn set_end(rest: &[char]) -> Option<usize> {
    let first = if rest.first() == Some(&'!') { 2 } else { 1 };
    rest.iter().skip(first).position(|&end| end == ']').map(|end| end + first)
}

fn in_set(mut set: &[char], character: char) -> bool {
    loop {
        match set {
            [low, '-', high, rest @ ..] => {
                if (*low..=*high).contains(&character) {
                    return true;
                }
                set = rest;
            }
            [same, rest @ ..] => {
                if *same == character {
                    return true;
                }
                set = rest;
            }
            [] => return false,
        }
    }
}

fn unknown(pattern: &str, columns: &Columns) -> Error {
    let inside = format!("{pattern}.");
    let deeper = columns
        .all
        .iter()
        .find(|column| column.name.starts_with(&inside) || short_name(&column.name).starts_with(&inside));
    let names = columns.all.iter().flat_map(|column| [column.name.as_str(), short_name(&column.name)]);
    let mut near: Vec<&str> = near_misses(pattern, names);
    near.dedup();
    let hint = match (deeper, near.is_empty()) {
        (Some(_), _) => format!("it holds other values: ask for {pattern}.* or {pattern}@type"),
        (None, false) => format!("did you mean {}?", near.join(", ")),
        (None, true) => format!("there are {} columns; see xp_table(…).column_names", columns.all.len()),
    };
    Error::new(ErrorKind::Column, format!("no column {}", quoted(pattern))).at_field(pattern).hint(hint)
}

fn ambiguous(pattern: &str, candidates: &[&Column]) -> Error {
    let shown: Vec<&str> = candidates.iter().take(5).map(|column| column.name.as_str()).collect();
    let more = if candidates.len() > 5 { ", …" } else { "" };
    Error::new(ErrorKind::Column, format!("{} could be any of {} columns", quoted(pattern), candidates.len()))
        .at_field(pattern)
        .hint(format!("write one of {}{more}", shown.join(", ")))
}

fn check_names(chosen: &[Column]) -> Result<()> {
    let mut seen = ahash::HashSet::default();
    match chosen.iter().find(|column| !seen.insert(column.shown())) {
        None => Ok(()),
        Some(twice) => Err(Error::new(
            ErrorKind::Column,
            format!("two columns would be called {}", quoted(twice.shown())),
        )
        .at_field(&twice.name)
        .hint("rename to one name only what is one column")),
    }
}
