//! Which row of a file is the job's result.

use std::cmp::Ordering;

use crate::columns::escape;
use crate::values::{Record, Store, Value};

/// Which row of a file is the job's result.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Select {
    /// The row written last; of event files, the values of the highest step
    #[default]
    Last,
    /// The first row
    First,
    /// The row in which this column is greatest; the first of equal ones; NaN is never greatest
    Max(String),
    /// The row in which this column is least; the first of equal ones; NaN is never least
    Min(String),
}

impl Select {
    /// The column that decides, if one does.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::Max(column) | Self::Min(column) => Some(column),
            Self::Last | Self::First => None,
        }
    }

    /// Whether a number is better than the best so far. NaN never is.
    pub(super) fn is_better(&self, number: f64, best: Option<f64>) -> bool {
        let wanted = if matches!(self, Self::Min(_)) { Ordering::Less } else { Ordering::Greater };
        !number.is_nan() && best.is_none_or(|best| number.partial_cmp(&best) == Some(wanted))
    }
}

/// Whether a key is the column that a user names: as it stands in the file, or as it stands in the column's name.
pub(super) fn names(key: &str, column: &str) -> bool {
    key == column || escape(key) == column
}

/// The number under a flattened name of a record; nothing if there is none.
pub(super) fn number_of(store: &Store, record: Record, column: &str) -> Option<f64> {
    let mut deeper = None;
    for (key, value) in store.entries(record) {
        let key = store.symbol(key);
        if names(&key, column) {
            return as_number(store, value);
        }
        if let Value::Dict(inner) = value {
            let rest = [key.as_ref(), escape(&key).as_ref()]
                .into_iter()
                .find_map(|key| column.strip_prefix(key)?.strip_prefix('.'));
            deeper = deeper.or_else(|| number_of(store, inner, rest?));
        }
    }
    deeper
}

#[allow(clippy::cast_precision_loss, reason = "rows are compared, not shown")]
fn as_number(store: &Store, value: Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(value as f64),
        Value::Float(value) => Some(value),
        Value::BigInt(digits) => store.text(digits).0.parse().ok(),
        _ => None,
    }
}
