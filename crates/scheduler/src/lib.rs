//! Schedules work on scarce teams, without knowing what the work is.
//!
//! In:    activities as numbers, a seed, a step budget.
//! Out:   a schedule, and a bound that no schedule can beat.
//! Never: reads a clock; gives another answer on another run or with another number of threads.

pub mod exact;
pub mod makespan;
pub mod weighted;
