//! Whether every record of an insurer is whole: computed, not declared.
//!
//! In:    the records on disk. Out: a manifest; later, what was altered, is missing or came in.
//! Never: contents or names of people in a manifest; a damaged document counted as there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::seal::{Master, RecordKey};
use super::shelf::{self, Shelf};
use crate::kernel::clock::rfc3339;
use crate::kernel::miss::Miss;
use crate::kernel::tenant::Tenant;

/// Names the form.
pub const KIND: &str = "reference-record-manifest/1";

/// Everything that is in the records of an insurer at one time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`KIND`].
    pub kind: String,
    /// Insurer.
    pub tenant: String,
    /// When, RFC 3339.
    pub made_at: String,
    /// How many records.
    pub record_count: usize,
    /// How many resources in them, the log included.
    pub resource_count: usize,
    /// SHA-256 over the lines of `marks`: `name mark`, in order, each with a line feed.
    pub digest: String,
    /// `record/kind/id` and keyed mark of the plain content; `record` alone is the record itself
    /// with its key.
    pub marks: BTreeMap<String, String>,
}

/// What became of the records since a manifest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Verdict {
    /// Insurer.
    pub tenant: String,
    /// When, RFC 3339.
    pub checked_at: String,
    /// Nothing altered, nothing missing.
    pub whole: bool,
    /// Digest of the manifest.
    pub manifest_digest: String,
    /// Records and resources of the manifest that were looked at.
    pub checked_count: usize,
    /// There, but not what they were; what does not open counts here.
    pub altered: Vec<String>,
    /// Not there.
    pub missing: Vec<String>,
    /// Came in since, and open well.
    pub added: Vec<String>,
}

/// Why there is no manifest or verdict.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Some documents do not open: nothing to vouch for.
    #[error("damaged, a manifest would vouch for it: {}", .0.join(", "))]
    Damaged(Vec<String>),
    /// Of another insurer or form, or changed by somebody.
    #[error("this is no manifest of this insurer, or it was changed: {0}")]
    Foreign(&'static str),
    /// The store does not answer.
    #[error("the records cannot be read: {}", .0.words.en)]
    Store(Box<Miss>),
}

impl From<Miss> for ManifestError {
    fn from(miss: Miss) -> Self {
        Self::Store(Box::new(miss))
    }
}

/// Name and mark of each record and resource; no mark for what does not open.
type Marks = BTreeMap<String, Option<String>>;

/// Takes down what is there.
///
/// # Errors
/// Something does not open, or the store does not answer.
pub fn make(tenant: &Tenant, master: &Master, now: i64) -> Result<Manifest, ManifestError> {
    let found = shelf::with(tenant, master, marks)?;
    let closed = found.iter().filter(|(_, mark)| mark.is_none());
    let closed: Vec<String> = closed.map(|(name, _)| name.clone()).collect();
    if !closed.is_empty() {
        return Err(ManifestError::Damaged(closed));
    }
    let marks: BTreeMap<String, String> = found
        .into_iter()
        .filter_map(|(name, mark)| Some((name, mark?)))
        .collect();
    let record_count = marks.keys().filter(|name| !name.contains('/')).count();
    Ok(Manifest {
        kind: KIND.to_owned(),
        tenant: tenant.id.clone(),
        made_at: rfc3339(now),
        record_count,
        resource_count: marks.len() - record_count,
        digest: digest(&marks),
        marks,
    })
}

/// Holds what is there against a manifest.
///
/// # Errors
/// The manifest is of another insurer or was changed, or the store does not answer.
pub fn verify(
    tenant: &Tenant,
    master: &Master,
    (manifest, now): (&Manifest, i64),
) -> Result<Verdict, ManifestError> {
    if manifest.kind != KIND {
        return Err(ManifestError::Foreign("kind"));
    }
    if manifest.tenant != tenant.id {
        return Err(ManifestError::Foreign("tenant"));
    }
    if manifest.digest != digest(&manifest.marks) {
        return Err(ManifestError::Foreign("digest"));
    }
    let found = shelf::with(tenant, master, marks)?;
    let (mut altered, mut missing, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for (name, mark) in &manifest.marks {
        match found.get(name) {
            None => missing.push(name.clone()),
            Some(now) if now.as_ref() == Some(mark) => {}
            Some(_) => altered.push(name.clone()),
        }
    }
    for (name, mark) in found {
        match (manifest.marks.contains_key(&name), mark) {
            (true, _) => {}
            (false, Some(_)) => added.push(name),
            (false, None) => altered.push(name),
        }
    }
    Ok(Verdict {
        tenant: tenant.id.clone(),
        checked_at: rfc3339(now),
        whole: altered.is_empty() && missing.is_empty(),
        manifest_digest: manifest.digest.clone(),
        checked_count: manifest.marks.len(),
        altered,
        missing,
        added,
    })
}

fn digest(marks: &BTreeMap<String, String>) -> String {
    let mut lines = ring::digest::Context::new(&ring::digest::SHA256);
    for (name, mark) in marks {
        lines.update(format!("{name} {mark}\n").as_bytes());
    }
    hex::encode(lines.finish())
}

fn marks(shelf: &Shelf<'_>) -> Result<Marks, Miss> {
    let mut found = Marks::new();
    let mut keys: BTreeMap<String, Option<RecordKey>> = BTreeMap::new();
    let mut records = shelf.change.prepare("SELECT name, key FROM record")?;
    let mut rows = records.query([])?;
    while let Some(row) = rows.next()? {
        let (name, wrapped): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let key = shelf
            .master
            .unwrap_key(&shelf.key_place(&name), &wrapped)
            .ok();
        // The key is random: a record that was made anew with the same documents is another one.
        let both = [name.as_bytes(), &wrapped].concat();
        let mark = key.is_some().then(|| shelf.master.document_mark(&both));
        found.insert(name.clone(), mark);
        keys.insert(name, key);
    }
    let mut resources = shelf
        .change
        .prepare("SELECT record, kind, id, sealed FROM resource")?;
    let mut rows = resources.query([])?;
    while let Some(row) = rows.next()? {
        let [record, kind, id]: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
        let sealed: Vec<u8> = row.get(3)?;
        let place = [shelf.tenant.id.as_str(), &record, &kind, &id];
        let key = keys.get(&record).and_then(Option::as_ref);
        let plain = key.and_then(|key| key.open(&place, &sealed).ok());
        let mark = plain.map(|plain| shelf.master.document_mark(&plain));
        found.insert(format!("{record}/{kind}/{id}"), mark);
    }
    Ok(found)
}
