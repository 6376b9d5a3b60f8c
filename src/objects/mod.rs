//! The object graph of a run: configs, their values, and the objects that several of them share.
//!
//! objects.jsonl, configs.json, state.json, params.json and saved objects have the same object definitions in different
//! wrappings (docs/format.md §2); each becomes a *container* of one [`Graph`]. Ids are Python's `id()`: they are unique
//! only inside their container. While a file is read, a reference becomes the [`ObjectIx`](crate::values::ObjectIx) of
//! its object, or stays [`Value::Unresolved`](crate::values::Value::Unresolved).

mod assemble;
mod container;
mod cycles;
mod decode;
mod definition;
mod dependencies;
mod difference;
mod equality;
mod file_chunk;
mod graph;
mod ids;
mod line_templates;
mod lines;
mod missing_refs;
mod params;
mod reused;
mod run;
mod saved;
mod slots;

pub use assemble::Parsed;
pub use container::Source;
pub use decode::Relocation;
pub use dependencies::Dependencies;
pub use difference::{Difference, difference, show};
pub use equality::same_content;
pub use graph::{Class, ClassIx, Graph, Object, ObjectMeta};
pub use lines::ConcurrentTask;
pub(crate) use lines::MIN_BYTES_PER_THREAD;
pub use params::{Executed, executed, is_same_process};
pub use run::{JobKeys, Roots, RunObjects};
pub use saved::{SavedObject, load_saved};
