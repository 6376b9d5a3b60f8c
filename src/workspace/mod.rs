//! Names on disk: a workspace, its experiments, their runs, the job directories.
//!
//! [`Workspace`] is a directory that experimaestro wrote, in either layout (`xp/` of 1.x, `experiments/` of
//! 2.x, or both after a migration); [`Run`] is one launch of one experiment. Directories and symlinks are
//! read here, the content of a file never. A name is one plain path component, and what it leads to stays
//! below `experiments/` (or `xp/`): see [`plain`]. Entries that vanish between the listing and the look are
//! treated as never seen.

mod job_dirs;
mod layout;
mod links;
mod listing;
mod look;
mod names;
mod read_files;
mod root;
mod run;
mod runs;
mod unreadable;

pub use layout::Layout;
pub use links::{Leads, Link};
pub use names::plain;
pub use read_files::{job_patterns, run_patterns};
pub use root::{COPY_MARKER, Workspace};
pub use run::{LinkedJob, Run};
