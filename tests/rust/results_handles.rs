//! Handles: which files a name means.

use xpframe::results::{Handle, is_own};

/// Without `/`, `.` and `*` a handle is a parameter; places in the config are, too.
#[test]
fn names_and_places_are_parameters() {
    for name in ["logpath", "config.logpath", "listeners[*].info", "config.a.b"] {
        assert!(Handle::parse(name).is_ok_and(|handle| handle.is_parameter()), "{name}");
    }
    for name in ["metrics.json", "runs/**/events.out.tfevents.*", "*", "a/b"] {
        assert!(Handle::parse(name).is_ok_and(|handle| !handle.is_parameter()), "{name}");
    }
}

/// A pattern that is empty, absolute or leads out of the job's directory is refused.
#[test]
fn patterns_do_not_lead_out() {
    for name in ["", "/metrics.json", "../metrics.json", "a/../../b"] {
        assert!(Handle::parse(name).is_err(), "{name}");
    }
}

/// A path is the job's own if it lies below its directory by name.
#[test]
fn own_paths_lie_below_the_directory() {
    let directory = std::path::Path::new("/lab/jobs/task/a");
    for (path, own) in [
        ("/lab/jobs/task/a/x", true),
        ("x/y", true),
        ("/lab/jobs/task/a", false),
        ("/lab/jobs/task/a/../b/x", false),
        ("/lab/jobs/task/ab", false),
    ] {
        assert_eq!(is_own(directory, std::path::Path::new(path)), own, "{path}");
    }
}
