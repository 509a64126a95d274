//! The reference provider as its clients see it: by HTTP, each protocol with its own client.
//!
//! In:    a house on a free port of the loopback. Out: what clients get.
//! Never: a look into the store instead of an answer.

mod app;
mod backup;
mod branch;
mod browser;
mod clients;
mod foreign;
mod log;
mod login;
mod mail;
mod photo;
mod record;
mod route;
mod stage;
mod validator;
mod version;
mod whole;
