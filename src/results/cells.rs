//! What a cell of a text file says: the types of CSV, TSV and trec text.

use crate::values::{Store, Value};

/// What one cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    /// Nothing but blanks
    Null,
    /// `true`, `True`, `TRUE` and their opposites
    Bool(bool),
    /// An integer of 64 bits
    Int(i64),
    /// An integer beyond that
    BigInt,
    /// A decimal or exponent form, `nan`, `inf`
    Float,
    /// Anything else, as it stands: `007`, `1_000`, `0,5`, `12%`, dates, `NA`
    Text,
}

impl Cell {
    /// What the bytes of a cell are; blanks around them do not count.
    #[inline]
    pub fn of(raw: &[u8]) -> Self {
        let text = raw.trim_ascii();
        match text {
            [] => Self::Null,
            [b'0'..=b'9' | b'+' | b'-' | b'.', ..] => number(text),
            b"true" | b"True" | b"TRUE" => Self::Bool(true),
            b"false" | b"False" | b"FALSE" => Self::Bool(false),
            _ if is_float_word(text) => Self::Float,
            _ => Self::Text,
        }
    }
}

fn is_float_word(text: &[u8]) -> bool {
    ["nan", "inf", "infinity"].iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
}

/// How many digits an integer may have to fit into 64 bits whatever they are.
const SAFE_DIGITS: usize = 18;

#[inline]
fn number(text: &[u8]) -> Cell {
    let negative = text[0] == b'-';
    let unsigned = if negative || text[0] == b'+' { &text[1..] } else { text };
    let mut value = 0_i64;
    let mut whole = 0;
    while let Some(digit @ b'0'..=b'9') = unsigned.get(whole) {
        value = value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
        whole += 1;
    }
    if whole > 1 && unsigned[0] == b'0' {
        return Cell::Text;
    }
    if whole > 0 && whole == unsigned.len() {
        if whole <= SAFE_DIGITS {
            return Cell::Int(if negative { -value } else { value });
        }
        let parsed = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        return parsed.map_or(Cell::BigInt, Cell::Int);
    }
    if whole == 0 && is_float_word(unsigned) {
        return Cell::Float;
    }
    if is_fraction(&unsigned[whole..], whole > 0) { Cell::Float } else { Cell::Text }
}

/// Whether the rest of a number behind its whole part is a fraction, an exponent or both.
#[inline]
fn is_fraction(rest: &[u8], has_whole: bool) -> bool {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (mut rest, mut has_digits) = (rest, has_whole);
    if let [b'.', fraction @ ..] = rest {
        let count = digits(fraction);
        has_digits |= count > 0;
        rest = &fraction[count..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let unsigned = exponent.strip_prefix(b"-").or(exponent.strip_prefix(b"+")).unwrap_or(exponent);
        let count = digits(unsigned);
        return has_digits && count > 0 && count == unsigned.len();
    }
    has_digits && rest.is_empty()
}

/// The float that a cell of kind [`Cell::Float`], or any integer, writes.
#[inline]
pub(super) fn float(raw: &[u8]) -> f64 {
    let text = std::str::from_utf8(raw.trim_ascii()).unwrap_or_default();
    text.parse().unwrap_or(f64::NAN)
}

/// The digits of an integer as Python writes it: no `+`, no `-0`.
pub(super) fn digits(raw: &[u8]) -> &[u8] {
    let text = raw.trim_ascii();
    let text = text.strip_prefix(b"+").unwrap_or(text);
    if text == b"-0" { b"0" } else { text }
}

/// Whether an integer is a float64 too, without rounding.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "that is the question")]
pub(super) fn is_exact(value: i64) -> bool {
    value.unsigned_abs() <= 1 << 53 || i128::from(value) == (value as f64) as i128
}

/// The type of a column of cells: one for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellType {
    /// Nothing but nulls
    Null,
    /// Booleans
    Bool,
    /// Integers of 64 bits
    Int,
    /// Integers, some of them beyond 64 bits: their digits
    Digits,
    /// Floats, and integers that are floats without rounding
    Float,
    /// Integers and floats that have no common type: the integers are one column, the floats another
    Split,
    /// Text as it stands
    Text,
}

/// The kinds of cells that a column has.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each asked for on its own")]
pub(super) struct CellTypes {
    bool: bool,
    int: bool,
    big: bool,
    float: bool,
    text: bool,
    /// Whether an integer is no float64 without rounding
    inexact: bool,
}

impl CellTypes {
    /// Whether no further cell can change the type.
    pub fn is_text(self) -> bool {
        self.text || (self.bool && (self.int || self.big || self.float))
    }

    #[inline]
    pub fn observe(&mut self, cell: Cell) {
        match cell {
            Cell::Null => {}
            Cell::Bool(_) => self.bool = true,
            Cell::Int(value) => {
                self.int = true;
                self.inexact |= !is_exact(value);
            }
            Cell::BigInt => (self.big, self.inexact) = (true, true),
            Cell::Float => self.float = true,
            Cell::Text => self.text = true,
        }
    }

    pub fn decide(self) -> CellType {
        if self.is_text() {
            return CellType::Text;
        }
        match (self.bool, self.int || self.big, self.float) {
            (true, ..) => CellType::Bool,
            (_, true, true) if self.inexact => CellType::Split,
            (_, _, true) => CellType::Float,
            (_, true, _) if self.big => CellType::Digits,
            (_, true, _) => CellType::Int,
            _ => CellType::Null,
        }
    }
}

impl CellType {
    /// The type that a user calls so; nothing if there is none.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "bool" | "boolean" => Self::Bool,
            "int" | "int64" => Self::Int,
            "float" | "float64" => Self::Float,
            "str" | "string" => Self::Text,
            _ => return None,
        })
    }

    /// Its name in errors.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int64",
            Self::Digits | Self::Split => "number",
            Self::Float => "float64",
            Self::Text => "text",
        }
    }

    /// The value of a cell in a column of this type.
    pub(super) fn value(self, raw: &[u8], store: &mut Store) -> Value {
        let cell = Cell::of(raw);
        match (self, cell) {
            (_, Cell::Null) => Value::Null,
            (Self::Text, _) | (_, Cell::Text) => Value::Str(store.push_text(raw)),
            (_, Cell::Bool(value)) => Value::Bool(value),
            (Self::Float, _) | (_, Cell::Float) => Value::Float(float(raw)),
            (_, Cell::Int(value)) => Value::Int(value),
            (_, Cell::BigInt) => Value::BigInt(store.push_text(digits(raw))),
        }
    }
}
