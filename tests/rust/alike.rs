//! Lines that are alike: each object has its own values, whatever the line before it had.

use super::lab::{Lab, config, object};

/// Reads one job a line, of one class, and says what each holds.
fn read(fields: &[&str]) -> Vec<String> {
    let ids: Vec<String> = (0..fields.len()).map(|at| format!("{at:064}")).collect();
    let lines: Vec<String> =
        fields.iter().zip(&ids).zip(1..).map(|((fields, id), at)| object(at, "Train", id, fields)).collect();
    let lab = Lab::with(&ids.iter().map(String::as_str).collect::<Vec<_>>(), &lines);
    let loaded = lab.good();
    ids.iter().map(|id| config(&loaded, id)).collect()
}

/// What is read of many lines is what is read of each line alone.
fn is_read_as_alone(fields: &[&str]) {
    let alone: Vec<String> = fields.iter().flat_map(|fields| read(&[fields])).collect();
    assert_eq!(read(fields), alone);
}

/// Dicts of as many keys, but of other keys, stay apart.
#[test]
fn dicts_have_their_own_keys() {
    is_read_as_alone(&[
        r#""o":{"a":1,"b":2}"#,
        r#""o":{"a":1,"b":3}"#,
        r#""o":{"c":1,"d":3}"#,
        r#""o":{"c":1,"d":4}"#,
        r#""o":{"a":1,"b":4}"#,
        r#""o":{"d":1,"c":4}"#,
        r#""o":{"c":5,"d":4}"#,
        r#""o":{"a":5,"b":4}"#,
        r#""o":{"d":5,"c":6}"#,
    ]);
}

/// The same class with the same fields in several spellings: what changed while another spelling was read is not forgotten.
#[test]
fn spellings_may_come_in_turns() {
    is_read_as_alone(&[
        r#""x":0.0,"y":1"#,
        r#""x":0.0,"y":2"#,
        r#""x": -0.0,"y":2"#,
        r#""x": -0.0,"y":3"#,
        r#""x":0.0,"y":3"#,
        r#""x":0.0, "y":{"z":3}"#,
        r#""x":-0.0, "y":{"z":4}"#,
        r#""x": -0.0,"y":4"#,
        r#""x":NaN,"y":4"#,
        r#""x":NaN,"y":5"#,
    ]);
}

/// A value that comes back after many others is the same value.
#[test]
fn values_come_back() {
    let fields: Vec<String> = (0..200)
        .map(|at| format!(r#""x":"{}","l":[{},"{}"],"n":{}"#, at % 5, at % 7, at % 3, at % 11 * 10))
        .collect();
    is_read_as_alone(&fields.iter().map(String::as_str).collect::<Vec<_>>());
}
