//! One gate beside a direct connection to the same backend.

use std::path::Path;

use anyhow::Result;

use crate::figure::Table;

/// Measures a gate.
///
/// # Errors
/// A socket fails.
pub fn run(_scratch: &Path) -> Result<Vec<Table>> {
    Ok(Vec::new())
}
