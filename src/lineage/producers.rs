//! The jobs that produced the configs of one config, by the places where these stand.

use std::collections::hash_map::Entry;

use ahash::HashMap;

use crate::columns::escape;
use crate::error::{Error, ErrorKind, Result};
use crate::objects::Graph;
use crate::values::{ObjectIx, Value};

/// A shared config stands at every place that leads to it, so places can be many more than configs.
const MAX_PLACES: usize = 10_000;

/// The jobs that produced configs below a config, with the places of these configs: `trained`, `models[0]`, `init-tasks[0]`.
/// What stands below such a config belongs to its job and is not looked at. `is_job` says whether an identifier is that of a job.
///
/// # Errors
/// `InvalidArgument`: there are more than ten thousand places.
pub fn producers_below(
    graph: &Graph,
    config: ObjectIx,
    is_job: &impl Fn(&[u8]) -> bool,
) -> Result<Vec<(String, ObjectIx)>> {
    let leads = leading(graph, config, is_job);
    let mut found = Vec::new();
    let mut pending = vec![(String::new(), Value::Object(config))];
    while let Some((place, value)) = pending.pop() {
        let length = pending.len();
        match value {
            Value::Object(object) if object == config && !place.is_empty() => {}
            Value::Object(object) => match producer(graph, config, object, is_job) {
                Some(job) => found.push((place, job)),
                None if leads.get(&object) == Some(&true) => {
                    push_fields(graph, Value::Dict(graph.object(object).fields), &place, &mut pending);
                    let name = if place.is_empty() {
                        "init-tasks".to_owned()
                    } else {
                        format!("{place}.init-tasks")
                    };
                    push_fields(graph, graph.about(object).init_tasks, &name, &mut pending);
                }
                None => {}
            },
            value => push_fields(graph, value, &place, &mut pending),
        }
        if found.len() > MAX_PLACES {
            let reason = format!(
                "{} has more than {MAX_PLACES} places with configs of other jobs",
                graph.typename(config)
            );
            let (file, line) = graph.location(config);
            return Err(Error::new(ErrorKind::InvalidArgument, reason)
                .at_file(file)
                .at_line(line)
                .hint("shared configs stand at many places; ask for producer(…) of the one you mean"));
        }
        pending[length..].reverse();
    }
    Ok(found)
}

/// The job that produced an object, unless that is the config itself.
fn producer(
    graph: &Graph,
    config: ObjectIx,
    object: ObjectIx,
    is_job: &impl Fn(&[u8]) -> bool,
) -> Option<ObjectIx> {
    if object == config { None } else { graph.producer(object, is_job).filter(|&job| job != config) }
}

/// Appends the items of a list, or the values of a dict, with their places.
fn push_fields(graph: &Graph, value: Value, place: &str, pending: &mut Vec<(String, Value)>) {
    let store = &graph.store;
    match value {
        Value::List(items) | Value::Set(items) => {
            pending.extend(
                (0..)
                    .zip(store.items(items))
                    .map(|(number, item): (usize, Value)| (format!("{place}[{number}]"), item)),
            );
        }
        Value::Dict(record) => pending.extend(store.entries(record).map(|(key, value)| {
            let key = store.symbol(key);
            let name = escape(&key);
            (if place.is_empty() { name.into_owned() } else { format!("{place}.{name}") }, value)
        })),
        _ => {}
    }
}

/// For each object below a config, whether it leads to one that a job produced.
fn leading(graph: &Graph, config: ObjectIx, is_job: &impl Fn(&[u8]) -> bool) -> HashMap<ObjectIx, bool> {
    let mut leads: HashMap<ObjectIx, bool> = HashMap::default();
    let mut pending = vec![(config, false)];
    while let Some((object, is_done)) = pending.pop() {
        if is_done {
            let mut any = false;
            graph.each_reference(object, |value| {
                if let Value::Object(below) = value {
                    any |= leads.get(&below) == Some(&true);
                }
            });
            leads.insert(object, any);
        } else if let Entry::Vacant(unseen) = leads.entry(object) {
            let is_produced = producer(graph, config, object, is_job).is_some();
            unseen.insert(is_produced);
            if !is_produced {
                pending.push((object, true));
                graph.each_reference(object, |value| {
                    if let Value::Object(below) = value {
                        pending.push((below, false));
                    }
                });
            }
        }
    }
    leads
}
