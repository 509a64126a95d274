//! How pages are answered: HTML with its safe headers, redirections, the kind no.
//!
//! In:    screens, misses, refusals. Out: responses. Never: a page that may run another's code.

use std::sync::Arc;

use anlauf_model::Role;
use anlauf_recovery::Reason;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use maud::html;

use crate::Web;
use crate::memory::Memory;
use crate::port::DeskError;
use crate::problem::Problem;
use crate::text::reason;
use crate::who::{Spoken, Who};

use super::screen::{Miss, Screen};
use super::visit::{Visit, encoded};
use super::{Audience, Route, part, pick, shell};

/// Nothing but our own style, script and pictures; nothing inline; in nobody's frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Shows a page.
pub(crate) async fn show(
    State(web): State<Arc<Web>>,
    Extension(memory): Extension<Arc<Memory>>,
    who: Option<Who>,
    Spoken(language): Spoken,
    uri: Uri,
) -> Response {
    let actor = who.as_ref().map(|who| &who.0);
    let path = uri.path();
    let path = if path.len() > 1 {
        path.trim_end_matches('/')
    } else {
        path
    };
    let mut visit = Visit::new(
        &web,
        actor,
        language,
        (path, uri.query().unwrap_or_default()),
    );
    let Some((route, gaps)) = Route::find(path, |route| route.show.is_some()) else {
        return missed(&visit, &Miss::NotFound);
    };
    if !route.audience.admits(actor.map(|actor| actor.role)) {
        return elsewhere(&visit, route.audience);
    }
    visit.gaps = gaps;
    visit.memory = Some(&memory);
    match route.show.map(|show| show(&visit)) {
        Some(Ok(screen)) => page(&visit, StatusCode::OK, &screen),
        Some(Err(miss)) => missed(&visit, &miss),
        None => missed(&visit, &Miss::NotFound),
    }
}

/// Where someone goes who may not come here: to the login, to their own start, or nowhere.
fn elsewhere(visit: &Visit<'_>, audience: Audience) -> Response {
    match (visit.actor.map(|actor| actor.role), audience) {
        (None, _) => {
            let query: Vec<_> = visit
                .query
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect();
            let back = super::visit::address(visit.path, query);
            see_other(&format!("/login?back={}", encoded(&back)))
        }
        (Some(Role::Tenant), Audience::Console) if visit.path == "/console" => see_other("/tenant"),
        (Some(role), Audience::Portal) if Audience::Console.admits(Some(role)) => {
            if visit.path == "/tenant" {
                see_other("/console")
            } else {
                missed(visit, &Miss::NotFound)
            }
        }
        _ => missed(visit, &Miss::NotFound),
    }
}

/// Nothing is here.
pub(crate) async fn lost(
    State(web): State<Arc<Web>>,
    who: Option<Who>,
    Spoken(language): Spoken,
    uri: Uri,
) -> Response {
    if uri.path().starts_with("/api/") {
        return Problem::not_found("address").into_response();
    }
    let actor = who.as_ref().map(|who| &who.0);
    let visit = Visit::new(&web, actor, language, (uri.path(), ""));
    missed(&visit, &Miss::NotFound)
}

/// A whole page.
pub(crate) fn page(visit: &Visit<'_>, status: StatusCode, screen: &Screen) -> Response {
    let body = pick::keyed(&shell::page(visit, screen));
    let cache = if visit.actor.is_some() {
        "no-store"
    } else {
        "no-cache"
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_LANGUAGE, visit.say.language.tag()),
        (header::CACHE_CONTROL, cache),
        (header::VARY, "cookie, accept-language"),
    ];
    (status, headers, body).into_response()
}

/// Why there is no page, as a page.
pub(crate) fn missed(visit: &Visit<'_>, miss: &Miss) -> Response {
    let w = visit.say.w;
    match miss {
        Miss::NotFound => plain(visit, StatusCode::NOT_FOUND, w.not_found),
        Miss::Unclear(why) => plain(visit, StatusCode::BAD_REQUEST, why),
        Miss::Desk(error) => {
            let status = status_of(error);
            let mut response = plain(visit, status, w.desk_silent);
            if status == StatusCode::SERVICE_UNAVAILABLE {
                let soon = HeaderValue::from_static("2");
                response.headers_mut().insert(header::RETRY_AFTER, soon);
            } else {
                tracing::error!(%error, "a page could not be made");
            }
            response
        }
    }
}

fn status_of(error: &DeskError) -> StatusCode {
    match error {
        DeskError::Refused(_) => StatusCode::CONFLICT,
        DeskError::Busy | DeskError::Stopped => StatusCode::SERVICE_UNAVAILABLE,
        DeskError::Ledger(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// One sentence as a page.
pub(crate) fn plain(visit: &Visit<'_>, status: StatusCode, why: &str) -> Response {
    let w = visit.say.w;
    let title = match status {
        StatusCode::NOT_FOUND => w.not_found_title,
        StatusCode::FORBIDDEN => w.forbidden_title,
        StatusCode::BAD_REQUEST => w.unclear_title,
        _ => w.desk_silent_title,
    };
    let start = shell::start(visit);
    let main = html! {
        section.empty {
            p.empty-sign aria-hidden="true" { (status.as_str()) }
            h1 { (title) }
            p { (why) }
            p { a.button href=(start) { (w.back_to_start) } }
        }
    };
    page(visit, status, &Screen::new(title, "", main).still())
}

/// Every reason why not, with what would remove each.
pub(crate) fn refused(visit: &Visit<'_>, refusal: &[Reason]) -> Response {
    let told = refusal
        .iter()
        .map(|reason| reason::told(&visit.say, reason));
    reasons(visit, &told.collect::<Vec<_>>())
}

fn reasons(visit: &Visit<'_>, reasons: &[reason::Told]) -> Response {
    let w = visit.say.w;
    let main = html! {
        section.refused {
            h1 { (w.refused_title) }
            p.lead { (w.refused_lead) }
            ol.reasons {
                @for told in reasons {
                    li {
                        p.reason-what { (part::ticked(&told.what)) }
                        @if let Some(detail) = &told.detail {
                            p.reason-detail lang="en" { (part::ticked(detail)) }
                        }
                        @if !told.remedy.is_empty() {
                            p.reason-remedy { b { (w.remedy) ": " } (part::ticked(&told.remedy)) }
                        }
                        p.reason-code { code { (told.code) } }
                    }
                }
            }
            p { (w.refused_back) }
        }
    };
    let screen = Screen::new(w.refused_title, "", main).still();
    page(visit, StatusCode::CONFLICT, &screen)
}

/// A problem of the API as a page.
pub(crate) fn problem(visit: &Visit<'_>, problem: &Problem) -> Response {
    if problem.reasons.is_empty() {
        return plain(visit, problem.status, &problem.detail);
    }
    let told = problem
        .reasons
        .iter()
        .map(|r| reason::told_of(&visit.say, (&r.code, &r.message, &r.remedy)));
    reasons(visit, &told.collect::<Vec<_>>())
}

/// Go there and say that it is done.
pub(crate) fn done(to: &str, seq: u64) -> Response {
    let mark = if to.contains('?') { '&' } else { '?' };
    see_other(&format!("{to}{mark}done={seq}"))
}

/// Go there.
pub(crate) fn see_other(to: &str) -> Response {
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// Every response with the headers that keep a browser from doing more than we mean.
pub(crate) async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // `no-referrer` would make browsers send `Origin: null` with our own forms.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let more = [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=(), payment=()",
        ),
    ];
    for (name, value) in more {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
