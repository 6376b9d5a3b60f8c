//! Files made wrong in the ways that disks, editors and strangers know; random, and always the same.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Random numbers from a seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.roll() >> 16).unwrap() % limit.max(1)
    }

    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    pub fn chance(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }
}

/// The kinds of damage that [`damaged`] knows.
pub const KINDS: [&str; 9] =
    ["flip", "double", "drop", "reorder", "garbage", "empty", "cut", "zeros", "splice"];

/// The content after damage of a kind; it may be what it was, where the kind finds nothing to damage.
pub fn damaged(kind: &str, content: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = content.split_inclusive(|&byte| byte == b'\n').collect();
    let (at, other) = (dice.below(lines.len()), dice.below(lines.len()));
    match kind {
        "flip" => return flipped(content, dice),
        "empty" => return Vec::new(),
        "cut" => return content[..dice.below(content.len())].to_vec(),
        "zeros" | "splice" => return patched(kind, content, dice),
        _ if lines.is_empty() => return b"garbage".to_vec(),
        "double" => lines.insert(other, lines[at]),
        "drop" => drop(lines.remove(at)),
        "reorder" => lines.swap(at, other),
        "garbage" => {
            const GARBAGE: [&[u8]; 6] =
                [b"\xff\xfe\x00\n", b"[1, 2]\n", b"null\n", b"{}\n", b"{\"id\": \"x\"}\n", b"garbage\n"];
            lines[at] = GARBAGE[dice.below(GARBAGE.len())];
        }
        _ => unreachable!("no damage is called {kind}"),
    }
    lines.concat()
}

/// One to eight bits are flipped, as in a bad memory, or bytes replaced by what has a meaning in JSON.
fn flipped(content: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = content.to_vec();
    for _ in 0..=dice.below(8) {
        let at = dice.below(bytes.len());
        let meaningful = b"\"\\{}[]:,0-9eE.tfn\n"[dice.below(18)];
        let bit = 1 << dice.below(8);
        if let Some(byte) = bytes.get_mut(at) {
            *byte = if dice.below(2) == 0 { meaningful } else { *byte ^ bit };
        }
    }
    bytes
}

/// A block becomes zeros, as on a disk that lost its power, or a copy of another block.
fn patched(kind: &str, content: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = content.to_vec();
    let length = 1 + dice.below(bytes.len().min(600));
    let (to, from) = (dice.below(bytes.len()), dice.below(bytes.len()));
    let to = to..(to + length).min(bytes.len());
    if kind == "zeros" {
        bytes[to].fill(0);
    } else {
        let block = content[from..(from + length).min(content.len())].to_vec();
        bytes.splice(to, block);
    }
    bytes
}

/// A reference workspace, unpacked.
pub struct Unpacked {
    _home: TempDir,
    pub root: PathBuf,
}

impl Unpacked {
    pub fn new(name: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/workspaces/{name}.tar.gz"));
        let done = Command::new("tar").arg("-xpzf").arg(archive).arg("-C").arg(home.path()).status().unwrap();
        assert!(done.success(), "{name} cannot be unpacked");
        Self { root: home.path().join(name), _home: home }
    }
}

/// How much a test shall do: little, or, for `make reliability`, all that is promised.
pub fn effort(little: usize, all: usize) -> usize {
    if std::env::var_os("XPFRAME_RELIABILITY").is_some() { all } else { little }
}

/// Writes the figures of a test for docs/reliability.md, where `make reliability` asks for them.
pub fn figures(name: &str, figures: &[(&str, usize)]) {
    if let Some(home) = std::env::var_os("XPFRAME_RELIABILITY") {
        let map: serde_json::Map<String, serde_json::Value> =
            figures.iter().map(|&(name, value)| (name.to_owned(), value.into())).collect();
        std::fs::create_dir_all(&home).unwrap();
        let text = serde_json::Value::Object(map).to_string();
        std::fs::write(Path::new(&home).join(format!("{name}.json")), text).unwrap();
    }
}

/// Gives a fuzz target the seeds, then as many mutations of them.
pub fn mutate(name: &str, seeds: &[Vec<u8>], target: fn(&[u8]), mutations: usize) {
    for seed in seeds {
        target(seed);
    }
    let mut dice = Dice(0x5EED + seeds.len() as u64);
    for _ in 0..mutations {
        let mut input = seeds[dice.below(seeds.len())].clone();
        for _ in 0..=dice.below(3) {
            input = damaged(KINDS[dice.below(KINDS.len())], &input, &mut dice);
        }
        target(&input);
    }
    figures(&format!("mutations-{name}"), &[("seeds", seeds.len()), ("mutations", mutations)]);
}
