//! Decodes dicts that encode a reference, a path, a member of an enum or a set.
//!
//! experimaestro writes dicts of the user unchanged, so a dict is decoded only if its keys are exactly those of an
//! encoding and its values have the right types (docs/format.md §2.3); any other is a dict.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use indexmap::IndexMap;

use super::graph::Graph;
use super::ids::Ids;
use crate::records::{RecordedRoots, is_absolute};
use crate::values::{Decode, EnumMember, ObjectIx, Store, Symbol, Text, Value, index};

/// The keys of encodings, which [`Graph::new`] interns in this order as the first symbols of every graph.
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

/// Translates recorded paths to current ones: a moved or copied workspace still records its old root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relocation {
    /// The current root of the workspace, without a trailing slash
    pub now: String,
    /// The recorded roots, except for `now`
    pub roots: RecordedRoots,
    /// Those of them that still exist: files that are only there are not relocated
    standing: Vec<String>,
    /// The root that `"base": "workspace"` means in a file
    base: String,
}

impl Relocation {
    /// Relocates paths below the recorded `roots` to below `now`.
    #[must_use]
    pub fn new(now: String, roots: RecordedRoots) -> Self {
        let standing = roots.before.iter().filter(|root| Path::new(root).is_dir()).cloned().collect();
        Self { base: now.clone(), now, roots, standing }
    }

    /// The relocation of a file that names a root of its own: a job that was taken over from another workspace has a params.json
    /// with the root of that one.
    #[must_use]
    pub(super) fn of_file(&self, root: &str) -> Cow<'_, Self> {
        let root = root.trim_end_matches(['/', '\\']);
        if root == self.now || !is_absolute(root) {
            return Cow::Borrowed(self);
        }
        let mut own = Self { base: root.to_owned(), ..self.clone() };
        if !own.roots.before.iter().chain(&own.roots.aliases).any(|recorded| recorded == root) {
            own.standing.extend(Path::new(root).is_dir().then(|| root.to_owned()));
            own.roots.before.push(root.to_owned());
        }
        Cow::Owned(own)
    }

    /// The current path; `None` if `path` is not under a recorded root, or if it exists and the current path does not:
    /// the workspace was copied in part.
    #[must_use]
    pub fn moved(&self, path: &[u8]) -> Option<Vec<u8>> {
        let roots = self.roots.before.iter().chain(&self.roots.aliases);
        let (root, moved) = roots.into_iter().find_map(|root| Some((root, self.below(root, path)?)))?;
        let exists = |path: &[u8]| Path::new(OsStr::from_bytes(path)).symlink_metadata().is_ok();
        let stays = self.standing.contains(root) && exists(path) && !exists(&moved);
        (!stays).then_some(moved)
    }

    /// The path below the current root that a path below a recorded root has, with the separators of this system.
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

/// The referrer of an object without references to it.
pub(super) const NOBODY: u32 = u32::MAX;

/// Resolves the references and relative paths of one container.
pub(super) struct Decoder<'s> {
    pub ids: Ids,
    /// Ids of objects that are already in the graph: a params.json that the process of the run wrote has the same ids
    pub defined: Option<&'s Ids>,
    pub container: u32,
    pub relocation: &'s Relocation,
    /// The directory of `"base": "job"`
    pub job_dir: Option<&'s str>,
    /// The directory of saved files
    pub data_dir: Option<&'s str>,
    /// The first object that refers to each object of the graph, or [`NOBODY`]
    pub referrers: Vec<u32>,
    /// References to objects that an earlier chunk of the file must define; `None` in the first chunk
    pub foreign: Option<IndexMap<i64, Foreign, ahash::RandomState>>,
    /// Whether several objects have the same id
    pub repeated: bool,
}

/// A reference to an earlier chunk, and the first object that has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Foreign {
    pub value: Value,
    pub referrer: u32,
}

impl Decoder<'_> {
    /// The object of an id, if it is defined already.
    pub fn find(&self, id: i64) -> Option<ObjectIx> {
        self.defined.and_then(|defined| defined.get(id)).or_else(|| self.ids.get(id))
    }

    /// The object of an id, or an unresolved reference, both noted as references of the object that is being read.
    pub fn reference(&mut self, store: &mut Store, id: i64) -> Value {
        // the object that is being read is the next one
        let referrer = index(self.referrers.len());
        let Some(object) = self.find(id) else {
            let Some(foreign) = &mut self.foreign else { return store.dangle(id, self.container) };
            let dangle = || Foreign { value: store.dangle(id, self.container), referrer };
            return foreign.entry(id).or_insert_with(dangle).value;
        };
        if let Some(first) = self.referrers.get_mut(object.index()) {
            *first = referrer.min(*first);
        }
        Value::Object(object)
    }

    /// A path: made absolute by its base, relocated with the workspace, and normalized as pathlib does.
    fn path(&self, store: &mut Store, text: Text, base: Option<&str>) -> Value {
        let clean = self.clean(store.bytes(text), base);
        Value::Path(clean.map_or(text, |clean| store.push_text(&clean)))
    }

    /// A path without a base, relocated and normalized.
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
        let get = |name| keys.iter().position(|&key| key == name).map(|position| values[position]);
        let Some(Value::Str(kind)) = get(Names::TYPE) else { return None };
        match (store.bytes(kind), keys.len(), get(Names::VALUE)) {
            (b"python", 2, Some(Value::Int(id))) => Some(self.reference(store, id)),
            (b"path", 2, Some(Value::Str(text))) => Some(self.path(store, text, None)),
            (b"path", 3, Some(Value::Str(text))) => {
                let Some(Value::Str(base)) = get(Names::BASE) else { return None };
                let base = match store.bytes(base) {
                    b"job" => self.job_dir?,
                    b"workspace" => &self.relocation.base,
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

/// Normalizes a path as pathlib does: no empty or `.` component, and `.` for an empty path. `None` if nothing changes.
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
    let components: Vec<&[u8]> =
        path.split(|&byte| byte == b'/').filter(|component| !matches!(*component, b"" | b".")).collect();
    let tidied = [root, &components.join(&b'/')].concat();
    let tidied = if tidied.is_empty() { b".".to_vec() } else { tidied };
    (tidied != path).then_some(tidied)
}

/// Whether a path, given without its first slash, has no empty or `.` component.
fn is_tidy(relative: &[u8]) -> bool {
    let mut starts = std::iter::once(0).chain(memchr::memchr_iter(b'/', relative).map(|slash| slash + 1));
    !starts.any(|start| matches!(relative[start..], [] | [b'/', ..] | [b'.'] | [b'.', b'/', ..]))
}
