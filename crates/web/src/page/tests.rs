//! Pages over a recovery with everything in it: who sees what, whether it is sound, how it reads.

use anlauf_recovery::state::ReleaseCase;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN};
use axum::http::{HeaderMap, Method, Request, StatusCode};

use crate::Desk as _;
use crate::stand::Stand;
use crate::stand::story::{OTHER, OTHER_PERSON, OWN, OWN_PERSON};

mod attempt;
mod form;
mod guard;
mod html;
mod live;
mod look;
mod outline;
mod sound;

/// Where the tests' browser thinks it is.
const HERE: &str = "anlauf.example";

/// An answer, read to its end.
struct Page {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Page {
    /// Where it sends the browser.
    fn location(&self) -> &str {
        let to = self.headers.get(LOCATION).expect("a redirection");
        to.to_str().expect("an address is text")
    }
}

/// Opens a page as a browser that is logged in as someone, in a language.
async fn open(stand: &Stand, who: Option<&str>, language: &str, path: &str) -> Page {
    let request = Request::builder()
        .method(Method::GET)
        .uri(path)
        .header(HOST, HERE);
    let request = request.header(COOKIE, cookies(who, language));
    read(stand, request.body(Body::empty()).expect("a legal request")).await
}

/// Sends a form as that browser would.
async fn send(stand: &Stand, who: Option<&str>, path: &str, fields: &[(&str, &str)]) -> Page {
    post(stand, who, path, fields, &format!("http://{HERE}")).await
}

/// Sends a form from a page of some origin.
async fn post(
    stand: &Stand,
    who: Option<&str>,
    path: &str,
    fields: &[(&str, &str)],
    origin: &str,
) -> Page {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(HOST, HERE);
    let request = request
        .header(ORIGIN, origin)
        .header(COOKIE, cookies(who, "de"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let body = super::visit::address("", fields.iter().copied());
    let body = body.trim_start_matches('?').to_owned();
    read(
        stand,
        request.body(Body::from(body)).expect("a legal request"),
    )
    .await
}

fn cookies(who: Option<&str>, language: &str) -> String {
    let login = who
        .map(|who| format!("anlauf-login={who}; "))
        .unwrap_or_default();
    format!("{login}anlauf-language={language}")
}

async fn read(stand: &Stand, request: Request<Body>) -> Page {
    let (parts, body) = stand.send(request).await.into_parts();
    let bytes = to_bytes(body, 16 * 1024 * 1024)
        .await
        .expect("the body is whole");
    Page {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).expect("pages are text"),
    }
}

/// Every page with its gaps filled, and who may open it.
fn pages(stand: &Stand) -> Vec<(&'static str, String)> {
    let state = stand.desk.state();
    let is_own = |case: &ReleaseCase| case.release.cells.iter().all(|one| one.cell.owner() == OWN);
    let release = state.releases.iter().find(|(_, case)| is_own(case));
    let release = release.map(|(id, _)| id.to_string()).unwrap();
    let fill = |path: &str| {
        path.replace("{owner}/{service}", &format!("{OWN}/portal"))
            .replace("{tenant}", OWN)
            .replace("{service}", "portal")
            .replace("{number}", "2")
            .replace("{release}", &release)
    };
    let shown = super::ROUTES.iter().filter(|route| route.show.is_some());
    let pages = shown.map(|route| {
        let who = match route.audience {
            super::Audience::Portal => OWN_PERSON,
            _ => "operator-1",
        };
        let path = match route.path {
            // Entry 2 is the root document, which every tenant may read.
            "/tenant/events/{number}" => "/tenant/events/2".to_owned(),
            path => fill(path),
        };
        (who, path)
    });
    let more = [
        "/console/grid?stage=full",
        "/console/plan?by=tenant",
        "/console/plan?by=site&service=portal",
        "/console/plan/course?tenant=town-alder",
        "/console/events?kind=close",
    ];
    let more = more
        .into_iter()
        .chain(["/console/evidence?verdict=fail", "/status?tenant=alder"]);
    let more = more.chain([
        "/console/close?scope=everything",
        "/console/events?before=40",
    ]);
    pages
        .chain(more.map(|path| ("operator-1", path.to_owned())))
        .collect()
}
