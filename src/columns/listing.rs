//! Lists the columns of a path tree, in their order.

use super::kind::ValueKind;
use super::names::escape;
use super::path_tree::{PathId, PathTree};
use super::types::Type;
use crate::error::{Error, ErrorKind, Result};

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
    /// How far the job came
    State,
    /// Why it failed
    Failure,
    /// The code with which its process ended, if it failed
    ExitCode,
    /// How often it was run again
    Retries,
    /// Whether it had ended before the run submitted it
    Reused,
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
    /// The system columns before tags and parameters.
    pub const LEADING: [Self; 6] =
        [Self::Workspace, Self::Experiment, Self::Run, Self::JobId, Self::Task, Self::State];
    /// The system columns after tags and parameters.
    pub const TRAILING: [Self; 10] = [
        Self::Failure,
        Self::ExitCode,
        Self::Retries,
        Self::Reused,
        Self::SubmittedAt,
        Self::StartedAt,
        Self::EndedAt,
        Self::DurationS,
        Self::Path,
        Self::Dependencies,
    ];

    /// Every system column, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::LEADING.into_iter().chain(Self::TRAILING)
    }

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
            Self::ExitCode => "exit_code",
            Self::Retries => "retries",
            Self::Reused => "reused",
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
            Self::Reused => Type::Bool,
            Self::ExitCode | Self::Retries => Type::Int64,
            Self::Dependencies => Type::List(Box::new(Type::Utf8)),
            _ => Type::Utf8,
        }
    }

    /// Whether it is shown only where its whole name is asked for. `reused` is shown too where runs repeat jobs.
    #[must_use]
    pub fn is_by_name(self) -> bool {
        matches!(self, Self::ExitCode | Self::Retries | Self::Reused | Self::Dependencies)
    }

    /// Whether its values are read from the directories of jobs.
    #[must_use]
    pub fn needs_status(self) -> bool {
        matches!(self, Self::State | Self::Failure) || self.needs_times()
    }

    /// Whether its values need a file in each job's directory, not only the listing of the directory.
    #[must_use]
    pub fn needs_times(self) -> bool {
        matches!(
            self,
            Self::StartedAt | Self::EndedAt | Self::DurationS | Self::ExitCode | Self::Retries | Self::Reused
        )
    }
}

/// Where the values of a column come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnSource {
    /// The job itself
    System(System),
    /// The values of one kind at a path
    Values(PathId, ValueKind),
    /// The class of the config at a path
    Class(PathId),
    /// The content identifier of the config at a path
    Identifier(PathId),
    /// The identifier of the job that produced the config at a path; for a list of configs, a list of them
    Producer(PathId),
    /// What became of the file of a handle, by the position of the handle
    File(usize),
    /// Where that file is
    FilePath(usize),
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
    /// Whether it is shown when no columns were chosen
    pub by_default: bool,
    /// Whether it has the values of one type of a path that holds several, so that its name ends with `@` and that type
    pub is_split: bool,
    /// Its name in the table, if the user chose one
    pub renamed: Option<String>,
    /// The steps from the job of a row to the job whose value this is; none for a column of the job itself
    pub steps: Vec<Step>,
    /// The columns that fill its nulls, if the user named several
    pub merged: Option<Merged>,
}

/// A step from a job to one that it depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// To the job that produced the config at a path
    Place(PathId),
    /// To the nearest job upstream of a task, by a name or glob as `task=` takes it
    Task(String),
}

/// The columns that fill the nulls of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The type of the first column alone
    pub first_kind: Type,
    /// The others, in the order in which they are asked
    pub others: Vec<Column>,
    /// The names of columns that no job has
    pub missing: Vec<String>,
}

impl Column {
    /// The whole names of the columns whose values it has: its own, then those that fill its nulls.
    #[must_use]
    pub fn sources(&self) -> Vec<&str> {
        let others = self.merged.iter().flat_map(|merged| &merged.others);
        std::iter::once(self).chain(others).map(|column| column.name.as_str()).collect()
    }

    /// A column of the job itself under its whole name.
    #[must_use]
    pub fn new(name: String, source: ColumnSource, kind: Type, by_default: bool) -> Self {
        let (steps, merged) = (Vec::new(), None);
        Self { name, source, kind, by_default, is_split: false, renamed: None, steps, merged }
    }

    /// Its name in the table.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.renamed.as_deref().unwrap_or(&self.name)
    }

    /// Its group: `system`, `tag`, `parameter`, `fact`, `result`, or `lineage` if it is about another job.
    #[must_use]
    pub fn group(&self) -> &'static str {
        if !self.steps.is_empty() {
            return "lineage";
        }
        match self.source {
            ColumnSource::System(_) => "system",
            ColumnSource::Values(..) if self.name.starts_with("tags.") => "tag",
            ColumnSource::Values(..) if self.name.starts_with("result.") => "result",
            ColumnSource::Values(..) => "parameter",
            ColumnSource::File(_) | ColumnSource::FilePath(_) => "result",
            ColumnSource::Class(_) | ColumnSource::Identifier(_) | ColumnSource::Producer(_) => "fact",
        }
    }
}

/// Every column of the jobs that were read, shown by default or not.
#[derive(Debug, Clone)]
pub struct Columns {
    /// System columns, tags, parameters, results, then the trailing system columns
    pub all: Vec<Column>,
}

impl Columns {
    /// The columns of a tree. `several_runs` shows `experiment` and `run`, `several_workspaces` shows `workspace`.
    #[must_use]
    pub fn new(tree: &PathTree, several_runs: bool, several_workspaces: bool) -> Self {
        let system = |system: System| {
            let by_default = match system {
                System::Workspace => several_workspaces,
                System::Experiment | System::Run => several_runs,
                system => !system.is_by_name(),
            };
            Column::new(system.name().to_owned(), ColumnSource::System(system), system.kind(), by_default)
        };
        let mut all: Vec<Column> = System::LEADING.map(system).into();
        push_columns_below(tree, PathTree::TAGS, &mut all);
        push_columns_below(tree, PathTree::CONFIG, &mut all);
        push_columns_below(tree, PathTree::RESULT, &mut all);
        all.extend(System::TRAILING.map(system));
        Self { all }
    }

    /// With the column `reused`, if several runs of one experiment may repeat its jobs.
    #[must_use]
    pub fn with_reused(mut self, may_repeat: bool) -> Self {
        let reused =
            self.all.iter_mut().filter(|column| column.source == ColumnSource::System(System::Reused));
        reused.for_each(|column| column.by_default = may_repeat);
        self
    }

    /// With the columns of what became of result files, before the trailing system columns: `result@file` and `result@path`, or
    /// `result.<name>@file` where handles have names.
    #[must_use]
    pub fn with_files(mut self, handles: &[Option<&str>]) -> Self {
        let files = handles.iter().enumerate().flat_map(|(index, handle)| {
            let name = handle.map_or("result".to_owned(), |handle| format!("result.{}", escape(handle)));
            let column = |suffix, source, by_default| {
                Column::new(format!("{name}@{suffix}"), source, Type::Utf8, by_default)
            };
            [
                column("file", ColumnSource::File(index), true),
                column("path", ColumnSource::FilePath(index), false),
            ]
        });
        let end = self.all.len() - System::TRAILING.len();
        self.all.splice(end..end, files.collect::<Vec<_>>());
        self
    }

    /// The columns shown by default.
    ///
    /// # Errors
    /// `TooManyColumns`, naming the prefix that has the most.
    pub fn by_default(&self, tree: &PathTree, max_columns: usize) -> Result<Vec<Column>> {
        check_width(self.all.iter().filter(|column| column.by_default), tree, max_columns)?;
        Ok(self.all.iter().filter(|column| column.by_default).cloned().collect())
    }
}

/// Refuses columns that take more than `max_columns` flat columns in memory.
pub(super) fn check_width<'c>(
    columns: impl Iterator<Item = &'c Column>,
    tree: &PathTree,
    max_columns: usize,
) -> Result<()> {
    let width: usize = columns.map(|column| column.kind.width()).sum();
    if width <= max_columns {
        return Ok(());
    }
    let prefix = tree.heaviest_prefix();
    let reason =
        format!("{width} columns are more than max_columns={max_columns}, most of them under {prefix}");
    Err(Error::new(ErrorKind::TooManyColumns, reason)
        .at_field(&prefix)
        .hint("choose some with columns=[…], or raise max_columns"))
}

/// Appends the columns of the paths below a root, depth first.
fn push_columns_below(tree: &PathTree, root: PathId, all: &mut Vec<Column>) {
    let mut pending = vec![(root, tree.name(root))];
    while let Some((id, name)) = pending.pop() {
        let path = tree.get(id);
        if id != root {
            let kinds = tree.value_kinds(id);
            let is_split = kinds.len() > 1;
            for (kind, type_) in kinds {
                let name = if is_split { format!("{name}@{}", kind.suffix()) } else { name.clone() };
                let column = Column::new(name, ColumnSource::Values(id, kind), type_, true);
                all.push(Column { is_split, ..column });
            }
        }
        if path.has_configs() {
            // the class of the job itself is in the task column
            let by_default = id != root && path.has_many_classes();
            all.push(Column::new(format!("{name}@type"), ColumnSource::Class(id), Type::Utf8, by_default));
            all.push(Column::new(format!("{name}@id"), ColumnSource::Identifier(id), Type::Utf8, false));
        }
        if id != root
            && let Some(kind) = tree.producer_type(id)
        {
            all.push(Column::new(format!("{name}@job"), ColumnSource::Producer(id), kind, false));
        }
        let children = path.children().iter().rev();
        pending.extend(children.map(|(key, &child)| (child, format!("{name}.{}", escape(key)))));
    }
}
