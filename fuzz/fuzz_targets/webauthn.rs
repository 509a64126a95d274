//! Long runs of `webauthn`: cargo +nightly fuzz run webauthn
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anlauf_fuzz::webauthn(bytes));
