//! What the attacker does to one insurer's files, and what it knows of it.
//!
//! In:    an insurer's files on disk, a seed. Out: [`Damage`]: each thing that was harmed.
//! Never: tells the check what to find: the two are compared afterwards.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use reference_provider::kernel::tenant::Tenant;
use reference_provider::mail::stock;
use serde::Serialize;

use super::backup::Check;

/// Of each so many letters one is encrypted, one gets a bit turned, one is deleted.
const LETTERS_EVERY: usize = 4;

/// Of each so many documents one is encrypted, one gets a bit turned, one is deleted.
const EVERY: usize = 7;

/// What was harmed, by the names that checks use.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Damage {
    /// Documents and letters replaced by what only the attacker can read.
    pub encrypted: BTreeSet<String>,
    /// Documents and letters with one bit turned.
    pub altered: BTreeSet<String>,
    /// Documents and letters deleted.
    pub deleted: BTreeSet<String>,
    /// Files encrypted as a whole.
    pub files: Vec<String>,
    /// Bytes of these files.
    pub file_size: u64,
}

/// Name, row and sealed bytes of a document.
type Document = (String, i64, Vec<u8>);

/// Harms an insurer's files while they are in use: documents in the one, the other as a whole, and
/// letters in its mailboxes.
///
/// # Errors
/// A file cannot be read or written.
pub fn harm(tenant: &Tenant, seed: u64) -> Result<Damage> {
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut damage = Damage::default();
    for (place, (name, row, mut sealed)) in documents(tenant)?.into_iter().enumerate() {
        let write = |bytes: &[u8]| {
            let change = "UPDATE resource SET sealed = ?2 WHERE place = ?1";
            tenant.records.with(|c| c.execute(change, (row, bytes)))
        };
        match place % EVERY {
            0 => {
                chance.fill_bytes(&mut sealed);
                write(&sealed)?;
                damage.encrypted.insert(name);
            }
            2 => {
                if let Some(last) = sealed.last_mut() {
                    *last ^= 1;
                }
                write(&sealed)?;
                damage.altered.insert(name);
            }
            4 => {
                let change = "DELETE FROM resource WHERE place = ?1";
                tenant.records.with(|c| c.execute(change, [row]))?;
                damage.deleted.insert(name);
            }
            _ => {}
        }
    }
    letters(tenant, &mut chance, &mut damage)?;
    tenant.records.let_go();
    tenant.store.let_go();
    let path = tenant.store.path();
    for file in [path.to_owned(), path.with_extension("sqlite-wal")] {
        if file.exists() {
            damage.file_size += encrypt(&file, &mut chance)?;
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            damage.files.push(name.into_owned());
        }
    }
    Ok(damage)
}

fn letters(tenant: &Tenant, chance: &mut Xoshiro256PlusPlus, damage: &mut Damage) -> Result<()> {
    for (place, (name, path)) in stock::paths(tenant)?.into_iter().enumerate() {
        match place % LETTERS_EVERY {
            0 => {
                encrypt(&path, chance)?;
                damage.encrypted.insert(name);
            }
            1 => {
                let mut bytes = std::fs::read(&path)?;
                let last = bytes.len().saturating_sub(3);
                bytes.iter_mut().skip(last).take(1).for_each(|b| *b ^= 1);
                std::fs::write(&path, bytes)?;
                damage.altered.insert(name);
            }
            2 => {
                std::fs::remove_file(&path)?;
                damage.deleted.insert(name);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Encrypts a file where it lies, under whoever has it open. Bytes.
fn encrypt(path: &Path, chance: &mut Xoshiro256PlusPlus) -> Result<u64> {
    let mut bytes = std::fs::read(path)?;
    let mut stream = vec![0; bytes.len()];
    chance.fill_bytes(&mut stream);
    bytes
        .iter_mut()
        .zip(stream)
        .for_each(|(byte, key)| *byte ^= key);
    std::fs::write(path, &bytes)?;
    Ok(bytes.len() as u64)
}

fn documents(tenant: &Tenant) -> Result<Vec<Document>> {
    let question = "SELECT record || '/' || kind || '/' || id, place, sealed FROM resource
                    WHERE kind <> 'AuditEvent' ORDER BY place";
    let found = tenant.records.with(|c| {
        let mut statement = c.prepare(question)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect()
    });
    Ok(found?)
}

impl Damage {
    /// How a check's word differs from what was done; none when it names exactly the damage.
    ///
    /// A document that came in after the backup and was deleted is nobody's to miss: `vouched` says
    /// which names are in the backup.
    pub fn not_found_by(&self, check: &Check, vouched: impl Fn(&str) -> bool) -> Option<String> {
        if check.house.is_ok() {
            return Some("the encrypted house was read as if it were whole".to_owned());
        }
        if check.records.is_err() || check.letters.is_err() {
            return Some("records or letters could not be read at all".to_owned());
        }
        let (altered, missing) = check.harmed();
        let harmed: BTreeSet<_> = self.encrypted.union(&self.altered).cloned().collect();
        let unseen = harmed.symmetric_difference(&altered);
        let deleted = self.deleted.iter().filter(|name| vouched(name)).cloned();
        let deleted: BTreeSet<_> = deleted.collect();
        let unseen = unseen.chain(deleted.symmetric_difference(&missing));
        let names: Vec<&str> = unseen.map(String::as_str).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}
