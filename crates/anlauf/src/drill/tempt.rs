//! What people try when it should go quicker: each attempt must be refused, with its reasons.
//!
//! In:    the [`Scene`] after the containment. Out: refusals in the tally.
//! Never: an attempt whose success would not show as a broken promise.

use anlauf_model::{CellKind, Minutes, Role, Stage};
use anlauf_recovery::Order as Ask;
use anlauf_recovery::command::WaveDraft;
use anyhow::{Result, bail};

use super::desk::{Answer, Login};
use super::play::Scene;

impl Scene {
    /// The three attempts that can be made as soon as everything is shut.
    ///
    /// # Errors
    /// The control plane does not answer.
    pub async fn tempt(&mut self) -> Result<()> {
        let operator = self.parties.first(Role::Operator)?.clone();
        self.attempt(&operator, "the customers press for it", Ask::EndIncident)
            .await?;

        let tenants = &self.landscape.declared().tenants;
        let (Some(first), Some(other)) = (tenants.first(), tenants.last()) else {
            bail!("a landscape without tenants has nobody to recover for");
        };
        let intruder = self.parties.tenant(&first.id)?.clone();
        let foreign = self.landscape.cells_of_tenant(&other.id).to_vec();
        let order = Ask::AcceptCells {
            cells: foreign,
            passed: true,
        };
        self.attempt(&intruder, "ours can wait, theirs first", order)
            .await?;

        let cells = self.landscape.cells().values();
        let shared = cells
            .filter(|cell| cell.kind == CellKind::Shared)
            .map(|cell| &cell.id);
        let waves = shared.take(1).map(|cell| WaveDraft {
            cells: vec![cell.clone()],
            stage: Stage::Full,
        });
        let order = Ask::ProposeReleases {
            waves: waves.collect(),
            not_after: self.clock.get() + Minutes::days(1),
        };
        self.attempt(&operator, "it has always been clean", order)
            .await?;
        self.impatient = true;
        Ok(())
    }

    /// Asks for what must be refused.
    ///
    /// # Errors
    /// The control plane does not answer.
    pub async fn attempt(&mut self, who: &Login, reason: &str, order: Ask) -> Result<()> {
        self.tally.attempts += 1;
        match self.desk.order(who, reason, order).await? {
            Answer::Accepted(..) => self.tally.attempts_accepted += 1,
            Answer::Refused(reasons) => self.tally.refused(&reasons),
        }
        Ok(())
    }
}
