//! The values of fields: text stays in the line unless it has escapes.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

pub struct Text<'a>(#[allow(dead_code, reason = "parsed is all it needs to be")] pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Of;
        impl<'de> Visitor<'de> for Of {
            type Value = Cow<'de, str>;
            fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
                to.write_str("text")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        from.deserialize_str(Of).map(Text)
    }
}

/// `{"type":"python","value":ID}`
#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "parsed is all it needs to be")]
pub struct Ref<'a> {
    r#type: &'a str,
    value: u64,
}

/// `{"type":"path","value":TEXT}`
#[derive(serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
#[allow(dead_code, reason = "parsed is all it needs to be")]
pub struct Place<'a> {
    r#type: &'a str,
    value: Text<'a>,
}

/// `{"type":"enum","module":…,"enum":…,"value":NAME}`
#[derive(serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
#[allow(dead_code, reason = "parsed is all it needs to be")]
pub struct Enum<'a> {
    r#type: &'a str,
    module: Text<'a>,
    r#enum: Text<'a>,
    value: Text<'a>,
}

/// A dictionary in its order: no hash table to be filled.
pub struct Dict<'a, V>(#[allow(dead_code, reason = "parsed is all it needs to be")] pub Vec<(Text<'a>, V)>);

impl<'de: 'a, 'a, V: Deserialize<'de>> Deserialize<'de> for Dict<'a, V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Of<'a, V>(PhantomData<(&'a (), V)>);
        impl<'de: 'a, 'a, V: Deserialize<'de>> Visitor<'de> for Of<'a, V> {
            type Value = Dict<'a, V>;
            fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
                to.write_str("a dictionary")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Dict(entries))
            }
        }
        from.deserialize_map(Of(PhantomData))
    }
}

/// A tag, or a field of several types.
#[allow(dead_code, reason = "parsed is all it needs to be")]
pub enum Scalar<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Of;
        impl<'de> Visitor<'de> for Of {
            type Value = Scalar<'de>;
            fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
                to.write_str("a scalar")
            }
            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Scalar::Null)
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Scalar::Bool(value))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Scalar::Int(value))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
                i64::try_from(value).map(Scalar::Int).map_err(E::custom)
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
                Ok(Scalar::Float(value))
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_any(Of)
    }
}
