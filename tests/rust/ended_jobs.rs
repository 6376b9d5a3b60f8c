//! Why jobs ended without an exception of theirs: killed, by a batch system, in a crash, or before their code began.

use xpframe::failures::{Logs, explain};
use xpframe::records::{JobEnding, State};

use super::failures::{AT, ENDS, EXECUTE, JOB, RUNNER, STARTS, ending, killed, said, told};

#[test]
fn a_process_that_left_only_its_pid_file_was_killed() {
    let log = b"INFO:7:26-11-26 23:24:00 [xpm] Running task\nstep 1\rstep 2\r";
    let found = explain("lab.train", JOB, &killed(), &Logs::of(Some(log), None));
    assert_eq!((found.failure.as_str(), told(&found)), ("KILLED", (None, None, None)));
    assert_eq!(found.tail.as_deref(), Some("step 2"));
    let lost = JobEnding { state: State::Lost, reason: None, ..killed() };
    assert_eq!(explain("lab.train", JOB, &lost, &Logs::default()).failure, "KILLED");
    let waited = JobEnding { has_pid: false, ..lost };
    assert_eq!(explain("lab.train", JOB, &waited, &Logs::default()).failure, "LOST");
}

#[test]
fn a_scheduler_that_knows_more_is_believed() {
    let memory = JobEnding { reason: Some("MEMORY".into()), ..killed() };
    assert_eq!(explain("lab.train", JOB, &memory, &Logs::default()).failure, "MEMORY");
    let timeout = JobEnding { message: Some("42 s left".into()), ..ending(State::Error, "TIMEOUT") };
    let handled = format!("Traceback (most recent call last):\n{EXECUTE}OSError: old\n{ENDS}");
    let found = explain("lab.train", JOB, &timeout, &Logs::of(Some(handled.as_bytes()), None));
    assert_eq!((found.failure.as_str(), told(&found)), ("TIMEOUT", (None, None, Some("42 s left"))));
}

#[test]
fn a_batch_system_says_why_it_ended_a_job() {
    let slurm = "slurmstepd: error: *** JOB 12 ON node42 CANCELLED AT 2026-11-23T07:18:02";
    let oom = "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=12.batch. Some of your processes may have been killed";
    for (line, failure, message) in [
        (
            format!("{slurm} DUE TO TIME LIMIT ***"),
            "TIMEOUT",
            "JOB 12 ON node42 CANCELLED AT 2026-11-23T07:18:02 DUE TO TIME LIMIT",
        ),
        (
            format!("{slurm} DUE TO NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS ***"),
            "KILLED",
            "JOB 12 ON node42 CANCELLED AT 2026-11-23T07:18:02 DUE TO NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS",
        ),
        (format!("{slurm} ***"), "CANCELLED", "JOB 12 ON node42 CANCELLED AT 2026-11-23T07:18:02"),
        (oom.to_owned(), "MEMORY", oom.strip_prefix("slurmstepd: error: ").expect("it begins so")),
        (
            "slurmstepd: error: Exceeded step memory limit at some point.".to_owned(),
            "MEMORY",
            "Exceeded step memory limit at some point.",
        ),
        ("srun: error: n1: task 0: Out Of Memory".to_owned(), "MEMORY", "n1: task 0: Out Of Memory"),
        ("srun: error: bloom1: task 0: Bus error".to_owned(), "KILLED", "bloom1: task 0: Bus error"),
        (
            "slurmstepd: error: Detected 2 oom_kill events in StepId=7.0. Some of the step tasks have been OOM Killed.".to_owned(),
            "MEMORY",
            "Detected 2 oom_kill events in StepId=7.0. Some of the step tasks have been OOM Killed.",
        ),
        (
            "=>> PBS: job killed: walltime 3620 exceeded limit 3600".to_owned(),
            "TIMEOUT",
            "walltime 3620 exceeded limit 3600",
        ),
        (
            "TERM_RUNLIMIT: job killed after reaching LSF run time limit.".to_owned(),
            "TIMEOUT",
            "job killed after reaching LSF run time limit.",
        ),
    ] {
        let log = format!("epoch 1\r 10%|#   | 1/10{line}\nsrun: Job step aborted\n");
        let found = explain("lab.train", JOB, &killed(), &Logs::of(Some(log.as_bytes()), None));
        assert_eq!((found.failure.as_str(), found.message.as_deref()), (failure, Some(message)));
        let only_output = explain("lab.train", JOB, &killed(), &Logs::of(Some(b""), Some(log.as_bytes())));
        assert_eq!(only_output.message, found.message);
    }
    // a marker of SIGTERM does not know why; an exception of the job does
    let told = JobEnding {
        message: Some("Job terminated by SIGTERM".to_owned()),
        ..ending(State::Error, "CANCELLED")
    };
    let log = format!("{slurm} DUE TO TIME LIMIT ***\n");
    assert_eq!(explain("lab.train", JOB, &told, &Logs::of(Some(log.as_bytes()), None)).failure, "TIMEOUT");
    let found = said(format!("{STARTS}{RUNNER}{EXECUTE}ValueError: no\n{ENDS}{log}"));
    assert_eq!((found.failure.as_str(), found.message.as_deref()), ("FAILED", Some("no")));
}

#[test]
fn one_group_for_one_limit() {
    let group = |node: u32| {
        let line = format!(
            "slurmstepd: error: *** JOB {node} ON node{node} CANCELLED AT 2026-11-{node}T07:18:02 DUE TO TIME LIMIT ***"
        );
        explain("lab.train", JOB, &killed(), &Logs::of(Some(line.as_bytes()), None)).cause_group
    };
    assert_eq!(group(12), group(27));
}

#[test]
fn the_runtime_of_other_languages_says_why_it_aborted() {
    let log = "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n";
    let found = explain("lab.train", JOB, &killed(), &Logs::of(Some(log.as_bytes()), None));
    let message = "terminate called after throwing an instance of 'std::bad_alloc': std::bad_alloc";
    assert_eq!((found.failure.as_str(), found.message.as_deref()), ("KILLED", Some(message)));
}

#[test]
fn a_launch_script_that_fails_was_not_killed() {
    let log = "Traceback (most recent call last):\n  File \"/ws/jobs/lab.train/ab/train.py\", line 3, in <module>\n    from experimaestro.run import TaskRunner\nModuleNotFoundError: No module named 'experimaestro'\n";
    let found = explain("lab.train", JOB, &killed(), &Logs::of(Some(log.as_bytes()), None));
    assert_eq!((found.failure.as_str(), found.exception.as_deref()), ("FAILED", Some("ModuleNotFoundError")));
    // one that the task logged itself, before it was killed
    let log = log.replace("/ws/jobs/lab.train/ab/train.py", "/code/loop.py");
    assert_eq!(explain("lab.train", JOB, &killed(), &Logs::of(Some(log.as_bytes()), None)).failure, "KILLED");
}

#[test]
fn a_crash_of_the_interpreter_tells_its_innermost_frame() {
    let log = "Fatal Python error: Segmentation fault\n\nCurrent thread 0x00007f14 (most recent call first):\n  \
               File \"/usr/lib/python3.11/ctypes/__init__.py\", line 519 in string_at\n  \
               File \"/code/ines/tasks.py\", line 12 in execute\n  File \"/code/ines/main.py\", line 1 in <module>\n";
    let found = explain("lab.train", JOB, &killed(), &Logs::of(Some(log.as_bytes()), None));
    assert_eq!(told(&found), (AT, None, Some("Fatal Python error: Segmentation fault")));
}

#[test]
fn the_thread_that_crashed_is_shown() {
    let log = "Fatal Python error: Segmentation fault\n\nThread 0x1 (most recent call first):\n  File \"/code/other.py\", line 9 in wait\n\nCurrent thread 0x2 (most recent call first):\n  File \"/code/crash.py\", line 7 in native\n  File \"/code/crash.py\", line 2 in execute\n\nExtension modules: numpy\n";
    let found = explain("lab.train", JOB, &killed(), &Logs::of(Some(log.as_bytes()), None));
    assert_eq!(found.location.as_deref(), Some("/code/crash.py:7 in native"));
}
