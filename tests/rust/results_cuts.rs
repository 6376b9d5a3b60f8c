//! Files that end anywhere: every record that is complete is there, and the loss is said.

use super::results_support::{Event, JobDirectory, event_file};
use xpframe::results::SeriesOptions;

/// Reads each beginning of a file: the rows must be a beginning of all rows, at least those that are complete.
fn cut_everywhere(name: &str, content: &[u8], ends: &[usize]) {
    let directory = JobDirectory::with(name, content);
    let whole = directory.series(name);
    assert_eq!(whole.len(), ends.len());
    for length in 0..=content.len() {
        directory.write(name, &content[..length]);
        let (rows, end) = directory.rows(name, &SeriesOptions::default());
        let complete = ends.iter().filter(|&&end| end <= length).count();
        // the end of a line may be missing: its row is complete all the same, or a number of it is cut where nobody can tell
        assert!((complete..=complete + 1).contains(&rows.len()), "{length}: {rows:?}");
        assert_eq!(rows[..complete], whole[..complete], "{length}");
        let state = end.state.name();
        let is_said = !end.errors.is_empty();
        assert_eq!(directory.result(name).split(' ').next(), Some(state), "{length}");
        assert_eq!(state == "cut", is_said, "{length}: {state} {:?}", end.errors);
        let is_between = length == 0 || content[length - 1] == b'\n' || ends.contains(&length);
        assert!(rows.len() > complete || is_said || is_between || state == "empty", "{length}: {rows:?}");
    }
}

fn line_ends(content: &str, header: usize) -> Vec<usize> {
    content.match_indices('\n').map(|(at, _)| at + 1).skip(header).collect()
}

/// A CSV file.
#[test]
fn csv() {
    let content = "epoch,loss,note\n1,0.5,a\n2,0.25,\"b,\"\"c\"\"\"\n3,0.125,d\n";
    cut_everywhere("a.csv", content.as_bytes(), &line_ends(content, 1));
}

/// JSON lines.
#[test]
fn json_lines() {
    let content = "{\"epoch\": 1, \"loss\": 0.5}\n{\"epoch\": 2, \"t\": \"é\\u00e9\"}\n{\"epoch\": 3}\n";
    cut_everywhere("a.jsonl", content.as_bytes(), &line_ends(content, 0));
}

/// trec text.
#[test]
fn trec() {
    let content = "AP all 0.5\nP@5 all 0.25\nAP q1 1\n";
    let directory = JobDirectory::with("a.trec", content);
    let whole = directory.series("a.trec");
    for length in 11..content.len() {
        directory.write("a.trec", &content[..length]);
        let (rows, end) = directory.rows("a.trec", &SeriesOptions::default());
        let complete = content[..length].matches('\n').count();
        assert_eq!(rows[..complete], whole[..complete]);
        assert!(rows.len() > complete || end.state.name() == "cut" || content[..length].ends_with('\n'));
    }
}

/// An event file.
#[test]
fn events() {
    let records: Vec<Vec<u8>> = [(0, "loss", 0.5), (1, "acc", 0.25), (2, "loss", 0.125)]
        .map(|(s, t, v)| Event::scalar(s, t, v))
        .into();
    let content = event_file(&records);
    let mut ends = vec![event_file(&[]).len()];
    for record in &records {
        ends.push(ends[ends.len() - 1] + record.len());
    }
    let directory = JobDirectory::with("events.out.tfevents.1.h", &content);
    let whole = directory.series("events.out.tfevents.1.h");
    assert_eq!(whole.len(), 3);
    for length in 0..=content.len() {
        directory.write("events.out.tfevents.1.h", &content[..length]);
        let (rows, end) = directory.rows("events.out.tfevents.1.h", &SeriesOptions::default());
        let complete = ends[1..].iter().filter(|&&end| end <= length).count();
        assert_eq!(rows, whole[..complete], "{length}");
        let expected = match length {
            _ if length != 0 && !ends.contains(&length) => "cut",
            _ if complete == 0 => "empty",
            _ => "read",
        };
        assert_eq!(end.state.name(), expected, "{length}");
        assert_eq!(expected == "cut", !end.errors.is_empty());
    }
}

/// One wrong bit anywhere in an event file never changes a value in silence.
#[test]
fn wrong_bits() {
    let content = event_file(&[Event::scalar(0, "loss", 0.5), Event::scalar(1, "loss", 0.25)]);
    let directory = JobDirectory::with("events.out.tfevents.1.h", &content);
    let whole = directory.series("events.out.tfevents.1.h");
    for bit in 0..content.len() * 8 {
        let mut wrong = content.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        directory.write("events.out.tfevents.1.h", wrong);
        let (rows, end) = directory.rows("events.out.tfevents.1.h", &SeriesOptions::default());
        assert!(whole.starts_with(&rows) && rows.len() < whole.len(), "{bit}: {rows:?}");
        assert!(matches!(end.state.name(), "cut" | "unreadable"), "{bit}");
        assert!(!end.errors.is_empty(), "{bit}");
    }
}
