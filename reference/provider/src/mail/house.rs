//! Mail for the people of a house.
//!
//! In:    a house, a name with `{tenant}` in it. Out: one domain per insurer.
//! Never: a mailbox for somebody who is not insured there.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::server::Domain;
use crate::kernel::house::House;

/// The mailbox that every insurer has besides those of its people.
pub const OFFICE: &str = "info";

/// Domains of a house's insurers: `{tenant}.example` gives each its own.
///
/// A person's mailbox is their number in lower case, `x110435031@bkk-eisvogel.example`; it lies in
/// `mail` of the insurer's folder, so that an insurer comes back from a backup with its mail.
pub fn domains(house: &Arc<House>, name: &str) -> BTreeMap<String, Domain> {
    let one = |id: &str| {
        let (of, id) = (Arc::clone(house), id.to_owned());
        let has = move |local: &str| has(&of, &id, local);
        Arc::new(has)
    };
    let all = house.tenants().map(|tenant| {
        let domain = Domain {
            folder: tenant.folder.join("mail"),
            has: one(&tenant.id),
        };
        (name.replace("{tenant}", &tenant.id), domain)
    });
    all.collect()
}

fn has(house: &House, tenant: &str, local: &str) -> Result<bool> {
    if local == OFFICE {
        return Ok(true);
    }
    let tenant = house.tenant(tenant).context("no such insurer")?;
    let count: i64 = tenant.store.with(|c| {
        let question = "SELECT count(*) FROM insured WHERE kvnr = ?1 AND left_at IS NULL";
        c.query_row(question, [local.to_ascii_uppercase()], |row| row.get(0))
    })?;
    Ok(count > 0)
}
