//! The insured app of each insurer: an installable web app over the API of branch and record.
//!
//! In:    requests for its own files; the public status of the control plane.
//! Out:   a shell, its manifest and service worker, the last word on the state of services.
//! Never: people's data: the page asks each service for that, so that each cell's gate decides.
//! See:   docs/guide/reference.md §8.

use crate::kernel::ask::{Ask, Reply, problem};
use crate::kernel::front::health;
use crate::kernel::miss::Miss;
use crate::kernel::page;
use crate::kernel::route::{Guard, Route, Service};

pub mod board;
mod shell;

/// The service.
pub const SERVICE: Service = Service {
    id: "app",
    routes: ROUTES,
    miss,
};

const ROUTES: &[Route] = &[
    Route::api("GET", "/app/health", Guard::Public, health),
    Route::api("GET", "/app/api/status", Guard::Public, board::show),
    Route::page("GET", "/app/", Guard::Public, shell::show),
    Route::page("GET", "/app/callback", Guard::Public, shell::show),
    Route::page(
        "GET",
        "/app/manifest.webmanifest",
        Guard::Public,
        shell::manifest,
    ),
    Route::page("GET", "/app/sw.js", Guard::Public, shell::worker),
    Route::page("GET", "/app/assets/{name}", Guard::Public, shell::asset),
];

fn miss(ask: &Ask<'_>, miss: &Miss) -> Reply {
    match ask.path {
        path if path == "/app/health" || path.starts_with("/app/api/") => problem(ask, miss),
        _ => page::miss(ask, miss),
    }
}
