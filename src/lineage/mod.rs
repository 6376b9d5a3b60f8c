//! Which jobs a job comes from: those that produced its configs, directly or through other jobs.
//!
//! [`Lineage`] numbers the jobs that the objects of some runs name. Most are listed by the run itself; a job that an earlier
//! experiment ran is *unlisted*: its row is in the latest run of the workspace that lists it, and its config in the objects of the
//! run that names it, unless only a stub of it was written there. [`Lineage::follow`] takes a step from each job to another one.

mod elsewhere;
mod flows;
mod jobs;
mod nearest;
mod places;
mod producers;
mod run_jobs;

pub use flows::{Flow, flows};
pub use jobs::{ConfigLocation, JobIx, Lineage, Link, Planned};
pub use producers::producers_below;
