//! How often values stand in columns of a table.

use std::hash::Hash;

use ahash::HashMap;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType, UInt64Type,
};

use crate::error::{Error, ErrorKind, Result};

/// The rows of a table, of which those with the same values have the same number.
pub(super) struct Numbered {
    /// The number of each row
    numbers: Vec<usize>,
    /// The first row of each number
    pub firsts: Vec<usize>,
}

impl Numbered {
    fn of<K: Hash + Eq + Copy>(keys: impl Iterator<Item = K>) -> Self {
        let mut known: HashMap<K, usize> = HashMap::default();
        let (mut numbers, mut firsts) = (Vec::new(), Vec::new());
        let mut last = None;
        for (row, key) in keys.enumerate() {
            // in most columns a job has the value of the job before it
            let number = match last {
                Some((before, number)) if before == key => number,
                _ => *known.entry(key).or_insert(firsts.len()),
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
                // the dictionaries of several runs may stand behind each other
                let names = Self::by(dictionary.values())?.numbers;
                // Arrow has no keys into an empty dictionary: all values are null then
                let keys = if names.is_empty() { vec![0; array.len()] } else { dictionary.normalized_keys() };
                Self::of(keys.iter().enumerate().map(|(row, &key)| array.is_valid(row).then(|| names[key])))
            }
            other => {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("values of {other} are not counted"),
                ));
            }
        })
    }

    /// By the values of these columns and of others.
    pub fn and(&self, other: &Self) -> Self {
        Self::of(self.numbers.iter().zip(&other.numbers))
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

/// The same for numbers that are equal, and for all that are none.
fn same_bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}
