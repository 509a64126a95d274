//! Pages for people: console, tenant portal, public status.

use std::sync::Arc;

use axum::Router;

use crate::Web;

/// Every page.
pub(crate) fn routes() -> Router<Arc<Web>> {
    Router::new()
}
