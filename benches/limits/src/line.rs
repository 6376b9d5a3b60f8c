//! The lines of the two files.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use crate::values::{Dict, Scalar, Text};

/// What the lines of a file are parsed as.
pub trait Kind {
    type Line<'a>: Deserialize<'a>;
}

pub struct Heads;
impl Kind for Heads {
    type Line<'a> = Head<'a>;
}

pub struct Jobs;
impl Kind for Jobs {
    type Line<'a> = Job<'a>;
}

/// A line of `objects.jsonl`; the class, which stands before the fields, says of which struct they are.
#[allow(dead_code, reason = "parsed is all it needs to be")]
pub struct Line<'a, F> {
    id: u64,
    module: &'a str,
    class: &'a str,
    typename: &'a str,
    identifier: &'a str,
    fields: F,
}

/// Fields of the classes of a shape.
pub trait OfClass<'de>: Sized {
    fn read<A: MapAccess<'de>>(class: &str, map: &mut A) -> Result<Self, A::Error>;
}

impl<'de: 'a, 'a, F: OfClass<'de>> Deserialize<'de> for Line<'a, F> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(LineOf(PhantomData))
    }
}

struct LineOf<'a, F>(PhantomData<(&'a (), F)>);

impl<'de: 'a, 'a, F: OfClass<'de>> Visitor<'de> for LineOf<'a, F> {
    type Value = Line<'a, F>;

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut id, mut module, mut class, mut typename, mut identifier, mut fields) = Default::default();
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "id" => id = map.next_value()?,
                "module" => module = map.next_value()?,
                "type" => class = map.next_value()?,
                "typename" => typename = map.next_value()?,
                "identifier" => identifier = map.next_value()?,
                "fields" => fields = Some(F::read(class, &mut map)?),
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        let fields = fields.ok_or_else(|| A::Error::missing_field("fields"))?;
        Ok(Line { id, module, class, typename, identifier, fields })
    }
}

/// The same line, its fields left as they stand.
#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "parsed is all it needs to be")]
pub struct Head<'a> {
    id: u64,
    module: &'a str,
    r#type: &'a str,
    typename: &'a str,
    identifier: &'a str,
    #[serde(borrow)]
    fields: sonic_rs::LazyValue<'a>,
}

/// A line of `jobs.jsonl`.
#[derive(serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
#[allow(dead_code, reason = "parsed is all it needs to be")]
pub struct Job<'a> {
    job_id: &'a str,
    task_id: Text<'a>,
    tags: Dict<'a, Scalar<'a>>,
    timestamp: f64,
}
