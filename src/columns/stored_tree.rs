//! The [`PathTree`]s of a plan as bytes, so that another process builds the columns that this one decided.
//!
//! The second line says whether jobs may be listed twice. Each tree begins with a line of its limit and the number of its paths;
//! then a path a line in the order of the indices, its facts separated by tabs. Texts are JSON strings.

use std::fmt::Write;

use super::path_tree::{PathId, PathTree};
use super::seen::{IntegerFit, SeenTypes};
use crate::error::{Error, ErrorKind, Result};

/// The first line: trees of another layout are refused.
const VERSION: &str = "xpframe paths 3";

/// The second line: whether runs of one experiment list a job twice.
const REPEATED: &str = "repeated";
const ONCE: &str = "once";

/// What decided the columns of a plan.
#[derive(Debug, Clone)]
pub struct StoredPaths {
    /// The paths and types of the jobs
    pub tree: PathTree,
    /// What decided the columns of jobs upstream, if there are some
    pub upstream: Option<UpstreamPaths>,
    /// Whether some of the runs are of one experiment, and each row is wanted
    pub may_repeat: bool,
}

/// What decided the columns of jobs upstream.
#[derive(Debug, Clone)]
pub struct UpstreamPaths {
    /// The paths and types of the jobs, and of those upstream
    pub tree: PathTree,
    /// The identifiers of the tasks of the jobs upstream
    pub tasks: Vec<String>,
}

impl StoredPaths {
    /// The trees as bytes for [`Self::from_bytes`] of the same version of this crate.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!("{VERSION}\n{}\n", if self.may_repeat { REPEATED } else { ONCE });
        write_tree(&mut text, &self.tree);
        match &self.upstream {
            None => text.push_str("end\n"),
            Some(UpstreamPaths { tree, tasks }) => {
                let _ = write!(text, "upstream\t{}", tasks.len());
                for task in tasks {
                    let _ = write!(text, "\t{}", quoted(task));
                }
                text.push('\n');
                write_tree(&mut text, tree);
            }
        }
        text.into_bytes()
    }

    /// The trees that [`Self::to_bytes`] wrote.
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

fn read(bytes: &[u8]) -> Option<StoredPaths> {
    // each line is ended: a cut number would be another number
    let mut lines = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?.lines();
    if lines.next()? != VERSION {
        return None;
    }
    let may_repeat = match lines.next()? {
        REPEATED => true,
        ONCE => false,
        _ => return None,
    };
    let tree = read_tree(&mut lines)?;
    let mut facts = lines.next()?.split('\t');
    let upstream = match facts.next()? {
        "end" => None,
        "upstream" => {
            let count: usize = facts.next()?.parse().ok()?;
            let tasks = (0..count).map(|_| unquoted(facts.next()?)).collect::<Option<_>>()?;
            Some(UpstreamPaths { tree: read_tree(&mut lines)?, tasks })
        }
        _ => return None,
    };
    lines.next().is_none().then_some(StoredPaths { tree, upstream, may_repeat })
}

fn write_tree(text: &mut String, tree: &PathTree) {
    let _ = writeln!(text, "{}\t{}", tree.max_paths(), tree.len());
    for id in (0..tree.len()).map(|id| PathId(crate::values::index(id))) {
        let path = tree.get(id);
        let (relation, parent) = match path.parent {
            None => ('r', 0),
            Some(parent) if tree.get(parent).items == Some(id) => ('i', parent.0),
            Some(parent) if tree.get(parent).members == Some(id) => ('m', parent.0),
            Some(parent) if tree.get(parent).children.get(path.key()) == Some(&id) => ('k', parent.0),
            // of forgotten results
            Some(parent) => ('f', parent.0),
        };
        let _ = write!(text, "{relation}\t{parent}\t{}", quoted(path.key()));
        write_types(text, &path.seen);
        text.push(if tree.is_too_deep(id) { '!' } else { '.' });
        text.push('\n');
    }
}

fn read_tree<'t>(lines: &mut impl Iterator<Item = &'t str>) -> Option<PathTree> {
    let (limit, count) = lines.next()?.split_once('\t')?;
    let mut tree = PathTree::new(limit.parse().ok()?);
    for position in 0..count.parse().ok()? {
        let mut facts = lines.next()?.split('\t');
        let (relation, parent, key) = (facts.next()?, facts.next()?, facts.next()?);
        let (parent, id) = (PathId(parent.parse().ok()?), PathId(position));
        if relation != "r" && parent >= id {
            return None;
        }
        let added = match relation {
            "r" => Some(id),
            "k" => tree.child(parent, &unquoted(key)?).ok()?,
            "f" => tree.forgotten_child(parent, &unquoted(key)?).ok()?,
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

    fn odd_tree() -> PathTree {
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
        let result = tree.child(PathTree::RESULT, "eval").unwrap().unwrap();
        tree.child(result, "loss").unwrap();
        tree
    }

    #[test]
    fn trees_return_from_their_bytes() {
        let tree = odd_tree();
        let mut of_upstream = tree.without_results();
        of_upstream.child(PathTree::RESULT, "loss").unwrap();
        let upstream = UpstreamPaths { tree: of_upstream, tasks: vec!["lab.a\tb".to_owned(), String::new()] };
        for upstream in [None, Some(upstream)] {
            let stored = StoredPaths { tree: tree.clone(), upstream, may_repeat: true };
            let again = StoredPaths::from_bytes(&stored.to_bytes()).unwrap();
            assert_eq!(format!("{again:?}"), format!("{stored:?}"));
        }
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let upstream = UpstreamPaths { tree: odd_tree(), tasks: vec!["lab.a".to_owned()] };
        let bytes = StoredPaths { tree: odd_tree(), upstream: Some(upstream), may_repeat: false }.to_bytes();
        for end in 0..bytes.len() {
            assert!(StoredPaths::from_bytes(&bytes[..end]).is_err(), "{end}");
        }
        for wrong in [
            "xpframe paths 3\nonce\n9\t1\nk\t0\ta\t00000\t\t0\t0\t.\nend\n",
            "xpframe paths 1\n9\n",
            "",
            "xpframe paths 3\nonce\n9\t0\nmore\n",
        ] {
            assert!(StoredPaths::from_bytes(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
