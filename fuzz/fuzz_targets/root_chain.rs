//! Long runs of `root_chain`: cargo +nightly fuzz run root_chain
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anlauf_fuzz::root_chain(bytes));
