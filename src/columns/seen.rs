//! Which types of values were seen at a path.

use indexmap::IndexSet;

/// What the integers of a place have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each asked for on its own")]
pub(super) struct Integers {
    pub in_i64: bool,
    pub in_u64: bool,
    pub in_38_digits: bool,
    /// Whether each is a float64 too, without rounding
    pub exact_as_float: bool,
}

/// The kinds of values seen at a place.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each asked for on its own")]
pub(super) struct Seen {
    pub bool: bool,
    pub int: Option<Integers>,
    pub float: bool,
    pub str: bool,
    pub path: bool,
    pub enums: IndexSet<String>,
    pub classes: IndexSet<String>,
    pub dict: bool,
}

impl Seen {
    pub fn merge(&mut self, other: &Self) {
        self.bool |= other.bool;
        self.float |= other.float;
        self.str |= other.str;
        self.path |= other.path;
        self.dict |= other.dict;
        other.int.into_iter().for_each(|integers| integers.note(&mut self.int));
        self.enums.extend(other.enums.iter().cloned());
        self.classes.extend(other.classes.iter().cloned());
    }
}

impl Integers {
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "whether anything is lost is the question"
    )]
    pub fn small(value: i64) -> Self {
        let exact = value.unsigned_abs() <= 1 << 53 || i128::from(value) == (value as f64) as i128;
        Self { in_i64: true, in_u64: value >= 0, in_38_digits: true, exact_as_float: exact }
    }

    pub fn big(digits: &[u8]) -> Self {
        let text = String::from_utf8_lossy(digits);
        let unsigned = text.trim_start_matches('-');
        // beyond 400 digits a float is infinite
        let as_float: f64 =
            if unsigned.len() > 400 { f64::INFINITY } else { text.parse().unwrap_or(f64::NAN) };
        Self {
            in_i64: text.parse::<i64>().is_ok(),
            in_u64: text.parse::<u64>().is_ok(),
            in_38_digits: unsigned.len() <= 38,
            exact_as_float: as_float.is_finite() && format!("{as_float:.0}") == text,
        }
    }

    pub fn note(self, seen: &mut Option<Self>) {
        let all = seen.get_or_insert(self);
        all.in_i64 &= self.in_i64;
        all.in_u64 &= self.in_u64;
        all.in_38_digits &= self.in_38_digits;
        all.exact_as_float &= self.exact_as_float;
    }
}
