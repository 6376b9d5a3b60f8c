//! Which types a path needs: exact ones, and as many as it takes to lose nothing.

use std::borrow::Cow;

use ahash::HashSet;

use super::kind::ValueKind;
use super::names::escape;
use super::path_tree::{FieldPath, PathId, PathTree};
use super::seen::IntegerFit;

/// The type of a column, or of a value inside it.
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
    /// Nothing but nulls: any type may join it later
    Null,
    /// Text
    Utf8,
    /// Names of enum members
    Enum,
    /// Microseconds since 1970 in UTC
    Timestamp,
    /// Lists of a type
    List(Box<Type>),
    /// The fields of configs or dicts in lists
    Struct(Vec<Member>),
}

impl Type {
    /// What errors call it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int64 | Self::UInt64 | Self::Decimal | Self::Digits => "int",
            Self::Float64 => "float",
            Self::Null => "null",
            Self::Utf8 => "text",
            Self::Enum => "enum",
            Self::Timestamp => "a time",
            Self::List(_) => "a list",
            Self::Struct(_) => "a struct",
        }
    }

    /// The number of flat columns that it takes in memory.
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
    /// The path of its values: a child of the path of the struct, or that path itself
    pub path: PathId,
    /// Which values of that path it has
    pub source: MemberSource,
    /// Their type
    pub kind: Type,
}

/// Which values of its path a [`Member`] has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberSource {
    /// Those of one kind
    Values(ValueKind),
    /// The fields of configs and dicts
    Fields,
    /// The class of the config
    Class,
}

fn integer_type(fit: IntegerFit) -> Type {
    match fit {
        IntegerFit { in_i64: true, .. } => Type::Int64,
        IntegerFit { in_u64: true, .. } => Type::UInt64,
        IntegerFit { in_38_digits: true, .. } => Type::Decimal,
        _ => Type::Digits,
    }
}

impl FieldPath {
    /// Whether configs or dicts stand here, so that their fields are paths below.
    #[must_use]
    pub fn has_fields(&self) -> bool {
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

    /// The Python types of the values of one kind, as in `int | Path`.
    #[must_use]
    pub fn python_types(&self, kind: ValueKind) -> String {
        let seen = &self.seen;
        let mut names: Vec<&str> = Vec::new();
        match kind {
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
    /// The kinds of values of a path with their types: one column each. Most paths have one.
    #[must_use]
    pub fn value_kinds(&self, id: PathId) -> Vec<(ValueKind, Type)> {
        let path = self.get(id);
        let seen = &path.seen;
        let mut kinds = Vec::new();
        kinds.extend(seen.bool.then_some((ValueKind::Bool, Type::Bool)));
        match (seen.int, seen.float) {
            (Some(fit), true) if fit.exact_as_float => kinds.push((ValueKind::Number, Type::Float64)),
            (fit, float) => {
                kinds.extend(fit.map(|fit| (ValueKind::Int, integer_type(fit))));
                kinds.extend(float.then_some((ValueKind::Float, Type::Float64)));
            }
        }
        kinds.extend((seen.str || seen.path).then_some((ValueKind::Str, Type::Utf8)));
        kinds.extend((!seen.enums.is_empty()).then_some((ValueKind::Enum, Type::Enum)));
        for (kind, elements) in [(ValueKind::List, path.items), (ValueKind::Set, path.members)] {
            kinds.extend(elements.map(|elements| (kind, Type::List(Box::new(self.item_type(elements))))));
        }
        if kinds.is_empty() && !path.has_fields() {
            kinds.push((ValueKind::Null, Type::Null));
        }
        kinds
    }

    /// The type of the column of the jobs that produced the configs of a path; none if the path has no config. Lists of
    /// configs give lists, unless a config stands there itself too.
    #[must_use]
    pub fn producer_type(&self, id: PathId) -> Option<Type> {
        let path = self.get(id);
        if path.has_configs() {
            return Some(Type::Utf8);
        }
        let has_items = path.items.is_some_and(|items| self.get(items).has_configs());
        has_items.then(|| Type::List(Box::new(Type::Utf8)))
    }

    /// Whether every integer of a path is a float64 without rounding.
    #[must_use]
    pub fn has_exact_floats(&self, id: PathId) -> bool {
        self.get(id).seen.int.is_none_or(|fit| fit.exact_as_float)
    }

    /// Whether a path has values of this kind, or nulls that would be in their column.
    #[must_use]
    pub fn has(&self, id: PathId, kind: ValueKind) -> bool {
        let FieldPath { seen, items, members, .. } = self.get(id);
        let has_values = match kind {
            ValueKind::Bool => seen.bool,
            ValueKind::Int => seen.int.is_some(),
            ValueKind::Float => seen.float,
            ValueKind::Number => seen.int.is_some() || seen.float,
            ValueKind::Str => seen.str || seen.path,
            ValueKind::Enum => !seen.enums.is_empty(),
            ValueKind::List => items.is_some(),
            ValueKind::Set => members.is_some(),
            ValueKind::Null => true,
        };
        let only_nulls = || self.value_kinds(id).iter().all(|&(kind, _)| kind == ValueKind::Null);
        has_values || (only_nulls() && !self.get(id).has_fields())
    }

    /// The type of the elements of lists and sets: one type that holds them all.
    #[must_use]
    pub fn item_type(&self, id: PathId) -> Type {
        let has_fields = self.get(id).has_fields();
        let mut kinds = self.value_kinds(id);
        if !has_fields && kinds.len() == 1 {
            return kinds.remove(0).1;
        }
        let fields = if has_fields { self.struct_members(id) } else { Vec::new() };
        if kinds.is_empty() {
            return if fields.is_empty() { Type::Null } else { Type::Struct(fields) };
        }
        let member = |name: &str, source, kind| Member { name: name.to_owned(), path: id, source, kind };
        let mut members: Vec<Member> = kinds
            .into_iter()
            .map(|(kind, type_)| member(kind.suffix(), MemberSource::Values(kind), type_))
            .collect();
        if !fields.is_empty() {
            members.push(member("config", MemberSource::Fields, Type::Struct(fields)));
        }
        Type::Struct(members)
    }

    /// The members of a struct: the fields of the configs and dicts in a list. Keys stand as the user wrote them; they are escaped
    /// only where one of them would be called like a member that was split by type.
    fn struct_members(&self, id: PathId) -> Vec<Member> {
        let members = self.named_members(id, |key| key.into());
        let mut names = HashSet::default();
        if members.iter().all(|member| names.insert(member.name.as_str())) {
            return members;
        }
        self.named_members(id, escape)
    }

    fn named_members(&self, id: PathId, spell: impl Fn(&str) -> Cow<'_, str>) -> Vec<Member> {
        let path = self.get(id);
        let mut members = Vec::new();
        if path.has_many_classes() || (path.has_configs() && path.children.is_empty()) {
            let name = "@type".to_owned();
            members.push(Member { name, path: id, source: MemberSource::Class, kind: Type::Utf8 });
        }
        for (key, &child) in &path.children {
            let name = spell(key);
            let kinds = self.value_kinds(child);
            let has_fields = self.get(child).has_fields();
            let is_split = kinds.len() > 1 || (!kinds.is_empty() && has_fields);
            for (kind, type_) in kinds {
                let name = if is_split { format!("{name}@{}", kind.suffix()) } else { name.to_string() };
                members.push(Member { name, path: child, source: MemberSource::Values(kind), kind: type_ });
            }
            let fields = if has_fields { self.struct_members(child) } else { Vec::new() };
            if !fields.is_empty() {
                let (name, kind) = (name.into_owned(), Type::Struct(fields));
                members.push(Member { name, path: child, source: MemberSource::Fields, kind });
            }
        }
        members
    }
}
