//! The gate: a reverse proxy that opens a cell only on what it has verified itself.
//!
//! In:    requests of clients; signed envelopes from the control plane or straight from a person.
//! Out:   answers of backends, or an honest no; reports.
//! Never: opens on the word of the control plane; lets a byte of a cell pass after its close was
//!        acknowledged; needs anyone else to go on.
//! See:   ARCHITECTURE.md, walk "a request at the gate"; docs/formats/gate.md.
//!
//! A way around the judge does not compile: nobody else makes a [`Permit`].
//!
//! ```compile_fail
//! let permit = anlauf_gate::Permit { visit: todo!() };
//! ```

#![cfg_attr(not(test), warn(clippy::expect_used, clippy::indexing_slicing))]

mod access;
mod clock;
mod config;
mod driver;
mod error;
mod limits;

mod door;
mod http1;
mod http2;
mod intake;
mod listener;
mod passthrough;
pub mod proxy_protocol;
pub mod smtp;
mod socket;
mod stream;
mod tls;

mod backdoor;
mod body;
mod forward;
mod inflow;
mod judge;
mod page;
mod repeat;
mod request;
mod serve;
mod table;
mod upstream;
mod visit;
mod vouch;

mod admin;
mod feed;
mod fresh;
mod journal;
mod keeper;
mod mind;
mod shared;

mod gate;

#[cfg(feature = "lab")]
pub mod lab;

pub use clock::{Clock, SystemClock};
pub use config::{
    AccessLog, Clients, Driven, GateConfig, Mail, MailPlace, Network, NetworkError, Pilot, Serving,
    Tls, Upstreams,
};
pub use error::GateError;
pub use gate::Gate;
pub use inflow::Inflow;
pub use judge::Permit;
pub use shared::Progress;
