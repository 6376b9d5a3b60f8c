//! Picks the columns that were asked for.

use ahash::HashSet;

use super::listing::{Column, ColumnSource, Columns, check_width};
use super::names::{short_name, unescape};
use super::path_tree::PathTree;
use super::unite::merge;
use crate::error::{Error, ErrorKind, Result, near_misses, quoted};

/// A name, short name or glob, and an optional new name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// As the user typed it; `*` alone means the columns that are shown by default
    pub pattern: String,
    /// Further names of a renamed column: each fills the nulls of those before it
    pub others: Vec<String>,
    /// The new name, from a renaming dict
    pub rename: Option<String>,
}

impl Chosen {
    /// A column under its own name.
    #[must_use]
    pub fn new(pattern: impl Into<String>) -> Self {
        Self { pattern: pattern.into(), others: Vec::new(), rename: None }
    }

    /// The columns of these names, under a new one.
    #[must_use]
    pub fn renamed(rename: String, pattern: String, others: Vec<String>) -> Self {
        Self { pattern, others, rename: Some(rename) }
    }

    /// Every pattern, in order.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.pattern).chain(&self.others).map(String::as_str)
    }

    /// Whether it means the columns that are shown by default.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.pattern == "*" && self.rename.is_none()
    }
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

/// Knows the columns that names mean.
pub trait ColumnNames {
    /// The columns that a pattern means; nothing if there is no such column.
    ///
    /// # Errors
    /// `Column`: the pattern is ambiguous, with candidates.
    fn find(&mut self, pattern: &str) -> Result<Vec<Column>>;

    /// The columns that are shown by default.
    fn by_default(&self) -> Vec<Column>;

    /// The error for a pattern that means no column, with near misses.
    fn unknown(&mut self, pattern: &str) -> Error;

    /// The tree that describes a column.
    fn tree(&self, column: &Column) -> &PathTree;
}

impl ColumnNames for (&Columns, &PathTree) {
    fn find(&mut self, pattern: &str) -> Result<Vec<Column>> {
        self.0.find(pattern)
    }

    fn by_default(&self) -> Vec<Column> {
        self.0.all.iter().filter(|column| column.by_default).cloned().collect()
    }

    fn unknown(&mut self, pattern: &str) -> Error {
        self.0.unknown(pattern)
    }

    fn tree(&self, _: &Column) -> &PathTree {
        self.1
    }
}

impl Selection {
    /// The columns that were asked for, in the order asked. A column that gets a new name leaves the columns shown by default.
    ///
    /// # Errors
    /// `Column`: unknown or ambiguous, with near misses or candidates, or of types that do not unite; `TooManyColumns`.
    pub fn choose(
        &self,
        names: &mut impl ColumnNames,
        tree: &PathTree,
        max_columns: usize,
    ) -> Result<Vec<Column>> {
        let Self::Chosen(patterns) = self else {
            let columns = names.by_default();
            check_width(columns.iter(), tree, max_columns)?;
            return Ok(columns);
        };
        let mut found = Vec::with_capacity(patterns.len());
        let mut renamed: HashSet<String> = HashSet::default();
        for chosen in patterns {
            let columns = find_chosen(chosen, names)?;
            if chosen.rename.is_some() {
                let others =
                    columns.iter().flat_map(|column| &column.merged).flat_map(|merged| &merged.others);
                renamed.extend(columns.iter().chain(others).map(|column| column.name.clone()));
            }
            found.push(columns);
        }
        let mut all: Vec<Column> = Vec::new();
        let mut seen: HashSet<(String, Option<String>)> = HashSet::default();
        for (chosen, mut columns) in patterns.iter().zip(found) {
            columns.retain(|column| !chosen.is_default() || !renamed.contains(&column.name));
            columns.retain(|column| seen.insert((column.name.clone(), chosen.rename.clone())));
            all.extend(columns);
        }
        check_names(&all)?;
        check_width(all.iter(), tree, max_columns)?;
        Ok(all)
    }
}

/// The columns that one item of a selection means, under their new name.
fn find_chosen(chosen: &Chosen, names: &mut impl ColumnNames) -> Result<Vec<Column>> {
    if chosen.is_default() {
        return Ok(names.by_default());
    }
    if !chosen.others.is_empty() {
        return merge(chosen, names).map(|column| vec![column]);
    }
    let mut columns = names.find(&chosen.pattern)?;
    if columns.is_empty() && !is_result_glob(chosen, names)? {
        return Err(names.unknown(&chosen.pattern));
    }
    for column in &mut columns {
        column.renamed.clone_from(&chosen.rename);
    }
    Ok(columns)
}

/// Whether a pattern means what files hold that were asked for: before the first job has written its file, nothing.
fn is_result_glob(chosen: &Chosen, names: &mut impl ColumnNames) -> Result<bool> {
    let is_glob = chosen.rename.is_none() && chosen.pattern.contains('*');
    Ok(is_glob && chosen.pattern.starts_with("result.") && !names.find("result*@file")?.is_empty())
}

impl Columns {
    /// The columns that a pattern names: an exact name, a short one, a split one, or a glob; nothing if there is no such column.
    ///
    /// # Errors
    /// `Column`: the pattern is ambiguous, with candidates.
    pub fn find(&self, pattern: &str) -> Result<Vec<Column>> {
        find(pattern, self).map(|columns| columns.into_iter().cloned().collect())
    }

    /// The error for a pattern that means no column, with near misses.
    #[must_use]
    pub fn unknown(&self, pattern: &str) -> Error {
        unknown(pattern, self)
    }
}

/// The columns that one pattern names.
fn find<'c>(pattern: &str, columns: &'c Columns) -> Result<Vec<&'c Column>> {
    let by_name = |name: &str| columns.all.iter().find(|column| column.name == name);
    if let Some(column) = by_name(pattern) {
        return Ok(vec![column]);
    }
    if pattern.contains(['*', '?', '[']) {
        return Ok(glob(pattern, columns));
    }
    let suffix = format!(".{pattern}");
    'groups: for (prefixes, are_results) in [(&["", "tags.", "config."][..], false), (&["result."], true)] {
        for prefix in prefixes {
            let full = format!("{prefix}{pattern}");
            if let Some(column) = by_name(&full) {
                return Ok(vec![column]);
            }
            let split = split_columns(&full, columns);
            if !split.is_empty() {
                return Ok(split);
            }
            // a config in that very place is meant, not a value of its name far below
            let below = [format!("{full}."), format!("{full}@type")];
            if columns.all.iter().any(|column| column.name.starts_with(&below[0]) || column.name == below[1])
            {
                continue 'groups;
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
    Ok(Vec::new())
}

/// The columns into which a path was split by type: `x@int` and `x@str` for `x`.
fn split_columns<'c>(name: &str, columns: &'c Columns) -> Vec<&'c Column> {
    let is_part = |column: &&Column| {
        column.is_split && column.name.rsplit_once('@').is_some_and(|(whole, _)| whole == name)
    };
    columns.all.iter().filter(is_part).collect()
}

fn glob<'c>(pattern: &str, columns: &'c Columns) -> Vec<&'c Column> {
    let is_by_name = |column: &Column| {
        !column.by_default && matches!(column.source, ColumnSource::System(system) if system.is_by_name())
    };
    let matches = |column: &&Column| {
        !is_by_name(column)
            && (column.by_default || pattern.contains('@') || column.group() == "system")
            && (glob_matches(pattern, &column.name) || glob_matches(pattern, short_name(&column.name)))
    };
    columns.all.iter().filter(matches).collect()
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
    let is_result = pattern.starts_with("result.");
    let are_results = || columns.all.iter().any(|column| column.group() == "result");
    let class = format!("{pattern}@type");
    let has_type =
        || columns.all.iter().any(|column| column.name == class || short_name(&column.name) == class);
    let hint = match (deeper, near.is_empty()) {
        (Some(_), _) if has_type() => {
            format!("it holds other values: ask for {pattern}.* or {pattern}@type")
        }
        (Some(_), _) => format!("it holds other values: ask for {pattern}.*"),
        _ if is_result && !are_results() => {
            "results are read by results=\"metrics.json\"; result_files lists the files".to_owned()
        }
        (None, false) => format!("did you mean {}?", near.join(", ")),
        (None, true) if is_result => {
            "no file that was read has it: result@file says what became of each".to_owned()
        }
        (None, true) => {
            let shown = columns.all.iter().filter(|column| column.by_default).count();
            format!("there are {shown} columns; see xp_table(…).column_names")
        }
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
