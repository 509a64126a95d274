//! In and out of the console, and the language.
//!
//! In:    a token. Out: a cookie that scripts cannot read and other sites cannot send.
//! Never: keeps or logs a token; leads to another site.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use maud::{Markup, html};

use crate::Web;
use crate::who::{COOKIE_LANGUAGE, COOKIE_LOGIN, Spoken};

use super::answer::{self, see_other};
use super::form::{FORM_SIZE_MAX, Fields, is_from_here};
use super::screen::{Miss, Screen};
use super::visit::{Visit, pairs};

/// How long a chosen language is kept. Seconds; a year.
const LANGUAGE_SECONDS: u32 = 31_536_000;

/// How long a login lasts in a browser. Seconds; a long shift, then one shows the token again.
const LOGIN_SECONDS: u32 = 43_200;

/// The form.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    Ok(form(visit, false))
}

fn form(visit: &Visit<'_>, is_wrong: bool) -> Screen {
    let w = visit.say.w;
    let back = visit
        .asked("back")
        .filter(|back| is_ours(back))
        .unwrap_or_default();
    let main = html! {
        section.login {
            h1 { (w.enter) }
            p.lead { (w.enter_lead) }
            @if is_wrong { (wrong(visit)) }
            form.stack method="post" action="/login" {
                input type="hidden" name="back" value=(back);
                div.field {
                    label for="token" { (w.token) }
                    input type="password" id="token" name="token" required autofocus
                        autocomplete="current-password" spellcheck="false"
                        aria-describedby="token-hint";
                    p.hint id="token-hint" { (w.token_hint) }
                }
                button.primary type="submit" { (w.enter) }
            }
        }
    };
    Screen::new(w.enter, "/login", main).still()
}

fn wrong(visit: &Visit<'_>) -> Markup {
    html! { p.alarm role="alert" { (visit.say.w.token_wrong) } }
}

/// Takes the token.
pub(crate) async fn enter(
    State(web): State<Arc<Web>>,
    Spoken(language): Spoken,
    uri: Uri,
    (headers, body): (HeaderMap, Bytes),
) -> Response {
    let mut visit = Visit::new(&web, None, language, ("/login", ""));
    if !is_from_here(&headers, &uri) || body.len() > FORM_SIZE_MAX {
        return answer::plain(&visit, StatusCode::FORBIDDEN, visit.say.w.foreign_form);
    }
    let fields = Fields(pairs(&String::from_utf8_lossy(&body)));
    let back = fields
        .get("back")
        .filter(|back| is_ours(back))
        .unwrap_or_default();
    let token = fields.get("token").unwrap_or_default();
    let legal = token
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b';');
    let Some(actor) = web.logins.find(token).filter(|_| legal) else {
        visit.query = vec![("back".into(), back.to_owned())];
        return answer::page(&visit, StatusCode::UNAUTHORIZED, &form(&visit, true));
    };
    visit.actor = Some(&actor);
    let to = if back.is_empty() {
        super::shell::start(&visit)
    } else {
        back
    };
    let cookie = format!(
        "{COOKIE_LOGIN}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={LOGIN_SECONDS}{}",
        secure(&headers)
    );
    with_cookie(see_other(to), &cookie)
}

/// Forgets the token.
pub(crate) async fn leave(uri: Uri, headers: HeaderMap) -> Response {
    if !is_from_here(&headers, &uri) {
        return see_other("/");
    }
    let cookie = format!("{COOKIE_LOGIN}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    with_cookie(see_other("/"), &cookie)
}

/// Keeps a language and goes back.
pub(crate) async fn language(uri: Uri) -> Response {
    let asked = Fields(pairs(uri.query().unwrap_or_default()));
    let back = asked
        .get("back")
        .filter(|back| is_ours(back))
        .unwrap_or("/");
    let tag = if asked.get("to") == Some("en") {
        "en"
    } else {
        "de"
    };
    let cookie = format!(
        "{COOKIE_LANGUAGE}={tag}; Path=/; SameSite=Lax; HttpOnly; Max-Age={LANGUAGE_SECONDS}"
    );
    with_cookie(see_other(back), &cookie)
}

/// Whether an address leads to our own pages: a path, and not `//host` in disguise.
fn is_ours(address: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    address.starts_with('/') && !address.starts_with("//") && address.bytes().all(legal)
}

/// Whether whoever stands in front of us says that the browser came over an encrypted way.
pub(crate) fn is_encrypted(headers: &HeaderMap) -> bool {
    headers
        .get("x-forwarded-proto")
        .is_some_and(|way| way == "https")
}

/// Over an encrypted way the cookie stays on encrypted ways.
fn secure(headers: &HeaderMap) -> &'static str {
    if is_encrypted(headers) {
        "; Secure"
    } else {
        ""
    }
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}
