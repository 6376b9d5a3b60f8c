//! Codes: small numbers that stand for the distinct values of a column.

use arrow::array::UInt32Array;
use arrow::buffer::{BooleanBuffer, NullBuffer};

/// The code of a row without a value.
pub(super) const NONE: u32 = u32::MAX;

/// Codes as an array, null where the code is [`NONE`].
pub(super) fn array(mut codes: Vec<u32>) -> UInt32Array {
    if !codes.contains(&NONE) {
        return UInt32Array::new(codes.into(), None);
    }
    let valid = BooleanBuffer::collect_bool(codes.len(), |row| codes[row] != NONE);
    for code in &mut codes {
        if *code == NONE {
            *code = 0;
        }
    }
    UInt32Array::new(codes.into(), Some(NullBuffer::new(valid)))
}

/// Renumbers codes below `count` in the order in which they first occur. Returns the old code of each new code.
pub(super) fn renumber(codes: &mut [u32], count: usize) -> Vec<u32> {
    let mut renumbered = vec![NONE; count];
    let mut old_codes = Vec::new();
    for code in codes.iter_mut().filter(|code| **code != NONE) {
        let new_code = &mut renumbered[*code as usize];
        if *new_code == NONE {
            *new_code = crate::values::index(old_codes.len());
            old_codes.push(*code);
        }
        *code = *new_code;
    }
    old_codes
}
