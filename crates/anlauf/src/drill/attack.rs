//! The attack and the answers to it: contain everything, shut a cell again, try to cheat the gates.
//!
//! In:    the [`Scene`]. Out: closes through the API, measured to the last gate; forged releases.
//! Never: calls a close done before every gate has said so.

use std::time::{Duration, Instant};

use anlauf_model::{CellId, FindingKind, Minutes, Role, Stage};
use anlauf_recovery::Order;
use anlauf_recovery::state::GateState;
use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::audit::account;
use super::ceremony;
use super::desk::{Answer, Login};
use super::play::Scene;
use super::probe::Probes;
use super::tally::Closing;

/// How many cells have an answer running and a connection idle while they are shut, per gate.
const PROBE_COUNT: usize = 8;

/// Longest wait for a gate's word. A gate that is silent longer is broken, and the drill says so.
const GATE_WAIT_MAX: Duration = Duration::from_secs(60);

/// What is to be shut, and why.
struct Shutting<'a> {
    who: &'a Login,
    scope: Value,
    with_dependents: bool,
    reason: &'a str,
}

impl Scene {
    /// From the first sign to every cell shut at every gate.
    ///
    /// # Errors
    /// When an order is refused or a gate does not follow.
    pub async fn contain(&mut self) -> Result<()> {
        self.clock.advance(self.story.attack_at);
        let operator = self.parties.first(Role::Operator)?.clone();
        let order = Order::DeclareIncident {
            title: self.story.title.clone(),
        };
        self.desk
            .must(&operator, "first indicators in the internal systems", order)
            .await?;
        self.services_are_attacked().await?;
        self.clock
            .advance(self.story.attack_at + Minutes(self.story.contain_after_minutes));
        let shutting = Shutting {
            who: &operator,
            scope: json!("everything"),
            with_dependents: false,
            reason: "scope unclear: everything is possibly affected (DER.2.3.A3)",
        };
        let all: Vec<CellId> = self.landscape.cells().keys().cloned().collect();
        let closing = self.close(&shutting, &all).await?;
        self.tally.contained = Some(closing);
        self.tally.shut = self.traffic.sweep().await;
        self.services_are_examined().await?;
        self.adopt_recovery_policy().await?;
        for hold in self.story.hold.clone() {
            let until = self.story.day(hold.until_day);
            let order = Order::HoldSite {
                site: hold.site,
                until,
            };
            self.desk
                .must(&operator, "forensics secures evidence first", order)
                .await?;
        }
        Ok(())
    }

    /// From now on the gates demand what a recovery demands.
    async fn adopt_recovery_policy(&mut self) -> Result<()> {
        let rules = self.landscape.declared().policy.clone();
        let envelope = ceremony::policy(&self.landscape, &self.parties, 2, rules);
        let operator = self.parties.first(Role::Operator)?.clone();
        let reason = "rules for the recovery, signed in the ceremony beforehand";
        self.desk
            .must(&operator, reason, Order::AdoptPolicy { envelope })
            .await?;
        Ok(())
    }

    /// Withdraws what the cell's release rests on and shuts it with everything that needs it.
    ///
    /// # Errors
    /// When an order is refused or a gate does not follow.
    pub async fn close_again(&mut self, cell: &CellId, reason: &str) -> Result<Vec<CellId>> {
        let forensics = self.parties.first(Role::Forensics)?.clone();
        let finding = {
            let state = self.control.read();
            let known = state.cells.get(cell);
            let kinds = [FindingKind::ScanClean, FindingKind::BackupClean];
            known.and_then(|c| kinds.iter().find_map(|kind| c.findings.get(kind).copied()))
        };
        if let Some(finding) = finding {
            self.desk
                .must(&forensics, reason, Order::WithdrawFinding { finding })
                .await?;
        }
        let shut: Vec<CellId> = {
            let state = self.control.read();
            let all = anlauf_recovery::close_with_dependents(&state, std::slice::from_ref(cell));
            all.into_iter().collect()
        };
        let security = self.parties.first(Role::Security)?.clone();
        let shutting = Shutting {
            who: &security,
            scope: json!({ "cells": [cell] }),
            with_dependents: true,
            reason,
        };
        // People are on their way while it shuts: what was accepted from them must be kept.
        let on_their_way = self.people_set_out();
        let closing = self.close(&shutting, &shut).await?;
        on_their_way.join_all().await;
        self.tally.closed_again = Some(closing);
        Ok(shut)
    }

    /// One close, measured from the order to the last gate's word that nothing passes any more.
    async fn close(&mut self, shutting: &Shutting<'_>, cells: &[CellId]) -> Result<Closing> {
        self.gates_follow().await?;
        let open: Vec<CellId> = {
            let state = self.control.read();
            let public = |id: &&CellId| state.cells.get(*id).is_some_and(|c| c.stage.is_public());
            cells.iter().filter(public).cloned().collect()
        };
        let step = (open.len() / PROBE_COUNT).max(1);
        let probed: Vec<CellId> = open
            .iter()
            .step_by(step)
            .take(PROBE_COUNT)
            .cloned()
            .collect();
        let probes = Probes::open(&self.traffic.doors, &probed, &self.gates).await;

        let start = Instant::now();
        let body = json!({
            "reason": shutting.reason,
            "scope": shutting.scope,
            "with_dependents": shutting.with_dependents,
        });
        if let Answer::Refused(reasons) = self.desk.post(shutting.who, "/close", body).await? {
            bail!("a close was refused: {}", reasons.join("; "));
        }
        let durable = start.elapsed();
        self.gates_follow().await?;
        let every_gate = start.elapsed();
        probes.acknowledged();
        self.traffic.doors.shut(cells);
        Ok(Closing {
            asked: cells.len() as u64,
            opened: open.len() as u64,
            cells: self.shut_at_every_gate(cells).await?,
            durable,
            every_gate,
            cut: probes.end().await,
        })
    }

    /// How many of the cells every gate itself says are shut.
    async fn shut_at_every_gate(&self, cells: &[CellId]) -> Result<u64> {
        let mut shut: Vec<&CellId> = cells.iter().collect();
        for admin in &self.admins {
            let report = account(*admin).await?;
            let closed: std::collections::BTreeSet<_> = report
                .changed
                .iter()
                .filter(|cell| cell.stage == Stage::Closed)
                .map(|cell| &cell.cell)
                .collect();
            shut.retain(|id| closed.contains(id));
        }
        Ok(shut.len() as u64)
    }

    /// Returns when every gate has said that it applied all it was handed.
    ///
    /// # Errors
    /// A gate is silent.
    pub async fn gates_follow(&self) -> Result<()> {
        let mut watch = self.control.watch();
        let follow = async {
            while !self.gates_are_level() {
                if watch.changed().await.is_err() {
                    return;
                }
            }
        };
        if tokio::time::timeout(GATE_WAIT_MAX, follow).await.is_err() {
            bail!(
                "a gate has not acknowledged for {} s",
                GATE_WAIT_MAX.as_secs()
            );
        }
        Ok(())
    }

    fn gates_are_level(&self) -> bool {
        let state = self.control.read();
        let last = state.feed.last().map_or(0, |item| item.seq);
        let level = |gate: &&GateState| gate.applied >= last;
        state.gates.values().filter(level).count() >= self.gates.len()
    }

    /// An attacker on the way between control plane and gates has releases of its own making
    /// ready: they ride before the next genuine item to each gate. Gives whether there was a cell
    /// to aim at.
    ///
    /// # Errors
    /// A gate is silent.
    pub async fn forge(&mut self) -> Result<bool> {
        // What the forgeries lean on must be open at the gates too, or they have two faults.
        self.gates_follow().await?;
        let now = self.clock.get();
        let forgeries = super::forger::forgeries(&self.control.read(), &self.parties, now);
        if forgeries.is_empty() {
            return Ok(false);
        }
        self.tally.forged = forgeries.len() as u64;
        let count = forgeries.len();
        let line = format!("{count} forged releases wait on the way to each gate");
        self.show.line(&line);
        self.forger.slip(forgeries);
        Ok(true)
    }
}
