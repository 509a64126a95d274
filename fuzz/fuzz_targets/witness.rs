//! Long runs of `witness`: cargo +nightly fuzz run witness
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anlauf_fuzz::witness(bytes));
