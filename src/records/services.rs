//! The services that a run added, as a board of metrics: what `status.json` and the events say of them.

use indexmap::IndexMap;

use super::events;
use super::run::RunRecord;
use crate::file;
use crate::json::{JsonType, Reader, Syntax, without_bom};
use crate::values::{self, Plain, Record, Store, Value};
use crate::workspace::Run;

/// A service of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// What its `description()` gave in the driver
    pub description: String,
    /// Its class, `module.Class`
    pub class: String,
    /// `STOPPED`, `RUNNING` …; empty where the files do not say
    pub state: String,
    /// Where it answers, while it runs
    pub url: Option<String>,
    /// What the service needs to be started again; paths are `{"__path__": "…"}`
    pub settings: Option<Record>,
}

/// The services of a run by identifier, and the store of their settings.
#[derive(Debug, Clone, Default)]
pub struct Services {
    /// What the settings point into
    pub store: Store,
    /// The services, in the order in which they were added
    pub services: IndexMap<String, Service>,
}

/// Reads the services of a run: the final `status.json` has all; before it is written, the events have them. Files that cannot
/// be read are passed over: the record of the run reports them.
#[must_use]
pub fn services(run: &Run, record: &RunRecord) -> Services {
    let mut services = Services::default();
    if let Ok(Some(bytes)) = file::read_small(&run.path().join("status.json")) {
        // what stands before an error was read
        let _ = services.read_status(without_bom(&bytes));
    }
    if record.ended_at.is_none() {
        events::each_line(run, "Service", &mut Vec::new(), |line| {
            Ok(services.read_event(line, &record.run_id)?)
        });
    }
    services
}

impl Services {
    fn read_status(&mut self, bytes: &[u8]) -> Result<(), Syntax> {
        Reader::new(bytes).entries(|reader, key| {
            if key.raw != b"services" || reader.peek()? != JsonType::Dict {
                return reader.skip();
            }
            reader.entries(|reader, id| {
                let id = String::from_utf8_lossy(&id.decoded()?).into_owned();
                if let Value::Dict(entry) = values::read(reader, &mut self.store, &mut Plain)? {
                    self.services.insert(id, self.service(entry, "class"));
                }
                Ok::<(), Syntax>(())
            })
        })
    }

    /// Takes an event of this run. Experimaestro leaves the run out of the event that adds a service.
    fn read_event(&mut self, line: &[u8], run_id: &str) -> Result<(), Syntax> {
        let Value::Dict(event) = values::read(&mut Reader::new(line), &mut self.store, &mut Plain)? else {
            return Ok(());
        };
        let of_run = self.text(event, "run_id").is_none_or(|id| id.is_empty() || id == run_id);
        let (kind, id) = (self.text(event, "event_type"), self.text(event, "service_id"));
        match (kind.as_deref(), id) {
            (Some("ServiceAddedEvent"), Some(id)) if of_run => {
                self.services.insert(id, self.service(event, "service_class"));
            }
            (Some("ServiceStateChangedEvent"), Some(id)) if of_run => {
                let state = self.text(event, "state");
                if let (Some(service), Some(state)) = (self.services.get_mut(&id), state) {
                    service.state = state;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn service(&self, entry: Record, class: &str) -> Service {
        Service {
            description: self.text(entry, "description").unwrap_or_default(),
            class: self.text(entry, class).unwrap_or_default(),
            state: self.text(entry, "state").unwrap_or_default(),
            url: self.text(entry, "url"),
            settings: match self.value(entry, "state_dict") {
                Some(Value::Dict(settings)) => Some(settings),
                _ => None,
            },
        }
    }

    fn value(&self, entry: Record, name: &str) -> Option<Value> {
        let symbol = self.store.find_symbol(name.as_bytes())?;
        self.store.entries(entry).find(|&(key, _)| key == symbol).map(|(_, value)| value)
    }

    fn text(&self, entry: Record, name: &str) -> Option<String> {
        match self.value(entry, name)? {
            Value::Str(text) => Some(self.store.text(text).0.into_owned()),
            _ => None,
        }
    }
}
