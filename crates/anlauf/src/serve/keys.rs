//! The control plane's own keys: one closes, one signs the ledger's head. Neither can open.
//!
//! In:    the data folder. Out: [`ControlKeys`]; made on the first call, kept ever after.

use std::path::Path;

use anlauf_model::PersonId;
use anlauf_trust::Signer;
use anyhow::Context;

use crate::cli::key::{self, Public, Secret};
use crate::exit::{Done, Failure};

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
    /// A file cannot be read or written, or one of them is missing: then a ledger would get
    /// another signer without anyone being told.
    pub fn open(data: &Path) -> Done<Self> {
        create_folder(data)?;
        let (closer, log) = (data.join(FILE_CLOSER), data.join(FILE_LOG));
        match (closer.exists(), log.exists()) {
            (true, true) => Ok(Self {
                closer: Secret::read(&closer)?,
                log: Secret::read(&log)?.signer,
            }),
            (false, false) => {
                let (closer, _) = key::create(&closer, &person(PERSON_CLOSER)?)?;
                let (log, _) = key::create(&log, &person(PERSON_LOG)?)?;
                tracing::info!(folder = %data.display(), "made the control plane's own keys");
                Ok(Self {
                    closer,
                    log: log.signer,
                })
            }
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
