//! Columns that are built one by one, and those that several of them make together.

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{cast, is_not_null};
use arrow::error::ArrowError;

use crate::columns::Column;
use crate::table::{StringLayout, data_type};

/// The single columns of which some columns are made.
pub(super) struct Leaves {
    pub columns: Vec<Column>,
    /// How many of them make each column
    counts: Vec<usize>,
}

impl Leaves {
    pub fn of(columns: &[Column]) -> Self {
        let mut leaves = Self { columns: Vec::with_capacity(columns.len()), counts: Vec::new() };
        for column in columns {
            let before = leaves.columns.len();
            match &column.merged {
                None => leaves.columns.push(column.clone()),
                Some(merged) => {
                    let kind = merged.first_kind.clone();
                    leaves.columns.push(Column { kind, merged: None, ..column.clone() });
                    leaves.columns.extend(merged.others.iter().cloned());
                }
            }
            leaves.counts.push(leaves.columns.len() - before);
        }
        leaves
    }

    /// The arrays of the columns, from those of the single columns: the first value that is not null.
    ///
    /// # Errors
    /// Arrow's, if types do not unite: a fault of this crate.
    pub fn unite(
        &self,
        arrays: Vec<ArrayRef>,
        columns: &[Column],
        layout: StringLayout,
    ) -> Result<Vec<ArrayRef>, ArrowError> {
        let mut arrays = arrays.into_iter();
        let mut united = Vec::with_capacity(columns.len());
        for (column, &count) in columns.iter().zip(&self.counts) {
            let mut parts = arrays.by_ref().take(count);
            let Some(first) = parts.next() else { continue };
            if column.merged.is_none() {
                united.push(first);
                continue;
            }
            let kind = data_type(&column.kind, layout);
            let mut all = cast(&first, &kind)?;
            for part in parts {
                let part = cast(&part, &kind)?;
                let is_set: BooleanArray = is_not_null(&all)?;
                all = zip(&is_set, &all, &part)?;
            }
            debug_assert_eq!(all.len(), first.len());
            united.push(all);
        }
        Ok(united)
    }
}
