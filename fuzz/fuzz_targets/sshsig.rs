//! Long runs of `sshsig`: cargo +nightly fuzz run sshsig
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| anlauf_fuzz::sshsig(bytes));
