//! Why jobs fail: each kind of log in a small text.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use xpframe::failures::{HEAD_BYTES, JobFailure, Logs, TAIL_BYTES, explain, masked};
use xpframe::records::{ExitValue, JobEnding, State};

pub const JOB: &str = "0123456789abcdef0123456789abcdef";
pub const STARTS: &str = "ERROR:7:26-11-26 23:24:08 [xpm] Got exception while running\n";
pub const ENDS: &str = "INFO:7:26-11-26 23:24:08 [xpm] Error handler: finished with code 1, reason=failed
INFO:7:26-11-26 23:24:08 [xpm] Cleaning up
INFO:7:26-11-26 23:24:08 [xpm] Exiting
";
pub const RUNNER: &str = "Traceback (most recent call last):
  File \"/venv/lib/python3.11/site-packages/experimaestro/run.py\", line 58, in run
    task.execute()
";

pub fn ending(state: State, reason: &str) -> JobEnding {
    JobEnding {
        state,
        reason: Some(reason.to_owned()),
        message: None,
        exit: Some(ExitValue::Code(1)),
        is_marked: true,
        has_pid: false,
        directory: Some(PathBuf::from("jobs")),
    }
}

pub fn failed() -> JobEnding {
    ending(State::Error, "FAILED")
}

/// A job whose process left its pid file, and no marker.
pub fn killed() -> JobEnding {
    JobEnding { exit: None, is_marked: false, has_pid: true, ..failed() }
}

pub fn said(log: impl AsRef<[u8]>) -> JobFailure {
    explain("lab.tasks.train", JOB, &failed(), &Logs::of(Some(log.as_ref()), None))
}

/// The log of a task that raised what `text` prints, below one frame of experimaestro.
fn raised(text: &str) -> JobFailure {
    said(format!("INFO:7:26-11-26 23:24:08 [xpm] Running task\n{STARTS}{RUNNER}{text}\n{ENDS}"))
}

/// `location`, `exception`, `message`
pub fn told(failure: &JobFailure) -> (Option<&str>, Option<&str>, Option<&str>) {
    (failure.location.as_deref(), failure.exception.as_deref(), failure.message.as_deref())
}

pub const EXECUTE: &str = "  File \"/code/ines/tasks.py\", line 12, in execute\n    work()\n";
pub const AT: Option<&str> = Some("/code/ines/tasks.py:12 in execute");

#[test]
fn the_exception_stands_between_two_records() {
    let found = raised(&format!("{EXECUTE}lab.errors.Bad: no such thing"));
    assert_eq!(told(&found), (AT, Some("lab.errors.Bad"), Some("no such thing")));
    assert_eq!((found.failure.as_str(), found.exit_code), ("FAILED", Some(1)));
}

#[test]
fn a_message_of_several_lines_is_whole() {
    let found = raised(&format!("{EXECUTE}ValueError: first\n  second\n\nthird"));
    assert_eq!(told(&found), (AT, Some("ValueError"), Some("first\n  second\n\nthird")));
}

#[test]
fn a_class_alone_has_no_message() {
    assert_eq!(told(&raised(&format!("{EXECUTE}MemoryError"))), (AT, Some("MemoryError"), None));
}

#[test]
fn a_message_may_quote_a_traceback() {
    let quoted =
        "it said:\nTraceback (most recent call last):\n  File \"far.py\", line 1, in f\nKeyError: 'x'";
    assert_eq!(
        told(&raised(&format!("{EXECUTE}RuntimeError: {quoted}"))),
        (AT, Some("RuntimeError"), Some(quoted))
    );
}

#[test]
fn the_last_frame_outside_of_libraries_is_the_users() {
    for library in [
        "/opt/python/lib/python3.11/json/decoder.py",
        "/venv/lib/python3.12/site-packages/numpy/core.py",
        "/usr/lib/python3/dist-packages/yaml/loader.py",
        "<frozen importlib._bootstrap>",
        "<string>",
        "pandas/_libs/index.pyx",
    ] {
        let found = raised(&format!("{EXECUTE}  File \"{library}\", line 3, in inner\n    x\nValueError: y"));
        assert_eq!(found.location.as_deref(), AT, "{library}");
    }
}

#[test]
fn the_script_that_launches_a_job_is_not_the_users() {
    let script =
        format!("  File \"/ws/jobs/lab.tasks.train/{JOB}/train.py\", line 9, in <module>\n    run()\n");
    assert_eq!(raised(&format!("{script}ValueError: y")).location, None);
}

#[test]
fn the_package_of_the_task_is_the_users_where_it_is_installed() {
    let frame = "  File \"/venv/lib/python3.11/site-packages/lab/tasks.py\", line 5, in execute\n    f()\n";
    let found = raised(&format!("{frame}ValueError: y"));
    assert_eq!(
        found.location.as_deref(),
        Some("/venv/lib/python3.11/site-packages/lab/tasks.py:5 in execute")
    );
}

#[test]
fn an_experimaestro_in_a_checkout_is_a_library() {
    let log = format!(
        "{STARTS}Traceback (most recent call last):\n  File \"/src/experimaestro/run.py\", line 58, in run\n    x\n\
         {EXECUTE}  File \"/src/experimaestro/core/types.py\", line 2, in check\n    y\nTypeError: z\n{ENDS}"
    );
    assert_eq!(told(&said(log)), (AT, Some("TypeError"), Some("z")));
}

#[test]
fn a_chain_goes_back_to_its_root() {
    for link in [
        "The above exception was the direct cause of the following exception:",
        "During handling of the above exception, another exception occurred:",
    ] {
        let log = format!(
            "{STARTS}Traceback (most recent call last):\n{EXECUTE}KeyError: 'lr'\n\n{link}\n\n{RUNNER}{EXECUTE}\
             ValueError: second\n\n{link}\n\n{RUNNER}{EXECUTE}RuntimeError: third\nand more\n{ENDS}"
        );
        let found = said(log);
        assert_eq!(told(&found), (AT, Some("RuntimeError"), Some("third\nand more")));
        assert_eq!(found.cause.as_deref(), Some("KeyError: 'lr'"));
    }
}

#[test]
fn a_cause_that_was_never_raised_has_no_traceback() {
    let log = format!(
        "{STARTS}KeyError: 'lr'\n\nThe above exception was the direct cause of the following exception:\n\n\
         {RUNNER}{EXECUTE}ValueError: x\n{ENDS}"
    );
    let found = said(log);
    assert_eq!((told(&found).1, found.cause.as_deref()), (Some("ValueError"), Some("KeyError: 'lr'")));
}

#[test]
fn a_group_is_told_with_its_own_frame_and_first_member() {
    let log = format!(
        "{STARTS}  + Exception Group Traceback (most recent call last):
  |   File \"/code/ines/tasks.py\", line 12, in execute
  |     raise ExceptionGroup(\"several\", errors)
  | ExceptionGroup: several (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Exception Group Traceback (most recent call last):
    |   File \"/code/ines/tasks.py\", line 3, in inner
    |     x
    | ExceptionGroup: inner (1 sub-exception)
    +-+---------------- 1 ----------------
      | ValueError: one
      +------------------------------------
    +---------------- 2 ----------------
    | OSError: [Errno 28] No space left on device
    +------------------------------------
{ENDS}"
    );
    let found = said(log);
    assert_eq!(told(&found), (AT, Some("ExceptionGroup"), Some("several (2 sub-exceptions)")));
    assert_eq!(found.cause.as_deref(), Some("ValueError: one"));
}

#[test]
fn a_worker_process_is_quoted_in_its_error() {
    let log = format!(
        "{STARTS}concurrent.futures.process._RemoteTraceback: \n\"\"\"\nTraceback (most recent call last):\n  \
         File \"/code/ines/tasks.py\", line 3, in score\n    x\nKeyError: 'q'\n\"\"\"\n\n\
         The above exception was the direct cause of the following exception:\n\n{RUNNER}{EXECUTE}KeyError: 'q'\n{ENDS}"
    );
    let found = said(log);
    assert_eq!(told(&found), (AT, Some("KeyError"), Some("'q'")));
    assert_eq!(found.cause, None);
}

#[test]
fn a_syntax_error_names_a_line_and_no_function() {
    let found = raised(
        "  File \"/code/ines/edit.py\", line 7\n    def execute(self)\n                     ^\nSyntaxError: expected ':'",
    );
    assert_eq!(told(&found), (Some("/code/ines/edit.py:7"), Some("SyntaxError"), Some("expected ':'")));
}

#[test]
fn a_traceback_that_was_handled_earlier_is_not_the_reason() {
    let earlier = format!(
        "ERROR:7:26-11-26 23:24:00 [lab] no cache\nTraceback (most recent call last):\n{EXECUTE}OSError: old\n"
    );
    let later = "INFO:7:26-11-26 23:24:01 [lab] built it\n";
    let found = said(format!("{earlier}{later}{STARTS}{RUNNER}{EXECUTE}TypeError: new\n{ENDS}"));
    assert_eq!(told(&found).1, Some("TypeError"));
    assert_eq!(told(&said(format!("{earlier}{later}{ENDS}"))).1, None);
}

#[test]
fn a_task_may_log_its_traceback_and_exit() {
    let log = format!(
        "ERROR:7:26-11-26 23:24:00 [lab] failed\nTraceback (most recent call last):\n{EXECUTE}ValueError: x\n{ENDS}"
    );
    assert_eq!(told(&said(log)), (AT, Some("ValueError"), Some("x")));
}

#[test]
fn what_objects_say_at_their_end_is_not_the_reason() {
    let end = "Exception ignored in: <function Late.__del__ at 0x7fdf>\nTraceback (most recent call last):\n  \
               File \"/code/ines/tasks.py\", line 2, in __del__\n    x\nAttributeError: no handle\n";
    let found = said(format!("{STARTS}{RUNNER}{EXECUTE}ConnectionError: lost\n{ENDS}{end}"));
    assert_eq!(told(&found), (AT, Some("ConnectionError"), Some("lost")));
    assert_eq!(told(&said(format!("{ENDS}{end}"))).1, None);
}

#[test]
fn a_text_as_exit_code_hides_in_an_error_of_the_log() {
    let log = format!(
        "WARNING:7:26-11-26 23:24:00 [lab] quota\n--- Logging error ---\n{RUNNER}{EXECUTE}SystemExit: no GPU\n\n\
         During handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  \
         File \"/usr/lib/python3.11/logging/__init__.py\", line 1110, in emit\n    msg\nTypeError: %d format\n\
         Call stack:\n  File \"/venv/lib/python3.11/site-packages/experimaestro/run.py\", line 515, in handle_error\n    \
         logger.info(\"Error handler: finished with code %d\", code)\nMessage: 'x'\nArguments: ('no GPU',)\n"
    );
    let ending = JobEnding { exit: Some(ExitValue::Text("no GPU".into())), ..failed() };
    let found = explain("lab.train", JOB, &ending, &Logs::of(Some(log.as_bytes()), None));
    assert_eq!(told(&found), (AT, Some("SystemExit"), Some("no GPU")));
    assert_eq!(found.exit_code, None);
    let tail = found.tail.unwrap();
    assert!(tail.contains("quota") && !tail.contains("TypeError"), "{tail}");
}

#[test]
fn an_exit_value_alone_tells_a_system_exit() {
    let exit = |exit| {
        let ending = JobEnding { exit: Some(exit), ..failed() };
        explain("lab.train", JOB, &ending, &Logs::of(Some(ENDS.as_bytes()), None))
    };
    let text = exit(ExitValue::Text("no \u{1b}[31mGPU".into()));
    assert_eq!((told(&text), text.exit_code), ((None, Some("SystemExit"), Some("no GPU")), None));
    let code = exit(ExitValue::Code(3));
    assert_eq!((told(&code), code.exit_code), ((None, None, None), Some(3)));
}

#[test]
fn the_standard_output_is_read_where_the_other_log_is_silent() {
    let out = format!("Traceback (most recent call last):\n{EXECUTE}ValueError: out\n");
    let found = explain("lab.train", JOB, &failed(), &Logs::of(Some(ENDS.as_bytes()), Some(out.as_bytes())));
    assert_eq!(told(&found), (AT, Some("ValueError"), Some("out")));
    assert_eq!(found.log, Some(PathBuf::from("job.out")));
}

#[test]
fn an_uncaught_exception_ends_at_the_cleaning() {
    let log = format!(
        "Traceback (most recent call last):\n  File \"/ws/jobs/lab.tasks.train/{JOB}/train.py\", line 18, in <module>\n    \
         TaskRunner('x', locks).run()\n{EXECUTE}lab.Stop: one\n\ntwo\nINFO:7:26-11-26 23:24:16 [xpm] Cleaning up\n"
    );
    let ending = JobEnding { exit: None, is_marked: false, ..failed() };
    let found = explain("lab.tasks.train", JOB, &ending, &Logs::of(Some(log.as_bytes()), None));
    assert_eq!(
        (found.failure.as_str(), told(&found)),
        ("FAILED", (AT, Some("lab.Stop"), Some("one\n\ntwo")))
    );
}

#[test]
fn boxes_of_rich_are_read() {
    let log = "╭──────── Traceback (most recent call last) ────────╮
│ /code/ines/tasks.py:12 in execute                │
│                                                  │
│   11 │   │   a                                   │
│ ❱ 12 │   │   raise ValueError(                   │
│ ╭── locals ──╮                                   │
│ │ n = 3      │                                   │
│ ╰────────────╯                                   │
╰──────────────────────────────────────────────────╯
ValueError: a message that is so long that rich wraps
it
";
    let found = said(format!("{log}{ENDS}"));
    assert_eq!(told(&found), (AT, Some("ValueError"), Some("a message that is so long that rich wraps it")));
    assert!(!found.tail.unwrap().contains('│'));
}

#[test]
fn a_handler_of_rich_wraps_paths_and_messages() {
    let log = "[11/26/26 23:24:27] INFO     on                       tasks.py:303
                    ERROR    Got exception while running              run.py:748
                             ╭─ Traceback (most recent call last) ──╮           
                             │ /lab/home/ines/ranker/ranker/tasks.p │           
                             │ y:304 in execute                     │           
                             │                                      │           
                             │ ❱ 304 │   │   │   raise ArithmeticEr │           
                             ╰──────────────────────────────────────╯           
                             ArithmeticError: negative variance at              
                             layer 1                                            
[11/26/26 23:24:28] INFO     Error handler: finished with code 1,     run.py:515
                             reason=failed                                      
                    INFO     Cleaning up                              run.py:439
";
    let found = said(log);
    let location = Some("/lab/home/ines/ranker/ranker/tasks.py:304 in execute");
    assert_eq!(told(&found), (location, Some("ArithmeticError"), Some("negative variance at layer 1")));
}

#[test]
fn records_may_have_any_format() {
    let text = format!("{RUNNER}{EXECUTE}ValueError: \"x\" is é\n");
    let starts = "2026-11-26 23:24:08,123 | ERROR    | xpm - Got exception while running\n";
    let ends =
        "2026-11-26 23:24:08,123 | INFO     | xpm - Error handler: finished with code 1, reason=failed\n";
    assert_eq!(told(&said(format!("{starts}{text}{ends}"))), (AT, Some("ValueError"), Some("\"x\" is é")));
    let escaped = text.replace('"', "\\\"").replace('\n', "\\n").replace('é', "\\u00e9");
    let json = format!(
        "{{\"level\": \"ERROR\", \"exc_info\": \"{escaped}\", \"msg\": \"Got exception while running\"}}\n\
         {{\"level\": \"INFO\", \"msg\": \"Error handler: finished with code 1\"}}\n"
    );
    assert_eq!(told(&said(json)), (AT, Some("ValueError"), Some("\"x\" is é")));
}

#[test]
fn colours_and_progress_bars_are_not_text() {
    let log = format!(
        "\rtrain: 1%\rtrain: 2%{STARTS}Traceback (most recent call last):\r\n  File \u{1b}[36m\"/code/ines/tasks.py\"\u{1b}[39;49;00m, \
         line \u{1b}[34m12\u{1b}[0m, in execute\n\u{1b}]0;title\u{7}\u{1b}[91mEOFError\u{1b}[0m: too \u{202e}early\u{0}\n{ENDS}"
    );
    assert_eq!(told(&said(log)), (AT, Some("EOFError"), Some("too early")));
}

#[test]
fn bytes_that_are_no_text_are_shown_as_escapes() {
    let log =
        [STARTS.as_bytes(), RUNNER.as_bytes(), EXECUTE.as_bytes(), b"OSError: caf\xe9\n", ENDS.as_bytes()];
    assert_eq!(told(&said(log.concat())).2, Some("caf\\xe9"));
}

#[test]
fn the_end_of_a_long_traceback_is_enough() {
    let frames = "  File \"/code/ines/tasks.py\", line 9, in walk\n    self.walk()\n".repeat(3_000);
    let log = format!(
        "{STARTS}{RUNNER}{EXECUTE}KeyError: 'root'\n\nDuring handling of the above exception, another exception occurred:\n\n\
         {RUNNER}{frames}{EXECUTE}RecursionError: too deep\n{ENDS}"
    );
    assert!(log.len() > HEAD_BYTES + TAIL_BYTES);
    let found = said(log);
    assert_eq!(told(&found), (AT, Some("RecursionError"), Some("too deep")));
    assert_eq!(found.cause.as_deref(), Some("KeyError: 'root'"));
}

#[test]
fn hostile_logs_are_read_in_bounded_time() {
    let escapes = "\u{1b}[".repeat(30_000);
    let nested = "Traceback (most recent call last):\n".repeat(2_000);
    let groups = (0..400).map(|depth| " ".repeat(2 * depth) + "+-+---- 1 ----\n").collect::<String>();
    let links = "\n\nDuring handling of the above exception, another exception occurred:\n\n".repeat(900);
    for log in [
        vec![0; 1 << 20],
        vec![b'\r'; 1 << 20],
        vec![b'x'; 1 << 20],
        vec![0xff; 1 << 20],
        escapes.into_bytes(),
        nested.into_bytes(),
        format!("  + Exception Group Traceback (most recent call last):\n{groups}").into_bytes(),
        format!("{STARTS}{RUNNER}{EXECUTE}E: x{links}").into_bytes(),
        "\u{1b}]0;".repeat(20_000).into_bytes(),
        "╭─ Traceback (most recent call last) ─╮\n".repeat(1_500).into_bytes(),
        "1.".repeat(40_000).into_bytes(),
    ] {
        let started = Instant::now();
        let found = said(&log);
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", &log[..20]);
        let shown = format!("{:?}{:?}", found.message, found.tail);
        assert!(!shown.contains("\\u{1b}") && !shown.contains("\\0") && !shown.contains("\\r"));
    }
}

#[test]
fn one_cause_has_one_group_whatever_its_numbers() {
    let group = |message: &str| raised(&format!("{EXECUTE}ValueError: {message}")).cause_group;
    let first =
        group("nan in step 17 (lr=0.1) of /scratch/a1/dump.pt, 0x7f3a, 00000010-0000-0000-0000-00000000d889");
    let other =
        group("nan in step 9 (lr=2e-05) of /scratch/b/x/dump.pt, 0x1, 0000001f-0000-0000-0000-00000000d889");
    assert_eq!(first, other);
    assert_ne!(group("batch 2 is empty"), group("batch 2 is full"));
    assert_ne!(
        first,
        raised("  File \"/code/ines/tasks.py\", line 13, in f\n    x\nValueError: nan").cause_group
    );
}

#[test]
fn the_task_tells_causes_apart_only_where_nothing_else_does() {
    let group = |task: &str| explain(task, JOB, &killed(), &Logs::default()).cause_group;
    assert_ne!(group("lab.train"), group("lab.encode"));
    let log = format!("{STARTS}{RUNNER}{EXECUTE}ValueError: x\n{ENDS}");
    let group = |task: &str| explain(task, JOB, &failed(), &Logs::of(Some(log.as_bytes()), None)).cause_group;
    assert_eq!(group("lab.train"), group("lab.encode"));
}

#[test]
fn masks_hide_what_differs_from_job_to_job() {
    for (message, mask) in [
        ("not -2.5", "not #"),
        ("cuda:2 (pointer 0x7f3a00002000)", "cuda:# (pointer #)"),
        ("'doc105' in fold-0", "'doc#' in fold-#"),
        ("expected (3, 4), got (3,)", "expected (#), got (#)"),
        ("in /a/b.bin: gone", "in <path>: gone"),
        ("https://example.org/x?y=1 is down", "<path> is down"),
        ("commit deadbeef12 and/or feedback", "commit # and/or feedback"),
        ("10.0.0.7:5432", "#"),
    ] {
        assert_eq!(masked(message), mask, "{message}");
    }
}

#[test]
fn sizes_of_memory_are_one_cause() {
    let torch = |size: &str, gpu: u32| {
        masked(&format!("CUDA out of memory. Tried to allocate {size}. GPU {gpu} has 1.12 GiB free."))
    };
    assert_eq!(torch("2.00 GiB", 0), torch("512.00 MiB", 1));
    assert_eq!(masked("4 Bees, 3 MBit, 5kB and 1 B"), "# Bees, # MBit, # and #");
}

#[test]
fn a_message_may_be_longer_than_what_is_read() {
    let line = "x".repeat(200_000);
    let found = raised(&format!("{EXECUTE}ValueError: {line}"));
    let message = found.message.as_deref().unwrap_or_default();
    assert_eq!((found.location.as_deref(), found.exception.as_deref()), (AT, Some("ValueError")));
    assert!(
        message.starts_with("xxx") && message.ends_with('…') && message.len() < HEAD_BYTES,
        "{}",
        message.len()
    );
    let lines = "a line of the message\n".repeat(20_000);
    let found = raised(&format!("{EXECUTE}lab.errors.Many: first\n{lines}"));
    assert_eq!((found.location.as_deref(), found.exception.as_deref()), (AT, Some("lab.errors.Many")));
    // the tail may be of another exception, which followed
    let cause = format!(
        "{EXECUTE}ValueError: {line}\n\nDuring handling of the above exception, another exception occurred:\n\n"
    );
    let found = raised(&format!("{cause}{RUNNER}{EXECUTE}KeyError: 'b'"));
    assert_eq!(found.exception.as_deref(), Some("KeyError"));
}
