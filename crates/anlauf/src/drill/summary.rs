//! What a drill says at its end: one set of facts for the terminal table and the HTML report.
//!
//! In:    last state, tally, book of the clients, ledger. Out: [`Summary`].
//! Never: a figure that was not measured in this drill.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anlauf_model::{Landscape, Minutes, Timestamp};
use anlauf_recovery::State;
use anlauf_recovery::query::{HitRate, hit_rate};

use super::tally::{Closing, Restriction, Tally, restrictions};
use super::traffic::Book;

/// Facts of one drill.
pub struct Summary {
    /// Rows of two columns, in groups: title, rows.
    pub groups: Vec<(&'static str, Vec<(String, String)>)>,
    /// Restriction time by class of tenant.
    pub restrictions: Vec<Restriction>,
    /// When the services came back, by service: first, half, last day.
    pub services: Vec<ServiceReturn>,
    /// How the forecasts held.
    pub hits: HitRate,
    /// What must hold and does not.
    pub violations: Vec<String>,
}

/// When one service came back over all its cells. Days since the incident began.
pub struct ServiceReturn {
    /// English and German name.
    pub name: anlauf_model::Text,
    /// How many cells.
    pub cells: usize,
    /// First, half of them, last.
    pub days: [f64; 3],
}

/// What was measured of the ledger at the end.
pub struct LedgerFacts {
    /// Entries.
    pub size: u64,
    /// Root of the Merkle tree.
    pub root: String,
    /// On disk. Bytes.
    pub bytes: u64,
    /// How long recomputing everything took.
    pub verified_in: Duration,
}

impl Summary {
    /// Draws the facts together.
    pub fn new(
        state: &State,
        tally: &Tally,
        book: &Book,
        ledger: &LedgerFacts,
        wall: Duration,
    ) -> Self {
        let leaked = book.leaked.load(Ordering::SeqCst);
        let hits = hit_rate(state);
        let groups = vec![
            ("closing", closing(tally)),
            ("requests through the gates", requests(book, leaked)),
            ("releases", releases(state, tally)),
            ("agreements and plans", agreements(state, tally, hits)),
            ("ledger", ledger_rows(ledger)),
            ("drill", vec![row("story time", days(span(state))), row("wall time", seconds(wall))]),
        ];
        Self {
            groups,
            restrictions: restrictions(state),
            services: services(state),
            hits,
            violations: super::tally::violations(state, tally, leaked),
        }
    }

    /// The table for the terminal.
    pub fn to_text(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
        for (title, rows) in &self.groups {
            table.add_row([title.to_uppercase(), String::new()]);
            for (name, value) in rows {
                table.add_row([format!("  {name}"), value.clone()]);
            }
        }
        table.add_row(["RESTRICTION TIME BY TENANT CLASS".to_owned(), "half / 9 of 10 / last".into()]);
        for class in &self.restrictions {
            let hours = |h: i64| days(Minutes::hours(h));
            table.add_row([
                format!("  {} ({} tenants)", class.size, class.tenants),
                format!(
                    "{} / {} / {}",
                    hours(class.median_hours),
                    hours(class.p90_hours),
                    hours(class.max_hours)
                ),
            ]);
        }
        table.to_string()
    }
}

fn row(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

fn closing(tally: &Tally) -> Vec<(String, String)> {
    let words = |closing: &Option<Closing>| match closing {
        Some(c) => format!(
            "{} cells; durable after {}, every gate after {}",
            c.cells,
            millis(c.durable),
            millis(c.every_gate)
        ),
        None => "none".to_owned(),
    };
    vec![row("containment", words(&tally.contained)), row("second attack", words(&tally.closed_again))]
}

fn requests(book: &Book, leaked: u64) -> Vec<(String, String)> {
    let count = |n: &std::sync::atomic::AtomicU64| n.load(Ordering::SeqCst);
    vec![
        row("asked", count(&book.asked)),
        row("answered by a backend", count(&book.answered)),
        row("refused honestly by a gate", count(&book.refused)),
        row("cut or failed", count(&book.broken)),
        row("let through without a valid release", leaked),
    ]
}

fn releases(state: &State, tally: &Tally) -> Vec<(String, String)> {
    let mut rows = vec![
        row("released (signed statements)", tally.released),
        row("signatures", tally.signatures),
        row("tasks done / done again", format!("{} / {}", tally.tasks, tally.again)),
        row("acceptance tests failed", tally.rejected),
    ];
    for (reason, count) in tally.refusals.iter().take(5) {
        rows.push(row(&format!("refused: {reason}"), count));
    }
    for (gate, known) in &state.gates {
        rows.push(row(
            &format!("forged releases refused by {gate}"),
            format!("{} of {}", known.refused.len(), tally.forged),
        ));
    }
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, decision) in state.gates.values().flat_map(|gate| &gate.refused) {
        for reason in &decision.reasons {
            *reasons.entry(reason).or_insert(0) += 1;
        }
    }
    rows.extend(reasons.into_iter().map(|(reason, count)| row(&format!("    {reason}"), count)));
    rows
}

fn agreements(state: &State, tally: &Tally, hits: HitRate) -> Vec<(String, String)> {
    let gap = state.plans.first().map_or(0, |plan| plan.gap_per_mille);
    let share = |held: u32| match hits.given {
        0 => "none".to_owned(),
        given => format!("{held} of {given} ({} %)", u64::from(held) * 100 / u64::from(given)),
    };
    vec![
        row(
            "windows agreed / declined / missed",
            format!("{} / {} / {}", tally.slots_agreed, tally.slots_declined, tally.slots_missed),
        ),
        row("plans put in force", tally.plans),
        row("first plan, from the best possible at most", format!("{:.1} %", gap as f64 / 10.0)),
        row("dates given with 50 % that held", share(hits.held_p50)),
        row("dates given with 80 % that held", share(hits.held_p80)),
        row("dates given with 95 % that held", share(hits.held_p95)),
    ]
}

fn ledger_rows(ledger: &LedgerFacts) -> Vec<(String, String)> {
    vec![
        row("entries", ledger.size),
        row("on disk", format!("{:.1} MiB", ledger.bytes as f64 / 1_048_576.0)),
        row("root", &ledger.root),
        row("verified from the bodies in", millis(ledger.verified_in)),
    ]
}

/// When each service came back.
fn services(state: &State) -> Vec<ServiceReturn> {
    let (Some(landscape), Some(incident)) = (&state.landscape, &state.incident) else {
        return Vec::new();
    };
    let mut rows: Vec<ServiceReturn> = landscape
        .declared()
        .services
        .iter()
        .filter_map(|service| {
            let mut days = returns(landscape, state, incident.began, &service.id);
            days.sort_by(f64::total_cmp);
            let (first, last) = (*days.first()?, *days.last()?);
            Some(ServiceReturn {
                name: service.name.clone(),
                cells: days.len(),
                days: [first, days[days.len() / 2], last],
            })
        })
        .collect();
    rows.sort_by(|a, b| a.days[1].total_cmp(&b.days[1]));
    rows
}

fn returns(
    landscape: &Landscape,
    state: &State,
    began: Timestamp,
    service: &anlauf_model::ServiceId,
) -> Vec<f64> {
    let cells = landscape.cells_of_service(service).iter();
    let back = cells.filter_map(|id| state.cells.get(id)?.gaps.last()?.to);
    back.map(|at| (at - began).0 as f64 / 1440.0).collect()
}

fn span(state: &State) -> Minutes {
    let incident = state.incident.as_ref();
    incident.map_or(Minutes(0), |i| i.ended.unwrap_or(state.at) - i.began)
}

fn millis(span: Duration) -> String {
    format!("{:.1} ms", span.as_secs_f64() * 1000.0)
}

fn seconds(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

fn days(span: Minutes) -> String {
    format!("{:.1} days", span.0 as f64 / 1440.0)
}
