//! One incident as a state machine: decide and apply.
//!
//! In:    [`State`], `now`, a [`Command`].
//! Out:   [`Event`]s to be appended, or a [`Refusal`] with every reason at once.
//! Never: reads a clock, a disk or the network; changes anything in `decide`; fails in `apply`.
//! See:   ARCHITECTURE.md, walks 2 and 3.

pub mod command;
pub mod event;
pub mod refusal;
pub mod state;

mod agree;
mod apply;
mod break_glass;
mod catch_up;
mod close;
mod decide;
mod finding;
mod gate;
mod incident;
mod notice;
mod plan;
mod release;
pub mod rights;
mod sign;
mod task;
mod window;

pub mod query;

pub use break_glass::{BreakGlass, break_glasses, words_missing};
pub use close::{close_statement, close_with_dependents};
pub use command::{Actor, Command, Order};
pub use decide::decide;
pub use event::{Entry, Event};
pub use refusal::{Reason, Refusal};
pub use state::State;
