//! Values and what they point into.

use std::sync::Arc;

use indexmap::IndexSet;

use super::blocks::Blocks;
use super::sheet::{Sheet, Sheets};
use super::{ObjectIx, index};
use crate::json;

type Set<T> = IndexSet<T, ahash::RandomState>;

/// Some text of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    length: u32,
    low: u32,
    /// The upper bits of the start
    high: u16,
}

/// For so many bytes of text room is made at once, at most.
const MOST_ROOM: usize = 1 << 28;

/// How texts are put into 64 bits.
const LENGTH_BITS: u32 = 24;
const START_BITS: u32 = u64::BITS - LENGTH_BITS;

impl Text {
    #[allow(clippy::cast_possible_truncation, reason = "the start is cut into its two halves")]
    fn new(start: usize, length: usize) -> Self {
        Self { length: index(length), low: start as u32, high: (start >> 32) as u16 }
    }

    /// The same text after `bytes` were put before all texts.
    pub(super) fn moved(self, bytes: usize) -> Self {
        Self::new(self.start() + bytes, self.length as usize)
    }

    /// Whether the text has no bytes.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.length == 0
    }

    /// How many bytes it has.
    #[must_use]
    pub fn len(self) -> usize {
        self.length as usize
    }

    /// The text in 64 bits, if it is short enough.
    pub(super) fn bits(self) -> Option<u64> {
        let start = self.start() as u64;
        (start >> START_BITS == 0 && self.length >> LENGTH_BITS == 0)
            .then(|| start << LENGTH_BITS | u64::from(self.length))
    }

    /// The text that was put into these bits.
    pub(super) fn of_bits(bits: u64) -> Self {
        let length = bits & ((1 << LENGTH_BITS) - 1);
        Self::new((bits >> LENGTH_BITS) as usize, length as usize)
    }

    fn start(self) -> usize {
        (self.high as usize) << 32 | self.low as usize
    }
}

/// A name that was seen, stored once: a key, a module, a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(pub(crate) u32);

/// Index of a [`Shape`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShapeIx(pub(crate) u32);

impl ShapeIx {
    /// The index as the position that it is.
    #[must_use]
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// The keys of a dict or the fields of an object, in their order, without repetition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shape(pub Box<[Symbol]>);

/// The values of a dict or of an object's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Its keys
    pub shape: ShapeIx,
    /// Where its values start, or its row in a sheet
    pub(super) start: u32,
    /// The sheet that it is a row of, or [`Record::LOOSE`]
    pub(super) sheet: u32,
}

impl Record {
    /// The sheet of a record whose values lie side by side.
    pub(super) const LOOSE: u32 = u32::MAX;

    pub(super) fn is_loose(self) -> bool {
        self.sheet == Self::LOOSE
    }

    /// The index of its sheet, if it is in one.
    pub(crate) fn sheet(self) -> Option<usize> {
        (!self.is_loose()).then_some(self.sheet as usize)
    }
}

/// Index of a sheet: records of one shape that mostly repeat each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SheetIx(u32);

/// The values of a list or set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Items {
    pub(crate) start: u32,
    pub(crate) length: u32,
}

impl Items {
    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.length as usize
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.length == 0
    }
}

/// A member of a Python enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EnumMember {
    /// The module of its class
    pub module: Symbol,
    /// The qualified name of its class
    pub class: Symbol,
    /// The name of the member
    pub name: Symbol,
}

/// Index of an [`Unresolved`] reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnresolvedIx(pub(crate) u32);

/// A reference that named no object when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unresolved {
    /// The id that was named
    pub id: i64,
    /// Which container it was read from
    pub container: u32,
    /// The object, where a later line or another file had it
    pub object: Option<ObjectIx>,
    /// Whether following it would come back to itself
    pub cyclic: bool,
}

/// What a field, a tag or an item holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// `None`
    Null,
    /// `True` or `False`
    Bool(bool),
    /// An `int` of 64 bits
    Int(i64),
    /// A larger `int`: its digits
    BigInt(Text),
    /// A `float`
    Float(f64),
    /// A `str`
    Str(Text),
    /// A `pathlib.Path`
    Path(Text),
    /// A member of an enum
    Enum(u32),
    /// A `list`
    List(Items),
    /// A `set`
    Set(Items),
    /// A `dict`
    Dict(Record),
    /// A config
    Object(ObjectIx),
    /// A reference that names no object, or did not at first
    Unresolved(UnresolvedIx),
}

/// The values of one run, or of one file, and the texts that they point into.
#[derive(Debug, Clone, Default)]
pub struct Store {
    /// UTF-8, but for unpaired surrogates
    pub(super) texts: Blocks<u8>,
    pub(super) symbols: Set<Box<[u8]>>,
    pub(super) shapes: Set<Shape>,
    /// The values of lists, sets and loose records
    pub(super) values: Blocks<Value>,
    pub(super) sheets: Sheets,
    pub(super) enums: Set<EnumMember>,
    pub(crate) unresolved: Vec<Unresolved>,
    pub(super) memory: super::read::Memory,
}

/// How much a store held at some time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    texts: usize,
    values: usize,
}

impl Store {
    /// Lets copies share what there is.
    pub(crate) fn seal(&mut self) {
        self.texts.seal();
        self.values.seal();
        self.sheets.seal();
    }

    /// Makes room for more text: `more` says how much may come, by how much there is.
    pub(crate) fn expect(&mut self, more: impl Fn(usize) -> usize) {
        let bytes = more(self.texts.len()).min(MOST_ROOM);
        // it is only an estimate: without room it grows as it must
        let _ = self.texts.last().try_reserve(bytes);
    }

    /// In how many pieces it is.
    pub(crate) fn pieces(&self) -> usize {
        self.texts.pieces()
    }

    /// How much it holds now.
    pub(crate) fn mark(&self) -> Mark {
        Mark { texts: self.texts.len(), values: self.values.len() }
    }

    /// Forgets the texts and values that came since; nothing may point to them.
    pub(crate) fn rewind(&mut self, mark: Mark) {
        self.texts.truncate(mark.texts);
        self.values.truncate(mark.values);
    }

    /// The items of a list or set as they were read: references that were resolved later are not followed.
    pub(crate) fn raw_items(&self, items: Items) -> &[Value] {
        self.values.slice(items.start as usize, items.len())
    }

    /// Says that following this reference comes back to where it stands.
    pub(crate) fn mark_cyclic(&mut self, at: UnresolvedIx) {
        if let Some(reference) = self.unresolved.get_mut(at.0 as usize) {
            reference.cyclic = true;
        }
    }

    /// How many values it holds: those of records, lists and sets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() + self.sheets.len()
    }

    /// Whether it holds no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of a text: UTF-8, but for unpaired surrogates (see [`json::decode_into`]).
    #[must_use]
    pub fn bytes(&self, text: Text) -> &[u8] {
        self.texts.slice(text.start(), text.length as usize)
    }

    /// The pieces that texts lie in, to be shared; nothing if more text may come.
    pub(crate) fn shared_texts(&self) -> Option<impl ExactSizeIterator<Item = &Arc<Vec<u8>>>> {
        self.texts.shared()
    }

    /// The number of the piece that a text lies in, and where it begins there.
    #[inline]
    pub(crate) fn text_place(&self, text: Text) -> (usize, usize) {
        self.texts.place(text.start())
    }

    /// The text, unpaired surrogates shown as escapes; the flag says whether there were any.
    #[must_use]
    pub fn text(&self, text: Text) -> (std::borrow::Cow<'_, str>, bool) {
        json::lossless(self.bytes(text))
    }

    /// The name behind a symbol, in bytes (as [`Self::bytes`]).
    #[must_use]
    pub fn symbol_bytes(&self, symbol: Symbol) -> &[u8] {
        self.symbols.get_index(symbol.0 as usize).map_or(&[], |name| name)
    }

    /// The name behind a symbol, unpaired surrogates shown as escapes.
    #[must_use]
    pub fn symbol(&self, symbol: Symbol) -> std::borrow::Cow<'_, str> {
        json::lossless(self.symbol_bytes(symbol)).0
    }

    /// The symbol of a name, if it was ever seen.
    #[must_use]
    pub fn find_symbol(&self, name: &[u8]) -> Option<Symbol> {
        self.symbols.get_index_of(name).map(|at| Symbol(index(at)))
    }

    /// The symbols of the names that are shown like this: several, if unpaired surrogates are shown as their escapes.
    pub(crate) fn named(&self, shown: &str) -> Vec<Symbol> {
        if !shown.contains('\\') {
            return self.find_symbol(shown.as_bytes()).into_iter().collect();
        }
        (0..index(self.symbols.len())).map(Symbol).filter(|&symbol| self.symbol(symbol) == shown).collect()
    }

    /// How many symbols there are.
    #[must_use]
    pub fn symbols(&self) -> usize {
        self.symbols.len()
    }

    /// The symbol of a name, seen before or not.
    pub fn intern(&mut self, name: &[u8]) -> Symbol {
        let at = self.symbols.get_index_of(name).unwrap_or_else(|| self.symbols.insert_full(name.into()).0);
        Symbol(index(at))
    }

    /// The keys of a record.
    #[must_use]
    pub fn shape(&self, shape: ShapeIx) -> &[Symbol] {
        self.shapes.get_index(shape.0 as usize).map_or(&[], |shape| &shape.0)
    }

    /// Every shape.
    pub fn shapes(&self) -> impl Iterator<Item = ShapeIx> + use<> {
        (0..index(self.shapes.len())).map(ShapeIx)
    }

    pub(super) fn intern_shape(&mut self, keys: &[Symbol]) -> ShapeIx {
        ShapeIx(index(self.shapes.insert_full(Shape(keys.into())).0))
    }

    /// The values of a record as they were read: references that were resolved later are not followed.
    pub(crate) fn raw(&self, record: Record) -> impl Iterator<Item = Value> + '_ {
        let length = self.shape(record.shape).len();
        let sheet = self.sheet(record.sheet);
        let loose = if record.is_loose() { self.values.slice(record.start as usize, length) } else { &[] };
        (0..length).map(move |position| match sheet {
            Some(sheet) => sheet.value(record.start, position),
            None => loose.get(position).copied().unwrap_or(Value::Null),
        })
    }

    /// The fields of the sheet of a record whose values may hold other values.
    pub(crate) fn nested_fields(&self, record: Record) -> Vec<usize> {
        let fields = self.sheet(record.sheet).map_or(&[][..], |sheet| &sheet.fields);
        fields
            .iter()
            .enumerate()
            .filter(|(_, field)| field.may_nest())
            .map(|(position, _)| position)
            .collect()
    }

    /// The value at `position` of a record whose shape is known to have it.
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

    /// The keys and values of a record, in order.
    pub fn entries(&self, record: Record) -> impl Iterator<Item = (Symbol, Value)> {
        let values = self.raw(record).map(|value| self.resolve(value));
        self.shape(record.shape).iter().copied().zip(values)
    }

    /// The items of a list or set.
    #[must_use]
    pub fn items(&self, items: Items) -> impl ExactSizeIterator<Item = Value> + '_ {
        self.raw_items(items).iter().map(|&value| self.resolve(value))
    }

    /// The value behind a reference that was resolved later; any other value as it is.
    #[inline]
    #[must_use]
    pub fn resolve(&self, value: Value) -> Value {
        match value {
            Value::Unresolved(at) => match self.unresolved(at) {
                Unresolved { object: Some(object), cyclic: false, .. } => Value::Object(object),
                _ => value,
            },
            _ => value,
        }
    }

    /// What is known of a dangling reference.
    #[must_use]
    pub fn unresolved(&self, at: UnresolvedIx) -> Unresolved {
        let nothing = Unresolved { id: 0, container: 0, object: None, cyclic: false };
        self.unresolved.get(at.0 as usize).copied().unwrap_or(nothing)
    }

    /// A new dangling reference.
    pub fn dangle(&mut self, id: i64, container: u32) -> Value {
        self.unresolved.push(Unresolved { id, container, object: None, cyclic: false });
        Value::Unresolved(UnresolvedIx(index(self.unresolved.len() - 1)))
    }

    /// The member behind [`Value::Enum`].
    #[must_use]
    pub fn enum_member(&self, at: u32) -> Option<EnumMember> {
        self.enums.get_index(at as usize).copied()
    }

    /// The value of an enum member.
    pub fn member(&mut self, member: EnumMember) -> Value {
        Value::Enum(index(self.enums.insert_full(member).0))
    }

    /// Keeps a text.
    pub fn push_text(&mut self, bytes: &[u8]) -> Text {
        let start = self.texts.len();
        self.texts.last().extend_from_slice(bytes);
        Text::new(start, bytes.len())
    }

    /// Keeps a string as the reader gave it.
    pub(crate) fn string(&mut self, text: json::JsonText<'_>) -> Result<Text, json::Syntax> {
        if !text.escaped {
            return Ok(self.push_text(text.raw));
        }
        Ok(self.push_text(&decoded(text)?))
    }

    /// Appends values that belong together; says where the first stands.
    pub(super) fn push_values(&mut self, values: &[Value]) -> u32 {
        let start = index(self.values.len());
        self.values.last().extend_from_slice(values);
        start
    }

    /// A sheet whose first row is like a record.
    pub(crate) fn begin_sheet(&mut self, record: Record) -> SheetIx {
        let sheet = Sheet::new(record.shape, self.raw(record));
        SheetIx(self.sheets.push(sheet))
    }

    /// A record that differs from the last one of its sheet in these values, by their positions.
    pub(crate) fn add_row(
        &mut self,
        at: SheetIx,
        changes: impl IntoIterator<Item = (u32, Value)>,
    ) -> Option<Record> {
        let sheet = self.sheets.open(at.0)?;
        Some(Record { shape: sheet.shape, start: sheet.add(changes), sheet: at.0 })
    }

    /// Makes the last row of a sheet like a record of the same shape.
    pub(crate) fn repeat_row(&mut self, at: SheetIx, record: Record) {
        let values: Vec<Value> = self.raw(record).collect();
        self.add_row(at, (0..).zip(values));
    }

    pub(super) fn sheet(&self, at: u32) -> Option<&Sheet> {
        self.sheets.get(at)
    }

    /// A record of these keys and values.
    pub fn push_record(&mut self, keys: &[Symbol], values: &[Value]) -> Record {
        let shape = self.intern_shape(keys);
        Record { shape, start: self.push_values(values), sheet: Record::LOOSE }
    }

    /// A list or set of these values.
    pub fn push_items(&mut self, values: &[Value]) -> Items {
        Items { start: self.push_values(values), length: index(values.len()) }
    }
}

/// What the escapes of a string mean.
pub(super) fn decoded(text: json::JsonText<'_>) -> Result<Vec<u8>, json::Syntax> {
    let mut decoded = Vec::with_capacity(text.raw.len());
    json::decode_into(text.raw, &mut decoded)
        .map_err(|wrong| json::Syntax { at: text.at + wrong.at, ..wrong })?;
    Ok(decoded)
}
