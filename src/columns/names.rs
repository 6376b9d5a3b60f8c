//! How a path is spelled in the name of a column.

use std::borrow::Cow;

use super::selection::glob_matches;

/// A key as a column name spells it: `.` and `\` are escaped with `\`, `@` only before an ASCII letter, where a suffix such as
/// `@type` could begin. So `RR@10` stands as it is.
#[must_use]
pub fn escape(key: &str) -> Cow<'_, str> {
    if !key.contains(['.', '@', '\\']) {
        return key.into();
    }
    let mut escaped = String::with_capacity(key.len() + 2);
    let mut characters = key.chars().peekable();
    while let Some(character) = characters.next() {
        let is_escaped = match character {
            '.' | '\\' => true,
            '@' => characters.peek().is_some_and(char::is_ascii_alphabetic),
            _ => false,
        };
        if is_escaped {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped.into()
}

/// The key behind an escaped spelling: `only@here` for `only\@here`.
#[must_use]
pub fn unescape(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    let mut characters = name.chars();
    while let Some(character) = characters.next() {
        key.push(if character == '\\' { characters.next().unwrap_or('\\') } else { character });
    }
    key
}

/// A column's name without `tags.` or `config.`. A system column has no shorter name.
#[must_use]
pub fn short_name(name: &str) -> &str {
    name.strip_prefix("tags.").or_else(|| name.strip_prefix("config.")).unwrap_or(name)
}

/// Whether a requested name means this task: its identifier, the last component of it, or a glob, whatever the case.
#[must_use]
pub fn task_matches(name: &str, task_id: &str) -> bool {
    let (name, task_id) = (name.to_lowercase(), task_id.to_lowercase());
    let last = task_id.rsplit('.').next().unwrap_or(&task_id);
    name == task_id || name == last || glob_matches(&name, &task_id)
}
