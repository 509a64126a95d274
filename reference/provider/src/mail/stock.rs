//! Whether an insurer's mailboxes are whole: computed, not declared.
//!
//! In:    Maildirs on disk. Out: a mark per message; later, what was altered, is missing, came in.
//! Never: contents in a mark: they are keyed; believes a file's name.
//! See:   kernel/stock.rs, the same for the house; mail/maildir.rs (names of messages).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};

use super::house::FOLDER;
use super::maildir::{Mailbox, Message, entries};
use crate::kernel::stock::{Difference, Stock};
use crate::kernel::tenant::Tenant;
use crate::record::seal::Master;

/// Takes down every message: `mail/x110435031/<name>` and its mark.
///
/// # Errors
/// The disk cannot be read.
pub fn take(tenant: &Tenant, master: &Master) -> io::Result<Stock> {
    let mut marks = BTreeMap::new();
    for (name, bytes) in all(tenant)? {
        marks.insert(name, master.document_mark(&bytes));
    }
    Ok(Stock(marks))
}

/// Holds the mailboxes against what was taken down. What came in since is altered when it does not
/// bear the name that its words give it.
///
/// # Errors
/// The disk cannot be read.
pub fn check(tenant: &Tenant, master: &Master, before: &Stock) -> io::Result<Difference> {
    let mut difference = before.against(&take(tenant, master)?);
    let mut own = BTreeMap::new();
    for (name, bytes) in all(tenant)? {
        own.insert(name, bytes);
    }
    let (altered, added) = difference.added.into_iter().partition(|name| {
        let bytes = own.remove(name).unwrap_or_default();
        !bears_its_name(name, bytes)
    });
    difference.added = added;
    let altered: Vec<String> = altered;
    difference.altered.extend(altered);
    Ok(difference)
}

/// Messages without a `Message-ID` have a name by chance, which says nothing.
fn bears_its_name(name: &str, bytes: Vec<u8>) -> bool {
    let own = name.rsplit('/').next().unwrap_or_default();
    let message = Message { id: None, bytes };
    own.len() != 64 || hex::encode(digest(&SHA256, message.sent())) == own
}

/// Every message of an insurer by its name. Mailboxes are read one after the other.
fn all(tenant: &Tenant) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut all = Vec::new();
    for (name, path) in paths(tenant)? {
        all.push((name, fs::read(path)?));
    }
    Ok(all)
}

/// Every message of an insurer: its name as in marks, and its file, in the order of the names.
///
/// # Errors
/// The disk cannot be read.
pub fn paths(tenant: &Tenant) -> io::Result<Vec<(String, PathBuf)>> {
    let mut paths = Vec::new();
    for folder in entries(&tenant.folder.join(FOLDER))? {
        let owner = folder.file_name().unwrap_or_default().to_string_lossy();
        let owner = owner.into_owned();
        for item in Mailbox::new(folder).items()? {
            paths.push((format!("{FOLDER}/{owner}/{}", item.name), item.path));
        }
    }
    paths.sort();
    Ok(paths)
}

/// Copies an insurer's mailboxes, with what they know as delivered, into another folder of an
/// insurer. Messages are written under other names first, so that none is there in part.
///
/// # Errors
/// A file cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for mailbox in entries(&from.join(FOLDER))? {
        let name = mailbox.file_name().unwrap_or_default();
        let target = to.join(FOLDER).join(name);
        // `once` last: it says that the mailbox is laid out.
        for part in ["tmp", "cur", "new", "once"] {
            let folder = target.join(part);
            fs::create_dir_all(&folder)?;
            if part == "tmp" {
                continue;
            }
            for file in entries(&mailbox.join(part))? {
                let draft = target.join("tmp").join("copy");
                match fs::copy(&file, &draft) {
                    // A reader has just moved or deleted it.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    done => done?,
                };
                fs::rename(draft, folder.join(file.file_name().unwrap_or_default()))?;
            }
        }
    }
    Ok(())
}

/// Puts the mailboxes of a backup in the place of an insurer's own: what came in since is gone.
///
/// # Errors
/// A file cannot be read or written.
pub fn bring_back(tenant: &Tenant, backup: &Path) -> io::Result<()> {
    let folder = tenant.folder.join(FOLDER);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    copy(backup, &tenant.folder)
}
