#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oss_sim::fuzz::checkpoint(bytes));
