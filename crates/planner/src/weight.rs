//! What an hour of restriction of a cell costs.
//!
//! In:    harm and people of a cell, its stage, the objective of the landscape.
//! Out:   a weight: linear, so that search and bound need not know what it is made of.
//! Never: 0 for a cell that people wait for.
//! See:   docs/planner.md, "Problem".

use anlauf_model::landscape::Objective;
use anlauf_model::{Cell, Landscape, Stage};

use crate::detour::Detours;
use crate::situation::Situation;

/// The whole of a share.
const WHOLE: u128 = 1_000;

/// Weighs cells.
pub(crate) struct Weights {
    objective: Objective,
    /// People of a tenant, on average.
    people_mean: u128,
}

impl Weights {
    /// Reads the objective.
    pub fn new(landscape: &Landscape) -> Self {
        let declared = landscape.declared();
        let people: u128 = declared.tenants.iter().map(|t| u128::from(t.insured)).sum();
        Self {
            objective: declared.objective,
            people_mean: people / (declared.tenants.len().max(1) as u128),
        }
    }

    /// What an hour of a cell costs while nobody reaches it: harm × people. Of a tenant's cell the
    /// people are partly its own, partly those of an average tenant.
    pub fn closed(&self, cell: &Cell) -> u128 {
        let own = u128::from(cell.insured);
        let fair = u128::from(self.objective.fairness_per_mille).min(WHOLE);
        let people = match cell.tenant() {
            Some(_) => (own * (WHOLE - fair) + self.people_mean * fair) / WHOLE,
            None => own,
        };
        u128::from(cell.harm) * people
    }

    /// What it costs while it is open at `basic`, or its emergency operation is: a part is left.
    pub fn basic(&self, cell: &Cell) -> u128 {
        let weight = self.closed(cell);
        let left = u128::from(self.objective.basic_per_mille).min(WHOLE);
        (weight * left / WHOLE).max(u128::from(weight > 0))
    }

    /// What an hour without its emergency operation costs beside that.
    pub fn emergency(&self, cell: &Cell) -> u128 {
        self.closed(cell) - self.basic(cell)
    }

    /// What an hour until a cell opens costs, with those emergency operations in use. One that
    /// stands in for nothing (a shared instance) has no weight of its own.
    pub fn of(&self, cell: &Cell, situation: &Situation<'_>, detours: &Detours<'_>) -> u128 {
        if cell.emergency {
            let regular = detours.regular(&cell.id);
            return regular.map_or(0, |regular| self.emergency(regular));
        }
        let known = situation.progress.get(&cell.id);
        match known.is_some_and(|p| p.stage == Stage::Basic) || detours.stands_in(cell) {
            true => self.basic(cell),
            false => self.closed(cell),
        }
    }
}
