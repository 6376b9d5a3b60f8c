//! A [`PathTree`] as bytes, so that another process builds the columns that this one decided.
//!
//! A line each: `max_paths`, then a path a line in the order of the indices, its facts separated by tabs. Texts are JSON strings.

use std::fmt::Write;

use super::path_tree::{PathId, PathTree};
use super::seen::{IntegerFit, SeenTypes};
use crate::error::{Error, ErrorKind, Result};

/// The first line: a tree of another layout is refused.
const VERSION: &str = "xpframe paths 1";

impl PathTree {
    /// The tree as bytes for [`Self::from_bytes`] of the same version of this crate.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!("{VERSION}\n{}\n", self.max_paths());
        for id in (0..self.len()).map(|id| PathId(crate::values::index(id))) {
            let path = self.get(id);
            let (relation, parent) = match path.parent {
                None => ('r', 0),
                Some(parent) if self.get(parent).items == Some(id) => ('i', parent.0),
                Some(parent) if self.get(parent).members == Some(id) => ('m', parent.0),
                Some(parent) => ('k', parent.0),
            };
            let _ = write!(text, "{relation}\t{parent}\t{}", quoted(path.key()));
            write_types(&mut text, &path.seen);
            text.push(if self.is_too_deep(id) { '!' } else { '.' });
            text.push('\n');
        }
        text.into_bytes()
    }

    /// The tree that [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// `InvalidArgument`: the bytes are of another version, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        read(bytes).ok_or_else(|| {
            Error::new(ErrorKind::InvalidArgument, "columns of another version of xpframe, or damaged ones")
                .hint("make the parts again, with the xpframe that reads them")
        })
    }
}

fn read(bytes: &[u8]) -> Option<PathTree> {
    // each line is ended: a cut number would be another number
    let mut lines = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?.lines();
    if lines.next()? != VERSION {
        return None;
    }
    let mut tree = PathTree::new(lines.next()?.parse().ok()?);
    for (position, line) in lines.enumerate() {
        let mut facts = line.split('\t');
        let (relation, parent, key) = (facts.next()?, facts.next()?, facts.next()?);
        let parent = PathId(parent.parse().ok()?);
        let id = PathId(u32::try_from(position).ok()?);
        if relation != "r" && parent >= id {
            return None;
        }
        let added = match relation {
            "r" => Some(id),
            "k" => tree.child(parent, &unquoted(key)?).ok()?,
            "i" => tree.elements_of(parent, false).ok()?,
            "m" => tree.elements_of(parent, true).ok()?,
            _ => None,
        };
        if added != Some(id) || id.0 as usize >= tree.len() {
            return None;
        }
        tree.get_mut(id).seen = read_types(&mut facts)?;
        if facts.next()? == "!" {
            tree.mark_too_deep(id);
        }
    }
    Some(tree)
}

fn write_types(text: &mut String, seen: &SeenTypes) {
    let SeenTypes { bool, int, float, str, path, enums, classes, dict } = seen;
    let flag = |flag: bool| if flag { '1' } else { '0' };
    text.push('\t');
    text.extend([bool, float, str, path, dict].map(|&seen| flag(seen)));
    text.push('\t');
    if let Some(IntegerFit { in_i64, in_u64, in_38_digits, exact_as_float }) = *int {
        text.extend([in_i64, in_u64, in_38_digits, exact_as_float].map(flag));
    }
    for names in [enums, classes] {
        let _ = write!(text, "\t{}", names.len());
        for name in names {
            let _ = write!(text, "\t{}", quoted(name));
        }
    }
    text.push('\t');
}

fn read_types<'t>(facts: &mut impl Iterator<Item = &'t str>) -> Option<SeenTypes> {
    let [bool, float, str, path, dict] = flags(facts.next()?)?;
    let int = match facts.next()? {
        "" => None,
        fit => {
            let [signed, unsigned, in_38_digits, exact_as_float] = flags(fit)?;
            Some(IntegerFit { in_i64: signed, in_u64: unsigned, in_38_digits, exact_as_float })
        }
    };
    let mut names = || {
        let count: usize = facts.next()?.parse().ok()?;
        (0..count).map(|_| unquoted(facts.next()?)).collect::<Option<_>>()
    };
    let (enums, classes) = (names()?, names()?);
    Some(SeenTypes { bool, int, float, str, path, enums, classes, dict })
}

fn flags<const COUNT: usize>(text: &str) -> Option<[bool; COUNT]> {
    let bytes: [u8; COUNT] = text.as_bytes().try_into().ok()?;
    bytes.iter().all(|byte| matches!(byte, b'0' | b'1')).then(|| bytes.map(|byte| byte == b'1'))
}

/// A text without tabs and line breaks.
fn quoted(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => written.push_str("\\\\"),
            '\t' => written.push_str("\\t"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            other => written.push(other),
        }
    }
    written
}

fn unquoted(text: &str) -> Option<String> {
    let mut read = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        read.push(match character {
            '\\' => match characters.next()? {
                '\\' => '\\',
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            other => other,
        });
    }
    Some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_returns_from_its_bytes() {
        let mut tree = PathTree::new(100);
        let odd = tree.child(PathTree::CONFIG, "a\tb\n\\t").unwrap().unwrap();
        let items = tree.elements_of(odd, false).unwrap().unwrap();
        let members = tree.elements_of(odd, true).unwrap().unwrap();
        let tag = tree.child(PathTree::TAGS, "").unwrap().unwrap();
        tree.get_mut(items).seen = SeenTypes { float: true, dict: true, ..SeenTypes::default() };
        tree.get_mut(members).seen.enums.extend(["b.E".to_owned(), "a.E".to_owned()]);
        tree.get_mut(odd).seen.classes.insert("x\ny".to_owned());
        IntegerFit::of_i64(-1).narrow(&mut tree.get_mut(tag).seen.int);
        tree.mark_too_deep(items);
        let again = PathTree::from_bytes(&tree.to_bytes()).unwrap();
        assert_eq!(format!("{again:?}"), format!("{tree:?}"));
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let mut tree = PathTree::new(100);
        tree.child(PathTree::CONFIG, "lr").unwrap();
        let bytes = tree.to_bytes();
        for end in 0..bytes.len() - 1 {
            let cut = PathTree::from_bytes(&bytes[..end]);
            assert!(cut.is_err() || bytes[end] == b'\n' || bytes[..end].ends_with(b"\n"), "{end}");
        }
        for wrong in [
            "xpframe paths 1\n9\nk\t0\ta\t00000\t\t0\t0\t.",
            "xpframe paths 0\n9",
            "",
            "xpframe paths 1\n9\nr\t0\ttags",
        ] {
            assert!(PathTree::from_bytes(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
