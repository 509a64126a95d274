//! What moves between a plan and its parent: arrows, by how much, because of what.

use std::sync::Arc;

use anlauf_model::{Minutes, Plan, Timestamp};
use maud::{Markup, html};

use super::frame::{axis, filter, filters, section, tabs};
use crate::api::plan::find;
use crate::page::part;
use crate::page::screen::{Miss, Screen};
use crate::page::visit::Visit;
use crate::picture;
use crate::text::word::plan::words;
use crate::text::{Say, fill};
use crate::view::plan::Span;
use crate::view::plan::change::{Candidate, Change, Move, Reason, candidates};
use crate::view::plan::filter::Choices;

/// Where this page is.
const HERE: &str = "/console/plan/changes";

/// Plans that can be chosen.
const CHOICE_SHOWN_MAX: usize = 40;

/// The page: a plan, asked for or the newest, against its parent.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let say = &visit.say;
    let p = words(say.language);
    let filter = filter(visit);
    let (all, choices) = {
        let state = visit.state();
        let choices = state.landscape.as_deref().map(Choices::of);
        (candidates(&state), choices.unwrap_or_default())
    };
    let chosen = match visit.asked("plan") {
        Some(asked) => {
            let asked = all.iter().find(|one| one.id.to_string() == asked);
            Some(asked.ok_or(Miss::NotFound)?)
        }
        None => all.first(),
    };
    let content = match chosen {
        None => part::nothing(p.change_none),
        Some(chosen) => {
            let (before, after) = both(visit, chosen)?;
            let state = visit.state();
            let change = Change::of(&state, &before, &after, &filter);
            let change = change.explained(&state, &before, &after);
            drop(state);
            shown(say, chosen, &change)
        }
    };
    let parts = vec![section("plan-change", content)];
    let main = html! {
        h1 { (p.change_title) }
        (tabs(visit, HERE))
        @if let Some(chosen) = chosen {
            (pick(say, &all, chosen))
            (filters(visit, HERE, &filter, (&choices, false)))
        }
        (parts[0].1)
    };
    Ok(Screen::new(p.change_title, "/console/plan", main)
        .with_parts(parts)
        .wide())
}

/// The plan and its parent, from the state or out of the ledger.
fn both(visit: &Visit<'_>, chosen: &Candidate) -> Result<(Arc<Plan>, Arc<Plan>), Miss> {
    let memory = visit.memory.ok_or(Miss::NotFound)?;
    let found = |id| find(visit.web, memory, id)?.ok_or(Miss::NotFound);
    Ok((found(&chosen.parent)?, found(&chosen.id)?))
}

fn pick(say: &Say, all: &[Candidate], chosen: &Candidate) -> Markup {
    let p = words(say.language);
    let name = |one: &Candidate| {
        let when = match one.adopted_at {
            Some(at) => fill(p.change_in_force, &[&say.when(at)]),
            None => fill(p.change_proposed, &[&say.when(one.made_at)]),
        };
        format!("{} · {when}", one.id.short())
    };
    html! {
        form.filters method="get" action=(HERE) {
            div.field {
                label for="plan" { (p.change_pick) }
                select id="plan" name="plan" {
                    @for one in all.iter().take(CHOICE_SHOWN_MAX) {
                        option value=(one.id) selected[one == chosen] { (name(one)) }
                    }
                }
            }
            button type="submit" { (p.change_show) }
        }
    }
}

fn shown(say: &Say, chosen: &Candidate, change: &Change) -> Markup {
    let p = words(say.language);
    let counts = &change.counts;
    let number = |count: usize| say.number(count as u64);
    html! {
        p {
            (part::digest(&chosen.id)) ". "
            (fill(p.change_against, &[&chosen.parent.short()])) " "
            @if !chosen.reason.is_empty() {
                b { (fill(p.change_because, &[&chosen.reason])) }
            }
        }
        p.lead { (fill(p.change_counts, &[
            &number(counts.earlier), &number(counts.later), &number(counts.same),
            &number(counts.added), &number(counts.gone),
        ])) }
        @if change.moves.is_empty() { (part::nothing(p.change_same)) }
        @else {
            @if change.move_count > change.moves.len() {
                p.hint { (fill(p.change_shown, &[&change.moves.len(), &number(change.move_count)]))
                    }
            }
            (picture::change(&drawn(say, change), say.language))
            (table(say, change))
        }
    }
}

fn drawn(say: &Say, change: &Change) -> picture::Change {
    let ends = change.moves.iter().flat_map(|one| [one.from, one.to]);
    let ends: Vec<Timestamp> = ends.flatten().collect();
    let (from, to) = (ends.iter().min(), ends.iter().max());
    let span = Span {
        from: from.copied().unwrap_or(say.now) - Minutes::hours(12),
        to: to.copied().unwrap_or(say.now) + Minutes::hours(12),
    };
    picture::Change {
        id: "change-picture".to_owned(),
        title: words(say.language).change_title.to_owned(),
        axis: axis(say, span),
        moves: change
            .moves
            .iter()
            .map(|one| picture::Move {
                name: part::full_name(say, &one.name),
                note: by(say, one),
                from: one.from,
                to: one.to,
            })
            .collect(),
    }
}

/// Why an opening moves, in words.
fn because(say: &Say, reason: &Reason) -> String {
    let p = words(say.language);
    let name = |name| part::full_name(say, name);
    match reason {
        Reason::Work(task) => fill(p.because_work, &[&say.task(*task)]),
        Reason::Needs(cell) => fill(p.because_needs, &[&name(cell)]),
        Reason::After(cell) => fill(p.because_after, &[&name(cell)]),
        Reason::Team(team, cell) => fill(p.because_team, &[&say.text(team), &name(cell)]),
        Reason::Testers(cell) => fill(p.because_testers, &[&name(cell)]),
        Reason::Agreed => p.because_agreed.to_owned(),
        Reason::Hold(site) => fill(p.because_hold, &[&say.text(site)]),
        Reason::Again => p.because_again.to_owned(),
        Reason::Done => p.because_done.to_owned(),
        Reason::Order => p.because_order.to_owned(),
    }
}

/// By how much an opening moves, in words.
fn by(say: &Say, one: &Move) -> String {
    let p = words(say.language);
    match (one.from, one.to) {
        (Some(from), Some(to)) if to < from => fill(p.change_earlier, &[&say.span((from - to).0)]),
        (Some(from), Some(to)) => fill(p.change_later, &[&say.span((to - from).0)]),
        (None, _) => p.change_added.to_owned(),
        (Some(_), None) => p.change_gone.to_owned(),
    }
}

fn table(say: &Say, change: &Change) -> Markup {
    let (w, p) = (say.w, words(say.language));
    let end = |at: Option<Timestamp>, name: &str| {
        html! { td data-label=(name) { @if let Some(at) = at { (part::when_short(say, at)) } } }
    };
    html! {
        details.as-table {
            summary { (p.as_table) }
            div.scroll tabindex="0" role="region" aria-label=(p.change_title) {
                table.list.stacked {
                    thead { tr {
                        th scope="col" { (w.cell) } th scope="col" { (p.change_old) }
                        th scope="col" { (p.change_new) } th scope="col" { (p.change_by) }
                        th scope="col" { (p.change_why) }
                    } }
                    tbody { @for one in &change.moves { tr {
                        th scope="row" { (part::cell(say, &one.name)) }
                        (end(one.from, p.change_old))
                        (end(one.to, p.change_new))
                        td data-label=(p.change_by) { (by(say, one)) }
                        td data-label=(p.change_why) {
                            @if let Some(reason) = &one.because { (because(say, reason)) }
                        }
                    } } }
                }
            }
        }
    }
}
