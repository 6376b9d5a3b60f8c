//! Which types a place needs: exact ones, and as many as it takes to lose nothing.

use super::names::escape;
use super::path_tree::{FieldPath, Integers, PathId, PathTree};

/// The values of a place that go into one column.
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
    /// The suffix of a column that was split, after `@`.
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

/// The type of a column or of something inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Booleans
    Bool,
    /// Integers in 64 bits
    Int64,
    /// Integers from 0 in 64 bits
    UInt64,
    /// Integers of up to 38 digits
    Decimal,
    /// Integers of any size, as their digits
    Digits,
    /// Floats, NaN and infinities included
    Float64,
    /// Text
    Utf8,
    /// Names of enum members
    Enum,
    /// Microseconds since 1970 in UTC
    Timestamp,
    /// Lists of a type
    List(Box<Type>),
    /// What configs or dicts in lists hold
    Struct(Vec<Member>),
}

impl Type {
    /// How many columns of memory it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Self::List(item) => item.width(),
            Self::Struct(members) => members.iter().map(|member| member.kind.width()).sum(),
            _ => 1,
        }
    }
}

/// One field of a struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name
    pub name: String,
    /// Where its values are: a child of the place of the struct, or that place itself
    pub place: PathId,
    /// Which of the values there
    pub what: MemberSource,
    /// Their type
    pub kind: Type,
}

/// Which of the values at the place of a [`Member`] go into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberSource {
    /// Some of the values
    ValueKind(ValueKind),
    /// What configs and dicts hold
    Inside,
    /// The class of the config
    Class,
}

fn integer_type(integers: Integers) -> Type {
    match integers {
        Integers { in_i64: true, .. } => Type::Int64,
        Integers { in_u64: true, .. } => Type::UInt64,
        Integers { in_38_digits: true, .. } => Type::Decimal,
        _ => Type::Digits,
    }
}

impl FieldPath {
    /// Whether configs or dicts stand here, so that there is something below.
    #[must_use]
    pub fn has_inside(&self) -> bool {
        self.seen.dict || !self.seen.classes.is_empty()
    }

    /// Whether a config stands here.
    #[must_use]
    pub fn has_configs(&self) -> bool {
        !self.seen.classes.is_empty()
    }

    /// Whether configs of more than one class stand here.
    #[must_use]
    pub fn has_many_classes(&self) -> bool {
        self.seen.classes.len() > 1
    }

    /// The Python types seen here, as in `int | Path`.
    #[must_use]
    pub fn python_types(&self, part: ValueKind) -> String {
        let seen = &self.seen;
        let mut names: Vec<&str> = Vec::new();
        match part {
            ValueKind::Bool => names.push("bool"),
            ValueKind::Int => names.push("int"),
            ValueKind::Float => names.push("float"),
            ValueKind::Number => names.extend(["int", "float"]),
            ValueKind::Str => {
                names.extend(seen.str.then_some("str"));
                names.extend(seen.path.then_some("pathlib.Path"));
            }
            ValueKind::Enum => names.extend(seen.enums.iter().map(String::as_str)),
            ValueKind::List => names.push("list"),
            ValueKind::Set => names.push("set"),
            ValueKind::Null => names.push("None"),
        }
        names.join(" | ")
    }
}

impl PathTree {
    /// The columns that the values of a place need, most often one.
    #[must_use]
    pub fn parts(&self, at: PathId) -> Vec<(ValueKind, Type)> {
        let place = self.get(at);
        let seen = &place.seen;
        let mut parts = Vec::new();
        parts.extend(seen.bool.then_some((ValueKind::Bool, Type::Bool)));
        match (seen.int, seen.float) {
            (Some(integers), true) if integers.exact_as_float => {
                parts.push((ValueKind::Number, Type::Float64))
            }
            (integers, float) => {
                parts.extend(integers.map(|integers| (ValueKind::Int, integer_type(integers))));
                parts.extend(float.then_some((ValueKind::Float, Type::Float64)));
            }
        }
        parts.extend((seen.str || seen.path).then_some((ValueKind::Str, Type::Utf8)));
        parts.extend((!seen.enums.is_empty()).then_some((ValueKind::Enum, Type::Enum)));
        for (part, inside) in [(ValueKind::List, place.items), (ValueKind::Set, place.members)] {
            parts.extend(inside.map(|inside| (part, Type::List(Box::new(self.item_type(inside))))));
        }
        if parts.is_empty() && !place.has_inside() {
            parts.push((ValueKind::Null, Type::Utf8));
        }
        parts
    }

    /// The type of the items of lists: one that holds them all.
    #[must_use]
    pub fn item_type(&self, at: PathId) -> Type {
        let place = self.get(at);
        let mut parts = self.parts(at);
        if !place.has_inside() && parts.len() == 1 {
            return parts.remove(0).1;
        }
        let inside = if place.has_inside() { self.struct_of(at) } else { Vec::new() };
        if parts.is_empty() {
            return if inside.is_empty() { Type::Utf8 } else { Type::Struct(inside) };
        }
        let mut members: Vec<Member> = parts
            .into_iter()
            .map(|(part, kind)| Member {
                name: part.suffix().to_owned(),
                place: at,
                what: MemberSource::ValueKind(part),
                kind,
            })
            .collect();
        if !inside.is_empty() {
            members.push(Member {
                name: "config".to_owned(),
                place: at,
                what: MemberSource::Inside,
                kind: Type::Struct(inside),
            });
        }
        Type::Struct(members)
    }

    /// The fields of a struct: what the configs and dicts of a place in a list hold.
    fn struct_of(&self, at: PathId) -> Vec<Member> {
        let place = self.get(at);
        let mut members = Vec::new();
        let class = |name: &str| Member {
            name: name.to_owned(),
            place: at,
            what: MemberSource::Class,
            kind: Type::Utf8,
        };
        if place.has_many_classes() || (place.has_configs() && place.children.is_empty()) {
            members.push(class("@type"));
        }
        for (key, &child) in &place.children {
            let name = escape(key);
            let parts = self.parts(child);
            let split = parts.len() > 1 || (!parts.is_empty() && self.get(child).has_inside());
            for (part, kind) in parts {
                let name = if split { format!("{name}@{}", part.suffix()) } else { name.to_string() };
                members.push(Member { name, place: child, what: MemberSource::ValueKind(part), kind });
            }
            let inside = if self.get(child).has_inside() { self.struct_of(child) } else { Vec::new() };
            if !inside.is_empty() {
                let kind = Type::Struct(inside);
                members.push(Member {
                    name: name.into_owned(),
                    place: child,
                    what: MemberSource::Inside,
                    kind,
                });
            }
        }
        members
    }
}
