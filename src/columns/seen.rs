//! Which types of values were seen at a path.

use indexmap::IndexSet;

/// Which Arrow types hold every integer seen at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each read on its own")]
pub(super) struct IntegerFit {
    pub in_i64: bool,
    pub in_u64: bool,
    pub in_38_digits: bool,
    /// Whether each integer is also a float64, without rounding
    pub exact_as_float: bool,
}

impl IntegerFit {
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "the cast finds out whether anything is lost"
    )]
    pub fn of_i64(value: i64) -> Self {
        let exact = value.unsigned_abs() <= 1 << 53 || i128::from(value) == (value as f64) as i128;
        Self { in_i64: true, in_u64: value >= 0, in_38_digits: true, exact_as_float: exact }
    }

    pub fn of_digits(digits: &[u8]) -> Self {
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

    /// Narrows the fit of a path to one that holds these integers too.
    pub fn narrow(self, fit: &mut Option<Self>) {
        let fit = fit.get_or_insert(self);
        fit.in_i64 &= self.in_i64;
        fit.in_u64 &= self.in_u64;
        fit.in_38_digits &= self.in_38_digits;
        fit.exact_as_float &= self.exact_as_float;
    }
}

/// The types of the values seen at a path.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each read on its own")]
pub(super) struct SeenTypes {
    pub bool: bool,
    pub int: Option<IntegerFit>,
    pub float: bool,
    pub str: bool,
    pub path: bool,
    /// The enum classes
    pub enums: IndexSet<String>,
    /// The config classes
    pub classes: IndexSet<String>,
    pub dict: bool,
}

impl SeenTypes {
    pub fn merge(&mut self, later: &Self) {
        self.bool |= later.bool;
        self.float |= later.float;
        self.str |= later.str;
        self.path |= later.path;
        self.dict |= later.dict;
        later.int.into_iter().for_each(|fit| fit.narrow(&mut self.int));
        self.enums.extend(later.enums.iter().cloned());
        self.classes.extend(later.classes.iter().cloned());
    }
}
