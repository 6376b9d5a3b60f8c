//! The fuzz targets of result files, without a fuzzer: seeds, and a few thousand mutations of them.

use super::damage::{effort, mutate};
use super::result_targets::{events, tables};
use super::results_support::{Event, event_file, field, number};

/// Event files and the messages inside of them.
#[test]
fn event_files_of_any_kind_are_read() {
    let tensor = [number(1, 1), field(2, &[]), field(5, &0.5_f32.to_le_bytes())].concat();
    let records = [
        Event::scalar(1, "loss", 0.5),
        Event::tensor(2, "acc", &tensor, Some("scalars")),
        Event::start(1),
        Event::scalar(-3, "loss", f32::NAN),
        Event::scalar(1 << 40, "acc", 0.5),
    ];
    let messages: Vec<Vec<u8>> = records.iter().map(|record| record[12..record.len() - 4].to_vec()).collect();
    let mut seeds = vec![event_file(&records), Event::version("brain.Event:1"), messages.join(&b'\n')];
    seeds.extend(messages);
    mutate("events", &seeds, events, effort(3_000, 200_000));
}

/// Text of any kind under the names of all formats.
#[test]
fn tables_of_any_kind_are_read() {
    let seeds = [
        "epoch,loss,note\n1,0.5,a\n2,0.25,\"b,\"\"c\"\"\n\"\n3,inf,007\n",
        "a\tb\n1\t2\n9007199254740993\t0.5\n0.5\t99999999999999999999\n",
        "{\"a\": 1, \"b\": {\"c\": [1, \"x\"]}}\n{\"a\": NaN}\n",
        "[{\"a\": 1}, {\"a\": 2.5}]",
        "AP all 0.5\nP@5 q1 0.25\nrunid all x\n# no\nAP\tq 2\t1e400\n",
        "\u{feff}x,y\r\ntrue,\r\nFalse,1_000\r\n",
    ];
    mutate("tables", &seeds.map(|seed| seed.as_bytes().to_vec()), tables, effort(2_000, 100_000));
}
