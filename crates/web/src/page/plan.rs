//! The plan in force: its figures, its picture on a time axis, the critical chain, plans so far.
//!
//! In:    a visit. Out: the page; the orders to plan, to adopt, to forecast.
//! Never: a picture without the same as a table.
//! See:   `load`, `change`, `course` for the other pictures; `frame` for what all of them share.

use anlauf_model::Digest;
use anlauf_recovery::Order;
use maud::{Markup, html};

use self::frame::{axis, filter, filters, section, tabs};
use super::form::{Act, Fields};
use super::part;
use super::screen::{Miss, Screen};
use super::situation::share;
use super::visit::Visit;
use crate::picture;
use crate::text::word::plan::words;
use crate::text::{Say, fill};
use crate::view::CellName;
use crate::view::inbox::PlanCard;
use crate::view::plan::PlanView;
use crate::view::plan::chain::Chain;
use crate::view::plan::change::PlanDifference;
use crate::view::plan::filter::{Choices, Filter};
use crate::view::plan::line::{Lines, PlanLine};

pub(crate) mod attempt;
pub(crate) mod change;
pub(crate) mod course;
mod frame;
pub(crate) mod load;

/// Where this page is.
const HERE: &str = "/console/plan";

/// Cells that are named because they miss their day of the month.
const LATE_SHOWN_MAX: usize = 5;

/// Plans that are listed.
const NOTE_SHOWN_MAX: usize = 40;

/// The page.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let w = visit.say.w;
    let filter = filter(visit);
    let (view, lines, choices) = {
        let state = visit.state();
        let choices = state.landscape.as_deref().map(Choices::of);
        (
            PlanView::of(&state),
            Lines::of(&state, visit.now(), &filter),
            choices.unwrap_or_default(),
        )
    };
    let parts = vec![
        section("plan-head", head(visit, &view)),
        section("plan-axis", picture(&visit.say, &view, &lines, &filter)),
        section("plan-chain", chain(&visit.say, &lines.chain)),
        section("plan-past", past(&visit.say, &view)),
    ];
    let main = html! {
        h1 { (w.nav_plan) }
        (tabs(visit, HERE))
        (parts[0].1)
        @if view.current.is_some() { (filters(visit, HERE, &filter, (&choices, true))) }
        (parts[1].1)
        @if visit.may("propose_plan") { div.two { (make_form(visit)) } }
        div.columns { (parts[2].1) (parts[3].1) }
    };
    Ok(Screen::new(w.nav_plan, HERE, main).with_parts(parts).wide())
}

fn head(visit: &Visit<'_>, view: &PlanView) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let p = words(say.language);
    html! {
        @match &view.current {
            None => { (part::nothing(w.no_plan)) }
            Some(plan) => {
                dl.facts {
                    div { dt { (w.plan_in_force) } dd { (part::digest(&plan.id)) } }
                    div { dt { (w.made) } dd { (part::when(say, plan.made_at)) } }
                    div { dt { (w.plan_gap) } dd.number {
                        (fill(w.plan_gap_words, &[&say.percent(plan.gap_per_mille)])) } }
                    div { dt { (w.cells_left) } dd.number { (say.number(plan.cell_count as u64)) } }
                    @if let Some(end) = plan.end {
                        div { dt { (w.plan_end) } dd { (part::when(say, end)) } }
                    }
                    @if !plan.late.is_empty() {
                        div { dt { (p.late) } dd { (late(say, &plan.late)) } }
                    }
                    @if let Some(range) = &view.whole {
                        div { dt { (w.forecast_whole) } dd { (say.range(range)) } }
                    }
                    @if view.hits.given > 0 {
                        div { dt { (w.hits_short) } dd.number {
                            (say.percent(share(view.hits.held_p80, view.hits.given))) } }
                    }
                }
            }
        }
        @for card in &view.proposed { (proposal(visit, card)) }
    }
}

/// Cells that miss their day of the month: the first by name, the rest by number.
fn late(say: &Say, cells: &[CellName]) -> String {
    let named = cells.iter().take(LATE_SHOWN_MAX);
    let named: Vec<String> = named.map(|name| part::full_name(say, name)).collect();
    match cells.len().saturating_sub(LATE_SHOWN_MAX) {
        0 => named.join("; "),
        more => fill(
            words(say.language).late_more,
            &[&named.join("; "), &say.number(more as u64)],
        ),
    }
}

fn make_form(visit: &Visit<'_>) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    html! {
        details.action {
            summary { (w.plan_make) }
            form.stack method="post" action="/console/plan/make" {
                p.hint { (w.plan_make_hint) }
                (part::reason(say, "plan", w.reason_plan))
                button.primary type="submit" { (w.plan_make) }
            }
        }
        details.action {
            summary { (w.forecast_make) }
            form.stack method="post" action="/console/plan/forecast" {
                p.hint { (w.forecast_make_hint) }
                (part::reason(say, "forecast", w.reason_forecast))
                button.primary type="submit" { (w.forecast_make) }
            }
        }
    }
}

/// A proposed plan: what it changes, and the button that puts it in force.
pub(crate) fn proposal(visit: &Visit<'_>, card: &PlanCard) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    html! {
        article.card {
            header.card-head {
                h3 { (w.plan_proposed) " " (part::digest(&card.id)) }
                span.card-id { (w.made) " " (part::when(say, card.made_at)) }
            }
            p {
                (fill(w.plan_gap_words, &[&say.percent(card.gap_per_mille)])) " · "
                (say.count(card.row_count as u64, w.step, w.steps))
            }
            @if let Some(difference) = &card.difference { (moves(say, difference)) }
            p { a href={ "/console/plan/changes?plan=" (card.id) } {
                (words(say.language).change_title) } }
            @if visit.may("adopt_plan") {
                form.stack method="post" action="/console/plan/adopt" {
                    input type="hidden" name="plan" value=(card.id);
                    (part::reason(say, &card.id.short(), w.reason_adopt))
                    button.primary type="submit" { (w.plan_adopt) }
                }
            }
        }
    }
}

fn moves(say: &Say, difference: &PlanDifference) -> Markup {
    let w = say.w;
    html! {
        p { (fill(w.plan_moves, &[
            &say.number(difference.earlier as u64),
            &say.number(difference.later as u64),
            &say.number(difference.same as u64),
        ])) }
        @if !difference.moves.is_empty() {
            ul.plain {
                @for (name, from, to) in &difference.moves {
                    li { (part::full_name(say, name)) ": " (say.when(*from)) " → " b {
                        (say.when(*to)) } }
                }
            }
        }
    }
}

/// The picture and its table.
fn picture(say: &Say, view: &PlanView, lines: &Lines, filter: &Filter) -> Markup {
    let (w, p) = (say.w, words(say.language));
    let drawn = picture::Plan {
        id: "plan-picture".to_owned(),
        title: p.plan_title.to_owned(),
        axis: axis(say, lines.span),
        bands: bands(say, lines),
        rows: lines.rows.iter().map(|line| row(say, line)).collect(),
    };
    html! {
        @if view.current.is_some() {
            h2 { (w.axis_caption) " " span.quiet {
                (fill(p.shown_cells, &[
                    &say.number(lines.cell_count as u64),
                    &say.number(lines.cell_count_all as u64),
                ]))
            } }
            @if lines.rows.is_empty() { (part::nothing(p.filter_empty)) }
            @else {
                (picture::plan(&drawn, say.language))
                (table(say, lines, filter))
            }
        }
    }
}

fn bands(say: &Say, lines: &Lines) -> Vec<picture::Band> {
    let band = |band: &crate::view::plan::line::Band| picture::Band {
        name: say.text(&band.name).to_owned(),
        from: band.from,
        to: band.to,
    };
    lines.bands.iter().map(band).collect()
}

fn row(say: &Say, line: &PlanLine) -> picture::Row {
    picture::Row {
        name: part::said(say, &line.name).to_owned(),
        note: format!("{} / {}", line.done_count, line.cell_count),
        work: line.work,
        planned: line.planned.clone(),
        opened: line.opened.clone(),
        slots: line.slots.iter().map(|slot| (slot.from, slot.to)).collect(),
        last: line.last,
        chain: line.chain.clone(),
    }
}

/// The same as a table; names lead on.
fn table(say: &Say, lines: &Lines, filter: &Filter) -> Markup {
    use crate::view::plan::filter::By;
    let (w, p) = (say.w, words(say.language));
    let name = match filter.by {
        By::Service => w.service,
        By::Tenant => w.tenant,
        By::Site => w.site,
    };
    html! {
        details.as-table {
            summary { (p.as_table) }
            div.scroll tabindex="0" role="region" aria-label=(p.plan_title) {
                table.list.stacked {
                    thead { tr {
                        th scope="col" { (name) } th scope="col" { (w.back_of) }
                        th scope="col" { (p.begins) } th scope="col" { (p.last_planned) }
                        th scope="col" { "P50" } th scope="col" { "P80" } th scope="col" { "P95" }
                        th scope="col" { (p.slots_kept) }
                    } }
                    tbody { @for line in &lines.rows { (table_row(say, line)) } }
                }
            }
        }
    }
}

fn table_row(say: &Say, line: &PlanLine) -> Markup {
    let (w, p) = (say.w, words(say.language));
    let ends = line.last.map(|range| [range.p50, range.p80, range.p95]);
    html! {
        tr {
            th scope="row" { a href=(line.link) { (part::said(say, &line.name)) } }
            td.number data-label=(w.back_of) { (line.done_count) " / " (line.cell_count) }
            td data-label=(p.begins) {
                @if let Some((from, _)) = line.work { (part::when_short(say, from)) }
            }
            td data-label=(p.last_planned) {
                @if let Some(last) = line.planned.iter().max() { (part::when_short(say, *last)) }
            }
            @for (index, name) in ["P50", "P80", "P95"].into_iter().enumerate() {
                td data-label=(name) {
                    @if let Some(ends) = ends { (part::when_short(say, ends[index])) }
                }
            }
            td.number data-label=(p.slots_kept) {
                @if !line.slots.is_empty() { (line.slots.len()) }
            }
        }
    }
}

fn chain(say: &Say, chain: &Chain) -> Markup {
    let p = words(say.language);
    html! {
        h2 { (p.chain) }
        @match &chain.last {
            None => { (part::nothing(p.chain_none)) }
            Some((name, at)) => {
                @let last = format!("{}, {}", part::full_name(say, name), say.when(*at));
                p.hint { (fill(p.chain_hint, &[&last])) }
                (part::chain(say, &chain.links, true))
            }
        }
    }
}

fn past(say: &Say, view: &PlanView) -> Markup {
    let (w, p) = (say.w, words(say.language));
    html! {
        h2 { (w.plans_past) }
        @if view.notes.is_empty() { (part::nothing(w.no_plan)) }
        @else {
            div.scroll tabindex="0" role="region" aria-label=(w.plans_past) { table.list {
                thead { tr {
                    th scope="col" { (w.plan_word) } th scope="col" { (w.adopted) }
                    th scope="col" { (w.plan_gap) } th scope="col" { (w.reason) }
                    th scope="col" { (p.nav_change) }
                } }
                tbody { @for note in view.notes.iter().take(NOTE_SHOWN_MAX) { tr {
                    th scope="row" { (part::digest(&note.id)) }
                    td { (part::when_short(say, note.adopted_at)) }
                    td.number { (say.percent(note.gap_per_mille)) }
                    td { (note.reason) }
                    td {
                        @if note.parent.is_some() {
                            a href={ "/console/plan/changes?plan=" (note.id) } { (p.change_show) }
                        }
                    }
                } } }
            } }
        }
    }
}

/// Have a plan made and proposed.
pub(crate) fn make(visit: &Visit<'_>, _: &Fields) -> Result<Act, Miss> {
    if visit.may("propose_plan") {
        Ok(Act::Plan)
    } else {
        Err(Miss::NotFound)
    }
}

/// Have ranges made from the plan in force and published.
pub(crate) fn foretell(visit: &Visit<'_>, _: &Fields) -> Result<Act, Miss> {
    if visit.may("publish_forecast") {
        Ok(Act::Forecast)
    } else {
        Err(Miss::NotFound)
    }
}

/// A proposed plan comes into force.
pub(crate) fn adopt(visit: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    let unclear = Miss::Unclear(visit.say.w.unclear_choice);
    let plan: Digest = fields.parsed("plan").ok_or(unclear)?;
    Ok(Act::order(Order::AdoptPlan { plan }, "/console/plan"))
}
