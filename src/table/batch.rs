//! The columns of a run's jobs, built.

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use std::sync::atomic::{AtomicUsize, Ordering};

use ahash::{HashMap, HashSet};

use super::arrays::Arrays;
use super::levels::{Cells, Level, Marks, Under, with_ancestors};
use super::schema::Texts;
use super::system::SystemColumns;
use crate::columns::{Column, PlaceIx, Places, Source};
use crate::error::Error;
use crate::loaded::LoadedRun;
use crate::objects::Graph;
use crate::records::{JobRow, JobRows, Zone};
use crate::values::{Store, Value};

/// Some of the jobs of a run.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'r> {
    /// The run
    pub loaded: &'r LoadedRun,
    /// The positions of the jobs; all if there are none
    pub chosen: Option<&'r [usize]>,
}

impl<'r> Rows<'r> {
    /// What the run recorded of its jobs.
    #[must_use]
    pub fn known(&self) -> &'r JobRows {
        self.loaded.rows()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chosen.map_or_else(|| self.known().rows.len(), <[usize]>::len)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The positions of the jobs among those of the run, in order.
    pub fn positions(&self) -> impl Iterator<Item = usize> + 'r {
        let (chosen, all) = (self.chosen, self.known().rows.len());
        (0..self.len()).map(move |at| chosen.map_or(at, |chosen| chosen[at])).filter(move |&at| at < all)
    }

    /// The jobs, in order.
    pub fn jobs(&self) -> impl Iterator<Item = &'r JobRow> + 'r {
        let rows = &self.known().rows;
        self.positions().map(|at| &rows[at])
    }
}

/// What was built, and what could not be.
#[derive(Debug)]
pub struct Built {
    /// The columns, under the declared schema
    pub batch: RecordBatch,
    /// What could not be read
    pub errors: Vec<Error>,
    /// The columns that show unpaired surrogates as escapes
    pub surrogates: Vec<String>,
}

/// Builds `columns` of these rows, in the types that `schema` declares.
///
/// # Errors
/// Arrow's, if the arrays do not fit the schema: a fault of this crate.
pub fn build(
    rows: Rows<'_>,
    columns: &[Column],
    places: &Places,
    schema: SchemaRef,
    texts: Texts,
    zone: &Zone,
) -> Result<Built, ArrowError> {
    let mut arrays: Vec<Option<ArrayRef>> = vec![None; columns.len()];
    let mut surrogates = Vec::new();
    let mut system = SystemColumns::new(&rows, zone, texts);
    for (column, array) in columns.iter().zip(&mut arrays) {
        if let Source::System(asked) = column.source {
            *array = Some(system.column(asked)?);
        }
    }
    for root in [Places::TAGS, Places::CONFIG] {
        for (index, array, odd) in columns_below(root, rows, columns, places, texts)? {
            arrays[index] = Some(array);
            surrogates.extend(odd.then(|| columns[index].name.clone()));
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let arrays = arrays.into_iter().flatten().collect();
    let batch = RecordBatch::try_new_with_options(schema, arrays, &options)?;
    Ok(Built { batch, errors: system.errors, surrogates })
}

/// The columns that stand below a root.
fn columns_below(
    root: PlaceIx,
    rows: Rows<'_>,
    columns: &[Column],
    places: &Places,
    texts: Texts,
) -> Result<Vec<BuiltColumn>, ArrowError> {
    let mut wanted: HashMap<PlaceIx, Vec<usize>> = HashMap::default();
    for (index, column) in columns.iter().enumerate() {
        if let Source::Values(at, _) | Source::Class(at) | Source::Identifier(at) = column.source
            && places.root(at) == root
        {
            wanted.entry(at).or_default().push(index);
        }
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let known = rows.known();
    let (store, graph, values) = if root == Places::TAGS {
        (&known.store, None, rows.jobs().map(|row| row.tags.map_or(Value::Null, Value::Dict)).collect())
    } else {
        let objects = rows.loaded.objects();
        let config = |at: usize| objects.roots[at].map_or(Value::Null, Value::Object);
        (&objects.graph.store, Some(&objects.graph), rows.positions().map(config).collect())
    };
    let on_the_way = with_ancestors(places, wanted.keys().copied());
    Building { columns, places, texts, store, graph, wanted, on_the_way }.walk(root, values)
}

/// The columns of one root while they are built.
struct Building<'b> {
    columns: &'b [Column],
    places: &'b Places,
    texts: Texts,
    store: &'b Store,
    graph: Option<&'b Graph>,
    /// The positions of the columns that stand at each place
    wanted: HashMap<PlaceIx, Vec<usize>>,
    on_the_way: HashSet<PlaceIx>,
}

/// A column that was built: its position, its array, and whether its text has unpaired surrogates.
type BuiltColumn = (usize, ArrayRef, bool);

impl Building<'_> {
    /// Goes down the places that are wanted, from one value a row.
    fn walk(&self, root: PlaceIx, rows: Vec<Value>) -> Result<Vec<BuiltColumn>, ArrowError> {
        let mut marks = Marks::new(self.graph.map_or(0, Graph::len));
        let top = Level::of_rows(rows, self.graph);
        let mut built = self.columns_at(root, &top.holders[..], &top)?;
        let mut pending = vec![(root, top)];
        while let Some((at, level)) = pending.pop() {
            let children: Vec<(&str, PlaceIx)> = self
                .places
                .get(at)
                .children()
                .iter()
                .map(|(key, &at)| (key.as_str(), at))
                .filter(|(_, child)| self.on_the_way.contains(child))
                .collect();
            let size = level.holders.len();
            let done = in_parallel(&children, size, |&(key, child)| {
                self.columns_at(child, &Under::new(self.store, &level.records, key), &level)
            });
            for columns in done {
                built.extend(columns?);
            }
            for (key, child) in children {
                if self.places.get(child).children().values().any(|below| self.on_the_way.contains(below)) {
                    let values = Under::new(self.store, &level.records, key);
                    pending.push((child, level.below(&values, &mut marks, self.graph)));
                }
            }
        }
        Ok(built)
    }

    /// Builds the columns that stand at a place, whose values are given for each holder of the level above.
    fn columns_at(
        &self,
        at: PlaceIx,
        values: &(impl Cells + ?Sized),
        level: &Level,
    ) -> Result<Vec<BuiltColumn>, ArrowError> {
        let mut built = Vec::new();
        for &index in self.wanted.get(&at).into_iter().flatten() {
            let column = &self.columns[index];
            let mut arrays = Arrays {
                store: self.store,
                graph: self.graph,
                places: self.places,
                texts: self.texts,
                surrogates: false,
            };
            let array = match column.source {
                Source::Values(at, part) => arrays.values(values, at, part, &column.kind)?,
                Source::Class(_) => arrays.classes(values),
                Source::Identifier(_) => arrays.identifiers(values),
                Source::System(_) => continue,
            };
            built.push((index, level.expand(array)?, arrays.surrogates));
        }
        Ok(built)
    }
}

/// Fewer values than that are built faster by one thread.
const WORTH_A_THREAD: usize = 4096;

/// What `work` makes of each item, in order; on two or more threads where there is enough to do.
fn in_parallel<T: Sync, R: Send>(items: &[T], size: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    if threads < 2 || size < WORTH_A_THREAD {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            done.push((at, work(item)));
        }
    };
    let mut all: Vec<(usize, R)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        let mut all = take();
        for other in others {
            match other.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_by_key(|&(at, _)| at);
    all.into_iter().map(|(_, made)| made).collect()
}
