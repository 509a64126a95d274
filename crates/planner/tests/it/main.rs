//! Plans, reasons and ranges, judged by a checker that shares no code with the planner.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod checker;
mod crews;
mod emergency;
mod world;

mod broken;
mod forecast;
mod landscapes;
mod objective;
mod property;
mod repair;
mod story;
mod whatif;
mod why;
