//! Which files a handle means for a job: a path parameter of its config, or a pattern below its directory.

use std::fmt;
use std::path::{Path, PathBuf};

use ahash::{HashMap, HashSet};

use super::locate::{PathGlob, Target, normalized};
use crate::columns::escape;
use crate::error::{Error, ErrorKind, Result, did_you_mean, quoted};
use crate::objects::Graph;
use crate::values::{ObjectIx, Value};

/// The deepest place that is searched for paths: deeper ones belong to jobs far upstream.
const MAX_DEPTH: usize = 32;

/// A path in the config of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathParameter {
    /// Where it stands, as in `config.listeners[0].info`
    pub place: String,
    /// The path itself
    pub path: PathBuf,
}

/// The paths in the config of a job, in the order of its fields. An object that stands in several places is looked into once.
#[must_use]
pub fn path_parameters(graph: &Graph, root: ObjectIx) -> Vec<PathParameter> {
    let mut paths = Vec::new();
    let mut met: HashSet<ObjectIx> = HashSet::default();
    let mut pending = vec![("config".to_owned(), Value::Object(root), 0)];
    while let Some((place, value, depth)) = pending.pop() {
        let record = match graph.store.resolve(value) {
            Value::Path(text) => {
                let path = PathBuf::from(graph.store.text(text).0.into_owned());
                paths.push(PathParameter { place, path });
                continue;
            }
            _ if depth > MAX_DEPTH => continue,
            Value::Object(object) if met.insert(object) => graph.object(object).fields,
            Value::Dict(record) => record,
            Value::List(items) => {
                let items = graph.store.items(items).enumerate();
                let items = items.filter(|(_, item)| may_hold_paths(*item));
                let items: Vec<_> =
                    items.map(|(index, item)| (format!("{place}[{index}]"), item, depth + 1)).collect();
                pending.extend(items.into_iter().rev());
                continue;
            }
            _ => continue,
        };
        let fields = graph.store.entries(record).filter(|(_, value)| may_hold_paths(*value));
        let fields: Vec<_> = fields
            .map(|(key, value)| (format!("{place}.{}", escape(&graph.store.symbol(key))), value, depth + 1))
            .collect();
        pending.extend(fields.into_iter().rev());
    }
    paths
}

fn may_hold_paths(value: Value) -> bool {
    matches!(
        value,
        Value::Path(_) | Value::Object(_) | Value::Dict(_) | Value::List(_) | Value::Unresolved(_)
    )
}

/// Whether a path lies in the directory of a job.
#[must_use]
pub fn is_own(directory: &Path, path: &Path) -> bool {
    let (own, path) = (normalized(directory), normalized(&directory.join(path)));
    path.starts_with(&own) && path != own
}

/// A place with `[*]` for each position in a list.
fn general(place: &str) -> String {
    let mut general = String::with_capacity(place.len());
    let mut rest = place;
    while let Some(start) = rest.find('[') {
        let end = rest[start..].find(']').map_or(rest.len(), |length| start + length + 1);
        let is_index = rest[start + 1..end].trim_end_matches(']').bytes().all(|byte| byte.is_ascii_digit());
        general.push_str(&rest[..start]);
        general.push_str(if is_index { "[*]" } else { &rest[start..end] });
        rest = &rest[end..];
    }
    general.push_str(rest);
    general
}

/// What a user calls the result files of jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handle {
    /// A path parameter: its name, its short name, its last component
    Parameter(String),
    /// A pattern below the directory of a job
    Glob(PathGlob),
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter(name) => f.write_str(name),
            Self::Glob(glob) => glob.fmt(f),
        }
    }
}

/// What the jobs that were asked say of a handle.
#[derive(Debug, Default)]
pub struct HandleReport {
    /// Whether some job has such a parameter
    is_matched: bool,
    /// The places of the paths of all jobs
    places: HashMap<String, usize>,
}

impl Handle {
    /// Reads a handle: with `/`, `.` or `*` it is a pattern, unless it names a place in the config, as `config.logpath` and
    /// `listeners[*].info` do.
    ///
    /// # Errors
    /// `InvalidArgument`: a pattern that is empty or leads out of the job's directory.
    pub fn parse(handle: &str) -> Result<Self> {
        let is_place = handle.starts_with("config.") || general(handle).contains("[*]");
        if !handle.is_empty() && (is_place || !handle.contains(['/', '.', '*'])) {
            return Ok(Self::Parameter(handle.to_owned()));
        }
        PathGlob::parse(handle).map(Self::Glob)
    }

    /// Whether it is resolved in the configs of jobs.
    #[must_use]
    pub fn is_parameter(&self) -> bool {
        matches!(self, Self::Parameter(_))
    }

    /// What it means for a job. A path in the job's own directory is meant first; one elsewhere says that there is another job's.
    ///
    /// # Errors
    /// `InvalidArgument`: several paths of one job have this name.
    pub fn target(
        &self,
        graph: &Graph,
        root: Option<ObjectIx>,
        directory: &Path,
        report: &mut HandleReport,
    ) -> Result<Target> {
        let name = match self {
            Self::Glob(glob) => return Ok(Target::Glob(glob.clone())),
            Self::Parameter(name) => name,
        };
        let Some(root) = root else { return Ok(Target::None) };
        let full = format!("config.{}", name.strip_prefix("config.").unwrap_or(name));
        let suffix = format!(".{name}");
        let paths = path_parameters(graph, root);
        for PathParameter { place, .. } in &paths {
            let place = general(place);
            match report.places.get_mut(&place) {
                Some(count) => *count += 1,
                None => _ = report.places.insert(place, 1),
            }
        }
        // a field of this name that is null declares the parameter
        report.is_matched |= graph.field(root, name) == Some(Value::Null);
        let exact: Vec<&PathParameter> =
            paths.iter().filter(|path| path.place == full || general(&path.place) == full).collect();
        let matching: Vec<&PathParameter> = if exact.is_empty() {
            paths
                .iter()
                .filter(|path| path.place.ends_with(&suffix) || general(&path.place).ends_with(&suffix))
                .collect()
        } else {
            exact
        };
        report.is_matched |= !matching.is_empty();
        let (own, foreign): (Vec<&PathParameter>, Vec<&PathParameter>) =
            matching.into_iter().partition(|path| is_own(directory, &path.path));
        let Some(first) = own.first() else {
            return Ok(foreign.first().map_or(Target::None, |path| Target::Path(path.path.clone())));
        };
        if let Some(second) = own.iter().find(|path| general(&path.place) != general(&first.place)) {
            let reason = format!("{} could be several paths of one job", quoted(name));
            let hint = format!("write one of {}, {}", general(&first.place), general(&second.place));
            return Err(Error::new(ErrorKind::InvalidArgument, reason).at_field(name).hint(hint));
        }
        Ok(match own[..] {
            [only] => Target::Path(only.path.clone()),
            _ => Target::Paths(own.iter().map(|path| path.path.clone()).collect()),
        })
    }

    /// Whether some job has what it names.
    ///
    /// # Errors
    /// `InvalidArgument`: no job has such a path parameter, with near misses.
    pub fn check(&self, report: &HandleReport) -> Result<()> {
        let Self::Parameter(name) = self else { return Ok(()) };
        if report.is_matched {
            return Ok(());
        }
        let last = |place: &str| place.rsplit('.').next().unwrap_or(place).to_owned();
        let mut places: Vec<(&String, &usize)> = report.places.iter().collect();
        places.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let mut names: Vec<String> = Vec::new();
        for (place, _) in places {
            let name = last(place);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let hint = did_you_mean(name, names.iter().map(String::as_str)).unwrap_or_else(|| {
            names.truncate(5);
            if names.is_empty() {
                "no job has a path parameter; give a file below the job's directory, as metrics.json"
                    .to_owned()
            } else {
                format!("there are {}; or give a file, as metrics.json", names.join(", "))
            }
        });
        let reason = format!("no path parameter {}", quoted(name));
        Err(Error::new(ErrorKind::InvalidArgument, reason).at_field(name).hint(hint))
    }
}
