//! Photos for the health card: intake, checks, a clerk's yes or no, the card order.
//!
//! In:    JPEG images of insured people. Out: waiting photos, decisions, card orders, deletions.
//! Never: keeps an image as it came: what is stored was decoded and encoded anew.
//! See:   SGB V § 291a; sizes and rules as insurers publish them: research/domain.md §5.

use crate::kernel::front::health;
use crate::kernel::page;
use crate::kernel::route::{Guard, Route, Service};
use crate::login;

mod api;
pub mod check;
mod desk;
pub mod job;
pub mod retention;
pub(crate) mod upload;

/// The service.
pub const SERVICE: Service = Service {
    id: "lichtbild",
    routes: ROUTES,
    miss: desk::miss,
};

/// Largest body with a photo in it. Bytes. More than the photo itself: a form has words around it.
pub const BODY_SIZE_MAX: usize = check::SIZE_MAX + 64 * 1024;

const ROUTES: &[Route] = &[
    Route::api("GET", "/lichtbild/health", Guard::Public, health),
    Route::api("POST", "/lichtbild/api/photos", Guard::Insured, api::send).takes(BODY_SIZE_MAX),
    Route::api("GET", "/lichtbild/api/photos", Guard::Insured, api::own),
    Route::api("GET", "/lichtbild/api/photos/{id}", Guard::Either, api::one),
    Route::api(
        "GET",
        "/lichtbild/api/photos/{id}/image",
        Guard::Either,
        api::image,
    ),
    Route::api("GET", "/lichtbild/api/queue", Guard::Clerk, api::queue),
    Route::api(
        "POST",
        "/lichtbild/api/photos/{id}/approve",
        Guard::Clerk,
        api::approve,
    )
    .only_normal(),
    Route::api(
        "POST",
        "/lichtbild/api/photos/{id}/reject",
        Guard::Clerk,
        api::reject,
    ),
    Route::api("GET", "/lichtbild/api/orders", Guard::Clerk, api::orders),
    Route::api(
        "POST",
        "/lichtbild/api/insured/{kvnr}/photos",
        Guard::Clerk,
        api::by_post,
    )
    .takes(BODY_SIZE_MAX),
    Route::page(
        "GET",
        "/lichtbild/assets/{name}",
        Guard::Public,
        page::asset,
    ),
    Route::page("GET", "/lichtbild/language", Guard::Public, page::language),
    Route::page("GET", "/lichtbild/login", Guard::Public, login::enter),
    Route::page("GET", "/lichtbild/callback", Guard::Public, login::callback),
    Route::page("POST", "/lichtbild/logout", Guard::Public, login::leave),
    Route::page("GET", "/lichtbild/upload", Guard::Insured, upload::show),
    Route::page("POST", "/lichtbild/upload", Guard::Insured, upload::send).takes(BODY_SIZE_MAX),
    Route::page("GET", "/lichtbild/", Guard::Clerk, desk::queue),
    Route::page("GET", "/lichtbild/orders", Guard::Clerk, desk::orders),
    Route::page(
        "GET",
        "/lichtbild/photos/{id}/image",
        Guard::Clerk,
        api::image,
    ),
    Route::page(
        "POST",
        "/lichtbild/photos/{id}/approve",
        Guard::Clerk,
        desk::approve,
    )
    .only_normal(),
    Route::page(
        "POST",
        "/lichtbild/photos/{id}/reject",
        Guard::Clerk,
        desk::reject,
    ),
];
