//! The states of jobs that status.json lists, stored compactly: a run of many jobs has few different words.

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use hashbrown::HashTable;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::state::StateWord;
use crate::json::{self, JsonText, Reader, Syntax};
use crate::values::index;

/// The last state of each job as the driver wrote it, as in `done` or `error:TIMEOUT`.
#[derive(Debug, Clone, Default)]
pub struct JobStates {
    /// What has the identifiers: the file itself, or all of them one after the other
    text: Vec<u8>,
    /// In the order of the file; of two with one identifier the later counts
    entries: Vec<Entry>,
    /// The distinct words, and the states that they mean
    words: Vec<(String, Option<StateWord>)>,
    /// The entries by their identifiers, built when the first is looked for
    found: OnceLock<HashTable<u32>>,
    hasher: ahash::RandomState,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    start: u32,
    length: u32,
    word: u32,
}

impl Entry {
    fn job_id(self, text: &[u8]) -> &[u8] {
        let start = self.start as usize;
        text.get(start..start + self.length as usize).unwrap_or_default()
    }
}

/// The states in the text of a status.json, without a copy of the identifiers.
pub(super) struct StatesInFile {
    states: JobStates,
    /// The text of the dict of states
    range: Range<usize>,
}

impl StatesInFile {
    /// Finds them; nothing if there are none, or if the text is of another form than Python's.
    pub fn find(text: &[u8]) -> Option<Self> {
        if u32::try_from(text.len()).is_err() || !json::is_utf8(text) {
            return None;
        }
        let mut reader = Reader::new(text);
        let mut found: Option<Self> = None;
        let read = reader.entries(|reader, key| {
            if key.escaped {
                return Err(reader.wrong("an escape in a key"));
            }
            if key.raw != b"job_states" {
                return reader.skip();
            }
            let start = reader.position();
            let states = JobStates::read(reader)?;
            let is_first = found.replace(Self { states, range: start..reader.position() }).is_none();
            if is_first { Ok(()) } else { Err(reader.wrong("there are two dicts of states")) }
        });
        read.and_then(|()| reader.end()).ok()?;
        found
    }

    /// The text with an empty dict in the place of the states.
    pub fn others(&self, text: &[u8]) -> Vec<u8> {
        [&text[..self.range.start], b"{}", &text[self.range.end..]].concat()
    }

    /// The states, which keep the text in which they were found.
    pub fn in_text(self, text: Vec<u8>) -> JobStates {
        JobStates { text, ..self.states }
    }
}

impl JobStates {
    /// The number of jobs.
    pub(super) fn len(&self) -> usize {
        self.found().len()
    }

    /// The word for the state of a job.
    #[must_use]
    pub fn get(&self, job_id: &str) -> Option<&str> {
        Some(&self.entry(job_id)?.0)
    }

    /// The state of a job, unless its word is unknown.
    pub(super) fn state(&self, job_id: &str) -> Option<&StateWord> {
        self.entry(job_id)?.1.as_ref()
    }

    /// The state of the job at a position of the jobs that [`Self::are_of`] was true of.
    pub(super) fn state_at(&self, position: usize) -> Option<&StateWord> {
        self.words.get(self.entries.get(position)?.word as usize)?.1.as_ref()
    }

    /// Whether these are the states of exactly these jobs, in this order. Each identifier must be given once.
    pub(crate) fn are_of<'t>(&self, mut job_ids: impl ExactSizeIterator<Item = &'t [u8]>) -> bool {
        self.entries.len() == job_ids.len()
            && self.entries.iter().all(|entry| Some(entry.job_id(&self.text)) == job_ids.next())
    }

    fn entry(&self, job_id: &str) -> Option<&(String, Option<StateWord>)> {
        if self.entries.is_empty() {
            return None;
        }
        let is_same = |&entry: &u32| self.entries[entry as usize].job_id(&self.text) == job_id.as_bytes();
        let entry = self.found().find(self.hasher.hash_one(job_id.as_bytes()), is_same)?;
        self.words.get(self.entries[*entry as usize].word as usize)
    }

    fn found(&self) -> &HashTable<u32> {
        self.found.get_or_init(|| {
            let job_id = |entry: u32| self.entries[entry as usize].job_id(&self.text);
            let hash = |entry: &u32| self.hasher.hash_one(job_id(*entry));
            let mut found: HashTable<u32> = HashTable::with_capacity(self.entries.len());
            for entry in 0..index(self.entries.len()) {
                if let Some(earlier) =
                    found.find_mut(hash(&entry), |&earlier| job_id(earlier) == job_id(entry))
                {
                    *earlier = entry;
                } else {
                    found.insert_unique(hash(&entry), entry, hash);
                }
            }
            found
        })
    }

    /// Reads the dict of states that comes next. The identifiers stay in the text of the reader.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Syntax> {
        let mut states = Self::default();
        let plain = |text: JsonText<'_>, reader: &Reader<'_>| {
            if text.escaped { Err(reader.wrong("an escape")) } else { Ok((text.position, text.raw.len())) }
        };
        reader.entries(|reader, job_id| {
            let (start, length) = plain(job_id, reader)?;
            let word = reader.string()?;
            plain(word, reader)?;
            let word = states.word(&String::from_utf8_lossy(word.raw));
            states.entries.push(Entry { start: index(start), length: index(length), word });
            Ok(())
        })?;
        Ok(states)
    }

    fn word(&mut self, word: &str) -> u32 {
        // few words, and the last ones are the most likely
        let position = self.words.iter().rposition(|(earlier, _)| earlier == word).unwrap_or_else(|| {
            self.words.push((word.to_owned(), StateWord::read(word, None)));
            self.words.len() - 1
        });
        index(position)
    }
}

impl PartialEq for JobStates {
    fn eq(&self, right: &Self) -> bool {
        let is_in_right = |&entry: &u32| {
            let Entry { word, .. } = self.entries[entry as usize];
            let job_id = String::from_utf8_lossy(self.entries[entry as usize].job_id(&self.text));
            right.get(&job_id) == self.words.get(word as usize).map(|(word, _)| word.as_str())
        };
        self.found().len() == right.found().len() && self.found().iter().all(is_in_right)
    }
}

impl Eq for JobStates {}

impl<'de> Deserialize<'de> for JobStates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StatesVisitor)
    }
}

struct StatesVisitor;

impl<'de> Visitor<'de> for StatesVisitor {
    type Value = JobStates;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JobStates, A::Error> {
        let mut states = JobStates::default();
        let mut start = 0;
        while map
            .next_key_seed(WithText(|job_id: &str| states.text.extend_from_slice(job_id.as_bytes())))?
            .is_some()
        {
            let word = map.next_value_seed(WithText(|word: &str| states.word(word)))?;
            let length = index(states.text.len() - start);
            states.entries.push(Entry { start: index(start), length, word });
            start = states.text.len();
        }
        Ok(states)
    }
}

/// Gives a text to a function without a copy.
struct WithText<F>(F);

impl<'de, R, F: FnOnce(&str) -> R> DeserializeSeed<'de> for WithText<F> {
    type Value = R;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<R, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<R, F: FnOnce(&str) -> R> Visitor<'_> for WithText<F> {
    type Value = R;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<R, E> {
        Ok((self.0)(text))
    }
}
