//! The rows of a run, as the readers of its objects ask for them.

use std::borrow::Cow;

use super::actions::ActionIds;
use crate::objects::JobKeys;
use crate::records::JobRows;
use crate::workspace::Run;

pub(super) struct RowKeys<'r> {
    pub rows: &'r JobRows,
    pub run: &'r Run,
    pub actions: &'r ActionIds,
}

impl JobKeys for RowKeys<'_> {
    fn count(&self) -> usize {
        self.rows.rows.len()
    }

    fn job_id(&self, position: usize) -> Cow<'_, str> {
        self.rows.job_id(&self.rows.rows[position])
    }

    fn is(&self, position: usize, job_id: &[u8]) -> bool {
        position < self.count() && self.rows.store.bytes(self.rows.rows[position].job_id) == job_id
    }

    fn task_id(&self, position: usize) -> Cow<'_, str> {
        self.rows.task_id(&self.rows.rows[position])
    }

    fn position(&self, job_id: &[u8]) -> Option<usize> {
        self.rows.position(job_id)
    }

    fn actions(&self) -> Vec<String> {
        self.actions.get(self.run).to_vec()
    }
}
