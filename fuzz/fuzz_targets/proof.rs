//! Long runs of `proof`: cargo +nightly fuzz run proof
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anlauf_fuzz::proof(bytes));
