//! A pull reader over bytes: the caller peeks at the type of the next value and takes it.

use super::digits::Digits;
use super::string::JsonText;
use super::syntax::{Result, Syntax};

/// The deepest nesting of lists and dicts that is read; Python's own reader fails near that depth too.
pub const MAX_DEPTH: u16 = 1000;

const TRUNCATED: &str = "the JSON value is not finished (a file that is being written, or was cut)";

/// The type of a value, as its first byte shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonType {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number, `NaN` and the infinities included
    Number,
    /// A string
    String,
    /// A list
    List,
    /// A dict
    Dict,
}

/// A number. As in Python, `1` is an integer, `1.0` and `1e5` are floats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number<'a> {
    /// An integer of 64 bits
    Int(i64),
    /// A larger integer: its digits, with `-` if negative, and their offset
    Big(&'a [u8], usize),
    /// A float, `NaN` and the infinities included
    Float(f64),
}

/// The bytes of a value in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte
    pub start: usize,
    /// Offset after the last byte
    pub end: usize,
}

/// Reads JSON values from bytes.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    depth: u16,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`, which must be valid UTF-8 for strings to be.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, depth: 0 }
    }

    /// The offset of the next byte.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// The bytes of a span; none if it is out of range.
    #[must_use]
    pub fn taken(&self, span: Span) -> &'a [u8] {
        self.bytes.get(span.start..span.end).unwrap_or_default()
    }

    /// The bytes not taken yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    /// Moves to another offset of the same nesting depth.
    pub fn seek(&mut self, position: usize) {
        self.position = position.min(self.bytes.len());
    }

    /// An error at the current position; past the end the reason is always that the text is truncated.
    #[must_use]
    pub fn wrong(&self, reason: &'static str) -> Syntax {
        let reason = if self.position >= self.bytes.len() { TRUNCATED } else { reason };
        Syntax { position: self.position, reason }
    }

    #[inline]
    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.bytes.get(self.position) {
            self.position += 1;
        }
    }

    /// The next byte that is not blank, not taken.
    #[inline]
    fn next(&mut self) -> Option<u8> {
        match self.bytes.get(self.position) {
            Some(&byte) if byte > b' ' => Some(byte),
            _ => {
                self.skip_blanks();
                self.bytes.get(self.position).copied()
            }
        }
    }

    /// Takes `byte` if it comes next.
    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let matches = self.next() == Some(byte);
        self.position += usize::from(matches);
        matches
    }

    /// The type of the next value, which is not taken.
    ///
    /// # Errors
    /// No value comes next.
    #[inline]
    pub fn peek(&mut self) -> Result<JsonType> {
        Ok(match self.next() {
            Some(b'"') => JsonType::String,
            Some(b'{') => JsonType::Dict,
            Some(b'[') => JsonType::List,
            Some(b'-' | b'0'..=b'9' | b'N' | b'I') => JsonType::Number,
            Some(b't' | b'f') => JsonType::Bool,
            Some(b'n') => JsonType::Null,
            _ => return Err(self.wrong("a value was expected")),
        })
    }

    #[inline]
    fn word(&mut self, word: &'static [u8]) -> Result<()> {
        if self.bytes[self.position..].starts_with(word) {
            self.position += word.len();
            return Ok(());
        }
        let rest = &self.bytes[self.position..];
        let reason = if word.starts_with(rest) { TRUNCATED } else { "a value was expected" };
        Err(Syntax { position: self.position, reason })
    }

    /// Takes `null`.
    ///
    /// # Errors
    /// Anything else comes next.
    pub fn null(&mut self) -> Result<()> {
        self.skip_blanks();
        self.word(b"null")
    }

    /// Takes `true` or `false`.
    ///
    /// # Errors
    /// Anything else comes next.
    pub fn bool(&mut self) -> Result<bool> {
        if self.next() == Some(b't') {
            self.word(b"true").map(|()| true)
        } else {
            self.word(b"false").map(|()| false)
        }
    }

    /// Takes a number.
    ///
    /// # Errors
    /// Anything else comes next, such as a number with a leading zero.
    #[inline]
    pub fn number(&mut self) -> Result<Number<'a>> {
        self.skip_blanks();
        let start = self.position;
        let negative = self.bytes.get(start) == Some(&b'-');
        self.position += usize::from(negative);
        let whole = Digits::first(&self.bytes[self.position..]);
        if whole.count == 0 {
            return self.no_digits(negative);
        }
        if whole.count > 1 && self.bytes[self.position] == b'0' {
            return Err(Syntax { position: self.position, reason: "a number has a leading zero" });
        }
        self.position += whole.count;
        if matches!(self.bytes.get(self.position), Some(b'.' | b'e' | b'E')) {
            return self.float(start, whole);
        }
        let text = &self.bytes[start..self.position];
        let large = || std::str::from_utf8(text).ok()?.parse().ok();
        let int = whole.exact().map(|value| if negative { -value } else { value }).or_else(large);
        Ok(int.map_or(Number::Big(text, start), Number::Int))
    }

    /// A number that does not begin with a digit, behind its sign.
    #[cold]
    fn no_digits(&mut self, negative: bool) -> Result<Number<'a>> {
        match self.bytes.get(self.position) {
            Some(b'I') => {
                self.word(b"Infinity")?;
                Ok(Number::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY }))
            }
            Some(b'N') if !negative => self.word(b"NaN").map(|()| Number::Float(f64::NAN)),
            _ => Err(self.wrong("a digit was expected")),
        }
    }

    /// The rest of a float whose first byte is at `start`, after its `whole` part.
    fn float(&mut self, start: usize, whole: Digits) -> Result<Number<'a>> {
        let mut all = whole;
        let mut scale = 0;
        if self.bytes.get(self.position) == Some(&b'.') {
            self.position += 1;
            let part = self.digits()?;
            all = whole.then(part);
            scale = i64::try_from(part.count).unwrap_or(i64::MAX).wrapping_neg();
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.position) {
            self.position += 1;
            let down = self.bytes.get(self.position) == Some(&b'-');
            self.position += usize::from(matches!(self.bytes.get(self.position), Some(b'+' | b'-')));
            let power = self.digits()?.exact().unwrap_or(i64::from(u32::MAX));
            scale = scale.saturating_add(if down { -power } else { power });
        }
        let negative = self.bytes.get(start) == Some(&b'-');
        if let Some(value) = all.scaled(scale) {
            return Ok(Number::Float(if negative { -value } else { value }));
        }
        let wrong = Syntax { position: start, reason: "a number was expected" };
        let text = std::str::from_utf8(&self.bytes[start..self.position]).map_err(|_| wrong)?;
        text.parse().map(Number::Float).map_err(|_| wrong)
    }

    /// Takes at least one digit.
    #[inline]
    fn digits(&mut self) -> Result<Digits> {
        let digits = Digits::first(&self.bytes[self.position..]);
        self.position += digits.count;
        if digits.count == 0 { Err(self.wrong("a digit was expected")) } else { Ok(digits) }
    }

    /// Takes a string, not decoded.
    ///
    /// # Errors
    /// Anything else comes next, or a control character inside.
    #[inline]
    pub fn string(&mut self) -> Result<JsonText<'a>> {
        if !self.take(b'"') {
            return Err(self.wrong("a string was expected"));
        }
        let start = self.position;
        let mut escaped = false;
        loop {
            let rest = &self.bytes[self.position..];
            let length = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
            if has_control(&rest[..length]) {
                self.position += rest.iter().take_while(|&&byte| byte >= 0x20).count();
                return Err(self.wrong("a control character in a string"));
            }
            self.position += length;
            match rest.get(length) {
                Some(b'"') => {
                    let raw = &self.bytes[start..self.position];
                    self.position += 1;
                    return Ok(JsonText { raw, escaped, position: start });
                }
                Some(_) => {
                    escaped = true;
                    self.position = (self.position + 2).min(self.bytes.len());
                }
                None => return Err(self.wrong(TRUNCATED)),
            }
        }
    }

    /// Takes `[` or `{`.
    ///
    /// # Errors
    /// Anything else comes next, or the value is nested deeper than [`MAX_DEPTH`].
    #[inline]
    pub fn open(&mut self, bracket: u8) -> Result<()> {
        if !self.take(bracket) {
            return Err(self.wrong(if bracket == b'[' {
                "a list was expected"
            } else {
                "a dict was expected"
            }));
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Syntax {
                position: self.position - 1,
                reason: "values are nested more than 1000 deep",
            });
        }
        Ok(())
    }

    /// Whether another item follows. Takes the comma before it, or the closing `bracket` if none follows.
    ///
    /// # Errors
    /// Neither a comma nor the bracket comes next.
    #[inline]
    pub fn more(&mut self, bracket: u8, first: bool) -> Result<bool> {
        match self.next() {
            Some(byte) if byte == bracket => {
                self.position += 1;
                self.depth -= 1;
                Ok(false)
            }
            Some(b',') if !first => {
                self.position += 1;
                if self.next() == Some(bracket) {
                    Err(self.wrong("a comma without a value"))
                } else {
                    Ok(true)
                }
            }
            Some(_) if first => Ok(true),
            _ => Err(self.wrong("a comma or the closing bracket was expected")),
        }
    }

    /// Takes a key and its colon.
    ///
    /// # Errors
    /// Anything else comes next.
    #[inline]
    pub fn key(&mut self) -> Result<JsonText<'a>> {
        let key = self.string()?;
        if self.take(b':') { Ok(key) } else { Err(self.wrong("a colon was expected")) }
    }

    /// Takes the next value and drops it, after checking its syntax.
    ///
    /// # Errors
    /// Any syntax error inside.
    pub fn skip(&mut self) -> Result<()> {
        match self.peek()? {
            JsonType::Null => self.null(),
            JsonType::Bool => self.bool().map(drop),
            JsonType::Number => self.number().map(drop),
            JsonType::String => self.string().map(drop),
            JsonType::List => {
                self.open(b'[')?;
                let mut first = true;
                while self.more(b']', first)? {
                    first = false;
                    self.skip()?;
                }
                Ok(())
            }
            JsonType::Dict => {
                self.open(b'{')?;
                let mut first = true;
                while self.more(b'}', first)? {
                    first = false;
                    self.key()?;
                    self.skip()?;
                }
                Ok(())
            }
        }
    }

    /// Takes a dict: calls `item` with the key of each entry; `item` must take the value.
    ///
    /// # Errors
    /// Any syntax error inside, or an error of `item`.
    pub fn entries<E: From<Syntax>>(
        &mut self,
        mut item: impl FnMut(&mut Self, JsonText<'a>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.open(b'{')?;
        let mut first = true;
        while self.more(b'}', first)? {
            first = false;
            let key = self.key()?;
            item(self, key)?;
        }
        Ok(())
    }

    /// Takes a list: calls `item` before each item; `item` must take the value.
    ///
    /// # Errors
    /// Any syntax error inside, or an error of `item`.
    pub fn items<E: From<Syntax>>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.open(b'[')?;
        let mut first = true;
        while self.more(b']', first)? {
            first = false;
            item(self)?;
        }
        Ok(())
    }

    /// Checks that only blanks follow.
    ///
    /// # Errors
    /// Anything else follows.
    pub fn end(&mut self) -> Result<()> {
        if self.next().is_none() { Ok(()) } else { Err(self.wrong("more text after the value")) }
    }
}

/// Whether a byte is a control character.
#[inline]
fn has_control(bytes: &[u8]) -> bool {
    bytes.iter().fold(u8::MAX, |least, &byte| least.min(byte)) < 0x20
}
