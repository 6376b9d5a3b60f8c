//! A run and what was read of it: each file at most once, and only when something needs it.

mod actions;
mod dependencies;
mod extent;
mod keys;
mod refresh;
mod run;
mod states;

pub use extent::ReadExtent;
pub use run::LoadedRun;
pub use states::JobLooks;
