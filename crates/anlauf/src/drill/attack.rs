//! The attack and the answers to it: contain everything, shut a cell again, try to cheat the gates.
//!
//! In:    the [`Scene`]. Out: closes through the API, measured to the last gate; forged releases.
//! Never: calls a close done before every gate has said so.

use std::time::Instant;

use anlauf_model::{CellId, FindingKind, Minutes, Role, Timestamp};
use anlauf_recovery::Order;
use anyhow::Result;
use serde_json::{Value, json};

use super::desk::{Answer, Login};
use super::play::Scene;
use super::tally::Closing;

impl Scene {
    /// From the first sign to every cell shut at every gate.
    pub async fn contain(&mut self) -> Result<()> {
        self.clock.advance(self.story.attack_at);
        let operator = self.parties.first(Role::Operator)?.clone();
        let order = Order::DeclareIncident { title: self.story.title.clone() };
        self.desk.must(&operator, "first indicators in the internal systems", order).await?;
        self.clock.advance(self.story.attack_at + Minutes(self.story.contain_after_minutes));
        let reason = "scope unclear: everything is possibly affected (DER.2.3.A3)";
        let all: Vec<CellId> = self.landscape.cells().keys().cloned().collect();
        let closing = self.close(&operator, json!("everything"), false, reason).await?;
        self.traffic.doors.shut(&all);
        self.tally.contained = Some(Closing { cells: all.len() as u64, ..closing });
        self.adopt_recovery_policy().await?;
        for hold in self.story.hold.clone() {
            let until = self.story.day(hold.until_day);
            let order = Order::HoldSite { site: hold.site, until };
            self.desk.must(&operator, "forensics secures evidence first", order).await?;
        }
        Ok(())
    }

    /// From now on the gates demand what a recovery demands.
    async fn adopt_recovery_policy(&mut self) -> Result<()> {
        let rules = self.landscape.declared().policy.clone();
        let envelope = super::stage::policy(&self.landscape, &self.parties, 2, rules)?;
        let operator = self.parties.first(Role::Operator)?.clone();
        let reason = "rules for the recovery, signed in the ceremony beforehand";
        self.desk.must(&operator, reason, Order::AdoptPolicy { envelope }).await?;
        Ok(())
    }

    /// Withdraws what the cell's release rests on and shuts it with everything that needs it.
    pub async fn close_again(&mut self, cell: &CellId, reason: &str) -> Result<Vec<CellId>> {
        let forensics = self.parties.first(Role::Forensics)?.clone();
        let finding = {
            let state = self.control.read();
            let known = state.cells.get(cell);
            known.and_then(|c| c.findings.get(&FindingKind::ScanClean).copied())
        };
        if let Some(finding) = finding {
            self.desk.must(&forensics, reason, Order::WithdrawFinding { finding }).await?;
        }
        let shut: Vec<CellId> = {
            let state = self.control.read();
            anlauf_recovery::close_with_dependents(&state, std::slice::from_ref(cell))
                .into_iter()
                .collect()
        };
        let security = self.parties.first(Role::Security)?.clone();
        let scope = json!({ "cells": [cell] });
        let closing = self.close(&security, scope, true, reason).await?;
        self.traffic.doors.shut(&shut);
        self.tally.closed_again = Some(Closing { cells: shut.len() as u64, ..closing });
        Ok(shut)
    }

    /// One close, measured from the order to the last gate's word that nothing passes any more.
    async fn close(
        &mut self,
        who: &Login,
        scope: Value,
        with_dependents: bool,
        reason: &str,
    ) -> Result<Closing> {
        let start = Instant::now();
        let body = json!({ "reason": reason, "scope": scope, "with_dependents": with_dependents });
        match self.desk.post(who, "/close", body).await? {
            Answer::Accepted(..) => {}
            Answer::Refused(reasons) => anyhow::bail!("a close was refused: {}", reasons.join("; ")),
        }
        let durable = start.elapsed();
        self.gates_follow().await;
        Ok(Closing { cells: 0, durable, every_gate: start.elapsed() })
    }

    /// Returns when every gate has said that it applied all it was handed.
    pub async fn gates_follow(&self) {
        let mut watch = self.control.watch();
        loop {
            {
                let state = self.control.read();
                let last = state.feed.last().map_or(0, |item| item.seq);
                let follows = |gate: &anlauf_recovery::state::GateState| gate.applied >= last;
                let count = state.gates.values().filter(|gate| follows(gate)).count();
                if count >= self.gates.len() {
                    return;
                }
            }
            if watch.changed().await.is_err() {
                return;
            }
        }
    }

    /// An attacker on the way between control plane and gates slips in releases of its own making.
    pub async fn forge(&mut self) -> Result<()> {
        let now: Timestamp = self.clock.get();
        let forgeries = {
            let state = self.control.read();
            super::forger::forgeries(&state, &self.parties, now)
        };
        self.tally.forged = forgeries.len() as u64;
        // A genuine item wakes the gates' long poll, so that the forged ones ride on the next page.
        self.forger.slip(forgeries);
        self.adopt_same_policy_again().await?;
        self.gates_follow().await;
        Ok(())
    }

    async fn adopt_same_policy_again(&mut self) -> Result<()> {
        let (version, rules) = {
            let state = self.control.read();
            let authority = state.authority.as_ref();
            let policy = authority.and_then(|a| a.policy()).map(|(_, policy)| policy);
            match policy {
                Some(policy) => (policy.version + 1, policy.rules.clone()),
                None => return Ok(()),
            }
        };
        let envelope = super::stage::policy(&self.landscape, &self.parties, version, rules)?;
        let operator = self.parties.first(Role::Operator)?.clone();
        let reason = "same rules, confirmed after the first week";
        self.desk.must(&operator, reason, Order::AdoptPolicy { envelope }).await?;
        Ok(())
    }
}
