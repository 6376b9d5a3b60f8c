//! What is fuzzed of logs and of requested schemas: nothing panics, what is shown of a log is printable, and a table keeps its
//! values in whatever layout it is asked for.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int64Array, LargeListArray, RecordBatch, StringViewArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use xpframe::failures::{Logs, explain};
use xpframe::records::{ExitValue, JobEnding, State};
use xpframe::scan::Table;

/// The end of one stream and the beginning of the other.
const CUT: &[u8] = b"\n=== out\n";

/// The standard error of a failed job and, after `CUT`, its standard output, however the job ended.
pub fn logs(input: &[u8]) {
    let cut = input.windows(CUT.len()).position(|window| window == CUT);
    let (error, output) = match cut {
        Some(start) => (&input[..start], Some(&input[start + CUT.len()..])),
        None => (input, None),
    };
    let reasons = ["FAILED", "DEPENDENCY", "TIMEOUT", "MEMORY"].map(Some);
    for (reason, exit) in
        reasons.into_iter().zip([None, Some(ExitValue::Code(1)), Some(ExitValue::Empty), None])
    {
        let ending = JobEnding {
            state: State::Error,
            reason: reason.map(str::to_owned),
            message: Some(String::from_utf8_lossy(error).into_owned()),
            exit,
            is_marked: true,
            has_pid: false,
            directory: None,
        };
        let found = explain("lab.learn", "0", &ending, &Logs::of(Some(error), output));
        let texts = [found.exception, found.message, found.location, found.cause, found.tail];
        for text in texts.into_iter().flatten() {
            let is_printable = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\t');
            assert!(text.chars().all(is_printable), "{text:?}");
        }
    }
}

/// A schema that bytes describe, requested of a table of every layout that changes.
pub fn schemas(input: &[u8]) {
    let table = table();
    let mut bytes = input.iter().copied();
    let wanted: Vec<Field> = table
        .schema
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), kind(&mut bytes, 0), true))
        .collect();
    let Ok(given) = table.in_layout_of(&Schema::new(wanted)) else { return };
    assert_eq!(given.batches.len(), table.batches.len());
    for (before, after) in table.batches.iter().zip(&given.batches) {
        for (before, after) in before.columns().iter().zip(after.columns()) {
            let back = cast(after, before.data_type()).expect("it was cast before");
            assert_eq!(&plain(&back), &plain(before));
        }
    }
}

/// The values without their layout.
fn plain(array: &ArrayRef) -> ArrayRef {
    let kind = match array.data_type() {
        DataType::LargeList(_) => {
            DataType::LargeList(Arc::new(Field::new("item", DataType::LargeUtf8, true)))
        }
        DataType::Int64 => DataType::Int64,
        _ => DataType::LargeUtf8,
    };
    cast(array, &kind).expect("text is text")
}

fn table() -> Table {
    let texts =
        StringViewArray::from(vec![Some("a"), None, Some("a text that does not fit into a view"), Some("")]);
    let names: DictionaryArray<Int32Type> =
        [Some("up"), Some("down"), None, Some("up")].into_iter().collect();
    let items = Arc::new(StringViewArray::from(vec!["x", "y", "z"]));
    let item = Arc::new(Field::new("item", DataType::Utf8View, true));
    let lists = LargeListArray::new(item, OffsetBuffer::from_lengths([1, 0, 2, 0]), items, None);
    let columns: [(&str, ArrayRef); 4] = [
        ("text", Arc::new(texts)),
        ("enum", Arc::new(names)),
        ("list", Arc::new(lists)),
        ("number", Arc::new(Int64Array::from(vec![Some(1), None, Some(-1), Some(i64::MAX)]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    Table { schema: batch.schema(), batches: vec![batch], errors: Vec::new(), warnings: Vec::new() }
}

/// The next type that bytes describe, at most 16 levels deep.
fn kind(bytes: &mut impl Iterator<Item = u8>, depth: usize) -> DataType {
    let below = |bytes: &mut _| Arc::new(Field::new("item", kind(bytes, depth + 1), true));
    match bytes.next().unwrap_or_default() % 14 {
        0 => DataType::Utf8,
        1 => DataType::LargeUtf8,
        2 => DataType::Utf8View,
        3 => DataType::Int64,
        4 => DataType::Float64,
        5 => DataType::Null,
        6 => DataType::Binary,
        7 => DataType::Decimal128(38, 0),
        _ if depth >= 16 => DataType::Utf8,
        8 | 9 => DataType::LargeList(below(bytes)),
        10 => DataType::List(below(bytes)),
        11 => DataType::Struct(vec![below(bytes)].into()),
        _ => {
            let keys = [DataType::Int8, DataType::UInt16, DataType::Int64, DataType::Utf8];
            let key = keys[usize::from(bytes.next().unwrap_or_default()) % keys.len()].clone();
            DataType::Dictionary(Box::new(key), Box::new(kind(bytes, depth + 1)))
        }
    }
}
