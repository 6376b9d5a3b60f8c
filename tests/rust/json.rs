//! The JSON that Python writes: what is read as what, and what is refused.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;
use serde_json::Value as Strict;
use xpframe::error::{self, Error};
use xpframe::json::{self, Kind, Line, MAX_DEPTH, Number, Reader, Syntax, from_slice, lossless};

/// What the reader understood: nothing is merged, and floats are their bits.
#[derive(Debug, Clone, PartialEq)]
enum Tree {
    Null,
    Bool(bool),
    Int(i64),
    Big(String),
    Float(u64),
    Text(Vec<u8>),
    List(Vec<Tree>),
    Dict(Vec<(Vec<u8>, Tree)>),
}

impl Tree {
    fn take(reader: &mut Reader<'_>) -> Result<Self, Syntax> {
        Ok(match reader.peek()? {
            Kind::Null => reader.null().map(|()| Self::Null)?,
            Kind::Bool => Self::Bool(reader.bool()?),
            Kind::Number => match reader.number()? {
                Number::Int(value) => Self::Int(value),
                Number::Big(digits, _) => Self::Big(String::from_utf8(digits.to_vec()).unwrap()),
                Number::Float(value) => Self::Float(value.to_bits()),
            },
            Kind::String => Self::Text(meaning(reader.string()?)?),
            Kind::List => {
                let mut items = Vec::new();
                reader.items(|reader| {
                    items.push(Self::take(reader)?);
                    Ok::<(), Syntax>(())
                })?;
                Self::List(items)
            }
            Kind::Dict => {
                let mut entries = Vec::new();
                reader.entries(|reader, key| {
                    entries.push((meaning(key)?, Self::take(reader)?));
                    Ok::<(), Syntax>(())
                })?;
                Self::Dict(entries)
            }
        })
    }

    /// Whether serde_json understood the same, as far as it can: integers beyond 64 bits are floats to it, its floats may be off
    /// by the last bits, and the last of several values of a key wins.
    #[allow(clippy::cast_precision_loss, reason = "serde_json rounds in the same way")]
    fn agrees_with(&self, strict: &Strict) -> bool {
        match (self, strict) {
            (Self::Null, Strict::Null) => true,
            (Self::Bool(own), Strict::Bool(other)) => own == other,
            (Self::Int(own), Strict::Number(other)) if other.is_i64() => other.as_i64() == Some(*own),
            // "-0" is an integer to Python and a float to serde_json
            (Self::Int(own), Strict::Number(other)) => *own == 0 && other.as_f64() == Some(-0.0),
            (Self::Big(own), Strict::Number(other)) if other.is_u64() => other.to_string() == *own,
            (Self::Big(own), Strict::Number(other)) => {
                near(own.parse().unwrap(), other.as_f64().unwrap_or(f64::NAN))
            }
            (Self::Float(own), Strict::Number(other)) => {
                other.is_f64() && near(f64::from_bits(*own), other.as_f64().unwrap_or(f64::NAN))
            }
            (Self::Text(own), Strict::String(other)) => own == other.as_bytes(),
            (Self::List(own), Strict::Array(other)) => {
                own.len() == other.len() && own.iter().zip(other).all(|(own, other)| own.agrees_with(other))
            }
            (Self::Dict(own), Strict::Object(other)) => {
                let own: BTreeMap<&[u8], &Self> =
                    own.iter().map(|(key, value)| (key.as_slice(), value)).collect();
                let held = |(key, own): (&&[u8], &&Self)| {
                    let other = std::str::from_utf8(key).ok().and_then(|key| other.get(key));
                    other.is_some_and(|other| own.agrees_with(other))
                };
                own.len() == other.len() && own.iter().all(held)
            }
            _ => false,
        }
    }
}

/// Whether two floats are at most a few steps apart.
fn near(own: f64, other: f64) -> bool {
    own.is_sign_negative() == other.is_sign_negative() && own.to_bits().abs_diff(other.to_bits()) <= 4
}

fn meaning(text: json::Text<'_>) -> Result<Vec<u8>, Syntax> {
    let mut decoded = Vec::new();
    json::decode_into(text.raw, &mut decoded).map_err(|wrong| Syntax { at: text.at + wrong.at, ..wrong })?;
    assert_eq!(text.escaped, text.raw.contains(&b'\\'));
    Ok(decoded)
}

fn read(text: impl AsRef<[u8]>) -> error::Result<Tree> {
    let mut reader = Reader::new(text.as_ref());
    let tree = Tree::take(&mut reader)?;
    reader.end()?;
    Ok(tree)
}

/// The error of a text, in words.
fn wrong(text: impl AsRef<[u8]>) -> String {
    read(text).unwrap_err().to_string()
}

fn float(value: f64) -> Tree {
    Tree::Float(value.to_bits())
}

fn text(value: &str) -> Tree {
    Tree::Text(value.as_bytes().to_vec())
}

const CUT: &str = "the JSON value is not finished (a file that is being written, or was cut)";

/// Numbers that are random and always the same.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.roll() >> 16).unwrap() % limit
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn chance(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }
}

/// Writes random documents and says what they mean.
struct Writer {
    dice: Dice,
    /// Whether it writes what only Python does
    python: bool,
    out: String,
}

impl Writer {
    fn new(seed: u64, python: bool) -> Self {
        Self { dice: Dice(seed), python, out: String::new() }
    }

    fn document(&mut self) -> (String, Tree) {
        let tree = self.value(0);
        (std::mem::take(&mut self.out), tree)
    }

    fn blanks(&mut self) {
        while self.dice.chance(4) {
            let blank = self.dice.one(&[' ', '\n', '\t', '\r']);
            self.out.push(blank);
        }
    }

    fn value(&mut self, depth: usize) -> Tree {
        self.blanks();
        let kinds = if depth < 5 { 9 } else { 5 };
        let tree = match self.dice.below(kinds) {
            0 => self.word("null", Tree::Null),
            1 if self.dice.chance(2) => self.word("true", Tree::Bool(true)),
            1 => self.word("false", Tree::Bool(false)),
            2 => self.integer(),
            3 => self.float(),
            4 => Tree::Text(self.string()),
            5 | 6 => self.list(depth),
            _ => self.dict(depth),
        };
        self.blanks();
        tree
    }

    fn word(&mut self, word: &str, tree: Tree) -> Tree {
        self.out.push_str(word);
        tree
    }

    fn integer(&mut self) -> Tree {
        let size = self.dice.below(65);
        let magnitude = if size == 0 { 0 } else { self.dice.roll() >> (64 - size) };
        let mut digits = magnitude.to_string();
        if self.python && self.dice.chance(4) {
            while digits.len() < 60 {
                digits.push(self.dice.one(&['0', '7', '9']));
            }
        }
        let negative =
            self.dice.chance(2) && (self.python || i64::try_from(magnitude).is_ok_and(|it| it > 0));
        let digits = if negative { format!("-{digits}") } else { digits };
        // a number of zeros only can come of 0 that was lengthened
        let digits = if digits.trim_start_matches('-').starts_with('0') { "0".to_owned() } else { digits };
        self.out.push_str(&digits);
        digits.parse().map_or(Tree::Big(digits), Tree::Int)
    }

    fn float(&mut self) -> Tree {
        if self.python && self.dice.chance(3) {
            let (word, value) = self.dice.one(&[
                ("NaN", f64::NAN),
                ("Infinity", f64::INFINITY),
                ("-Infinity", f64::NEG_INFINITY),
                ("-0.0", -0.0),
                ("5e-324", 5e-324),
                ("1e999", f64::INFINITY),
                ("1e-999", 0.0),
            ]);
            return self.word(word, float(value));
        }
        let start = self.out.len();
        if self.dice.chance(2) {
            self.out.push('-');
        }
        let whole = self.dice.roll() >> self.dice.one(&[20, 40, 63]);
        let _ = write!(self.out, "{whole}");
        let fraction = self.dice.chance(2);
        if fraction {
            let part = self.dice.roll() >> self.dice.one(&[10, 30, 60]);
            let _ = write!(self.out, ".{}{part}", self.dice.one(&["", "0", "000"]));
        }
        if !fraction || self.dice.chance(2) {
            let exponent = self.dice.below(280);
            let _ = write!(
                self.out,
                "{}{}{exponent}",
                self.dice.one(&["e", "E"]),
                self.dice.one(&["", "+", "-"])
            );
        }
        float(self.out[start..].parse().unwrap())
    }

    fn string(&mut self) -> Vec<u8> {
        let mut meaning = Vec::new();
        self.out.push('"');
        for _ in 0..self.dice.one(&[0, 1, 3, 8, 20]) {
            let character = self.dice.one(&[
                'a', 'z', '0', ' ', '/', '"', '\\', '\n', '\0', '\u{1f}', '\u{7f}', 'é', '漢', '\u{2028}',
                '😀',
            ]);
            if self.python && self.dice.chance(6) {
                // never followed by its other half
                let surrogate = self.dice.one(&[0xD800_u16, 0xDBFF, 0xDC00, 0xDFFF]);
                let _ = write!(self.out, "\\u{surrogate:04x}.");
                let [high, low] = surrogate.to_be_bytes();
                meaning.extend([0xED, 0x80 | (high & 0xF) << 2 | low >> 6, 0x80 | (low & 0x3F), b'.']);
                continue;
            }
            meaning.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
            match character {
                '\n' if self.dice.chance(2) => self.out.push_str("\\n"),
                '/' if self.dice.chance(2) => self.out.push_str("\\/"),
                '"' | '\\' if self.dice.chance(2) => self.out.extend(['\\', character]),
                '"' | '\\' | '\0'..='\u{1f}' => self.escaped(character),
                _ if self.dice.chance(3) => self.escaped(character),
                _ => self.out.push(character),
            }
        }
        self.out.push('"');
        meaning
    }

    fn escaped(&mut self, character: char) {
        for unit in character.encode_utf16(&mut [0; 2]) {
            let upper = self.dice.chance(2);
            let _ = if upper { write!(self.out, "\\u{unit:04X}") } else { write!(self.out, "\\u{unit:04x}") };
        }
    }

    fn list(&mut self, depth: usize) -> Tree {
        self.out.push('[');
        let mut items = Vec::new();
        for at in 0..self.dice.below(5) {
            self.out.push_str(if at > 0 { "," } else { "" });
            items.push(self.value(depth + 1));
        }
        self.close(']', items.is_empty());
        Tree::List(items)
    }

    /// Keys are short, so some come twice.
    fn dict(&mut self, depth: usize) -> Tree {
        self.out.push('{');
        let mut entries = Vec::new();
        for at in 0..self.dice.below(5) {
            self.out.push_str(if at > 0 { "," } else { "" });
            self.blanks();
            let key = self.string();
            self.blanks();
            self.out.push(':');
            entries.push((key, self.value(depth + 1)));
        }
        self.close('}', entries.is_empty());
        Tree::Dict(entries)
    }

    fn close(&mut self, bracket: char, empty: bool) {
        if empty {
            self.blanks();
        }
        self.out.push(bracket);
    }
}

/// On what both can read, the reader, its serde side and serde_json understand the same.
#[test]
fn documents_mean_what_serde_json_says() {
    let mut writer = Writer::new(0x1234_5678_9ABC_DEF1, false);
    let (mut seen, mut bytes) = (0, 0);
    for _ in 0..3000 {
        let (document, expected) = writer.document();
        let own = read(&document).unwrap();
        assert_eq!(own, expected, "{document}");
        let strict: Strict = serde_json::from_str(&document).unwrap();
        assert!(own.agrees_with(&strict), "{document}");
        let through_serde: Strict = from_slice(document.as_bytes()).unwrap();
        assert!(own.agrees_with(&through_serde), "{document}");
        (seen, bytes) = (seen + 1, bytes + document.len());
    }
    assert_eq!(seen, 3000);
    assert!(bytes > 100_000, "the documents are too small to tell anything: {bytes}");
}

/// NaN, infinities, large integers, unpaired surrogates and repeated keys keep their value, wherever they stand.
#[test]
fn documents_of_python_mean_what_was_written() {
    let mut writer = Writer::new(0xFEED_BEEF_0BAD_CAFE, true);
    let (mut seen, mut refused) = (0, 0);
    for _ in 0..3000 {
        let (document, expected) = writer.document();
        assert_eq!(read(&document).unwrap(), expected, "{document}");
        let mut skipping = Reader::new(document.as_bytes());
        skipping.skip().unwrap();
        skipping.end().unwrap();
        refused += usize::from(serde_json::from_str::<Strict>(&document).is_err());
        seen += 1;
    }
    assert_eq!(seen, 3000);
    assert!(refused > 500, "serde_json reads nearly all of them: {refused} are Python's");
}

/// What is broken is refused exactly where serde_json refuses it too, but for what Python accepts.
#[test]
fn broken_documents_are_refused_as_serde_json_does() {
    const LETTERS: [char; 24] = [
        '{', '}', '[', ']', ',', ':', '"', '\\', '/', '0', '1', '9', '-', '+', '.', 'e', 'E', 'u', 't', 'n',
        ' ', '\n', '\u{1}', 'é',
    ];
    let mut writer = Writer::new(0x0DDB_A11A_5A5A_5A5B, false);
    let mut dice = Dice(0x5EED_5EED_5EED_5EED);
    let (mut accepted, mut refused, mut of_python) = (0, 0, 0);
    for _ in 0..6000 {
        let mut letters: Vec<char> = writer.document().0.chars().collect();
        for _ in 0..=dice.below(2) {
            let (at, letter) = (dice.below(letters.len()), dice.one(&LETTERS));
            match dice.below(3) {
                0 => letters[at] = letter,
                1 => letters.insert(at, letter),
                _ => drop((letters.len() > 1).then(|| letters.remove(at))),
            }
        }
        let document: String = letters.into_iter().collect();
        match (read(&document), serde_json::from_str::<Strict>(&document)) {
            (Ok(own), Ok(strict)) => {
                assert!(own.agrees_with(&strict), "{document}");
                accepted += 1;
            }
            (Err(_), Err(_)) => refused += 1,
            (Ok(_), Err(error)) => {
                let reason = error.to_string();
                let pythons = ["surrogate", "number out of range", "unexpected end of hex escape"];
                assert!(pythons.iter().any(|known| reason.contains(known)), "{reason}: {document}");
                of_python += 1;
            }
            (Err(error), Ok(_)) => panic!("{error}: {document}"),
        }
    }
    assert!(accepted > 500 && refused > 2000 && of_python > 0, "{accepted} {refused} {of_python}");
    assert_eq!(accepted + refused + of_python, 6000);
}

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
