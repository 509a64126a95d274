//! What operators have set, and the key of places, in the gate's folder.
//!
//! In:    the folder. Out: [`Inflows`], a [`Key`]; a folder that holds them.
//! Never: starts without what was set: everyone at once is what it is there against.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anlauf_model::CellId;
use ring::rand::{SecureRandom, SystemRandom};

use super::{Inflow, Key};
use crate::error::GateError;
use crate::journal::replace;

/// How fast cells fill, by cell.
pub(crate) type Inflows = BTreeMap<CellId, Inflow>;

const INFLOWS: &str = "inflow.json";
const KEY: &str = "inflow.key";
const KEY_SIZE: usize = 32;

/// The key of places, and what was set before.
///
/// # Errors
/// The disk fails; a file is there and cannot be understood.
pub(crate) fn open(dir: &Path) -> Result<(Key, Inflows), GateError> {
    Ok((key(dir)?, read(dir)?))
}

fn read(dir: &Path) -> Result<Inflows, GateError> {
    let path = dir.join(INFLOWS);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Inflows::new()),
        Err(source) => return Err(GateError::Disk { path, source }),
    };
    let wrong = |path: PathBuf, why: String| GateError::Inflow { path, why };
    let read: Inflows = match serde_json::from_slice(&bytes) {
        Ok(read) => read,
        Err(error) => return Err(wrong(path, error.to_string())),
    };
    match read
        .iter()
        .find_map(|(cell, one)| Some((cell, one.wrong()?)))
    {
        Some((cell, why)) => Err(wrong(path, format!("`{cell}`: {why}"))),
        None => Ok(read),
    }
}

/// Keeps what is set; returns when it is on the disk.
pub(crate) fn write(dir: &Path, inflows: &Inflows) -> io::Result<()> {
    replace(dir, INFLOWS, &serde_json::to_vec(inflows)?)
}

/// Made at the first start. Gates behind one address may be given the same.
fn key(dir: &Path) -> Result<Key, GateError> {
    let path = dir.join(KEY);
    if !path.exists() {
        let mut bytes = [0u8; KEY_SIZE];
        let made = SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| io::Error::other("the system has no random bytes"))
            .and_then(|()| replace(dir, KEY, &bytes));
        made.map_err(|source| GateError::Disk {
            path: path.clone(),
            source,
        })?;
    }
    match fs::read(&path) {
        Ok(bytes) if bytes.len() == KEY_SIZE => Ok(Key::new(&bytes)),
        Ok(_) => Err(GateError::Inflow {
            path,
            why: format!("the key has not {KEY_SIZE} bytes"),
        }),
        Err(source) => Err(GateError::Disk { path, source }),
    }
}
