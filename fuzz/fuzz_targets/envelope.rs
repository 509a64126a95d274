//! Long runs of `envelope`: cargo +nightly fuzz run envelope
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anlauf_fuzz::envelope(bytes));
