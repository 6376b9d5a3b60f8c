//! From JSON to values.

use super::index;
use super::store::{Items, Record, ShapeIx, Store, Symbol, Value};
use crate::json::{JsonType, Number, Reader, Syntax};

/// Gives dicts that encode something else their meaning.
pub trait Decode {
    /// The value that a dict of these keys and values encodes; `None` if it is just a dict.
    fn decode(&mut self, store: &mut Store, keys: &[Symbol], values: &[Value]) -> Option<Value>;
}

/// Dicts are dicts, as in tags.
#[derive(Debug)]
pub struct Plain;

impl Decode for Plain {
    fn decode(&mut self, _: &mut Store, _: &[Symbol], _: &[Value]) -> Option<Value> {
        None
    }
}

/// What was read last, for guessing what comes next: lines of a run repeat themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    keys: Vec<Symbol>,
    values: Vec<Value>,
    /// The last shape that began with the symbol of this index
    last_shape: Vec<Option<ShapeIx>>,
}

/// Takes one value from `reader`.
///
/// # Errors
/// What is wrong with the JSON.
pub fn read(reader: &mut Reader<'_>, store: &mut Store, decode: &mut impl Decode) -> Result<Value, Syntax> {
    Ok(match reader.peek()? {
        JsonType::Null => reader.null().map(|()| Value::Null)?,
        JsonType::Bool => Value::Bool(reader.bool()?),
        JsonType::Number => match reader.number()? {
            Number::Int(value) => Value::Int(value),
            Number::Float(value) => Value::Float(value),
            Number::Big(digits, _) => Value::BigInt(store.push_text(digits)),
        },
        JsonType::String => {
            let text = reader.string()?;
            Value::Str(store.string(text)?)
        }
        JsonType::List => Value::List(list(reader, store, decode)?),
        JsonType::Dict => return dict(reader, store, decode),
    })
}

fn list(reader: &mut Reader<'_>, store: &mut Store, decode: &mut impl Decode) -> Result<Items, Syntax> {
    let start = store.memory.values.len();
    let read = reader.items(|reader| {
        let value = read(reader, store, decode)?;
        store.memory.values.push(value);
        Ok(())
    });
    let items = read.map(|()| {
        let first = index(store.values.len());
        let held = &store.memory.values[start..];
        store.values.last().extend_from_slice(held);
        Items { start: first, length: index(held.len()) }
    });
    store.memory.values.truncate(start);
    items
}

fn dict(reader: &mut Reader<'_>, store: &mut Store, decode: &mut impl Decode) -> Result<Value, Syntax> {
    let first = (store.memory.keys.len(), store.memory.values.len());
    let mark = store.mark();
    let value = entries(reader, store, decode).map(|guess| {
        let encoded = decode_small(store, first, decode);
        if let Some(Value::Object(_) | Value::Unresolved(_) | Value::Enum(_)) = encoded {
            // nothing points to the texts of the encoding any more
            store.rewind(mark);
        }
        encoded.unwrap_or_else(|| Value::Dict(finish(store, first, guess)))
    });
    store.memory.keys.truncate(first.0);
    store.memory.values.truncate(first.1);
    value
}

/// Takes a dict that is a dict whatever it looks like: the fields of an object, the tags of a job. Its values are decoded.
///
/// # Errors
/// What is wrong with the JSON.
pub fn record(
    reader: &mut Reader<'_>,
    store: &mut Store,
    decode: &mut impl Decode,
) -> Result<Record, Syntax> {
    let first = (store.memory.keys.len(), store.memory.values.len());
    let record = entries(reader, store, decode).map(|guess| finish(store, first, guess));
    store.memory.keys.truncate(first.0);
    store.memory.values.truncate(first.1);
    record
}

/// What the keys and values at the end of the memory encode, if they do; every encoding has at most four keys.
fn decode_small(
    store: &mut Store,
    (keys, values): (usize, usize),
    decode: &mut impl Decode,
) -> Option<Value> {
    let count = store.memory.keys.len() - keys;
    if !(2..=4).contains(&count) {
        return None;
    }
    let mut names = [Symbol(0); 4];
    let mut held = [Value::Null; 4];
    names[..count].copy_from_slice(&store.memory.keys[keys..]);
    held[..count].copy_from_slice(&store.memory.values[values..]);
    decode.decode(store, &names[..count], &held[..count])
}

/// Puts the keys and values of a dict at the end of the memory. Says which shape its keys are, if it is the guessed one.
fn entries(
    reader: &mut Reader<'_>,
    store: &mut Store,
    decode: &mut impl Decode,
) -> Result<Option<ShapeIx>, Syntax> {
    let mut guess = None;
    let mut position = 0;
    reader.entries(|reader, key| {
        let symbol = match guess.and_then(|shape| store.shape(shape).get(position).copied()) {
            Some(symbol) if !key.escaped && store.symbol_bytes(symbol) == key.raw => symbol,
            expected => {
                let symbol = intern_key(store, key)?;
                if position == 0 {
                    guess = store.memory.last_shape.get(symbol.0 as usize).copied().flatten();
                } else if expected != Some(symbol) {
                    guess = None;
                }
                symbol
            }
        };
        position += 1;
        store.memory.keys.push(symbol);
        let value = read(reader, store, decode)?;
        store.memory.values.push(value);
        Ok(())
    })?;
    Ok(guess.filter(|&shape| store.shape(shape).len() == position))
}

fn intern_key(store: &mut Store, key: crate::json::JsonText<'_>) -> Result<Symbol, Syntax> {
    if !key.escaped {
        return Ok(store.intern(key.raw));
    }
    Ok(store.intern(&super::store::decoded(key)?))
}

/// Makes a record of the keys and values at the end of the memory.
fn finish(store: &mut Store, (keys, values): (usize, usize), guess: Option<ShapeIx>) -> Record {
    if let Some(shape) = guess {
        let start = index(store.values.len());
        store.values.last().extend_from_slice(&store.memory.values[values..]);
        return Record { shape, start, sheet: Record::LOOSE };
    }
    let mut entries = indexmap::IndexMap::<Symbol, Value, ahash::RandomState>::default();
    for (&key, &value) in store.memory.keys[keys..].iter().zip(&store.memory.values[values..]) {
        // as in Python, the last value of a repeated key wins at the place of the first
        entries.insert(key, value);
    }
    let unique: Vec<Symbol> = entries.keys().copied().collect();
    let held: Vec<Value> = entries.into_values().collect();
    let record = store.push_record(&unique, &held);
    if let Some(&first) = unique.first() {
        let at = first.0 as usize;
        if store.memory.last_shape.len() <= at {
            store.memory.last_shape.resize(at + 1, None);
        }
        store.memory.last_shape[at] = Some(record.shape);
    }
    record
}
