//! A serde deserializer on top of the reader, for the small files.

use std::borrow::Cow;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};

use super::bom::without_bom;
use super::reader::{JsonType, Number, Reader};
use super::string::JsonText;
use super::syntax::Syntax;
use crate::error;

/// Reads one value into `T`. An unpaired surrogate becomes U+FFFD in a `String`; an integer beyond 128 bits becomes a
/// float.
///
/// # Errors
/// `Format`: not JSON as Python writes it, more text after the value, or not a `T`. The message gives the byte.
pub fn from_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> error::Result<T> {
    let mut reader = Reader::new(without_bom(bytes));
    let value = T::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

impl serde::de::Error for error::Error {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self::format(message.to_string())
    }
}

/// A string, borrowed if it has no escapes.
fn string(text: JsonText<'_>) -> Result<Cow<'_, str>, Syntax> {
    if text.escaped {
        return Ok(String::from_utf8_lossy(&text.decoded()?).into_owned().into());
    }
    // quicker than the lossy conversion for text that is valid, as nearly all is
    Ok(std::str::from_utf8(text.raw).map_or_else(|_| String::from_utf8_lossy(text.raw), Cow::Borrowed))
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = error::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.peek()? {
            JsonType::Null => {
                self.null()?;
                visitor.visit_unit()
            }
            JsonType::Bool => visitor.visit_bool(self.bool()?),
            JsonType::Number => match self.number()? {
                Number::Int(value) => visitor.visit_i64(value),
                Number::Float(value) => visitor.visit_f64(value),
                Number::Big(digits, _) => big(digits, visitor),
            },
            JsonType::String => match string(self.string()?)? {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
            JsonType::List => {
                self.open(b'[')?;
                visitor.visit_seq(Items { reader: self, first: true })
            }
            JsonType::Dict => {
                self.open(b'{')?;
                visitor.visit_map(Items { reader: self, first: true })
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if self.peek()? == JsonType::Null {
            self.null()?;
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.skip()?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier
    }
}

fn big<'de, V: Visitor<'de>>(digits: &[u8], visitor: V) -> error::Result<V::Value> {
    let text = String::from_utf8_lossy(digits);
    if let Ok(value) = text.parse::<u64>() {
        visitor.visit_u64(value)
    } else if let Ok(value) = text.parse::<i128>() {
        visitor.visit_i128(value)
    } else {
        visitor.visit_f64(text.parse().unwrap_or(f64::NAN))
    }
}

/// The items of a list or the entries of a dict, after the opening bracket.
struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    first: bool,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = error::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> error::Result<Option<T::Value>> {
        let has_next = self.reader.more(b']', std::mem::take(&mut self.first))?;
        if has_next { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = error::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> error::Result<Option<K::Value>> {
        if !self.reader.more(b'}', std::mem::take(&mut self.first))? {
            return Ok(None);
        }
        let key = string(self.reader.key()?)?;
        let key: StrDeserializer<'_, error::Error> = key.as_ref().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> error::Result<S::Value> {
        seed.deserialize(&mut *self.reader)
    }
}
