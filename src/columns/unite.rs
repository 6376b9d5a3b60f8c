//! Unites columns under one name, as those of a parameter that was renamed.

use super::kind::ValueKind;
use super::listing::{Column, ColumnSource, Merged};
use super::selection::{Chosen, ColumnNames};
use super::types::Type;
use crate::error::{Error, ErrorKind, Result, quoted};

/// One column of several names: the first value that is not null. Names that mean no column are noted.
///
/// # Errors
/// `Column`: no name means a column, one means several, or their types do not unite.
pub(super) fn merge(chosen: &Chosen, names: &mut impl ColumnNames) -> Result<Column> {
    let (mut columns, mut missing): (Vec<Column>, Vec<String>) = (Vec::new(), Vec::new());
    for pattern in chosen.patterns() {
        let mut found = names.find(pattern)?;
        match (found.pop(), found.is_empty()) {
            (Some(column), true) => columns.push(column),
            (None, _) => missing.push(pattern.to_owned()),
            (Some(last), false) => {
                found.push(last);
                return Err(several(pattern, &found));
            }
        }
    }
    let mut others = columns.split_off(columns.len().min(1));
    let Some(mut first) = columns.pop() else { return Err(names.unknown(&chosen.pattern)) };
    others.retain(|other| other.name != first.name);
    let first_kind = first.kind.clone();
    let mut is_exact = has_exact_floats(&first, names);
    for other in &others {
        is_exact &= has_exact_floats(other, names);
        first.kind = united(&first.kind, &other.kind, is_exact)
            .ok_or_else(|| apart(chosen.rename.as_deref().unwrap_or_default(), &first, other))?;
    }
    first.renamed.clone_from(&chosen.rename);
    first.is_split = false;
    first.merged = Some(Merged { first_kind, others, missing });
    Ok(first)
}

fn has_exact_floats(column: &Column, names: &impl ColumnNames) -> bool {
    match column.source {
        ColumnSource::Values(path, ValueKind::Int) => names.tree(column).has_exact_floats(path),
        _ => true,
    }
}

/// The type that holds the values of both without a loss; nothing if there is none. Integers become floats only if all of them
/// are floats without rounding.
fn united(a: &Type, b: &Type, is_exact: bool) -> Option<Type> {
    let rank = |kind: &Type| match kind {
        Type::Int64 => Some(0),
        Type::UInt64 => Some(1),
        Type::Decimal => Some(2),
        Type::Digits => Some(3),
        _ => None,
    };
    match (a, b) {
        (a, b) if a == b => Some(a.clone()),
        (Type::Null, kind) | (kind, Type::Null) => Some(kind.clone()),
        (Type::Float64, int) | (int, Type::Float64) => (is_exact && rank(int)? < 2).then_some(Type::Float64),
        (a, b) => Some(if rank(a)?.max(rank(b)?) == 3 { Type::Digits } else { Type::Decimal }),
    }
}

fn several(pattern: &str, columns: &[Column]) -> Error {
    let shown: Vec<&str> = columns.iter().take(5).map(|column| column.name.as_str()).collect();
    Error::new(ErrorKind::Column, format!("{} means {} columns", quoted(pattern), columns.len()))
        .at_field(pattern)
        .hint(format!("write one of {}", shown.join(", ")))
}

fn apart(name: &str, first: &Column, other: &Column) -> Error {
    let shown = |column: &Column| format!("{} is {}", column.name, column.kind.name());
    let reason = format!("the types of {} do not unite: {}, {}", quoted(name), shown(first), shown(other));
    Error::new(ErrorKind::Column, reason)
        .at_field(&other.name)
        .hint("give each column a name of its own, and convert one of them")
}
