//! Long runs of `proxy_protocol`: cargo +nightly fuzz run proxy_protocol
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anlauf_fuzz::proxy_protocol(bytes));
