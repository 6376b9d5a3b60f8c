//! Reads the JSON that Python writes.
//!
//! Python's `json` module writes, and the files of experimaestro contain, text that strict parsers reject or change:
//! `NaN` and `Infinity` as bare words, integers of any size, strings with unpaired surrogates, duplicate keys, and
//! truncated last lines (docs/format.md §3). [`Reader`] is a pull reader of exactly that language. [`from_slice`] adds
//! serde for the small files, [`lines`] numbers the lines of the large ones, and [`Template`] rereads only the values
//! in which a line differs from the one before.
//!
//! The reader accepts what `json.loads` accepts, except values nested deeper than [`MAX_DEPTH`].

mod bom;
mod de;
mod digits;
mod lines;
mod reader;
mod string;
mod syntax;
mod template;

pub use bom::without_bom;
pub use de::from_slice;
pub use lines::{Line, Lines, lines};
pub use reader::{JsonType, MAX_DEPTH, Number, Reader, Span};
pub use string::{JsonText, decode_into, is_utf8, list_text, lossless};
pub use syntax::Syntax;
pub use template::Template;
