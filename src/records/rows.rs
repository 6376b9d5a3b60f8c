//! The rows of a run: one a job, with its tags.
//!
//! jobs.jsonl has them since 2.0.0; before, and in runs migrated from there, state.json has those of a launch that ended well
//! and the links under `jobs/` lead to the params.json of the others (docs/format.md §1.2, §4, §9).

use std::ops::Index;
use std::path::Path;
use std::sync::Arc;

use hashbrown::HashTable;

use super::line_templates::TemplateCache;
use super::lost_list::lost_job_list;
use super::row::{JobRow, microseconds};
use super::unusual::{no_state_row, no_tags, no_time, unusual_type};
use crate::error::{Error, Result};
use crate::file::{self, Bookmark, LinedFile};
use crate::json::{self, Reader, Syntax};
use crate::progress::{CancelToken, Counter};
use crate::values::{self, Blocks, Plain, Record, Store, Symbol, Text, Value, read, record};
use crate::workspace::Run;

/// The jobs of a run, in the order in which they were submitted.
#[derive(Debug, Clone, Default)]
pub struct JobRows {
    /// What their tags point into
    pub store: Store,
    /// The jobs; each identifier once
    pub rows: Rows,
    /// Lines and files that could not be read
    pub errors: Vec<Error>,
    /// The positions of the rows, found by their identifiers, and of those that were there before the run grew
    positions: HashTable<u32>,
    earlier: Vec<Arc<HashTable<u32>>>,
    hasher: ahash::RandomState,
    /// How far the jobs.jsonl was read, if to its end
    bookmark: Option<Bookmark>,
}

/// Jobs in a few pieces: a run that grew shares those that it had before.
#[derive(Debug, Clone, Default)]
pub struct Rows(Blocks<JobRow>);

impl Rows {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &JobRow> {
        self.0.iter()
    }

    /// Puts another in the place of one.
    fn replace(&mut self, position: usize, row: JobRow) {
        if let Some(row_before) = self.0.get_mut(position) {
            *row_before = row;
        }
    }
}

impl Index<usize> for Rows {
    type Output = JobRow;

    #[inline]
    fn index(&self, position: usize) -> &JobRow {
        &self.0.slice(position, 1)[0]
    }
}

impl JobRows {
    /// The jobs.jsonl as long as it is now, if there is one. A driver writes the row of a job before its objects: whoever opens
    /// this file first finds the objects of all its rows but the last.
    ///
    /// # Errors
    /// `Io`: it cannot be opened.
    pub fn list(run: &Run) -> Result<Option<LinedFile>> {
        LinedFile::open_if_there(&run.path().join("jobs.jsonl"))
    }

    /// The jobs of `run`, whose jobs.jsonl was opened by [`Self::list`]. What cannot be read is in `errors`.
    #[must_use]
    pub fn parse(run: &Run, list: Result<Option<LinedFile>>, stop: &CancelToken) -> Self {
        let mut rows = Self::default();
        match list {
            Ok(Some(file)) => {
                let read = rows.read_jobs_jsonl(&file, stop);
                rows.errors.extend(read.err());
            }
            Ok(None) => rows.read_version_1(run),
            Err(error) => rows.errors.push(error),
        }
        rows
    }

    /// No jobs, since they cannot be read.
    #[must_use]
    pub fn unreadable(error: Error) -> Self {
        Self { errors: vec![error], ..Self::default() }
    }

    /// How far the jobs.jsonl was read, if its last line has an end.
    #[must_use]
    pub fn end(&self) -> Option<&Bookmark> {
        self.bookmark.as_ref()
    }

    /// These rows and those that came since, if the jobs.jsonl only grew.
    #[must_use]
    pub fn grown(&self, file: &LinedFile, stop: &CancelToken) -> Option<Self> {
        let from =
            self.bookmark.as_ref().filter(|from| file.goes_on(from) && self.store.pieces() < MOST_PIECES)?;
        let mut rows = self.clone();
        rows.read_lines(file, (from.at(), from.lines()), stop).ok()?;
        rows.seal();
        Some(rows)
    }

    fn read_version_1(&mut self, run: &Run) {
        let state = run.path().join("state.json");
        let read = file::read_if_there(&state)
            .and_then(|bytes| bytes.map_or(Ok(()), |bytes| self.read_state_json(&bytes)));
        self.errors.extend(read.err());
        for error in &mut self.errors {
            *error = error.clone().at_file(&state);
        }
        self.read_configs_json(run);
        self.follow_links(run);
        self.errors.extend(lost_job_list(run, !self.rows.is_empty()));
    }

    /// The identifier of a job.
    #[must_use]
    pub fn job_id(&self, row: &JobRow) -> std::borrow::Cow<'_, str> {
        self.store.text(row.job_id).0
    }

    /// The identifiers of all jobs, in bytes.
    pub(crate) fn job_ids(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.rows.len()).map(|position| self.store.bytes(self.rows[position].job_id))
    }

    /// The identifier of a job's task.
    #[must_use]
    pub fn task_id(&self, row: &JobRow) -> std::borrow::Cow<'_, str> {
        self.store.symbol(row.task_id)
    }

    /// The position of a job, by its identifier.
    #[must_use]
    pub fn position(&self, job_id: &[u8]) -> Option<usize> {
        self.find_position(self.hasher.hash_one(job_id), job_id)
    }

    fn find_position(&self, hash: u64, job_id: &[u8]) -> Option<usize> {
        let same = |&position: &u32| self.store.bytes(self.rows[position as usize].job_id) == job_id;
        let newest = self.positions.find(hash, same);
        let newest =
            newest.or_else(|| self.earlier.iter().rev().find_map(|positions| positions.find(hash, same)));
        newest.map(|&position| position as usize)
    }

    /// Lets the rows of a run that grew share those that there are.
    fn seal(&mut self) {
        self.store.seal();
        self.rows.0.seal();
        self.earlier.push(Arc::new(std::mem::take(&mut self.positions)));
    }

    fn read_jobs_jsonl(&mut self, file: &LinedFile, stop: &CancelToken) -> Result<()> {
        self.read_lines(file, (0, 0), stop)?;
        self.seal();
        Ok(())
    }

    /// The position of a job, by its identifier as it is shown: an unpaired surrogate in it is shown as its escape.
    #[must_use]
    pub fn find(&self, shown: &str) -> Option<usize> {
        let escaped = || self.rows.iter().position(|row| shown.contains('\\') && self.job_id(row) == shown);
        self.position(shown.as_bytes()).or_else(escaped)
    }

    /// Reads the lines of a file from a byte on, before which `number` others stand.
    fn read_lines(
        &mut self,
        file: &LinedFile,
        (start, number): (u64, u64),
        stop: &CancelToken,
    ) -> Result<()> {
        let mut templates = TemplateCache::default();
        let size = file.size() - start;
        self.expect(usize::try_from(size / BYTES_A_ROW).unwrap_or(MOST).min(MOST));
        let mut progress = Counter::of(size, stop);
        let mut blocks = file.lines(start..file.size());
        let mut number = number;
        self.bookmark = None;
        while let Some(block) = blocks.more()? {
            number = self.read_block(block, number, (file.path(), stop), &mut templates);
            if !progress.advance(block.len()) {
                return Ok(());
            }
        }
        self.bookmark = file.bookmark(number);
        Ok(())
    }

    /// Reads some lines of a file, before which `number` others stand; says how many there are then.
    fn read_block(
        &mut self,
        block: &[u8],
        number: u64,
        (path, stop): (&Path, &CancelToken),
        templates: &mut TemplateCache,
    ) -> u64 {
        let clean = json::is_utf8(block);
        let mut lines = json::Lines::after(number, block);
        while !stop.is_cancelled() {
            if clean && let Some((row, length)) = templates.read(lines.rest(), &mut self.store) {
                lines.pass(length);
                self.push(row);
                continue;
            }
            let Some(line) = lines.next() else { break };
            let before = self.errors.len();
            match self.read_line(line, clean, templates) {
                Ok(row) => self.push(row),
                Err(error) => self.errors.push(error),
            }
            for error in &mut self.errors[before..] {
                *error = error.clone().at_line(line.number).at_file(path);
            }
        }
        let cut_lines = lines.cut_lines();
        self.errors.retain(|error| error.location().line.is_none_or(|line| !cut_lines.contains(&line)));
        self.errors.extend(lines.skipped().map(|(line, error)| error.at_line(line).at_file(path)));
        lines.number()
    }

    fn read_line(
        &mut self,
        line: json::Line<'_>,
        clean: bool,
        templates: &mut TemplateCache,
    ) -> Result<JobRow> {
        if !clean && std::str::from_utf8(line.bytes).is_err() {
            return Err(Error::format("the line is not UTF-8"));
        }
        let row = self.read_whole_line(line)?;
        templates.learn(line.bytes, row, &mut self.store);
        Ok(row)
    }

    fn read_whole_line(&mut self, line: json::Line<'_>) -> Result<JobRow> {
        let mut reader = Reader::new(line.bytes);
        let (mut job_id, mut task_id, mut tags, mut submitted) = (None, None, None, None);
        let mut unusual = Vec::new();
        reader.entries(|reader, key| {
            match (key.raw, reader.peek()?) {
                (b"job_id", json::JsonType::String) => {
                    job_id = Some(self.store.string(reader.string()?)?);
                }
                (b"task_id", json::JsonType::String) => {
                    task_id = Some(self.store.string(reader.string()?)?);
                }
                (b"tags", json::JsonType::Dict) => {
                    tags = Some(record(reader, &mut self.store, &mut Plain)?);
                }
                (b"timestamp", json::JsonType::Number) => {
                    let start = reader.position();
                    submitted = microseconds(reader.number()?);
                    if submitted.is_none() {
                        unusual.push(no_time(reader.taken(json::Span { start, end: reader.position() })));
                    }
                }
                (b"timestamp", kind) => {
                    unusual.extend(unusual_type("timestamp", kind));
                    reader.skip()?;
                }
                (b"tags", kind) => {
                    unusual.extend(unusual_type("tags", kind));
                    reader.skip()?;
                }
                _ => reader.skip()?,
            }
            Ok::<(), Syntax>(())
        })?;
        reader.end()?;
        let missing = |key| Error::format(format!("a job without \"{key}\"")).hint("its row is left out");
        let job_id = job_id.ok_or_else(|| missing("job_id"))?;
        let task_id = self.symbol(task_id.ok_or_else(|| missing("task_id"))?);
        let shown = self.store.text(job_id).0;
        self.errors.extend(unusual.into_iter().map(|error| error.at_job(&shown)));
        Ok(JobRow { job_id, task_id, tags, submitted })
    }

    fn symbol(&mut self, text: Text) -> Symbol {
        let name = self.store.bytes(text).to_vec();
        self.store.intern(&name)
    }

    /// Makes room for about so many rows.
    fn expect(&mut self, rows: usize) {
        let Self { store, rows: all, positions, hasher, .. } = self;
        all.0.last().reserve(rows);
        positions.reserve(rows, |&position| hasher.hash_one(store.bytes(all[position as usize].job_id)));
    }

    /// Adds a row; a later one of the same job takes the place of the first.
    pub(super) fn push(&mut self, row: JobRow) {
        let job_id = self.store.bytes(row.job_id);
        let hash = self.hasher.hash_one(job_id);
        if let Some(position) = self.find_position(hash, job_id) {
            return self.rows.replace(position, row);
        }
        let Self { store, rows, positions, hasher, .. } = self;
        let rehash = |&position: &u32| hasher.hash_one(store.bytes(rows[position as usize].job_id));
        positions.insert_unique(hash, values::index(rows.len()), rehash);
        rows.0.last().push(row);
    }

    /// state.json: `{"objects": …, "data": [{"id", "path", "task", "tags", "depends_on"}]}`.
    fn read_state_json(&mut self, bytes: &[u8]) -> Result<()> {
        std::str::from_utf8(bytes).map_err(|_| Error::format("the file is not UTF-8"))?;
        let mut reader = Reader::new(json::without_bom(bytes));
        let mut data = Value::Null;
        reader.entries(|reader, key| {
            match key.raw {
                b"data" => data = read(reader, &mut self.store, &mut Plain)?,
                _ => reader.skip()?,
            }
            Ok::<(), Syntax>(())
        })?;
        let Value::List(data) = data else { return Err(Error::format("\"data\" is not a list")) };
        let rows: Vec<Value> = self.store.items(data).collect();
        for (number, row) in rows.into_iter().enumerate() {
            match self.state_row(row) {
                Some(row) => self.push(row),
                None => self.errors.push(no_state_row(number)),
            }
        }
        Ok(())
    }

    fn state_row(&mut self, row: Value) -> Option<JobRow> {
        let Value::Dict(row) = row else { return None };
        let [id, path, tags] = ["id", "path", "tags"].map(|name| {
            let name = self.store.find_symbol(name.as_bytes());
            self.store.entries(row).find(|&(key, _)| Some(key) == name).map(|(_, value)| value)
        });
        let (Some(Value::Str(job_id)), Some(Value::Str(path))) = (id, path) else { return None };
        let tags = match tags {
            Some(Value::Dict(tags)) => Some(tags),
            None | Some(Value::Null) => None,
            Some(_) => {
                let shown = self.store.text(job_id).0;
                self.errors.push(no_tags().at_job(&shown));
                None
            }
        };
        // …/jobs/<task_id>/<job_id>
        let task_id = self.store.bytes(path).rsplit(|&byte| byte == b'/').nth(1)?.to_vec();
        let task_id = self.store.intern(&task_id);
        Some(JobRow { job_id, task_id, tags, submitted: None })
    }

    /// The jobs that the run links to, with the tags of their params.json, unless they have a row already.
    fn follow_links(&mut self, run: &Run) {
        let links = match run.linked_jobs() {
            Ok(links) => links,
            Err(error) => return self.errors.push(error),
        };
        for link in links {
            if self.position(link.job_id.as_bytes()).is_some() {
                continue;
            }
            // what is wrong with a params.json is reported where its objects are read
            let tags = self.params_tags(run, &link.task_id, &link.job_id).unwrap_or(None);
            let job_id = self.store.push_text(link.job_id.as_bytes());
            let task_id = self.store.intern(link.task_id.as_bytes());
            self.push(JobRow { job_id, task_id, tags, submitted: None });
        }
    }

    fn params_tags(&mut self, run: &Run, task_id: &str, job_id: &str) -> Result<Option<Record>> {
        let params = run.workspace().find_job_dir(task_id, job_id)?.join("params.json");
        let bytes = file::read(&params)?;
        std::str::from_utf8(&bytes).map_err(|_| Error::format("the file is not UTF-8"))?;
        let mut tags = None;
        Reader::new(json::without_bom(&bytes)).entries(|reader, key| {
            match (key.raw, reader.peek()?) {
                (b"tags", json::JsonType::Dict) => {
                    tags = Some(record(reader, &mut self.store, &mut Plain)?);
                }
                _ => reader.skip()?,
            }
            Ok::<(), Syntax>(())
        })?;
        Ok(tags)
    }
}

/// The jobs at the beginning of the jobs.jsonl of a run; nothing if it has none.
fn first_rows(run: &Run) -> Option<JobRows> {
    let head = file::head(&run.path().join("jobs.jsonl"), HEAD).ok()?;
    let mut rows = JobRows::default();
    // a line that is cut at the end of the head is an error, and no job
    rows.read_block(&head, 0, (run.path(), &CancelToken::default()), &mut TemplateCache::default());
    Some(rows)
}

/// When the first job of a run was submitted, in microseconds since 1970 UTC; nothing if its jobs.jsonl does not tell. Its
/// beginning is read if there are no `rows` of it.
#[must_use]
pub fn first_submission(run: &Run, rows: Option<&JobRows>) -> Option<i64> {
    let first = |rows: &JobRows| rows.rows.iter().find_map(|row| row.submitted);
    rows.map_or_else(|| first_rows(run).as_ref().and_then(first), first)
}

/// (`task_id`, `job_id`) of the first jobs of a run, from the beginning of its jobs.jsonl; nothing if it has none.
#[must_use]
pub fn first_jobs(run: &Run, count: usize) -> Option<Vec<(String, String)>> {
    let rows = first_rows(run)?;
    let key = |row| (rows.task_id(row).into_owned(), rows.job_id(row).into_owned());
    Some(rows.rows.iter().take(count).map(key).collect())
}

/// As often a run is read on; then it is read anew, in one piece.
const MOST_PIECES: usize = 64;

/// How long a line is, about.
const BYTES_A_ROW: u64 = 200;

/// For how many rows room is made at once, whatever the size of the file says.
const MOST: usize = 1 << 20;

/// How many bytes the first jobs are looked for in.
const HEAD: u64 = 8 << 10;
