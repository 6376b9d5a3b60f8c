//! The JSON that Python writes: what is read as what, and what is refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Strict;
use xpframe::error::Error;
use xpframe::json::{self, Line, MAX_DEPTH, Number, Reader, from_slice, lossless};

use crate::damage::Dice;
use crate::documents::{Tree, float, read, text};

/// The error of a text, in words.
fn wrong(text: impl AsRef<[u8]>) -> String {
    read(text).unwrap_err().to_string()
}

const CUT: &str = "the JSON value is not finished (a file that is being written, or was cut)";

/// Bare words of Python are floats; other spellings of them are nothing.
#[test]
fn nan_and_infinity_are_bare_words() {
    assert_eq!(read("NaN").unwrap(), float(f64::NAN));
    assert_eq!(read("Infinity").unwrap(), float(f64::INFINITY));
    assert_eq!(read("[-Infinity]").unwrap(), Tree::List(vec![float(f64::NEG_INFINITY)]));
    for text in ["nan", "inf", "+Infinity", "+1"] {
        assert!(wrong(text).contains("was expected"), "{text}: {}", wrong(text));
    }
    assert_eq!(wrong("-NaN"), "a digit was expected, at byte 2");
    assert_eq!(wrong("Infinite"), "a value was expected, at byte 1");
    assert_eq!(wrong("NaN1"), "more text after the value, at byte 4");
}

/// Every integer survives: in 64 bits where it fits, else digit by digit.
#[test]
fn integers_have_any_size() {
    for (spelled, value) in [
        ("0", 0),
        ("-0", 0),
        ("-1", -1),
        ("9007199254740993", 9_007_199_254_740_993),
        ("999999999999999999", 999_999_999_999_999_999),
        ("-999999999999999999", -999_999_999_999_999_999),
        ("1000000000000000000", 1_000_000_000_000_000_000),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775808", i64::MIN),
    ] {
        assert_eq!(read(spelled).unwrap(), Tree::Int(value), "{spelled}");
    }
    let long = format!("-{}", "12345".repeat(2000));
    for spelled in ["9223372036854775808", "-9223372036854775809", "18446744073709551616", &long] {
        assert_eq!(read(spelled).unwrap(), Tree::Big(spelled.to_owned()));
    }
    let mut reader = Reader::new(b"  99999999999999999999,");
    assert_eq!(reader.number().unwrap(), Number::Big(b"99999999999999999999", 2));
    assert_eq!(reader.position(), 22);
}

/// A float is the nearest one to what is written, to the last bit and with its sign; overflow is infinite as in Python.
#[test]
fn floats_are_exact() {
    let mut seen = 0;
    for (spelled, bits) in [
        ("-0.0", 0x8000_0000_0000_0000),
        ("0.0", 0),
        ("0e5", 0),
        ("0.1", 0x3FB9_9999_9999_999A),
        ("1e5", 0x40F8_6A00_0000_0000),
        ("1E+5", 0x40F8_6A00_0000_0000),
        ("5e-324", 1),
        ("4.9406564584124654e-324", 1),
        ("2.4703282292062327e-324", 0),
        ("2.2250738585072014e-308", 0x0010_0000_0000_0000),
        ("2.225073858507201e-308", 0x000F_FFFF_FFFF_FFFF),
        ("1.7976931348623157e308", 0x7FEF_FFFF_FFFF_FFFF),
        ("9007199254740993.0", 0x4340_0000_0000_0000),
        ("1e23", 0x44B5_2D02_C7E1_4AF6),
        ("1e400", 0x7FF0_0000_0000_0000),
        ("-1e400", 0xFFF0_0000_0000_0000),
        ("1e-400", 0),
    ] {
        assert_eq!(read(spelled).unwrap(), Tree::Float(bits), "{spelled}");
        seen += 1;
    }
    assert_eq!(seen, 17);
}

/// Numbers of any number of digits, before and behind the point and in the exponent, are what Rust's own reader says, wherever
/// they stand among the words in which digits are read.
#[test]
fn numbers_are_what_rust_reads() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let digits = |dice: &mut Dice, most: usize| -> String {
        let count = 1 + dice.below(most);
        (0..count).map(|_| char::from(b'0' + u8::try_from(dice.below(10)).unwrap())).collect()
    };
    let mut seen = [0; 3];
    for _ in 0..200_000 {
        let sign = dice.one(&["", "-"]);
        let most = dice.one(&[3, 9, 19, 25]);
        let whole = digits(&mut dice, most);
        let whole = whole.trim_start_matches('0');
        let mut spelled = format!("{sign}{}", if whole.is_empty() { "0" } else { whole });
        let is_float = dice.chance(2);
        if is_float {
            spelled = format!("{spelled}.{}", digits(&mut dice, most));
        }
        if is_float && dice.chance(3) {
            let power = dice.below(40);
            let (e, sign) = (dice.one(&["e", "E"]), dice.one(&["", "+", "-"]));
            spelled = format!("{spelled}{e}{sign}{power:02}");
        }
        let behind = dice.one(&["", ",", "]", " ", ",1234567890123456789"]);
        let text = format!("{spelled}{behind}");
        let mut reader = Reader::new(text.as_bytes());
        let number = reader.number().unwrap();
        assert_eq!(reader.position(), spelled.len(), "{text}");
        let expected = if is_float {
            seen[0] += 1;
            Number::Float(spelled.parse().unwrap())
        } else if let Ok(int) = spelled.parse() {
            seen[1] += 1;
            Number::Int(int)
        } else {
            seen[2] += 1;
            Number::Big(spelled.as_bytes(), 0)
        };
        assert_eq!(number, expected, "{text}");
        if let (Number::Float(number), Number::Float(expected)) = (number, expected) {
            assert_eq!(number.to_bits(), expected.to_bits(), "{text}");
        }
    }
    assert!(seen.iter().all(|&seen| seen > 5_000), "{seen:?}");
}

/// Numbers that Python would not write are refused, with the byte where they go wrong.
#[test]
fn numbers_of_other_languages_are_refused() {
    for (spelled, reason) in [
        ("01", "a number has a leading zero, at byte 1"),
        ("-01", "a number has a leading zero, at byte 2"),
        ("00.5", "a number has a leading zero, at byte 1"),
        ("[1, 007]", "a number has a leading zero, at byte 5"),
        ("1.e5", "a digit was expected, at byte 3"),
        ("1.,", "a digit was expected, at byte 3"),
        ("1e+,", "a digit was expected, at byte 4"),
        (".5", "a value was expected, at byte 1"),
        ("--1", "a digit was expected, at byte 2"),
        ("- 1", "a digit was expected, at byte 2"),
        ("0x10", "more text after the value, at byte 2"),
        ("1_000", "more text after the value, at byte 2"),
    ] {
        assert_eq!(wrong(spelled), reason, "{spelled}");
    }
}

/// Escapes mean one character; a pair of surrogates is one too, an unpaired one stays.
#[test]
fn strings_keep_every_code_point() {
    assert_eq!(read(r#""\"\\\/\b\f\n\r\t""#).unwrap(), text("\"\\/\u{8}\u{c}\n\r\t"));
    assert_eq!(read(r#""\u00e9\u6f22\u0000""#).unwrap(), text("é漢\0"));
    assert_eq!(read(r#""\ud83d\ude00 \uD83D\uDE00""#).unwrap(), text("😀 😀"));
    let raw = |bytes: &[u8]| Tree::Text(bytes.to_vec());
    assert_eq!(read(r#""\ud800""#).unwrap(), raw(b"\xED\xA0\x80"));
    assert_eq!(read(r#""\udc80x""#).unwrap(), raw(b"\xED\xB2\x80x"), "an undecodable file name");
    assert_eq!(read(r#""\ud800A""#).unwrap(), raw(b"\xED\xA0\x80A"));
    let beside = raw(&[b"\xED\xA0\x80", "😀".as_bytes()].concat());
    assert_eq!(read(r#""\ud800\ud83d\ude00""#).unwrap(), beside, "the pair is the last two");
    assert_eq!(read(r#""\ude00\ud83d""#).unwrap(), raw(b"\xED\xB8\x80\xED\xA0\xBD"), "the wrong way round");
    let (shown, odd) = lossless(b"a\xED\xA0\x80\xED\xB2\x80\xC3\xA9");
    assert_eq!((shown.as_ref(), odd), (r"a\ud800\udc80é", true));
    assert_eq!(lossless("é".as_bytes()), ("é".into(), false));
}

/// A quote, a backslash and each control character is found at every position of the words in which strings are scanned.
#[test]
fn strings_end_where_they_end() {
    let mut seen = 0;
    for length in 0..100 {
        let filling = ["z", "\u{7f}", "é", "!"][length % 4].repeat(length);
        let quoted = format!("\"{filling}\"");
        assert_eq!(read(&quoted).unwrap(), text(&filling));
        assert_eq!(
            read(format!("\"{filling}\\\"{filling}\"")).unwrap(),
            text(&format!("{filling}\"{filling}"))
        );
        for control in 0..0x20_u8 {
            let broken = format!("\"{filling}{}{filling}\"", control as char);
            let at = filling.len() + 2;
            assert_eq!(wrong(&broken), format!("a control character in a string, at byte {at}"));
            seen += 1;
        }
    }
    assert_eq!(seen, 100 * 32);
}

/// An escape that JSON does not have is refused where it stands in the whole text.
#[test]
fn unknown_escapes_are_refused() {
    assert_eq!(wrong(r#"["ab\x41"]"#), "unknown escape, at byte 6");
    assert_eq!(wrong(r#""\u12g4""#), "\\u needs four hexadecimal digits, at byte 4");
    assert_eq!(wrong(r#""\u12""#), "\\u needs four hexadecimal digits, at byte 4");
    assert_eq!(wrong(r#""\u+123""#), "\\u needs four hexadecimal digits, at byte 4");
    assert_eq!(wrong(r#""\ud83d\u12""#), "\\u needs four hexadecimal digits, at byte 10");
}

/// The reader leaves repeated keys to its caller; where a map is made of them, the last one wins, as in Python.
#[test]
fn repeated_keys_are_all_seen() {
    let twice = r#"{"a": 1, "b": 2, "\u0061": 3}"#;
    let key = |name: &str| name.as_bytes().to_vec();
    let all = vec![(key("a"), Tree::Int(1)), (key("b"), Tree::Int(2)), (key("a"), Tree::Int(3))];
    assert_eq!(read(twice).unwrap(), Tree::Dict(all));
    let merged: BTreeMap<String, i64> = from_slice(twice.as_bytes()).unwrap();
    assert_eq!(merged, BTreeMap::from([("a".to_owned(), 3), ("b".to_owned(), 2)]));
}

/// A file that was cut anywhere is said to be cut, never read as something else.
#[test]
fn a_value_cut_at_any_byte_is_not_finished() {
    let whole =
        r#" {"id": -12.5e-3, "é\u00e9\n": [true, false, null, NaN, -Infinity, {}, []], "x": {"y": "z"}}"#;
    assert!(read(whole).is_ok());
    let mut seen = 0;
    for end in 0..whole.len() {
        let cut = &whole.as_bytes()[..end];
        let error = wrong(cut);
        assert!(error.starts_with(CUT), "{}: {error}", String::from_utf8_lossy(cut));
        assert!(from_slice::<Strict>(cut).is_err());
        seen += 1;
    }
    assert_eq!(seen, 93);
    assert_eq!(wrong(""), format!("{CUT}, at byte 1"));
    assert_eq!(wrong(r#"{"a": [1,"#), format!("{CUT}, at byte 10"));
}

/// Nesting is limited by a number that is told, whichever way the value is taken.
#[test]
fn nesting_has_a_limit() {
    let depth = usize::from(MAX_DEPTH);
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth: usize| {
            let inside = if open == "[" { "" } else { "1" };
            format!("{}{inside}{}", open.repeat(depth), close.repeat(depth))
        };
        let (deepest, deeper, hostile) = (nested(depth), nested(depth + 1), nested(1_000_000));
        read(&deepest).unwrap();
        Reader::new(deepest.as_bytes()).skip().unwrap();
        let reason = format!("values are nested more than 1000 deep, at byte {}", depth * open.len() + 1);
        for text in [&deeper, &hostile] {
            assert_eq!(wrong(text), reason);
            assert_eq!(Error::from(Reader::new(text.as_bytes()).skip().unwrap_err()).to_string(), reason);
            assert_eq!(from_slice::<serde::de::IgnoredAny>(text.as_bytes()).unwrap_err().to_string(), reason);
        }
    }
    let side_by_side = format!("[{}1]", "[],".repeat(5000));
    assert!(read(side_by_side).is_ok(), "what was closed does not count");
}

/// What stands between values is exactly one comma or colon; the error says what was expected at which byte.
#[test]
fn punctuation_is_exact() {
    for (text, reason) in [
        ("[1 2]", "a comma or the closing bracket was expected, at byte 4"),
        ("[1, ]", "a comma without a value, at byte 5"),
        ("{\"a\": 1,}", "a comma without a value, at byte 9"),
        ("[,1]", "a value was expected, at byte 2"),
        ("[1,,2]", "a value was expected, at byte 4"),
        ("{\"a\" 1}", "a colon was expected, at byte 6"),
        ("{a: 1}", "a string was expected, at byte 2"),
        ("{1: 2}", "a string was expected, at byte 2"),
        ("[1}", "a comma or the closing bracket was expected, at byte 3"),
        ("{\"a\": 1]", "a comma or the closing bracket was expected, at byte 8"),
        ("[1] [2]", "more text after the value, at byte 5"),
        ("nulls", "more text after the value, at byte 5"),
        ("True", "a value was expected, at byte 1"),
        ("tru e", "a value was expected, at byte 1"),
        ("'a'", "a value was expected, at byte 1"),
        ("\u{feff}1", "a value was expected, at byte 1"),
        ("1 // one", "more text after the value, at byte 3"),
        ("\u{b}1", "a value was expected, at byte 1"),
    ] {
        assert_eq!(wrong(text), reason, "{text}");
    }
    let mut reader = Reader::new(b"1");
    assert_eq!(Error::from(reader.open(b'[').unwrap_err()).to_string(), "a list was expected, at byte 1");
    assert_eq!(Error::from(reader.open(b'{').unwrap_err()).to_string(), "a dict was expected, at byte 1");
}

/// Lines are counted with the blank ones, and a last line without its end is told apart.
#[test]
fn lines_are_numbered_as_an_editor_does() {
    let file = b"{}\n\n  \r\n{\"a\":1}\r\n[";
    let found: Vec<Line<'_>> = json::lines(file).collect();
    let line = |number, start, bytes, ended| Line { number, start, bytes, ended };
    let expected = [line(1, 0, &b"{}"[..], true), line(4, 8, b"{\"a\":1}\r", true), line(5, 17, b"[", false)];
    assert_eq!(found, expected);
    assert_eq!(json::lines(b"").count() + json::lines(b"\n \n").count(), 0);
}

#[derive(Debug, Deserialize, PartialEq)]
struct Small {
    name: String,
    #[serde(default)]
    at: Option<f64>,
    count: u64,
}

/// The small files are read by serde, which takes what Python wrote; what does not fit is refused.
#[test]
fn small_files_are_read_by_serde() {
    let read = |text: &str| from_slice::<Small>(text.as_bytes()).map_err(|error| error.to_string());
    let small = |name: &str, at, count| Ok(Small { name: name.to_owned(), at, count });
    let text =
        r#"{"name": "\u00e9", "at": Infinity, "other": [NaN, {"x": 1e999}], "count": 18446744073709551615}"#;
    assert_eq!(read(text), small("é", Some(f64::INFINITY), u64::MAX));
    assert_eq!(read(r#"{"count": 1, "name": "", "at": null}"#), small("", None, 1));
    assert_eq!(read(r#"{"count": 1, "name": "\ud800"}"#).map(|it| it.name.contains('\u{fffd}')), Ok(true));
    assert_eq!(read(r#"{"count": 1}"#), Err("missing field `name`".to_owned()));
    assert_eq!(
        read(r#"{"name": 1, "count": 1}"#),
        Err("invalid type: integer `1`, expected a string".to_owned())
    );
    assert_eq!(
        read(r#"{"name": "a", "count": 1} 2"#),
        Err("more text after the value, at byte 27".to_owned())
    );
    assert_eq!(from_slice::<f64>(b"1e400").unwrap().to_bits(), f64::INFINITY.to_bits());
    assert_eq!(from_slice::<i128>(b"-170141183460469231731687303715884105728").unwrap(), i128::MIN);
    let beyond: f64 = from_slice("1".repeat(400).as_bytes()).unwrap();
    assert!(beyond.is_infinite());
}
