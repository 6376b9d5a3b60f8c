//! The columns there are, in their order.

use super::path_tree::{PathId, PathTree};
use super::types::{Type, ValueKind};
use crate::error::{Error, Result};

/// A column about the job itself rather than about its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum System {
    /// Root of the workspace
    Workspace,
    /// Name of the experiment
    Experiment,
    /// Identifier of the run
    Run,
    /// Identifier of the job
    JobId,
    /// Identifier of the job's task
    Task,
    /// How far the job is
    State,
    /// Why it failed
    Failure,
    /// When it was submitted
    SubmittedAt,
    /// When it started
    StartedAt,
    /// When it ended
    EndedAt,
    /// Seconds from start to end
    DurationS,
    /// Directory of the job
    Path,
    /// Identifiers of the jobs it needs
    Dependencies,
}

impl System {
    /// Those that come before tags and parameters.
    pub const LEADING: [Self; 6] =
        [Self::Workspace, Self::Experiment, Self::Run, Self::JobId, Self::Task, Self::State];
    /// Those that come after them.
    pub const TRAILING: [Self; 7] = [
        Self::Failure,
        Self::SubmittedAt,
        Self::StartedAt,
        Self::EndedAt,
        Self::DurationS,
        Self::Path,
        Self::Dependencies,
    ];

    /// The name of the column.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Experiment => "experiment",
            Self::Run => "run",
            Self::JobId => "job_id",
            Self::Task => "task",
            Self::State => "state",
            Self::Failure => "failure",
            Self::SubmittedAt => "submitted_at",
            Self::StartedAt => "started_at",
            Self::EndedAt => "ended_at",
            Self::DurationS => "duration_s",
            Self::Path => "path",
            Self::Dependencies => "dependencies",
        }
    }

    /// The type of the column.
    #[must_use]
    pub fn kind(self) -> Type {
        match self {
            Self::SubmittedAt | Self::StartedAt | Self::EndedAt => Type::Timestamp,
            Self::DurationS => Type::Float64,
            Self::Dependencies => Type::List(Box::new(Type::Utf8)),
            _ => Type::Utf8,
        }
    }

    /// Whether it is told by the job's directory.
    #[must_use]
    pub fn needs_status(self) -> bool {
        matches!(self, Self::State | Self::Failure) || self.needs_times()
    }

    /// Whether it is told only by a file in the job's directory, not by the directory's listing.
    #[must_use]
    pub fn needs_times(self) -> bool {
        matches!(self, Self::StartedAt | Self::EndedAt | Self::DurationS)
    }
}

/// Where the values of a column come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnSource {
    /// The job itself
    System(System),
    /// Some of the values of a place
    Values(PathId, ValueKind),
    /// The class of the config at a place
    Class(PathId),
    /// The content identifier of the config at a place
    Identifier(PathId),
}

/// A column: its name, type and source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The whole name, as in `config.model.name`
    pub name: String,
    /// Where its values come from
    pub source: ColumnSource,
    /// Its type
    pub kind: Type,
    /// Whether it is there when nothing was asked for by name
    pub by_default: bool,
    /// The name it was asked to have in the table, if another
    pub renamed: Option<String>,
}

impl Column {
    /// The name it has in the table.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.renamed.as_deref().unwrap_or(&self.name)
    }

    /// The group of design §3: `system`, `tag`, `parameter` or `fact`.
    #[must_use]
    pub fn group(&self) -> &'static str {
        match self.source {
            ColumnSource::System(_) => "system",
            ColumnSource::Values(..) if self.name.starts_with("tags.") => "tag",
            ColumnSource::Values(..) => "parameter",
            ColumnSource::Class(_) | ColumnSource::Identifier(_) => "fact",
        }
    }
}

/// Every column of the jobs that were read, those shown by default and the others.
#[derive(Debug, Clone)]
pub struct Columns {
    /// In the order of design §3.2
    pub all: Vec<Column>,
}

impl Columns {
    /// The columns that `places` need. `several_runs` shows `experiment` and `run`, `several_workspaces` shows `workspace`.
    #[must_use]
    pub fn new(places: &PathTree, several_runs: bool, several_workspaces: bool) -> Self {
        let system = |system: System| {
            let by_default = match system {
                System::Workspace => several_workspaces,
                System::Experiment | System::Run => several_runs,
                _ => true,
            };
            let name = system.name().to_owned();
            Column {
                name,
                source: ColumnSource::System(system),
                kind: system.kind(),
                by_default,
                renamed: None,
            }
        };
        let mut all: Vec<Column> = System::LEADING.map(system).into();
        list(places, PathTree::TAGS, &mut all);
        list(places, PathTree::CONFIG, &mut all);
        all.extend(System::TRAILING.map(system));
        Self { all }
    }

    /// Those shown by default.
    ///
    /// # Errors
    /// `TooManyColumns`, naming the prefix that has the most.
    pub fn by_default(&self, places: &PathTree, limit: usize) -> Result<Vec<Column>> {
        check_width(self.all.iter().filter(|column| column.by_default), places, limit)?;
        Ok(self.all.iter().filter(|column| column.by_default).cloned().collect())
    }
}

/// Refuses columns that take more than `limit` columns of memory.
pub(super) fn check_width<'c>(
    columns: impl Iterator<Item = &'c Column>,
    places: &PathTree,
    limit: usize,
) -> Result<()> {
    let width: usize = columns.map(|column| column.kind.width()).sum();
    if width > limit { Err(too_wide(places, width, limit)) } else { Ok(()) }
}

fn too_wide(places: &PathTree, width: usize, limit: usize) -> Error {
    let error = places.too_many();
    let prefix = error.location().field.clone().unwrap_or_default();
    Error::new(
        error.kind(),
        format!("{width} columns are more than max_columns={limit}, most of them under {prefix}"),
    )
    .at_field(&prefix)
    .hint("choose some with columns=[…], or raise max_columns")
}

/// Lists the columns of a place and of all below, depth first.
fn list(places: &PathTree, root: PathId, all: &mut Vec<Column>) {
    let mut pending = vec![(root, places.name(root))];
    while let Some((at, name)) = pending.pop() {
        let place = places.get(at);
        if at != root {
            let parts = places.parts(at);
            let split = parts.len() > 1;
            for (part, kind) in parts {
                let name = if split { format!("{name}@{}", part.suffix()) } else { name.clone() };
                all.push(Column {
                    name,
                    source: ColumnSource::Values(at, part),
                    kind,
                    by_default: true,
                    renamed: None,
                });
            }
        }
        if place.has_configs() {
            // the task column tells the class of the job itself
            let by_default = at != root && place.has_many_classes();
            let kind = Type::Utf8;
            all.push(Column {
                name: format!("{name}@type"),
                source: ColumnSource::Class(at),
                kind: kind.clone(),
                by_default,
                renamed: None,
            });
            all.push(Column {
                name: format!("{name}@id"),
                source: ColumnSource::Identifier(at),
                kind,
                by_default: false,
                renamed: None,
            });
        }
        let deeper = place.children().iter().rev();
        pending.extend(deeper.map(|(key, &child)| (child, format!("{name}.{}", super::names::escape(key)))));
    }
}
