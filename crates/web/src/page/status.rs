//! The public status page and its Atom feed: calm words, as of, next word, nothing from inside.

use std::sync::Arc;

use anlauf_model::Stage;
use anlauf_recovery::query::HitRate;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, PreEscaped, html};

use super::desk::history;
use super::login::is_encrypted;
use super::part;
use super::plan::course::hits;
use super::screen::{Miss, Screen};
use super::visit::Visit;
use crate::Web;
use crate::text::{Say, fill};
use crate::view::desk::NoticeView;
use crate::view::status::{ChosenTenant, ServiceLine, StatusView};
use crate::who::Spoken;

/// Notices in the feed.
const FEED_COUNT: usize = 30;

/// The page.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let (say, w) = (&visit.say, visit.say.w);
    let view = StatusView::of(&visit.state(), visit.now(), visit.asked("tenant"));
    let parts = vec![
        part("status-head", head(say, &view)),
        part("status-word", newest(say, &view)),
        part("status-chosen", chosen(visit, &view)),
        part("status-services", services(say, &view)),
        part("status-history", earlier(say, &view)),
    ];
    let main = html! { div.status { @for (_, part) in &parts { (part) } } };
    Ok(Screen::new(w.nav_status, "/", main).with_parts(parts))
}

fn part(id: &str, content: Markup) -> (String, Markup) {
    (id.to_owned(), html! { section id=(id) { (content) } })
}

fn head(say: &Say, view: &StatusView) -> Markup {
    let w = say.w;
    html! {
        p.kicker { @if let Some(provider) = &view.provider { (say.text(provider)) } }
        @match &view.incident {
            Some((title, began, None)) => {
                h1 { (say.text(title)) }
                p.lead { (fill(w.status_running, &[&say.when(*began)])) }
            }
            Some((_, _, Some(ended))) => {
                h1 { (w.status_over) }
                p.lead { (fill(w.status_over_lead, &[&say.when(*ended)])) }
            }
            None => {
                h1 { (w.status_calm) }
                p.lead { (w.status_calm_lead) }
            }
        }
    }
}

fn newest(say: &Say, view: &StatusView) -> Markup {
    html! {
        @if let Some(notice) = view.notices.first() {
            h2 { (say.w.newest_word) }
            (word(say, notice, view.is_running()))
        }
    }
}

/// A notice. Only the newest of a running incident still owes the word it promised.
fn word(say: &Say, view: &NoticeView, owes: bool) -> Markup {
    let w = say.w;
    html! {
        @if let Some(last) = view.notice.versions.last() {
            article.notice {
                p.text { (say.text(&last.text)) }
                p.quiet {
                    (w.as_of) " " (part::when(say, last.at))
                    @if view.notice.versions.len() > 1 { " · " (w.revised) }
                    " · " (w.next_word) " " (part::when(say, last.next_word_at))
                    @if owes && last.next_word_at <= say.now { " " em { (w.overdue) } }
                }
                (history(say, view))
            }
        }
    }
}

fn chosen(visit: &Visit<'_>, view: &StatusView) -> Markup {
    let w = visit.say.w;
    let asked = visit.asked("tenant").unwrap_or_default();
    html! {
        @if !view.tenants.is_empty() {
            h2 { (w.your_tenant) }
            form.filters method="get" action="/status" role="search" {
                div.field {
                    label for="tenant" { (w.tenant_name) }
                    input type="search" id="tenant" name="tenant" value=(asked) list="tenants"
                        autocomplete="off";
                    datalist id="tenants" {
                        @for (_, name) in &view.tenants { option value=(name) {} }
                    }
                }
                button.primary type="submit" { (w.show) }
            }
            @if view.is_unknown { p.alarm role="status" { (w.tenant_unknown) } }
            @if !view.several.is_empty() {
                p { (w.tenant_several) }
                ul.several { @for (id, name) in &view.several {
                    li { a href={ "/status?tenant=" (id) } { (name) } }
                } }
            }
            @if let Some(tenant) = &view.chosen { (tenant_table(&visit.say, tenant, view.hits)) }
        }
    }
}

fn tenant_table(say: &Say, tenant: &ChosenTenant, past: Option<HitRate>) -> Markup {
    let w = say.w;
    html! {
        h3 { (tenant.name) }
        ul.status-list {
            @for (name, stage, expected) in &tenant.services {
                li {
                    span.status-name { (part::said(say, name)) }
                    span class={ "status-word stage-" (stage.word()) } {
                        span.stage-sign aria-hidden="true" { (public_sign(*stage)) }
                        (say.stage_public(*stage))
                    }
                    @if let Some(expected) = expected {
                        span.status-when { (fill(w.expected_until, &[&say.day(*expected)])) }
                    }
                }
            }
        }
        p.hint { (w.expected_public) @if let Some(past) = past { " " (hits(say, past)) } }
    }
}

/// To the public a service works, works in part, is tried out, or does not work.
fn public_sign(stage: Stage) -> &'static str {
    match stage {
        Stage::Closed | Stage::CleanRoom => "○",
        Stage::Pilot => "◑",
        Stage::Basic => "◕",
        Stage::Full => "●",
    }
}

fn services(say: &Say, view: &StatusView) -> Markup {
    let w = say.w;
    html! {
        @if !view.services.is_empty() {
            h2 { (w.services) }
            ul.status-list { @for line in &view.services { (service_line(say, line)) } }
        }
    }
}

fn service_line(say: &Say, line: &ServiceLine) -> Markup {
    let w = say.w;
    let at = |stage: Stage| u64::from(line.counts[stage as usize]);
    let (full, basic) = (at(Stage::Full), at(Stage::Basic));
    let total = u64::from(line.count);
    let (sign, class, words) = match (full, full + basic) {
        (full, _) if full == total => ("●", "full", w.service_all.to_owned()),
        (_, 0) => ("○", "closed", w.service_none.to_owned()),
        (_, open) => (
            "◕",
            "basic",
            fill(w.service_some, &[&say.number(open), &say.number(total)]),
        ),
    };
    html! {
        li {
            span.status-name { (part::said(say, &line.name)) }
            span class={ "status-word stage-" (class) } {
                span.stage-sign aria-hidden="true" { (sign) } (words)
            }
            @if full < total && full + basic > 0 { (part::bar("bar-public", (full + basic) * 1000 /
                total.max(1))) }
        }
    }
}

fn earlier(say: &Say, view: &StatusView) -> Markup {
    html! {
        @if view.notices.len() > 1 {
            h2 { (say.w.earlier_words) }
            @for notice in view.notices.iter().skip(1) { (word(say, notice, false)) }
        }
    }
}

/// The notices as an Atom feed (RFC 4287), in the language asked for.
pub(crate) async fn atom(
    State(web): State<Arc<Web>>,
    Spoken(language): Spoken,
    headers: HeaderMap,
) -> Response {
    let visit = Visit::new(&web, None, language, ("/status.atom", ""));
    let view = StatusView::of(&visit.state(), visit.now(), None);
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    let scheme = if is_encrypted(&headers) {
        "https"
    } else {
        "http"
    };
    let say = &visit.say;
    let domain = visit
        .state()
        .authority
        .as_ref()
        .map(|a| a.root().domain.clone());
    let base = format!("urn:anlauf:{}", domain.unwrap_or_else(|| "none".to_owned()));
    let updated = view
        .notices
        .iter()
        .filter_map(|n| n.notice.versions.last())
        .map(|v| v.at)
        .max();
    let title = view
        .provider
        .as_ref()
        .map_or("Anlauf", |provider| say.text(provider));
    let feed = html! {
        (PreEscaped("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"))
        feed xmlns="http://www.w3.org/2005/Atom" xml:lang=(say.language.tag()) {
            title { (title) " · " (say.w.nav_status) }
            id { (base) ":status" }
            updated { (updated.unwrap_or_default()) }
            author { name { (title) } }
            (PreEscaped(format!("<link rel=\"alternate\" href=\"{scheme}://{}/\"/>",
                html! { (host) }.0)))
            @for notice in view.notices.iter().take(FEED_COUNT) { (entry(say, notice, &base)) }
        }
    };
    let kind = [
        (header::CONTENT_TYPE, "application/atom+xml; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::VARY, "cookie, accept-language"),
    ];
    (kind, feed.into_string()).into_response()
}

fn entry(say: &Say, view: &NoticeView, base: &str) -> Markup {
    let versions = &view.notice.versions;
    let (Some(first), Some(last)) = (versions.first(), versions.last()) else {
        return html! {};
    };
    let text = say.text(&last.text);
    let title: String = text
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(120)
        .collect();
    html! {
        entry {
            title { (title) }
            id { (base) ":notice:" (view.notice.number) }
            published { (first.at) }
            updated { (last.at) }
            content type="text" {
                (text) "\n\n" (say.w.next_word) " " (say.when_full(last.next_word_at))
            }
        }
    }
}
