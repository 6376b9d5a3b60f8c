//! How a path is spelled in the name of a column.

use std::borrow::Cow;

/// A key as a column name spells it: `.`, `@` and `\` are escaped with `\`.
#[must_use]
pub fn escape(key: &str) -> Cow<'_, str> {
    if !key.contains(['.', '@', '\\']) {
        return key.into();
    }
    let mut escaped = String::with_capacity(key.len() + 2);
    for character in key.chars() {
        if matches!(character, '.' | '@' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped.into()
}

/// A column's name without `tags.` or `config.`. A system column has no shorter name.
#[must_use]
pub fn short_name(name: &str) -> &str {
    name.strip_prefix("tags.").or_else(|| name.strip_prefix("config.")).unwrap_or(name)
}
