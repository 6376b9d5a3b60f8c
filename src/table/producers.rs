//! The jobs that produced configs.

use std::sync::Arc;

use arrow::array::LargeListArray;
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::Field;

use super::arrays::ArrayResult;
use super::schema::{StringLayout, data_type};
use super::texts::{TextBuilder, strings};
use crate::columns::Type;
use crate::objects::Graph;
use crate::records::JobRows;
use crate::values::Value;

/// The identifiers of the jobs that produced the configs among `values`; lists of them for lists, if `kind` is a list.
pub(super) fn producers(
    values: &[Value],
    kind: &Type,
    (graph, jobs): (&Graph, &JobRows),
    layout: StringLayout,
) -> ArrayResult {
    let job_id = |value: Value| {
        let Value::Object(object) = value else { return None };
        let producer = graph.producer(object, |job_id| jobs.position(job_id).is_some())?;
        Some(graph.identifier(producer))
    };
    let Type::List(item) = kind else { return Ok(strings(values.iter().copied().map(job_id), layout)) };
    let mut lengths = Vec::with_capacity(values.len());
    let mut items = TextBuilder::new(layout.in_list(), 0);
    for value in values {
        let (Value::List(list) | Value::Set(list)) = *value else {
            lengths.push(0);
            continue;
        };
        graph.store.items(list).for_each(|item| items.append(job_id(item)));
        lengths.push(list.len());
    }
    let is_list = |value: &Value| matches!(value, Value::List(_) | Value::Set(_));
    let valid: NullBuffer = values.iter().map(is_list).collect();
    let field = Arc::new(Field::new("item", data_type(item, layout.in_list()), true));
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(LargeListArray::try_new(field, offsets, items.finish(), Some(valid))?))
}
