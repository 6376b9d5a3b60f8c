//! Reads JSON into the values of a store.

use super::store::Store;
use super::value::{Items, Record, ShapeIx, Symbol, Value, index};
use crate::json::{JsonText, JsonType, Number, Reader, Syntax};

/// Turns dicts that encode a Python value into that value.
pub trait Decode {
    /// The value that a dict of these keys and values encodes; `None` if it is an ordinary dict.
    fn decode(&mut self, store: &mut Store, keys: &[Symbol], values: &[Value]) -> Option<Value>;
}

/// Decodes nothing: dicts are dicts, as in tags.
#[derive(Debug)]
pub struct Plain;

impl Decode for Plain {
    fn decode(&mut self, _: &mut Store, _: &[Symbol], _: &[Value]) -> Option<Value> {
        None
    }
}

/// Takes one value from `reader`.
///
/// # Errors
/// Any syntax error.
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
    let start = store.scratch.values.len();
    let read = reader.items(|reader| {
        let value = read(reader, store, decode)?;
        store.scratch.values.push(value);
        Ok(())
    });
    let items = read.map(|()| {
        let first = index(store.values.len());
        let values = &store.scratch.values[start..];
        store.values.last().extend_from_slice(values);
        Items { start: first, length: index(values.len()) }
    });
    store.scratch.values.truncate(start);
    items
}

/// Lengths of the scratch keys and values before a dict.
type ScratchStart = (usize, usize);

fn dict(reader: &mut Reader<'_>, store: &mut Store, decode: &mut impl Decode) -> Result<Value, Syntax> {
    let start = (store.scratch.keys.len(), store.scratch.values.len());
    let mark = store.mark();
    let value = entries(reader, store, decode).map(|guess| {
        let decoded = decode_small(store, start, decode);
        if let Some(Value::Object(_) | Value::Unresolved(_) | Value::Enum(_)) = decoded {
            // these refer to no text of the encoding
            store.rewind(mark);
        }
        decoded.unwrap_or_else(|| Value::Dict(finish(store, start, guess)))
    });
    store.scratch.keys.truncate(start.0);
    store.scratch.values.truncate(start.1);
    value
}

/// Takes a dict that encodes nothing itself: the fields of an object, the tags of a job. Its values are decoded.
///
/// # Errors
/// Any syntax error.
pub fn record(
    reader: &mut Reader<'_>,
    store: &mut Store,
    decode: &mut impl Decode,
) -> Result<Record, Syntax> {
    let start = (store.scratch.keys.len(), store.scratch.values.len());
    let record = entries(reader, store, decode).map(|guess| finish(store, start, guess));
    store.scratch.keys.truncate(start.0);
    store.scratch.values.truncate(start.1);
    record
}

/// Decodes the dict on top of the scratch, if it is an encoding: every encoding has two to four keys.
fn decode_small(
    store: &mut Store,
    (first_key, first_value): ScratchStart,
    decode: &mut impl Decode,
) -> Option<Value> {
    let count = store.scratch.keys.len() - first_key;
    if !(2..=4).contains(&count) {
        return None;
    }
    let mut keys = [Symbol(0); 4];
    let mut values = [Value::Null; 4];
    keys[..count].copy_from_slice(&store.scratch.keys[first_key..]);
    values[..count].copy_from_slice(&store.scratch.values[first_value..]);
    decode.decode(store, &keys[..count], &values[..count])
}

/// Pushes the keys and values of a dict on the scratch. Returns their shape if it was guessed right from the first key:
/// the dicts of a run repeat a few shapes, and comparing keys in order is faster than hashing them.
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
                    guess = store.scratch.last_shapes.get(symbol.0 as usize).copied().flatten();
                } else if expected != Some(symbol) {
                    guess = None;
                }
                symbol
            }
        };
        position += 1;
        store.scratch.keys.push(symbol);
        let value = read(reader, store, decode)?;
        store.scratch.values.push(value);
        Ok(())
    })?;
    Ok(guess.filter(|&shape| store.shape(shape).len() == position))
}

fn intern_key(store: &mut Store, key: JsonText<'_>) -> Result<Symbol, Syntax> {
    if !key.escaped {
        return Ok(store.intern(key.raw));
    }
    Ok(store.intern(&key.decoded()?))
}

/// Makes a record of the keys and values on top of the scratch.
fn finish(store: &mut Store, (first_key, first_value): ScratchStart, guess: Option<ShapeIx>) -> Record {
    if let Some(shape) = guess {
        let start = index(store.values.len());
        store.values.last().extend_from_slice(&store.scratch.values[first_value..]);
        return Record { shape, start, sheet: Record::LOOSE };
    }
    let mut entries = indexmap::IndexMap::<Symbol, Value, ahash::RandomState>::default();
    for (&key, &value) in store.scratch.keys[first_key..].iter().zip(&store.scratch.values[first_value..]) {
        // as in Python, a repeated key keeps its first position and takes its last value
        entries.insert(key, value);
    }
    let keys: Vec<Symbol> = entries.keys().copied().collect();
    let values: Vec<Value> = entries.into_values().collect();
    let record = store.push_record(&keys, &values);
    if let Some(&first) = keys.first() {
        let first = first.0 as usize;
        if store.scratch.last_shapes.len() <= first {
            store.scratch.last_shapes.resize(first + 1, None);
        }
        store.scratch.last_shapes[first] = Some(record.shape);
    }
    record
}
