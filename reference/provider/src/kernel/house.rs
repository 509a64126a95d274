//! The whole house: insurers, clock, settings.
//!
//! In:    [`Settings`]. Out: [`House`], laid out and seeded. Never: one folder for two insurers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result, bail};
use ring::rand::SystemRandom;

use super::anchor::Anchor;
use super::clock::Clock;
use super::miss::Miss;
use super::store::StoreError;
use super::tenant::{Tenant, TenantLine};
use super::{clock, seed};
use crate::app::board::Board;
use crate::login::key::Key;
use crate::record::seal::Master;
use crate::record::seed::records;

/// What a house is made from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder with one folder per insurer.
    pub data: PathBuf,
    /// File of the master key of all records; outside of `data`.
    pub record_key: PathBuf,
    /// Where people reach an insurer, with `{tenant}` in it: `http://{tenant}.localhost:8490`.
    pub public: String,
    /// Who is insured where.
    pub tenants: Vec<TenantLine>,
    /// Seed of the synthetic people.
    pub seed: u64,
    /// How many synthetic people each insurer has.
    pub insured_count: u32,
    /// The clock.
    pub clock: Clock,
    /// The public status of the control plane, without its query.
    pub status: Option<String>,
}

/// Everything shared by all requests.
#[derive(Debug)]
pub struct House {
    /// What it was made from.
    pub settings: Settings,
    /// Randomness of the machine.
    pub chance: SystemRandom,
    /// Where this process listens, once it does: its relying parties reach its issuer there.
    pub back: OnceLock<SocketAddr>,
    /// Opens the keys of patient records.
    pub master: Master,
    /// What the control plane said last.
    pub board: Board,
    tenants: BTreeMap<String, Tenant>,
    lost: Vec<String>,
    /// One image is decoded at a time and core: the memory of a decoder is bounded, not their sum.
    pub decoding: Mutex<()>,
}

impl House {
    /// Lays out every insurer and gives it its people if it never had any.
    ///
    /// An insurer that had people and has none is not filled again: it is [`House::lost`].
    ///
    /// # Errors
    /// A folder, key or database cannot be used; the master key lies in the data.
    pub fn open(settings: Settings) -> Result<Self> {
        std::fs::create_dir_all(&settings.data).context("cannot make the data folder")?;
        let chance = SystemRandom::new();
        let master = Master::open(&settings.record_key, &settings.data)?;
        let mut anchor = Anchor::open(&settings.record_key)?;
        let (mut tenants, mut lost) = (BTreeMap::new(), Vec::new());
        for (place, line) in settings.tenants.iter().enumerate() {
            check_name(&line.id)?;
            let folder = settings.data.join(&line.id);
            let key = Key::open(&folder.join("login.key"), &line.id, &chance)?;
            let origin = settings.public.replace("{tenant}", &line.id);
            let tenant = Tenant::new(line, place, (origin, &folder), key);
            let filled = match fill(&tenant, &master, (&settings, &mut anchor)) {
                // One insurer's destroyed store must not keep the others from being served.
                Err(error) if is_destroyed(&error) => {
                    tracing::error!(tenant = line.id, %error, "the store is destroyed");
                    Ok(false)
                }
                filled => filled,
            };
            match filled.with_context(|| format!("cannot fill `{}`", line.id))? {
                true => {}
                false => lost.push(line.id.clone()),
            }
            tenants.insert(line.id.clone(), tenant);
        }
        Ok(Self {
            settings,
            chance,
            back: OnceLock::new(),
            master,
            board: Board::default(),
            tenants,
            lost,
            decoding: Mutex::new(()),
        })
    }

    /// One insurer.
    pub fn tenant(&self, id: &str) -> Option<&Tenant> {
        self.tenants.get(id)
    }

    /// Insurers whose people are gone from the disk, or whose database is none any more: bring them
    /// back from a backup, then open anew.
    pub fn lost(&self) -> &[String] {
        &self.lost
    }

    /// All of them.
    pub fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.values()
    }

    /// Whether a service of an insurer is in emergency operation.
    ///
    /// # Errors
    /// The store does not answer.
    pub fn is_emergency(&self, tenant: &Tenant, service: &str) -> Result<bool, Miss> {
        let name = format!("emergency/{service}");
        Ok(setting(tenant, &name)?.is_some())
    }

    /// Runs one thing at a time.
    pub fn one_by_one<T>(&self, work: impl FnOnce() -> T) -> T {
        let _turn = self.decoding.lock().unwrap_or_else(PoisonError::into_inner);
        work()
    }

    /// Today, in Germany.
    pub fn today(&self) -> jiff::civil::Date {
        clock::day(self.settings.clock.seconds())
    }
}

/// Fills an insurer that never had anybody; false when what it had is gone.
fn fill(
    tenant: &Tenant,
    master: &Master,
    (settings, anchor): (&Settings, &mut Anchor),
) -> Result<bool> {
    if !seed::has_people(tenant)? {
        if anchor.knows(&tenant.id) {
            tracing::error!(tenant = tenant.id, "the people are gone from the disk");
            return Ok(false);
        }
        seed::people(tenant, settings)?;
    }
    records(tenant, master, settings)?;
    anchor.add(&tenant.id)?;
    Ok(true)
}

/// Puts a service of an insurer into emergency operation, or back.
///
/// # Errors
/// The store does not answer.
pub fn set_emergency(tenant: &Tenant, service: &str, on: bool) -> Result<(), Miss> {
    let name = format!("emergency/{service}");
    tenant.store.with(|c| match on {
        true => c.execute("INSERT OR REPLACE INTO setting VALUES (?1, 'on')", [&name]),
        false => c.execute("DELETE FROM setting WHERE name = ?1", [&name]),
    })?;
    Ok(())
}

fn setting(tenant: &Tenant, name: &str) -> Result<Option<String>, Miss> {
    use rusqlite::OptionalExtension;
    let read = |c: &mut rusqlite::Connection| {
        c.query_row("SELECT value FROM setting WHERE name = ?1", [name], |row| {
            row.get(0)
        })
        .optional()
    };
    Ok(tenant.store.with(read)?)
}

/// Whether a file is there and is no database any more.
fn is_destroyed(error: &anyhow::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    let code = match error.downcast_ref() {
        Some(StoreError::Sql(error)) => error.sqlite_error_code(),
        _ => None,
    };
    matches!(code, Some(DatabaseCorrupt | NotADatabase))
}

/// A name is a folder and a label of a host.
fn check_name(id: &str) -> Result<()> {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if id.is_empty() || id.len() > 63 || !id.bytes().all(legal) {
        bail!("`{id}` is no name of a tenant: lower case letters, digits and hyphens");
    }
    Ok(())
}

/// Reads `id,name` from a list of tenants as a landscape has it.
///
/// # Errors
/// The file cannot be read or has no such columns.
pub fn read_tenants(path: &Path) -> Result<Vec<TenantLine>> {
    let mut reader = csv::Reader::from_path(path)
        .with_context(|| format!("cannot read tenants from `{}`", path.display()))?;
    let head = reader.headers()?.clone();
    let column = |name: &str| {
        let at = head.iter().position(|h| h.trim() == name);
        at.with_context(|| format!("`{}` has no column `{name}`", path.display()))
    };
    let (id, name) = (column("id")?, column("name")?);
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record?;
        let get = |at: usize| record.get(at).unwrap_or_default().trim().to_owned();
        lines.push(TenantLine {
            id: get(id),
            name: get(name),
        });
    }
    Ok(lines)
}
