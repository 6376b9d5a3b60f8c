//! Appends one store to another.

use super::store::Store;
use super::value::{
    EnumMember, Items, ObjectIx, Record, Shape, ShapeIx, Symbol, Text, Unresolved, Value, index,
};

/// Translates indices of an appended store to those of the store it was appended to.
#[derive(Debug)]
pub(crate) struct Moved {
    symbols: Vec<Symbol>,
    shapes: Vec<ShapeIx>,
    enums: Vec<u32>,
    /// The value of each unresolved reference
    references: Vec<Value>,
    values: u32,
    sheets: u32,
    texts: usize,
    objects: u32,
}

impl Moved {
    /// The same name.
    pub fn symbol(&self, symbol: Symbol) -> Symbol {
        self.symbols[symbol.0 as usize]
    }

    /// The same text.
    pub fn text(&self, text: Text) -> Text {
        text.shifted(self.texts)
    }

    /// The same record.
    pub fn record(&self, record: Record) -> Record {
        let shape = self.shapes[record.shape.0 as usize];
        if record.is_loose() {
            return Record { shape, start: record.start + self.values, ..record };
        }
        Record { shape, sheet: record.sheet + self.sheets, ..record }
    }

    fn items(&self, items: Items) -> Items {
        Items { start: items.start + self.values, length: items.length }
    }

    /// The same value.
    #[inline]
    pub fn value(&self, value: Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => value,
            Value::BigInt(text) => Value::BigInt(self.text(text)),
            Value::Str(text) => Value::Str(self.text(text)),
            Value::Path(text) => Value::Path(self.text(text)),
            Value::Enum(member) => Value::Enum(self.enums[member as usize]),
            Value::List(items) => Value::List(self.items(items)),
            Value::Set(items) => Value::Set(self.items(items)),
            Value::Dict(record) => Value::Dict(self.record(record)),
            Value::Object(object) => Value::Object(ObjectIx(object.0 + self.objects)),
            Value::Unresolved(reference) => self.references[reference.0 as usize],
        }
    }
}

impl Store {
    /// Appends the values of `next`, whose objects come after `objects` of this store, and returns the translation of
    /// its indices. `resolve` gives the values of its unresolved references.
    pub(crate) fn append(
        &mut self,
        mut next: Self,
        objects: usize,
        resolve: impl Fn(&Unresolved) -> Value,
    ) -> Moved {
        let symbols: Vec<Symbol> = next.symbols.iter().map(|name| self.intern(name)).collect();
        let renamed = |symbol: Symbol| symbols[symbol.0 as usize];
        let keys = |shape: &Shape| shape.0.iter().map(|&key| renamed(key)).collect::<Vec<_>>();
        let shapes = next.shapes.iter().map(|shape| self.intern_shape(&keys(shape))).collect();
        let member = |&EnumMember { module, class, name }: &EnumMember| {
            let member = EnumMember { module: renamed(module), class: renamed(class), name: renamed(name) };
            index(self.enums.insert_full(member).0)
        };
        let enums = next.enums.iter().map(member).collect();
        let references = next.unresolved.iter().map(resolve).collect();
        let (values, texts) = (index(self.values.len()), self.texts.len());
        let (sheets, objects) = (index(self.sheets.count()), index(objects));
        let moved = Moved { symbols, shapes, enums, references, values, sheets, texts, objects };
        for value in next.values.iter_mut() {
            *value = moved.value(*value);
        }
        self.values.append(next.values);
        let shape = |shape: ShapeIx| moved.shapes[shape.0 as usize];
        self.sheets.append(next.sheets, shape, |value| moved.value(value));
        self.texts.append(next.texts);
        moved
    }
}
