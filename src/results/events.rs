//! The records of an event file: a length, its checksum, the data, and theirs.

use std::path::Path;

use super::source::Source;
use crate::error::Result;
use crate::progress::CancelToken;

/// How an event file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileEnd {
    /// Behind a record
    Whole,
    /// Within a record
    Cut,
    /// With a record, counted from 1, whose checksum is wrong
    Damaged { record: u64, what: &'static str },
}

const LENGTH: usize = 8;
const CHECKSUM: usize = 4;
const HEAD: usize = LENGTH + CHECKSUM;
/// Longer records are pictures or graphs: their checksum is computed, and they are not looked into.
const MAX_EVENT_BYTES: usize = 32 << 20;
/// How much of such a record is read at once.
const PIECE: usize = 1 << 20;

/// A checksum as it is written: rotated, so that a record of checksums has a checksum of its own.
fn masked(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(0xA282_EAD8)
}

fn number(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// Calls `each` with the data of each record, as far as the checksums are right.
///
/// # Errors
/// `Io`, with the path.
pub(super) fn each_record(path: &Path, cancel: &CancelToken, mut each: impl FnMut(&[u8])) -> Result<FileEnd> {
    let mut source = Source::open(path, cancel)?;
    for record in 1.. {
        source.fill(HEAD)?;
        let Some((head, _)) = source.bytes().split_first_chunk::<HEAD>() else {
            return Ok(if source.bytes().is_empty() { FileEnd::Whole } else { FileEnd::Cut });
        };
        if masked(crc32c::crc32c(&head[..LENGTH])) != number(&head[LENGTH..]) {
            return Ok(FileEnd::Damaged { record, what: "the checksum of its length is wrong" });
        }
        let length = head.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        if length > source.left().saturating_sub((HEAD + CHECKSUM) as u64) {
            return Ok(FileEnd::Cut);
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let checksum = if length <= MAX_EVENT_BYTES {
            source.fill(HEAD + length + CHECKSUM)?;
            let Some(bytes) = source.bytes().get(HEAD..HEAD + length + CHECKSUM) else {
                return Ok(FileEnd::Cut);
            };
            let (data, written) = bytes.split_at(length);
            if masked(crc32c::crc32c(data)) == number(written) {
                each(data);
                source.consume(HEAD + length + CHECKSUM);
                continue;
            }
            None
        } else {
            source.consume(HEAD);
            pass_over(&mut source, length)?
        };
        match checksum {
            Some(true) => {}
            Some(false) => return Ok(FileEnd::Cut),
            None => return Ok(FileEnd::Damaged { record, what: "the checksum of its data is wrong" }),
        }
    }
    Ok(FileEnd::Whole)
}

/// Passes over a long record: true if its checksum is right, nothing if it is wrong, false if the file ends before.
fn pass_over(source: &mut Source<'_>, length: usize) -> Result<Option<bool>> {
    let mut left = length;
    let mut checksum = 0;
    while left > 0 {
        source.fill(PIECE.min(left))?;
        let bytes = source.bytes();
        let piece = bytes.len().min(left);
        if piece == 0 {
            return Ok(Some(false));
        }
        checksum = crc32c::crc32c_append(checksum, &bytes[..piece]);
        source.consume(piece);
        left -= piece;
    }
    source.fill(CHECKSUM)?;
    let Some(written) = source.bytes().get(..CHECKSUM) else { return Ok(Some(false)) };
    let is_right = masked(checksum) == number(written);
    source.consume(CHECKSUM);
    Ok(is_right.then_some(true))
}
