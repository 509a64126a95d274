//! The real program, driven as people drive it: files, processes, sockets, exit codes.
//!
//! One test binary; each file tells one story. Nothing sleeps to wait: processes are known to
//! listen by the line they print, gates to have followed by what the ledger says of them.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod house;
mod process;

mod agent;
mod bad_input;
mod break_glass;
mod browser;
mod first_start;
mod fresh;
mod full_disk;
mod help;
mod kill;
mod offline;
mod outsider;
mod passkey;
mod plan;
mod watch;
mod witness;
