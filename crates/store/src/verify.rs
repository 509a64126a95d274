//! Proves a ledger to whoever asks, without being its writer.
//!
//! In:    a data folder or a file; for `verify_signed` also who signs its checkpoints.
//! Out:   [`VerifyReport`], or the first entry that is wrong.
//! Never: writes; needs the writer to stop.

use std::path::Path;

use anlauf_model::{Digest, Timestamp};
use anlauf_trust::{Checkpoint, PublicKey};

use crate::error::StoreError;
use crate::{FILE_LEDGER, reader, schema, side, walk};

/// What was recomputed and found right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifyReport {
    /// Entries recomputed.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Digest,
    /// Time of the first and the last entry.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Checkpoints held against the tree.
    pub checkpoint_count: u64,
    /// Entries the newest checkpoint vouches for.
    pub checkpoint_size: u64,
    /// Whether the signature of the newest checkpoint was checked too.
    pub signature_checked: bool,
    /// How much the ledger takes on the disk.
    pub bytes: u64,
}

/// Recomputes every leaf from its body, the tree, and holds it against the head and every
/// checkpoint. `path` is a data folder or the ledger's file.
///
/// # Errors
/// It is no ledger, or the first entry that is wrong.
pub fn verify(path: &Path) -> Result<VerifyReport, StoreError> {
    verify_log(path, None)
}

/// Like [`verify`], and checks the signature of the newest checkpoint under the log's origin and
/// key. Of a data folder, the checkpoint that lies beside the ledger is held against it too.
///
/// # Errors
/// As [`verify`], or another log signed the checkpoint, or nobody signed any, or the ledger is an
/// old copy.
pub fn verify_signed(
    path: &Path,
    origin: &str,
    public: &PublicKey,
) -> Result<VerifyReport, StoreError> {
    verify_log(path, Some((origin, public)))
}

fn verify_log(path: &Path, log: Option<(&str, &PublicKey)>) -> Result<VerifyReport, StoreError> {
    let file = if path.is_dir() {
        path.join(FILE_LEDGER)
    } else {
        path.to_owned()
    };
    let judge = |note: &str| match log {
        None => Ok(None),
        Some((origin, public)) => {
            let foreign = |why: String| StoreError::CheckpointForeign {
                file: file.clone(),
                why,
            };
            let checkpoint = Checkpoint::verify(note, origin, public);
            checkpoint
                .map(Some)
                .map_err(|refusal| foreign(refusal.to_string()))
        }
    };
    let note = if path.is_dir() {
        side::read_note(path)?
    } else {
        None
    };
    let side = note.as_deref().map_or(Ok(None), judge)?;
    let connection = schema::open_reader(&file)?;
    let mut span = None;
    let asked = side.as_ref().map(|checkpoint| checkpoint.size);
    let walked = walk::walk(&connection, asked, &mut |entry| {
        let (first, _) = span.unwrap_or((entry.at, entry.at));
        span = Some((first, entry.at));
    })?;
    if let Some((_, note)) = &walked.checkpoint {
        judge(note)?;
    }
    walked.check_side(side.as_ref())?;
    let inside = walked.checkpoint.as_ref().map(|(tree, _)| tree.size());
    let beside = side.as_ref().map(|checkpoint| checkpoint.size);
    let signed = inside.max(beside);
    if log.is_some() && signed.is_none() {
        return Err(StoreError::Unsigned(path.to_owned()));
    }
    Ok(VerifyReport {
        size: walked.frontier.size(),
        root: walked.frontier.root(),
        span,
        checkpoint_count: walked.checkpoint_count,
        checkpoint_size: signed.unwrap_or(0),
        signature_checked: log.is_some(),
        bytes: reader::bytes(&file),
    })
}
