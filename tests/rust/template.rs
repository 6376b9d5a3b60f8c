//! Lines that are like one before: what is read of them, and when they are not.

use xpframe::file::LinedFile;
use xpframe::json::{JsonType, Reader, Span, Syntax, Template};

/// The template of `{"a":VALUE,"b":VALUE}` lines: its slots are the two values.
fn template(line: &str) -> Template {
    let mut spans = Vec::new();
    let mut reader = Reader::new(line.as_bytes());
    reader
        .entries(|reader, _| {
            reader.peek()?;
            let start = reader.position();
            reader.skip()?;
            spans.push(Span { start, end: reader.position() });
            Ok::<(), Syntax>(())
        })
        .unwrap();
    assert_eq!(spans.len(), 2);
    Template::new(line.as_bytes(), spans)
}

/// Which slots of `line` were read, and what of the line they took; nothing if it does not fit.
fn fit(template: &mut Template, line: &str) -> Option<Vec<(usize, String)>> {
    let mut read = Vec::new();
    let fits = template.fit(line.as_bytes(), |slot, reader| {
        let start = reader.position();
        reader.skip()?;
        let taken = reader.taken(Span { start, end: reader.position() });
        read.push((slot, String::from_utf8(taken.to_vec()).unwrap()));
        Ok(())
    });
    fits.map(|length| {
        assert_eq!(length, line.len());
        read
    })
}

fn changed(slots: &[(usize, &str)]) -> Vec<(usize, String)> {
    slots.iter().map(|&(slot, text)| (slot, text.to_owned())).collect()
}

/// Of a line only the values are read that differ, whatever their length; each line is compared with the one before it.
#[test]
fn only_what_differs_is_read() {
    let mut known = template(r#"{"a":1,"b":"x"}"#);
    assert_eq!(fit(&mut known, r#"{"a":1,"b":"x"}"#).unwrap(), changed(&[]));
    assert_eq!(fit(&mut known, r#"{"a":15,"b":"x"}"#).unwrap(), changed(&[(0, "15")]));
    assert_eq!(fit(&mut known, r#"{"a":1,"b":"x"}"#).unwrap(), changed(&[(0, "1")]));
    assert_eq!(fit(&mut known, r#"{"a":1,"b":"xyz"}"#).unwrap(), changed(&[(1, "\"xyz\"")]));
    assert_eq!(
        fit(&mut known, r#"{"a":[1,{"b":2}],"b":null}"#).unwrap(),
        changed(&[(0, "[1,{\"b\":2}]"), (1, "null")])
    );
    assert_eq!(fit(&mut known, r#"{"a":[1,{"b":2}],"b":null}"#).unwrap(), changed(&[]));
    let long = "y".repeat(1000);
    assert_eq!(
        fit(&mut known, &format!("{{\"a\":[1,{{\"b\":2}}],\"b\":\"{long}\"}}")).unwrap(),
        changed(&[(1, &format!("\"{long}\""))])
    );
}

/// A line that differs between its values does not fit, and the template is still that of the line before.
#[test]
fn what_stands_between_values_must_be_the_same() {
    let mut known = template(r#"{"a":1,"b":"x"}"#);
    for other in [
        "",
        "{",
        r#"{"a":1"#,
        r#"{"a":1,"b":"x""#,
        r#"{"a":1,"b":"x"}}"#,
        r#"{"a":1,"b":"x"} "#,
        r#"{"a":1, "b":"x"}"#,
        r#"{"a":1,"c":"x"}"#,
        r#"{"a":2,"c":"x"}"#,
        r#"{"b":1,"a":"x"}"#,
        r#"{"a":1x,"b":"x"}"#,
        r#"{"a":,"b":"x"}"#,
        r#"{"a":01,"b":"x"}"#,
        r#"{"a":1,"b":"x"#,
        r#"{"a":1,"b":"x\"}"#,
        r#"{"a":1,"b":"x","c":1}"#,
    ] {
        assert_eq!(fit(&mut known, other), None, "{other}");
    }
    assert_eq!(fit(&mut known, r#"{"a":1,"b":"x"}"#).unwrap(), changed(&[]));
}

/// A file of lines is given in whole lines, however long they are, and what is appended later is not.
#[test]
fn blocks_are_whole_lines() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("lines");
    let lines: Vec<String> = [0, 1, 70_000, 3, 0, 200_000, 65_535, 65_536, 5]
        .iter()
        .zip("abcdefghi".chars())
        .map(|(&length, letter)| letter.to_string().repeat(length) + "\n")
        .collect();
    let content = lines.concat() + "cut";
    std::fs::write(&path, &content).unwrap();
    let file = LinedFile::open(&path).unwrap();
    std::fs::write(&path, content.clone() + " and more\n").unwrap();
    let mut blocks = file.lines(0..file.size());
    let mut given = Vec::new();
    while let Some(block) = blocks.more().unwrap() {
        given.push(block.to_vec());
    }
    assert_eq!(given.concat(), content.as_bytes());
    let (last, whole) = given.split_last().unwrap();
    assert!(whole.iter().all(|block| block.ends_with(b"\n")) && whole.len() > 1);
    assert_eq!(last, b"cut");
    assert_eq!(file.line_after(0).unwrap(), 1);
    assert_eq!(file.line_after(1).unwrap(), 3);
    assert_eq!(file.line_after(10).unwrap(), 70_004);
    assert_eq!(file.line_after(file.size() - 2).unwrap(), file.size());
}

/// A file goes on from a bookmark only if it is the same file, not older, not shorter, and the same before it.
#[test]
fn bookmarks_are_of_files_that_only_grow() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("lines");
    let open = || LinedFile::open(&path).unwrap();
    std::fs::write(&path, "one\ntwo\nthr").unwrap();
    assert!(open().bookmark(3).is_none(), "its last line may go on");
    std::fs::write(&path, "one\ntwo\n").unwrap();
    let place = open().bookmark(2).unwrap();
    assert_eq!((place.at(), place.lines()), (8, 2));
    assert!(open().goes_on(&place));
    std::fs::write(&path, "one\ntwo\nthree\n").unwrap();
    assert!(open().goes_on(&place));
    std::fs::write(&path, "one\ntoo\nthree\n").unwrap();
    assert!(!open().goes_on(&place), "another line before it");
    std::fs::write(&path, "one\n").unwrap();
    assert!(!open().goes_on(&place), "shorter");
    std::fs::write(home.path().join("other"), "one\ntwo\nthree\n").unwrap();
    std::fs::rename(home.path().join("other"), &path).unwrap();
    assert!(!open().goes_on(&place), "another file of that name");
}

/// The reader that a template gives can be used for any kind of value.
#[test]
fn kinds_may_change_from_line_to_line() {
    let mut known = template(r#"{"a":1,"b":"x"}"#);
    let mut kinds = Vec::new();
    for line in
        [r#"{"a":true,"b":"x"}"#, r#"{"a":null,"b":"x"}"#, r#"{"a":{},"b":"x"}"#, r#"{"a":NaN,"b":"x"}"#]
    {
        let length = known.fit(line.as_bytes(), |_, reader| {
            kinds.push(reader.peek()?);
            reader.skip()
        });
        assert_eq!(length, Some(line.len()));
    }
    assert_eq!(kinds, [JsonType::Bool, JsonType::Null, JsonType::Dict, JsonType::Number]);
}

/// Of a text of many lines the first one is taken, with its end; no value goes on in the next line.
#[test]
fn a_line_ends_where_it_ends() {
    let mut known = template(r#"{"a":1,"b":"x"}"#);
    let first = |known: &mut Template, text: &str| known.fit(text.as_bytes(), |_, reader| reader.skip());
    assert_eq!(first(&mut known, "{\"a\":23,\"b\":\"x\"}\n{\"a\":1"), Some(17));
    assert_eq!(first(&mut known, "{\"a\":23,\"b\":\"x\"}"), Some(16));
    assert_eq!(first(&mut known, "{\"a\":23,\"b\":\"x\"} \n"), None, "more stands in it");
    assert_eq!(first(&mut known, "{\"a\":[1,\n2],\"b\":\"x\"}\n"), None, "cut in a list");
    assert_eq!(first(&mut known, "{\"a\":{\"c\":\n2},\"b\":\"x\"}\n"), None, "cut in a dict");
    assert_eq!(first(&mut known, "{\"a\":23,\"b\":\"x\n\"}\n"), None, "cut in a string");
    assert_eq!(first(&mut known, "{\"a\":23,\"b\":\"x\"\n}\n"), None, "cut behind a value");
    assert_eq!(first(&mut known, "{\"a\":\n3,\"b\":\"x\"}\n"), None, "cut before a value");
    assert_eq!(first(&mut known, "{\"a\":4,\"b\":[1, 2]}\n\n"), Some(19));
}
