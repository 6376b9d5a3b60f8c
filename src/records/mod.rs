//! The small files: what is known of a run and of the state of its jobs.
//!
//! [`run_record`] joins what `status.json`, `environment.json` and the event files say of a run.
//! [`JobStatuses`] decides the state of each job from marker files first, then from what the scheduler wrote
//! (docs/format.md §8, "better rules"). A small file that is wrong, cut or unreadable becomes an entry in the
//! caller's list of errors, never a failure; a missing one is no error at all, since every version writes
//! another selection of them.

mod alive;
mod configs_json;
mod ending;
mod events;
mod evidence;
mod job_dirs;
mod job_files;
mod job_states;
mod jobs;
mod json_file;
mod line_templates;
mod lost_list;
mod markers;
mod moment;
mod offsets;
mod roots;
mod row;
mod rows;
mod run;
mod services;
mod state;
mod unusual;
mod without_run;

pub use ending::JobEnding;
pub use events::foreign_events;
pub use evidence::Evidence;
pub use job_dirs::JobDirectories;
pub use job_files::JobKey;
pub use job_states::JobStates;
pub use jobs::{JobState, JobStatus, JobStatuses};
pub use markers::ExitValue;
pub use moment::{Moment, Zone};
pub use offsets::Offsets;
pub use roots::{RecordedRoots, is_absolute, recorded_roots};
pub use row::JobRow;
pub use rows::{JobRows, first_jobs, first_submission};
pub use run::{ActionRecord, GitRecord, RunRecord, action_ids, run_record};
pub use services::{Service, Services, services};
pub use state::State;
pub use without_run::statuses_without_run;
