//! One column, filled value by value: a value that several holders have in turn is looked at once.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::compute::take;
use arrow::datatypes::{Float64Type, Int64Type};

use super::arrays::{Arrays, Made, Members, text_of};
use super::codes::{self, NONE};
use super::levels::KeyView;
use crate::columns::{PathId, Type, ValueKind};
use crate::values::{Text, Value, index};

/// The array of the values under one key of some holders that belong to `part`; the rest is null in it.
pub(super) fn column(
    under: &KeyView<'_>,
    (at, part, kind): (PathId, ValueKind, &Type),
    arrays: &mut Arrays<'_>,
) -> Made {
    Ok(match (kind, part) {
        (Type::Bool, _) => bools(under),
        (Type::Int64, _) => {
            numbers::<Int64Type>(under, |value| if let Value::Int(int) = value { Some(int) } else { None })
        }
        (Type::Float64, ValueKind::Float) => {
            numbers::<Float64Type>(
                under,
                |value| {
                    if let Value::Float(float) = value { Some(float) } else { None }
                },
            )
        }
        (Type::Float64, ValueKind::Number) => {
            numbers::<Float64Type>(under, |value| arrays.float(value, true))
        }
        (Type::Utf8, _) => texts(under, arrays)?,
        (Type::Enum, _) => {
            let mut members = Members::new(arrays.store, under.len());
            under.each(|value, holders| members.put(value, holders));
            members.finish(arrays.texts)?
        }
        _ => arrays.values(&under.values(), at, part, kind)?,
    })
}

fn bools(under: &KeyView<'_>) -> ArrayRef {
    let (mut bools, mut valid) = (Bits::new(under.len()), Bits::new(under.len()));
    under.each(|value, holders| {
        if let Value::Bool(bool) = value {
            valid.set(holders);
            if bool {
                bools.set(holders);
            }
        }
    });
    Arc::new(BooleanArray::new(bools.finish(), valid.nulls()))
}

fn numbers<T: ArrowPrimitiveType>(
    under: &KeyView<'_>,
    number: impl Fn(Value) -> Option<T::Native>,
) -> ArrayRef {
    let (mut numbers, mut valid) = (vec![T::Native::default(); under.len()], Bits::new(under.len()));
    under.each(|value, holders| {
        if let Some(number) = number(value) {
            valid.set(holders);
            for &at in holders {
                numbers[at as usize] = number;
            }
        }
    });
    Arc::new(PrimitiveArray::<T>::new(numbers.into(), valid.nulls()))
}

fn texts(under: &KeyView<'_>, arrays: &mut Arrays<'_>) -> Made {
    let mut texts = Texts::new(under.len());
    under.each(|value, holders| {
        if let Some(text) = text_of(&value) {
            texts.put(text, holders);
        }
    });
    texts.finish(arrays)
}

/// A bit for each holder.
struct Bits {
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
struct Texts {
    /// The number of the text of each holder, or [`NONE`]
    codes: Vec<u32>,
    distinct: Vec<Text>,
    /// The texts seen last, by their place in the store
    seen: [Option<(Text, u32)>; 64],
}

impl Texts {
    fn new(length: usize) -> Self {
        Self { codes: vec![NONE; length], distinct: Vec::new(), seen: [None; 64] }
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
        self.distinct.push(text);
        *seen = Some((text, code));
        code
    }

    fn finish(self, arrays: &mut Arrays<'_>) -> Made {
        let texts = arrays.texts(self.distinct.iter().copied().map(Some), self.distinct.len());
        let in_order = self.codes.len() == self.distinct.len()
            && self.codes.iter().enumerate().all(|(at, &code)| code as usize == at);
        if in_order {
            return Ok(texts);
        }
        take(&texts, &codes::array(self.codes), None)
    }
}
