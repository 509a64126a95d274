//! Pages for people: console, tenant portal, public status.
//!
//! In:    a request, the route table below. Out: HTML, an Atom feed, a 303 after a form.
//! Never: decides or asks anything in a page: `view` reads the state, `page` formats it.
//! See:   house style §12; `live`, which sends the same pages again in parts.

use std::sync::Arc;

use anlauf_model::Role;
use axum::middleware::map_response;
use axum::routing::get;
use axum::{Extension, Router};

use crate::Web;
use crate::live;

pub(crate) mod answer;
mod asset;
mod form;
pub(crate) mod part;
pub(crate) mod pick;
pub(crate) mod screen;
pub(crate) mod shell;
pub(crate) mod visit;

mod cell;
mod close;
mod desk;
mod event;
mod evidence;
mod gate;
mod grid;
mod inbox;
mod login;
mod plan;
mod portal;
mod proof;
mod sign;
mod situation;
mod status;

use form::{Act, Fields};
use screen::{Miss, Screen};
use visit::Visit;

/// Who may come to a page at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Audience {
    /// Everyone, logged in or not.
    Public,
    /// The provider's people, forensics and auditors.
    Console,
    /// A tenant's representatives.
    Portal,
}

type Show = fn(&Visit<'_>) -> Result<Screen, Miss>;
type Do = fn(&Visit<'_>, &Fields) -> Result<Act, Miss>;

/// One address: who may come, what it shows, what its form asks for.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    pub(crate) audience: Audience,
    pub(crate) show: Option<Show>,
    pub(crate) act: Option<Do>,
}

const fn show(path: &'static str, audience: Audience, show: Show) -> Route {
    Route {
        path,
        audience,
        show: Some(show),
        act: None,
    }
}

const fn act(path: &'static str, audience: Audience, act: Do) -> Route {
    Route {
        path,
        audience,
        show: None,
        act: Some(act),
    }
}

use Audience::{Console, Portal, Public};

/// Every page and every form.
pub(crate) const ROUTES: &[Route] = &[
    show("/", Public, status::screen),
    show("/status", Public, status::screen),
    show("/login", Public, login::screen),
    show("/console", Console, situation::screen),
    act("/console/incident/declare", Console, situation::declare),
    act("/console/incident/end", Console, situation::end),
    show("/console/grid", Console, grid::screen),
    show("/console/cells/{owner}/{service}", Console, cell::screen),
    act("/console/cells/{owner}/{service}/task", Console, cell::task),
    act(
        "/console/cells/{owner}/{service}/draw-up",
        Console,
        cell::draw_up,
    ),
    act(
        "/console/cells/{owner}/{service}/offer",
        Console,
        cell::offer,
    ),
    act(
        "/console/cells/{owner}/{service}/earlier",
        Console,
        cell::earlier::ask,
    ),
    show("/console/close", Console, close::screen),
    act("/console/close/order", Console, close::order),
    show("/console/plan", Console, plan::screen),
    Route {
        path: "/console/plan/try",
        audience: Console,
        show: Some(plan::attempt::screen),
        act: Some(plan::attempt::attempt),
    },
    show("/console/plan/load", Console, plan::load::screen),
    show("/console/plan/changes", Console, plan::change::screen),
    show("/console/plan/course", Console, plan::course::screen),
    act("/console/plan/make", Console, plan::make),
    act("/console/plan/adopt", Console, plan::adopt),
    act("/console/plan/forecast", Console, plan::foretell),
    show("/console/inbox", Console, inbox::screen),
    act("/console/inbox/release", Console, inbox::release),
    act("/console/inbox/review", Console, inbox::review),
    Route {
        path: "/console/sign/{release}",
        audience: Console,
        show: Some(sign::screen),
        act: Some(sign::sign),
    },
    show("/console/passkey", Console, sign::enrolment),
    show("/console/events", Console, event::list),
    show("/console/events/{number}", Console, event::one),
    show("/console/gates", Console, gate::screen),
    show("/console/evidence", Console, evidence::list),
    show("/console/evidence/{number}", Console, evidence::one),
    act(
        "/console/evidence/{number}/withdraw",
        Console,
        evidence::withdraw,
    ),
    show("/console/desk", Console, desk::screen),
    act("/console/desk/publish", Console, desk::publish),
    act("/console/desk/revise", Console, desk::revise),
    show("/console/proof", Console, proof::screen),
    show("/console/tenants/{tenant}", Console, portal::seen_by),
    show("/tenant", Portal, portal::screen),
    show("/tenant/cells/{service}", Portal, cell::own),
    show("/tenant/events/{number}", Portal, event::own),
    act(
        "/tenant/cells/{service}/earlier",
        Portal,
        cell::earlier::ask_own,
    ),
    Route {
        path: "/tenant/sign/{release}",
        audience: Portal,
        show: Some(sign::screen),
        act: Some(sign::sign),
    },
    show("/tenant/passkey", Portal, sign::enrolment),
    act("/tenant/try", Portal, plan::attempt::attempt_own),
    act("/tenant/wish", Portal, portal::wish),
    act("/tenant/slots", Portal, portal::answer),
    act("/tenant/accept", Portal, portal::accept),
    act("/tenant/catch-up", Portal, portal::catch_up),
    act("/tenant/close", Portal, close::order_own),
];

/// Every address of the pages: its path, and whether it shows something and takes a form.
///
/// For tests that try each of them without a login and with the wrong one.
pub fn page_paths() -> Vec<(&'static str, bool, bool)> {
    let paths = ROUTES
        .iter()
        .map(|route| (route.path, route.show.is_some(), route.act.is_some()));
    paths.collect()
}

/// Every page.
pub(crate) fn routes() -> Router<Arc<Web>> {
    let page = || get(answer::show).post(form::receive);
    Router::new()
        .route("/", page())
        .route("/status", page())
        .route("/status.atom", get(status::atom))
        .route("/login", get(answer::show).post(login::enter))
        .route("/logout", axum::routing::post(login::leave))
        .route("/language", get(login::language))
        .route("/live", get(live::stream))
        .route("/console", page())
        .route("/console/{*rest}", page())
        .route("/tenant", page())
        .route("/tenant/{*rest}", page())
        .route("/assets/{name}", get(asset::serve))
        .fallback(answer::lost)
        .layer(map_response(answer::guarded))
        .layer(Extension(live::Readers::default()))
}

impl Audience {
    /// Whether someone in this role may come.
    pub(crate) fn admits(self, role: Option<Role>) -> bool {
        match (self, role) {
            (Audience::Public, _) => true,
            (Audience::Portal, role) => role == Some(Role::Tenant),
            (Audience::Console, Some(role)) => {
                !matches!(role, Role::Tenant | Role::Gate | Role::Public)
            }
            (Audience::Console, None) => false,
        }
    }
}

impl Route {
    /// The route of a path, with what stands in its gaps.
    pub(crate) fn find(path: &str, wanted: impl Fn(&Route) -> bool) -> Option<(&Route, Vec<&str>)> {
        ROUTES
            .iter()
            .filter(|route| wanted(route))
            .find_map(|route| Some((route, gaps(route.path, path)?)))
    }
}

/// What stands in the gaps of a pattern; none when the path does not fit it.
fn gaps<'a>(pattern: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    let mut found = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(found),
            (Some(gap), Some(word)) if gap.starts_with('{') && !word.is_empty() => found.push(word),
            (Some(same), Some(word)) if same == word => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests;
