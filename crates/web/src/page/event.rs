//! The ledger in words: a list with filters, and one entry with what proves it.

use anlauf_model::CellId;
use anlauf_recovery::event::Scope;
use anlauf_recovery::{Entry, query};
use maud::{Markup, html};

#[cfg(test)]
mod tests;

use super::part;
use super::screen::{Miss, Screen};
use super::situation::event_line_long;
use super::visit::Visit;
use crate::DeskError;
use crate::text::{Say, capital, fill};
use crate::view::event::{EventLine, Filter, Kind};

/// Lines of one page.
const PAGE_COUNT: usize = 60;
/// Entries read at once while looking for lines.
const READ_COUNT: u64 = 400;
/// Entries one page looks through at most; the next page goes on from there.
const LOOK_COUNT_MAX: u64 = 8_000;
/// Most bytes of an entry shown; the whole of it is in the API.
const BODY_SIZE_MAX: usize = 20_000;

/// Entries a portal looks through at most for those its tenant may read.
pub(crate) const OWN_LOOK_COUNT_MAX: u64 = 100_000;
/// Lines of a tenant's part of the ledger.
const OWN_LINE_COUNT: usize = 15;

/// Entries that were found, and where to go on.
pub(crate) struct Found {
    pub(crate) lines: Vec<EventLine>,
    older: Option<u64>,
}

impl Found {
    /// Whether looking ended before there were enough lines and before the first entry.
    pub(crate) fn is_cut(&self) -> bool {
        self.lines.len() < OWN_LINE_COUNT && self.older.is_some()
    }
}

/// How many lines are wanted, and how many entries are looked through for them.
#[derive(Clone, Copy)]
struct Limit {
    line_count: usize,
    look_count: u64,
}

/// The list.
pub(crate) fn list(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let (say, w) = (&visit.say, visit.say.w);
    let filter = Filter {
        kind: visit
            .asked("kind")
            .and_then(|word| Kind::ALL.into_iter().find(|k| k.word() == word)),
        cell: visit
            .asked("cell")
            .and_then(|cell| cell.trim().parse::<CellId>().ok()),
        tenant: visit.asked("tenant").map(str::to_owned),
    };
    let before = visit.asked("before").and_then(|text| text.parse().ok());
    let limit = Limit {
        line_count: PAGE_COUNT,
        look_count: LOOK_COUNT_MAX,
    };
    let last = visit.state().seq;
    let from = before.map_or(last, |before: u64| before.saturating_sub(1).min(last));
    let read = |from, count| visit.web.desk.entries(from, count);
    let landscape = visit.state().landscape.clone();
    let line = |entry: &Entry| EventLine::of(entry, landscape.as_deref());
    let found = look_back(from, limit, read, |entry| {
        filter.keeps(entry).then(|| line(entry))
    })?;
    let rows = html! {
        section id="event-list" {
            @if found.lines.is_empty() { (part::nothing(w.no_events_found)) }
            ol.events.long {
                @for line in &found.lines { li { (event_line_long(say, line, "/console/events")) } }
            }
        }
    };
    let main = html! {
        h1 { (w.nav_events) }
        (filters(visit, &filter))
        (rows)
        (paging(visit, before, &found))
    };
    let parts = vec![("event-list".to_owned(), rows)];
    let screen = Screen::new(w.nav_events, "/console/events", main).with_parts(parts);
    // Older pages do not change; a list that moves under the reader's eyes helps nobody.
    Ok(if before.is_some() {
        screen.still()
    } else {
        screen
    })
}

/// Looks from entry `next` back for those to keep, a bounded piece at a time.
fn look_back(
    mut next: u64,
    limit: Limit,
    read: impl Fn(u64, usize) -> Result<Vec<Entry>, DeskError>,
    keep: impl Fn(&Entry) -> Option<EventLine>,
) -> Result<Found, DeskError> {
    let end = next.saturating_sub(limit.look_count);
    let mut lines = Vec::new();
    while next > end {
        let from = next.saturating_sub(READ_COUNT - 1).max(1);
        let count = (next + 1 - from) as usize;
        let entries = read(from, count)?;
        for entry in entries.iter().rev().filter(|entry| entry.seq <= next) {
            if lines.len() == limit.line_count {
                return Ok(Found {
                    lines,
                    older: Some(entry.seq + 1),
                });
            }
            lines.extend(keep(entry));
        }
        next = from - 1;
    }
    Ok(Found {
        lines,
        older: (next > 0).then_some(next + 1),
    })
}

/// Newest entries this login may read, for a tenant's portal.
pub(crate) fn own_lines(visit: &Visit<'_>) -> Result<Found, Miss> {
    let actor = visit.actor.ok_or(Miss::NotFound)?;
    let limit = Limit {
        line_count: OWN_LINE_COUNT,
        look_count: OWN_LOOK_COUNT_MAX,
    };
    let read = |from, count| visit.web.desk.entries(from, count);
    let (last, landscape) = {
        let state = visit.state();
        (state.seq, state.landscape.clone())
    };
    let readable = |entry: &Entry| {
        let may = query::may_read(entry, actor.role, actor.tenant.as_ref());
        may.then(|| EventLine::of(entry, landscape.as_deref()))
    };
    Ok(look_back(last, limit, read, readable)?)
}

fn filters(visit: &Visit<'_>, filter: &Filter) -> Markup {
    let w = visit.say.w;
    let tenants: Vec<(String, String)> = {
        let state = visit.state();
        let tenants = state.landscape.iter().flat_map(|l| &l.declared().tenants);
        tenants
            .map(|tenant| (tenant.id.to_string(), tenant.name.clone()))
            .collect()
    };
    let cell = filter
        .cell
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    html! {
        form.filters method="get" action="/console/events" role="search" aria-label=(w.filter) {
            div.field {
                label for="kind" { (w.kind) }
                select id="kind" name="kind" {
                    option value="" { (w.all) }
                    @for kind in Kind::ALL {
                        option value=(kind.word()) selected[filter.kind == Some(kind)] {
                            (w.event_kind[kind as usize]) }
                    }
                }
            }
            div.field {
                label for="tenant" { (w.tenant) }
                select id="tenant" name="tenant" {
                    option value="" { (w.all) }
                    @for (id, name) in &tenants {
                        option value=(id) selected[filter.tenant.as_ref() == Some(id)] { (name) }
                    }
                }
            }
            div.field {
                label for="cell" { (w.cell) }
                input type="search" id="cell" name="cell" value=(cell) placeholder="owner/service"
                    autocomplete="off" spellcheck="false";
            }
            button type="submit" { (w.show) }
            @if visit.query.iter().any(|(key, value)| key != "done" && !value.is_empty()) {
                a.button.plain href="/console/events" { (w.show_all) }
            }
        }
    }
}

fn paging(visit: &Visit<'_>, before: Option<u64>, found: &Found) -> Markup {
    let w = visit.say.w;
    html! {
        nav.paging aria-label=(w.paging) {
            @if before.is_some() { a.button href=(visit.address_with(&[("before", "")])) {
                (w.newest_first) } }
            @if let Some(older) = found.older {
                a.button href=(visit.address_with(&[("before", &older.to_string())])) { (w.older) }
            }
        }
    }
}

/// One entry in the console.
pub(crate) fn one(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let entry = entry(visit)?;
    shown(visit, &entry, "/console/events")
}

/// One entry in a tenant's portal: of those it may read.
pub(crate) fn own(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let actor = visit.actor.ok_or(Miss::NotFound)?;
    let entry = entry(visit)?;
    if !query::may_read(&entry, actor.role, actor.tenant.as_ref()) {
        return Err(Miss::NotFound);
    }
    shown(visit, &entry, "/tenant")
}

fn entry(visit: &Visit<'_>) -> Result<Entry, Miss> {
    let number: u64 = visit.gap(0).ok_or(Miss::NotFound)?;
    if number == 0 {
        return Err(Miss::NotFound);
    }
    let entries = visit.web.desk.entries(number, 1)?;
    entries
        .into_iter()
        .next()
        .filter(|entry| entry.seq == number)
        .ok_or(Miss::NotFound)
}

fn shown(visit: &Visit<'_>, entry: &Entry, base: &'static str) -> Result<Screen, Miss> {
    let (say, w) = (&visit.say, visit.say.w);
    let landscape = visit.state().landscape.clone();
    let line = EventLine::of(entry, landscape.as_deref());
    let head = visit.web.desk.head()?;
    let proof = visit.web.desk.proof(entry.seq, head.size)?;
    let title = fill(w.entry, &[&say.number(entry.seq)]);
    let main = html! {
        p.kicker {
            a href=(base) { (if base == "/tenant" { w.nav_portal } else { w.nav_events }) }
            " · " (title)
        }
        h1 { (capital(line.words(say.language))) }
        dl.facts {
            div { dt { (w.at) } dd { (say.when_full(entry.at)) } }
            div { dt { (w.by) } dd { (actor(say, entry)) } }
            div { dt { (w.kind) } dd { (w.event_kind[line.kind as usize]) } }
            div { dt { (w.readers) } dd { (readers(say, &entry.scope)) } }
        }
        h2 { (w.reason) }
        blockquote.reason-text { (entry.reason) }
        @if base != "/tenant" { (body(say, entry)) }
        h2 { (w.nav_proof) }
        @match &proof {
            None => { (part::nothing(w.no_proof)) }
            Some(proof) => {
                p { (fill(w.proof_words, &[&say.number(proof.path.len() as u64),
                    &say.number(proof.size)])) }
                dl.facts.long {
                    div { dt { (w.leaf) } dd { code.digest-long { (proof.leaf) } } }
                    div { dt { (w.root_hash) } dd { code.digest-long { (head.root) } } }
                }
                p { a.button href={ "/api/v1/entries/" (entry.seq) "/proof" } { (w.proof_load) } }
            }
        }
    };
    let here = if base == "/tenant" {
        "/tenant"
    } else {
        "/console/events"
    };
    Ok(Screen::new(title, here, main).still())
}

fn actor(say: &Say, entry: &Entry) -> String {
    let actor = &entry.actor;
    format!(
        "{} ({}, {})",
        actor.person,
        say.role(actor.role),
        actor.organisation
    )
}

fn readers(say: &Say, scope: &Scope) -> String {
    match scope {
        Scope::Provider => say.w.scope_provider.to_owned(),
        Scope::Everyone => say.w.scope_everyone.to_owned(),
        Scope::Tenant(tenant) => fill(say.w.scope_one_tenant, &[tenant]),
    }
}

fn body(say: &Say, entry: &Entry) -> Markup {
    let text = serde_json::to_string_pretty(&entry.event).unwrap_or_default();
    let cut = text.char_indices().map(|(at, _)| at).nth(BODY_SIZE_MAX);
    html! {
        details {
            summary { (say.w.entry_body) }
            pre.statement { (cut.map_or(text.as_str(), |at| &text[..at]))
                @if cut.is_some() { "\n…" } }
        }
    }
}
