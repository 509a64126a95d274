//! The ledger as a folder for outsiders: static files, and the bodies its reader may have.
//!
//! In:    a data folder, whose bodies, the log's name and key.
//! Out:   a folder in the layout of C2SP tlog-tiles, with `entries.jsonl` and `signed/` beside it.
//! Never: a body, kind or name of another tenant: of those there are hashes only.
//! See:   docs/formats/ledger.md, `check` (reads it back), docs/verify/verify.py (so does that).

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anlauf_model::{Digest, TenantId};
use anlauf_recovery::event::Scope;
use anlauf_recovery::{Entry, Event};
use anlauf_transparency::checkpoint::verifier_key;
use anlauf_transparency::merkle::Levels;
use anlauf_transparency::tile::{TILE_WIDTH, bundle, tiles};
use anlauf_trust::envelope::pae;
use anlauf_trust::{Checkpoint, Envelope, KeyRecord, PublicKey, Statement};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::leaf::leaf_of;
use crate::reader::Reader;
use crate::side;

pub mod check;

/// The checkpoint with its cosignatures, beside the ledger (`anlauf ledger cosign`).
pub const FILE_COSIGNED: &str = "cosigned.txt";

/// The signed head of an export.
pub const FILE_HEAD: &str = "checkpoint";
/// The log's verifier key.
pub const FILE_KEY: &str = "log.vkey";
/// The disclosed entries.
pub const FILE_ENTRIES: &str = "entries.jsonl";
/// Who may sign, for `ssh-keygen -Y verify`.
pub const FILE_SIGNERS: &str = "allowed_signers";
/// Signed statements and their signatures.
pub const FOLDER_SIGNED: &str = "signed";

/// What was written, or read back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exported {
    /// Entries the tree holds.
    pub size: u64,
    /// Its root.
    pub root: Digest,
    /// Entries whose body is there.
    pub body_count: u64,
    /// Entries that are named without their body: it was erased.
    pub erased_count: u64,
    /// Signatures that stand as files of their own.
    pub signature_count: u64,
}

/// One line of `entries.jsonl`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    pub(crate) index: u64,
    pub(crate) leaf: String,
    /// Hex; none when the body was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) salt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<String>,
}

/// Writes the folder, which must not be there. Without a tenant every body goes into it.
///
/// # Errors
/// Nothing is signed yet, the folder is there, an entry does not match its leaf, or a write fails.
pub fn export(
    data: &Path,
    out: &Path,
    tenant: Option<&TenantId>,
    (origin, log): (&str, &PublicKey),
) -> Result<Exported, StoreError> {
    let reader = Reader::open(data)?;
    let note = newest(data, &reader, (origin, log))?;
    let head = Checkpoint::verify(&note, origin, log).map_err(|refusal| {
        StoreError::CheckpointForeign {
            file: data.to_owned(),
            why: refusal.to_string(),
        }
    })?;
    let leaves = reader.leaves(head.size)?;
    fs::create_dir(out).map_err(|source| side::file_error("create", out, source))?;
    let folder = Folder(out);
    folder.write(FILE_HEAD, note.as_bytes())?;
    let key = verifier_key(origin, log).map_err(|refusal| StoreError::CheckpointForeign {
        file: out.to_owned(),
        why: refusal.to_string(),
    })?;
    folder.write(FILE_KEY, format!("{key}\n").as_bytes())?;
    folder.write("README.txt", README.as_bytes())?;
    let levels = Levels::of(&leaves);
    for tile in tiles(head.size) {
        let bytes = tile.bytes(&|level, index| levels.node(level, index));
        let bytes = bytes.expect("every node of the tree is there");
        folder.write(&tile.path(), &bytes)?;
    }
    let mut writer = Writer::new(folder, tenant)?;
    for seq in 1..=head.size {
        writer.entry(&reader, seq)?;
    }
    writer.finish(head)
}

/// The newest note: the cosigned one beside the ledger unless the ledger's own is newer.
fn newest(
    data: &Path,
    reader: &Reader,
    (origin, log): (&str, &PublicKey),
) -> Result<String, StoreError> {
    let own = reader.head()?.note;
    let file = data.join(FILE_COSIGNED);
    let size = |note: &str| Checkpoint::verify(note, origin, log).map_or(0, |head| head.size);
    let cosigned = fs::read_to_string(&file).ok();
    match (own, cosigned) {
        (Some(own), Some(cosigned)) if size(&cosigned) >= size(&own) => Ok(cosigned),
        (Some(own), _) => Ok(own),
        (None, _) => Err(StoreError::Unsigned(data.to_owned())),
    }
}

/// Whether a reader may have the body.
fn discloses(tenant: Option<&TenantId>, scope: &Scope) -> bool {
    match (tenant, scope) {
        (None, _) | (_, Scope::Everyone) => true,
        (Some(tenant), Scope::Tenant(owner)) => owner == tenant,
        (Some(_), Scope::Provider) => false,
    }
}

struct Folder<'f>(&'f Path);

impl Folder<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path(name);
        let written = match path.parent() {
            Some(parent) => fs::create_dir_all(parent).and_then(|()| fs::write(&path, bytes)),
            None => fs::write(&path, bytes),
        };
        written.map_err(|source| side::file_error("write", &path, source))
    }
}

struct Writer<'f> {
    folder: Folder<'f>,
    tenant: Option<&'f TenantId>,
    lines: BufWriter<fs::File>,
    /// Leaves of the bundle that is being filled; only where everything is disclosed.
    bundle: Vec<Vec<u8>>,
    signers: BTreeSet<String>,
    body_count: u64,
    signature_count: u64,
}

impl<'f> Writer<'f> {
    fn new(folder: Folder<'f>, tenant: Option<&'f TenantId>) -> Result<Self, StoreError> {
        let path = folder.path(FILE_ENTRIES);
        let file = fs::File::create_new(&path);
        let file = file.map_err(|source| side::file_error("create", &path, source))?;
        Ok(Self {
            folder,
            tenant,
            lines: BufWriter::new(file),
            bundle: Vec::new(),
            signers: BTreeSet::new(),
            body_count: 0,
            signature_count: 0,
        })
    }

    fn entry(&mut self, reader: &Reader, seq: u64) -> Result<(), StoreError> {
        let record = reader.record(seq)?;
        let record =
            record.ok_or_else(|| StoreError::broken(seq, format!("entry {seq} is missing")))?;
        let leaf = leaf_of(&record.entry, &record.salt, &record.body)
            .ok_or_else(|| StoreError::broken(seq, format!("entry {seq} has no leaf")))?;
        if self.tenant.is_none() {
            self.bundle.push(leaf.to_bytes());
            if self.bundle.len() as u64 == TILE_WIDTH {
                self.flush_bundle(seq)?;
            }
        }
        if !discloses(self.tenant, &record.entry.scope) {
            return Ok(());
        }
        self.body_count += 1;
        let line = Line {
            index: seq - 1,
            leaf: String::from_utf8_lossy(&leaf.to_bytes()).into_owned(),
            salt: Some(hex::encode(record.salt)),
            body: Some(record.body),
        };
        let path = self.folder.path(FILE_ENTRIES);
        let text = serde_json::to_string(&line).expect("strings and numbers always serialise");
        writeln!(self.lines, "{text}")
            .map_err(|source| side::file_error("write", &path, source))?;
        match envelope(&record.entry) {
            Some(envelope) => self.signed(seq, envelope),
            None => Ok(()),
        }
    }

    /// The statement as it was signed, and each signature as its maker's own tool reads it.
    fn signed(&mut self, seq: u64, envelope: &Envelope) -> Result<(), StoreError> {
        let stem = format!("{FOLDER_SIGNED}/{seq}");
        self.folder
            .write(&format!("{stem}.json"), &envelope.to_bytes())?;
        self.folder
            .write(&format!("{stem}.pae"), &pae(&envelope.payload))?;
        for signature in &envelope.signatures {
            let name = format!("{stem}.{}.sig", signature.keyid);
            let is_ssh = signature.sig.starts_with(b"SSHSIG");
            let text = match is_ssh {
                true => anlauf_trust::armor::armor(&signature.sig),
                false => format!("{}\n", hex::encode(&signature.sig)),
            };
            self.folder.write(&name, text.as_bytes())?;
            self.signature_count += 1;
        }
        if let Ok(Statement::Root(root)) = Statement::parse(&envelope.payload) {
            self.signers.extend(signer_lines(&root.domain, &root.keys));
        }
        if let Ok(Statement::Delegation(list)) = Statement::parse(&envelope.payload) {
            self.signers.extend(signer_lines(&list.domain, &list.keys));
        }
        Ok(())
    }

    fn flush_bundle(&mut self, end: u64) -> Result<(), StoreError> {
        let width = self.bundle.len() as u64;
        let index = (end - width) / TILE_WIDTH;
        let tile = anlauf_transparency::tile::Tile {
            level: 0,
            index,
            width,
        };
        let bytes = bundle(self.bundle.iter().map(Vec::as_slice))
            .map_err(|refusal| StoreError::broken(end, refusal.to_string()))?;
        self.bundle.clear();
        self.folder.write(&tile.bundle_path(), &bytes)
    }

    fn finish(mut self, head: Checkpoint) -> Result<Exported, StoreError> {
        if !self.bundle.is_empty() {
            self.flush_bundle(head.size)?;
        }
        let path = self.folder.path(FILE_ENTRIES);
        self.lines
            .flush()
            .map_err(|source| side::file_error("write", &path, source))?;
        let lines: String = self
            .signers
            .iter()
            .map(|line| format!("{line}\n"))
            .collect();
        self.folder.write(FILE_SIGNERS, lines.as_bytes())?;
        Ok(Exported {
            size: head.size,
            root: head.root,
            body_count: self.body_count,
            erased_count: 0,
            signature_count: self.signature_count,
        })
    }
}

/// The signed statement in an entry, if it holds one.
fn envelope(entry: &Entry) -> Option<&Envelope> {
    match &entry.event {
        Event::RootAdopted { envelope, .. }
        | Event::PolicyAdopted { envelope, .. }
        | Event::DelegationAdopted { envelope, .. }
        | Event::FindingsSigned { envelope, .. }
        | Event::CloseOrdered { envelope, .. }
        | Event::CellsReleased { envelope, .. } => Some(envelope),
        _ => None,
    }
}

/// Lines of `allowed_signers` (ssh-keygen(1)): each OpenSSH key for this domain's statements.
fn signer_lines(domain: &str, keys: &[KeyRecord]) -> Vec<String> {
    let kinds = [
        "root",
        "policy",
        "delegation",
        "finding",
        "release",
        "break-glass",
        "close",
    ];
    let namespaces: Vec<_> = kinds.map(|kind| format!("{kind}.v1@{domain}")).to_vec();
    let namespaces = namespaces.join(",");
    let line = |record: &KeyRecord| {
        let key = anlauf_trust::armor::line_of(record.scheme, &record.public, "")?;
        let person = &record.person;
        Some(format!(
            "{person} namespaces=\"{namespaces}\" {}",
            key.trim_end()
        ))
    };
    keys.iter().filter_map(line).collect()
}

/// What lies in the folder, for whoever finds it.
const README: &str = "\
This folder proves a part of a ledger. Nothing in it needs the program that wrote it.

checkpoint      the signed head (C2SP tlog-checkpoint), with cosignatures of witnesses if any
log.vkey        the log's key as this folder says it; compare it with the one you were told
tile/           the whole tree as hashes (C2SP tlog-tiles)
entries.jsonl   the entries you may read: leaf, salt and body
signed/N.pae    the bytes that were signed under entry N; N.KEY.sig each signature over them
allowed_signers the OpenSSH keys of the signers

Check all of it:        anlauf ledger verify FOLDER --origin NAME --key log.pub
With Python only:       python3 verify.py FOLDER --log KEY
A signature by itself:  ssh-keygen -Y verify -f allowed_signers -I PERSON \\
                          -n release.v1@DOMAIN -s signed/N.KEY.sig < signed/N.pae

To erase a body for privacy, remove the fields `salt` and `body` of its line: the tree stands.
";
