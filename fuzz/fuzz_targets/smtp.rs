//! Long runs of `smtp`: cargo +nightly fuzz run smtp
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anlauf_fuzz::smtp(bytes));
