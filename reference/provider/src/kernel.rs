//! What every service stands on: insurers, people, store, routing, guards, words.
//!
//! In:    settings. Out: a running [`house::House`]. Never: a rule of one service.

mod anchor;
pub mod ask;
pub mod backup;
pub mod clock;
pub mod front;
mod guard;
pub mod house;
pub mod kvnr;
pub mod miss;
pub mod multipart;
pub mod page;
pub mod route;
pub mod seed;
pub mod stock;
pub mod store;
pub mod synth;
pub mod tenant;

/// Name of the cookie of a session on pages.
pub(crate) fn session_cookie() -> &'static str {
    guard::SESSION
}
