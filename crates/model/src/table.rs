//! What a gate must know of every cell: where it is, what it leans on, where to forward.
//!
//! In:    a [`Landscape`], or bytes from the network.
//! Out:   a [`GateTable`] with one canonical form of bytes and one digest.
//! Never: trusted by itself: a gate uses it only while its digest is the one in the signed policy.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::{CellId, ServiceId, SiteId, TenantId};
use crate::landscape::{Cell, CellKind, Class, Landscape};
use crate::limits::{CELL_COUNT_MAX, GATE_TABLE_SIZE_MAX};
use crate::stage::Stage;

/// Every cell as a gate sees it. Sorted by id, each once.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateTable {
    /// The cells.
    pub cells: Vec<GateCell>,
}

/// One cell as a gate sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateCell {
    /// Id.
    pub id: CellId,
    /// How well it is protected.
    pub class: Class,
    /// What it is.
    pub kind: CellKind,
    /// Whose, for switches, tenant and non-standard cells.
    pub tenant: Option<TenantId>,
    /// Where it runs.
    pub site: SiteId,
    /// The service type.
    pub service: ServiceId,
    /// Host name it answers to.
    pub host: String,
    /// Path prefix it answers to.
    pub path: String,
    /// Where to forward to; none means nowhere.
    pub upstream: Option<String>,
    /// Methods and paths allowed in `basic`.
    pub basic: Vec<String>,
    /// Cells it cannot work without.
    pub needs: Vec<CellId>,
    /// Stages its release goes through.
    pub stages: Vec<Stage>,
}

/// Bytes that are not a gate table.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TableError {
    /// More bytes than a table may have.
    #[error("the gate table has {0} bytes, more than {GATE_TABLE_SIZE_MAX}; it was not read")]
    TooLarge(usize),
    /// More cells than a landscape may have.
    #[error("the gate table has {0} cells, more than {CELL_COUNT_MAX}")]
    TooMany(usize),
    /// Not the JSON of a table.
    #[error("cannot read the gate table: {0}")]
    Malformed(String),
    /// The JSON of a table, written in another way than the canonical one.
    #[error("the gate table is not in its canonical form: {0}")]
    NotCanonical(&'static str),
}

impl GateTable {
    /// The one form of bytes: JSON without spaces, fields in the order of the type.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a gate table has only string keys")
    }

    /// SHA-256 of [`GateTable::to_bytes`].
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// Reads a table that came over the network.
    ///
    /// # Errors
    /// Every way in which the bytes are not exactly what [`GateTable::to_bytes`] writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TableError> {
        if bytes.len() > GATE_TABLE_SIZE_MAX {
            return Err(TableError::TooLarge(bytes.len()));
        }
        let table: Self = serde_json::from_slice(bytes)
            .map_err(|error| TableError::Malformed(error.to_string()))?;
        if table.cells.len() > CELL_COUNT_MAX {
            return Err(TableError::TooMany(table.cells.len()));
        }
        if table.cells.windows(2).any(|pair| pair[0].id >= pair[1].id) {
            return Err(TableError::NotCanonical(
                "cells are not sorted by id, each once",
            ));
        }
        if table.to_bytes() != bytes {
            return Err(TableError::NotCanonical(
                "the bytes differ from what this table writes",
            ));
        }
        Ok(table)
    }

    /// One cell.
    pub fn cell(&self, id: &CellId) -> Option<&GateCell> {
        let found = self.cells.binary_search_by(|cell| cell.id.cmp(id)).ok()?;
        self.cells.get(found)
    }
}

impl From<&Cell> for GateCell {
    fn from(cell: &Cell) -> Self {
        Self {
            id: cell.id.clone(),
            class: cell.class,
            kind: cell.kind,
            tenant: cell.tenant().cloned(),
            site: cell.site.clone(),
            service: cell.service.clone(),
            host: cell.host.clone(),
            path: cell.path.clone(),
            upstream: cell.upstream.clone(),
            basic: cell.basic.clone(),
            needs: cell.needs.clone(),
            stages: cell.stages.clone(),
        }
    }
}

impl Landscape {
    /// What the gates must know.
    pub fn gate_table(&self) -> GateTable {
        GateTable {
            cells: self.cells().values().map(GateCell::from).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
