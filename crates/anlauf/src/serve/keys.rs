//! The control plane's own keys: one closes, one signs the ledger's head. Neither can open.
//!
//! In:    the data folder. Out: [`ControlKeys`]; made by the genesis, kept ever after.
//! Never: makes keys for a ledger that is there already.

use std::path::Path;

use anlauf_model::PersonId;
use anlauf_store::FILE_LEDGER;
use anlauf_trust::Signer;
use anyhow::Context;

use crate::cli::key::{self, Public, Secret};
use crate::exit::{Code, Done, Failure};

/// Signs closes that a person orders through the API.
pub const FILE_CLOSER: &str = "closer.key";
/// Signs checkpoints.
pub const FILE_LOG: &str = "log.key";

/// Name of the control plane in the root: an automation that may close.
const PERSON_CLOSER: &str = "control-plane";
/// Name of the log in its public file; it is not in the root.
const PERSON_LOG: &str = "log";

/// The keys of a data folder.
pub struct ControlKeys {
    /// Closes.
    pub closer: Secret,
    /// Signs checkpoints.
    pub log: Signer,
}

impl ControlKeys {
    /// Reads the keys of a data folder, or makes them (0600) when there are none.
    ///
    /// # Errors
    /// As [`ControlKeys::find`], there is a ledger without keys, or a file cannot be written.
    pub fn open(data: &Path) -> Done<Self> {
        if let Some(keys) = Self::find(data)? {
            return Ok(keys);
        }
        if data.join(FILE_LEDGER).exists() {
            return Err(lost(data));
        }
        create_folder(data)?;
        let (closer, _) = key::create(&data.join(FILE_CLOSER), &person(PERSON_CLOSER)?)?;
        let (log, _) = key::create(&data.join(FILE_LOG), &person(PERSON_LOG)?)?;
        tracing::info!(folder = %data.display(), "made the control plane's own keys");
        Ok(Self {
            closer,
            log: log.signer,
        })
    }

    /// Reads the keys of a data folder, if there are any. Writes nothing.
    ///
    /// # Errors
    /// A file cannot be read, or one of them is missing: then a ledger would get another signer
    /// without anyone being told.
    pub fn find(data: &Path) -> Done<Option<Self>> {
        let (closer, log) = (data.join(FILE_CLOSER), data.join(FILE_LOG));
        match (closer.exists(), log.exists()) {
            (true, true) => Ok(Some(Self {
                closer: Secret::read(&closer)?,
                log: Secret::read(&log)?.signer,
            })),
            (false, false) => Ok(None),
            (have, _) => {
                let gone = if have { &log } else { &closer };
                let why = format!(
                    "`{}` is missing while the other key of the control plane is there; \
                     restore it from the backup of the data folder",
                    gone.display()
                );
                Err(Failure::input(why))
            }
        }
    }

    /// The public half of the closing key, for the root.
    pub fn closer_public(&self) -> Public {
        self.closer.public()
    }
}

/// A ledger without the keys of its control plane.
pub fn lost(data: &Path) -> Failure {
    let why = format!(
        "`{0}` holds a ledger, but neither `{FILE_CLOSER}` nor `{FILE_LOG}` of its control plane; \
         restore them from the backup of the data folder, or name another folder",
        data.display()
    );
    Failure::new(Code::Ledger, why)
}

fn person(name: &str) -> Done<PersonId> {
    Ok(name.parse().map_err(anyhow::Error::from)?)
}

fn create_folder(data: &Path) -> Done {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .with_context(|| format!("cannot create the data folder `{}`", data.display()))?;
    Ok(())
}
