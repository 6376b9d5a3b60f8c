//! What is wrong with a JSON text.

use crate::error::Error;

/// A syntax error. `Copy` and without an allocation: readers that try a guess first raise many and drop them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Syntax {
    /// Byte offset in the bytes that the reader was given
    pub position: usize,
    /// What is wrong
    pub reason: &'static str,
}

impl From<Syntax> for Error {
    fn from(Syntax { position, reason }: Syntax) -> Self {
        Self::format(format!("{reason}, at byte {}", position + 1))
    }
}

pub(super) type Result<T> = std::result::Result<T, Syntax>;
