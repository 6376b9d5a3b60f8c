//! Documents written at random, and the trees that they mean: to the writer, to the reader, and to serde_json.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value as Strict;
use xpframe::error;
use xpframe::json::{self, JsonType, Number, Reader, Syntax, from_slice};

use crate::damage::Dice;

/// What the reader understood: nothing is merged, and floats are their bits.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
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
            JsonType::Null => reader.null().map(|()| Self::Null)?,
            JsonType::Bool => Self::Bool(reader.bool()?),
            JsonType::Number => match reader.number()? {
                Number::Int(value) => Self::Int(value),
                Number::Big(digits, _) => Self::Big(String::from_utf8(digits.to_vec()).unwrap()),
                Number::Float(value) => Self::Float(value.to_bits()),
            },
            JsonType::String => Self::Text(meaning(reader.string()?)?),
            JsonType::List => {
                let mut items = Vec::new();
                reader.items(|reader| {
                    items.push(Self::take(reader)?);
                    Ok::<(), Syntax>(())
                })?;
                Self::List(items)
            }
            JsonType::Dict => {
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

fn meaning(text: json::JsonText<'_>) -> Result<Vec<u8>, Syntax> {
    let mut decoded = Vec::new();
    json::decode_into(text.raw, &mut decoded)
        .map_err(|wrong| Syntax { position: text.position + wrong.position, ..wrong })?;
    assert_eq!(text.escaped, text.raw.contains(&b'\\'));
    Ok(decoded)
}

pub fn read(text: impl AsRef<[u8]>) -> error::Result<Tree> {
    let mut reader = Reader::new(text.as_ref());
    let tree = Tree::take(&mut reader)?;
    reader.end()?;
    Ok(tree)
}

pub fn float(value: f64) -> Tree {
    Tree::Float(value.to_bits())
}

pub fn text(value: &str) -> Tree {
    Tree::Text(value.as_bytes().to_vec())
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
