//! JSON API, console, tenant portal and public status page.
//!
//! In:    HTTP requests; a [`Desk`] that decides and remembers; [`Logins`] that know who asks.
//! Out:   JSON, pages, server-sent events, and what gates are handed.
//! Never: decides anything itself; shows a tenant what is another's; needs JavaScript to work.
//! See:   ARCHITECTURE.md, walk "event → page"; docs/guide/api.md.

use std::sync::Arc;

use anlauf_trust::Signer;
use axum::{Extension, Router};

pub mod port;

mod limits;
mod memory;
mod problem;
mod who;

mod api;

pub mod picture;

mod live;
mod page;
mod text;
mod view;

#[cfg(test)]
mod stand;

pub use page::page_paths;
pub use port::{Accepted, Desk, DeskError, Head, Logins, Proof, Witness, Witnesses};

/// What the pages and the API work with.
pub struct Web {
    /// Decides, remembers, answers.
    pub desk: Arc<dyn Desk>,
    /// Knows who asks.
    pub logins: Arc<dyn Logins>,
    /// Signs closes that a person orders through the API or the console: the control plane's own
    /// automation key, which may close and never open.
    pub closer: Signer,
    /// Seed and step budget that planning uses when the request names none.
    pub plan_steps: u32,
}

/// Every route of the product.
pub fn router(web: Web) -> Router {
    let web = Arc::new(web);
    Router::new()
        .nest("/api/v1", api::routes())
        .merge(page::routes())
        .layer(Extension(Arc::new(memory::Memory::default())))
        .with_state(web)
}
