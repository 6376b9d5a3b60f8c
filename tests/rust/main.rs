//! Tests of the engine through its public interface; no Python interpreter is needed.

mod alike;
mod batches;
mod check;
mod columns;
mod damage;
mod damaged;
mod documents;
mod elsewhere;
mod failed_jobs;
mod failures;
mod fuzz;
mod holes;
mod json;
mod lab;
mod large;
mod objects;
mod records;
mod runs;
mod scan;
#[path = "../fuzz/targets.rs"]
mod targets;
mod template;
mod times;
mod tree;
mod workspace;
