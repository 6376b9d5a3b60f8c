//! Lines that are alike: each object has its own values, whatever the line before it had.

use xpframe::values::Value;

use super::lab::{Lab, config, object, object_with};

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

/// A line may name as its task what the line before it defined, also if that named itself.
#[test]
fn a_task_may_be_that_of_the_line_before() {
    // each object, and its task
    let tasks = [(1, 1), (2, 1), (3, 3), (4, 4), (5, 4), (6, 4), (7, 7), (8, 1), (9, 8), (10, 10), (11, 10)];
    let ids: Vec<String> = tasks.iter().map(|(id, _)| format!("j{id}")).collect();
    let lines: Vec<String> = tasks
        .iter()
        .zip(&ids)
        .map(|(&(at, task), id)| object_with(at, "Train", id, &format!("\"task\":{task},"), "\"x\":1"))
        .collect();
    let lab = Lab::with(&ids.iter().map(String::as_str).collect::<Vec<_>>(), &lines);
    let loaded = lab.good();
    let graph = &loaded.objects().graph;
    for (id, (at, task)) in ids.iter().zip(tasks) {
        let Value::Object(found) = graph.task(loaded.job(id).unwrap()) else { panic!("{id} has no task") };
        assert_eq!(graph.object(found).id, task, "the task of {at}");
    }
}
