//! The JSON API, version 1.

use std::sync::Arc;

use axum::Router;

use crate::Web;

/// Every route below `/api/v1`.
pub(crate) fn routes() -> Router<Arc<Web>> {
    Router::new()
}
