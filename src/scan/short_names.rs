//! Short names that a tag and a parameter share: `lr` is `tags.lr` and `config.lr`.
//!
//! The tag is meant as long as nothing depends on it. If both have a value for a job and the values differ, the name is ambiguous;
//! if the parameter alone has values for some jobs, the parameter is meant.

use crate::columns::{Chosen, Columns, Selection};
use crate::error::{Error, ErrorKind, Result, quoted};
use crate::loaded::LoadedRun;
use crate::values::{Record, Store, Symbol, Value};

/// The short names of a request, with what the jobs say of each.
#[derive(Debug, Default)]
pub(super) struct ShortNames(Vec<ShortName>);

#[derive(Debug)]
struct ShortName {
    name: String,
    /// Some job has the tag and the parameter, and their values differ
    differs: bool,
    /// Some job has the tag alone
    tag_alone: bool,
    /// Some job has the parameter alone
    parameter_alone: bool,
}

impl ShortNames {
    /// The patterns of a selection that may be the name of a tag and that of a parameter.
    pub fn of(selection: &Selection) -> Self {
        let Selection::Chosen(patterns) = selection else { return Self::default() };
        Self(
            patterns
                .iter()
                .flat_map(Chosen::patterns)
                .filter(|name| is_plain(name))
                .map(ShortName::of)
                .collect(),
        )
    }

    /// One name; nothing to compare if it is not plain.
    pub fn single(name: &str) -> Self {
        Self(is_plain(name).then(|| ShortName::of(name)).into_iter().collect())
    }

    /// Compares the tags and the parameters of these names in the jobs of a run.
    pub fn observe(&mut self, loaded: &LoadedRun) {
        self.observe_jobs(loaded, &(0..loaded.rows().rows.len()));
    }

    /// Compares the tags and the parameters of these names in some jobs of a run.
    pub fn observe_jobs(&mut self, loaded: &LoadedRun, positions: &(impl Iterator<Item = usize> + Clone)) {
        let rows = loaded.rows();
        for short in &mut self.0 {
            // a name that is no tag of this run is that of the parameter
            let Some(tag) = rows.store.find_symbol(short.name.as_bytes()) else { continue };
            let objects = loaded.objects();
            let graph = &objects.graph;
            let parameter = graph.store.find_symbol(short.name.as_bytes());
            for position in positions.clone() {
                let (row, root) = (&rows.rows[position], objects.roots[position]);
                let tag = row.tags.and_then(|tags| value_of(&rows.store, tags, tag));
                let fields = root.map(|root| graph.object(root).fields);
                let value =
                    fields.zip(parameter).and_then(|(fields, key)| value_of(&graph.store, fields, key));
                match (tag, value) {
                    (Some(tag), Some(value)) => {
                        short.differs |= !is_same((&rows.store, tag), (&graph.store, value));
                    }
                    (Some(_), None) => short.tag_alone = true,
                    (None, Some(_)) => short.parameter_alone = true,
                    (None, None) => {}
                }
            }
        }
    }

    /// The name of the column that a name means: written out where the parameter is meant.
    ///
    /// # Errors
    /// `Column`: a name means both, and their values are not the same.
    pub fn meant(&self, name: &str, columns: &Columns) -> Result<String> {
        let names = [format!("tags.{name}"), format!("config.{name}")];
        let is_column = |name: &str| columns.all.iter().any(|column| column.name == name);
        let short = self.0.iter().find(|short| short.name == *name);
        let Some(short) = short.filter(|_| !is_column(name) && names.iter().all(|name| is_column(name)))
        else {
            return Ok(name.to_owned());
        };
        if short.differs || (short.tag_alone && short.parameter_alone) {
            let reason = format!("{} is a tag and a parameter, and their values differ", quoted(name));
            let hint = format!("write {} or {}", names[0], names[1]);
            return Err(Error::new(ErrorKind::Column, reason).at_field(name).hint(hint));
        }
        let [tag, parameter] = names;
        Ok(if short.parameter_alone { parameter } else { tag })
    }
}

impl ShortName {
    fn of(name: &str) -> Self {
        Self { name: name.to_owned(), differs: false, tag_alone: false, parameter_alone: false }
    }
}

/// Whether a name may be a short one of a tag or parameter of the job itself.
fn is_plain(name: &str) -> bool {
    !name.contains(['*', '?', '[', '.', '@', '\\'])
}

/// The value of a key, unless there is none or it is None.
fn value_of(store: &Store, record: Record, key: Symbol) -> Option<Value> {
    let value = store.entries(record).find(|&(name, _)| name == key).map(|(_, value)| value)?;
    (!matches!(value, Value::Null)).then_some(value)
}

/// Whether a tag has the value of a parameter: as an enum its name, as a path its text, as a float the int that it is.
#[allow(clippy::float_cmp, reason = "the same value, not one near it")]
#[allow(clippy::cast_precision_loss, reason = "an int that is no float64 is told by the way back")]
#[allow(clippy::cast_possible_truncation, reason = "as above")]
fn is_same((tags, tag): (&Store, Value), (fields, value): (&Store, Value)) -> bool {
    let text = |store: &Store, value: Value| match value {
        Value::Str(text) | Value::Path(text) | Value::BigInt(text) => Some(store.bytes(text).to_vec()),
        Value::Enum(member) => {
            store.enum_member(member).map(|member| store.symbol_bytes(member.name).to_vec())
        }
        _ => None,
    };
    let is_int = |float: f64, int: i64| int as f64 == float && float as i64 == int;
    match (tag, value) {
        (Value::Bool(tag), Value::Bool(value)) => tag == value,
        (Value::Int(tag), Value::Int(value)) => tag == value,
        (Value::Float(tag), Value::Float(value)) => tag == value || (tag.is_nan() && value.is_nan()),
        (Value::Int(int), Value::Float(float)) | (Value::Float(float), Value::Int(int)) => is_int(float, int),
        _ => text(tags, tag).is_some_and(|tag| text(fields, value) == Some(tag)),
    }
}
