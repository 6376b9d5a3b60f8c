//! The Arrow types of columns, and what their metadata says.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::columns::{Column, ColumnSource, PathTree, Type};
use crate::json;

/// Which Arrow layouts text and enums have: each library shares another one without copying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Texts {
    /// `utf8_view` and `dictionary<uint32, utf8>`: polars, DuckDB and most others
    #[default]
    View,
    /// `large_utf8` and `dictionary<int32, large_utf8>`: pandas
    Large,
}

/// The Arrow type of a column type.
#[must_use]
pub fn data_type(kind: &Type, texts: Texts) -> DataType {
    let text = match texts {
        Texts::View => DataType::Utf8View,
        Texts::Large => DataType::LargeUtf8,
    };
    match kind {
        Type::Bool => DataType::Boolean,
        Type::Int64 => DataType::Int64,
        Type::UInt64 => DataType::UInt64,
        Type::Decimal => DataType::Decimal128(38, 0),
        Type::Float64 => DataType::Float64,
        Type::Utf8 | Type::Digits => text,
        Type::Enum => match texts {
            Texts::View => DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8)),
            Texts::Large => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::LargeUtf8)),
        },
        Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Type::List(item) => DataType::LargeList(Arc::new(Field::new("item", data_type(item, texts), true))),
        Type::Struct(members) => DataType::Struct(
            members
                .iter()
                .map(|member| Field::new(&member.name, data_type(&member.kind, texts), true))
                .collect(),
        ),
    }
}

/// The schema of a table of these columns. Metadata of each field: `xpframe.group` (system, tag, parameter, fact),
/// `xpframe.path` (its keys as a JSON list) and `xpframe.python` (the Python types seen).
#[must_use]
pub fn schema(columns: &[Column], places: &PathTree, texts: Texts) -> SchemaRef {
    let field = |column: &Column| {
        let mut metadata = HashMap::from([("xpframe.group".to_owned(), column.group().to_owned())]);
        let (place, python) = match column.source {
            ColumnSource::System(_) => (None, None),
            ColumnSource::Values(at, part) => (Some(at), Some(places.get(at).python_types(part))),
            ColumnSource::Class(at) | ColumnSource::Identifier(at) => (Some(at), Some("str".to_owned())),
        };
        metadata.extend(place.map(|at| ("xpframe.path".to_owned(), json::list_text(&places.path(at)))));
        metadata.extend(python.map(|python| ("xpframe.python".to_owned(), python)));
        Field::new(column.shown(), data_type(&column.kind, texts), true).with_metadata(metadata)
    };
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}
