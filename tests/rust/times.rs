//! Local times, and what tells how far their clock was ahead of UTC.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use xpframe::records::{JobStatus, Moment, Zone};

use crate::tree::{RUN, Tree};

/// 2025-11-02T05:30:00Z: 01:30 in New York, half an hour before the clocks go back.
const BEFORE: i64 = 1_762_061_400;
const HOUR: i64 = 3600;

fn utc(moment: Option<Moment>, zone: &str) -> i64 {
    moment.unwrap().to_utc(&if zone.is_empty() { Zone::local() } else { Zone::named(zone).unwrap() })
        / 1_000_000
}

/// What a clock that is `ahead` of UTC shows, as a file has it.
fn local(utc: i64, ahead: i64) -> String {
    let text = jiff_text(utc + ahead);
    format!("\"{text}\"")
}

fn jiff_text(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400);
    let clock = seconds.rem_euclid(86_400);
    // days since 1970 to a date (Howard Hinnant's civil_from_days)
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = yoe + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.250000",
        clock / 3600,
        clock / 60 % 60,
        clock % 60
    )
}

fn set_time(path: &Path, seconds: i64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs());
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

/// A done job: status.json in local time, its marker, and its events if `has_events`.
fn job(tree: &Tree, start: (i64, i64), end: (i64, i64), marker: i64, has_events: bool) -> JobStatus {
    let (started, ended) = (local(start.0, start.1), local(end.0, end.1));
    tree.job_status(
        "a",
        &format!(r#"{{"state": "done", "started_time": {started}, "ended_time": {ended}}}"#),
    );
    let event = |time: i64, key: &str, text: &str| {
        format!("{{\"timestamp\":{time}.25,\"{key}\":{text},\"event_type\":\"JobStateChangedEvent\"}}\n")
    };
    if has_events {
        let lines = event(start.0, "started_time", &started) + &event(end.0, "ended_time", &ended);
        tree.job_file("a", ".experimaestro/events/event-0.jsonl", &lines);
    }
    set_time(&tree.job_file("a", "train.done", ""), marker);
    tree.job("a")
}

fn run_began(tree: &Tree, utc: i64, ahead: i64) {
    let line = format!(
        "{{\"timestamp\":{utc}.5,\"submitted_time\":{},\"run_id\":\"{RUN}\",\"event_type\":\"ExperimentJobStateEvent\"}}\n",
        local(utc, ahead)
    );
    tree.run_file("events/event-0.jsonl", &line);
}

/// Events date both ends of a job that ran while the clocks went back, though its local times run backwards.
#[test]
fn a_job_over_the_end_of_summer_time_has_its_duration() {
    let tree = Tree::new();
    run_began(&tree, BEFORE - HOUR, -4 * HOUR);
    let end = BEFORE + 45 * 60;
    let status = job(&tree, (BEFORE, -4 * HOUR), (end, -5 * HOUR), end, true);
    assert_eq!((utc(status.started_at, ""), utc(status.ended_at, "")), (BEFORE, end));
}

/// Events date a job though its marker lost its time in a copy.
#[test]
fn markers_that_lost_their_times_date_nothing() {
    let tree = Tree::new();
    let end = BEFORE + HOUR;
    let status = job(&tree, (BEFORE, 9 * HOUR), (end, 9 * HOUR), end + 86_400 + 777, true);
    assert_eq!((utc(status.started_at, ""), utc(status.ended_at, "")), (BEFORE, end));
}

/// Without events of the job, the marker's time and the run's events tell.
#[test]
fn markers_and_the_run_date_a_job_without_events() {
    for (has_run, marker_is_right) in [(true, true), (true, false), (false, true)] {
        let tree = Tree::new();
        if has_run {
            run_began(&tree, BEFORE - 60, 20_700);
        }
        let end = BEFORE + HOUR;
        let marker = if marker_is_right { end } else { end + 1_234_567 };
        let status = job(&tree, (BEFORE, 20_700), (end, 20_700), marker, false);
        assert_eq!((utc(status.started_at, ""), utc(status.ended_at, "")), (BEFORE, end));
    }
}

/// The identifier of a run against its first job dates the times of a run without events.
#[test]
fn the_name_of_a_run_dates_its_times() {
    let tree = Tree::new();
    // 2026-01-01T00:00:00 where it was written, nine hours ahead
    let began = 1_767_225_600 - 9 * HOUR;
    let row = format!("{{\"job_id\":\"a\",\"task_id\":\"lab.train\",\"timestamp\":{}.5}}\n", began + 20);
    tree.run_file("jobs.jsonl", &row);
    let start = began + 100;
    let status = job(&tree, (start, 9 * HOUR), (start + 60, 9 * HOUR), start + 987_654, false);
    assert_eq!((utc(status.started_at, ""), utc(status.ended_at, "")), (start, start + 60));
}

/// A zone that the user names overrides what files tell; without any of both the local zone is taken.
#[test]
fn a_named_zone_overrides_files() {
    let tree = Tree::new();
    let status = job(&tree, (BEFORE, 0), (BEFORE + HOUR, 0), BEFORE + HOUR, true);
    assert_eq!(utc(status.started_at, "Asia/Tokyo"), BEFORE - 9 * HOUR);
    assert_eq!(utc(status.started_at, ""), BEFORE);
    let alone = Tree::new();
    let status = job(&alone, (BEFORE, 0), (BEFORE + HOUR, 0), BEFORE + 12_345, false);
    assert!(matches!(status.started_at, Some(Moment::Naive(_))));
}
