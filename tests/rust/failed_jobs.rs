//! Failed jobs of a run: which ones, with which marker, log and blocker.

use std::fs;

use xpframe::failures::{JobFailure, failures};

use crate::lab::{Lab, RUN, TASK, object, to};

const LOG: &str = "ERROR:7:26-11-26 23:24:08 [xpm] Got exception while running
Traceback (most recent call last):
  File \"/code/ines/tasks.py\", line 12, in execute
    work()
ValueError: x
INFO:7:26-11-26 23:24:08 [xpm] Error handler: finished with code 1, reason=failed
";

fn of_run(lab: &Lab, jobs: &[(&str, &str)]) -> Vec<(usize, JobFailure)> {
    let (found, errors) = failures(&lab.load(RUN), jobs);
    assert_eq!(errors, []);
    found
}

#[test]
fn only_failed_jobs_are_told() {
    let lab = Lab::new();
    lab.jobs(RUN, &["a", "b", "c"]);
    lab.file(&format!("jobs/{TASK}/a/train.done"), "");
    lab.file(&format!("jobs/{TASK}/b/train.failed"), r#"{"code": 1, "reason": "failed"}"#);
    lab.file(&format!("jobs/{TASK}/b/train.err"), LOG);
    let found = of_run(&lab, &[(TASK, "a"), (TASK, "b"), (TASK, "c")]);
    assert_eq!(found.iter().map(|(position, _)| *position).collect::<Vec<_>>(), [1]);
    assert_eq!(found[0].1.location.as_deref(), Some("/code/ines/tasks.py:12 in execute"));
    assert!(found[0].1.log.as_ref().unwrap().ends_with("jobs/lab.train/b/train.err"));
}

#[test]
fn any_value_that_a_job_exits_with_keeps_the_reason() {
    for (code, wanted) in
        [("true", None), ("\"text\"", None), ("null", None), ("3", Some(3)), ("1e400", None), ("[1]", None)]
    {
        let lab = Lab::new();
        lab.jobs(RUN, &["a"]);
        lab.file(
            &format!("jobs/{TASK}/a/train.failed"),
            format!(r#"{{"code": {code}, "reason": "timeout"}}"#),
        );
        let found = of_run(&lab, &[(TASK, "a")]);
        assert_eq!((found[0].1.failure.as_str(), found[0].1.exit_code), ("TIMEOUT", wanted), "{code}");
    }
}

#[test]
fn a_log_that_cannot_be_read_is_an_error_and_not_the_end() {
    let lab = Lab::new();
    lab.jobs(RUN, &["a"]);
    lab.file(&format!("jobs/{TASK}/a/train.failed"), r#"{"code": 1, "reason": "failed"}"#);
    fs::create_dir_all(lab.path(&format!("jobs/{TASK}/a/train.err"))).unwrap();
    let (found, errors) = failures(&lab.load(RUN), &[(TASK, "a")]);
    assert_eq!(found.len(), 1);
    let refused = errors.iter().filter(|error| error.to_string().contains("is not a regular file"));
    assert!(refused.count() >= 1);
}

/// A chain of jobs, each of which takes the one before it.
#[test]
fn blocked_jobs_name_the_first_that_failed() {
    let lab = Lab::new();
    lab.jobs(RUN, &["a", "b", "c"]);
    let before = |id: i64| format!("\"before\":{}", to(id));
    let objects = [
        object(1, "train", "a", ""),
        object(2, "train", "b", &before(1)),
        object(3, "train", "c", &before(2)),
    ];
    lab.objects(RUN, &objects);
    lab.file(&format!("jobs/{TASK}/a/train.failed"), r#"{"code": 1, "reason": "failed"}"#);
    lab.file(&format!("jobs/{TASK}/a/train.err"), LOG);
    for job in ["b", "c"] {
        let status = r#"{"state": "unscheduled", "scheduler_state": "error", "scheduler_failure_reason": "DEPENDENCY"}"#;
        lab.file(&format!("jobs/{TASK}/{job}/.experimaestro/status.json"), status);
    }
    let found = of_run(&lab, &[(TASK, "c"), (TASK, "b"), (TASK, "a")]);
    let blockers: Vec<_> = found.iter().map(|(_, failure)| failure.blocked_by.as_deref()).collect();
    assert_eq!(blockers, [Some("a"), Some("a"), None]);
    assert!(found.iter().all(|(_, failure)| failure.cause_group == found[2].1.cause_group));
    let alone = of_run(&lab, &[(TASK, "c")]);
    assert_eq!(alone[0].1.cause_group, found[2].1.cause_group);
}
