//! Dicts that encode something else: references, paths, enums, sets.
//!
//! A user's dict is written as it is, so a dict counts as encoded only if its keys are exactly those of an encoding and the
//! values have the right types (`format.md` §2.3); anything else stays a dict.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use indexmap::IndexMap;

use super::graph::Graph;
use super::ids::Ids;
use crate::records::RecordedRoots;
use crate::values::{Decode, EnumMember, ObjectIx, Store, Symbol, Text, Value};

/// The names that encodings use, interned in this order by [`Names::intern`] as the first symbols of every graph.
struct Names;

impl Names {
    const TYPE: Symbol = Symbol(0);
    const VALUE: Symbol = Symbol(1);
    const BASE: Symbol = Symbol(2);
    const IS_FOLDER: Symbol = Symbol(3);
    const MODULE: Symbol = Symbol(4);
    const ENUM: Symbol = Symbol(5);
    const ITEMS: Symbol = Symbol(6);
    const ALL: [&'static str; 7] = ["type", "value", "base", "is_folder", "module", "enum", "items"];
}

impl Graph {
    /// A graph without objects.
    #[must_use]
    pub fn new() -> Self {
        let mut graph = Self::default();
        for name in Names::ALL {
            graph.store.intern(name.as_bytes());
        }
        graph
    }
}

/// Where paths are now: a workspace that was moved or copied still records where it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relocation {
    /// The root of the workspace now, without a trailing slash
    pub now: String,
    /// The roots that were recorded, other than `now`
    pub roots: RecordedRoots,
    /// Those of them that are still there: what lies there only is where it was
    standing: Vec<String>,
}

impl Relocation {
    /// Paths below the recorded `roots` are moved below `now`.
    #[must_use]
    pub fn new(now: String, roots: RecordedRoots) -> Self {
        let standing = roots.before.iter().filter(|root| Path::new(root).is_dir()).cloned().collect();
        Self { now, roots, standing }
    }

    /// Where `path` is now, if it lies under a recorded root. A path stays as it was recorded if it is there, and nothing is where
    /// it would be moved to: the workspace was copied in part.
    #[must_use]
    pub fn moved(&self, path: &[u8]) -> Option<Vec<u8>> {
        let roots = self.roots.before.iter().chain(&self.roots.aliases);
        let (root, moved) = roots.into_iter().find_map(|root| Some((root, self.below(root, path)?)))?;
        let is_there = |path: &[u8]| Path::new(OsStr::from_bytes(path)).symlink_metadata().is_ok();
        let stays = self.standing.contains(root) && is_there(path) && !is_there(&moved);
        (!stays).then_some(moved)
    }

    /// The path below the root of now that `path` is below a recorded one; with the separators of this system.
    fn below(&self, root: &str, path: &[u8]) -> Option<Vec<u8>> {
        let rest = path.strip_prefix(root.as_bytes())?;
        if root.starts_with('/') {
            return (rest.is_empty() || rest.starts_with(b"/")).then(|| [self.now.as_bytes(), rest].concat());
        }
        let is_below = matches!(rest, [] | [b'/' | b'\\', ..]);
        let rest: Vec<u8> = rest.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte }).collect();
        is_below.then(|| [self.now.as_bytes(), &rest].concat())
    }
}

/// No object refers to it.
pub(super) const NOBODY: u32 = u32::MAX;

/// What the references and relative paths of one container mean.
pub(super) struct Decoder<'s> {
    pub ids: Ids,
    /// Objects of the container that this one continues (the params.json of a job of the same process)
    pub known: Option<&'s Ids>,
    pub container: u32,
    pub relocation: &'s Relocation,
    /// The directory that `"base": "job"` means
    pub job_dir: Option<&'s str>,
    /// The directory that paths of saved files are relative to
    pub data_dir: Option<&'s str>,
    /// The first object that refers to each object of the graph, or [`NOBODY`]
    pub referrers: Vec<u32>,
    /// References to what an earlier part of the file must hold, with the first object that has each; nothing if this is the
    /// first part
    pub foreign: Option<IndexMap<i64, Foreign, ahash::RandomState>>,
    /// Whether an id was given to several objects
    pub repeated: bool,
}

/// A reference from one part of a file to an earlier one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Foreign {
    pub value: Value,
    pub referrer: u32,
}

impl Decoder<'_> {
    pub fn find(&self, id: i64) -> Option<ObjectIx> {
        self.known.and_then(|known| known.get(id)).or_else(|| self.ids.get(id))
    }

    pub fn reference(&mut self, store: &mut Store, id: i64) -> Value {
        // the object that is being read comes after all that are known
        let reader = crate::values::index(self.referrers.len());
        let Some(found) = self.find(id) else {
            let Some(foreign) = &mut self.foreign else { return store.dangle(id, self.container) };
            let dangle = || Foreign { value: store.dangle(id, self.container), referrer: reader };
            return foreign.entry(id).or_insert_with(dangle).value;
        };
        if let Some(referrer) = self.referrers.get_mut(found.at()) {
            *referrer = reader.min(*referrer);
        }
        Value::Object(found)
    }

    /// A path, made absolute by its base, moved with the workspace, and in the form pathlib gives it.
    fn path(&self, store: &mut Store, text: Text, base: Option<&str>) -> Value {
        let clean = self.clean(store.bytes(text), base);
        Value::Path(clean.map_or(text, |clean| store.push_text(&clean)))
    }

    /// An absolute path that stands in no dict of its own.
    pub fn plain_path(&self, store: &mut Store, path: &[u8]) -> Value {
        let clean = self.clean(path, None);
        Value::Path(store.push_text(clean.as_deref().unwrap_or(path)))
    }

    fn clean(&self, path: &[u8], base: Option<&str>) -> Option<Vec<u8>> {
        let joined = base.filter(|_| !path.starts_with(b"/")).map(|base| join(base, path));
        let moved = self.relocation.moved(joined.as_deref().unwrap_or(path)).or(joined);
        tidy(moved.as_deref().unwrap_or(path)).or(moved)
    }
}

impl Decode for Decoder<'_> {
    fn decode(&mut self, store: &mut Store, keys: &[Symbol], values: &[Value]) -> Option<Value> {
        let get = |name| keys.iter().position(|&key| key == name).map(|at| values[at]);
        let Some(Value::Str(kind)) = get(Names::TYPE) else { return None };
        match (store.bytes(kind), keys.len(), get(Names::VALUE)) {
            (b"python", 2, Some(Value::Int(id))) => Some(self.reference(store, id)),
            (b"path", 2, Some(Value::Str(text))) => Some(self.path(store, text, None)),
            (b"path", 3, Some(Value::Str(text))) => {
                let Some(Value::Str(base)) = get(Names::BASE) else { return None };
                let base = match store.bytes(base) {
                    b"job" => self.job_dir?,
                    b"workspace" => &self.relocation.now,
                    _ => return None,
                };
                Some(self.path(store, text, Some(base)))
            }
            (b"path.serialized", 3, Some(Value::Str(text))) => {
                let Some(Value::Bool(_)) = get(Names::IS_FOLDER) else { return None };
                Some(self.path(store, text, self.data_dir))
            }
            (b"enum", 4, Some(Value::Str(name))) => {
                let (Some(Value::Str(module)), Some(Value::Str(class))) =
                    (get(Names::MODULE), get(Names::ENUM))
                else {
                    return None;
                };
                let [module, class, name] = [module, class, name].map(|text| {
                    let name = store.bytes(text).to_vec();
                    store.intern(&name)
                });
                Some(store.member(EnumMember { module, class, name }))
            }
            (b"set", 2, None) => match get(Names::ITEMS) {
                Some(Value::List(items)) => Some(Value::Set(items)),
                _ => None,
            },
            _ => None,
        }
    }
}

fn join(base: &str, relative: &[u8]) -> Vec<u8> {
    [base.as_bytes(), b"/", relative].concat()
}

/// The form that pathlib gives a path: no empty or `.` component, `.` for nothing; `None` if it has that form already.
fn tidy(path: &[u8]) -> Option<Vec<u8>> {
    if path == b"/" || path == b"." || is_tidy(path.strip_prefix(b"/").unwrap_or(path)) {
        return None;
    }
    // POSIX: exactly two leading slashes are kept, as pathlib does
    let root: &[u8] = match path {
        [b'/', b'/', b'/', ..] => b"/",
        [b'/', b'/', ..] => b"//",
        [b'/', ..] => b"/",
        _ => b"",
    };
    let parts: Vec<&[u8]> =
        path.split(|&byte| byte == b'/').filter(|part| !matches!(*part, b"" | b".")).collect();
    let tidied = [root, &parts.join(&b'/')].concat();
    let tidied = if tidied.is_empty() { b".".to_vec() } else { tidied };
    (tidied != path).then_some(tidied)
}

/// Whether no component of a path without its first slash is empty or `.`.
fn is_tidy(relative: &[u8]) -> bool {
    let mut starts = std::iter::once(0).chain(memchr::memchr_iter(b'/', relative).map(|slash| slash + 1));
    !starts.any(|start| matches!(relative[start..], [] | [b'/', ..] | [b'.'] | [b'.', b'/', ..]))
}
