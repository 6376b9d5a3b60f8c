//! The states of jobs that status.json lists, stored compactly: a run of many jobs has few different words.

use std::fmt;

use hashbrown::HashTable;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::state::StateWord;

/// The last state of each job as the driver wrote it, as in `done` or `error:TIMEOUT`.
#[derive(Debug, Clone, Default)]
pub struct JobStates {
    /// All identifiers, one after the other
    job_ids: String,
    states: HashTable<Entry>,
    /// The distinct words, and the states that they mean
    words: Vec<(String, Option<StateWord>)>,
    hasher: ahash::RandomState,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    start: usize,
    length: u32,
    word: u32,
}

impl Entry {
    fn job_id(self, job_ids: &str) -> &str {
        job_ids.get(self.start..self.start + self.length as usize).unwrap_or_default()
    }
}

impl JobStates {
    /// The number of jobs.
    pub(super) fn len(&self) -> usize {
        self.states.len()
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

    fn entry(&self, job_id: &str) -> Option<&(String, Option<StateWord>)> {
        if self.states.is_empty() {
            return None;
        }
        let is_same = |entry: &Entry| entry.job_id(&self.job_ids) == job_id;
        let entry = self.states.find(self.hasher.hash_one(job_id), is_same)?;
        self.words.get(entry.word as usize)
    }

    /// Adds the job whose identifier was appended to `job_ids` from `start` on. A later state replaces an earlier one.
    fn add(&mut self, start: usize, word: u32) {
        let Self { job_ids, states, hasher, .. } = self;
        let entry = Entry { start, length: crate::values::index(job_ids.len() - start), word };
        let job_id = entry.job_id(job_ids);
        let hash = hasher.hash_one(job_id);
        if let Some(earlier) = states.find_mut(hash, |earlier| earlier.job_id(job_ids) == job_id) {
            *earlier = entry;
            return;
        }
        states.insert_unique(hash, entry, |entry| hasher.hash_one(entry.job_id(job_ids)));
    }

    fn word(&mut self, word: &str) -> u32 {
        // few words, and the last ones are the most likely
        let position = self.words.iter().rposition(|(earlier, _)| earlier == word).unwrap_or_else(|| {
            self.words.push((word.to_owned(), StateWord::read(word, None)));
            self.words.len() - 1
        });
        crate::values::index(position)
    }
}

impl PartialEq for JobStates {
    fn eq(&self, right: &Self) -> bool {
        let word = |states: &Self, entry: &Entry| {
            states.words.get(entry.word as usize).map(|(word, _)| word.clone())
        };
        let is_in_right =
            |entry: &Entry| right.get(entry.job_id(&self.job_ids)).map(str::to_owned) == word(self, entry);
        self.states.len() == right.states.len() && self.states.iter().all(is_in_right)
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
        while map.next_key_seed(WithText(|job_id: &str| states.job_ids.push_str(job_id)))?.is_some() {
            let word = map.next_value_seed(WithText(|word: &str| states.word(word)))?;
            states.add(start, word);
            start = states.job_ids.len();
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
