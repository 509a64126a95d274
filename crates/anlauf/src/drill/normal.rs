//! Before the attack: the landscape is commissioned cell by cell, and people use it.
//!
//! In:    a [`Scene`] on which nothing is open. Out: every cell at its last stage, clients served.
//! Never: opens a cell in another way than in earnest: policy, findings, quorum, gates.

use anlauf_model::landscape::policy::normal_rules;
use anlauf_model::{CellId, Digest, FindingKind, Minutes, Role, Verdict};
use anlauf_recovery::Order;
use anlauf_recovery::command::FindingDraft;
use anyhow::{Result, bail};

use super::ceremony;
use super::play::Scene;

/// How many answers the clients get before the attack, at any speed.
const ANSWER_COUNT_MIN: u64 = 200;

/// Most rounds of commissioning: no landscape leans on itself deeper than it has cells.
const ROUND_COUNT_MAX: usize = 200;

/// How often the play looks whether the clients have their answers.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(20);

/// Longest the clients may wait for their first answers. A gate that gives none is broken.
const ANSWER_WAIT_MAX: std::time::Duration = std::time::Duration::from_secs(120);

impl Scene {
    /// Commissions everything and plays the hours before the attack.
    ///
    /// # Errors
    /// When an order is refused, or the gates let nobody in.
    pub async fn normal_operation(&mut self) -> Result<()> {
        self.frame().await?;
        self.commission().await?;
        self.gates_follow().await?;
        self.people_before().await?;
        self.traffic.start(self.clients, self.story.seed);
        let quiet = self.story.normal();
        let began = (std::time::Instant::now(), self.clock.get());
        self.clock.advance(self.story.attack_at - Minutes(1));
        self.pace(began, began.1 + quiet).await;
        self.people_are_served().await?;
        self.people_after_backup().await;
        self.tally.normal = self.traffic.sweep().await;
        self.show.update(&self.control, self.clock.get());
        Ok(())
    }

    /// Landscape, root and the policy of normal operation.
    async fn frame(&mut self) -> Result<()> {
        let operator = self.parties.first(Role::Operator)?.clone();
        let landscape = Box::new(self.landscape.declared().clone());
        let order = Order::AdoptLandscape { landscape };
        self.desk
            .must(&operator, "the landscape as declared in its files", order)
            .await?;
        let order = Order::AdoptRoot {
            envelope: self.root.clone(),
        };
        self.desk
            .must(&operator, "key ceremony of the drill", order)
            .await?;
        let rules = normal_rules(&self.landscape.declared().policy);
        let envelope = ceremony::policy(&self.landscape, &self.parties, 1, rules);
        let order = Order::AdoptPolicy { envelope };
        self.desk
            .must(&operator, "rules of normal operation", order)
            .await?;
        Ok(())
    }

    /// Opens every cell after those it needs, each on the signatures that policy demands.
    async fn commission(&mut self) -> Result<()> {
        let security = self.parties.first(Role::Security)?.clone();
        let finding = |cell: &CellId| FindingDraft {
            cell: Some(cell.clone()),
            kind: FindingKind::Commissioned,
            verdict: Verdict::Pass,
            evidence: Digest::of(format!("drill: protocol of commissioning of {cell}").as_bytes()),
            note: String::new(),
        };
        let findings = self.landscape.cells().keys().map(finding).collect();
        let order = Order::AddFindings { findings };
        self.desk
            .must(&security, "protocols of commissioning", order)
            .await?;
        for _ in 0..ROUND_COUNT_MAX {
            let waves = self.waves(|cell, known| {
                (known.stage < cell.stage_last()).then_some(cell.stage_last())
            });
            if waves.is_empty() {
                break;
            }
            self.release(waves, "first commissioning").await?;
            self.show.update(&self.control, self.clock.get());
        }
        let shut = self.control.read().unrestored().next().cloned();
        match shut {
            Some(cell) => bail!(
                "`{cell}` could not be commissioned: {:?}",
                self.tally.refusals
            ),
            None => Ok(()),
        }
    }

    /// Waits until the clients outside have had their answers.
    async fn people_are_served(&self) -> Result<()> {
        let served = async {
            while self.traffic.answered() < ANSWER_COUNT_MIN {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        if self.clients > 0 && tokio::time::timeout(ANSWER_WAIT_MAX, served).await.is_err() {
            bail!("the gates let nobody in, although every cell is released");
        }
        Ok(())
    }
}
