//! The state machine as people in the field would try it.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod cast;
mod emergency;
mod golden;
mod growth;
mod hits;
mod property;
mod rights;
mod sample;
mod story;
mod verb;
mod window;
