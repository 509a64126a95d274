//! The core under one seed, on one thread: random people, faults, an adversary, checkers.
//!
//! In:    a seed, how many steps. Out: a [`Report`], or the first [`Violation`].
//! Never: a clock, a disk, the network or chance beyond the seed.
//! See:   docs/adr/, ARCHITECTURE.md.
//!
//! The control plane is the real state machine over a ledger in memory. Gates are models of the
//! real gate's mind over the real verifier; the wire between loses, repeats and reorders, and the
//! adversary on it owns the control plane's words and one stolen key. After every step checkers
//! count by hand what was promised. At the end the storm stops and everything must open.

pub mod report;

mod adversary;
mod cast;
mod chance;
mod check;
mod gate;
mod landscape;
mod mutant;
mod people;
mod plane;
mod site;
mod watch;
mod world;
mod wrong;

pub use mutant::Mutant;
pub use report::{Report, Violation};

use crate::check::Broken;
use crate::world::World;

/// Most rounds of half an hour that everything may take to open once the storm is over.
const CALM_ROUNDS_MAX: u32 = 300;

/// Plays a seed.
///
/// # Errors
/// The first promise that did not hold.
pub fn run(seed: u64, steps: u32) -> Result<Report, Violation> {
    play(seed, steps, None)
}

/// Plays a seed, perhaps with a mistake that the checkers must find.
///
/// # Errors
/// The first promise that did not hold.
pub fn play(seed: u64, steps: u32, mutant: Option<Mutant>) -> Result<Report, Violation> {
    let at = |step: u32| {
        move |(checker, what): Broken| Violation {
            step,
            checker,
            what,
        }
    };
    let mut world = World::new(seed, mutant).map_err(at(0))?;
    // Ordinary days: everything is commissioned and opens.
    world.calm(CALM_ROUNDS_MAX).map_err(at(0))?;
    world.attack().map_err(at(0))?;
    for step in 1..=steps {
        world.step().map_err(at(step))?;
    }
    world
        .calm(CALM_ROUNDS_MAX)
        .map_err(at(steps.saturating_add(1)))?;
    Ok(world.report)
}

#[cfg(test)]
mod tests;
