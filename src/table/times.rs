//! Where the times of jobs come from: files hold most of them without a zone.

use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef};

use crate::columns::System;
use crate::records::{Moment, Zone};

/// The key of the metadata of a column of times that says where they come from.
const KEY: &str = "xpframe.zone";

/// What dates the local times of some jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeSources {
    /// The offset of the clock that wrote a time, as other files show it
    recorded: bool,
    /// The zone of this machine
    assumed: bool,
}

impl TimeSources {
    /// What dates some times.
    pub(super) fn of(moments: impl Iterator<Item = Option<Moment>>) -> Self {
        moments.flatten().fold(Self::default(), |sources, moment| match moment {
            Moment::Naive(_) => Self { assumed: true, ..sources },
            Moment::Local(..) | Moment::Utc(_) => Self { recorded: true, ..sources },
        })
    }

    /// What dates these times and others.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { recorded: self.recorded || other.recorded, assumed: self.assumed || other.assumed }
    }

    /// The field of a column, which says in its metadata where its times come from if it has any.
    #[must_use]
    pub fn note(self, field: &FieldRef, system: System, zone: &Zone) -> FieldRef {
        let source = match (system, zone.name(), self) {
            // jobs.jsonl has it in UTC
            (System::SubmittedAt, ..) => "recorded".to_owned(),
            (System::StartedAt | System::EndedAt | System::DurationS, Some(name), _) => name,
            (System::StartedAt | System::EndedAt | System::DurationS, None, Self { recorded, assumed }) => {
                match (recorded, assumed) {
                    (true, false) => "recorded".to_owned(),
                    (false, true) => "assumed".to_owned(),
                    (true, true) => "recorded, assumed".to_owned(),
                    (false, false) => return Arc::clone(field),
                }
            }
            _ => return Arc::clone(field),
        };
        let mut metadata = field.metadata().clone();
        metadata.insert(KEY.to_owned(), source);
        Arc::new(Field::clone(field).with_metadata(metadata))
    }
}
