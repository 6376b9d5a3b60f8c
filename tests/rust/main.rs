//! Tests of the engine through its public interface; no Python interpreter is needed.

mod records;
mod workspace;
