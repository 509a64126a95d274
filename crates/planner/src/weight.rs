//! What an hour of restriction of a cell costs.
//!
//! In:    harm and people of a cell, its stage, the objective of the landscape.
//! Out:   a weight: linear, so that search and bound need not know what it is made of.
//! Never: 0 for a cell that people wait for.
//! See:   docs/planner.md, "Problem".

use anlauf_model::landscape::Objective;
use anlauf_model::{Cell, Landscape, Stage};

use crate::situation::CellProgress;

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

    /// Harm × people. Of a tenant's cell the people are partly its own, partly those of an average
    /// tenant; while it is open at `basic`, a part of the harm is left.
    pub fn of(&self, cell: &Cell, progress: Option<&CellProgress>) -> u128 {
        let own = u128::from(cell.insured);
        let fair = u128::from(self.objective.fairness_per_mille).min(WHOLE);
        let people = match cell.tenant() {
            Some(_) => (own * (WHOLE - fair) + self.people_mean * fair) / WHOLE,
            None => own,
        };
        let left = match progress.map(|p| p.stage) {
            Some(Stage::Basic) => u128::from(self.objective.basic_per_mille).min(WHOLE),
            _ => WHOLE,
        };
        let weight = u128::from(cell.harm) * people;
        (weight * left / WHOLE).max(u128::from(weight > 0))
    }
}
