//! The columns of a run's jobs, built.

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use super::arrays::Arrays;
use super::levels::{Level, Marks, values_under, with_ancestors};
use super::schema::Texts;
use super::system::SystemColumns;
use crate::columns::{Column, PlaceIx, Places, Source};
use crate::error::Error;
use crate::loaded::LoadedRun;
use crate::records::{JobRow, JobRows, Zone};
use crate::values::Value;

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

    /// The jobs, in order.
    pub fn jobs(&self) -> impl Iterator<Item = &'r JobRow> {
        let rows = &self.known().rows;
        let chosen = self.chosen;
        (0..self.len()).filter_map(move |at| rows.get(chosen.map_or(at, |chosen| chosen[at])))
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
        let wanted: Vec<(usize, PlaceIx)> = wanted(columns, places, root);
        if !wanted.is_empty() {
            Building { columns, places, texts, wanted, arrays: &mut arrays, surrogates: &mut surrogates }.root(rows, root)?;
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let arrays = arrays.into_iter().flatten().collect();
    let batch = RecordBatch::try_new_with_options(schema, arrays, &options)?;
    Ok(Built { batch, errors: system.errors, surrogates })
}

/// The columns that stand below a root, with their places.
fn wanted(columns: &[Column], places: &Places, root: PlaceIx) -> Vec<(usize, PlaceIx)> {
    let place = |column: &Column| match column.source {
        Source::System(_) => None,
        Source::Values(at, _) | Source::Class(at) | Source::Identifier(at) => Some(at),
    };
    let placed = columns.iter().enumerate().filter_map(|(index, column)| Some((index, place(column)?)));
    placed.filter(|&(_, at)| places.root(at) == root).collect()
}

/// The columns of one root while they are built.
struct Building<'b> {
    columns: &'b [Column],
    places: &'b Places,
    texts: Texts,
    wanted: Vec<(usize, PlaceIx)>,
    arrays: &'b mut [Option<ArrayRef>],
    surrogates: &'b mut Vec<String>,
}

impl Building<'_> {
    fn root(&mut self, rows: Rows<'_>, root: PlaceIx) -> Result<(), ArrowError> {
        let known = rows.known();
        if root == Places::TAGS {
            let values: Vec<Value> = rows.jobs().map(|row| row.tags.map_or(Value::Null, Value::Dict)).collect();
            let arrays = Arrays { store: &known.store, graph: None, places: self.places, texts: self.texts, surrogates: false };
            return self.walk(root, values, arrays, Marks::new(0));
        }
        let objects = rows.loaded.objects();
        let config = |row| objects.jobs.get(known.job_id(row).as_ref()).map_or(Value::Null, |&at| Value::Object(at));
        let values: Vec<Value> = rows.jobs().map(config).collect();
        let graph = &objects.graph;
        let arrays =
            Arrays { store: &graph.store, graph: Some(graph), places: self.places, texts: self.texts, surrogates: false };
        self.walk(root, values, arrays, Marks::new(graph.len()))
    }

    /// Goes down the places that are wanted, from one value a row.
    fn walk(&mut self, root: PlaceIx, rows: Vec<Value>, mut arrays: Arrays<'_>, mut marks: Marks) -> Result<(), ArrowError> {
        let on_the_way = with_ancestors(self.places, self.wanted.iter().map(|&(_, at)| at));
        let top = Level::of_rows(rows.clone());
        self.columns_at(root, &rows, &top, &mut arrays)?;
        let mut pending = vec![(root, top)];
        while let Some((at, level)) = pending.pop() {
            for (key, &child) in self.places.get(at).children() {
                if !on_the_way.contains(&child) {
                    continue;
                }
                let values = values_under(&level.holders, key, arrays.store, arrays.graph);
                self.columns_at(child, &values, &level, &mut arrays)?;
                if self.places.get(child).children().values().any(|below| on_the_way.contains(below)) {
                    pending.push((child, level.below(&values, &mut marks)));
                }
            }
        }
        Ok(())
    }

    /// Builds the columns that stand at a place, whose values are given for each holder of the level above.
    fn columns_at(
        &mut self,
        at: PlaceIx,
        values: &[Value],
        level: &Level,
        arrays: &mut Arrays<'_>,
    ) -> Result<(), ArrowError> {
        for &(index, place) in &self.wanted {
            if place != at {
                continue;
            }
            let column = &self.columns[index];
            arrays.surrogates = false;
            let array = match column.source {
                Source::Values(at, part) => arrays.values(values, at, part, &column.kind)?,
                Source::Class(_) => arrays.classes(values),
                Source::Identifier(_) => arrays.identifiers(values),
                Source::System(_) => continue,
            };
            self.arrays[index] = Some(level.expand(array)?);
            if arrays.surrogates {
                self.surrogates.push(column.name.clone());
            }
        }
        Ok(())
    }
}
