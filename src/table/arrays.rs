//! Values of one type become one array.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, Float64Array, Int32Array, Int64Array,
    LargeListArray, LargeStringArray, PrimitiveArray, StringArray, StructArray, UInt64Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Decimal128Type, Field};
use arrow::error::ArrowError;
use indexmap::IndexSet;

use super::codes::{self, NONE};
use super::levels::{KeyView, holders_of, record_of};
use super::schema::{Texts, data_type};
use super::texts::{strings, texts};
use crate::columns::{Member, MemberSource, PathId, PathTree, Type, ValueKind};
use crate::objects::Graph;
use crate::values::{Store, Text, Value};

/// More items than that are only in lists if so many stand in the files, not if what is shared is repeated.
const MOST_ITEMS: usize = 20_000_000;

pub(super) type Made = Result<ArrayRef, ArrowError>;

/// Builds arrays of the values of one store.
pub(super) struct Arrays<'a> {
    pub store: &'a Store,
    pub graph: Option<&'a Graph>,
    pub places: &'a PathTree,
    pub texts: Texts,
    /// Whether some text could not be held as it is: it has unpaired surrogates
    pub surrogates: bool,
}

impl<'a> Arrays<'a> {
    /// The array of those of `values`, which stand at a place, that belong to `part`; the others are null in it.
    pub fn values(&mut self, values: &[Value], at: PathId, part: ValueKind, kind: &Type) -> Made {
        Ok(match kind {
            Type::Bool => Arc::new(values.iter().copied().map(boolean).collect::<BooleanArray>()),
            Type::Int64 => Arc::new(values.iter().copied().map(int).collect::<Int64Array>()),
            Type::UInt64 => Arc::new(
                values
                    .iter()
                    .copied()
                    .map(|value| self.wide(value)?.try_into().ok())
                    .collect::<UInt64Array>(),
            ),
            Type::Decimal => {
                let wide: PrimitiveArray<Decimal128Type> =
                    values.iter().copied().map(|value| self.wide(value)).collect::<Decimal128Array>();
                Arc::new(wide.with_precision_and_scale(38, 0)?)
            }
            Type::Float64 => {
                let number = part == ValueKind::Number;
                Arc::new(
                    values.iter().copied().map(|value| self.float(value, number)).collect::<Float64Array>(),
                )
            }
            Type::Digits => {
                let digits: Vec<_> = values.iter().copied().map(|value| self.digits(value)).collect();
                strings(digits.iter().map(Option::as_deref), self.texts)
            }
            Type::Utf8 => self.texts(values.iter().map(text_of), values.len()),
            Type::Enum => {
                let mut members = Members::new(self.store, values.len());
                (0..).zip(values).for_each(|(at, &value)| members.put(value, &[at]));
                members.finish(self.texts)?
            }
            Type::Timestamp => return Err(ArrowError::NotYetImplemented("no value is a time".to_owned())),
            Type::List(item) => self.lists(values, at, part, item)?,
            Type::Struct(members) => self.structs(values, at, members)?,
        })
    }

    /// The classes of the configs among `values`.
    pub fn classes(&self, values: &[Value]) -> ArrayRef {
        self.of_objects(values, |graph, object| graph.typename(object))
    }

    /// The content identifiers of the configs among `values`.
    pub fn identifiers(&self, values: &[Value]) -> ArrayRef {
        self.of_objects(values, |graph, object| graph.identifier(object))
    }

    fn of_objects(
        &self,
        values: &[Value],
        say: impl Fn(&'a Graph, crate::values::ObjectIx) -> Cow<'a, str>,
    ) -> ArrayRef {
        let text = |value: Value| match (value, self.graph) {
            (Value::Object(object), Some(graph)) => Some(say(graph, object)),
            _ => None,
        };
        strings(values.iter().copied().map(text), self.texts)
    }

    /// The array of so many texts of the store.
    pub fn texts(&mut self, found: impl Iterator<Item = Option<Text>> + Clone, length: usize) -> ArrayRef {
        let (array, surrogates) = texts(self.store, (found, length), self.texts);
        self.surrogates |= surrogates;
        array
    }

    fn digits(&self, value: Value) -> Option<Cow<'a, str>> {
        match value {
            Value::Int(value) => Some(value.to_string().into()),
            Value::BigInt(text) => Some(self.store.text(text).0),
            _ => None,
        }
    }

    fn wide(&self, value: Value) -> Option<i128> {
        match value {
            Value::Int(value) => Some(value.into()),
            Value::BigInt(text) => self.store.text(text).0.parse().ok(),
            _ => None,
        }
    }

    /// A float, or an int too where every int of the column survives.
    #[allow(
        clippy::cast_precision_loss,
        reason = "the type of the column was chosen so that nothing is lost"
    )]
    pub fn float(&self, value: Value, ints_too: bool) -> Option<f64> {
        match value {
            Value::Float(value) => Some(value),
            Value::Int(value) if ints_too => Some(value as f64),
            Value::BigInt(text) if ints_too => self.store.text(text).0.parse().ok(),
            _ => None,
        }
    }

    fn lists(&mut self, values: &[Value], at: PathId, part: ValueKind, item: &Type) -> Made {
        let mut items: Vec<Value> = Vec::new();
        let mut ends: Vec<usize> = Vec::with_capacity(values.len());
        let mut there: Vec<bool> = Vec::with_capacity(values.len());
        for &value in values {
            let from = items.len();
            there.push(match (value, part) {
                (Value::List(held), ValueKind::List) => {
                    items.extend(self.store.items(held));
                    true
                }
                (Value::Set(held), ValueKind::Set) => {
                    items.extend(self.sorted(self.store.items(held).collect()));
                    true
                }
                _ => false,
            });
            ends.push(items.len() - from);
            if items.len() > MOST_ITEMS && items.len() / 4 > self.store.len() {
                return Err(self.too_many(at));
            }
        }
        let inside = self.places.get(at).inside(part).unwrap_or(at);
        let inside_part = self.places.parts(inside).first().map_or(ValueKind::Null, |&(part, _)| part);
        let array = self.values(&items, inside, inside_part, item)?;
        let field = Arc::new(Field::new("item", data_type(item, self.texts), true));
        let lists = LargeListArray::try_new(
            field,
            OffsetBuffer::from_lengths(ends),
            array,
            Some(NullBuffer::from(there)),
        )?;
        Ok(Arc::new(lists))
    }

    fn too_many(&self, at: PathId) -> ArrowError {
        let name = self.places.name(self.places.outside_lists(at));
        ArrowError::MemoryError(format!("lists in {name} unfold to more than {MOST_ITEMS} values"))
    }

    fn structs(&mut self, values: &[Value], at: PathId, members: &[Member]) -> Made {
        let DataType::Struct(fields) = data_type(&Type::Struct(members.to_vec()), self.texts) else {
            return Err(ArrowError::SchemaError("a struct is a struct".to_owned()));
        };
        let holders = holders_of(values, self.graph);
        let arrays: Result<Vec<ArrayRef>, ArrowError> = members
            .iter()
            .map(|member| {
                // by value: a struct of structs of structs would be as many functions
                let held: Vec<Value> = if member.place == at {
                    values.to_vec()
                } else {
                    let key = self.places.get(member.place).key();
                    KeyView::new(self.store, &holders, key).values()
                };
                self.member(held, member)
            })
            .collect();
        let there: NullBuffer = values
            .iter()
            .copied()
            .map(|value| !matches!(value, Value::Null | Value::Unresolved(_)))
            .collect();
        Ok(Arc::new(StructArray::try_new(fields, arrays?, Some(there))?))
    }

    fn member(&mut self, mut held: Vec<Value>, member: &Member) -> Made {
        match member.what {
            MemberSource::Class => Ok(self.classes(&held)),
            MemberSource::ValueKind(part) => self.values(&held, member.place, part, &member.kind),
            MemberSource::Inside => {
                let Type::Struct(members) = &member.kind else {
                    return Err(ArrowError::SchemaError("what is inside is a struct".to_owned()));
                };
                for value in &mut held {
                    if record_of(*value, self.graph).is_none() {
                        *value = Value::Null;
                    }
                }
                self.structs(&held, member.place, members)
            }
        }
    }

    /// The members of a set in the order that columns give them: None, booleans, numbers, text, anything else.
    fn sorted(&self, mut members: Vec<Value>) -> Vec<Value> {
        members
            .sort_by(|&a, &b| self.rank(a).partial_cmp(&self.rank(b)).unwrap_or(std::cmp::Ordering::Equal));
        // a user's dict may look like a set that holds a value twice
        members.dedup_by(|&mut a, &mut b| {
            let (a, b) = (self.rank(a), self.rank(b));
            a.0 < 5 && a == b
        });
        members
    }

    fn rank(&self, value: Value) -> (u8, f64, Cow<'a, str>) {
        let number = self.float(value, true).unwrap_or_default();
        match value {
            Value::Null | Value::Unresolved(_) => (0, 0.0, "".into()),
            Value::Bool(value) => (1, f64::from(u8::from(value)), "".into()),
            Value::Int(_) | Value::BigInt(_) | Value::Float(_) => {
                // NaN after every other number
                (
                    2,
                    if number.is_nan() { f64::INFINITY } else { number },
                    self.digits(value).unwrap_or_default(),
                )
            }
            Value::Str(text) | Value::Path(text) => (3, 0.0, self.store.text(text).0),
            Value::Enum(at) => {
                let name = self.store.enum_member(at).map(|member| self.store.symbol(member.name));
                (4, 0.0, name.unwrap_or_default())
            }
            Value::Object(object) => {
                (5, 0.0, self.graph.map(|graph| graph.identifier(object)).unwrap_or_default())
            }
            Value::List(_) | Value::Set(_) | Value::Dict(_) => (6, 0.0, "".into()),
        }
    }
}

/// The members of enums among some values: a dictionary, in the order of the values.
pub(super) struct Members<'s> {
    store: &'s Store,
    /// The member of each value, by its position among those that were seen
    codes: Vec<u32>,
    seen: IndexSet<u32, ahash::RandomState>,
}

impl<'s> Members<'s> {
    pub fn new(store: &'s Store, length: usize) -> Self {
        Self { store, codes: vec![NONE; length], seen: IndexSet::default() }
    }

    /// What stands at some positions, if it is a member.
    pub fn put(&mut self, value: Value, positions: &[u32]) {
        let Value::Enum(member) = value else { return };
        let known = self.seen.last().filter(|&&last| last == member).map(|_| self.seen.len() - 1);
        let code = crate::values::index(known.unwrap_or_else(|| self.seen.insert_full(member).0));
        for &at in positions {
            self.codes[at as usize] = code;
        }
    }

    pub fn finish(mut self, texts: Texts) -> Made {
        let order = codes::renumber(&mut self.codes, self.seen.len());
        // members of different enums may have one name
        let mut names: IndexSet<Cow<'_, str>> = IndexSet::new();
        let renamed: Vec<u32> = order
            .iter()
            .map(|&code| self.name(code))
            .map(|name| crate::values::index(names.insert_full(name).0))
            .collect();
        for code in self.codes.iter_mut().filter(|code| **code != NONE) {
            *code = renamed[*code as usize];
        }
        let keys = codes::array(self.codes);
        Ok(match texts {
            Texts::View => {
                Arc::new(DictionaryArray::try_new(keys, Arc::new(StringArray::from_iter_values(names)))?)
            }
            Texts::Large => {
                let keys: Int32Array = keys.unary_opt(|key| i32::try_from(key).ok());
                Arc::new(DictionaryArray::try_new(keys, Arc::new(LargeStringArray::from_iter_values(names)))?)
            }
        })
    }

    fn name(&self, code: u32) -> Cow<'s, str> {
        let member = self.seen.get_index(code as usize).and_then(|&at| self.store.enum_member(at));
        member.map(|member| self.store.symbol(member.name)).unwrap_or_default()
    }
}

/// The text of a value that is one.
pub(super) fn text_of(value: &Value) -> Option<Text> {
    match value {
        Value::Str(text) | Value::Path(text) => Some(*text),
        _ => None,
    }
}

fn boolean(value: Value) -> Option<bool> {
    if let Value::Bool(value) = value { Some(value) } else { None }
}

fn int(value: Value) -> Option<i64> {
    if let Value::Int(value) = value { Some(value) } else { None }
}
