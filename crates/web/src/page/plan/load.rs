//! How busy the teams are, against their lanes.

use maud::{Markup, html};

use super::frame::{axis, filter, filters, section, tabs};
use crate::page::part;
use crate::page::screen::{Miss, Screen};
use crate::page::visit::Visit;
use crate::picture;
use crate::text::word::plan::words;
use crate::text::{Say, fill};
use crate::view::plan::filter::Choices;
use crate::view::plan::load::{Load, TeamLoad};

/// Where this page is.
const HERE: &str = "/console/plan/load";

/// The page.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let (say, w) = (&visit.say, visit.say.w);
    let filter = filter(visit);
    let (view, choices, has_plan) = {
        let state = visit.state();
        let choices = state.landscape.as_deref().map(Choices::of);
        let load = Load::of(&state, visit.now(), &filter);
        (load, choices.unwrap_or_default(), state.plan.is_some())
    };
    let content = if has_plan {
        shown(say, &view)
    } else {
        part::nothing(w.no_plan)
    };
    let parts = vec![section("plan-load", content)];
    let main = html! {
        h1 { (w.team_load) }
        (tabs(visit, HERE))
        @if has_plan { (filters(visit, HERE, &filter, (&choices, false))) }
        (parts[0].1)
    };
    Ok(Screen::new(w.team_load, "/console/plan", main)
        .with_parts(parts)
        .wide())
}

fn shown(say: &Say, view: &Load) -> Markup {
    let p = words(say.language);
    let drawn = picture::Load {
        id: "load-picture".to_owned(),
        title: p.load_title.to_owned(),
        axis: axis(say, view.span),
        teams: view.teams.iter().map(|team| drawn(say, team)).collect(),
    };
    html! {
        @if view.teams.is_empty() { (part::nothing(p.load_none)) }
        @else {
            (picture::load(&drawn, say.language))
            (table(say, view))
        }
    }
}

fn drawn(say: &Say, team: &TeamLoad) -> picture::TeamLoad {
    let (w, p) = (say.w, words(say.language));
    let lanes = say.count(team.lanes.into(), w.lane, w.lanes);
    let hours = say.number(team.busy_hours);
    picture::TeamLoad {
        name: format!("{} · {lanes}", say.text(&team.name)),
        note: fill(p.load_note, &[&hours, &say.percent(team.peak().into())]),
        lanes: team.lanes,
        load: team.load.clone(),
    }
}

fn table(say: &Say, view: &Load) -> Markup {
    let (w, p) = (say.w, words(say.language));
    html! {
        details.as-table {
            summary { (p.as_table) }
            div.scroll tabindex="0" role="region" aria-label=(p.load_title) {
                table.list.stacked {
                    thead { tr {
                        th scope="col" { (w.team) } th scope="col" { (p.lanes_word) }
                        th scope="col" { (p.load_hours) } th scope="col" { (p.load_peak) }
                        th scope="col" { (p.load_free) }
                    } }
                    tbody { @for team in &view.teams { tr {
                        th scope="row" { (say.text(&team.name)) }
                        td.number data-label=(p.lanes_word) { (team.lanes) }
                        td.number data-label=(p.load_hours) { (say.number(team.busy_hours)) }
                        td.number data-label=(p.load_peak) { (say.percent(team.peak().into())) }
                        td data-label=(p.load_free) {
                            @if let Some(at) = team.free_from { (part::when_short(say, at)) }
                        }
                    } } }
                }
            }
        }
    }
}
