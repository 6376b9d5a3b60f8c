//! A workspace that tests write file by file, and short words for what was read of it.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use xpframe::loaded::LoadedRun;
use xpframe::objects::{Graph, Object};
use xpframe::progress::CancelToken;
use xpframe::values::{ObjectIx, Value};
use xpframe::workspace::Workspace;

pub const RUN: &str = "20260101_000000";
pub const TASK: &str = "lab.train";

/// A workspace with runs of the experiment `grid`, grown file by file.
pub struct Lab(TempDir);

impl Lab {
    pub fn new() -> Self {
        let lab = Self(tempfile::tempdir().unwrap());
        lab.file(".__experimaestro__", "");
        lab
    }

    /// A workspace whose run has these jobs, and these lines in its objects.jsonl.
    pub fn with(jobs: &[&str], lines: &[String]) -> Self {
        let lab = Self::new();
        lab.jobs(RUN, jobs);
        lab.objects(RUN, lines);
        lab
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub fn run_file(&self, run: &str, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        self.file(&format!("experiments/grid/{run}/{name}"), content)
    }

    /// The jobs of a run, each one `id`, or `id task tags` with the tags as JSON.
    pub fn jobs(&self, run: &str, jobs: &[&str]) -> PathBuf {
        let line = |job: &&str| {
            let mut parts = job.splitn(3, ' ');
            let (id, task) = (parts.next().unwrap(), parts.next().unwrap_or(TASK));
            let tags = parts.next().unwrap_or("{}");
            format!(
                "{{\"job_id\": \"{id}\", \"task_id\": \"{task}\", \"tags\": {tags}, \"timestamp\": 1767225600.5}}\n"
            )
        };
        self.run_file(run, "jobs.jsonl", jobs.iter().map(line).collect::<String>())
    }

    pub fn objects(&self, run: &str, lines: &[String]) -> PathBuf {
        self.run_file(run, "objects.jsonl", lines.join("\n") + "\n")
    }

    /// The params.json of a job of the usual task.
    pub fn params(&self, job: &str, content: impl AsRef<[u8]>) -> PathBuf {
        self.file(&format!("jobs/{TASK}/{job}/params.json"), content)
    }

    pub fn load(&self, run: &str) -> LoadedRun {
        let run = Workspace::open(self.0.path()).unwrap().run("grid", run).unwrap();
        LoadedRun::new(run, CancelToken::default())
    }

    /// The usual run, in which nothing may be wrong.
    pub fn good(&self) -> LoadedRun {
        let loaded = self.load(RUN);
        loaded.read(true);
        assert_eq!(loaded.errors(), []);
        loaded
    }

    /// What is wrong in what was read of a run, with paths relative to the workspace.
    pub fn told(&self, loaded: &LoadedRun) -> Vec<String> {
        let root = format!("{}/", self.0.path().display());
        loaded.errors().iter().map(|error| error.to_string().replace(&root, "")).collect()
    }
}

/// An object definition; `fields` is what stands between its braces.
pub fn object(id: i64, class: &str, identifier: &str, fields: &str) -> String {
    object_with(id, class, identifier, "", fields)
}

/// An object definition with more keys, as `"task":2,`.
pub fn object_with(id: i64, class: &str, identifier: &str, more: &str, fields: &str) -> String {
    format!(
        "{{\"id\":{id},\"module\":\"lab\",\"type\":\"{class}\",\"typename\":\"lab.{class}\",\
         \"identifier\":\"{identifier}\",{more}\"fields\":{{{fields}}}}}"
    )
}

/// A reference to an object.
pub fn to(id: i64) -> String {
    format!("{{\"type\":\"python\",\"value\":{id}}}")
}

/// The text of a params.json.
pub fn params_of(objects: &[String]) -> String {
    format!("{{\"workspace\": \"/elsewhere\", \"version\": 3, \"objects\": [{}]}}", objects.join(", "))
}

/// A value in short: `@` before the identifier of a config, the kind before what is not JSON.
pub fn shown(graph: &Graph, value: Value) -> String {
    let store = &graph.store;
    let list = |items| store.items(items).map(|item| shown(graph, item)).collect::<Vec<_>>().join(", ");
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::BigInt(digits) => format!("big {}", store.text(digits).0),
        Value::Float(value) => format!("{value:?}"),
        Value::Str(text) => format!("{:?}", store.text(text).0),
        Value::Path(text) => format!("path {}", store.text(text).0),
        Value::Enum(member) => {
            let member = store.enum_member(member).unwrap();
            let [module, class, name] = [member.module, member.class, member.name].map(|it| store.symbol(it));
            format!("enum {module}:{class}.{name}")
        }
        Value::List(items) => format!("[{}]", list(items)),
        Value::Set(items) => format!("set [{}]", list(items)),
        Value::Dict(record) => {
            let entry = |(key, value)| format!("{}: {}", store.symbol(key), shown(graph, value));
            format!("{{{}}}", store.entries(record).map(entry).collect::<Vec<_>>().join(", "))
        }
        Value::Object(at) => format!("@{}", graph.identifier(at)),
        Value::Unresolved(at) => format!("missing {}", store.unresolved(at).id),
    }
}

pub fn fields(graph: &Graph, at: ObjectIx) -> String {
    shown(graph, Value::Dict(graph.object(at).fields))
}

/// The fields of the config of a job.
pub fn config(loaded: &LoadedRun, job: &str) -> String {
    let at = loaded.job(job).unwrap_or_else(|| panic!("{job} has no config"));
    fields(&loaded.objects().graph, at)
}

pub fn definition<'l>(loaded: &'l LoadedRun, job: &str) -> &'l Object {
    loaded.objects().graph.object(loaded.job(job).unwrap())
}

/// The jobs that have a config, in experimaestro's order.
pub fn order(loaded: &LoadedRun) -> Vec<String> {
    let rows = loaded.rows();
    loaded.objects().order.iter().map(|&at| rows.job_id(&rows.rows[at]).into_owned()).collect()
}
