//! The electronic patient record of each insurer, as a FHIR R4 server.
//!
//! In:    requests of insured people, resources in JSON. Out: resources, bundles, outcomes.
//! Never: a document in plain on disk; a read that the insured person does not find in the log;
//!        a clerk of the insurer in a record.
//! See:   docs/adr (own small FHIR types), docs/guide/reference.md §7.

use crate::kernel::front::health;
use crate::kernel::route::{Guard, Route, Service};

mod access;
mod api;
mod audit;
mod change;
mod create;
mod date;
mod history;
mod link;
pub mod manifest;
mod outcome;
pub mod seal;
mod search;
pub mod seed;
mod shape;
pub mod shelf;
mod statement;

/// The service.
pub const SERVICE: Service = Service {
    id: "epa",
    routes: ROUTES,
    miss: outcome::miss,
};

/// Largest resource. Bytes. A document of 5 MB in Base64, and words around it.
pub const RESOURCE_SIZE_MAX: usize = 7 * 1024 * 1024;

const ROUTES: &[Route] = &[
    Route::api("GET", "/epa/health", Guard::Public, health),
    Route::api("GET", "/epa/metadata", Guard::Public, api::metadata),
    Route::api("GET", "/epa/status", Guard::Insured, api::status),
    Route::api("GET", "/epa/{kind}", Guard::Insured, api::search),
    Route::api("GET", "/epa/{kind}/{id}", Guard::Insured, api::read),
    Route::api(
        "GET",
        "/epa/{kind}/{id}/_history",
        Guard::Insured,
        history::all,
    ),
    Route::api(
        "GET",
        "/epa/{kind}/{id}/_history/{version}",
        Guard::Insured,
        history::one,
    ),
    Route::api("PUT", "/epa/{kind}/{id}", Guard::Insured, change::update)
        .takes(RESOURCE_SIZE_MAX)
        .only_normal(),
    Route::api("DELETE", "/epa/{kind}/{id}", Guard::Insured, change::delete).only_normal(),
    Route::api("POST", "/epa/{kind}", Guard::Insured, api::make)
        .takes(RESOURCE_SIZE_MAX)
        .only_normal(),
];
