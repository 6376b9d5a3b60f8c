//! Copies of a run: as it is now, or as it was when it was read.

use std::sync::Arc;

use once_cell::sync::OnceCell;

use super::extent::ReadExtent;
use super::run::LoadedRun;
use crate::file::LinedFile;
use crate::progress::CancelToken;
use crate::records::JobRows;

impl LoadedRun {
    /// An unread copy.
    #[must_use]
    pub fn fresh(&self) -> Self {
        self.truncated_to(None, self.cancel.clone())
    }

    /// An unread copy under another token that reads no farther than `extent`, or to the end of the files without one. It holds
    /// what was once read up to `extent` if the files only grew since: see [`ReadExtent::still_there`].
    #[must_use]
    pub fn truncated_to(&self, extent: Option<ReadExtent>, cancel: CancelToken) -> Self {
        let unreadable = self.unreadable.clone();
        let is_slow = self.is_slow().into();
        Self { unreadable, extent, is_slow, ..Self::new(self.run.clone(), cancel) }
    }

    /// This run, or an unread copy if readers of this one were cancelled, so that it may be incomplete.
    #[must_use]
    pub fn usable(self: &Arc<Self>) -> Arc<Self> {
        if self.cancel.is_cancelled() {
            Arc::new(self.truncated_to(None, CancelToken::default()))
        } else {
            Arc::clone(self)
        }
    }

    /// The run as it is now. Jobs and configs are shared with this run where their files did not change or only grew; other
    /// files are read again. The record of the run and the states of its jobs are always read again.
    #[must_use]
    pub fn refreshed(&self) -> Self {
        let mut copy = self.truncated_to(None, CancelToken::default());
        // cancelled readers may have stopped in the middle
        if self.cancel.is_cancelled() {
            return copy;
        }
        copy.action_ids = self.action_ids.if_current(&self.run);
        let now = self.signature();
        let is_unchanged = self.first_signature.get() == Some(&now);
        copy.first_signature = OnceCell::with_value(now);
        if !is_unchanged {
            copy.read_appended(self);
            return copy;
        }
        copy.rows.clone_from(&self.rows);
        // a job without config may have left its params.json meanwhile
        if self.objects.get().is_some_and(|objects| objects.roots.iter().all(Option::is_some)) {
            copy.objects.clone_from(&self.objects);
        }
        copy.relocation.clone_from(&self.relocation);
        copy
    }

    /// Reads the lines that were appended since `before` was read. Files that changed in another way are read when they are
    /// needed.
    fn read_appended(&self, before: &Self) {
        let (Some(rows), Some(relocation)) = (before.rows.get(), before.relocation.get()) else { return };
        // before the objects: a driver writes the row of a job first
        let Ok(Some(list)) = JobRows::list(&self.run) else { return };
        let objects = LinedFile::open_if_there(&self.run.path().join("objects.jsonl"));
        let Some(rows) = rows.grown(&list, &self.cancel) else { return };
        let _ = self.rows.set(Arc::new(rows));
        // the first jobs name the roots where the workspace was
        if self.relocation() != relocation {
            return;
        }
        if let (Some(objects_before), Ok(Some(file))) = (before.objects.get(), objects) {
            let grown =
                objects_before.grown(&self.run, &file, &self.keys(self.rows()), relocation, &self.cancel);
            if let Some(grown) = grown {
                let _ = self.objects.set(Arc::new(grown));
            }
        }
    }
}
