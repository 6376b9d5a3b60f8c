//! Small numbers in the place of what many rows have in common.

use arrow::array::UInt32Array;
use arrow::buffer::{BooleanBuffer, NullBuffer};

/// The code of a row that has nothing.
pub(super) const NONE: u32 = u32::MAX;

/// Codes as an array, null where there is [`NONE`].
pub(super) fn array(mut codes: Vec<u32>) -> UInt32Array {
    if !codes.contains(&NONE) {
        return UInt32Array::new(codes.into(), None);
    }
    let there = BooleanBuffer::collect_bool(codes.len(), |at| codes[at] != NONE);
    for code in &mut codes {
        if *code == NONE {
            *code = 0;
        }
    }
    UInt32Array::new(codes.into(), Some(NullBuffer::new(there)))
}

/// Numbers the codes anew, all below `count`, in the order in which they come first. Gives the old code of each new one.
pub(super) fn renumber(codes: &mut [u32], count: usize) -> Vec<u32> {
    let mut renamed = vec![NONE; count];
    let mut order = Vec::new();
    for code in codes.iter_mut().filter(|code| **code != NONE) {
        let new = &mut renamed[*code as usize];
        if *new == NONE {
            *new = crate::values::index(order.len());
            order.push(*code);
        }
        *code = *new;
    }
    order
}
