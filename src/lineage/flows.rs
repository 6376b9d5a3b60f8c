//! What flows from the jobs of one task to those of another.

use std::cell::RefCell;

use ahash::HashMap;
use indexmap::{IndexMap, IndexSet};

use super::run_jobs::{Numbers, UnlistedJob};
use crate::loaded::LoadedRun;
use crate::objects::{ClassIx, Dependencies};
use crate::values::index;

/// Configs of one class that jobs of one task produced and jobs of another task use.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Flow {
    /// The task of the jobs that produced them; the class of jobs that the run does not list
    pub from: String,
    /// Whether the run lists these jobs
    pub is_listed: bool,
    /// The task of the jobs that use them
    pub to: String,
    /// The class of the configs: that of the job, if it is used itself
    pub class: String,
}

/// How many pairs of jobs there are for each flow among the jobs of a run, and into them.
#[must_use]
pub fn flows(loaded: &LoadedRun) -> Vec<(Flow, usize)> {
    let (rows, objects) = (loaded.rows(), loaded.objects());
    let graph = &objects.graph;
    let mut unlisted: Vec<UnlistedJob> = Vec::new();
    let numbers = Numbers::of(loaded, &mut unlisted);
    // a job and a class of configs that it produced
    let products: RefCell<IndexSet<(u32, ClassIx), ahash::RandomState>> = RefCell::default();
    let mut walk = Dependencies::new(graph, |object| {
        let producer = numbers.producer(graph, object)?;
        let product = (producer, graph.about(object).class);
        Some(index(products.borrow_mut().insert_full(product).0))
    });
    let mut counts: IndexMap<(u32, u32, ClassIx), usize, ahash::RandomState> = IndexMap::default();
    let mut tasks: IndexSet<String, ahash::RandomState> = IndexSet::default();
    let mut task_of: HashMap<u32, u32> = HashMap::default();
    for (position, root) in objects.roots.iter().enumerate() {
        let Some(root) = root else { continue };
        let to = index(tasks.insert_full(rows.task_id(&rows.rows[position]).into_owned()).0);
        for product in walk.of(*root) {
            let Some(&(producer, class)) = products.borrow().get_index(product as usize) else { continue };
            let from = *task_of.entry(producer).or_insert_with(|| {
                let number = producer as usize;
                let name = match number.checked_sub(rows.rows.len()).and_then(|number| unlisted.get(number)) {
                    Some(job) => format!("\0{}", job.typename),
                    None => rows.task_id(&rows.rows[number]).into_owned(),
                };
                index(tasks.insert_full(name).0)
            });
            if producer as usize != position {
                *counts.entry((from, to, class)).or_default() += 1;
            }
        }
    }
    let task = |number: u32| tasks.get_index(number as usize).map_or("", String::as_str);
    let flow = |((from, to, class), count): ((u32, u32, ClassIx), usize)| {
        // no task begins with this character
        let (name, is_listed) =
            task(from).strip_prefix('\0').map_or((task(from), true), |name| (name, false));
        let class = graph.store.symbol(graph.class(class).typename).into_owned();
        (Flow { from: name.to_owned(), is_listed, to: task(to).to_owned(), class }, count)
    };
    counts.into_iter().map(flow).collect()
}
