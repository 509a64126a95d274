//! Σ weight × completion on teams with calendars, agreed windows and sequences.

mod first;
mod parallel;
mod problem;
mod repair;
mod rules;
mod search;
mod serial;
mod shifts;
mod slots;
mod team;
mod timeline;
mod walk;

pub mod bound;
pub mod validate;

pub use bound::{Bound, Rounds, bound};
pub use first::{best, best_order, first_plan};
pub use problem::{ACTIVITY_HOURS_MAX, Activity, Draft, Fault, HOUR_MAX, NONE, Problem};
pub use repair::{Repaired, reordered, repair};
pub use rules::{RULES, Rule};
pub use search::Search;
pub use serial::Schedule;
pub use shifts::Shifts;
pub use slots::Missed;
pub use team::{Change, Hour, Team, WEEK};

#[cfg(test)]
mod tests;
