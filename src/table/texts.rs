//! Texts become an array: copied, or shared with the store that holds them.

use std::sync::Arc;

use arrow::array::{ArrayRef, LargeStringBuilder, StringViewBuilder};
use arrow::buffer::Buffer;
use bytes::Bytes;

use super::schema::StringLayout;
use crate::json;
use crate::values::{Store, Text};

/// An array of views may keep at most this many bytes in memory for each byte that it shows.
const MAX_BYTES_PER_SHOWN: usize = 4;

/// The array of `length` texts of a store, and whether some text has unpaired surrogates, so that it is shown escaped.
///
/// Views point into the store if the texts are much of it, so that the array keeps little else in memory; otherwise texts are
/// copied.
pub(super) fn texts(
    store: &Store,
    texts: impl Iterator<Item = Option<Text>> + Clone,
    length: usize,
    layout: StringLayout,
) -> (ArrayRef, bool) {
    let mut surrogates = false;
    let mut lossless = |text| {
        let (shown, has_surrogates) = json::lossless(store.bytes(text));
        surrogates |= has_surrogates;
        shown
    };
    let array: ArrayRef = match layout {
        StringLayout::View => {
            let mut array = StringViewBuilder::with_capacity(length);
            let blocks: Vec<u32> = shared_blocks(store, texts.clone())
                .into_iter()
                .map(|block| array.append_block(block))
                .collect();
            for text in texts {
                let Some(text) = text else {
                    array.append_null();
                    continue;
                };
                let is_viewed = view(store, text, &blocks).is_some_and(|(block, start, length)| {
                    array.try_append_view(block, start, length).is_ok()
                });
                if !is_viewed {
                    array.append_value(lossless(text));
                }
            }
            Arc::new(array.finish())
        }
        StringLayout::Large | StringLayout::InList => {
            let mut array = LargeStringBuilder::with_capacity(length, 0);
            texts.for_each(|text| array.append_option(text.map(&mut lossless)));
            Arc::new(array.finish())
        }
    };
    (array, surrogates)
}

/// A block of text that lives as long as an array points into it.
struct SharedBlock(Arc<Vec<u8>>);

impl AsRef<[u8]> for SharedBlock {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The text blocks of a store, if these texts are much of it and views can address all of it.
fn shared_blocks(store: &Store, texts: impl Iterator<Item = Option<Text>>) -> Vec<Buffer> {
    let blocks: Vec<&Arc<Vec<u8>>> = store.shared_texts().into_iter().flatten().collect();
    let stored: usize = blocks.iter().map(|block| block.len()).sum();
    let shown: usize = texts.map(|text| text.map_or(0, Text::len)).sum();
    let is_addressable = blocks.iter().all(|block| block.len() < u32::MAX as usize);
    if shown < stored / MAX_BYTES_PER_SHOWN || !is_addressable {
        return Vec::new();
    }
    let buffer = |block| Buffer::from(Bytes::from_owner(SharedBlock(Arc::clone(block))));
    blocks.into_iter().map(buffer).collect()
}

/// The block of a text, its first byte in the block, and its length.
fn view(store: &Store, text: Text, blocks: &[u32]) -> Option<(u32, u32, u32)> {
    let (block, start) = store.locate_text(text);
    Some((*blocks.get(block)?, u32::try_from(start).ok()?, u32::try_from(text.len()).ok()?))
}

/// Builds an array of texts in one of the two layouts.
pub(super) enum TextBuilder {
    View(StringViewBuilder),
    Large(LargeStringBuilder),
}

impl TextBuilder {
    pub fn new(layout: StringLayout, length: usize) -> Self {
        match layout {
            StringLayout::View => Self::View(StringViewBuilder::with_capacity(length)),
            StringLayout::Large | StringLayout::InList => {
                Self::Large(LargeStringBuilder::with_capacity(length, 0))
            }
        }
    }

    pub fn append(&mut self, text: Option<impl AsRef<str>>) {
        match self {
            Self::View(array) => array.append_option(text),
            Self::Large(array) => array.append_option(text),
        }
    }

    pub fn finish(self) -> ArrayRef {
        match self {
            Self::View(mut array) => Arc::new(array.finish()),
            Self::Large(mut array) => Arc::new(array.finish()),
        }
    }
}

/// An array of texts in one of the two layouts.
pub(crate) fn strings<T: AsRef<str>>(
    texts: impl Iterator<Item = Option<T>>,
    layout: StringLayout,
) -> ArrayRef {
    let mut array = TextBuilder::new(layout, texts.size_hint().0);
    texts.for_each(|text| array.append(text));
    array.finish()
}
