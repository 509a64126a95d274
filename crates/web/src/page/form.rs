//! Forms: one command each, sent by the same site only, answered 303 or with every reason why not.
//!
//! In:    a posted form. Out: a command to the desk, a redirection or the reasons.
//! Never: takes who asks from the form; does anything for another site's page.

use std::sync::Arc;

use anlauf_model::CellId;
use anlauf_planner::Change;
use anlauf_recovery::{Command, Order, close_statement};
use anlauf_trust::{Envelope, Scope};
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;

use crate::limits::CLOSE_DRAWING_COUNT_MAX;
use crate::memory::Memory;
use crate::port::{Accepted, DeskError};
use crate::who::{Spoken, Who};
use crate::{Web, api};

use super::answer;
use super::cell;
use super::pick;
use super::plan;
use super::screen::Miss;
use super::visit::{Visit, pairs};
use super::{Audience, Route};

/// Largest form. Bytes. Two texts of a notice and a wish over 2,000 cells fit.
pub(crate) const FORM_SIZE_MAX: usize = 256 * 1024;

/// A cell moved on since the close was drawn up.
const CODE_EPOCH_MOVED: &str = "AN-REC-020";

/// What a form said.
pub(crate) struct Fields(pub(crate) Vec<(String, String)>);

/// What a form asks for.
pub(crate) enum Act {
    /// One command; then go to the address.
    Order(Box<Order>, String),
    /// Shut a scope with the control plane's own key; then go to the address.
    Close(Scope, String),
    /// Make a plan and propose it.
    Plan,
    /// Make ranges from the plan in force and publish them.
    Forecast,
    /// Show what would be if.
    Try(Vec<Change>),
    /// Show what would move a cell earlier.
    Earlier(CellId),
}

impl Act {
    pub(crate) fn order(order: Order, to: impl Into<String>) -> Self {
        Act::Order(Box::new(order), to.into())
    }
}

impl Fields {
    /// The first value of a field, trimmed; none when it is empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// A field, parsed.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }

    /// Every value of a field that is there more than once, parsed.
    pub(crate) fn all<T: std::str::FromStr>(&self, name: &str) -> Vec<T> {
        let values = self.0.iter().filter(|(key, _)| key == name);
        values.filter_map(|(_, value)| value.parse().ok()).collect()
    }
}

/// Takes a form.
pub(crate) async fn receive(
    State(web): State<Arc<Web>>,
    Extension(memory): Extension<Arc<Memory>>,
    who: Option<Who>,
    Spoken(language): Spoken,
    (uri, headers, body): (Uri, HeaderMap, Bytes),
) -> Response {
    let actor = who.as_ref().map(|who| &who.0);
    let mut visit = Visit::new(&web, actor, language, (uri.path(), ""));
    if !is_from_here(&headers, &uri) || body.len() > FORM_SIZE_MAX {
        return answer::plain(&visit, StatusCode::FORBIDDEN, visit.say.w.foreign_form);
    }
    let found = Route::find(uri.path(), |route| route.act.is_some());
    let Some((route, gaps)) = found else {
        return answer::missed(&visit, &Miss::NotFound);
    };
    if !route.audience.admits(actor.map(|actor| actor.role)) {
        return turned_away(&visit, route.audience);
    }
    visit.gaps = gaps;
    visit.memory = Some(&memory);
    let fields = Fields(pairs(&String::from_utf8_lossy(&body)));
    let act = route.act.map(|act| act(&visit, &fields));
    match act.unwrap_or(Err(Miss::NotFound)) {
        Ok(act) => send(&visit, &web, &fields, act).await,
        Err(miss) => answer::missed(&visit, &miss),
    }
}

fn turned_away(visit: &Visit<'_>, audience: Audience) -> Response {
    match (visit.actor, audience) {
        (None, _) => answer::see_other("/login"),
        _ => answer::missed(visit, &Miss::NotFound),
    }
}

async fn send(visit: &Visit<'_>, web: &Arc<Web>, fields: &Fields, act: Act) -> Response {
    let Some(actor) = visit.actor else {
        return answer::see_other("/login");
    };
    let key = fields.get("key").map_or_else(pick::key, str::to_owned);
    let reason = fields.get("reason").unwrap_or_default().to_owned();
    let command = |order| Command {
        key: key.clone(),
        actor: actor.clone(),
        reason: reason.clone(),
        order,
    };
    match act {
        Act::Order(order, to) => told(visit, web.desk.submit(command(*order)).await, &to),
        Act::Close(scope, to) => {
            let mut tries = 0;
            loop {
                tries += 1;
                let close = close(web, &scope, &reason);
                let answer = web
                    .desk
                    .submit(command(Order::Close { envelope: close }))
                    .await;
                if tries < CLOSE_DRAWING_COUNT_MAX && is_overtaken(&answer) {
                    continue;
                }
                return told(visit, answer, &to);
            }
        }
        Act::Try(changes) => plan::attempt::answer(visit, web, changes).await,
        Act::Earlier(cell) => cell::earlier::answer(visit, web, cell).await,
        Act::Plan | Act::Forecast => made(visit, web, (key, reason), act).await,
    }
}

/// What became of a command.
fn told(visit: &Visit<'_>, answer: Result<Accepted, DeskError>, to: &str) -> Response {
    match answer {
        Ok(accepted) => answer::done(to, accepted.seq),
        Err(DeskError::Refused(refusal)) => answer::refused(visit, &refusal.reasons),
        Err(error) => answer::missed(visit, &Miss::Desk(error)),
    }
}

/// A close of everything in the scope as it is now, signed.
fn close(web: &Web, scope: &Scope, reason: &str) -> Envelope {
    let statement = close_statement(&web.desk.state(), web.desk.now(), scope.clone(), reason);
    let mut envelope = Envelope::unsigned(statement.to_payload());
    web.closer.sign(&mut envelope);
    envelope
}

/// Whether a cell moved on since the close was drawn up: drawn up again it may be accepted.
fn is_overtaken(answer: &Result<Accepted, DeskError>) -> bool {
    match answer {
        Err(DeskError::Refused(refusal)) => refusal
            .reasons
            .iter()
            .all(|reason| reason.code == CODE_EPOCH_MOVED),
        _ => false,
    }
}

/// Plans and forecasts take a while: made in their turn, as the API makes them.
async fn made(
    visit: &Visit<'_>,
    web: &Arc<Web>,
    (key, reason): (String, String),
    act: Act,
) -> Response {
    let (Some(actor), Some(memory)) = (visit.actor, visit.memory) else {
        return answer::missed(visit, &Miss::NotFound);
    };
    let who = Who(actor.clone());
    let made = match act {
        Act::Plan => api::plan_for_page(web, memory, &who, (&key, &reason)).await,
        _ => api::forecast_for_page(web, memory, &who, (&key, &reason)).await,
    };
    match made {
        Ok(seq) => answer::done("/console/plan", seq),
        Err(problem) => answer::problem(visit, &problem),
    }
}

/// Whether our own page sent the form: every browser names the origin of a form it posts, and no
/// page can lie about it. The login's cookie is SameSite=Strict besides.
pub(crate) fn is_from_here(headers: &HeaderMap, uri: &Uri) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let authority = uri.authority().map(ToString::to_string);
    let host = text(header::HOST).map(str::to_owned).or(authority);
    let Some(host) = host else { return false };
    match text(header::ORIGIN) {
        Some(origin) => origin
            .split_once("://")
            .is_some_and(|(_, from)| from == host),
        None => headers
            .get("sec-fetch-site")
            .is_some_and(|site| site == "same-origin"),
    }
}
