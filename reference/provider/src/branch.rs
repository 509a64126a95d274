//! The online branch of each insurer: my data, change of address, messages, certificate,
//! applications with their clerk's desk.
//!
//! In:    a person's session and forms. Out: pages in the insurer's name and colour.
//! Never: loses what was typed (a draft is kept here and in the browser); takes one form twice.

use crate::kernel::ask::{Ask, Reply, problem};
use crate::kernel::front::health;
use crate::kernel::miss::Miss;
use crate::kernel::page;
use crate::kernel::route::{Guard, Route, Service};
use crate::login;

mod address;
mod application;
mod apply;
mod certificate;
mod data;
mod desk;
pub mod draft;
mod message;
mod pdf;
mod photo;

/// The service.
pub const SERVICE: Service = Service {
    id: "og",
    routes: ROUTES,
    miss,
};

const ROUTES: &[Route] = &[
    Route::api("GET", "/og/health", Guard::Public, health),
    Route::page("GET", "/og/assets/{name}", Guard::Public, page::asset),
    Route::page("GET", "/og/language", Guard::Public, page::language),
    Route::page("GET", "/og/login", Guard::Public, login::enter),
    Route::page("GET", "/og/callback", Guard::Public, login::callback),
    Route::page("POST", "/og/logout", Guard::Public, login::leave),
    Route::page("GET", "/og/", Guard::Insured, data::start),
    Route::page("GET", "/og/data", Guard::Insured, data::show),
    Route::page("GET", "/og/address", Guard::Insured, address::show),
    Route::page("POST", "/og/address", Guard::Insured, address::change).only_normal(),
    Route::page("GET", "/og/messages", Guard::Insured, message::show),
    Route::page("POST", "/og/messages", Guard::Insured, message::send).only_normal(),
    Route::page("GET", "/og/certificate", Guard::Insured, certificate::show),
    Route::page(
        "GET",
        "/og/certificate.pdf",
        Guard::Insured,
        certificate::load,
    ),
    Route::page("GET", "/og/photo", Guard::Insured, photo::show),
    Route::page("GET", "/og/applications", Guard::Insured, apply::show),
    Route::page(
        "POST",
        "/og/applications",
        Guard::Insured,
        application::send,
    )
    .takes(application::BODY_SIZE_MAX)
    .only_normal(),
    Route::page("GET", "/og/desk/login", Guard::Public, login::enter),
    Route::page("GET", "/og/desk/callback", Guard::Public, login::callback),
    Route::page("POST", "/og/desk/logout", Guard::Public, login::leave),
    Route::page("GET", "/og/desk/", Guard::Clerk, desk::list),
    Route::page("GET", "/og/desk/{id}", Guard::Clerk, desk::show),
    Route::page("POST", "/og/desk/{id}", Guard::Clerk, desk::decide).only_normal(),
    Route::page(
        "GET",
        "/og/desk/{id}/files/{place}",
        Guard::Clerk,
        application::file,
    ),
    Route::api("GET", "/og/api/me", Guard::Insured, data::told),
    Route::api("GET", "/og/api/messages", Guard::Insured, message::told),
    Route::api(
        "GET",
        "/og/api/applications",
        Guard::Clerk,
        application::desk,
    ),
    Route::api(
        "GET",
        "/og/api/applications/{id}/files/{place}",
        Guard::Clerk,
        application::file,
    ),
    Route::api(
        "POST",
        "/og/api/applications/{id}",
        Guard::Clerk,
        application::decide,
    )
    .only_normal(),
    Route::page("PUT", "/og/drafts/{form}", Guard::Insured, draft::keep),
];

fn miss(ask: &Ask<'_>, miss: &Miss) -> Reply {
    match ask.path {
        path if path == "/og/health" || path.starts_with("/og/api/") => problem(ask, miss),
        _ => page::miss(ask, miss),
    }
}
