//! The rows of CSV files as arrays, column by column.

use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, NullArray, new_null_array};

use crate::columns::{Column, ColumnSource, PathTree, Type, ValueKind};
use crate::error::Result;
use crate::results::{Cells, Table, TableColumn, Texts};
use crate::table::{StringLayout, data_type, strings};
use crate::values::Store;

/// Notes the names and types of the columns of tables.
///
/// # Errors
/// `TooManyColumns`.
pub(super) fn observe<'t>(tree: &mut PathTree, tables: impl Iterator<Item = &'t Table>) -> Result<()> {
    let (mut store, mut records) = (Store::default(), Vec::new());
    tables.for_each(|table| table.push_kinds(&mut store, &mut records));
    tree.observe_results(&store, records)
}

/// The columns of a table that the columns of a plan do not hold.
pub(super) fn uncovered<'t>(table: &'t Table, tree: &PathTree) -> Option<&'t str> {
    let is_covered = |column: &TableColumn| {
        let Some(path) = tree.find(&["result", &column.name]) else { return false };
        let kinds = tree.value_kinds(path);
        let has = |wanted: &[ValueKind]| kinds.iter().any(|(kind, _)| wanted.contains(kind));
        match column.cells {
            Cells::Null => true,
            Cells::Bool(_) => has(&[ValueKind::Bool]),
            Cells::Int(_) | Cells::Digits(_) => has(&[ValueKind::Int, ValueKind::Number]),
            Cells::Float(_) => has(&[ValueKind::Float, ValueKind::Number]),
            Cells::Text(_) => has(&[ValueKind::Str]),
        }
    };
    table.columns.iter().find(|column| !is_covered(column)).map(|column| column.name.as_str())
}

/// The key of the values of a column in the files.
pub(super) fn key_of<'t>(column: &Column, tree: &'t PathTree) -> Option<(&'t str, ValueKind)> {
    match column.source {
        ColumnSource::Values(path, kind) => match tree.path(path)[..] {
            [_, key] => Some((key, kind)),
            _ => None,
        },
        _ => None,
    }
}

/// The arrays of some columns of the rows of tables; nothing if one has integers beyond 64 bits.
pub(super) fn arrays(
    tables: &[Table],
    columns: &[Column],
    tree: &PathTree,
    layout: StringLayout,
) -> Option<Vec<ArrayRef>> {
    columns.iter().map(|column| array(tables, column, tree, layout)).collect()
}

fn array(tables: &[Table], column: &Column, tree: &PathTree, layout: StringLayout) -> Option<ArrayRef> {
    let rows = tables.iter().map(|table| table.rows).sum();
    let Some((key, kind)) = key_of(column, tree) else {
        return Some(new_null_array(&data_type(&column.kind, layout), rows));
    };
    // the integers and the floats of a split column are two columns of one name
    let parts = |is_of_kind: fn(&Cells) -> bool| {
        tables.iter().map(move |table| {
            let is_it = |column: &&TableColumn| column.name == key && is_of_kind(&column.cells);
            (table.rows, table.columns.iter().filter(is_it).collect::<Vec<_>>())
        })
    };
    Some(match (&column.kind, kind) {
        (Type::Null, _) => Arc::new(NullArray::new(rows)),
        (Type::Bool, _) => {
            let mut values = Values::with_capacity(rows);
            for (rows, columns) in parts(|cells| matches!(cells, Cells::Bool(_))) {
                values.add(rows, &columns, |cells, row| match cells {
                    Cells::Bool(cells) => cells.get(row).copied(),
                    _ => None,
                });
            }
            Arc::new(BooleanArray::new(values.values.into(), values.valid.finish()))
        }
        (Type::Int64, _) => {
            let mut values = Values::with_capacity(rows);
            for (rows, columns) in parts(|cells| matches!(cells, Cells::Int(_) | Cells::Digits(_))) {
                values.add(rows, &columns, int);
            }
            Arc::new(Int64Array::new(values.values.into(), values.valid.finish()))
        }
        (Type::Float64, ValueKind::Number) => {
            let is_number =
                |cells: &Cells| matches!(cells, Cells::Int(_) | Cells::Digits(_) | Cells::Float(_));
            let mut values = Values::with_capacity(rows);
            for (rows, columns) in parts(is_number) {
                values.add(rows, &columns, number);
            }
            Arc::new(Float64Array::new(values.values.into(), values.valid.finish()))
        }
        (Type::Float64, _) => {
            let mut values = Values::with_capacity(rows);
            for (rows, columns) in parts(|cells| matches!(cells, Cells::Float(_))) {
                values.add(rows, &columns, number);
            }
            Arc::new(Float64Array::new(values.values.into(), values.valid.finish()))
        }
        (Type::Utf8, _) => {
            let each = parts(|cells| matches!(cells, Cells::Text(_)));
            strings(each.flat_map(|(rows, columns)| texts(rows, columns.first().copied())), layout)
        }
        (Type::UInt64 | Type::Decimal | Type::Digits, _) => return None,
        _ => new_null_array(&data_type(&column.kind, layout), rows),
    })
}

fn int(cells: &Cells, row: usize) -> Option<i64> {
    match cells {
        Cells::Int(cells) => cells.get(row).copied(),
        Cells::Digits(texts) => digits(texts, row)?.parse().ok(),
        _ => None,
    }
}

#[allow(clippy::cast_precision_loss, reason = "the type was decided by integers that are exact as floats")]
fn number(cells: &Cells, row: usize) -> Option<f64> {
    match cells {
        Cells::Int(cells) => cells.get(row).map(|&value| value as f64),
        Cells::Float(cells) => cells.get(row).copied(),
        Cells::Digits(texts) => digits(texts, row)?.parse().ok(),
        _ => None,
    }
}

fn digits(texts: &Texts, row: usize) -> Option<&str> {
    std::str::from_utf8(texts.get(row)).ok()
}

/// The texts of one table, null where it has no such column.
fn texts(rows: usize, column: Option<&TableColumn>) -> impl Iterator<Item = Option<&str>> {
    (0..rows).map(move |row| {
        let column = column.filter(|column| column.is_valid(row))?;
        match &column.cells {
            Cells::Text(cells) => std::str::from_utf8(cells.get(row)).ok(),
            _ => None,
        }
    })
}

/// The values of a column, table after table.
struct Values<T> {
    values: Vec<T>,
    valid: NullBufferBuilder,
}

impl<T: Copy + Default> Values<T> {
    fn with_capacity(rows: usize) -> Self {
        Self { values: Vec::with_capacity(rows), valid: NullBufferBuilder::new(rows) }
    }

    /// Adds the rows of a table, from the columns that have values of this kind.
    fn add(&mut self, rows: usize, columns: &[&TableColumn], value: impl Fn(&Cells, usize) -> Option<T>) {
        for row in 0..rows {
            let mut each = columns.iter().filter(|column| column.is_valid(row));
            let value = each.find_map(|column| value(&column.cells, row));
            self.valid.append(value.is_some());
            self.values.push(value.unwrap_or_default());
        }
    }
}
