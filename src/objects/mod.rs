//! The object graph of a run: configs, what they hold, and which of them are shared.
//!
//! objects.jsonl, configs.json, state.json, params.json and saved objects hold the same object definitions in different
//! wrappings (`format.md` §2); each becomes a *container* of one [`Graph`]. Ids are Python's `id()`: they mean something
//! only inside their container. A reference becomes the [`ObjectIx`] of the object it names while it is read, or stays
//! [`Value::Unresolved`](crate::values::Value::Unresolved).

mod chunk_queue;
mod container;
mod cycles;
mod decode;
mod definition;
mod dependencies;
mod difference;
mod equality;
mod graph;
mod ids;
mod line_templates;
mod lines;
mod missing_refs;
mod reused;
mod run;
mod saved;
mod slots;

pub use container::Source;
pub use decode::Relocation;
pub use dependencies::Dependencies;
pub use difference::{Difference, difference, show};
pub use equality::same_content;
pub use graph::{Class, ClassIx, Graph, Object, ObjectMeta};
pub use run::{ConcurrentTask, JobKeys, Parsed, Roots, RunObjects, executed, is_same_process};
pub use saved::{SavedObject, load_saved};
