//! Tests of the engine through its public interface; no Python interpreter is needed.

mod check;
mod columns;
mod json;
mod objects;
mod records;
mod scan;
mod workspace;
