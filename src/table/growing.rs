//! Columns that grow by some values at a time, so that several can be built while their values are at hand.

use std::sync::Arc;

use arrow::array::{ArrowPrimitiveType, BooleanArray, BooleanBufferBuilder, PrimitiveArray, UInt32Array};
use arrow::buffer::NullBuffer;
use arrow::compute::take;
use arrow::datatypes::{Float64Type, Int64Type};

use super::arrays::{Arrays, Made, text_of};
use crate::columns::{Part, PlaceIx, Type};
use crate::values::{Text, Value, index};

/// The values of a column, of which there are more and more.
pub(super) enum Growing {
    Bool(BooleanBufferBuilder, Valid),
    Int(Vec<i64>, Valid),
    Float(Vec<f64>, Valid),
    Text(Box<Texts>),
    /// Anything else, until all of it is there
    Values(Vec<Value>),
}

impl Growing {
    /// A column that will have `rows` values.
    pub fn new(part: Part, kind: &Type, rows: usize) -> Self {
        match (kind, part) {
            (Type::Bool, _) => Self::Bool(BooleanBufferBuilder::new(rows), Valid::new(rows)),
            (Type::Int64, _) => Self::Int(Vec::with_capacity(rows), Valid::new(rows)),
            (Type::Float64, Part::Float) => Self::Float(Vec::with_capacity(rows), Valid::new(rows)),
            (Type::Utf8, _) => Self::Text(Box::default()),
            _ => Self::Values(Vec::with_capacity(rows)),
        }
    }

    /// Adds values.
    pub fn push(&mut self, values: &[Value]) {
        match self {
            Self::Bool(bools, valid) => {
                for value in values {
                    bools.append(matches!(value, Value::Bool(true)));
                }
                valid.push(values, |value| matches!(value, Value::Bool(_)));
            }
            Self::Int(ints, valid) => {
                ints.extend(values.iter().map(|value| if let Value::Int(int) = value { *int } else { 0 }));
                valid.push(values, |value| matches!(value, Value::Int(_)));
            }
            Self::Float(floats, valid) => {
                floats.extend(
                    values.iter().map(|value| if let Value::Float(float) = value { *float } else { 0.0 }),
                );
                valid.push(values, |value| matches!(value, Value::Float(_)));
            }
            Self::Text(texts) => texts.push(values),
            Self::Values(all) => all.extend_from_slice(values),
        }
    }

    /// The array of what belongs to `part`; the rest is null in it.
    pub fn finish(self, arrays: &mut Arrays<'_>, at: PlaceIx, part: Part, kind: &Type) -> Made {
        Ok(match self {
            Self::Bool(mut bools, valid) => Arc::new(BooleanArray::new(bools.finish(), valid.finish())),
            Self::Int(ints, valid) => primitive::<Int64Type>(ints, valid),
            Self::Float(floats, valid) => primitive::<Float64Type>(floats, valid),
            Self::Text(texts) => texts.finish(arrays)?,
            Self::Values(values) => arrays.values(&values, at, part, kind)?,
        })
    }
}

fn primitive<T: ArrowPrimitiveType>(values: Vec<T::Native>, valid: Valid) -> arrow::array::ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(values.into(), valid.finish()))
}

/// Which values are no nulls.
pub(super) struct Valid {
    bits: BooleanBufferBuilder,
    nulls: bool,
}

impl Valid {
    fn new(rows: usize) -> Self {
        Self { bits: BooleanBufferBuilder::new(rows), nulls: false }
    }

    fn push(&mut self, values: &[Value], is_valid: impl Fn(&Value) -> bool) {
        if values.iter().all(&is_valid) {
            self.bits.append_n(values.len(), true);
            return;
        }
        self.nulls = true;
        for value in values {
            self.bits.append(is_valid(value));
        }
    }

    fn finish(mut self) -> Option<NullBuffer> {
        self.nulls.then(|| NullBuffer::new(self.bits.finish()))
    }
}

/// Text that is repeated from line to line is one text of the store: where there are few, they are numbered.
pub(super) struct Texts {
    /// The number of the text of each value, or [`NOTHING`]
    codes: Vec<u32>,
    /// The texts; each value has its own when there are many
    distinct: Vec<Option<Text>>,
    /// The texts seen last, by their place in the store
    seen: [Option<(Text, u32)>; 64],
    many: bool,
}

const NOTHING: u32 = u32::MAX;

impl Default for Texts {
    fn default() -> Self {
        Self { codes: Vec::new(), distinct: Vec::new(), seen: [None; 64], many: false }
    }
}

impl Texts {
    fn push(&mut self, values: &[Value]) {
        if !self.many && self.distinct.len() > 64 + self.codes.len() / 2 {
            self.many = true;
            let distinct = &self.distinct;
            self.distinct =
                self.codes.iter().map(|&code| distinct.get(code as usize).copied().flatten()).collect();
            self.codes = Vec::new();
        }
        if self.many {
            return self.distinct.extend(values.iter().map(text_of));
        }
        for value in values {
            let code = text_of(value).map_or(NOTHING, |text| self.code(text));
            self.codes.push(code);
        }
    }

    fn code(&mut self, text: Text) -> u32 {
        let seen = &mut self.seen[text.slot() % 64];
        if let Some((_, code)) = seen.filter(|(seen, _)| *seen == text) {
            return code;
        }
        let code = index(self.distinct.len());
        self.distinct.push(Some(text));
        *seen = Some((text, code));
        code
    }

    fn finish(self, arrays: &mut Arrays<'_>) -> Made {
        let texts = arrays.texts(&self.distinct);
        if self.many {
            return Ok(texts);
        }
        let codes: UInt32Array = self.codes.iter().map(|&code| (code != NOTHING).then_some(code)).collect();
        take(&texts, &codes, None)
    }
}
