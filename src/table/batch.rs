//! The columns of a run's jobs, built.

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use ahash::{HashMap, HashSet};

use super::arrays::Arrays;
use super::column::column;
use super::levels::{KeyView, NestingLevel, with_ancestors};
use super::schema::Texts;
use super::system::SystemColumns;
use crate::columns::{Column, ColumnSource, PathId, PathTree, System};
use crate::error::Error;
use crate::loaded::LoadedRun;
use crate::objects::{Graph, RunObjects};
use crate::records::{JobRow, JobRows, Zone};
use crate::threads;
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
    pub fn positions(&self) -> impl Iterator<Item = usize> + Clone + 'r {
        let (chosen, all) = (self.chosen, self.known().rows.len());
        (0..self.len()).map(move |at| chosen.map_or(at, |chosen| chosen[at])).filter(move |&at| at < all)
    }

    /// The jobs, in order.
    pub fn jobs(&self) -> impl Iterator<Item = &'r JobRow> + Clone + 'r {
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
    places: &PathTree,
    schema: SchemaRef,
    texts: Texts,
    zone: &Zone,
) -> Result<Built, ArrowError> {
    let asked = Asked { columns, places, texts };
    let roots: Vec<Building<'_>> =
        [PathTree::TAGS, PathTree::CONFIG].into_iter().filter_map(|root| asked.below(root, rows)).collect();
    let threads = threads(rows.len() * columns.len());
    let forests = threads::each(&roots, threads, |root| root.levels(rows));
    let mut works: Vec<Work<'_>> = asked.of_jobs().into_iter().map(Work::OfJobs).collect();
    for (building, levels) in roots.iter().zip(&forests) {
        for (at, level) in levels {
            works.push(Work::Facts(building, *at, level));
            works.extend(building.groups(*at).into_iter().map(|group| Work::Group(building, group, level)));
        }
    }
    let done = threads::each(&works, threads, |work| match work {
        Work::OfJobs(group) => asked.build_of_jobs(group, rows, zone),
        Work::Facts(building, at, level) => {
            // those of deeper places are built with what stands there
            let is_root = places.get(*at).parent().is_none();
            let facts = if is_root { building.facts(*at, &level.values, level)? } else { Vec::new() };
            Ok((facts, Vec::new()))
        }
        Work::Group(building, group, level) => Ok((building.group(group, level)?, Vec::new())),
    });
    let mut arrays: Vec<Option<ArrayRef>> = vec![None; columns.len()];
    let (mut surrogates, mut errors) = (Vec::new(), Vec::new());
    for built in done {
        let (built, told) = built?;
        errors.extend(told);
        for (index, array, odd) in built {
            arrays[index] = Some(array);
            surrogates.extend(odd.then(|| columns[index].name.clone()));
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let arrays = arrays.into_iter().flatten().collect();
    let batch = RecordBatch::try_new_with_options(schema, arrays, &options)?;
    Ok(Built { batch, errors, surrogates })
}

/// What one thread does at a time.
enum Work<'b> {
    OfJobs(Vec<(usize, System)>),
    Facts(&'b Building<'b>, PathId, &'b NestingLevel),
    Group(&'b Building<'b>, Vec<(&'b str, PathId)>, &'b NestingLevel),
}

/// The columns that were asked for.
#[derive(Clone, Copy)]
struct Asked<'b> {
    columns: &'b [Column],
    places: &'b PathTree,
    texts: Texts,
}

impl<'b> Asked<'b> {
    /// The columns about the jobs themselves, by their positions; those that need the statuses of the jobs together.
    fn of_jobs(&self) -> Vec<Vec<(usize, System)>> {
        let system = |(index, column): (usize, &Column)| match column.source {
            ColumnSource::System(system) => Some((index, system)),
            _ => None,
        };
        let all = self.columns.iter().enumerate().filter_map(system);
        let (of_status, others): (Vec<_>, Vec<_>) = all.partition(|(_, system)| system.needs_status());
        let mut groups: Vec<Vec<(usize, System)>> = others.into_iter().map(|one| vec![one]).collect();
        groups.push(of_status);
        groups.retain(|group| !group.is_empty());
        groups
    }

    /// Builds some columns about the jobs themselves.
    fn build_of_jobs(
        &self,
        group: &[(usize, System)],
        rows: Rows<'_>,
        zone: &Zone,
    ) -> Result<(Vec<BuiltColumn>, Vec<Error>), ArrowError> {
        let times = group.iter().any(|(_, system)| system.needs_times());
        let mut system = SystemColumns::new(&rows, zone, self.places, self.texts, times);
        let mut built = Vec::new();
        for &(index, asked) in group {
            built.push((index, system.column(asked)?, false));
        }
        Ok((built, system.errors))
    }

    /// The columns that stand below a root; nothing if there is none.
    fn below(self, root: PathId, rows: Rows<'b>) -> Option<Building<'b>> {
        let mut wanted: HashMap<PathId, Vec<usize>> = HashMap::default();
        for (index, column) in self.columns.iter().enumerate() {
            if let ColumnSource::Values(at, _) | ColumnSource::Class(at) | ColumnSource::Identifier(at) =
                column.source
                && self.places.root(at) == root
            {
                wanted.entry(at).or_default().push(index);
            }
        }
        if wanted.is_empty() {
            return None;
        }
        let graph = (root == PathTree::CONFIG).then(|| &rows.loaded.objects().graph);
        let store = graph.map_or(&rows.known().store, |graph| &graph.store);
        let on_the_way = with_ancestors(self.places, wanted.keys().copied());
        let Self { columns, places, texts } = self;
        Some(Building { root, columns, places, texts, store, graph, wanted, on_the_way })
    }
}

/// The columns of one root while they are built.
struct Building<'b> {
    root: PathId,
    columns: &'b [Column],
    places: &'b PathTree,
    texts: Texts,
    store: &'b Store,
    graph: Option<&'b Graph>,
    /// The positions of the columns that stand at each place
    wanted: HashMap<PathId, Vec<usize>>,
    on_the_way: HashSet<PathId>,
}

/// A column that was built: its position, its array, and whether its text has unpaired surrogates.
type BuiltColumn = (usize, ArrayRef, bool);

impl Building<'_> {
    /// The levels that have wanted places below them, from one value a row at the root.
    fn levels(&self, rows: Rows<'_>) -> Vec<(PathId, NestingLevel)> {
        let mut levels = vec![(self.root, self.roots(rows))];
        let mut known = 0;
        while known < levels.len() {
            let deeper: Vec<(&NestingLevel, &str, PathId)> = levels[known..]
                .iter()
                .flat_map(|(at, level)| self.children(*at).map(move |(key, child)| (level, key, child)))
                .filter(|&(_, _, child)| self.children(child).next().is_some())
                .collect();
            let next = threads::each(&deeper, threads(rows.len() * deeper.len()), |&(level, key, child)| {
                let values = KeyView::new(self.store, &level.holders, key);
                (child, level.below(&values, self.graph))
            });
            known = levels.len();
            levels.extend(next);
        }
        levels
    }

    /// The level of the tags, or of the configs, of the rows.
    fn roots(&self, rows: Rows<'_>) -> NestingLevel {
        if self.root == PathTree::TAGS {
            return NestingLevel::of_rows(Vec::new(), rows.jobs().map(|row| row.tags));
        }
        let RunObjects { roots, graph, .. } = rows.loaded.objects();
        let told = self.columns_at(self.root).any(|index| is_fact(self.columns[index].source));
        let config = |at: usize| roots[at].map_or(Value::Null, Value::Object);
        let values = if told { rows.positions().map(config).collect() } else { Vec::new() };
        NestingLevel::of_rows(
            values,
            rows.positions().map(|at| roots[at].map(|root| graph.object(root).fields)),
        )
    }

    /// The wanted places below a place, and those on the way to wanted ones.
    fn children(&self, at: PathId) -> impl Iterator<Item = (&str, PathId)> {
        let children = self.places.get(at).children().iter().map(|(key, &child)| (key.as_str(), child));
        children.filter(|(_, child)| self.on_the_way.contains(child))
    }

    /// The places below a level whose columns are built together.
    fn groups(&self, at: PathId) -> Vec<Vec<(&str, PathId)>> {
        let wanted: Vec<(&str, PathId)> =
            self.children(at).filter(|(_, child)| self.wanted.contains_key(child)).collect();
        wanted.chunks(TOGETHER).map(<[_]>::to_vec).collect()
    }

    /// Builds the columns of some places below a level.
    fn group(&self, group: &[(&str, PathId)], level: &NestingLevel) -> Result<Vec<BuiltColumn>, ArrowError> {
        let mut built = Vec::new();
        for &(key, at) in group {
            let under = KeyView::new(self.store, &level.holders, key);
            for index in self.columns_at(at) {
                let Column { source: ColumnSource::Values(_, part), kind, .. } = &self.columns[index] else {
                    continue;
                };
                let mut arrays = self.arrays();
                let array = column(&under, (at, *part, kind), &mut arrays)?;
                built.push((index, level.expand(array)?, arrays.surrogates));
            }
            if self.columns_at(at).any(|index| is_fact(self.columns[index].source)) {
                built.extend(self.facts(at, &under.values(), level)?);
            }
        }
        Ok(built)
    }

    /// Builds what is told of the configs at a place, which are given for each holder of a level.
    fn facts(
        &self,
        at: PathId,
        values: &[Value],
        level: &NestingLevel,
    ) -> Result<Vec<BuiltColumn>, ArrowError> {
        let arrays = self.arrays();
        let built = self.columns_at(at).filter_map(|index| {
            let array = match self.columns[index].source {
                ColumnSource::Class(_) => arrays.classes(values),
                ColumnSource::Identifier(_) => arrays.identifiers(values),
                ColumnSource::Values(..) | ColumnSource::System(_) => return None,
            };
            Some(level.expand(array).map(|array| (index, array, false)))
        });
        built.collect()
    }

    /// The positions of the columns that stand at a place.
    fn columns_at(&self, at: PathId) -> impl Iterator<Item = usize> {
        self.wanted.get(&at).into_iter().flatten().copied()
    }

    fn arrays(&self) -> Arrays<'_> {
        let Self { store, graph, places, texts, .. } = *self;
        Arrays { store, graph, places, texts, surrogates: false }
    }
}

fn is_fact(source: ColumnSource) -> bool {
    matches!(source, ColumnSource::Class(_) | ColumnSource::Identifier(_))
}

/// How many places are built by one thread at once.
const TOGETHER: usize = 8;

/// Fewer values than that are built faster by one thread.
const WORTH_A_THREAD: usize = 1 << 15;

/// How many threads build so many values.
fn threads(values: usize) -> usize {
    if values < WORTH_A_THREAD { 1 } else { threads::at_most(usize::MAX) }
}
