//! Values, and the indices through which they refer to a store.

/// Index of an object in the graph it was read into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectIx(pub u32);

impl ObjectIx {
    /// The index as a `usize`.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A length as the index of the next item of a store, which has at most 2³² items of each type.
pub(crate) fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// A text of a store: its offset and its length, in 12 bytes so that a [`Value`] has 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    length: u32,
    /// The lower bits of the offset
    low: u32,
    /// Its upper bits
    high: u16,
}

/// How the offset and the length of a text are packed into 64 bits.
const LENGTH_BITS: u32 = 24;
const OFFSET_BITS: u32 = u64::BITS - LENGTH_BITS;

impl Text {
    #[allow(clippy::cast_possible_truncation, reason = "the offset is split into its two halves")]
    pub(super) fn new(offset: usize, length: usize) -> Self {
        Self { length: index(length), low: offset as u32, high: (offset >> 32) as u16 }
    }

    /// The same text in a store where `bytes` more come before it.
    pub(super) fn shifted(self, bytes: usize) -> Self {
        Self::new(self.offset() + bytes, self.length as usize)
    }

    /// Whether the text has no bytes.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.length == 0
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(self) -> usize {
        self.length as usize
    }

    /// Offset and length in 64 bits; `None` if they do not fit.
    pub(super) fn packed(self) -> Option<u64> {
        let offset = self.offset() as u64;
        (offset >> OFFSET_BITS == 0 && self.length >> LENGTH_BITS == 0)
            .then(|| offset << LENGTH_BITS | u64::from(self.length))
    }

    /// The reverse of [`Self::packed`].
    pub(super) fn unpacked(bits: u64) -> Self {
        let length = bits & ((1 << LENGTH_BITS) - 1);
        Self::new((bits >> LENGTH_BITS) as usize, length as usize)
    }

    pub(super) fn offset(self) -> usize {
        (self.high as usize) << 32 | self.low as usize
    }
}

/// An interned name: a key, a module, a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(pub(crate) u32);

/// Index of a [`Shape`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShapeIx(pub(crate) u32);

impl ShapeIx {
    /// The index as a `usize`.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The keys of a dict or the field names of an object, in order, without repetition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shape(pub Box<[Symbol]>);

/// The values of a dict or of the fields of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Its keys
    pub shape: ShapeIx,
    /// The index of its first value, or its row in a sheet
    pub(super) start: u32,
    /// The sheet that has it as a row, or [`Record::LOOSE`]
    pub(super) sheet: u32,
}

impl Record {
    /// The sheet of a record whose values are stored side by side.
    pub(super) const LOOSE: u32 = u32::MAX;

    pub(super) fn is_loose(self) -> bool {
        self.sheet == Self::LOOSE
    }

    /// The index of its sheet; `None` if it is loose.
    pub(crate) fn sheet(self) -> Option<usize> {
        (!self.is_loose()).then_some(self.sheet as usize)
    }
}

/// Index of a sheet: records of one shape, most of whose values repeat from row to row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SheetIx(pub(super) u32);

/// The values of a list or set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Items {
    pub(crate) start: u32,
    pub(crate) length: u32,
}

impl Items {
    /// The number of values.
    #[must_use]
    pub fn len(self) -> usize {
        self.length as usize
    }

    /// Whether there are no values.
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

/// A reference whose object was not defined before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unresolved {
    /// The id that the reference gives
    pub id: i64,
    /// The container that it was read from
    pub container: u32,
    /// The object, if a later line or another file defines it
    pub object: Option<ObjectIx>,
    /// Whether following the reference leads back to it
    pub cyclic: bool,
}

/// A Python value: a field, a tag or an item.
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
    /// A reference to an object that is missing, or that was defined after it
    Unresolved(UnresolvedIx),
}
