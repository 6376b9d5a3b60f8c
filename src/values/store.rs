//! The values of a run and the texts, names and shapes that they refer to.

use std::borrow::Cow;
use std::sync::Arc;

use indexmap::IndexSet;

use super::blocks::Blocks;
use super::sheet::{Sheet, Sheets};
use super::value::{
    EnumMember, Items, Record, Shape, ShapeIx, SheetIx, Symbol, Text, Unresolved, UnresolvedIx, Value, index,
};
use crate::json;

type Set<T> = IndexSet<T, ahash::RandomState>;

/// The values of one run, or of one file, and the texts that they refer to.
#[derive(Debug, Clone, Default)]
pub struct Store {
    /// UTF-8, except for unpaired surrogates
    pub(super) texts: Blocks<u8>,
    pub(super) symbols: Set<Box<[u8]>>,
    pub(super) shapes: Set<Shape>,
    /// The values of lists, sets and loose records
    pub(super) values: Blocks<Value>,
    pub(super) sheets: Sheets,
    pub(super) enums: Set<EnumMember>,
    pub(crate) unresolved: Vec<Unresolved>,
    pub(super) scratch: Scratch,
}

/// The keys and values of the dicts and lists that are being read, innermost last. Kept between lines for its memory,
/// and to guess shapes.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    pub keys: Vec<Symbol>,
    pub values: Vec<Value>,
    /// The last shape whose first key is the symbol of this index
    pub last_shapes: Vec<Option<ShapeIx>>,
}

/// The size of a store at some time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    texts: usize,
    values: usize,
}

// Memory and pieces
impl Store {
    /// Shares everything read so far with later copies.
    pub(crate) fn seal(&mut self) {
        self.texts.seal();
        self.values.seal();
        self.sheets.seal();
    }

    /// The number of pieces that its texts are in.
    pub(crate) fn pieces(&self) -> usize {
        self.texts.pieces()
    }

    /// Its size now, for [`Self::rewind`].
    pub(crate) fn mark(&self) -> Mark {
        Mark { texts: self.texts.len(), values: self.values.len() }
    }

    /// Drops the texts and values added since `mark`; nothing may refer to them.
    pub(crate) fn rewind(&mut self, mark: Mark) {
        self.texts.truncate(mark.texts);
        self.values.truncate(mark.values);
    }

    /// The number of values in records, lists and sets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() + self.sheets.len()
    }

    /// Whether it has no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pieces that its texts are in, to be shared; `None` while more text may come.
    pub(crate) fn shared_texts(&self) -> Option<impl ExactSizeIterator<Item = &Arc<Vec<u8>>>> {
        self.texts.shared()
    }

    /// The piece that has a text, and the offset of the text in it.
    #[inline]
    pub(crate) fn locate_text(&self, text: Text) -> (usize, usize) {
        self.texts.locate(text.offset())
    }
}

// Texts and names
impl Store {
    /// The bytes of a text: UTF-8, except for unpaired surrogates (see [`json::decode_into`]).
    #[must_use]
    pub fn bytes(&self, text: Text) -> &[u8] {
        self.texts.slice(text.offset(), text.len())
    }

    /// The text, unpaired surrogates shown as escapes, and whether it had any.
    #[must_use]
    pub fn text(&self, text: Text) -> (Cow<'_, str>, bool) {
        json::lossless(self.bytes(text))
    }

    /// Adds a text.
    pub fn push_text(&mut self, bytes: &[u8]) -> Text {
        let offset = self.texts.len();
        self.texts.last().extend_from_slice(bytes);
        Text::new(offset, bytes.len())
    }

    /// Adds a string of the reader, decoded.
    pub(crate) fn string(&mut self, text: json::JsonText<'_>) -> Result<Text, json::Syntax> {
        if !text.escaped {
            return Ok(self.push_text(text.raw));
        }
        Ok(self.push_text(&text.decoded()?))
    }

    /// The name of a symbol, in bytes (as [`Self::bytes`]).
    #[must_use]
    pub fn symbol_bytes(&self, symbol: Symbol) -> &[u8] {
        self.symbols.get_index(symbol.0 as usize).map_or(&[], |name| name)
    }

    /// The name of a symbol, unpaired surrogates shown as escapes.
    #[must_use]
    pub fn symbol(&self, symbol: Symbol) -> Cow<'_, str> {
        json::lossless(self.symbol_bytes(symbol)).0
    }

    /// The symbol of a name; `None` if the name was never interned.
    #[must_use]
    pub fn find_symbol(&self, name: &[u8]) -> Option<Symbol> {
        self.symbols.get_index_of(name).map(|position| Symbol(index(position)))
    }

    /// The symbols of all names that are shown as `shown`: several if unpaired surrogates are shown as escapes.
    pub(crate) fn named(&self, shown: &str) -> Vec<Symbol> {
        if !shown.contains('\\') {
            return self.find_symbol(shown.as_bytes()).into_iter().collect();
        }
        (0..index(self.symbols.len())).map(Symbol).filter(|&symbol| self.symbol(symbol) == shown).collect()
    }

    /// The symbol of a name, which is interned if it is not yet.
    pub fn intern(&mut self, name: &[u8]) -> Symbol {
        let position =
            self.symbols.get_index_of(name).unwrap_or_else(|| self.symbols.insert_full(name.into()).0);
        Symbol(index(position))
    }
}

// Records, lists and sets
impl Store {
    /// The keys of a shape.
    #[must_use]
    pub fn shape(&self, shape: ShapeIx) -> &[Symbol] {
        self.shapes.get_index(shape.0 as usize).map_or(&[], |shape| &shape.0)
    }

    /// All shapes.
    pub fn shapes(&self) -> impl Iterator<Item = ShapeIx> + use<> {
        (0..index(self.shapes.len())).map(ShapeIx)
    }

    pub(super) fn intern_shape(&mut self, keys: &[Symbol]) -> ShapeIx {
        ShapeIx(index(self.shapes.insert_full(Shape(keys.into())).0))
    }

    /// The keys and values of a record, in order.
    pub fn entries(&self, record: Record) -> impl Iterator<Item = (Symbol, Value)> {
        let values = self.raw(record).map(|value| self.resolve(value));
        self.shape(record.shape).iter().copied().zip(values)
    }

    /// The values of a record as read: references that were resolved later are not followed.
    pub(crate) fn raw(&self, record: Record) -> impl Iterator<Item = Value> + '_ {
        let length = self.shape(record.shape).len();
        let sheet = self.sheet(record.sheet);
        let loose = if record.is_loose() { self.values.slice(record.start as usize, length) } else { &[] };
        (0..length).map(move |position| match sheet {
            Some(sheet) => sheet.value(record.start, position),
            None => loose.get(position).copied().unwrap_or(Value::Null),
        })
    }

    /// The positions of the fields of the sheet of a record whose values may contain other values.
    pub(crate) fn nested_fields(&self, record: Record) -> Vec<usize> {
        let fields = self.sheet(record.sheet).map_or(&[][..], |sheet| &sheet.fields);
        let nested = fields.iter().enumerate().filter(|(_, field)| field.may_nest());
        nested.map(|(position, _)| position).collect()
    }

    /// The value of a record at a position of its shape.
    #[inline]
    #[must_use]
    pub fn record_value(&self, record: Record, position: usize) -> Value {
        let value = match self.sheet(record.sheet) {
            Some(sheet) => sheet.value(record.start, position),
            None => {
                self.values.slice(record.start as usize + position, 1).first().copied().unwrap_or(Value::Null)
            }
        };
        self.resolve(value)
    }

    /// The items of a list or set.
    #[must_use]
    pub fn items(&self, items: Items) -> impl ExactSizeIterator<Item = Value> + '_ {
        self.raw_items(items).iter().map(|&value| self.resolve(value))
    }

    /// The items of a list or set as read: references that were resolved later are not followed.
    pub(crate) fn raw_items(&self, items: Items) -> &[Value] {
        self.values.slice(items.start as usize, items.len())
    }

    /// Adds values side by side and returns the index of the first.
    pub(super) fn push_values(&mut self, values: &[Value]) -> u32 {
        let start = index(self.values.len());
        self.values.last().extend_from_slice(values);
        start
    }

    /// Adds a record of these keys and values.
    pub fn push_record(&mut self, keys: &[Symbol], values: &[Value]) -> Record {
        let shape = self.intern_shape(keys);
        Record { shape, start: self.push_values(values), sheet: Record::LOOSE }
    }

    /// Adds a list or set of these values.
    pub fn push_items(&mut self, values: &[Value]) -> Items {
        Items { start: self.push_values(values), length: index(values.len()) }
    }

    /// Adds a sheet whose first row has the values of `record`.
    pub(crate) fn begin_sheet(&mut self, record: Record) -> SheetIx {
        let sheet = Sheet::new(record.shape, self.raw(record));
        SheetIx(self.sheets.push(sheet))
    }

    /// Adds a row to a sheet: the values of the last row, except for `changes`, which are (position, value). `None` if
    /// the sheet is sealed.
    pub(crate) fn add_row(
        &mut self,
        sheet: SheetIx,
        changes: impl IntoIterator<Item = (u32, Value)>,
    ) -> Option<Record> {
        let rows = self.sheets.open(sheet.0)?;
        Some(Record { shape: rows.shape, start: rows.add(changes), sheet: sheet.0 })
    }

    /// Adds a row with the values of `record`, which must have the shape of the sheet.
    pub(crate) fn repeat_row(&mut self, sheet: SheetIx, record: Record) {
        let values: Vec<Value> = self.raw(record).collect();
        self.add_row(sheet, (0..).zip(values));
    }

    pub(super) fn sheet(&self, sheet: u32) -> Option<&Sheet> {
        self.sheets.get(sheet)
    }
}

// References and enum members
impl Store {
    /// The object of a reference that was resolved later; any other value unchanged.
    #[inline]
    #[must_use]
    pub fn resolve(&self, value: Value) -> Value {
        match value {
            Value::Unresolved(reference) => match self.unresolved(reference) {
                Unresolved { object: Some(object), cyclic: false, .. } => Value::Object(object),
                _ => value,
            },
            _ => value,
        }
    }

    /// A reference that was unresolved when it was read.
    #[must_use]
    pub fn unresolved(&self, reference: UnresolvedIx) -> Unresolved {
        let default = Unresolved { id: 0, container: 0, object: None, cyclic: false };
        self.unresolved.get(reference.0 as usize).copied().unwrap_or(default)
    }

    /// Adds an unresolved reference.
    pub fn dangle(&mut self, id: i64, container: u32) -> Value {
        self.unresolved.push(Unresolved { id, container, object: None, cyclic: false });
        Value::Unresolved(UnresolvedIx(index(self.unresolved.len() - 1)))
    }

    /// Marks a reference as leading back to itself, so that it is never followed.
    pub(crate) fn mark_cyclic(&mut self, reference: UnresolvedIx) {
        if let Some(reference) = self.unresolved.get_mut(reference.0 as usize) {
            reference.cyclic = true;
        }
    }

    /// The member of a [`Value::Enum`].
    #[must_use]
    pub fn enum_member(&self, member: u32) -> Option<EnumMember> {
        self.enums.get_index(member as usize).copied()
    }

    /// The value of an enum member, which is added if it is new.
    pub fn member(&mut self, member: EnumMember) -> Value {
        Value::Enum(index(self.enums.insert_full(member).0))
    }
}
