//! The cells of the benchmark: ten services for each tenant, as many as asked for.
//!
//! In:    a count. Out: the signed table's content; host, path and id of each cell.
//! Never: two cells with one host and path.

use anlauf_model::Stage;
use anlauf_model::landscape::{CellKind, Class};
use anlauf_model::table::{GateCell, GateTable};
use anyhow::Result;

/// Services of one tenant.
const SERVICES: usize = 10;

/// The cell that is measured, and one next to it.
pub const BUSY: usize = 437;
pub const OTHER: usize = 621;

/// Host of a cell.
pub fn host(number: usize) -> String {
    format!("t{:06}.mandant.example", number / SERVICES)
}

/// Path of a cell.
pub fn path(number: usize) -> String {
    format!("/dienst-{}", number % SERVICES)
}

/// Id of a cell.
pub fn id(number: usize) -> String {
    format!("t{:06}/dienst-{}", number / SERVICES, number % SERVICES)
}

/// The table of so many cells.
///
/// # Errors
/// None of these ids is wrong; a model that says otherwise ends the benchmark.
pub fn table(count: usize) -> Result<GateTable> {
    let cell = |number: usize| -> Result<GateCell> {
        Ok(GateCell {
            id: id(number).parse()?,
            class: Class::B,
            kind: CellKind::Tenant,
            tenant: Some(format!("t{:06}", number / SERVICES).parse()?),
            site: "rz".parse()?,
            service: format!("dienst-{}", number % SERVICES).parse()?,
            host: host(number),
            path: path(number),
            upstream: None,
            basic: Vec::new(),
            needs: Vec::new(),
            stages: vec![Stage::Full],
        })
    };
    let cells = (0..count).map(cell).collect::<Result<_>>()?;
    Ok(GateTable { cells })
}
