//! Types of columns that the user knows: no pass over the files decides them.

use super::cells::{Cell, CellType, float};
use super::table::{Table, TableColumn};
use crate::columns::escape;
use crate::error::{Error, quoted};
use crate::values::{Record, Store, Value};

/// The columns of CSV files and JSON lines that are read, with their types. Others are left out; a value of another type is null,
/// and an error says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileSchema(pub Vec<(String, CellType)>);

/// How many values of a column are of another type, and one of them.
#[derive(Debug, Default)]
pub(super) struct Misfits {
    count: u64,
    example: String,
}

impl Misfits {
    pub fn add(&mut self, value: impl FnOnce() -> String) {
        if self.count == 0 {
            self.example = value();
        }
        self.count += 1;
    }

    /// What became null, if anything did.
    pub fn error(self, column: &str, kind: CellType) -> Option<Error> {
        let Self { count, example } = self;
        let shown = quoted(&example);
        let reason = match count {
            0 => return None,
            1 => format!("{shown} is no {}: it is null here", kind.name()),
            _ => format!("{count} values are no {}, as {shown}: they are null here", kind.name()),
        };
        Some(Error::format(reason).at_field(column).hint("give another type in schema="))
    }
}

impl FileSchema {
    /// The type of a column.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<CellType> {
        self.0.iter().find(|(column, _)| column == name).map(|&(_, kind)| kind)
    }

    /// A record with the columns of the schema alone, by their flattened names.
    pub(super) fn record(&self, store: &mut Store, record: Record) -> (Record, Vec<Error>) {
        let mut errors = Vec::new();
        (self.entries_below(store, record, "", &mut errors), errors)
    }

    fn entries_below(
        &self,
        store: &mut Store,
        record: Record,
        prefix: &str,
        errors: &mut Vec<Error>,
    ) -> Record {
        let entries: Vec<_> = store.entries(record).collect();
        let (mut keys, mut values) = (Vec::with_capacity(entries.len()), Vec::with_capacity(entries.len()));
        for (key, value) in entries {
            let text = store.symbol(key).into_owned();
            let name = format!("{prefix}{}", escape(&text));
            let value = match (self.kind(&name).or_else(|| self.kind(&format!("{prefix}{text}"))), value) {
                (Some(kind), _) => fitted(store, value, kind).unwrap_or_else(|| {
                    let mut misfits = Misfits::default();
                    misfits.add(|| shown(store, value));
                    errors.extend(misfits.error(&name, kind));
                    Value::Null
                }),
                (None, Value::Dict(inner)) => {
                    Value::Dict(self.entries_below(store, inner, &format!("{name}."), errors))
                }
                (None, _) => continue,
            };
            keys.push(key);
            values.push(value);
        }
        store.push_record(&keys, &values)
    }

    /// The columns of records, by their flattened names.
    pub(super) fn table(&self, store: &Store, records: &[Record]) -> (Table, Vec<Error>) {
        let mut errors = Vec::new();
        let mut columns = Vec::with_capacity(self.0.len());
        for (name, kind) in &self.0 {
            let mut misfits = Misfits::default();
            let values = records.iter().map(|&record| {
                let value = value_of(store, record, name).unwrap_or(Value::Null);
                fitted(store, value, *kind).unwrap_or_else(|| {
                    misfits.add(|| shown(store, value));
                    Value::Null
                })
            });
            let values: Vec<Value> = values.collect();
            errors.extend(misfits.error(name, *kind));
            columns.push(TableColumn::of_values(name, *kind, &values, store));
        }
        (Table { rows: records.len(), columns }, errors)
    }
}

/// The value under a flattened name, as in `eval.f1`.
fn value_of(store: &Store, record: Record, name: &str) -> Option<Value> {
    let mut deeper = None;
    for (key, value) in store.entries(record) {
        let key = store.symbol(key);
        if key == name || escape(&key) == name {
            return Some(value);
        }
        if let Value::Dict(inner) = value {
            let rest = [key.as_ref(), escape(&key).as_ref()]
                .into_iter()
                .find_map(|key| name.strip_prefix(key)?.strip_prefix('.'));
            deeper = deeper.or_else(|| value_of(store, inner, rest?));
        }
    }
    deeper
}

/// The value in a column of this type; nothing if it is of another type.
#[allow(clippy::cast_precision_loss, reason = "the user chose floats")]
fn fitted(store: &Store, value: Value, kind: CellType) -> Option<Value> {
    match (kind, value) {
        (_, Value::Null)
        | (CellType::Bool, Value::Bool(_))
        | (CellType::Int, Value::Int(_))
        | (CellType::Float, Value::Float(_))
        | (CellType::Text, Value::Str(_)) => Some(value),
        (CellType::Float, Value::Int(value)) => Some(Value::Float(value as f64)),
        (CellType::Float, Value::BigInt(text)) => Some(Value::Float(float(store.bytes(text)))),
        _ => None,
    }
}

fn shown(store: &Store, value: Value) -> String {
    match value {
        Value::Str(text) | Value::BigInt(text) => store.text(text).0.into_owned(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Dict(_) => "an object".to_owned(),
        _ => "a list".to_owned(),
    }
}

/// The value of a cell in a column of this type, whatever other cells are; nothing if it is of another type.
pub(super) fn fits(cell: Cell, kind: CellType) -> bool {
    match kind {
        CellType::Bool => matches!(cell, Cell::Bool(_)),
        CellType::Int => matches!(cell, Cell::Int(_)),
        CellType::Float => matches!(cell, Cell::Int(_) | Cell::BigInt | Cell::Float),
        _ => true,
    }
}
