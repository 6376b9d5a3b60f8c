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
    pub(super) fn is_better(&self, number: Rank, best: Option<Rank>) -> bool {
        let wanted = if matches!(self, Self::Min(_)) { Ordering::Less } else { Ordering::Greater };
        !number.as_float().is_nan() && best.is_none_or(|best| number.compare(best) == Some(wanted))
    }
}

/// A number by which rows are compared: integers exactly, as nanoseconds since 1970 differ by less than a float can tell.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rank {
    Int(i128),
    Float(f64),
}

impl Rank {
    /// The number that a text of digits means; nothing if it is none.
    pub fn of_digits(digits: &str) -> Option<Self> {
        digits.parse().map(Self::Int).or_else(|_| digits.parse().map(Self::Float)).ok()
    }

    #[allow(clippy::cast_precision_loss, reason = "the other number is a float")]
    fn as_float(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            _ => self.as_float().partial_cmp(&other.as_float()),
        }
    }
}

/// Whether a key is the column that a user names: as it stands in the file, or as it stands in the column's name.
pub(super) fn names(key: &str, column: &str) -> bool {
    key == column || escape(key) == column
}

/// The number under a flattened name of a record; nothing if there is none.
pub(super) fn number_of(store: &Store, record: Record, column: &str) -> Option<Rank> {
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

fn as_number(store: &Store, value: Value) -> Option<Rank> {
    match value {
        Value::Int(value) => Some(Rank::Int(value.into())),
        Value::Float(value) => Some(Rank::Float(value)),
        Value::BigInt(digits) => Rank::of_digits(&store.text(digits).0),
        _ => None,
    }
}
