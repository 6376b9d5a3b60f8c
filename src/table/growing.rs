//! The columns that most configs have, filled value by value: a value that several holders have in turn is looked at once.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray, UInt32Array};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::compute::take;
use arrow::datatypes::{Float64Type, Int64Type};

use super::arrays::{Arrays, Made, text_of};
use super::levels::Under;
use crate::columns::{Part, PlaceIx, Type};
use crate::values::{Text, Value, index};

/// The values of a column.
pub(super) enum Growing {
    Bool(Bits, Bits),
    Int(Vec<i64>, Bits),
    Float(Vec<f64>, Bits),
    Text(Box<Texts>),
    /// Anything else, until all of it is there
    Values(Vec<Value>),
}

impl Growing {
    /// The values under one key of some holders.
    pub fn of(under: &Under<'_>, part: Part, kind: &Type) -> Self {
        let rows = under.len();
        match (kind, part) {
            (Type::Bool, _) => {
                let (mut bools, mut valid) = (Bits::new(rows), Bits::new(rows));
                under.each(|value, holders| {
                    if let Value::Bool(bool) = value {
                        valid.set(holders);
                        if bool {
                            bools.set(holders);
                        }
                    }
                });
                Self::Bool(bools, valid)
            }
            (Type::Int64, _) => {
                let (ints, valid) =
                    numbers(under, |value| if let Value::Int(int) = value { Some(int) } else { None });
                Self::Int(ints, valid)
            }
            (Type::Float64, Part::Float) => {
                let (floats, valid) =
                    numbers(under, |value| if let Value::Float(float) = value { Some(float) } else { None });
                Self::Float(floats, valid)
            }
            (Type::Utf8, _) => {
                let mut texts = Texts::new(rows);
                under.each(|value, holders| {
                    if let Some(text) = text_of(&value) {
                        texts.put(text, holders);
                    }
                });
                Self::Text(Box::new(texts))
            }
            _ => Self::Values(under.values()),
        }
    }

    /// The array of what belongs to `part`; the rest is null in it.
    pub fn finish(self, arrays: &mut Arrays<'_>, at: PlaceIx, part: Part, kind: &Type) -> Made {
        Ok(match self {
            Self::Bool(bools, valid) => Arc::new(BooleanArray::new(bools.finish(), valid.nulls())),
            Self::Int(ints, valid) => primitive::<Int64Type>(ints, valid),
            Self::Float(floats, valid) => primitive::<Float64Type>(floats, valid),
            Self::Text(texts) => texts.finish(arrays)?,
            Self::Values(values) => arrays.values(&values, at, part, kind)?,
        })
    }
}

/// The numbers of a column, 0 where there is none, and where there is one.
fn numbers<T: Copy + Default>(under: &Under<'_>, number: impl Fn(Value) -> Option<T>) -> (Vec<T>, Bits) {
    let (mut numbers, mut valid) = (vec![T::default(); under.len()], Bits::new(under.len()));
    under.each(|value, holders| {
        if let Some(number) = number(value) {
            valid.set(holders);
            for &at in holders {
                numbers[at as usize] = number;
            }
        }
    });
    (numbers, valid)
}

fn primitive<T: ArrowPrimitiveType>(values: Vec<T::Native>, valid: Bits) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(values.into(), valid.nulls()))
}

/// A bit for each holder.
pub(super) struct Bits {
    words: Vec<u64>,
    length: usize,
    /// How many are set
    set: usize,
}

impl Bits {
    fn new(length: usize) -> Self {
        Self { words: vec![0; length.div_ceil(64)], length, set: 0 }
    }

    /// Sets the bits of some holders, which were not set before.
    fn set(&mut self, holders: &[u32]) {
        self.set += holders.len();
        for &at in holders {
            self.words[at as usize / 64] |= 1 << (at % 64);
        }
    }

    fn finish(self) -> BooleanBuffer {
        BooleanBuffer::new(Buffer::from_vec(self.words), 0, self.length)
    }

    /// The nulls where no bit is set; nothing if all are.
    fn nulls(self) -> Option<NullBuffer> {
        (self.set < self.length).then(|| NullBuffer::new(self.finish()))
    }
}

/// Texts, each that is repeated from line to line once.
pub(super) struct Texts {
    /// The number of the text of each holder, or [`NOTHING`]
    codes: Vec<u32>,
    distinct: Vec<Option<Text>>,
    /// The texts seen last, by their place in the store
    seen: [Option<(Text, u32)>; 64],
}

const NOTHING: u32 = u32::MAX;

impl Texts {
    fn new(length: usize) -> Self {
        Self { codes: vec![NOTHING; length], distinct: Vec::new(), seen: [None; 64] }
    }

    fn put(&mut self, text: Text, holders: &[u32]) {
        let code = self.code(text);
        for &at in holders {
            self.codes[at as usize] = code;
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
        let in_order = self.codes.len() == self.distinct.len()
            && self.codes.iter().enumerate().all(|(at, &code)| code as usize == at);
        if in_order {
            return Ok(texts);
        }
        let codes: UInt32Array = self.codes.iter().map(|&code| (code != NOTHING).then_some(code)).collect();
        take(&texts, &codes, None)
    }
}
