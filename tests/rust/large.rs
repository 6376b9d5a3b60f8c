//! What is done otherwise where there are many jobs.

use xpframe::records::State;

use crate::lab::{Lab, RUN, config, object, order};

fn jobs(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("j{at}")).collect()
}

/// The jobs of many objects are looked for on several threads. Of several objects of a job the last one wins, at the place of
/// the first, though they lie in the shares of two threads; objects that are no jobs stand between them.
#[test]
fn jobs_are_found_among_many_objects() {
    let jobs = jobs(40_000);
    let mut lines: Vec<String> = Vec::new();
    // from behind, so that the next job is never the one that is guessed
    for (id, job) in (1_i64..).zip(jobs.iter().rev()) {
        lines.push(object(id, "Train", job, &format!("\"n\":{id}")));
        if id % 1000 == 0 {
            lines.push(object(-id, "Part", "no job", "\"n\":0"));
        }
    }
    lines.push(object(50_001, "Train", "j39999", "\"n\":50001"));
    lines.push(object(50_002, "Train", "j0", "\"n\":50002"));
    let names: Vec<&str> = jobs.iter().map(String::as_str).collect();
    let lab = Lab::with(&names, &lines);
    let loaded = lab.load(RUN);
    let found = order(&loaded);
    assert!(found.iter().eq(jobs.iter().rev()));
    assert_eq!(config(&loaded, "j39999"), "{n: 50001}");
    assert_eq!(config(&loaded, "j0"), "{n: 50002}");
    assert_eq!(config(&loaded, "j20000"), "{n: 20000}");
    assert_eq!(loaded.errors().len(), 0);
}

/// The states of many jobs, in the file of the run, are read while their rows are: each job has its own, in another order too.
#[test]
fn states_are_read_beside_rows() {
    let jobs = jobs(40_000);
    let names: Vec<&str> = jobs.iter().map(String::as_str).collect();
    let state = |at: usize| if at.is_multiple_of(5) { "error" } else { "done" };
    let entry = |at: usize| format!("\"j{at}\": \"{}\"", state(at));
    for order in [(0..40_000).collect::<Vec<_>>(), (0..40_000).rev().collect()] {
        let lab = Lab::with(&names, &[]);
        let states: Vec<String> = order.into_iter().map(entry).collect();
        lab.run_file(RUN, "status.json", format!("{{\"job_states\": {{{}}}}}", states.join(", ")));
        let loaded = lab.load(RUN);
        loaded.read_with_record();
        let looks = loaded.job_looks();
        for at in 0..40_000 {
            let expected = if state(at) == "error" { State::Error } else { State::Done };
            assert_eq!(looks.state(at, &mut Vec::new()).0, expected);
        }
        assert_eq!(loaded.errors(), []);
    }
}
