//! The JSON that Python writes.
//!
//! Python's `json` module writes, and experimaestro's files hold, what strict parsers reject or change: `NaN` and `Infinity` as
//! bare words, integers of any size, strings with unpaired surrogates, duplicate keys, and last lines that are cut
//! (`format.md` §3). [`Reader`] is a small pull reader of exactly that language; [`from_slice`] puts serde on top of it for
//! the small files; [`lines`] numbers the lines of the large ones, and a [`Template`] reads of a line what its forerunner had
//! otherwise.
//!
//! What is accepted is what `json.loads` accepts, with one stated limit: values nested deeper than [`MAX_DEPTH`].

mod bom;
mod de;
mod digits;
mod lines;
mod reader;
mod string;
mod template;

pub use bom::without_bom;
pub use de::from_slice;
pub use lines::{Line, Lines, lines};
pub use reader::{JsonType, MAX_DEPTH, Number, Reader, Syntax};
pub use string::{JsonText, decode_into, is_utf8, list_text, lossless};
pub use template::{Span, Template};
