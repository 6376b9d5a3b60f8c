//! Which metrics, columns and keys of a file are wanted.

use std::fmt;

use crate::columns::{escape, glob_matches};
use crate::values::{Record, Store, Value};

/// Names that are wanted: those that a name or shell pattern of each list matches; all names if there is no list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns(Vec<Vec<String>>);

impl Patterns {
    /// The names that one of these matches.
    #[must_use]
    pub fn any_of(patterns: Vec<String>) -> Self {
        Self(vec![patterns])
    }

    /// The names that both want.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().chain(&other.0).cloned().collect())
    }

    /// Whether all names are wanted.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a name is wanted.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let fits = |pattern: &String| pattern == name || glob_matches(pattern, name);
        self.0.iter().all(|patterns| patterns.iter().any(fits))
    }
}

impl fmt::Display for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists: Vec<String> = self.0.iter().map(|patterns| patterns.join(", ")).collect();
        f.write_str(&lists.join(", "))
    }
}

/// The entries of a record that are wanted, by the names that their columns have: `eval.f1` is one, `eval` all below it.
pub(super) fn wanted_entries(store: &mut Store, record: Record, wanted: &Patterns) -> Record {
    if wanted.is_all() { record } else { entries_below(store, record, wanted, "") }
}

fn entries_below(store: &mut Store, record: Record, wanted: &Patterns, prefix: &str) -> Record {
    let entries: Vec<_> = store.entries(record).collect();
    let (mut keys, mut values) = (Vec::with_capacity(entries.len()), Vec::with_capacity(entries.len()));
    for (key, value) in entries {
        let name = format!("{prefix}{}", escape(&store.symbol(key)));
        let value = match value {
            _ if wanted.matches(&name) || wanted.matches(&store.symbol(key)) && prefix.is_empty() => value,
            Value::Dict(inner) => {
                let inner = entries_below(store, inner, wanted, &format!("{name}."));
                if store.entries(inner).next().is_none() {
                    continue;
                }
                Value::Dict(inner)
            }
            _ => continue,
        };
        keys.push(key);
        values.push(value);
    }
    store.push_record(&keys, &values)
}
