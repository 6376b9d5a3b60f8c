//! Event files of `TensorBoard`: restarts, tensors, several files and directories.

use xpframe::results::{Patterns, ResultOptions, Select, SeriesOptions};

use super::result_targets::framed;
use super::results_support::{Event, JobDirectory, event_file, field, number};

const FILE: &str = "runs/events.out.tfevents.100.host";

fn board(records: &[Vec<u8>]) -> JobDirectory {
    JobDirectory::with(FILE, event_file(records))
}

fn steps(range: std::ops::Range<i64>, tag: &str) -> Vec<Vec<u8>> {
    #[allow(clippy::cast_precision_loss, reason = "a few steps")]
    range.map(|step| Event::scalar(step, tag, step as f32 / 2.0)).collect()
}

/// Scalars come in the order of the file; the result is the highest step, and of equal steps the one written last.
#[test]
fn scalars_by_step() {
    let records = [
        Event::scalar(3, "loss", 0.5),
        Event::scalar(9, "loss", 0.25),
        Event::scalar(9, "loss", 0.75),
        Event::scalar(1, "loss", f32::NAN),
        Event::scalar(0, "acc@1/x.y", 0.1),
    ];
    let directory = board(&records);
    assert_eq!(directory.result("runs"), "read loss=0.75 acc@1/x.y=0.10000000149011612");
    assert_eq!(
        directory.series("runs"),
        ["loss@3=0.5", "loss@9=0.25", "loss@9=0.75", "loss@1=NaN", "acc@1/x.y@0=0.10000000149011612"]
    );
    assert_eq!(directory.result(FILE), directory.result("runs"));
    assert_eq!(directory.result("runs/**/events.out.*"), directory.result("runs"));
}

/// `max` gives the step at which a metric is greatest; what another metric does not have there is null.
#[test]
fn selection_by_metric() {
    let records = [
        Event::scalar(1, "acc", 0.5),
        Event::scalar(1, "loss", 8.0),
        Event::scalar(2, "acc", 0.75),
        Event::scalar(3, "acc", 0.75),
        Event::scalar(3, "loss", 4.0),
        Event::scalar(4, "acc", f32::NAN),
    ];
    let directory = board(&records);
    let with = |select| directory.result_with("runs", &ResultOptions { select, ..ResultOptions::default() });
    assert_eq!(with(Select::Max("acc".into())), "read acc=0.75 loss=null");
    assert_eq!(with(Select::Min("acc".into())), "read acc=0.5 loss=8.0");
    assert_eq!(with(Select::First), "read acc=0.5 loss=8.0");
    let options = ResultOptions { select: Select::Max("f1".into()), ..ResultOptions::default() };
    let scalars = directory.scalars("runs", &options);
    assert!(scalars.errors[0].to_string().contains("no metric 'f1' to choose the step by"));
}

/// A writer that starts at a step drops what was written at it or later: of all tags, in all files of the directory.
#[test]
fn restarts_purge() {
    let first = event_file(&[steps(0..6, "loss"), steps(0..6, "acc")].concat());
    let second = event_file(&[vec![Event::start(4)], steps(4..5, "loss")].concat());
    let third = event_file(&[vec![Event::start(2)], steps(2..3, "loss")].concat());
    let directory = JobDirectory::with("runs/events.out.tfevents.99.host", first);
    directory.write("runs/events.out.tfevents.100.host", second);
    let read = directory.series("runs");
    assert_eq!(
        read,
        [
            "loss@0=0.0",
            "loss@1=0.5",
            "loss@2=1.0",
            "loss@3=1.5",
            "acc@0=0.0",
            "acc@1=0.5",
            "acc@2=1.0",
            "acc@3=1.5",
            "loss@4=2.0"
        ]
    );
    directory.write("runs/events.out.tfevents.1000.host", third);
    let read = directory.series("runs");
    assert_eq!(read, ["loss@0=0.0", "loss@1=0.5", "acc@0=0.0", "acc@1=0.5", "loss@2=1.0"]);
}

/// A restart that is followed by many others is as quick as one.
#[test]
fn many_restarts() {
    let mut records = steps(0..20_000, "loss");
    for step in (0..20_000).rev() {
        records.push(Event::start(step));
    }
    assert_eq!(board(&records).result("runs"), "read");
}

/// Before version 2 a lower step is a restart for the tags of its event.
#[test]
fn files_of_version_1() {
    let records = [steps(0..4, "loss"), steps(0..4, "acc"), steps(2..3, "loss")].concat();
    let content = [Event::version("brain.Event:1"), records.concat()].concat();
    let directory = JobDirectory::with(FILE, content);
    let read = directory.series("runs");
    assert_eq!(
        read,
        ["loss@0=0.0", "loss@1=0.5", "acc@0=0.0", "acc@1=0.5", "acc@2=1.0", "acc@3=1.5", "loss@2=1.0"]
    );
}

/// Tensors of rank 0 are scalars if the plugin of their tag, said once, is that of scalars.
#[test]
fn tensors() {
    let float = [number(1, 1), field(2, &[]), field(5, &0.5_f32.to_le_bytes())].concat();
    let content = [number(1, 2), field(4, &0.25_f64.to_le_bytes())].concat();
    let vector =
        [number(1, 1), field(2, &field(2, &number(1, 1))), field(5, &0.5_f32.to_le_bytes())].concat();
    let integer = [number(1, 3), number(7, 3)].concat();
    let records = [
        Event::tensor(1, "loss", &float, Some("scalars")),
        Event::tensor(2, "loss", &content, None),
        Event::tensor(3, "loss", &vector, None),
        Event::tensor(4, "loss", &integer, None),
        Event::tensor(1, "hist", &float, Some("histograms")),
        Event::tensor(2, "hist", &float, Some("scalars")),
        Event::tensor(1, "none", &float, None),
    ];
    let directory = board(&records);
    assert_eq!(directory.series("runs"), ["loss@1=0.5", "loss@2=0.25"]);
    assert_eq!(directory.errors("runs"), [format!("{FILE}, job a: 1 scalars are neither float nor double")]);
}

/// A record whose checksum is right and which is no message is passed over and said, none of its scalars is kept.
#[test]
fn records_that_are_no_message() {
    let mut half = Event::scalar(1, "loss", 0.5);
    half = half[12..half.len() - 4].to_vec();
    let broken = framed(&[&half[..], &[0x0B]].concat());
    let records = [Event::scalar(0, "loss", 1.0), broken, framed(b"junk"), Event::scalar(2, "loss", 3.0)];
    let directory = board(&records);
    assert_eq!(directory.series("runs"), ["loss@0=1.0", "loss@2=3.0"]);
    assert_eq!(directory.errors("runs"), [format!("{FILE}, job a: 2 records are no events")]);
}

/// Run directories are united; a metric that several of them have is null, and said.
#[test]
fn several_directories() {
    let directory = JobDirectory::with("runs/a/events.out.tfevents.1.h", event_file(&steps(0..3, "loss")));
    directory.write("runs/b/events.out.tfevents.1.h", event_file(&steps(0..2, "acc")));
    assert_eq!(directory.result("runs"), "read loss=1.0 acc=0.5");
    assert_eq!(directory.series("runs")[0], "runs/a loss@0=0.0");
    directory.write("runs/c/events.out.tfevents.1.h", event_file(&steps(0..5, "loss")));
    assert_eq!(directory.result("runs"), "several loss=null acc=0.5");
    assert_eq!(
        directory.errors("runs"),
        [
            "job a: 'loss' is in 2 run directories ('runs/a', 'runs/c'): it is null here (name one of them, as in results=\"runs/train/*\")"
        ]
    );
    assert_eq!(directory.result("runs/c/*"), "read loss=2.0");
    assert_eq!(directory.result("runs/*"), directory.result("runs"));
}

/// Filters on metrics and steps apply while reading, and a restart still sees every step.
#[test]
fn filters() {
    let records = [steps(0..6, "val/loss"), steps(0..6, "train/loss"), vec![Event::start(3)]].concat();
    let options = SeriesOptions {
        result: ResultOptions { metrics: Patterns::any_of(vec!["val/*".into()]), ..ResultOptions::default() },
        steps: Some(1..=9),
        ..SeriesOptions::default()
    };
    assert_eq!(board(&records).rows("runs", &options).0, ["val/loss@1=0.5", "val/loss@2=1.0"]);
}

/// No point is left out, however many there are.
#[test]
fn nothing_is_sampled() {
    let directory = board(&steps(0..25_000, "loss"));
    assert_eq!(directory.series("runs").len(), 25_000);
}
