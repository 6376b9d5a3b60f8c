//! Builds one column from the distinct values of a key. A value that several records share is read once.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::compute::take;
use arrow::datatypes::{Float64Type, Int64Type};

use super::arrays::{ArrayBuilder, ArrayResult, text_of};
use super::codes::{self, NONE};
use super::enums::EnumBuilder;
use super::levels::KeyView;
use crate::columns::{PathId, Type, ValueKind};
use crate::values::{Text, Value, index};

/// The array of those values of a key that are of one kind, null for the others.
pub(super) fn column(
    values: &KeyView<'_>,
    (path, value_kind, kind): (PathId, ValueKind, &Type),
    arrays: &mut ArrayBuilder<'_>,
) -> ArrayResult {
    let int = |value| if let Value::Int(int) = value { Some(int) } else { None };
    let float = |value| if let Value::Float(float) = value { Some(float) } else { None };
    Ok(match (kind, value_kind) {
        (Type::Bool, _) => bools(values),
        (Type::Int64, _) => numbers::<Int64Type>(values, int),
        (Type::Float64, ValueKind::Float) => numbers::<Float64Type>(values, float),
        (Type::Float64, ValueKind::Number) => {
            numbers::<Float64Type>(values, |value| arrays.float(value, true))
        }
        (Type::Utf8, _) => texts(values, arrays)?,
        (Type::Enum, _) => {
            let mut members = EnumBuilder::new(arrays.store, values.len());
            values.each(|value, positions| members.set(value, positions));
            members.finish(arrays.layout)?
        }
        _ => arrays.values(&values.to_vec(), path, value_kind, kind)?,
    })
}

fn bools(values: &KeyView<'_>) -> ArrayRef {
    let (mut bools, mut valid) = (Bitmap::new(values.len()), Bitmap::new(values.len()));
    values.each(|value, positions| {
        if let Value::Bool(bool) = value {
            valid.set(positions);
            if bool {
                bools.set(positions);
            }
        }
    });
    Arc::new(BooleanArray::new(bools.finish(), valid.nulls()))
}

fn numbers<T: ArrowPrimitiveType>(
    values: &KeyView<'_>,
    number: impl Fn(Value) -> Option<T::Native>,
) -> ArrayRef {
    let (mut numbers, mut valid) = (vec![T::Native::default(); values.len()], Bitmap::new(values.len()));
    values.each(|value, positions| {
        if let Some(number) = number(value) {
            valid.set(positions);
            for &position in positions {
                numbers[position as usize] = number;
            }
        }
    });
    Arc::new(PrimitiveArray::<T>::new(numbers.into(), valid.nulls()))
}

fn texts(values: &KeyView<'_>, arrays: &mut ArrayBuilder<'_>) -> ArrayResult {
    let mut codes = vec![NONE; values.len()];
    let mut distinct: Vec<Text> = Vec::new();
    values.each(|value, positions| {
        let Some(text) = text_of(&value) else { return };
        if distinct.last() != Some(&text) {
            distinct.push(text);
        }
        for &position in positions {
            codes[position as usize] = index(distinct.len() - 1);
        }
    });
    let array = arrays.texts(distinct.iter().copied().map(Some), distinct.len());
    let is_in_order = codes.len() == distinct.len() && codes.iter().copied().eq(0..index(distinct.len()));
    if is_in_order { Ok(array) } else { take(&array, &codes::array(codes), None) }
}

/// A bit for each row.
struct Bitmap {
    words: Vec<u64>,
    length: usize,
    set_bits: usize,
}

impl Bitmap {
    fn new(length: usize) -> Self {
        Self { words: vec![0; length.div_ceil(64)], length, set_bits: 0 }
    }

    /// Sets bits that were not set before.
    fn set(&mut self, positions: &[u32]) {
        self.set_bits += positions.len();
        for &position in positions {
            self.words[position as usize / 64] |= 1 << (position % 64);
        }
    }

    fn finish(self) -> BooleanBuffer {
        BooleanBuffer::new(Buffer::from_vec(self.words), 0, self.length)
    }

    /// Nulls where no bit is set; nothing if all bits are set.
    fn nulls(self) -> Option<NullBuffer> {
        (self.set_bits < self.length).then(|| NullBuffer::new(self.finish()))
    }
}
