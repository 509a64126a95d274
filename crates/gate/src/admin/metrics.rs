//! What a gate counts, in the text form of Prometheus.
//!
//! In:    what connections and the keeper have counted. Out: text.
//! Never: a line for a cell that nobody has asked for: a million of them say nothing.
//! See:   docs/guide/gate.md, "What to watch".

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anlauf_model::Stage;

use crate::judge::{self, No};
use crate::proxy_protocol::TurnedAway;
use crate::shared::Shared;
use crate::table::{Cell, Table};

/// All of it.
pub(super) fn text(shared: &Shared) -> String {
    let (mut text, table) = (Text::default(), shared.table());
    requests(&mut text, shared);
    stages(&mut text, shared, &table);
    let now = shared.now();
    let glass = |cell: &&Arc<Cell>| cell.state.glass_until(now).is_some();
    text.one(
        "anlauf_gate_break_glass_cells",
        table.cells().filter(glass).count(),
    );
    let inside: usize = table.cells().map(|cell| cell.state.visitors().len()).sum();
    text.one("anlauf_gate_visitors", inside);
    let applied = shared.progress.borrow().applied;
    text.one("anlauf_gate_applied", applied);
    let workers = shared.workers.load(Ordering::Relaxed);
    text.one("anlauf_gate_workers", workers);
    if let Some(age) = shared.control_age() {
        text.one("anlauf_gate_control_age_seconds", age.as_secs());
    }
    if shared.access.is_on() {
        let name = "anlauf_gate_access_log_lost_total";
        text.family(name, "counter");
        text.line(name, &[], shared.access.lost());
    }
    freshness(&mut text, shared, &table);
    drivers(&mut text, shared, &table);
    cells(&mut text, &table);
    filling(&mut text, &table);
    text.0
}

/// Text under way.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str) {
        self.0.push_str(&format!("# TYPE {name} {kind}\n"));
    }

    /// One line: a family's name, labels, a number. No label holds a quote or a backslash.
    fn line(&mut self, name: &str, labels: &[(&str, &dyn Display)], value: impl Display) {
        let labels = labels
            .iter()
            .map(|(key, value)| format!("{key}=\"{value}\""));
        let labels = labels.collect::<Vec<_>>().join(",");
        let labels = match labels.is_empty() {
            true => labels,
            false => format!("{{{labels}}}"),
        };
        self.0.push_str(&format!("{name}{labels} {value}\n"));
    }

    /// A family of one number that goes up and down.
    fn one(&mut self, name: &str, value: impl Display) {
        self.family(name, "gauge");
        self.line(name, &[], value);
    }
}

fn requests(text: &mut Text, shared: &Shared) {
    let counts = shared.counts.get();
    let name = "anlauf_gate_requests_total";
    text.family(name, "counter");
    for (outcome, count) in [
        ("passed", counts.passed),
        ("refused", counts.refused),
        ("unknown", counts.unknown),
        ("failed", counts.failed),
    ] {
        text.line(name, &[("outcome", &outcome)], count);
    }
    let name = "anlauf_gate_cut_total";
    text.family(name, "counter");
    text.line(name, &[], counts.cut);
    let name = "anlauf_gate_turned_away_total";
    text.family(name, "counter");
    for why in TurnedAway::ALL {
        let count = shared.counts.turned_away.get(why);
        text.line(name, &[("reason", &why.name())], count);
    }
}

/// Cells by how far they are open, each stage named whether there are some or not.
fn stages(text: &mut Text, shared: &Shared, table: &Table) {
    let now = shared.now();
    let stages = [
        Stage::Closed,
        Stage::CleanRoom,
        Stage::Pilot,
        Stage::Basic,
        Stage::Full,
    ];
    let mut counts = stages.map(|stage| (stage, 0_usize));
    for cell in table.cells() {
        let stage = cell.state.stage(now);
        for (known, count) in &mut counts {
            *count += usize::from(*known == stage);
        }
    }
    let shut = |(stage, _): &&(Stage, usize)| *stage == Stage::Closed;
    let shut: usize = counts.iter().filter(shut).map(|(_, count)| count).sum();
    let name = "anlauf_gate_cells";
    text.family(name, "gauge");
    let open = table.cells().count().saturating_sub(shut);
    text.line(name, &[("open", &"true")], open);
    text.line(name, &[("open", &"false")], shut);
    let name = "anlauf_gate_stage_cells";
    text.family(name, "gauge");
    for (stage, count) in counts {
        text.line(name, &[("stage", &stage)], count);
    }
}

/// Whether filters of others follow, and what they may let pass that is shut here.
fn drivers(text: &mut Text, shared: &Shared, table: &Table) {
    if shared.drivers.iter().next().is_none() {
        return;
    }
    let now = shared.now();
    let follows = "anlauf_gate_driver_follows";
    text.family(follows, "gauge");
    for driver in shared.drivers.iter() {
        let is_well = u8::from(driver.account().trouble.is_none());
        text.line(
            follows,
            &[("filter", &driver.name), ("proven", &"false")],
            is_well,
        );
    }
    let unclear = "anlauf_gate_driver_cells_not_confirmed_shut";
    text.family(unclear, "gauge");
    for driver in shared.drivers.iter() {
        let account = driver.account();
        let shut = table.cells().map(|cell| &cell.state);
        let shut = shut.filter(|state| state.stage(now) == Stage::Closed);
        let count = shut.filter(|state| account.may_pass(&state.id)).count();
        text.line(unclear, &[("filter", &driver.name)], count);
    }
}

/// Requests by cell and outcome.
fn cells(text: &mut Text, table: &Table) {
    let name = "anlauf_gate_cell_requests_total";
    let mut is_first = true;
    for cell in table.cells() {
        let counts = &cell.state.counts;
        let outcomes: [(&str, &AtomicU64); 4] = [
            ("passed", &counts.passed),
            ("refused", &counts.refused),
            ("failed", &counts.failed),
            ("cut", &counts.cut),
        ];
        for (outcome, count) in outcomes {
            let count = count.load(Ordering::Relaxed);
            if count > 0 {
                if is_first {
                    text.family(name, "counter");
                    is_first = false;
                }
                let labels: [(&str, &dyn Display); 2] =
                    [("cell", &cell.state.id), ("outcome", &outcome)];
                text.line(name, &labels, count);
            }
        }
    }
}

/// Who came in, waits and was sent away, of cells for which it was set how fast they fill.
fn filling(text: &mut Text, table: &Table) {
    let cells = table.cells().map(|cell| &cell.state);
    let flows = cells.filter_map(|cell| Some((&cell.id, cell.flow()?)));
    let flows: Vec<_> = flows.collect();
    if flows.is_empty() {
        return;
    }
    let name = "anlauf_gate_inflow_total";
    text.family(name, "counter");
    for (id, flow) in &flows {
        for (outcome, count) in &flow.counts {
            let count = count.load(Ordering::Relaxed);
            text.line(name, &[("cell", id), ("outcome", &outcome)], count);
        }
    }
    let name = "anlauf_gate_inflow";
    text.family(name, "gauge");
    for (id, flow) in &flows {
        let report = flow.report(id);
        text.line(
            name,
            &[("cell", id), ("what", &"in_flight")],
            report.in_flight,
        );
        text.line(name, &[("cell", id), ("what", &"waiting")], report.waiting);
    }
}

/// Age of the last fresh word, and how each class stands that asks for it; nothing if none does.
fn freshness(text: &mut Text, shared: &Shared, table: &Table) {
    let account = shared.freshness();
    let Some(first) = account.first() else {
        return;
    };
    if let Some(age) = first.age_seconds {
        text.one("anlauf_gate_fresh_age_seconds", age);
    }
    let name = "anlauf_gate_class_standing";
    text.family(name, "gauge");
    for one in account.iter() {
        let (class, standing) = (format!("{:?}", one.class), one.standing.word());
        text.line(name, &[("class", &class), ("standing", &standing)], 1);
    }
    let now = shared.now();
    let stale = table.cells();
    let stale = stale.filter(|cell| judge::shut(&cell.state, now) == No::Unconfirmed);
    text.one("anlauf_gate_cells_stale", stale.count());
}
