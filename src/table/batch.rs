//! Builds the columns of a run's jobs.

use ahash::{HashMap, HashSet};
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use super::arrays::ArrayBuilder;
use super::column::column;
use super::levels::{KeyView, NestingLevel, with_ancestors};
use super::producers::producers;
use super::rows::Rows;
use super::schema::StringLayout;
use super::system::SystemColumns;
use super::texts::strings;
use super::times::TimeSources;
use crate::columns::{Column, ColumnSource, PathId, PathTree, System};
use crate::error::Error;
use crate::loaded::LoadedRun;
use crate::objects::{Graph, RunObjects};
use crate::records::{JobRows, Zone};
use crate::threads;
use crate::values::{ObjectIx, Record, Store, Value};

/// The columns of some jobs, and what could not be read.
#[derive(Debug)]
pub struct Built {
    /// The columns, in the declared schema
    pub batch: RecordBatch,
    /// What could not be read
    pub errors: Vec<Error>,
    /// The columns that show unpaired surrogates as escapes
    pub surrogates: Vec<String>,
    /// What dates the local times that the columns show
    pub times: TimeSources,
}

/// Builds `columns` of these rows, in the types that `schema` declares.
///
/// # Errors
/// Arrow's, if the arrays do not fit the schema: a fault of this crate.
pub fn build(
    rows: Rows<'_>,
    columns: &[Column],
    tree: &PathTree,
    schema: SchemaRef,
    layout: StringLayout,
    zone: &Zone,
) -> Result<Built, ArrowError> {
    let chosen = ChosenColumns { columns, tree, layout };
    let roots = [PathTree::TAGS, PathTree::CONFIG, PathTree::RESULT];
    let subtrees: Vec<Subtree<'_>> = roots.into_iter().filter_map(|root| chosen.below(root, rows)).collect();
    let threads = threads_for(rows.len() * columns.len());
    let levels =
        threads::each(&subtrees, threads, |subtree| subtree.levels(subtree.root_level(rows), rows.len()));
    let mut work: Vec<Work<'_>> = chosen.system_groups().into_iter().map(Work::System).collect();
    for (subtree, levels) in subtrees.iter().zip(&levels) {
        work.extend(levels.iter().flat_map(|(path, level)| subtree.work(*path, level)));
    }
    let built = threads::each(&work, threads, |item| match item {
        Work::System(group) => chosen.build_system(group, rows, zone),
        Work::RootFacts(subtree, path, level) => subtree.root_facts(*path, level).map(BuiltGroup::of),
        Work::Group(subtree, group, level) => subtree.build_group(group, level).map(BuiltGroup::of),
    });
    let mut arrays: Vec<Option<ArrayRef>> = vec![None; columns.len()];
    let (mut surrogates, mut errors, mut times) = (Vec::new(), Vec::new(), TimeSources::default());
    for result in built {
        let group = result?;
        errors.extend(group.errors);
        times = times.and(group.times);
        for BuiltColumn { index, array, has_surrogates } in group.columns {
            arrays[index] = Some(array);
            surrogates.extend(has_surrogates.then(|| columns[index].name.clone()));
        }
    }
    for (index, array) in chosen.files(rows) {
        arrays[index] = Some(array);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let arrays = arrays.into_iter().flatten().collect();
    let batch = RecordBatch::try_new_with_options(schema, arrays, &options)?;
    Ok(Built { batch, errors, surrogates, times })
}

/// Builds `columns` of records below the root of results, in their order.
///
/// # Errors
/// Arrow's, if values do not fit into arrays.
pub fn build_records(
    store: &Store,
    records: &[Record],
    columns: &[Column],
    tree: &PathTree,
    layout: StringLayout,
) -> Result<(Vec<ArrayRef>, Vec<String>), ArrowError> {
    let chosen = ChosenColumns { columns, tree, layout };
    let subtree = chosen.subtree(PathTree::RESULT, store, None, chosen.columns_below(PathTree::RESULT));
    let root = NestingLevel::of_rows(Vec::new(), records.iter().copied().map(Some));
    let mut arrays: Vec<Option<ArrayRef>> = vec![None; columns.len()];
    let mut surrogates = Vec::new();
    for (path, level) in subtree.levels(root, records.len()) {
        for group in subtree.groups(path) {
            for BuiltColumn { index, array, has_surrogates } in subtree.build_group(&group, &level)? {
                arrays[index] = Some(array);
                surrogates.extend(has_surrogates.then(|| columns[index].name.clone()));
            }
        }
    }
    Ok((arrays.into_iter().flatten().collect(), surrogates))
}

/// Builds `columns` below the root of parameters of some configs of a run, in their order; null for none.
///
/// # Errors
/// Arrow's, if values do not fit into arrays.
pub fn build_configs(
    loaded: &LoadedRun,
    configs: &[Option<ObjectIx>],
    columns: &[Column],
    tree: &PathTree,
    layout: StringLayout,
) -> Result<(Vec<ArrayRef>, Vec<String>), ArrowError> {
    let chosen = ChosenColumns { columns, tree, layout };
    let graph = &loaded.objects().graph;
    let columns_of = chosen.columns_below(PathTree::CONFIG);
    let subtree = chosen.subtree(PathTree::CONFIG, &graph.store, Some(graph), columns_of);
    let subtree = Subtree { jobs: Some(loaded.rows()), ..subtree };
    let values = configs.iter().map(|config| config.map_or(Value::Null, Value::Object)).collect();
    let fields = configs.iter().map(|config| config.map(|config| graph.object(config).fields));
    let levels = subtree.levels(NestingLevel::of_rows(values, fields), configs.len());
    let work: Vec<Work<'_>> = levels.iter().flat_map(|(path, level)| subtree.work(*path, level)).collect();
    let built = threads::each(&work, threads_for(configs.len() * columns.len()), |item| match item {
        Work::System(_) => Ok(Vec::new()),
        Work::RootFacts(subtree, path, level) => subtree.root_facts(*path, level),
        Work::Group(subtree, group, level) => subtree.build_group(group, level),
    });
    let mut arrays: Vec<Option<ArrayRef>> = vec![None; columns.len()];
    let mut surrogates = Vec::new();
    for group in built {
        for BuiltColumn { index, array, has_surrogates } in group? {
            arrays[index] = Some(array);
            surrogates.extend(has_surrogates.then(|| columns[index].name.clone()));
        }
    }
    Ok((arrays.into_iter().flatten().collect(), surrogates))
}

/// The columns that one thread builds at a time.
enum Work<'b> {
    System(Vec<(usize, System)>),
    RootFacts(&'b Subtree<'b>, PathId, &'b NestingLevel),
    Group(&'b Subtree<'b>, Vec<(&'b str, PathId)>, &'b NestingLevel),
}

/// An array and the position of its column.
struct BuiltColumn {
    index: usize,
    array: ArrayRef,
    /// Whether its text has unpaired surrogates, shown as escapes
    has_surrogates: bool,
}

/// Columns that were built together.
#[derive(Default)]
struct BuiltGroup {
    columns: Vec<BuiltColumn>,
    errors: Vec<Error>,
    times: TimeSources,
}

impl BuiltGroup {
    fn of(columns: Vec<BuiltColumn>) -> Self {
        Self { columns, ..Self::default() }
    }
}

/// The columns that were chosen.
#[derive(Clone, Copy)]
struct ChosenColumns<'b> {
    columns: &'b [Column],
    tree: &'b PathTree,
    layout: StringLayout,
}

impl<'b> ChosenColumns<'b> {
    /// The system columns with their positions, in groups to build together. Columns of the job's status are one group, and the
    /// first, as it takes longest.
    fn system_groups(&self) -> Vec<Vec<(usize, System)>> {
        let system = |(index, column): (usize, &Column)| match column.source {
            ColumnSource::System(system) => Some((index, system)),
            _ => None,
        };
        let all = self.columns.iter().enumerate().filter_map(system);
        let (of_status, single): (Vec<_>, Vec<_>) = all.partition(|(_, system)| system.needs_status());
        let groups = std::iter::once(of_status).chain(single.into_iter().map(|column| vec![column]));
        groups.filter(|group| !group.is_empty()).collect()
    }

    fn build_system(
        &self,
        group: &[(usize, System)],
        rows: Rows<'_>,
        zone: &Zone,
    ) -> Result<BuiltGroup, ArrowError> {
        let wanted = group.iter().map(|&(_, system)| system);
        let mut system_columns = SystemColumns::new(&rows, zone, self.tree, self.layout, wanted);
        let mut columns = Vec::new();
        for &(index, system) in group {
            columns.push(BuiltColumn { index, array: system_columns.column(system)?, has_surrogates: false });
        }
        let SystemColumns { errors, times, .. } = system_columns;
        Ok(BuiltGroup { columns, errors, times })
    }

    /// The columns of what became of result files, with their positions.
    fn files(&self, rows: Rows<'_>) -> Vec<(usize, ArrayRef)> {
        let file = |handle: usize, position: usize| rows.results?.files.get(handle)?.get(position);
        let array = |(index, column): (usize, &Column)| {
            let array = match column.source {
                ColumnSource::File(handle) => {
                    let state = |position| Some(file(handle, position)?.0.name());
                    strings(rows.positions().map(state), self.layout)
                }
                ColumnSource::FilePath(handle) => {
                    let path = |position| file(handle, position)?.1.as_deref();
                    strings(rows.positions().map(path), self.layout)
                }
                _ => return None,
            };
            Some((index, array))
        };
        self.columns.iter().enumerate().filter_map(array).collect()
    }

    /// The columns below a root; nothing if there are none.
    fn below(self, root: PathId, rows: Rows<'b>) -> Option<Subtree<'b>> {
        let columns_of = self.columns_below(root);
        if columns_of.is_empty() {
            return None;
        }
        let graph = (root == PathTree::CONFIG).then(|| &rows.loaded.objects().graph);
        let store = match (graph, rows.results) {
            (Some(graph), _) => &graph.store,
            (None, Some(results)) if root == PathTree::RESULT => &results.store,
            (None, _) => &rows.recorded().store,
        };
        let subtree = self.subtree(root, store, graph, columns_of);
        Some(Subtree { jobs: Some(rows.recorded()), ..subtree })
    }

    fn subtree(
        self,
        root: PathId,
        store: &'b Store,
        graph: Option<&'b Graph>,
        columns_of: HashMap<PathId, Vec<usize>>,
    ) -> Subtree<'b> {
        let needed = with_ancestors(self.tree, columns_of.keys().copied());
        let Self { columns, tree, layout } = self;
        Subtree { root, columns, tree, layout, store, graph, jobs: None, columns_of, needed }
    }

    /// The positions of the columns below a root, by their paths.
    fn columns_below(&self, root: PathId) -> HashMap<PathId, Vec<usize>> {
        let mut columns_of: HashMap<PathId, Vec<usize>> = HashMap::default();
        for (index, column) in self.columns.iter().enumerate() {
            if let ColumnSource::Values(path, _)
            | ColumnSource::Class(path)
            | ColumnSource::Identifier(path)
            | ColumnSource::Producer(path) = column.source
                && self.tree.root(path) == root
            {
                columns_of.entry(path).or_default().push(index);
            }
        }
        columns_of
    }
}

/// The chosen columns below one root.
struct Subtree<'b> {
    root: PathId,
    columns: &'b [Column],
    tree: &'b PathTree,
    layout: StringLayout,
    store: &'b Store,
    graph: Option<&'b Graph>,
    /// The jobs of the run
    jobs: Option<&'b JobRows>,
    /// The positions of the columns of each path
    columns_of: HashMap<PathId, Vec<usize>>,
    /// The paths that have columns, and all paths above them
    needed: HashSet<PathId>,
}

impl Subtree<'_> {
    /// The nesting levels that have columns below, with their paths. The first is the root's: one record a row.
    fn levels(&self, root: NestingLevel, rows: usize) -> Vec<(PathId, NestingLevel)> {
        let mut levels = vec![(self.root, root)];
        let mut done = 0;
        while done < levels.len() {
            let deeper: Vec<(&NestingLevel, &str, PathId)> = levels[done..]
                .iter()
                .flat_map(|(path, level)| self.children(*path).map(move |(key, child)| (level, key, child)))
                .filter(|&(_, _, child)| self.children(child).next().is_some())
                .collect();
            let threads = threads_for(rows * deeper.len());
            let next = threads::each(&deeper, threads, |&(level, key, child)| {
                let values = KeyView::new(self.store, &level.records, key);
                (child, level.below(&values, self.graph))
            });
            done = levels.len();
            levels.extend(next);
        }
        levels
    }

    /// The level of the tags or configs of the rows.
    fn root_level(&self, rows: Rows<'_>) -> NestingLevel {
        if self.root == PathTree::TAGS {
            return NestingLevel::of_rows(Vec::new(), rows.jobs().map(|row| row.tags));
        }
        if self.root == PathTree::RESULT {
            let record = |position: usize| *rows.results?.records.get(position)?;
            return NestingLevel::of_rows(Vec::new(), rows.positions().map(record));
        }
        let RunObjects { roots, graph, .. } = rows.loaded.objects();
        let has_facts = self.columns_at(self.root).any(|index| is_fact(self.columns[index].source));
        let config = |position: usize| roots[position].map_or(Value::Null, Value::Object);
        let values = if has_facts { rows.positions().map(config).collect() } else { Vec::new() };
        let fields = |position: usize| roots[position].map(|root| graph.object(root).fields);
        NestingLevel::of_rows(values, rows.positions().map(fields))
    }

    /// The columns below a level, as work for threads.
    fn work<'l>(&'l self, path: PathId, level: &'l NestingLevel) -> impl Iterator<Item = Work<'l>> {
        let groups = self.groups(path).into_iter().map(move |group| Work::Group(self, group, level));
        std::iter::once(Work::RootFacts(self, path, level)).chain(groups)
    }

    /// The paths below a path that have columns, or have columns below.
    fn children(&self, path: PathId) -> impl Iterator<Item = (&str, PathId)> {
        let children = self.tree.get(path).children().iter().map(|(key, &child)| (key.as_str(), child));
        children.filter(|(_, child)| self.needed.contains(child))
    }

    /// The paths below a level that have columns, in groups to build together.
    fn groups(&self, path: PathId) -> Vec<Vec<(&str, PathId)>> {
        let with_columns: Vec<(&str, PathId)> =
            self.children(path).filter(|(_, child)| self.columns_of.contains_key(child)).collect();
        with_columns.chunks(PATHS_PER_GROUP).map(<[_]>::to_vec).collect()
    }

    /// Builds the columns of some paths below a level.
    fn build_group(
        &self,
        group: &[(&str, PathId)],
        level: &NestingLevel,
    ) -> Result<Vec<BuiltColumn>, ArrowError> {
        let mut built = Vec::new();
        for &(key, path) in group {
            let values = KeyView::new(self.store, &level.records, key);
            for index in self.columns_at(path) {
                let Column { source: ColumnSource::Values(_, value_kind), kind, .. } = &self.columns[index]
                else {
                    continue;
                };
                let mut arrays = self.arrays();
                let array = level.expand(column(&values, (path, *value_kind, kind), &mut arrays)?)?;
                built.push(BuiltColumn { index, array, has_surrogates: arrays.surrogates });
            }
            if self.columns_at(path).any(|index| is_fact(self.columns[index].source)) {
                built.extend(self.facts(path, &values.to_vec(), level)?);
            }
        }
        Ok(built)
    }

    /// Builds the classes and identifiers of the jobs' own configs. Those of deeper paths are built with the values there.
    fn root_facts(&self, path: PathId, level: &NestingLevel) -> Result<Vec<BuiltColumn>, ArrowError> {
        let is_root = self.tree.get(path).parent().is_none();
        if is_root { self.facts(path, &level.values, level) } else { Ok(Vec::new()) }
    }

    /// Builds the classes and identifiers of the configs at a path: `values` has one config for each record of a level.
    fn facts(
        &self,
        path: PathId,
        values: &[Value],
        level: &NestingLevel,
    ) -> Result<Vec<BuiltColumn>, ArrowError> {
        let arrays = self.arrays();
        let built = self.columns_at(path).filter_map(|index| {
            let array = match self.columns[index].source {
                ColumnSource::Class(_) => arrays.classes(values),
                ColumnSource::Identifier(_) => arrays.identifiers(values),
                ColumnSource::Producer(_) => {
                    match producers(values, &self.columns[index].kind, (self.graph?, self.jobs?), self.layout)
                    {
                        Ok(array) => array,
                        Err(error) => return Some(Err(error)),
                    }
                }
                _ => return None,
            };
            let column = |array| BuiltColumn { index, array, has_surrogates: false };
            Some(level.expand(array).map(column))
        });
        built.collect()
    }

    /// The positions of the columns of a path.
    fn columns_at(&self, path: PathId) -> impl Iterator<Item = usize> {
        self.columns_of.get(&path).into_iter().flatten().copied()
    }

    fn arrays(&self) -> ArrayBuilder<'_> {
        let Self { store, graph, tree, layout, .. } = *self;
        ArrayBuilder { store, graph, tree, layout, surrogates: false }
    }
}

fn is_fact(source: ColumnSource) -> bool {
    matches!(source, ColumnSource::Class(_) | ColumnSource::Identifier(_) | ColumnSource::Producer(_))
}

/// The number of paths that one thread builds at a time.
const PATHS_PER_GROUP: usize = 8;

/// Fewer values than this are built faster by one thread.
const MIN_VALUES_FOR_THREADS: usize = 1 << 15;

/// The number of threads to build this many values with.
fn threads_for(values: usize) -> usize {
    if values < MIN_VALUES_FOR_THREADS { 1 } else { threads::at_most(usize::MAX) }
}
