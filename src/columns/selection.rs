//! Picks the columns that were asked for.

use ahash::HashSet;

use super::listing::{Column, ColumnSource, Columns, check_width};
use super::names::{short_name, unescape};
use super::path_tree::PathTree;
use crate::error::{Error, ErrorKind, Result, near_misses, quoted};

/// A name, short name or glob, and an optional new name.
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
    /// The columns shown by default
    #[default]
    Default,
    /// The columns that these patterns match, in their order, each once
    Chosen(Vec<Chosen>),
}

impl Selection {
    /// The columns that were asked for, in the order asked.
    ///
    /// # Errors
    /// `Column`: unknown or ambiguous, with near misses or candidates; `TooManyColumns`.
    pub fn choose(&self, columns: &Columns, tree: &PathTree, max_columns: usize) -> Result<Vec<Column>> {
        let Self::Chosen(patterns) = self else { return columns.by_default(tree, max_columns) };
        let mut chosen: Vec<Column> = Vec::new();
        let mut seen: HashSet<(&str, Option<&str>)> = HashSet::default();
        for Chosen { pattern, rename } in patterns {
            for column in find(pattern, columns)? {
                if seen.insert((&column.name, rename.as_deref())) {
                    chosen.push(Column { renamed: rename.clone(), ..column.clone() });
                }
            }
        }
        check_names(&chosen)?;
        check_width(chosen.iter(), tree, max_columns)?;
        Ok(chosen)
    }
}

/// The columns that one pattern names: an exact name, a short one, a split one, or a glob.
fn find<'c>(pattern: &str, columns: &'c Columns) -> Result<Vec<&'c Column>> {
    let by_name = |name: &str| columns.all.iter().find(|column| column.name == name);
    if let Some(column) = by_name(pattern) {
        return Ok(vec![column]);
    }
    if pattern.contains(['*', '?', '[']) {
        return glob(pattern, columns);
    }
    let suffix = format!(".{pattern}");
    for (prefixes, are_results) in [(&["", "tags.", "config."][..], false), (&["result."], true)] {
        for prefix in prefixes {
            let full = format!("{prefix}{pattern}");
            if let Some(column) = by_name(&full) {
                return Ok(vec![column]);
            }
            let split = split_columns(&full, columns);
            if !split.is_empty() {
                return Ok(split);
            }
        }
        let is_meant =
            |column: &&Column| (column.group() == "result") == are_results && column.name.ends_with(&suffix);
        let ending: Vec<&Column> = columns.all.iter().filter(is_meant).collect();
        match ending[..] {
            [column] => return Ok(vec![column]),
            [] => {}
            _ => return Err(ambiguous(pattern, &ending)),
        }
    }
    Err(unknown(pattern, columns))
}

/// The columns into which a path was split by type: `x@int` and `x@str` for `x`.
fn split_columns<'c>(name: &str, columns: &'c Columns) -> Vec<&'c Column> {
    let is_part = |column: &&Column| {
        column.is_split && column.name.rsplit_once('@').is_some_and(|(whole, _)| whole == name)
    };
    columns.all.iter().filter(is_part).collect()
}

fn glob<'c>(pattern: &str, columns: &'c Columns) -> Result<Vec<&'c Column>> {
    let is_by_name = |column: &Column| {
        !column.by_default && matches!(column.source, ColumnSource::System(system) if system.is_by_name())
    };
    let matches = |column: &&Column| {
        !is_by_name(column)
            && (column.by_default || pattern.contains('@') || column.group() == "system")
            && (glob_matches(pattern, &column.name) || glob_matches(pattern, short_name(&column.name)))
    };
    let matching: Vec<&Column> = columns.all.iter().filter(matches).collect();
    if matching.is_empty() { Err(unknown(pattern, columns)) } else { Ok(matching) }
}

/// Whether a name matches a shell pattern: `*`, `?`, `[abc]`, `[a-z]`, `[!a]`. As in Python's `fnmatch`, `*` matches dots too.
#[must_use]
pub fn glob_matches(pattern: &str, name: &str) -> bool {
    let plain = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
    let (plain, pattern) = pattern.split_at(plain);
    // most patterns are a prefix and a star
    name.strip_prefix(plain).is_some_and(|rest| pattern == "*" || wild_matches(pattern, rest))
}

fn wild_matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut position, mut name_position) = (0, 0);
    // the last star, and where in the name its match ends
    let mut star: Option<(usize, usize)> = None;
    while name_position < name.len() {
        match step(&pattern[position..], name[name_position]) {
            Step::Star => {
                star = Some((position, name_position));
                position += 1;
            }
            Step::Match(length) => {
                position += length;
                name_position += 1;
            }
            Step::Mismatch => match &mut star {
                Some((star, end)) => {
                    *end += 1;
                    (position, name_position) = (*star + 1, *end);
                }
                None => return false,
            },
        }
    }
    pattern[position..].iter().all(|&character| character == '*')
}

enum Step {
    Star,
    /// The character matches this many characters of the pattern
    Match(usize),
    Mismatch,
}

fn step(pattern: &[char], character: char) -> Step {
    match pattern {
        ['*', ..] => Step::Star,
        ['?', ..] => Step::Match(1),
        ['[', rest @ ..] if set_end(rest).is_some() => {
            let end = set_end(rest).unwrap_or(0);
            let (negated, set) = match &rest[..end] {
                ['!', set @ ..] => (true, set),
                set => (false, set),
            };
            if in_set(set, character) == negated { Step::Mismatch } else { Step::Match(end + 2) }
        }
        [same, ..] if *same == character => Step::Match(1),
        _ => Step::Mismatch,
    }
}

/// The end of the set that begins here. A bracket right after its start is one of its characters.
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
    let spelled = |name: &&str| name.contains('\\') && unescape(name) == pattern;
    let mut near: Vec<&str> =
        names.clone().find(spelled).into_iter().chain(near_misses(pattern, names)).collect();
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
        .hint("give each column its own new name")),
    }
}
