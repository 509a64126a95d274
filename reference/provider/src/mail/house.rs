//! Mail for the people of a house.
//!
//! In:    a house, a name with `{tenant}` in it. Out: one domain per insurer, and who reads there.
//! Never: a mailbox for somebody who is not insured there; one that another opens.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::pop3::Shelf;
use super::server::Domain;
use crate::kernel::ask::Role;
use crate::kernel::house::House;
use crate::login::entry::{Entry, enter};

/// The mailbox that every insurer has besides those of its people.
pub const OFFICE: &str = "info";

/// Folder of an insurer's mailboxes.
pub const FOLDER: &str = "mail";

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
            folder: tenant.folder.join(FOLDER),
            has: one(&tenant.id),
        };
        (name.replace("{tenant}", &tenant.id), domain)
    });
    all.collect()
}

/// Who reads the mail of a house's insurers: each person theirs, with the number as name and the
/// password of the login. What comes to [`OFFICE`] is read from its folder.
pub fn shelves(house: &Arc<House>, name: &str) -> BTreeMap<String, Shelf> {
    let one = |id: &str| {
        let (of, id) = (Arc::clone(house), id.to_owned());
        let opens = move |local: &str, password: &str| opens(&of, &id, (local, password));
        Arc::new(opens)
    };
    let all = house.tenants().map(|tenant| {
        let shelf = Shelf {
            folder: tenant.folder.join(FOLDER),
            opens: one(&tenant.id),
        };
        (name.replace("{tenant}", &tenant.id), shelf)
    });
    all.collect()
}

fn opens(house: &House, tenant: &str, (local, password): (&str, &str)) -> Result<bool> {
    if !has(house, tenant, local)? || local == OFFICE {
        return Ok(false);
    }
    let tenant = house.tenant(tenant).context("no such insurer")?;
    let number = local.to_ascii_uppercase();
    let now = house.settings.clock.seconds();
    let entry = enter(tenant, (Role::Insured, &number), (password, now))?;
    Ok(entry == Entry::In)
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
