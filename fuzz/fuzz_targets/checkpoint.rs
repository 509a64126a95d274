//! Long runs of `checkpoint`: cargo +nightly fuzz run checkpoint
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anlauf_fuzz::checkpoint(bytes));
