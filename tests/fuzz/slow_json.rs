//! A slow, obvious reader of JSON as Python writes it: the witness of the engine's reader.

use xpframe::json::{self, JsonType, Number, Reader, Syntax};

/// What was understood: nothing is merged, and floats are their bits.
#[derive(Debug, PartialEq)]
pub enum Tree {
    Null,
    Bool(bool),
    Int(String),
    Float(u64),
    Text(Vec<u8>),
    List(Vec<Tree>),
    Dict(Vec<(Vec<u8>, Tree)>),
}

/// What the reader understands; nothing if it refuses the text.
pub fn read(input: &[u8]) -> Option<Tree> {
    let mut reader = Reader::new(input);
    let tree = take(&mut reader).ok()?;
    reader.end().ok()?;
    Some(tree)
}

fn take(reader: &mut Reader<'_>) -> Result<Tree, Syntax> {
    Ok(match reader.peek()? {
        JsonType::Null => reader.null().map(|()| Tree::Null)?,
        JsonType::Bool => Tree::Bool(reader.bool()?),
        JsonType::Number => match reader.number()? {
            Number::Int(value) => Tree::Int(value.to_string()),
            Number::Big(digits, _) => Tree::Int(String::from_utf8_lossy(digits).into_owned()),
            Number::Float(value) if value.is_nan() => Tree::Float(f64::NAN.to_bits()),
            Number::Float(value) => Tree::Float(value.to_bits()),
        },
        JsonType::String => Tree::Text(meaning(reader.string()?)?),
        JsonType::List => {
            let mut items = Vec::new();
            reader.items(|reader| {
                items.push(take(reader)?);
                Ok::<(), Syntax>(())
            })?;
            Tree::List(items)
        }
        JsonType::Dict => {
            let mut entries = Vec::new();
            reader.entries(|reader, key| {
                entries.push((meaning(key)?, take(reader)?));
                Ok::<(), Syntax>(())
            })?;
            Tree::Dict(entries)
        }
    })
}

fn meaning(text: json::JsonText<'_>) -> Result<Vec<u8>, Syntax> {
    let mut decoded = Vec::new();
    json::decode_into(text.raw, &mut decoded)?;
    Ok(decoded)
}

/// A reader of the same language that does one thing after the other: characters, no tables, no tricks.
pub struct Slow<'t> {
    rest: &'t str,
    depth: u16,
}

impl<'t> Slow<'t> {
    /// What it understands; nothing if it refuses the text.
    pub fn read(text: &'t str) -> Option<Tree> {
        let mut slow = Self { rest: text, depth: 0 };
        let tree = slow.value()?;
        slow.blanks();
        slow.rest.is_empty().then_some(tree)
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\t', '\r']);
    }

    fn eat(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self) -> Option<Tree> {
        self.blanks();
        let words = [
            ("null", Tree::Null),
            ("true", Tree::Bool(true)),
            ("false", Tree::Bool(false)),
            ("NaN", Tree::Float(f64::NAN.to_bits())),
            ("Infinity", Tree::Float(f64::INFINITY.to_bits())),
            ("-Infinity", Tree::Float(f64::NEG_INFINITY.to_bits())),
        ];
        for (word, tree) in words {
            if self.eat(word) {
                return Some(tree);
            }
        }
        match self.rest.chars().next()? {
            '"' => self.string().map(Tree::Text),
            '[' => self.many(']', |slow| slow.value()).map(Tree::List),
            '{' => self.many('}', Self::entry).map(Tree::Dict),
            _ => self.number(),
        }
    }

    fn entry(&mut self) -> Option<(Vec<u8>, Tree)> {
        self.blanks();
        let key = self.string()?;
        self.blanks();
        if !self.eat(":") {
            return None;
        }
        Some((key, self.value()?))
    }

    fn many<T>(&mut self, end: char, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.rest = &self.rest[1..];
        self.depth += 1;
        if self.depth > json::MAX_DEPTH {
            return None;
        }
        let mut found = Vec::new();
        loop {
            self.blanks();
            if self.rest.starts_with(end) {
                if !found.is_empty() {
                    // only reached behind a comma
                    return None;
                }
                break;
            }
            found.push(item(self)?);
            self.blanks();
            if self.rest.starts_with(end) {
                break;
            }
            if !self.eat(",") {
                return None;
            }
        }
        self.rest = &self.rest[1..];
        self.depth -= 1;
        Some(found)
    }

    fn number(&mut self) -> Option<Tree> {
        let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let mut at = usize::from(self.rest.starts_with('-'));
        let whole = digits(&self.rest[at..]);
        if whole == 0 || whole > 1 && self.rest[at..].starts_with('0') {
            return None;
        }
        at += whole;
        let integer = at;
        if self.rest[at..].starts_with('.') {
            let behind = digits(&self.rest[at + 1..]);
            if behind == 0 {
                return None;
            }
            at += 1 + behind;
        }
        if self.rest[at..].starts_with(['e', 'E']) {
            at += 1;
            at += usize::from(self.rest[at..].starts_with(['+', '-']));
            let power = digits(&self.rest[at..]);
            if power == 0 {
                return None;
            }
            at += power;
        }
        let (text, rest) = self.rest.split_at(at);
        self.rest = rest;
        if at > integer {
            return text.parse::<f64>().ok().map(|value| Tree::Float(value.to_bits()));
        }
        Some(Tree::Int(if text == "-0" { "0".to_owned() } else { text.to_owned() }))
    }

    /// UTF-16 units, as Python's escapes are: pairs are joined at the end, what is alone stays.
    fn string(&mut self) -> Option<Vec<u8>> {
        if !self.eat("\"") {
            return None;
        }
        let mut units: Vec<u16> = Vec::new();
        loop {
            let next = self.rest.chars().next()?;
            self.rest = &self.rest[next.len_utf8()..];
            match next {
                '"' => return Some(wtf8(&units)),
                '\\' => units.push(self.escape()?),
                '\0'..='\x1f' => return None,
                _ => units.extend_from_slice(next.encode_utf16(&mut [0; 2])),
            }
        }
    }

    fn escape(&mut self) -> Option<u16> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(match next {
            '"' | '\\' | '/' => next as u16,
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'u' => {
                let digits =
                    self.rest.get(..4).filter(|four| four.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
                self.rest = &self.rest[4..];
                u16::from_str_radix(digits, 16).ok()?
            }
            _ => return None,
        })
    }
}

fn wtf8(units: &[u16]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok(character) => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(alone) => {
                let code = u32::from(alone.unpaired_surrogate());
                let parts = [0xE0 | code >> 12, 0x80 | code >> 6 & 0x3F, 0x80 | code & 0x3F];
                bytes.extend(parts.map(|byte| u8::try_from(byte).unwrap()));
            }
        }
    }
    bytes
}
