//! Values of one type become one array.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, LargeListArray, NullArray,
    PrimitiveArray, StructArray, UInt64Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Decimal128Type, Field};
use arrow::error::ArrowError;

use super::enums::EnumBuilder;
use super::levels::{KeyView, record_of, records_of};
use super::schema::{StringLayout, data_type};
use super::texts::{strings, texts};
use crate::columns::{Member, MemberSource, PathId, PathTree, Type, ValueKind};
use crate::objects::Graph;
use crate::values::{ObjectIx, Store, Text, Value};

/// More list items than this are built only if the files hold about as many values, not if shared lists are repeated.
const MAX_REPEATED_ITEMS: usize = 20_000_000;

pub(super) type ArrayResult = Result<ArrayRef, ArrowError>;

/// Builds arrays of the values of one store.
pub(super) struct ArrayBuilder<'a> {
    pub store: &'a Store,
    pub graph: Option<&'a Graph>,
    pub tree: &'a PathTree,
    pub layout: StringLayout,
    /// Whether some text had unpaired surrogates and is shown escaped
    pub surrogates: bool,
}

impl<'a> ArrayBuilder<'a> {
    /// The array of those values of a path that are of `value_kind`, null for the others.
    pub fn values(
        &mut self,
        values: &[Value],
        path: PathId,
        value_kind: ValueKind,
        kind: &Type,
    ) -> ArrayResult {
        let each = || values.iter().copied();
        Ok(match kind {
            Type::Null => Arc::new(NullArray::new(values.len())),
            Type::Bool => Arc::new(each().map(boolean).collect::<BooleanArray>()),
            Type::Int64 => Arc::new(each().map(int).collect::<Int64Array>()),
            Type::UInt64 => {
                let unsigned = |value| self.wide_int(value)?.try_into().ok();
                Arc::new(each().map(unsigned).collect::<UInt64Array>())
            }
            Type::Decimal => {
                let wide: PrimitiveArray<Decimal128Type> =
                    each().map(|value| self.wide_int(value)).collect::<Decimal128Array>();
                Arc::new(wide.with_precision_and_scale(38, 0)?)
            }
            Type::Float64 => {
                let is_number = value_kind == ValueKind::Number;
                Arc::new(each().map(|value| self.float(value, is_number)).collect::<Float64Array>())
            }
            Type::Digits => strings(each().map(|value| self.digits(value)), self.layout),
            Type::Utf8 => self.texts(values.iter().map(text_of), values.len()),
            Type::Enum => {
                let mut members = EnumBuilder::new(self.store, values.len());
                (0..).zip(values).for_each(|(position, &value)| members.set(value, &[position]));
                members.finish(self.layout)?
            }
            Type::Timestamp => return Err(ArrowError::NotYetImplemented("no value is a time".to_owned())),
            Type::List(item) => self.lists(values, path, value_kind, item)?,
            Type::Struct(members) => self.structs(values, path, members)?,
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
        text_of_object: impl Fn(&'a Graph, ObjectIx) -> Cow<'a, str>,
    ) -> ArrayRef {
        let text = |value: Value| match (value, self.graph) {
            (Value::Object(object), Some(graph)) => Some(text_of_object(graph, object)),
            _ => None,
        };
        strings(values.iter().copied().map(text), self.layout)
    }

    /// The array of `length` texts of the store.
    pub fn texts(&mut self, stored: impl Iterator<Item = Option<Text>> + Clone, length: usize) -> ArrayRef {
        let (array, surrogates) = texts(self.store, stored, length, self.layout);
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

    fn wide_int(&self, value: Value) -> Option<i128> {
        match value {
            Value::Int(value) => Some(value.into()),
            Value::BigInt(text) => self.store.text(text).0.parse().ok(),
            _ => None,
        }
    }

    /// A float; with `ints_too` also an int, in columns where every int is a float without rounding.
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

    fn lists(&mut self, values: &[Value], path: PathId, value_kind: ValueKind, item: &Type) -> ArrayResult {
        let mut items: Vec<Value> = Vec::new();
        let mut lengths: Vec<usize> = Vec::with_capacity(values.len());
        let mut valid: Vec<bool> = Vec::with_capacity(values.len());
        for &value in values {
            let start = items.len();
            valid.push(match (value, value_kind) {
                (Value::List(list), ValueKind::List) => {
                    items.extend(self.store.items(list));
                    true
                }
                (Value::Set(set), ValueKind::Set) => {
                    items.extend(self.sorted(self.store.items(set).collect()));
                    true
                }
                _ => false,
            });
            lengths.push(items.len() - start);
            if items.len() > MAX_REPEATED_ITEMS && items.len() / 4 > self.store.len() {
                return Err(self.too_many_items(path));
            }
        }
        let elements = self.tree.get(path).elements(value_kind).unwrap_or(path);
        let kinds = self.tree.value_kinds(elements);
        let element_kind = kinds.first().map_or(ValueKind::Null, |&(kind, _)| kind);
        let layout = self.layout;
        self.layout = layout.in_list();
        let array = self.values(&items, elements, element_kind, item);
        let field = Arc::new(Field::new("item", data_type(item, self.layout), true));
        self.layout = layout;
        let array = array?;
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(Arc::new(LargeListArray::try_new(field, offsets, array, Some(NullBuffer::from(valid)))?))
    }

    fn too_many_items(&self, path: PathId) -> ArrowError {
        let name = self.tree.name(self.tree.outside_lists(path));
        ArrowError::MemoryError(format!("lists in {name} unfold to more than {MAX_REPEATED_ITEMS} values"))
    }

    fn structs(&mut self, values: &[Value], path: PathId, members: &[Member]) -> ArrayResult {
        let DataType::Struct(fields) = data_type(&Type::Struct(members.to_vec()), self.layout) else {
            return Err(ArrowError::SchemaError("a struct is a struct".to_owned()));
        };
        let records = records_of(values, self.graph);
        let arrays: Result<Vec<ArrayRef>, ArrowError> = members
            .iter()
            .map(|member| {
                // by value: an iterator a level would make a generic function a level
                let member_values: Vec<Value> = if member.path == path {
                    values.to_vec()
                } else {
                    let key = self.tree.get(member.path).key();
                    KeyView::new(self.store, &records, key).to_vec()
                };
                self.member(member_values, member)
            })
            .collect();
        let is_valid = |value: &Value| !matches!(value, Value::Null | Value::Unresolved(_));
        let valid: NullBuffer = values.iter().map(is_valid).collect();
        Ok(Arc::new(StructArray::try_new(fields, arrays?, Some(valid))?))
    }

    fn member(&mut self, mut values: Vec<Value>, member: &Member) -> ArrayResult {
        match member.source {
            MemberSource::Class => Ok(self.classes(&values)),
            MemberSource::Values(kind) => self.values(&values, member.path, kind, &member.kind),
            MemberSource::Fields => {
                let Type::Struct(members) = &member.kind else {
                    return Err(ArrowError::SchemaError("fields are a struct".to_owned()));
                };
                for value in &mut values {
                    if record_of(*value, self.graph).is_none() {
                        *value = Value::Null;
                    }
                }
                self.structs(&values, member.path, members)
            }
        }
    }

    /// The members of a set in the order of its column: None, booleans, numbers, text, other values.
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
        match value {
            Value::Null | Value::Unresolved(_) => (0, 0.0, "".into()),
            Value::Bool(value) => (1, f64::from(u8::from(value)), "".into()),
            Value::Int(_) | Value::BigInt(_) | Value::Float(_) => {
                let number = self.float(value, true).unwrap_or_default();
                // NaN comes after every other number
                let number = if number.is_nan() { f64::INFINITY } else { number };
                (2, number, self.digits(value).unwrap_or_default())
            }
            Value::Str(text) | Value::Path(text) => (3, 0.0, self.store.text(text).0),
            Value::Enum(member) => {
                let name = self.store.enum_member(member).map(|member| self.store.symbol(member.name));
                (4, 0.0, name.unwrap_or_default())
            }
            Value::Object(object) => {
                (5, 0.0, self.graph.map(|graph| graph.identifier(object)).unwrap_or_default())
            }
            Value::List(_) | Value::Set(_) | Value::Dict(_) => (6, 0.0, "".into()),
        }
    }
}

/// The text of a string or path.
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
