//! Copies of one insurer's data: taken while it is in use, held against later, brought back.
//!
//! In:    an insurer, a folder. Out: a copy that can be opened; a whole store for a damaged one.
//! Never: the master key of the records; a file half copied under its own name.

use std::path::Path;

use anyhow::{Context, Result};
use ring::rand::SystemRandom;

use super::tenant::{Tenant, TenantLine};
use crate::login::key::{Key, write_private};
use crate::mail::stock;

/// What stands beside each database while it is used: parts of it, or stale.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

const KEY_FILE: &str = "login.key";

/// Copies an insurer's databases as they are at one moment each, its mailboxes and its key, into a
/// new folder.
///
/// The copy is an insurer of its own, so that what is said of it is said of the copy.
///
/// # Errors
/// The folder exists, or a file cannot be read or written.
pub fn take(tenant: &Tenant, folder: &Path) -> Result<Tenant> {
    std::fs::create_dir_all(folder.parent().unwrap_or(folder))?;
    std::fs::create_dir(folder)
        .with_context(|| format!("cannot make the backup `{}`", folder.display()))?;
    for store in [&tenant.store, &tenant.records] {
        let name = store.path().file_name().unwrap_or_default();
        let copy = folder.join(name).to_string_lossy().into_owned();
        store.with(|c| c.execute("VACUUM INTO ?1", [copy]))?;
    }
    stock::copy(&tenant.folder, folder).context("cannot copy the mailboxes")?;
    let key = std::fs::read(tenant.folder.join(KEY_FILE)).context("cannot read the key")?;
    write_private(&folder.join(KEY_FILE), &key)?;
    open(tenant, folder)
}

/// A backup as an insurer of its own.
///
/// # Errors
/// Its key cannot be read.
pub fn open(tenant: &Tenant, folder: &Path) -> Result<Tenant> {
    let line = TenantLine {
        id: tenant.id.clone(),
        name: tenant.name.clone(),
    };
    let key = Key::open(&folder.join(KEY_FILE), &tenant.id, &SystemRandom::new())?;
    Ok(Tenant::new(&line, 0, (tenant.origin.clone(), folder), key))
}

/// Puts the databases and mailboxes of a backup in the place of an insurer's own. Whoever else has
/// databases open must let go of them afterwards: they hold on to files that are no more.
///
/// # Errors
/// A file cannot be read or written.
pub fn bring_back(tenant: &Tenant, folder: &Path) -> Result<()> {
    for store in [&tenant.store, &tenant.records] {
        store.let_go();
        let path = store.path();
        let name = path.file_name().unwrap_or_default();
        for suffix in BESIDE {
            let mut stale = path.as_os_str().to_owned();
            stale.push(suffix);
            if Path::new(&stale).exists() {
                std::fs::remove_file(&stale)?;
            }
        }
        let fresh = path.with_extension("restored");
        std::fs::copy(folder.join(name), &fresh)
            .with_context(|| format!("cannot read the backup `{}`", folder.display()))?;
        std::fs::rename(&fresh, path)?;
    }
    stock::bring_back(tenant, folder)
        .with_context(|| format!("cannot bring mailboxes back from `{}`", folder.display()))
}
