//! What is known of a run.

use std::path::Path;

use indexmap::IndexMap;
use memchr::memmem;
use serde::Deserialize;

use super::job_states::{JobStates, StatesInFile};
use super::json_file::{read_json, read_json_with};
use super::moment::Moment;
use super::{alive, events};
use crate::error::{Error, Result, quoted};
use crate::file::{LARGEST, LinedFile};
use crate::json;
use crate::workspace::Run;

/// What the files say of a run. Everything that they leave out is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunRecord {
    /// The identifier that the run gave itself; differs from the directory's name when that was renamed
    pub run_id: String,
    /// `running`, `done` or `failed`: of the driver, not of the jobs; a killed driver stays `running`
    pub status: Option<String>,
    /// How the driver ended: `completed`, `failed` or `detached`; nothing while it runs or when it was killed
    pub outcome: Option<String>,
    /// The host of the driver
    pub hostname: Option<String>,
    /// When the driver began
    pub started_at: Option<Moment>,
    /// When the driver ended, killed ones never
    pub ended_at: Option<Moment>,
    /// The last state of each job as the driver wrote it, as in `done` or `error:TIMEOUT`; often behind the
    /// truth
    pub job_states: JobStates,
    /// The actions that were added, by identifier
    pub actions: IndexMap<String, ActionRecord>,
    /// The tags of the run itself, not of its jobs
    pub run_tags: Vec<String>,
    /// The Python of the driver
    pub python_version: Option<String>,
    /// The installed packages with their versions
    pub packages: IndexMap<String, String>,
    /// The git states of the projects, then of the packages installed in place
    pub git: Vec<GitRecord>,
    /// Whether the driver is there now; nothing when that cannot be told
    pub alive: Option<bool>,
}

/// An action of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActionRecord {
    /// What `describe()` gave in the driver
    pub description: String,
    /// The class, as in `lab.tasks.Export`
    pub class: String,
}

/// The state of a git repository when the run began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct GitRecord {
    /// The package installed from it, if it is one
    #[serde(skip)]
    pub package: Option<String>,
    /// Where it was
    pub path: Option<String>,
    /// The commit, 40 hexadecimal digits
    pub commit: Option<String>,
    /// The branch
    pub branch: Option<String>,
    /// Whether there were uncommitted changes
    pub dirty: Option<bool>,
    /// The first line of the commit message
    pub message: Option<String>,
    /// The author of the commit
    pub author: Option<String>,
    /// The date of the commit
    pub date: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct StatusFile {
    run_id: Option<String>,
    status: Option<String>,
    hostname: Option<String>,
    started_at: Option<String>,
    ended_at: Option<String>,
    job_states: Option<JobStates>,
    actions: Option<IndexMap<String, ActionEntry>>,
    run_tags: Option<Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ActionEntry {
    description: Option<String>,
    class: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct EnvironmentFile {
    python_version: Option<String>,
    packages: Option<IndexMap<String, Option<String>>>,
    editable_packages: Option<IndexMap<String, EditablePackage>>,
    projects: Option<Vec<GitRecord>>,
    run: Option<EnvironmentRun>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct EditablePackage {
    version: Option<String>,
    path: Option<String>,
    git: Option<GitRecord>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct EnvironmentRun {
    hostname: Option<String>,
    started_at: Option<String>,
    ended_at: Option<String>,
    status: Option<String>,
}

/// Joins `status.json`, `environment.json` and, while the run has not ended by itself, its events. Wrong
/// files are told in `errors`.
pub fn run_record(run: &Run, errors: &mut Vec<Error>) -> RunRecord {
    let path = run.path().join("status.json");
    let status = read_json_with(&path, errors, parse_status).unwrap_or_default();
    let environment: EnvironmentFile =
        read_json(&run.path().join("environment.json"), errors).unwrap_or_default();
    let ran = environment.run.unwrap_or_default();
    let run_id = status.run_id.filter(|id| !id.is_empty()).unwrap_or_else(|| run.id().to_owned());
    let actions =
        actions(run, &run_id, status.actions.unwrap_or_default(), status.ended_at.is_some(), errors);
    let mut moment = |text: Option<String>, field| read_moment(&text?, &path, field, errors);
    let started_at = moment(status.started_at.or(ran.started_at), "started_at");
    let ended_at = moment(status.ended_at.or(ran.ended_at), "ended_at");
    let (packages, git) = installed(
        environment.packages,
        environment.editable_packages.unwrap_or_default(),
        environment.projects,
    );
    RunRecord {
        status: status.status.or_else(|| ran.status.clone()).map(current_word),
        hostname: status.hostname.or(ran.hostname),
        started_at,
        ended_at,
        job_states: status.job_states.unwrap_or_default(),
        actions,
        run_tags: status.run_tags.unwrap_or_default(),
        python_version: environment.python_version,
        packages,
        git,
        alive: is_alive(run, ran.status.as_deref(), ended_at.is_some(), errors),
        outcome: ran.status,
        run_id,
    }
}

/// Parses the text of a status.json, which is mostly states of jobs.
fn parse_status(text: Vec<u8>) -> Result<StatusFile> {
    if let Some(found) = StatesInFile::find(&text)
        && let Ok(others) = json::from_slice(&found.others(&text))
    {
        return Ok(StatusFile { job_states: Some(found.in_text(text)), ..others });
    }
    json::from_slice(&text)
}

/// The identifiers of the actions that were added. Costs a glance at `status.json` where it says that there are none.
#[must_use]
pub fn action_ids(run: &Run) -> Vec<String> {
    if tells_of_none(&run.path().join("status.json")).unwrap_or(false) {
        return Vec::new();
    }
    run_record(run, &mut Vec::new()).actions.into_keys().collect()
}

/// Whether a `status.json` is the final one, which has all actions (before that, only the events have any), and has none.
fn tells_of_none(status: &Path) -> Result<bool> {
    let Some(file) = LinedFile::open_if_there(status)?.filter(|file| (1..=LARGEST).contains(&file.size()))
    else {
        return Ok(false);
    };
    let others = ["\"ended_at\": null", "\"ended_at\":null", "\"action_id\""].map(memmem::Finder::new);
    let mut blocks = file.lines(0..file.size());
    while let Some(lines) = blocks.more()? {
        if others.iter().any(|other| other.find(lines).is_some()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A driver that said how it ended is gone. A detached one leaves jobs that go on by themselves: nobody can
/// tell.
fn is_alive(run: &Run, outcome: Option<&str>, ended: bool, errors: &mut Vec<Error>) -> Option<bool> {
    match outcome {
        Some("detached") => None,
        Some(_) => Some(false),
        None if ended => Some(false),
        None => alive::alive(run, errors),
    }
}

/// The word of today for the status that an older version wrote.
fn current_word(status: String) -> String {
    match status.as_str() {
        "active" => "running".to_owned(),
        "completed" => "done".to_owned(),
        _ => status,
    }
}

fn read_moment(text: &str, file: &Path, field: &str, errors: &mut Vec<Error>) -> Option<Moment> {
    let moment = Moment::parse(text);
    if moment.is_none() {
        errors.push(Error::format(format!("{} is not a time", quoted(text))).at_file(file).at_field(field));
    }
    moment
}

/// The final `status.json` has all actions; one of a running or killed run has none, its events do.
fn actions(
    run: &Run,
    run_id: &str,
    stored: IndexMap<String, ActionEntry>,
    is_final: bool,
    errors: &mut Vec<Error>,
) -> IndexMap<String, ActionRecord> {
    let record = |description: Option<String>, class: Option<String>| {
        let class = class.unwrap_or_default();
        let class = class.strip_suffix(".XPMConfig").unwrap_or(&class).to_owned();
        ActionRecord { description: description.unwrap_or_default(), class }
    };
    let mut actions: IndexMap<_, _> =
        stored.into_iter().map(|(id, entry)| (id, record(entry.description, entry.class))).collect();
    if !is_final {
        for event in events::actions(run, run_id, errors) {
            actions.entry(event.action_id).or_insert_with(|| record(event.description, event.action_class));
        }
    }
    actions
}

/// The versions of all packages, and the git states of the projects and of the packages installed in place.
fn installed(
    packages: Option<IndexMap<String, Option<String>>>,
    editable: IndexMap<String, EditablePackage>,
    projects: Option<Vec<GitRecord>>,
) -> (IndexMap<String, String>, Vec<GitRecord>) {
    let mut versions: IndexMap<String, String> = packages
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(name, version)| Some((name, version?)))
        .collect();
    let mut git = projects.unwrap_or_default();
    for (name, package) in editable {
        if let Some(mut state) = package.git {
            state.path = state.path.or(package.path);
            state.package = Some(name.clone());
            git.push(state);
        }
        if let Some(version) = package.version {
            versions.entry(name).or_insert(version);
        }
    }
    (versions, git)
}
