//! Reads regular files, whole or some lines at a time. No other module opens a file to read it.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::fs::OFlags;

use crate::error::{Error, ErrorKind, Result};
use crate::progress;
use crate::threads::SLOW_ITEM;

mod absence;
mod signature;

pub use absence::{cannot_be_there, is_absent, is_gone, is_there};
pub use signature::Signature;

/// The largest file that [`read_small`] reads, in bytes.
pub const LARGEST: u64 = 256 << 20;

/// The bytes of a regular file. A directory, a pipe or a device is refused without opening it.
///
/// # Errors
/// `Io`, with the path.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = head(path, u64::MAX)?;
    progress::opened();
    progress::bytes(bytes.len() as u64);
    Ok(bytes)
}

/// The bytes of a regular file; none if nothing has that name. A dangling link has it, and is an error.
///
/// # Errors
/// `Io`, with the path.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>> {
    if is_there(path)? { read(path).map(Some) } else { Ok(None) }
}

/// The bytes of a regular file of at most [`LARGEST`] bytes; none if there is no such file.
///
/// # Errors
/// `Io`, with the path: also for a larger file.
pub fn read_small(path: &Path) -> Result<Option<Vec<u8>>> {
    match path.metadata() {
        Ok(metadata) if !metadata.is_file() => Err(not_regular(path)),
        Ok(metadata) if metadata.len() > LARGEST => Err(too_large(path)),
        Ok(_) => Ok(read_listed(path)?.map(|(bytes, _)| bytes)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Error::io(path, &error)),
    }
}

/// The bytes and the metadata of a file that was just seen to be regular, in a listing or otherwise; none if it is gone. It must
/// have at most [`LARGEST`] bytes. Saves the call that looks before opening.
///
/// # Errors
/// `Io`, with the path: also for a larger file.
pub fn read_listed(path: &Path) -> Result<Option<(Vec<u8>, Metadata)>> {
    let (file, metadata) = match open_regular(path) {
        Ok(opened) => opened,
        Err(OpenError::System(error)) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error.at(path)),
    };
    progress::opened();
    let bytes = read_up_to(&file, (metadata.len(), LARGEST + 1), path)?;
    progress::bytes(bytes.len() as u64);
    if bytes.len() as u64 > LARGEST { Err(too_large(path)) } else { Ok(Some((bytes, metadata))) }
}

/// The first bytes of a file, at most `limit`; it should have `size` bytes. Then one call reads them: where it returns less than
/// was asked for, the file ends.
fn read_up_to(file: &File, (size, limit): (u64, u64), path: &Path) -> Result<Vec<u8>> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let expected = usize::try_from(size).unwrap_or(usize::MAX).min(limit);
    let mut bytes = Vec::new();
    loop {
        let filled = bytes.len();
        let room = expected.saturating_sub(filled).max(filled.min(BLOCK_BYTES)).saturating_add(1);
        let room = room.min(limit - filled);
        reserve(&mut bytes, room, path)?;
        bytes.resize(filled + room, 0);
        let read = loop {
            match file.read_at(&mut bytes[filled..], filled as u64) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(|error| Error::io(path, &error))?,
            }
        };
        bytes.truncate(filled + read);
        let is_end = read == 0 || (read < room && bytes.len() >= expected);
        if is_end || bytes.len() == limit {
            return Ok(bytes);
        }
    }
}

fn too_large(path: &Path) -> Error {
    let reason = format!("is larger than the {} MiB that such a file may have", LARGEST >> 20);
    Error::new(ErrorKind::Io, reason).at_file(path)
}

/// The first bytes of a regular file, at most `limit`.
///
/// # Errors
/// `Io`, with the path.
pub fn head(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let (file, metadata) = open(path)?;
    read_up_to(&file, (metadata.len(), limit), path)
}

/// The first and the last bytes of a regular file, at most `limit` of each; the last are those that the first do not hold.
///
/// # Errors
/// `Io`, with the path.
pub fn head_and_tail(path: &Path, limit: u64) -> Result<(Vec<u8>, Vec<u8>)> {
    let (file, metadata) = open(path)?;
    let refused = |error: io::Error| Error::io(path, &error);
    let head = read_up_to(&file, (metadata.len(), limit), path)?;
    let rest = metadata.len().saturating_sub(head.len() as u64).min(limit);
    let mut tail = vec![0; usize::try_from(rest).unwrap_or_default()];
    if rest > 0 {
        file.read_exact_at(&mut tail, metadata.len() - rest).map_err(refused)?;
    }
    Ok((head, tail))
}

/// The first and the last bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEnds {
    /// Empty if `tail` is all of the file
    pub head: Vec<u8>,
    /// As long as asked, or all of a file that is not longer than both
    pub tail: Vec<u8>,
}

/// The first and the last bytes of a regular file, of a shorter one all; nothing when there is no such file.
///
/// # Errors
/// `Io`, with the path.
pub fn read_ends(path: &Path, head: usize, tail: usize) -> Result<Option<FileEnds>> {
    let (file, found) = match look_and_open(path) {
        Ok(opened) => opened,
        Err(OpenError::System(error)) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error.at(path)),
    };
    progress::opened();
    let refused = |error: io::Error| Error::io(path, &error);
    let part = |start: u64, count: usize| {
        let mut bytes = vec![0; count];
        let mut filled = 0;
        while filled < count {
            match file.read_at(&mut bytes[filled..], start + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(refused(error)),
            }
        }
        bytes.truncate(filled);
        progress::bytes(filled as u64);
        Ok(bytes)
    };
    let size = usize::try_from(found.len()).unwrap_or(usize::MAX);
    if size <= head + tail {
        return Ok(Some(FileEnds { head: Vec::new(), tail: part(0, size)? }));
    }
    Ok(Some(FileEnds { head: part(0, head)?, tail: part(found.len() - tail as u64, tail)? }))
}

/// Opens a regular file. Returns its metadata too.
fn open(path: &Path) -> Result<(File, Metadata)> {
    look_and_open(path).map_err(|error| error.at(path))
}

/// Why a file was not opened.
enum OpenError {
    System(io::Error),
    NotRegular,
}

impl OpenError {
    fn at(self, path: &Path) -> Error {
        match self {
            Self::System(error) => Error::io(path, &error),
            Self::NotRegular => not_regular(path),
        }
    }
}

fn not_regular(path: &Path) -> Error {
    Error::new(ErrorKind::Io, "is not a regular file").at_file(path)
}

fn look_and_open(path: &Path) -> std::result::Result<(File, Metadata), OpenError> {
    // checked before opening: opening a pipe wakes its writer, opening a device may do anything
    if path.metadata().map_err(OpenError::System)?.is_file() {
        open_regular(path)
    } else {
        Err(OpenError::NotRegular)
    }
}

/// Opens a file that was just seen to be regular.
fn open_regular(path: &Path) -> std::result::Result<(File, Metadata), OpenError> {
    // some files below /proc look regular, and reading them blocks
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(OpenError::System)?;
    // checked again: the file may have been replaced before it was opened
    let metadata = file.metadata().map_err(OpenError::System)?;
    if metadata.is_file() { Ok((file, metadata)) } else { Err(OpenError::NotRegular) }
}

fn reserve(bytes: &mut Vec<u8>, more: usize, path: &Path) -> Result<()> {
    bytes.try_reserve_exact(more).map_err(|_| {
        Error::new(ErrorKind::Io, format!("its {more} bytes do not fit into memory")).at_file(path)
    })
}

/// A regular file of lines, as long as it was when it was opened. Lines that are appended later are not read.
#[derive(Debug)]
pub struct LinedFile {
    path: PathBuf,
    file: File,
    size: u64,
    identity: Identity,
    /// How many bytes are read at once, unless a line is longer
    block: usize,
}

/// Which file it is, whatever its name, and the time of its last write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    written: (i64, i64),
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        let written = (metadata.mtime(), metadata.mtime_nsec());
        Self { device: metadata.dev(), inode: metadata.ino(), written }
    }
}

/// How far a file of lines was read, to continue from there once it has grown.
#[derive(Debug, Clone)]
pub struct Bookmark {
    identity: Identity,
    /// The first byte that was not read: where the next line will begin
    offset: u64,
    /// The number of lines before the offset
    lines: u64,
    /// The last bytes before the offset
    tail: Vec<u8>,
}

impl Bookmark {
    /// The first byte that was not read: where the next line will begin.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.offset
    }

    /// The number of lines before it.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }
}

/// The number of bytes before a bookmark that are compared to see whether the file only grew.
const TAIL_BYTES: u64 = 256;

/// The number of bytes that are read at once. Memory that is touched anew costs more than another call to a local disk.
const BLOCK_BYTES: usize = 1 << 16;
/// The number of bytes that are read at once from a slow file system.
const SLOW_BLOCK_BYTES: usize = 1 << 20;
/// A longer line is refused: a sparse file may have lines that do not fit into memory.
const MAX_LINE_BYTES: usize = 1 << 28;

impl LinedFile {
    /// Opens the file.
    ///
    /// # Errors
    /// `Io`, with the path.
    pub fn open(path: &Path) -> Result<Self> {
        let begin = Instant::now();
        open(path).map(|opened| Self::of(path, opened, begin))
    }

    fn of(path: &Path, (file, metadata): (File, Metadata), begin: Instant) -> Self {
        progress::opened();
        // it was looked at, then opened: on a network each call takes long, and larger blocks need fewer
        let block = if begin.elapsed() > 2 * SLOW_ITEM { SLOW_BLOCK_BYTES } else { BLOCK_BYTES };
        let identity = Identity::of(&metadata);
        Self { path: path.to_path_buf(), file, size: metadata.len(), identity, block }
    }

    /// Opens the file; none if nothing has that name. A dangling link has it, and is an error.
    ///
    /// # Errors
    /// `Io`, with the path.
    pub fn open_if_there(path: &Path) -> Result<Option<Self>> {
        let begin = Instant::now();
        match look_and_open(path) {
            Ok(opened) => Ok(Some(Self::of(path, opened, begin))),
            Err(OpenError::System(error)) if is_absent(&error) && !is_there(path)? => Ok(None),
            Err(error) => Err(error.at(path)),
        }
    }

    /// The same file, read as if it had at most `size` bytes.
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

    /// Its size in bytes when it was opened.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The lines in a range of bytes that begins and ends with a line.
    #[must_use]
    pub fn lines(&self, range: Range<u64>) -> Blocks<'_> {
        progress::bytes(range.end.saturating_sub(range.start));
        let Range { start, end } = range;
        Blocks { file: self, offset: start, end, buffer: Vec::new(), returned: 0, filled: 0 }
    }

    /// Where the first line after a byte begins; the size of the file if there is none, or only after a line that is too long.
    ///
    /// # Errors
    /// `Io`, with the path.
    pub fn line_after(&self, byte: u64) -> Result<u64> {
        let mut offset = byte;
        let mut buffer = [0; 4096];
        while offset < self.size && offset - byte <= MAX_LINE_BYTES as u64 {
            let count = self.read_at(&mut buffer, offset)?;
            if let Some(end) = memchr::memchr(b'\n', &buffer[..count]) {
                return Ok((offset + end as u64 + 1).min(self.size));
            }
            if count == 0 {
                break;
            }
            offset += count as u64;
        }
        Ok(self.size)
    }

    /// A bookmark at the end of this file of `lines` lines; none if its last line has no end yet.
    #[must_use]
    pub fn bookmark(&self, lines: u64) -> Option<Bookmark> {
        let tail = self.tail_before(self.size)?;
        let is_whole = tail.is_empty() || tail.ends_with(b"\n");
        is_whole.then_some(Bookmark { identity: self.identity, offset: self.size, lines, tail })
    }

    /// Whether this is the file of a bookmark, and only grew since. A change in the middle of a file that also grew goes
    /// unnoticed; no program that appends makes one.
    #[must_use]
    pub fn goes_on(&self, bookmark: &Bookmark) -> bool {
        let (now, then) = (self.identity, bookmark.identity);
        let is_same_file = (now.device, now.inode) == (then.device, then.inode);
        let grew = self.size > bookmark.offset && now.written >= then.written;
        let is_unchanged = self.size == bookmark.offset && now.written == then.written;
        is_same_file
            && (grew || is_unchanged)
            && self.tail_before(bookmark.offset).as_ref() == Some(&bookmark.tail)
    }

    /// The last bytes before an offset.
    fn tail_before(&self, offset: u64) -> Option<Vec<u8>> {
        let count = offset.min(TAIL_BYTES);
        let mut bytes = vec![0; usize::try_from(count).ok()?];
        let mut filled = 0;
        while filled < bytes.len() {
            match self.read_at(&mut bytes[filled..], offset - count + filled as u64) {
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
    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        loop {
            match self.file.read_at(buffer, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read.map_err(|error| Error::io(&self.path, &error)),
            }
        }
    }
}

/// Whole lines of a file, some at a time, in a buffer that is reused.
#[derive(Debug)]
pub struct Blocks<'f> {
    file: &'f LinedFile,
    /// The next byte to read
    offset: u64,
    end: u64,
    buffer: Vec<u8>,
    /// The length of the lines in the buffer that were returned
    returned: usize,
    filled: usize,
}

impl Blocks<'_> {
    /// The next lines, whole except for the last line of the file; none at the end.
    ///
    /// # Errors
    /// `Io`, with the path.
    pub fn more(&mut self) -> Result<Option<&[u8]>> {
        self.buffer.copy_within(self.returned..self.filled, 0);
        self.filled -= self.returned;
        self.returned = 0;
        if self.filled == 0 && self.offset == self.end {
            return Ok(None);
        }
        loop {
            let searched = self.filled;
            let unread = usize::try_from(self.end - self.offset).unwrap_or(usize::MAX);
            self.make_room(unread)?;
            let room = self.buffer.len().min(self.filled.saturating_add(unread));
            let count = self.file.read_at(&mut self.buffer[self.filled..room], self.offset)?;
            self.filled += count;
            self.offset += count as u64;
            if count == 0 {
                // the end, or the file was truncated while it was read
                self.offset = self.end;
                self.returned = self.filled;
            } else if let Some(end) = memchr::memrchr(b'\n', &self.buffer[searched..self.filled]) {
                self.returned = searched + end + 1;
            } else {
                continue;
            }
            return Ok((self.returned > 0).then(|| &self.buffer[..self.returned]));
        }
    }

    fn make_room(&mut self, unread: usize) -> Result<()> {
        let wanted =
            if self.filled == self.buffer.len() { (2 * self.filled).max(self.file.block) } else { 0 };
        let wanted = wanted.min(self.filled.saturating_add(unread));
        if self.filled >= MAX_LINE_BYTES {
            let reason = format!("has a line of more than {} MiB", MAX_LINE_BYTES >> 20);
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
