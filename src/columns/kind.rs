//! Which values of a path share a column.

/// The values of a path that go into one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// bool
    Bool,
    /// int
    Int,
    /// float
    Float,
    /// int and float, where every int survives as a float
    Number,
    /// str and path
    Str,
    /// enum
    Enum,
    /// list
    List,
    /// set
    Set,
    /// nothing but nulls
    Null,
}

impl ValueKind {
    /// The suffix of a column that was split by type, after `@`.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float | Self::Number => "float",
            Self::Str => "str",
            Self::Enum => "enum",
            Self::List => "list",
            Self::Set => "set",
            Self::Null => "null",
        }
    }
}
