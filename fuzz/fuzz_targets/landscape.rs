//! Long runs of `landscape`: cargo +nightly fuzz run landscape
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anlauf_fuzz::landscape(bytes));
