//! What every page of the plan shares: the views beside each other, the choice of cells, the axis.
//!
//! In:    a visit, what can be chosen. Out: markup, a [`Filter`]. Never: a page of its own.

use maud::{Markup, html};

use crate::page::visit::Visit;
use crate::page::{part, visit};
use crate::picture::Axis;
use crate::text::Say;
use crate::text::word::plan::words;
use crate::view::Text2;
use crate::view::plan::Span;
use crate::view::plan::filter::{By, Choices, Filter};

/// Days that are looked at for the axis; a picture labels a dozen of them.
const DAY_COUNT_MAX: usize = 400;

/// Questions that lead from one view to the next.
const KEPT: [&str; 4] = ["by", "tenant", "service", "site"];

/// A part that lives by itself.
pub(crate) fn section(id: &str, content: Markup) -> (String, Markup) {
    (id.to_owned(), html! { section id=(id) { (content) } })
}

/// What the address asks for.
pub(crate) fn filter(visit: &Visit<'_>) -> Filter {
    fn asked<T: std::str::FromStr>(visit: &Visit<'_>, name: &str) -> Option<T> {
        visit.asked(name)?.parse().ok()
    }
    Filter {
        by: By::of(visit.asked("by")),
        tenant: asked(visit, "tenant"),
        service: asked(visit, "service"),
        site: asked(visit, "site"),
    }
}

/// The views of the plan beside each other; the choice of cells is kept from one to the next.
pub(crate) fn tabs(visit: &Visit<'_>, here: &str) -> Markup {
    let p = words(visit.say.language);
    let views = [
        ("/console/plan", p.nav_axis),
        ("/console/plan/load", p.nav_load),
        ("/console/plan/changes", p.nav_change),
        ("/console/plan/course", p.nav_course),
        ("/console/plan/try", p.nav_try),
    ];
    let kept = visit.query.iter();
    let kept = kept.filter(|(key, value)| KEPT.contains(&key.as_str()) && !value.is_empty());
    let kept: Vec<_> = kept
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    html! {
        nav.tabs aria-label=(p.pages) {
            @for (path, name) in views {
                a href=(visit::address(path, kept.iter().copied()))
                    aria-current=[(path == here).then_some("page")] { (name) }
            }
        }
    }
}

/// The choice of cells; what else the address asks for stays.
pub(crate) fn filters(
    visit: &Visit<'_>,
    here: &str,
    filter: &Filter,
    (choices, with_rows): (&Choices, bool),
) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let p = words(say.language);
    let tenant = filter.tenant.as_ref().map(|id| id.as_str());
    let service = filter.service.as_ref().map(|id| id.as_str());
    let site = filter.site.as_ref().map(|id| id.as_str());
    let rows = [
        (By::Service, w.by_service),
        (By::Tenant, w.by_tenant),
        (By::Site, p.by_site),
    ];
    html! {
        form.filters method="get" action=(here) role="search" aria-label=(w.filter) {
            @if let Some(plan) = visit.asked("plan") {
                input type="hidden" name="plan" value=(plan);
            }
            @if with_rows {
                div.field {
                    label for="by" { (w.rows_by) }
                    select id="by" name="by" {
                        @for (by, name) in rows {
                            option value=(by.word()) selected[by == filter.by] { (name) }
                        }
                    }
                }
            }
            (choice(say, ("tenant", w.tenant), &choices.tenants, tenant))
            (choice(say, ("service", w.service), &choices.services, service))
            (choice(say, ("site", w.site), &choices.sites, site))
            button type="submit" { (p.change_show) }
        }
    }
}

fn choice(
    say: &Say,
    (id, name): (&str, &str),
    all: &[(String, Text2)],
    chosen: Option<&str>,
) -> Markup {
    html! {
        div.field {
            label for=(id) { (name) }
            select id=(id) name=(id) {
                option value="" { (say.w.all) }
                @for (value, name) in all {
                    option value=(value) selected[chosen == Some(value.as_str())] {
                        (part::said(say, name)) }
                }
            }
        }
    }
}

/// The axis of a picture: its days by name, the present.
pub(crate) fn axis(say: &Say, span: Span) -> Axis {
    let days = say.midnights(span.from, span.to, DAY_COUNT_MAX);
    let is_inside = span.from <= say.now && say.now <= span.to;
    Axis {
        from: span.from,
        to: span.to,
        now: is_inside.then_some(say.now),
        days: days.into_iter().map(|day| (day, say.day(day))).collect(),
    }
}
