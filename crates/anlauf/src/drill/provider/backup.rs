//! Backups of the insurers' data, and what they vouch for.
//!
//! In:    the services' data while it is used. Out: copies with marks over everything in them;
//!        later what is altered or missing, computed by opening every row and document.
//! Never: a word about the data that was not read from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anlauf_model::{Digest, TenantId};
use anyhow::{Context, Result};
use reference_provider::kernel::backup;
use reference_provider::kernel::stock::{Difference, Stock};
use reference_provider::mail;
use reference_provider::record::manifest::{self, Manifest, Verdict};
use serde::Serialize;

use super::Provider;

/// What is said of a file that is no database any more.
const UNREADABLE: &str = "cannot be read";

/// Backups by insurer.
#[derive(Default)]
pub struct Backups(BTreeMap<TenantId, Backup>);

/// A copy of one insurer's data.
struct Backup {
    folder: PathBuf,
    manifest: Manifest,
    stock: Stock,
    letters: Stock,
}

/// What a backup vouches for, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Size {
    /// Records and documents.
    pub records: usize,
    /// People, photos, messages.
    pub rows: usize,
    /// Letters in mailboxes.
    pub letters: usize,
}

/// What was found when an insurer's data was held against its backup's marks.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Insurer.
    pub tenant: TenantId,
    /// Patient records; in words when they cannot be read.
    pub records: Result<Verdict, String>,
    /// Everything else; in words when it cannot be read.
    pub house: Result<Difference, String>,
    /// Letters in mailboxes; in words when they cannot be read.
    pub letters: Result<Difference, String>,
}

impl Check {
    /// Nothing altered, nothing missing, everything readable.
    pub fn is_whole(&self) -> bool {
        self.records.as_ref().is_ok_and(|verdict| verdict.whole)
            && self.house.as_ref().is_ok_and(Difference::is_whole)
            && self.letters.as_ref().is_ok_and(Difference::is_whole)
    }

    /// What was found not as it was, of records and letters: altered, missing.
    pub fn harmed(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let (records, letters) = (self.records.as_ref().ok(), self.letters.as_ref().ok());
        let altered = records.map(|verdict| &verdict.altered);
        let altered = altered.into_iter().chain(letters.map(|one| &one.altered));
        let missing = records.map(|verdict| &verdict.missing);
        let missing = missing.into_iter().chain(letters.map(|one| &one.missing));
        (
            altered.flatten().cloned().collect(),
            missing.flatten().cloned().collect(),
        )
    }

    /// What a finding rests on: the digest of the check as it was computed.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn evidence(&self) -> Result<Digest> {
        Ok(Digest::of(&serde_json::to_vec(self)?))
    }

    /// What was looked at and what is not as it was, in one line.
    pub fn in_words(&self) -> String {
        let records = match &self.records {
            Ok(verdict) => format!(
                "{} records and documents, {} altered, {} missing",
                verdict.checked_count,
                verdict.altered.len(),
                verdict.missing.len()
            ),
            Err(why) => why.clone(),
        };
        let part = |name: &str, part: &Result<Difference, String>| match part {
            Ok(difference) => format!(
                "{name}: {} altered, {} missing",
                difference.altered.len(),
                difference.missing.len()
            ),
            Err(why) => format!("{name}: {why}"),
        };
        let house = part("house", &self.house);
        format!("{records}; {house}; {}", part("letters", &self.letters))
    }
}

impl Backups {
    /// Takes a backup of every insurer. Its marks are taken from the copy: so it is seen to open.
    ///
    /// # Errors
    /// Something cannot be copied, or does not open.
    pub fn take(provider: &Provider) -> Result<Self> {
        let house = provider.house()?;
        let now = house.settings.clock.seconds();
        let mut backups = BTreeMap::new();
        for tenant in house.tenants() {
            let folder = provider.folder().join("backup").join(&tenant.id);
            let copy = backup::take(tenant, &folder)?;
            let manifest = manifest::make(&copy, &house.master, now)?;
            let stock = Stock::take(&copy, &house.master).map_err(said)?;
            let letters = mail::stock::take(&copy, &house.master)?;
            copy.store.let_go();
            copy.records.let_go();
            let backup = Backup {
                folder,
                manifest,
                stock,
                letters,
            };
            backups.insert(tenant.id.parse()?, backup);
        }
        Ok(Self(backups))
    }

    /// How much an insurer's backup vouches for.
    pub fn size(&self, tenant: &TenantId) -> Option<Size> {
        let backup = self.0.get(tenant)?;
        Some(Size {
            records: backup.manifest.marks.len(),
            rows: backup.stock.0.len(),
            letters: backup.letters.0.len(),
        })
    }

    /// Whether a record, document or letter is in an insurer's backup.
    pub fn vouches(&self, tenant: &TenantId, name: &str) -> bool {
        self.0.get(tenant).is_some_and(|backup| {
            backup.manifest.marks.contains_key(name) || backup.letters.0.contains_key(name)
        })
    }

    /// Holds an insurer's data against its backup.
    ///
    /// # Errors
    /// No backup, or its manifest is not what it was.
    pub fn check(&self, provider: &Provider, tenant: &TenantId) -> Result<Check> {
        let (backup, house) = (self.of(tenant)?, provider.house()?);
        let (data, now) = (provider.tenant(tenant)?, house.settings.clock.seconds());
        let verdict = manifest::verify(data, &house.master, (&backup.manifest, now));
        let records = match verdict {
            Err(manifest::ManifestError::Store(_)) => Err(UNREADABLE.to_owned()),
            verdict => Ok(verdict?),
        };
        let stock = Stock::take(data, &house.master);
        let letters = mail::stock::check(data, &house.master, &backup.letters);
        Ok(Check {
            tenant: tenant.clone(),
            records,
            house: stock
                .map(|stock| backup.stock.against(&stock))
                .map_err(|_| UNREADABLE.to_owned()),
            letters: letters.map_err(|_| UNREADABLE.to_owned()),
        })
    }

    /// Puts an insurer's backup in the place of its data.
    ///
    /// # Errors
    /// No backup, or a file cannot be copied.
    pub fn bring_back(&self, provider: &Provider, tenant: &TenantId) -> Result<()> {
        backup::bring_back(provider.tenant(tenant)?, &self.of(tenant)?.folder)
    }

    fn of(&self, tenant: &TenantId) -> Result<&Backup> {
        let found = self.0.get(tenant);
        found.with_context(|| format!("there is no backup of `{tenant}`"))
    }
}

fn said(miss: reference_provider::kernel::miss::Miss) -> anyhow::Error {
    anyhow::anyhow!(miss.words.en)
}
