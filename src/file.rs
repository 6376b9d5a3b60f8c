//! Reading a file, when it is a file: whole, or some lines at a time. No other module opens one to read it.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::error::{Error, ErrorKind, Result};
use crate::progress;

/// The largest of the small files, in bytes.
pub const LARGEST: u64 = 256 << 20;

/// The bytes of a regular file. A directory, a pipe or a device in its place is refused without opening it.
///
/// # Errors
/// `Io`, with the path.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = head(path, u64::MAX)?;
    progress::opened();
    progress::bytes(bytes.len() as u64);
    Ok(bytes)
}

/// The bytes of a regular file; nothing when there is nothing of that name. A link that leads nowhere is something.
///
/// # Errors
/// `Io`, with the path.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>> {
    if is_there(path)? { read(path).map(Some) } else { Ok(None) }
}

/// The bytes of a regular file of at most [`LARGEST`] bytes; nothing when there is no such file.
///
/// # Errors
/// `Io`, with the path: also one that is larger.
pub fn read_small(path: &Path) -> Result<Option<Vec<u8>>> {
    let found = match path.metadata() {
        Ok(found) => found,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(Error::io(path, &error)),
    };
    let fits = !found.is_file() || found.len() <= LARGEST;
    let bytes = if fits { Some(head(path, LARGEST + 1)?) } else { None };
    match bytes.filter(|bytes| bytes.len() as u64 <= LARGEST) {
        Some(bytes) => Ok(Some(bytes)),
        None => {
            let reason = format!("is larger than the {} MiB that such a file may have", LARGEST >> 20);
            Err(Error::new(ErrorKind::Io, reason).at_file(path))
        }
    }
}

/// The first bytes of a regular file, at most `limit`.
///
/// # Errors
/// `Io`, with the path.
pub fn head(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let (file, found) = open(path)?;
    let mut bytes = Vec::new();
    let expected = usize::try_from(found.len().min(limit)).unwrap_or(usize::MAX);
    reserve(&mut bytes, expected.saturating_add(1), path)?;
    file.take(limit).read_to_end(&mut bytes).map_err(|error| Error::io(path, &error))?;
    Ok(bytes)
}

/// Opens a regular file; says what it is too.
fn open(path: &Path) -> Result<(File, Metadata)> {
    let refused = |error: io::Error| Error::io(path, &error);
    let no_file = || Error::new(ErrorKind::Io, "is not a regular file").at_file(path);
    // looked at before it is opened: opening a pipe wakes its writer, opening a device may do anything
    if !path.metadata().map_err(refused)?.is_file() {
        return Err(no_file());
    }
    // some files of the system look regular and wait for something
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(refused)?;
    // and looked at again: it may be another by now
    let found = file.metadata().map_err(refused)?;
    if found.is_file() { Ok((file, found)) } else { Err(no_file()) }
}

/// Whether there is something of that name, be it a link that leads nowhere.
///
/// # Errors
/// `Io`: the system does not tell.
pub fn is_there(path: &Path) -> Result<bool> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(Error::io(path, &error)),
    }
}

/// Whether a failure means that there is nothing of that name.
#[must_use]
pub fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn reserve(bytes: &mut Vec<u8>, more: usize, path: &Path) -> Result<()> {
    bytes.try_reserve_exact(more).map_err(|_| {
        Error::new(ErrorKind::Io, format!("its {more} bytes do not fit into memory")).at_file(path)
    })
}

/// A regular file of lines as long as it was when it was opened. What is appended later is not read.
#[derive(Debug)]
pub struct LinedFile {
    path: PathBuf,
    file: File,
    size: u64,
    found: Identity,
}

/// Which file it is, whatever its name, and when it was written last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    written: (i64, i64),
}

impl Identity {
    fn of(found: &Metadata) -> Self {
        Self { device: found.dev(), inode: found.ino(), written: (found.mtime(), found.mtime_nsec()) }
    }
}

/// How far a file of lines was read, to go on from there when it has grown.
#[derive(Debug, Clone)]
pub struct Bookmark {
    found: Identity,
    /// Where the next line will begin
    at: u64,
    /// How many lines stand before
    lines: u64,
    /// The last bytes before
    last: Vec<u8>,
}

impl Bookmark {
    /// Where the next line will begin.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.at
    }

    /// How many lines stand before it.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }
}

/// How many bytes must be the same before a bookmark.
const SAME: u64 = 256;

/// How much is read at once, unless a line is longer.
const BLOCK: usize = 1 << 16;
/// A longer line is refused: a file may have more holes than the machine has memory.
const LONGEST_LINE: usize = 1 << 28;

impl LinedFile {
    /// Opens the file.
    ///
    /// # Errors
    /// `Io`, with the path.
    pub fn open(path: &Path) -> Result<Self> {
        let (file, found) = open(path)?;
        progress::opened();
        Ok(Self { path: path.to_path_buf(), file, size: found.len(), found: Identity::of(&found) })
    }

    /// Opens the file; nothing when there is nothing of that name. A link that leads nowhere is something.
    ///
    /// # Errors
    /// `Io`, with the path.
    pub fn open_if_there(path: &Path) -> Result<Option<Self>> {
        if is_there(path)? { Self::open(path).map(Some) } else { Ok(None) }
    }

    /// The same file as if it had at most so many bytes.
    #[must_use]
    pub fn until(mut self, size: Option<u64>) -> Self {
        self.size = size.map_or(self.size, |size| self.size.min(size));
        self
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The lines of a range of bytes that begins and ends with a line.
    #[must_use]
    pub fn lines(&self, range: Range<u64>) -> Blocks<'_> {
        progress::bytes(range.end.saturating_sub(range.start));
        Blocks { file: self, at: range.start, end: range.end, buffer: Vec::new(), given: 0, filled: 0 }
    }

    /// Where the first line begins that begins behind a byte; the size if there is none, or only behind a line that is too long
    /// to be read.
    ///
    /// # Errors
    /// `Io`, with the path.
    pub fn line_after(&self, byte: u64) -> Result<u64> {
        let mut at = byte;
        let mut buffer = [0; 4096];
        while at < self.size && at - byte <= LONGEST_LINE as u64 {
            let count = self.read_at(&mut buffer, at)?;
            if let Some(end) = memchr::memchr(b'\n', &buffer[..count]) {
                return Ok((at + end as u64 + 1).min(self.size));
            }
            if count == 0 {
                break;
            }
            at += count as u64;
        }
        Ok(self.size)
    }

    /// A bookmark at the end of this file, which has so many lines; nothing if its last line has no end yet.
    #[must_use]
    pub fn bookmark(&self, lines: u64) -> Option<Bookmark> {
        let last = self.before(self.size)?;
        let whole = last.is_empty() || last.ends_with(b"\n");
        whole.then_some(Bookmark { found: self.found, at: self.size, lines, last })
    }

    /// Whether this is the file of a bookmark, and only grew since. (A change in the middle of a file that also grew does not
    /// show; nobody who appends makes one.)
    #[must_use]
    pub fn goes_on(&self, from: &Bookmark) -> bool {
        let (now, then) = (self.found, from.found);
        let same_file = (now.device, now.inode) == (then.device, then.inode);
        let grew = self.size > from.at && now.written >= then.written;
        let unchanged = self.size == from.at && now.written == then.written;
        same_file && (grew || unchanged) && self.before(from.at).as_ref() == Some(&from.last)
    }

    /// The last bytes before a place.
    fn before(&self, at: u64) -> Option<Vec<u8>> {
        let count = at.min(SAME);
        let mut bytes = vec![0; usize::try_from(count).ok()?];
        let mut filled = 0;
        while filled < bytes.len() {
            match self.read_at(&mut bytes[filled..], at - count + filled as u64) {
                Ok(read) if read > 0 => filled += read,
                _ => return None,
            }
        }
        Some(bytes)
    }

    /// Reads some bytes from a position on; none at the end.
    ///
    /// # Errors
    /// `Io`, with the path.
    pub(crate) fn read_at(&self, buffer: &mut [u8], at: u64) -> Result<usize> {
        loop {
            match self.file.read_at(buffer, at) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read.map_err(|error| Error::io(&self.path, &error)),
            }
        }
    }
}

/// Whole lines of a file, some at a time, in a buffer that is used again.
#[derive(Debug)]
pub struct Blocks<'f> {
    file: &'f LinedFile,
    at: u64,
    end: u64,
    buffer: Vec<u8>,
    /// How much of the buffer was given out
    given: usize,
    filled: usize,
}

impl Blocks<'_> {
    /// The next lines, whole but for the last of the file; nothing at the end.
    ///
    /// # Errors
    /// `Io`, with the path.
    pub fn more(&mut self) -> Result<Option<&[u8]>> {
        self.buffer.copy_within(self.given..self.filled, 0);
        self.filled -= self.given;
        self.given = 0;
        if self.filled == 0 && self.at == self.end {
            return Ok(None);
        }
        loop {
            let seen = self.filled;
            let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
            self.make_room(left)?;
            let room = self.buffer.len().min(self.filled.saturating_add(left));
            let count = self.file.read_at(&mut self.buffer[self.filled..room], self.at)?;
            self.filled += count;
            self.at += count as u64;
            if count == 0 {
                // the end, or the file was cut while it was read
                self.at = self.end;
                self.given = self.filled;
            } else if let Some(end) = memchr::memrchr(b'\n', &self.buffer[seen..self.filled]) {
                self.given = seen + end + 1;
            } else {
                continue;
            }
            return Ok((self.given > 0).then(|| &self.buffer[..self.given]));
        }
    }

    /// The lines behind these, up to another byte, are more of them.
    pub fn go_on(&mut self, end: u64) {
        progress::bytes(end.saturating_sub(self.end));
        self.end = end;
    }

    fn make_room(&mut self, left: usize) -> Result<()> {
        let wanted = if self.filled == self.buffer.len() { (2 * self.filled).max(BLOCK) } else { 0 };
        let wanted = wanted.min(self.filled.saturating_add(left));
        if self.filled >= LONGEST_LINE {
            let reason = format!("has a line of more than {} MiB", LONGEST_LINE >> 20);
            return Err(Error::new(ErrorKind::Io, reason).at_file(&self.file.path));
        }
        if wanted > self.buffer.len() {
            let more = wanted - self.buffer.len();
            reserve(&mut self.buffer, more, &self.file.path)?;
            self.buffer.resize(wanted, 0);
        }
        Ok(())
    }
}

/// What tells whether files were changed: the size, time and inode of each.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Signature(Vec<Option<(u64, i64, i64, u64)>>);

impl Signature {
    /// What these files are now; one that is not there is noted as such.
    #[must_use]
    pub fn of<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Self {
        let one = |path: &Path| {
            path.metadata().ok().map(|found| (found.len(), found.mtime(), found.mtime_nsec(), found.ino()))
        };
        Self(paths.into_iter().map(one).collect())
    }

    /// Whether the same files, written no earlier and of at least the same size, may be like `now`: whether what they were is a
    /// part of what they are is not told.
    #[must_use]
    pub fn may_have_grown_to(&self, now: &Self) -> bool {
        let grew = |(then, now): (&Option<_>, &Option<_>)| match (then, now) {
            (
                Some((size, seconds, nanoseconds, inode)),
                Some((new_size, new_seconds, new_nanoseconds, new_inode)),
            ) => {
                inode == new_inode
                    && size <= new_size
                    && (seconds, nanoseconds) <= (new_seconds, new_nanoseconds)
            }
            (then, now) => then.is_none() && now.is_none(),
        };
        self.0.len() == now.0.len() && self.0.iter().zip(&now.0).all(grew)
    }

    /// The bytes of all of them.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.iter().flatten().map(|found| found.0).sum()
    }
}
