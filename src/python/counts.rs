//! Counts distinct values in columns of a table.

use std::hash::Hash;

use ahash::HashMap;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType, UInt64Type,
};

use crate::error::{Error, ErrorKind, Result};

/// Numbers for the rows of a table; rows with equal values have the same number.
pub(super) struct Numbered {
    /// The number of each row
    numbers: Vec<usize>,
    /// The first row of each number
    pub firsts: Vec<usize>,
}

impl Numbered {
    fn of<K: Hash + Eq + Copy>(keys: impl Iterator<Item = K>) -> Self {
        let mut numbers_by_key: HashMap<K, usize> = HashMap::default();
        let (mut numbers, mut firsts) = (Vec::new(), Vec::new());
        let mut last = None;
        for (row, key) in keys.enumerate() {
            // most jobs have the value of the job before
            let number = match last {
                Some((before, number)) if before == key => number,
                _ => *numbers_by_key.entry(key).or_insert(firsts.len()),
            };
            if number == firsts.len() {
                firsts.push(row);
            }
            numbers.push(number);
            last = Some((key, number));
        }
        Self { numbers, firsts }
    }

    /// By the values of a column.
    pub fn by(array: &dyn Array) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Null => Self::of(std::iter::repeat_n(None::<bool>, array.len())),
            DataType::Boolean => Self::of(array.as_boolean().iter()),
            DataType::Int64 => Self::of(array.as_primitive::<Int64Type>().iter()),
            DataType::UInt64 => Self::of(array.as_primitive::<UInt64Type>().iter()),
            DataType::Float64 => {
                Self::of(array.as_primitive::<Float64Type>().iter().map(|value| value.map(same_bits)))
            }
            DataType::Timestamp(..) => Self::of(array.as_primitive::<TimestampMicrosecondType>().iter()),
            DataType::Decimal128(..) => Self::of(array.as_primitive::<Decimal128Type>().iter()),
            DataType::Utf8 => Self::of(array.as_string::<i32>().iter()),
            DataType::LargeUtf8 => Self::of(array.as_string::<i64>().iter()),
            DataType::Utf8View => Self::of(array.as_string_view().iter()),
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                // the dictionaries of several runs may be concatenated: a name may have several keys
                let names = Self::by(dictionary.values())?.numbers;
                // Arrow has no keys into an empty dictionary: all values are null then
                let keys = if names.is_empty() { vec![0; array.len()] } else { dictionary.normalized_keys() };
                Self::of(keys.iter().enumerate().map(|(row, &key)| array.is_valid(row).then(|| names[key])))
            }
            data_type => {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("cannot count values of {data_type}"),
                ));
            }
        })
    }

    /// By the values of both columns.
    pub fn and(&self, second: &Self) -> Self {
        Self::of(self.numbers.iter().zip(&second.numbers))
    }

    /// How many rows have each number.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.firsts.len()];
        for &number in &self.numbers {
            counts[number] += 1;
        }
        counts
    }
}

/// Bits that are equal for equal numbers, and for all NaN.
fn same_bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}
