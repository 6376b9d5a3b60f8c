//! Tests of the engine through its public interface; no Python interpreter is needed.

mod alike;
mod batches;
mod check;
mod columns;
mod damage;
mod damaged;
mod documents;
mod elsewhere;
mod ended_jobs;
mod failed_jobs;
mod failures;
mod fuzz;
mod holes;
mod json;
mod lab;
mod large;
mod objects;
mod records;
#[path = "../fuzz/result_targets.rs"]
mod result_targets;
mod results_boards;
mod results_cuts;
mod results_files;
mod results_fuzz;
mod results_handles;
mod results_states;
mod results_support;
mod runs;
mod scan;
mod table_fuzz;
#[path = "../fuzz/table_targets.rs"]
mod table_targets;
#[path = "../fuzz/targets.rs"]
mod targets;
mod template;
mod times;
mod tree;
mod workspace;
