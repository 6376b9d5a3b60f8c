//! The Arrow types and the metadata of columns.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::columns::{Column, ColumnSource, PathTree, Type};
use crate::json;

/// The Arrow layout of text and enums. Libraries differ in the layout that they can share without a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StringLayout {
    /// `utf8_view` and `dictionary<uint32, utf8>`: polars, DuckDB and most others
    #[default]
    View,
    /// As `View`, but `large_utf8`: inside of lists, where pandas and pyarrow take no views
    InList,
    /// `large_utf8` and `dictionary<int32, large_utf8>`: pandas
    Large,
}

impl StringLayout {
    /// The layout of the text inside of lists.
    #[must_use]
    pub fn in_list(self) -> Self {
        if self == Self::View { Self::InList } else { self }
    }
}

/// The Arrow type of a column type.
#[must_use]
pub fn data_type(kind: &Type, layout: StringLayout) -> DataType {
    let (key, enum_text, text) = match layout {
        StringLayout::View => (DataType::UInt32, DataType::Utf8, DataType::Utf8View),
        StringLayout::InList => (DataType::UInt32, DataType::Utf8, DataType::LargeUtf8),
        StringLayout::Large => (DataType::Int32, DataType::LargeUtf8, DataType::LargeUtf8),
    };
    let field = |name: &str, kind: &Type| Field::new(name, data_type(kind, layout), true);
    match kind {
        Type::Null => DataType::Null,
        Type::Bool => DataType::Boolean,
        Type::Int64 => DataType::Int64,
        Type::UInt64 => DataType::UInt64,
        Type::Decimal => DataType::Decimal128(38, 0),
        Type::Float64 => DataType::Float64,
        Type::Utf8 | Type::Digits => text,
        Type::Enum => DataType::Dictionary(Box::new(key), Box::new(enum_text)),
        Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Type::List(item) => {
            DataType::LargeList(Arc::new(Field::new("item", data_type(item, layout.in_list()), true)))
        }
        Type::Struct(members) => {
            DataType::Struct(members.iter().map(|member| field(&member.name, &member.kind)).collect())
        }
    }
}

/// The schema of a table of these columns. Metadata of each field: `xpframe.group` (system, tag, parameter, fact, result),
/// `xpframe.path` (its keys as a JSON list) and `xpframe.python` (the Python types seen). [`super::TimeSources`] adds where times
/// come from.
#[must_use]
pub fn schema(columns: &[Column], tree: &PathTree, layout: StringLayout) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(|column| field(column, tree, layout)).collect::<Vec<_>>()))
}

/// The field of a column, which `tree` describes.
#[must_use]
pub fn field(column: &Column, tree: &PathTree, layout: StringLayout) -> Field {
    let mut metadata = HashMap::from([("xpframe.group".to_owned(), column.group().to_owned())]);
    let (path, python) = match column.source {
        ColumnSource::System(_) | ColumnSource::File(_) | ColumnSource::FilePath(_) => (None, None),
        ColumnSource::Values(id, kind) => (Some(id), Some(tree.get(id).python_types(kind))),
        ColumnSource::Class(id) | ColumnSource::Identifier(id) | ColumnSource::Producer(id) => {
            (Some(id), Some("str".to_owned()))
        }
    };
    metadata.extend(path.map(|id| ("xpframe.path".to_owned(), json::list_text(&tree.path(id)))));
    metadata.extend(python.map(|python| ("xpframe.python".to_owned(), python)));
    Field::new(column.shown(), data_type(&column.kind, layout), true).with_metadata(metadata)
}
