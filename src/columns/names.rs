//! How a place is spelled.

use std::borrow::Cow;

/// A key as it stands in a column name: `.`, `@` and `\` are escaped with `\`.
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

/// What is left of a column's name without `tags.` or `config.`; a system column has no shorter name.
#[must_use]
pub fn short_name(name: &str) -> &str {
    name.strip_prefix("tags.").or_else(|| name.strip_prefix("config.")).unwrap_or(name)
}
