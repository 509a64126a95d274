//! Whole gates on real sockets, fed by a control plane that signs for real, or cheats.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod access;
mod backend;
mod cast;
mod client;
mod control;
mod driver;
mod house;

mod break_glass;
mod close;
mod feed;
mod fresh;
mod http2;
mod inflow;
mod journal;
mod kill;
mod open;
mod passthrough;
mod path;
mod proxy;
mod proxy_protocol;
mod smtp;
mod smuggle;
mod stage;
mod tls;
mod vouch;
mod wire;
