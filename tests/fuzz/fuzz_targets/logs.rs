#![no_main]

#[path = "../table_targets.rs"]
#[allow(dead_code, reason = "each binary has one target")]
mod targets;

libfuzzer_sys::fuzz_target!(|input: &[u8]| targets::logs(input));
