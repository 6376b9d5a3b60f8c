//! What stands in JSON, JSON lines, CSV, TSV and trec files, and which row is the result.

use xpframe::results::{CsvOptions, Format, ResultOptions, Select, SeriesOptions};

use super::results_support::JobDirectory;

fn result(name: &str, content: impl AsRef<[u8]>) -> String {
    JobDirectory::with(name, content).result(name)
}

fn error(name: &str, content: impl AsRef<[u8]>) -> String {
    let directory = JobDirectory::with(name, content);
    assert!(directory.result(name).starts_with("unreadable"), "{}", directory.result(name));
    directory.errors(name).join("\n")
}

fn selected(name: &str, content: &str, select: Select) -> String {
    let options = ResultOptions { select, ..ResultOptions::default() };
    JobDirectory::with(name, content).result_with(name, &options)
}

/// JSON keeps its types: integers of any size, NaN, text that looks like a number.
#[test]
fn json_keeps_types() {
    let content = r#"{"a": 1, "b": 1.0, "c": NaN, "d": -Infinity, "e": 1e400, "f": "007", "g": true, "h": null,
        "i": 18446744073709551616, "j": [1, "x"], "k": {"l": {"m": 2}}}"#;
    let expected = "read a=1 b=1.0 c=NaN d=-inf e=inf f=\"007\" g=true h=null i=18446744073709551616 \
                    j=[1,\"x\"] k.l.m=2";
    assert_eq!(result("metrics.json", content), expected);
}

/// A list of objects has rows; the last one is the result.
#[test]
fn json_lists_have_rows() {
    let content = r#"[{"epoch": 1, "loss": 0.5}, 3, {"epoch": 2}]"#;
    assert_eq!(result("log.json", content), "read epoch=2");
    let directory = JobDirectory::with("log.json", content);
    assert_eq!(directory.series("log.json"), ["epoch=1 loss=0.5", "epoch=2"]);
    assert_eq!(
        directory.errors("log.json"),
        ["log.json:1, job a: skipped: an item of the list is no object"]
    );
}

/// What is no object is refused, with the way to read it.
#[test]
fn json_without_names_is_refused() {
    assert_eq!(
        error("a.json", "0.5"),
        "a.json, job a: a JSON object or a list of objects was expected (results have names, as in {\"loss\": 0.5})"
    );
    assert_eq!(
        error("a.json", "{\"a\": 1}\n{\"a\": 2}\n"),
        "a.json:2, job a: more text after the value, at byte 10 (if each line is an object, give format=\"jsonl\")"
    );
    assert!(error("a.json", [b'[', 0xFF]).contains("the text is not UTF-8"));
    assert!(error("a.json", "[".repeat(100_000)).contains("nested more than 1000 deep"));
}

/// Lines end at line feeds only; bad lines are skipped and said.
#[test]
fn json_lines_skip_bad_lines() {
    let content = "\u{feff}{\"a\": \"x\u{2028}y\"}\r\n\n# no\n{\"a\": 2} {\"a\": 3}\n[4]\n{\"a\": 5}";
    let directory = JobDirectory::with("log.jsonl", content);
    assert_eq!(directory.result("log.jsonl"), "read a=5");
    assert_eq!(directory.series("log.jsonl"), ["a=\"x\\u{2028}y\"", "a=5"]);
    let lines: Vec<String> = directory.errors("log.jsonl");
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("log.jsonl:3, job a: skipped: a value was expected"), "{}", lines[0]);
    assert!(error("log.jsonl", "1\n2\n").ends_with("no line is a JSON object"));
}

/// A column of a CSV file has one type; what merely looks like a number is text as it stands.
#[test]
fn csv_columns_have_one_type() {
    let content = "int,float,bool,code,thousands,comma,percent,na,mixed,none,big\n\
                   1,1,true,007,1_000,\"0,5\",12%,NA,true,,9223372036854775808\n\
                   -2,2.5e3,FALSE,8,7,3,4,1, 1 , ,+5\n";
    let directory = JobDirectory::with("a.csv", content);
    let expected = "read int=-2 float=2500.0 bool=false code=\"8\" thousands=\"7\" comma=\"3\" percent=\"4\" \
                    na=\"1\" mixed=\" 1 \" none=null big=5";
    assert_eq!(directory.result("a.csv"), expected);
    assert_eq!(
        directory.series("a.csv")[0],
        "int=1 float=1.0 bool=true code=\"007\" thousands=\"1_000\" comma=\"0,5\" percent=\"12%\" na=\"NA\" \
         mixed=\"true\" none=null big=9223372036854775808"
    );
}

/// Which cells are numbers.
#[test]
fn cells_are_typed() {
    let floats = ["5.", ".5", "-0.5", "+1E-7", "nan", "-Infinity", "1e400", "0.0"];
    let texts = ["01", "0x1F", "1e", "e5", ".", "-", "1.2.3", "00.5", "1 2", "yes", "None", "١"];
    for (cells, expected) in [(&floats[..], false), (&texts[..], true)] {
        for cell in cells {
            let read = result("a.tsv", format!("x\ty\n{cell}\t1\n"));
            assert_eq!(read.starts_with(&format!("read x={cell:?} ")), expected, "{cell}: {read}");
        }
    }
    assert_eq!(result("a.csv", "x\n-9223372036854775808\n"), "read x=-9223372036854775808");
}

/// Integers and floats of one column are floats only if nothing is lost.
#[test]
fn csv_never_rounds_integers() {
    let content = "x\n9007199254740993\n0.5\n";
    let directory = JobDirectory::with("a.csv", content);
    assert_eq!(directory.result("a.csv"), "read x=0.5");
    assert_eq!(directory.series("a.csv"), ["x=9007199254740993 x=null", "x=null x=0.5"]);
    assert_eq!(result("a.csv", "x\n0.5\n9007199254740993\n"), "read x=9007199254740993");
    assert_eq!(result("a.csv", "x\n0.5\n9007199254740992\n"), "read x=9007199254740992.0");
}

/// Quotes, doubled quotes, line ends within them, CRLF and a byte order mark.
#[test]
fn csv_quotes() {
    let content = "\u{feff}a, b\r\n\"x,\"\"y\"\"\r\nz\",\"\"\r\nq\"r,\"s\"t\r\n";
    let directory = JobDirectory::with("a.csv", content);
    assert_eq!(directory.series("a.csv"), ["a=\"x,\\\"y\\\"\\r\\nz\" b=null", "a=\"q\\\"r\" b=\"st\""]);
}

/// Comments, blank lines and rows of another length are no rows; the latter are said, with their line.
#[test]
fn csv_skips() {
    let content = "# made by\n\na,b\n1,2\n#3,4\n\"5\n\",6,7\n8\n  \n9,10\n";
    let directory = JobDirectory::with("a.csv", content);
    assert_eq!(directory.series("a.csv"), ["a=1 b=2", "a=9 b=10"]);
    let expected = [
        "a.csv:6, job a: skipped: 3 cells, the header has 2",
        "a.csv:8, job a: skipped: 1 cell, the header has 2",
    ];
    assert_eq!(directory.errors("a.csv"), expected);
}

/// A table whose cells could be read in two ways is refused, with the way to read it.
#[test]
fn csv_never_guesses() {
    let hint = |content: &str| error("a.csv", content);
    assert_eq!(
        hint("a;b\n1,5;2\n"),
        "a.csv:1, job a: the cells are separated by ';', not by ',' (give separator=';' in Result(…))"
    );
    assert!(error("a.tsv", "a,b\n1,2\n").contains("separated by ',', not by '\\t'"));
    assert!(hint("1,0.5\n2,0.25\n").contains("the first record has only numbers: there is no header"));
    assert!(hint("a,a\n1,2\n").contains("two columns are called 'a'"));
    assert!(hint("a,b\r1,2\r").contains("carriage returns only"));
    assert!(hint("{\"a\": 1}\n").contains("its content is JSON"));
    assert!(error("a.csv", b"a,b\n\xE9,2\n").contains("a.csv:2, job a: the text is not UTF-8"));
    assert!(error("a.csv", b"a\0b\n1\n").contains("zero bytes"));
}

/// What a file is, said by the user: separator and header.
#[test]
fn csv_as_said() {
    let csv = CsvOptions { separator: Some(b';'), header: Some(vec!["x".into(), "y".into()]) };
    let options = ResultOptions { csv, ..ResultOptions::default() };
    assert_eq!(JobDirectory::with("a.csv", "1;2\n3;4\n").result_with("a.csv", &options), "read x=3 y=4");
}

/// Only the columns that are wanted are made.
#[test]
fn csv_projection() {
    let options = SeriesOptions { columns: Some(vec!["b".into()]), ..SeriesOptions::default() };
    let directory = JobDirectory::with("a.csv", "a,b\n1,2\n");
    assert_eq!(directory.rows("a.csv", &options).0, ["b=2"]);
}

/// A table of several blocks is one table: one type a column, however far apart its cells stand.
#[test]
fn csv_of_many_blocks() {
    let long = "x".repeat(1000);
    let mut content = "n,text\n".to_owned();
    for row in 0..5_000 {
        content.extend([format!("{row},\"{long}\n\"\n")]);
    }
    content.push_str("0.5,end\n");
    let directory = JobDirectory::with("a.csv", &content);
    assert_eq!(directory.result("a.csv"), "read n=0.5 text=\"end\"");
    let rows = directory.series("a.csv");
    assert_eq!(rows.len(), 5_001);
    assert!(rows[4_999].starts_with("n=4999.0 "));
}

/// trec text: tabs or blanks, the query `all` is the result, values keep their own type.
#[test]
fn trec_text() {
    let content = "# run\nAP \t all  0.5\nnum_q all 12\nrunid\tall\tmy run\nAP q1 0.25\nAP all 0.75\n";
    let directory = JobDirectory::with("a.txt", content);
    assert_eq!(directory.result("a.txt"), "read AP=0.75 num_q=12 runid=\"my run\"");
    assert_eq!(
        directory.series("a.txt"),
        ["AP all 0.5", "num_q all 12.0", "runid all my run", "AP q1 0.25", "AP all 0.75"]
    );
}

/// Text of another kind is not taken for measures.
#[test]
fn prose_is_no_result() {
    let read = error("notes.txt", "the quick fox\njumps over it\n");
    assert!(read.contains("its name does not say which format it has"), "{read}");
    assert!(read.contains("in Result(…, format=)"), "{read}");
    assert!(error("model.npy", [0x93, b'N', 0, 0]).contains("(it is binary) (read it with numpy.load"));
    let options = ResultOptions { format: Some(Format::Trec), ..ResultOptions::default() };
    let said = JobDirectory::with("notes.txt", "the quick fox\n").result_with("notes.txt", &options);
    assert_eq!(said, "read");
}

/// `max`, `min` and `first` choose a row; ties are the first, NaN never wins.
#[test]
fn rows_are_selected() {
    let csv = "epoch,acc\n1,nan\n2,0.5\n3,0.75\n4,0.75\n5,\n";
    let jsonl = "{\"epoch\":1,\"acc\":NaN}\n{\"epoch\":2,\"acc\":0.5}\n{\"epoch\":3,\"acc\":0.75}\n{\"epoch\":4,\"acc\":0.75}\n{\"epoch\":5}\n";
    for (name, content) in [("a.csv", csv), ("a.jsonl", jsonl)] {
        let epoch = |select| selected(name, content, select).split(' ').nth(1).unwrap_or_default().to_owned();
        assert_eq!(epoch(Select::Last), "epoch=5");
        assert_eq!(epoch(Select::First), "epoch=1");
        assert_eq!(epoch(Select::Max("acc".into())), "epoch=3");
        assert_eq!(epoch(Select::Min("acc".into())), "epoch=2");
    }
    let nested = "{\"val\": {\"acc\": 1}, \"n\": 1}\n{\"val\": {\"acc\": 0}, \"n\": 2}\n";
    assert_eq!(selected("a.jsonl", nested, Select::Max("val.acc".into())), "read val.acc=1 n=1");
}

/// A column to choose by that the file does not have is said.
#[test]
fn selection_needs_its_column() {
    let options = ResultOptions { select: Select::Max("ac".into()), ..ResultOptions::default() };
    let directory = JobDirectory::with("a.csv", "epoch,acc\n1,2\n");
    let scalars = directory.scalars("a.csv", &options);
    assert!(
        scalars.errors[0].to_string().contains("no column 'ac' to choose the row by (did you mean acc?)")
    );
    let directory = JobDirectory::with("a.jsonl", "{\"acc\": \"high\"}\n");
    let scalars =
        directory.scalars("a.jsonl", &ResultOptions { select: Select::Max("acc".into()), ..options });
    assert!(scalars.jobs[0].record.is_none());
    assert!(scalars.errors[0].to_string().contains("no row has a number in 'acc'"));
}
