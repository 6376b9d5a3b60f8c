//! Other names for the columns of a table: short ones, and identifiers such as `model_name` for `config.model.name`.

use ahash::HashSet;

use super::listing::Column;
use super::names::short_name;

/// How the columns of a table are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Naming {
    /// `config.model.name`
    #[default]
    Full,
    /// `model.name`
    Short,
    /// `model_name`
    Identifier,
}

/// The names of columns, each once. A column loses its prefix `tags.` or `config.` unless another has the rest of its name: first
/// come columns that were renamed, then system columns, tags, parameters. A name that is still taken gets a number.
#[must_use]
pub fn named(columns: &[Column], naming: Naming) -> Vec<String> {
    let spell = |name: &str| match naming {
        Naming::Full | Naming::Short => name.to_owned(),
        Naming::Identifier => identifier(name),
    };
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|&index| precedence(&columns[index]));
    let mut taken: HashSet<String> = HashSet::default();
    let mut names = vec![String::new(); columns.len()];
    for index in order {
        let column = &columns[index];
        let name = match &column.renamed {
            Some(renamed) => renamed.clone(),
            None if naming == Naming::Full => column.name.clone(),
            None => first_free(&[short_name(&column.name), &column.name].map(spell), &taken),
        };
        taken.insert(name.clone());
        names[index] = name;
    }
    names
}

fn precedence(column: &Column) -> u8 {
    match column.group() {
        _ if column.renamed.is_some() => 0,
        "system" => 1,
        "tag" => 2,
        "parameter" => 3,
        _ => 4,
    }
}

fn first_free(names: &[String; 2], taken: &HashSet<String>) -> String {
    let numbered = (2_u64..).map(|number| format!("{}_{number}", names[1]));
    let mut candidates = names.iter().cloned().chain(numbered);
    candidates.find(|name| !taken.contains(name)).unwrap_or_default()
}

/// Words that are no identifiers in Python.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// A name as an identifier of Python: one `_` for other characters in a row; before a digit, and after a keyword, another.
fn identifier(name: &str) -> String {
    let mut spelled = String::with_capacity(name.len());
    let mut gap = false;
    for character in name.chars() {
        if character.is_alphabetic() || character.is_ascii_digit() || character == '_' {
            if (gap && !spelled.is_empty()) || (spelled.is_empty() && character.is_ascii_digit()) {
                spelled.push('_');
            }
            gap = false;
            spelled.push(character);
        } else {
            gap = true;
        }
    }
    if spelled.is_empty() || KEYWORDS.contains(&spelled.as_str()) {
        spelled.push('_');
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::identifier;

    #[test]
    fn names_become_identifiers() {
        let names = [
            ("model.name", "model_name"),
            ("result.val/loss", "result_val_loss"),
            ("metrics.RR@10", "metrics_RR_10"),
            ("a\\.b..c", "a_b_c"),
            ("10k", "_10k"),
            ("lambda", "lambda_"),
            ("été", "été"),
            ("_private", "_private"),
            ("", "_"),
            ("@", "_"),
        ];
        for (name, spelled) in names {
            assert_eq!(identifier(name), spelled, "{name}");
        }
    }
}
