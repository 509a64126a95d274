//! The core under one seed, on one thread: random people, faults, an adversary, checkers.
//!
//! In:    a seed, how many steps. Out: a [`Report`], or the first [`Violation`].
//! Never: a clock, a disk, the network or chance beyond the seed.
//! See:   docs/adr/, ARCHITECTURE.md.

pub mod cast;
pub mod landscape;

use std::fmt;
use std::sync::Arc;

use anlauf_model::{Landscape, Minutes, Role, Text, Timestamp};
use anlauf_recovery::{Command, Order, State, close_statement, decide};
use anlauf_trust::Scope;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::cast::Cast;

/// What a run did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Steps taken.
    pub steps: u32,
    /// Commands that became entries.
    pub accepted: u64,
    /// Commands that were refused.
    pub refused: u64,
}

/// A promise that did not hold.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("step {step}: {what}")]
pub struct Violation {
    /// At which step.
    pub step: u32,
    /// What was promised and what happened.
    pub what: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            steps,
            accepted,
            refused,
        } = self;
        write!(
            f,
            "{steps} steps, {accepted} commands accepted, {refused} refused"
        )
    }
}

/// Plays a seed.
///
/// # Errors
/// The first promise that did not hold.
pub fn run(seed: u64, steps: u32) -> Result<Report, Violation> {
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed);
    let declared = landscape::landscape(6);
    let landscape = Arc::new(
        Landscape::new(declared.clone()).map_err(|problems| Violation {
            step: 0,
            what: format!("the generated landscape is unsound: {problems:?}"),
        })?,
    );
    let cast = Cast::new(&landscape, seed);
    let mut now = Timestamp(1_777_000_000_000);
    let rules = declared.policy.clone();
    let title = Text {
        de: "Vorfall".into(),
        en: "incident".into(),
    };
    let first = [
        Order::AdoptLandscape {
            landscape: Box::new(declared),
        },
        Order::AdoptRoot {
            envelope: cast.root(now),
        },
        Order::AdoptPolicy {
            envelope: cast.policy(&landscape, 1, rules),
        },
        Order::DeclareIncident { title },
    ];
    let mut report = Report::default();
    let (mut state, mut entries) = (State::default(), Vec::new());
    let mut first = first.into_iter();
    let people: Vec<_> = cast.people().cloned().collect();
    for step in 1..=steps {
        now = now + Minutes(chance.random_range(1..60));
        let (actor, order) = match first.next() {
            Some(order) => (cast.actor("op-1").clone(), order),
            None => {
                let actor = people[chance.random_range(0..people.len())].clone();
                let scope = match &actor.tenant {
                    Some(tenant) => Scope::Tenant(tenant.clone()),
                    None => Scope::Everything,
                };
                let close = close_statement(&state, now, scope, "drill");
                let envelope = cast.sealed(close.to_payload(), [actor.person.as_str()]);
                (actor, Order::Close { envelope })
            }
        };
        let allowed = !matches!(actor.role, Role::Auditor);
        let reason = "simulated".to_owned();
        let command = Command {
            key: format!("k{step}"),
            actor,
            reason,
            order,
        };
        match decide(&state, now, &command) {
            Ok(new) => {
                report.accepted += 1;
                for entry in new {
                    state.apply(&entry);
                    entries.push(entry);
                }
            }
            Err(refusal) if allowed && step <= 4 => {
                return Err(Violation {
                    step,
                    what: refusal.to_string(),
                });
            }
            Err(_) => report.refused += 1,
        }
        report.steps = step;
    }
    let mut again = State::default();
    for entry in &entries {
        again.apply(entry);
    }
    if again != state {
        let what = "replaying the entries does not give the same state".to_owned();
        return Err(Violation { step: steps, what });
    }
    Ok(report)
}

#[cfg(test)]
mod tests;
