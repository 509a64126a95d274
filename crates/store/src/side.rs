//! The files beside the ledger: the lock, and the newest checkpoint.
//!
//! In:    the data folder. Out: a held lock; a checkpoint that is on the disk, whole or not at all.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;

use crate::error::StoreError;
use crate::{FILE_CHECKPOINT, FILE_LOCK};

/// Longest checkpoint note that is read. Bytes. One with 64 witnesses has about 8 KiB.
const NOTE_SIZE_MAX: u64 = 64 * 1024;

/// Creates the data folder, readable by its owner only.
pub(crate) fn create_folder(folder: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|source| file_error("create", folder, source))
}

/// Takes the lock; it is held as long as the file lives.
pub(crate) fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join(FILE_LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|source| file_error("open", &path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(folder.into())),
        Err(TryLockError::Error(source)) => Err(file_error("lock", &path, source)),
    }
}

/// The note in the side file, if there is one.
pub(crate) fn read_note(folder: &Path) -> Result<Option<String>, StoreError> {
    let path = folder.join(FILE_CHECKPOINT);
    let foreign = |why: &str| StoreError::CheckpointForeign {
        file: path.clone(),
        why: why.into(),
    };
    match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(file_error("read", &path, source)),
        Ok(found) if found.len() > NOTE_SIZE_MAX => return Err(foreign("it is too long")),
        Ok(_) => {}
    }
    let bytes = fs::read(&path).map_err(|source| file_error("read", &path, source))?;
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| foreign("it is not text"))
}

/// Puts the note in place of the one before, and returns when the disk has it.
pub(crate) fn write_note(folder: &Path, note: &str) -> io::Result<()> {
    let path = folder.join(FILE_CHECKPOINT);
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    file.write_all(note.as_bytes())?;
    file.sync_all()?;
    drop(file);
    fs::rename(&fresh, &path)?;
    sync_folder(folder)
}

/// Makes names in the folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

pub(crate) fn file_error(meant: &'static str, file: &Path, source: io::Error) -> StoreError {
    StoreError::File {
        meant,
        file: file.into(),
        source,
    }
}
