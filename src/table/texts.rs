//! Texts become an array: copied, or shared with the store that they are in.

use std::sync::Arc;

use arrow::array::{ArrayRef, LargeStringArray, LargeStringBuilder, StringViewArray, StringViewBuilder};
use arrow::buffer::Buffer;
use bytes::Bytes;

use super::schema::Texts;
use crate::json;
use crate::values::{Store, Text};

/// At most so many bytes are kept in memory for each byte that is shown.
const MOST_KEPT: usize = 4;

/// The array of `length` texts of a store, and whether some could not be held as it is: it has unpaired surrogates.
///
/// Views point to where the texts lie if these are much of what the store has; elsewhere texts are copied.
pub(super) fn texts(
    store: &Store,
    (texts, length): (impl Iterator<Item = Option<Text>> + Clone, usize),
    layout: Texts,
) -> (ArrayRef, bool) {
    let mut surrogates = false;
    let mut shown = |bytes| {
        let (text, odd) = json::lossless(bytes);
        surrogates |= odd;
        text
    };
    let array: ArrayRef = match layout {
        Texts::View => {
            let mut array = StringViewBuilder::with_capacity(length);
            let pieces = shared(store, texts.clone());
            let blocks: Vec<u32> = pieces.into_iter().map(|piece| array.append_block(piece)).collect();
            for text in texts {
                let Some(text) = text else {
                    array.append_null();
                    continue;
                };
                let viewed = view(store, text, &blocks).is_some_and(|(block, start, length)| {
                    array.try_append_view(block, start, length).is_ok()
                });
                if !viewed {
                    array.append_value(shown(store.bytes(text)));
                }
            }
            Arc::new(array.finish())
        }
        Texts::Large => {
            let mut array = LargeStringBuilder::with_capacity(length, 0);
            texts.for_each(|text| array.append_option(text.map(|text| shown(store.bytes(text)))));
            Arc::new(array.finish())
        }
    };
    (array, surrogates)
}

/// A piece of text, kept as long as an array points into it.
struct Piece(Arc<Vec<u8>>);

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The pieces of a store, if these texts are much of it, and views reach all of them.
fn shared(store: &Store, texts: impl Iterator<Item = Option<Text>>) -> Vec<Buffer> {
    let pieces: Vec<&Arc<Vec<u8>>> = store.shared_texts().into_iter().flatten().collect();
    let kept: usize = pieces.iter().map(|piece| piece.len()).sum();
    let wanted: usize = texts.map(|text| text.map_or(0, Text::len)).sum();
    let within_reach = pieces.iter().all(|piece| piece.len() < u32::MAX as usize);
    if wanted < kept / MOST_KEPT || !within_reach {
        return Vec::new();
    }
    let buffer = |piece| Buffer::from(Bytes::from_owner(Piece(Arc::clone(piece))));
    pieces.into_iter().map(buffer).collect()
}

/// Where a text is: the block, its first byte there, its length.
fn view(store: &Store, text: Text, blocks: &[u32]) -> Option<(u32, u32, u32)> {
    let (piece, start) = store.text_place(text);
    Some((*blocks.get(piece)?, u32::try_from(start).ok()?, u32::try_from(text.len()).ok()?))
}

/// An array of texts in one of the two layouts.
pub(super) fn strings<T: AsRef<str>>(texts: impl Iterator<Item = Option<T>>, layout: Texts) -> ArrayRef {
    match layout {
        Texts::View => Arc::new(texts.collect::<StringViewArray>()),
        Texts::Large => Arc::new(texts.collect::<LargeStringArray>()),
    }
}
