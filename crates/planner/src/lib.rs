//! One order for all tenants, the reason for every position, and dates as ranges.
//!
//! In:    landscape, progress, slots, wishes, holds, `now`, a seed and a step budget.
//! Out:   a [`Plan`](anlauf_model::Plan) with a lower bound; the chain of [`Why`] of a cell;
//!        a [`Forecast`](anlauf_model::Forecast).
//! Never: reads a clock; gives another answer on another run with the same input.

pub mod situation;

mod calendar;
mod past;

mod detour;
mod network;
mod order;
mod piece;
mod profile;
mod serial;
mod window;

mod cost;
mod rules;
mod weight;

mod bound;
mod conflict;
mod engine;
mod improve;
mod slots;

mod conformal;
mod learn;
mod normal;
mod replay;
mod rework;
mod sample;
mod waits;

pub mod forecast;
pub mod schedule;
pub mod why;

mod deadline;
mod place;
mod taste;

pub mod diff;
pub mod lever;
pub mod repair;
pub mod whatif;

pub use conformal::Outcome;
pub use deadline::deadlines_missed;
pub use diff::{Because, Cause, Moved, PlanDiff, causes, diff, order_changed};
pub use forecast::{Simulation, forecast, forecast_to_tell};
pub use lever::{Lever, levers};
pub use repair::{Repaired, repair};
pub use schedule::{Contradiction, Search, plan};
pub use situation::{CellProgress, Situation, TaskProgress};
pub use whatif::{Change, Effect, NoAnswer, WhatIf, whatif};
pub use why::{Why, why};
