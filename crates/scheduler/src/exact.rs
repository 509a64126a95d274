//! Small schedules solved to proof: lazy clause generation on bounds of start times.
//!
//! In:    a [`Model`] (tasks, resources, windows, one goal), a limit, a budget of steps.
//! Out:   better starts, or the proof that none are better; a lower bound at any time.
//! Never: reads a clock; believes a schedule that it was told of.
//! See:   ADR 013.

mod branch;
mod cumulative;
mod model;
mod nogood;
mod solver;
mod sum;
mod trail;

pub use model::{Busy, Goal, Model, ModelError, Precedence, TIME_MAX, Task};
pub use solver::{Solver, Status, Strategy};

#[cfg(test)]
mod tests;
