//! Plans, reasons and ranges, judged by a checker that shares no code with the planner.

mod checker;
mod world;

mod broken;
mod forecast;
mod landscapes;
mod property;
mod story;
mod why;
