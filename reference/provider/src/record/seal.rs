//! Keys of records: a master key outside the store, a key of its own for each record.
//!
//! In:    a key file, plain bytes. Out: sealed bytes, and plain ones back if nothing was changed.
//! Never: the same nonce twice by counting (96 random bits); a key in words or in the store plain;
//!        bytes sealed for one place opened at another: tenant, record, kind and id are bound in.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::shelf::RECORDS_FILE;
use crate::login::key::write_private;

/// Size of a key. Bytes.
const KEY_SIZE: usize = 32;

/// Bytes that cannot be opened here: changed, of another place, or of another key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unsound;

/// Opens every record's key, names records and marks documents.
#[derive(Debug)]
pub struct Master {
    wrap: LessSafeKey,
    index: hmac::Key,
    digest: hmac::Key,
    chance: SystemRandom,
}

/// Opens the documents of one record.
#[derive(Debug)]
pub struct RecordKey {
    key: LessSafeKey,
}

impl Master {
    /// Reads the key, or makes one for its owner only; not while there are records: a new key
    /// would open none of them.
    ///
    /// # Errors
    /// The file cannot be used, others may read it, it lies in the folder of the data, or it is
    /// gone.
    pub fn open(path: &Path, data: &Path) -> Result<Self> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        std::fs::create_dir_all(folder).context("cannot make the folder of the master key")?;
        if folder.canonicalize()?.starts_with(data.canonicalize()?) {
            bail!(
                "the master key `{}` lies in the data it protects; keep it elsewhere",
                path.display()
            );
        }
        let chance = SystemRandom::new();
        let name = path.display();
        if !path.exists() {
            if has_records(data)? {
                bail!("there are records, but their master key `{name}` is gone; bring it back");
            }
            let mut fresh = [0_u8; KEY_SIZE];
            chance
                .fill(&mut fresh)
                .map_err(|_| anyhow!("the machine has no randomness"))?;
            write_private(path, &fresh)?;
        }
        let mode = std::fs::metadata(path)?.permissions().mode();
        if mode & 0o077 != 0 {
            bail!("others may read the master key `{name}`; run `chmod 600 {name}`");
        }
        let bytes = std::fs::read(path).with_context(|| format!("cannot read `{name}`"))?;
        if bytes.len() != KEY_SIZE {
            bail!(
                "`{name}` is no master key: it has {} bytes, not 32",
                bytes.len()
            );
        }
        Self::of(&bytes).map_err(|Unsound| anyhow!("`{name}` is no master key"))
    }

    /// Three keys for three purposes from one.
    fn of(bytes: &[u8]) -> Result<Self, Unsound> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let part = |purpose: &str| hmac::sign(&root, purpose.as_bytes());
        Ok(Self {
            wrap: aead(part("wrap the keys of records").as_ref())?,
            index: hmac::Key::new(hmac::HMAC_SHA256, part("name records").as_ref()),
            digest: hmac::Key::new(hmac::HMAC_SHA256, part("mark documents").as_ref()),
            chance: SystemRandom::new(),
        })
    }

    /// The name of a person's record in the store; it says nothing to who has the store only.
    pub fn record_name(&self, tenant: &str, kvnr: &str) -> String {
        let mark = hmac::sign(&self.index, format!("{tenant}\0{kvnr}").as_bytes());
        hex::encode(&mark.as_ref()[..16])
    }

    /// The mark of a document for a manifest. Keyed: nobody learns a short document by guessing.
    pub fn document_mark(&self, plain: &[u8]) -> String {
        hex::encode(hmac::sign(&self.digest, plain))
    }

    /// A new key for a record, and the same wrapped for the store.
    ///
    /// # Errors
    /// The machine has no randomness.
    pub fn make(&self, place: &[&str]) -> Result<(RecordKey, Vec<u8>), Unsound> {
        let mut fresh = [0_u8; KEY_SIZE];
        self.chance.fill(&mut fresh).map_err(|_| Unsound)?;
        let wrapped = seal(&self.wrap, &self.chance, place, &fresh)?;
        Ok((RecordKey { key: aead(&fresh)? }, wrapped))
    }

    /// A record's key from the store.
    ///
    /// # Errors
    /// It was changed, or wrapped for another record or by another master key.
    pub fn unwrap_key(&self, place: &[&str], wrapped: &[u8]) -> Result<RecordKey, Unsound> {
        let plain = open(&self.wrap, place, wrapped)?;
        Ok(RecordKey { key: aead(&plain)? })
    }

    /// Seals a document for its place.
    ///
    /// # Errors
    /// The machine has no randomness.
    pub fn seal(&self, key: &RecordKey, place: &[&str], plain: &[u8]) -> Result<Vec<u8>, Unsound> {
        seal(&key.key, &self.chance, place, plain)
    }
}

impl RecordKey {
    /// Opens a document at its place.
    ///
    /// # Errors
    /// One bit was changed, or it was sealed for another place.
    pub fn open(&self, place: &[&str], sealed: &[u8]) -> Result<Vec<u8>, Unsound> {
        open(&self.key, place, sealed)
    }
}

/// Whether any insurer has a store of records.
fn has_records(data: &Path) -> Result<bool> {
    for folder in std::fs::read_dir(data)? {
        if folder?.path().join(RECORDS_FILE).exists() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn aead(bytes: &[u8]) -> Result<LessSafeKey, Unsound> {
    let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| Unsound)?;
    Ok(LessSafeKey::new(key))
}

/// What is bound in: each part with its length before it, so that no two places read the same.
fn bound(place: &[&str]) -> Aad<Vec<u8>> {
    let mut all = b"reference-record/1".to_vec();
    for part in place {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part.as_bytes());
    }
    Aad::from(all)
}

/// Nonce, sealed bytes, tag.
fn seal(
    key: &LessSafeKey,
    chance: &SystemRandom,
    place: &[&str],
    plain: &[u8],
) -> Result<Vec<u8>, Unsound> {
    let mut nonce = [0_u8; NONCE_LEN];
    chance.fill(&mut nonce).map_err(|_| Unsound)?;
    let mut body = plain.to_vec();
    let fixed = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(fixed, bound(place), &mut body)
        .map_err(|_| Unsound)?;
    let mut all = nonce.to_vec();
    all.append(&mut body);
    Ok(all)
}

fn open(key: &LessSafeKey, place: &[&str], sealed: &[u8]) -> Result<Vec<u8>, Unsound> {
    let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(Unsound)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unsound)?;
    let mut body = body.to_vec();
    let plain = key.open_in_place(nonce, bound(place), &mut body);
    Ok(plain.map_err(|_| Unsound)?.to_vec())
}

#[cfg(test)]
mod tests;
