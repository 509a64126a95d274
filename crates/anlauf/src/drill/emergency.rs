//! Emergency operation of real services: begun when a cell opens, ended some days later.
//!
//! In:    the story's list, which cells are open. Out: services switched as their operator does it.
//! Never: an emergency operation without its return; one that made nobody wait goes unseen.
//! See:   BSI 200-4 (Notbetrieb); docs/guide/reference.md, "Emergency operation".

use std::collections::{BTreeMap, BTreeSet};

use anlauf_model::{CellId, Minutes, Timestamp};
use anyhow::{Result, anyhow};
use reference_provider::kernel::house::set_emergency;

use super::insured::book::{Book, Kind};
use super::play::Scene;
use super::provider::Provider;
use super::story::Services;

/// From when to when each cell ran in emergency operation.
#[derive(Debug, Default)]
pub struct Emergencies(pub BTreeMap<CellId, (Timestamp, Option<Timestamp>)>);

impl Emergencies {
    /// The cells that run so.
    pub fn cells(&self) -> BTreeSet<CellId> {
        let running = self.0.iter().filter(|(_, (_, to))| to.is_none());
        running.map(|(cell, _)| cell.clone()).collect()
    }

    /// From the first beginning to the last return of a service, and how many cells.
    pub fn of(&self, service: &str) -> Option<(Timestamp, Option<Timestamp>, usize)> {
        let own = self.0.iter();
        let own = own.filter(|(cell, _)| cell.service() == service);
        let times: Vec<&(Timestamp, Option<Timestamp>)> = own.map(|(_, times)| times).collect();
        let from = times.iter().map(|(from, _)| *from).min()?;
        let to = times.iter().map(|(_, to)| *to).max().flatten();
        Some((from, to, times.len()))
    }

    /// What must hold at the end; each violation in words.
    pub fn violations(&self, services: &Services, book: &Book) -> Vec<String> {
        let mut violations = Vec::new();
        for wanted in &services.emergency {
            let service = wanted.service.as_str();
            let waited = Kind::of(service).map_or(0, |kind| book.desk_sum(kind).waited);
            if self.of(service).is_none() || waited == 0 {
                violations.push(format!(
                    "emergency operation of `{service}` made nobody wait: it was not played"
                ));
            }
        }
        let running = self.cells();
        if !running.is_empty() {
            violations.push(format!(
                "{} services never came back from emergency operation",
                running.len()
            ));
        }
        violations
    }
}

impl Scene {
    /// Begins and ends emergency operations that are due.
    ///
    /// # Errors
    /// A service's store does not answer.
    pub fn emergencies_go_on(&mut self) -> Result<()> {
        let now = self.clock.get();
        let open: BTreeSet<CellId> = {
            let state = self.control.read();
            let cells = state.cells.iter();
            let open = cells.filter(|(_, known)| known.stage.is_public());
            open.map(|(id, _)| id.clone()).collect()
        };
        let Some(real) = &mut self.real else {
            return Ok(());
        };
        for wanted in &real.services.emergency {
            let days = Minutes((wanted.days * 1440.0).round() as i64);
            let cells = open.iter();
            for cell in cells.filter(|cell| cell.service() == wanted.service.as_str()) {
                match real.emergencies.0.get_mut(cell) {
                    None if is_tenants(&real.provider, cell) => {
                        switch(&real.provider, cell, true)?;
                        real.emergencies.0.insert(cell.clone(), (now, None));
                    }
                    Some((from, to @ None)) if now >= *from + days => {
                        switch(&real.provider, cell, false)?;
                        *to = Some(now);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Everything is back: whatever still runs in emergency operation returns.
    ///
    /// # Errors
    /// A service's store does not answer.
    pub fn end_emergencies(&mut self) -> Result<()> {
        let now = self.clock.get();
        let Some(real) = &mut self.real else {
            return Ok(());
        };
        for (cell, (_, to)) in &mut real.emergencies.0 {
            if to.is_none() {
                switch(&real.provider, cell, false)?;
                *to = Some(now);
            }
        }
        Ok(())
    }
}

fn is_tenants(provider: &Provider, cell: &CellId) -> bool {
    let house = provider.house();
    house.is_ok_and(|house| house.tenant(cell.owner()).is_some())
}

fn switch(provider: &Provider, cell: &CellId, on: bool) -> Result<()> {
    let tenant = provider.tenant(&cell.owner().parse()?)?;
    set_emergency(tenant, cell.service(), on).map_err(|miss| anyhow!(miss.words.en))
}
