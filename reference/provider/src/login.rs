//! Login by OpenID Connect: the issuer of each insurer, and what checks its tokens.
//!
//! In:    a person's number or name and password; tokens. Out: codes, tokens, persons.
//! Never: a token without PKCE; a redirect to an address that is not registered, letter by letter.
//! See:   OpenID Connect Core 1.0; RFC 7636 (PKCE); RFC 9207 (`iss` in the answer).

use crate::kernel::ask::{Ask, Reply};
use crate::kernel::front::health;
use crate::kernel::miss::Miss;
use crate::kernel::page;
use crate::kernel::route::{Guard, Route, Service};

mod authorize;
pub mod claims;
mod discovery;
pub(crate) mod entry;
pub mod jwt;
pub mod key;
pub mod party;
pub mod password;
mod session;
mod token;
pub mod verify;

pub(crate) use authorize::secret;
pub(crate) use session::{UPLOAD, callback, enter, leave};

/// The service.
pub const SERVICE: Service = Service {
    id: "idp",
    routes: ROUTES,
    miss,
};

const ROUTES: &[Route] = &[
    Route::api("GET", "/idp/health", Guard::Public, health),
    Route::api(
        "GET",
        "/idp/.well-known/openid-configuration",
        Guard::Public,
        discovery::configuration,
    ),
    Route::page("GET", "/idp/assets/{name}", Guard::Public, page::asset),
    Route::page("GET", "/idp/language", Guard::Public, page::language),
    Route::api("GET", "/idp/jwks", Guard::Public, discovery::keys),
    Route::page("GET", "/idp/authorize", Guard::Public, authorize::show),
    Route::page("POST", "/idp/authorize", Guard::Public, authorize::decide),
    Route::api("POST", "/idp/token", Guard::Public, token::redeem),
    Route::api("GET", "/idp/userinfo", Guard::Either, discovery::person),
];

/// OAuth's own error form (RFC 6749 §5.2), or a page for a person at the login.
fn miss(ask: &Ask<'_>, miss: &Miss) -> Reply {
    if ask.path == "/idp/authorize" {
        return authorize::page_of_miss(ask, miss);
    }
    let value = serde_json::json!({
        "error": miss.code.replace('-', "_"),
        "error_description": miss.words.en,
    });
    let reply = Reply::json(miss.status.as_u16(), &value);
    match miss.status.as_u16() {
        401 => reply.with("www-authenticate", "Bearer error=\"invalid_token\""),
        _ => reply,
    }
}
